"""Quantities: whole numbers of the item's smallest counted unit, bounded in code and in the database."""

import secrets
from typing import Any

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

MOST = 10**10  # more masks than people: anything above is a slip of the keyboard (peers saw 2 * 10^14)


class QuantityField(models.BigIntegerField):
    """A count in the smallest counted unit."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("validators", [MinValueValidator(0), MaxValueValidator(MOST)])
        super().__init__(*args, **kwargs)


def within_bounds(name: str, *columns: str, at_least: int = 0) -> models.CheckConstraint:
    """The constraint that every quantity column has; empty columns pass."""
    condition = Q()
    for column in columns:
        condition &= Q(**{column: None}) | Q(**{f"{column}__gte": at_least, f"{column}__lte": MOST})
    return models.CheckConstraint(name=name, condition=condition)


def new_code() -> str:
    """An unguessable code of 128 bits that can be read over the telephone: 26 letters and digits, none alike."""
    alphabet = "23456789abcdefghjkmnpqrstuvwxyz"  # pragma: allowlist secret
    return "".join(secrets.choice(alphabet) for _ in range(26))
