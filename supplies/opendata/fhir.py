"""Needs and shipments as FHIR R5 (5.0.0) resources: what is ours in its words, and what it has no word for in extensions.

A need is a SupplyRequest, a shipment a SupplyDelivery. Quantities have UCUM codes, with annotations for what is counted:
`{piece}`. Each table of statuses is read both ways: to show a row, and to find the rows of a status that is asked for.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from supplies.leaks import masked
from supplies.needs.models import NeedStatus, QuantityKind, Urgency
from supplies.opendata.columns import moment
from supplies.opendata.rows import Goods, Shelf
from supplies.shipments.models import Shipment, ShipmentLine, ShipmentStatus

VERSION = "5.0.0"
UCUM = "http://unitsofmeasure.org"
UNSPSC = "http://www.unspsc.org"
DATA_ABSENT = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
MEASURED = {"millilitre": "mL", "litre": "L", "gram": "g", "kilogram": "kg"}

REQUEST_STATUS: Mapping[str, str] = {
    NeedStatus.WAITING: "draft",
    NeedStatus.OPEN: "active",
    NeedStatus.MET: "completed",
    NeedStatus.LAPSED: "suspended",
    NeedStatus.WITHDRAWN: "cancelled",
    NeedStatus.REFUSED: "cancelled",
}
REQUEST_STATUSES = (
    "draft", "active", "suspended", "cancelled", "completed", "entered-in-error", "unknown",
)  # fmt: skip
# Delivered is not accepted: what stands at the gate uncounted is still in progress.
DELIVERY_STATUS: Mapping[str, str] = {
    ShipmentStatus.DRAFT: "in-progress",
    ShipmentStatus.BOOKED: "in-progress",
    ShipmentStatus.IN_TRANSIT: "in-progress",
    ShipmentStatus.AT_THE_DOOR: "in-progress",
    ShipmentStatus.DELIVERED: "in-progress",
    ShipmentStatus.ACCEPTED: "completed",
    ShipmentStatus.PARTLY_ACCEPTED: "completed",
    ShipmentStatus.REFUSED: "abandoned",
    ShipmentStatus.RETURNING: "in-progress",
    ShipmentStatus.RETURNED: "abandoned",
    ShipmentStatus.LOST: "abandoned",
    ShipmentStatus.CANCELLED: "abandoned",
}
DELIVERY_STATUSES = ("in-progress", "completed", "abandoned", "entered-in-error")
PRIORITY: Mapping[int, str] = {
    Urgency.CRITICAL: "stat",
    Urgency.URGENT: "asap",
    Urgency.SOON: "urgent",
    Urgency.RESERVE: "routine",
}


def ours(table: Mapping[str, str], theirs: str) -> list[str]:
    """Our statuses that are shown as this one of theirs; none for one that nothing here ever has."""
    return [str(own) for own, shown in table.items() if shown == theirs]


# -- What FHIR has no word for ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Extension:
    """value   the type of its value[x]        on   the resources it stands on"""

    title: str
    says: str
    value: str
    on: tuple[str, ...]


EXTENSIONS: Mapping[str, Extension] = {
    "status": Extension(
        "Status of Tongzhou",
        "The status in the words of this platform, which has more of them: delivered and not counted yet, accepted"
        " in part, refused at the door.",
        "code",
        ("SupplyRequest", "SupplyDelivery"),
    ),
    "quantity-kind": Extension(
        "Kind of quantity",
        "number, unlimited or unknown. Many announcements ask without a number; none is invented for them.",
        "code",
        ("SupplyRequest",),
    ),
    "promised": Extension(
        "Promised", "Promised to the need and not on its way yet.", "Quantity", ("SupplyRequest",)
    ),
    "in-transit": Extension("In transit", "On its way to the need.", "Quantity", ("SupplyRequest",)),
    "received": Extension(
        "Received", "Counted and accepted by the hospital.", "Quantity", ("SupplyRequest",)
    ),
    "outstanding": Extension("Outstanding", "What nobody has promised yet.", "Quantity", ("SupplyRequest",)),
    "confirmed": Extension(
        "Last confirmed", "When somebody last said that it still holds.", "dateTime", ("SupplyRequest",)
    ),
    "emergency": Extension("Emergency", "The emergency it belongs to.", "code", ("SupplyRequest",)),
    "region": Extension(
        "Region", "Where it is needed: GB/T 2260, ISO 3166 or P-code.", "code", ("SupplyRequest",)
    ),
    "rec20": Extension("Unit", "The unit by UN/CEFACT Recommendation 20.", "code", ("Quantity",)),
}


@dataclass(frozen=True)
class Writer:
    """base   the address of this FHIR endpoint, without a slash at its end"""

    base: str
    shelf: Shelf

    # -- needs -----------------------------------------------------------------------------------------------

    def supply_request(self, row: Any) -> dict[str, Any]:
        """A row of `rows.needs`."""
        goods = self.shelf.goods(row.item_id)
        beside = {
            "status": row.status,
            "quantity-kind": row.quantity_kind,
            "promised": self._quantity(row.quantity_promised, goods),
            "in-transit": self._quantity(row.quantity_in_transit, goods),
            "received": self._quantity(row.quantity_received, goods),
            "outstanding": self._quantity(row.quantity_outstanding, goods),
            "confirmed": moment(row.confirmed_at),
            "emergency": row.emergency,
            "region": self.shelf.at(row.region_path).code,
        }
        return {
            "resourceType": "SupplyRequest",
            "id": str(row.id),
            "meta": {"lastUpdated": moment(row.updated_at), **self._source()},
            "extension": self._extensions(beside),
            "identifier": [self._identifier("need", row.id)],
            "status": REQUEST_STATUS[row.status],
            "priority": PRIORITY[row.urgency],
            "item": {"concept": self._item(goods)},
            "quantity": self._asked(row, goods),
            "parameter": list(_parameters(row)),
            "occurrenceDateTime": row.needed_by.isoformat(),
            "authoredOn": moment(row.created_at),
            "requester": self._reference(
                "Organization", row.site__organisation_id, row.site__organisation__name
            ),
            "deliverTo": self._reference("Location", row.site_id, row.site__name),
        }

    def _asked(self, row: Any, goods: Goods) -> dict[str, Any]:
        if row.quantity_kind == QuantityKind.NUMBER:
            return self._quantity(row.quantity, goods)
        reason = "not-applicable" if row.quantity_kind == QuantityKind.UNLIMITED else "unknown"
        quantity = self._quantity(None, goods)
        absent = {"url": DATA_ABSENT, "valueCode": reason}
        return {**quantity, "extension": [absent, *quantity.get("extension", [])]}

    # -- shipments -------------------------------------------------------------------------------------------

    def supply_delivery(self, shipment: Shipment) -> dict[str, Any]:
        lines = list(shipment.lines.all())
        needs = dict.fromkeys(line.allocation.need_id for line in lines)
        seen = shipment.delivered_at or shipment.departed_at
        found = {
            "resourceType": "SupplyDelivery",
            "id": str(shipment.pk),
            "meta": self._source(),
            "extension": self._extensions({"status": shipment.status}),
            "identifier": [self._identifier("shipment", shipment.pk)],
            "basedOn": [{"reference": f"SupplyRequest/{need}"} for need in needs],
            "status": DELIVERY_STATUS[shipment.status],
            "suppliedItem": [self._supplied(line) for line in lines],
            "supplier": self._reference("Organization", shipment.consignor_id, shipment.consignor.name),
            "destination": self._reference("Location", shipment.consignee_id, shipment.consignee.name),
        }
        return {**found, "occurrenceDateTime": moment(seen)} if seen else found

    def _supplied(self, line: ShipmentLine) -> dict[str, Any]:
        goods = self.shelf.goods(line.allocation.offer.item_id)
        return {
            "quantity": self._quantity(line.allocation.quantity, goods),
            "itemCodeableConcept": self._item(goods),
        }

    # -- parts -----------------------------------------------------------------------------------------------

    def _source(self) -> dict[str, str]:
        return {"source": self.base}

    def _identifier(self, what: str, key: Any) -> dict[str, str]:
        return {"system": f"{self.base}/id/{what}", "value": str(key)}

    def _reference(self, kind: str, key: Any, name: str) -> dict[str, Any]:
        return {"type": kind, "identifier": self._identifier(kind.lower(), key), "display": masked(name)}

    def _item(self, goods: Goods) -> dict[str, Any]:
        name = goods.name_en or goods.name_zh
        codings = [{"system": f"{self.base}/id/item", "code": goods.code, "display": name}]
        if goods.unspsc:
            codings.append({"system": UNSPSC, "code": goods.unspsc})
        return {"coding": codings, "text": goods.name_zh or name}

    def _quantity(self, number: int | None, goods: Goods) -> dict[str, Any]:
        quantity: dict[str, Any] = {
            "unit": goods.unit,
            "system": UCUM,
            "code": MEASURED.get(goods.unit, f"{{{goods.unit}}}"),
        }
        if number is not None:
            quantity["value"] = number
        if goods.rec20:
            quantity["extension"] = self._extensions({"rec20": goods.rec20})
        return quantity

    def _extensions(self, values: Mapping[str, Any]) -> list[dict[str, Any]]:
        return [
            {"url": self._extension_url(name), f"value{_capital(EXTENSIONS[name].value)}": value}
            for name, value in values.items()
            if value not in ("", None)
        ]

    def _extension_url(self, name: str) -> str:
        return f"{self.base}/StructureDefinition/{name}"

    # -- what is said of all ---------------------------------------------------------------------------------

    def structure_definition(self, name: str, *, at: datetime) -> dict[str, Any]:
        """What one of our extensions means. Raises KeyError for one there is not."""
        extension = EXTENSIONS[name]
        value = {"id": "Extension.value[x]", "path": "Extension.value[x]", "min": 1, "max": "1"}
        return {
            "resourceType": "StructureDefinition",
            "id": name,
            "url": self._extension_url(name),
            "name": "".join(_capital(word) for word in name.split("-")),
            "title": extension.title,
            "status": "active",
            "date": moment(at),
            "description": extension.says,
            "fhirVersion": VERSION,
            "kind": "complex-type",
            "abstract": False,
            "context": [{"type": "element", "expression": resource} for resource in extension.on],
            "type": "Extension",
            "baseDefinition": "http://hl7.org/fhir/StructureDefinition/Extension",
            "derivation": "constraint",
            "differential": {"element": [{**value, "type": [{"code": extension.value}]}]},
        }

    def capability_statement(self, searched: Mapping[str, Iterable[str]], *, at: datetime) -> dict[str, Any]:
        """searched   resource -> the names its searches are narrowed by"""
        return {
            "resourceType": "CapabilityStatement",
            "status": "active",
            "date": moment(at),
            "kind": "instance",
            "implementation": {
                "description": "Tongzhou: needs of hospitals, and shipments to them",
                "url": self.base,
            },
            "fhirVersion": VERSION,
            "format": ["application/fhir+json"],
            "rest": [
                {
                    "mode": "server",
                    "security": {
                        "description": "SupplyRequest is public. SupplyDelivery wants a token of the API, and shows the"
                        " shipments its account may see."
                    },
                    "resource": [
                        {
                            "type": resource,
                            "interaction": [{"code": "read"}, {"code": "search-type"}],
                            "searchParam": [
                                {"name": name, "type": "token" if name != "_count" else "number"}
                                for name in names
                            ],
                        }
                        for resource, names in searched.items()
                    ],
                }
            ],
        }

    def bundle(
        self, resources: Iterable[dict[str, Any]], links: Mapping[str, str | None], *, at: datetime
    ) -> dict[str, Any]:
        """One page of what was found. It is never counted to its end, so there is no total."""
        entries = [
            {
                "fullUrl": f"{self.base}/{resource['resourceType']}/{resource['id']}",
                "resource": resource,
                "search": {"mode": "match"},
            }
            for resource in resources
        ]
        found = {
            "resourceType": "Bundle",
            "meta": {"lastUpdated": moment(at)},
            "type": "searchset",
            "link": [{"relation": name, "url": address} for name, address in links.items() if address],
        }
        return {**found, "entry": entries} if entries else found  # FHIR has no empty lists


def outcome(status: int, detail: str, fields: Mapping[str, list[str]]) -> dict[str, Any]:
    """What is wrong, as an OperationOutcome: one issue, or one for each field."""
    code = ISSUES.get(status, "processing")
    issues = [
        {"severity": "error", "code": code, "diagnostics": " ".join(said), "expression": [name]}
        for name, said in fields.items()
    ]
    return {
        "resourceType": "OperationOutcome",
        "issue": issues or [{"severity": "error", "code": code, "diagnostics": detail}],
    }


ISSUES = {
    400: "invalid",
    401: "login",
    403: "forbidden",
    404: "not-found",
    405: "not-supported",
    429: "throttled",
}


def _parameters(row: Any) -> Iterable[dict[str, Any]]:
    flags: dict[str, Callable[[Any], bool]] = {
        "medical grade": lambda row: row.medical_grade,
        "sterile": lambda row: row.sterile,
        "substitutes welcome": lambda row: row.substitutes_welcome,
        "ask first": lambda row: row.ask_first,
    }
    for name, says in flags.items():
        yield {"code": {"text": name}, "valueBoolean": says(row)}
    yield {"code": {"text": "setting"}, "valueCodeableConcept": {"text": row.setting}}
    for standard in row.standards:
        yield {"code": {"text": "accepted standard"}, "valueCodeableConcept": {"text": standard}}


def _capital(word: str) -> str:
    return word[:1].upper() + word[1:]
