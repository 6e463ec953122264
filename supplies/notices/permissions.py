"""Who may say where an organisation's events are sent."""

from typing import Any

from supplies.notices.models import WebhookEndpoint
from supplies.organisations.models import Membership, Organisation, OrganisationQuerySet


def managed_by(user: Any) -> OrganisationQuerySet:
    """The organisations whose webhooks a person looks after: she manages them; an administrator all."""
    if not user.is_authenticated:
        return Organisation.objects.none()
    if user.is_superuser:
        return Organisation.objects.all()
    managed = Membership.objects.managing().filter(user=user)
    return Organisation.objects.filter(pk__in=managed.values("organisation"))


def may_disable(user: Any, endpoint: WebhookEndpoint) -> bool:
    """At the desk: an administrator."""
    return bool(user.is_active and user.is_superuser)
