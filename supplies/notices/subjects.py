"""What news is about: which ways lead from a row to whom it concerns, what may be said of it in a line, and its page.

A line names goods, hospitals and codes, which whoever may see the row may read; never a donor, a person or a number.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.db.models import F, Model, QuerySet
from django.utils.module_loading import import_string
from django.utils.translation import pgettext

from supplies.allocations.models import Allocation
from supplies.leaks import masked
from supplies.loads.models import ConsolidatedLoad
from supplies.needs.models import Appeal, Need
from supplies.notices.kinds import Party
from supplies.offers.models import Donation, Offer
from supplies.organisations.models import Facility, Organisation
from supplies.receipts.models import DiscrepancyTicket, Thanks
from supplies.shipments.models import ON_ITS_WAY, Shipment
from supplies.templatetags.amounts import amount, asked_for
from supplies.wording import day

P = Party
Rows = QuerySet[Any]


def _as_they_are(rows: Rows) -> Rows:
    return rows


@dataclass(frozen=True)
class Subject:
    """about    the way to the id of the thing a notice is about, whose page is `page`
    ways     party -> ways to the ids of organisations; of POSTER to persons, of REGION to the path of a region
    sides    what has to be added to the rows before these ways can be gone
    with_words   what has to be read with the rows for `line`
    """

    model: type[Model]
    page: str
    ways: Mapping[Party, tuple[str, ...]]
    line: Callable[[Any], str]
    about: str = "pk"
    sides: Callable[[Rows], Rows] = _as_they_are
    with_words: Callable[[Rows], Rows] = _as_they_are

    @property
    def rows(self) -> Rows:
        return self.model._default_manager.all()

    def visible_to(self, user: Any) -> Rows:
        return self.with_words(self.model._default_manager.visible_to(user))  # type: ignore[attr-defined]


def _of_need(need: Need) -> str:
    return f"{need.item.name} · {asked_for(need)} · {masked(need.appeal.facility.name)}"


def _of_need_to_confirm(need: Need) -> str:
    """With the day on which it ends, unless somebody says that it is needed."""
    by = pgettext("a day by which somebody has to act", "by %(day)s") % {"day": day(need.lapses_at)}
    return f"{_of_need(need)} · {by}"


def _of_appeal(appeal: Appeal) -> str:
    return masked(appeal.facility.name)


def _of_offer(offer: Offer) -> str:
    return f"{offer.item.name} · {amount(offer.item, offer.quantity)}"


def _of_donation(donation: Donation) -> str:
    return f"{day(donation.created_at)} · {donation.code[:8]}"


def _of_promise(allocation: Allocation) -> str:
    promised = f"{allocation.offer.item.name} · {amount(allocation.offer.item, allocation.quantity)}"
    return f"{promised} → {masked(allocation.need.appeal.facility.name)}"


def _of_shipment(shipment: Shipment) -> str:
    return f"{shipment.code[:8]} → {masked(shipment.consignee.name)}"


def _of_load(load: ConsolidatedLoad) -> str:
    return f"{masked(load.hub_place) or load.hub_region.name} → {masked(load.consignee.name)}"


def _of_ticket(ticket: DiscrepancyTicket) -> str:
    item = ticket.discrepancy.receipt_line.line.allocation.offer.item
    parts = [item.name, amount(item, ticket.discrepancy.quantity), ticket.discrepancy.get_kind_display()]
    parts += [ticket.get_outcome_display() or ticket.get_proposed_display() or ""]
    return " · ".join(part for part in parts if part)


OF_SHIPMENT = {
    P.HOSPITAL: ("consignee__organisation",),
    P.DONOR: ("consignor",),
    P.CARRIER: ("carrier",),
    P.REGION: ("consignee__region__path",),
}


def through(name: str, ways: Mapping[Party, tuple[str, ...]]) -> dict[Party, tuple[str, ...]]:
    return {party: tuple(f"{name}__{way}" for way in some) for party, some in ways.items()}


OF_APPEAL = {
    P.HOSPITAL: ("facility__organisation",),
    P.POSTER: ("posted_by",),
    P.REGION: ("facility__region__path",),
}
OF_DONATION = {P.DONOR: ("organisation",), P.POSTER: ("posted_by",)}


def _with_what_comes(facilities: Any) -> Any:
    """A row for each shipment that is on its way there."""
    coming = facilities.filter(shipments__status__in=ON_ITS_WAY)
    return coming.annotate(sender=F("shipments__consignor"), mover=F("shipments__carrier"))


SUBJECTS: dict[str, Subject] = {
    "appeal": Subject(
        Appeal, "appeal", OF_APPEAL, _of_appeal, with_words=lambda rows: rows.select_related("facility")
    ),
    "need": Subject(
        Need,
        "appeal",
        through("appeal", OF_APPEAL),
        _of_need,
        about="appeal",
        with_words=lambda rows: rows.select_related(
            "item__display_unit", "appeal__facility", "appeal__emergency"
        ),
    ),
    "donation": Subject(Donation, "donation", OF_DONATION, _of_donation),
    "offer": Subject(
        Offer,
        "donation",
        through("donation", OF_DONATION),
        _of_offer,
        about="donation",
        with_words=lambda rows: rows.select_related("item__display_unit"),
    ),
    "allocation": Subject(
        Allocation,
        "promise",
        {
            P.DONOR: ("offer__donation__organisation",),
            P.HOSPITAL: ("need__appeal__facility__organisation",),
        },
        _of_promise,
        with_words=lambda rows: rows.select_related("offer__item__display_unit", "need__appeal__facility"),
    ),
    "shipment": Subject(
        Shipment,
        "shipment",
        {**OF_SHIPMENT, P.CARRIER: ("carrier", "to_come__carrier")},
        _of_shipment,
        sides=lambda rows: rows.with_carriers_to_come(),  # type: ignore[attr-defined]
        with_words=lambda rows: rows.select_related("consignee"),
    ),
    "consolidatedload": Subject(
        ConsolidatedLoad,
        "dock",
        {P.CARRIER: ("carrier",)},
        _of_load,
        with_words=lambda rows: rows.select_related("consignee", "hub_region"),
    ),
    "discrepancyticket": Subject(
        DiscrepancyTicket,
        "shipment",
        through("shipment", OF_SHIPMENT),
        _of_ticket,
        about="shipment",
        with_words=lambda rows: rows.with_goods(),  # type: ignore[attr-defined]
    ),
    "thanks": Subject(
        Thanks,
        "shipment",
        through("shipment", OF_SHIPMENT),
        lambda thanks: _of_shipment(thanks.shipment),
        about="shipment",
        with_words=lambda rows: rows.shown().select_related("shipment__consignee"),  # type: ignore[attr-defined]
    ),
    "facility": Subject(
        Facility,
        "facility",
        {P.DONOR: ("sender",), P.CARRIER: ("mover",), P.REGION: ("region__path",)},
        lambda facility: masked(facility.name),
        sides=_with_what_comes,
    ),
    "organisation": Subject(
        Organisation,
        "organisation",
        {P.MEMBERS: ("pk",), P.POSTER: ("registered_by",)},
        lambda organisation: masked(organisation.name),
    ),
}


# Where a line of this kind says more than that of its row.
LINES: dict[str, Callable[[Any], str]] = {"need.reminded": _of_need_to_confirm}


@lru_cache
def subject_of(name: str) -> Subject | None:
    """What is known of rows of this kind; those of higher concepts are named in settings.NOTICE_SUBJECTS."""
    if name in settings.NOTICE_SUBJECTS:
        return import_string(settings.NOTICE_SUBJECTS[name])  # type: ignore[no-any-return]
    return SUBJECTS.get(name)
