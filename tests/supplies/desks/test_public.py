"""What everybody may look at: how things stand, a hospital, an item, how to give; and what such a page may cost."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django.utils.html import escape
from django.utils.translation import gettext, override

from supplies.catalogue.models import Substitution
from supplies.desks.words import Group, listed
from supplies.needs.counting import count_open
from supplies.needs.models import ItemGap, Need, OpenThere, Urgency
from supplies.organisations.models import Facility
from supplies.organisations.services import keep_contact
from supplies.templatetags.amounts import ago
from tests.makers import (
    NOW,
    make_appeal,
    make_facility,
    make_item,
    make_need,
    make_organisation,
    make_region,
    make_standard,
    make_unit,
)
from tests.page_client import reader

pytestmark = pytest.mark.django_db
MOST_QUERIES = 12


def shown(name: str, *args: Any, query: str = "") -> str:
    return reader().get(reverse(name, args=args) + query).content.decode()


def queries(address: str) -> int:
    with CaptureQueriesContext(connection) as asked:
        answer = reader().get(address)
    assert answer.status_code == 200
    return len(asked)


# -- how things stand -------------------------------------------------------------------------------------


def test_the_first_page_says_how_many_are_open_promised_and_under_way_and_how_old_that_is() -> None:
    make_need(), make_need(urgency=1)
    Need.objects.filter(urgency=1).update(quantity_promised=5, quantity_in_transit=2)
    count_open(at=NOW)

    answer = reader().get(reverse("home"))

    asked = {name: answer.context[name] for name in ("lines", "promised", "in_transit", "received")}
    assert asked == {"lines": 2, "promised": 1, "in_transit": 1, "received": 0}
    assert answer.content.decode().count(f'<span class="age">{ago(NOW)}</span>') == 3


def test_where_most_is_critical_counts_critical_needs_and_leads_to_them() -> None:
    hubei, beijing = make_facility(region=make_region("420106")), make_facility(region=make_region("110101"))
    make_need(hubei, urgency=1)
    for _many in range(3):
        make_need(hubei, urgency=4), make_need(beijing, urgency=4)
    count_open(at=NOW)

    page = shown("home")

    assert "?region=420000&amp;urgency=1" in page
    assert "?region=110000" not in page
    assert "<span>湖北省</span> <b>1</b>" in page


@pytest.mark.parametrize(
    ("past", "told"),
    [
        ({"seconds": 5}, "less than a minute ago"),
        ({"seconds": 65}, "1 minute ago"),
        ({"minutes": 59}, "59 minutes ago"),
        ({"minutes": 61}, "1 hour ago"),
        ({"days": 2}, "2 days ago"),
    ],
)
def test_an_age_is_told_in_the_largest_whole_unit(past: dict[str, int], told: str) -> None:
    assert ago(timezone.now() - timedelta(**past)) == told


def test_needs_are_counted_in_their_region_and_in_all_it_lies_in_and_not_once_they_are_gone() -> None:
    wuchang, harbour = make_region("420106"), make_region("310101", "黄浦区")
    make_need(make_facility(region=wuchang), urgency=1)
    gone = make_need(make_facility(region=harbour))
    count_open(at=NOW)
    assert OpenThere.objects.get(region="420000").critical == 1
    assert OpenThere.objects.get(region="310000").lines == 1

    Need.objects.filter(pk=gone.pk).update(status="met")
    count_open(at=NOW + timedelta(minutes=1))

    counted = {row.region_id: (row.lines, row.own_lines) for row in OpenThere.objects.all()}
    assert counted == {"CN": (1, 0), "420000": (1, 0), "420100": (1, 0), "420106": (1, 1)}


def test_the_gap_of_an_item_is_summed_by_province() -> None:
    item = make_item()
    for quantity in (100, 250):
        make_need(make_facility(region=make_region("420106")), item=item, quantity=quantity)
    Need.objects.filter(quantity=250).update(quantity_promised=50)

    count_open(at=NOW)

    gap = ItemGap.objects.get()
    assert (gap.region_id, gap.lines, gap.asked) == ("420000", 2, 350)
    assert (gap.quantity_promised, gap.quantity_outstanding) == (50, 300)


# -- a hospital -------------------------------------------------------------------------------------------


def test_a_hospital_shows_what_it_needs_and_how_it_takes_goods_but_neither_where_nor_a_number() -> None:
    site = make_facility(name="Riverside", address="Gate 3")
    keep_contact(
        site.organisation,
        at=NOW,
        facility=site,
        name="王练习",
        phone="13800000000",
        post="",
        source="",
        by=None,
    )
    make_appeal(
        site,
        accepted_senders=["company"],
        courier_address="Dock 7",
        accepts_overseas=False,
        lines=[{"item": make_item(name_en="Goggles")}],
    )

    page = shown("organisation", site.organisation_id)

    assert "Goggles" in page
    assert "by courier" in page
    assert "only from: company" in page
    assert "not from overseas" in page
    for secret in ("Gate 3", "Dock 7", "13800000000", "0000 0000"):
        assert secret not in page


def test_a_paused_hospital_asks_to_stop_sending() -> None:
    site = make_facility()
    assert "Please stop sending." not in shown("organisation", site.organisation_id)

    Facility.objects.filter(pk=site.pk).update(is_paused=True)

    assert "Please stop sending." in shown("organisation", site.organisation_id)


def test_what_arrived_is_summed_by_item() -> None:
    site, item = make_facility(), make_item(name_en="Goggles")
    make_need(site, item=item, quantity=100), make_need(site, item=item, quantity=100)
    Need.objects.update(quantity_received=40)

    answer = reader().get(reverse("organisation", args=[site.organisation_id]))

    assert [(row.pk, received) for row, received in answer.context["arrived"]] == [(item.pk, 80)]


def test_who_is_no_hospital_has_no_needs() -> None:
    assert "What it needs now" not in shown("organisation", make_organisation(kind="carrier").pk)


# -- an item ----------------------------------------------------------------------------------------------


def test_an_item_says_what_is_taken_instead_of_it_with_the_source() -> None:
    item = make_item(synonyms=["snorkel"], name_en="Respirator")
    asked, offered = make_standard("GB19083"), make_standard("EN149-FFP2")
    Substitution.objects.create(
        offered=offered,
        satisfies=asked,
        item=item,
        verdict="conditional",
        relation="similar",
        condition="no valve",
        source="YK",
    )

    page = shown("item", item.pk)

    assert "snorkel" in page
    assert "EN149-FFP2 may be given where GB19083 is asked for" in page
    assert "no valve" in page
    assert "Yingkou city notice 15 Feb 2020" in page
    assert ">YK<" not in page
    assert "accepted if the hospital agrees" in page


@pytest.mark.parametrize(
    ("language", "told", "untold"),
    [
        (
            "zh-hans",
            ["冷链", "每人两剂（假设）", "EN 14605 4 型，喷雾致密", "液体喷雾", "专家意见"],
            ["cold chain", "two each", "spray tight", "in a jet", "for industry", "by an expert"],
        ),
        (
            "en",
            [
                "cold chain",
                "two each (assumption)",
                "spray tight",
                "in a jet",
                "for industry",
                "by an expert",
            ],
            ["冷链", "每人两剂", "喷雾致密", "液体喷雾", "工业用", "专家意见"],
        ),
    ],
)
def test_what_the_catalogue_says_of_an_item_is_in_the_reader_s_language(
    language: str, told: list[str], untold: list[str]
) -> None:
    because = {"assumed_because": "two each (assumption)", "assumed_because_zh": "每人两剂（假设）"}
    item = make_item(note="cold chain", note_zh="冷链", **because)
    fluid = {"fluid_resistance": "in a jet", "fluid_resistance_zh": "液体喷雾"}
    fluid |= {"other_requirements": "for industry", "other_requirements_zh": "工业用"}
    titles = {"title": "EN 14605, spray tight", "title_zh": "EN 14605 4 型，喷雾致密"}
    Substitution.objects.create(
        offered=make_standard("EN14605-T4", **titles, **fluid),
        satisfies=make_standard("GB19082"),
        item=item,
        verdict="conditional",
        relation="similar",
        evidence="by an expert",
        evidence_zh="专家意见",
    )

    page = reader().get(reverse("item", args=[item.pk]), headers={"accept-language": language})

    said = page.content.decode()
    assert [words for words in told if words not in said] == []
    assert [words for words in untold if words in said] == []


def test_an_item_shows_what_is_lacking_by_region_with_a_link_to_the_needs() -> None:
    item = make_item()
    make_need(make_facility(region=make_region("420106")), item=item, quantity=2000)
    count_open(at=NOW)

    page = shown("item", item.pk)

    assert f"?item={item.pk}&amp;region=420000" in page
    assert "2,000" in page


@pytest.mark.parametrize("code", ["GOLD", "a b", "x" * 300])
def test_an_unknown_item_leads_on_to_the_search(code: str) -> None:
    answer = reader().get(f"/items/{code}/")

    assert answer.status_code == 404
    assert 'name="q"' in answer.content.decode()


def test_how_to_give_names_what_is_not_taken_and_why() -> None:
    edge = {"offered": make_standard("GB32610"), "satisfies": make_standard("YY0469"), "item": make_item()}
    Substitution.objects.create(
        **edge, verdict="reject", relation="different", condition="civil mask", source="YYMASK"
    )

    page = shown("how-to-give")

    for words in ("GB32610", "civil mask", "Comparison of GB 19083 / YY 0469", "?sender=person"):
        assert words in page


# -- words ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_every_word_is_explained_in_the_readers_language_and_told_in_the_other(language: str) -> None:
    make_unit("box", name_en="box", name_zh="盒", kind="package")

    page = reader().get(reverse("words"), headers={"accept-language": language}).content.decode()

    for word in listed():
        assert f'id="{word.key}"' in page
        assert word.term_zh in page
        assert word.term_en in page
        assert escape(word.meaning_en if language == "en" else word.meaning_zh) in page
    with override(language):
        assert all(str(urgency.label)[:2] in page for urgency in Urgency)
    assert 'id="unit-box"' in page


def test_no_word_is_explained_twice_or_by_halves() -> None:
    keys = [word.key for word in listed()]

    assert len(keys) == len(set(keys))
    assert {word.group for word in listed()} <= set(Group.values)
    assert all(all(vars(word).values()) for word in listed())


@pytest.mark.parametrize(
    "term", ["promised", "under way", "received", "still needed", "met", "consolidated load"]
)
def test_words_are_those_that_the_pages_use(term: str) -> None:
    (word,) = [word for word in listed() if word.term_en == term]

    with override("zh-hans"):
        assert word.term_zh == gettext(term)


def test_pages_lead_to_the_words_they_use() -> None:
    need = make_need()

    for address in (reverse("home"), reverse("needs"), reverse("appeal", args=[need.appeal_id])):
        assert f'href="{reverse("words")}#' in reader().get(address).content.decode(), address


# -- what a page costs ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["home", "needs", "organisation", "item", "how-to-give", "words"])
def test_a_page_asks_the_database_as_little_for_many_needs_as_for_one(name: str) -> None:
    site, item = make_facility(), make_item()
    arguments = {"organisation": [site.organisation_id], "item": [item.pk]}.get(name, [])
    make_need(site, item=item, accepted_standards=[make_standard()])
    count_open(at=NOW)
    queries(reverse(name, args=arguments))  # which reads the catalogue
    one = queries(reverse(name, args=arguments))
    for number in range(24):
        place = make_region(f"4201{number + 10}", f"区{number}")
        other = make_facility(site.organisation, name=f"site {number}", region=place)
        make_need(other, item=item, accepted_standards=[make_standard()])
    count_open(at=NOW)

    assert queries(reverse(name, args=arguments)) <= min(one, MOST_QUERIES)


def test_a_page_begins_with_less_than_150_kb_and_asks_nobody_else() -> None:
    site = make_facility()
    for _number in range(20):
        make_need(site)
    count_open(at=NOW)

    for address in (
        reverse("home"),
        reverse("needs"),
        reverse("organisation", args=[site.organisation_id]),
        reverse("how-to-give"),
    ):
        answer = reader().get(address)
        page = answer.content.decode()
        assert len(answer.content) < 150_000, address
        assert "https://" not in page.replace("http://www.w3.org", ""), address
        assert "//cdn" not in page
