"""FHIR R5: every resource is one by the published models, and every status of ours has a word there."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from fhir.resources.bundle import Bundle
from fhir.resources.capabilitystatement import CapabilityStatement
from fhir.resources.operationoutcome import OperationOutcome
from fhir.resources.structuredefinition import StructureDefinition
from fhir.resources.supplydelivery import SupplyDelivery
from fhir.resources.supplyrequest import SupplyRequest

from supplies.needs.models import NeedStatus, Urgency
from supplies.opendata import fhir
from supplies.organisations import services as people
from supplies.shipments.models import Shipment, ShipmentStatus
from tests.makers import (
    NOW,
    make_allocation,
    make_item,
    make_member,
    make_need,
    make_organisation,
    make_shipment,
    make_standard,
    make_unit,
)
from tests.sign_in import sign_in

pytestmark = pytest.mark.django_db
BASE = "http://testserver/fhir"


def get(path: str, client: Client | None = None, **query: str) -> Any:
    return (client or Client(headers={"accept-language": "en"})).get(f"/fhir/{path}", query)


def read(path: str, **query: str) -> Any:
    answer = get(path, **query)
    assert answer.status_code == 200, answer.content
    assert answer.headers["Content-Type"] == "application/fhir+json; charset=utf-8"
    return answer.json()


def extensions(resource: Any) -> dict[str, Any]:
    """By name, each with its value."""
    return {
        one["url"].rpartition("/")[2]: next(value for name, value in one.items() if name != "url")
        for one in resource["extension"]
    }


def test_a_need_is_a_supply_request() -> None:
    need = make_need(quantity=5000, accepted_standards=[make_standard()], sterile=True)
    make_allocation(200, need=need)

    found = read(f"SupplyRequest/{need.pk}")

    SupplyRequest.model_validate(found)
    assert (found["status"], found["priority"]) == ("active", "asap")
    assert found["quantity"]["value"] == 5000
    assert (found["quantity"]["system"], found["quantity"]["code"]) == (fhir.UCUM, "{piece}")
    assert found["item"]["concept"]["coding"][0]["code"] == "MASK_SURG"
    assert found["deliverTo"]["identifier"]["value"] == str(need.appeal.facility_id)
    assert extensions(found)["promised"]["value"] == 200
    assert extensions(found)["outstanding"]["value"] == 4800
    assert extensions(found["quantity"])["rec20"] == "H87"
    assert {"code": {"text": "sterile"}, "valueBoolean": True} in found["parameter"]


@pytest.mark.parametrize(("kind", "reason"), [("unlimited", "not-applicable"), ("unknown", "unknown")])
def test_where_no_number_is_known_none_is_told(kind: str, reason: str) -> None:
    need = make_need(quantity_kind=kind, quantity=None, quantity_assumed=10)

    found = read(f"SupplyRequest/{need.pk}")

    SupplyRequest.model_validate(found)
    assert "value" not in found["quantity"]
    assert found["quantity"]["extension"][0]["valueCode"] == reason
    assert extensions(found)["quantity-kind"] == kind


def test_what_is_measured_has_its_unit_of_ucum() -> None:
    millilitre = make_unit("millilitre", kind="volume", rec20="MLT")
    alcohol = make_item("ALCOHOL_75", base_unit=millilitre, display_unit=millilitre)

    found = read(f"SupplyRequest/{make_need(item=alcohol).pk}")

    assert found["quantity"]["code"] == "mL"


def test_a_shipment_is_a_supply_delivery_for_whom_it_concerns() -> None:
    shipment = make_shipment(make_allocation(80), status="delivered")
    carrier = make_member("carrier", organisation=shipment.carrier)
    client = sign_in(Client(), carrier)

    answer = get(f"SupplyDelivery/{shipment.pk}", client)
    found = answer.json()

    SupplyDelivery.model_validate(found)
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert (found["status"], extensions(found)["status"]) == ("in-progress", "delivered")
    assert found["suppliedItem"][0]["quantity"]["value"] == 80
    assert found["basedOn"] == [{"reference": f"SupplyRequest/{shipment.lines.get().allocation.need_id}"}]
    assert [entry["resource"]["id"] for entry in get("SupplyDelivery", client).json()["entry"]] == [
        str(shipment.pk)
    ]


def test_a_stranger_and_somebody_else_see_no_shipment() -> None:
    shipment = make_shipment(status="in_transit")
    elsewhere = sign_in(Client(), make_member("carrier"))

    for path in ("SupplyDelivery", f"SupplyDelivery/{shipment.pk}"):
        answer = get(path)
        assert answer.status_code == 401
        OperationOutcome.model_validate(answer.json())
    assert get(f"SupplyDelivery/{shipment.pk}", elsewhere).status_code == 404
    assert "entry" not in get("SupplyDelivery", elsewhere).json()


def test_a_program_reads_shipments_with_its_token() -> None:
    shipment = make_shipment(status="in_transit")
    carrier = make_member("carrier", organisation=shipment.carrier)
    _row, token = people.issue_token(
        carrier, name="x", scopes=["read"], at=NOW, expires_at=NOW + timedelta(days=90)
    )

    answer = Client(headers={"authorization": f"Token {token}"}).get("/fhir/SupplyDelivery")

    assert [entry["resource"]["id"] for entry in answer.json()["entry"]] == [str(shipment.pk)]


def test_who_is_signed_in_reads_the_same_needs_as_everybody() -> None:
    make_need(published=False)
    volunteer = sign_in(Client(), make_member("volunteer"))

    assert "entry" not in get("SupplyRequest", volunteer).json()


# -- statuses --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("statuses", "table", "theirs"),
    [
        (NeedStatus, fhir.REQUEST_STATUS, fhir.REQUEST_STATUSES),
        (ShipmentStatus, fhir.DELIVERY_STATUS, fhir.DELIVERY_STATUSES),
    ],
)
def test_every_status_is_shown_and_found_again(statuses: Any, table: Any, theirs: Any) -> None:
    assert set(table) == set(statuses)
    assert set(table.values()) <= set(theirs)
    for status in statuses:
        assert status in fhir.ours(table, table[status])
    assert sorted(own for shown in theirs for own in fhir.ours(table, shown)) == sorted(statuses)


def test_every_urgency_has_a_priority_of_its_own() -> None:
    assert set(fhir.PRIORITY) == set(Urgency)
    assert len(set(fhir.PRIORITY.values())) == len(Urgency)


@pytest.mark.parametrize("status", ShipmentStatus)
def test_a_shipment_in_any_status_is_a_supply_delivery(status: str) -> None:
    shipment = make_shipment(status="in_transit")
    Shipment.objects.filter(pk=shipment.pk).update(status=status)
    client = sign_in(Client(), make_member("carrier", organisation=shipment.carrier))

    found = get("SupplyDelivery", client, status=fhir.DELIVERY_STATUS[status]).json()

    Bundle.model_validate(found)
    SupplyDelivery.model_validate(found["entry"][0]["resource"])
    assert extensions(found["entry"][0]["resource"])["status"] == status


# -- searches --------------------------------------------------------------------------------------------------------


def test_a_search_is_a_bundle_whose_pages_lead_through_every_need_once() -> None:
    wanted = [make_need() for _number in range(5)]
    seen, address = [], "/fhir/SupplyRequest?_count=2&status=active&region=420000"

    while address:
        found = Client().get(address).json()
        Bundle.model_validate(found)
        seen += [entry["resource"]["id"] for entry in found["entry"]]
        assert all(
            entry["fullUrl"] == f"{BASE}/SupplyRequest/{entry['resource']['id']}" for entry in found["entry"]
        )
        links = {link["relation"]: link["url"] for link in found["link"]}
        address = links.get("next", "")

    assert sorted(seen) == sorted(str(need.pk) for need in wanted)
    assert "previous" in links
    assert len(seen) == 5


def test_a_search_that_finds_nothing_is_a_bundle_as_well() -> None:
    found = read("SupplyRequest", status="entered-in-error")

    Bundle.model_validate(found)
    assert "entry" not in found


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"colour": "red"}, "colour"),
        ({"status": "open"}, "status"),
        ({"_count": "many"}, "_count"),
        ({"_count": "0"}, "_count"),
        ({"cursor": "x"}, "cursor"),
        ({"region": "nowhere"}, "region"),
    ],
)
def test_what_cannot_be_read_is_an_outcome_that_names_it(query: dict[str, str], field: str) -> None:
    answer = get("SupplyRequest", **query)

    assert answer.status_code == 400
    assert answer.headers["Content-Type"] == "application/fhir+json; charset=utf-8"
    said = answer.json()
    OperationOutcome.model_validate(said)
    assert said["issue"][0]["expression"] == [field]


@pytest.mark.parametrize("key", [str(uuid.UUID(int=1)), "nothing", "1'--", "é"])
def test_a_resource_there_is_not_is_an_outcome(key: str) -> None:
    answer = get(f"SupplyRequest/{key}")

    assert answer.status_code == 404
    OperationOutcome.model_validate(answer.json())
    assert answer.json()["issue"][0]["code"] == "not-found"


def test_it_is_only_read() -> None:
    for method in ("post", "put", "patch", "delete"):
        answer = getattr(Client(), method)("/fhir/SupplyRequest")
        assert answer.status_code == 401  # before anybody looks what could be done
        OperationOutcome.model_validate(answer.json())


def test_who_may_do_everything_may_write_nothing_here_either() -> None:
    answer = sign_in(Client(), make_member("volunteer")).post("/fhir/SupplyRequest")

    assert answer.status_code == 405
    OperationOutcome.model_validate(answer.json())


@pytest.mark.parametrize("path", ["SupplyRequest", "SupplyDelivery"])
def test_a_page_asks_the_database_as_often_however_long_it_is(path: str) -> None:
    client = sign_in(Client(), make_member("volunteer"))

    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert get(path, client).json()["entry"]
        return len(queries)

    make_shipment(status="in_transit")
    few = asked()
    for _number in range(3):
        make_shipment(status="in_transit")
    assert asked() <= few + 1


# -- what is said of all -----------------------------------------------------------------------------------------------


def test_the_capability_statement_is_one_and_names_every_search() -> None:
    found = read("metadata")

    CapabilityStatement.model_validate(found)
    assert found["fhirVersion"] == "5.0.0"
    (request, delivery) = found["rest"][0]["resource"]
    assert [param["name"] for param in request["searchParam"]] == [
        "status", "region", "item", "category", "emergency", "_count",
    ]  # fmt: skip
    assert [param["name"] for param in delivery["searchParam"]] == ["status", "_count"]


@pytest.mark.parametrize("name", sorted(fhir.EXTENSIONS))
def test_every_extension_is_defined_where_its_address_leads(name: str) -> None:
    found = read(f"StructureDefinition/{name}")

    StructureDefinition.model_validate(found)
    assert found["url"] == f"{BASE}/StructureDefinition/{name}"
    assert get("StructureDefinition/nothing").status_code == 404


def test_a_private_number_in_a_name_stays_masked() -> None:
    need = make_need()
    people_of = need.appeal.facility.organisation
    type(people_of).objects.filter(pk=people_of.pk).update(name="演练医院 13800000001")

    assert read(f"SupplyRequest/{need.pk}")["requester"]["display"] == "演练医院 138****0001"


def test_organisations_are_told_apart_by_id_and_not_by_address() -> None:
    need = make_need()
    assert make_organisation().pk != need.appeal.facility.organisation_id
    assert read(f"SupplyRequest/{need.pk}")["requester"]["identifier"] == {
        "system": f"{BASE}/id/organization",
        "value": str(need.appeal.facility.organisation_id),
    }
