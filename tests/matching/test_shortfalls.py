"""Why a need stays short is kept for each need, told to those whose it is, and forgotten when it holds no longer."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import translation

from matching import running, services
from matching.kernel.explain import Cause
from matching.models import FamilyRun, Lack, MatchingPolicy, Proposal, Shortfall
from matching.sentences import until, why_short
from supplies import wording
from supplies.organisations.models import User
from tests.desk import at_the_desk, list_of, page_of
from tests.makers import (
    NOW,
    make_emergency,
    make_facility,
    make_member,
    make_need,
    make_offer,
    make_organisation,
    make_region,
)

pytestmark = pytest.mark.django_db


def match(**options: Any) -> FamilyRun:
    run = services.start(make_emergency(), trigger="hand", by=None, at=NOW, **options)
    (family,) = running.open_run(run.pk, at=NOW)
    solved = running.solve_family(family.pk)
    assert solved is not None
    assert solved.status == "done"
    return solved


def short() -> Shortfall:
    return Shortfall.objects.with_sides().get()


def test_a_run_says_of_each_need_what_it_lacks_and_why() -> None:
    urgent, later = make_need(quantity=100, urgency=1), make_need(quantity=50, urgency=2)
    make_offer(quantity=100)

    family = match()

    assert (short().need, short().missing, short().cause) == (later, 50, "serves-more-urgent")
    assert family.shortfalls == {"serves-more-urgent": 1}
    assert not Shortfall.objects.filter(need=urgent).exists()


def test_what_a_later_run_can_give_is_not_lacking_any_more() -> None:
    make_need(quantity=100)
    match()
    make_offer(quantity=100)

    match()

    assert not Shortfall.objects.exists()


def test_a_later_run_says_anew_why() -> None:
    make_need(quantity=100)
    match()
    assert short().cause == "no-compatible-offer"
    make_offer(quantity=60)

    match()

    assert (short().missing, short().cause) == (40, "nothing-left")


def test_a_run_over_other_goods_leaves_it_as_it_was() -> None:
    make_need(quantity=100)
    earlier = match()
    services.start(make_emergency(), trigger="hand", by=None, at=NOW, families=["others"])

    assert short().family_run == earlier


def test_a_dry_run_says_nothing() -> None:
    make_need(quantity=100)

    match(is_dry=True)

    assert not Shortfall.objects.exists()


def test_a_need_that_changed_while_it_was_matched_keeps_what_was_said_before() -> None:
    need = make_need(quantity=100)
    earlier = match()
    make_offer(quantity=60)
    run = services.start(make_emergency(), trigger="hand", by=None, at=NOW)
    (family,) = running.open_run(run.pk, at=NOW)
    type(need).objects.filter(pk=need.pk).update(daily_use=7)

    running.solve_family(family.pk)

    assert (short().family_run, short().missing, short().cause) == (earlier, 100, "no-compatible-offer")


def test_what_a_facility_of_its_size_cannot_use_is_told_as_such() -> None:
    facility = make_facility(make_organisation("hospital"), beds=40)
    make_need(facility, quantity=400_000)
    make_offer(quantity=400_000)

    match()

    sent = Proposal.objects.get().quantity
    assert (short().cause, short().missing) == ("beyond-use", 400_000 - sent)


def test_a_need_that_waits_says_until_when_in_its_hospitals_days() -> None:
    MatchingPolicy.objects.filter(pk="urgency").update(wait_limit_km=1, wait_growth_days=1)
    make_need(quantity=100, urgency=4, needed_by=(NOW + timedelta(days=40)).date())
    beijing = make_region("110105", "朝阳区", lat=39.9, lon=116.4)
    make_offer(quantity=100, region=beijing)

    match()

    day = until(short())
    assert short().cause == "waits"
    assert day is not None
    assert NOW.date() < day < (NOW + timedelta(days=40)).date()
    with translation.override("en"):
        assert f"until {wording.day(day)} at the latest" in why_short(short())


def test_every_cause_a_run_can_find_has_words() -> None:
    assert {str(cause) for cause in Cause} | {"beyond-use"} == set(Lack.values)


@pytest.mark.parametrize("language", ["en", "zh-hans"])
@pytest.mark.parametrize("cause", Lack)
def test_every_cause_is_told_with_its_figure(cause: Lack, language: str) -> None:
    make_need(quantity=100)
    match()
    row = short()
    row.cause, row.figure = cause, 7_000

    with translation.override(language):
        assert why_short(row).startswith(str(cause.label))


# -- faces ------------------------------------------------------------------------------------------------


def test_the_hospital_reads_why_and_everybody_else_is_told_of_no_such_page(client: Client) -> None:
    need = make_need(quantity=100)
    match()
    page = reverse("still-lacking", args=[need.appeal_id])
    client.force_login(make_member("hospital", need.appeal.facility.organisation))
    told = client.get(page, headers={"accept-language": "en"}).content.decode()
    client.force_login(make_member("donor"))

    assert "nobody offers goods that would do" in told
    assert client.get(page).status_code == 404


def test_programs_read_why_of_their_own_needs_alone(client: Client) -> None:
    need = make_need(quantity=100)
    match()
    client.force_login(make_member("hospital", need.appeal.facility.organisation))
    own = client.get("/api/v1/shortfalls/", headers={"accept-language": "en"}).json()["results"]
    client.force_login(make_member("donor"))

    assert [(row["id"], row["missing"], row["cause"], row["until"]) for row in own] == [
        (str(need.pk), 100, "no-compatible-offer", None)
    ]
    assert client.get("/api/v1/shortfalls/").json()["results"] == []
    assert client.get(f"/api/v1/shortfalls/{need.pk}/").status_code == 404


def test_the_desk_lists_what_is_lacking_by_cause(volunteer: User) -> None:
    need = make_need(quantity=100)
    match()
    desk = at_the_desk(volunteer)

    found = desk.get(f"{list_of(Shortfall)}?cause__exact=no-compatible-offer").content.decode()
    none = desk.get(f"{list_of(Shortfall)}?cause__exact=too-far").content.decode()

    hospital = need.appeal.facility.name
    assert hospital in found
    assert "nobody offers goods that would do" in found
    assert hospital not in none
    assert desk.get(page_of(Shortfall.objects.get())).status_code == 200


def test_what_is_not_asked_for_any_more_is_not_lacking() -> None:
    need = make_need(quantity=100)
    match()
    type(need).objects.filter(pk=need.pk).update(status="withdrawn")

    assert not Shortfall.objects.current().exists()
