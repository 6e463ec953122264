import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from supplies.attachments.models import Attachment
from supplies.organisations import services as people
from supplies.receipts.models import ReceiptLine
from supplies.receipts.permissions import may_read_proof
from tests.makers import (
    NOW,
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
from tests.supplies.attachments.hostile import photograph

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


def test_more_than_was_shipped_is_written_down_and_asked_about(delivered) -> None:
    hospital, shipment = delivered

    answer = reader(hospital).post(
        reverse("count-shipment", args=[shipment.pk]), counted(shipment, accepted="101"), follow=True
    )

    assert ReceiptLine.objects.get().surplus == 2
    assert "more than was shipped" in answer.content.decode()


def test_who_counts_a_substitute_reads_what_it_stands_in_for() -> None:
    hospital = make_member("hospital")
    goggles, shield = make_item("GOGGLES", name_en="Goggles"), make_item("SHIELD", name_en="Face shield")
    need = make_need(make_facility(hospital.memberships.get().organisation), item=goggles)
    shipment = make_shipment(make_allocation(need=need, offer=make_offer(item=shield)), status="delivered")

    for page in ("count-shipment", "shipment"):
        told = reader(hospital).get(reverse(page, args=[shipment.pk])).content.decode()
        assert "n place of Goggles" in told


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


PNG = "image/png"


def picture(*, signed: bool = False) -> SimpleUploadedFile:
    return SimpleUploadedFile("picture", photograph("PNG" if signed else "JPEG"), PNG)


def test_a_photograph_is_kept_and_nothing_typed_is_lost_when_the_count_is_not_right(delivered) -> None:
    hospital, shipment = delivered
    sent = counted(shipment, accepted="90", refused="5", refusal_words="Wet.")

    answer = reader(hospital).post(
        reverse("count-shipment", args=[shipment.pk]),
        {**sent, "note": "Two cartons wet.", "received_by": "演练甲", "photo": picture()},
    )

    page = answer.content.decode()
    assert set(answer.context["forms"][0].errors) == {"refusal"}
    assert all(word in page for word in ("Wet.", "Two cartons wet.", "演练甲", "Kept already"))
    assert Attachment.objects.about(shipment).get().kind == "photo"
    assert not ReceiptLine.objects.exists()


def test_a_signature_is_read_by_the_hospital_and_a_photograph_by_the_sender_too(delivered) -> None:
    hospital, shipment = delivered
    donor = make_member("donor", shipment.consignor)
    reader(hospital).post(
        reverse("count-shipment", args=[shipment.pk]),
        {**counted(shipment, accepted="100"), "photo": picture(), "signature": picture(signed=True)},
    )
    kinds = {file.kind: file for file in Attachment.objects.about(shipment)}

    assert set(kinds) == {"photo", "signature"}
    for file in kinds.values():
        assert may_read_proof(hospital, file)
        assert may_read_proof(donor, file) == (file.kind == "photo")
        assert not may_read_proof(make_user(), file)


def test_what_is_no_picture_is_said_beside_its_field(delivered) -> None:
    hospital, shipment = delivered

    answer = reader(hospital).post(
        reverse("count-shipment", args=[shipment.pk]),
        {**counted(shipment, accepted="100"), "photo": SimpleUploadedFile("a.png", b"no picture", PNG)},
    )

    assert set(answer.context["note"].errors) == {"photo"}
    assert not ReceiptLine.objects.exists()


def test_a_count_is_corrected_on_a_page_that_is_filled_in_as_it_was(delivered) -> None:
    hospital, shipment = delivered
    client, address = reader(hospital), reverse("correct-count", args=[shipment.pk])
    client.post(reverse("count-shipment", args=[shipment.pk]), counted(shipment, accepted="90", damaged="4"))

    shown = client.get(address).context["forms"][0]
    assert (shown["accepted"].value(), shown["damaged"].value()) == ("90", "4")
    unsaid = client.post(address, counted(shipment, accepted="96", damaged="4"))
    assert set(unsaid.context["note"].errors) == {"because"}
    client.post(address, {**counted(shipment, accepted="96", damaged="4"), "because": "Three lay aside."})

    assert ReceiptLine.objects.standing().get().accepted == 192


def test_the_sender_answers_and_the_hospital_settles_on_one_page(delivered) -> None:
    hospital, shipment = delivered
    donor = make_member("donor", shipment.consignor)
    address = reverse("tickets", args=[shipment.pk])
    assert reader(donor).get(address).status_code == 404
    reader(hospital).post(reverse("count-shipment", args=[shipment.pk]), counted(shipment, accepted="90"))
    ticket = shipment.tickets.get()
    said = {"ticket": str(ticket.pk), "do": "answer", "proposed": "replaced", "answer": "Ten more follow."}
    ended = {"ticket": str(ticket.pk), "do": "settle", "outcome": "replaced"}

    assert reader(hospital).post(address, said).status_code == 403
    assert reader(donor).post(address, ended).status_code == 403
    reader(donor).post(address, said)
    assert "Ten more follow." in reader(hospital).get(address).content.decode()
    reader(hospital).post(address, ended)

    ticket.refresh_from_db()
    assert (ticket.status, ticket.answered_by, ticket.settled_by) == ("settled", donor, hospital)


def test_how_it_ended_is_chosen_and_the_hospital_need_not_say_it_before_the_sender_has_answered(
    delivered,
) -> None:
    hospital, shipment = delivered
    address = reverse("tickets", args=[shipment.pk])
    reader(hospital).post(reverse("count-shipment", args=[shipment.pk]), counted(shipment, accepted="90"))
    ticket = shipment.tickets.get()

    page = reader(hospital).get(address).content.decode()
    answer = reader(hospital).post(address, {"ticket": str(ticket.pk), "do": "settle", "outcome": ""})

    assert "You need do nothing until then." in page
    assert '<option value="" selected>' in page
    assert "<details open>" in answer.content.decode()
    ticket.refresh_from_db()
    assert ticket.status == "open"


def test_the_count_says_in_what_it_is_counted(delivered) -> None:
    hospital, shipment = delivered

    page = reader(hospital).get(reverse("count-shipment", args=[shipment.pk])).content.decode()

    assert "All on this line is counted in: pair" in page


def test_a_coordinator_sends_it_on_and_nobody_else() -> None:
    shipment, other = make_shipment(status="in_transit"), make_need(quantity=5000)
    volunteer = make_member("volunteer")
    address = reverse("reroute", args=[shipment.pk])
    to = str(other.appeal.facility_id)

    assert reader(make_member("donor", shipment.consignor)).get(address).status_code == 403
    assert other.appeal.facility.name in reader(volunteer).get(address).content.decode()
    unsaid = reader(volunteer).post(address, {"to": to, "reason": ""})
    assert set(unsaid.context["form"].errors) == {"reason"}
    reader(volunteer).post(address, {"to": to, "reason": "The first is full."})

    shipment.refresh_from_db()
    assert str(shipment.consignee_id) == to


def test_a_paused_hospital_is_shown_on_the_shipments_page(delivered) -> None:
    _hospital, shipment = delivered
    donor = make_member("donor", shipment.consignor)
    people.pause(shipment.consignee, reason="full", by=None, at=NOW)

    assert (
        "not accepting goods for now"
        in reader(donor).get(reverse("shipment", args=[shipment.pk])).content.decode()
    )
