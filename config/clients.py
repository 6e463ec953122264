"""Whose request this is: what limits count by, and what the log may call it."""

from ipaddress import IPv6Address, ip_address, ip_network

from django.conf import settings
from django.db import Error
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import salted_hmac
from rest_framework.exceptions import AuthenticationFailed

from config.api_tokens import TokenAuthentication


def client_of(request: HttpRequest) -> str:
    """The address the request came from, as the outermost proxy we trust has seen it.

    Behind settings.TRUSTED_PROXIES proxies of our own, each appends what it saw to X-Forwarded-For; whatever stands further
    left was written by the client and is not believed.
    """
    hops = settings.TRUSTED_PROXIES
    seen = [part.strip() for part in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")]
    address = seen[-hops] if 0 < hops <= len(seen) else request.META.get("REMOTE_ADDR", "")
    try:
        return str(ip_address(address))
    except ValueError:
        return "unknown"


def network_of(request: HttpRequest, *, ipv4: int = 32) -> str:
    """The network one household or house shares: /64 of IPv6, since a client has all of it; the address itself in IPv4.

    ipv4    how much of an IPv4 address counts, where neighbours may be one client: 24
    """
    client = client_of(request)
    if client == "unknown":
        return client
    address = ip_address(client)
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    prefix = 64 if isinstance(address, IPv6Address) else ipv4
    return str(address) if prefix == 32 else str(ip_network((address, prefix), strict=False))


def pseudonym_of(request: HttpRequest) -> str:
    """A name for the client's network that tells nobody the address and is another one tomorrow."""
    return salted_hmac(f"client {timezone.now():%Y-%m-%d}", network_of(request)).hexdigest()[:16]


def principal_of(request: HttpRequest) -> tuple[str, str]:
    """("token", its id), ("account", its id) or ("stranger", the network's pseudonym).

    A token that is not valid is a stranger's: what is shown on the way in proves nothing. While the database is away,
    everybody is a stranger.
    """
    try:
        if shown := _token_of(request):
            return "token", shown
        if request.user.is_authenticated:
            return "account", str(request.user.pk)
    except Error:
        pass
    return "stranger", pseudonym_of(request)


def _token_of(request: HttpRequest) -> str:
    """The id of the valid token this request of a program shows."""
    if "HTTP_AUTHORIZATION" not in request.META or not request.path_info.startswith("/api/"):
        return ""
    try:
        found = TokenAuthentication().authenticate(request)  # type: ignore[arg-type]
    except AuthenticationFailed:
        return ""
    return str(found[1].pk) if found else ""
