"""A browser without JavaScript for tests of pages, reading English."""

from typing import Any

from django.test import Client

from supplies.organisations.models import User
from tests.sign_in import sign_in


def reader(user: User | None = None, **options: Any) -> Client:
    client = Client(headers={"accept-language": "en"}, **options)
    if user is not None:
        sign_in(client, user)
    return client


def lines(*rows: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """The fields of a form with lines, as a browser sends them."""
    sent = {"lines-TOTAL_FORMS": len(rows), "lines-INITIAL_FORMS": 0, **fields}
    for position, row in enumerate(rows):
        sent |= {f"lines-{position}-{name}": value for name, value in row.items()}
    return sent
