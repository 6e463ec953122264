"""What hospitals ask for: an appeal with a line per item."""

import uuid
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Any, Self
from zoneinfo import ZoneInfo

from django.contrib.postgres.expressions import ArraySubquery
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Case, Exists, F, GeneratedField, OuterRef, Q, Value, When
from django.db.models.functions import Cast, Coalesce, Greatest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from supplies.catalogue.models import Category, Item, Standard, Unit
from supplies.emergencies.models import Emergency
from supplies.free_text import LongText, ShortText
from supplies.lifecycle import Lifecycle, Moving, status_is_listed
from supplies.organisations.models import Alias, Facility, Organisation, User, in_regions_of
from supplies.quantity import QuantityField, new_code, within_bounds
from supplies.regions.models import Region
from supplies.search import FEW
from supplies.wording import day


class SenderKind(models.TextChoices):
    PERSON = "person", _("private person")
    COMPANY = "company", _("company")
    ORGANISATION = "organisation", _("charity or organisation")
    GOVERNMENT = "government", _("public body")


def every_sender() -> list[str]:
    return list(SenderKind.values)


class AppealStatus(models.TextChoices):
    WAITING = "waiting", _("waiting for a volunteer")
    PUBLISHED = "published", _("published")
    REFUSED = "refused", _("refused")
    WITHDRAWN = "withdrawn", _("withdrawn")
    CLOSED = "closed", _("closed")


APPEAL_LIFECYCLE = Lifecycle(
    {
        AppealStatus.WAITING: {AppealStatus.PUBLISHED, AppealStatus.REFUSED, AppealStatus.WITHDRAWN},
        AppealStatus.PUBLISHED: {AppealStatus.CLOSED, AppealStatus.WITHDRAWN},
        AppealStatus.REFUSED: set(),
        AppealStatus.WITHDRAWN: set(),
        AppealStatus.CLOSED: {AppealStatus.PUBLISHED},
    }
)


class AppealQuerySet(models.QuerySet["Appeal"]):
    def visible_to(self, user: Any) -> Self:
        """Published ones for everyone; one's own organisation's, those of a coordinator's regions, and for volunteers all."""
        if user.is_authenticated and user.watches_over_all:
            return self
        public = Q(status__in=[AppealStatus.PUBLISHED, AppealStatus.CLOSED])
        if not user.is_authenticated:
            return self.filter(public)
        own = Q(posted_by=user) | Q(facility__in=Facility.objects.of(user))
        return self.filter(public | own | in_regions_of(user, "facility__region__path"))

    def ours(self) -> Self:
        """Those of our own hospitals; see `NeedQuerySet.ours`."""
        return self.exclude(facility__organisation__kind=Organisation.Kind.ELSEWHERE)

    def newest_first(self) -> Self:
        return self.order_by("-created_at", "-pk")


class Appeal(Moving):
    """What a hospital publishes: where, how, from whom it takes, and until when. Its lines are Needs."""

    lifecycle = APPEAL_LIFECYCLE

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    code = models.CharField(_("tracking code"), max_length=32, unique=True, default=new_code, editable=False)
    emergency = models.ForeignKey(
        Emergency, models.PROTECT, verbose_name=_("emergency"), related_name="appeals"
    )
    facility = models.ForeignKey(Facility, models.PROTECT, verbose_name=_("facility"), related_name="appeals")
    status = models.CharField(_("status"), max_length=10, choices=AppealStatus, default=AppealStatus.WAITING)
    posted_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, verbose_name=_("posted by"), related_name="+"
    )
    created_at = models.DateTimeField(_("posted"))
    source_name = ShortText(_("source"), max_length=120, blank=True)
    source_url = models.URLField(_("source link"), max_length=500, blank=True)
    published_on = models.DateField(_("date of the source"), null=True, blank=True)
    valid_until = models.DateField(_("valid until"), null=True, blank=True)
    handover_point = ShortText(_("hand-over point"), max_length=300, blank=True)
    courier_address = ShortText(_("courier address"), max_length=300, blank=True)
    accepted_senders = ArrayField(
        models.CharField(max_length=12, choices=SenderKind),
        verbose_name=_("accepts goods from"),
        default=every_sender,
    )
    accepts_overseas = models.BooleanField(_("accepts goods from overseas"), default=True)
    receiving_body = ShortText(
        _("receiving body"),
        max_length=200,
        blank=True,
        help_text=_("Who receives on the hospital's behalf, if not the hospital."),
    )
    transport_instructions = LongText(_("transport"), max_length=2000, blank=True)
    remark = LongText(_("remark"), max_length=4000, blank=True)
    moderated_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, verbose_name=_("moderated by"), related_name="+"
    )
    moderated_at = models.DateTimeField(_("moderated"), null=True, blank=True)
    refusal = ShortText(_("why refused"), max_length=300, blank=True)

    objects = AppealQuerySet.as_manager()

    class Meta:
        verbose_name = _("appeal")
        verbose_name_plural = _("appeals")
        constraints = [
            status_is_listed(AppealStatus, "appeal_status_is_listed"),
            models.CheckConstraint(
                name="appeal_moderated_by_another", condition=~Q(moderated_by=F("posted_by"))
            ),
            models.CheckConstraint(
                name="appeal_refused_says_why", condition=~Q(status=AppealStatus.REFUSED) | ~Q(refusal="")
            ),
        ]
        indexes = [
            models.Index(fields=["-created_at", "-id"], name="appeal_newest"),
            models.Index(fields=["facility"], name="appeal_by_facility"),
            models.Index(fields=["created_at"], condition=Q(status="waiting"), name="appeal_waiting"),
        ]

    def __str__(self) -> str:
        return f"{self.facility} · {day(self.created_at)}"

    @property
    def is_still_asked(self) -> bool:
        """A line cannot be open under an appeal that its hospital took back."""
        return self.status not in (AppealStatus.WITHDRAWN, AppealStatus.REFUSED)

    @property
    def public_source(self) -> str:
        """The list it was taken from. What somebody who posts here calls her source is hers to say, not ours to publish."""
        return self.source_name if self.posted_by_id is None else ""

    @property
    def ways(self) -> list[str]:
        """How goods may come, as far as everybody may know it; where exactly is for both sides of a match."""
        ways = []
        if self.handover_point:
            ways.append(gettext("handed over on the spot"))
        if self.courier_address:
            ways.append(gettext("by courier"))
        return ways

    @property
    def senders(self) -> list[str]:
        """From whom it takes goods; empty where from everybody."""
        if len(set(self.accepted_senders)) == len(SenderKind):
            return []
        return [str(kind.label) for kind in SenderKind if kind in self.accepted_senders]


class QuantityKind(models.TextChoices):
    NUMBER = "number", _("a number")
    UNLIMITED = "unlimited", _("without limit")
    UNKNOWN = "unknown", _("not known")


class Setting(models.TextChoices):
    ICU = "icu", _("intensive care")
    ISOLATION = "isolation", _("isolation ward")
    OBSERVATION = "observation", _("observation ward")
    FEVER_CLINIC = "fever_clinic", _("fever clinic")
    GENERAL = "general", _("general ward")
    SURGERY = "surgery", _("surgery")
    LAB = "lab", _("laboratory")
    COMMUNITY = "community", _("community")


class Urgency(models.IntegerChoices):
    CRITICAL = 1, _("critical: runs out within a day")
    URGENT = 2, _("urgent: runs out within three days")
    SOON = 3, _("soon: runs out within a fortnight")
    RESERVE = 4, _("reserve")

    @property
    def word(self) -> str:
        """The class without its definition, where there is no room for it."""
        return str(URGENCY_WORDS[self])


URGENCY_WORDS = {
    Urgency.CRITICAL: _("critical"),
    Urgency.URGENT: _("urgent"),
    Urgency.SOON: _("soon"),
    Urgency.RESERVE: _("reserve"),
}


class NeedStatus(models.TextChoices):
    WAITING = "waiting", _("waiting for a volunteer")
    OPEN = "open", _("open")
    MET = "met", _("met")
    WITHDRAWN = "withdrawn", _("not needed any more")
    LAPSED = "lapsed", _("lapsed")
    REFUSED = "refused", _("refused")


class ConfirmedBy(models.TextChoices):
    """Who said last that it is needed; the account itself is nobody else's business."""

    HOSPITAL = "hospital", _("the hospital")
    TELEPHONE = "telephone", _("a volunteer, who called the hospital")
    VOLUNTEER = "volunteer", _("a volunteer")
    POSTER = "poster", _("whoever posted it")
    SOURCE = "source", _("its source")


class Reminded(models.IntegerChoices):
    """Of what its hospital was told since the last confirmation."""

    NOT_YET = 0, _("not yet")
    OF_GREY = 1, _("that it goes grey")
    OF_END = 2, _("that it lapses")


NEED_LIFECYCLE = Lifecycle(
    {
        NeedStatus.WAITING: {NeedStatus.OPEN, NeedStatus.REFUSED, NeedStatus.WITHDRAWN},
        NeedStatus.OPEN: {NeedStatus.MET, NeedStatus.WITHDRAWN, NeedStatus.LAPSED},
        NeedStatus.MET: {NeedStatus.OPEN},
        NeedStatus.WITHDRAWN: {NeedStatus.OPEN},  # only where it was folded into another by mistake
        NeedStatus.LAPSED: {NeedStatus.OPEN, NeedStatus.WITHDRAWN},
        NeedStatus.REFUSED: set(),
    }
)

PIPELINE = F("quantity_promised") + F("quantity_in_transit") + F("quantity_received")
ALL_PROMISED = Q(quantity_kind=QuantityKind.NUMBER, quantity_outstanding=0)


def unconfirmed(days: Callable[[Emergency], int], *, at: datetime) -> Q:
    """The needs that nobody has confirmed for so many days of their emergency, while it goes on."""
    old = Q(pk__in=[])
    for emergency in Emergency.objects.going_on():
        old |= Q(appeal__emergency=emergency, confirmed_at__lte=at - timedelta(days=days(emergency)))
    return old


class NeedQuerySet(models.QuerySet["Need"]):
    def open(self) -> Self:
        return self.filter(status=NeedStatus.OPEN)

    def ours(self) -> Self:
        """Those asked for here. What is told elsewhere and matched here is in no count, list or file of ours."""
        return self.filter(origin="")

    def public(self) -> Self:
        """What everyone may read: everything once it was published. What was withdrawn unread never was."""
        return self.filter(self._published())

    @staticmethod
    def _published() -> Q:
        shown = Q(status__in=[NeedStatus.OPEN, NeedStatus.MET, NeedStatus.LAPSED])
        # Looked up for those alone that were withdrawn; a join would be made for every need there is.
        was_published = Exists(Appeal.objects.filter(pk=OuterRef("appeal"), moderated_at__isnull=False))
        return shown | Q(was_published, status=NeedStatus.WITHDRAWN)

    def visible_to(self, user: Any) -> Self:
        if user.is_authenticated and user.watches_over_all:
            return self
        if not user.is_authenticated:
            return self.public()
        # Few, so that they are read once and not joined with every need there is.
        own = Q(appeal__in=Appeal.objects.filter(posted_by=user)) | Q(site__in=Facility.objects.of(user))
        return self.filter(self._published() | own | in_regions_of(user, "region_path"))

    def in_region(self, region: Region) -> Self:
        return self.filter(region_path__startswith=region.path)

    def in_category(self, category: Category | str) -> Self:
        """Of one category, or of that with this code."""
        return self.filter(item__in=Item.objects.codes_in(category))

    def as_posted(self) -> Self:
        """Of one appeal, in the order of its lines."""
        return self.order_by("created_at", "position", "pk")

    def in_emergency(self, emergency: Emergency) -> Self:
        return self.filter(appeal__emergency=emergency)

    def taking(self) -> Self:
        """Of facilities that are not paused."""
        return self.filter(site__is_paused=False)

    def wanting(self) -> Self:
        """Of facilities that take goods, and not all of it is promised. Where no number is known, more is always welcome."""
        return self.taking().exclude(ALL_PROMISED)

    def wanting_nothing(self) -> Self:
        return self.filter(Q(site__is_paused=True) | ALL_PROMISED)

    def grey(self) -> Self:
        """Open, and not confirmed lately."""
        return self.open().filter(is_grey=True)

    def due_after(self, at: datetime) -> Self:
        return self.filter(deadline_at__gt=at)

    def about(self, text: str) -> Self:
        """Whose item or hospital is called so.

        All are looked up first, in one question: of a rare name the few sites lead to their needs, and a miss costs nothing.
        "Hospital" is in almost every name, so that the first needs in any order are of such sites: then each is asked for its
        site's.
        """
        goods = Item.objects.mentioning(text).values_list(Value("item"), "pk")
        named = Facility.objects.filter(name__mentions=text)
        elsewise = Facility.objects.filter(
            organisation__in=Alias.objects.mentioning(text).values("organisation")
        )
        keys = (rows.values_list(Value("site"), Cast("pk", models.TextField())) for rows in (named, elsewise))
        items, sites = list[str](), set[str]()
        for of, key in goods.union(*(rows[: FEW + 1] for rows in keys), all=True):
            if of == "item":
                items.append(key)
            else:
                sites.add(key)
        at_sites = Q(site__in=sites) if len(sites) <= FEW else Q(site__name__holds=text)
        return self.filter(at_sites | Q(item__in=items))

    def with_goods(self) -> Self:
        """With its item, and the codes of the standards it accepts as `standard_codes`."""
        accepted = Need.accepted_standards.through.objects.filter(need=OuterRef("pk")).order_by("standard")
        return self.select_related("item").annotate(standard_codes=ArraySubquery(accepted.values("standard")))

    def with_names(self) -> Self:
        """With all that programs read, in one query."""
        return self.with_goods().select_related("appeal__facility__organisation", "appeal__facility__region")

    def with_site(self) -> Self:
        """With all a card shows but the place, which `browsing.placed` reads for all cards at once."""
        return self.select_related("item__display_unit", "appeal__facility__organisation")

    def with_place(self) -> Self:
        """With all a page shows. Small tables are read beside, not joined: planning ten joins costs more than the rows."""
        return self.select_related("item__display_unit", "appeal__facility__organisation").prefetch_related(
            "appeal__facility__region__parent__parent"
        )

    def most_urgent_first(self) -> Self:
        """Of the same urgency, what was confirmed lately comes first."""
        return self.order_by("urgency", "is_grey", "needed_by", "pk")

    def newest_first(self) -> Self:
        return self.order_by("-created_at", "-pk")


class Need(Moving):
    """A facility asks for a quantity of an item by a date. Counters are moved by the verbs of allocations and of matching, nothing else."""

    lifecycle = NEED_LIFECYCLE

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    appeal = models.ForeignKey(Appeal, models.CASCADE, verbose_name=_("appeal"), related_name="needs")
    # Copies of what the appeal says, so that a list of needs is narrowed without leaving its table. A trigger keeps them
    # (migration 0027): read them in queries, and `appeal.facility` in code, which is right before the row is stored too.
    site = models.ForeignKey(
        Facility,
        models.PROTECT,
        verbose_name=_("facility"),
        related_name="needs",
        editable=False,
        db_constraint=False,
        db_index=False,
    )
    region_path = models.CharField(_("path of the region"), max_length=80, blank=True, editable=False)
    item = models.ForeignKey(Item, models.PROTECT, verbose_name=_("item"), related_name="needs")
    status = models.CharField(_("status"), max_length=10, choices=NeedStatus, default=NeedStatus.WAITING)
    origin = models.CharField(
        _("told by"),
        max_length=200,
        blank=True,
        default="",
        editable=False,
        help_text=_("The instance it was posted at; empty for one posted here."),
    )
    created_at = models.DateTimeField(_("posted"))
    position = models.PositiveSmallIntegerField(
        _("line"),
        default=0,
        db_default=0,
        editable=False,
        help_text=_("Of what was posted together, from 0."),
    )

    quantity_kind = models.CharField(
        _("kind of quantity"), max_length=10, choices=QuantityKind, default=QuantityKind.NUMBER
    )
    quantity = QuantityField(
        _("quantity"), null=True, blank=True, help_text=_("In the item's smallest counted unit.")
    )
    quantity_assumed = QuantityField(
        _("assumed quantity"), null=True, blank=True, help_text=_("What is matched while no number is known.")
    )
    ceiling = QuantityField(_("most that may be promised"), editable=False)
    unit = models.ForeignKey(
        Unit, models.PROTECT, null=True, blank=True, verbose_name=_("unit as asked"), related_name="+"
    )
    pack_content = QuantityField(_("content of a pack"), null=True, blank=True)
    as_written = ShortText(
        _("as written"),
        max_length=300,
        blank=True,
        help_text=_("The words of the source, kept beside what was read."),
    )

    accepted_standards = models.ManyToManyField(
        Standard, verbose_name=_("accepted standards"), blank=True, related_name="+"
    )
    medical_grade = models.BooleanField(_("medical grade"), default=True)
    sterile = models.BooleanField(_("sterile"), default=False)
    setting = models.CharField(_("setting"), max_length=12, choices=Setting, default=Setting.GENERAL)
    substitutes_welcome = models.BooleanField(_("substitutes welcome"), default=True)
    ask_first = models.BooleanField(_("ask us before sending"), default=False)
    requirements = ShortText(
        _("what else it has to be"),
        max_length=300,
        blank=True,
        default="",
        db_default="",
        help_text=_("In the hospital's words, for everybody: a test report, no valve, a brand that fits."),
    )

    urgency = models.PositiveSmallIntegerField(_("urgency"), choices=Urgency, default=Urgency.SOON)
    urgency_assumed = models.BooleanField(_("urgency assumed"), default=False)
    needed_by = models.DateField(_("needed by"))
    needed_by_assumed = models.BooleanField(_("date assumed"), default=False)
    deadline_at = models.DateTimeField(
        _("deadline"), editable=False, help_text=_("Midnight at the end of that day, where the facility is.")
    )
    min_lot = QuantityField(_("least useful lot"), default=1)
    stock_on_hand = QuantityField(_("stock on hand"), null=True, blank=True)
    daily_use = QuantityField(_("daily use"), null=True, blank=True)
    counted_on = models.DateField(_("counted on"), null=True, blank=True)
    confirmed_at = models.DateTimeField(_("last confirmed"))
    confirmed_by_kind = models.CharField(
        _("confirmed by"), max_length=10, choices=ConfirmedBy, default=ConfirmedBy.SOURCE
    )
    confirmed_by = models.ForeignKey(
        User,
        models.PROTECT,
        null=True,
        blank=True,
        verbose_name=_("who confirmed"),
        related_name="+",
        db_index=False,
    )
    # Stored, not worked out: lists are sorted by it, and a page is cut where an index says. The timetable moves it.
    is_grey = models.BooleanField(_("not confirmed lately"), default=False, editable=False)
    reminded = models.PositiveSmallIntegerField(
        _("reminded"), choices=Reminded, default=Reminded.NOT_YET, editable=False
    )

    quantity_proposed = QuantityField(_("proposed"), default=0, editable=False)
    quantity_promised = QuantityField(_("promised"), default=0, editable=False)
    quantity_in_transit = QuantityField(_("in transit"), default=0, editable=False)
    quantity_received = QuantityField(_("received"), default=0, editable=False)
    received_before = QuantityField(_("received before the last confirmation"), default=0, editable=False)
    quantity_outstanding = GeneratedField(
        verbose_name=_("outstanding"),
        expression=Case(
            When(
                quantity_kind=QuantityKind.NUMBER,
                then=F("quantity")
                - F("quantity_promised")
                - F("quantity_in_transit")
                - F("quantity_received"),
            ),
            default=Greatest(
                Coalesce(F("quantity_assumed"), Value(0))
                + F("received_before")
                - F("quantity_promised")
                - F("quantity_in_transit")
                - F("quantity_received"),
                Value(0),
            ),
        ),
        output_field=models.BigIntegerField(),
        db_persist=True,
    )

    objects = NeedQuerySet.as_manager()

    class Meta:
        verbose_name = _("need")
        verbose_name_plural = _("needs")
        constraints = [
            status_is_listed(NeedStatus, "need_status_is_listed"),
            models.CheckConstraint(name="need_urgency_is_listed", condition=Q(urgency__in=Urgency.values)),
            models.CheckConstraint(
                name="need_confirmed_by_is_listed", condition=Q(confirmed_by_kind__in=ConfirmedBy.values)
            ),
            models.CheckConstraint(name="need_reminded_is_listed", condition=Q(reminded__in=Reminded.values)),
            models.CheckConstraint(
                name="need_number_has_a_quantity",
                condition=Q(quantity_kind=QuantityKind.NUMBER, quantity__gt=0)
                | Q(quantity_kind__in=[QuantityKind.UNLIMITED, QuantityKind.UNKNOWN], quantity=None),
            ),
            models.CheckConstraint(
                name="need_ceiling_of_a_number_is_the_number",
                condition=~Q(quantity_kind=QuantityKind.NUMBER) | Q(ceiling=F("quantity")),
            ),
            models.CheckConstraint(
                name="need_not_promised_beyond_what_it_asks",
                condition=Q(
                    ceiling__gte=F("quantity_promised") + F("quantity_in_transit") + F("quantity_received")
                ),
            ),
            within_bounds(
                "need_quantities_in_bounds",
                "quantity",
                "quantity_assumed",
                "ceiling",
                "stock_on_hand",
                "daily_use",
                "quantity_proposed",
                "quantity_promised",
                "quantity_in_transit",
                "quantity_received",
                "received_before",
            ),
            within_bounds("need_lots_are_positive", "min_lot", "pack_content", at_least=1),
        ]
        indexes = [
            models.Index(
                fields=["urgency", "is_grey", "needed_by", "id"],
                condition=Q(status="open"),
                name="need_open_fresh_first",
            ),
            models.Index(
                fields=["item", "urgency", "is_grey", "needed_by", "id"],
                condition=Q(status="open"),
                name="need_open_of_item",
            ),
            models.Index(fields=["-created_at", "-id"], name="need_newest"),
            models.Index(fields=["urgency", "is_grey", "needed_by", "id"], name="need_fresh_first"),
            models.Index(
                fields=["urgency", "is_grey", "needed_by", "id"],
                condition=Q(status="met"),
                name="need_met_fresh_first",
            ),
            models.Index(fields=["confirmed_at"], condition=Q(status="open"), name="need_by_confirmation"),
            models.Index(
                fields=["urgency", "confirmed_at", "id"],
                condition=Q(status="open", is_grey=True),
                name="need_grey",
            ),
            models.Index(fields=["site"], name="need_by_site"),
            models.Index(fields=["region_path"], opclasses=["text_pattern_ops"], name="need_by_region"),
        ]

    def __str__(self) -> str:
        return f"{self.item} · {self.appeal.facility}"

    @property
    def asked(self) -> int:
        """What bands and gauges are measured against: the number asked for, or the assumed one."""
        return self.quantity if self.quantity is not None else (self.quantity_assumed or 0)

    @property
    def is_assumed(self) -> bool:
        return self.quantity_kind != QuantityKind.NUMBER

    @property
    def greys_at(self) -> datetime:
        """When it comes after what was confirmed lately, unless somebody says before that it is still needed."""
        return self.confirmed_at + timedelta(days=self.appeal.emergency.grey_days)

    @property
    def lapses_at(self) -> datetime:
        """When it ends unless somebody says before that it is still needed."""
        return self.confirmed_at + timedelta(days=self.appeal.emergency.confirm_days)

    @property
    def lacking(self) -> int:
        """What may still be promised to it."""
        return self.ceiling - self.quantity_promised - self.quantity_in_transit - self.quantity_received

    @property
    def days_of_stock(self) -> int | None:
        return (
            self.stock_on_hand // self.daily_use
            if self.stock_on_hand is not None and self.daily_use
            else None
        )

    @property
    def is_all_promised(self) -> bool:
        """Open still, since the goods have not arrived; but nobody has to give any more."""
        is_counted = self.quantity_kind == QuantityKind.NUMBER and self.status == NeedStatus.OPEN
        return is_counted and self.quantity_outstanding == 0


class OpenCount(models.Model):
    """How many needs of a category and urgency are open, as the timetable counted them last.

    The first page shows these numbers to everybody; counting a million rows for each visit would be all it does.
    """

    category = models.ForeignKey(Category, models.CASCADE, verbose_name=_("category"), related_name="+")
    urgency = models.PositiveSmallIntegerField(_("urgency"), choices=Urgency)
    lines = models.PositiveIntegerField(_("open needs"))
    promised = models.PositiveIntegerField(_("open needs with goods promised"), default=0, db_default=0)
    in_transit = models.PositiveIntegerField(_("open needs with goods in transit"), default=0, db_default=0)
    counted_at = models.DateTimeField(_("counted"))

    class Meta:
        verbose_name = _("count of open needs")
        verbose_name_plural = _("counts of open needs")
        constraints = [
            models.UniqueConstraint(fields=["category", "urgency"], name="open_count_once"),
            models.CheckConstraint(
                name="open_count_urgency_is_listed", condition=Q(urgency__in=Urgency.values)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.category} · {self.urgency} · {self.lines}"


class OpenThere(models.Model):
    """How many needs are open in a region, as the timetable counted them last; a region without any has no row."""

    region = models.OneToOneField(Region, models.CASCADE, verbose_name=_("region"), related_name="open_there")
    lines = models.PositiveIntegerField(_("open needs inside"))
    critical = models.PositiveIntegerField(_("critical ones inside"))
    own_lines = models.PositiveIntegerField(
        _("open needs of its own"), help_text=_("Of hospitals in no smaller region.")
    )
    counted_at = models.DateTimeField(_("counted"))

    class Meta:
        verbose_name = _("open needs of a region")
        verbose_name_plural = _("open needs of regions")

    def __str__(self) -> str:
        return f"{self.region} · {self.lines}"


class ItemGap(models.Model):
    """What is asked of an item in a province, or a country without any, and how much of it is on its way.

    Sums over the open needs in the item's smallest counted unit, as the timetable counted them last. Many needs may come
    to more than one need may ask for, so that they know no bound but their column's.
    """

    item = models.ForeignKey(Item, models.CASCADE, verbose_name=_("item"), related_name="gaps")
    region = models.ForeignKey(Region, models.CASCADE, verbose_name=_("region"), related_name="+")
    lines = models.PositiveIntegerField(_("open needs"))
    critical = models.PositiveIntegerField(_("critical ones"))
    asked = models.BigIntegerField(_("asked for"))
    quantity_promised = models.BigIntegerField(_("promised"))
    quantity_in_transit = models.BigIntegerField(_("in transit"))
    quantity_received = models.BigIntegerField(_("received"))
    quantity_outstanding = models.BigIntegerField(_("outstanding"))
    counted_at = models.DateTimeField(_("counted"))

    class Meta:
        verbose_name = _("gap of an item")
        verbose_name_plural = _("gaps of items")
        constraints = [models.UniqueConstraint(fields=["item", "region"], name="item_gap_once")]

    def __str__(self) -> str:
        return f"{self.item} · {self.region}"


class PlaceCountQuerySet(models.QuerySet["PlaceCount"]):
    def asked_for(self, *, category: str = "", urgency: int | None = None) -> Self:
        """Of one category, of one urgency; nothing said means all."""
        rows = self.filter(category=category) if category else self
        return rows.filter(urgency=urgency) if urgency is not None else rows


class PlaceCount(models.Model):
    """How many needs are open in a place, as the timetable counted them last: what the map shows. A place without any has no row."""

    region = models.ForeignKey(
        Region,
        models.CASCADE,
        verbose_name=_("region"),
        related_name="+",
        help_text=_("Where the sites lie, as exactly as is known."),
    )
    category = models.ForeignKey(Category, models.CASCADE, verbose_name=_("category"), related_name="+")
    urgency = models.PositiveSmallIntegerField(_("urgency"), choices=Urgency)
    lines = models.PositiveIntegerField(_("open needs"))
    counted_at = models.DateTimeField(_("counted"))

    objects = PlaceCountQuerySet.as_manager()

    class Meta:
        verbose_name = _("count of open needs of a place")
        verbose_name_plural = _("counts of open needs by place")
        constraints = [
            models.UniqueConstraint(fields=["region", "category", "urgency"], name="place_count_once"),
            models.CheckConstraint(
                name="place_count_urgency_is_listed", condition=Q(urgency__in=Urgency.values)
            ),
            models.CheckConstraint(name="place_count_is_of_something", condition=Q(lines__gt=0)),
        ]

    def __str__(self) -> str:
        return f"{self.region} · {self.category} · {self.urgency} · {self.lines}"


def end_of_day(day: date, timezone: str) -> datetime:
    """The midnight that ends a day in a time zone."""
    return datetime.combine(day + timedelta(days=1), time(), ZoneInfo(timezone))
