"""The concepts' tables, imported so that Django finds them."""

from supplies.allocations.models import Allocation
from supplies.catalogue.models import Category, Item, Standard, Substitution, TransportMode, Unit, UnitRule
from supplies.editions.models import ReferenceEdition
from supplies.emergencies.models import Emergency
from supplies.intake.models import Import, ImportedLine, ImportedRow
from supplies.journal.models import Event, Outgoing
from supplies.needs.models import Appeal, Need, OpenCount
from supplies.offers.models import Donation, Offer
from supplies.organisations.models import (
    ApiToken,
    Contact,
    Facility,
    Membership,
    Organisation,
    User,
    Verification,
)
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
    "Category",
    "Contact",
    "Discrepancy",
    "Donation",
    "Emergency",
    "Event",
    "Facility",
    "Import",
    "ImportedLine",
    "ImportedRow",
    "Item",
    "Membership",
    "Need",
    "Offer",
    "OpenCount",
    "Organisation",
    "Outgoing",
    "Receipt",
    "ReceiptLine",
    "ReferenceEdition",
    "Region",
    "Shipment",
    "ShipmentLine",
    "Standard",
    "Substitution",
    "TrackingCode",
    "TrackingEvent",
    "TransportMode",
    "Unit",
    "UnitRule",
    "User",
    "Verification",
]
