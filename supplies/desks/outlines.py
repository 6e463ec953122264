"""Outlines of provinces for the map: a file of the operator's. None is shipped, since who publishes a map of China has to use
outlines that were approved, and has to say under which number (审图号)."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register
from django.utils.translation import gettext as _

LARGEST = 20_000_000  # bytes
MOST_POINTS = 200_000
SHOWN_POINTS = (
    4_000  # of one province: a picture of a few hundred pixels shows no more, and a page stays light
)
Ring = tuple[tuple[float, float], ...]


class Unusable(ValueError):
    """The file cannot be drawn; says what to mend."""


@dataclass(frozen=True)
class Outlines:
    """approval   what stands beneath the map: source and number of approval
    rings      code of a region -> its rings, each of (longitude, latitude) in degrees
    """

    approval: str
    rings: Mapping[str, Sequence[Ring]]


def outlines() -> Outlines | None:
    """What the operator supplies; None where nothing is. Raises Unusable."""
    path = settings.MAP_OUTLINES
    if not path:
        return None
    try:
        changed = Path(path).stat().st_mtime_ns
    except OSError as error:
        raise Unusable(_("%(path)s cannot be read.") % {"path": path}) from error
    return _read(path, changed)


@lru_cache(maxsize=1)
def _read(path: str, changed: int) -> Outlines:
    """Read once for each version of the file."""
    raw = Path(path).read_bytes()
    if len(raw) > LARGEST:
        raise Unusable(_("The file is larger than 20 MB; simplify the outlines."))
    try:
        return understood(json.loads(raw))
    except (ValueError, RecursionError) as error:
        raise error if isinstance(error, Unusable) else Unusable(_("The file is no JSON.")) from error


def understood(found: Any) -> Outlines:
    """GeoJSON (RFC 7946): a FeatureCollection with a member `approval`, and per feature a property `adcode` and polygons."""
    if not isinstance(found, dict) or found.get("type") != "FeatureCollection":
        raise Unusable(_("The file is no GeoJSON FeatureCollection."))
    approval = found.get("approval")
    if not isinstance(approval, str) or not approval.strip():
        raise Unusable(_("Name source and number of approval (审图号) in the member “approval”."))
    features = found.get("features")
    if not isinstance(features, list) or not features:
        raise Unusable(_("The file holds no features."))
    rings: dict[str, list[Ring]] = {}
    for number, feature in enumerate(features, start=1):
        try:
            code = str(feature["properties"]["adcode"])
            rings.setdefault(code, []).extend(_rings_of(feature["geometry"]))
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise Unusable(
                _("Feature %(number)d has no adcode, or no polygons of longitudes and latitudes.")
                % {"number": number}
            ) from error
    if sum(len(ring) for of_one in rings.values() for ring in of_one) > MOST_POINTS:
        raise Unusable(_("The outlines have more than 200,000 points; simplify them."))
    return Outlines(approval.strip()[:300], rings)


def _rings_of(geometry: Any) -> list[Ring]:
    if geometry["type"] not in {"Polygon", "MultiPolygon"}:
        raise ValueError(geometry["type"])
    is_one = geometry["type"] == "Polygon"
    polygons = [geometry["coordinates"]] if is_one else geometry["coordinates"]
    return [tuple(_point(*point[:2]) for point in ring) for polygon in polygons for ring in polygon]


def _point(lon: Any, lat: Any) -> tuple[float, float]:
    lon, lat = float(lon), float(lat)
    if not (math.isfinite(lon) and math.isfinite(lat) and abs(lon) <= 180 and abs(lat) <= 90):
        raise ValueError((lon, lat))
    return lon, lat


def thinned(rings: Sequence[Ring]) -> list[Ring]:
    """As many points as a picture shows, evenly left out."""
    points = sum(map(len, rings))
    step = max(1, -(-points // SHOWN_POINTS))
    return [ring[::step] for ring in rings if len(ring[::step]) >= 3]


@register()
def outlines_can_be_drawn(app_configs: Any, **_more: Any) -> list[CheckMessage]:
    try:
        outlines()
    except Unusable as error:
        return [
            Error(
                f"MAP_OUTLINES: {error}",
                hint="See docs/operations.md, Outlines for the map.",
                id="supplies.E002",
            )
        ]
    return []
