from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError, transaction

from matching import running, services
from matching.kernel import solve as kernel
from matching.models import FamilyRun, MatchingRun, Proposal
from matching.results import summary
from matching.sentences import sentences
from supplies.allocations.models import Allocation
from supplies.errors import NotEligible, NotEnoughLeft, Refused
from supplies.journal.services import dispatch
from supplies.needs import services as asking
from supplies.needs.models import Need
from supplies.offers import services as giving
from supplies.organisations import services as people
from tests.makers import (
    NOW,
    TODAY,
    make_allocation,
    make_emergency,
    make_item,
    make_member,
    make_need,
    make_offer,
    make_organisation,
    make_standard,
)

pytestmark = pytest.mark.django_db


def laid_out(**options: object) -> list[FamilyRun]:
    run = services.start(make_emergency(), trigger="hand", by=None, at=NOW, **options)
    return running.open_run(run.pk, at=NOW)


def match(**options: object) -> MatchingRun:
    """A whole run in this process."""
    for family in laid_out(**options):
        running.solve_family(family.pk)
    return (
        MatchingRun.objects.newest_first().get()
        if MatchingRun.objects.count() == 1
        else MatchingRun.objects.order_by("-created_at", "-finished_at")[0]
    )


def proposal(**line: object) -> Proposal:
    make_need(quantity=100)
    make_offer(quantity=100, **line)
    match()
    return Proposal.objects.get()


# --- what a run proposes


def test_the_more_urgent_need_comes_first() -> None:
    make_need(quantity=100, urgency=3)
    urgent = make_need(quantity=100, urgency=1)
    make_offer(quantity=100)

    match()

    assert Proposal.objects.get().need == urgent


def test_an_open_proposal_binds_nobody_but_its_units_count_as_taken() -> None:
    first = proposal()

    first.offer.refresh_from_db()

    assert (first.offer.quantity_proposed, first.offer.quantity_open) == (100, 100)


def test_every_proposal_says_why() -> None:
    found = proposal()

    because = sentences(Proposal.objects.with_sides().get(pk=found.pk))

    assert any("km" in sentence for sentence in because)
    assert any("100" in sentence for sentence in because)


def test_an_unlimited_need_is_matched_up_to_the_stated_assumption_and_marked() -> None:
    make_need(quantity=None, quantity_kind="unlimited")
    make_offer(quantity=50_000)

    match()

    found = Proposal.objects.get()
    assert found.quantity == make_item().assumed_quantity
    assert found.because["is_assumed"]


def test_only_whole_packs_are_proposed() -> None:
    make_need(quantity=130)
    make_offer(quantity=500, pack=50)

    match()

    assert Proposal.objects.get().quantity == 100


def test_the_rest_of_a_need_is_useful_even_below_its_least_lot() -> None:
    need = make_need(quantity=500, min_lot=100)
    make_allocation(450, need=need, offer=make_offer(quantity=450))
    make_offer(quantity=1000)

    match()

    assert Proposal.objects.get().quantity == 50


def test_directed_goods_are_proposed_to_nobody_else() -> None:
    meant, other = make_need(quantity=100, urgency=4), make_need(quantity=100, urgency=1)
    make_offer(quantity=200, directed_facility=meant.appeal.facility)

    match()

    assert Proposal.objects.get().need == meant
    assert other.proposals.count() == 0


def test_a_paused_facility_is_proposed_nothing() -> None:
    need = make_need()
    make_offer()
    people.pause(need.appeal.facility, reason="full", by=None, at=NOW)

    match()

    assert not Proposal.objects.exists()


def test_goods_that_expire_on_the_way_are_not_proposed() -> None:
    make_need()
    make_offer(expires_on=TODAY + timedelta(days=20))

    match()

    assert not Proposal.objects.exists()


def test_industrial_goods_are_not_proposed_to_a_ward() -> None:
    mask = make_item(needs_medical_grade=True)
    make_standard("YY0469-2011", [mask])
    make_need(item=mask)
    make_offer(item=mask, standard=make_standard("GBT32610-2016", [mask], medical_use="no"))

    match()

    assert not Proposal.objects.exists()


def test_goods_without_a_stated_standard_wait_for_the_hospitals_yes(volunteer) -> None:
    mask = make_item(needs_medical_grade=True)
    make_standard("YY0469-2011", [mask])
    need = make_need(item=mask, quantity=100)
    make_offer(item=mask, quantity=100, allocates_for_me=True)
    match()

    found = services.approve(Proposal.objects.get(), by=volunteer, at=NOW)
    assert (found.status, found.is_conditional, found.donor_consent) == ("approved", True, "standing")

    hospital = make_member("hospital", need.appeal.facility.organisation)
    assert services.agree_for_hospital(found, by=hospital, at=NOW).status == "agreed"


def test_a_dry_run_counts_and_proposes_nothing() -> None:
    make_need(quantity=100)
    make_offer(quantity=100)

    run = match(is_dry=True)

    assert summary(run)["units"] == 100
    assert not Proposal.objects.exists()
    assert Need.objects.get().quantity_proposed == 0


def test_a_run_names_the_rules_it_matched_under_and_what_it_found() -> None:
    make_need(quantity=100, urgency=1)
    make_offer(quantity=60)

    found = summary(match())

    assert found["by_urgency"]["1"] == {
        "needs": 1,
        "wanted": 100,
        "served": 0,
        "proposed": 60,
        "fill_before": 0.0,
        "fill_after": 0.6,
    }
    assert {"snapshot", "flow", "verify", "store"} <= found["seconds"].keys()


def test_a_run_without_needs_ends_well() -> None:
    assert laid_out() == []
    assert MatchingRun.objects.get().status == "done"


def test_a_run_can_be_replayed_from_what_it_stored() -> None:
    make_need(quantity=100)
    make_offer(quantity=60)
    match()
    family = FamilyRun.objects.get()

    again = kernel.solve(running.Problem.from_bytes(bytes(family.problem)))

    assert again.to_bytes() == bytes(family.plan)


def test_shortly_after_midnight_goods_of_today_can_be_collected_today() -> None:
    just_past_midnight = datetime(2026, 11, 23, 16, 30, tzinfo=UTC)  # half past midnight of the 24th in Wuhan
    tomorrow = TODAY + timedelta(days=1)
    make_need(quantity=100, needed_by=tomorrow + timedelta(days=1))
    make_offer(quantity=100, available_from=tomorrow)
    run = services.start(make_emergency(), trigger="hand", by=None, at=just_past_midnight)

    (family,) = running.open_run(run.pk, at=just_past_midnight)

    problem = running.Problem.from_bytes(bytes(family.problem))
    assert (problem.supplies.ready_in_days.tolist(), problem.demands.deadline_days.tolist()) == ([0], [1])


# --- two processes, dead ones and late ones


def test_a_family_is_worked_on_by_one_run_at_a_time_and_others_at_once() -> None:
    make_need(quantity=100)
    make_offer(quantity=100)
    (first,), (second,) = laid_out(), laid_out()

    assert running.take_lease(first.pk, at=NOW)
    assert running.take_lease(second.pk, at=NOW) is None
    with pytest.raises(IntegrityError, match="family_runs_once_at_a_time"), transaction.atomic():
        FamilyRun.objects.filter(pk=second.pk).update(status="running")


def test_different_families_run_at_once() -> None:
    make_need(item=make_item("MASK_SURG"))
    make_need(item=make_item("GOGGLES", name_zh="护目镜"))
    one, other = laid_out()

    assert running.take_lease(one.pk, at=NOW)
    assert running.take_lease(other.pk, at=NOW)


def test_a_dead_workers_family_is_taken_up_again_after_its_lease() -> None:
    make_need(quantity=100)
    make_offer(quantity=100)
    (family,) = laid_out()
    running.take_lease(family.pk, at=NOW)

    running.sweep(at=NOW + timedelta(seconds=59))
    assert running.solve_family(family.pk) is None
    running.sweep(at=NOW + timedelta(seconds=61))

    assert running.solve_family(family.pk).status == "done"
    assert Proposal.objects.count() == 1


def test_a_late_zombie_cannot_write() -> None:
    make_need(quantity=100)
    make_offer(quantity=100)
    (family,) = laid_out()
    zombie = running.take_lease(family.pk, at=NOW)
    running.sweep(at=NOW + timedelta(minutes=2))
    running.solve_family(family.pk)

    plan, explanation, seconds = running._solve(zombie, lambda: NOW)
    with pytest.raises(running.LeaseLost):
        running.store(zombie, plan, explanation, seconds, at=NOW)

    assert Proposal.objects.count() == 1
    assert Need.objects.get().quantity_proposed == 100


def test_a_family_that_nobody_finishes_is_given_up_and_says_so() -> None:
    make_need()
    make_offer()
    (family,) = laid_out()
    at = NOW
    for _ in range(running.MOST_ATTEMPTS):
        running.take_lease(family.pk, at=at)
        at += timedelta(minutes=5)
        running.sweep(at=at)

    family.refresh_from_db()
    assert (family.status, MatchingRun.objects.get().status) == ("failed", "failed")
    assert family.failure


def test_a_solver_that_fails_leaves_everything_as_it_was(monkeypatch) -> None:
    make_need(quantity=100)
    make_offer(quantity=100)
    (family,) = laid_out()
    FamilyRun.objects.filter(pk=family.pk).update(problem=b"not a problem")

    found = running.solve_family(family.pk)

    assert found.status == "failed"
    assert found.failure
    assert not Proposal.objects.exists()


def test_a_task_delivered_twice_proposes_once() -> None:
    make_need(quantity=100)
    make_offer(quantity=100)
    (family,) = laid_out()

    running.solve_family(family.pk)
    running.solve_family(family.pk)
    running.open_run(family.run_id, at=NOW)

    assert Proposal.objects.count() == 1


# --- what changed since the snapshot


@pytest.mark.parametrize(
    "change", ["need-changed", "need-withdrawn", "offer-withdrawn", "offer-promised", "facility-paused"]
)
def test_a_proposal_whose_inputs_changed_is_not_stored(change: str) -> None:
    need, offer = make_need(quantity=100), make_offer(quantity=100)
    (family,) = laid_out()
    if change == "need-changed":
        asking.change(need, quantity=40, by=None, at=NOW)
    elif change == "need-withdrawn":
        asking.withdraw_need(need, by=None, at=NOW)
    elif change == "offer-withdrawn":
        giving.withdraw_offer(offer, by=None, at=NOW)
    elif change == "offer-promised":
        make_allocation(10, offer=offer)
    else:
        people.pause(need.appeal.facility, reason="", by=None, at=NOW)

    found = running.solve_family(family.pk)

    assert (found.status, found.proposals, found.stale) == ("done", 0, 1)
    assert not Proposal.objects.exists()


# --- answering


def test_who_posted_a_side_does_not_approve(volunteer) -> None:
    make_need(quantity=100, by=volunteer)
    make_offer(quantity=100)
    match()

    with pytest.raises(NotEligible) as refusal:
        services.approve(Proposal.objects.get(), by=volunteer, at=NOW)

    assert refusal.value.code == "four-eyes"


def test_a_yes_of_the_donor_makes_the_promise(volunteer) -> None:
    found = services.approve(proposal(), by=volunteer, at=NOW)
    assert found.status == "approved"
    assert not Allocation.objects.exists()

    agreed = services.agree_for_donor(
        found, by=make_member("donor", found.offer.donation.organisation), at=NOW
    )

    need = Need.objects.get()
    assert (agreed.status, agreed.allocation.quantity) == ("agreed", 100)
    assert (need.quantity_proposed, need.quantity_promised) == (0, 100)


def test_standing_consent_is_the_yes_for_undirected_goods_and_is_recorded(volunteer) -> None:
    found = services.approve(proposal(allocates_for_me=True), by=volunteer, at=NOW)

    assert (found.status, found.donor_consent) == ("agreed", "standing")
    assert found.allocation.because["donor_consent"] == "standing"


def test_standing_consent_is_no_yes_for_directed_goods(volunteer) -> None:
    need = make_need(quantity=100)
    make_offer(quantity=100, allocates_for_me=True, directed_facility=need.appeal.facility)
    match()

    assert services.approve(Proposal.objects.get(), by=volunteer, at=NOW).status == "approved"


def test_a_declined_pair_is_not_proposed_again(volunteer) -> None:
    with pytest.raises(Refused):
        services.decline(proposal(), reason=" ", by=volunteer, at=NOW)
    services.decline(Proposal.objects.get(), reason="The donor has nothing left.", by=volunteer, at=NOW)
    assert Need.objects.get().quantity_proposed == 0

    match()

    assert Proposal.objects.count() == 1


def test_a_proposal_nobody_answers_expires_after_48_hours_and_frees_its_units() -> None:
    found = proposal()
    Proposal.objects.update(expires_at=NOW + timedelta(hours=48))

    assert services.expire(at=NOW + timedelta(hours=47)) == 0
    assert services.expire(at=NOW + timedelta(hours=49)) == 1

    found.refresh_from_db()
    assert (found.status, Need.objects.get().quantity_proposed) == ("expired", 0)


def test_two_volunteers_do_not_approve_the_same_proposal_twice(volunteer) -> None:
    found = proposal(allocates_for_me=True)
    services.approve(found, by=volunteer, at=NOW)

    with pytest.raises(Refused):
        services.approve(found, by=make_member("volunteer"), at=NOW)

    assert Allocation.objects.count() == 1


def test_a_proposal_that_no_longer_fits_is_refused_whole(volunteer) -> None:
    found = proposal(allocates_for_me=True)
    make_allocation(50, offer=found.offer, need=make_need(quantity=50))

    with pytest.raises(NotEnoughLeft):
        services.approve(found, by=volunteer, at=NOW)

    found.refresh_from_db()
    assert found.status == "open"


@pytest.mark.parametrize("cause", ["pause", "withdraw-need", "withdraw-offer"])
def test_what_ends_a_side_ends_its_proposals(cause: str) -> None:
    found = proposal()
    if cause == "pause":
        people.pause(found.need.appeal.facility, reason="full", by=None, at=NOW)
    elif cause == "withdraw-need":
        asking.withdraw_need(found.need, by=None, at=NOW)
    else:
        giving.withdraw_offer(found.offer, by=None, at=NOW)

    dispatch(at=NOW)

    found.refresh_from_db()
    assert found.status == "withdrawn"
    found.offer.refresh_from_db()
    assert found.offer.quantity_proposed == 0


def test_stop_sending_takes_back_what_is_proposed_in_the_same_transaction() -> None:
    found = proposal()

    people.pause(found.need.appeal.facility, reason="full", by=None, at=NOW)

    found.refresh_from_db()
    assert (found.status, found.ended_because) == ("withdrawn", "facility-paused")


def test_a_pause_that_is_undone_leaves_what_is_proposed() -> None:
    found = proposal()

    with transaction.atomic():
        people.pause(found.need.appeal.facility, reason="full", by=None, at=NOW)
        transaction.set_rollback(True)

    found.refresh_from_db()
    assert found.status == "open"


def test_taking_goods_again_brings_no_proposal_back() -> None:
    found = proposal()
    people.pause(found.need.appeal.facility, reason="full", by=None, at=NOW)

    people.resume(found.need.appeal.facility, by=None, at=NOW)

    found.refresh_from_db()
    assert found.status == "withdrawn"


# --- triggers


def test_a_new_need_asks_for_a_run_of_its_family_only() -> None:
    make_item("GOGGLES", name_zh="护目镜")
    make_need(item=make_item("MASK_SURG"))

    dispatch(at=NOW)

    run = MatchingRun.objects.get()
    assert (run.trigger, run.only) == ("event", ["MASK_SURG"])


def test_a_run_that_waits_is_widened_instead_of_adding_another() -> None:
    make_need(item=make_item("MASK_SURG"))
    dispatch(at=NOW)
    make_offer(item=make_item("GOGGLES", name_zh="护目镜"))

    dispatch(at=NOW)

    assert MatchingRun.objects.get().only == ["GOGGLES", "MASK_SURG"]


def test_the_timetable_leaves_an_emergency_alone_while_a_run_is_at_work() -> None:
    make_emergency()

    assert len(services.match_all(at=NOW)) == 1
    assert services.match_all(at=NOW) == []


def test_open_proposals_are_for_volunteers_and_later_for_the_two_sides(volunteer, stranger) -> None:
    found = proposal()
    donor = make_member("donor", found.offer.donation.organisation)
    assert list(Proposal.objects.visible_to(volunteer)) == [found]
    assert not Proposal.objects.visible_to(donor).exists()

    services.approve(found, by=volunteer, at=NOW)

    assert list(Proposal.objects.visible_to(donor)) == [found]
    assert not Proposal.objects.visible_to(stranger).exists()
    assert not Proposal.objects.visible_to(make_member("donor", make_organisation("donor"))).exists()
