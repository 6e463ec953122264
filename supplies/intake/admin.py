"""Intake at the desk: imports with errors first, rows as written beside as read, and the lines that wait."""

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import BadRequest, PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseRedirect,
    StreamingHttpResponse,
)
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from supplies.attachments.forms import FileForm
from supplies.attachments.models import Attachment
from supplies.attachments.uploads import takes_files
from supplies.catalogue.models import Item, Unit
from supplies.errors import Refused
from supplies.intake import error_file, services
from supplies.intake.batch_page import page_of
from supplies.intake.forms import (
    GoodsForm,
    HandInForm,
    HeadingForm,
    MappingForm,
    NameForm,
    PlaceForm,
    QuantityForm,
    SureForm,
    UnitForm,
    WhereForm,
)
from supplies.intake.models import (
    BatchStatus,
    Correction,
    Import,
    ImportedLine,
    ImportedRow,
    LineStatus,
    RowStatus,
    Scope,
    StagedRow,
    StagedStatus,
    Verdict,
)
from supplies.intake.permissions import may_import, may_read_raw, may_review
from supplies.intake.reading.findings import Finding, Unreadable
from supplies.journal.services import record
from supplies.needs.models import Appeal
from supplies.organisations.desk import (
    DeskAdmin,
    DeskInline,
    Verb,
    Waiting,
    by_status,
    change_url,
    in_units,
    link_to,
    sentence,
    source_link,
    who,
)
from supplies.organisations.models import User
from supplies.organisations.progress import LongWork, Progress
from supplies.organisations.visitors import has_confirmed, lead_to_confirm
from supplies.sheets import in_pieces


def discarding(batch: Import, *, sure: bool, by: User, at: datetime) -> Import:
    """The verb of a form that has made sure."""
    return services.discard(batch, by=by, at=at)


def as_list(findings: Iterable[Finding]) -> str:
    items = format_html_join("", "<li>{}</li>", ((finding.sentence,) for finding in findings))
    return format_html("<ul>{}</ul>", items) if items else "–"


class CorrectionForm(forms.Form):
    item = forms.ModelChoiceField(
        label=_("Item"),
        queryset=Item.objects.active().by_category(),
        required=False,
        help_text=_("Empty leaves it as it was read."),
    )
    quantity = forms.IntegerField(
        label=_("Quantity"),
        min_value=1,
        required=False,
        help_text=_(
            "In the unit the item is shown in (pairs of gloves, litres). Empty leaves it as it was read."
        ),
    )


def _importing(user: Any, row: Any) -> bool:
    return may_import(user)


class OnItsPage(Verb):
    """A verb whose form stands beside each row of a batch, filled in with the line it is about."""

    is_asked_on_the_page = True


@admin.register(Import)
class ImportAdmin(LongWork):
    """Lists, those that wait first; and the page of one, on which its rows are looked through and entered."""

    when_empty = _(
        "A list handed in above is read here first, row by row; nothing is entered before somebody says so."
    )
    change_list_template = "admin/imports.html"
    change_form_template = "admin/import_batch.html"
    list_display = (
        "file_name", "status", "by", "started_at", "rows_read", "created", "changed", "unchanged", "failed", "waiting", "warnings", "trouble",
    )  # fmt: skip
    list_filter = (by_status(), "format")
    list_select_related = ("by",)
    search_fields = ("file_name", "source")
    fields = (
        "format",
        "source",
        "emergency",
        "as_of",
        "encoding",
        "by",
        "started_at",
        "finished_at",
        "created",
        "changed",
        "unchanged",
        "failed",
        "waiting",
        "facilities",
        "warnings",
        "trouble",
    )
    readonly_fields = ("trouble", "facilities")
    actions = (
        Verb(
            "enter_sure",
            _("Enter what is sure or reviewed, leave the rest waiting"),
            services.enter,
            may=_importing,
            fits=[BatchStatus.READ],
            what=Scope.SURE,
        ),
        Verb(
            "enter_reviewed",
            _("Enter what was reviewed"),
            services.enter,
            may=_importing,
            fits=[BatchStatus.READ],
            what=Scope.REVIEWED,
        ),
        Verb(
            "enter_all",
            _("Enter everything; doubtful lines wait one by one"),
            services.enter,
            may=_importing,
            fits=[BatchStatus.READ],
            what=Scope.ALL,
        ),
        Verb(
            "discard",
            _("Discard"),
            discarding,
            asks=SureForm,
            may=_importing,
            fits=[BatchStatus.READ, BatchStatus.RECEIVED, BatchStatus.READING, BatchStatus.UNMAPPED],
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return Import.objects.visible_to(request.user).waiting_first()

    def waits(self, request: HttpRequest) -> Iterable[Waiting]:
        rows = Import.objects.visible_to(request.user).filter(
            status__in=[BatchStatus.READ, BatchStatus.UNMAPPED]
        )
        return [Waiting(44, _("imports to look through"), rows, f"status={BatchStatus.READ}")]

    @admin.display(description=_("problem"))
    def trouble(self, batch: Import) -> str:
        return Finding.from_json(batch.problem).sentence if batch.problem else "–"

    def progress_of(self, row: Import) -> Progress | None:
        if not row.is_moving:
            return None
        if not row.rows_total:
            is_waiting = row.status == BatchStatus.RECEIVED
            return Progress(gettext("Waits for a worker") if is_waiting else gettext("About to begin"))
        counts = {"done": f"{row.rows_done:,}", "total": f"{row.rows_total:,}"}
        return Progress(gettext("%(done)s of %(total)s rows") % counts, row.rows_done, row.rows_total)

    # -- handing in -------------------------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        views = {
            "hand-in/": (takes_files(self.hand_in_view), "hand_in"),
            "<uuid:pk>/columns/": (self.columns_view, "columns"),
            "<uuid:pk>/errors/": (self.errors_view, "errors"),
            "<uuid:pk>/evidence/": (takes_files(self.evidence_view), "evidence"),
            "appeals/<uuid:pk>/evidence/": (takes_files(self.appeal_evidence_view), "appeal_evidence"),
        }
        own = [
            path(route, self.admin_site.admin_view(view), name=f"supplies_import_{name}")
            for route, (view, name) in views.items()
        ]
        return [*own, *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        return super().changelist_view(
            request, {"may_import": may_import(request.user), **(extra_context or {})}
        )

    def hand_in_view(self, request: HttpRequest) -> HttpResponse:
        """The form that takes lists in; a worker reads them."""
        if not may_import(request.user):
            raise PermissionDenied
        sent = request.method == "POST"
        form = HandInForm(request.POST, request.FILES) if sent else HandInForm()
        if sent and form.is_valid() and (batches := self._received(request, form)):
            return HttpResponseRedirect(
                change_url(batches[0]) if len(batches) == 1 else reverse("admin:supplies_import_changelist")
            )
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("Hand in lists"),
            "opts": self.opts,
            "form": form,
            "media": self.media + form.media,
        }
        return TemplateResponse(request, "admin/hand_in_list.html", context)

    def _received(self, request: HttpRequest, form: HandInForm) -> list[Import]:
        """All of the files or none. What was refused stands on the form."""
        given = {name: form.cleaned_data[name] for name in ("emergency", "format", "source", "as_of")}
        try:
            with transaction.atomic():
                return [
                    services.receive(
                        file.file,
                        name=file.name or "",
                        size=file.size or 0,
                        by=who(request),
                        at=timezone.now(),
                        **given,
                    )
                    for file in form.cleaned_data["lists"]
                ]
        except (Refused, ValidationError) as refusal:
            form.add_error("lists", sentence(refusal))
            form.say_choose_again()
            return []

    def evidence_view(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """POST: a picture or PDF of the announcement, kept beside the batch."""
        batch = self._batch(request, pk)
        keep_evidence(self, request, batch)
        return HttpResponseRedirect(change_url(batch))

    def appeal_evidence_view(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """POST: the same beside an appeal, whose page offers it."""
        appeal = self._asked_for(request, Appeal.objects.visible_to(request.user), pk)
        keep_evidence(self, request, appeal)
        return HttpResponseRedirect(change_url(appeal))

    def _batch(self, request: HttpRequest, pk: UUID) -> Import:
        batch: Import = self._asked_for(request, Import.objects.visible_to(request.user), pk)
        return batch

    def _asked_for(self, request: HttpRequest, rows: QuerySet, pk: UUID) -> Any:
        if not may_import(request.user):
            raise PermissionDenied
        if request.method != "POST":
            raise BadRequest
        return get_object_or_404(rows, pk=pk)

    def columns_view(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """What the columns of a table are, proposed for a volunteer to correct and confirm; then it is read on."""
        if not may_import(request.user):
            raise PermissionDenied
        waiting = Import.objects.visible_to(request.user).filter(status=BatchStatus.UNMAPPED)
        batch = get_object_or_404(waiting, pk=pk)
        try:
            proposal = services.columns_of(batch, sheet=request.GET.get("sheet", ""), header=_header(request))
            form = MappingForm(proposal, request.POST if request.method == "POST" else None)
            if form.is_valid():
                services.say_columns(batch, form.plan, by=who(request), at=timezone.now())
                return HttpResponseRedirect(change_url(batch))
        except (Refused, Unreadable) as refusal:
            self.message_user(request, f"{batch.file_name} · {refusal}", messages.ERROR)
            return HttpResponseRedirect(change_url(batch))
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("What are the columns of %(file)s?") % {"file": batch.file_name},
            "opts": self.opts,
            "form": form,
            "where": WhereForm(proposal),
            "batch": batch,
            "media": self.media + form.media,
        }
        return TemplateResponse(request, "admin/map_columns.html", context)

    # -- one batch --------------------------------------------------------------------------------------

    def errors_view(self, request: HttpRequest, pk: UUID) -> HttpResponseBase:
        """POST: the rows that wait or failed, with why, as a sheet."""
        batch = self._batch(request, pk)
        if not has_confirmed(request):
            return lead_to_confirm(request, back=change_url(batch))
        at = timezone.now()
        record(batch, "import.errors-downloaded", by=who(request), at=at)
        columns = error_file.columns_of(batch) if may_read_raw(request.user, batch) else None
        return StreamingHttpResponse(
            in_pieces(error_file.head(columns), error_file.pieces(batch, columns)),
            content_type="text/csv; charset=utf-8",
            headers={
                "Content-Disposition": f'attachment; filename="errors-{batch.pk.hex[:8]}.csv"',
                "Cache-Control": "private, no-store",
            },
        )

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        batch = kwargs.get("obj")
        if batch is not None:
            may = may_import(request.user)
            after = request.GET.get("after", "")
            context |= {
                **page_of(
                    batch,
                    verdict=request.GET.get("verdict", ""),
                    after=int(after) if after.isascii() and after.isdigit() and len(after) < 10 else 0,
                ),
                "may_correct": may and batch.status == BatchStatus.READ,
                "may_download": may,
                "forms": CORRECTING,
                "units": Unit.objects.order_by("kind", "code") if may else [],
                "items": Item.objects.active().order_by("code") if may else [],
                "files": Attachment.objects.about(batch).kept().select_related("by").oldest_first(),
                "file_form": FileForm(auto_id="file_%s") if may else None,
                "reader": request.user,
            }
        return super().render_change_form(request, context, *args, **kwargs)


def _header(request: HttpRequest) -> tuple[int, int] | None:
    """The first and the last row of the headings, where somebody said that they are not where they seem to be."""
    first, last = request.GET.get("first", ""), request.GET.get("last", "")
    if not all(row.isascii() and row.isdigit() and len(row) < 4 for row in (first, last)):
        return None
    return min(int(first), int(last)), max(int(first), int(last))


def keep_evidence(desk: DeskAdmin, request: HttpRequest, row: Import | Appeal) -> None:
    form = FileForm(request.POST, request.FILES)
    if not form.is_valid():
        desk.message_user(request, " ".join(map(str, form.errors.get("file", ["–"]))), messages.ERROR)
        return
    file = form.cleaned_data["file"]
    try:
        services.add_evidence(
            row,
            file.file,
            size=file.size,
            kind=form.cleaned_data["kind"],
            by=who(request),
            at=timezone.now(),
        )
    except (Refused, ValidationError) as refusal:
        desk.message_user(request, sentence(refusal), messages.ERROR)
    else:
        desk.message_user(request, gettext("The file is kept beside it, sealed."), messages.SUCCESS)


CORRECTING: dict[str, forms.Form] = {
    "goods": GoodsForm(auto_id=False),
    "quantity": QuantityForm(auto_id=False),
    "unit": UnitForm(auto_id=False),
    "place": PlaceForm(auto_id=False),
    "name": NameForm(auto_id=False),
}


@admin.register(StagedRow)
class StagedRowAdmin(DeskAdmin):
    """Rows of batches. They are looked through on the page of their batch, to which every verb leads back."""

    list_display = ("name", "place", "number", "verdict", "status", "batch", "said")
    list_filter = (by_status(), "verdict")
    list_select_related = ("batch",)
    ordering = ("-batch__started_at", "batch", "number")
    fields = (
        "batch",
        "number",
        "verdict",
        "status",
        "name",
        "place",
        "said",
        "row",
        "reviewed_by",
        "reviewed_at",
    )
    readonly_fields = ("name", "place", "said")
    actions = (
        Verb("review", _("Right as it is read"), services.review, may=_importing, fits=[StagedStatus.STAGED]),
        Verb(
            "leave_out",
            _("Leave out"),
            services.leave_out,
            may=_importing,
            fits=[StagedStatus.STAGED, StagedStatus.REVIEWED, StagedStatus.FAILED],
        ),
        Verb(
            "take_back",
            _("Take back what was decided"),
            services.take_back,
            may=_importing,
            fits=[StagedStatus.REVIEWED, StagedStatus.LEFT_OUT, StagedStatus.FAILED],
        ),
        OnItsPage("goods", _("It is other goods"), services.correct_goods, asks=GoodsForm, may=_importing),
        OnItsPage("nothing", _("Not goods"), services.correct_goods, asks=HeadingForm, may=_importing),
        OnItsPage(
            "quantity", _("Another quantity"), services.correct_quantity, asks=QuantityForm, may=_importing
        ),
        OnItsPage("unit", _("Another unit"), services.correct_unit, asks=UnitForm, may=_importing),
        OnItsPage("place", _("Another place"), services.correct_place, asks=PlaceForm, may=_importing),
        OnItsPage("name", _("Another organisation"), services.correct_name, asks=NameForm, may=_importing),
    )

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """What is said about one line is said on the page of its batch, not about many rows at once."""
        known = super().get_actions(request)
        return {name: action for name, action in known.items() if not isinstance(action[0], OnItsPage)}

    def do_view(self, request: HttpRequest, object_id: str, action: str) -> HttpResponse:
        """Back to the batch, where the next row stands."""
        answer = super().do_view(request, object_id, action)
        if not isinstance(answer, HttpResponseRedirect):
            return answer
        row = StagedRow.objects.visible_to(request.user).filter(pk=unquote(object_id)).first()
        if row is None or answer.url != change_url(row):
            return answer
        verdict = request.POST.get("verdict", "")
        asked = (
            f"?verdict={verdict}&after={row.number - 1}"
            if verdict in Verdict.values
            else f"?after={row.number - 1}"
        )
        return HttpResponseRedirect(f"{change_url(row.batch)}{asked}#row-{row.number}")

    @admin.display(description=_("name"))
    def name(self, row: StagedRow) -> str:
        return str(row.shown.get("name", ""))

    @admin.display(description=_("place"))
    def place(self, row: StagedRow) -> str:
        return str(row.shown.get("place", ""))

    @admin.display(description=_("problems"))
    def said(self, row: StagedRow) -> str:
        return as_list(row.findings)


@admin.register(Correction)
class CorrectionAdmin(DeskAdmin):
    """What volunteers said the words of sources mean. Said otherwise on the page of a batch; taken back here."""

    when_empty = _(
        "What volunteers correct in an import is kept here, and used for the next list of the same source."
    )
    list_display = ("as_written", "kind", "means", "within", "source", "by", "at", "undone_at")
    list_filter = ("kind", "source", ("undone_at", admin.EmptyFieldListFilter))
    list_select_related = ("item__display_unit", "unit", "region", "organisation", "by")
    search_fields = ("as_written", "source")
    fields = ("source", "kind", "within", "as_written", "means", "by", "at", "undone_at")
    readonly_fields = ("means",)
    ordering = ("-at", "pk")
    actions = (Verb("undo", _("Undo"), services.undo_correction, may=_importing),)

    @admin.display(description=_("means"))
    def means(self, correction: Correction) -> str:
        said = correction.item or correction.unit or correction.region or correction.organisation
        if correction.unit is not None and correction.quantity is not None:
            return f"{correction.quantity:,} × {correction.unit}"
        if said is not None:
            return str(said)
        if correction.is_nothing:
            return gettext("nothing that is wanted")
        if correction.quantity is not None:
            return f"{correction.quantity:,}"
        return correction.get_quantity_kind_display() or "–"


class LineInline(DeskInline):
    model = ImportedLine
    fields = ("as_written", "item", "read_as", "standards", "status", "said")
    ordering = ("position",)

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).select_related("item__display_unit")

    @admin.display(description=_("read as"))
    def read_as(self, line: ImportedLine) -> str:
        return read_as(line)

    @admin.display(description=_("problems"))
    def said(self, line: ImportedLine) -> str:
        return as_list(line.findings)


def read_as(line: ImportedLine) -> str:
    """The quantity as it was understood, in the unit people use."""
    if line.item is None or line.quantity is None:
        return line.get_quantity_kind_display()
    return in_units(line.item, line.quantity)


@admin.register(ImportedRow)
class ImportedRowAdmin(DeskAdmin):
    list_display = ("name", "place", "row_number", "status", "organisation", "seen_in", "gone_at", "said")
    list_filter = (by_status(), "format", ("gone_at", admin.EmptyFieldListFilter))
    list_select_related = ("organisation", "seen_in")
    search_fields = ("key", "organisation__name")
    fields = (
        "status",
        "seen_in",
        "row_number",
        "as_read",
        "source",
        "said",
        "organisation",
        "facility",
        "appeal",
        "donation",
        "gone_at",
    )
    readonly_fields = ("as_read", "source", "said")
    inlines = (LineInline,)

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return ImportedRow.objects.visible_to(request.user).troubled_first()

    @admin.display(description=_("name"))
    def name(self, row: ImportedRow) -> str:
        return str(row.shown.get("name", ""))

    @admin.display(description=_("place"))
    def place(self, row: ImportedRow) -> str:
        return str(row.shown.get("place", ""))

    @admin.display(description=_("as read"))
    def as_read(self, row: ImportedRow) -> str:
        return format_html("<pre>{}</pre>", json.dumps(row.shown, ensure_ascii=False, indent=1))

    @admin.display(description=_("source"))
    def source(self, row: ImportedRow) -> str:
        link = str(row.shown.get("link", ""))
        return source_link(row.format, link if link.startswith(("http://", "https://")) else "")

    @admin.display(description=_("problems"))
    def said(self, row: ImportedRow) -> str:
        return as_list(row.findings)

    def waits(self, request: HttpRequest) -> Iterable[Waiting]:
        failed = self.get_queryset(request).filter(status=RowStatus.FAILED, gone_at=None)
        return [Waiting(50, _("imported rows that failed"), failed, "status=failed")]


@admin.register(ImportedLine)
class ImportedLineAdmin(DeskAdmin):
    list_display = (
        "as_written",
        "facility",
        "item",
        "read_as",
        "status",
        "said",
        "reviewed_by",
        "reviewed_at",
    )
    list_filter = (by_status(LineStatus.WAITING), "row__format")
    list_select_related = ("item__display_unit", "row__organisation__region", "reviewed_by")
    search_fields = ("heading", "row__organisation__name")
    fields = (
        "row",
        "as_written",
        "raw",
        "item",
        "read_as",
        "standards",
        "is_sterile",
        "status",
        "said",
        "entered",
        "reviewed_by",
        "reviewed_at",
    )
    readonly_fields = ("read_as", "said", "entered")
    actions = (
        Verb("accept", _("Accept as it is"), services.accept, may=may_review, fits=[LineStatus.WAITING]),
        Verb(
            "correct",
            _("Correct and accept"),
            services.correct,
            asks=CorrectionForm,
            may=may_review,
            fits=[LineStatus.WAITING],
        ),
        Verb(
            "reject",
            _("Reject this line"),
            services.reject,
            may=may_review,
            fits=[LineStatus.WAITING],
            ends=_(
                "Nothing is entered from it, and it can be accepted no more. What was written stays on record."
            ),
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return ImportedLine.objects.visible_to(request.user).waiting_first()

    @admin.display(description=_("organisation"))
    def facility(self, line: ImportedLine) -> str:
        return str(line.row.organisation or "–")

    @admin.display(description=_("read as"))
    def read_as(self, line: ImportedLine) -> str:
        return read_as(line)

    @admin.display(description=_("problems"))
    def said(self, line: ImportedLine) -> str:
        return as_list(line.findings)

    @admin.display(description=_("became"))
    def entered(self, line: ImportedLine) -> Any:
        return link_to(line.need or line.offer)

    def waits(self, request: HttpRequest) -> Iterable[Waiting]:
        rows = ImportedLine.objects.visible_to(request.user).waiting()
        return [Waiting(45, _("imported lines to review"), rows, "status=waiting")]
