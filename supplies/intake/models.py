"""What came in from lists: the file, its rows as last seen, and every cell that asks for or gives goods."""

import uuid
from typing import Any, Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from supplies.catalogue.models import Item
from supplies.emergencies.models import Emergency
from supplies.free_text import LongText, ShortText
from supplies.intake.reading.findings import Finding
from supplies.lifecycle import Lifecycle, Moving, status_is_listed
from supplies.needs.models import Appeal, Need, QuantityKind
from supplies.offers.models import Donation, Offer
from supplies.organisations.models import Facility, Organisation, User, in_regions_of
from supplies.quantity import QuantityField, within_bounds
from supplies.sealing import Sealed


class ImportQuerySet(models.QuerySet["Import"]):
    def visible_to(self, user: Any) -> Self:
        """A file covers many regions; a coordinator sees the rows of hers."""
        return self if user.is_authenticated and user.watches_over_all else self.none()


class Import(models.Model):
    """One reading of one file."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    format = models.CharField(_("format"), max_length=30)
    emergency = models.ForeignKey(
        Emergency, models.PROTECT, verbose_name=_("emergency"), related_name="imports"
    )
    file_name = models.CharField(_("file"), max_length=200)
    sha256 = models.CharField(_("checksum"), max_length=64)
    encoding = models.CharField(_("encoding"), max_length=20, blank=True)
    as_of = models.DateField(_("as of"), help_text=_("The day for which freshness and editions are judged."))
    started_at = models.DateTimeField(_("started"))
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)
    by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, verbose_name=_("who"), related_name="+"
    )
    rows_read = models.PositiveIntegerField(_("rows"), default=0)
    created = models.PositiveIntegerField(_("new"), default=0)
    changed = models.PositiveIntegerField(_("changed"), default=0)
    unchanged = models.PositiveIntegerField(_("unchanged"), default=0)
    failed = models.PositiveIntegerField(_("failed"), default=0)
    waiting = models.PositiveIntegerField(_("waiting for review"), default=0)
    warnings = models.PositiveIntegerField(_("warnings"), default=0)
    problem = models.JSONField(
        _("problem"), null=True, blank=True, help_text=_("Why the file as a whole could not be read.")
    )

    objects = ImportQuerySet.as_manager()

    class Meta:
        verbose_name = _("import")
        verbose_name_plural = _("imports")
        indexes = [models.Index(fields=["-started_at"], name="import_newest")]

    def __str__(self) -> str:
        return f"{self.file_name} · {self.started_at:%Y-%m-%d %H:%M}"


class RowStatus(models.TextChoices):
    NEW = "new", _("new")
    UNCHANGED = "unchanged", _("unchanged")
    CHANGED = "changed", _("changed")
    WAITING = "waiting", _("waiting for review")
    REVIEWED = "reviewed", _("reviewed")
    FAILED = "failed", _("failed")


_READ_AGAIN = {RowStatus.CHANGED, RowStatus.WAITING}
ROW_LIFECYCLE = Lifecycle(
    {
        RowStatus.NEW: _READ_AGAIN | {RowStatus.UNCHANGED},
        RowStatus.UNCHANGED: _READ_AGAIN,
        RowStatus.CHANGED: _READ_AGAIN | {RowStatus.UNCHANGED},
        RowStatus.WAITING: _READ_AGAIN | {RowStatus.REVIEWED},
        RowStatus.REVIEWED: _READ_AGAIN,
        RowStatus.FAILED: set(),
    }
)


class ImportedRowQuerySet(models.QuerySet["ImportedRow"]):
    def visible_to(self, user: Any) -> Self:
        if not user.is_authenticated:
            return self.none()
        if user.watches_over_all:
            return self
        return self.filter(in_regions_of(user, "facility__region__path", "organisation__region__path"))

    def waiting(self) -> Self:
        return self.filter(status=RowStatus.WAITING)

    def troubled_first(self) -> Self:
        trouble = models.Case(
            models.When(status=RowStatus.FAILED, then=0),
            models.When(status=RowStatus.WAITING, then=1),
            default=2,
        )
        return self.order_by(trouble, "-seen_in__started_at", "row_number", "pk")


class ImportedRow(Moving):
    """One row of a list as it was last seen, under a key that outlives the list's own numbering.

    The raw row is sealed, because lists hold the telephones of people; `shown` is what volunteers need of it.
    """

    lifecycle = ROW_LIFECYCLE

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    key = models.CharField(_("key"), max_length=300, unique=True, editable=False)
    format = models.CharField(_("format"), max_length=30)
    scope = models.CharField(
        _("part of the list"), max_length=200, help_text=_("The city: what one file covers.")
    )
    status = models.CharField(_("status"), max_length=10, choices=RowStatus, default=RowStatus.NEW)
    seen_in = models.ForeignKey(Import, models.PROTECT, verbose_name=_("last seen in"), related_name="rows")
    row_number = models.PositiveIntegerField(_("row"))
    digest = models.CharField(max_length=64, editable=False)
    raw_sealed = models.BinaryField(default=b"", editable=False)
    shown = models.JSONField(_("as read"), default=dict)
    problems = models.JSONField(_("problems"), default=list, blank=True)
    gone_at = models.DateTimeField(_("missing since"), null=True, blank=True)
    facility = models.ForeignKey(
        Facility,
        models.PROTECT,
        null=True,
        blank=True,
        verbose_name=_("facility"),
        related_name="imported_rows",
    )
    organisation = models.ForeignKey(
        Organisation,
        models.PROTECT,
        null=True,
        blank=True,
        verbose_name=_("organisation"),
        related_name="imported_rows",
    )
    appeal = models.ForeignKey(
        Appeal, models.PROTECT, null=True, blank=True, verbose_name=_("appeal"), related_name="imported_rows"
    )
    donation = models.ForeignKey(
        Donation,
        models.PROTECT,
        null=True,
        blank=True,
        verbose_name=_("donation"),
        related_name="imported_rows",
    )

    raw = Sealed()

    objects = ImportedRowQuerySet.as_manager()

    class Meta:
        verbose_name = _("imported row")
        verbose_name_plural = _("imported rows")
        constraints = [status_is_listed(RowStatus, "imported_row_status_is_listed")]
        indexes = [
            models.Index(fields=["format", "scope"], name="imported_row_by_scope"),
            models.Index(fields=["status"], name="imported_row_by_status"),
        ]

    def __str__(self) -> str:
        return f"{self.shown.get('name', self.key)} ({self.row_number})"

    @property
    def findings(self) -> list[Finding]:
        return [Finding.from_json(stored) for stored in self.problems]


class LineStatus(models.TextChoices):
    TAKEN = "taken", _("taken")
    WAITING = "waiting", _("waiting for review")
    ACCEPTED = "accepted", _("accepted by a volunteer")
    REJECTED = "rejected", _("rejected")


LINE_LIFECYCLE = Lifecycle(
    {
        LineStatus.TAKEN: set(),
        LineStatus.WAITING: {LineStatus.ACCEPTED, LineStatus.REJECTED},
        LineStatus.ACCEPTED: set(),
        LineStatus.REJECTED: set(),
    }
)


class ImportedLineQuerySet(models.QuerySet["ImportedLine"]):
    def visible_to(self, user: Any) -> Self:
        if user.is_authenticated and user.watches_over_all:
            return self
        return self.filter(row__in=ImportedRow.objects.visible_to(user))

    def waiting(self) -> Self:
        return self.filter(status=LineStatus.WAITING)

    def waiting_first(self) -> Self:
        waits = models.Case(models.When(status=LineStatus.WAITING, then=0), default=1)
        return self.order_by(waits, "row__seen_in__started_at", "row__row_number", "position", "pk")


class ImportedLine(Moving):
    """One cell that names goods, as written beside as read, and the need or offer it became.

    A waiting line is in no match: a volunteer accepts it as it is, corrects it, or rejects it.
    """

    lifecycle = LINE_LIFECYCLE

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    row = models.ForeignKey(ImportedRow, models.CASCADE, verbose_name=_("row"), related_name="lines")
    position = models.PositiveIntegerField(_("position"))
    heading = ShortText(_("goods as written"), max_length=200)
    as_written = ShortText(_("as written"), max_length=300)
    raw = LongText(_("cell"), max_length=4000)
    status = models.CharField(_("status"), max_length=10, choices=LineStatus, default=LineStatus.TAKEN)
    item = models.ForeignKey(
        Item, models.PROTECT, null=True, blank=True, verbose_name=_("item"), related_name="+"
    )
    quantity_kind = models.CharField(_("kind of quantity"), max_length=10, choices=QuantityKind)
    quantity = QuantityField(
        _("quantity as read"), null=True, blank=True, help_text=_("In the item's smallest counted unit.")
    )
    standards = ArrayField(
        models.CharField(max_length=40), verbose_name=_("standards"), default=list, blank=True
    )
    is_sterile = models.BooleanField(_("sterile"), default=False)
    problems = models.JSONField(_("problems"), default=list, blank=True)
    need = models.ForeignKey(
        Need, models.PROTECT, null=True, blank=True, verbose_name=_("need"), related_name="imported_lines"
    )
    offer = models.ForeignKey(
        Offer, models.PROTECT, null=True, blank=True, verbose_name=_("offer"), related_name="imported_lines"
    )
    reviewed_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, verbose_name=_("reviewed by"), related_name="+"
    )
    reviewed_at = models.DateTimeField(_("reviewed"), null=True, blank=True)

    objects = ImportedLineQuerySet.as_manager()

    class Meta:
        verbose_name = _("imported line")
        verbose_name_plural = _("imported lines")
        constraints = [
            status_is_listed(LineStatus, "imported_line_status_is_listed"),
            models.UniqueConstraint(fields=["row", "heading"], name="imported_line_once_per_row"),
            models.CheckConstraint(
                name="imported_line_waiting_is_in_no_match",
                condition=~Q(status=LineStatus.WAITING) | Q(need=None, offer=None),
            ),
            within_bounds("imported_line_quantities_in_bounds", "quantity", at_least=1),
        ]
        indexes = [models.Index(fields=["row"], condition=Q(status="waiting"), name="imported_line_waiting")]

    def __str__(self) -> str:
        return f"{self.heading} · {self.row}"

    @property
    def findings(self) -> list[Finding]:
        return [Finding.from_json(stored) for stored in self.problems]


def stored(findings: Any) -> list[dict[str, Any]]:
    """Findings as the `problems` columns keep them."""
    return [finding.as_json() for finding in findings]


class SheetMappingQuerySet(models.QuerySet["SheetMapping"]):
    def visible_to(self, user: Any) -> Self:
        return self if user.is_authenticated and user.watches_over_all else self.none()

    def newest_first(self) -> Self:
        return self.order_by("-remembered_at", "pk")


class SheetMapping(models.Model):
    """What the columns of one source's table are, as somebody confirmed it; used again when the table comes again.

    signature  of the headings; other headings of the same source are another mapping
    plan       as `formats.sheet.Plan.as_json` writes it
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    source = models.CharField(_("source"), max_length=24)
    signature = models.CharField(max_length=64, editable=False)
    plan = models.JSONField(_("columns"), editable=False)
    by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, verbose_name=_("who"), related_name="+"
    )
    remembered_at = models.DateTimeField(_("confirmed"))

    objects = SheetMappingQuerySet.as_manager()

    class Meta:
        verbose_name = _("mapping of a sheet")
        verbose_name_plural = _("mappings of sheets")
        constraints = [
            models.UniqueConstraint(
                fields=["source", "signature"], name="sheet_mapping_once_per_source_and_header"
            )
        ]

    def __str__(self) -> str:
        return f"{self.source} · {self.remembered_at:%Y-%m-%d}"
