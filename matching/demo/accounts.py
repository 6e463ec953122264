"""An account for each role, to try the site with on one's own machine. A site in production has none of them."""

import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.db import transaction
from django.db.models import Count, QuerySet

from matching.demo.cast import SOURCE
from supplies.organisations import services as people
from supplies.organisations.models import Organisation, Role, User
from supplies.regions.models import Region

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
COORDINATED = "420000"  # Hubei


@dataclass(frozen=True)
class Account:
    role: str
    username: str
    password: str
    organisation: str


@transaction.atomic
def make_accounts(file: Path, *, at: datetime) -> list[Account]:
    """An account per role, its password kept in `file`. The same again, unless the file is gone: then new passwords.

    Raises   Organisation.DoesNotExist where the demonstration was not loaded
    """
    kept = json.loads(file.read_text()) if file.exists() else {}
    users = {role: _user(role) for role in Role.values}
    passwords = {role: _password(user, kept.get(role, {})) for role, user in users.items()}
    _keep(file, {role: {"password": passwords[role], "stored": users[role].password} for role in users})
    return [_account(Role(role), user, passwords[role], at=at) for role, user in users.items()]


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


def _account(role: Role, user: User, password: str, *, at: datetime) -> Account:
    if role == Role.ADMIN:
        User.objects.filter(pk=user.pk).update(is_staff=True, is_superuser=True)
        return Account(role.value, user.username, password, "")
    membership = user.memberships.select_related("organisation").filter(role=role).first()
    if membership is None:
        regions = Region.objects.filter(pk=COORDINATED) if role == Role.COORDINATOR else Region.objects.none()
        organisation = _fitting(KIND_OF[role], regions)
        membership = people.enrol(user, organisation, role, by=None, at=at, regions=list(regions))
    return Account(role.value, user.username, password, membership.organisation.name)


def _fitting(kind: str, regions: QuerySet[Region]) -> Organisation:
    """The demonstration's organisation of that kind with most to look at, in one of the regions if any are named."""
    ours = Organisation.objects.verified().filter(source=SOURCE, kind=kind)
    if regions:
        ours = ours.filter(region__in=regions)
    if kind in BUSIEST:
        return ours.annotate(shipments=Count(BUSIEST[Kind(kind)])).order_by("-shipments", "pk")[:1].get()
    return ours.order_by("pk")[:1].get()
