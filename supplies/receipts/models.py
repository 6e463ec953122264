"""The hospital's count of what arrived, line by line, and what did not arrive as promised."""

import uuid
from typing import Any, Self

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from supplies.append_only import OnlyAdded
from supplies.free_text import ShortText
from supplies.organisations.models import User
from supplies.quantity import QuantityField, within_bounds
from supplies.shipments.models import Shipment, ShipmentLine


class ReceiptQuerySet(models.QuerySet["Receipt"]):
    def visible_to(self, user: Any) -> Self:
        return self.filter(shipment__in=Shipment.objects.visible_to(user))


class Receipt(models.Model):
    """The hospital's count of what arrived: proof of delivery."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    shipment = models.OneToOneField(
        Shipment, models.PROTECT, related_name="receipt", verbose_name=_("shipment")
    )
    by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("counted by")
    )
    at = models.DateTimeField(_("counted at"))
    note = ShortText(_("note"), max_length=500, blank=True)

    objects = ReceiptQuerySet.as_manager()

    class Meta:
        verbose_name = _("receipt")
        verbose_name_plural = _("receipts")
        constraints = [OnlyAdded(name="receipts_are_only_added", may_change=["note"])]
        indexes = [models.Index(fields=["-at", "id"], name="receipt_newest")]

    def __str__(self) -> str:
        return str(self.shipment)


class ReceiptLine(models.Model):
    """Per line: counted = accepted + damaged + wrong item + expired; counted + missing = shipped, unless too much came."""

    receipt = models.ForeignKey(Receipt, models.PROTECT, related_name="lines")
    line = models.OneToOneField(
        ShipmentLine, models.PROTECT, related_name="receipt_line", verbose_name=_("line")
    )
    shipped = QuantityField(_("shipped"), editable=False)
    counted = QuantityField(_("counted"))
    accepted = QuantityField(_("good"))
    damaged = QuantityField(_("damaged"), default=0)
    wrong_item = QuantityField(_("wrong item"), default=0)
    expired = QuantityField(_("expired"), default=0)
    missing = QuantityField(_("missing"), default=0)
    surplus = QuantityField(_("more than shipped"), default=0)

    class Meta:
        verbose_name = _("receipt line")
        verbose_name_plural = _("receipt lines")
        constraints = [
            within_bounds(
                "receipt_line_in_bounds",
                "shipped",
                "counted",
                "accepted",
                "damaged",
                "wrong_item",
                "expired",
                "missing",
                "surplus",
            ),
            models.CheckConstraint(
                name="receipt_line_adds_up_to_what_was_counted",
                condition=Q(counted=F("accepted") + F("damaged") + F("wrong_item") + F("expired")),
            ),
            models.CheckConstraint(
                name="receipt_line_adds_up_to_what_was_shipped",
                condition=Q(shipped=F("counted") + F("missing") - F("surplus")),
            ),
            models.CheckConstraint(
                name="receipt_line_not_short_and_over", condition=Q(missing=0) | Q(surplus=0)
            ),
            OnlyAdded(name="receipt_lines_are_only_added"),
        ]

    def __str__(self) -> str:
        return str(self.line)


class DiscrepancyQuerySet(models.QuerySet["Discrepancy"]):
    def visible_to(self, user: Any) -> Self:
        return self.filter(receipt_line__receipt__in=Receipt.objects.visible_to(user))


class Discrepancy(models.Model):
    """Something of a shipment that did not arrive as promised; a ticket to the sender."""

    class Kind(models.TextChoices):
        DAMAGED = "damaged", _("damaged")
        MISSING = "missing", _("missing")
        WRONG_ITEM = "wrong_item", _("wrong item")
        EXPIRED = "expired", _("expired")
        SURPLUS = "surplus", _("more than shipped")

    receipt_line = models.ForeignKey(
        ReceiptLine, models.PROTECT, related_name="discrepancies", verbose_name=_("receipt line")
    )
    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    quantity = QuantityField(_("quantity"))

    objects = DiscrepancyQuerySet.as_manager()

    class Meta:
        verbose_name = _("discrepancy")
        verbose_name_plural = _("discrepancies")
        constraints = [
            models.UniqueConstraint(fields=["receipt_line", "kind"], name="discrepancy_once_per_kind"),
            OnlyAdded(name="discrepancies_are_only_added"),
        ]

    def __str__(self) -> str:
        return f"{self.receipt_line} · {self.get_kind_display()}"
