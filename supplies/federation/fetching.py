"""Reading from another site over HTTP, warily: what it answers is somebody else's, and so is what its name leads to.

https on port 443 only; no redirects, no name or password in the address. Every address a name leads to is looked at and the
connection goes to the very one that was looked at, so that a name cannot be changed in between. FEDERATION_HOSTS names hosts
("127.0.0.1:8001") that may be private and without TLS: another instance on the same machine.
"""

import http.client
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from supplies.errors import Refused

SECONDS_OF_SILENCE = 10.0
PIECE = 1 << 16
CUT = gettext_lazy("The connection was cut, or it took too long; it goes on from here next time.")
OUT_IN_THE_WORLD = ipaddress.ip_network("2000::/3")
# Of these, those with an IPv4 address inside them, which may be anybody's: 6to4, Teredo.
WRAPPED = [ipaddress.ip_network(net) for net in ("2002::/16", "2001::/32")]


class CannotFetch(Refused):
    """The other side is not reachable, is not where it may be, or does not answer as it should."""

    code = "cannot-fetch"


@dataclass(frozen=True)
class Site:
    """host, port   as they stand in the address
    is_named     the operator vouches for it in FEDERATION_HOSTS
    """

    scheme: str
    host: str
    port: int
    is_named: bool

    @property
    def address(self) -> str:
        return f"{self.scheme}://{self.authority}"

    @property
    def authority(self) -> str:
        usual = {"https": 443, "http": 80}[self.scheme]
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == usual else f"{host}:{self.port}"


def site_at(address: str) -> Site:
    """The site an address leads to. Raises CannotFetch for one that may not be asked."""
    try:
        parts = urlsplit(address)
        host, port = parts.hostname or "", parts.port or {"http": 80}.get(parts.scheme, 443)
    except ValueError:
        host, port = "", 0
    if not host or not address.isascii() or not address.isprintable() or " " in address:
        raise CannotFetch(_("This is not the address of a site."))
    if parts.path not in ("", "/") or parts.query or parts.fragment or parts.username or parts.password:
        raise CannotFetch(_("Give the address of the site alone, such as https://supplies.example.org."))
    is_named = f"{host}:{port}" in settings.FEDERATION_HOSTS
    if not is_named and (parts.scheme != "https" or port != 443):
        raise CannotFetch(_("Only https on its usual port is read."))
    if parts.scheme not in ("http", "https"):
        raise CannotFetch(_("Only https on its usual port is read."))
    return Site(parts.scheme, host, port, is_named)


def may_be_reached(address: str) -> bool:
    """Whether an IP address is out in the world, where everybody could read the same."""
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address) and not found.ipv4_mapped:
        return found in OUT_IN_THE_WORLD and found.is_global and not any(found in net for net in WRAPPED)
    found = getattr(found, "ipv4_mapped", None) or found
    return found.is_global and not found.is_multicast


def _addresses(site: Site) -> list[str]:
    try:
        found = socket.getaddrinfo(site.host, site.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise CannotFetch(_("There is no site of the name %(name)s.") % {"name": site.host}) from None
    addresses = [str(place[0]) for *_kind, place in found]
    if not site.is_named and not all(may_be_reached(address) for address in addresses):
        raise CannotFetch(_("%(name)s leads into a private network.") % {"name": site.host})
    return addresses


class _Plain(http.client.HTTPConnection):
    """A connection to the address that was looked at; its name is not asked for again."""

    def __init__(self, site: Site) -> None:
        super().__init__(site.host, site.port, timeout=SECONDS_OF_SILENCE)
        self.site = site
        self.line: socket.socket | None = None

    def connect(self) -> None:
        address = _addresses(self.site)[0]
        self.sock = self.line = socket.create_connection((address, self.site.port), self.timeout)

    def hang_up(self) -> None:
        """From another thread: whatever is waited for ends now."""
        if self.line is not None:
            with suppress(OSError):
                self.line.shutdown(socket.SHUT_RDWR)


class _Secret(_Plain):
    def connect(self) -> None:
        super().connect()
        context = ssl.create_default_context()
        self.sock = self.line = context.wrap_socket(
            self.sock, server_hostname=self.site.host, do_handshake_on_connect=False
        )
        self.sock.do_handshake()


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
    connection = (_Secret if site.scheme == "https" else _Plain)(site)
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


def _answer(connection: _Plain, path: str, headers: Mapping[str, str]) -> http.client.HTTPResponse:
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    ours = {"Host": connection.site.authority, "Accept-Encoding": "identity", "User-Agent": "Tongzhou"}
    try:
        connection.request("GET", path, headers={**ours, **given})
        return connection.getresponse()
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
