"""From what happened to the people it concerns: a notice in the inbox of each, and by which channels it goes out to them.

A fixed number of queries for a batch of events, however many people hear of it.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from allauth.account.models import EmailAddress
from django.db import transaction

from supplies.journal.models import Event
from supplies.journal.services import ring
from supplies.notices.inbox import Channel, Choice, Habits, How, Notice, Robot, Sending, default_of
from supplies.notices.kinds import KINDS, Kind, Party
from supplies.notices.parting import named_in
from supplies.notices.subjects import subject_of
from supplies.organisations.models import Membership, User
from supplies.organisations.roles import Role

PERSONAL = (Party.POSTER,)
ROWS_AT_MOST = 50  # ids a notice holds; more of one thing in one moment are not read one by one


@dataclass
class Concerned:
    """What a row leads to. `about` is the id of the thing its news is about."""

    about: str = ""
    organisations: dict[Party, set[UUID]] = field(default_factory=lambda: defaultdict(set))
    people: set[int] = field(default_factory=set)
    paths: set[str] = field(default_factory=set)


def hear(events: Sequence[Event], *, at: datetime) -> None:
    """A notice for everybody whom one of the events concerns, but for who did it. Heard twice, it is told once."""
    known = [event for event in events if event.kind in KINDS]
    found = concerned_by(known)
    _add_named(known, found)
    crew = Crew.of(found, any(Party.DESK in KINDS[event.kind].to for event in known))
    told: dict[tuple[int, str, str, datetime], Notice] = {}
    for event in known:
        kind, row = KINDS[event.kind], found.get((event.subject, event.subject_id))
        if row is None:
            continue
        for person in crew.hearing(kind, row, event) - {event.by_id}:
            key = (person, event.kind, row.about, event.at)
            notice = told.setdefault(
                key,
                Notice(
                    user_id=person,
                    kind=event.kind,
                    group=kind.group,
                    subject=event.subject,
                    about=row.about,
                    rows=[],
                    at=event.at,
                    created_at=at,
                ),
            )
            if len(notice.rows) < ROWS_AT_MOST and event.subject_id not in notice.rows:
                notice.rows.append(event.subject_id)
    keep(told.values(), at=at)


def keep(notices: Iterable[Notice], *, at: datetime) -> int:
    """Put notices into inboxes and on their way; those that were kept already are left as they are. Returns how many are new."""
    notices = list(notices)
    if not notices:
        return 0
    Notice.objects.bulk_create(notices, ignore_conflicts=True)
    new = list(Notice.objects.filter(pk__in=[notice.pk for notice in notices]).order_by("pk"))
    Sending.objects.bulk_create(_sendings(new, at=at))
    transaction.on_commit(lambda: ring("notices.tell"), robust=True)
    return len(new)


def concerned_by(events: Iterable[Event]) -> dict[tuple[str, str], Concerned]:
    """What the rows of events lead to, one query for each kind of row; rows that are gone lead nowhere."""
    by_subject: dict[str, set[str]] = defaultdict(set)
    for event in events:
        by_subject[event.subject].add(event.subject_id)
    found: dict[tuple[str, str], Concerned] = {}
    for name, ids in by_subject.items():
        subject = subject_of(name)
        if subject is None:
            continue
        ways = [(party, way) for party, some in subject.ways.items() for way in some]
        rows = subject.sides(subject.rows.filter(pk__in=ids)).order_by("pk")
        for pk, about, *ends in rows.values_list("pk", subject.about, *(way for _party, way in ways)):
            row = found.setdefault((name, str(pk)), Concerned(str(about)))
            for (party, _way), end in zip(ways, ends, strict=True):
                _add(row, party, end)
    return found


def _add_named(events: Collection[Event], found: dict[tuple[str, str], Concerned]) -> None:
    named = named_in(events)
    for event in events:
        row = found.get((event.subject, event.subject_id))
        if row is not None and event.pk in named:
            for party, organisations in named[event.pk].items():
                row.organisations[party] |= organisations


def _add(row: Concerned, party: Party, end: Any) -> None:
    if end is None:
        return
    if party in PERSONAL:
        row.people.add(end)
    elif party == Party.REGION:
        row.paths.add(end)
    else:
        row.organisations[party].add(end)


@dataclass(frozen=True)
class Crew:
    """members        organisation -> who acts for it
    coordinators   who coordinates which path of a region
    volunteers     everybody at the desk, where somebody has to be told there
    """

    members: dict[UUID, set[int]]
    coordinators: list[tuple[str, int]]
    volunteers: set[int]

    @classmethod
    def of(cls, found: dict[tuple[str, str], Concerned], is_for_the_desk: bool) -> "Crew":
        rows = found.values()
        organisations = {one for row in rows for some in row.organisations.values() for one in some}
        active = Membership.objects.filter(user__is_active=True)
        members: dict[UUID, set[int]] = defaultdict(set)
        acting = active.filter(organisation__in=organisations).exclude(role=Role.AUDITOR)
        for organisation, person in acting.values_list("organisation", "user"):
            members[organisation].add(person)
        coordinators: list[tuple[str, int]] = []
        if any(row.paths for row in rows):
            hers = active.filter(role=Role.COORDINATOR, regions__isnull=False)
            coordinators = list(hers.values_list("regions__path", "user"))
        volunteers: set[int] = set()
        if is_for_the_desk:
            volunteers = set(active.filter(role=Role.VOLUNTEER).values_list("user", flat=True))
        return cls(members, coordinators, volunteers)

    def hearing(self, kind: Kind, row: Concerned, event: Event) -> set[int]:
        people: set[int] = set()
        for party in kind.to:
            for organisation in row.organisations.get(party, ()):
                people |= self.members.get(organisation, set())
        if Party.POSTER in kind.to:
            people |= row.people
        if Party.REGION in kind.to:
            people |= {
                person for path, person in self.coordinators if any(at.startswith(path) for at in row.paths)
            }
        if Party.DESK in kind.to:
            people |= self.volunteers
        if Party.PERSON in kind.to and isinstance(event.facts.get("user"), int):
            people.add(event.facts["user"])
        return people


# -- By which channels -------------------------------------------------------------------------------------


def _sendings(notices: Sequence[Notice], *, at: datetime) -> list[Sending]:
    people = {notice.user_id for notice in notices}
    channels = channels_of(people)
    chosen = {
        (user, group, channel): how
        for user, group, channel, how in Choice.objects.filter(user__in=people).values_list(
            "user", "group", "channel", "how"
        )
    }
    habits = Habits.objects.in_bulk(people)
    sendings = []
    for notice in notices:
        for channel in sorted(channels[notice.user_id]):
            how = chosen.get((notice.user_id, notice.group, channel), default_of(notice.group, channel))
            if how != How.OFF:
                moment = habits.get(notice.user_id, Habits()).moment_for(how, at)
                sendings.append(
                    Sending(notice=notice, user_id=notice.user_id, channel=channel, next_at=moment)
                )
    return sendings


def channels_of(people: Collection[int]) -> dict[int, set[str]]:
    """Where each of them can be reached: by a confirmed address she lets us write to, and by robots of hers that speak."""
    found: dict[int, set[str]] = defaultdict(set)
    for user in addresses_of(people):
        found[user].add(Channel.MAIL)
    for user, channel in Robot.objects.speaking().filter(user__in=people).values_list("user", "channel"):
        found[user].add(channel)
    return found


def addresses_of(people: Collection[int]) -> dict[int, str]:
    known = EmailAddress.objects.filter(
        user__in=people, verified=True, user__is_active=True, user__reminded_by_mail=True
    )
    return dict(known.order_by("-pk").values_list("user", "email"))


def known_people(people: Collection[int]) -> dict[int, User]:
    return {user.pk: user for user in User.objects.filter(pk__in=people, is_active=True)}
