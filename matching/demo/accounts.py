"""An account for each role, to try the site with on one's own machine. A site in production has none of them."""

import json
import os
import secrets
from base64 import b32encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.db import transaction
from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from matching.demo.cast import SOURCE
from matching.models import ProposalStatus
from supplies.accounts.models import SecondFactor
from supplies.accounts.services import keep_factor, opens
from supplies.organisations import services as people
from supplies.organisations.keys import ApiToken, Scope
from supplies.organisations.models import Organisation, User
from supplies.organisations.roles import Role
from supplies.regions.models import Region
from supplies.shipments.models import ShipmentStatus

Kind = Organisation.Kind
KIND_OF = {
    Role.HOSPITAL: Kind.HOSPITAL,
    Role.DONOR: Kind.DONOR,
    Role.CARRIER: Kind.CARRIER,
    Role.VOLUNTEER: Kind.VOLUNTEERS,
    Role.COORDINATOR: Kind.COORDINATOR,
    Role.AUDITOR: Kind.COORDINATOR,
}
BUSIEST = {  # who has shipments to look at
    Kind.HOSPITAL: "facilities__shipments",
    Kind.DONOR: "shipments_sent",
    Kind.CARRIER: "shipments_carried",
}
WAITS = {  # and for whom something waits, so that each account opens on work
    Kind.HOSPITAL: Q(facilities__shipments__status=ShipmentStatus.DELIVERED),
    Kind.DONOR: Q(donations__offers__proposals__status=ProposalStatus.APPROVED),
    Kind.CARRIER: Q(shipments_carried__status=ShipmentStatus.BOOKED),
}
COORDINATED = "420000"  # Hubei


@dataclass(frozen=True)
class Account:
    role: str
    username: str
    password: str
    organisation: str
    has_factor: bool
    key: str = ""  # of a program, for the carrier: it sees and moves its own shipments


@transaction.atomic
def make_accounts(file: Path, *, at: datetime) -> list[Account]:
    """An account per role, its password and the secret of its second factor, where it needs one, kept in `file`.

    The same again, unless the file is gone: then new ones.

    Raises   Organisation.DoesNotExist where the demonstration was not loaded
    """
    kept = json.loads(file.read_text()) if file.exists() else {}
    users = {role: _user(role) for role in Role.values}
    organisations = {role: _enrolled(Role(role), user, at=at) for role, user in users.items()}
    passwords = {role: _password(user, kept.get(role, {})) for role, user in users.items()}
    totp = {role: _totp(user, kept.get(role, {}), at=at) for role, user in users.items()}
    carrier = _key(users[Role.CARRIER], kept.get(Role.CARRIER, {}), at=at)
    keys = {role: carrier if role == Role.CARRIER else "" for role in users}
    _keep(
        file,
        {
            role: {
                "password": passwords[role],
                "stored": user.password,
                "totp": totp[role],
                "key": keys[role],
            }
            for role, user in users.items()
        },
    )
    return [
        Account(role, user.username, passwords[role], organisations[role], bool(totp[role]), keys[role])
        for role, user in users.items()
    ]


def secret_of(file: Path, role: str) -> str:
    """The secret of a demonstration account's second factor; empty where it has none.

    Raises   KeyError for a role without an account
    """
    kept: dict[str, str] = json.loads(file.read_text())[role]
    return kept["totp"]


def _user(role: str) -> User:
    return User.objects.get_or_create(username=f"demo-{role}", defaults={"first_name": "演示"})[0]


def _password(user: User, kept: Mapping[str, str]) -> str:
    """The kept password while it is the user's still, else a new one.

    What the database stores is compared as text: hashing seven times would cost every start two seconds.
    """
    if kept and kept["stored"] == user.password:
        return kept["password"]
    password = secrets.token_urlsafe(12)
    user.set_password(password)
    user.save(update_fields=["password"])
    return password


def _keep(file: Path, accounts: Mapping[str, Mapping[str, str]]) -> None:
    """Readable by its owner only from the first byte on, and never half written."""
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_suffix(".draft")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        json.dump(accounts, out, indent=1)
    draft.replace(file)


def _totp(user: User, kept: Mapping[str, str], *, at: datetime) -> str:
    """The kept secret while it is that of the account's second factor still, else a new one. Who needs none gets none."""
    if not user.needs_second_factor:
        return ""
    factor = SecondFactor.objects.filter(user=user, type=SecondFactor.Type.TOTP).first()
    if factor and kept.get("totp") and opens(factor, kept["totp"]):
        return kept["totp"]
    secret = b32encode(secrets.token_bytes(20)).decode()
    keep_factor(user, secret=secret, at=at)
    return secret


def _key(user: User, kept: Mapping[str, str], *, at: datetime) -> str:
    """The kept key while it opens anything, else a new one."""
    known = kept.get("key", "")
    if known and user.api_tokens.valid(at).filter(digest=ApiToken.digest_of(known)).exists():
        return known
    scopes = [Scope.READ, Scope.SHIPMENTS]
    _token, key = people.issue_token(user, name="sandbox", scopes=scopes, at=at)
    return key


def _enrolled(role: Role, user: User, *, at: datetime) -> str:
    """Let the account act for a fitting organisation; returns its name. The hospital's manages it, so that inviting can be tried."""
    if role == Role.ADMIN:
        user.is_staff = user.is_superuser = True
        user.save(update_fields=["is_staff", "is_superuser"])
        return ""
    membership = user.memberships.select_related("organisation").filter(role=role).first()
    if membership is None:
        regions = Region.objects.filter(pk=COORDINATED) if role == Role.COORDINATOR else Region.objects.none()
        organisation = _fitting(KIND_OF[role], regions)
        membership = people.enrol(
            user,
            organisation,
            role,
            by=None,
            at=at,
            regions=list(regions),
            is_manager=role == Role.HOSPITAL,
        )
    return membership.organisation.name


def _fitting(kind: str, regions: QuerySet[Region]) -> Organisation:
    """The demonstration's organisation of that kind with most to look at, in one of the regions if any are named."""
    ours = Organisation.objects.verified().filter(source=SOURCE, kind=kind)
    if regions:
        ours = ours.filter(region__in=regions)
    if kind in BUSIEST:
        waits = Exists(Organisation.objects.filter(WAITS[Kind(kind)], pk=OuterRef("pk")))
        busy = ours.annotate(shipments=Count(BUSIEST[Kind(kind)]), waits=waits)
        return busy.order_by("-waits", "-shipments", "pk")[:1].get()
    return ours.order_by("pk")[:1].get()
