"""Region: the tree of places, from country to district."""

from __future__ import annotations

from string import capwords

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import CheckConstraint, F, Index, Q, Value
from django.db.models.functions import Concat, Upper
from django.utils.translation import gettext_lazy as _

from supplies.editions.models import Bilingual, ReferenceRow


class RegionLevel(models.TextChoices):
    COUNTRY = "country", _("country")
    PROVINCE = "province", _("province")
    PREFECTURE = "prefecture", _("prefecture")
    DISTRICT = "district", _("district")


class RegionScheme(models.TextChoices):
    ISO3166_1 = "ISO3166-1", "ISO 3166-1"
    ISO3166_2 = "ISO3166-2", "ISO 3166-2"
    GBT2260 = "GBT2260", "GB/T 2260"
    PCODE = "PCODE", "P-code"
    LOCODE = "LOCODE", "UN/LOCODE"


class Datum(models.TextChoices):
    WGS84 = "WGS84", "WGS 84"
    GCJ02 = "GCJ02", "GCJ-02"
    UNSTATED = "unstated", _("not stated by the source")


# What people leave out of a name: 武昌 is 武昌区, Changsha also Changsha County.
LEFT_OUT_ZH = ("省", "市", "区", "县", "旗", "盟", "地区")
LEFT_OUT_EN = ("District", "County", "Banner", "Prefecture", "League")


class RegionQuerySet(models.QuerySet["Region"]):
    def under(self, region: Region) -> RegionQuerySet:
        """The region itself and everything inside it."""
        return self.filter(path__startswith=region.path)

    def roots(self) -> RegionQuerySet:
        return self.filter(parent=None)

    def countries(self) -> RegionQuerySet:
        return self.filter(level=RegionLevel.COUNTRY)

    def named(self, text: str) -> RegionQuerySet:
        """Regions with exactly this code, alias or name in either language, whatever its case."""
        text = text.strip()
        return self.filter(
            Q(code=text.upper())
            | Q(aliases__overlap=[text, text.upper(), capwords(text)])
            | Q(name_zh=text)
            | Q(name_en__iexact=text)
        )

    def called(self, text: str) -> RegionQuerySet:
        """As `named`, also by a name without the kind of place at its end."""
        text = text.strip()
        shorter = Q(name_zh__in=[f"{text}{kind}" for kind in LEFT_OUT_ZH])
        for kind in LEFT_OUT_EN:
            shorter |= Q(name_en__iexact=f"{text} {kind}")
        return self.named(text) | self.filter(shorter)

    def from_the_top(self) -> RegionQuerySet:
        """Parents before their children, siblings by code."""
        return self.order_by("path")


class Region(Bilingual, ReferenceRow):
    """A place things are needed in or sent from.

    `path` is the chain of codes from the country down, "/CN/420000/420100/420106/", so that everything
    inside a region is one prefix search.
    """

    code = models.CharField(_("code"), max_length=12, primary_key=True)
    parent = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="children",
        verbose_name=_("inside"),
    )
    level = models.CharField(_("level"), max_length=10, choices=RegionLevel)
    scheme = models.CharField(_("code list"), max_length=10, choices=RegionScheme)
    path = models.CharField(_("path"), max_length=80, editable=False)
    aliases = ArrayField(
        models.CharField(max_length=80),
        verbose_name=_("other codes and names"),
        default=list,
        blank=True,
    )
    lat = models.FloatField(_("latitude"), null=True, blank=True)
    lon = models.FloatField(_("longitude"), null=True, blank=True)
    datum = models.CharField(_("datum"), max_length=10, choices=Datum, default=Datum.WGS84)
    valid_from = models.DateField(_("valid from"), null=True, blank=True)
    valid_to = models.DateField(_("valid to"), null=True, blank=True)

    objects = RegionQuerySet.as_manager()

    class Meta:
        verbose_name = _("region")
        verbose_name_plural = _("regions")
        indexes = [
            Index(name="region_by_path", fields=["path"], opclasses=["text_pattern_ops"]),
            GinIndex(name="region_by_alias", fields=["aliases"]),
            Index(name="region_by_name_zh", fields=["name_zh"]),
            Index(Upper("name_en"), name="region_by_name_en"),
        ]
        constraints = [
            CheckConstraint(name="region_level_is_known", condition=Q(level__in=RegionLevel.values)),
            CheckConstraint(name="region_scheme_is_known", condition=Q(scheme__in=RegionScheme.values)),
            CheckConstraint(name="region_datum_is_known", condition=Q(datum__in=Datum.values)),
            CheckConstraint(name="region_is_not_inside_itself", condition=~Q(parent=F("code"))),
            CheckConstraint(
                name="region_path_ends_with_its_code",
                condition=Q(path__endswith=Concat(Value("/"), F("code"), Value("/"))),
            ),
            CheckConstraint(
                name="region_lies_on_earth",
                condition=Q(lat__isnull=True, lon__isnull=True)
                | Q(lat__isnull=False, lon__isnull=False, lat__range=(-90, 90), lon__range=(-180, 180)),
            ),
        ]

    def clean(self) -> None:
        if self.parent is not None and f"/{self.code}/" in self.parent.path:
            raise ValidationError({"parent": _("A region cannot lie inside itself.")})

    @property
    def point(self) -> tuple[float, float] | None:
        """Latitude and longitude in degrees, or None where the source gives none."""
        return None if self.lat is None or self.lon is None else (self.lat, self.lon)

    @property
    def depth(self) -> int:
        """1 for a country, 2 for what lies directly in it."""
        return self.path.count("/") - 1

    def contains(self, other: Region) -> bool:
        return other.path.startswith(self.path)

    def path_below(self, parent_path: str | None) -> str:
        return f"{parent_path or '/'}{self.code}/"
