"""Signing as in Standard Webhooks 1.0.0, symmetric (https://github.com/standard-webhooks/standard-webhooks)."""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Iterable

PREFIX = "whsec_"
KEY_BYTES = 32


def new_secret() -> str:
    return PREFIX + base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()


def key_of(secret: str) -> bytes:
    return base64.b64decode(secret.removeprefix(PREFIX))


def headers_of(message_id: str, second: int, body: bytes, keys: Iterable[bytes]) -> dict[str, str]:
    """What goes with a message. One signature for each live secret, so that either of them finds its own.

    second   of the attempt, since 1970
    """
    signed = f"{message_id}.{second}.".encode() + body
    signatures = (base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode() for key in keys)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(second),
        "webhook-signature": " ".join(f"v1,{signature}" for signature in signatures),
    }
