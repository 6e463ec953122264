"""Who may answer and settle what did not arrive as promised, and who sees what proves it."""

from typing import Any

from supplies.attachments.models import Attachment, Kind
from supplies.organisations.permissions import acts_for, may_coordinate
from supplies.organisations.roles import Role
from supplies.receipts.models import DiscrepancyTicket
from supplies.shipments.models import Shipment
from supplies.shipments.permissions import may_count


def may_answer(user: Any, ticket: DiscrepancyTicket) -> bool:
    """The sender alone: whether she has the goods again is hers to say; or an administrator to whom she said it."""
    return bool(user.is_superuser) or (
        bool(user.has_role(Role.DONOR)) and acts_for(user, ticket.shipment.consignor)
    )


def may_settle(user: Any, ticket: DiscrepancyTicket) -> bool:
    """Who may count: the hospital, a volunteer, or a coordinator of its region."""
    return may_count(user, ticket.shipment)


def may_reroute(user: Any, shipment: Shipment) -> bool:
    """A volunteer; a coordinator what goes to her regions. Where it may go instead is asked of its facility."""
    return may_coordinate(user, shipment.consignee)


def may_read_proof(user: Any, attachment: Attachment) -> bool:
    """A photograph: whoever sees the shipment. A signature names who received it: the hospital and the desk."""
    shipment = (
        Shipment.objects.visible_to(user)
        .select_related("consignee__organisation", "consignee__region")
        .filter(pk=attachment.subject_id)
        .first()
    )
    if shipment is None:
        return False
    return attachment.kind == Kind.PHOTO or may_count(user, shipment)
