"""Saved searches: what a donor waits to be asked for, and what a hospital waits to be offered."""

import unicodedata
import uuid
from typing import Any, Self
from urllib.parse import urlencode

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from supplies.catalogue.models import Category, Item
from supplies.free_text import ShortText
from supplies.needs.models import Urgency
from supplies.organisations.models import Organisation, User
from supplies.regions.models import Region
from supplies.wording import apart


class SearchOver(models.TextChoices):
    NEEDS = "needs", _("what hospitals need")
    OFFERS = "offers", _("offers that fit my hospital's open needs")


class SavedSearchQuerySet(models.QuerySet["SavedSearch"]):
    def of(self, user: Any) -> Self:
        return self.filter(user=user) if user.is_authenticated else self.none()

    def with_names(self) -> Self:
        return self.select_related("category", "item", "region__parent__parent", "organisation")

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
                condition=Q(over=SearchOver.NEEDS) | Q(organisation__isnull=False, urgency=None),
            ),
            models.UniqueConstraint(
                fields=["user", "over", "q", "category", "item", "region", "urgency", "organisation"],
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
        parts += [
            each for each in (self.category, self.item, self.region, self.organisation) if each is not None
        ]
        if self.urgency is not None:
            parts.append(Urgency(self.urgency).label)
        return apart(parts)

    @property
    def query(self) -> str:
        """Its query string on the page of needs."""
        chosen: dict[str, Any] = {
            "q": self.q,
            "category": self.category_id,
            "item": self.item_id,
            "urgency": self.urgency,
        }
        chosen["organisation"] = self.organisation_id
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


def plain(text: str) -> str:
    """As `supplies.search` compares."""
    return unicodedata.normalize("NFKC", text.strip()).upper()
