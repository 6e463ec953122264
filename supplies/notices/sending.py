"""Sending notices out of the house: what is due to a person at the same time by the same channel goes as one letter.

A mail is handed to the journal's outbox in the transaction that writes it down as sent: it cannot be lost in between. A robot
is spoken to by threads that touch no database, under leases, and tried again after the same waits as a webhook.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from supplies.needs.reminders import address
from supplies.notices import reminding
from supplies.notices.carrying import wait_after
from supplies.notices.choosing import word_that_ends
from supplies.notices.concerning import addresses_of, known_people
from supplies.notices.inbox import ROBOTS, Channel, Choice, Group, How, Notice, Robot, Sending, SendingStatus
from supplies.notices.models import ATTEMPTS
from supplies.notices.posting import Answer
from supplies.notices.reading import Read, path_in_mail, read
from supplies.notices.robots import speak
from supplies.organisations.models import User

PEOPLE = 50  # whose letters are written in one transaction
IN_A_LETTER = 30  # notices; of more it says how many
IN_A_CHAT = 10
SPEAKING = 8  # robots at a time
LEASE = timedelta(minutes=2)  # far longer than a robot can take
ROUNDS = 20  # of one task; then others of the queue have their turn


def tell(*, at: datetime) -> int:
    """Send what is due. Returns how many letters were written and robots spoken to."""
    told = 0
    for _round in range(ROUNDS):
        done = write_letters(at=at)
        told += done
        if done < PEOPLE:
            break
    for _round in range(ROUNDS):
        spoken = note(speak_all(take(at=at)), at=at)
        told += spoken
        if spoken < PEOPLE:
            break
    return told


def forget(*, at: datetime) -> int:
    """Drop notices whose time is over, read or not. Returns how many."""
    return Notice.objects.filter(created_at__lt=at - timedelta(days=settings.NOTICES_KEPT_DAYS)).delete()[0]


# -- Mail --------------------------------------------------------------------------------------------------


@transaction.atomic
def write_letters(*, at: datetime) -> int:
    """Write to up to so many people what is due to them by mail. Returns to how many."""
    by_person = _due([Channel.MAIL], at=at)
    people = known_people([user for user, _channel in by_person])
    addresses = addresses_of(people)
    for (user, _channel), rows in by_person.items():
        person, email = people.get(user), addresses.get(user, "")
        wanted = _still_wanted(rows, at=at) if person and email else []
        if person and wanted:
            _write(person, email, [row.notice for row in wanted])
        _end(rows, wanted, at=at)
    return len(by_person)


def _due(channels: Iterable[str], *, at: datetime) -> dict[tuple[int, str], list[Sending]]:
    """What is due, locked, of those who have waited longest: by person and channel, the oldest first."""
    waiting = Sending.objects.due(at).filter(channel__in=list(channels))
    people = list(
        dict.fromkeys(waiting.order_by("next_at", "pk").values_list("user", flat=True)[: PEOPLE * 10])
    )[:PEOPLE]
    rows = waiting.filter(user__in=people).select_related("notice")
    found: dict[tuple[int, str], list[Sending]] = defaultdict(list)
    for row in rows.select_for_update(skip_locked=True, of=("self",)).order_by("notice__at", "pk"):
        found[row.user_id, row.channel].append(row)
    return found


def _still_wanted(rows: Sequence[Sending], *, at: datetime) -> list[Sending]:
    """Without what is done by now, and what was switched off while it waited."""
    off = set(
        Choice.objects.filter(user=rows[0].user_id, channel=rows[0].channel, how=How.OFF).values_list(
            "group", flat=True
        )
    )
    return [
        row
        for row in rows
        if row.notice.group not in off
        and not (
            row.notice.group == Group.REMINDERS and reminding.is_over(row.notice.kind, row.notice.rows, at=at)
        )
    ]


def _end(rows: Iterable[Sending], sent: Iterable[Sending], *, at: datetime) -> None:
    sent_keys = {row.pk for row in sent}
    for row in rows:
        row.move_to(SendingStatus.SENT if row.pk in sent_keys else SendingStatus.DROPPED)
        row.tried_at = at
    Sending.objects.bulk_update(rows, ["status", "tried_at"])


def _write(person: User, email: str, notices: Sequence[Notice]) -> None:
    groups = sorted({notice.group for notice in notices})
    ends = address(reverse("end-notices", args=[word_that_ends(person, groups)]))
    with translation.override(person.language or settings.LANGUAGE_CODE):
        told = read(notices[:IN_A_LETTER], person)
        text = {
            "told": [(each, address(path_in_mail(each, person)) if each.path else "") for each in told],
            "more": len(notices) - len(told),
            "inbox": address(reverse("inbox")),
            "choices": address(reverse("notification-choices")),
            "ends": ends,
        }
        subject = told[0].title if len(told) == 1 else _heading(len(notices))
        # RFC 2369 and 8058: mailboxes show a button of their own, which posts without opening the page.
        headers = {"List-Unsubscribe": f"<{ends}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
        body = render_to_string("notices/mail/notices.txt", text)
        EmailMessage(subject, body, None, [email], headers=headers).send()


def _heading(count: int) -> str:
    return ngettext("%(count)d piece of news for you", "%(count)d pieces of news for you", count) % {
        "count": count
    }


# -- Robots ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Message:
    """What a robot is to say, and which rows are told by it."""

    sendings: Sequence[UUID]
    robot: UUID
    channel: str
    key: str
    secret: str
    text: str


@transaction.atomic
def take(*, at: datetime) -> list[Message]:
    """What robots are to say now, leased."""
    by_robot = _due(ROBOTS, at=at)
    people = known_people([user for user, _channel in by_robot])
    robots = {
        (robot.user_id, robot.channel): robot for robot in Robot.objects.speaking().filter(user__in=people)
    }
    messages = []
    for key, rows in by_robot.items():
        robot = robots.get(key)
        wanted = _still_wanted(rows, at=at) if robot else []
        _end([row for row in rows if row not in wanted], [], at=at)
        if robot and wanted:
            Sending.objects.filter(pk__in=[row.pk for row in wanted]).update(lease_until=at + LEASE)
            text = _said(people[key[0]], [row.notice for row in wanted])
            messages.append(
                Message([row.pk for row in wanted], robot.pk, robot.channel, robot.key, robot.secret, text)
            )
    return messages


def _said(person: User, notices: Sequence[Notice]) -> str:
    """Headings and links, since others read along."""
    with translation.override(person.language or settings.LANGUAGE_CODE):
        told: list[Read] = read(notices[:IN_A_CHAT], person)
        lines = [f"{each.title}\n{address(each.path or reverse('inbox'))}" for each in told]
        if len(notices) > len(told):
            lines.append(f"{_heading(len(notices))}: {address(reverse('inbox'))}")
        return "\n\n".join([str(_("Tongzhou")), *lines])


def speak_all(messages: Sequence[Message]) -> list[tuple[Message, Answer]]:
    if not messages:
        return []
    with ThreadPoolExecutor(SPEAKING, thread_name_prefix="robots") as pool:
        answers = pool.map(lambda each: speak(each.channel, each.key, each.secret, each.text), messages)
        return list(zip(messages, answers, strict=True))


@transaction.atomic
def note(spoken: Sequence[tuple[Message, Answer]], *, at: datetime) -> int:
    """Write down how it went, and when what failed is tried again. Returns how many robots were spoken to."""
    for message, answer in spoken:
        waiting = Sending.objects.waiting().filter(pk__in=message.sendings).order_by("pk")
        rows = list(waiting.select_for_update(of=("self",)))
        for row in rows:
            _note(row, answer, at=at)
        Sending.objects.bulk_update(
            rows, ["status", "attempts", "tried_at", "next_at", "lease_until", "problem"]
        )
        robot = Robot.objects.filter(pk=message.robot)
        if not answer.problem:
            robot.update(succeeded_at=at)
        elif any(row.status == SendingStatus.FAILED for row in rows):
            robot.update(is_off=True)
    return len(spoken)


def _note(row: Sending, answer: Answer, *, at: datetime) -> None:
    row.lease_until, row.tried_at, row.problem = None, at, answer.problem
    row.attempts += 1
    if not answer.problem:
        row.move_to(SendingStatus.SENT)
    elif row.attempts >= ATTEMPTS:
        row.move_to(SendingStatus.FAILED)
    else:
        row.next_at = at + wait_after(row.attempts, answer.retry_after, at=at)
