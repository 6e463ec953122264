"""What people are told of proposals: whose answer is waited for, and in which words. See supplies/notices/subjects.py."""

from datetime import datetime, timedelta
from typing import Any

from django.db.models import Case, F, Q, QuerySet, When

from matching.models import BLOBS, Proposal, ProposalStatus
from supplies.leaks import masked
from supplies.notices.kinds import Party
from supplies.notices.subjects import Subject
from supplies.templatetags.amounts import amount

DONOR, HOSPITAL = "offer__donation__organisation", "need__appeal__facility__organisation"
ASKS_DONOR = Q(status=ProposalStatus.APPROVED, donor_said_yes_at=None)
ASKS_HOSPITAL = Q(status=ProposalStatus.APPROVED, hospital_said_yes_at=None) & (
    Q(is_conditional=True) | Q(need__ask_first=True)
)
BEFORE_IT_ENDS = timedelta(hours=12)  # whoever was asked and has not answered is asked once more


def with_sides(proposals: Any) -> Any:
    """Whose yes is waited for; and of what a volunteer approved, and only of that, the sides."""
    was_approved = Q(approved_at__isnull=False)
    return proposals.annotate(
        asked_donor=Case(When(ASKS_DONOR, then=F(DONOR))),
        asked_hospital=Case(When(ASKS_HOSPITAL, then=F(HOSPITAL))),
        donor=Case(When(was_approved, then=F(DONOR))),
        hospital=Case(When(was_approved, then=F(HOSPITAL))),
    )


def of_proposal(proposal: Proposal) -> str:
    offered = f"{proposal.offer.item.name} · {amount(proposal.offer.item, proposal.quantity_approved)}"
    return f"{offered} → {masked(proposal.need.appeal.facility.name)}"


PROPOSAL = Subject(
    Proposal,
    "answers",
    {
        Party.ASKED: ("asked_donor", "asked_hospital"),
        Party.DONOR: ("donor",),
        Party.HOSPITAL: ("hospital",),
    },
    of_proposal,
    sides=with_sides,
    with_words=lambda rows: rows.defer(*BLOBS).select_related(
        "offer__item__display_unit", "need__appeal__facility"
    ),
)


def to_answer(at: datetime) -> QuerySet[Any]:
    """The proposals that end soon and wait for an answer."""
    return Proposal.objects.filter(
        ASKS_DONOR | ASKS_HOSPITAL, expires_at__gt=at, expires_at__lte=at + BEFORE_IT_ENDS
    )
