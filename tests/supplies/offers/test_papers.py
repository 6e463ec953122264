"""Certificates and photographs of goods: sent with the offer, looked at first, read by few."""

from contextlib import nullcontext
from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from matching.models import FamilyRun, MatchingRun, Proposal
from supplies.attachments.models import Attachment, Kind
from supplies.offers import services
from supplies.offers.models import Donation
from tests.desk import at_the_desk, page_of
from tests.makers import NOW, make_facility, make_member, make_need, make_offer, make_user
from tests.page_client import reader
from tests.supplies.attachments.hostile import pdf, picture
from tests.supplies.offers.test_views import post, sent

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("private_root")]
MEGABYTE = 1_000_000


def file(content: bytes, name: str = "box.jpg") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content, content_type="image/jpeg")


def test_papers_are_kept_with_the_offer() -> None:
    post(sent(quality=file(pdf(), "c.pdf"), box=file(picture())))

    kept = Attachment.objects.about(Donation.objects.get())
    assert {(one.kind, one.media_type) for one in kept} == {
        ("quality", "application/pdf"),
        ("box", "image/jpeg"),
    }


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"MZ" + b"\x00" * 4000, "none of the types taken here"),
        (b"", "This file is empty"),
        (b"\xff\xd8\xff\xe0" + b"x" * 50 * MEGABYTE, "5 MB at most"),
    ],
    ids=["a renamed program", "nothing", "a photograph of 50 MB"],
)
def test_a_file_that_is_refused_says_why_and_leaves_what_was_typed(content: bytes, said: str) -> None:
    answer = post(sent(remark="Ring twice.", box=file(content)))

    page = answer.content.decode()
    assert answer.status_code == 200
    assert said in page
    assert "Ring twice." in page
    assert 'value="500"' in page
    assert "Choose the files once more" in page
    assert not Donation.objects.exists()


def test_a_body_larger_than_any_form_is_refused_unread() -> None:
    answer = post(sent(box=file(b"\xff" * 65 * MEGABYTE)))

    assert answer.status_code == 413


def test_a_faulty_line_and_a_faulty_file_are_told_at_once() -> None:
    answer = post(sent({"amount": "many"}, box=file(b"MZ")))

    page = answer.content.decode()
    assert "is not a number" in page
    assert "none of the types taken here" in page


def with_papers() -> tuple[Any, dict[str, Attachment]]:
    offer = make_offer(make_member("donor").memberships.get().organisation)
    by = offer.donation.organisation.memberships.get().user
    kept = {
        kind: services.keep_paper(
            offer.donation, BytesIO(), size=len(content), kind=kind, by=by, at=NOW, look=seen(content)
        )
        for kind, content in ((Kind.QUALITY, b"certificate"), (Kind.REPORT, b"report"))
    }
    return offer, kept


def seen(content: bytes) -> Any:
    return lambda _file, _size: nullcontext(("application/pdf", BytesIO(content)))


def read(user: Any, attachment: Attachment) -> int:
    return int(reader(user).post(reverse("attachment", args=[attachment.pk])).status_code)


def test_the_donor_and_volunteers_read_them_and_a_stranger_does_not() -> None:
    offer, kept = with_papers()
    donor = offer.donation.organisation.memberships.get().user

    assert [read(donor, one) for one in kept.values()] == [200, 200]
    assert [read(make_member("volunteer"), one) for one in kept.values()] == [200, 200]
    assert [read(make_user(), one) for one in kept.values()] == [404, 404]


def test_the_hospital_reads_the_certificate_only_once_it_is_asked_to_take_the_goods() -> None:
    offer, kept = with_papers()
    facility = make_facility()
    hospital = make_member("hospital", facility.organisation)
    need = make_need(facility, ask_first=True)
    before = read(hospital, kept["quality"])

    at = timezone.now()
    run = MatchingRun.objects.create(
        emergency=need.appeal.emergency, trigger="hand", as_of=at, created_at=at, status="done"
    )
    Proposal.objects.create(
        family_run=FamilyRun.objects.create(run=run, emergency=run.emergency, family="masks", status="done"),
        need=need,
        offer=offer,
        quantity=100,
        status="approved",
        km=12,
        days=2,
        created_at=at,
        expires_at=at + timedelta(hours=48),
        approved_by=make_member("volunteer"),
        approved_at=at,
    )
    asked = reader(hospital).get(reverse("answers")).content.decode()

    assert before == 404
    assert read(hospital, kept["quality"]) == 200
    assert read(hospital, kept["report"]) == 404
    assert kept["quality"].get_kind_display() in asked
    assert kept["report"].get_kind_display() not in asked


# -- one more, when the goods are offered already --


def test_a_donor_adds_a_file_later_and_a_volunteer_finds_it_beside_the_offer() -> None:
    offer, _kept = with_papers()
    donation = offer.donation
    donor = reader(donation.organisation.memberships.get().user)
    address = reverse("donation-papers", args=[donation.pk])

    answer = donor.post(address, {"kind": "box", "file": file(picture())})

    added = Attachment.objects.about(donation).get(kind="box")
    assert (answer.status_code, answer.url, added.media_type) == (302, address, "image/jpeg")
    assert reverse("attachment", args=[added.pk]) in donor.get(address).content.decode()
    assert address in donor.get(reverse("my-gift", args=[donation.pk])).content.decode()
    desk = at_the_desk(make_member("volunteer")).get(page_of(donation)).content.decode()
    assert reverse("attachment", args=[added.pk]) in desk


def test_a_file_added_later_that_is_none_is_refused_beside_its_field() -> None:
    offer, kept = with_papers()
    donor = reader(offer.donation.organisation.memberships.get().user)
    address = reverse("donation-papers", args=[offer.donation_id])

    page = donor.post(address, {"kind": "box", "file": file(b"MZ" + b"\x00" * 4000)})

    assert "none of the types taken here" in str(page.context["form"].errors["file"])
    assert Attachment.objects.about(offer.donation).count() == len(kept)


def test_an_offer_that_was_withdrawn_takes_no_file_and_says_so() -> None:
    offer, kept = with_papers()
    person = offer.donation.organisation.memberships.get().user
    services.withdraw(offer.donation, by=person, at=NOW)

    page = reader(person).post(
        reverse("donation-papers", args=[offer.donation_id]), {"kind": "box", "file": file(picture())}
    )

    assert "This offer is over" in page.content.decode()
    assert Attachment.objects.about(offer.donation).count() == len(kept)


def test_only_who_may_change_an_offer_adds_files_to_it() -> None:
    offer, _kept = with_papers()
    address = reverse("donation-papers", args=[offer.donation_id])

    assert reader(make_member("hospital")).get(address).status_code == 404
    assert reader(make_member("volunteer")).get(address).status_code == 200
