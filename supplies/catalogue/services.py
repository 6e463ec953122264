"""Loading the catalogue, correcting it, and asking it."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

from django.apps import apps
from django.db import transaction
from django.db.models import Model

from supplies.catalogue.dictionary import Dictionary, Found, StandardReading
from supplies.catalogue.models import Category, Item, Standard, Substitution, TransportMode, Unit, UnitRule
from supplies.editions.services import Loaded, load_table, read_rows

REFERENCE = Path(__file__).parent / "reference"
SUPPLIES = Path(__file__).parent.parent
TABLES: list[tuple[type[Model], str, list[str]]] = [
    (Category, "categories.csv", ["code"]),
    (Unit, "units.csv", ["code"]),
    (Item, "items.csv", ["code"]),
    (UnitRule, "unit_rules.csv", ["code"]),
    (Standard, "standards.csv", ["code"]),
    (Substitution, "substitutions.csv", ["offered", "satisfies", "item", "jurisdiction"]),
    (TransportMode, "transport_modes.csv", ["code"]),
]


@transaction.atomic
def load_reference(*, at: datetime) -> list[Loaded]:
    """Load the catalogue and the tracking codes. Loading twice changes nothing; edited rows stay."""
    loaded = [load_table(model, read_rows(REFERENCE / name), key=key, at=at) for model, name, key in TABLES]
    # Shipments build on the catalogue, so their table is asked for by name rather than imported.
    codes = read_rows(SUPPLIES / "shipments" / "reference" / "tracking_codes.csv")
    tracking = apps.get_model("supplies", "TrackingCode")
    return [*loaded, load_table(tracking, codes, key=["vocabulary", "code"], at=at)]


def find_items(text: str) -> list[Found]:
    """`Dictionary.find_items` for a single text."""
    return Dictionary().find_items(text)


def read_standard(text: str, item: Item | None = None, *, on: date) -> StandardReading:
    """`Dictionary.read_standard` for a single text."""
    return Dictionary().read_standard(text, item, on=on)


def to_base(
    item: Item, quantity: int | Decimal | Fraction, unit_text: str = "", pack_content: int | None = None
) -> int:
    """`Dictionary.to_base` for a single quantity."""
    return Dictionary().to_base(item, quantity, unit_text, pack_content)
