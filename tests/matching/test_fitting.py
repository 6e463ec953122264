"""A need or an offer changes while a proposal waits: what fits no more is neither approved nor left lying."""

from datetime import timedelta
from typing import Any

import pytest

from matching import running, services
from matching.models import MatchingRun, Proposal
from supplies.catalogue.models import Substitution
from supplies.errors import Refused
from supplies.journal.services import dispatch
from supplies.needs import services as asking
from supplies.needs.models import Need
from supplies.offers import services as giving
from supplies.offers.models import Offer
from supplies.organisations.models import User
from tests.makers import (
    NOW,
    TODAY,
    make_emergency,
    make_item,
    make_mode,
    make_need,
    make_offer,
    make_organisation,
    make_region,
    make_standard,
)

pytestmark = pytest.mark.django_db


def proposed(need: dict[str, Any] | None = None, offer: dict[str, Any] | None = None) -> Proposal:
    """What a run proposes between two cities, 100 pieces in packs of ten unless said otherwise."""
    far = make_region("440103", "荔湾区", lat=23.1, lon=113.3)
    make_need(**{"quantity": 100, **(need or {})})
    giver = make_organisation("donor", region=far)
    make_offer(giver, **{"quantity": 100, "pack": 10, "allocates_for_me": True, **(offer or {})})
    run = services.start(make_emergency(), trigger="hand", by=None, at=NOW)
    for family in running.open_run(run.pk, at=NOW):
        running.solve_family(family.pk, clock=lambda: NOW)
    return Proposal.objects.get()


def a_substitute() -> dict[str, dict[str, Any]]:
    """A need and an offer that only a substitution brings together."""
    mask = make_item(needs_medical_grade=True)
    asked, given = make_standard("YY0469-2011", [mask]), make_standard("GB19083-2010", [mask])
    Substitution.objects.create(
        item=mask, offered=given, satisfies=asked, verdict="accept", relation="equivalent"
    )
    return {"need": {"item": mask, "accepted_standards": [asked]}, "offer": {"item": mask, "standard": given}}


def change_need(**changes: Any) -> Any:
    return lambda: asking.change(Need.objects.get(), by=None, at=NOW, **changes)


def change_offer(**changes: Any) -> Any:
    return lambda: giving.change(Offer.objects.get(), by=None, at=NOW, **changes)


SOON = TODAY + timedelta(days=1)
NARROWED: dict[str, tuple[Any, str]] = {
    "the hospital needs it tomorrow": (change_need(needed_by=SOON), "too-late"),
    "the hospital has use for large lots only": (change_need(quantity=500, min_lot=200), "no-legal-lot"),
    "the hospital halves its need": (change_need(quantity=50), "not-enough-left"),
    "the donor sends large lots only": (change_offer(quantity=500, min_lot=200), "no-legal-lot"),
    "the donor has only half": (change_offer(quantity=50), "not-enough-left"),
    "the donor does not send it that far": (change_offer(max_km=100), "out-of-range"),
    "the donor has it in a month": (change_offer(available_from=TODAY + timedelta(days=30)), "too-late"),
    "the donor has no lorry": (lambda: change_offer(mode=make_mode("van"))(), "out-of-range"),
}


@pytest.mark.parametrize("name", NARROWED)
def test_what_fits_no_more_is_not_approved_but_taken_back_and_another_run_asked_for(
    name: str, volunteer: User
) -> None:
    narrow, code = NARROWED[name]
    found = proposed()
    dispatch(at=NOW)
    MatchingRun.objects.filter(status="queued").update(status="done")
    narrow()

    with pytest.raises(Refused) as refusal:
        services.approve(found, by=volunteer, at=NOW)
    found.refresh_from_db()
    assert (found.status, refusal.value.code) == ("open", code)
    dispatch(at=NOW)
    dispatch(at=NOW)

    found.refresh_from_db()
    assert (found.status, found.ended_because) == ("withdrawn", code)
    assert Need.objects.get().quantity_proposed == Offer.objects.get().quantity_proposed == 0
    assert MatchingRun.objects.filter(status="queued", only=[found.need.item_id]).exists()


def test_a_substitute_is_taken_back_when_the_hospital_wants_none_any_more(volunteer: User) -> None:
    found = proposed(**a_substitute())

    change_need(substitutes_welcome=False)()
    with pytest.raises(Refused) as refusal:
        services.approve(found, by=volunteer, at=NOW)
    dispatch(at=NOW)

    found.refresh_from_db()
    assert refusal.value.code == found.ended_because == "not-satisfying"


def test_what_still_fits_is_left_alone(volunteer: User) -> None:
    found = proposed()

    for widen in (
        change_need(quantity=200),
        change_need(needed_by=TODAY + timedelta(days=20)),
        change_need(urgency=1),
        change_need(min_lot=100),
        change_offer(quantity=300),
        change_offer(min_lot=100),
        change_offer(max_km=5000),
    ):
        widen()
        dispatch(at=NOW)

    found.refresh_from_db()
    assert found.status == "open"
    assert services.approve(found, by=volunteer, at=NOW).status == "agreed"


def test_time_that_passes_makes_no_proposal_unfit(volunteer: User) -> None:
    found = proposed(need={"needed_by": TODAY + timedelta(days=4)})

    assert services.approve(found, by=volunteer, at=NOW + timedelta(hours=40)).status == "agreed"


def test_an_approved_proposal_that_fits_no_more_is_not_agreed(volunteer: User) -> None:
    found = services.approve(proposed(offer={"allocates_for_me": False}), by=volunteer, at=NOW)
    change_need(needed_by=SOON)()

    with pytest.raises(Refused) as refusal:
        services.agree_for_donor(found, by=volunteer, at=NOW)
    assert refusal.value.code == "too-late"
    dispatch(at=NOW)

    found.refresh_from_db()
    assert (found.status, found.donor_said_yes_at) == ("withdrawn", None)


def test_where_too_much_waits_the_approved_and_then_the_more_urgent_keep_their_units(volunteer: User) -> None:
    offer = make_offer(quantity=300)
    needs = [make_need(quantity=100, urgency=urgency) for urgency in (1, 2, 3)]
    run = services.start(make_emergency(), trigger="hand", by=None, at=NOW)
    for family in running.open_run(run.pk, at=NOW):
        running.solve_family(family.pk, clock=lambda: NOW)
    least = Proposal.objects.get(need=needs[2])
    services.approve(least, reason="transport", by=volunteer, at=NOW)

    giving.change(offer, quantity=250, by=None, at=NOW)
    dispatch(at=NOW)

    kept = {row.need_id: row.status for row in Proposal.objects.all()}
    assert [kept[need.pk] for need in needs] == ["open", "withdrawn", "approved"]


def test_the_rest_of_a_need_may_be_smaller_than_its_least_lot(volunteer: User) -> None:
    need = make_need(quantity=500, min_lot=100)
    make_offer(quantity=450, allocates_for_me=True)
    for _ in range(2):
        run = services.start(make_emergency(), trigger="hand", by=None, at=NOW)
        for family in running.open_run(run.pk, at=NOW):
            running.solve_family(family.pk, clock=lambda: NOW)
        services.approve(Proposal.objects.waiting().get(), by=volunteer, at=NOW)
        make_offer(quantity=1000, allocates_for_me=True)

    need.refresh_from_db()
    assert (need.quantity_promised, need.quantity_proposed) == (500, 0)
    assert sorted(Proposal.objects.values_list("quantity", flat=True)) == [50, 450]
