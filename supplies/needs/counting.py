"""Counting the open needs for the pages that show how things stand: once a minute, not once a visit."""

from collections import Counter
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import CharField, Count, F, Func, Q, Sum, Value
from django.db.models.functions import Coalesce, NullIf

from supplies.catalogue.models import Category, Item
from supplies.needs.models import ItemGap, Need, NeedQuerySet, OpenCount, OpenThere, PlaceCount, Urgency
from supplies.regions.models import Region

COUNTING = 7_304_138  # advisory lock of the one who counts what is open
CRITICAL = Count("pk", filter=Q(urgency=Urgency.CRITICAL))
SUMS = ("quantity_promised", "quantity_in_transit", "quantity_received", "quantity_outstanding")


@transaction.atomic
def count_open(*, at: datetime) -> None:
    """Count the open needs by category, by place, for the map and by item. Two counts at once end the same."""
    with connection.cursor() as cursor:
        # One count at a time: what is gone is deleted, and two would wait for each other crosswise.
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [COUNTING])
    needs = Need.objects.ours().open().order_by()
    _by_category(needs, at)
    _by_place(needs, at)
    _for_the_map(needs, at)
    _by_item(needs, at)


def _by_category(needs: NeedQuerySet, at: datetime) -> None:
    by_item = needs.values_list("item", "urgency").annotate(
        lines=Count("pk"),
        promised=Count("pk", filter=Q(quantity_promised__gt=0)),
        in_transit=Count("pk", filter=Q(quantity_in_transit__gt=0)),
    )
    category_of = dict(Item.objects.values_list("pk", "category"))
    counted = {name: Counter[tuple[str, int]]() for name in ("lines", "promised", "in_transit")}
    for item, urgency, *numbers in by_item:
        for counter, number in zip(counted.values(), numbers, strict=True):
            counter[category_of[item], urgency] += number
    # Every pair is written, in one order: what is not open any more is zero, and no two writers wait for each other crosswise.
    OpenCount.objects.bulk_create(
        [
            OpenCount(
                category_id=category,
                urgency=urgency,
                counted_at=at,
                **{name: counter[category, urgency] for name, counter in counted.items()},
            )
            for category in sorted(Category.objects.values_list("pk", flat=True))
            for urgency in Urgency
        ],
        update_conflicts=True,
        unique_fields=["category", "urgency"],
        update_fields=[*counted, "counted_at"],
    )


def _by_place(needs: NeedQuerySet, at: datetime) -> None:
    """Of each region with open needs and of all it lies in."""
    own, lines, critical = Counter[str](), Counter[str](), Counter[str]()
    by_path = needs.values_list("region_path").annotate(lines=Count("pk"), critical=CRITICAL)
    for path, number, urgent in by_path:
        codes = path.strip("/").split("/")
        own[codes[-1]] += number
        for code in codes:
            lines[code] += number
            critical[code] += urgent
    known = Region.objects.filter(pk__in=lines).order_by("pk").values_list("pk", flat=True)
    OpenThere.objects.bulk_create(
        [
            OpenThere(
                region_id=code,
                lines=lines[code],
                critical=critical[code],
                own_lines=own[code],
                counted_at=at,
            )
            for code in known
        ],
        update_conflicts=True,
        unique_fields=["region"],
        update_fields=["lines", "critical", "own_lines", "counted_at"],
    )
    OpenThere.objects.filter(counted_at__lt=at).delete()


def _for_the_map(needs: NeedQuerySet, at: datetime) -> None:
    """Of each place where a site lies, by category and urgency."""
    category_of = dict(Item.objects.values_list("pk", "category"))
    counted = Counter[tuple[str, str, int]]()
    by_site = needs.values_list("site__region", "item", "urgency").annotate(lines=Count("pk"))
    for region, item, urgency, number in by_site:
        counted[region, category_of[item], urgency] += number
    PlaceCount.objects.bulk_create(
        [
            PlaceCount(region_id=region, category_id=category, urgency=urgency, lines=number, counted_at=at)
            for (region, category, urgency), number in sorted(counted.items())
        ],
        update_conflicts=True,
        unique_fields=["region", "category", "urgency"],
        update_fields=["lines", "counted_at"],
    )
    PlaceCount.objects.filter(counted_at__lt=at).delete()


def _by_item(needs: NeedQuerySet, at: datetime) -> None:
    """Of each item and province."""

    def part(number: int) -> Func:
        return Func(
            F("region_path"), Value("/"), Value(number), function="split_part", output_field=CharField()
        )

    province = Coalesce(NullIf(part(3), Value("")), part(2))
    sums: Any = (
        needs.annotate(province=province)
        .values("item", "province")
        .annotate(
            lines=Count("pk"),
            critical=CRITICAL,
            sum_asked=Sum(Coalesce("quantity", "quantity_assumed", 0)),
            **{f"sum_{name}": Sum(name) for name in SUMS},
        )
    )
    ItemGap.objects.bulk_create(
        [
            ItemGap(
                item_id=row["item"],
                region_id=row["province"],
                lines=row["lines"],
                critical=row["critical"],
                asked=row["sum_asked"],
                counted_at=at,
                **{name: row[f"sum_{name}"] for name in SUMS},
            )
            for row in sorted(sums, key=lambda row: (row["item"], row["province"]))
        ],
        update_conflicts=True,
        unique_fields=["item", "region"],
        update_fields=["lines", "critical", "asked", *SUMS, "counted_at"],
    )
    ItemGap.objects.filter(counted_at__lt=at).delete()
