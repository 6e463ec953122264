"""Notices in words: in the language that is spoken just now, from rows that their reader may see just now."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from supplies.needs import reminders
from supplies.notices.inbox import Group, Notice
from supplies.notices.kinds import KINDS
from supplies.notices.searches import SavedSearch
from supplies.notices.subjects import LINES as MORE_SAID
from supplies.notices.subjects import subject_of
from supplies.organisations.desk import change_url
from supplies.organisations.models import User
from supplies.organisations.permissions import may_watch

LINES = 10  # of a notice about many rows
TAKES_NO_ID = ("answers", "dock")


@dataclass(frozen=True)
class Read:
    """lines    what it tells of, each in a few words; empty where its reader may not see that any more
    more     how many lines are left out
    path     of the page where one acts; empty where there is nothing to be seen
    unread   of how many notices; several of a kind may be told as one
    """

    notice: Notice
    title: str
    lines: Sequence[str]
    more: int
    path: str
    unread: int = 0
    is_one_of_several: bool = False

    @property
    def group(self) -> str:
        return str(Group(self.notice.group).label)


def read(notices: Iterable[Notice], user: User) -> list[Read]:
    """What notices of one person tell her; one query for each kind of row, and one for the names of searches."""
    notices = list(notices)
    wanted: dict[str, set[str]] = defaultdict(set)
    for notice in notices:
        wanted[notice.subject] |= set(notice.rows[:LINES])
    rows: dict[tuple[str, str], Any] = {}
    for name, ids in wanted.items():
        if subject := subject_of(name):
            for row in subject.visible_to(user).filter(pk__in=ids):
                rows[name, str(row.pk)] = row
    names = {}
    if searches := {notice.about for notice in notices if notice.group == Group.SEARCHES}:
        mine = SavedSearch.objects.of(user).filter(pk__in=searches)
        names = {str(pk): name for pk, name in mine.values_list("pk", "name")}
    told = [_read(notice, rows, names) for notice in notices]
    return [_at_the_desk(each, rows) for each in told] if may_watch(user) else told


def _at_the_desk(told: Read, rows: dict[tuple[str, str], Any]) -> Read:
    """What the desk watches is decided there, not on the page of whoever posted it."""
    row = rows.get((told.notice.subject, told.notice.about))
    return replace(told, path=change_url(row)) if told.notice.group == Group.WATCH and row else told


def gathered(told: Iterable[Read]) -> list[Read]:
    """The same, where several of a kind wait on one page as one, in the place of the newest."""
    groups: dict[Any, list[Read]] = defaultdict(list)
    for each in told:
        groups[each.notice.kind if each.is_one_of_several else each.notice.pk].append(each)
    return [some[0] if len(some) == 1 else _as_one(some) for some in groups.values()]


def _as_one(told: Sequence[Read]) -> Read:
    lines = [line for each in told for line in each.lines]
    return replace(
        told[0],
        title=str(KINDS[told[0].notice.kind].several) % {"n": len(told)},
        lines=lines[:LINES],
        more=len(lines[LINES:]) + sum(each.more for each in told),
        unread=sum(each.unread for each in told),
    )


def _read(notice: Notice, rows: dict[tuple[str, str], Any], names: dict[str, str]) -> Read:
    subject, kind = subject_of(notice.subject), KINDS.get(notice.kind)
    if subject is None or kind is None:
        return Read(notice, notice.kind, (), 0, "")
    seen = [rows[notice.subject, pk] for pk in notice.rows[:LINES] if (notice.subject, pk) in rows]
    title = str(kind.says)
    if notice.about in names:
        title = f"{title} · {names[notice.about]}"
    line = MORE_SAID.get(notice.kind, subject.line)
    lines = [line(row) for row in seen]
    path = _path(notice, kind.page or subject.page, seen) if seen else ""
    is_over = bool(kind.waits_as and seen) and all(row.status != kind.waits_as for row in seen)
    if is_over:
        title = _("Waits no more: %(status)s") % {"status": seen[0].get_status_display()}
    return Read(
        notice,
        title,
        lines,
        max(len(notice.rows) - LINES, 0),
        path,
        unread=int(notice.read_at is None),
        is_one_of_several=bool(kind.several and seen) and not is_over,
    )


def _path(notice: Notice, page: str, seen: Sequence[Any]) -> str:
    if page in TAKES_NO_ID:
        return reverse(page)
    if notice.group != Group.SEARCHES:
        return reverse(page, args=[notice.about])
    if notice.kind == "search.offers":
        return reverse("mine")  # where the hospital sees its needs; an offer is answered once it is matched
    return reverse(page, args=[seen[0].appeal_id])


def path_in_mail(told: Read, user: User) -> str:
    """Where a mail to this person leads: to say that something is still needed she does not have to sign in."""
    if told.notice.kind == "need.reminded" and told.path:
        return reverse("still-needed", args=[reminders.word_for(told.notice.about, user.pk)])
    return told.path
