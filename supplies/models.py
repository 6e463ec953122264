"""The concepts' tables, imported so that Django finds them."""

from supplies.accounts.models import Invitation, SecondFactor, Session
from supplies.allocations.models import Allocation
from supplies.attachments.models import Attachment
from supplies.catalogue.models import Category, Item, Standard, Substitution, TransportMode, Unit, UnitRule
from supplies.editions.models import ReferenceEdition
from supplies.emergencies.models import Emergency
from supplies.federation.models import ForeignNeed, Peer
from supplies.intake.models import Import, ImportedLine, ImportedRow
from supplies.journal.models import Event, IdempotencyKey, Outgoing, OutgoingMail, Seal, Unsealed
from supplies.needs.models import Appeal, Need, OpenCount
from supplies.offers.models import Donation, Offer
from supplies.opendata.models import SigningKey
from supplies.organisations.models import (
    ApiToken,
    CallLog,
    Contact,
    Facility,
    Membership,
    Organisation,
    User,
    Verification,
)
from supplies.privacy.models import Erasure, Reveal
from supplies.regions.models import Region
from supplies.shipments.models import (
    Discrepancy,
    Receipt,
    ReceiptLine,
    Shipment,
    ShipmentLine,
    TrackingCode,
    TrackingEvent,
)

__all__ = [
    "Allocation",
    "ApiToken",
    "Appeal",
    "Attachment",
    "CallLog",
    "Category",
    "Contact",
    "Discrepancy",
    "Donation",
    "Emergency",
    "Erasure",
    "Event",
    "Facility",
    "ForeignNeed",
    "IdempotencyKey",
    "Import",
    "ImportedLine",
    "ImportedRow",
    "Invitation",
    "Item",
    "Membership",
    "Need",
    "Offer",
    "OpenCount",
    "Organisation",
    "Outgoing",
    "OutgoingMail",
    "Peer",
    "Receipt",
    "ReceiptLine",
    "ReferenceEdition",
    "Region",
    "Reveal",
    "Seal",
    "SecondFactor",
    "Session",
    "Shipment",
    "ShipmentLine",
    "SigningKey",
    "Standard",
    "Substitution",
    "TrackingCode",
    "TrackingEvent",
    "TransportMode",
    "Unit",
    "UnitRule",
    "Unsealed",
    "User",
    "Verification",
]
