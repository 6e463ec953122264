"""The hospital's count of what arrived, line by line, and a ticket to the sender for what did not arrive as promised."""

import uuid
from typing import Any, Self

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from supplies.append_only import OnlyAdded
from supplies.free_text import LongText, ShortText
from supplies.lifecycle import Lifecycle, Moving, status_is_listed
from supplies.organisations.models import Organisation, User, in_regions_of
from supplies.quantity import QuantityField, within_bounds
from supplies.sealing import Sealed
from supplies.shipments.models import Shipment, ShipmentLine

PARTS = ("accepted", "damaged", "wrong_item", "expired", "refused")  # what was counted is one of these
COUNTS = ("shipped", "counted", *PARTS, "missing", "surplus")


class Refusal(models.TextChoices):
    """Why goods that are neither broken nor expired nor something else were not taken."""

    COLD_CHAIN = "cold_chain", _("the cold chain was broken")
    SHORT_DATED = "short_dated", _("too little shelf life is left")
    NO_PAPERS = "no_papers", _("papers or labels are missing")
    SUSPECT = "suspect", _("suspected to be counterfeit")
    RECALLED = "recalled", _("recalled by its maker")
    NO_ROOM = "no_room", _("no room, or not needed any more")
    OTHER = "other", _("another reason")


class ReceiptQuerySet(models.QuerySet["Receipt"]):
    def standing(self) -> Self:
        """Those that no later one corrects: one of each shipment that was counted."""
        return self.filter(correction=None)

    def visible_to(self, user: Any) -> Self:
        return self.filter(shipment__in=Shipment.objects.visible_to(user))


class Receipt(models.Model):
    """The hospital's count of what arrived: proof of delivery. One that was wrong is corrected by another, and stays."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    shipment = models.ForeignKey(
        Shipment, models.PROTECT, related_name="receipts", verbose_name=_("shipment")
    )
    corrects = models.OneToOneField(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="correction",
        verbose_name=_("corrects the count"),
    )
    because = ShortText(_("why it was corrected"), max_length=300, blank=True)
    received_by_sealed = models.BinaryField(default=b"", editable=False)
    by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("counted by")
    )
    at = models.DateTimeField(_("counted at"))
    note = ShortText(_("note"), max_length=500, blank=True)

    received_by = Sealed()

    objects = ReceiptQuerySet.as_manager()

    class Meta:
        verbose_name = _("receipt")
        verbose_name_plural = _("receipts")
        constraints = [
            OnlyAdded(name="receipts_are_only_added", may_change=["note", "because", "received_by_sealed"]),
            models.UniqueConstraint(
                fields=["shipment"], condition=Q(corrects=None), name="shipment_first_counted_once"
            ),
            models.CheckConstraint(
                name="receipt_says_why_it_corrects", condition=Q(corrects=None) | ~Q(because="")
            ),
        ]
        indexes = [models.Index(fields=["-at", "id"], name="receipt_newest")]

    def __str__(self) -> str:
        return str(self.shipment)


class ThanksQuerySet(models.QuerySet["Thanks"]):
    def shown(self) -> Self:
        return self.filter(withheld_at=None)

    def visible_to(self, user: Any) -> Self:
        return self.filter(shipment__in=Shipment.objects.visible_to(user))


class Thanks(models.Model):
    """What the hospital says to those who gave, after it has counted. Everybody with the code of the shipment or of the
    donation reads it, numbers masked, until a volunteer withholds it."""

    shipment = models.OneToOneField(
        Shipment, models.PROTECT, related_name="thanks", verbose_name=_("shipment")
    )
    words = ShortText(_("thanks"), max_length=500)
    at = models.DateTimeField(_("when"))
    by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("who")
    )
    withheld_at = models.DateTimeField(_("withheld"), null=True, blank=True)
    withheld_because = ShortText(_("why it is withheld"), max_length=300, blank=True)

    objects = ThanksQuerySet.as_manager()

    class Meta:
        verbose_name = _("thanks")
        verbose_name_plural = _("thanks")
        constraints = [
            models.CheckConstraint(name="thanks_say_something", condition=~Q(words="")),
            models.CheckConstraint(
                name="thanks_are_withheld_for_a_reason",
                condition=Q(withheld_at=None) | ~Q(withheld_because=""),
            ),
        ]
        indexes = [models.Index(fields=["-at", "-id"], name="thanks_newest")]

    def __str__(self) -> str:
        return str(self.shipment)


class ReceiptLineQuerySet(models.QuerySet["ReceiptLine"]):
    def standing(self) -> Self:
        """Of the counts that hold."""
        return self.filter(receipt__correction=None)


class ReceiptLine(models.Model):
    """Per line: counted = accepted + damaged + wrong item + expired + refused; counted + missing = shipped, unless too
    much came."""

    receipt = models.ForeignKey(Receipt, models.PROTECT, related_name="lines")
    line = models.ForeignKey(
        ShipmentLine, models.PROTECT, related_name="receipt_lines", verbose_name=_("line")
    )
    shipped = QuantityField(_("shipped"), editable=False)
    counted = QuantityField(_("counted"))
    accepted = QuantityField(_("good"))
    damaged = QuantityField(_("damaged"), default=0)
    wrong_item = QuantityField(_("wrong item"), default=0)
    expired = QuantityField(_("expired"), default=0)
    refused = QuantityField(_("refused"), default=0)
    refusal = models.CharField(_("why refused"), max_length=12, choices=Refusal, blank=True)
    refusal_words = ShortText(_("why refused, in words"), max_length=200, blank=True)
    missing = QuantityField(_("missing"), default=0)
    surplus = QuantityField(_("more than shipped"), default=0)

    objects = ReceiptLineQuerySet.as_manager()

    class Meta:
        verbose_name = _("receipt line")
        verbose_name_plural = _("receipt lines")
        constraints = [
            within_bounds("receipt_line_in_bounds", *COUNTS),
            models.CheckConstraint(
                name="receipt_line_adds_up_to_what_was_counted",
                condition=Q(
                    counted=F("accepted") + F("damaged") + F("wrong_item") + F("expired") + F("refused")
                ),
            ),
            models.CheckConstraint(
                name="receipt_line_adds_up_to_what_was_shipped",
                condition=Q(shipped=F("counted") + F("missing") - F("surplus")),
            ),
            models.CheckConstraint(
                name="receipt_line_not_short_and_over", condition=Q(missing=0) | Q(surplus=0)
            ),
            models.CheckConstraint(
                name="receipt_line_is_refused_for_a_reason",
                condition=Q(refused=0, refusal="", refusal_words="")
                | Q(refused__gt=0, refusal__in=[value for value in Refusal.values if value != "other"])
                | Q(refused__gt=0, refusal="other") & ~Q(refusal_words=""),
            ),
            models.UniqueConstraint(fields=["receipt", "line"], name="receipt_counts_a_line_once"),
            OnlyAdded(name="receipt_lines_are_only_added", may_change=["refusal_words"]),
        ]

    def __str__(self) -> str:
        return str(self.line)


class DiscrepancyQuerySet(models.QuerySet["Discrepancy"]):
    def visible_to(self, user: Any) -> Self:
        return self.filter(receipt_line__receipt__in=Receipt.objects.visible_to(user))


class Discrepancy(models.Model):
    """Something of a shipment that did not arrive as promised. Its ticket goes to the sender."""

    class Kind(models.TextChoices):
        DAMAGED = "damaged", _("damaged")
        MISSING = "missing", _("missing")
        WRONG_ITEM = "wrong_item", _("wrong item")
        EXPIRED = "expired", _("expired")
        REFUSED = "refused", pgettext_lazy("a part of the goods", "refused")
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
        item = self.receipt_line.line.allocation.offer.item
        return f"{item} · {item.shown(self.quantity):,f} · {self.get_kind_display()}"


class TicketStatus(models.TextChoices):
    OPEN = "open", _("waits for the sender")
    ANSWERED = "answered", _("answered by the sender")
    SETTLED = "settled", _("settled")


class Outcome(models.TextChoices):
    REPLACED = "replaced", _("replaced by the sender")
    CREDITED = "credited", _("back in the sender's stock")
    WRITTEN_OFF = "written_off", _("written off")
    CARRIER = "carrier", _("the carrier answers for it")
    KEPT = "kept", _("kept by the hospital")
    MISCOUNTED = "miscounted", _("our count was wrong")


TICKET_LIFECYCLE = Lifecycle(
    {
        TicketStatus.OPEN: {TicketStatus.ANSWERED, TicketStatus.SETTLED},
        TicketStatus.ANSWERED: {TicketStatus.SETTLED},
        TicketStatus.SETTLED: set(),
    }
)
# Only what is whole and the sender's own goods can be promised to somebody else: never what is broken or expired.
# Where a wrong item came, what was promised never left; where pieces are missing, they may not have left either.
CREDITABLE = (Discrepancy.Kind.WRONG_ITEM, Discrepancy.Kind.REFUSED, Discrepancy.Kind.MISSING)


class TicketQuerySet(models.QuerySet["DiscrepancyTicket"]):
    def unsettled(self) -> Self:
        return self.exclude(status=TicketStatus.SETTLED)

    def visible_to(self, user: Any) -> Self:
        """The sender, the hospital, and those who watch over one of them. What became of goods is no carrier's matter."""
        if not user.is_authenticated:
            return self.none()
        if user.watches_over_all:
            return self
        mine = Organisation.objects.of(user).values("pk")
        return self.filter(
            Q(shipment__consignor__in=mine)
            | Q(shipment__consignee__organisation__in=mine)
            | in_regions_of(user, "shipment__consignee__region__path", "shipment__consignor__region__path")
        )

    def with_goods(self) -> Self:
        return self.select_related(
            "shipment__consignor",
            "shipment__consignee__organisation",
            "shipment__consignee__region",
            "discrepancy__receipt_line__line__allocation__offer__item__display_unit",
        )

    def newest_first(self) -> Self:
        return self.order_by("-opened_at", "-pk")


class DiscrepancyTicket(Moving):
    """The question to the sender what becomes of a discrepancy, her answer, and how it was settled.

    A correction of the count hands an unchanged discrepancy's ticket on to its new row.
    """

    lifecycle = TICKET_LIFECYCLE

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    discrepancy = models.OneToOneField(
        Discrepancy, models.PROTECT, related_name="ticket", verbose_name=_("discrepancy")
    )
    shipment = models.ForeignKey(
        Shipment, models.PROTECT, related_name="tickets", verbose_name=_("shipment"), editable=False
    )
    status = models.CharField(_("status"), max_length=8, choices=TicketStatus, default=TicketStatus.OPEN)
    opened_at = models.DateTimeField(_("opened"))
    reminded_at = models.DateTimeField(_("reminded"), null=True, blank=True)
    proposed = models.CharField(_("what the sender proposes"), max_length=11, choices=Outcome, blank=True)
    answer = LongText(_("the sender's answer"), max_length=1000, blank=True)
    answered_at = models.DateTimeField(_("answered"), null=True, blank=True)
    answered_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("answered by")
    )
    outcome = models.CharField(_("outcome"), max_length=11, choices=Outcome, blank=True)
    settlement = ShortText(_("how it was settled"), max_length=300, blank=True)
    settled_at = models.DateTimeField(_("settled"), null=True, blank=True)
    settled_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("settled by")
    )

    objects = TicketQuerySet.as_manager()

    class Meta:
        verbose_name = _("ticket to a sender")
        verbose_name_plural = _("tickets to senders")
        constraints = [
            status_is_listed(TicketStatus, "ticket_status_is_listed"),
            models.CheckConstraint(
                name="ticket_settled_has_an_outcome",
                condition=Q(status="settled", settled_at__isnull=False, outcome__in=Outcome.values)
                | ~Q(status="settled") & Q(settled_at=None, outcome=""),
            ),
            models.CheckConstraint(
                name="ticket_answered_says_what",
                condition=Q(answered_at=None, answer="", proposed="")
                | Q(answered_at__isnull=False, proposed__in=Outcome.values),
            ),
        ]
        indexes = [
            models.Index(fields=["-opened_at", "-id"], name="ticket_newest"),
            models.Index(fields=["opened_at"], condition=Q(status="open"), name="ticket_waits"),
        ]

    def __str__(self) -> str:
        return str(self.discrepancy)
