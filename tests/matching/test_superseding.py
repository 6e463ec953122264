"""What waits for a volunteer takes part in the next run: it stays where nothing is better, and makes way for what is."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from matching import running, services
from matching.books import faults
from matching.kernel.problem import Problem
from matching.models import FamilyRun, MatchingPolicy, MatchingRun, Proposal
from supplies.catalogue.models import TransportMode
from supplies.journal.models import Event
from tests.makers import (
    NOW,
    make_emergency,
    make_facility,
    make_item,
    make_member,
    make_need,
    make_offer,
    make_organisation,
)

pytestmark = pytest.mark.django_db


def laid_out(**options: Any) -> FamilyRun:
    run = services.start(make_emergency(), trigger="hand", by=None, at=NOW, **options)
    (family,) = running.open_run(run.pk, at=NOW)
    return family


def match(**options: Any) -> FamilyRun:
    family = running.solve_family(laid_out(**options).pk)
    assert family is not None
    assert family.status == "done"
    return family


def held(row: Any) -> int:
    row.refresh_from_db()
    return int(row.quantity_proposed)


def test_a_run_that_finds_nothing_better_leaves_every_proposal_as_it_was() -> None:
    make_need(quantity=100)
    make_offer(quantity=100)
    match()
    before = Proposal.objects.get()

    again = match()

    assert Proposal.objects.get() == before
    assert (again.proposals, again.kept, again.superseded) == (0, 1, 0)
    assert Proposal.objects.get().expires_at == before.expires_at


def test_a_more_urgent_need_takes_the_place_of_one_that_nobody_has_answered() -> None:
    later, offer = make_need(quantity=100, urgency=3), make_offer(quantity=100)
    match()
    urgent = make_need(quantity=100, urgency=1)

    again = match()

    assert (again.proposals, again.kept, again.superseded) == (1, 0, 1)
    assert Proposal.objects.get(need=later).status == "superseded"
    assert Proposal.objects.waiting().get().need == urgent
    assert (held(later), held(urgent), held(offer)) == (0, 100, 100)
    assert faults(at=NOW) == []


def test_what_a_volunteer_has_approved_stays_whoever_comes() -> None:
    make_need(quantity=100, urgency=3)
    make_offer(quantity=100)
    match()
    services.approve(Proposal.objects.get(), by=make_member("volunteer"), at=NOW)
    make_need(quantity=100, urgency=1)

    again = match()

    assert (again.proposals, again.superseded) == (0, 0)
    assert Proposal.objects.get().status == "approved"


def test_what_is_answered_while_a_run_computes_is_left_alone_and_so_is_what_hangs_on_it() -> None:
    later, offer = make_need(quantity=100, urgency=3), make_offer(quantity=100)
    match()
    urgent = make_need(quantity=100, urgency=1)
    family = laid_out()
    services.approve(Proposal.objects.get(), by=make_member("volunteer"), at=NOW)

    done = running.solve_family(family.pk)

    assert done is not None
    assert (done.proposals, done.superseded, done.stale) == (0, 0, 1)
    assert Proposal.objects.get().status == "approved"
    assert (held(later), held(urgent), held(offer)) == (100, 0, 100)
    assert faults(at=NOW) == []


def test_a_dry_run_counts_what_it_would_propose_and_takes_nothing_back() -> None:
    make_need(quantity=100, urgency=3)
    make_offer(quantity=100)
    match()
    make_need(quantity=100, urgency=1)

    tried = match(is_dry=True)

    assert (tried.proposals, tried.superseded) == (1, 0)
    assert Proposal.objects.get().status == "open"


def test_superseding_is_written_down_and_starts_no_other_run() -> None:
    make_need(quantity=100, urgency=3)
    make_offer(quantity=100)
    match()
    make_need(quantity=100, urgency=1)
    match()
    runs = MatchingRun.objects.count()

    assert Event.objects.filter(kind="proposal.superseded").count() == 1
    assert MatchingRun.objects.count() == runs


# What a run takes from the rows


def test_nobody_is_matched_beyond_what_a_facility_of_its_size_can_use() -> None:
    item = make_item()
    facility = make_facility(make_organisation("hospital"), beds=40)
    need = make_need(facility, quantity=400_000)
    make_offer(quantity=400_000)

    family = match()

    usable = -(-item.assumed_quantity * 60 // 14)
    assert held(need) == usable
    assert family.shortfalls["beyond-use"] == 1


def test_a_need_of_the_last_urgency_that_has_waited_counts_as_of_the_one_before() -> None:
    MatchingPolicy.objects.filter(pk="urgency").update(ageing_days=21)
    old = make_need(quantity=100, urgency=4, at=NOW - timedelta(days=22))
    new = make_need(quantity=100, urgency=4)
    make_offer(quantity=100)

    match()

    assert (held(old), held(new)) == (100, 0)


@pytest.mark.parametrize(("flag", "mode"), [("is_cold_chain", "van"), ("is_dangerous", "air")])
def test_goods_that_need_care_go_by_no_transport_that_gives_none(flag: str, mode: str) -> None:
    TransportMode.objects.get_or_create(
        pk=mode, defaults={"name_zh": mode, "name_en": mode, "km_per_day": 500, "source": "TYP"}
    )
    item = make_item()
    type(item).objects.filter(pk=item.pk).update(**{flag: True})
    make_need(quantity=100, item=item)
    make_offer(quantity=100, item=item, mode=TransportMode.objects.get(pk=mode))

    assert match().shortfalls == {"no-transport": 1}


# Policies


def test_a_policy_is_read_as_it_is_written() -> None:
    floor = MatchingPolicy.objects.get(pk="floor").kernel

    assert floor.levels[:8] == ((1, 0), (1, 1), (2, 0), (2, 1), (3, 0), (3, 1), (4, 0), (4, 1))
    assert floor.patience is not None
    assert floor.patience.first_urgency == 3


@pytest.mark.parametrize(
    "order", ["", "1:1-10", "1:1-10 2:1-10 3:1-10 4:2-10", "5:1", "1:10-1 2:1 3:1 4:1", "x"]
)
def test_an_order_that_leaves_something_out_is_refused_in_words(order: str) -> None:
    policy = MatchingPolicy(code="own", name_zh="自定", name_en="own", order=order)

    with pytest.raises(ValidationError) as refused:
        policy.full_clean()
    assert "order" in refused.value.message_dict


def test_a_run_keeps_the_policy_it_was_made_with() -> None:
    make_need(quantity=100)
    make_offer(quantity=100)
    family = match()

    MatchingPolicy.objects.filter(pk="urgency").update(parcel_km=1)

    assert (
        Problem.from_bytes(bytes(FamilyRun.objects.get(pk=family.pk).problem or b"")).policy.parcel_km
        == 50_000
    )


def test_what_was_capped_can_be_approved(volunteer: Any) -> None:
    """The least useful parcel is that of the whole need, for the run and for whoever approves."""
    facility = make_facility(make_organisation("hospital"), beds=40)
    need = make_need(facility, quantity=400_000, min_lot=5_000)
    make_offer(quantity=400_000, allocates_for_me=True)
    match()

    agreed = services.approve(Proposal.objects.get(), by=volunteer, at=NOW)

    need.refresh_from_db()
    assert agreed.status == "agreed"
    assert agreed.quantity == need.quantity_promised < need.quantity


def test_a_parcel_that_has_to_be_larger_than_a_facility_can_use_is_not_proposed() -> None:
    facility = make_facility(make_organisation("hospital"), beds=40)
    make_need(facility, quantity=400_000, min_lot=50_000)
    make_offer(quantity=400_000)

    family = match()

    assert family.shortfalls == {"below-lot": 1, "beyond-use": 1}


def test_a_facility_that_asks_twice_for_the_same_goods_can_use_no_more_of_them() -> None:
    item = make_item()
    facility = make_facility(make_organisation("hospital"), beds=40)
    usable = -(-item.assumed_quantity * 60 // 14)
    urgent = make_need(facility, quantity=usable - 1_000, urgency=1)
    other = make_need(facility, quantity=usable, urgency=2)
    make_offer(quantity=400_000)

    match()

    assert (held(urgent), held(other)) == (usable - 1_000, 1_000)


def test_a_policy_that_may_no_longer_be_chosen_still_serves_the_timetable() -> None:
    MatchingPolicy.objects.update(is_offered=False)
    make_need(quantity=100)

    (run,) = services.match_all(at=NOW)

    assert run.policy == "urgency"
