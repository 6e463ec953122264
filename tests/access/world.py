"""The world in which every door is tried: eight people, and everything there is twice, once theirs and once others'."""

import json
from dataclasses import dataclass, field
from datetime import timedelta
from tempfile import TemporaryFile
from typing import Any

from django.core import signing
from django.db.models import Model
from django.utils import timezone

from matching.models import FamilyRun, MatchingRun, Order, Proposal, Shortfall
from supplies.accounts import services as accounts
from supplies.allocations.models import Allocation
from supplies.attachments.services import attach
from supplies.attachments.uploads import in_memory
from supplies.carriers import services as carriers
from supplies.carriers.models import ParkedEvent
from supplies.change_requests import services as corrections
from supplies.claims.models import SavedList
from supplies.duplicates import services as duplicates
from supplies.duplicates.models import DuplicatePair
from supplies.intake import services as lists
from supplies.intake.models import Correction, ImportedLine, ImportedRow, StagedRow
from supplies.loads import services as loads
from supplies.needs import reminders
from supplies.notices import choosing, robots
from supplies.notices import services as hooks
from supplies.notices.following import CONFIRM, END, ask
from supplies.notices.models import Following
from supplies.organisations import services as people
from supplies.organisations.models import Facility, Organisation, User
from supplies.papers.services import certify
from supplies.privacy.models import Reveal
from supplies.privacy.services import reveal
from supplies.receipts import services as receiving
from supplies.receipts.thanking import thank
from supplies.regions.models import Region
from supplies.shipments import legs, packing
from supplies.shipments import services as moving
from supplies.shipments.models import Shipment
from tests.makers import (
    NOW,
    TODAY,
    make_allocation,
    make_announcement,
    make_appeal,
    make_batch,
    make_delivery,
    make_donation,
    make_emergency,
    make_facility,
    make_foreign_need,
    make_item,
    make_listing,
    make_need,
    make_notice,
    make_organisation,
    make_pair,
    make_pair_of_needs,
    make_peer,
    make_region,
    make_search,
    make_shipment,
    make_user,
    make_webhook,
)
from tests.supplies.attachments.hostile import pdf
from tests.supplies.carriers.telling import make_account, word
from tests.supplies.intake.lists import make_row

ROLES = ("anonymous", "hospital", "donor", "carrier", "volunteer", "coordinator", "auditor", "admin")
HEADING = "医用外科口罩"  # of the goods in the lists
OWN_REGION, OTHER_REGION = "420106", "110101"


@dataclass
class Side:
    """One hospital, donor and carrier, with a row of each kind in each state a verb begins from."""

    name: str
    region: Region
    site: Facility
    donor: Organisation
    carrier: Organisation
    at_hospital: User
    at_donor: User
    at_carrier: User
    rows: dict[str, Model] = field(default_factory=dict)
    codes: dict[str, str] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Any:
        return self.rows[name]

    @property
    def hospital(self) -> Organisation:
        return self.site.organisation


@dataclass
class World:
    """people    role -> account; nobody for anonymous
    own       what the hospital, the donor and the carrier of the cast act for, in the coordinator's region
    other     the same of others, elsewhere
    """

    people: dict[str, User | None]
    own: Side
    other: Side


def make_world() -> World:
    own, other = make_side("own", OWN_REGION), make_side("other", OTHER_REGION)
    return World(
        {
            "anonymous": None,
            "hospital": own.at_hospital,
            "donor": own.at_donor,
            "carrier": own.at_carrier,
            "volunteer": _official("volunteer"),
            "coordinator": _official("coordinator"),
            "auditor": _official("auditor"),
            "admin": make_user("admin", is_staff=True, is_superuser=True),
        },
        own,
        other,
    )


def _official(role: str) -> User:
    person = make_user(role)
    body = make_organisation("volunteers" if role == "volunteer" else "coordinator", name=f"演练{role}")
    regions = [make_region(OWN_REGION)] if role == "coordinator" else []
    people.enrol(person, body, role, by=None, at=NOW, regions=regions)
    return person


def make_side(name: str, code: str) -> Side:
    region = make_region(code)
    hospital = make_organisation("hospital", name=f"演练医院{name}", region=region)
    donor = make_organisation("donor", name=f"演练捐方{name}", region=region)
    carrier = make_organisation("carrier", name=f"演练承运{name}", region=region)
    site = make_facility(hospital)
    side = Side(
        name,
        region,
        site,
        donor,
        carrier,
        *(
            _member(role, body, f"{role}-{name}")
            for role, body in (("hospital", hospital), ("donor", donor), ("carrier", carrier))
        ),
    )
    side.rows |= {"organisation": hospital, "facility": site, "donor": donor, "carrier": carrier}
    _posts(side)
    _matches(side)
    _moves(side)
    _accounts(side)
    _doubles(side)
    _lists(side)
    told = make_foreign_need(region=region)
    side.rows |= {"foreign need": told, "peer": told.peer, "new peer": make_peer(status="new")}
    return side


def _member(role: str, body: Organisation, username: str) -> User:
    person = make_user(username)
    people.enrol(person, body, role, by=None, at=NOW)
    return person


def _accounts(side: Side) -> None:
    """What belongs to the hospital's manager: a contact, somebody to dismiss, a key, an invitation, a letter."""
    manager, hospital = side.at_hospital, side.hospital
    people.make_manager(manager.memberships.get(), by=None, at=NOW)
    contact = people.keep_contact(
        hospital, facility=side.site, at=NOW, name="演练", phone="000-0000-0001", by=manager
    )
    colleague = _member("hospital", hospital, f"colleague-{side.name}")
    key, _secret = people.issue_token(manager, name="演练", scopes=["read"], at=NOW)
    invitation, code = accounts.invite(hospital, role="hospital", by=manager, at=NOW)
    with TemporaryFile() as letter:
        size = letter.write(pdf())
        letter.seek(0)
        file = attach(
            hospital, letter, size=size, kind="letter", by=manager, at=NOW, erase_on=TODAY + timedelta(days=9)
        )
    endpoint, switched_off = (make_webhook(hospital, kinds=["need.met"], by=manager) for _one in range(2))
    side.rows |= {"webhook": endpoint, "webhook off": hooks.disable(switched_off, by=manager, at=NOW)}
    given_up = make_delivery(endpoint, status="failed", problem="status", http_status=500, attempts=10)
    side.rows |= {"delivery": make_delivery(endpoint), "delivery given up": given_up}
    reveal(contact, purpose="own", by=manager, at=NOW)
    side.rows |= {"contact": contact, "membership": colleague.memberships.get(), "key": key, "file": file}
    side.rows |= {"invitation": invitation, "reveal": Reveal.objects.get(contact_id=contact.pk)}
    ask(side["shipment in_transit"], email="drill@example.org", language="en", at=timezone.now())
    side.rows["following"] = followed = Following.objects.get(shipment=side["shipment in_transit"])
    side.rows |= {"notice": make_notice(manager), "search": make_search(manager)}
    side.rows["robot"] = robots.set_up(
        manager,
        "wecom",
        address=f"https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=drill-{side.name}",
        at=NOW,
    )
    side.rows["thanks"] = thank(side["shipment counted"], words="演练：谢谢", by=manager, at=NOW)
    side.codes = {
        "confirm-following": signing.dumps(str(followed.pk), salt=CONFIRM),
        "end-notices": choosing.word_that_ends(manager, ["trouble"]),
        "set-up-robot": "wecom",
        "take-robot-away": "wecom",
        "end-following": signing.dumps(str(followed.pk), salt=END),
        "invitation": code,
        "still-needed": reminders.link_for(side["appeal published"], manager),
    }
    said = corrections.report(side["need published"], kind="not_needed", by=None, at=NOW)
    side.rows |= {"report": said, "change request": said.change_request}


def _doubles(side: Side) -> None:
    """What may stand there twice: a pair to decide, one that was kept apart, one that was merged, and two needs."""
    decider = make_user()

    def pair() -> DuplicatePair:
        return make_pair(*(make_organisation(region=side.region) for _one in range(2)))

    apart, merged = pair(), pair()
    duplicates.keep_apart(apart, by=decider, at=NOW)
    merge = duplicates.merge(merged, keep=merged.one, by=decider, at=NOW)
    needs = side["appeal published"].needs.order_by("pk")
    side.rows |= {"pair": pair(), "pair kept apart": apart, "merge": merge}
    side.rows |= {"pair of needs": make_pair_of_needs(*needs), "listing": make_listing(side.hospital)}


def _lists(side: Side) -> None:
    """A list that is looked through, with a row in each state a verb begins from, what became of an earlier one, and a table
    that nobody has mapped."""
    volunteer = User.objects.filter(username="lists").first() or make_user("lists")
    given = {"emergency": make_emergency(), "source": f"drill-{side.name}", "by": volunteer}
    batch = make_batch(rows_read=2, **given)
    side.rows["batch"] = batch
    for number, state in enumerate(("staged", "reviewed"), start=1):
        raw = make_row(name=f"演练医院{side.name}{number}")
        shown = {"name": raw["name"], "called": raw["name"], "place": "湖北 武汉市 武昌区", "cells": []}
        line = {
            "heading": HEADING,
            "raw": HEADING,
            "figure": "20箱",
            "unit": "箱",
            "within": HEADING,
            "change": "added",
        }
        line |= {
            "item": make_item().pk,
            "kind": "unknown",
            "quantity": None,
            "standards": [],
            "confidence": "sure",
        }
        row = StagedRow(
            batch=batch,
            number=number,
            status=state,
            key=f"{side.name}{number}",
            verdict="new",
            shown={**shown, "lines": [{**line, "waits": False, "sterile": False, "daily_use": None}]},
        )
        row.raw = json.dumps(raw)
        row.save(force_insert=True)
        side.rows[f"row {state}"] = row
    known = ImportedRow.objects.create(
        key=side.name,
        format="wuhan2020",
        scope="",
        seen_in=batch,
        row_number=1,
        digest="0" * 64,
        shown={"name": "演练", "link": "", "remark": ""},
        organisation=side.hospital,
        facility=side.site,
    )
    side.rows["imported row"] = known
    side.rows["imported line"] = ImportedLine.objects.create(
        row=known,
        position=0,
        heading=HEADING,
        as_written=f"{HEADING}: 20",
        raw="20",
        status="waiting",
        item=make_item(),
        quantity_kind="number",
        quantity=20,
    )
    side.rows["correction"] = Correction.objects.create(
        source=batch.source, kind="item", as_written="演练", is_nothing=True, by=volunteer, at=NOW
    )
    table = "名字,东西\n演练,20\n".encode()
    with in_memory(table) as file:
        unmapped = lists.receive(file, name="drill.csv", size=len(table), at=NOW, **given)
    lists.work(unmapped.pk, at=NOW)
    side.rows["table"] = unmapped


def _posts(side: Side) -> None:
    """Posted by the hospital and the donor themselves."""
    lines = [{"quantity": 5000} for _line in range(2)]
    for state, published in (("waiting", False), ("published", True)):
        ways = {"handover_point": "演练路 1 号门", "courier_address": "演练路 2 号"}
        appeal = make_appeal(side.site, lines=lines, published=published, by=side.at_hospital, **ways)
        donation = make_donation(side.donor, lines=lines, published=published, by=side.at_donor)
        side.rows |= {f"appeal {state}": appeal, f"donation {state}": donation}
        side.rows |= {f"need {state}": appeal.needs.order_by("pk").first()}
        side.rows |= {f"offer {state}": donation.offers.order_by("pk").first()}


def _matches(side: Side) -> None:
    emergency = make_emergency()
    run = MatchingRun.objects.create(
        emergency=emergency, trigger="hand", as_of=NOW, created_at=NOW, status="done"
    )
    family = FamilyRun.objects.create(run=run, emergency=emergency, family="masks", status="done")
    side.rows |= {"run": run, "family": family}
    needs, offers = (side[f"{kind} published"] for kind in ("appeal", "donation"))
    pairs = zip(needs.needs.order_by("pk"), offers.offers.order_by("pk"), strict=True)
    for (state, said), (need, offer) in zip(
        (("open", {}), ("approved", {"approved_by": make_user(), "approved_at": NOW})), pairs, strict=True
    ):
        side.rows[f"proposal {state}"] = Proposal.objects.create(
            family_run=family,
            need=need,
            offer=offer,
            quantity=100,
            km=12,
            days=2,
            status=state,
            created_at=NOW,
            expires_at=NOW + timedelta(days=2),
            because={"total": 1000, "filled_before": 0, "filled_after": 100, "steps": [], "days_to_spare": 8},
            **said,
        )
        for row in (need, offer):
            type(row).objects.filter(pk=row.pk).update(quantity_proposed=100)
    side.rows["shortfall"] = Shortfall.objects.create(
        need=side["need published"], family_run=family, missing=4900, cause="waits", figure=9, as_of=NOW
    )
    side.rows["order"] = Order.objects.create(
        kind="prefer",
        emergency=side["appeal published"].emergency,
        region=side.region,
        reason="Exercise",
        until_at=NOW + timedelta(days=3650),
        by=make_user(),
        created_at=NOW,
    )
    side.rows["announcement"] = make_announcement(region=side.region)
    side.rows["saved list"] = SavedList.objects.create(
        by=make_user(), name="Exercise", model="supplies.need", created_at=NOW
    )


def _moves(side: Side) -> None:
    """An allocation to ship, and a shipment in each state a verb begins from."""
    side.rows["allocation"] = _allocate(side)
    for state in ("draft", "booked", "in_transit", "delivered"):
        side.rows[f"shipment {state}"] = make_shipment(_allocate(side), carrier=side.carrier, status=state)
    draft = side["shipment draft"]
    Shipment.objects.filter(pk=draft.pk).update(carrier=side.carrier)
    away = make_shipment(_allocate(side), carrier=side.carrier, status="in_transit")
    side.rows["shipment returning"] = moving.send_back(away, by=None, at=NOW)
    counted = make_shipment(_allocate(side), carrier=side.carrier, status="delivered")
    side.rows["carrier account"] = make_account(carrier=side.carrier)
    carriers.take_in(side.carrier, [word("WAITS")], by=None, at=NOW)
    side.rows["parked event"] = ParkedEvent.objects.get(carrier=side.carrier)
    line = counted.lines.get()
    receipt = receiving.receive(
        counted, counts=[{"line": line, "accepted": 90, "damaged": 10}], by=None, at=NOW
    )
    side.rows |= {"shipment counted": counted, "receipt": receipt}
    side.rows["discrepancy"] = receipt.lines.get().discrepancies.get()
    _travels(side)


def _travels(side: Side) -> None:
    """A packed shipment, one in legs on its way to a hub and one that waits there, a load that is gathered and one that left."""
    side.rows["other carrier"] = make_organisation("carrier", region=side.region)
    packed = make_shipment(_allocate(side), carrier=side.carrier, status="booked")
    contents = [{"line": packed.lines.get(), "quantity": 100}]
    packing.pack(packed, units=[{"kind": "carton", "contents": contents}], by=None, at=NOW)
    leg = {"from_region": side.region, "to_region": side.region, "carrier": side.carrier}
    for name in ("to a hub", "at a hub"):
        shipment = make_shipment(_allocate(side), carrier=side.carrier, status="booked")
        legs.plan(shipment, legs=[leg, leg], by=None, at=NOW)
        side.rows[f"shipment {name}"] = moving.dispatch(shipment, by=None, at=NOW)
    legs.reach_hub(side["shipment at a hub"], by=None, at=NOW)
    side.rows["shipment packed"] = packed
    for name in ("load", "load under way"):
        shipment = make_shipment(_allocate(side), carrier=side.carrier, status="booked")
        hub: dict[str, Any] = {"hub_region": side.region, "carrier": side.carrier}
        side.rows[name] = loads.gather(side.site, shipments=[shipment], by=None, at=NOW, **hub)
    loads.dispatch(side["load under way"], by=None, at=NOW)
    side.rows["ticket"] = side["discrepancy"].ticket
    gift = side["shipment counted"].lines.get().allocation.offer.donation
    side.rows |= {"donation counted": gift, "certificate": certify(gift, by=None, at=NOW)}
    _elsewhere(side)


def _elsewhere(side: Side) -> None:
    """Another site of the hospital that lacks what is on its way, and one that takes nothing, with a promise to it."""
    site = side["facility"]
    spare = make_facility(site.organisation, region=site.region, name="演练分院甲")
    lacks = {"item": side["need published"].item, "emergency": side["need published"].appeal.emergency}
    side.rows["spare need"] = make_need(spare, quantity=10_000, **lacks)
    full = make_facility(site.organisation, region=site.region, name="演练分院乙")
    side.rows["allocation paused"] = make_allocation(
        100, need=make_need(full, quantity=100, **lacks), offer=side["offer published"]
    )
    people.pause(full, reason="full", by=None, at=NOW)


def _allocate(side: Side) -> Allocation:
    from supplies.allocations.services import allocate

    return allocate(side["need published"], side["offer published"], 100, by=None, at=NOW)
