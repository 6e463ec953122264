"""The map: tiles of provinces, circles at places, and outlines that the operator supplies."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from supplies.desks import map as drawing
from supplies.desks.outlines import Unusable, outlines_can_be_drawn, understood
from supplies.needs.counting import count_open
from supplies.needs.models import PlaceCount
from supplies.needs.services import withdraw_need
from tests.makers import NOW, make_facility, make_need, make_region
from tests.page_client import reader

SQUARE = [[114.0, 30.0], [115.0, 30.0], [115.0, 31.0], [114.0, 31.0], [114.0, 30.0]]


def collection(**changes: Any) -> dict[str, Any]:
    feature = {
        "type": "Feature",
        "properties": {"adcode": 420000},
        "geometry": {"type": "Polygon", "coordinates": [SQUARE]},
    }
    return {"type": "FeatureCollection", "approval": "Drill 0000", "features": [feature], **changes}


def test_the_grid_has_a_tile_for_every_province_and_no_two_on_one_another() -> None:
    assert len({code for _x, _y, code, _zh, _en in drawing.GRID}) == 34
    assert len({(x, y) for x, y, *_names in drawing.GRID}) == 34
    assert all(0 <= x < drawing.COLUMNS and 0 <= y < drawing.ROWS for x, y, *_names in drawing.GRID)


def test_a_place_north_of_another_is_drawn_above_it_and_everything_inside_the_picture() -> None:
    points = [(97.0, 32.0), (123.0, 53.0), (110.0, 20.0)]

    drawn = [drawing.projection(points)(*point) for point in points]

    assert drawn[1][1] < drawn[0][1] < drawn[2][1]
    assert all(0 < x < drawing.WIDTH and 0 < y < drawing.HEIGHT for x, y in drawn)


@pytest.mark.parametrize("most", [0, 1, 2, 5, 50, 12_000])
def test_steps_of_shading_rise_and_the_fullest_tile_is_in_the_last(most: int) -> None:
    edges = drawing.shades(most)

    assert edges == sorted(set(edges))
    assert edges[0] == 1
    assert most == 0 or edges[-1] <= most
    assert len(edges) <= drawing.SHADES


@pytest.mark.django_db
def test_a_tile_shows_critical_and_open_and_the_table_says_the_same() -> None:
    for urgency in (1, 1, 3):
        make_need(urgency=urgency)
    make_need(make_facility(region=make_region("110101")), urgency=2)
    count_open(at=NOW)

    answer = reader().get(reverse("map"))

    page = answer.content.decode()
    shown = {tile.short_en: (tile.open.critical, tile.open.lines) for tile in answer.context["tiles"]}
    assert shown == {"HB": (2, 3), "BJ": (0, 1)}
    assert "湖北省: 2 critical of 3 open" in page
    assert '湖北省</a> <span class="letters soft">HB</span>' in page
    assert [(place.region.pk, place.lines) for place, _query in answer.context["rows"]] == [
        ("420000", 3),
        ("110000", 1),
    ]


@pytest.mark.django_db
def test_a_province_shows_a_circle_for_each_place_and_leads_to_its_needs() -> None:
    make_need(urgency=1)
    make_need(make_facility(region=make_region("110101")))
    count_open(at=NOW)

    answer = reader().get(reverse("map"), {"province": "420000"})

    assert [circle.open.region.pk for circle in answer.context["circles"]] == ["420106"]
    leads = "?province=420000&amp;city=420100&amp;district=420106"
    assert answer.content.decode().count(leads) == 2  # the circle, and the row of the table


@pytest.mark.django_db
def test_a_place_leads_to_the_needs_that_were_counted_there_and_no_others() -> None:
    make_need(urgency=1)
    make_need(urgency=3)
    count_open(at=NOW)
    asked = {"category": "ppe", "urgency": "1", "province": "420000"}

    ((place, query),) = reader().get(reverse("map"), asked).context["rows"]

    found = reader().get(f"{reverse('needs')}?{query}").context["needs"]
    assert [need.urgency for need in found] == [1]
    assert place.lines == 1


@pytest.mark.django_db
def test_it_is_narrowed_by_category_and_urgency_and_refuses_what_there_is_not() -> None:
    make_need(urgency=1)
    make_need(urgency=3)
    count_open(at=NOW)

    def lines(**asked: str) -> int:
        return reader().get(reverse("map"), asked).context["total_lines"]  # type: ignore[no-any-return]

    assert (lines(), lines(urgency="1"), lines(category="ppe"), lines(category="ppe", urgency="4")) == (
        2,
        1,
        2,
        0,
    )
    for wrong in ({"urgency": "9"}, {"category": "no"}, {"province": "420106"}):
        assert reader().get(reverse("map"), wrong).status_code == 400


@pytest.mark.django_db
def test_a_place_where_nothing_is_open_any_more_leaves_the_map() -> None:
    need = make_need()
    count_open(at=NOW)
    assert PlaceCount.objects.exists()

    withdraw_need(need, by=None, at=NOW)
    count_open(at=NOW + timedelta(minutes=1))

    assert not PlaceCount.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("asked", [{}, {"province": "420000"}])
def test_the_map_asks_as_much_for_many_places_as_for_one(asked: dict[str, str]) -> None:
    def queries() -> int:
        count_open(at=NOW)
        with CaptureQueriesContext(connection) as found:
            assert reader().get(reverse("map"), asked).status_code == 200
        return len(found)

    make_need()
    few = queries()
    for code in ("420102", "420103", "420203", "110101", "310101"):
        make_need(make_facility(region=make_region(code)))

    assert queries() == few <= 12


@pytest.mark.django_db
def test_an_outline_of_the_operator_is_drawn_with_its_number_of_approval(
    settings: Any, tmp_path: Path
) -> None:
    make_need()
    count_open(at=NOW)
    file = tmp_path / "outlines.json"
    file.write_text(json.dumps(collection()))
    settings.MAP_OUTLINES = str(file)

    page = reader().get(reverse("map"), {"province": "420000"}).content.decode()

    assert "<polygon" in page
    assert "Outlines: Drill 0000" in page
    assert outlines_can_be_drawn(None) == []


@pytest.mark.parametrize(
    "wrong",
    [
        [],
        collection(type="Topology"),
        collection(approval=""),
        collection(features=[]),
        collection(features=[{"properties": {}, "geometry": None}]),
        collection(
            features=[
                {"properties": {"adcode": 1}, "geometry": {"type": "Polygon", "coordinates": [[[200, 1]]]}}
            ]
        ),
    ],
)
def test_outlines_that_cannot_be_drawn_say_what_to_mend(wrong: Any) -> None:
    with pytest.raises(Unusable, match=r"\w{5}"):
        understood(wrong)


@pytest.mark.django_db
def test_a_file_that_is_not_there_stops_the_checks_and_not_the_page(settings: Any) -> None:
    make_need()
    count_open(at=NOW)
    settings.MAP_OUTLINES = "/nowhere/outlines.json"

    assert [error.id for error in outlines_can_be_drawn(None)] == ["supplies.E002"]
    assert reader().get(reverse("map"), {"province": "420000"}).status_code == 200
