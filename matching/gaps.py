"""What is lacking where, how evenly what there is was shared, and why needs stay short: what a coordinator asks every morning.

Everything is counted over the needs a person watches over, in a handful of queries whatever their number.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Avg, CharField, Count, F, FloatField, Func, Q, QuerySet, Sum, Value
from django.db.models.functions import Cast, Coalesce, Greatest, Least, NullIf

from matching.models import Lack, MatchingRun, Shortfall
from supplies.catalogue.models import Item
from supplies.emergencies.models import Emergency
from supplies.needs.models import PIPELINE, Need, NeedStatus, Urgency
from supplies.organisations.models import User, in_regions_of
from supplies.regions.models import Region

MOST_GAPS = 60  # items in places, the worst first


@dataclass(frozen=True)
class Gap:
    """One item in one province. Units; `share` is what is there or under way, 0 to 1."""

    item: Item
    region: Region
    needs: int
    critical: int
    asked: int
    lacking: int

    @property
    def share(self) -> float:
        return 1 - self.lacking / self.asked if self.asked else 0.0


@dataclass(frozen=True)
class Shared:
    """How far the needs of some place or class are filled on average, each need counting the same; 0 to 1."""

    name: str
    needs: int
    share: float


@dataclass(frozen=True)
class Fairness:
    rows: Sequence[Shared]

    @property
    def spread(self) -> float | None:
        """From the least to the best filled; None where there is nothing to compare."""
        shares = [row.share for row in self.rows]
        return max(shares) - min(shares) if len(shares) > 1 else None


def watched(user: User, emergency: Emergency) -> QuerySet[Need]:
    """Needs of an emergency a person watches over: all of them, or those in her regions."""
    needs = Need.objects.in_emergency(emergency)
    return needs if user.watches_over_all else needs.filter(in_regions_of(user, "region_path"))


PROVINCE = Func(F("region_path"), Value("/"), Value(3), function="split_part", output_field=CharField())
COUNTRY = Func(F("region_path"), Value("/"), Value(2), function="split_part", output_field=CharField())
ASKED = Coalesce("quantity", "quantity_assumed", 0)  # of what has no number, what is assumed of it
FILLED = Least(
    Greatest(Cast(PIPELINE, FloatField()) / Cast(NullIf(ASKED, 0), FloatField()), Value(0.0)),
    Value(1.0),
)


def gaps(needs: QuerySet[Need]) -> tuple[list[Gap], bool]:
    """Open needs by item and province: where critical needs lack most first. And whether there are more than MOST_GAPS."""
    found = list(
        needs.filter(status=NeedStatus.OPEN, quantity_outstanding__gt=0)
        .values("item", province=PROVINCE, country=COUNTRY)
        .annotate(
            needs=Count("pk"),
            critical=Sum("quantity_outstanding", filter=Q(urgency=Urgency.CRITICAL), default=0),
            total=Sum(ASKED),
            short=Sum("quantity_outstanding"),
        )
        .order_by("-critical", "-short", "item", "province")[: MOST_GAPS + 1]
    )
    items = Item.objects.select_related("display_unit").in_bulk({row["item"] for row in found})
    places = Region.objects.in_bulk({row["province"] or row["country"] for row in found})
    rows = [
        Gap(
            items[row["item"]],
            places[row["province"] or row["country"]],
            row["needs"],
            row["critical"],
            row["total"] or 0,
            row["short"],
        )
        for row in found[:MOST_GAPS]
        if (row["province"] or row["country"]) in places
    ]
    return rows, len(found) > MOST_GAPS


def fairness(needs: QuerySet[Need]) -> tuple[Fairness, Fairness]:
    """How far needs that are open or met are filled: by province, the least first, and by class of urgency."""
    counted = (
        needs.filter(status__in=[NeedStatus.OPEN, NeedStatus.MET], ceiling__gt=0)
        .values("urgency", province=PROVINCE, country=COUNTRY)
        .annotate(needs=Count("pk"), share=Avg(FILLED))
        .order_by("urgency", "province")
    )
    by_place: dict[str, list[tuple[int, float]]] = defaultdict(list)
    by_class: dict[int, list[tuple[int, float]]] = defaultdict(list)
    for row in counted:
        pair = row["needs"], row["share"] or 0.0
        by_place[row["province"] or row["country"]].append(pair)
        by_class[row["urgency"]].append(pair)
    places = Region.objects.in_bulk(list(by_place))
    of_places = [_mean(str(places[code]), pairs) for code, pairs in by_place.items() if code in places]
    of_classes = [_mean(str(Urgency(level).label), pairs) for level, pairs in sorted(by_class.items())]
    return Fairness(sorted(of_places, key=lambda row: (row.share, row.name))), Fairness(of_classes)


def _mean(name: str, pairs: Sequence[tuple[int, float]]) -> Shared:
    needs = sum(count for count, _share in pairs)
    return Shared(name, needs, sum(count * share for count, share in pairs) / needs)


def reasons(user: User, emergency: Emergency) -> list[tuple[str, str, int]]:
    """Why needs stay short by the latest run over their goods: code, words, needs; the most frequent first."""
    short = Shortfall.objects.visible_to(user).current().filter(need__appeal__emergency=emergency)
    counted = short.values("cause").annotate(needs=Count("pk")).order_by("-needs", "cause")
    words: Mapping[str, Any] = dict(Lack.choices)
    return [(row["cause"], str(words.get(row["cause"], row["cause"])), row["needs"]) for row in counted]


def latest_run(emergency: Emergency) -> MatchingRun | None:
    """The run over this emergency that was started last, whatever became of it."""
    return MatchingRun.objects.filter(emergency=emergency).newest_first().first()
