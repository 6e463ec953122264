"""Rows for tests: valid by default, changed by keyword. Everyone and everything here is invented."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from uuid import uuid4

from allauth.account.models import EmailAddress
from django.utils import timezone

from matching import proposing
from matching.models import FamilyRun, MatchingRun, Proposal
from supplies.allocations import services as ledger
from supplies.allocations.models import Allocation
from supplies.announcements import services as telling
from supplies.announcements.models import Announcement
from supplies.catalogue.models import Category, Item, Standard, TransportMode, Unit
from supplies.duplicates.models import DuplicateNeeds, DuplicatePair
from supplies.emergencies.models import Emergency
from supplies.federation.models import ForeignNeed, Peer
from supplies.intake.models import Import
from supplies.listings.models import ListedFacility
from supplies.loads import services as loads
from supplies.loads.models import ConsolidatedLoad
from supplies.needs import services as asking
from supplies.needs.models import Appeal, Need
from supplies.notices import services as hooks
from supplies.notices import watching
from supplies.notices.inbox import Notice
from supplies.notices.models import WebhookDelivery, WebhookEndpoint
from supplies.notices.searches import SavedSearch
from supplies.offers import services as giving
from supplies.offers.models import Donation, Offer
from supplies.organisations import services as people
from supplies.organisations.models import Facility, Organisation, User
from supplies.organisations.names import normal_name
from supplies.regions.models import Region
from supplies.shipments import services as moving
from supplies.shipments.models import Shipment

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
TODAY = NOW.date()
_number = count(1)


def make_region(
    code: str = "420106", name_zh: str = "武昌区", parent: Region | None = None, **fields: Any
) -> Region:
    """A region and, for a Chinese district, what it lies in."""
    known = Region.objects.filter(pk=code).first()
    if known:
        return known
    if parent is None and code.isdigit():
        china = make_region("CN", "中国", level="country", scheme="ISO3166-1", lat=35.0, lon=105.0)
        province = make_region(
            f"{code[:2]}0000",
            "湖北省" if code[:2] == "42" else f"省{code[:2]}",
            china,
            level="province",
            lat=30.55,
            lon=114.34,
        )
        parent = make_region(
            f"{code[:4]}00",
            "武汉市" if code[:4] == "4201" else f"市{code[:4]}",
            province,
            level="prefecture",
            lat=30.6,
            lon=114.3,
        )
    fields = {"level": "district", "scheme": "GBT2260", "lat": 30.55, "lon": 114.32, **fields}
    return Region.objects.create(
        code=code, name_zh=name_zh, parent=parent, path=f"{parent.path if parent else '/'}{code}/", **fields
    )


def make_unit(code: str = "piece", **fields: Any) -> Unit:
    return Unit.objects.get_or_create(
        code=code, defaults={"name_zh": "个", "name_en": "piece", "rec20": "H87", "kind": "count", **fields}
    )[0]


def make_category(code: str = "ppe", **fields: Any) -> Category:
    return Category.objects.get_or_create(
        code=code, defaults={"name_zh": "防护用品", "name_en": "Protective equipment", **fields}
    )[0]


def make_item(code: str = "MASK_SURG", **fields: Any) -> Item:
    known = Item.objects.filter(pk=code).first()
    if known:
        return known
    piece = make_unit()
    defaults = {
        "category": fields.pop("category", None) or make_category(),
        "name_zh": "医用外科口罩",
        "name_en": "Surgical mask",
        "base_unit": piece,
        "display_unit": piece,
        "plausible_max": 1_000_000,
        "assumed_quantity": 10_000,
        "needs_medical_grade": False,
    }
    return Item.objects.create(code=code, **{**defaults, **fields})


def make_standard(code: str = "YY0469-2011", items: Sequence[Item] = (), **fields: Any) -> Standard:
    standard, made = Standard.objects.get_or_create(
        code=code,
        defaults={
            "issuer": "CN NMPA",
            "title": code,
            "medical_use": "yes",
            "sterile": "optional",
            "status": "current",
            **fields,
        },
    )
    if made:
        standard.items.set(items or [make_item()])
    return standard


def make_mode(code: str = "road", **fields: Any) -> TransportMode:
    speeds = {"van": (500, 250), "road": (700, None), "air": (2500, None)}
    km_per_day, max_km = speeds.get(code, (700, None))
    return TransportMode.objects.get_or_create(
        code=code,
        defaults={"name_zh": code, "name_en": code, "km_per_day": km_per_day, "max_km": max_km, **fields},
    )[0]


def make_emergency(code: str = "flu-2026", **fields: Any) -> Emergency:
    defaults = {"name_zh": "演练疫情", "name_en": "Exercise outbreak", "status": "respond", "began_on": TODAY}
    return Emergency.objects.get_or_create(code=code, defaults={**defaults, **fields})[0]


def make_user(username: str = "", **fields: Any) -> User:
    return User.objects.create_user(
        username or f"person{next(_number)}",
        password=fields.pop("password", "a long enough phrase"),
        **fields,
    )


def make_organisation(
    kind: str = "hospital", *, verified: bool = True, region: Region | None = None, **fields: Any
) -> Organisation:
    name = fields.pop("name", "") or f"演练{kind}{next(_number)}"
    return Organisation.objects.create(
        kind=kind,
        name=name,
        normal_name=normal_name(name),
        region=region or make_region(),
        **{**(people.trusted_since(NOW) if verified else {}), **fields},
    )


def make_announcement(giver: Organisation | None = None, **fields: Any) -> Announcement:
    by, at = fields.pop("by", None), fields.pop("at", NOW)
    words = {
        "title_zh": "演练：请先看清单",
        "title_en": "Exercise: look at the list first",
        "text_zh": "演练内容。",
        "text_en": "Words of an exercise.",
        "reason": "演练",
    }
    row = Announcement(
        giver=giver or make_organisation("coordinator"),
        **{
            "kind": "announcement",
            "emergency": fields.pop("emergency", None) or make_emergency(),
            **words,
            **fields,
        },
    )
    return telling.announce(row, by=by, at=at)


def make_listing(organisation: Organisation | None = None, **fields: Any) -> ListedFacility:
    """A row of a public list; of an organisation that is registered here, if one is named."""
    name = fields.pop("name", "") or (organisation.name if organisation else f"演练定点医院{next(_number)}")
    defaults = {
        "region": organisation.region if organisation else make_region(),
        "kinds": ["designated"],
        "source_name": "演练名单",
        "as_of": TODAY,
        "listed_since": TODAY,
        "version": "0" * 64,
    }
    return ListedFacility.objects.create(
        name=name, normal_name=normal_name(name), organisation=organisation, **{**defaults, **fields}
    )


def make_pair(one: Organisation, other: Organisation, **fields: Any) -> DuplicatePair:
    first, second = sorted([one, other], key=lambda row: row.pk)
    values = {"score": 97, "reasons": ["same-name"], "proposed_at": NOW, **fields}
    return DuplicatePair.objects.create(one=first, other=second, **values)


def make_pair_of_needs(one: Need, other: Need, **fields: Any) -> DuplicateNeeds:
    first, second = sorted([one, other], key=lambda row: row.pk)
    values = {"score": 95, "reasons": ["same-site", "same-quantity"], "proposed_at": NOW, **fields}
    return DuplicateNeeds.objects.create(one=first, other=second, **values)


def make_facility(organisation: Organisation | None = None, **fields: Any) -> Facility:
    organisation = organisation or make_organisation(region=fields.get("region"))
    return Facility.objects.create(
        organisation=organisation,
        **{"name": organisation.name, "region": organisation.region, "address": "演练路1号", **fields},
    )


def make_member(role: str, organisation: Organisation | None = None, **fields: Any) -> User:
    """A person in a role; without an organisation, of a new one of the fitting kind."""
    kinds = {"volunteer": "volunteers", "auditor": "coordinator"}
    user = make_user(**fields)
    people.enrol(user, organisation or make_organisation(kinds.get(role, role)), role, by=None, at=NOW)
    return user


def make_appeal(
    facility: Facility | None = None,
    *,
    lines: Sequence[dict[str, Any]] = ({},),
    published: bool = True,
    **fields: Any,
) -> Appeal:
    line = {"quantity": 1000, "urgency": 2, "needed_by": TODAY + timedelta(days=10)}
    appeal = asking.post(
        facility or make_facility(),
        emergency=fields.pop("emergency", None) or make_emergency(),
        by=fields.pop("by", None),
        at=fields.pop("at", NOW),
        lines=[{**line, **given, "item": given.get("item") or make_item()} for given in lines],
        **fields,
    )
    return asking.publish_moderated(appeal, at=NOW) if published else appeal


def make_need(facility: Facility | None = None, *, published: bool = True, **line: Any) -> Need:
    appeal_fields = {key: line.pop(key) for key in ("by", "emergency", "at") if key in line}
    return make_appeal(facility, lines=[line], published=published, **appeal_fields).needs.get()


def make_donation(
    organisation: Organisation | None = None,
    *,
    lines: Sequence[dict[str, Any]] = ({},),
    published: bool = True,
    **fields: Any,
) -> Donation:
    make_mode()
    organisation = organisation or make_organisation("donor")
    donation = giving.post(
        organisation,
        emergency=fields.pop("emergency", None) or make_emergency(),
        region=fields.pop("region", None) or organisation.region,
        by=fields.pop("by", None),
        at=fields.pop("at", NOW),
        lines=[{"quantity": 1000, **given, "item": given.get("item") or make_item()} for given in lines],
        **fields,
    )
    return giving.publish_moderated(donation, at=NOW) if published else donation


def make_offer(organisation: Organisation | None = None, *, published: bool = True, **line: Any) -> Offer:
    donation_fields = {
        key: line.pop(key)
        for key in (
            "by",
            "emergency",
            "at",
            "directed_facility",
            "directed_region",
            "allocates_for_me",
            "region",
            "sender_kind",
            "from_overseas",
        )
        if key in line
    }
    return make_donation(organisation, lines=[line], published=published, **donation_fields).offers.get()


def make_run(**fields: Any) -> MatchingRun:
    """A run that is done."""
    return MatchingRun.objects.create(
        emergency=make_emergency(), trigger="hand", as_of=NOW, created_at=NOW, status="done", **fields
    )


def make_proposal(**fields: Any) -> Proposal:
    """A proposal of 100 pieces as a run would have made it."""
    run = make_run()
    defaults = {
        "need": fields.pop("need", None) or make_need(),
        "offer": fields.pop("offer", None) or make_offer(),
        "quantity": 100,
        "km": 12,
        "days": 2,
        "because": {"total": 1000, "filled_before": 0, "filled_after": 100, "steps": [], "days_to_spare": 8},
        "created_at": NOW,
        "expires_at": timezone.now() + timedelta(hours=48),
    }
    given = {**defaults, **fields}
    counted = {"proposals": 1, "units": given["quantity"]}
    family = FamilyRun.objects.create(
        run=run, emergency=run.emergency, family="masks", status="done", **counted
    )
    proposal = Proposal.objects.create(**{"family_run": family, **given})
    proposing.hold([proposal], +1)
    return proposal


def make_allocation(
    quantity: int = 100, *, need: Need | None = None, offer: Offer | None = None
) -> Allocation:
    return ledger.allocate(need or make_need(), offer or make_offer(), quantity, by=None, at=NOW)


def make_shipment(
    *allocations: Allocation, carrier: Organisation | None = None, status: str = "draft"
) -> Shipment:
    """A shipment moved along its lifecycle up to `status`: draft, booked, in_transit or delivered."""
    shipment = moving.put_together(allocations or [make_allocation()], by=None, at=NOW)
    if status != "draft":
        shipment = moving.book(shipment, carrier=carrier or make_organisation("carrier"), by=None, at=NOW)
    if status in ("in_transit", "delivered"):
        shipment = moving.dispatch(shipment, by=None, at=NOW)
    if status == "delivered":
        shipment = moving.deliver(shipment, by=None, at=NOW)
    return shipment


def make_webhook(
    organisation: Organisation | None = None, *, kinds: Sequence[str] = ("shipment.departed",), **fields: Any
) -> WebhookEndpoint:
    url = fields.pop("url", f"https://hooks{next(_number)}.example.org/in")
    endpoint, _secret = hooks.add(
        organisation or make_organisation("carrier"), url=url, kinds=kinds, by=fields.pop("by", None), at=NOW
    )
    return endpoint


def make_delivery(endpoint: WebhookEndpoint | None = None, **fields: Any) -> WebhookDelivery:
    """A trial that waits; with `status`, one that has ended so."""
    delivery = hooks.test(endpoint or make_webhook(), by=None, at=fields.pop("at", NOW))
    WebhookDelivery.objects.filter(pk=delivery.pk).update(**fields)
    return WebhookDelivery.objects.get(pk=delivery.pk)


def make_notice(user: User, **fields: Any) -> Notice:
    """News of a need that everybody may read."""
    need = make_need()
    defaults = {"kind": "need.met", "group": "posts", "subject": "need", "at": NOW, "created_at": NOW}
    return Notice.objects.create(
        user=user, about=str(need.appeal_id), rows=[str(need.pk)], **{**defaults, **fields}
    )


def make_search(user: User, **fields: Any) -> SavedSearch:
    given = {"over": "needs", "name": "", "q": f"drill {next(_number)}", "at": NOW}
    return watching.save(user, **{**given, **fields})


def make_load(*shipments: Shipment, **fields: Any) -> ConsolidatedLoad:
    """Gathered at a hub, with a booked shipment of the same carrier on it, which starts there."""
    shipments = shipments or (make_shipment(status="booked"),)
    defaults = {"hub_region": make_region(), "carrier": shipments[0].carrier, "by": None, "at": NOW}
    return loads.gather(shipments[0].consignee, shipments=shipments, **{**defaults, **fields})


def with_address(user: User, **fields: Any) -> User:
    """Who confirmed an address, so that letters reach her."""
    user.email = f"reader{next(_number)}@example.org"
    for name, value in fields.items():
        setattr(user, name, value)
    user.save()
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    return user


def make_peer(name: str = "演练外站", **fields: Any) -> Peer:
    """Another instance that is read: its key was compared, its dump of now was taken."""
    number = next(_number)
    defaults = {
        "address": f"https://other{number}.example.org",
        "instance": f"https://other{number}.example.org",
        "public_key": "A" * 43 + "=",
        "status": "active",
        "licence": "CC-BY-4.0",
        "licence_url": "https://creativecommons.org/licenses/by/4.0/",
        "manifest_made_at": NOW,
        "is_taken": True,
        "created_at": NOW,
        "pulled_at": NOW,
    }
    return Peer.objects.create(name=name, **{**defaults, **fields})


def make_batch(**fields: Any) -> Import:
    """A list that was read and is to be looked through."""
    defaults = {
        "format": "wuhan2020",
        "source": "wuhan2020",
        "emergency": make_emergency(),
        "file_name": "drill.json",
        "as_of": TODAY,
        "started_at": NOW,
        "status": "read",
    }
    return Import.objects.create(**{**defaults, **fields})


def make_foreign_need(peer: Peer | None = None, **fields: Any) -> ForeignNeed:
    """A need as another instance tells it, of an item and a place we know."""
    item, region = make_item(), make_region()
    defaults = {
        "origin_id": uuid4(),
        "appeal_id": uuid4(),
        "emergency": "flu-2026",
        "status": "open",
        "facility_name": "演练外院东院区",
        "organisation_name": "演练外院",
        "region": region,
        "region_code": region.pk,
        "place_zh": "湖北省 武汉市 武昌区",
        "item": item,
        "item_code": item.pk,
        "item_zh": item.name_zh,
        "item_en": item.name_en,
        "unit": item.base_unit_id,
        "quantity_kind": "number",
        "quantity": 700,
        "outstanding": 700,
        "urgency": 2,
        "needed_by": TODAY,
        "confirmed_at": NOW,
        "posted_at": NOW,
        "first_seen_at": NOW,
        "told_at": NOW,
    }
    return ForeignNeed.objects.create(peer=peer or make_peer(), **{**defaults, **fields})
