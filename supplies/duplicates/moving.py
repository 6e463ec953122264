"""Moving what hangs on one row to another, written down column by column, and putting it back."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.apps import apps
from django.db.models import Model, Q, QuerySet
from django.utils.translation import gettext as _

from supplies.accounts.models import Invitation
from supplies.carriers.models import CarrierAccount, ParkedEvent
from supplies.duplicates.models import Merge, MovedRow
from supplies.errors import Refused
from supplies.intake.models import Correction, ImportedRow
from supplies.listings.models import ListedFacility
from supplies.loads.models import ConsolidatedLoad
from supplies.needs.models import Appeal
from supplies.offers.models import Donation
from supplies.organisations.contacts import Contact
from supplies.organisations.models import Alias, Facility, Membership, Organisation
from supplies.shipments.models import Leg, Shipment

MADE = ""  # in place of a column: the merge made the row, and undoing it deletes it

# What of an organisation goes along when it is merged, and what of a site. In the house's order of locks, as far as these
# are locked elsewhere: shipments, then donations, then appeals. Needs are locked before, and follow their appeals.
OF_AN_ORGANISATION: tuple[tuple[type[Model], str], ...] = (
    (Shipment, "consignor"),
    (Shipment, "carrier"),
    (Leg, "carrier"),
    (ConsolidatedLoad, "carrier"),
    (ParkedEvent, "carrier"),
    (CarrierAccount, "carrier"),
    (Donation, "organisation"),
    (ImportedRow, "organisation"),
    (ListedFacility, "organisation"),
    (Alias, "organisation"),
    (Correction, "organisation"),
)
OF_A_SITE: tuple[tuple[type[Model], str], ...] = (
    (Shipment, "consignee"),
    (ConsolidatedLoad, "consignee"),
    (Donation, "directed_facility"),
    (Appeal, "facility"),
    (ImportedRow, "facility"),
)
# Whoever registers a false hospital beside a true one must not become the true one's member, nor her number its number.
PEOPLE: tuple[tuple[type[Model], str], ...] = (
    (Membership, "organisation"),
    (Invitation, "organisation"),
    (Contact, "organisation"),
)
# What stays with the row it was said of, and is read there: judgements and calls can only be added to, and a call that
# confirmed the one proves nothing of the other. Pairs and the trail of numbers shown speak of the rows as they were.
STAYS = frozenset(
    {
        "verification.organisation",
        "announcement.giver",  # who said it then
        "changerequest.organisation",  # what was said to be wrong was said of that row
        "changerequest.facility",
        "calllog.organisation",
        "order.facility",  # what an order says never changes; it is read for what the site was merged into
        "reveal.organisation",
        "reveal.on_behalf_of",
        "rearrangement.carrier_before",  # who it was taken from, on that day
        "certifiedgoods.facility",  # what was certified was counted there
        "duplicatepair.one",
        "duplicatepair.other",
        "savedsearch.organisation",  # her own, and she may have saved the other too; read for what it was merged into
        "webhookendpoint.organisation",  # whoever set it up would be told what the other does
        "organisation.merged_into",
        "facility.merged_into",
        "need.site",  # a copy, kept by the database
    }
)


def take_along(merge: Merge, rows: QuerySet[Any], column: str, to: Model) -> list[MovedRow]:
    """Let `column` of these rows lead to `to`; returns what is to be written down."""
    locked = list(rows.select_for_update(of=("self",)).order_by("pk").values_list("pk", f"{column}_id"))
    model = rows.model
    model._base_manager.filter(pk__in=[pk for pk, _before in locked]).update(**{column: to.pk})
    return [moved(merge, model, pk, column, before, to.pk) for pk, before in locked]


def put(merge: Merge, row: Model, **values: Any) -> list[MovedRow]:
    """Set columns of one row."""
    written = [
        moved(merge, type(row), row.pk, name, _value(row, name), _key(to)) for name, to in values.items()
    ]
    for name, to in values.items():
        setattr(row, name, to)
    row.save(update_fields=list(values))
    return written


def moved(merge: Merge, model: type[Model], pk: Any, column: str, before: Any, after: Any) -> MovedRow:
    name = str(model._meta.model_name)
    return MovedRow(
        merge=merge, table=name, row=str(pk), column=column, before=_plain(before), after=_plain(after)
    )


def _value(row: Model, column: str) -> Any:
    return getattr(row, str(row._meta.get_field(column).attname))  # type: ignore[union-attr]


def _key(value: Any) -> Any:
    return value.pk if isinstance(value, Model) else value


def _plain(value: Any) -> Any:
    """As JSON keeps it."""
    return value if value is None or isinstance(value, int | bool) else str(value)


# -- putting back -----------------------------------------------------------------------------------------


def put_back(merge: Merge) -> int:
    """Put back exactly what the merge moved; returns how many columns. What was erased since is passed over.

    Raises   Refused("changed-since") where something was changed again, and then nothing is put back
    """
    by_column: dict[tuple[str, str], list[MovedRow]] = defaultdict(list)
    for row in merge.moved.order_by("-pk"):
        by_column[row.table, row.column].append(row)
    counts = [_put_back(table, column, rows) for (table, column), rows in by_column.items()]
    return sum(counts)


def _put_back(table: str, column: str, rows: list[MovedRow]) -> int:
    model = apps.get_model("supplies", table)
    keys = [row.row for row in rows]
    if column == MADE:
        return int(model._base_manager.filter(pk__in=keys).delete()[0])
    field: Any = model._meta.get_field(column)
    there = model._base_manager.filter(pk__in=keys).select_for_update(of=("self",)).order_by("pk")
    now = {str(pk): _plain(value) for pk, value in there.values_list("pk", field.attname)}
    by_value: dict[Any, list[str]] = defaultdict(list)
    for row in rows:
        if row.row not in now:
            continue
        if now[row.row] != row.after:
            raise changed_since(model, row.row)
        by_value[row.before].append(row.row)
    for before, these in by_value.items():
        model._base_manager.filter(pk__in=these).update(**{field.attname: before})
    return sum(map(len, by_value.values()))


def changed_since(model: type[Model], key: str) -> Refused:
    return Refused(
        _(
            "%(what)s %(key)s was changed again since. Undo that first; if it is right as it is now, "
            "leave the merge and correct the rest by hand."
        )
        % {"what": model._meta.verbose_name, "key": key[:8]},
        code="changed-since",
    )


def counted(rows: Iterable[MovedRow]) -> list[tuple[str, int]]:
    """How many rows of what moved, in words, the most first."""
    by_table: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        by_table[row.table].add(row.row)
    named = [
        (str(apps.get_model("supplies", table)._meta.verbose_name_plural), len(keys))
        for table, keys in by_table.items()
    ]
    return sorted(named, key=lambda pair: (-pair[1], pair[0]))


def would_move(kept: Organisation, other: Organisation) -> list[tuple[str, int]]:
    """What a merge would take along, in words and numbers, for whoever decides."""
    sites = Facility.objects.filter(organisation=other)
    counts: dict[str, int] = defaultdict(int)
    counts[str(Facility._meta.verbose_name_plural)] = sites.count()
    for model, column in OF_AN_ORGANISATION + (PEOPLE if carries_people(kept, other) else ()):
        counts[str(model._meta.verbose_name_plural)] += model._base_manager.filter(**{column: other}).count()
    for model, column in OF_A_SITE:
        if model is not ImportedRow:
            counts[str(model._meta.verbose_name_plural)] += model._base_manager.filter(
                **{f"{column}__in": sites}
            ).count()
    return [(name, count) for name, count in counts.items() if count]


def carries_people(kept: Organisation, other: Organisation) -> bool:
    """Whether members and contacts go along: not from a body that nobody has verified to one that was."""
    return other.is_verified or not kept.is_verified


def not_there_yet(model: type[Model], kept: Organisation) -> Q:
    """Which rows of the other do not repeat what the kept one has: a membership or a name stands there once."""
    if model is Membership:
        there = kept.memberships.values_list("user", "role")
        again = Q(pk__in=[])
        for user, role in there:
            again |= Q(user=user, role=role)
        return ~again
    if model is Alias:
        names = [kept.normal_name, *kept.aliases.values_list("normal_name", flat=True)]
        return ~Q(normal_name__in=names)
    return Q()


def shipped_since(merge: Merge) -> QuerySet[Shipment]:
    """Shipments to a site of the kept organisation, made since, with goods promised to what came from the other."""
    appeals = [UUID(row.row) for row in merge.moved.filter(table="appeal")]
    known = merge.moved.filter(table="shipment").values_list("row", flat=True)
    carried = Shipment.objects.filter(lines__allocation__need__appeal__in=appeals, created_at__gte=merge.at)
    return carried.exclude(pk__in=list(known)).distinct()
