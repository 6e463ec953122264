"""The list of needs: narrowed, in order of urgency or distance, page by page."""

import re
from itertools import combinations

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from supplies.catalogue.models import Item, Substitution
from supplies.needs import views
from supplies.needs.counting import count_open
from supplies.needs.models import Need, OpenThere
from supplies.regions.distance import km_between
from supplies.regions.models import Region
from tests.makers import (
    NOW,
    make_appeal,
    make_emergency,
    make_facility,
    make_item,
    make_need,
    make_region,
    make_standard,
)
from tests.page_client import reader

pytestmark = pytest.mark.django_db


def found(query: str = "", **headers: str) -> list[str]:
    """The names of the hospitals whose needs a list shows, in its order."""
    answer = reader().get(reverse("needs") + query, headers=headers)
    assert answer.status_code == 200, answer.context["form"].errors
    return [need.appeal.facility.name for need in answer.context["needs"]]


def at(code: str, lat: float, lon: float, name: str) -> None:
    region = make_region(code, name)
    Region.objects.filter(pk=code).update(lat=lat, lon=lon)
    make_need(make_facility(region=region, name=name))


def walked(query: str = "") -> tuple[list[str], list[str]]:
    """All needs page by page to the end, and back again to the beginning, by their keys."""
    client, address = reader(), reverse("needs") + query
    there: list[str] = []
    while True:
        answer = client.get(address)
        there += [str(need.pk) for need in answer.context["needs"]]
        if "after" not in answer.context["links"]:
            break
        address = answer.context["links"]["after"]
    back = [str(need.pk) for need in answer.context["needs"]]
    while "before" in answer.context["links"]:
        answer = client.get(answer.context["links"]["before"])
        back = [str(need.pk) for need in answer.context["needs"]] + back
    return there, back


def test_met_needs_sink_to_the_end_whatever_their_urgency() -> None:
    make_need(make_facility(name="met"), urgency=1)
    Need.objects.update(status="met")
    make_need(make_facility(name="open"), urgency=4)

    assert found() == ["open", "met"]
    assert found("?status=open") == ["open"]
    assert found("?status=met") == ["met"]


def test_what_wants_nothing_more_comes_after_what_does_and_says_so() -> None:
    make_need(make_facility(name="paused", is_paused=True), urgency=1)
    promised = make_need(make_facility(name="promised"), urgency=1)
    Need.objects.filter(pk=promised.pk).update(quantity_promised=promised.quantity)
    make_need(make_facility(name="wanting"), urgency=4)
    count_open(at=NOW)

    assert found()[0] == "wanting"
    assert set(found()[1:]) == {"paused", "promised"}
    assert found("?near=420106")[0] == "wanting"
    page = reader().get(reverse("needs")).content.decode()
    assert page.count("all promised: no more is needed") == 1
    assert page.count("not accepting goods for now") == page.count("please stop sending") == 1
    assert page.count("from anybody</p>") + page.count("from anybody\n") == 2


def test_a_list_says_how_many_were_found_up_to_what_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    make_appeal(make_facility(name="Riverside"), lines=[{"urgency": 2}] * 23)
    met = make_need(urgency=1)
    Need.objects.filter(pk=met.pk).update(status="met")

    def told(query: str) -> list[str]:
        page = reader().get(reverse("needs") + query).content.decode()
        return re.findall(r"Found(?:, still open)?: <b>(.*)</b>", page)

    assert [told(query) for query in ("", "?urgency=1", "?status=met", "?status=any", "?q=Atlantis")] == [
        ["23"],
        [],
        ["1"],
        ["24"],
        [],
    ]
    assert told(reader().get(reverse("needs")).context["links"]["after"].removeprefix(reverse("needs"))) == []
    monkeypatch.setattr(views, "MOST_COUNTED", 22)
    assert told("") == ["22+"]


def test_pages_go_from_what_is_open_to_what_is_met_and_back_without_gaps() -> None:
    make_appeal(make_facility(), lines=[{"urgency": 1 + number % 4} for number in range(50)])
    met = list(Need.objects.order_by("pk").values_list("pk", flat=True)[:25])
    Need.objects.filter(pk__in=met).update(status="met")

    there, back = walked()

    assert there == back
    assert len(there) == len(set(there)) == 50
    assert set(there[25:]) == set(map(str, met))


def test_the_nearest_come_first_and_pages_go_on_and_back_without_gaps() -> None:
    at("420106", 30.55, 114.31, "near")
    at("421002", 30.33, 112.24, "farther")
    at("310101", 31.23, 121.48, "far")
    make_appeal(make_facility(name="many", region=Region.objects.get(pk="421002")), lines=[{}] * 45)
    count_open(at=NOW)

    there, back = walked("?near=420106")

    assert found("?near=420106")[0] == "near"
    assert there == back
    assert len(there) == len(set(there)) == 48
    assert there[-1] == str(Need.objects.get(site__name="far").pk)


def test_a_hospital_is_a_place_too() -> None:
    at("420106", 30.55, 114.31, "Riverside")
    at("310101", 31.23, 121.48, "Harbour")
    count_open(at=NOW)

    assert found("?near=Harbour") == ["Harbour", "Riverside"]


def test_a_place_is_known_without_the_kind_of_place_at_the_end_of_its_name_and_told() -> None:
    at("420106", 30.55, 114.31, "武昌区")
    Region.objects.filter(pk="420106").update(name_en="Wuchang District")
    at("310101", 31.23, 121.48, "far")
    count_open(at=NOW)

    for words, told in (
        ("武汉", "湖北省 武汉市"),
        ("武昌", "湖北省 武汉市 武昌区"),
        ("wuchang", "湖北省 武汉市 武昌区"),
    ):
        page = Client(headers={"accept-language": "zh-CN"}).get(f"{reverse('needs')}?near={words}")
        assert f"距离从 {told} 算起" in page.content.decode(), words
    assert found("?near=武汉")[0] == "武昌区"


def test_of_places_of_one_name_that_of_an_emergency_is_meant_and_the_others_are_offered() -> None:
    at("230184", 44.93, 127.17, "五常市")
    at("420106", 30.55, 114.31, "武昌区")
    Region.objects.filter(pk="230184").update(name_en="Wuchang")
    Region.objects.filter(pk="420106").update(name_en="Wuchang District")
    count_open(at=NOW)
    assert found("?near=Wuchang") == ["五常市", "武昌区"]

    make_emergency().regions.add("420000")

    answer = reader().get(reverse("needs") + "?near=Wuchang")
    assert [need.appeal.facility.name for need in answer.context["needs"]] == ["武昌区", "五常市"]
    assert "Distances from Wuchang District" in answer.content.decode()
    assert found(answer.context["elsewhere"][0][1].removeprefix(reverse("needs"))) == ["五常市", "武昌区"]


def test_a_card_says_how_far_it_is() -> None:
    at("420106", 30.55, 114.31, "Riverside")
    at("310101", 31.23, 121.48, "Harbour")
    count_open(at=NOW)

    page = reader().get(reverse("needs") + "?near=420106").content.decode()

    assert "about 688 km" in page


def test_a_distance_is_that_of_the_great_circle() -> None:
    at("420106", 0, 90, "a quarter of the way round")
    wuchang = Region.objects.filter(pk="420106")

    here, quarter = (
        wuchang.values_list(km_between((0, degrees), ("lat", "lon")), flat=True).get() for degrees in (90, 0)
    )

    assert round(quarter) == 10_008
    assert here == 0


def test_what_one_has_finds_what_it_may_stand_in_for() -> None:
    mask, respirator = make_item("MASK", name_en="Mask"), make_item("RESP", name_en="Respirator")
    offered, asked = make_standard("KN95"), make_standard("GB19083", [respirator])
    offered.items.add(mask)
    edge = {"offered": offered, "satisfies": asked, "item": respirator}
    Substitution.objects.create(**edge, verdict="conditional", relation="similar")
    make_need(make_facility(name="wants masks"), item=mask, urgency=1)
    make_need(make_facility(name="wants respirators"), item=respirator, urgency=2)
    make_need(make_facility(name="wants gowns"), item=make_item("GOWN", name_en="Gown"))

    assert found("?have=KN95") == ["wants masks", "wants respirators"]
    assert "if the hospital agrees" in reader().get(reverse("needs") + "?have=KN95").content.decode()


def mask_that_stands_in() -> tuple[Item, Item]:
    """A mask made to KN95, and the respirator it stands in for."""
    mask, respirator = make_item("MASK", name_en="Mask"), make_item("RESP", name_en="Respirator")
    edge = {
        "offered": make_standard("KN95", [mask]),
        "satisfies": make_standard("GB19083", [respirator]),
        "item": respirator,
    }
    Substitution.objects.create(**edge, verdict="accept", relation="similar")
    return mask, respirator


def test_goods_that_tell_no_standard_are_what_they_are_and_stand_in_for_nothing() -> None:
    mask, respirator = mask_that_stands_in()
    make_need(make_facility(name="wants masks"), item=mask)
    make_need(make_facility(name="wants respirators"), item=respirator)

    assert found("?have=Mask") == ["wants masks"]
    assert "These words tell no standard" in reader().get(reverse("needs") + "?have=Mask").content.decode()


def test_needs_of_the_very_goods_come_before_those_they_stand_in_for_page_by_page() -> None:
    mask, respirator = mask_that_stands_in()
    urgent = make_appeal(make_facility(name="urgent"), lines=[{"item": respirator, "urgency": 1}] * 25)
    own = make_appeal(make_facility(name="own"), lines=[{"item": mask, "urgency": 4}] * 25)
    met = make_need(item=mask)
    Need.objects.filter(pk=met.pk).update(status="met")

    there, back = walked("?have=KN95")

    assert there == back
    assert [set(there[:25]), set(there[25:50])] == [
        {str(need.pk) for need in appeal.needs.all()} for appeal in (own, urgent)
    ]
    assert there[50:] == [str(met.pk)]
    page = reader().get(reverse("needs") + "?have=KN95").context["links"]["after"]
    assert "stands in for it" in reader().get(page).content.decode()


def test_what_is_refused_in_place_of_it_is_not_found() -> None:
    mask, respirator = make_item("MASK", name_en="Mask"), make_item("RESP", name_en="Respirator")
    offered = make_standard("KN95")
    offered.items.add(mask)
    edge = {"offered": offered, "satisfies": make_standard("GB19083", [respirator]), "item": respirator}
    Substitution.objects.create(**edge, verdict="reject", relation="lower")
    make_need(item=respirator)

    assert found("?have=KN95") == []


def test_needs_are_narrowed_by_standard_deadline_and_sender() -> None:
    standard = make_standard("GB19083")
    site = make_facility(name="this")
    make_appeal(site, accepted_senders=["company"], lines=[{"accepted_standards": [standard]}])
    make_appeal(make_facility(name="other"), accepted_senders=["person"], lines=[{}])
    Need.objects.filter(site=site).update(needed_by="2020-02-01")

    for query in ("standard=GB19083", "due=3", "sender=company"):
        assert found(f"?{query}") == ["this"], query


@pytest.mark.parametrize(
    "query", ["near=Atlantis", "have=unobtainium", "standard=x", "due=2", "sender=robot", "region=ATLANTIS"]
)
def test_what_is_not_known_is_said_and_shows_no_rows(query: str) -> None:
    make_need(make_facility(name="Somewhere"))

    answer = reader().get(f"{reverse('needs')}?{query}")

    assert answer.status_code == 400
    assert "Somewhere" not in answer.content.decode()


def test_the_list_alone_is_answered_where_only_it_is_exchanged_and_its_address_can_be_passed_on() -> None:
    make_need(make_facility(name="Riverside"))

    answer = reader().get(reverse("needs") + "?q=&urgency=&status=open", headers={"HX-Request": "true"})

    assert "<html" not in answer.content.decode()
    assert "Riverside" in answer.content.decode()
    assert answer["HX-Push-Url"] == reverse("needs") + "?status=open"
    assert "HX-Request" in answer["Vary"]


def test_a_filter_that_cannot_be_applied_is_told_where_only_the_list_is_exchanged() -> None:
    answer = reader().get(reverse("needs") + "?near=Atlantis", headers={"HX-Request": "true"})

    assert answer.status_code == 200  # htmx shows nothing else
    assert "We do not know a place called “Atlantis”" in answer.content.decode()


def test_regions_lead_down_with_their_counts_and_up_again() -> None:
    make_need(make_facility(region=make_region("420106")))
    count_open(at=NOW)

    top = reader().get(reverse("needs") + "?urgency=3")
    inside = reader().get(reverse("needs") + "?region=420100&urgency=3")

    assert [(row.region_id, address) for row, address in top.context["inside"]] == [
        ("420000", "/needs/?urgency=3&region=420000")
    ]
    assert [row.pk for row, _address in inside.context["crumbs"]] == ["420000", "420100"]
    assert [row.region_id for row, _address in inside.context["inside"]] == ["420106"]


NARROWING = [
    "q=Harbour",
    "near=Harbour",
    "have=N95",
    "item=RESP",
    "category=ppe",
    "standard=GB19083",
    "region=420106",
    "urgency=3&due=14&sender=person",
]
EVERY = [
    "?" + "&".join(parts) for many in range(len(NARROWING) + 1) for parts in combinations(NARROWING, many)
]


def test_whatever_narrows_the_list_it_asks_twelve_questions_at_most_and_as_few_for_many_as_for_one() -> None:
    """With regions that, as they are counted, together hold more needs than are asked for at once."""
    item, standard = make_item("RESP", synonyms=["N95"]), make_standard("GB19083")
    site = make_facility(name="Harbour", region=make_region("420106"))
    make_need(make_facility(region=make_region("420102")), item=make_item("GOWN"))
    Region.objects.filter(pk="420106").update(lat=30.0, lon=114.0)
    client = reader()

    def queries(address: str) -> tuple[int, str]:
        with CaptureQueriesContext(connection) as asked:
            page = client.get(address)
        assert page.status_code == 200
        return len(asked), page.context["links"].get("after", "")

    def every() -> dict[str, int]:
        count_open(at=NOW)
        OpenThere.objects.filter(own_lines__gt=0).update(own_lines=20_000)
        most = {}
        for query in EVERY:
            most[query], after = queries(reverse("needs") + query)
            later[query] = queries(after)[0] if after else 0
        return most

    make_need(site, item=item, accepted_standards=[standard])
    later: dict[str, int] = {}
    of_one = every()
    for _number in range(30):
        make_need(site, item=item, accepted_standards=[standard])
    of_many = every()

    assert {query: asked for query, asked in of_one.items() if asked > 12} == {}
    assert {query: asked for query, asked in of_many.items() if asked > of_one[query]} == {}
    assert max(later.values()) > 0
    assert {query: asked for query, asked in later.items() if asked > 12} == {}
