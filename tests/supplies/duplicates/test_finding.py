import time
import uuid
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from supplies.duplicates.finding import Named, alike_names, alike_needs, alike_organisations
from supplies.duplicates.models import DuplicateNeeds, DuplicatePair
from supplies.duplicates.services import find_duplicates, keep_apart
from supplies.organisations import services as people
from supplies.organisations.models import Organisation
from supplies.organisations.names import is_specific, normal_name, short_name, tells_apart
from tests.makers import (
    NOW,
    make_facility,
    make_item,
    make_member,
    make_need,
    make_organisation,
    make_pair,
    make_region,
)

WUHAN = "/CN/420000/420100/"
WUCHANG, JIANGAN = f"{WUHAN}420106/", f"{WUHAN}420102/"


def named(name: str, path: str = WUCHANG, **fields: Any) -> Named:
    values = {"kind": "hospital", "code": "", "is_own": True, **fields}
    return Named(uuid.uuid4(), path=path, key=normal_name(name), short=short_name(name, "武汉市"), **values)


def reasons(*names: Named) -> list[tuple[str, ...]]:
    return sorted(found.reasons for found in alike_names(names))


@pytest.mark.parametrize(
    ("one", "other", "reason"),
    [
        ("武汉市汉口医院", "武汉汉口医院", "same-name"),
        ("武汉市汉口医院", "汉口 医院", "same-name"),
        ("武汉市汉口医院", "汉口医院（武汉）", None),
        ("黄陂区中医医院", "黄陂区中医院", "near-name"),
        ("华中演练大学附属协和医院", "华中演练大学附属协合医院", "near-name"),
        ("中部演练总医院", "中部演练总医阮", "near-name"),
        ("武汉市第二医院", "武汉市第五医院", None),
        ("武汉市第一医院", "武汉市第十一医院", None),
        ("演练协和医院东院区", "演练协和医院西院区", None),
        ("演练协和医院", "演练协和医院东院区", None),
        ("演练市妇幼保健院", "演练市儿童保健院", None),
        ("演练大学口腔医院", "演练大学眼科医院", None),
        ("武汉同济医院", "武汉同仁医院", None),
        ("武汉市红十字会", "武昌区红十字会", None),
    ],
)
def test_names_of_one_district(one: str, other: str, reason: str | None) -> None:
    assert reasons(named(one), named(other)) == ([(reason,)] if reason else [])


@pytest.mark.parametrize(
    ("one", "other", "reason"),
    [
        ("汉口医院", "武汉市汉口医院", "same-name"),
        ("人民医院", "人民医院", None),
        ("第一人民医院", "第一人民医院", None),
        ("红十字会", "红十字会", None),
        ("妇幼保健院", "妇幼保健院", None),
        ("中部演练总医院", "中部演练总医阮", None),
    ],
)
def test_names_of_two_districts_of_a_city(one: str, other: str, reason: str | None) -> None:
    assert reasons(named(one), named(other, JIANGAN)) == ([(reason,)] if reason else [])


def test_two_credit_codes_are_two_whatever_they_are_called() -> None:
    assert reasons(named("汉口医院", code="A" * 18), named("汉口医院", JIANGAN, code="B" * 18)) == []


def test_a_hospital_and_a_charity_of_one_name_are_two() -> None:
    assert reasons(named("汉口中心"), named("汉口中心", kind="coordinator")) == []


def test_another_name_finds_it_too() -> None:
    assert reasons(named("演练协和医院"), named("协和演练医院", is_own=False), named("协和演练医院")) == [
        ("other-name",)
    ]


def test_a_name_that_many_bear_makes_pairs_in_proportion() -> None:
    many = [named("汉口医院") for _ in range(1000)]

    assert len(list(alike_names(many))) < 2000


SIGNS = st.text(alphabet="汉口武昌江岸协和同济一二东西人民医院市第", min_size=2, max_size=14)


@given(one=SIGNS, other=SIGNS, far=st.booleans())
def test_who_is_proposed_does_not_depend_on_the_order(one: str, other: str, far: bool) -> None:
    first, second = named(one), named(other, JIANGAN if far else WUCHANG)

    assert list(alike_names([first, second])) == list(alike_names([second, first]))


@given(one=SIGNS, other=SIGNS)
def test_what_tells_two_apart_is_never_overlooked(one: str, other: str) -> None:
    first, second = named(one), named(other)

    if tells_apart(first.short) != tells_apart(second.short):
        assert not list(alike_names([first, second]))


@given(name=SIGNS, place=st.integers(0, 13), sign=st.sampled_from("汉武昌江岸协和同济"))
def test_a_sign_too_many_is_found_in_a_long_name(name: str, place: int, sign: str) -> None:
    slip = name[:place] + sign + name[place:]
    first, second = named(f"演练{name}总部"), named(f"演练{slip}总部")

    assert list(alike_names([first, second]))


@pytest.mark.parametrize(
    "name", ["人民医院", "第一人民医院", "中医医院", "妇幼保健院", "红十字会", "中心医院", "县人民医院"]
)
def test_a_name_of_every_county_is_not_specific(name: str) -> None:
    assert not is_specific(name)


# -- in the database --------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_the_same_name_under_two_cities_is_proposed_if_it_says_whose_it_is() -> None:
    far = make_region("420582", "当阳市")
    one, other = make_organisation(name="演练汉口医院"), make_organisation(name="演练汉口医院", region=far)
    make_organisation(name="第一人民医院")
    make_organisation(name="第一人民医院", region=far)

    (found,) = alike_organisations()

    assert {found.one, found.other} == {one.pk, other.pk}
    assert found.reasons == ("same-name-elsewhere",)


@pytest.mark.django_db
def test_merged_and_refused_ones_and_donors_are_not_proposed() -> None:
    one = make_organisation(name="演练汉口医院")
    make_organisation(name="武汉演练汉口医院", merged_into=one)
    make_organisation(name="武汉市演练汉口医院", verified=False, status="refused")
    make_organisation("donor", name="钱某某公司")
    make_organisation("donor", name="武汉钱某某公司")

    assert list(alike_organisations()) == []


@pytest.mark.django_db
def test_an_old_name_leads_to_the_hospital_that_bears_it_now() -> None:
    one, other = make_organisation(name="演练协和医院"), make_organisation(name="协和演练总院")
    people.add_alias(one, name="协和演练总院", kind="old", by=None, at=NOW)

    (found,) = alike_organisations()

    assert {found.one, found.other} == {one.pk, other.pk}


@pytest.mark.django_db
def test_looking_twice_proposes_once_and_never_what_was_kept_apart() -> None:
    make_organisation(name="演练汉口医院")
    make_organisation(name="武汉演练汉口医院")
    find_duplicates(at=NOW)
    keep_apart(DuplicatePair.objects.get(), by=make_member("volunteer"), at=NOW)

    assert find_duplicates(at=NOW) == (0, 0)
    assert DuplicatePair.objects.get().status == "kept_apart"


@pytest.mark.django_db
def test_needs_are_proposed_for_one_site_item_and_time_only() -> None:
    site = make_facility()
    one, other = make_need(site, quantity=1000), make_need(site, quantity=1000)
    make_need(site, item=make_item("GLOVE"), quantity=1000)
    make_need(make_facility(), quantity=1000)
    make_need(site, quantity=1000, published=False)

    (found,) = alike_needs()

    assert {found.one, found.other} == {one.pk, other.pk}
    assert found.reasons == ("same-site", "same-quantity")


@pytest.mark.django_db
def test_needs_of_two_hospitals_that_may_be_one_are_proposed_less_surely() -> None:
    one, other = make_facility(), make_facility()
    make_need(one, quantity=1000)
    make_need(other, quantity=900)
    make_pair(one.organisation, other.organisation)

    find_duplicates(at=NOW)

    pair = DuplicateNeeds.objects.get()
    assert (pair.reasons, pair.score) == (["sites-perhaps-one", "near-quantity"], 60)


@pytest.mark.django_db
def test_ten_thousand_organisations_take_seconds_and_few_queries() -> None:
    districts = [make_region(f"4201{number:02}", f"演练{number}区") for number in range(1, 11)]
    # Of five thousand hospitals everyone is there twice, once with the city before the name.
    rows = [
        Organisation(kind="hospital", name=name, normal_name=normal_name(name), region=districts[place])
        for number in range(5000)
        for name, place in (
            (f"演练{chr(0x4E00 + number)}{chr(0x5E00 + number % 800)}医院", number % 10),
            (f"武汉市演练{chr(0x4E00 + number)}{chr(0x5E00 + number % 800)}医院", (number + 1) % 10),
        )
    ]
    Organisation.objects.bulk_create(rows, batch_size=2000)

    began = time.perf_counter()
    with CaptureQueriesContext(connection) as queries:
        found, _needs = find_duplicates(at=NOW)
    took = time.perf_counter() - began

    assert found == 5000
    assert len(queries) < 60
    assert took < 20, f"{took:.1f} s"
