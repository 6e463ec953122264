"""Matching while facts change, runs that cannot be opened, and a database that is busy."""

from typing import Any

import pytest
from django.db import OperationalError

from matching import running, services
from matching.models import FamilyRun, MatchingRun
from supplies.allocations import services as ledger
from supplies.errors import NotEligible, NotEnoughLeft
from supplies.journal.models import Outgoing
from supplies.journal.services import dispatch
from supplies.needs import services as asking
from supplies.organisations import services as people
from tests.makers import NOW, make_allocation, make_appeal, make_emergency, make_item, make_need, make_offer
from tests.matching.test_services import laid_out, match, proposal
from tests.owner import as_owner

pytestmark = pytest.mark.django_db


def forget_what_happened() -> None:
    """Nothing waits to be heard, and no run waits to be widened."""
    dispatch(at=NOW)
    with as_owner():
        MatchingRun.objects.all().delete()


# --- events


def test_a_storm_of_events_is_one_run() -> None:
    make_appeal(lines=[{"quantity": 5}] * 150)
    make_appeal(lines=[{"quantity": 5}] * 150)

    dispatch(at=NOW)

    assert MatchingRun.objects.get().only == ["MASK_SURG"]
    assert not Outgoing.objects.waiting().exists()


def test_a_run_of_all_families_that_waits_is_not_narrowed_by_an_event() -> None:
    services.start(make_emergency(), trigger="event", by=None, at=NOW)
    make_need()

    dispatch(at=NOW)

    assert MatchingRun.objects.get().only == []


def test_a_facility_that_takes_goods_again_is_matched_again() -> None:
    need = make_need()
    facility = need.appeal.facility
    people.pause(facility, reason="full", by=None, at=NOW)
    forget_what_happened()

    people.resume(facility, by=None, at=NOW)
    dispatch(at=NOW)

    assert MatchingRun.objects.get().only == ["MASK_SURG"]


def test_goods_that_are_released_are_matched_again_even_if_nobody_waits_for_them_there() -> None:
    need, offer = make_need(), make_offer(item=make_item("GOGGLES", name_zh="护目镜"))
    allocation = make_allocation(need=need, offer=offer)
    asking.withdraw_need(need, by=None, at=NOW)
    forget_what_happened()

    ledger.release(allocation, reason="not needed", by=None, at=NOW)
    dispatch(at=NOW)

    assert MatchingRun.objects.get().only == ["GOGGLES"]


# --- approving what has changed meanwhile


def test_a_proposal_larger_than_the_need_has_become_is_refused_before_the_donor_is_asked(
    volunteer: Any,
) -> None:
    found = proposal()
    asking.change(found.need, quantity=60, by=None, at=NOW)

    with pytest.raises(NotEnoughLeft) as refusal:
        services.approve(found, by=volunteer, at=NOW)

    assert "60" in str(refusal.value.detail)
    found.refresh_from_db()
    assert found.status == "open"


def test_a_proposal_to_a_need_that_has_lapsed_is_refused_before_the_donor_is_asked(volunteer: Any) -> None:
    found = proposal()
    asking.lapse(at=found.need.deadline_at)

    with pytest.raises(NotEligible):
        services.approve(found, by=volunteer, at=NOW)


def test_a_proposal_that_became_a_promise_does_not_expire(volunteer: Any) -> None:
    found = services.approve(proposal(allocates_for_me=True), by=volunteer, at=NOW)

    services.expire(at=found.expires_at)

    found.refresh_from_db()
    assert found.status == "agreed"


# --- runs that cannot be opened


def test_a_run_that_can_never_be_opened_fails_after_three_attempts_and_says_why(monkeypatch: Any) -> None:
    run = services.start(make_emergency(), trigger="hand", by=None, at=NOW)

    def poisoned(*_args: Any, **_more: Any) -> None:
        raise ValueError("a rule that cannot be read")

    monkeypatch.setattr(running, "take", poisoned)
    for _ in range(running.MOST_ATTEMPTS):
        running.open_run(run.pk, at=NOW)
        run.refresh_from_db()
        assert run.status == "queued"

    running.open_run(run.pk, at=NOW)

    run.refresh_from_db()
    assert (run.status, run.failure) == ("failed", "ValueError: a rule that cannot be read")
    assert run.finished_at == NOW


def test_a_database_that_is_busy_is_no_fault_of_the_run(monkeypatch: Any) -> None:
    make_need()
    run = services.start(make_emergency(), trigger="hand", by=None, at=NOW)

    def busy(*_args: Any, **_more: Any) -> None:
        raise OperationalError("could not serialize access due to concurrent update")

    with monkeypatch.context() as away:
        away.setattr(running, "take", busy)
        for _ in range(5):
            running.open_run(run.pk, at=NOW)

    assert len(running.open_run(run.pk, at=NOW)) == 1


def test_a_family_that_met_a_busy_database_is_taken_up_again_after_its_lease(monkeypatch: Any) -> None:
    make_need(quantity=100)
    make_offer(quantity=100)
    (family,) = laid_out()

    def busy(*_args: Any, **_more: Any) -> None:
        raise OperationalError("canceling statement due to lock timeout")

    with monkeypatch.context() as away:
        away.setattr(running, "store", busy)
        running.solve_family(family.pk)
    family.refresh_from_db()
    assert family.status == "running"
    FamilyRun.objects.update(lease_until=NOW)
    running.sweep(at=NOW.replace(year=2027))

    done = running.solve_family(family.pk)

    assert done is not None
    assert (done.status, done.proposals, done.attempt) == ("done", 1, 2)


def test_a_dry_run_leaves_no_trace_but_itself() -> None:
    need, offer = make_need(quantity=100), make_offer(quantity=100)
    forget_what_happened()

    match(is_dry=True)

    need.refresh_from_db()
    offer.refresh_from_db()
    assert (need.quantity_proposed, offer.quantity_proposed) == (0, 0)
    assert not Outgoing.objects.waiting().exists()
