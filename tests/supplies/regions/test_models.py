import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import translation

from supplies.regions.models import Region, RegionLevel, RegionScheme

pytestmark = pytest.mark.django_db


def make(code: str, parent: Region | None = None, **fields: object) -> Region:
    row = Region(
        code=code,
        parent=parent,
        level=RegionLevel.DISTRICT if parent else RegionLevel.COUNTRY,
        scheme=RegionScheme.PCODE,
        **{"name_zh": code, **fields},
    )
    row.path = row.path_below(parent.path if parent else None)
    row.save()
    return row


def test_under_a_region_is_the_region_and_all_inside_it_but_no_neighbour_with_a_like_code() -> None:
    land = make("X1")
    inside = make("X1A", land)
    make("X10")

    assert set(Region.objects.under(land)) == {land, inside}


def test_roots_have_no_parent() -> None:
    land = make("X1")
    make("X1A", land)

    assert list(Region.objects.roots()) == [land]


def test_a_region_is_found_by_code_alias_and_name_whatever_its_case() -> None:
    land = make("X1", name_zh="某国", name_en="Someland", aliases=["XYZ", "Old Land"])

    for text in ("x1", "xyz", "old land", "某国", "SOMELAND", " Someland "):
        assert list(Region.objects.named(text)) == [land], text


def test_no_name_makes_the_whole_table_be_read() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")  # of a small table reading it whole is right

    for text in ("420100", "武汉市", "Wuhan", "Hankou", "nowhere"):
        assert "Seq Scan" not in Region.objects.named(text).explain(), text


def test_the_name_is_in_the_readers_language_or_else_in_the_other() -> None:
    both = make("X1", name_zh="某国", name_en="Someland")
    chinese_only = make("X2", name_zh="他国", name_en="")

    with translation.override("en"):
        assert (both.name, chinese_only.name) == ("Someland", "他国")
    with translation.override("zh-hans"):
        assert both.name == "某国"


@pytest.mark.parametrize(
    ("broken", "constraint"),
    [
        ({"path": "/X2/"}, "region_path_ends_with_its_code"),
        ({"lat": 91.0, "lon": 0.0}, "region_lies_on_earth"),
        ({"lat": 30.0, "lon": None}, "region_lies_on_earth"),
        ({"level": "village"}, "region_level_is_known"),
        ({"scheme": "own"}, "region_scheme_is_known"),
        ({"parent": "X1"}, "region_is_not_inside_itself"),
    ],
)
def test_the_database_refuses_a_broken_region(broken: dict[str, object], constraint: str) -> None:
    make("X1")

    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        Region.objects.filter(code="X1").update(**broken)
