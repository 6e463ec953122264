"""How far two places lie apart, as the crow flies."""

from math import asin, cos, radians, sin, sqrt

EARTH_KM = 6371.0
Point = tuple[float, float]  # latitude and longitude in degrees


def km_between(here: Point, there: Point) -> float:
    """Great-circle distance in kilometres (haversine; R. W. Sinnott 1984)."""
    (lat, lon), (to_lat, to_lon) = ((radians(a), radians(b)) for a, b in (here, there))
    half = sin((to_lat - lat) / 2) ** 2 + cos(lat) * cos(to_lat) * sin((to_lon - lon) / 2) ** 2
    return 2 * EARTH_KM * asin(min(1.0, sqrt(half)))
