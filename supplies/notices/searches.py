"""Saved searches: what a donor waits to be asked for, and what a hospital waits to be offered."""

import uuid
from typing import Any, Self
from urllib.parse import urlencode

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from supplies.catalogue.models import Category, Item, Standard
from supplies.free_text import ShortText
from supplies.needs.models import SenderKind, Urgency
from supplies.organisations.models import Organisation, User
from supplies.regions.models import Region
from supplies.search import plain
from supplies.wording import apart

# What may narrow a search; the first few only one over needs.
OF_NEEDS_ALONE = ("urgency", "have", "standard", "sender", "due")
CRITERIA = (*OF_NEEDS_ALONE, "q", "category", "item", "region", "organisation")
TEXTS = ("q", "have", "sender")  # empty, and not null, where they narrow nothing


class SearchOver(models.TextChoices):
    NEEDS = "needs", _("what hospitals need")
    OFFERS = "offers", _("offers that fit my hospital's open needs")


class SavedSearchQuerySet(models.QuerySet["SavedSearch"]):
    def of(self, user: Any) -> Self:
        return self.filter(user=user) if user.is_authenticated else self.none()

    def with_names(self) -> Self:
        return self.select_related("category", "item", "standard", "region__parent__parent", "organisation")

    def by_name(self) -> Self:
        return self.order_by("name", "pk")


class SavedSearch(models.Model):
    """What somebody looks for. An empty column narrows nothing.

    organisation   over needs, the hospital that asks; over offers, the hospital whose open needs they have to fit
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, models.CASCADE, verbose_name=_("account"), related_name="searches")
    over = models.CharField(_("searches"), max_length=10, choices=SearchOver)
    name = ShortText(_("name"), max_length=80)
    q = ShortText(_("text"), max_length=60, blank=True)
    category = models.ForeignKey(
        Category, models.CASCADE, null=True, blank=True, verbose_name=_("category"), related_name="+"
    )
    item = models.ForeignKey(
        Item, models.CASCADE, null=True, blank=True, verbose_name=_("item"), related_name="+"
    )
    region = models.ForeignKey(
        Region, models.CASCADE, null=True, blank=True, verbose_name=_("region"), related_name="+"
    )
    urgency = models.PositiveSmallIntegerField(_("urgency"), choices=Urgency, null=True, blank=True)
    have = ShortText(
        _("goods at hand"),
        max_length=60,
        blank=True,
        default="",
        db_default="",
        help_text=_("Needs that they may serve."),
    )
    standard = models.ForeignKey(
        Standard, models.CASCADE, null=True, blank=True, verbose_name=_("standard"), related_name="+"
    )
    sender = models.CharField(
        _("takes goods from"), max_length=12, choices=SenderKind, blank=True, default="", db_default=""
    )
    due = models.PositiveSmallIntegerField(_("needed within days"), null=True, blank=True)
    organisation = models.ForeignKey(
        Organisation, models.CASCADE, null=True, blank=True, verbose_name=_("hospital"), related_name="+"
    )
    created_at = models.DateTimeField(_("created"))

    objects = SavedSearchQuerySet.as_manager()

    class Meta:
        verbose_name = _("saved search")
        verbose_name_plural = _("saved searches")
        constraints = [
            models.CheckConstraint(name="search_over_is_listed", condition=Q(over__in=SearchOver.values)),
            models.CheckConstraint(name="search_has_a_name", condition=~Q(name="")),
            models.CheckConstraint(
                name="search_over_offers_is_for_a_hospital",
                condition=Q(over=SearchOver.NEEDS)
                | Q(organisation__isnull=False, urgency=None, have="", standard=None, sender="", due=None),
            ),
            models.CheckConstraint(
                name="search_sender_is_listed", condition=Q(sender__in=["", *SenderKind.values])
            ),
            models.CheckConstraint(name="search_due_is_ahead", condition=Q(due=None) | Q(due__gt=0)),
            models.UniqueConstraint(
                fields=["user", "over", *CRITERIA],
                name="search_saved_once",
                nulls_distinct=False,
            ),
        ]
        indexes = [
            models.Index(fields=["over", "item"], name="search_by_item"),
            models.Index(fields=["user", "name"], name="search_by_name"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def criteria(self) -> str:
        """What narrows it, as people read it."""
        parts: list[Any] = [f"“{self.q}”"] if self.q else []
        if self.have:
            parts.append(_("what “%(goods)s” may serve") % {"goods": self.have})
        rows = (self.category, self.item, self.standard, self.region, self.organisation)
        parts += [each for each in rows if each is not None]
        if self.urgency is not None:
            parts.append(Urgency(self.urgency).label)
        if self.sender:
            parts.append(_("takes goods from: %(sender)s") % {"sender": self.get_sender_display()})
        if self.due is not None:
            parts.append(
                ngettext("needed within %(n)d day", "needed within %(n)d days", self.due) % {"n": self.due}
            )
        return apart(parts)

    @property
    def query(self) -> str:
        """Its query string on the page of needs."""
        chosen: dict[str, Any] = {
            "q": self.q,
            "category": self.category_id,
            "item": self.item_id,
            "urgency": self.urgency,
            "have": self.have,
            "standard": self.standard_id,
            "sender": self.sender,
            "due": self.due,
            "organisation": self.organisation_id,
        }
        place = self.region
        for level in ("district", "city", "province"):
            if place is not None and _level(place) == level:
                chosen[level], place = place.pk, place.parent
        return urlencode({name: value for name, value in chosen.items() if value})

    def finds(self, texts: list[str]) -> bool:
        """Whether one of the texts holds what is searched for, whatever its width and case."""
        return not self.q or any(plain(self.q) in plain(text) for text in texts)


def _level(place: Region) -> str:
    """Under which of the three selects of a form it stands: how deep it lies, counted from its country."""
    depth = place.path.strip("/").count("/")
    return {0: "province", 1: "province", 2: "city"}.get(depth, "district")
