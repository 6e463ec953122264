"""A program that speaks to the API as somebody: what every test of the API shares."""

from typing import Any

from rest_framework.test import APIClient

from supplies.organisations.models import User

V1 = "/api/v1/"


class Speaker:
    """Sends JSON to /api/v1/ as one person, or as nobody."""

    def __init__(self, user: User | None = None) -> None:
        self.client = APIClient(raise_request_exception=True)
        if user is not None:
            self.client.force_authenticate(User.objects.get(pk=user.pk))

    def get(self, path: str, **query: Any) -> Any:
        return self.client.get(V1 + path, query)

    def post(self, path: str, body: Any = None) -> Any:
        return self.client.post(V1 + path, {} if body is None else body, format="json")

    def patch(self, path: str, body: Any) -> Any:
        return self.client.patch(V1 + path, body, format="json")

    def send(self, path: str, raw: bytes | str, content_type: str = "application/json") -> Any:
        """Bytes as they are."""
        raw = raw.encode("utf-8", "surrogatepass") if isinstance(raw, str) else raw
        return self.client.generic("POST", V1 + path, raw, content_type=content_type)
