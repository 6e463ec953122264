"""Two rows for one hospital, with everything that can hang on one; and all rows of the database, to be compared."""

from typing import Any

from django.db import connection

from supplies.duplicates.models import DuplicatePair
from supplies.organisations import services as people
from supplies.organisations.models import Organisation, User
from tests.makers import (
    NOW,
    make_allocation,
    make_donation,
    make_facility,
    make_member,
    make_need,
    make_offer,
    make_organisation,
    make_pair,
    make_shipment,
)

# What tells of merges, and the journal, which is only added to.
NOT_COMPARED = (
    "duplicatepair",
    "duplicateneeds",
    "merge",
    "movedrow",
    "event",
    "outgoing",
    "unsealed",
    "seal",
)


def make_double(
    name: str = "演练汉口医院", **fields: Any
) -> tuple[Organisation, Organisation, DuplicatePair]:
    """A hospital under its name, the same under a misspelt one with all that can hang on it, and their pair."""
    kept = make_organisation(name=name)
    make_need(make_facility(kept), quantity=1000)
    other = make_organisation(name=f"{name}总院", **fields)
    site = make_facility(other)
    make_facility(other, name="演练后湖院区")
    need = make_need(site, quantity=600)
    make_shipment(make_allocation(need=need, offer=make_offer(quantity=5000), quantity=100))
    make_donation(directed_facility=site)
    people.keep_contact(other, at=NOW, name="演练", phone="000-0000-0009", facility=site)
    people.add_alias(other, name="演练老汉口医院", kind="old", by=None, at=NOW)
    return kept, other, make_pair(kept, other)


def every_row() -> dict[str, list[str]]:
    """Each table's rows as text, in order, without what tells of merges."""
    with connection.cursor() as cursor:
        tables = [
            name
            for name in connection.introspection.table_names(cursor)
            if name.startswith("supplies_") and name.removeprefix("supplies_") not in NOT_COMPARED
        ]
        rows = {}
        for table in tables:
            cursor.execute(f'SELECT "{table}"::text FROM "{table}" ORDER BY 1')
            rows[table] = [row[0] for row in cursor.fetchall()]
    return rows


def acting_for(organisation: Organisation) -> User:
    return make_member("hospital", organisation)
