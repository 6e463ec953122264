"""Pictures and thanks by the API."""

from io import BytesIO
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from supplies.attachments.models import MOST_BYTES, Attachment
from supplies.attachments.services import unsealed
from supplies.receipts import services as receiving
from supplies.receipts import thanking
from supplies.shipments.models import Shipment
from tests.api_client import V1, Speaker, today  # noqa: F401
from tests.makers import NOW, make_member, make_shipment, make_user

pytestmark = pytest.mark.django_db


def picture(form: str = "JPEG", name: str = "goods.jpg") -> SimpleUploadedFile:
    """As a telephone writes it: with where it was taken, and by whom."""
    image, exif, made = Image.new("RGB", (16, 16), "red"), Image.Exif(), BytesIO()
    exif[0x013B] = "ZHANG SAN"  # the artist
    image.save(made, form, exif=exif)
    assert b"ZHANG SAN" in made.getvalue()
    return SimpleUploadedFile(name, made.getvalue())


def hospital_of(shipment: Shipment) -> Speaker:
    return Speaker(make_member("hospital", shipment.consignee.organisation))


def test_a_picture_is_kept_by_its_content_and_says_nothing_of_who_took_it() -> None:
    shipment = make_shipment(status="delivered")

    answer = hospital_of(shipment).post(f"shipments/{shipment.pk}/proofs/", {"file": picture(name="x.png")})

    assert answer.status_code == 201, answer.content
    kept = Attachment.objects.about(shipment).get()
    assert answer.json() == {
        "id": str(kept.pk),
        "kind": "photo",
        "media_type": "image/jpeg",
        "size": kept.size,
        "at": answer.json()["at"],
    }
    assert b"ZHANG SAN" not in b"".join(unsealed(kept))


def test_its_carrier_hands_in_a_picture_and_the_same_one_is_kept_once() -> None:
    shipment = make_shipment(status="in_transit")
    carrier = Speaker(make_member("carrier", shipment.carrier))

    for _time in range(2):
        assert carrier.post(f"shipments/{shipment.pk}/proofs/", {"file": picture()}).status_code == 201

    assert len(carrier.get(f"shipments/{shipment.pk}/proofs/").json()) == 1


@pytest.mark.parametrize(
    "content",
    [b"", b"MZ" + bytes(2_000), b"\xff\xd8\xff\xe0" + bytes(50), bytes(MOST_BYTES + 1)],
    ids=["empty", "a program that is called a picture", "cut off", "a byte too many"],
)
def test_what_is_no_picture_is_refused_by_its_field(content: bytes) -> None:
    shipment = make_shipment(status="delivered")
    file = SimpleUploadedFile("goods.jpg", content, "image/jpeg")

    answer = hospital_of(shipment).post(f"shipments/{shipment.pk}/proofs/", {"file": file})

    assert answer.status_code == 400, answer.content
    assert list(answer.json()["fields"]) == ["file"]
    assert not Attachment.objects.exists()


def test_fifty_megabytes_are_refused_unread_by_their_field_and_with_the_limit() -> None:
    shipment = make_shipment(status="delivered")

    answer = hospital_of(shipment).client.post(
        f"{V1}shipments/{shipment.pk}/proofs/",
        b"",
        content_type="multipart/form-data; boundary=x",
        headers={"content-length": "50000000", "accept-language": "en"},
    )

    assert (answer.status_code, answer.json()["code"]) == (413, "too-large")
    assert "5 MB at most" in answer.json()["fields"]["file"][0]


@pytest.mark.parametrize("body", [{}, {"file": "a text"}])
def test_a_form_without_a_file_is_refused_by_its_field(body: dict[str, Any]) -> None:
    shipment = make_shipment(status="delivered")

    answer = hospital_of(shipment).client.post(
        f"{V1}shipments/{shipment.pk}/proofs/", body, format="multipart"
    )

    assert (answer.status_code, list(answer.json()["fields"])) == (400, ["file"])


def test_a_signature_is_listed_for_the_hospital_and_not_for_the_donor() -> None:
    shipment = make_shipment(status="delivered")
    hospital, donor = hospital_of(shipment), Speaker(make_member("donor", shipment.consignor))
    path = f"shipments/{shipment.pk}/proofs/"

    hospital.post(path, {"file": picture(), "kind": "signature"})

    assert [row["kind"] for row in hospital.get(path).json()] == ["signature"]
    assert donor.get(path).json() == []
    assert donor.post(path, {"file": picture()}).status_code == 403
    assert Speaker(make_user()).post(path, {"file": picture()}).status_code == 404


def counted() -> Shipment:
    shipment = make_shipment(status="delivered")
    receiving.receive(shipment, counts=[{"line": shipment.lines.get(), "accepted": 100}], by=None, at=NOW)
    return shipment


def test_a_hospital_says_thanks_and_whoever_sees_the_shipment_reads_them_without_numbers() -> None:
    shipment = counted()
    path = f"shipments/{shipment.pk}/thanks/"
    donor = Speaker(make_member("donor", shipment.consignor))
    assert donor.get(path).status_code == 404

    answer = hospital_of(shipment).post(path, {"words": "谢谢，电话 13800000000"})

    assert answer.status_code == 200
    told = donor.get(path).json()
    assert told["words"].startswith("谢谢")
    assert "13800000000" not in told["words"]
    assert Speaker().get(f"track/{shipment.code}/").json()["thanks"] == told["words"]


def test_thanks_are_said_by_the_hospital_after_the_count_and_not_read_once_withheld(volunteer: Any) -> None:
    early, shipment = make_shipment(status="delivered"), counted()
    path = f"shipments/{shipment.pk}/thanks/"

    assert (
        hospital_of(early).post(f"shipments/{early.pk}/thanks/", {"words": "谢谢"}).json()["code"]
        == "not-counted"
    )
    assert Speaker(make_member("donor", shipment.consignor)).post(path, {"words": "谢谢"}).status_code == 403
    assert list(hospital_of(shipment).post(path, {"words": ""}).json()["fields"]) == ["words"]
    hospital_of(shipment).post(path, {"words": "谢谢"})
    thanking.withhold(shipment.thanks, because="names somebody", by=volunteer, at=NOW)

    assert hospital_of(shipment).get(path).status_code == 404
    assert hospital_of(shipment).post(path, {"words": "再谢"}).json()["code"] == "move-refused"
