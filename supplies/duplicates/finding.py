"""Which organisations, and which needs, may be the same: found by keys that alike rows share, never by comparing all with all."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby, islice, pairwise
from typing import Any, TypeVar
from uuid import UUID

from django.db.models import BooleanField, Count, F, Q, Value, Window
from django.db.models.functions import Collate
from rapidfuzz import fuzz

from supplies.duplicates.models import DuplicatePair
from supplies.needs.models import Need, QuantityKind
from supplies.organisations.models import Alias, Organisation, Verified
from supplies.organisations.names import (
    SHORTEST_TO_MISSPELL,
    is_specific,
    keys_of,
    may_be_one,
    normal_name,
    short_name,
    tells_apart,
)
from supplies.regions.models import Region
from supplies.regions.services import city_of

NAMED_PUBLICLY = (Organisation.Kind.HOSPITAL, Organisation.Kind.COORDINATOR, Organisation.Kind.CARRIER)
Row = TypeVar("Row")
SAME, ALSO_KNOWN, ELSEWHERE = 97, 95, 70  # likeness, of 100
AT_ONCE = 200  # pairs whose needs are read together


@dataclass(frozen=True)
class Candidate:
    """Two rows that may be the same, their ids in order; how like they are, and why."""

    one: UUID
    other: UUID
    score: int
    reasons: tuple[str, ...]


def candidate(one: UUID, other: UUID, score: int, *reasons: str) -> Candidate:
    first, second = sorted([one, other])
    return Candidate(first, second, score, reasons)


@dataclass(frozen=True)
class Named:
    """One name of an organisation, as compared: whole, and without its city's."""

    organisation: UUID
    kind: str
    path: str
    code: str
    is_own: bool
    key: str
    short: str


def in_batches(rows: Iterable[Row], size: int) -> Iterator[list[Row]]:
    """The rows, so many at once."""
    left = iter(rows)
    while some := list(islice(left, size)):
        yield some


# -- organisations ----------------------------------------------------------------------------------------


def alike_organisations() -> Iterator[Candidate]:
    """Pairs of one kind: in a city by each of their names, and across cities where a name is the very same.

    One city is held in memory at a time. Each name is looked up under itself and under itself without one of its
    characters, so that the time grows with the number of names and not with that of pairs.
    """
    cities = dict(Region.objects.values_list("code", "name_zh"))
    for path, rows in groupby(_names(), key=lambda row: city_of(row[0])):
        city = cities.get(path.strip("/").split("/")[-1], "")
        yield from alike_names([_named(row, city) for row in rows])
    yield from _same_elsewhere()


def _rows() -> Any:
    """Organisations that are looked at: refused ones are nobody, and people who give bear the names of people."""
    return Organisation.objects.standing().filter(kind__in=NAMED_PUBLICLY).exclude(status=Verified.REFUSED)


def _names() -> Iterator[tuple[Any, ...]]:
    """Every name with its owner's path, id, kind and code, city after city."""
    own = _rows().annotate(path=Collate("region__path", "C"), is_own=Value(True, BooleanField()))
    others = Alias.objects.filter(organisation__in=_rows()).annotate(
        path=Collate("organisation__region__path", "C"), is_own=Value(False, BooleanField())
    )
    names = own.values_list("path", "pk", "kind", "credit_code", "is_own", "name").union(
        others.values_list(
            "path", "organisation", "organisation__kind", "organisation__credit_code", "is_own", "name"
        ),
        all=True,
    )
    return iter(names.order_by("path").iterator(chunk_size=1000))


def _named(row: tuple[Any, ...], city: str) -> Named:
    path, organisation, kind, code, is_own, name = row
    return Named(organisation, kind, path, code, is_own, normal_name(name), short_name(name, city))


def alike_names(names: Iterable[Named]) -> Iterator[Candidate]:
    """Pairs among the names of one city, the likeliest reason of each."""
    best: dict[tuple[UUID, UUID], Candidate] = {}
    for shared in _sharing(names):
        # With the first and with its neighbour: a name that a hundred rows bear makes two hundred pairs, not five thousand.
        pairs = {(0, place) for place in range(1, len(shared))} | set(pairwise(range(len(shared))))
        for found in filter(None, (judged(shared[one], shared[other]) for one, other in sorted(pairs))):
            known = best.get((found.one, found.other))
            if known is None or known.score < found.score:
                best[found.one, found.other] = found
    yield from best.values()


def _sharing(names: Iterable[Named]) -> Iterator[list[Named]]:
    """The names that share a key: the name itself, or the name without one character."""
    buckets: dict[tuple[Any, ...], list[Named]] = defaultdict(list)
    for name in names:
        told = tells_apart(name.short)
        for key in keys_of(name.short):
            buckets[name.kind, told, key].append(name)
    return (shared for shared in buckets.values() if len(shared) > 1)


def judged(one: Named, other: Named) -> Candidate | None:
    """Whether two names of one city may be one organisation's. Two credit codes never are."""
    if one.organisation == other.organisation or (one.code and other.code and one.code != other.code):
        return None
    if not may_be_one(one.short, other.short, same_district=one.path == other.path):
        return None
    ids = one.organisation, other.organisation
    if one.short == other.short:
        both_own = one.is_own and other.is_own
        return candidate(*ids, SAME if both_own else ALSO_KNOWN, "same-name" if both_own else "other-name")
    return candidate(*ids, min(round(fuzz.ratio(one.short, other.short)), ALSO_KNOWN - 1), "near-name")


def _same_elsewhere() -> Iterator[Candidate]:
    """Of one name in several cities, where the name says whose it is: a list may have it under the wrong one."""
    rows = (
        _rows()
        .annotate(together=Window(Count("pk"), partition_by=["kind", "normal_name"]))
        .filter(together__gt=1)
        .order_by("kind", Collate("normal_name", "C"), "created_at", "pk")
        .values_list("kind", "normal_name", "pk", "region__path", "credit_code")
    )
    for (_kind, name), same in groupby(rows.iterator(chunk_size=1000), key=lambda row: row[:2]):
        (_k, _n, first, path, code), *others = same
        if len(name) < SHORTEST_TO_MISSPELL or not is_specific(name):
            continue
        for _k, _n, other, its_path, its_code in others:
            if city_of(path) != city_of(its_path) and (code == its_code or not (code and its_code)):
                yield candidate(first, other, ELSEWHERE, "same-name-elsewhere")


# -- needs ------------------------------------------------------------------------------------------------


def alike_needs() -> Iterator[Candidate]:
    """Open needs for one item that a site, or two sites that may be one, ask for in the same days."""
    yield from needs_of_one_site(Q())
    pairs = DuplicatePair.objects.proposed().order_by("pk").values_list("one", "other")
    for some in in_batches(pairs.iterator(chunk_size=AT_ONCE), AT_ONCE):
        yield from _needs_of_pairs(some)


def needs_of_one_site(which: Q) -> Iterator[Candidate]:
    """Each open need with the oldest one of its site, item and emergency. `which` narrows the needs."""
    rows = (
        Need.objects.ours()
        .open()
        .filter(which)
        .annotate(together=Window(Count("pk"), partition_by=["site", "item", "appeal__emergency"]))
        .filter(together__gt=1)
        .order_by("site", "item", "appeal__emergency", "created_at", "pk")
        .annotate(emergency=F("appeal__emergency"))
        .only("site", "item", "created_at", "deadline_at", "quantity_kind", "quantity")
    )
    by_goods = groupby(
        rows.iterator(chunk_size=1000), key=lambda row: (row.site_id, row.item_id, row.emergency)
    )
    for _goods, same in by_goods:
        first = next(same)
        yield from (found for other in same if (found := _asked_twice(first, other, "same-site", most=95)))


def _needs_of_pairs(pairs: Iterable[tuple[UUID, UUID]]) -> Iterator[Candidate]:
    pairs = list(pairs)
    needs = (
        Need.objects.ours()
        .open()
        .filter(site__organisation__in={organisation for pair in pairs for organisation in pair})
        .annotate(whose=F("site__organisation"), emergency=F("appeal__emergency"))
        .order_by("created_at", "pk")
    )
    oldest: dict[UUID, dict[tuple[Any, Any], Any]] = defaultdict(dict)
    for need in needs.iterator(chunk_size=1000):
        oldest[need.whose].setdefault((need.item_id, need.emergency), need)
    for one, other in pairs:
        for goods in oldest[one].keys() & oldest[other].keys():
            found = _asked_twice(oldest[one][goods], oldest[other][goods], "sites-perhaps-one", most=70)
            if found is not None:
                yield found


def _asked_twice(first: Any, other: Any, where: str, *, most: int) -> Candidate | None:
    """How likely two needs of one item are one; none where the days do not overlap.

    most    the likeness of needs of the same quantity, of 100
    """
    if first.created_at >= other.deadline_at or other.created_at >= first.deadline_at:
        return None
    if {first.quantity_kind, other.quantity_kind} != {QuantityKind.NUMBER}:
        return candidate(first.pk, other.pk, most - 15, where, "quantity-not-known")
    low, high = sorted([first.quantity, other.quantity])
    if low == high:
        return candidate(first.pk, other.pk, most, where, "same-quantity")
    like = 2 * low >= high
    return candidate(
        first.pk, other.pk, most - (10 if like else 35), where, "near-quantity" if like else "other-quantity"
    )
