"""Database rows as the columns of a Problem, and back to the rows a plan speaks of."""

import uuid
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from functools import cached_property
from typing import Any, Self

import numpy as np
from django.db import connection
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.db.models.expressions import RawSQL
from django.db.models.functions import Coalesce
from django.utils import timezone
from numpy.typing import NDArray

from matching.kernel.columns import packed, unpacked
from matching.kernel.problem import (
    ANYONE,
    EVERY_REGION,
    FAR_AWAY_DAYS,
    MAX_QUANTITY,
    NO_LIMIT_KM,
    URGENCIES,
    Demands,
    Modes,
    Policy,
    Problem,
    Supplies,
)
from matching.kernel.substitution import (
    NeedKind,
    OfferKind,
    Rules,
    Standard,
    Substitution,
    families,
    verdicts,
)
from matching.models import Proposal, ProposalStatus
from matching.orders import Order, OrderKind, frozen
from supplies.catalogue import models as catalogue
from supplies.editions.models import ReferenceEdition
from supplies.emergencies.models import Emergency
from supplies.needs.models import Need, SenderKind
from supplies.offers.models import Offer
from supplies.regions.models import Region

SENDER_BIT = {kind: 1 << position for position, kind in enumerate(SenderKind.values)}
USUAL_BEDS, USUAL_DAYS = 40, 14  # what Item.assumed_quantity is reckoned for
COVER_DAYS = 60  # nobody is matched beyond what it can use in so many days
OVERSEAS_BIT = 1 << len(SENDER_BIT)

NEED_COLUMNS = (
    "pk",
    "item",
    "quantity_outstanding",
    "quantity_proposed",
    "served",
    "urgency",
    "deadline_at",
    "min_lot",
    "medical_grade",
    "sterile",
    "setting",
    "substitutes_welcome",
    "quantity_kind",
    "urgency_assumed",
    "version",
    "appeal__facility",
    "appeal__facility__region",
    "latitude",
    "longitude",
    "appeal__accepted_senders",
    "appeal__accepts_overseas",
    "created_at",
    "appeal__facility__beds",
    "appeal__facility__patients",
    "appeal__facility__staff",
)
OFFER_COLUMNS = (
    "pk",
    "item",
    "quantity_open",
    "quantity_proposed",
    "pack",
    "min_lot",
    "standard",
    "sterile",
    "expires_on",
    "available_from",
    "mode",
    "max_km",
    "version",
    "donation__sender_kind",
    "donation__from_overseas",
    "latitude",
    "longitude",
    "donation__directed_facility",
    "donation__directed_region",
    "created_at",
)


@dataclass(frozen=True)
class Rulebook:
    """The editable tables as one version of them stands: what replaces what, which items make a family, how goods travel."""

    rules: Rules
    family_of: Mapping[str, str]
    modes: tuple[tuple[str, int, int, bool, bool], ...]
    regions: tuple[str, ...]
    min_shelf_days: Mapping[str, int]
    clinical: frozenset[str]
    cold: frozenset[str]
    dangerous: frozenset[str]
    usual: Mapping[str, int]
    editions: Mapping[str, int]

    @classmethod
    def read(cls) -> Self:
        items = {row.pk: row for row in catalogue.Item.objects.all()}
        rules = read_rules(items)
        return cls(
            rules=rules,
            family_of=families(sorted(items), rules),
            modes=tuple(
                (
                    row.pk,
                    row.km_per_day,
                    NO_LIMIT_KM if row.max_km is None else row.max_km,
                    row.keeps_cold,
                    row.takes_dangerous,
                )
                for row in catalogue.TransportMode.objects.order_by("pk")
            ),
            regions=tuple(sorted(Region.objects.values_list("path", flat=True))),
            min_shelf_days={code: item.min_shelf_days for code, item in items.items()},
            clinical=clinical_items(items, rules),
            cold=frozenset(code for code, item in items.items() if item.is_cold_chain),
            dangerous=frozenset(code for code, item in items.items() if item.is_dangerous),
            usual={code: item.assumed_quantity for code, item in items.items() if item.assumed_quantity},
            editions=ReferenceEdition.objects.all().versions(),
        )

    @cached_property
    def place_of(self) -> dict[str, int]:
        """Region code -> preorder number."""
        return {path.rsplit("/", 2)[-2]: number for number, path in enumerate(self.regions)}

    def inside(self, code: str) -> tuple[int, int]:
        """First and last preorder number of a region with all it contains."""
        path = self.regions[self.place_of[code]]
        return self.place_of[code], bisect_left(self.regions, path + "\U0010ffff") - 1

    def country_of(self, code: str) -> str:
        return self.regions[self.place_of[code]].split("/", 2)[1]


def read_rules(items: Mapping[str, catalogue.Item]) -> Rules:
    """What may stand in for what, as the table of standards and substitutions says now."""
    rows = catalogue.Standard.objects.prefetch_related("items")
    made_to = [(row, [item.pk for item in row.items.all()]) for row in rows]
    return as_rules(items, made_to, catalogue.Substitution.objects.order_by("pk"))


def as_rules(
    items: Mapping[str, catalogue.Item],
    made_to: Iterable[tuple[catalogue.Standard, Iterable[str]]],
    edges: Iterable[catalogue.Substitution],
) -> Rules:
    """The same, of rows that are at hand: each standard with the items it is about."""
    standards = {
        row.pk: Standard(row.pk, frozenset(goods), row.medical_use != catalogue.MedicalUse.NO)
        for row, goods in made_to
    }
    return Rules(standards, [_edge(row) for row in edges if _same_unit(row, standards, items)])


def clinical_items(items: Mapping[str, catalogue.Item], rules: Rules) -> frozenset[str]:
    """Items for which "medical grade only" means something: there are standards to tell it by."""
    with_standards = {item for standard in rules.standards.values() for item in standard.items}
    return frozenset(
        code for code, item in items.items() if item.needs_medical_grade and code in with_standards
    )


def _edge(row: catalogue.Substitution) -> Substitution:
    condition = (
        f"{row.condition} wasteful" if row.is_wasteful and "wasteful" not in row.condition else row.condition
    )
    return Substitution(
        row.pk,
        row.offered_id,
        row.satisfies_id,
        row.verdict,
        row.relation.replace("_", " "),
        row.jurisdiction,
        row.use_scope,
        condition,
    )


def _same_unit(
    row: catalogue.Substitution, standards: Mapping[str, Standard], items: Mapping[str, catalogue.Item]
) -> bool:
    """Goods counted differently cannot stand in for each other: a family has one unit."""
    touched = standards[row.offered_id].items | standards[row.satisfies_id].items
    return len({items[code].base_unit_id for code in touched}) <= 1


@dataclass(frozen=True, eq=False)
class Rows:
    """Which need and which offer the rows of a problem are, and the row version they were read in.

    beyond   what each need asks for beyond what its facility can plausibly use
    """

    need: NDArray[np.uint8]  # (n, 16) bytes of the UUIDs
    need_version: NDArray[np.int64]
    offer: NDArray[np.uint8]
    offer_version: NDArray[np.int64]
    beyond: NDArray[np.int64]

    def to_bytes(self) -> bytes:
        return packed({column.name: getattr(self, column.name) for column in fields(self)})

    @classmethod
    def from_bytes(cls, stored: bytes) -> Self:
        arrays = unpacked(stored)
        # Runs that were stored before needs were capped one by one say nothing of it.
        none = {"beyond": np.zeros(len(arrays["need"]), np.int64)}
        return cls(**{column.name: {**none, **arrays}[column.name] for column in fields(cls)})

    def need_id(self, position: int) -> uuid.UUID:
        return uuid.UUID(bytes=self.need[position].tobytes())

    def offer_id(self, position: int) -> uuid.UUID:
        return uuid.UUID(bytes=self.offer[position].tobytes())


@dataclass(frozen=True, eq=False)
class Snapshot:
    """A family as it stood."""

    family: str
    rows: Rows
    problem: Problem


def read_consistently() -> None:
    """One snapshot for all queries of this transaction. Where a transaction runs already (in tests), its own level stays."""
    if not connection.savepoint_ids:
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")


def open_needs(emergency: Emergency, at: datetime) -> QuerySet[Need]:
    """Needs a run may serve: open, due later, of facilities that take goods, and not frozen by an order."""
    return Need.objects.open().in_emergency(emergency).taking().due_after(at).exclude(frozen(emergency, at))


def open_offers(emergency: Emergency, at: datetime) -> QuerySet[Offer]:
    """Offers a run may use: open, not expired, still available."""
    today = timezone.localdate(at)
    return (
        Offer.objects.open()
        .in_emergency(emergency)
        .exclude(expires_on__lte=today)
        .exclude(available_until__lt=today)
    )


def _has_room(side: str, left: str) -> Q:
    """Something is left that nobody holds, or only proposals that wait for a volunteer do."""
    waits = Proposal.objects.waiting().filter(**{side: OuterRef("pk")})
    return Q(**{f"{left}__gt": F("quantity_proposed")}) | Q(Exists(waits))


def take(
    emergency: Emergency, *, as_of: datetime, policy: Policy, rulebook: Rulebook, only: Iterable[str] = ()
) -> list[Snapshot]:
    """A Problem per family that has needs, read in a handful of queries whatever their number.

    Proposals that wait for a volunteer take part with their sides: what they hold is free again, and they are named.

    Call inside one REPEATABLE READ transaction. The largest family comes first.
    """
    wanted = set(only)
    items = [item for item, family in rulebook.family_of.items() if not wanted or family in wanted]
    asked = open_needs(emergency, as_of).filter(_has_room("need", "quantity_outstanding"), item__in=items)
    given = open_offers(emergency, as_of).filter(_has_room("offer", "quantity_open"), item__in=items)
    needs, offers = _need_rows(asked), _offer_rows(given)
    standards = _accepted_standards(asked)
    barred, waiting = _barred(emergency), _waiting(emergency)
    barred += _ordered(emergency, needs, offers, as_of=as_of, rulebook=rulebook)
    by_family: dict[str, tuple[list[dict[str, Any]], list[dict[str, Any]]]] = defaultdict(lambda: ([], []))
    for side, rows in enumerate((needs, offers)):
        for row in rows:
            by_family[rulebook.family_of[row["item"]]][side].append(row)
    snapshots = [
        _snapshot(
            family, ours, theirs, standards, barred, waiting, as_of=as_of, policy=policy, rulebook=rulebook
        )
        for family, (ours, theirs) in by_family.items()
        if ours
    ]
    return sorted(
        snapshots, key=lambda s: (-len(s.problem.demands) * (len(s.problem.supplies) + 1), s.family)
    )


@dataclass(frozen=True)
class Couple:
    """A need and an offer, and the units between them; `held` of these count as proposed already."""

    need: uuid.UUID
    offer: uuid.UUID
    quantity: int
    held: int


def take_couples(couples: Sequence[Couple], *, as_of: datetime, rulebook: Rulebook) -> Problem:
    """A problem whose n-th demand and n-th supply are the n-th couple, each as if there were no other.

    Whether the units are still there is the ledger's to say: both sides have at least those of the couple.
    """
    asked = Need.objects.filter(pk__in={couple.need for couple in couples})
    given = Offer.objects.filter(pk__in={couple.offer for couple in couples})
    rulebook = replace(rulebook, usual={})  # people may send more than the facility seems to be able to use
    needs, offers = ({row["pk"]: row for row in rows} for rows in (_need_rows(asked), _offer_rows(given)))
    return _snapshot(
        "",
        [_with_room(needs[couple.need], "quantity_outstanding", couple) for couple in couples],
        [_with_room(offers[couple.offer], "quantity_open", couple) for couple in couples],
        _accepted_standards(asked),
        [],
        [],
        as_of=as_of,
        policy=Policy.urgency(),
        rulebook=rulebook,
    ).problem


MOST_ASKED = 2_000  # needs that goods are held against before they are offered, the most urgent ones


def take_goods(
    emergency: Emergency, goods: Sequence[Offer], *, as_of: datetime, rulebook: Rulebook
) -> Snapshot:
    """A problem of goods that nobody has offered yet, and of the open needs they may have to do with.

    goods    offers and their donation as they would be stored; the n-th is the n-th supply
    """
    wanted = {rulebook.family_of[offer.item_id] for offer in goods}
    items = [item for item, family in rulebook.family_of.items() if family in wanted]
    found = open_needs(emergency, as_of).filter(
        item__in=items, quantity_outstanding__gt=F("quantity_proposed")
    )
    asked = Need.objects.filter(
        pk__in=found.order_by("urgency", "deadline_at", "pk").values("pk")[:MOST_ASKED]
    )
    return _snapshot(
        "",
        _need_rows(asked),
        [_unstored(offer, as_of) for offer in goods],
        _accepted_standards(asked),
        [],
        [],
        as_of=as_of,
        policy=Policy.urgency(),
        rulebook=rulebook,
    )


def _unstored(offer: Offer, as_of: datetime) -> dict[str, Any]:
    donation = offer.donation
    return {
        "pk": offer.pk,
        "item": offer.item_id,
        "quantity_open": offer.quantity,
        "quantity_proposed": 0,
        "pack": offer.pack,
        "min_lot": offer.min_lot,
        "standard": offer.standard_id,
        "sterile": offer.sterile,
        "expires_on": offer.expires_on,
        "available_from": offer.available_from,
        "mode": offer.mode_id,
        "max_km": offer.max_km,
        "version": 0,
        "donation__sender_kind": donation.sender_kind,
        "donation__from_overseas": donation.from_overseas,
        "latitude": donation.region.lat if donation.region_id else None,
        "longitude": donation.region.lon if donation.region_id else None,
        "donation__directed_facility": donation.directed_facility_id,
        "donation__directed_region": donation.directed_region_id,
        "created_at": as_of,
    }


def _with_room(row: Mapping[str, Any], left: str, couple: Couple) -> dict[str, Any]:
    """The row with what others hold of it, so that a parcel can be the rest; never so much that the couple has no room."""
    others = row["quantity_proposed"] - couple.held
    return {**row, "quantity_proposed": min(others, row[left] - couple.quantity)}


def _need_rows(needs: QuerySet[Need]) -> list[dict[str, Any]]:
    rows = needs.annotate(
        version=RawSQL("supplies_need.xmin::text::bigint", ()),
        served=F("quantity_promised")
        + F("quantity_in_transit")
        + F("quantity_received")
        - F("received_before")
        + F("quantity_proposed"),
        latitude=Coalesce(F("appeal__facility__lat"), F("appeal__facility__region__lat")),
        longitude=Coalesce(F("appeal__facility__lon"), F("appeal__facility__region__lon")),
    )
    return [
        dict(zip(NEED_COLUMNS, row, strict=True))
        for row in rows.order_by("pk").values_list(*NEED_COLUMNS).iterator(5000)
    ]


def _offer_rows(offers: QuerySet[Offer]) -> list[dict[str, Any]]:
    rows = offers.annotate(
        version=RawSQL("supplies_offer.xmin::text::bigint", ()),
        latitude=Coalesce(F("donation__lat"), F("donation__region__lat")),
        longitude=Coalesce(F("donation__lon"), F("donation__region__lon")),
    )
    return [
        dict(zip(OFFER_COLUMNS, row, strict=True))
        for row in rows.order_by("pk").values_list(*OFFER_COLUMNS).iterator(5000)
    ]


def _accepted_standards(needs: QuerySet[Need]) -> dict[uuid.UUID, frozenset[str]]:
    found: dict[uuid.UUID, set[str]] = defaultdict(set)
    links = Need.accepted_standards.through.objects.filter(need__in=needs.values("pk"))
    for need, standard in links.values_list("need", "standard").iterator(5000):
        found[need].add(standard)
    return {need: frozenset(codes) for need, codes in found.items()}


def _barred(emergency: Emergency) -> list[tuple[uuid.UUID, uuid.UUID]]:
    """Pairs that were declined, or wait for the answer of a side."""
    never = Proposal.objects.filter(
        status__in=[ProposalStatus.APPROVED, ProposalStatus.DECLINED], need__appeal__emergency=emergency
    )
    return list(never.values_list("need", "offer").distinct())


def _ordered(
    emergency: Emergency,
    needs: list[dict[str, Any]],
    offers: list[dict[str, Any]],
    *,
    as_of: datetime,
    rulebook: Rulebook,
) -> list[tuple[uuid.UUID, uuid.UUID]]:
    """Do what coordinators ordered: note in the rows which needs are preferred; the pairs that may not be.

    A reserved offer is kept from every need outside its place, a forbidden one from those within.
    """
    orders = Order.objects.in_force(as_of).filter(emergency=emergency).exclude(kind=OrderKind.FREEZE)
    orders = orders.select_related("facility__merged_into")
    at_hand = {row["pk"] for row in offers}
    barred: list[tuple[uuid.UUID, uuid.UUID]] = []
    for order in orders.order_by("created_at", "pk"):
        covered = [_is_covered(order, row, rulebook) for row in needs]
        if order.kind == OrderKind.PREFER:
            for row, is_covered in zip(needs, covered, strict=True):
                row["preferred"] = row.get("preferred", False) or is_covered
        elif order.offer_id is not None and order.offer_id in at_hand:
            keeps = order.kind == OrderKind.FORBID
            barred += [
                (row["pk"], order.offer_id)
                for row, is_covered in zip(needs, covered, strict=True)
                if is_covered == keeps
            ]
    return barred


def _is_covered(order: Order, row: Mapping[str, Any], rulebook: Rulebook) -> bool:
    if order.site is not None and order.site.pk != row["appeal__facility"]:
        return False
    if order.region_id is not None:
        first, last = rulebook.inside(order.region_id)
        if not first <= rulebook.place_of[row["appeal__facility__region"]] <= last:
            return False
    return order.item_id in (None, row["item"])


def _waiting(emergency: Emergency) -> list[tuple[uuid.UUID, uuid.UUID, int]]:
    """Pairs that wait for a volunteer, and the units proposed."""
    rows = Proposal.objects.waiting().filter(need__appeal__emergency=emergency).order_by("need", "offer")
    return list(rows.values_list("need", "offer", "quantity"))


def _snapshot(
    family: str,
    needs: list[dict[str, Any]],
    offers: list[dict[str, Any]],
    standards: Mapping[uuid.UUID, frozenset[str]],
    barred: list[tuple[uuid.UUID, uuid.UUID]],
    waiting: list[tuple[uuid.UUID, uuid.UUID, int]],
    *,
    as_of: datetime,
    policy: Policy,
    rulebook: Rulebook,
) -> Snapshot:
    need_kinds, need_kind = _numbered(_need_kind(row, standards, rulebook) for row in needs)
    offer_kinds, offer_kind = _numbered(
        OfferKind(row["item"], row["standard"], row["sterile"]) for row in offers
    )
    _facilities, facility = _numbered(
        [row["appeal__facility"] for row in needs] + [row["donation__directed_facility"] for row in offers]
    )
    need_at = {row["pk"]: position for position, row in enumerate(needs)}
    offer_at = {row["pk"]: position for position, row in enumerate(offers)}
    prior = np.array(
        sorted((need_at[n], offer_at[o], units) for n, o, units in waiting if n in need_at and o in offer_at),
        np.int64,
    ).reshape(-1, 3)
    demands, beyond = _demands(needs, need_kind, facility[: len(needs)], prior, as_of, policy, rulebook)
    rows = Rows(
        _bytes(row["pk"] for row in needs),
        np.array([row["version"] for row in needs], np.int64),
        _bytes(row["pk"] for row in offers),
        np.array([row["version"] for row in offers], np.int64),
        beyond,
    )
    problem = Problem(
        demands,
        _supplies(offers, offer_kind, facility[len(needs) :], prior, as_of, rulebook),
        _modes(rulebook),
        verdicts(rulebook.rules, offer_kinds, need_kinds),
        np.array(
            sorted((need_at[n], offer_at[o]) for n, o in barred if n in need_at and o in offer_at), np.int64
        ).reshape(-1, 2),
        policy,
        prior,
    )
    return Snapshot(family, rows, problem)


def _need_kind(
    row: Mapping[str, Any], standards: Mapping[uuid.UUID, frozenset[str]], rulebook: Rulebook
) -> NeedKind:
    return NeedKind(
        item=row["item"],
        standards=standards.get(row["pk"], frozenset()),
        medical_grade=row["medical_grade"] and row["item"] in rulebook.clinical,
        sterile=row["sterile"],
        valve_allowed=False,
        setting=row["setting"],
        substitutes_welcome=row["substitutes_welcome"],
        jurisdiction=rulebook.country_of(row["appeal__facility__region"]),
    )


def need_kinds(needs: QuerySet[Need], rulebook: Rulebook) -> dict[uuid.UUID, NeedKind]:
    """What each of these needs asks for, as far as substitution cares."""
    standards = _accepted_standards(needs)
    return {row["pk"]: _need_kind(row, standards, rulebook) for row in _need_rows(needs)}


def _numbered(values: Iterable[Any]) -> tuple[list[Any], NDArray[np.int32]]:
    """The distinct values in order of appearance, and each value's number."""
    number: dict[Any, int] = {}
    positions = [number.setdefault(value, len(number)) for value in values]
    return list(number), np.array(positions, np.int32)


def _bytes(ids: Iterable[uuid.UUID]) -> NDArray[np.uint8]:
    return np.frombuffer(b"".join(each.bytes for each in ids), np.uint8).reshape(-1, 16)


def _column(rows: list[dict[str, Any]], name: str, dtype: type, missing: float = 0) -> NDArray[Any]:
    return np.array([missing if row[name] is None else row[name] for row in rows], dtype)


def _modes(rulebook: Rulebook) -> Modes:
    return Modes(*(np.array([mode[column] for mode in rulebook.modes]) for column in range(1, 5)))


def _held(prior: NDArray[np.int64], side: int, count: int) -> NDArray[np.int64]:
    """Units of each row that only proposals which wait for a volunteer hold."""
    held = np.zeros(count, np.int64)
    np.add.at(held, prior[:, side], prior[:, 2])
    return held


def _plausible(row: Mapping[str, Any], rulebook: Rulebook) -> int:
    """The most a facility can use in COVER_DAYS, by its size; without limit where neither is known.

    The catalogue's usual quantity of an item is what a facility of USUAL_BEDS uses in USUAL_DAYS.
    """
    size = max(row[f"appeal__facility__{of}"] or 0 for of in ("beds", "patients", "staff"))
    usual = rulebook.usual.get(row["item"])
    if not size or not usual:
        return MAX_QUANTITY
    return -(-usual * size * COVER_DAYS // (USUAL_BEDS * USUAL_DAYS))


def _usable(
    rows: list[dict[str, Any]], asked: NDArray[np.int64], served: NDArray[np.int64], rulebook: Rulebook
) -> NDArray[np.int64]:
    """What is asked for, up to what each facility can use of an item over all its needs; the most urgent of them first."""
    left: dict[tuple[Any, str], int] = {}
    for row, units in zip(rows, served.tolist(), strict=True):
        key = row["appeal__facility"], row["item"]
        left[key] = left.get(key, _plausible(row, rulebook)) - units
    wanted = asked.copy()
    order = sorted(range(len(rows)), key=lambda at: (rows[at]["urgency"], rows[at]["deadline_at"], at))
    for at in order:
        key = rows[at]["appeal__facility"], rows[at]["item"]
        wanted[at] = min(int(asked[at]), max(left[key], 0))
        left[key] -= int(wanted[at])
    return wanted


def _demands(
    rows: list[dict[str, Any]],
    kind: NDArray[np.int32],
    facility: NDArray[np.int32],
    prior: NDArray[np.int64],
    as_of: datetime,
    policy: Policy,
    rulebook: Rulebook,
) -> tuple[Demands, NDArray[np.int64]]:
    """The needs, and what each asks for beyond what its facility can use, which it does not want."""
    held = _held(prior, 0, len(rows))
    outstanding, proposed = (_column(rows, f"quantity_{of}", np.int64) for of in ("outstanding", "proposed"))
    asked = np.clip(outstanding - proposed + held, 0, MAX_QUANTITY)
    served = _column(rows, "served", np.int64) - held
    wanted = _usable(rows, asked, served, rulebook)
    waited = np.array([max((as_of - row["created_at"]).days, 0) for row in rows], np.int32)
    urgency = _column(rows, "urgency", np.int32)
    aged = (urgency == URGENCIES[-1]) & (policy.ageing_days > 0) & (waited >= policy.ageing_days)
    preferred = np.array([row.get("preferred", False) for row in rows], np.int32)
    demands = Demands(
        id=np.arange(len(rows)),
        kind=kind,
        wanted=wanted,
        served=served,
        urgency=np.maximum(urgency - aged - preferred, URGENCIES[0]),
        deadline_days=np.array(
            [min((row["deadline_at"] - as_of).days, FAR_AWAY_DAYS) for row in rows], np.int32
        ),
        # The rest of a need is useful however small it is; what it may not have is no rest.
        min_lot=np.minimum(_column(rows, "min_lot", np.int64), np.maximum(asked, 1)),
        lat_deg=_column(rows, "latitude", np.float64, np.nan),
        lon_deg=_column(rows, "longitude", np.float64, np.nan),
        facility=facility,
        region=np.array([rulebook.place_of[row["appeal__facility__region"]] for row in rows], np.int32),
        accepted_senders=np.array(
            [
                sum(SENDER_BIT[kind] for kind in row["appeal__accepted_senders"])
                | (OVERSEAS_BIT if row["appeal__accepts_overseas"] else 0)
                for row in rows
            ],
            np.int32,
        ),
        assumed=np.array([row["quantity_kind"] != "number" for row in rows], np.bool_),
        waited_days=waited,
    )
    return demands, asked - wanted


def _supplies(
    rows: list[dict[str, Any]],
    kind: NDArray[np.int32],
    facility: NDArray[np.int32],
    prior: NDArray[np.int64],
    as_of: datetime,
    rulebook: Rulebook,
) -> Supplies:
    today = timezone.localdate(as_of)
    mode_at = {mode[0]: position for position, mode in enumerate(rulebook.modes)}
    proposed = _column(rows, "quantity_proposed", np.int64) - _held(prior, 1, len(rows))
    inside = [
        rulebook.inside(row["donation__directed_region"])
        if row["donation__directed_region"]
        else EVERY_REGION
        for row in rows
    ]
    directed = np.array([row["donation__directed_facility"] is not None for row in rows], np.bool_)
    return Supplies(
        id=np.arange(len(rows)),
        kind=kind,
        available=_column(rows, "quantity_open", np.int64) - proposed,
        pack=_column(rows, "pack", np.int64),
        min_lot=_column(rows, "min_lot", np.int64),
        shelf_days=np.array(
            [(row["expires_on"] - today).days if row["expires_on"] else FAR_AWAY_DAYS for row in rows],
            np.int32,
        ),
        min_shelf_days=np.array([rulebook.min_shelf_days[row["item"]] for row in rows], np.int32),
        ready_in_days=np.array([max(0, (row["available_from"] - today).days) for row in rows], np.int32),
        lat_deg=_column(rows, "latitude", np.float64, np.nan),
        lon_deg=_column(rows, "longitude", np.float64, np.nan),
        mode=np.array([mode_at[row["mode"]] for row in rows], np.int32),
        max_km=_column(rows, "max_km", np.int32, NO_LIMIT_KM),
        sender=np.array(
            [
                SENDER_BIT.get(row["donation__sender_kind"], 0)
                | (OVERSEAS_BIT if row["donation__from_overseas"] else 0)
                for row in rows
            ],
            np.int32,
        ),
        directed_facility=np.where(directed, facility, ANYONE).astype(np.int32),
        directed_region_first=np.array([first for first, _last in inside], np.int32),
        directed_region_last=np.array([last for _first, last in inside], np.int32),
        waited_days=np.array([max((as_of - row["created_at"]).days, 0) for row in rows], np.int32),
        is_cold=np.array([row["item"] in rulebook.cold for row in rows], np.bool_),
        is_dangerous=np.array([row["item"] in rulebook.dangerous for row in rows], np.bool_),
    )
