from datetime import date
from typing import Any
from uuid import uuid4

import pytest

from supplies.offers.models import Donation, Offer
from tests.api_client import Speaker, speaker, today  # noqa: F401
from tests.makers import (
    make_allocation,
    make_category,
    make_donation,
    make_emergency,
    make_facility,
    make_item,
    make_mode,
    make_offer,
    make_organisation,
    make_region,
    make_standard,
)

pytestmark = pytest.mark.django_db
EVERYBODY = {
    "nobody": 401,
    "a stranger": 404,
    "a hospital": 404,
    "the donor": 200,
    "another donor": 404,
    "a carrier": 404,
    "a volunteer": 200,
    "a coordinator": 200,
    "an auditor": 403,
    "the administrator": 200,
}


def body(donor: Any, **line: Any) -> dict[str, Any]:
    make_mode()
    return {
        "organisation": str(donor.pk),
        "emergency": make_emergency().pk,
        "region": donor.region_id,
        "lines": [{"item": make_item().pk, "quantity": 500, **line}],
    }


def test_a_donation_is_posted_with_its_lots_and_waits_for_a_volunteer() -> None:
    donor = make_organisation("donor")
    lot = {
        "pack": 50,
        "standard": make_standard().pk,
        "lot_number": "L1",
        "expires_on": "2028-01-01",
        "mode": "road",
    }

    answer = speaker("the donor", donor=donor).post("donations/", body(donor, **lot))

    assert answer.status_code == 201, answer.json()
    donation = answer.json()
    assert (donation["status"], donation["code"]) == ("waiting", Donation.objects.get().code)
    (offer,) = donation["offers"]
    assert (offer["quantity"], offer["pack"], offer["standard"]) == (500, 50, make_standard().pk)
    assert offer["gauges"] == {"offered": 500, "proposed": 0, "promised": 0, "left": 500}
    assert offer["giver"]["lot_number"] == "L1"


@pytest.mark.parametrize(
    ("who", "status"),
    [
        ("nobody", 401),
        ("a stranger", 400),
        ("a hospital", 400),
        ("the donor", 201),
        ("another donor", 400),
        ("a carrier", 400),
        ("a volunteer", 201),
        ("a coordinator", 201),
        ("an auditor", 403),
        ("the administrator", 201),
    ],
)
def test_goods_are_offered_by_the_donor_or_a_volunteer(who: str, status: int) -> None:
    donor = make_organisation("donor")

    answer = speaker(who, donor=donor).post("donations/", body(donor))

    assert answer.status_code == status, answer.json()
    assert Donation.objects.count() == (status == 201)
    if status == 400:  # who donates is not public: a donor out of sight is one that does not exist
        assert list(answer.json()["fields"]) == ["organisation"]


def test_nobody_but_the_donor_agrees_to_matches_in_advance() -> None:
    donor = make_organisation("donor")
    posting = {**body(donor), "allocates_for_me": True}

    assert speaker("a volunteer").post("donations/", posting).status_code == 403
    assert speaker("the donor", donor=donor).post("donations/", posting).status_code == 201


@pytest.mark.parametrize(
    ("fields", "line", "place"),
    [
        ({}, {"quantity": 0}, "lines.0.quantity"),
        ({}, {"pack": 501}, "lines.0.pack"),
        ({}, {"min_lot": 501}, "lines.0.min_lot"),
        ({}, {"expires_on": "2026-11-23"}, "lines.0.expires_on"),
        ({}, {"available_until": "2026-11-01"}, "lines.0.available_until"),
        ({}, {"mode": "teleport"}, "lines.0.mode"),
        ({}, {"standard": "NO-SUCH"}, "lines.0.standard"),
        ({}, {"max_km": 2**70}, "lines.0.max_km"),
        ({}, {"lot_number": "x" * 41}, "lines.0.lot_number"),
        ({"region": "nowhere"}, {}, "region"),
        ({"sender_kind": "alien"}, {}, "sender_kind"),
        ({"lines": []}, {}, "lines"),
        ({"lines": "none"}, {}, "lines"),
        ({"source_url": "javascript:alert(1)"}, {}, "source_url"),
    ],
)
def test_a_bad_donation_is_refused_by_name(fields: dict[str, Any], line: dict[str, Any], place: str) -> None:
    donor = make_organisation("donor")

    answer = speaker("the donor", donor=donor).post("donations/", {**body(donor, **line), **fields})

    assert answer.status_code == 400, answer.json()
    assert list(answer.json()["fields"]) == [place]
    assert not Donation.objects.exists()


@pytest.mark.parametrize("who", EVERYBODY)
@pytest.mark.parametrize("what", ["donation", "offer"])
def test_only_the_donor_and_volunteers_withdraw(what: str, who: str) -> None:
    donor = make_organisation("donor")
    offer = make_offer(donor)
    path = f"donations/{offer.donation_id}" if what == "donation" else f"offers/{offer.pk}"

    answer = speaker(who, donor=donor).post(f"{path}/withdraw/")

    # An open offer is public, so those who may not touch it are told so; a donation is not.
    expected = 403 if what == "offer" and EVERYBODY[who] == 404 else EVERYBODY[who]
    assert answer.status_code == expected, answer.json()
    offer.refresh_from_db()
    assert (offer.status == "withdrawn") == (expected == 200)


@pytest.mark.parametrize("who", EVERYBODY)
def test_who_gives_is_told_to_the_donor_and_those_who_watch_only(who: str) -> None:
    donor = make_organisation("donor", name="捐赠者甲")
    offer = make_offer(donor, lot_number="LOT-7")

    answer = speaker(who, donor=donor).get(f"offers/{offer.pk}/")

    told = who in ("the donor", "a volunteer", "a coordinator", "an auditor", "the administrator")
    assert (answer.json()["giver"] is not None) == told
    assert ("捐赠者甲" in answer.content.decode()) == told
    assert ("LOT-7" in answer.content.decode()) == told


def test_a_filter_does_not_tell_who_gives() -> None:
    donor = make_organisation("donor")
    make_offer(donor)

    public = Speaker().get("offers/", organisation=str(donor.pk))
    missing = Speaker().get("offers/", organisation=str(uuid4()))
    theirs = speaker("the donor", donor=donor).get("offers/", organisation=str(donor.pk))

    assert (public.status_code, public.json()) == (missing.status_code, missing.json())
    assert public.status_code == 400
    assert len(theirs.json()["results"]) == 1


def test_offers_are_narrowed_by_every_filter() -> None:
    gloves = make_item("GLOVE", category=make_category("gloves"), name_zh="手套", name_en="Glove")
    here = make_organisation("donor", region=make_region("420106"))
    mine = make_offer(here, item=gloves, expires_on=date(2028, 1, 1))
    make_offer(
        make_organisation("donor", region=make_region("440103", "荔湾区")), emergency=make_emergency("flood")
    )

    for query in (
        {"region": "420000"},
        {"category": "gloves"},
        {"item": "GLOVE"},
        {"emergency": "flu-2026"},
        {"q": "手套"},
        {"q": "glo"},
        {"expires_after": "2028-01-01"},
        {"expires_before": "2028-01-01"},
    ):
        found = Speaker().get("offers/", **query).json()["results"]
        assert [row["id"] for row in found] == [str(mine.pk)], query
    assert len(Speaker().get("offers/", status="open").json()["results"]) == Offer.objects.count()


def test_goods_for_one_facility_are_marked_without_saying_which() -> None:
    facility = make_facility(name="演练定向医院")
    offer = make_offer(directed_facility=facility)

    answer = Speaker().get(f"offers/{offer.pk}/")

    assert answer.json()["is_directed"] is True
    assert "演练定向医院" not in answer.content.decode()


def test_a_donor_sees_own_donations_only() -> None:
    donor = make_organisation("donor")
    own = make_donation(donor)
    make_donation()

    found = speaker("the donor", donor=donor).get("donations/").json()["results"]

    assert [row["id"] for row in found] == [str(own.pk)]


@pytest.mark.parametrize("who", [*EVERYBODY])
def test_only_the_donor_and_volunteers_change_an_offer(who: str) -> None:
    donor = make_organisation("donor")
    offer = make_offer(donor, quantity=1000)

    answer = speaker(who, donor=donor).patch(f"offers/{offer.pk}/", {"quantity": 900})

    # An open offer is public, so that whoever may not change it is told so.
    expected = 403 if EVERYBODY[who] == 404 else EVERYBODY[who]
    assert answer.status_code == expected, answer.json()
    offer.refresh_from_db()
    assert (offer.quantity == 900) == (expected == 200)


@pytest.mark.parametrize(
    ("change", "status", "told"),
    [
        ({"quantity": 99}, 409, "below-what-is-promised"),
        ({"quantity": "500"}, 400, "quantity"),
        ({"quantity": None}, 400, "quantity"),
        ({"min_lot": 1001}, 400, "min_lot"),
        ({"available_until": "2026-11-01"}, 400, "available_until"),
        ({"max_km": 0}, 400, "max_km"),
        ({"mode": "teleport"}, 400, "mode"),
        ({"expires_on": "2030-01-01"}, 400, "expires_on"),
        ({"quantity_allocated": 0}, 400, "quantity_allocated"),
        ({"status": "open"}, 400, "status"),
    ],
)
def test_a_bad_change_of_an_offer_is_refused_by_name(change: dict[str, Any], status: int, told: str) -> None:
    donor = make_organisation("donor")
    offer = make_offer(donor, quantity=1000)
    make_allocation(100, offer=offer)

    answer = speaker("the donor", donor=donor).patch(f"offers/{offer.pk}/", change)

    assert answer.status_code == status, answer.json()
    assert told == answer.json()["code"] or list(answer.json()["fields"]) == [told]
    offer.refresh_from_db()
    assert (offer.quantity, offer.min_lot, offer.max_km) == (1000, 1, None)


def test_a_changed_offer_answers_its_new_gauges() -> None:
    donor = make_organisation("donor")
    offer = make_offer(donor, quantity=1000)
    make_allocation(100, offer=offer)

    answer = speaker("the donor", donor=donor).patch(f"offers/{offer.pk}/", {"quantity": 400, "max_km": None})

    assert answer.json()["gauges"] == {"offered": 400, "proposed": 0, "promised": 100, "left": 300}
