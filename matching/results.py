"""What came of runs, for people to read: by class of urgency, by province, and against the run before.

Everything is read from what a run stored; once it has ended none of it changes, so a process remembers what it has
worked out from the stored problems.
"""

import uuid
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from django.core.cache import caches
from django.db.models import Count, OuterRef, QuerySet, Subquery, Sum

from matching.kernel.columns import unpacked
from matching.kernel.plan import Plan
from matching.kernel.problem import Demands
from matching.models import FamilyRun, MatchingPolicy, MatchingRun, Proposal, ProposalStatus, RunStatus
from matching.snapshot import Rows
from supplies.emergencies.models import Emergency
from supplies.needs.models import Need, Urgency
from supplies.offers.models import Offer
from supplies.regions.models import Region

REMEMBERED_SECONDS = 24 * 3600
COUNTED = ("needs", "wanted", "served", "proposed")


@dataclass(frozen=True)
class Fill:
    """Units of some needs: still wanted when the run began, served before it, in its plan, whether proposed anew or kept."""

    needs: int = 0
    wanted: int = 0
    served: int = 0
    proposed: int = 0

    @classmethod
    def of(cls, numbers: Mapping[str, int]) -> Self:
        return cls(*(numbers.get(name, 0) for name in COUNTED))

    def __add__(self, other: "Fill") -> "Fill":
        return Fill(*(getattr(self, name) + getattr(other, name) for name in COUNTED))

    @property
    def before(self) -> float | None:
        """Share of what was asked for that was there, promised or approved before the run; None where nothing was asked."""
        return self._share(self.served)

    @property
    def after(self) -> float | None:
        return self._share(self.served + self.proposed)

    def _share(self, units: int) -> float | None:
        asked = self.wanted + self.served
        return units / asked if asked else None


@dataclass(frozen=True)
class Place:
    """What came of the needs of one province; of a country where the need says no more."""

    region: Region
    fill: Fill


@dataclass(frozen=True)
class Result:
    """shortfalls  cause -> number of needs
    made_with   the kernel and what it stands on; empty until a family is done
    """

    run: MatchingRun
    policy: MatchingPolicy | str
    families: int
    failed: int
    needs: int
    offers: int
    proposals: int
    units: int
    kept: int
    superseded: int
    stale: int
    phases: Mapping[str, float]  # phase -> seconds
    by_class: Mapping[Urgency, Fill]
    by_place: Sequence[Place]
    shortfalls: Mapping[str, int]
    made_with: Mapping[str, Any]

    @property
    def seconds(self) -> float:
        return sum(self.phases.values())

    @property
    def all_classes(self) -> Fill:
        return sum(self.by_class.values(), Fill())


@dataclass(frozen=True)
class Change:
    """A figure of a run beside the same of the run before."""

    before: float | None
    now: float | None

    @property
    def difference(self) -> float | None:
        return None if self.before is None or self.now is None else self.now - self.before


def latest_runs() -> list[MatchingRun]:
    """Of each emergency that goes on, the last run that was done over everything; the newest emergency first."""
    whole = MatchingRun.objects.filter(status=RunStatus.DONE, is_dry=False, only=[])
    newest = whole.filter(emergency=OuterRef("pk")).newest_first().values("pk")[:1]
    found = list(
        Emergency.objects.going_on()
        .newest_first()
        .annotate(latest=Subquery(newest))
        .values_list("latest", flat=True)
    )
    runs = MatchingRun.objects.select_related("emergency").in_bulk([pk for pk in found if pk])
    return [runs[pk] for pk in found if pk in runs]


def run_before(run: MatchingRun) -> MatchingRun | None:
    """The run of the same emergency and families that it can be held against: the last one before it that proposed."""
    done = MatchingRun.objects.filter(
        emergency=run.emergency_id,
        status=RunStatus.DONE,
        is_dry=False,
        only=run.only,
        created_at__lt=run.created_at,
    )
    return done.newest_first().first()


def results(runs: Sequence[MatchingRun]) -> list[Result]:
    """What came of each, in as many queries for many as for one."""
    families: dict[Any, list[FamilyRun]] = defaultdict(list)
    for family in FamilyRun.objects.filter(run__in=runs).defer("rows", "problem", "plan").order_by("family"):
        families[family.run_id].append(family)
    places = _by_province(runs)
    regions = Region.objects.in_bulk({code for found in places.values() for code in found})
    policies = MatchingPolicy.objects.in_bulk({run.policy for run in runs})
    return [
        _result(run, policies.get(run.policy, run.policy), families[run.pk], places[run.pk], regions)
        for run in runs
    ]


def summary(run: MatchingRun) -> dict[str, Any]:
    """What came of a run as data: counts, units, fill by urgency, seconds by phase.

    by_urgency    "1".."4" -> needs, wanted, served (before the run), proposed, and the share filled before and after
    """
    families = list(run.families.defer("rows", "problem", "plan"))
    result = _result(run, run.policy, families, {}, {})
    by_urgency = {
        str(urgency.value): {
            **{name: getattr(fill, name) for name in COUNTED},
            "fill_before": None if fill.before is None else round(fill.before, 4),
            "fill_after": None if fill.after is None else round(fill.after, 4),
        }
        for urgency, fill in result.by_class.items()
    }
    counted = ("families", "needs", "offers", "proposals", "units", "kept", "superseded", "stale", "failed")
    return {
        "run": str(run.pk),
        "emergency": run.emergency_id,
        "status": run.status,
        "policy": run.policy,
        "dry_run": run.is_dry,
        "as_of": run.as_of.isoformat(),
        **{name: getattr(result, name) for name in counted},
        "by_urgency": by_urgency,
        "shortfalls": result.shortfalls,
        "seconds": {phase: round(value, 3) for phase, value in result.phases.items()},
    }


def changes(now: Result, before: Result) -> dict[str | Urgency, Change]:
    """Proposals and units, and the fill of each class after the run, beside those of another run."""
    found: dict[str | Urgency, Change] = {
        name: Change(getattr(before, name), getattr(now, name))
        for name in ("needs", "offers", "proposals", "units")
    }
    for urgency in Urgency:
        pair = [result.by_class.get(urgency, Fill()).after for result in (before, now)]
        if any(share is not None for share in pair):
            found[urgency] = Change(*pair)
    return found


def answers(run: MatchingRun) -> list[dict[str, Any]]:
    """What became of what it proposed: status, proposals, units as proposed."""
    rows = Proposal.objects.filter(family_run__run=run).values("status")
    counted = {row["status"]: row for row in rows.annotate(proposals=Count("pk"), units=Sum("quantity"))}
    return [{"label": status.label, **counted[status]} for status in ProposalStatus if status in counted]


@dataclass(frozen=True)
class Foreseen:
    """What a dry run would have proposed. `quantity` in the smallest counted unit."""

    need: Need
    offer: Offer
    quantity: int
    km: int


def foreseen(run: MatchingRun, most: int = 50) -> tuple[list[Foreseen], bool]:
    """Of a dry run's plan the most urgent parcels, and whether there are more; read from what it stored."""
    parcels: list[tuple[int, uuid.UUID, uuid.UUID, int, int]] = []
    for family in run.families.filter(plan__isnull=False).only("rows", "problem", "plan").iterator(4):
        at = Rows.from_bytes(bytes(family.rows or b""))
        demands = Demands.of_arrays(unpacked(bytes(family.problem or b"")), "demands")
        made = Plan.from_bytes(bytes(family.plan or b"")).assignments
        urgency = demands.urgency[np.searchsorted(demands.id, made.demand)]
        for row in np.argsort(urgency, kind="stable")[: most + 1].tolist():
            need, offer = at.need_id(int(made.demand[row])), at.offer_id(int(made.supply[row]))
            parcels.append(
                (int(urgency[row]), need, offer, int(made.quantity[row]), int(made.distance_m[row]) // 1000)
            )
    parcels.sort(key=lambda parcel: parcel[0])
    shown = parcels[:most]
    needs = Need.objects.select_related("item__display_unit", "appeal__facility__region").in_bulk(
        [need for _urgency, need, *_rest in shown]
    )
    offers = Offer.objects.select_related("item", "donation__organisation").in_bulk(
        [offer for _urgency, _need, offer, *_rest in shown]
    )
    found = [
        Foreseen(needs[need], offers[offer], quantity, km)
        for _urgency, need, offer, quantity, km in shown
        if need in needs and offer in offers
    ]
    return found, len(parcels) > most


def declined(run: MatchingRun) -> QuerySet[Proposal]:
    """What was declined of it, the most urgent first."""
    rows = Proposal.objects.filter(family_run__run=run, status=ProposalStatus.DECLINED)
    return rows.select_related("need__item__display_unit", "need__appeal__facility").most_urgent_first()


def _result(
    run: MatchingRun,
    policy: MatchingPolicy | str,
    families: Sequence[FamilyRun],
    places: Mapping[str, Fill],
    regions: Mapping[str, Region],
) -> Result:
    classes: dict[Urgency, Fill] = defaultdict(Fill)
    shortfalls: Counter[str] = Counter()
    phases: dict[str, float] = defaultdict(float)
    for family in families:
        for phase, seconds in family.seconds.items():
            phases[phase] += seconds
        for level, numbers in family.by_urgency.items():
            classes[Urgency(int(level))] += Fill.of(numbers)
        shortfalls.update(family.shortfalls)
    return Result(
        run=run,
        policy=policy,
        families=len(families),
        failed=sum(family.status == RunStatus.FAILED for family in families),
        needs=sum(family.needs for family in families),
        offers=sum(family.offers for family in families),
        proposals=sum(family.proposals for family in families),
        units=sum(family.units for family in families),
        kept=sum(family.kept for family in families),
        superseded=sum(family.superseded for family in families),
        stale=sum(family.stale for family in families),
        phases=phases,
        by_class=dict(sorted(classes.items())),
        by_place=[Place(regions[code], fill) for code, fill in sorted(places.items()) if code in regions],
        shortfalls=dict(shortfalls.most_common()),
        made_with=next((family.made_with for family in families if family.made_with), {}),
    )


# --- by province --------------------------------------------------------------------------------------------


def _by_province(runs: Iterable[MatchingRun]) -> dict[Any, dict[str, Fill]]:
    """Code of a province -> what its needs wanted and were proposed, for each run."""
    memory, found = caches["process"], {}
    missing = []
    for run in runs:
        known = memory.get(_key(run))
        found[run.pk] = {code: Fill(*numbers) for code, numbers in (known or {}).items()}
        if known is None:
            missing.append(run)
    for run in missing:
        found[run.pk] = {}
    if missing:
        found |= _worked_out(missing)
    for run in missing:
        if run.status in (RunStatus.DONE, RunStatus.FAILED):
            remembered = {
                code: tuple(getattr(fill, name) for name in COUNTED) for code, fill in found[run.pk].items()
            }
            memory.set(_key(run), remembered, REMEMBERED_SECONDS)
    return found


def _key(run: MatchingRun) -> str:
    return f"matching.by-province:{run.pk}"


def _worked_out(runs: Sequence[MatchingRun]) -> dict[Any, dict[str, Fill]]:
    """From the stored problems and plans. The numbers of regions in a problem are those of its day, so needs say where they are."""
    rows: list[tuple[Any, list[uuid.UUID], np.ndarray]] = []
    solved = FamilyRun.objects.filter(run__in=runs, plan__isnull=False).only("run", "rows", "problem", "plan")
    for family in solved.iterator(4):
        at = Rows.from_bytes(bytes(family.rows or b""))
        # Only this table, since other parts may have been stored by an older kernel.
        demands = Demands.of_arrays(unpacked(bytes(family.problem or b"")), "demands")
        numbers = _units(demands, Plan.from_bytes(bytes(family.plan or b"")))
        rows.append((family.run_id, [at.need_id(position) for position in range(len(at.need))], numbers))
    needs = {need for _run, ids, _numbers in rows for need in ids}
    path_of = dict(Need.objects.filter(pk__in=needs).values_list("pk", "appeal__facility__region__path"))
    found: dict[Any, dict[str, Fill]] = {run.pk: defaultdict(Fill) for run in runs}
    for run, ids, numbers in rows:
        for code, total in _summed([_province(path_of.get(need)) for need in ids], numbers).items():
            found[run][code] += total
    return {run: dict(places) for run, places in found.items()}


def _units(demands: Demands, plan: Plan) -> np.ndarray:
    """A row of COUNTED for each demand."""
    given = np.zeros(len(demands), np.int64)
    np.add.at(given, np.searchsorted(demands.id, plan.assignments.demand), plan.assignments.quantity)
    return np.column_stack([np.ones(len(demands), np.int64), demands.wanted, demands.served, given])


def _summed(codes: Sequence[str], numbers: np.ndarray) -> dict[str, Fill]:
    distinct, place = np.unique(np.array(codes, np.str_), return_inverse=True)
    total = np.zeros((len(distinct), len(COUNTED)), np.int64)
    np.add.at(total, place, numbers)
    return {str(code): Fill(*row) for code, row in zip(distinct, total.tolist(), strict=True)}


def _province(path: str | None) -> str:
    """The province of a path "/CN/420000/420100/"; the country where it ends there."""
    codes = (path or "").strip("/").split("/")
    return codes[1] if len(codes) > 1 else codes[0]
