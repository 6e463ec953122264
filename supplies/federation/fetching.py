"""Reading from another site over HTTP, warily: what it answers is somebody else's, and so is what its name leads to.

Where we may be led is `supplies.connecting`'s to say; redirects are not followed. FEDERATION_HOSTS names hosts
("127.0.0.1:8001") that may be private and without TLS: another instance on the same machine.
"""

import http.client
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from supplies.connecting import CannotConnect, PlainLine, Site, line_to, site_of
from supplies.errors import Refused

PIECE = 1 << 16
CUT = gettext_lazy("The connection was cut, or it took too long; it goes on from here next time.")


class CannotFetch(Refused):
    """The other side is not reachable, is not where it may be, or does not answer as it should."""

    code = "cannot-fetch"


def site_at(address: str) -> Site:
    """The site an address leads to. Raises CannotFetch for one that may not be asked."""
    try:
        site, parts = site_of(address, named=settings.FEDERATION_HOSTS)
    except CannotConnect as refusal:
        raise CannotFetch(refusal.detail) from None
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        raise CannotFetch(_("Give the address of the site alone, such as https://supplies.example.org."))
    return site


@dataclass(frozen=True)
class Answer:
    """until   the moment of time.monotonic() at which it is hung up on"""

    status: int
    headers: Mapping[str, str]
    body: Any
    until: float

    def pieces(self, most: int) -> Iterator[bytes]:
        """The body as it comes. Raises CannotFetch when it is longer than `most` bytes, stops, or takes too long."""
        left = most
        while piece := _read(self.body):
            left -= len(piece)
            if left < 0:
                raise CannotFetch(_("The answer is larger than %(most)d bytes.") % {"most": most})
            yield piece
        # A body without a stated length ends where the line does, also where it was we who hung up.
        if self.body.length or time.monotonic() > self.until:
            raise CannotFetch(CUT)

    def whole(self, most: int) -> bytes:
        return b"".join(self.pieces(most))


def _read(body: Any) -> bytes:
    try:
        return bytes(body.read1(PIECE))
    except (OSError, ValueError, http.client.HTTPException):
        raise CannotFetch(CUT) from None


@contextmanager
def asked(site: Site, path: str, *, until: float, **headers: str) -> Iterator[Answer]:
    """GET one path, until a moment of time.monotonic(). Headers by name with _ for -. Raises CannotFetch, also for redirects."""
    connection = line_to(site)
    timer = threading.Timer(max(0.0, until - time.monotonic()), connection.hang_up)
    timer.start()
    try:
        answer = _answer(connection, path, headers)
        if 300 <= answer.status < 400 and answer.status != 304:
            raise CannotFetch(_("%(name)s leads elsewhere; that is not followed.") % {"name": site.host})
        yield Answer(answer.status, answer.headers, answer, until)  # type: ignore[arg-type]
    finally:
        timer.cancel()
        connection.close()


def _answer(connection: PlainLine, path: str, headers: Mapping[str, str]) -> http.client.HTTPResponse:
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    ours = {"Host": connection.site.authority, "Accept-Encoding": "identity", "User-Agent": "Tongzhou"}
    try:
        connection.request("GET", path, headers={**ours, **given})
        return connection.getresponse()
    except CannotConnect as refusal:
        raise CannotFetch(refusal.detail) from None
    except (OSError, ValueError, http.client.HTTPException) as error:
        name, kind = connection.site.host, type(error).__name__
        raise CannotFetch(_("%(name)s does not answer (%(kind)s).") % {"name": name, "kind": kind}) from None


def asked_whole(site: Site, path: str, *, most: int, until: float) -> bytes:
    """All of a small answer. Raises CannotFetch unless it is one."""
    with asked(site, path, until=until) as answer:
        if answer.status != 200:
            raise CannotFetch(
                _("%(path)s was answered with %(status)d.") % {"path": path, "status": answer.status}
            )
        return answer.whole(most)
