"""Robots of WeCom and DingTalk: set up, tried, and spoken to through `apprise`, which knows how each wants to be spoken to.

A robot speaks in a chat where others read along, so it is told the heading of a notice and a link, nothing of what stands in it.
It is set up by the address its chat shows; only the official hosts are ever sent to.
"""

import json
import threading
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from importlib import import_module
from typing import Any
from urllib.parse import parse_qs, urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from supplies.journal.services import record
from supplies.notices.inbox import Channel, Robot
from supplies.notices.models import Problem
from supplies.notices.posting import Answer, post
from supplies.organisations.models import User

PATHS = {  # where the address of a robot leads, and which part of it is its key
    Channel.WECOM: ("/cgi-bin/webhook/send", "key"),
    Channel.DINGTALK: ("/robot/send", "access_token"),
}
MOST_BYTES = 1_800  # of a text; WeCom takes 2,048


@transaction.atomic
def set_up(user: User, channel: str, *, address: str, secret: str = "", at: datetime) -> Robot:
    """Let a robot tell this person's news, in the place of one that did before.

    address   as the chat shows it
    secret    what DingTalk calls the signature; WeCom has none

    Raises ValidationError for the address of something else.
    """
    key = key_in(channel, address)
    if secret and (channel != Channel.DINGTALK or not secret.isascii() or not secret.isalnum()):
        raise ValidationError({"secret": _("Copy the secret as DingTalk shows it: it begins with SEC.")})
    Robot.objects.filter(user=user, channel=channel).delete()
    robot = Robot(user=user, channel=channel, created_at=at)
    robot.key, robot.secret = key, secret
    robot.save(force_insert=True)
    record(user, "account.robot_set_up", by=user, at=at, channel=str(channel))
    return robot


@transaction.atomic
def take_away(user: User, channel: str, *, at: datetime) -> None:
    if Robot.objects.filter(user=user, channel=channel).delete()[0]:
        record(user, "account.robot_taken_away", by=user, at=at, channel=str(channel))


def key_in(channel: str, address: str) -> str:
    """What the address of a robot holds; only addresses of its official host are robots' addresses."""
    official = urlsplit(settings.ROBOT_SITES[channel])
    path, name = PATHS[Channel(channel)]
    try:
        parts = urlsplit(address.strip())
        where = (parts.scheme, parts.netloc.lower(), parts.path.rstrip("/"))
        key = parse_qs(parts.query).get(name, [""])[0]
    except ValueError:
        where, key = ("", "", ""), ""
    if (
        where != (official.scheme, official.netloc, path)
        or not key.isascii()
        or not key.replace("-", "").isalnum()
    ):
        raise ValidationError(
            {
                "address": _("Copy the whole address of the robot from its chat: it begins with %(begin)s")
                % {"begin": f"{settings.ROBOT_SITES[channel]}{path}?{name}="}
            }
        )
    return key


# -- Speaking ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Posted:
    """What `apprise` looks at of an answer."""

    status_code: int
    content: bytes


class ThroughOurLine:
    """What `apprise` posts by, in the place of `requests`: the one rule for which addresses may be connected to holds when the
    connection is made, redirects are not followed, and the answer is kept. Both robots say 200 where they refuse."""

    class RequestException(Exception):
        pass

    class codes:
        ok = 200

    def __init__(self) -> None:
        self.kept = threading.local()

    def post(self, url: str, *, data: bytes | str, headers: Any, params: Any = None, **_ours: Any) -> Any:
        if params:
            url = f"{url}&{'&'.join(f'{name}={value}' for name, value in params.items())}"  # quoted already
        body = data if isinstance(data, bytes) else data.encode()
        answer = post(url, body, {"Content-Type": headers["Content-Type"]}, named=settings.ROBOT_HOSTS)
        self.kept.answer = answer
        if answer.status is None:
            raise self.RequestException
        return Posted(answer.status, answer.excerpt.encode())

    def take(self) -> Answer:
        answer: Answer = self.kept.__dict__.pop("answer", Answer(0, problem=Problem.NO_ANSWER))
        return answer


OUR_LINE = ThroughOurLine()


def speak(channel: str, key: str, secret: str, text: str) -> Answer:
    """Let a robot say something. Raises nothing: what went wrong is the answer. Touches no database."""
    site, (path, name) = settings.ROBOT_SITES[channel], PATHS[Channel(channel)]
    robot: Any
    if channel == Channel.WECOM:
        robot = plugins().wecom(key=key)
        robot.api_url = f"{site}{path}?{name}={key}"
    else:
        robot = plugins().dingtalk(token=key, secret=secret or None)
        robot.notify_url = f"{site}{path}?{name}={{token}}"
    robot.send(body=text.encode()[:MOST_BYTES].decode(errors="ignore"))
    return _judged(OUR_LINE.take())


@dataclass(frozen=True)
class Plugins:
    wecom: Any
    dingtalk: Any


@lru_cache
def plugins() -> Plugins:
    """Those of `apprise`, which take half a second to read: only a worker that speaks needs them.

    They post by the name `requests` of their modules and let nothing else be handed to them.
    """
    found = [import_module(f"apprise.plugins.{name}") for name in ("wecombot", "dingtalk")]
    for module in found:
        module.requests = OUR_LINE  # type: ignore[attr-defined]
    return Plugins(found[0].NotifyWeComBot, found[1].NotifyDingTalk)


def _judged(answer: Answer) -> Answer:
    """A refusal that came with the status of a success, for what it is."""
    if answer.problem:
        return answer
    try:
        is_well = json.loads(answer.excerpt).get("errcode") == 0
    except (ValueError, AttributeError):
        is_well = False
    return answer if is_well else Answer(answer.took_ms, answer.status, Problem.STATUS, answer.excerpt)
