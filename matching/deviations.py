"""The report of everything that was approved otherwise than a run proposed: fewer, out of turn, or by hand.

Runs and what they proposed are never rewritten, so each row here can be held against its run.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import IO, Any

from matching.models import BLOBS, Proposal, ProposalQuerySet
from supplies import sheets
from supplies.leaks import masked

HEAD = (
    "approved_at",
    "kinds",
    "reason",
    "note",
    "emergency",
    "item",
    "facility",
    "donor",
    "proposed",
    "approved",
    "unit",
    "passed_over",
    "status",
    "approved_by",
    "run",
    "proposal",
)


def deviations(since: datetime | None = None) -> ProposalQuerySet:
    """All of them, the newest first."""
    rows = Proposal.objects.deviating().with_sides().select_related("family_run__run").defer(*BLOBS)
    if since is not None:
        rows = rows.since(since)
    return rows.newest_approval_first()


def write_csv(file: IO[str], rows: Iterable[Proposal]) -> int:
    """Write the report as CSV; returns the number of rows. Ids and names of places only, no person's name."""
    sheets.write(file, [HEAD])
    return sheets.write(file, map(cells, rows))


def cells(row: Proposal) -> Iterator[Any]:
    """The values under HEAD."""
    yield row.approved_at.isoformat() if row.approved_at else ""
    yield " ".join(row.deviates)
    yield row.deviation
    yield masked(row.deviation_note)
    yield row.need.appeal.emergency_id
    yield row.need.item_id
    yield row.need.appeal.facility.name
    yield row.offer.donation.organisation.name
    yield row.quantity
    yield row.quantity_approved
    yield row.need.item.base_unit_id
    yield row.passed_over
    yield row.status
    yield row.approved_by_id
    yield row.family_run.run_id if row.family_run else ""
    yield row.pk
