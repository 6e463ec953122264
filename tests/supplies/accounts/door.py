"""Coming in by the door, as a browser does: what the tests of accounts share."""

from base64 import b32encode
from typing import Any

from allauth.account.models import EmailAddress
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from supplies.accounts import services
from supplies.organisations.models import User
from tests.page_client import reader

PASSWORD = "a long enough phrase"
SECRET = b32encode(b"twenty bytes of test").decode()
HOME, ELSEWHERE = "203.0.113.7", "198.51.100.7"  # two networks


def browser(network: str = HOME) -> Client:
    return reader(REMOTE_ADDR=network)


def type_password(client: Client, name: str, password: str = PASSWORD, **more: Any) -> Any:
    return client.post(reverse("sign-in"), {"username": name, "password": password, **more})


def type_code(client: Client, code: str, **more: Any) -> Any:
    return client.post(reverse("second-factor"), {"code": code, **more})


def give_factor(user: User) -> str:
    services.keep_factor(user, secret=SECRET, at=timezone.now())
    return SECRET


def code_now(secret: str = SECRET) -> str:
    return services.current_code(secret, at=timezone.now())


def give_address(user: User, email: str, *, verified: bool = True) -> EmailAddress:
    return EmailAddress.objects.create(user=user, email=email, verified=verified, primary=True)


def is_in(client: Client) -> bool:
    return "_auth_user_id" in client.session
