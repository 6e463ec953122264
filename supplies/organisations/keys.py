"""The key of a program: how it is spelled, what it opens and for how long.

`tz_`, 256 random bits, and a check that finds one cut off or mistyped.
"""

import hashlib
import secrets
import string
import uuid
import zlib
from datetime import datetime, timedelta
from typing import Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from supplies.free_text import ShortText
from supplies.organisations.models import User
from supplies.wording import listed

PREFIX = "tz_"
ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
RANDOM_BITS = 256
RANDOM_LENGTH = 43  # characters; 62 ** 43 is just above 2 ** 256
CHECK_LENGTH = 6  # characters that hold the 32 bits of a CRC


def new_key() -> str:
    random = _spelled(secrets.randbits(RANDOM_BITS), RANDOM_LENGTH)
    return PREFIX + random + _check(random)


def is_whole(key: str) -> bool:
    """Whether somebody may have been given this key. One that was mistyped is told from a wrong one without asking the database."""
    random, check = key[len(PREFIX) : -CHECK_LENGTH], key[-CHECK_LENGTH:]
    return key.startswith(PREFIX) and len(random) == RANDOM_LENGTH and check == _check(random)


def _check(random: str) -> str:
    return _spelled(zlib.crc32(random.encode()), CHECK_LENGTH)


def _spelled(number: int, length: int) -> str:
    signs = []
    for _place in range(length):
        number, sign = divmod(number, len(ALPHABET))
        signs.append(ALPHABET[sign])
    return "".join(reversed(signs))


class Scope(models.TextChoices):
    READ = "read", _("read")
    NEEDS = "needs", _("post needs")
    OFFERS = "offers", _("post offers")
    MATCHING = "matching", _("run the matching and answer proposals")
    SHIPMENTS = "shipments", _("move shipments")
    VERIFY = "verify", _("verify organisations")
    CONTACTS = "contacts", _("be shown telephone numbers")
    WEBHOOKS = "webhooks", _("say where events are sent")


LONGEST_LIFE = timedelta(days=366)  # of a program's key


class ApiTokenQuerySet(models.QuerySet["ApiToken"]):
    def valid(self, at: datetime) -> Self:
        """Neither revoked nor run out, and of an account that is not closed."""
        return self.filter(revoked_at=None, expires_at__gt=at, user__is_active=True)

    def newest_first(self) -> Self:
        return self.order_by("-created_at", "pk")


class ApiToken(models.Model):
    """A program's key: acts as its user, within its scopes, for a time. Only the hash of the secret is kept."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, models.CASCADE, verbose_name=_("acts as"), related_name="api_tokens")
    name = ShortText(_("name"), max_length=80)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    hint = models.CharField(_("begins with"), max_length=12, editable=False)
    scopes = ArrayField(
        models.CharField(max_length=12, choices=Scope), verbose_name=_("scopes"), default=list
    )
    created_at = models.DateTimeField(_("created"), editable=False)
    expires_at = models.DateTimeField(_("expires"))
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True)
    last_used_on = models.DateField(_("last used"), null=True, blank=True, editable=False)

    objects = ApiTokenQuerySet.as_manager()

    class Meta:
        verbose_name = _("API token")
        verbose_name_plural = _("API tokens")
        constraints = [
            models.CheckConstraint(
                name="api_token_expires_within_a_year",
                condition=Q(expires_at__gt=F("created_at"), expires_at__lte=F("created_at") + LONGEST_LIFE),
            )
        ]

    def __str__(self) -> str:
        return f"{self.hint}…"

    def is_valid(self, at: datetime) -> bool:
        return self.revoked_at is None and self.expires_at > at

    @property
    def allows(self) -> str:
        """Its scopes in words."""
        return listed(Scope(scope).label for scope in self.scopes)

    @staticmethod
    def digest_of(secret: str) -> str:
        return hashlib.sha256(secret.encode()).hexdigest()
