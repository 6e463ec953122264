"""The verbs of choosing how one is told: by group and channel, when, and not at all by the link of a mail."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any

from django.core import signing
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from supplies.notices.inbox import Channel, Choice, Group, Habits, How, Notice, default_of
from supplies.organisations.models import User

SALT = "notices.end"  # a word made for something else ends nothing


def chosen_by(user: User) -> dict[tuple[str, str], str]:
    """How she is told of each group by each channel, defaults included."""
    chosen = {
        (group.value, channel.value): default_of(group, channel) for group in Group for channel in Channel
    }
    rows = Choice.objects.filter(user=user).values_list("group", "channel", "how")
    return chosen | {(group, channel): how for group, channel, how in rows}


def habits_of(user: User) -> Habits:
    return Habits.objects.filter(user=user).first() or Habits(user=user)


@transaction.atomic
def choose(user: User, choices: Mapping[tuple[str, str], str]) -> None:
    """How she wants to be told. What is not named stays as it is; what is the default is not kept."""
    for (group, channel), how in choices.items():
        if group not in Group or channel not in Channel or how not in How:
            raise ValidationError(_("Choose for each kind of news: at once, once a day, or not at all."))
    rows = [
        Choice(user=user, group=group, channel=channel, how=how) for (group, channel), how in choices.items()
    ]
    Choice.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["user", "group", "channel"], update_fields=["how"]
    )


@transaction.atomic
def keep_quiet(user: User, *, timezone: str, quiet_from: time | None, quiet_until: time | None) -> Habits:
    """When she may be told. Raises ValidationError for half of the hours, or a time zone there is none of."""
    if (quiet_from is None) != (quiet_until is None):
        raise ValidationError({"quiet_until": _("Give both hours, or neither.")})
    if quiet_from is not None and quiet_from == quiet_until:
        raise ValidationError(
            {"quiet_until": _("These hours are the same. Leave both empty to be told at any time.")}
        )
    habits = Habits(user=user, timezone=timezone, quiet_from=quiet_from, quiet_until=quiet_until)
    habits.clean_fields(exclude=["user"])
    habits.save()
    return habits


# -- Reading -----------------------------------------------------------------------------------------------


def mark_read(user: User, notices: Iterable[Any] | None = None, *, at: datetime) -> int:
    """Hers that were unread: these, or all. Returns how many."""
    rows = Notice.objects.of(user).unread()
    if notices is not None:
        rows = rows.filter(pk__in=list(notices))
    return rows.update(read_at=at)


# -- The link of a mail: ends what it tells, for one person, without signing in ------------------------------


@dataclass(frozen=True)
class Ending:
    user: User
    groups: tuple[str, ...]

    @property
    def labels(self) -> list[str]:
        return [str(Group(group).label) for group in self.groups]


def word_that_ends(user: User, groups: Iterable[str]) -> str:
    return signing.dumps([user.pk, *groups], salt=SALT)


def opened(word: str) -> Ending | None:
    """What a word stands for; None where it was changed or its account is closed. It does not grow old: mails are kept."""
    try:
        pk, *groups = signing.loads(word, salt=SALT)
    except signing.BadSignature:
        return None
    user = User.objects.filter(pk=pk, is_active=True).first()
    known = tuple(group for group in groups if group in Group)
    return Ending(user, known) if user and known else None


def end(ending: Ending) -> None:
    """No more mails of these kinds. The inbox keeps them still."""
    choose(ending.user, {(group, Channel.MAIL.value): How.OFF.value for group in ending.groups})
