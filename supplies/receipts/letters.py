"""Letters about goods under way and goods that did not arrive as promised: each reader's language, and nobody's name.

Called with what the journal tells. Several discrepancies of one shipment that were found together are one letter.
"""

import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.mail import send_mail
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext_lazy

from supplies.accounts.services import members_to_remind
from supplies.journal.models import Event
from supplies.needs.reminders import address
from supplies.organisations.models import Facility
from supplies.receipts.models import DiscrepancyTicket
from supplies.shipments.models import Shipment

SUBJECTS = {
    "ticket.opened": gettext_lazy("What you sent did not all arrive as promised"),
    "ticket.reminded": gettext_lazy("Still waiting for your answer: what became of your goods"),
    "ticket.answered": gettext_lazy("The sender has answered about your delivery"),
    "ticket.settled": gettext_lazy("It is settled what becomes of your goods"),
    "facility.paused": gettext_lazy("A hospital takes nothing for now; goods are on their way there"),
    "shipment.rerouted": gettext_lazy("A shipment goes to another hospital now"),
}


def tell_sender(events: Sequence[Event], *, at: datetime) -> None:
    _tell_of_tickets(events, lambda shipment: shipment.consignor_id)


def tell_hospital(events: Sequence[Event], *, at: datetime) -> None:
    _tell_of_tickets(events, lambda shipment: shipment.consignee.organisation_id)


def warn_of_pause(events: Sequence[Event], *, at: datetime) -> None:
    """To who sent what is on its way to the facility, and to who carries it."""
    facilities = Facility.objects.filter(pk__in=[event.subject_id for event in events], is_paused=True)
    for shipment in Shipment.objects.under_way().filter(consignee__in=facilities).order_by("pk"):
        _write("facility.paused", shipment, {shipment.consignor_id, shipment.carrier_id}, {})


def tell_of_rerouting(events: Sequence[Event], *, at: datetime) -> None:
    """To who sent it, who carries it, who waited for it and who gets it instead."""
    for event in events:
        shipment = Shipment.objects.select_related("consignee").get(pk=event.subject_id)
        first = Facility.objects.filter(pk=event.facts["from"]).values_list("organisation_id", flat=True)
        readers = {shipment.consignor_id, shipment.carrier_id, shipment.consignee.organisation_id, *first}
        _write("shipment.rerouted", shipment, readers, {})


def _tell_of_tickets(events: Sequence[Event], reader: Any) -> None:
    rows = DiscrepancyTicket.objects.with_goods().in_bulk([uuid.UUID(event.subject_id) for event in events])
    together: dict[tuple[str, uuid.UUID], list[DiscrepancyTicket]] = defaultdict(list)
    for event in events:
        ticket = rows[uuid.UUID(event.subject_id)]
        together[event.kind, ticket.shipment_id].append(ticket)
    for (kind, _shipment), tickets in together.items():
        shipment = tickets[0].shipment
        _write(kind, shipment, {reader(shipment)}, {"tickets": tickets})


def _write(
    kind: str, shipment: Shipment, organisations: Iterable[uuid.UUID | None], more: Mapping[str, Any]
) -> None:
    for member in members_to_remind({one for one in organisations if one is not None}):
        with translation.override(member.user.language or settings.LANGUAGE_CODE):
            text = {
                **more,
                "kind": kind,
                "subject": str(SUBJECTS[kind]),
                "shipment": shipment,
                "link": address(reverse("tickets" if "tickets" in more else "shipment", args=[shipment.pk])),
                "account": address(reverse("account")),
            }
            letter = render_to_string("receipts/mail/letter.txt", text)
            send_mail(text["subject"], letter, None, [member.email])
