"""Being signed in, in tests: the one place that says what a session looks like once somebody has come all the way in."""

import time
from typing import Any

from allauth.account.authentication import AUTHENTICATION_METHODS_SESSION_KEY
from django.test import Client

from supplies.organisations.models import User


def sign_in(client: Client, user: User, *, with_factor: bool = True) -> Any:
    """As after the password, and after the second factor where it is not left out."""
    client.force_login(user)
    session = client.session
    methods = ["password", "mfa"] if with_factor else ["password"]
    session[AUTHENTICATION_METHODS_SESSION_KEY] = [
        {"method": method, "at": time.time()} for method in methods
    ]
    session["account_authentication_methods_user"] = str(user.pk)
    session.save()
    return client
