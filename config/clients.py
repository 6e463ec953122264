"""Whose request this is, as far as the network tells: what limits and back-off count by."""

from ipaddress import IPv6Address, ip_address, ip_network

from django.conf import settings
from django.http import HttpRequest


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
