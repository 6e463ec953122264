"""The map: a tile for each province, and circles at the places of one. Drawn here, so that it needs no script."""

import logging
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.db.models import Max, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from supplies.catalogue.models import Category
from supplies.desks.outlines import Unusable, outlines, thinned
from supplies.needs.models import PlaceCount, Urgency
from supplies.regions.models import Region, RegionLevel

log = logging.getLogger(__name__)
TILE, GAP = 40, 2  # in the units of the picture
WIDTH, HEIGHT, EDGE = (
    360,
    320,
    28,
)  # of the picture of a province: as wide as a phone, where its names are to be read
SMALLEST, LARGEST = 5.0, 20.0  # radius of a circle
NAME_WIDTH, NAME_HEIGHT, NAMED = 95, 16, 12  # room for a name beside a circle, and how many get one
FEWEST_DEGREES = 0.5  # a single place stands in the middle of something

# Where the tile of each province stands: column, row, code of the province, the short names people use. Laid by hand, after
# what lies beside what; a tile says nothing of borders.
GRID: tuple[tuple[int, int, str, str, str], ...] = (
    (8, 0, "230000", "黑龙江", "HL"),
    (0, 1, "650000", "新疆", "XJ"),
    (5, 1, "150000", "内蒙古", "NM"),
    (6, 1, "110000", "北京", "BJ"),
    (7, 1, "210000", "辽宁", "LN"),
    (8, 1, "220000", "吉林", "JL"),
    (2, 2, "630000", "青海", "QH"),
    (3, 2, "620000", "甘肃", "GS"),
    (4, 2, "640000", "宁夏", "NX"),
    (5, 2, "140000", "山西", "SX"),
    (6, 2, "130000", "河北", "HE"),
    (7, 2, "120000", "天津", "TJ"),
    (1, 3, "540000", "西藏", "XZ"),
    (3, 3, "510000", "四川", "SC"),
    (4, 3, "610000", "陕西", "SN"),
    (5, 3, "410000", "河南", "HA"),
    (6, 3, "370000", "山东", "SD"),
    (7, 3, "320000", "江苏", "JS"),
    (4, 4, "500000", "重庆", "CQ"),
    (5, 4, "420000", "湖北", "HB"),
    (6, 4, "340000", "安徽", "AH"),
    (7, 4, "310000", "上海", "SH"),
    (3, 5, "530000", "云南", "YN"),
    (4, 5, "520000", "贵州", "GZ"),
    (5, 5, "430000", "湖南", "HN"),
    (6, 5, "360000", "江西", "JX"),
    (7, 5, "330000", "浙江", "ZJ"),
    (4, 6, "450000", "广西", "GX"),
    (5, 6, "440000", "广东", "GD"),
    (6, 6, "350000", "福建", "FJ"),
    (8, 6, "710000", "台湾", "TW"),
    (3, 7, "460000", "海南", "HI"),
    (4, 7, "820000", "澳门", "MO"),
    (5, 7, "810000", "香港", "HK"),
)
LETTERS = {code: en for _column, _row, code, _zh, en in GRID}
COLUMNS, ROWS = 9, 8
SHADES = 4  # of one hue; the number stands on every tile


class MapFilter(forms.Form):
    """What is shown: of which goods, how urgent, and which province from near."""

    category = forms.ModelChoiceField(
        label=_("Category"),
        queryset=Category.objects.order_by("position"),
        required=False,
        empty_label=_("— all —"),
    )
    urgency = forms.TypedChoiceField(
        label=_("Urgency"),
        choices=[("", _("— all —")), *Urgency.choices],
        coerce=int,
        empty_value=None,
        required=False,
    )
    province = forms.ModelChoiceField(
        queryset=Region.objects.filter(level__in=[RegionLevel.PROVINCE, RegionLevel.COUNTRY]),
        required=False,
        widget=forms.HiddenInput,
    )


@dataclass(frozen=True)
class Open:
    """Open needs of a place: all of them, and the critical ones."""

    region: Region
    lines: int
    critical: int

    @property
    def letters(self) -> str:
        """Of a province, those on its tile where its English name has no room."""
        return LETTERS.get(self.region.pk, "")


@dataclass(frozen=True)
class Tile:
    """A square of the grid. shade  0 where nothing is open, SHADES where most is"""

    x: int
    y: int
    short_zh: str
    short_en: str
    open: Open
    shade: int
    query: str


@dataclass(frozen=True)
class Circle:
    """A place in the picture of a province; its area is as its needs are many. `query` narrows the list of needs to it."""

    x: float
    y: float
    radius: float
    open: Open
    query: str


@require_safe
def show(request: HttpRequest) -> HttpResponse:
    """What is open where, as tiles, as circles in one province, and as a table that says the same."""
    form = MapFilter(request.GET)
    is_valid = form.is_valid()
    asked = form.cleaned_data if is_valid else {}
    counts = PlaceCount.objects.asked_for(
        category=asked["category"].pk if asked.get("category") else "", urgency=asked.get("urgency")
    )
    rows = list(
        counts.order_by("region")
        .values_list("region", "region__path", "urgency")
        .annotate(lines=Sum("lines"), counted_at=Max("counted_at"))
    )
    kept = {name: value for name in ("category", "urgency") if (value := request.GET.get(name))}
    province: Region | None = asked.get("province")
    provinces = _by_province(rows)
    context: dict[str, Any] = {
        "form": form,
        "province": province,
        "all_provinces": f"?{urlencode(kept)}",
        "counted_at": max((row[4] for row in rows), default=None),
    }
    if province is None:
        context |= _tiles(provinces, kept)
    else:
        context |= _near(province, [row for row in rows if row[1].startswith(province.path)], kept)
    context["total_lines"] = sum(place.lines for place, _query in context["rows"])
    context["total_critical"] = sum(place.critical for place, _query in context["rows"])
    return render(request, "desks/map.html", context, status=200 if is_valid else 400)


def _by_province(rows: Iterable[Sequence[Any]]) -> dict[str, Counter[bool]]:
    """Code of a province, or of a country beyond -> how many needs are critical, and how many are not."""
    found: dict[str, Counter[bool]] = defaultdict(Counter)
    for _region, path, urgency, lines, _counted_at in rows:
        codes = path.strip("/").split("/")
        found[codes[min(1, len(codes) - 1)]][urgency == Urgency.CRITICAL] += lines
    return found


def _opened(region: Region, counts: Mapping[bool, int]) -> Open:
    return Open(region, counts.get(True, 0) + counts.get(False, 0), counts.get(True, 0))


def _tiles(counts: Mapping[str, Counter[bool]], kept: Mapping[str, str]) -> dict[str, Any]:
    codes = {tile[2] for tile in GRID}
    regions = {region.pk: region for region in Region.objects.filter(pk__in=codes | set(counts))}
    found = {code: _opened(region, counts.get(code, {})) for code, region in regions.items()}
    most = max((place.lines for place in found.values()), default=0)
    edges = shades(most)
    tiles = [
        Tile(
            x=GAP + column * (TILE + GAP),
            y=GAP + row * (TILE + GAP),
            short_zh=zh,
            short_en=en,
            open=found[code],
            shade=sum(found[code].lines >= edge for edge in edges),
            query=f"?{urlencode({**kept, 'province': code})}",
        )
        for column, row, code, zh, en in GRID
        if code in found
    ]
    ranked = sorted(
        (place for place in found.values() if place.lines),
        key=lambda place: (-place.critical, -place.lines, place.region.pk),
    )
    return {
        "tiles": tiles,
        "tile": TILE,
        "width": COLUMNS * (TILE + GAP) + GAP,
        "height": ROWS * (TILE + GAP) + GAP,
        "legend": [(shade, edge) for shade, edge in enumerate(edges, start=1)],
        "rows": [(place, f"?{urlencode({**kept, 'province': place.region.pk})}") for place in ranked],
    }


def shades(most: int) -> list[int]:
    """From how many on a tile is darker, lightest first; each once. Few tiles have many, so the steps grow."""
    return sorted(
        {1, max(1, math.ceil(most / 10)), max(1, math.ceil(most / 3)), max(1, math.ceil(most * 0.7))}
    )


def _near(province: Region, rows: Iterable[Sequence[Any]], kept: Mapping[str, str]) -> dict[str, Any]:
    """Circles at the places of a province, and its outline where the operator supplies one."""
    counts: dict[str, Counter[bool]] = defaultdict(Counter)
    for region, _path, urgency, lines, _counted_at in rows:
        counts[region][urgency == Urgency.CRITICAL] += lines
    regions = Region.objects.filter(pk__in=counts).select_related("parent__parent")
    places = sorted(
        (_opened(region, counts[region.pk]) for region in regions),
        key=lambda place: (-place.critical, -place.lines, place.region.pk),
    )
    located = [(place, point) for place in places if (point := _point(place.region)) is not None]
    rings, approval = _outline(province)
    project = projection(
        [(lon, lat) for _place, (lat, lon) in located] + [point for ring in rings for point in ring]
    )
    most = max((place.lines for place, _point in located), default=1)
    circles = []
    for place, (lat, lon) in located:
        x, y = project(lon, lat)
        radius = round(max(SMALLEST, LARGEST * math.sqrt(place.lines / most)), 1)
        circles.append(Circle(x, y, radius, place, _needs_of(place.region, kept)))
    return {
        "circles": circles,
        "named": apart(circles),
        "outline": [" ".join(f"{x},{y}" for x, y in (project(*point) for point in ring)) for ring in rings],
        "approval": approval,
        "width": WIDTH,
        "height": HEIGHT,
        "rows": [(place, _needs_of(place.region, kept)) for place in places],
        "without_place": len(places) - len(located),
    }


def apart(circles: Iterable[Circle]) -> list[Circle]:
    """Those whose names can be written without one on another, most urgent first; the others stand in the table."""
    found: list[Circle] = []
    for circle in circles:
        if all(
            abs(circle.x - other.x) > NAME_WIDTH or abs(circle.y - other.y) > NAME_HEIGHT for other in found
        ):
            found.append(circle)
    return found[:NAMED]


def _needs_of(region: Region, kept: Mapping[str, str]) -> str:
    """The list of needs narrowed to a place and to what the map shows, as its form takes it."""
    codes = region.path.strip("/").split("/")
    names = ("province", "city", "district")
    return urlencode({**kept, **dict(zip(names, codes[1:] if len(codes) > 1 else codes, strict=False))})


def _point(region: Region) -> tuple[float, float] | None:
    """Latitude and longitude of a place, or of what it lies in."""
    return region.point or (region.parent.point if region.parent is not None else None)


def _outline(province: Region) -> tuple[list[Any], str]:
    try:
        found = outlines()
    except Unusable as error:
        log.error("the outlines of the map cannot be drawn", extra={"why": str(error)})
        return [], ""
    rings = thinned(found.rings.get(province.pk, [])) if found else []
    return rings, found.approval if found and rings else ""


def projection(points: Sequence[tuple[float, float]]) -> Any:
    """Equirectangular: (longitude, latitude) -> (x, y) in the picture, true at the middle latitude, all points inside."""
    lons = [lon for lon, _lat in points] or [0.0]
    lats = [lat for _lon, lat in points] or [0.0]
    middle_lon, middle_lat = (min(lons) + max(lons)) / 2, (min(lats) + max(lats)) / 2
    narrowing = max(0.1, math.cos(math.radians(middle_lat)))
    wide = max((max(lons) - min(lons)) * narrowing, FEWEST_DEGREES)
    high = max(max(lats) - min(lats), FEWEST_DEGREES)
    edge = EDGE + LARGEST
    scale = min((WIDTH - 2 * edge) / wide, (HEIGHT - 2 * edge) / high)

    def project(lon: float, lat: float) -> tuple[float, float]:
        x = WIDTH / 2 + (lon - middle_lon) * narrowing * scale
        y = HEIGHT / 2 - (lat - middle_lat) * scale
        return round(x, 1), round(y, 1)

    return project
