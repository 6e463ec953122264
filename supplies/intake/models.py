"""What came in from lists: the file and its rows as they are looked through, the rows as last seen, and every cell
that asks for or gives goods; and what volunteers said the words of a source mean."""

import uuid
from datetime import datetime
from typing import Any, Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from supplies.catalogue.models import Item, Unit
from supplies.emergencies.models import Emergency
from supplies.free_text import LongText, ShortText
from supplies.intake.reading.findings import Finding
from supplies.lifecycle import Lifecycle, Moving, status_is_listed
from supplies.needs.models import Appeal, Need, QuantityKind
from supplies.offers.models import Donation, Offer
from supplies.organisations.models import Facility, Organisation, User, in_regions_of
from supplies.quantity import QuantityField, within_bounds
from supplies.regions.models import Region
from supplies.sealing import Sealed
from supplies.wording import day, moment


class BatchStatus(models.TextChoices):
    RECEIVED = "received", _("received")
    READING = "reading", _("being read")
    UNMAPPED = "unmapped", _("waiting to be told its columns")
    READ = "read", _("to be looked through")
    ENTERING = "entering", _("being entered")
    FINISHED = "finished", pgettext_lazy("status", "finished")
    FAILED = "failed", _("could not be read")
    DISCARDED = "discarded", _("discarded")


BATCH_LIFECYCLE = Lifecycle(
    {
        BatchStatus.RECEIVED: {BatchStatus.READING, BatchStatus.FAILED, BatchStatus.DISCARDED},
        BatchStatus.READING: {
            BatchStatus.READ,
            BatchStatus.UNMAPPED,
            BatchStatus.FAILED,
            BatchStatus.DISCARDED,
        },
        BatchStatus.UNMAPPED: {BatchStatus.READING, BatchStatus.FAILED, BatchStatus.DISCARDED},
        BatchStatus.READ: {BatchStatus.ENTERING, BatchStatus.FINISHED, BatchStatus.DISCARDED},
        # What nobody has looked through yet may be left for later.
        BatchStatus.ENTERING: {BatchStatus.READ, BatchStatus.FINISHED},
        BatchStatus.FINISHED: set(),
        BatchStatus.FAILED: set(),
        BatchStatus.DISCARDED: set(),
    }
)
MOVING = (BatchStatus.RECEIVED, BatchStatus.READING, BatchStatus.ENTERING)
OPEN = (*MOVING, BatchStatus.UNMAPPED, BatchStatus.READ)


class Scope(models.TextChoices):
    """Which rows of a batch are entered at once."""

    SURE = "sure", _("what is sure or reviewed")
    REVIEWED = "reviewed", _("what was reviewed")
    ALL = "all", _("everything; doubtful lines wait one by one")


class ImportQuerySet(models.QuerySet["Import"]):
    def visible_to(self, user: Any) -> Self:
        """A file covers many regions; a coordinator sees the rows of hers."""
        return self if user.is_authenticated and user.watches_over_all else self.none()

    def left_lying(self, before: datetime) -> Self:
        """Those that somebody should be at work on, and nobody has touched since."""
        return self.filter(status__in=MOVING, touched_at__lt=before).order_by("touched_at", "pk")

    def newest_first(self) -> Self:
        return self.order_by("-started_at", "-pk")

    def waiting_first(self) -> Self:
        """What a person has to look through, what is under way, what could not be read, then the rest; the newest first."""
        rank = models.Case(
            models.When(status__in=[BatchStatus.READ, BatchStatus.UNMAPPED], then=0),
            models.When(status__in=MOVING, then=1),
            models.When(Q(status=BatchStatus.FAILED) | Q(failed__gt=0), then=2),
            default=3,
        )
        return self.order_by(rank, "-started_at", "pk")


class Import(Moving):
    """One file of a list: a batch. It is read, which changes nothing; looked through; and entered.

    rows_total   how many rows the file has, once that is known
    rows_read    how many of them are staged
    next_row     the row to be entered next; committed together with what the rows before it became
    entering     which rows the volunteer said are to be entered
    touched_at   when somebody last was at work on it
    attempts     how often in a row its next rows failed by a fault of the program
    """

    lifecycle = BATCH_LIFECYCLE

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    status = models.CharField(
        _("status"), max_length=10, choices=BatchStatus, default=BatchStatus.RECEIVED, editable=False
    )
    format = models.CharField(_("format"), max_length=30, blank=True)
    source = models.CharField(
        _("source"), max_length=80, blank=True, help_text=_("Lists of one source share what was corrected.")
    )
    emergency = models.ForeignKey(
        Emergency, models.PROTECT, verbose_name=_("emergency"), related_name="imports"
    )
    file_name = models.CharField(_("file"), max_length=200)
    sha256 = models.CharField(_("checksum"), max_length=64, blank=True)
    encoding = models.CharField(_("encoding"), max_length=20, blank=True)
    as_of = models.DateField(
        _("as of"), null=True, blank=True, help_text=_("The day for which freshness and editions are judged.")
    )
    started_at = models.DateTimeField(_("started"))
    touched_at = models.DateTimeField(null=True, editable=False)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)
    by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, verbose_name=_("who"), related_name="+"
    )
    entering = models.CharField(max_length=10, choices=Scope, blank=True, editable=False)
    next_row = models.PositiveIntegerField(default=1, editable=False)
    attempts = models.PositiveSmallIntegerField(default=0, editable=False)
    rows_total = models.PositiveIntegerField(null=True, editable=False)
    rows_read = models.PositiveIntegerField(_("rows"), default=0)
    created = models.PositiveIntegerField(_("new"), default=0)
    changed = models.PositiveIntegerField(_("changed"), default=0)
    unchanged = models.PositiveIntegerField(_("unchanged"), default=0)
    failed = models.PositiveIntegerField(_("failed"), default=0)
    waiting = models.PositiveIntegerField(_("waiting for review"), default=0)
    warnings = models.PositiveIntegerField(_("warnings"), default=0)
    facilities = models.PositiveIntegerField(_("facilities opened"), default=0, editable=False)
    needs_by_kind = models.JSONField(default=dict, editable=False)
    plan = models.JSONField(null=True, editable=False)  # of a mapped sheet: what its columns are
    remarks = models.JSONField(default=list, editable=False)
    problem = models.JSONField(
        _("problem"), null=True, blank=True, help_text=_("Why the file as a whole could not be read.")
    )

    objects = ImportQuerySet.as_manager()

    class Meta:
        verbose_name = _("import")
        verbose_name_plural = _("imports")
        constraints = [
            status_is_listed(BatchStatus, "import_status_is_listed"),
            models.CheckConstraint(
                name="import_knows_what_it_enters",
                condition=~Q(status=BatchStatus.ENTERING) | Q(entering__in=Scope.values),
            ),
            models.CheckConstraint(
                name="import_was_read_as_something",
                condition=Q(status__in=[*MOVING[:2], BatchStatus.UNMAPPED, "failed", "discarded"])
                | (~Q(format="") & Q(as_of__isnull=False)),
            ),
        ]
        indexes = [
            models.Index(fields=["-started_at"], name="import_newest"),
            models.Index(fields=["touched_at"], condition=Q(status__in=MOVING), name="import_under_way"),
        ]

    def __str__(self) -> str:
        return f"{self.file_name} · {moment(self.started_at)}"

    @property
    def is_moving(self) -> bool:
        return self.status in MOVING

    @property
    def rows_done(self) -> int:
        """How many rows whatever is going on is done with; a sheet's numbers run ahead of their count."""
        entered = min(self.next_row - 1, self.rows_read)
        return entered if self.status == BatchStatus.ENTERING else self.rows_read

    @property
    def is_whole(self) -> bool:
        """Whether what it does not hold is missing from the list; not so where it was cut off, or hands back mended rows."""
        return self.problem is None and all(said["code"] != "handed-back" for said in self.remarks)

    @property
    def findings(self) -> list[Finding]:
        """What is to be said about the file as a whole."""
        return [Finding.from_json(stored) for stored in self.remarks]


class Verdict(models.TextChoices):
    NEW = "new", _("new")
    CHANGED = "changed", _("changed")
    UNCHANGED = "unchanged", _("unchanged")
    DOUBTFUL = "doubtful", _("doubtful")
    UNREADABLE = "unreadable", _("unreadable")


SURE = (Verdict.NEW, Verdict.CHANGED, Verdict.UNCHANGED)


class StagedStatus(models.TextChoices):
    STAGED = "staged", _("not entered")
    REVIEWED = "reviewed", _("reviewed")
    LEFT_OUT = "left_out", _("left out")
    ENTERED = "entered", _("entered")
    FAILED = "failed", _("could not be entered")


STAGED_LIFECYCLE = Lifecycle(
    {
        StagedStatus.STAGED: set(StagedStatus) - {StagedStatus.STAGED},
        StagedStatus.REVIEWED: set(StagedStatus) - {StagedStatus.REVIEWED},
        StagedStatus.LEFT_OUT: {StagedStatus.STAGED},
        StagedStatus.ENTERED: set(),
        StagedStatus.FAILED: {StagedStatus.STAGED, StagedStatus.LEFT_OUT},
    }
)
TO_DECIDE = (StagedStatus.STAGED, StagedStatus.REVIEWED, StagedStatus.FAILED)
SCOPES: dict[str, Q] = {
    Scope.SURE: Q(status=StagedStatus.REVIEWED) | Q(status=StagedStatus.STAGED, verdict__in=SURE),
    Scope.REVIEWED: Q(status=StagedStatus.REVIEWED),
    Scope.ALL: Q(status__in=TO_DECIDE),
}


class StagedRowQuerySet(models.QuerySet["StagedRow"]):
    def visible_to(self, user: Any) -> Self:
        return self if user.is_authenticated and user.watches_over_all else self.none()

    def to_decide(self) -> Self:
        return self.filter(status__in=TO_DECIDE)

    def to_enter(self, batch: Import) -> Self:
        """What the volunteer said is to be entered, from where it was left off."""
        wanted = self.filter(SCOPES[batch.entering], batch=batch, number__gte=batch.next_row)
        return wanted.order_by("number")

    def in_order(self) -> Self:
        return self.order_by("number", "pk")


class StagedRow(Moving):
    """One row of a batch, read and compared with what is known, before it changes anything.

    The raw row is sealed, and given up as soon as the row is entered; `shown` is what of it may be shown at the desk:
    cells [{field, raw, read, confidence}] and lines [{heading, raw, item, kind, quantity, standards, confidence, change, …}].

    key   of the imported row it is about; empty where that cannot be told
    base  the same without the number that tells the second row of one organisation from the first
    """

    lifecycle = STAGED_LIFECYCLE

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    batch = models.ForeignKey(Import, models.CASCADE, verbose_name=_("import"), related_name="staged")
    number = models.PositiveIntegerField(_("row"))
    status = models.CharField(
        _("status"), max_length=10, choices=StagedStatus, default=StagedStatus.STAGED, editable=False
    )
    verdict = models.CharField(_("verdict"), max_length=10, choices=Verdict)
    key = models.CharField(max_length=300, blank=True, editable=False)
    base = models.CharField(max_length=300, blank=True, editable=False)
    scope = models.CharField(max_length=200, blank=True, editable=False)
    raw_sealed = models.BinaryField(default=b"", editable=False)
    shown = models.JSONField(_("as read"), default=dict)
    problems = models.JSONField(_("problems"), default=list, blank=True)
    row = models.ForeignKey(
        "ImportedRow", models.PROTECT, null=True, blank=True, verbose_name=_("became"), related_name="staged"
    )
    reviewed_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, verbose_name=_("reviewed by"), related_name="+"
    )
    reviewed_at = models.DateTimeField(_("reviewed"), null=True, blank=True)

    raw = Sealed()

    objects = StagedRowQuerySet.as_manager()

    class Meta:
        verbose_name = _("row of an import")
        verbose_name_plural = _("rows of imports")
        constraints = [
            status_is_listed(StagedStatus, "staged_row_status_is_listed"),
            models.CheckConstraint(
                name="staged_row_verdict_is_listed", condition=Q(verdict__in=Verdict.values)
            ),
            models.UniqueConstraint(fields=["batch", "number"], name="staged_row_once_a_batch"),
            models.UniqueConstraint(
                fields=["batch", "key"],
                condition=~Q(key=""),
                name="staged_row_has_a_key_of_its_own",
            ),
            models.CheckConstraint(
                name="staged_row_entered_became_something",
                condition=~Q(status=StagedStatus.ENTERED) | Q(row__isnull=False),
            ),
        ]
        indexes = [
            models.Index(fields=["batch", "verdict", "number"], name="staged_row_by_verdict"),
            models.Index(fields=["batch", "base"], name="staged_row_by_base"),
            models.Index(
                fields=["batch", "number"],
                condition=Q(status__in=TO_DECIDE),
                name="staged_row_to_decide",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.shown.get('name', '')} ({self.number})"

    @property
    def findings(self) -> list[Finding]:
        return [Finding.from_json(stored) for stored in self.problems]


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
    def is_undecided(self) -> bool:
        """Nothing was entered for it, so that it is read anew."""
        return self.status in {LineStatus.WAITING, LineStatus.REJECTED}

    @property
    def findings(self) -> list[Finding]:
        return [Finding.from_json(stored) for stored in self.problems]


class CorrectionQuerySet(models.QuerySet["Correction"]):
    def visible_to(self, user: Any) -> Self:
        return self if user.is_authenticated and user.watches_over_all else self.none()

    def in_force(self) -> Self:
        return self.filter(undone_at=None)

    def for_source(self, source: str) -> Self:
        return self.filter(source=source)


class Correction(models.Model):
    """What a volunteer said that words of a source mean. The next list of the source is read so before anything else.

    within   for the value of a column, its heading; for one cell, the key of its row and its heading
    """

    class Kind(models.TextChoices):
        ITEM = "item", _("words for goods")
        UNIT = "unit", _("words for a unit")
        PLACE = "place", _("a place")
        NAME = "name", _("the name of an organisation")
        VALUE = "value", _("a value of a column")
        CELL = "cell", _("the quantity of one cell")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    source = models.CharField(_("source"), max_length=80)
    kind = models.CharField(_("what it is about"), max_length=10, choices=Kind)
    within = ShortText(_("within"), max_length=600, blank=True)
    as_written = ShortText(_("as written"), max_length=300)
    item = models.ForeignKey(
        Item, models.PROTECT, null=True, blank=True, verbose_name=_("item"), related_name="+"
    )
    unit = models.ForeignKey(
        Unit, models.PROTECT, null=True, blank=True, verbose_name=_("unit"), related_name="+"
    )
    region = models.ForeignKey(
        Region, models.PROTECT, null=True, blank=True, verbose_name=_("region"), related_name="+"
    )
    organisation = models.ForeignKey(
        Organisation, models.PROTECT, null=True, blank=True, verbose_name=_("organisation"), related_name="+"
    )
    quantity_kind = models.CharField(
        _("kind of quantity"), max_length=10, choices=QuantityKind, blank=True, default=""
    )
    quantity = QuantityField(
        _("quantity"), null=True, blank=True, help_text=_("In the item's smallest counted unit.")
    )
    is_nothing = models.BooleanField(_("means nothing that is wanted"), default=False)
    by = models.ForeignKey(User, models.PROTECT, verbose_name=_("who"), related_name="+")
    at = models.DateTimeField(_("when"))
    undone_at = models.DateTimeField(_("undone"), null=True, blank=True)

    objects = CorrectionQuerySet.as_manager()

    class Meta:
        verbose_name = _("correction")
        verbose_name_plural = _("corrections")
        constraints = [
            models.CheckConstraint(
                name="correction_kind_is_listed",
                condition=Q(kind__in=["item", "unit", "place", "name", "value", "cell"]),
            ),
            models.UniqueConstraint(
                fields=["source", "kind", "within", "as_written"], name="correction_once_for_the_same_words"
            ),
            models.CheckConstraint(
                name="correction_means_what_its_kind_can",
                condition=Q(undone_at__isnull=False)
                | (Q(kind="item") & (Q(item__isnull=False) | Q(is_nothing=True)))
                | Q(kind="unit", unit__isnull=False)
                | Q(kind="place", region__isnull=False)
                | Q(kind="name", organisation__isnull=False)
                | (Q(kind__in=["value", "cell"]) & (~Q(quantity_kind="") | Q(is_nothing=True))),
            ),
            models.CheckConstraint(
                name="correction_undone_means_nothing_more",
                condition=Q(undone_at=None)
                | Q(
                    item=None,
                    unit=None,
                    region=None,
                    organisation=None,
                    quantity_kind="",
                    quantity=None,
                    is_nothing=False,
                ),
            ),
            models.CheckConstraint(
                name="correction_counts_where_it_says_a_number",
                condition=Q(quantity_kind="number", quantity__isnull=False)
                | (~Q(quantity_kind="number") & Q(quantity=None)),
            ),
            within_bounds("correction_quantities_in_bounds", "quantity", at_least=1),
        ]

    def __str__(self) -> str:
        return f"{self.as_written} · {self.source}"


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
        return f"{self.source} · {day(self.remembered_at)}"
