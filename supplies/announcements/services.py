"""The verbs of announcements: tell, tell anew in place of, withdraw."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from supplies.announcements.models import Announcement, Kind
from supplies.announcements.permissions import in_whose_name, may_announce_in
from supplies.errors import MoveRefused, NotYours
from supplies.journal.services import record
from supplies.organisations.models import User


@transaction.atomic
def announce(announcement: Announcement, *, by: User | None, at: datetime) -> Announcement:
    """Tell everybody, in place of what it replaces if anything. `by` is nobody only for the demonstration.

    Raises MoveRefused where that holds no more, NotYours outside of what this person speaks for.
    """
    if (before := announcement.replaces) is not None:
        _locked(before)
        _check_speaks_for(by, before, naming_the_giver=False)
    _check_speaks_for(by, announcement)
    announcement.by, announcement.at = by, at
    announcement.save(force_insert=True)
    record(announcement, "announcement.told", by=by, at=at, announcement=str(announcement.pk))
    return announcement


@transaction.atomic
def withdraw(announcement: Announcement, *, reason: str, by: User | None, at: datetime) -> Announcement:
    """Say that it holds no more, and why. Returns the row that says so."""
    announcement = _locked(announcement)
    _check_speaks_for(by, announcement, naming_the_giver=False)
    ending = Announcement.objects.create(
        kind=Kind.WITHDRAWAL,
        emergency=announcement.emergency,
        region=announcement.region,
        giver=announcement.giver,
        replaces=announcement,
        reason=reason,
        by=by,
        at=at,
    )
    record(announcement, "announcement.withdrawn", by=by, at=at, announcement=str(announcement.pk))
    return ending


def _locked(announcement: Announcement) -> Announcement:
    """The row, which nobody else replaces meanwhile. Raises MoveRefused where it holds no more."""
    locked = Announcement.objects.select_for_update(of=("self",)).get(pk=announcement.pk)
    if not Announcement.objects.standing().filter(pk=locked.pk).exists():
        raise MoveRefused(
            _("It was replaced or withdrawn already. Open the newest one, and go on from there.")
        )
    return locked


def _check_speaks_for(by: User | None, announcement: Announcement, *, naming_the_giver: bool = True) -> None:
    if by is None:
        return
    if not may_announce_in(by, announcement.region):
        raise NotYours(_("You may not do this here; it lies outside your regions."))
    if naming_the_giver and not in_whose_name(by).filter(pk=announcement.giver_id).exists():
        raise NotYours(_("You do not coordinate for this body. Choose one you coordinate for."))
