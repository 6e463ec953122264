"""Papers and certificates as people and programs get them."""

from typing import Any

import pypdfium2 as pdfium
import pytest
from django.test import Client
from django.urls import reverse

from supplies.offers.models import Donation
from supplies.organisations.models import Organisation
from supplies.papers import admin as desk_of_papers
from supplies.papers import filling, services
from supplies.papers.printing import PAPERS, shipment_of
from supplies.receipts import services as receiving
from supplies.shipments import care, packing
from supplies.shipments.models import Shipment
from tests.api_client import Speaker
from tests.desk import at_the_desk, choose, page_of, told
from tests.makers import (
    NOW,
    make_allocation,
    make_member,
    make_shipment,
    make_user,
)
from tests.sign_in import sign_in

pytestmark = pytest.mark.django_db


def reader(user: Any = None) -> Client:
    client = Client(headers={"accept-language": "en"})
    if user is not None:
        sign_in(client, user)
    return client


def said(content: bytes) -> str:
    text = "".join(page.get_textpage().get_text_bounded() for page in pdfium.PdfDocument(content))
    return "".join(text.split())


def accepted(shipment: Shipment) -> Donation:
    line = shipment.lines.get()
    receiving.receive(
        shipment, counts=[{"line": line, "accepted": line.allocation.quantity}], by=None, at=NOW
    )
    return line.allocation.offer.donation


@pytest.fixture
def shipment() -> Shipment:
    return make_shipment(make_allocation(quantity=100), status="delivered")


@pytest.fixture
def donor(shipment: Shipment) -> Any:
    return make_member("donor", organisation=shipment.consignor)


@pytest.mark.parametrize("paper", sorted(PAPERS))
def test_each_paper_is_printed_for_the_donor_and_her_program(
    paper: str, shipment: Shipment, donor: Any
) -> None:
    accepted(shipment)

    page = reader(donor).get(reverse("shipment-paper", args=[shipment.pk, paper]))
    program = Speaker(donor).get(f"shipments/{shipment.pk}/papers/{paper}/")

    for answer in (page, program):
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/pdf")
        assert "no-store" in answer.headers["Cache-Control"]
        assert said(answer.content)


def test_a_receipt_of_what_was_not_counted_is_not_there(shipment: Shipment, donor: Any) -> None:
    assert reader(donor).get(reverse("shipment-paper", args=[shipment.pk, "receipt"])).status_code == 404
    assert Speaker(donor).get(f"shipments/{shipment.pk}/papers/receipt/").status_code == 404
    assert Speaker(donor).get(f"shipments/{shipment.pk}/papers/poem/").status_code == 404


def test_the_count_on_the_receipt_says_what_was_not_good(shipment: Shipment, donor: Any) -> None:
    line = shipment.lines.get()
    receiving.receive(shipment, counts=[{"line": line, "accepted": 90, "damaged": 4}], by=None, at=NOW)

    answer = reader(donor).get(reverse("shipment-paper", args=[shipment.pk, "receipt"]))

    assert "damaged:4" in said(answer.content)
    assert "missing:6" in said(answer.content)


def test_parcels_and_what_they_need_stand_on_the_label(donor: Any) -> None:
    shipment = make_shipment(make_allocation(quantity=100))
    line = shipment.lines.get()
    packing.pack(
        shipment,
        units=[
            {"kind": "carton", "gross_weight_g": 8500, "contents": [{"line": line, "quantity": quantity}]}
            for quantity in (60, 40)
        ],
        by=None,
        at=NOW,
    )
    care.declare(shipment, lines=[], min_temp_c=2, max_temp_c=8, by=None, at=NOW)

    told = filling.consignment(shipment_of(make_user(is_superuser=True), shipment.pk))

    assert [parcel.weight for parcel in told.parcels] == ["8.5 kg"] * 2
    assert [one.amount.split()[0] for parcel in told.parcels for one in parcel.goods] == ["60", "40"]
    assert (told.warnings, told.weight) == (("2–8 °C",), "17 kg")


@pytest.mark.parametrize("parcels", [1, 10])
def test_a_paper_takes_as_many_queries_for_many_parcels_as_for_one(
    parcels: int, django_assert_num_queries: Any
) -> None:
    admin, shipment = make_user(is_superuser=True), make_shipment(make_allocation(quantity=100))
    line = shipment.lines.get()
    packing.pack(
        shipment,
        units=[{"kind": "carton", "contents": [{"line": line, "quantity": 10}]} for _unit in range(parcels)],
        by=None,
        at=NOW,
    )

    with django_assert_num_queries(5):
        filling.consignment(shipment_of(admin, shipment.pk))


def test_a_certificate_is_issued_shown_and_printed(shipment: Shipment, donor: Any) -> None:
    gift = accepted(shipment)
    client = reader(donor)

    page = client.post(reverse("certify-donation", args=[gift.pk]), follow=True)
    code = gift.certificates.get().code
    file = reader().get(reverse("certificate-file", args=[code]))

    assert "Genuine" in page.content.decode()
    assert file.headers["Content-Type"] == "application/pdf"
    assert code in said(file.content)


def test_before_anything_is_counted_the_donor_is_told_to_come_back(shipment: Shipment, donor: Any) -> None:
    gift = shipment.lines.get().allocation.offer.donation

    page = reader(donor).post(reverse("certify-donation", args=[gift.pk]), follow=True)
    program = Speaker(donor).post(f"donations/{gift.pk}/certificate/")

    assert "Come back when it has" in page.content.decode()
    assert (program.status_code, program.json()["code"]) == (409, "nothing-accepted")


def test_anybody_with_the_code_can_check_a_certificate(shipment: Shipment) -> None:
    code = services.certify(accepted(shipment), by=None, at=NOW).code
    spaced = " ".join(code[place : place + 4] for place in range(0, 26, 4)).upper()

    found = reader().get(reverse("find-certificate"), {"code": spaced})
    page = reader().get(found.url)
    program = Speaker(None).get(f"certificates/{code}/")

    assert "Genuine" in page.content.decode()
    assert page.headers["X-Robots-Tag"] == "noindex, nofollow"
    assert (program.json()["standing"], program.json()["lines"][0]["accepted"]) == ("genuine", 100)


def test_the_box_for_all_codes_leads_to_a_certificate_too_and_every_page_to_the_place_to_check_one(
    shipment: Shipment,
) -> None:
    code = services.certify(accepted(shipment), by=None, at=NOW).code

    found = reader().get(reverse("find-code"), {"code": code.upper()}, follow=True)

    assert found.redirect_chain[-1][0] == reverse("certificate", args=[code])
    page = found.content.decode()
    assert f'href="{reverse("find-certificate")}"' in page
    assert "23 November 2026" in page
    assert NOW.date().isoformat() not in page


@pytest.mark.parametrize("code", ["2" * 26, "nothing", "%E4%BD%A0", "a" * 300])
def test_a_code_that_is_nobodys_is_answered_in_words(code: str) -> None:
    box = reader().get(reverse("find-certificate"), {"code": code}, follow=True)

    assert "No certificate has this code" in box.content.decode()
    assert Speaker(None).get(f"certificates/{code[:26]}/").status_code == 404


def test_one_that_was_called_back_says_so_and_is_not_printed(shipment: Shipment) -> None:
    certificate = services.certify(accepted(shipment), by=None, at=NOW)
    services.call_back(certificate, note="a secret reason", by=make_user(), at=NOW)

    page = reader().get(reverse("certificate", args=[certificate.code])).content.decode()

    assert "Called back" in page
    assert "a secret reason" not in page
    assert reader().get(reverse("certificate-file", args=[certificate.code])).status_code == 404


def test_a_number_in_a_name_is_not_printed(shipment: Shipment) -> None:
    Organisation.objects.filter(pk=shipment.consignor_id).update(name="演练捐方 13800001234")
    certificate = services.certify(accepted(shipment), by=None, at=NOW)

    assert "13800001234" not in said(
        reader().get(reverse("certificate-file", args=[certificate.code])).content
    )


# -- at the desk -------------------------------------------------------------------------------------------


def test_the_page_of_a_shipment_at_the_desk_leads_to_its_papers() -> None:
    shipment = make_shipment(status="delivered")
    desk = at_the_desk(make_member("volunteer"))

    def papers() -> list[str]:
        return [
            name for name in PAPERS if f"/papers/{name}.pdf" in desk.get(page_of(shipment)).content.decode()
        ]

    before = papers()
    accepted(shipment)

    assert before == ["labels", "packing-list", "waybill"]
    assert papers() == list(PAPERS)
    for name in PAPERS:
        assert desk.get(reverse("shipment-paper", args=[shipment.pk, name])).content.startswith(b"%PDF")


def test_the_labels_of_several_shipments_are_printed_as_one_file() -> None:
    shipments = [make_shipment(), make_shipment()]

    answer = choose(at_the_desk(make_member("volunteer")), "labels", *shipments)

    assert answer["Content-Type"] == "application/pdf"
    assert len(pdfium.PdfDocument(answer.content)) == 2
    for shipment in shipments:
        assert shipment.code[:4] in said(answer.content)


def test_too_many_labels_at_once_are_refused_with_how_many_may_be(monkeypatch: Any) -> None:
    monkeypatch.setattr(desk_of_papers, "MOST_AT_ONCE", 1)

    answer = choose(at_the_desk(make_member("volunteer")), "labels", make_shipment(), make_shipment())

    assert told(answer) == ["Choose at most 1 at once."]
