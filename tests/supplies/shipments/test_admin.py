"""Moving shipments at the desk."""

import pytest

from supplies.organisations.models import User
from supplies.shipments import services
from supplies.shipments.models import Shipment
from tests.desk import at_the_desk, choose, list_of, page_of, told
from tests.makers import (
    NOW,
    make_allocation,
    make_facility,
    make_need,
    make_offer,
    make_organisation,
    make_shipment,
)


def test_chosen_promises_become_one_shipment(volunteer: User) -> None:
    facility, donor = make_facility(), make_organisation("donor")
    promises = [make_allocation(need=make_need(facility), offer=make_offer(donor)) for _ in range(2)]

    answer = choose(at_the_desk(volunteer), "put_together", *promises)

    shipment = Shipment.objects.get()
    assert (shipment.consignor, shipment.consignee, shipment.created_by) == (donor, facility, volunteer)
    assert shipment.lines.count() == 2
    assert page_of(shipment) in told(answer)[0]


def test_promises_of_two_routes_are_refused_with_what_to_do(volunteer: User) -> None:
    answer = choose(at_the_desk(volunteer), "put_together", make_allocation(), make_allocation())

    assert not Shipment.objects.exists()
    assert "make one for each route" in told(answer)[0]


def test_booking_asks_for_the_carrier(volunteer: User) -> None:
    shipment, carrier = make_shipment(), make_organisation("carrier")
    client = at_the_desk(volunteer)
    page = choose(client, "book", shipment)
    assert list(page.context["form"].fields["carrier"].queryset) == [carrier]

    choose(client, "book", shipment, carrier=str(carrier.pk), waybill="SF100", expected_on="2026-11-30")

    shipment.refresh_from_db()
    assert (shipment.status, shipment.carrier, shipment.waybill) == ("booked", carrier, "SF100")
    assert str(shipment.expected_on) == "2026-11-30"


def test_a_carrier_that_is_not_verified_is_not_offered(volunteer: User) -> None:
    shipment, carrier = make_shipment(), make_organisation("carrier", verified=False)

    page = choose(at_the_desk(volunteer), "book", shipment, carrier=str(carrier.pk))

    shipment.refresh_from_db()
    assert shipment.status == "draft"
    assert "carrier" in page.context["form"].errors


@pytest.mark.parametrize(
    ("before", "action", "answers", "after"),
    [
        ("booked", "dispatch", {}, "in_transit"),
        ("in_transit", "arrive", {}, "at_the_door"),
        ("in_transit", "deliver", {}, "delivered"),
        ("in_transit", "send_back", {"note": "Nobody at the gate."}, "returning"),
        ("in_transit", "lose", {"note": "The van burned out."}, "lost"),
        ("booked", "cancel", {"answered": "yes"}, "cancelled"),
        ("draft", "cancel", {"answered": "yes"}, "cancelled"),
    ],
)
def test_every_action_moves_a_shipment_along_its_lifecycle(
    volunteer: User, before: str, action: str, answers: dict[str, str], after: str
) -> None:
    shipment = make_shipment(status=before)

    choose(at_the_desk(volunteer), action, shipment, query="", **answers)

    shipment.refresh_from_db()
    assert shipment.status == after


def test_what_came_back_is_free_again(volunteer: User) -> None:
    shipment = services.send_back(make_shipment(status="in_transit"), by=None, at=NOW)

    choose(at_the_desk(volunteer), "come_back", shipment, query="")

    shipment.refresh_from_db()
    assert shipment.status == "returned"
    assert shipment.lines.get().allocation.status == "returned"


def test_a_move_the_lifecycle_does_not_know_is_refused_with_a_sentence(volunteer: User) -> None:
    shipment = make_shipment(status="delivered")

    answer = choose(at_the_desk(volunteer), "cancel", shipment, query="", answered="yes")

    shipment.refresh_from_db()
    assert shipment.status == "delivered"
    assert "cannot become" in told(answer)[0]


def test_shipments_in_trouble_come_first(volunteer: User) -> None:
    lost = services.lose(make_shipment(status="in_transit"), by=None, at=NOW)
    fine = make_shipment(status="booked")
    client = at_the_desk(volunteer)

    assert list(client.get(list_of(Shipment)).context["cl"].result_list) == [lost, fine]
    assert list(client.get(list_of(Shipment), {"state": "trouble"}).context["cl"].result_list) == [lost]


def test_what_ends_a_shipment_asks_once_and_says_what_will_happen(volunteer: User) -> None:
    shipment = make_shipment()
    client, do = at_the_desk(volunteer), page_of(shipment).replace("/change/", "/do/cancel/")

    page = client.post(do)

    shipment.refresh_from_db()
    shown = page.content.decode()
    assert shipment.status == "draft"
    assert "What is promised stays promised" in shown
    assert 'value="Call off this shipment"' in shown
    assert f'href="{page_of(shipment)}" class="closelink"' in shown
    client.post(do, {"answered": "yes"})
    shipment.refresh_from_db()
    assert shipment.status == "cancelled"


def test_a_shipment_in_the_list_is_not_called_off_unasked(volunteer: User) -> None:
    shipment = make_shipment()

    page = choose(at_the_desk(volunteer), "cancel", shipment, query="")

    shipment.refresh_from_db()
    assert shipment.status == "draft"
    assert "This cannot be undone." in page.content.decode()
