"""Secrets that are shown once: they wait in the session, sealed, for the page that comes next."""

from base64 import b64decode, b64encode

from django.http import HttpRequest

from supplies.sealing import seal, unseal

CONTEXT = "session:handed"


def hand(request: HttpRequest, name: str, secret: str) -> None:
    request.session[f"handed:{name}"] = b64encode(seal(secret, context=f"{CONTEXT}:{name}")).decode()


def handed(request: HttpRequest, name: str) -> str:
    """The secret, this once; empty where none waits."""
    sealed = request.session.pop(f"handed:{name}", "")
    return unseal(b64decode(sealed), context=f"{CONTEXT}:{name}")
