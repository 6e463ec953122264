"""How a page of a lower concept shows who can be reached: a template puts concepts together as `desks` does."""

from typing import Any

from django import template
from django.utils import timezone

from supplies.privacy import reaching

register = template.Library()


@register.inclusion_tag("privacy/_contacts.html", takes_context=True)
def contacts_of_facility(context: Any, facility: Any) -> dict[str, Any]:
    """The numbers of a site, masked; a button for those who may be shown them."""
    return _told(context, reaching.at_facility(context["user"], facility, at=timezone.now()))


@register.inclusion_tag("privacy/_contacts.html", takes_context=True)
def contacts_of_shipment(context: Any, shipment: Any) -> dict[str, Any]:
    """Who takes the goods in and who carries them, for those on board."""
    return _told(context, reaching.of_shipment(context["user"], shipment, at=timezone.now()))


@register.filter
def hand_overs(shipment: Any) -> list[reaching.HandOver]:
    """Where the goods on board are brought, as the appeals they are for say."""
    return reaching.HandOver.of_shipment(shipment)


def _told(context: Any, contacts: list[reaching.Reached]) -> dict[str, Any]:
    return {"contacts": contacts, "csrf_token": context.get("csrf_token")}
