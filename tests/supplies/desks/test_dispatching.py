"""What the desk does to many shipments at once, shown beforehand; split, gathered, sent on."""

from typing import Any

import pytest

from supplies.journal.models import Event
from supplies.loads.models import ConsolidatedLoad
from supplies.organisations.models import User
from supplies.shipments.models import Rearrangement, Shipment
from tests.desk import at_the_desk, choose, told
from tests.makers import (
    make_allocation,
    make_facility,
    make_member,
    make_need,
    make_offer,
    make_organisation,
    make_region,
    make_shipment,
)

pytestmark = pytest.mark.django_db


def statuses(*rows: Shipment) -> list[str]:
    return [Shipment.objects.get(pk=row.pk).status for row in rows]


def test_what_many_would_become_is_shown_before_anything_is_done(volunteer: User) -> None:
    booked, draft, left = make_shipment(status="booked"), make_shipment(), make_shipment(status="in_transit")
    client, events = at_the_desk(volunteer), Event.objects.count()

    page = choose(client, "dispatch", booked, draft, left)

    assert [(row.pk, row.becomes) for row in page.context["fine"]] == [(booked.pk, "in transit")]
    assert {row.pk for row in page.context["refused"]} == {draft.pk, left.pk}
    assert all("cannot become" in row.refusal for row in page.context["refused"])
    assert statuses(booked, draft, left) == ["booked", "draft", "in_transit"]
    assert Event.objects.count() == events

    answer = choose(client, "dispatch", booked, confirmed="yes")

    assert statuses(booked, draft, left) == ["in_transit", "draft", "in_transit"]
    assert "done for 1" in told(answer)[0]


def test_a_bulk_booking_asks_shows_and_then_books(volunteer: User) -> None:
    one, other, gone = make_shipment(), make_shipment(), make_shipment(status="in_transit")
    carrier, client = make_organisation("carrier"), at_the_desk(volunteer)

    assert "fine" not in choose(client, "book", one, other, gone).context
    page = choose(client, "book", one, other, gone, carrier=str(carrier.pk))
    assert {row.pk for row in page.context["fine"]} == {one.pk, other.pk}
    assert str(carrier.pk) in page.content.decode()
    assert statuses(one, other) == ["draft", "draft"]

    choose(client, "book", one, other, carrier=str(carrier.pk), confirmed="yes")

    assert statuses(one, other, gone) == ["booked", "booked", "in_transit"]


def test_a_coordinator_is_shown_what_lies_outside_her_regions_as_refused() -> None:
    anhui = make_region("340102", "演练区")
    donor = make_organisation("donor", region=anhui)
    hers = make_shipment(
        make_allocation(need=make_need(make_facility(region=anhui)), offer=make_offer(donor)), status="booked"
    )
    theirs = make_shipment(make_allocation(offer=make_offer(donor)), status="booked")
    coordinator = make_member("coordinator")
    coordinator.memberships.get().regions.add(anhui)

    page = choose(at_the_desk(coordinator), "dispatch", hers, theirs)

    assert [row.pk for row in page.context["fine"]] == [hers.pk]
    assert [(row.pk, "outside your regions" in row.refusal) for row in page.context["refused"]] == [
        (theirs.pk, True)
    ]


def test_pieces_are_split_off_by_the_form(volunteer: User) -> None:
    shipment = make_shipment()
    line, client = shipment.lines.get(), at_the_desk(volunteer)
    field = f"line_{line.pk}"
    assert field in choose(client, "split", shipment).context["form"].fields

    page = choose(client, "split", shipment, reason="Half goes by air.", **{field: "1000"})
    assert field in page.context["form"].errors

    choose(client, "split", shipment, reason="Half goes by air.", **{field: "40"})

    other = Rearrangement.objects.get(shipment=shipment).other
    assert other is not None
    assert other.lines.get().allocation.quantity == 40
    assert shipment.lines.get().allocation.quantity == 60


def test_a_split_is_asked_of_one_shipment_at_a_time(volunteer: User) -> None:
    answer = choose(at_the_desk(volunteer), "split", make_shipment(), make_shipment())

    assert "Choose one" in told(answer)[0]
    assert not Rearrangement.objects.exists()


def test_booked_shipments_are_gathered_into_one_load(volunteer: User) -> None:
    facility, carrier = make_facility(), make_organisation("carrier")
    rows = [
        make_shipment(make_allocation(need=make_need(facility)), carrier=carrier, status="booked")
        for _ in range(2)
    ]
    hub, client = make_region("420102", "江岸区"), at_the_desk(volunteer)
    answers: dict[str, Any] = {"carrier": str(carrier.pk), "hub_place": "东站"}

    page = choose(client, "gather", *rows, hub_region="nowhere", **answers)
    assert "hub_region" in page.context["form"].errors

    choose(client, "gather", *rows, hub_region=hub.pk, **answers)

    load = ConsolidatedLoad.objects.get()
    assert (load.consignee, load.hub_region, load.hub_place) == (facility, hub, "东站")
    assert {place.shipment for place in load.places.all()} == set(rows)


def test_shipments_to_two_hospitals_are_not_gathered(volunteer: User) -> None:
    carrier = make_organisation("carrier")
    rows = [make_shipment(carrier=carrier, status="booked") for _ in range(2)]

    answer = choose(
        at_the_desk(volunteer), "gather", *rows, hub_region=make_region().pk, carrier=str(carrier.pk)
    )

    assert "goes to another facility" in told(answer)[0]
    assert not ConsolidatedLoad.objects.exists()


def test_a_shipment_is_sent_on_to_a_hospital_that_lacks_the_same(volunteer: User) -> None:
    shipment = make_shipment(status="in_transit")
    other, client = make_need(), at_the_desk(volunteer)
    to = other.appeal.facility
    offered = choose(client, "reroute", shipment).context["form"].fields["to"].choices
    assert str(to.pk) in dict(offered)
    assert str(shipment.consignee_id) not in dict(offered)

    page = choose(client, "reroute", shipment, to=str(shipment.consignee_id), reason="Full.")
    assert "to" in page.context["form"].errors

    choose(client, "reroute", shipment, to=str(to.pk), reason="The first one is full.")

    shipment.refresh_from_db()
    assert (shipment.consignee, shipment.rerouted_because) == (to, "The first one is full.")
