"""Where goods went and why, for everybody: read from what was counted last, as a page and as a file."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from itertools import chain
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from matching.accounting import AGREED, AS_ASKED, BY_HAND, STANDS_IN
from matching.models import Lack
from supplies import sheets
from supplies.emergencies.models import Emergency
from supplies.needs.models import Urgency
from supplies.opendata.models import Figure, Topic
from supplies.opendata.rows import LEAST_GIVERS
from supplies.receipts.models import Discrepancy
from supplies.regions.models import Region
from supplies.wording import day

COLUMNS = ("emergency", "topic", "key", "measure", "value", "counted_at")
REASONS = {
    AS_ASKED: _("exactly what was asked for"),
    STANDS_IN: _("goods that may stand in, by the table of standards"),
    AGREED: _("goods that may stand in if the hospital agrees, and it did"),
    BY_HAND: _("promised by hand, without a run of the matching"),
}
SHARES = ("needs", "promised", "received", "met_percent")
SERIES = {
    "needs": _("needs published"),
    "promised": _("promises made"),
    "received": _("counted at a hospital"),
}
WIDTH, HEIGHT, EDGE = 640, 120, 4


@require_safe
def where_it_went(request: HttpRequest) -> HttpResponse:
    """What came, where it went, why, how long it took, and what was wrong with it: of one emergency."""
    emergencies = list(Emergency.objects.newest_first())
    emergency = _chosen(request, emergencies)
    figures = list(Figure.objects.of(emergency)) if emergency else []
    tables = _tables(figures)
    context = {
        "emergencies": emergencies,
        "emergency": emergency,
        "counted_at": max((figure.counted_at for figure in figures), default=None),
        "by_urgency": _named(tables[Topic.URGENCY], {str(u.value): u.label for u in Urgency}, SHARES),
        "by_region": _named(tables[Topic.REGION], _regions(tables[Topic.REGION]), SHARES),
        "reasons": _named(tables[Topic.REASON], REASONS, ("promises",)),
        "shortfalls": _largest(_named(tables[Topic.SHORTFALL], dict(Lack.choices), ("needs",))),
        "waiting": _named(
            tables[Topic.WAITING],
            {"promise": _("to the first promise"), "receipt": _("to the first count at the hospital")},
            ("median_hours", "p90_hours", "needs"),
        ),
        "discrepancies": _named(
            tables[Topic.DISCREPANCY],
            {"counted": _("lines that were counted"), **dict(Discrepancy.Kind.choices)},
            ("lines",),
        ),
        "days": _days(tables[Topic.DAY]),
        "least_givers": LEAST_GIVERS,
    }
    return render(request, "matching/where_it_went.html", context)


@require_safe
def where_it_went_file(request: HttpRequest) -> HttpResponse:
    """The same figures as CSV: one a line; an empty value stands for what too few givers stand behind."""
    emergency = _chosen(request, list(Emergency.objects.newest_first()))
    figures = (
        (
            figure.emergency_id,
            figure.topic,
            figure.key,
            figure.measure,
            "" if figure.value is None else figure.value,
            figure.counted_at.isoformat(timespec="seconds"),
        )
        for figure in (Figure.objects.of(emergency) if emergency else ())
    )
    answer = HttpResponse(content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = 'attachment; filename="where-it-went.csv"'
    sheets.write(answer, chain([COLUMNS], figures))
    return answer


def _chosen(request: HttpRequest, emergencies: Sequence[Emergency]) -> Emergency | None:
    """The one that was asked for, or else the newest that goes on, or else the newest."""
    code = request.GET.get("emergency", "")
    if code:
        found = next((one for one in emergencies if one.pk == code), None)
        if found is None:
            raise Http404
        return found
    going_on = [one for one in emergencies if one.status == "respond"]
    return next(iter([*going_on, *emergencies]), None)


Table = dict[str, dict[str, int | None]]  # key -> measure -> value


def _tables(figures: Sequence[Figure]) -> dict[str, Table]:
    tables: dict[str, Table] = defaultdict(dict)
    for figure in figures:
        tables[figure.topic].setdefault(figure.key, {})[figure.measure] = figure.value
    return tables


def _named(table: Table, names: Any, measures: Sequence[str]) -> list[tuple[Any, list[int | None]]]:
    return [
        (names.get(key, key), [values.get(measure) for measure in measures]) for key, values in table.items()
    ]


def _largest(rows: list[tuple[Any, list[int | None]]]) -> list[tuple[Any, list[int | None]]]:
    return sorted(rows, key=lambda row: -(row[1][0] or 0))


def _regions(table: Table) -> dict[str, str]:
    return {region.pk: region.name for region in Region.objects.filter(pk__in=list(table))}


def _days(table: Table) -> dict[str, Any]:
    """Day by day as rows, and as bars: one small picture for each series, all of one width."""
    days = sorted(table)
    names = {key: day(date.fromisoformat(key)) for key in days}
    step = WIDTH / max(1, len(days))
    pictures = []
    for measure, title in SERIES.items():
        values = [table[key].get(measure) or 0 for key in days]
        most = max(values, default=0)
        bars = [
            (
                f"{number * step + 1:.1f}",
                f"{HEIGHT - height:.1f}",
                f"{max(1.0, step - 2):.1f}",
                f"{height:.1f}",
                names[key],
                value,
            )
            for number, (key, value) in enumerate(zip(days, values, strict=True))
            if value and (height := (HEIGHT - EDGE) * value / most)
        ]
        pictures.append(
            {"measure": measure, "title": title, "most": most, "total": sum(values), "bars": bars}
        )
    rows = [(names[key], [table[key].get(measure) for measure in SERIES]) for key in reversed(days)]
    first, last = (names[days[0]], names[days[-1]]) if days else ("", "")
    return {
        "pictures": pictures,
        "rows": rows,
        "first": first,
        "last": last,
        "width": WIDTH,
        "height": HEIGHT,
    }
