from typing import Any

from django.utils.translation import gettext_lazy as _

from matching.models import Proposal, ProposalStatus
from matching.orders import Order, OrderKind
from supplies.attachments.models import Attachment
from supplies.needs.models import Need
from supplies.offers.models import Donation
from supplies.offers.permissions import FOR_HOSPITALS, may_change_donation
from supplies.offers.permissions import may_answer_for_donor as _may_answer_for_donor
from supplies.organisations.permissions import acts_for, may_coordinate, may_moderate
from supplies.organisations.roles import Role

NOT_A_VOLUNTEER = _("Only a volunteer or coordinator may do that.")


def may_run(user: Any) -> bool:
    return may_moderate(user)


def may_undo(user: Any, run: Any = None) -> bool:
    """Whoever starts runs and is bound to no region: what is taken back lies anywhere."""
    return may_run(user) and bool(user.watches_over_all)


def may_set_policies(user: Any) -> bool:
    return bool(user.is_active and user.is_superuser)


def may_approve(user: Any, proposal: Proposal) -> bool:
    """A volunteer; a coordinator within her regions. That it was not she who posted is the verb's to see."""
    return may_allocate_by_hand(user, proposal.need)


def may_allocate_by_hand(user: Any, need: Need) -> bool:
    """Whoever may approve a proposal for it."""
    return may_moderate(user) and may_coordinate(user, need.appeal.facility)


def may_order(user: Any, order: Order) -> bool:
    """An administrator; a coordinator where the place lies in her regions, and what she reserves lies there too.

    What holds everywhere is an administrator's. Volunteers carry orders out.
    """
    if user.has_role(Role.ADMIN):
        return True
    place, offer = order.facility.region if order.facility else order.region, order.offer
    if order.kind == OrderKind.RESERVE:
        return offer is not None and user.coordinates(offer.donation.region)
    return place is not None and bool(user.coordinates(place))


def may_give_orders(user: Any) -> bool:
    return bool(user.is_authenticated) and user.has_role(Role.COORDINATOR, Role.ADMIN)


def may_answer_for_donor(user: Any, proposal: Proposal) -> bool:
    return _may_answer_for_donor(user, proposal.offer.donation)


def may_answer_for_hospital(user: Any, proposal: Proposal) -> bool:
    return acts_for(user, proposal.need.appeal.facility.organisation)


def may_decline(user: Any, proposal: Proposal) -> bool:
    return (
        may_approve(user, proposal)
        or may_answer_for_donor(user, proposal)
        or may_answer_for_hospital(user, proposal)
    )


def may_read_goods_paper(user: Any, attachment: Attachment) -> bool:
    """A photograph or document of goods: their donor, volunteers; and of some kinds the hospital that is asked to take them,
    or has said yes.
    """
    donation = Donation.objects.select_related("organisation", "region").get(pk=attachment.subject_id)
    if may_change_donation(user, donation):
        return True
    if attachment.kind not in FOR_HOSPITALS:
        return False
    asked = Proposal.objects.filter(
        offer__donation=donation, status__in=[ProposalStatus.APPROVED, ProposalStatus.AGREED]
    )
    return asked.filter(need__appeal__facility__organisation__in=user.organisation_ids).exists()
