"""Every route is described, and answers nobody with 500."""

import re
from typing import Any

import pytest
import yaml
from django.core.management import call_command
from rest_framework.test import APIClient

from config.api_v1 import router
from tests.api_client import V1, Speaker, today  # noqa: F401
from tests.makers import (
    make_allocation,
    make_category,
    make_delivery,
    make_emergency,
    make_item,
    make_member,
    make_region,
    make_shipment,
    make_standard,
    make_user,
)
from tests.matching.test_admin import make_proposal

pytestmark = pytest.mark.django_db


def test_the_description_is_valid_and_complete(tmp_path: Any) -> None:
    file = tmp_path / "schema.yml"

    call_command("spectacular", "--validate", "--fail-on-warn", "--file", str(file))

    described = yaml.safe_load(file.read_text())
    alone = {"track/{}/", "check/", "intake/", "tracking-events/", "certificates/{}/"}
    alone |= {"shipments/{}/papers/{}/", "shipments/{}/proofs/", "donations/{}/certificate/"}
    alone |= {"track/{}/followers/", "carrier-records/", "notification-choices/"}
    routes = alone | {route for prefix, *_rest in router.registry for route in _routes(prefix, "{}")}
    assert {re.sub(r"{\w+}", "{}", path.removeprefix(V1)) for path in described["paths"]} == routes
    for path, operations in described["paths"].items():
        for method, operation in operations.items():
            assert operation.get("summary"), (path, method)
            assert "400" in operation["responses"], (path, method)


def test_the_documentation_is_served_from_here() -> None:
    answer = APIClient().get("/api/docs/")

    assert answer.status_code == 200
    assert "https://" not in answer.content.decode()
    assert APIClient().get("/api/schema/").status_code == 200


METHODS = ["get", "post", "put", "patch", "delete", "options", "head"]
NONSENSE = {"reason": 1, "lines": [1], "side": [], "step": {}}
CAST = ["nobody", "hospital", "donor", "carrier", "volunteer", "coordinator", "auditor", "admin"]


@pytest.mark.parametrize("role", CAST)
def test_no_route_answers_500_to_anybody(role: str) -> None:
    shipment = make_shipment(make_allocation(), status="in_transit")
    proposal = make_proposal()
    keys = {
        "regions": make_region().pk,
        "categories": make_category().pk,
        "items": make_item().pk,
        "standards": make_standard().pk,
        "emergencies": make_emergency().pk,
        "organisations": shipment.consignor_id,
        "facilities": shipment.consignee_id,
        "appeals": proposal.need.appeal_id,
        "needs": proposal.need_id,
        "donations": proposal.offer.donation_id,
        "offers": proposal.offer_id,
        "matching-runs": proposal.family_run.run_id,
        "proposals": proposal.pk,
        "allocations": shipment.lines.get().allocation_id,
        "shipments": shipment.pk,
        "webhook-endpoints": (delivery := make_delivery()).endpoint_id,
        "webhook-deliveries": delivery.pk,
    }
    user = None
    if role == "admin":
        user = make_user("root", is_superuser=True)
    elif role != "nobody":
        user = make_member(role)
    client = Speaker(user).client
    client.raise_request_exception = False

    for name, key in keys.items():
        for path in _routes(name, str(key)):
            for method, body in [*((method, {}) for method in METHODS), ("post", NONSENSE)]:
                answer = getattr(client, method)(V1 + path, body, **_format(method))
                assert answer.status_code < 500, (method, path, answer.content)


def _format(method: str) -> dict[str, str]:
    return {} if method in ("get", "head") else {"format": "json"}


def _routes(name: str, key: str) -> list[str]:
    (viewset,) = [viewset for prefix, viewset, _basename in router.registry if prefix == name]
    actions = [
        f"{name}/{key}/{extra.url_path}/" if extra.detail else f"{name}/{extra.url_path}/"
        for extra in viewset.get_extra_actions()
    ]
    return [f"{name}/", f"{name}/{key}/", *actions]
