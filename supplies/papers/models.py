"""What was certified to a donor: which hospital accepted how much of a gift, as it was counted on the day of issue."""

import uuid
from typing import Any, Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from supplies.append_only import OnlyAdded
from supplies.catalogue.models import Item
from supplies.free_text import ShortText
from supplies.offers.models import Donation
from supplies.organisations.models import Facility, User
from supplies.quantity import QuantityField, new_code, within_bounds


class CertificateQuerySet(models.QuerySet["Certificate"]):
    def visible_to(self, user: Any) -> Self:
        """As the donation it is for. Whoever holds the code may ask whether it is genuine without being seen here."""
        return self.filter(donation__in=Donation.objects.visible_to(user))

    def newest_first(self) -> Self:
        return self.order_by("-issued_at", "-pk")


class Certificate(models.Model):
    """It is never changed, only called back; when counts are corrected, a new one is issued and the old says so."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    code = models.CharField(_("code"), max_length=32, unique=True, default=new_code, editable=False)
    donation = models.ForeignKey(
        Donation, models.PROTECT, verbose_name=_("donation"), related_name="certificates"
    )
    issued_at = models.DateTimeField(_("issued"))
    issued_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, verbose_name=_("by"), related_name="+"
    )
    called_back_at = models.DateTimeField(_("called back"), null=True, blank=True)
    called_back_because = ShortText(_("why it was called back"), max_length=300, blank=True)

    objects = CertificateQuerySet.as_manager()

    class Meta:
        verbose_name = _("certificate")
        verbose_name_plural = _("certificates")
        constraints = [
            models.CheckConstraint(
                name="certificate_called_back_says_why",
                condition=Q(called_back_at=None) | ~Q(called_back_because=""),
            ),
        ]
        indexes = [models.Index(fields=["-issued_at", "-id"], name="certificate_newest")]

    def __str__(self) -> str:
        return self.code[:8]


class CertifiedGoods(models.Model):
    """What one hospital's site accepted of one item until the certificate was issued."""

    certificate = models.ForeignKey(Certificate, models.PROTECT, related_name="lines")
    facility = models.ForeignKey(Facility, models.PROTECT, verbose_name=_("to"), related_name="+")
    item = models.ForeignKey(Item, models.PROTECT, verbose_name=_("item"), related_name="+")
    accepted = QuantityField(_("good"))
    last_on = models.DateField(_("last counted on"))

    class Meta:
        verbose_name = _("certified goods")
        verbose_name_plural = _("certified goods")
        constraints = [
            within_bounds("certified_goods_in_bounds", "accepted", at_least=1),
            models.UniqueConstraint(fields=["certificate", "facility", "item"], name="certified_goods_once"),
            OnlyAdded(name="certified_goods_are_only_added"),
        ]

    def __str__(self) -> str:
        return f"{self.item} · {self.facility}"
