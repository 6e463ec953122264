"""One message over HTTP to where somebody told us to. Knows nothing of the database, so that many can be sent at a time.

Where it may go is judged when the connection is made, for a trial as for any other message. Redirects are not followed, and
whatever the other side does, it is hung up on after ten seconds and no more than a few bytes of its answer are read.
"""

import http.client
import threading
import time
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime

from django.conf import settings
from django.utils.translation import gettext as _

from supplies.connecting import CannotConnect, PlainLine, Site, line_to, site_of
from supplies.leaks import masked
from supplies.notices.models import EXCERPT, Problem

SECONDS = 10.0
MOST_READ = 4 * EXCERPT  # bytes, so that an excerpt in any script is whole
LONGEST_URL = 500


@dataclass(frozen=True)
class Answer:
    """status       of HTTP; None where there was no answer
    problem      empty where it got through
    retry_after  the header, as it was sent
    """

    took_ms: int
    status: int | None = None
    problem: str = ""
    excerpt: str = ""
    retry_after: str = ""


def target_of(url: str, named: Collection[str] | None = None) -> tuple[Site, str]:
    """The site and the path of an address. Raises CannotConnect for one that is never sent to.

    named    see `connecting`; those that webhooks may be sent to, if none are given
    """
    site, parts = site_of(url, named=settings.WEBHOOK_HOSTS if named is None else named)
    if len(url) > LONGEST_URL:
        raise CannotConnect(_("This address is longer than %(most)d characters.") % {"most": LONGEST_URL})
    if parts.fragment:
        raise CannotConnect(_("Leave out of the address what follows the sign #."))
    return site, (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def post(url: str, body: bytes, headers: dict[str, str], *, named: Collection[str] | None = None) -> Answer:
    """Send a message and read the beginning of the answer. Raises nothing: what went wrong is the answer."""
    began = time.monotonic()
    try:
        site, path = target_of(url, named)
        line = line_to(site)
    except CannotConnect:
        return Answer(0, problem=Problem.ADDRESS)
    timer = threading.Timer(SECONDS, line.hang_up)
    timer.daemon = True
    timer.start()
    try:
        return _answer(line, path, body, headers, began)
    except CannotConnect:
        return Answer(_ms(began), problem=Problem.ADDRESS)
    except (OSError, ValueError, http.client.HTTPException):
        return Answer(_ms(began), problem=Problem.NO_ANSWER)
    finally:
        timer.cancel()
        line.close()


def _answer(line: PlainLine, path: str, body: bytes, headers: dict[str, str], began: float) -> Answer:
    ours = {
        "Host": line.site.authority,
        "Content-Type": "application/json",
        "Accept-Encoding": "identity",
        "User-Agent": "Tongzhou-Webhooks",
        "Connection": "close",
    }
    line.request("POST", path, body, {**ours, **headers})
    answer = line.getresponse()
    excerpt = _beginning(answer)
    problem = "" if 200 <= answer.status < 300 else Problem.STATUS
    if 300 <= answer.status < 400:
        problem = Problem.REDIRECT
    retry_after = answer.headers.get("Retry-After", "")
    return Answer(_ms(began), answer.status, problem, excerpt, retry_after)


def _beginning(answer: http.client.HTTPResponse) -> str:
    """The first characters a person can read; without telephone numbers, which nobody should have sent."""
    found = b""
    try:
        while len(found) < MOST_READ and (piece := answer.read1(MOST_READ - len(found))):
            found += piece
    except (OSError, ValueError, http.client.HTTPException):
        pass  # the status has been said, and that is what counts
    text = found.decode("utf-8", "replace")
    return masked("".join(sign if sign.isprintable() else " " for sign in text).strip())[:EXCERPT]


def _ms(began: float) -> int:
    return round((time.monotonic() - began) * 1000)


def seconds_asked_for(retry_after: str, *, at: datetime) -> float:
    """What Retry-After asks for, as a number of seconds or as a date; 0 where it asks for nothing that can be read."""
    try:
        if retry_after.isascii() and retry_after.isdigit():
            return float(retry_after[:9])
        return max(0.0, (parsedate_to_datetime(retry_after) - at).total_seconds())
    except (TypeError, ValueError, OverflowError):
        return 0.0
