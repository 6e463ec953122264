"""Other instances whose open data we read, and what their hospitals need. None of it is ours, or published again."""

import uuid
from typing import Any, Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import CheckConstraint, Index, Q, UniqueConstraint
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from supplies.catalogue.models import Item
from supplies.free_text import ShortText
from supplies.lifecycle import Lifecycle, Moving, status_is_listed
from supplies.needs.models import Need, NeedStatus, QuantityKind, Urgency
from supplies.quantity import MOST
from supplies.regions.models import Region


class PeerStatus(models.TextChoices):
    NEW = "new", _("key to be compared")
    ACTIVE = "active", _("subscribed")
    ENDED = "ended", _("ended")


PEER_LIFECYCLE = Lifecycle(
    {
        PeerStatus.NEW: {PeerStatus.ACTIVE, PeerStatus.ENDED},
        PeerStatus.ACTIVE: {PeerStatus.NEW, PeerStatus.ENDED},
        PeerStatus.ENDED: {PeerStatus.NEW},
    }
)

TOLD = (
    NeedStatus.OPEN,
    NeedStatus.MET,
    NeedStatus.LAPSED,
    NeedStatus.WITHDRAWN,
)  # what an instance publishes


class PeerQuerySet(models.QuerySet["Peer"]):
    def active(self) -> Self:
        return self.filter(status=PeerStatus.ACTIVE)

    def to_be_asked(self) -> Self:
        """Those to read from, and those whose key is not known yet; who was asked longest ago comes first."""
        unknown = Q(status=PeerStatus.NEW, public_key="")
        return self.filter(Q(status=PeerStatus.ACTIVE) | unknown).order_by(
            models.F("tried_at").asc(nulls_first=True), "pk"
        )


class Peer(Moving):
    """Another instance. Its key is fetched once, compared by a human being, and pinned: from then on only what it has signed is read.

    manifest_*    the newest manifest that was verified; an older one is refused
    taking, taken  the file of needs that is being taken in, by its digest, and how many of its rows are through
    """

    lifecycle = PEER_LIFECYCLE

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(_("name"), max_length=80, help_text=_("What our pages call it."))
    address = models.CharField(
        _("address"), max_length=200, help_text=_("Of the site, without a path: https://supplies.example.org")
    )
    status = models.CharField(_("status"), max_length=10, choices=PeerStatus, default=PeerStatus.NEW)
    instance = models.CharField(_("instance"), max_length=200, blank=True, editable=False)
    public_key = models.CharField(_("public key"), max_length=44, blank=True, editable=False)
    licence = models.CharField(_("licence"), max_length=100, blank=True, editable=False)
    licence_url = models.CharField(_("licence link"), max_length=300, blank=True, editable=False)
    manifest_sha256 = models.CharField(max_length=64, blank=True, editable=False)
    manifest_etag = models.CharField(max_length=200, blank=True, editable=False)
    manifest_made_at = models.DateTimeField(_("its newest dump"), null=True, blank=True, editable=False)
    taking = models.CharField(max_length=64, blank=True, editable=False)
    taken = models.PositiveIntegerField(_("rows read"), default=0, editable=False)
    is_taken = models.BooleanField(_("read to its end"), default=False, editable=False)
    not_its_own = models.PositiveIntegerField(
        _("rows of other instances, dropped"), default=0, editable=False
    )
    came_back = models.PositiveIntegerField(_("rows of ours, dropped"), default=0, editable=False)
    unreadable = models.PositiveIntegerField(_("rows that cannot be read"), default=0, editable=False)
    faults = models.JSONField(_("the first of them"), default=list, blank=True, editable=False)
    is_matched = models.BooleanField(_("its needs are matched here"), default=False, editable=False)
    matched_because = ShortText(
        _("why they are, or are not any more"), max_length=200, blank=True, editable=False
    )
    created_at = models.DateTimeField(_("entered"), editable=False)
    tried_at = models.DateTimeField(_("last asked"), null=True, blank=True, editable=False)
    pulled_at = models.DateTimeField(_("last answered"), null=True, blank=True, editable=False)
    problem = models.CharField(_("last problem"), max_length=300, blank=True, editable=False)

    objects = PeerQuerySet.as_manager()

    class Meta:
        verbose_name = _("other instance")
        verbose_name_plural = _("other instances")
        constraints = [
            status_is_listed(PeerStatus, "peer_status_is_listed"),
            CheckConstraint(
                name="peer_is_read_by_a_key_that_is_known",
                condition=~Q(status=PeerStatus.ACTIVE) | ~Q(public_key="") & ~Q(instance=""),
            ),
            CheckConstraint(
                name="peer_is_matched_while_it_is_read_and_for_a_reason",
                condition=Q(is_matched=False) | Q(status=PeerStatus.ACTIVE) & ~Q(matched_because=""),
            ),
            UniqueConstraint(name="peer_is_known_once", fields=["instance"], condition=~Q(instance="")),
            UniqueConstraint(name="peer_address_is_known_once", fields=["address"]),
        ]

    def __str__(self) -> str:
        return self.name


class ForeignNeedQuerySet(models.QuerySet["ForeignNeed"]):
    def visible_to(self, user: Any) -> Self:
        """Everybody sees what an instance we read tells everybody, as long as it does."""
        return self.filter(gone_at=None, peer__status=PeerStatus.ACTIVE)

    def open(self) -> Self:
        return self.filter(status=NeedStatus.OPEN)

    def most_urgent_first(self) -> Self:
        return self.order_by("urgency", "pk")

    def with_place(self) -> Self:
        return self.select_related("peer", "need", "item__display_unit", "region__parent__parent")


class ForeignNeed(models.Model):
    """A need as another instance tells it. `region` and `item` are empty where we do not know what it names."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    peer = models.ForeignKey(Peer, models.PROTECT, related_name="needs", verbose_name=_("instance"))
    origin_id = models.UUIDField(_("id where it is from"))
    appeal_id = models.UUIDField(_("its appeal there"))
    emergency = models.CharField(_("emergency"), max_length=40, blank=True)
    status = models.CharField(_("status"), max_length=10, choices=[(s.value, s.label) for s in TOLD])
    facility_name = ShortText(_("facility"), max_length=200)
    organisation_name = ShortText(_("organisation"), max_length=200)
    region = models.ForeignKey(Region, models.PROTECT, null=True, related_name="+", verbose_name=_("region"))
    region_code = models.CharField(_("code of the region"), max_length=40, blank=True)
    place_zh = ShortText(_("place in Chinese"), max_length=300, blank=True)
    place_en = ShortText(_("place in English"), max_length=300, blank=True)
    item = models.ForeignKey(Item, models.PROTECT, null=True, related_name="+", verbose_name=_("item"))
    item_code = models.CharField(_("code of the item"), max_length=40)
    item_zh = ShortText(_("item in Chinese"), max_length=200, blank=True)
    item_en = ShortText(_("item in English"), max_length=200, blank=True)
    unit = models.CharField(_("unit"), max_length=40, blank=True)
    quantity_kind = models.CharField(_("kind of quantity"), max_length=10, choices=QuantityKind)
    quantity = models.BigIntegerField(_("quantity"), null=True)
    outstanding = models.BigIntegerField(_("outstanding"), null=True)
    standards = ArrayField(models.CharField(max_length=60), verbose_name=_("standards"), default=list)
    medical_grade = models.BooleanField(_("medical grade"), null=True)
    sterile = models.BooleanField(_("sterile"), null=True)
    urgency = models.PositiveSmallIntegerField(_("urgency"), choices=Urgency)
    needed_by = models.DateField(_("needed by"), null=True)
    confirmed_at = models.DateTimeField(_("confirmed"))
    posted_at = models.DateTimeField(_("posted"))
    source_name = ShortText(_("source"), max_length=200, blank=True)
    source_url = ShortText(_("source link"), max_length=500, blank=True)
    first_seen_at = models.DateTimeField(_("first seen"))
    need = models.ForeignKey(
        Need,
        models.SET_NULL,
        null=True,
        blank=True,
        editable=False,
        db_index=False,  # the constraint's
        related_name="told_as",
        verbose_name=_("stands for it in matching"),
    )
    told_at = models.DateTimeField(_("last told"), help_text=_("When the newest dump that has it was made."))
    gone_at = models.DateTimeField(_("not told any more since"), null=True)

    objects = ForeignNeedQuerySet.as_manager()

    class Meta:
        verbose_name = _("need elsewhere")
        verbose_name_plural = _("needs elsewhere")
        constraints = [
            UniqueConstraint(name="foreign_need_is_kept_once", fields=["peer", "origin_id"]),
            UniqueConstraint(
                name="foreign_need_has_a_stand_in_of_its_own",
                fields=["need"],
                condition=Q(need__isnull=False),
            ),
            CheckConstraint(
                name="foreign_need_status_is_listed", condition=Q(status__in=[str(s) for s in TOLD])
            ),
            CheckConstraint(
                name="foreign_need_quantities_can_be_meant",
                condition=(Q(quantity=None) | Q(quantity__gte=1, quantity__lte=MOST))
                & (Q(outstanding=None) | Q(outstanding__gte=0, outstanding__lte=MOST)),
            ),
        ]
        indexes = [
            Index(name="foreign_need_most_urgent", fields=["urgency", "id"], condition=Q(gone_at=None))
        ]

    def __str__(self) -> str:
        return f"{self.item_code} · {self.facility_name}"

    @property
    def link(self) -> str:
        """Its page where it is from."""
        return f"{self.peer.address}/appeals/{self.appeal_id}/"

    @property
    def is_matched(self) -> bool:
        """Whether a need of ours stands for it and is open."""
        return self.need is not None and self.need.status == NeedStatus.OPEN

    @property
    def item_name(self) -> str:
        return self.item.name if self.item else _in_my_language(self.item_zh, self.item_en) or self.item_code

    @property
    def place_name(self) -> str:
        return _in_my_language(self.place_zh, self.place_en) or self.region_code


def _in_my_language(zh: str, en: str) -> str:
    return (zh or en) if (get_language() or "").startswith("zh") else (en or zh)
