"""The whole way once: a need, an offer, a match, an approval, a shipment, a count, a closed need.

The hospital and the donor use programs with tokens, the volunteer the admin, the carrier the API; everyone follows by code.
"""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from matching import running
from matching.models import MatchingRun, Proposal
from supplies.journal.models import Event
from supplies.journal.services import dispatch
from supplies.needs.models import Appeal, Need
from supplies.offers.models import Donation
from supplies.organisations import services as people
from supplies.organisations.models import User
from tests.desk import at_the_desk, choose
from tests.makers import make_emergency, make_facility, make_item, make_member, make_mode, make_organisation

pytestmark = pytest.mark.django_db


def program_of(user: User, *scopes: str) -> APIClient:
    _token, secret = people.issue_token(user, name="journey", scopes=scopes, at=timezone.now())
    return APIClient(HTTP_AUTHORIZATION=f"Token {secret}", HTTP_ACCEPT_LANGUAGE="en")


def post(program: APIClient, path: str, body: object = None, expect: int = 200) -> dict:
    answer = program.post(f"/api/v1/{path}", body, format="json")
    assert answer.status_code == expect, answer.content.decode()
    return answer.json()


def match_what_is_waiting() -> None:
    """What the workers do when the journal rings."""
    now = timezone.now()
    dispatch(at=now)
    for run in MatchingRun.objects.unfinished():
        for family in running.open_run(run.pk, at=now):
            running.solve_family(family.pk)


def test_from_a_posted_need_to_a_received_box(volunteer: User) -> None:
    today = timezone.localdate()
    make_mode()
    hospital, donor, carrier = make_facility(), make_organisation("donor"), make_organisation("carrier")
    at_hospital = program_of(make_member("hospital", hospital.organisation), "needs", "shipments")
    at_donor = program_of(make_member("donor", donor), "offers", "matching")
    at_carrier = program_of(make_member("carrier", carrier), "shipments")
    at_stranger_carrier = program_of(make_member("carrier"), "shipments")
    desk, public = at_the_desk(volunteer), Client(HTTP_ACCEPT_LANGUAGE="en")

    # The hospital posts what it needs; it is not public yet, but its code says where it stands.
    line = {
        "item": make_item().pk,
        "quantity": 1000,
        "urgency": 1,
        "needed_by": str(today + timedelta(days=5)),
    }
    appeal = post(
        at_hospital,
        "appeals/",
        {"facility": str(hospital.pk), "emergency": make_emergency().pk, "lines": [line]},
        201,
    )
    assert public.get("/api/v1/needs/").json()["results"] == []
    assert public.get(f"/api/v1/track/{appeal['details']['code']}/").json()["status"] == "waiting"

    # The donor offers; a volunteer publishes both in the admin.
    goods = {"item": make_item().pk, "quantity": 1500, "pack": 50}
    donation = post(
        at_donor,
        "donations/",
        {
            "organisation": str(donor.pk),
            "emergency": make_emergency().pk,
            "region": donor.region_id,
            "lines": [goods],
        },
        201,
    )
    choose(desk, "publish", Appeal.objects.get())
    choose(desk, "publish", Donation.objects.get())
    assert len(public.get("/api/v1/needs/").json()["results"]) == 1

    # The journal rings, the matching proposes, the volunteer approves, the donor says yes.
    match_what_is_waiting()
    choose(desk, "approve", Proposal.objects.get())
    agreed = post(at_donor, f"proposals/{Proposal.objects.get().pk}/accept/")
    assert agreed["status"] == "agreed"

    # A shipment of it is put together and booked; only its carrier sees and moves it.
    program = program_of(volunteer, "shipments")
    shipment = post(program, "shipments/", {"allocations": [agreed["allocation"]]}, 201)
    way = f"shipments/{shipment['id']}"
    post(program, f"{way}/book/", {"carrier": str(carrier.pk), "waybill": "DEMO0001"})
    assert at_stranger_carrier.get(f"/api/v1/{way}/").status_code == 404
    post(at_carrier, f"{way}/dispatch/")
    seen = {
        "step": "transporting",
        "occurred_at": timezone.now().isoformat(),
        "external_id": "e1",
        "place": "演练中转站",
    }
    first = post(at_carrier, f"{way}/events/", seen, 201)
    assert post(at_carrier, f"{way}/events/", seen, 201)["id"] == first["id"]
    need = Need.objects.get()
    assert (need.quantity_promised, need.quantity_in_transit) == (0, 1000)
    post(at_carrier, f"{way}/deliver/")

    # The hospital counts: 50 are damaged, so 50 are needed again.
    lines = at_hospital.get(f"/api/v1/{way}/").json()["lines"]
    post(
        at_hospital, f"{way}/receive/", {"lines": [{"line": lines[0]["id"], "accepted": 950, "damaged": 50}]}
    )
    need.refresh_from_db()
    assert (need.status, need.quantity_received, need.quantity_outstanding) == ("open", 950, 50)
    assert public.get(f"/api/v1/track/{shipment['code']}/").json()["status"] == "partly_accepted"

    # The shortfall rings again; the rest is matched, shipped and counted; the need closes itself.
    match_what_is_waiting()
    choose(desk, "approve", Proposal.objects.waiting().get())
    second = post(at_donor, f"proposals/{Proposal.objects.pending().get().pk}/accept/")
    shipment = post(program, "shipments/", {"allocations": [second["allocation"]]}, 201)
    way = f"shipments/{shipment['id']}"
    post(program, f"{way}/book/", {"carrier": str(carrier.pk)})
    for step in ("dispatch", "arrive", "deliver"):
        post(at_carrier, f"{way}/{step}/")
    line_id = at_hospital.get(f"/api/v1/{way}/").json()["lines"][0]["id"]
    post(at_hospital, f"{way}/receive/", {"lines": [{"line": line_id, "accepted": 50}]})

    need.refresh_from_db()
    assert (need.status, need.quantity_received, need.quantity_outstanding) == ("met", 1000, 0)
    assert public.get(f"/api/v1/track/{appeal['details']['code']}/").json()["status"] == "closed"
    assert public.get(f"/api/v1/track/{donation['code']}/").json()["lines"][0]["gauges"]["left"] == 450
    told = public.get(f"/api/v1/track/{appeal['details']['code']}/").content.decode()
    assert donor.name not in told
    steps = set(Event.objects.values_list("kind", flat=True))
    assert {
        "appeal.posted",
        "appeal.published",
        "proposal.agreed",
        "allocation.made",
        "shipment.departed",
        "need.met",
        "appeal.closed",
    } <= steps
