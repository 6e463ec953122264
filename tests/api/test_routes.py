"""Every route is described."""

import re
from typing import Any

import pytest
import yaml
from django.core.management import call_command
from rest_framework.test import APIClient

from config.api_v1 import router
from tests.api_client import V1

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


def _routes(name: str, key: str) -> list[str]:
    (viewset,) = [viewset for prefix, viewset, _basename in router.registry if prefix == name]
    actions = [
        f"{name}/{key}/{extra.url_path}/" if extra.detail else f"{name}/{extra.url_path}/"
        for extra in viewset.get_extra_actions()
    ]
    return [f"{name}/", f"{name}/{key}/", *actions]
