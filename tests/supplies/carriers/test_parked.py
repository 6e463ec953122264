"""What a carrier tells of a shipment nobody knows yet is kept, applied when it appears, and reported when it never does."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from supplies.carriers import services
from supplies.carriers.models import CarrierHook, ParkedEvent
from supplies.journal.models import Event
from supplies.journal.services import dispatch
from supplies.organisations.models import Organisation
from supplies.shipments import legs
from supplies.shipments import services as moving
from supplies.shipments.models import Shipment
from tests.makers import NOW, make_member, make_organisation, make_region, make_shipment
from tests.sign_in import sign_in
from tests.supplies.carriers.telling import carried_by, make_account, make_words, word

pytestmark = pytest.mark.django_db


def test_booking_the_waybill_applies_what_was_parked_with_who_told_it() -> None:
    make_words()
    driver = make_member("carrier")
    carrier = driver.memberships.get().organisation
    parked = services.take_in(carrier, [word("W1")], by=driver, at=NOW)
    shipment = make_shipment()

    moving.book(shipment, carrier=carrier, waybill="W1", by=None, at=NOW)
    dispatch(at=NOW)

    assert [outcome.status for outcome in parked] == ["parked"]
    seen = shipment.events.get()
    assert (seen.code, seen.vocabulary, seen.by, seen.status) == ("0", "kuaidi100", driver, "in_transit")
    row = ParkedEvent.objects.get()
    assert (row.applied_at, row.event, bytes(row.payload_sealed)) == (NOW, seen, b"")


@pytest.mark.parametrize("name", ["waybill", "code", "pk"])
def test_what_was_parked_while_it_was_booked_is_found_by_the_sweep_under_each_name(name: str) -> None:
    make_words()
    carrier = make_organisation("carrier")
    shipment = make_shipment()
    called = "W1" if name == "waybill" else str(getattr(shipment, name))
    services.take_in(carrier, [word(called)], by=None, at=NOW)
    Shipment.objects.filter(pk=shipment.pk).update(carrier=carrier, waybill="W1", status="booked")

    applied = [services.apply_parked(at=NOW) for _time in range(2)]

    assert applied == [1, 0]
    assert shipment.events.get().code == "0"


def test_an_event_of_another_carriers_shipment_is_parked_like_one_of_none() -> None:
    mine, theirs = make_organisation("carrier"), make_organisation("carrier")
    shipment = carried_by(theirs, "W1")

    told = services.take_in(
        mine, [word("W1", "a"), word("W2", "b"), word(str(shipment.pk), "c")], by=None, at=NOW
    )

    assert {outcome.status for outcome in told} == {"parked"}
    services.apply_parked(at=NOW)
    assert not shipment.events.exclude(external_id="").exists()


def test_parked_twice_is_parked_once_and_its_words_are_sealed() -> None:
    carrier = make_organisation("carrier")

    statuses = [services.take_in(carrier, [word("W1")] * 2, by=None, at=NOW) for _time in range(2)]

    assert [[each.status for each in told] for told in statuses] == [
        ["parked", "duplicate"],
        ["duplicate"] * 2,
    ]
    row = ParkedEvent.objects.get()
    assert "kuaidi100" in row.payload
    assert b"kuaidi100" not in bytes(row.payload_sealed)


def test_what_fits_nothing_for_a_month_is_reported_and_after_another_forgotten(settings: Any) -> None:
    carrier = make_organisation("carrier")
    services.take_in(carrier, [word("W1")], by=None, at=NOW)
    month = timedelta(days=settings.PARKED_DAYS, seconds=1)

    early = services.give_up(at=NOW + timedelta(days=1))
    reported = services.give_up(at=NOW + month)
    kept = services.forget(at=NOW + month)
    gone = services.forget(at=NOW + 2 * month)

    assert (early, reported, kept, gone) == (0, 1, 0, 1)
    assert Event.objects.get(kind="carrier.events_given_up").facts == {"events": 1}


def test_webhooks_are_kept_as_they_came_for_a_month() -> None:
    account = make_account()
    hook = CarrierHook(account=account, known_as="x", received_at=NOW)
    hook.body = "practice"
    hook.save()

    assert [services.forget(at=NOW + timedelta(days=days)) for days in (29, 31)] == [0, 1]


def test_more_than_can_wait_is_refused_with_a_code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "MOST_PARKED", 2)
    carrier = make_organisation("carrier")

    told = services.take_in(carrier, [word("W1", str(number)) for number in range(3)], by=None, at=NOW)

    assert [outcome.code for outcome in told] == ["", "", "too-many-parked"]


# -- of legs that were travelled ---------------------------------------------------------------------------


def by_road_and_air(road: Organisation, air: Organisation) -> Shipment:
    """At the hub: what the road's carrier knows as R1 waits for the flight A1."""
    shipment, hub = make_shipment(), make_region()
    ways = {"from_region": hub, "to_region": hub}
    parts = [{**ways, "carrier": road, "waybill": "R1"}, {**ways, "carrier": air, "waybill": "A1"}]
    legs.plan(shipment, legs=parts, by=None, at=NOW)
    moving.book(shipment, carrier=road, waybill="R1", by=None, at=NOW)
    moving.dispatch(shipment, by=None, at=NOW)
    return legs.reach_hub(shipment, by=None, at=NOW + timedelta(hours=1))


@pytest.mark.parametrize("name", ["waybill", "code", "pk"])
def test_what_the_carrier_of_an_earlier_leg_tells_late_is_written_down(name: str) -> None:
    make_words()
    road, air = make_organisation("carrier"), make_organisation("carrier")
    shipment = by_road_and_air(road, air)
    called = "R1" if name == "waybill" else str(getattr(shipment, name))

    (outcome,) = services.take_in(road, [word(called)], by=None, at=NOW)

    assert (outcome.status, outcome.shipment) == ("created", shipment.pk)


@pytest.mark.parametrize("name", ["waybill", "code", "pk"])
def test_what_was_parked_of_a_leg_that_was_travelled_since_is_applied(name: str) -> None:
    make_words()
    road, air = make_organisation("carrier"), make_organisation("carrier")
    shipment = by_road_and_air(road, air)
    called = "A1" if name == "waybill" else str(getattr(shipment, name))
    Shipment.objects.filter(pk=shipment.pk).update(carrier=road, waybill="R1")  # as when it was told
    services.take_in(air, [word(called)], by=None, at=NOW)
    assert ParkedEvent.objects.waiting().count() == 1
    shipment.legs.filter(carrier=air).update(departed_at=NOW + timedelta(hours=2))

    assert services.apply_parked(at=NOW) == 1
    assert shipment.events.filter(code="0").count() == 1


def test_the_carrier_of_a_leg_to_come_has_nothing_to_tell_yet() -> None:
    road, air = make_organisation("carrier"), make_organisation("carrier")
    shipment = by_road_and_air(road, air)
    Shipment.objects.filter(pk=shipment.pk).update(carrier=road, waybill="R1")

    (outcome,) = services.take_in(air, [word("A1")], by=None, at=NOW)

    assert outcome.status == "parked"


def test_a_number_is_first_that_of_the_shipment_that_has_it_now() -> None:
    make_words()
    road, air = make_organisation("carrier"), make_organisation("carrier")
    by_road_and_air(road, air)
    other = make_shipment(carrier=road, status="booked")
    Shipment.objects.filter(pk=other.pk).update(waybill="R1")

    (outcome,) = services.take_in(road, [word("R1")], by=None, at=NOW)

    assert outcome.shipment == other.pk


def test_delivered_to_the_hub_is_not_delivered_to_the_hospital() -> None:
    air = make_account("kuaidi100", delivers=True).carrier
    road = make_organisation("carrier")
    shipment = by_road_and_air(road, air)
    legs.leave_hub(shipment, by=None, at=NOW + timedelta(hours=2))

    sooner = NOW + timedelta(hours=1)
    services.take_in(road, [word("R1", code="3", at=sooner)], by=None, at=sooner)
    dispatch(at=sooner)
    shipment.refresh_from_db()
    assert (shipment.status, shipment.sighting_status) == ("in_transit", "delivered")
    assert not shipment.is_said_to_be_delivered
    assert not Event.objects.filter(kind="shipment.said_delivered").exists()

    later = NOW + timedelta(hours=3)
    services.take_in(air, [word("A1", "e2", code="3", at=later)], by=None, at=later)
    dispatch(at=later)
    shipment.refresh_from_db()
    assert shipment.status == "delivered"


# -- delivered, says the carrier ---------------------------------------------------------------------------


@pytest.mark.parametrize(("delivers", "status"), [(False, "in_transit"), (True, "delivered")])
def test_a_carriers_delivered_is_a_proposal_unless_its_account_is_trusted_with_it(
    delivers: bool, status: str
) -> None:
    account = make_account("kuaidi100", delivers=delivers)
    shipment = carried_by(account.carrier, "W1")

    services.take_in(account.carrier, [word("W1", code="3")], by=None, at=NOW)
    before = Shipment.objects.said_to_be_delivered().count()
    dispatch(at=NOW)

    shipment.refresh_from_db()
    assert (before, shipment.status, shipment.is_said_to_be_delivered) == (1, status, not delivers)


def test_a_later_word_takes_the_proposal_back() -> None:
    account = make_account("kuaidi100")
    shipment = carried_by(account.carrier, "W1")

    for external_id, code, hours in (("a", "3", 0), ("b", "5", 1)):
        told = word("W1", external_id, code=code, at=NOW + timedelta(hours=hours))
        services.take_in(account.carrier, [told], by=None, at=NOW + timedelta(hours=2))

    shipment.refresh_from_db()
    assert not shipment.is_said_to_be_delivered


def test_the_hospital_reads_that_it_was_signed_for_and_what_to_do() -> None:
    account = make_account("kuaidi100")
    shipment = carried_by(account.carrier, "W1")
    keeper = make_member("hospital", shipment.consignee.organisation, language="en")
    page = sign_in(Client(HTTP_ACCEPT_LANGUAGE="en"), keeper)
    path = f"/shipments/{shipment.pk}/"

    before = page.get(path).content.decode()
    services.take_in(account.carrier, [word("W1", code="3")], by=None, at=NOW)

    assert "Signed for, says the carrier" not in before
    assert "Signed for, says the carrier (23 November 2026" in page.get(path).content.decode()
