"""Connecting to where somebody else says: the one rule for which addresses may be reached, asked when a connection is made.

https on its usual port only; no name or password in the address. Every address a name leads to is looked at and the
connection goes to the very one that was looked at, so that a name cannot be changed in between; the certificate has to be of
the name. A setting may name hosts with their port ("127.0.0.1:8001") that are private or without TLS: the operator vouches.
"""

import http.client
import ipaddress
import socket
import ssl
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import SplitResult, urlsplit

from django.utils.translation import gettext as _

from supplies.errors import Refused

SECONDS_OF_SILENCE = 10.0
USUAL = {"https": 443, "http": 80}
OUT_IN_THE_WORLD = ipaddress.ip_network("2000::/3")
# Of these, those with an IPv4 address inside them, which may be anybody's: 6to4, Teredo.
WRAPPED = [ipaddress.ip_network(net) for net in ("2002::/16", "2001::/32")]

# Of IPv4, what Python takes for global or not by its version: protocol assignments, clouds' metadata among them; 6to4 relays.
NOT_GLOBAL = [ipaddress.ip_network(net) for net in ("192.0.0.0/24", "192.88.99.0/24")]


class CannotConnect(Refused):
    """The other side is not where it may be, or its name leads nowhere."""

    code = "cannot-connect"


@dataclass(frozen=True)
class Site:
    """host, port   as they stand in the address
    is_named     the operator vouches for it
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
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == USUAL[self.scheme] else f"{host}:{self.port}"


def site_of(address: str, *, named: Collection[str]) -> tuple[Site, SplitResult]:
    """The site an address leads to, and the address in its parts. Raises CannotConnect for one that may not be asked.

    named    hosts with their port that may be private or without TLS
    """
    try:
        parts = urlsplit(address)
        host, port = parts.hostname or "", parts.port or USUAL.get(parts.scheme, USUAL["https"])
    except ValueError:
        raise CannotConnect(_("This is not the address of a site.")) from None
    if not host or not address.isascii() or not address.isprintable() or " " in address:
        raise CannotConnect(_("This is not the address of a site."))
    if parts.username is not None or parts.password is not None:
        raise CannotConnect(_("Leave name and password out of the address."))
    is_named = f"{host}:{port}" in named
    if parts.scheme not in USUAL or (not is_named and (parts.scheme != "https" or port != USUAL["https"])):
        raise CannotConnect(_("Only https on its usual port is connected to."))
    # A number says by itself where it leads; a name is looked up when it is connected to.
    if not is_named and _is_a_number(host) and not may_be_reached(host):
        raise CannotConnect(_("%(name)s leads into a private network.") % {"name": host})
    return Site(parts.scheme, host, port, is_named), parts


def _is_a_number(host: str) -> bool:
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True


def may_be_reached(address: str) -> bool:
    """Whether an IP address is out in the world, where everybody could read the same."""
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address) and not found.ipv4_mapped:
        return found in OUT_IN_THE_WORLD and found.is_global and not any(found in net for net in WRAPPED)
    found = getattr(found, "ipv4_mapped", None) or found
    return found.is_global and not found.is_multicast and not any(found in net for net in NOT_GLOBAL)


def addresses_of(site: Site) -> list[str]:
    """Where its name leads just now. Raises CannotConnect if nowhere, or if any of it may not be reached."""
    try:
        found = socket.getaddrinfo(site.host, site.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise CannotConnect(_("There is no site of the name %(name)s.") % {"name": site.host}) from None
    addresses = [str(place[0]) for *_kind, place in found]
    if not site.is_named and not all(may_be_reached(address) for address in addresses):
        raise CannotConnect(_("%(name)s leads into a private network.") % {"name": site.host})
    return addresses


def line_to(site: Site) -> "PlainLine":
    """A connection that is not made yet."""
    return (SecretLine if site.scheme == "https" else PlainLine)(site)


class PlainLine(http.client.HTTPConnection):
    """A connection to the address that was looked at; its name is not asked for again."""

    def __init__(self, site: Site) -> None:
        super().__init__(site.host, site.port, timeout=SECONDS_OF_SILENCE)
        self.site = site
        self.line: socket.socket | None = None
        self.is_hung_up = False

    def connect(self) -> None:
        address = addresses_of(self.site)[0]
        self.sock = self.line = socket.create_connection((address, self.site.port), self.timeout)

    def hang_up(self) -> None:
        """From another thread: whatever is waited for ends now."""
        self.is_hung_up = True
        if self.line is not None:
            with suppress(OSError):
                self.line.shutdown(socket.SHUT_RDWR)


class SecretLine(PlainLine):
    def connect(self) -> None:
        super().connect()
        self.sock = self.line = trusted().wrap_socket(
            self.sock, server_hostname=self.site.host, do_handshake_on_connect=False
        )
        self.sock.do_handshake()


@lru_cache
def trusted() -> ssl.SSLContext:
    """Whose certificates are believed: the system's. Reading them takes longer than a whole request."""
    return ssl.create_default_context()
