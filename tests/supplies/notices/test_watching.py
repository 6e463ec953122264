"""Saved searches: whom a new need or offer is told, once for each search, and how many one may have."""

from datetime import timedelta
from typing import Any

import pytest

from supplies.catalogue.models import Substitution
from supplies.errors import NotEligible, Refused
from supplies.journal.models import Event
from supplies.journal.services import dispatch
from supplies.needs.models import Need
from supplies.notices import watching
from supplies.notices.inbox import Notice
from supplies.notices.reading import read
from supplies.notices.searches import SavedSearch
from supplies.organisations.models import Organisation, User
from tests.api_client import Speaker
from tests.makers import (
    NOW,
    make_appeal,
    make_category,
    make_facility,
    make_item,
    make_member,
    make_need,
    make_offer,
    make_organisation,
    make_region,
    make_search,
    make_standard,
    make_user,
)
from tests.page_client import reader

pytestmark = pytest.mark.django_db


def found(user: User) -> list[Notice]:
    dispatch(at=NOW)
    return list(Notice.objects.of(user).filter(group="searches").order_by("pk"))


def merged(kept: Organisation) -> Organisation:
    return make_organisation(merged_into=kept)


# What is searched for, and whether a critical need of surgical masks in 武昌区 fits it.
SEARCHES: dict[str, tuple[Any, bool]] = {
    "everything": (lambda need: {"q": ""}, True),
    "its category": (lambda need: {"category": need.item.category}, True),
    "another category": (lambda need: {"category": make_category("drugs")}, False),
    "its item": (lambda need: {"item": need.item}, True),
    "another item": (lambda need: {"item": make_item("GOWN")}, False),
    "its province": (lambda need: {"region": make_region("420000")}, True),
    "another place": (lambda need: {"region": make_region("110101")}, False),
    "its urgency": (lambda need: {"urgency": need.urgency}, True),
    "another urgency": (lambda need: {"urgency": 5 - need.urgency}, False),
    "its hospital": (lambda need: {"organisation": need.appeal.facility.organisation}, True),
    "what was merged into its hospital": (
        lambda need: {"organisation": merged(need.site.organisation)},
        True,
    ),
    "another hospital": (lambda need: {"organisation": make_facility().organisation}, False),
    "its standard": (lambda need: {"standard": make_standard()}, True),
    "another standard": (lambda need: {"standard": make_standard("EN14683")}, False),
    "a sender that it takes": (lambda need: {"sender": "company"}, True),
    "a sender that it does not take": (lambda need: {"sender": "person"}, False),
    "soon enough": (lambda need: {"due": 14}, True),
    "sooner than it is due": (lambda need: {"due": 7}, False),
    "goods that are what it asks for": (lambda need: {"have": "ｓｕｒｇｉｃａｌ"}, True),
    "goods that may stand in for it": (lambda need: {"have": "KN95"}, True),
    "goods that may not": (lambda need: {"have": "gown"}, False),
    "a word of its item": (lambda need: {"q": "ｓｕｒｇｉｃａｌ"}, True),
    "a word of its hospital": (lambda need: {"q": need.appeal.facility.name[:3]}, True),
    "another word": (lambda need: {"q": "ventilator"}, False),
}


@pytest.mark.parametrize("name", SEARCHES)
def test_a_new_need_is_told_to_whose_search_it_fits(name: str) -> None:
    criteria, fits = SEARCHES[name]
    line = {"urgency": 1, "accepted_standards": [make_standard()]}
    need = make_appeal(lines=[line], accepted_senders=["company"]).needs.get()
    make_item("GOWN", name_en="Gown")
    edge = {"satisfies": make_standard(), "item": need.item, "relation": "exceeds"}
    offered = make_standard("KN95", [make_item("RESP", name_en="Respirator")])
    Substitution.objects.create(offered=offered, verdict="accept", **edge)
    donor = make_user()
    make_search(donor, **{"q": "", **criteria(need)})

    assert bool(found(donor)) == fits


def test_many_new_needs_are_one_notice_and_heard_twice_they_are_told_once() -> None:
    donor = make_user()
    search = make_search(donor, q="", name="masks")
    make_appeal(lines=[{}, {}, {}])

    (notice,) = found(donor)
    watching.hear(list(Event.objects.filter(kind="need.opened")), at=NOW)

    assert len(notice.rows) == 3
    (words,) = read(found(donor), donor)
    assert words.title.endswith(f" · {search.name}")
    assert words.path == f"/appeals/{Need.objects.first().appeal_id}/"  # type: ignore[union-attr]


def test_many_searches_are_looked_through_in_as_many_queries_as_one(
    django_assert_max_num_queries: Any,
) -> None:
    standard = make_standard()
    make_need(accepted_standards=[standard])
    for _many in range(20):
        make_search(
            make_user(), q="", have=f"surgical{' ' * _many}", standard=standard, sender="person", due=14
        )
    events = list(Event.objects.filter(kind="need.opened"))

    with django_assert_max_num_queries(19):
        watching.hear(events, at=NOW)
    assert Notice.objects.filter(group="searches").count() == 20


def test_a_hospital_is_told_of_offers_for_its_open_needs_and_of_no_others() -> None:
    need = make_need()
    member = make_member("hospital", need.appeal.facility.organisation)
    make_search(member, over="offers", q="", organisation=need.appeal.facility.organisation)
    dispatch(at=NOW)

    make_offer(item=make_item("GOWN"))
    assert found(member) == []
    make_offer(item=need.item)
    assert [notice.kind for notice in found(member)] == ["search.offers"]


def test_a_hospital_is_told_of_what_may_stand_in_for_what_it_needs_and_not_of_what_may_not() -> None:
    asked = make_standard("GB19083", [make_item("RESP", name_en="Respirator")])
    need = make_need(item=make_item("RESP"), accepted_standards=[asked])
    hospital = need.appeal.facility.organisation
    member = make_member("hospital", hospital)
    make_search(member, over="offers", q="", organisation=hospital)
    better, worse = (make_standard(code, [make_item("MASK", name_en="Mask")]) for code in ("FFP3", "DUST"))
    edge = {"satisfies": asked, "item": need.item, "relation": "exceeds"}
    Substitution.objects.create(offered=better, verdict="conditional", **edge)
    Substitution.objects.create(offered=worse, verdict="reject", **edge)

    make_offer(item=make_item("MASK"), standard=worse)
    assert found(member) == []
    offer = make_offer(item=make_item("MASK"), standard=better)
    assert [notice.rows for notice in found(member)] == [[str(offer.pk)]]


def test_many_hospitals_hear_of_many_offers_in_as_many_queries_as_one(
    django_assert_max_num_queries: Any,
) -> None:
    for _many in range(6):
        need = make_need()
        hospital = need.appeal.facility.organisation
        make_search(make_member("hospital", hospital), over="offers", q="", organisation=hospital)
        make_offer(item=need.item)
    events = list(Event.objects.filter(kind="offer.opened"))

    with django_assert_max_num_queries(21):
        watching.hear(events, at=NOW)
    assert Notice.objects.filter(group="searches").count() == 6


def test_both_workspaces_lead_to_saved_searches() -> None:
    member = make_member("hospital")
    make_facility(member.memberships.get().organisation)

    for address in ("/mine/hospital/", "/mine/gifts/"):
        assert 'href="/searches/"' in reader(member).get(address).content.decode(), address


def test_a_search_over_offers_is_for_a_hospital_one_acts_for() -> None:
    with pytest.raises(NotEligible):
        make_search(make_user(), over="offers", organisation=make_facility().organisation)


def test_one_has_so_many_searches_and_none_twice() -> None:
    user = make_user()
    same = {"q": "masks"}
    make_search(user, **same)
    with pytest.raises(Refused) as twice:
        make_search(user, **same)
    assert twice.value.code == "saved-already"

    for _more in range(watching.MOST_SEARCHES - 1):
        make_search(user)
    with pytest.raises(Refused) as one_more:
        make_search(user)
    assert one_more.value.code == "too-many-searches"


def test_what_narrows_the_list_of_needs_is_saved_from_its_page_and_leads_back_there() -> None:
    user, item = make_user(), make_item()
    make_region()
    page = reader(user)
    address = f"/needs/?q=mask&item={item.pk}&province=420000&city=420100"
    assert "Tell me when something new fits this" in page.get(address).content.decode()

    page.post("/searches/save/", {"query": address.partition("?")[2]})

    search = SavedSearch.objects.get(user=user)
    assert (search.q, search.item, search.region_id) == ("mask", item, "420100")
    assert f"item={item.pk}" in search.query
    assert "province=420000" in search.query
    page.post(f"/searches/{search.pk}/rename/", {"name": "My masks"})
    assert "My masks" in page.get("/searches/").content.decode()
    assert reader(make_user()).post(f"/searches/{search.pk}/remove/").status_code == 404
    page.post(f"/searches/{search.pk}/remove/")
    assert not SavedSearch.objects.exists()


def test_no_wider_search_is_saved_than_the_page_shows() -> None:
    user, standard = make_user(), make_standard()

    query = f"have=surgical&standard={standard.pk}&sender=person&due=7&near=&status=open"
    reader(user).post("/searches/save/", {"query": query})

    search = SavedSearch.objects.get(user=user)
    assert (search.have, search.standard, search.sender, search.due) == ("surgical", standard, "person", 7)
    assert {"have=surgical", "sender=person", "due=7", f"standard={standard.pk}"} <= {
        *search.query.split("&")
    }
    assert "surgical" in search.criteria
    assert "private person" in search.criteria


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("status=met&q=masks", "Status"),
        ("fresh=false&q=masks", "Confirmation"),
        ("near=420106", "Nearest to"),
        ("q=masks&due=5", "This filter cannot be saved"),
        ("q=masks&x=" + "x" * 1000 + "&have=KN95", "This filter cannot be saved"),
    ],
)
def test_what_cannot_be_watched_is_refused_by_name(query: str, named: str) -> None:
    user = make_user()
    make_region("420106", lat=30.0, lon=114.0)

    answer = reader(user).post("/searches/save/", {"query": query}, follow=True)

    assert named in answer.content.decode()
    assert answer.redirect_chain[-1][0].startswith("/needs/")
    assert not SavedSearch.objects.exists()


def test_the_api_saves_lists_and_removes_one_s_own() -> None:
    user = make_user()
    made = Speaker(user).post("saved-searches/", {"over": "needs", "q": "mask", "item": make_item().pk})
    assert made.status_code == 201, made.json()

    assert len(Speaker(user).get("saved-searches/").json()["results"]) == 1
    assert Speaker(make_user()).post(f"saved-searches/{made.json()['id']}/remove/", {}).status_code == 404
    assert Speaker(user).post(f"saved-searches/{made.json()['id']}/remove/", {}).status_code == 204
    assert not SavedSearch.objects.exists()


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"over": "people"},
        {"over": "needs", "item": "NONE"},
        {"over": "needs", "q": "x" * 61},
        {"over": "needs", "due": 5},
    ],
)
def test_a_search_that_makes_no_sense_is_refused_with_its_field(body: dict[str, Any]) -> None:
    answer = Speaker(make_user()).post("saved-searches/", body)

    assert answer.status_code == 400
    assert SavedSearch.objects.count() == 0


def test_what_says_nothing_of_offers_is_not_left_out_in_silence() -> None:
    hospital = make_facility().organisation
    member = make_member("hospital", hospital)

    answer = Speaker(member).post(
        "saved-searches/", {"over": "offers", "organisation": str(hospital.pk), "urgency": 1}
    )

    assert answer.status_code == 400
    assert "urgency" in answer.json()["fields"]


def test_the_api_reads_the_inbox_and_keeps_what_was_chosen() -> None:
    user = make_user()
    make_search(user, q="")
    make_need()
    dispatch(at=NOW)
    speaker = Speaker(user)
    (told,) = speaker.get("notices/?unread=true").json()["results"]
    assert "有医院需要您搜索的物资" in told["title"]  # the site's own language, where none is asked for

    assert speaker.post(f"notices/{told['id']}/read/", {}).json()["read_at"]
    assert speaker.get("notices/?unread=true").json()["results"] == []

    body = {
        "timezone": "Asia/Shanghai",
        "quiet_from": "22:00:00",
        "quiet_until": "07:00:00",
        "choices": [{"group": "searches", "channel": "mail", "how": "off"}],
    }
    kept = speaker.post("notification-choices/", body).json()
    assert kept["quiet_from"] == "22:00:00"
    assert {"group": "searches", "channel": "mail", "how": "off"} in kept["choices"]
    wrong = speaker.post("notification-choices/", {**body, "timezone": "Mars"})
    assert wrong.status_code == 400


def test_an_old_search_is_told_of_nothing_that_was_there_before() -> None:
    make_need()
    dispatch(at=NOW)
    user = make_user()
    make_search(user, q="", at=NOW + timedelta(hours=1))

    assert found(user) == []
