"""Sitting at the volunteers' desk: a browser without a window, choosing rows and actions."""

from typing import Any

from django.contrib.messages import get_messages
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from supplies.journal.admin import version_of
from supplies.organisations.models import User
from tests.sign_in import sign_in


def at_the_desk(user: User) -> Client:
    client = Client(headers={"accept-language": "en"})
    sign_in(client, user)
    return client


def list_of(model: type[Model]) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


def page_of(row: Model) -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])


def version(row: Model) -> dict[str, str]:
    """What the page of a row that may be edited sends along: the version it was opened with."""
    return {"version": version_of(row)}


def choose(client: Client, action: str, *rows: Model, query: str = "status=all", **answers: Any) -> Any:
    """Tick rows of a list and run an action; with answers, fill in its page as well."""
    form = {"action": action, "_selected_action": [str(row.pk) for row in rows], "index": "0"}
    if answers:
        form |= {"answered": "yes", **answers}
    return client.post(f"{list_of(type(rows[0]))}?{query}", form)


def told(response: Any) -> list[str]:
    """The sentences the desk says after an action."""
    return [str(message) for message in get_messages(response.wsgi_request)]
