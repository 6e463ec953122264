from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from matching.models import FamilyRun, MatchingRun, Proposal
from supplies.needs.models import Need
from supplies.offers.models import Offer
from supplies.organisations.models import Organisation
from tests.makers import make_facility, make_member, make_need, make_offer, make_user
from tests.page_client import reader

pytestmark = pytest.mark.django_db


@pytest.fixture
def cast() -> dict[str, Any]:
    """A proposal of 100, approved by a volunteer, that asks donor and hospital."""
    hospital, donor, volunteer = make_member("hospital"), make_member("donor"), make_member("volunteer")
    need = make_need(make_facility(hospital.memberships.get().organisation), ask_first=True)
    offer = make_offer(donor.memberships.get().organisation)
    at = timezone.now()
    run = MatchingRun.objects.create(
        emergency=need.appeal.emergency, trigger="hand", as_of=at, created_at=at, status="done"
    )
    family = FamilyRun.objects.create(run=run, emergency=run.emergency, family="masks", status="done")
    proposal = Proposal.objects.create(
        family_run=family,
        need=need,
        offer=offer,
        quantity=100,
        status="approved",
        km=12,
        days=2,
        created_at=at,
        expires_at=at + timedelta(hours=48),
        approved_by=volunteer,
        approved_at=at,
    )
    Need.objects.filter(pk=need.pk).update(quantity_proposed=100)
    Offer.objects.filter(pk=offer.pk).update(quantity_proposed=100)
    return {"hospital": hospital, "donor": donor, "proposal": proposal}


def test_each_side_is_asked_with_the_reasons_and_only_its_own_question(cast: dict[str, Any]) -> None:
    donor, hospital = (
        reader(cast[side]).get(reverse("answers")).content.decode() for side in ("donor", "hospital")
    )

    assert "Yes, we give it" in donor
    assert "Yes, we take it" not in donor
    assert "Yes, we take it" in hospital
    assert "12 km away" in hospital


def test_two_yeses_make_a_promise(cast: dict[str, Any]) -> None:
    proposal = cast["proposal"]

    reader(cast["donor"]).post(reverse("agree-for-donor", args=[proposal.pk]))
    answer = reader(cast["hospital"]).post(reverse("agree-for-hospital", args=[proposal.pk]), follow=True)

    proposal.refresh_from_db()
    assert proposal.status == "agreed"
    assert proposal.allocation.quantity == 100
    said = answer.content.decode()
    assert "Agreed: Surgical mask 100" in said
    assert f"→ {proposal.need.appeal.facility.name}." in said


def test_a_donor_whose_yes_was_the_last_is_led_to_what_stands_on_the_parcel(cast: dict[str, Any]) -> None:
    proposal = cast["proposal"]
    reader(cast["hospital"]).post(reverse("agree-for-hospital", args=[proposal.pk]))

    page = (
        reader(cast["donor"])
        .post(reverse("agree-for-donor", args=[proposal.pk]), follow=True)
        .content.decode()
    )

    gift = reverse("my-gift", args=[proposal.offer.donation_id])
    assert f'<a href="{gift}">What to write on the parcel →</a>' in page


def test_who_is_asked_reads_whether_the_hospital_is_verified_and_goes_there(cast: dict[str, Any]) -> None:
    house = cast["proposal"].need.appeal.facility.organisation

    def page() -> str:
        return reader(cast["donor"]).get(reverse("answers")).content.decode()

    address = reverse("organisation", args=[house.pk])
    assert f'<a class="mark" href="{address}">✓ verified</a>' in page()
    assert f'<a href="{address}"><strong>' in page()

    Organisation.objects.filter(pk=house.pk).update(status="unverified")
    assert "not verified yet" in page()


def test_only_a_hospital_is_led_to_its_desk(cast: dict[str, Any]) -> None:
    pages = {
        side: reader(cast[side]).get(reverse("answers")).content.decode() for side in ("donor", "hospital")
    }

    assert "My hospital: what is coming" in pages["hospital"]
    assert "My hospital: what is coming" not in pages["donor"]


def test_nobody_says_the_yes_of_the_other_side(cast: dict[str, Any]) -> None:
    pk = cast["proposal"].pk

    assert reader(cast["hospital"]).post(reverse("agree-for-donor", args=[pk])).status_code == 403
    assert reader(cast["donor"]).post(reverse("agree-for-hospital", args=[pk])).status_code == 403
    assert reader(make_user()).post(reverse("agree-for-donor", args=[pk])).status_code == 404


def test_a_no_needs_a_reason(cast: dict[str, Any]) -> None:
    proposal, client = cast["proposal"], reader(cast["donor"])

    client.post(reverse("decline", args=[proposal.pk]), {"reason": "  "})
    proposal.refresh_from_db()
    assert proposal.status == "approved"
    client.post(reverse("decline", args=[proposal.pk]), {"reason": "given away\0 already"})

    proposal.refresh_from_db()
    assert (proposal.status, proposal.ended_because) == ("declined", "given away already")
