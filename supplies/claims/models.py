"""Work at the desk that one person does at a time, and the lists a person comes back to."""

from datetime import datetime
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from supplies.free_text import ShortText


class ClaimQuerySet(models.QuerySet["Claim"]):
    def on(self, row: models.Model) -> Self:
        return self.filter(subject=row._meta.model_name, subject_id=str(row.pk))

    def holding(self, at: datetime) -> Self:
        """Those that have not run out."""
        return self.filter(until_at__gt=at)


class Claim(models.Model):
    """Who is deciding about a row just now. At most one for each row; one that has run out holds nobody up."""

    subject = models.CharField(_("about"), max_length=40)
    subject_id = models.CharField(_("its id"), max_length=40)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, verbose_name=_("taken by"), related_name="+"
    )
    taken_at = models.DateTimeField(_("taken"))
    until_at = models.DateTimeField(_("taken until"))
    because = ShortText(
        _("why it was taken over"), max_length=200, blank=True, help_text=_("No names, no telephone numbers.")
    )

    objects = ClaimQuerySet.as_manager()

    class Meta:
        verbose_name = _("row somebody works on")
        verbose_name_plural = _("rows somebody works on")
        constraints = [
            models.UniqueConstraint(fields=["subject", "subject_id"], name="claim_once_per_row"),
            models.CheckConstraint(name="claim_ends_after_it_began", condition=Q(until_at__gt=F("taken_at"))),
        ]

    def __str__(self) -> str:
        return self._taken_by(str(self.by))

    def as_read_by(self, user: Any) -> str:
        return self._taken_by(gettext("you") if user is not None and self.by_id == user.pk else str(self.by))

    def _taken_by(self, name: str) -> str:
        until = timezone.localtime(self.until_at).strftime("%H:%M")
        return gettext("taken by %(who)s until %(until)s") % {"who": name, "until": until}


class SavedListQuerySet(models.QuerySet["SavedList"]):
    def of(self, user: Any) -> Self:
        return self.filter(by=user).order_by("name", "pk")


class SavedList(models.Model):
    """A filtered list of the desk under a name of one's own, shown to nobody else.

    model    whose list it is, as "supplies.appeal"
    query    what narrows it, as "status=waiting&q=…"
    """

    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, verbose_name=_("whose"), related_name="+"
    )
    name = ShortText(_("name"), max_length=60)
    model = models.CharField(_("list"), max_length=80)
    query = ShortText(_("filters"), max_length=500, blank=True)
    created_at = models.DateTimeField(_("created"))

    objects = SavedListQuerySet.as_manager()

    class Meta:
        verbose_name = _("saved list")
        verbose_name_plural = _("saved lists")
        constraints = [models.UniqueConstraint(fields=["by", "name"], name="saved_list_name_is_ones_own")]

    def __str__(self) -> str:
        return self.name
