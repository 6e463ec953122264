"""The list of needs a page at a time: what is open before what is not, the most urgent first or the nearest first.

A page is cut by key, never by offset or count, where an index says. The key holds the phase (what is asked for itself, what stands in, what is not open any more), the
region where the nearest come first, and the place in the order; it is signed, so that nobody makes one up.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from django.core import signing
from django.db.models import (
    CharField,
    Exists,
    ExpressionWrapper,
    F,
    Func,
    IntegerField,
    JSONField,
    OuterRef,
    Q,
    QuerySet,
    Value,
)
from django.db.models.expressions import RawSQL
from django.db.models.functions import Cast, Coalesce, Collate, Length

from supplies.emergencies.models import Emergency
from supplies.needs.models import Need, NeedQuerySet, OpenThere
from supplies.organisations.models import Alias, Facility, Organisation
from supplies.regions.distance import Point, km_between
from supplies.regions.models import Region

ORDER = ("urgency", "is_grey", "needed_by", "pk")
PER_PAGE = 20
# Needs are asked for region by region, several together: first those with about so many open needs, then with so many, then
# all that are left. A page is nearly always full after the first; where few needs pass the filters, three questions find them
# all the same. A city may hold more of them than a province: it is needs that are counted, not regions. Of the regions so many
# are read at first. Without a filter, with one or two, with more:
TOGETHER: tuple[tuple[int | None, tuple[int, ...]], ...] = ((50, (1_000, 5_000)), (300, (5_000,)), (None, ()))
SAME_NAME = 6  # places of one name that are told
UNKNOWN_KM = 99_999  # of a place that nobody has located: farther than any other


@dataclass(frozen=True)
class Page:
    """Some needs, and the keys for what comes before and after them; empty where nothing does."""

    needs: list[Need]
    before: str = ""
    after: str = ""


@dataclass(frozen=True)
class Place:
    """From where distances count: a region, or a site of this name in it. The region is as far filled in as its name is told."""

    region: Region
    site: str
    point: Point


def places_called(text: str, organisations: QuerySet[Organisation]) -> list[Place]:
    """The regions of this name, else a site of these organisations whose name, or other name, holds it.

    The first is taken to be meant: what an emergency is about before all other places, the larger before the smaller.
    """
    about = Region.objects.filter(emergencies__in=Emergency.objects.going_on())
    path = ExpressionWrapper(OuterRef("path"), CharField())
    is_hit = Exists(about.annotate(whole=path).filter(whole__startswith=F("path")))
    regions = Region.objects.called(text).annotate(is_hit=is_hit, steps=Length("path"))
    found = list(_located(regions.order_by("-is_hit", "steps", "path"))[:SAME_NAME])
    return [_place(*row) for row in found or _sites_called(text, organisations) if None not in row[-2:]]


def _sites_called(text: str, organisations: QuerySet[Organisation]) -> list[Any]:
    """One at most, in one question: by its own name before another of its hospital's."""
    sites = Facility.objects.filter(organisation__in=organisations).order_by("name", "pk")
    owners = Alias.objects.mentioning(text).values("organisation")
    own, other = (sites.filter(**words) for words in ({"name__mentions": text}, {"organisation__in": owners}))
    rows = [_located(found[:1], "region__", Value(order)) for order, found in enumerate((own, other))]
    return [row[1:] for row in sorted(rows[0].union(rows[1], all=True), key=itemgetter(0))[:1]]


def _located(rows: QuerySet[Any], of: str = "", *order: Any) -> Any:
    lat, lon = (Coalesce(name, f"{of or 'parent__'}{name}") for name in ("lat", "lon"))
    told = [
        f"{of}{up}{name}"
        for up in ("", "parent__", "parent__parent__")
        for name in ("pk", "level", "name_zh", "name_en")
    ]
    return rows.values_list(*order, F("name") if of else Value(""), *told, lat, lon)


def _place(site: str, *told: Any) -> Place:
    region: Region | None = None
    for code, level, name_zh, name_en in (told[8:12], told[4:8], told[:4]):
        if code is not None:
            region = Region(code=code, level=level, name_zh=name_zh, name_en=name_en, parent=region)
    assert region is not None  # nosec B101 # every row has one
    return Place(region, site, told[-2:])  # type: ignore[arg-type]


class Nearest:
    """The regions where something was open when they were counted last, from the nearest to the farthest from a place.

    filters  how many narrow the list: the more, the more regions are asked at once, since few of them fill no page
    km       by path, of the regions that were read
    """

    def __init__(self, place: Point, *, filters: int = 0) -> None:
        self.first, self.together = TOGETHER[min((filters + 1) // 2, 2)]
        lat, lon = (Coalesce(f"region__{name}", f"region__parent__{name}") for name in ("lat", "lon"))
        self.km: dict[str, int] = {}
        self.rows = OpenThere.objects.filter(own_lines__gt=0).annotate(
            km=Coalesce(Cast(km_between(place, (lat, lon)), IntegerField()), UNKNOWN_KM),
            path=Collate("region__path", "C"),
        )

    def batches(self, beside: tuple[int, str] | None, direction: int) -> Iterator[list[str]]:
        """Paths of few regions first, then of many, then of the rest: those after (1) or before (-1) a place in the order.

        beside    km and path of that place, which is left out; None for all
        """
        rows, over = self.rows, "gt" if direction > 0 else "lt"
        if beside is not None:
            km, path = beside
            rows = rows.filter(Q(**{f"km__{over}": km}) | Q(**{"km": km, f"path__{over}": path}))
        rows = rows.order_by("km", "path") if direction > 0 else rows.order_by("-km", "-path")
        left = self._read(rows)
        for most in self.together:
            paths, lines = [], 0
            for path, own_lines in left:
                paths.append(path)
                lines += own_lines
                if lines >= most:
                    break
            if paths:
                yield paths
        if rest := [path for path, _lines in left]:
            yield rest

    def _read(self, rows: QuerySet[Any]) -> Iterator[tuple[str, int]]:
        """Path and open needs of one region after the other."""
        columns = rows.values_list("path", "km", "own_lines")
        for part in (columns[: self.first], columns[self.first :] if self.first else ()):
            for path, km, own_lines in part:
                self.km[path] = km
                yield path, own_lines
            if len(part) < (self.first or 0):
                break


def page(
    phases: Sequence[NeedQuerySet],
    *,
    near: Nearest | None = None,
    after: str = "",
    before: str = "",
    filters: int = 0,
) -> Page:
    """The first page, or the one after or before a key.

    phases   needs that exclude one another, in this order; `near` orders the first
    filters  how many narrow them; where much was asked already to find a few, their places are joined
    Raises   signing.BadSignature for a key that did not come from here
    """
    direction = -1 if before and not after else 1
    key = signing.loads(before if direction < 0 else after, salt="list of needs") if before or after else None
    keys: dict[Any, int] = {}  # and the phase of each
    for number, part in _parts(phases, near, key, direction):
        keys.update(dict.fromkeys(part.values_list("pk", flat=True)[: PER_PAGE + 1 - len(keys)], number))
        if len(keys) > PER_PAGE:
            break
    is_more, needs = len(keys) > PER_PAGE, shown(list(keys)[:PER_PAGE][::direction], is_joined=filters > 1)
    has_before, has_after = (key is not None, is_more) if direction > 0 else (is_more, True)
    return Page(
        needs,
        before=_key(needs[0], keys, near) if needs and has_before else "",
        after=_key(needs[-1], keys, near) if needs and has_after else "",
    )


def _key(need: Need, phases: Mapping[Any, int], near: Nearest | None) -> str:
    phase = phases[need.pk]
    region = [near.km[need.region_path], need.region_path] if near and not phase else None
    place = [need.urgency, need.is_grey, f"{need.needed_by:%Y-%m-%d}", str(need.pk)]
    return signing.dumps([phase, region, *place], salt="list of needs")


def _parts(
    phases: Sequence[NeedQuerySet], near: Nearest | None, key: list[Any] | None, direction: int
) -> Iterator[tuple[int, NeedQuerySet]]:
    """What to read, one after the other, until the page is full, and of which phase it is."""
    first = 0 if key is None else min(key[0], len(phases) - 1)
    for number in range(first, len(phases))[::1] if direction > 0 else range(first, -1, -1):
        rows, at = phases[number], key if key is not None and number == first else None
        if near is None or number:
            yield number, _ordered(_beyond(rows, at[2:], direction) if at else rows, direction)
            continue
        beside = None
        if at and at[1] is not None:
            beside = km, path = at[1]
            near.km[path] = km
            yield number, _ordered(_beyond(rows.filter(region_path=path), at[2:], direction), direction)
        for paths in near.batches(beside, direction):
            yield number, _in_turn(rows, paths, direction)


def _ordered(rows: NeedQuerySet, direction: int) -> NeedQuerySet:
    return rows.most_urgent_first() if direction > 0 else rows.most_urgent_first().reverse()


def _in_turn(rows: NeedQuerySet, paths: list[str], direction: int) -> NeedQuerySet:
    """What lies in these regions, region by region.

    They may be thousands. Written out after IN, PostgreSQL weighs each while it plans, for a tenth of a second; and a place
    in an array is found by going through it for every row, in an object by halving.
    """
    there: Any = RawSQL("SELECT unnest(%s::text[])", [paths])  # nosec B611 # no text in it but ours
    place = Func(
        Cast(Value({path: number for number, path in enumerate(paths)}, JSONField()), JSONField()),
        F("region_path"),
        template="(%(expressions)s)::int",
        arg_joiner=" -> ",
        output_field=IntegerField(),
    )
    names = ORDER if direction > 0 else [f"-{name}" for name in ORDER]
    return rows.filter(region_path__in=there).order_by(place, *names)


def _beyond(needs: NeedQuerySet, place: list[Any], direction: int) -> NeedQuerySet:
    urgency, is_grey, needed_by, pk = place
    over = "gt" if direction > 0 else "lt"
    return needs.filter(**{f"urgency__{over}e": urgency}).filter(
        Q(**{f"urgency__{over}": urgency})
        | Q(**{"urgency": urgency, f"is_grey__{over}": is_grey})
        | Q(**{"urgency": urgency, "is_grey": is_grey, f"needed_by__{over}": needed_by})
        | Q(**{"urgency": urgency, "is_grey": is_grey, "needed_by": needed_by, f"pk__{over}": pk})
    )


def shown(keys: Iterable[Any], *, is_joined: bool = False) -> list[Need]:
    """The needs of these keys in their order, with all that a card shows. Found by key alone before, so that nothing is joined that is not shown."""
    keys, rows = list(keys), Need.objects.with_site()
    if is_joined:
        rows = rows.select_related("appeal__facility__region__parent__parent")
    found = rows.in_bulk(keys)
    needs = [found[pk] for pk in keys if pk in found]
    return needs if is_joined else placed(needs)


def placed(needs: Iterable[Need]) -> list[Need]:
    """The same needs, each site with its region and what that lies in, read for all of them at once."""
    needs = list(needs)
    codes = {code for need in needs for code in need.region_path.split("/") if code}
    regions = Region.objects.in_bulk(codes | {need.appeal.facility.region_id for need in needs})
    for region in regions.values():
        if region.parent_id in regions:
            region.parent = regions[region.parent_id]
    for need in needs:
        need.appeal.facility.region = regions[need.appeal.facility.region_id]
    return needs
