"""The register of data: for each field its class, what it is for, who sees it, and how long it is kept.

`register.csv` is for programs; this module reads it, finds what it lacks, and groups it for the page that people read. A field
without an entry fails a test, which prints the lines to add.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.apps import apps
from django.db import models
from django.utils.translation import gettext_lazy as _

FILE = Path(__file__).with_name("register.csv")
COLUMNS = ("model", "class", "purpose", "seen_by", "retention", "fields")


class Class(models.TextChoices):
    PUBLIC = "public", _("public")
    INTERNAL = "internal", _("internal")
    CONFIDENTIAL = "confidential", _("confidential")
    PERSONAL = "personal", _("personal")
    SECRET = "secret", _("secret")


class Reason(models.TextChoices):
    MATCH = "match", _("to match what is needed with what is given")
    DELIVER = "deliver", _("to bring goods to the right door and count them")
    REACH = "reach", _("to reach each other about a match")
    VERIFY = "verify", _("to know that an organisation is what it says")
    SIGN_IN = "sign_in", _("to know who signs in, and what the account may do")
    WRITE = "write", _("to write to an account about itself")
    ONCE = "once", _("to do once what was sent twice")
    FOLLOW = "follow", _("to let those who hold the code follow what becomes of it")
    TRAIL = "trail", _("to be able to say who did what, and when")
    READ_LISTS = "read_lists", _("to compare published lists with what is known")
    REFERENCE = "reference", _("reference data from published sources")
    OPERATE = "operate", _("to run the site")


class Stage(models.TextChoices):
    EVERYONE = "everyone", _("everyone")
    SIGNED_IN = "signed_in", _("everyone who has signed in")
    CODE = "code", _("whoever holds the code")
    PARTIES = "parties", _("both sides of a match, its carrier and volunteers")
    REVEALED = (
        "revealed",
        _("both sides of an agreed match, its carrier and volunteers, each time written down"),
    )
    OWNER = "owner", _("whoever wrote it, the organisation it belongs to, and volunteers")
    ALONE = "alone", _("the person herself")
    SELF = "self", _("the person herself and administrators")
    COLLEAGUES = "colleagues", _("those who act for the same organisation, and administrators")
    DESK = "desk", _("volunteers, coordinators and auditors")
    AUDITORS = "auditors", _("auditors, administrators, and those whom it is about")
    NOBODY = "nobody", _("nobody: the site itself")


class Retention(models.TextChoices):
    SITE = "site", _("as long as the site is run")
    RECORDS = (
        "records",
        _("with the records of the emergency; numbers in it are taken out when their owner asks"),
    )
    CONTACT = "contact", _("180 days after it was last given, or until its owner asks")
    NOTICES = "notices", _("90 days, read or not")
    ACCOUNT = "account", _("until the account is erased by its owner")
    SESSION = "session", _("until signing out, at most thirty days")
    EVIDENCE = "evidence", _("400 days at most, or until whoever handed it in is erased")
    MAIL = (
        "mail",
        _("its words until it is sent, or a week after it could not be; that there was one for thirty days"),
    )
    WEEK = "week", _("a week")
    MONTH = "month", _("thirty days")
    FOLLOWING = (
        "following",
        _("two days without a confirmation; else until two weeks after the shipment ended, 180 days at most"),
    )
    PARKED = "parked", _("thirty days; an event of a carrier that fits no shipment, twice as long")
    TRAIL = "trail", _("for good, with numbers in the place of names")


@dataclass(frozen=True)
class Entry:
    """What the register says about one field."""

    model: str
    field: str
    kind: Class
    purpose: Reason
    seen_by: Stage
    retention: Retention


@lru_cache
def entries() -> tuple[Entry, ...]:
    """The register, one entry for each field. Raises ValueError for a word it does not know or a field given twice."""
    with FILE.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["model"]]
    found = tuple(
        Entry(
            row["model"],
            field,
            Class(row["class"]),
            Reason(row["purpose"]),
            Stage(row["seen_by"]),
            Retention(row["retention"]),
        )
        for row in rows
        for field in row["fields"].split()
    )
    named = [(entry.model, entry.field) for entry in found]
    if len(set(named)) < len(named):
        twice = sorted({".".join(name) for name in named if named.count(name) > 1})
        raise ValueError(f"The register names these twice: {', '.join(twice)}")
    return found


def fields_of_the_site(registry: Any = apps) -> Iterator[tuple[str, str]]:
    """Every column the site has, of its own and of what it is built from."""
    for model in registry.get_models(include_auto_created=True):
        if model._meta.managed and not model._meta.proxy:
            yield from ((model._meta.label, field.name) for field in model._meta.local_concrete_fields)


def faults(registry: Any = apps) -> list[str]:
    """What is wrong with the register: the lines to add to it, and the fields it names that are gone."""
    known = {(entry.model, entry.field) for entry in entries()}
    there = list(fields_of_the_site(registry))
    missing: dict[str, list[str]] = {}
    for model, field in there:
        if (model, field) not in known:
            missing.setdefault(model, []).append(field)
    words = ",".join(f"CHOOSE-{name.upper()}" for name in COLUMNS[1:-1])
    added = [f"{model},{words},{' '.join(fields)}" for model, fields in missing.items()]
    gone = [f"gone: {model}.{field}" for model, field in sorted(known - set(there))]
    return added + gone


@dataclass(frozen=True)
class Kept:
    """What is kept for one purpose, seen by the same people and as long, for people to read: the names of its rows."""

    purpose: Reason
    seen_by: Stage
    retention: Retention
    names: tuple[str, ...]


def by_class() -> dict[Class, list[Kept]]:
    """What is kept about people and organisations, by class; reference data and the site's own machinery are left out."""
    groups: dict[Class, dict[tuple[Reason, Stage, Retention], dict[str, None]]] = {
        kind: {} for kind in (Class.PERSONAL, Class.CONFIDENTIAL, Class.SECRET, Class.INTERNAL, Class.PUBLIC)
    }
    for entry in entries():
        model = apps.get_model(entry.model)
        if entry.purpose not in (Reason.REFERENCE, Reason.OPERATE) and not model._meta.auto_created:
            alike = groups[entry.kind].setdefault((entry.purpose, entry.seen_by, entry.retention), {})
            alike[str(model._meta.verbose_name_plural)] = None
    return {kind: [Kept(*how, tuple(names)) for how, names in kept.items()] for kind, kept in groups.items()}
