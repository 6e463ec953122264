"""The concepts' tables, imported so that Django finds them."""

from supplies.accounts.models import Draft, Invitation, SecondFactor, Session
from supplies.allocations.models import Allocation
from supplies.announcements.models import Announcement
from supplies.attachments.models import Attachment
from supplies.carriers.models import CarrierAccount, CarrierHook, ParkedEvent, PolledNumber
from supplies.catalogue.models import (
    Category,
    CounterfeitMark,
    Item,
    Standard,
    Substitution,
    TransportMode,
    Unit,
    UnitRule,
)
from supplies.change_requests.models import ChangeRequest, Report
from supplies.claims.models import Claim, SavedList
from supplies.duplicates.models import DuplicateNeeds, DuplicatePair, Merge, MovedRow
from supplies.editions.models import ReferenceEdition
from supplies.emergencies.models import Emergency
from supplies.federation.models import ForeignNeed, Peer
from supplies.intake.models import Correction, Import, ImportedLine, ImportedRow, StagedRow
from supplies.journal.models import Event, IdempotencyKey, Outgoing, OutgoingMail, Seal, Unsealed
from supplies.lanes.models import Lane
from supplies.listings.models import ListedFacility
from supplies.loads.models import ConsolidatedLoad, LoadedShipment
from supplies.needs.models import Appeal, ItemGap, Need, OpenCount, OpenThere, PlaceCount
from supplies.notices.inbox import Choice, Habits, Notice, Robot, Sending
from supplies.notices.models import Following, WebhookDelivery, WebhookEndpoint
from supplies.notices.searches import SavedSearch
from supplies.offers.models import Donation, Offer
from supplies.opendata.models import Figure, SigningKey
from supplies.organisations.contacts import Contact
from supplies.organisations.keys import ApiToken
from supplies.organisations.models import Alias, Facility, Membership, Organisation, User
from supplies.organisations.verification import CallLog, Verification
from supplies.papers.models import Certificate, CertifiedGoods
from supplies.privacy.models import Erasure, Reveal
from supplies.receipts.models import Discrepancy, DiscrepancyTicket, Receipt, ReceiptLine, Thanks
from supplies.regions.models import Region
from supplies.shipments.models import Leg, Rearrangement, Shipment, ShipmentLine
from supplies.shipments.tracking import TrackingCode, TrackingEvent
from supplies.shipments.units import HandlingUnit, UnitContent

__all__ = [
    "Alias",
    "Allocation",
    "Announcement",
    "ApiToken",
    "Appeal",
    "Attachment",
    "CallLog",
    "CarrierAccount",
    "CarrierHook",
    "Category",
    "Certificate",
    "CertifiedGoods",
    "ChangeRequest",
    "Choice",
    "Claim",
    "ConsolidatedLoad",
    "Contact",
    "Correction",
    "CounterfeitMark",
    "Discrepancy",
    "DiscrepancyTicket",
    "Donation",
    "Draft",
    "DuplicateNeeds",
    "DuplicatePair",
    "Emergency",
    "Erasure",
    "Event",
    "Facility",
    "Figure",
    "Following",
    "ForeignNeed",
    "Habits",
    "HandlingUnit",
    "IdempotencyKey",
    "Import",
    "ImportedLine",
    "ImportedRow",
    "Invitation",
    "Item",
    "ItemGap",
    "Lane",
    "Leg",
    "ListedFacility",
    "LoadedShipment",
    "Membership",
    "Merge",
    "MovedRow",
    "Need",
    "Notice",
    "Offer",
    "OpenCount",
    "OpenThere",
    "Organisation",
    "Outgoing",
    "OutgoingMail",
    "ParkedEvent",
    "Peer",
    "PlaceCount",
    "PolledNumber",
    "Rearrangement",
    "Receipt",
    "ReceiptLine",
    "ReferenceEdition",
    "Region",
    "Report",
    "Reveal",
    "Robot",
    "SavedList",
    "SavedSearch",
    "Seal",
    "SecondFactor",
    "Sending",
    "Session",
    "Shipment",
    "ShipmentLine",
    "SigningKey",
    "StagedRow",
    "Standard",
    "Substitution",
    "Thanks",
    "TrackingCode",
    "TrackingEvent",
    "TransportMode",
    "Unit",
    "UnitContent",
    "UnitRule",
    "Unsealed",
    "User",
    "Verification",
    "WebhookDelivery",
    "WebhookEndpoint",
]
