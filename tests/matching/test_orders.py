"""What coordinators order: a freeze, goods reserved, preferred or forbidden; who may, and what becomes of it in a run."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils import timezone

from matching import running, services
from matching.models import Proposal
from matching.ordering import end, order
from matching.orders import Order
from supplies.errors import NotEligible, Refused
from supplies.organisations import services as people
from supplies.organisations.models import User
from tests.desk import at_the_desk, choose, page_of
from tests.makers import (
    NOW,
    make_emergency,
    make_facility,
    make_item,
    make_member,
    make_need,
    make_offer,
    make_organisation,
    make_region,
    make_user,
)
from tests.matching.test_services import match

pytestmark = pytest.mark.django_db
REASON = "A second wave is expected there."


def later() -> datetime:
    return timezone.now() + timedelta(days=2)


def give(kind: str, **fields: Any) -> Order:
    known = {"emergency": make_emergency(), "reason": REASON, "until": later(), "by": make_user(), "at": NOW}
    return order(kind, **{**known, **fields})


def coordinator_of(code: str = "420106") -> User:
    person = make_user()
    body = make_organisation("coordinator")
    people.enrol(person, body, "coordinator", regions=[make_region(code)], by=None, at=NOW)
    return person


def test_to_frozen_needs_nothing_new_is_proposed_until_the_order_ends() -> None:
    here = make_need(quantity=100)
    elsewhere = make_need(make_facility(region=make_region("110101", "东城区")), quantity=100)
    make_offer(quantity=200)
    frozen = give("freeze", region=make_region("420000"), item=make_item())

    match()
    assert [row.need for row in Proposal.objects.all()] == [elsewhere]

    end(frozen, by=make_user(), at=timezone.now())
    match()
    assert {row.need for row in Proposal.objects.all()} == {here, elsewhere}


def test_a_freeze_given_while_a_run_computes_holds_for_what_it_would_propose() -> None:
    make_need(quantity=100)
    make_offer(quantity=100)
    run = services.start(make_emergency(), trigger="hand", by=None, at=NOW)
    (family,) = running.open_run(run.pk, at=NOW)

    give("freeze")
    running.solve_family(family.pk)

    assert not Proposal.objects.exists()


def test_what_waits_when_a_freeze_is_given_goes_on_waiting() -> None:
    make_need(quantity=100)
    make_offer(quantity=100)
    match()
    give("freeze")

    match()

    assert [row.status for row in Proposal.objects.all()] == ["open"]


def test_a_reserved_offer_goes_to_its_place_alone() -> None:
    near, far = make_need(quantity=100, urgency=1), make_need(make_facility(), quantity=100, urgency=4)
    offer = make_offer(quantity=100)
    give("reserve", offer=offer, facility=far.appeal.facility)

    match()

    assert [row.need for row in Proposal.objects.all()] == [far]
    with pytest.raises(NotEligible, match="A coordinator ordered otherwise") as refused:
        services.allocate_by_hand(
            near, offer, 50, reason="transport", by=make_member("volunteer"), at=timezone.now()
        )
    assert refused.value.code == "ordered-otherwise"


def test_a_forbidden_offer_goes_elsewhere_and_what_waited_is_approved_no_more() -> None:
    need, offer = make_need(quantity=100, urgency=1), make_offer(quantity=100)
    match()
    waiting = Proposal.objects.get()
    other = make_need(make_facility(), quantity=100, urgency=4)
    give("forbid", offer=offer, facility=need.appeal.facility)

    with pytest.raises(NotEligible, match=REASON):
        services.approve(waiting, by=make_member("volunteer"), at=timezone.now())
    match()

    waiting.refresh_from_db()
    assert waiting.status == "superseded"
    assert Proposal.objects.get(status="open").need == other


def test_what_was_ordered_for_a_hospital_holds_for_the_one_it_was_merged_into() -> None:
    near, far = make_need(quantity=100, urgency=1), make_need(make_facility(), quantity=100, urgency=4)
    offer = make_offer(quantity=100)
    double = make_facility()
    ordered = give("reserve", offer=offer, facility=double)
    double.merged_into = far.appeal.facility
    double.save()

    match()

    assert [row.need for row in Proposal.objects.all()] == [far]
    assert (ordered.covers(near), ordered.covers(far)) == (False, True)
    assert far.appeal.facility.name in ordered.about


def test_a_preferred_place_comes_before_others_of_its_class() -> None:
    near = make_need(quantity=100, urgency=2)
    preferred = make_need(make_facility(region=make_region("110101", "东城区")), quantity=100, urgency=2)
    make_offer(quantity=100)

    match()
    assert {row.need for row in Proposal.objects.all()} == {near, preferred}
    give("prefer", region=make_region("110000"))
    match()

    assert Proposal.objects.get(status="open").need == preferred


def test_by_hand_nothing_is_made_of_what_is_frozen() -> None:
    need, offer = make_need(quantity=100), make_offer(quantity=100)
    give("freeze", region=make_region("420106"))

    with pytest.raises(NotEligible) as refused:
        services.allocate_by_hand(
            need, offer, 50, reason="transport", by=make_member("volunteer"), at=timezone.now()
        )

    assert refused.value.code == "frozen"


def test_an_order_says_why_what_it_is_about_and_until_when() -> None:
    offer = make_offer()
    with pytest.raises(Refused, match="Say why"):
        give("freeze", reason=" ")
    for wrong in (
        {"kind": "reserve", "offer": offer},
        {"kind": "prefer"},
        {"kind": "freeze", "offer": offer},
        {"kind": "forbid", "offer": offer, "facility": make_facility(), "region": make_region()},
        {"kind": "freeze", "until": NOW},
        {"kind": "give away"},
    ):
        with pytest.raises(ValidationError):
            give(**wrong)
    assert not Order.objects.exists()


def test_what_a_donor_gave_for_one_hospital_is_not_reserved_for_another() -> None:
    mine, other = make_facility(), make_facility()
    offer = make_offer(directed_facility=mine)

    with pytest.raises(Refused, match="Ask the donor"):
        give("reserve", offer=offer, facility=other)
    give("reserve", offer=offer, facility=mine)


def test_an_order_ends_once() -> None:
    given = give("freeze")
    end(given, by=make_user(), at=timezone.now())

    with pytest.raises(Refused) as refused:
        end(given, by=make_user(), at=timezone.now())

    assert refused.value.code == "ended-already"


# --- at the desk


def form(**fields: Any) -> dict[str, Any]:
    until = timezone.localtime(later()).strftime("%Y-%m-%dT%H:%M")
    return {"kind": "freeze", "emergency": make_emergency().pk, "reason": REASON, "until": until, **fields}


def test_a_coordinator_orders_in_her_regions_and_not_outside_or_everywhere() -> None:
    make_region("110101", "东城区")
    client, address = at_the_desk(coordinator_of()), reverse("admin:matching_order_give")

    for place in ("110000", ""):
        assert "outside your regions" in client.post(address, form(region=place)).content.decode()
    assert client.post(address, form(region="420106")).status_code == 302

    given = Order.objects.get()
    assert (given.region_id, given.reason) == ("420106", REASON)


def test_she_does_not_reserve_what_lies_elsewhere() -> None:
    offer = make_offer(region=make_region("110101", "东城区"))
    client = at_the_desk(coordinator_of())

    answer = client.post(
        reverse("admin:matching_order_give"), form(kind="reserve", offer=offer.pk, region="420106")
    )

    assert "outside your regions" in answer.content.decode()
    assert not Order.objects.exists()


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"region": "nowhere"}, "region"),
        ({"kind": "prefer"}, "region"),
        ({"kind": "reserve", "region": "420106"}, "offer"),
        ({"offer": "x"}, "offer"),
        ({"facility": "b8a4ad9e-0000-4000-8000-000000000000"}, "facility"),
        ({"until": "2020-01-01T00:00"}, "until"),
        ({"kind": "x"}, "kind"),
        ({"reason": ""}, "reason"),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_what_was_typed_stays(
    fields: dict[str, Any], field: str
) -> None:
    make_region()
    client = at_the_desk(make_user("root", is_staff=True, is_superuser=True))

    answer = client.post(reverse("admin:matching_order_give"), form(**fields))

    assert field in answer.context["form"].errors
    assert answer.context["form"]["reason"].value() == fields.get("reason", REASON)


def test_what_is_ordered_is_named_as_people_call_it() -> None:
    site = make_facility(region=make_region(), name="演示东湖医院")
    mask = make_item("RESP", name_en="Medical respirator", synonyms=["N95"])
    offer = make_offer(make_organisation("donor", name="演示碧泉公司"), item=mask, region=make_region())
    client, address = at_the_desk(coordinator_of()), reverse("admin:matching_order_give")

    assert client.post(address, form(item_called="n95", region_called="武昌")).status_code == 302
    fields = form(kind="forbid", offer_called="碧泉", facility_called="东湖")
    assert client.post(address, fields).status_code == 302

    forbidden, frozen = Order.objects.newest_first()
    assert (frozen.item, frozen.region_id) == (mask, "420106")
    assert (forbidden.offer, forbidden.facility) == (offer, site)


def test_a_name_of_several_is_asked_about_and_one_that_is_only_looked_up_orders_nothing() -> None:
    sites = [make_facility(region=make_region(), name=f"演示东湖{n}院") for n in "一二"]
    client, address = at_the_desk(coordinator_of()), reverse("admin:matching_order_give")
    fields = form(kind="prefer", facility_called="东湖")

    asked = client.post(address, fields).context["form"]
    looked_up = client.post(address, {**fields, "find": "facility"}).context["form"]

    assert asked.errors["facility"] == ["Several are called that: choose one."]
    for shown in (asked, looked_up):
        assert {str(key) for key, _told in shown["facility"].field.widget.choices} >= {
            str(site.pk) for site in sites
        }
        assert shown["reason"].value() == REASON
    assert not looked_up.errors
    assert not Order.objects.exists()


def test_while_a_name_is_typed_what_is_known_by_it_is_listed() -> None:
    make_facility(region=make_region(), name="演示东湖医院")
    client, address = at_the_desk(coordinator_of()), reverse("admin:matching_order_give")

    known = client.get(address, {"line": "facility", "facility_called": "东湖"}).content.decode()
    unknown = client.get(address, {"line": "region", "region_called": "Atlantis"}).content.decode()

    assert "演示东湖医院" in known
    assert 'role="option"' in known
    assert "Nothing is called that" in unknown


def test_volunteers_and_auditors_read_the_coordinator_s_desk_and_order_nothing(volunteer: User) -> None:
    make_need(quantity=100, urgency=1)
    for person in (volunteer, make_member("auditor")):
        client = at_the_desk(person)
        assert client.get(reverse("admin:matching_order_desk")).status_code == 200
        assert client.post(reverse("admin:matching_order_give"), form()).status_code == 403
    given = give("freeze")
    choose(at_the_desk(volunteer), "end", given, answered="yes")
    given.refresh_from_db()
    assert given.ended_at is None


def test_an_order_that_has_ended_is_not_ended_again(db: None) -> None:
    given, client = give("freeze"), at_the_desk(make_user("root", is_staff=True, is_superuser=True))
    offered = [url for url, *_more in client.get(page_of(given)).context["offered"]]
    assert [url.split("/")[-2] for url in offered] == ["end"]

    client.post(offered[0], {"answered": "yes"})

    given.refresh_from_db()
    assert given.ended_at is not None
    assert client.get(page_of(given)).context["offered"] == []


def test_the_desk_of_a_coordinator_shows_her_regions_the_worst_gap_first() -> None:
    make_need(quantity=5000, urgency=3)
    make_need(make_facility(), quantity=100, urgency=1, item=make_item("GOWN", name_en="Gown"))
    make_need(make_facility(region=make_region("110101", "东城区")), quantity=9000, urgency=1)
    match()

    page = at_the_desk(coordinator_of()).get(reverse("admin:matching_order_desk"))

    assert [(gap.item.pk, gap.lacking) for gap, *_words in page.context["gaps"]] == [
        ("GOWN", 100),
        ("MASK_SURG", 5000),
    ]
    assert "First where critical needs lack most" in page.content.decode()
    assert [row.needs for row in page.context["by_place"].rows] == [2]
    assert page.context["by_place"].spread is None
    assert page.context["by_class"].spread == 0
    assert page.context["reasons"][0][0] == "no-compatible-offer"


def test_the_desk_of_a_coordinator_leads_to_where_announcements_are_written() -> None:
    make_emergency()
    client = at_the_desk(coordinator_of())

    page = client.get(reverse("admin:matching_order_desk")).content.decode()

    assert reverse("admin:supplies_announcement_changelist") in page
    there = client.get(reverse("admin:supplies_announcement_changelist")).content.decode()
    assert reverse("admin:supplies_announcement_add") in there


def test_the_coordinator_s_desk_asks_as_often_for_many_needs_as_for_one(
    volunteer: User, django_assert_max_num_queries: Any
) -> None:
    client, address = at_the_desk(volunteer), reverse("admin:matching_order_desk")
    make_need(quantity=100)
    give("freeze")
    client.get(address)
    with django_assert_max_num_queries(20) as few:
        client.get(address)
    for code in ("110101", "310101"):
        make_need(make_facility(region=make_region(code, code)), quantity=100)
        give("freeze", region=make_region(code))

    with django_assert_max_num_queries(20) as many:
        client.get(address)

    assert len(many) == len(few)


def test_a_dry_run_shows_what_it_would_propose_and_proposes_nothing(volunteer: User) -> None:
    need, offer = make_need(quantity=100), make_offer(quantity=100)

    run = match(is_dry=True)
    page = at_the_desk(volunteer).get(f"/desk/matching/matchingrun/{run.pk}/change/")

    ((row, amount),) = page.context["foreseen"]
    assert (row.need, row.offer, row.quantity, amount) == (need, offer, 100, "100 pieces")
    assert not Proposal.objects.exists()
