import pytest
from django.urls import reverse

from supplies.receipts.models import ReceiptLine
from tests.makers import (
    make_allocation,
    make_facility,
    make_item,
    make_member,
    make_need,
    make_offer,
    make_shipment,
    make_unit,
    make_user,
)
from tests.page_client import reader

pytestmark = pytest.mark.django_db


@pytest.fixture
def delivered():
    """A hospital and its delivered shipment of 100 pairs of gloves."""
    hospital = make_member("hospital")
    glove, pair = make_unit("glove", name_en="single glove"), make_unit("pair", name_en="pair")
    gloves = make_item("GLOVE", base_unit=glove, display_unit=pair, display_factor=2, name_en="Gloves")
    need = make_need(make_facility(hospital.memberships.get().organisation), item=gloves, quantity=200)
    shipment = make_shipment(
        make_allocation(200, need=need, offer=make_offer(item=gloves)), status="delivered"
    )
    return hospital, shipment


def counted(shipment, **parts):
    line = shipment.lines.get()
    return {f"line-{line.pk}-{name}": value for name, value in parts.items()}


def test_the_hospital_counts_in_the_units_it_knows(delivered) -> None:
    hospital, shipment = delivered

    reader(hospital).post(
        reverse("count-shipment", args=[shipment.pk]), counted(shipment, accepted="90", damaged="４")
    )

    line = ReceiptLine.objects.get()
    shipment.refresh_from_db()
    assert (line.accepted, line.damaged, line.missing) == (180, 8, 12)
    assert shipment.status == "partly_accepted"


@pytest.mark.parametrize(
    ("parts", "field"),
    [
        ({"accepted": ""}, "accepted"),
        ({"accepted": "-1"}, "accepted"),
        ({"accepted": "0.3"}, "accepted"),
        ({"accepted": "999999"}, "accepted"),
        ({"accepted": "9", "expired": "x"}, "expired"),
    ],
)
def test_a_count_that_cannot_be_is_said_beside_its_field(delivered, parts, field) -> None:
    hospital, shipment = delivered

    answer = reader(hospital).post(reverse("count-shipment", args=[shipment.pk]), counted(shipment, **parts))

    assert set(answer.context["forms"][0].errors) == {field}
    assert not ReceiptLine.objects.exists()


def test_only_those_it_concerns_see_a_shipment(delivered) -> None:
    hospital, shipment = delivered
    donor = make_member("donor", shipment.consignor)

    assert reader(hospital).get(reverse("shipment", args=[shipment.pk])).status_code == 200
    assert reader(donor).get(reverse("count-shipment", args=[shipment.pk])).status_code == 403
    assert reader(make_user()).get(reverse("shipment", args=[shipment.pk])).status_code == 404
    assert reader().get(reverse("shipment", args=[shipment.pk])).status_code == 302


def test_what_was_counted_cannot_be_counted_again(delivered) -> None:
    hospital, shipment = delivered
    client, address = reader(hospital), reverse("count-shipment", args=[shipment.pk])
    client.post(address, counted(shipment, accepted="100"))

    answer = client.post(address, counted(shipment, accepted="1"), follow=True)

    assert ReceiptLine.objects.get().accepted == 200
    assert "accepted" in answer.content.decode()
