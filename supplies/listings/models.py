"""What public lists say: this hospital is designated, that one has a fever clinic. Kept with its source, and never ours."""

import uuid
from typing import Any, Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _

from supplies.free_text import ShortText
from supplies.organisations.models import Organisation
from supplies.regions.models import Region
from supplies.search import mention_index

HOME = "CN"  # its provinces are offered beside the other countries


class ListedAs(models.TextChoices):
    DESIGNATED = "designated", _("designated hospital")
    FEVER_CLINIC = "fever_clinic", _("fever clinic")


class ListedFacilityQuerySet(models.QuerySet["ListedFacility"]):
    def current(self) -> Self:
        """Those that stood in the latest version of their list."""
        return self.filter(gone_on=None)

    def visible_to(self, user: Any) -> Self:
        """Everybody reads what was public where it comes from."""
        return self

    def called(self, text: str) -> Self:
        return self.filter(name__mentions=text)

    def in_region(self, region: Region) -> Self:
        return self.filter(region__path__startswith=region.path)

    def listed_as(self, kind: str) -> Self:
        return self.filter(kinds__contains=[kind])

    def not_registered(self) -> Self:
        return self.filter(organisation=None)

    def saying_whose_of(self, seen: models.QuerySet[Organisation]) -> Self:
        """`is_shown`: whether whom it is registered here as is one of those the reader sees."""
        return self.annotate(is_shown=Exists(seen.filter(pk=OuterRef("organisation"))))

    def by_name(self) -> Self:
        return self.order_by("name", "pk")

    def following(self, row: "ListedFacility") -> Self:
        """What comes after a row, by name."""
        return self.filter(Q(name__gt=row.name) | Q(name=row.name, pk__gt=row.pk))


class ListedFacility(models.Model):
    """One row of a public list, found again by its list, its place and its name. Telephones of lists are not kept."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = ShortText(_("name"), max_length=200)
    normal_name = models.CharField(
        max_length=200, editable=False, db_index=True, help_text=_("The name as the importer compares it.")
    )
    region = models.ForeignKey(Region, models.PROTECT, verbose_name=_("region"), related_name="+")
    kinds = ArrayField(models.CharField(max_length=12, choices=ListedAs), verbose_name=_("listed as"))
    address = ShortText(_("address"), max_length=300, blank=True)
    source_name = ShortText(_("list"), max_length=120)
    source_url = models.URLField(_("link to the list"), max_length=500, blank=True)
    as_of = models.DateField(_("as of"))
    version = models.CharField(
        _("checksum of the list"),
        max_length=64,
        editable=False,
        help_text=_("SHA-256 of the file it was read from."),
    )
    listed_since = models.DateField(
        _("listed since"), help_text=_("The day of the first version that named it.")
    )
    gone_on = models.DateField(
        _("missing since"), null=True, blank=True, help_text=_("The day of the version that left it out.")
    )
    organisation = models.ForeignKey(
        Organisation,
        models.PROTECT,
        null=True,
        blank=True,
        verbose_name=_("registered here as"),
        related_name="listings",
    )

    objects = ListedFacilityQuerySet.as_manager()

    class Meta:
        verbose_name = _("listed facility")
        verbose_name_plural = _("listed facilities")
        constraints = [
            models.UniqueConstraint(
                fields=["source_name", "region", "normal_name"], name="listed_facility_once_per_list"
            ),
            models.CheckConstraint(
                name="listed_facility_kinds_are_listed",
                condition=Q(kinds__contained_by=["designated", "fever_clinic"]) & ~Q(kinds=[]),
            ),
            models.CheckConstraint(
                name="listed_facility_is_gone_after_it_was_there",
                condition=Q(gone_on=None) | Q(gone_on__gte=models.F("listed_since")),
            ),
        ]
        indexes = [
            mention_index("name", "listed_facility_by_mention"),
            models.Index(fields=["name", "id"], name="listed_facility_by_name"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def as_what(self) -> list[str]:
        """What it is listed as, in words."""
        return [str(ListedAs(kind).label) for kind in self.kinds]

    @property
    def registering(self) -> str:
        """What the form for a new hospital is filled in with, as a query."""
        codes = self.region.path.strip("/").split("/")
        places = dict(
            zip(("province", "city", "district"), codes[1:] if codes[0] == HOME else codes, strict=False)
        )
        return urlencode({"name": self.name, "address": self.address, **places})
