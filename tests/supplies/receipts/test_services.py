import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from supplies.append_only import rewriting
from supplies.errors import MoveRefused, Refused
from supplies.receipts import services as receiving
from supplies.receipts.models import Discrepancy, ReceiptLine
from supplies.shipments import services as moving
from supplies.shipments.models import Shipment
from tests.makers import (
    NOW,
    make_allocation,
    make_need,
    make_shipment,
)
from tests.owner import as_owner

pytestmark = pytest.mark.django_db


def count(shipment: Shipment, **parts: int) -> ReceiptLine:
    line = shipment.lines.get()
    return receiving.receive(shipment, counts=[{"line": line, **parts}], by=None, at=NOW).lines.get()


def test_a_whole_receipt_meets_the_need_and_closes_the_appeal() -> None:
    need = make_need(quantity=100)
    shipment = make_shipment(make_allocation(100, need=need), status="delivered")

    count(shipment, accepted=100)

    need.refresh_from_db()
    shipment.refresh_from_db()
    assert (shipment.status, need.status, need.quantity_received, need.appeal.status) == (
        "accepted",
        "met",
        100,
        "closed",
    )


def test_a_shortfall_is_needed_again_and_the_sender_gets_a_ticket() -> None:
    need = make_need(quantity=100)
    shipment = make_shipment(make_allocation(100, need=need), status="delivered")

    line = count(shipment, accepted=70, damaged=10, expired=5)

    need.refresh_from_db()
    shipment.refresh_from_db()
    assert (shipment.status, need.status, need.quantity_outstanding) == ("partly_accepted", "open", 30)
    assert line.missing == 15
    tickets = dict(Discrepancy.objects.values_list("kind", "quantity"))
    assert tickets == {"damaged": 10, "expired": 5, "missing": 15}


@pytest.mark.parametrize("again", [100, 70, 0])
def test_a_second_first_count_is_refused_and_the_first_stands(again: int) -> None:
    shipment = make_shipment(make_allocation(100, need=make_need(quantity=100)), status="delivered")
    count(shipment, accepted=70)

    with pytest.raises(MoveRefused, match="Correct that count"), transaction.atomic():
        count(shipment, accepted=again)

    assert ReceiptLine.objects.get().accepted == 70


def test_more_than_was_shipped_is_a_surplus_and_not_more_received_than_asked() -> None:
    need = make_need(quantity=100)
    shipment = make_shipment(make_allocation(100, need=need), status="delivered")

    line = count(shipment, accepted=120)

    need.refresh_from_db()
    assert (line.surplus, need.quantity_received) == (20, 100)


def test_nothing_accepted_is_a_refusal() -> None:
    shipment = make_shipment(status="delivered")

    count(shipment, wrong_item=100)

    shipment.refresh_from_db()
    assert shipment.status == "refused"


@pytest.mark.parametrize("parts", [{"accepted": -1}, {"damaged": -5, "accepted": 100}, {"accepted": 10**9}])
def test_an_impossible_count_is_refused(parts: dict[str, int]) -> None:
    with pytest.raises(ValidationError, match=r"lines\.0"):
        count(make_shipment(status="delivered"), **parts)


def test_every_line_is_counted_once() -> None:
    shipment = make_shipment(status="delivered")

    with pytest.raises(ValidationError, match="every line"):
        receiving.receive(shipment, counts=[], by=None, at=NOW)
    line = shipment.lines.get()
    with pytest.raises(ValidationError, match="every line"):
        receiving.receive(
            shipment, counts=[{"line": line, "accepted": 50}, {"line": line, "accepted": 50}], by=None, at=NOW
        )


def test_the_database_refuses_a_count_that_does_not_add_up() -> None:
    line = count(make_shipment(status="delivered"), accepted=100)

    with as_owner(), pytest.raises(IntegrityError, match="adds_up"), transaction.atomic(), rewriting():
        ReceiptLine.objects.filter(pk=line.pk).update(accepted=101)


def test_a_count_happens_once() -> None:
    shipment = make_shipment(status="delivered")
    count(shipment, accepted=100)

    with pytest.raises(MoveRefused):
        count(shipment, accepted=100)


def test_trouble_ends_when_somebody_says_how_it_was_settled(volunteer) -> None:
    shipment = make_shipment(status="delivered")
    count(shipment, accepted=90)
    assert Shipment.objects.in_trouble().get() == shipment

    with pytest.raises(Refused):
        moving.settle(shipment, note=" ", by=volunteer, at=NOW)
    moving.settle(shipment, note="The donor sends ten more.", by=volunteer, at=NOW)

    assert not Shipment.objects.in_trouble().exists()
