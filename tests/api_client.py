"""A program that speaks to the API as somebody: what every test of the API shares."""

from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from rest_framework.test import APIClient

from supplies.organisations.models import Organisation, User
from tests.makers import NOW, make_member, make_region, make_user

V1 = "/api/v1/"


@pytest.fixture(autouse=True)
def today() -> Iterator[None]:
    """It is the makers' day."""
    with time_machine.travel(NOW):
        yield


class Speaker:
    """Sends JSON, or a form where there is a file in it, to /api/v1/ as one person, or as nobody."""

    def __init__(self, user: User | None = None) -> None:
        self.client = APIClient()
        if user is not None:
            self.client.force_authenticate(User.objects.get(pk=user.pk))

    def get(self, path: str, **query: Any) -> Any:
        return self.client.get(V1 + path, query)

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        """Headers by their names in small letters: idempotency_key="…"."""
        body = {} if body is None else body
        has_file = any(hasattr(value, "read") for value in body.values()) if isinstance(body, dict) else False
        form = "multipart" if has_file else "json"
        return self.client.post(V1 + path, body, format=form, **_as_sent(headers))

    def patch(self, path: str, body: Any, **headers: str) -> Any:
        """A change of what is there now, unless `if_match` names what was read before."""
        headers.setdefault("if_match", self.etag(path))
        return self.client.patch(V1 + path, body, format="json", **_as_sent(headers))

    def request(self, operation: str, path: str, body: Any, **headers: str) -> Any:
        """By the name of an operation, as "POST /api/v1/appeals/"."""
        return getattr(self, operation.split()[0].lower())(path, body, **headers)

    def etag(self, path: str) -> str:
        return str(self.get(path).headers.get("ETag", '"nothing"'))

    def send(self, path: str, raw: bytes | str, content_type: str = "application/json") -> Any:
        """Bytes as they are."""
        raw = raw.encode("utf-8", "surrogatepass") if isinstance(raw, str) else raw
        return self.client.generic("POST", V1 + path, raw, content_type=content_type)


def _as_sent(headers: dict[str, str]) -> dict[str, str]:
    return {f"HTTP_{name.upper()}": value for name, value in headers.items()}


def speaker(
    who: str,
    *,
    hospital: Organisation | None = None,
    donor: Organisation | None = None,
    carrier: Organisation | None = None,
) -> Speaker:
    """Somebody of the cast: "the hospital", "the donor" and "the carrier" act for the organisations given; "a …" for others."""
    if who == "nobody":
        return Speaker()
    if who == "a stranger":
        return Speaker(make_user())
    if who == "the administrator":
        return Speaker(make_user(is_superuser=True))
    ours = {"the hospital": hospital, "the donor": donor, "the carrier": carrier}
    member = make_member(who.split()[-1], ours.get(who))
    if who == "a coordinator":
        make_region()
        member.memberships.get().regions.add("CN")
    return Speaker(member)
