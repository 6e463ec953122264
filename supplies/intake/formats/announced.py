"""Announcements in a file of text: each of them a row, read as the paste box reads it."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from django.utils import timezone

from supplies.intake.formats.listed import Format, Listed
from supplies.intake.reading.findings import Unreadable
from supplies.intake.reading.names import read_name
from supplies.leaks import masked
from supplies.needs.models import SenderKind

TEXT = "announcement"  # the one field of such a row


def is_announcement(raw: Any) -> bool:
    return isinstance(raw, Mapping) and set(raw) == {TEXT}


def read(raw: Mapping[str, Any], *, as_of: date | None = None) -> Listed:
    """as_of    the day it is read as of: “within a week” counts from there. Raises Unreadable where it names no hospital."""
    # They build on what a list is: imported here, since a list may be an announcement.
    from supplies.intake.announcements import read_announcement
    from supplies.intake.pasting import remark_of

    announcement = read_announcement(str(raw[TEXT]), as_of=as_of or timezone.localdate())
    name = read_name(masked(announcement.organisation))
    if not name.text:
        raise Unreadable("missing", field="name")
    return Listed(
        name=name,
        place=("", "", ""),
        address=announcement.courier or announcement.handover,
        link=announcement.link,
        remark=remark_of(announcement),
        people=announcement.people,
        goods=tuple(replace(line.goods, requirements=line.conditions) for line in announcement.lines),
        published_on=announcement.published_on,
        updated_on=announcement.updated_on,
        region=announcement.region.code if announcement.region else "",
        needed_by=announcement.needed_by,
        details={
            "handover_point": announcement.handover[:300],
            "transport_instructions": announcement.transport[:2000],
            "accepted_senders": sorted(announcement.senders or SenderKind.values),
            "accepts_overseas": announcement.accepts_overseas is not False,
        },
        findings=announcement.findings,
    )


ANNOUNCEMENTS = Format(
    "announcement", "公告 · announcement", gives=False, read=read, emergency=None, is_dated=True
)
