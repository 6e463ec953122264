"""Downloads narrowed as the API's lists are, in the formats the field reads."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from threading import BoundedSemaphore
from typing import Any
from urllib.parse import urlencode

import django_filters
from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import ValidationError
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request

from supplies.api_fields import AnyAccept
from supplies.catalogue.api import InCategoryFilter
from supplies.catalogue.models import Item
from supplies.emergencies.models import Emergency
from supplies.errors import TooMany
from supplies.needs.api import NeedFilter
from supplies.offers.models import Offer
from supplies.opendata import formats, rows
from supplies.opendata.formats import FORMS, About, rows_of_a_sheet
from supplies.opendata.rows import EVERYBODY, Cell, Shelf
from supplies.opendata.signing import origin
from supplies.regions.models import Region, RegionLevel
from supplies.shipments.models import ShipmentLine

AT_WORK = BoundedSemaphore(2)  # downloads of a process at once: the other threads are for everybody else
SECONDS_IN_LINE = 30
MOST_SECONDS = 900  # of one download: a reader that is slower holds a transaction open for too long
NEWEST_SUMS = 100  # of a feed
BUSY = _("Others are downloading just now. Please try again in a moment, or take the nightly dump.")


# -- How files are narrowed ------------------------------------------------------------------------------------


class SumFilter(django_filters.FilterSet):
    """Of sums one may choose whole ones, by what they are sums of: a finer filter would tell their parts."""

    region = django_filters.ModelChoiceFilter(
        queryset=Region.objects.all(), method="not_in_the_database", label=_("A region; all in it counts.")
    )

    def not_in_the_database(self, queryset: Any, name: str, value: Any) -> Any:
        return queryset  # places are narrowed after it is known which are told


def _chosen(model: Any, field: str) -> django_filters.ModelChoiceFilter:
    return django_filters.ModelChoiceFilter(queryset=model.objects.all(), field_name=field)


class OfferSums(SumFilter):
    emergency = _chosen(Emergency, "donation__emergency")
    category = InCategoryFilter()
    item = _chosen(Item, "item")


class GapSums(SumFilter):
    emergency = _chosen(Emergency, "appeal__emergency")
    category = InCategoryFilter()
    item = _chosen(Item, "item")
    level = django_filters.ChoiceFilter(
        choices=[(level.value, level.label) for level in (RegionLevel.PROVINCE, RegionLevel.PREFECTURE)],
        method="not_in_the_database",
    )


class FlowSums(SumFilter):
    emergency = _chosen(Emergency, "allocation__need__appeal__emergency")
    category = InCategoryFilter("allocation__need__item")
    item = _chosen(Item, "allocation__need__item")


FILTERS: Mapping[str, type[django_filters.FilterSet]] = {
    "needs": NeedFilter,
    "offers": OfferSums,
    "gaps": GapSums,
    "flows": FlowSums,
}
STREAMED: Mapping[str, Callable[[About, Iterable[Any], Shelf], Iterator[bytes]]] = {
    "csv": formats.csv,
    "geojson": formats.geojson,
    "jsonl": formats.jsonl,
}
TITLES = {
    "needs": _("What hospitals need"),
    "offers": _("What is offered"),
    "gaps": _("What is lacking"),
    "flows": _("What is on its way"),
}


class Download(GenericAPIView):
    """`/open/needs.csv?region=420100`: a dataset, a form, and the filters of the API. Without login, and the same for all."""

    content_negotiation_class = AnyAccept

    @property
    def filterset_class(self) -> type[django_filters.FilterSet]:
        return FILTERS[self.kind]

    @property
    def paginator(self) -> Any:
        """Only a feed of needs has pages."""
        return super().paginator if (self.kind, self.form) == ("needs", "atom") else None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        self.kind, self.form = kwargs["kind"], kwargs["form"]
        if self.kind not in FILTERS or self.form not in FORMS:
            raise Http404
        super().initial(request, *args, **kwargs)

    def get(self, request: Request, kind: str, form: str) -> HttpResponseBase:
        self.about, self.shelf = self._about(), Shelf(origin())
        narrowed = self.filter_queryset(self.get_queryset())
        if form == "atom":
            response: HttpResponseBase = HttpResponse(self._feed(narrowed), content_type=FORMS[form])
        elif request.method == "HEAD":
            response = HttpResponse(content_type=FORMS[form])
        else:
            response = StreamingHttpResponse(self._pieces(narrowed), content_type=FORMS[form])
        if form != "atom":
            name = self.about.file_name(form)
            response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
        response.headers["Link"] = f'<{self.about.licence_url}>; rel="license"'
        return response

    def get_queryset(self) -> QuerySet:
        sources: dict[str, Callable[[], QuerySet]] = {
            "needs": rows.public_needs,
            "offers": lambda: Offer.objects.visible_to(EVERYBODY),
            "gaps": rows.public_needs,
            "flows": ShipmentLine.objects.all,
        }
        return sources[self.kind]()

    def _about(self) -> About:
        return About(
            kind=self.kind,
            made_at=timezone.now(),
            licence=settings.OPEN_DATA_LICENCE,
            licence_url=settings.OPEN_DATA_LICENCE_URL,
            origin=origin(),
            dictionary=self._address("open-dictionary"),
        )

    def _address(self, name: str, *args: Any) -> str:
        return self.request.build_absolute_uri(reverse(name, args=args))

    # -- files ---------------------------------------------------------------------------------------------

    def _pieces(self, narrowed: QuerySet) -> Iterator[bytes]:
        refuse_if_all_places_are_taken()
        if self.form != "xlsx":
            return at_work(lambda: self._streamed(narrowed))
        most = rows_of_a_sheet()
        if self.kind == "needs" and narrowed.order_by()[most:].exists():
            text = _("A sheet holds %(most)s rows. Narrow the list, or take .csv.")
            raise ValidationError([text % {"most": f"{most:,}"}])
        return at_work(lambda: self._sheet(narrowed))

    def _streamed(self, narrowed: QuerySet) -> Iterator[bytes]:
        with transaction.atomic():  # a cursor of the server lives as long as its transaction
            yield from STREAMED[self.form](self.about, self._rows(narrowed), self.shelf)

    def _sheet(self, narrowed: QuerySet) -> Iterator[bytes]:
        """Written as a whole before it is sent, so that nobody's slow line holds the transaction."""
        with transaction.atomic():
            file = formats.xlsx(self.about, self._rows(narrowed), self.shelf)
        yield from formats.in_parts(file)

    def _rows(self, narrowed: QuerySet) -> Iterable[Any]:
        if self.kind == "needs":
            return rows.needs(narrowed).iterator(rows.AT_ONCE)
        return self._sums(narrowed)

    def _sums(self, narrowed: QuerySet) -> Iterator[Cell]:
        region = Region.objects.filter(pk=self.request.query_params.get("region", "")).first()
        level = self.request.query_params.get("level")
        for cell in self._every_sum(narrowed):
            inside = region is None or self.shelf.place(cell.place).path.startswith(region.path)
            if inside and (not level or cell.level == level):
                yield cell

    def _every_sum(self, narrowed: QuerySet) -> Iterable[Cell]:
        if self.kind == "offers":
            return rows.offers(narrowed)
        if self.kind == "flows":
            return rows.flows(narrowed)
        offered = rows.offers(Offer.objects.visible_to(EVERYBODY))
        return rows.gaps(narrowed, offered, at=self.about.made_at)

    # -- feeds -----------------------------------------------------------------------------------------------

    def _feed(self, narrowed: QuerySet) -> bytes:
        address = self.request.build_absolute_uri()
        pages: dict[str, str | None] = {"first": self.request.build_absolute_uri(self._first_page())}
        if self.paginator is not None:
            told = rows.needs(narrowed, order=("-created_at", "-id"))
            found: Any = self.paginate_queryset(told)
            answer = self.get_paginated_response([]).data
            pages |= {"next": answer["next"], "previous": answer["previous"]}
        else:
            every = sorted(self._sums(narrowed), key=lambda cell: cell.id)
            found = sorted(every, key=lambda cell: cell.updated_at or self.about.made_at, reverse=True)
            found = found[:NEWEST_SUMS]
        return formats.atom(
            self.about,
            found,
            self.shelf,
            title=str(TITLES[self.kind]),
            home=self._address("needs" if self.kind == "needs" else "open-data"),
            address=address,
            pages=pages,
            link=self._link,
        )

    def _first_page(self) -> str:
        """The same for the same filters, in whatever order they are given: the feed's id is made of it."""
        given = sorted((name, value) for name, value in self.request.query_params.items() if name != "cursor")
        return f"{self.request.path}?{urlencode(given)}" if given else self.request.path

    def _link(self, values: Mapping[str, Any]) -> str:
        return (
            self._address("appeal", values["appeal"]) if self.kind == "needs" else self._address("open-data")
        )


def refuse_if_all_places_are_taken() -> None:
    """Raises TooMany. Who gets past this at the same instant as others waits for them, before anything is read."""
    if not AT_WORK.acquire(blocking=False):
        raise TooMany(BUSY, code="busy", wait=10)
    AT_WORK.release()


def at_work(pieces: Callable[[], Iterator[bytes]]) -> Iterator[bytes]:
    """A download under way: one of few, and not for ever.

    It takes its place when it is first asked for a piece: what is never sent is never closed either.
    Raises   TimeoutError, which breaks the connection off: whoever reads knows that the file is not whole
    """
    if not AT_WORK.acquire(timeout=SECONDS_IN_LINE):
        raise TimeoutError("others took too long")
    try:
        until = time.monotonic() + MOST_SECONDS
        for piece in pieces():
            if time.monotonic() > until:
                raise TimeoutError("the download took too long")
            yield piece
    finally:
        AT_WORK.release()
