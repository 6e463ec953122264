"""Who we are to those who read our data: an id that stays, and a signature under every manifest (Ed25519, RFC 8032)."""

import base64
import hashlib
import secrets
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.conf import settings

from supplies.opendata.models import SigningKey

SECRET_BYTES = 32


def key_made_at_first_use(*, at: datetime) -> SigningKey:
    """The key; two who make it at once get the same one."""
    known = SigningKey.objects.first()
    if known is not None:
        return known
    secret = secrets.token_urlsafe(SECRET_BYTES)
    key = SigningKey(public=base64.b64encode(_public_bytes(secret)).decode(), made_at=at)
    key.secret = secret
    SigningKey.objects.bulk_create([key], ignore_conflicts=True)
    return SigningKey.objects.get()


def public_key() -> SigningKey | None:
    """What everybody may know of it; None before the first publication."""
    return SigningKey.objects.defer("secret_sealed").first()


def signature(key: SigningKey, content: bytes) -> bytes:
    """64 bytes over the content as it stands, in base64."""
    return base64.b64encode(_private(key.secret).sign(content))


def fingerprint(key: SigningKey) -> str:
    """SHA-256 of the 32 bytes of the public key, in hexadecimal."""
    return hashlib.sha256(base64.b64decode(key.public)).hexdigest()


def instance(key: SigningKey) -> str:
    """The id every row of ours bears as its origin: what the operator has set, or else what the key says."""
    return str(settings.OPEN_DATA_INSTANCE) or f"tongzhou:{fingerprint(key)[:32]}"


def origin() -> str:
    """The same before anything was published; empty where nothing says yet who we are."""
    key = public_key()
    return instance(key) if key else str(settings.OPEN_DATA_INSTANCE)


def described(key: SigningKey) -> dict[str, Any]:
    """The public key as it is published."""
    return {
        "instance": instance(key),
        "algorithm": "Ed25519",
        "public_key": key.public,
        "fingerprint": fingerprint(key),
        "made_at": key.made_at.isoformat(),
    }


def _private(secret: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(secret.encode()).digest())


def _public_bytes(secret: str) -> bytes:
    return _private(secret).public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
