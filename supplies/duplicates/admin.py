"""What may stand there twice, at the desk: both side by side, what would move, and one click for each answer."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html_join
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from supplies.duplicates import services
from supplies.duplicates.models import DuplicateNeeds, DuplicatePair, Merge, PairStatus
from supplies.duplicates.moving import counted, would_move
from supplies.duplicates.permissions import may_decide, may_undo
from supplies.duplicates.services import Choice
from supplies.leaks import masked
from supplies.needs.models import Need
from supplies.organisations.desk import DeskAdmin, Verb, Waiting, by_status, in_units, link_to, table
from supplies.organisations.models import Organisation, User
from supplies.organisations.side_by_side import Compared, compared
from supplies.wording import day, listed, moment


def merge_into_first(pair: DuplicatePair, *, by: User, at: datetime) -> Merge:
    return services.merge(pair, keep=pair.one, by=by, at=at)


def merge_into_second(pair: DuplicatePair, *, by: User, at: datetime) -> Merge:
    return services.merge(pair, keep=pair.other, by=by, at=at)


def fold_into_first(pair: DuplicateNeeds, *, quantity: str, by: User, at: datetime) -> Merge:
    return services.fold_needs(pair, keep=pair.one, quantity=quantity, by=by, at=at)


def fold_into_second(pair: DuplicateNeeds, *, quantity: str, by: User, at: datetime) -> Merge:
    return services.fold_needs(pair, keep=pair.other, quantity=quantity, by=by, at=at)


def may_second(user: Any, pair: DuplicatePair) -> bool:
    return pair.proposed_by_id is None and may_decide(user, pair)


class QuantityForm(forms.Form):
    quantity = forms.ChoiceField(
        label=_("Asked for together"), choices=Choice.LABELS, widget=forms.RadioSelect, initial=Choice.LARGER
    )


class PairAdmin(DeskAdmin):
    """Proposed ones first, the likeliest before."""

    change_form_template = "admin/pair.html"
    decided_in = (PairStatus.PROPOSED,)
    list_filter = (by_status(PairStatus.PROPOSED),)
    fields = ("status", "score", "why", "proposed_by", "proposed_at", "decided_by", "decided_at", "merges")
    readonly_fields = ("why", "merges")

    @admin.display(description=_("why"))
    def why(self, pair: Any) -> str:
        return " ".join(pair.why)

    @admin.display(description=_("merges"))
    def merges(self, pair: Any) -> Any:
        rows = ((link_to(merge, moment(merge.at)),) for merge in pair.merges.order_by("-at", "-pk"))
        return format_html_join(" · ", "{}", rows) or "–"

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        if (pair := kwargs.get("obj")) is not None:
            context |= {"pair": pair, "compared": self.compared(pair), **self.consequences(pair)}
        return super().render_change_form(request, context, *args, **kwargs)

    def compared(self, pair: Any) -> list[Compared]:
        raise NotImplementedError

    def consequences(self, pair: Any) -> dict[str, Any]:
        return {}


@admin.register(DuplicatePair)
class DuplicatePairAdmin(PairAdmin):
    when_empty = _(
        "Organisations that may be one are looked for every night, by name, place and code. You can propose two yourself: tick them in the list of organisations."
    )
    list_display = ("names", "place", "score", "why", "status", "proposed_by", "proposed_at")
    list_select_related = ("one__region", "other__region", "proposed_by")
    search_fields = ("one__name", "other__name", "=one__id", "=other__id")
    actions: Sequence[Verb] = (
        Verb("keep_apart", _("They are two: keep apart"), services.keep_apart, may=may_decide, fits=[PairStatus.PROPOSED]),
        Verb("second", _("They are one, I think: another merges them"), services.second, may=may_second, fits=[PairStatus.PROPOSED]),
        Verb("merge_into_first", _("Merge: keep the first"), merge_into_first, may=may_decide, fits=[PairStatus.PROPOSED]),
        Verb("merge_into_second", _("Merge: keep the second"), merge_into_second, may=may_decide, fits=[PairStatus.PROPOSED]),
        Verb("propose_again", _("Propose again"), services.propose_again, may=may_decide, fits=[PairStatus.KEPT_APART]),
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> Any:
        return DuplicatePair.objects.visible_to(request.user).undecided_of_standing().likeliest_first()

    def waits(self, request: HttpRequest) -> Iterable[Waiting]:
        rows = self.get_queryset(request).proposed()
        return [
            Waiting(46, _("pairs of organisations that may be one"), rows, "status=proposed", "proposed_at")
        ]

    @admin.display(description=_("organisations"))
    def names(self, pair: DuplicatePair) -> str:
        return f"{masked(pair.one.name)} · {masked(pair.other.name)}"

    @admin.display(description=_("region"))
    def place(self, pair: DuplicatePair) -> str:
        return listed(dict.fromkeys([pair.one.region.name, pair.other.region.name]))

    def name_of(self, row: Any) -> str:
        return self.names(row)

    def compared(self, pair: DuplicatePair) -> list[Compared]:
        return compared(pair.one, pair.other, [*FACTS, *_asked_by_both(pair)])

    def consequences(self, pair: DuplicatePair) -> dict[str, Any]:
        if pair.status != PairStatus.PROPOSED:
            return {}
        heads = [gettext("rows"), gettext("how many")]
        return {
            "into_first": table(heads, would_move(pair.one, pair.other)),
            "into_second": table(heads, would_move(pair.other, pair.one)),
        }


FACTS = (
    (_("name"), lambda row: link_to(row, masked(row.name))),
    (_("other names"), lambda row: listed(masked(a.name) for a in row.aliases.order_by("name"))),
    (_("kind"), lambda row: row.get_kind_display()),
    (_("region"), lambda row: row.region.name),
    (_("unified social credit code"), lambda row: row.credit_code),
    (_("verification"), lambda row: row.get_status_display()),
    (_("source"), lambda row: masked(row.source)),
    (_("created"), lambda row: day(row.created_at)),
    (_("sites"), lambda row: listed(masked(f"{s.name} {s.address}".strip()) for s in row.facilities.order_by("name"))),
    (_("acting for it"), lambda row: str(row.memberships.count())),
    (_("in public lists"), lambda row: listed(masked(one.source_name) for one in row.listings.current().order_by("pk"))),
)  # fmt: skip


def _asked_by_both(pair: DuplicatePair) -> list[tuple[Any, Any]]:
    """What both ask for now, item by item."""
    asked: dict[Any, dict[Any, list[str]]] = {}
    needs = Need.objects.open().filter(site__organisation__in=[pair.one, pair.other])
    for need in needs.select_related("item__display_unit", "site").order_by("item", "created_at", "pk"):
        told = in_units(need.item, need.quantity) if need.quantity else need.get_quantity_kind_display()
        asked.setdefault(need.item, {}).setdefault(need.site.organisation_id, []).append(str(told))
    return [
        (item.name, lambda row, whose=whose: listed(whose.get(row.pk, ()))) for item, whose in asked.items()
    ]


NEED_FACTS = (
    (_("facility"), lambda need: masked(need.appeal.facility.name)),
    (_("item"), lambda need: need.item.name),
    (_("quantity"), lambda need: in_units(need.item, need.quantity) if need.quantity else need.get_quantity_kind_display()),
    (_("promised"), lambda need: in_units(need.item, need.quantity_promised)),
    (_("in transit"), lambda need: in_units(need.item, need.quantity_in_transit)),
    (_("received"), lambda need: in_units(need.item, need.quantity_received)),
    (_("status"), lambda need: need.get_status_display()),
    (_("urgency"), lambda need: need.get_urgency_display()),
    (_("needed by"), lambda need: day(need.needed_by)),
    (_("posted"), lambda need: day(need.created_at)),
    (_("accepted standards"), lambda need: listed(s.code for s in need.accepted_standards.order_by("code"))),
    (_("as written"), lambda need: masked(need.as_written)),
    (_("source"), lambda need: masked(need.appeal.source_name)),
    (_("need"), lambda need: link_to(need, gettext("its page"))),
)  # fmt: skip


@admin.register(DuplicateNeeds)
class DuplicateNeedsAdmin(PairAdmin):
    when_empty = _(
        "Needs of one hospital, or of two that may be one, which ask for the same at the same time are looked for every night."
    )
    list_display = ("goods", "site", "quantities", "score", "why", "status", "proposed_at")
    list_select_related = (
        "one__item__display_unit",
        "one__appeal__facility__region",
        "other__item__display_unit",
        "other__appeal__facility__region",
    )
    search_fields = ("one__site__name", "other__site__name", "=one__id", "=other__id")
    actions: Sequence[Verb] = (
        Verb("keep_apart", _("They are two: keep apart"), services.keep_apart, may=may_decide, fits=[PairStatus.PROPOSED]),
        Verb("fold_into_first", _("Fold into one: keep the first"), fold_into_first, asks=QuantityForm, may=may_decide, fits=[PairStatus.PROPOSED]),
        Verb("fold_into_second", _("Fold into one: keep the second"), fold_into_second, asks=QuantityForm, may=may_decide, fits=[PairStatus.PROPOSED]),
        Verb("propose_again", _("Propose again"), services.propose_again, may=may_decide, fits=[PairStatus.KEPT_APART]),
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> Any:
        return DuplicateNeeds.objects.visible_to(request.user).likeliest_first()

    def waits(self, request: HttpRequest) -> Iterable[Waiting]:
        rows = self.get_queryset(request).proposed()
        return [Waiting(47, _("pairs of needs that may be one"), rows, "status=proposed", "proposed_at")]

    @admin.display(description=_("item"))
    def goods(self, pair: DuplicateNeeds) -> str:
        return str(pair.one.item)

    @admin.display(description=_("facility"))
    def site(self, pair: DuplicateNeeds) -> str:
        names = (pair.one.appeal.facility.name, pair.other.appeal.facility.name)
        return masked(" · ".join(dict.fromkeys(names)))

    @admin.display(description=_("quantities"))
    def quantities(self, pair: DuplicateNeeds) -> str:
        return (
            f"{in_units(pair.one.item, pair.one.quantity)} · {in_units(pair.other.item, pair.other.quantity)}"
        )

    def name_of(self, row: Any) -> str:
        return f"{self.goods(row)} · {self.site(row)}"

    def compared(self, pair: DuplicateNeeds) -> list[Compared]:
        return compared(pair.one, pair.other, NEED_FACTS)


def may_undo_now(user: Any, merge: Merge) -> bool:
    return merge.undone_at is None and may_undo(user, merge)


@admin.register(Merge)
class MergeAdmin(DeskAdmin):
    when_empty = _(
        "What was merged is written down here, and can be undone. Pairs to be merged are in the lists of pairs."
    )
    list_display = ("what", "by", "at", "undone_by", "undone_at")
    list_filter = (("undone_at", admin.EmptyFieldListFilter),)
    list_select_related = (
        "by",
        "undone_by",
        "pair__one__region",
        "pair__other__region",
        "needs__one__item",
        "needs__one__appeal__facility__region",
        "needs__other__item",
        "needs__other__appeal__facility__region",
    )
    search_fields = ("pair__one__name", "pair__other__name")
    fields = ("stays", "went", "by", "at", "undone_by", "undone_at", "moved_rows", "told_of")
    readonly_fields = ("stays", "went", "moved_rows", "told_of")
    actions: Sequence[Verb] = (Verb("undo", _("Undo"), services.undo, may=may_undo_now),)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return Merge.objects.visible_to(request.user).order_by("-at", "-pk")

    @admin.display(description=_("merge"))
    def what(self, merge: Merge) -> str:
        return f"{_told(merge.kept)} ← {_told(merge.given_up)}"

    def name_of(self, row: Any) -> str:
        return self.what(row)

    @admin.display(description=_("kept"))
    def stays(self, merge: Merge) -> str:
        return link_to(merge.kept, _told(merge.kept))

    @admin.display(description=_("merged into it"))
    def went(self, merge: Merge) -> str:
        return link_to(merge.given_up, _told(merge.given_up))

    @admin.display(description=_("what moved"))
    def moved_rows(self, merge: Merge) -> Any:
        return table([gettext("rows"), gettext("how many")], counted(merge.moved.all())) or "–"

    @admin.display(description=_("pair"))
    def told_of(self, merge: Merge) -> str:
        return link_to(merge.of, gettext("what was compared"))


def _told(row: Organisation | Need) -> str:
    return masked(row.name if isinstance(row, Organisation) else str(row))
