"""What coordinators tell everybody: announcements, corrections of rumours, and that enough has come."""

import uuid
from datetime import datetime, timedelta
from typing import Any, Self

from django.db import models
from django.db.models import F, Q
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from supplies.append_only import OnlyAdded
from supplies.editions.models import in_readers_language
from supplies.emergencies.models import Emergency, Phase
from supplies.free_text import LongText, ShortText
from supplies.organisations.models import Organisation, User
from supplies.regions.models import Region

NEWS = timedelta(days=14)  # what is older stands in the list, but on the first page no more


class Kind(models.TextChoices):
    ANNOUNCEMENT = "announcement", _("announcement")
    CORRECTION = "correction", _("correction of a rumour")
    STOP_SENDING = "stop_sending", _("stop sending")
    WITHDRAWAL = "withdrawal", _("withdrawal")


class AnnouncementQuerySet(models.QuerySet["Announcement"]):
    def visible_to(self, user: Any) -> Self:
        """Everybody reads what was told to everybody, also what holds no more: it was read."""
        return self

    def standing(self) -> Self:
        """What still holds: neither replaced nor withdrawn."""
        return self.filter(replaced_by=None).exclude(kind=Kind.WITHDRAWAL)

    def news(self, *, at: datetime) -> Self:
        """What holds, is new, and is about an emergency that goes on."""
        return self.standing().filter(at__gt=at - NEWS).exclude(emergency__status=Phase.OVER)

    def with_giver(self) -> Self:
        return self.select_related("giver", "emergency", "region__parent__parent", "replaces", "replaced_by")

    def newest_first(self) -> Self:
        return self.order_by("-at", "-pk")


class Announcement(models.Model):
    """Told once and for good. What changes is told anew, as a row that replaces this one; a withdrawal is such a row without words."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(_("kind"), max_length=12, choices=Kind)
    emergency = models.ForeignKey(
        Emergency, models.PROTECT, verbose_name=_("emergency"), related_name="announcements"
    )
    region = models.ForeignKey(
        Region,
        models.PROTECT,
        null=True,
        blank=True,
        verbose_name=_("region"),
        related_name="+",
        help_text=_("Empty: everywhere."),
    )
    title_zh = ShortText(_("title in Chinese"), max_length=120, blank=True)
    title_en = ShortText(_("title in English"), max_length=200, blank=True)
    text_zh = LongText(_("text in Chinese"), max_length=2000, blank=True)
    text_en = LongText(_("text in English"), max_length=4000, blank=True)
    reason = ShortText(_("reason"), max_length=300, help_text=_("Why it is said; everybody reads it."))
    giver = models.ForeignKey(
        Organisation, models.PROTECT, verbose_name=_("in the name of"), related_name="announcements"
    )
    replaces = models.OneToOneField(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        verbose_name=_("replaces"),
        related_name="replaced_by",
    )
    by = models.ForeignKey(User, models.PROTECT, null=True, verbose_name=_("who"), related_name="+")
    at = models.DateTimeField(_("when"))

    objects = AnnouncementQuerySet.as_manager()

    class Meta:
        verbose_name = _("announcement")
        verbose_name_plural = _("announcements")
        constraints = [
            models.CheckConstraint(name="announcement_kind_is_listed", condition=Q(kind__in=Kind.values)),
            models.CheckConstraint(name="announcement_says_why", condition=~Q(reason="")),
            models.CheckConstraint(
                name="announcement_is_whole_in_a_language",
                condition=Q(kind=Kind.WITHDRAWAL)
                | (~Q(title_zh="") | ~Q(title_en=""))
                & (Q(title_zh="", text_zh="") | ~Q(title_zh="") & ~Q(text_zh=""))
                & (Q(title_en="", text_en="") | ~Q(title_en="") & ~Q(text_en="")),
            ),
            models.CheckConstraint(
                name="announcement_withdrawal_withdraws_something",
                condition=~Q(kind=Kind.WITHDRAWAL) | Q(replaces__isnull=False),
            ),
            models.CheckConstraint(
                name="announcement_does_not_replace_itself", condition=~Q(replaces=F("id"))
            ),
            OnlyAdded(
                name="announcements_are_only_added",
                may_change=["title_zh", "title_en", "text_zh", "text_en", "reason"],
            ),
        ]
        indexes = [models.Index(fields=["-at", "-id"], name="announcement_newest")]

    def __str__(self) -> str:
        return self.title or f"{self.get_kind_display()} {str(self.pk)[:8]}"

    @property
    def title(self) -> str:
        """In the reader's language, or else in the other one."""
        return in_readers_language(self.title_zh, self.title_en)

    @property
    def text(self) -> str:
        return in_readers_language(self.text_zh, self.text_en)

    @property
    def foreign(self) -> str:
        """The language of its words where that is not the reader's; else nothing."""
        if (get_language() or "").startswith("zh"):
            return "" if self.title_zh else "en"
        return "" if self.title_en else "zh-Hans"

    @property
    def successor(self) -> "Announcement | None":
        """What took its place; None while it holds."""
        return getattr(self, "replaced_by", None)

    @property
    def is_standing(self) -> bool:
        return self.kind != Kind.WITHDRAWAL and self.successor is None
