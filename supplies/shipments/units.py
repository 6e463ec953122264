"""Parcels, cartons and pallets of a shipment, and how many pieces of which line each holds."""

from math import prod
from typing import Self

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from supplies.organisations.models import User
from supplies.quantity import QuantityField, within_bounds
from supplies.shipments.models import Shipment, ShipmentLine


class UnitKind(models.TextChoices):
    PARCEL = "parcel", _("parcel")
    CARTON = "carton", _("carton")
    CRATE = "crate", _("crate")
    DRUM = "drum", _("drum")
    CYLINDER = "cylinder", _("cylinder")
    PALLET = "pallet", _("pallet")


class HandlingUnitQuerySet(models.QuerySet["HandlingUnit"]):
    def live(self) -> Self:
        return self.filter(is_live=True)

    def with_contents(self) -> Self:
        return self.prefetch_related(models.Prefetch("contents", UnitContent.objects.order_by("line", "pk")))

    def in_order(self) -> Self:
        return self.order_by("pk")


class HandlingUnit(models.Model):
    """Something that is lifted as one and carries one label.

    Its primary key is the serial number of the SSCC we give it: the database counts it and never gives it twice.
    """

    id = models.BigAutoField(primary_key=True)
    shipment = models.ForeignKey(Shipment, models.PROTECT, related_name="units", verbose_name=_("shipment"))
    parent = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="children", verbose_name=_("stands on")
    )
    kind = models.CharField(_("kind"), max_length=10, choices=UnitKind)
    sscc = models.CharField(
        "SSCC", max_length=18, blank=True, help_text=_("18 digits; empty where no number was given.")
    )
    gross_weight_g = QuantityField(_("gross weight, g"), null=True, blank=True)
    volume_cm3 = QuantityField(_("volume, cm³"), null=True, blank=True)
    length_mm = QuantityField(_("length, mm"), null=True, blank=True)
    width_mm = QuantityField(_("width, mm"), null=True, blank=True)
    height_mm = QuantityField(_("height, mm"), null=True, blank=True)
    is_live = models.BooleanField(
        _("packed"), default=True, editable=False, help_text=_("False once it was unpacked.")
    )
    packed_at = models.DateTimeField(_("packed at"))
    packed_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("packed by")
    )

    objects = HandlingUnitQuerySet.as_manager()

    class Meta:
        verbose_name = _("handling unit")
        verbose_name_plural = _("handling units")
        constraints = [
            models.CheckConstraint(
                name="unit_kind_of_handling_is_listed", condition=Q(kind__in=UnitKind.values)
            ),
            models.CheckConstraint(
                name="unit_sscc_has_18_digits", condition=Q(sscc="") | Q(sscc__regex=r"^[0-9]{18}$")
            ),
            models.UniqueConstraint(
                fields=["sscc"], condition=Q(is_live=True) & ~Q(sscc=""), name="unit_sscc_once"
            ),
            models.CheckConstraint(
                name="unit_stands_not_on_itself", condition=Q(parent=None) | ~Q(parent=F("id"))
            ),
            models.CheckConstraint(
                name="unit_has_three_sides_or_none",
                condition=Q(length_mm=None, width_mm=None, height_mm=None)
                | Q(length_mm__isnull=False, width_mm__isnull=False, height_mm__isnull=False),
            ),
            within_bounds(
                "unit_measures_something",
                "gross_weight_g",
                "volume_cm3",
                "length_mm",
                "width_mm",
                "height_mm",
                at_least=1,
            ),
        ]

    def __str__(self) -> str:
        return self.sscc or f"{self.get_kind_display()} {self.pk}"

    @property
    def volume(self) -> int | None:
        """In cm³: as stated, or else of its sides, rounded up."""
        sides = (self.length_mm, self.width_mm, self.height_mm)
        if self.volume_cm3 is not None or None in sides:
            return self.volume_cm3
        return -(-prod(side or 0 for side in sides) // 1000)


class UnitContent(models.Model):
    """So many pieces of one line in one unit. Lot and expiry are those of the line's offer."""

    unit = models.ForeignKey(
        HandlingUnit, models.CASCADE, related_name="contents", verbose_name=_("handling unit")
    )
    line = models.ForeignKey(ShipmentLine, models.PROTECT, related_name="packed", verbose_name=_("line"))
    quantity = QuantityField(_("quantity"))

    class Meta:
        verbose_name = _("content of a unit")
        verbose_name_plural = _("contents of units")
        constraints = [
            models.UniqueConstraint(fields=["unit", "line"], name="unit_content_once_per_line"),
            within_bounds("unit_holds_something", "quantity", at_least=1),
        ]

    def __str__(self) -> str:
        return f"{self.line} · {self.quantity}"
