"""A partner who has nothing but our description: a client made from it, never kept, drives a need to its receipt."""

import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from drf_spectacular.renderers import OpenApiJsonRenderer

from matching.models import Proposal
from supplies.carriers import services as carriers
from supplies.needs.models import Appeal
from supplies.offers.models import Donation
from supplies.organisations import services as people
from supplies.organisations.models import User
from supplies.shipments.models import Shipment
from tests.desk import at_the_desk, choose
from tests.journeys.test_need_to_receipt import match_what_is_waiting
from tests.makers import make_emergency, make_facility, make_item, make_member, make_mode, make_organisation
from tests.operations import described
from tests.supplies.carriers.telling import make_words

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
NAME = "client_of_our_description"
# Its tidying programs are left out; it has no kind of its own for a file, and is told that a PDF is one.
CONFIGURATION = """
post_hooks: []
content_type_overrides:
  application/pdf: application/octet-stream
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of the client. Making it needs no network."""
    place = tmp_path_factory.mktemp("generated")
    (place / "api.json").write_bytes(OpenApiJsonRenderer().render(described(), renderer_context={}))
    (place / "config.yml").write_text(CONFIGURATION)
    program = Path(sys.executable).with_name("openapi-python-client")
    command = [program, "generate", "--path", "api.json", "--meta", "none", "--output-path", NAME]
    said = subprocess.run(
        [*command, "--config", "config.yml", "--fail-on-warning"], cwd=place, capture_output=True, text=True
    )
    assert said.returncode == 0, said.stdout + said.stderr
    sys.path.insert(0, str(place))
    yield place
    sys.path.remove(str(place))
    for name in [name for name in sys.modules if name.split(".")[0] == NAME]:
        del sys.modules[name]


class Program:
    """The generated client with somebody's key."""

    def __init__(self, address: str, user: User, *scopes: str) -> None:
        _token, key = people.issue_token(user, name="generated", scopes=["read", *scopes], at=timezone.now())
        self.client = import_module(f"{NAME}.client").AuthenticatedClient(address, token=key, prefix="Token")

    def __call__(self, operation: str, *ids: Any, body: Any = None, expect: int = 200) -> Any:
        """operation   as "shipments.shipments_book_create": the generated module"""
        given = {} if body is None else {"body": body}
        verb = import_module(f"{NAME}.api.{operation}").sync_detailed
        answer = verb(*ids, client=self.client, **given)
        assert answer.status_code == expect, answer.content.decode()
        return answer.parsed


def body(kind: str, **fields: Any) -> Any:
    """What is sent, made by the generated model of that name."""
    file = "".join(f"_{sign.lower()}" if sign.isupper() else sign for sign in kind).lstrip("_")
    return getattr(import_module(f"{NAME}.models.{file}"), kind).from_dict(fields)


def test_the_generated_client_drives_a_need_to_its_receipt(
    made: Path, live_server: Any, volunteer: User
) -> None:
    now = timezone.now()
    make_mode()
    make_words()
    hospital, donor, carrier = make_facility(), make_organisation("donor"), make_organisation("carrier")
    item, emergency = make_item().pk, make_emergency().pk
    address = live_server.url
    at_hospital = Program(address, make_member("hospital", hospital.organisation), "needs", "shipments")
    at_donor = Program(address, make_member("donor", donor), "offers", "matching")
    at_carrier = Program(address, make_member("carrier", carrier), "shipments")
    at_stranger = Program(address, make_member("carrier"), "shipments")
    at_desk, desk = Program(address, volunteer, "shipments", "matching"), at_the_desk(volunteer)

    line = {"item": item, "quantity": 1000, "urgency": 1, "needed_by": str((now + timedelta(days=5)).date())}
    appeal = at_hospital(
        "appeals.appeals_create",
        body=body("AppealInputRequest", facility=str(hospital.pk), emergency=emergency, lines=[line]),
        expect=201,
    )
    gift = {"organisation": str(donor.pk), "emergency": emergency, "region": donor.region_id}
    goods = {"item": item, "quantity": 1500, "pack": 50}
    at_donor(
        "donations.donations_create", body=body("DonationInputRequest", **gift, lines=[goods]), expect=201
    )
    choose(desk, "publish", Appeal.objects.get())
    choose(desk, "publish", Donation.objects.get())
    match_what_is_waiting()
    proposal = Proposal.objects.get().pk
    at_desk("proposals.proposals_accept_create", proposal)
    agreed = at_donor("proposals.proposals_accept_create", proposal)

    # The driver has reported before anybody entered the waybill number.
    early = seen("DEMO0001", "e0", "loading")
    assert tell(at_carrier, early).parked == 1
    shipment = at_desk(
        "shipments.shipments_create",
        body=body("ShipmentInputRequest", allocations=[str(agreed.allocation)]),
        expect=201,
    )
    booking = body("BookingInputRequest", carrier=str(carrier.pk), waybill="DEMO0001")
    at_desk("shipments.shipments_book_create", shipment.id, body=booking)
    carriers.apply_parked(at=timezone.now())

    at_stranger("shipments.shipments_retrieve", shipment.id, expect=404)
    assert tell(at_stranger, seen("DEMO0001", "x", "arriving")).parked == 1
    at_carrier("shipments.shipments_dispatch_create", shipment.id)
    told = tell(
        at_carrier, early, seen("DEMO0001", "e1", "transporting"), seen(str(shipment.id), "e1", "arriving")
    )
    assert [each.status.value for each in told.results] == ["duplicate", "created", "duplicate"]
    at_carrier("shipments.shipments_deliver_create", shipment.id)

    lines = at_hospital("shipments.shipments_retrieve", shipment.id).lines
    count = {"line": lines[0].id, "accepted": 950, "damaged": 50}
    received = at_hospital(
        "shipments.shipments_receive_create", shipment.id, body=body("ReceiptInputRequest", lines=[count])
    )

    assert received.status.value == "partly_accepted"
    assert (received.receipt.lines[0].accepted, received.receipt.lines[0].damaged) == (950, 50)
    assert {event.external_id for event in received.events} == {"", "e0", "e1"}
    assert Shipment.objects.get().events.exclude(external_id="").count() == 2
    public = Client().get(f"/api/v1/track/{appeal.details.code}/").json()
    assert public["status"] != "waiting"


def seen(names: str, external_id: str, step: str) -> dict[str, Any]:
    at = timezone.now().isoformat()
    return {"names": names, "external_id": external_id, "occurred_at": at, "step": step}


def tell(program: Program, *events: dict[str, Any]) -> Any:
    batch = body("BatchInputRequest", events=list(events))
    return program("tracking_events.tracking_events_create", body=batch)
