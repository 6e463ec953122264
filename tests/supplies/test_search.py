"""Names found by any part of them: nothing is missed, nothing is found that is not there, and an index is used."""

import unicodedata
from typing import Any

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from supplies.catalogue.models import Item
from supplies.needs.models import Need
from supplies.organisations.models import Facility, Organisation, User
from supplies.search import first, found
from tests.desk import at_the_desk, list_of
from tests.makers import (
    make_facility,
    make_item,
    make_need,
    make_offer,
    make_organisation,
    make_proposal,
    make_region,
)
from tests.owner import as_owner

pytestmark = pytest.mark.django_db

NAMES = [
    "武汉市武昌区第一人民医院",
    "武昌医院",
    "Wuchang Hospital No. 1",
    "Ｗｕｃｈａｎｇ　Ｈｏｓｐｉｔａｌ",
    "口罩厂职工医院",
    "N95 (演练) 100%_\\' 医院",
    "𠮷野医院",
    "ﾊﾞﾝｸ",
    "Straße 5",
    "é",
    "e\u0301cole",
    "院",
]
WORDS = ["武昌", "口罩", "N95", "n95", "医院", "院", "昌", "hospital", "HOSPITAL NO", "95", "%", "_", "\\", "'", "0%_", " ", "",
         "𠮷", "𠮷野", "武汉市武昌区第一人民医院", "武昌区第", "没有", "x" * 60, "straße", "1"]  # fmt: skip


@pytest.fixture
def named() -> None:
    hospital = make_organisation()
    Facility.objects.bulk_create(
        Facility(organisation=hospital, region=hospital.region, name=name) for name in NAMES
    )


def names(**lookup: str) -> set[str]:
    return set(Facility.objects.filter(**lookup).values_list("name", flat=True))


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("without", ["enable_seqscan", "enable_bitmapscan"])
def test_by_index_and_without_everything_is_found_that_icontains_finds(
    named: None, word: str, without: str
) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL {without} = off")

    mentioned, contained = names(name__mentions=word), names(name__icontains=word)

    assert mentioned >= contained
    assert mentioned == {name for name in NAMES if _plain(word) in _plain(name)}


def _plain(text: str) -> str:
    return "".join(
        sign.upper() if len(sign.upper()) == 1 else sign for sign in unicodedata.normalize("NFKC", text)
    )


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("ｎ９５", "N95 (演练) 100%_\\' 医院"),
        ("wuchang hospital", "Ｗｕｃｈａｎｇ　Ｈｏｓｐｉｔａｌ"),
        ("バンク", "ﾊﾞﾝｸ"),
    ],
)
def test_width_and_case_make_no_difference(named: None, word: str, name: str) -> None:
    assert name in names(name__mentions=word)


TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(before=TEXT, part=TEXT, after=TEXT)
def test_the_index_never_loses_what_the_comparison_would_find(before: str, part: str, after: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT strpos(plain(%(name)s), plain(%(part)s)) <> 0, bigrams(plain(%(name)s)) @> bigrams_sought(plain(%(part)s))",
            {"name": before + part + after, "part": part},
        )
        is_in, is_looked_up = cursor.fetchone()

    assert is_looked_up or not is_in


# -- by an index ------------------------------------------------------------------------------------------


@pytest.fixture
def many() -> None:
    """Enough hospitals for the planner to care: most have "医院" in their names, few 武昌."""
    region = make_region()
    organisations = Organisation.objects.bulk_create(
        Organisation(kind="hospital", name=name, normal_name=name, region=region)
        for name in (f"{'武昌' if number % 500 == 0 else '江夏'}演练医院{number}" for number in range(2000))
    )
    Facility.objects.bulk_create(
        Facility(organisation=one, region=region, name=one.name) for one in organisations
    )
    with as_owner(), connection.cursor() as cursor:
        cursor.execute("ANALYZE supplies_organisation, supplies_facility")


def plan(rows: Any) -> str:
    sql, values = rows.query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {sql}", values)
        return "\n".join(line for (line,) in cursor.fetchall())


@pytest.mark.parametrize("model", [Facility, Organisation])
def test_a_rare_word_and_a_miss_are_looked_up_and_a_common_word_is_met_on_the_way(
    many: None, model: Any
) -> None:
    rows = model.objects.order_by("name", "pk")
    name = model._meta.model_name

    for rare in ("武昌", "口罩", "N95", "ｎ９５", "武", "没有这样的医院", "医院1999"):
        assert f"Bitmap Index Scan on {name}_by_mention" in plan(rows.filter(name__mentions=rare)[:51]), rare
    for common in ("医院", "院", "演练医院"):
        assert f"Index Scan using {name}_by_name" in plan(rows.filter(name__mentions=common)[:51]), common


FIELDS = ("name", "organisation__name", "=gln")


def test_a_word_of_few_rows_is_looked_up_field_by_field(many: None, django_assert_num_queries: Any) -> None:
    Facility.objects.filter(name="江夏演练医院7").update(gln="6901234567890")

    with django_assert_num_queries(4):  # the organisations of the name, and each of the fields
        rows = found(Facility.objects.order_by("name", "pk"), FIELDS, "武昌")

    assert "Seq Scan" not in plan(rows)
    assert {site.name for site in rows} == {f"武昌演练医院{number}" for number in range(0, 2000, 500)}
    assert [site.name for site in found(Facility.objects.all(), FIELDS, "6901234567890")] == ["江夏演练医院7"]
    assert not found(Facility.objects.all(), FIELDS, "没有").exists()


@pytest.mark.parametrize(("bound", "most"), [("FEW", 2), ("MANY", 2)])
def test_a_word_of_many_rows_finds_the_same(many: None, monkeypatch: Any, bound: str, most: int) -> None:
    looked_up = set(found(Facility.objects.all(), FIELDS, "医院199"))

    monkeypatch.setattr(f"supplies.search.{bound}", most)
    walked = set(found(Facility.objects.all(), FIELDS, "医院199"))

    assert looked_up == walked
    assert len(looked_up) == 11


def test_a_word_that_could_not_be_a_key_is_sought_in_the_other_fields(named: None) -> None:
    assert [site.name for site in found(Facility.objects.all(), ("=pk", "name"), "武昌医院")] == ["武昌医院"]


def test_the_first_rows_come_in_the_list_s_order_with_what_they_show(django_assert_num_queries: Any) -> None:
    for number in (3, 1, 2):
        make_facility(name=f"演练{number}")

    with django_assert_num_queries(2):
        rows = first(Facility.objects.select_related("organisation", "region").order_by("name", "pk"), 2)
        assert [(row.name, row.region.code) for row in rows] == [("演练1", "420106"), ("演练2", "420106")]

    assert first(Facility.objects.none(), 2) == []


# -- needs, by what is said of them ----------------------------------------------------------------------


def test_a_word_in_many_names_loses_no_need_without_a_word(monkeypatch: Any) -> None:
    """Beyond some number of sites their names are asked one by one; what is found must not change with it."""
    sites = [make_facility(name=f"演练医院{number}") for number in range(4)]
    needs = {make_need(site).pk for site in sites}
    other = make_need(make_facility(name="演练诊所"))

    few = set(Need.objects.about("医院").values_list("pk", flat=True))
    monkeypatch.setattr("supplies.needs.models.FEW", 2)
    many = set(Need.objects.about("医院").values_list("pk", flat=True))

    assert few == many == needs
    assert other.pk not in many


def test_a_word_may_be_of_the_goods_or_of_the_hospital() -> None:
    goods = make_need(
        make_facility(name="武昌医院"), item=make_item("RESP_N95", name_zh="N95口罩", name_en="N95")
    )
    hospital = make_need(make_facility(name="口罩厂医院"), item=make_item())
    neither = make_need(
        make_facility(name="江夏医院"), item=make_item("GOWN", name_zh="防护服", name_en="Gown")
    )

    assert set(Need.objects.about("N95")) == set(Need.objects.about("ｎ９５")) == {goods}
    assert set(Need.objects.about("口罩厂")) == {hospital}
    assert set(Need.objects.about("武昌")) == {goods}
    assert set(Need.objects.about("医院")) == {goods, hospital, neither}
    assert not Need.objects.about("没有").exists()


def test_an_item_is_found_by_a_part_of_its_name_and_a_whole_synonym() -> None:
    make_item("RESP_N95", name_zh="颗粒物防护口罩", name_en="Respirator", synonyms=["N95", "KN95口罩"])

    for word in ("ｎ９５", "n95", "resp_n95", "防护", "口罩", "spirat", "kn95口罩"):
        assert Item.objects.mentioning(word).filter(pk="RESP_N95").exists(), word
    assert not Item.objects.mentioning("KN95").exists()


def test_offers_are_found_by_their_goods() -> None:
    from supplies.offers.models import Offer

    offer = make_offer(item=make_item("RESP_N95", name_zh="N95口罩", name_en="N95"))
    make_offer(item=make_item("GOWN", name_zh="防护服", name_en="Gown"))

    assert list(Offer.objects.about("ｎ９５")) == [offer]
    assert not Offer.objects.about("没有").exists()


def test_the_desk_finds_goods_by_any_of_their_names(volunteer: User) -> None:
    item = make_item("RESP_N95", name_zh="颗粒物防护口罩", name_en="Respirator", synonyms=["N95"])
    proposal = make_proposal(need=make_need(item=item), offer=make_offer(item=item))
    make_proposal()
    client = at_the_desk(volunteer)

    for row in (proposal.need, proposal.offer, proposal):
        found = client.get(list_of(type(row)), {"q": "n95", "status": "all"}).context["cl"].result_list
        assert [one.pk for one in found] == [row.pk]
