"""Browsers that have signed in to an account before: a signed cookie says to which. Guessing by others does not hold them up."""

import secrets

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from supplies.organisations.models import User

SALT = "known browser"
KEPT_SECONDS = 365 * 24 * 3600
MOST_ACCOUNTS = 20  # on the computer of a ward


def known_browser(request: HttpRequest, user: User | None) -> str:
    """What this browser is called, if it has signed in to the account before; else nothing, at the same cost."""
    browser, accounts = _read(request)
    return browser if user is not None and str(user.pk) in accounts else ""


def remember_browser(request: HttpRequest, response: HttpResponse, user: User) -> None:
    browser, accounts = _read(request)
    others = [account for account in accounts if account != str(user.pk)]
    kept = [str(user.pk), *others][:MOST_ACCOUNTS]
    response.set_signed_cookie(
        settings.BROWSER_COOKIE_NAME,
        ".".join([browser or secrets.token_hex(16), *kept]),
        salt=SALT,
        max_age=KEPT_SECONDS,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def _read(request: HttpRequest) -> tuple[str, list[str]]:
    value = request.get_signed_cookie(
        settings.BROWSER_COOKIE_NAME, default="", salt=SALT, max_age=KEPT_SECONDS
    )
    browser, *accounts = (value or "").split(".")
    return browser, accounts
