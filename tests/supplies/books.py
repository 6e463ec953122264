"""The books of the ledger: what must hold of every need and offer, whatever was done before."""

from collections import Counter
from typing import Any

from matching.models import Proposal
from supplies.allocations.models import Allocation
from supplies.needs.models import Appeal, Need
from supplies.offers.models import Donation, Offer
from supplies.shipments.models import ReceiptLine

GOING_ON = {"waiting", "open"}


def faults() -> list[str]:
    """Every place where a counter or a status says something else than the rows it stands for."""
    return [*_needs(), *_offers(), *_parents()]


def _sums(rows: Any, *columns: str) -> Counter[Any]:
    total: Counter[Any] = Counter()
    for *key, quantity in rows.values_list(*columns, "quantity"):
        total[tuple(key)] += quantity
    return total


def _needs() -> list[str]:
    held = _sums(Allocation.objects.all(), "need", "status")
    proposed = _sums(Proposal.objects.pending(), "need")
    accepted: Counter[Any] = Counter()
    for line in ReceiptLine.objects.select_related("line__allocation"):
        accepted[line.line.allocation.need_id] += min(line.accepted, line.shipped)
    found = []
    for need in Need.objects.all():
        right = {
            "promised": held[need.pk, "reserved"] + held[need.pk, "booked"],
            "in_transit": held[need.pk, "shipped"],
            "received": accepted[need.pk],
            "proposed": proposed[need.pk,],
        }
        for name, quantity in right.items():
            counter = getattr(need, f"quantity_{name}")
            if counter != quantity:
                found.append(f"need {need.pk}: {name} is {counter}, its rows say {quantity}")
        taken = right["promised"] + right["in_transit"] + right["received"]
        if need.quantity is not None and taken + need.quantity_outstanding != need.quantity:
            found.append(f"need {need.pk}: taken {taken} and outstanding do not add up to what is asked")
        met = need.quantity is not None and right["received"] >= need.quantity
        if need.status in ("open", "met") and met != (need.status == "met"):
            found.append(f"need {need.pk}: {need.status} with {right['received']} of {need.quantity}")
    return found


def _offers() -> list[str]:
    held = _sums(Allocation.objects.exclude(status__in=["released", "returned"]), "offer")
    proposed = _sums(Proposal.objects.pending(), "offer")
    found = []
    for offer in Offer.objects.all():
        for name, quantity in (("allocated", held[offer.pk,]), ("proposed", proposed[offer.pk,])):
            counter = getattr(offer, f"quantity_{name}")
            if counter != quantity:
                found.append(f"offer {offer.pk}: {name} is {counter}, its rows say {quantity}")
        if offer.status in ("open", "spent") and (offer.quantity_open == 0) != (offer.status == "spent"):
            found.append(f"offer {offer.pk}: {offer.status} with {offer.quantity_open} left")
    return found


def _parents() -> list[str]:
    """An appeal or donation is closed when its last line has ended, and has no line going on once it was withdrawn."""
    found = []
    for model, line, column in ((Appeal, Need, "appeal"), (Donation, Offer, "donation")):
        busy = set(line.objects.filter(status__in=GOING_ON).values_list(column, flat=True))
        for row in model.objects.all():
            if (row.pk in busy) == (row.status in ("closed", "withdrawn", "refused")):
                lines = "with" if row.pk in busy else "without"
                found.append(f"{column} {row.pk}: {row.status} {lines} a line going on")
    return found
