"""Good bodies for the writes of the API, to be sent as they are or with something wrong in them."""

from typing import Any

from tests.makers import (
    make_allocation,
    make_emergency,
    make_facility,
    make_item,
    make_organisation,
    make_shipment,
    make_standard,
)
from tests.matching.test_admin import make_proposal


def appeal_body(facility: Any = None, **line: Any) -> dict[str, Any]:
    """A valid appeal with one line, changed by keyword."""
    facility = facility or make_facility()
    line = {"item": make_item().pk, "quantity": 500, **line}
    return {
        "facility": str(facility.pk),
        "emergency": make_emergency().pk,
        "lines": [{key: value for key, value in line.items() if value is not ...}],
    }


WRITES = ("appeal", "donation", "run", "shipment", "book", "event", "count", "decline", "agree", "release")


def writes() -> list[tuple[str, dict[str, Any], dict[str, Any]]]:
    """Every write with a body: its path, a good body, and the good line inside it, if there is one."""
    facility, donor, carrier = make_facility(), make_organisation("donor"), make_organisation("carrier")
    proposal, delivered = make_proposal(), make_shipment(status="delivered")
    under_way, draft = make_shipment(status="in_transit"), make_shipment()
    asked = {
        "item": make_item().pk,
        "quantity": 5,
        "quantity_kind": "number",
        "unit": "",
        "pack_content": 1,
        "accepted_standards": [],
        "urgency": 1,
        "needed_by": "2026-12-01",
        "min_lot": 1,
        "stock_on_hand": 1,
        "daily_use": 1,
        "counted_on": "2026-11-20",
        "setting": "icu",
        "sterile": True,
    }
    given = {
        "item": make_item().pk,
        "quantity": 5,
        "unit": "",
        "pack_content": 1,
        "pack": 1,
        "min_lot": 1,
        "standard": make_standard().pk,
        "lot_number": "L",
        "expires_on": "2028-01-01",
        "available_from": "2026-11-24",
        "available_until": "2027-01-01",
        "mode": "road",
        "max_km": 100,
    }
    appeal = {
        "facility": str(facility.pk),
        "emergency": make_emergency().pk,
        "valid_until": "2027-01-01",
        "source_url": "https://example.org/",
        "accepted_senders": ["person"],
        "accepts_overseas": True,
        "remark": "",
    }
    donation = {
        "organisation": str(donor.pk),
        "emergency": make_emergency().pk,
        "region": donor.region_id,
        "directed_region": donor.region_id,
        "directed_facility": None,
        "sender_kind": "person",
        "allocates_for_me": False,
        "remark": "",
    }
    event = {
        "occurred_at": "2026-11-23T07:00:00Z",
        "step": "transporting",
        "external_id": "e",
        "vocabulary": "ups",
        "code": "I",
        "place": "",
        "note": "",
    }
    count = {"line": delivered.lines.get().pk, "accepted": 1, "damaged": 1}
    return [
        ("appeals/", appeal, asked),
        ("donations/", donation, given),
        ("matching-runs/", {"emergency": make_emergency().pk, "policy": "urgency", "families": [], "is_dry": True}, {}),
        ("shipments/", {"allocations": [str(make_allocation().pk)]}, {}),
        (f"shipments/{draft.pk}/book/", {"carrier": str(carrier.pk), "waybill": "W", "mode": "road",
                                         "expected_on": "2026-12-01"}, {}),
        (f"shipments/{under_way.pk}/events/", event, {}),
        (f"shipments/{delivered.pk}/receive/", {"note": ""}, count),
        (f"proposals/{proposal.pk}/decline/", {"reason": "late"}, {}),
        (f"proposals/{proposal.pk}/agree/", {"side": "donor"}, {}),
        (f"allocations/{make_allocation().pk}/release/", {"reason": "late"}, {}),
    ]  # fmt: skip
