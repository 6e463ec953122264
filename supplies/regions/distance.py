"""How far two places lie apart, as the crow flies."""

from typing import Any

from django.db.models import FloatField, Value
from django.db.models.functions import ASin, Cos, Least, Power, Radians, Sin, Sqrt

EARTH_KM = 6371.0
Point = tuple[float, float]  # latitude and longitude in degrees


def km_between(here: Point, there: tuple[Any, Any]) -> Any:
    """Great-circle distance in kilometres (haversine; R. W. Sinnott 1984), as the database reckons it for each row.

    there    the columns of latitude and longitude; where they are empty, so is the distance
    """
    lat, lon = (Radians(Value(degrees, FloatField())) for degrees in here)
    to_lat, to_lon = (Radians(column) for column in there)
    north, east = Power(Sin((to_lat - lat) / 2), 2), Power(Sin((to_lon - lon) / 2), 2)
    return 2 * EARTH_KM * ASin(Least(1.0, Sqrt(north + Cos(lat) * Cos(to_lat) * east)))
