"""The verbs of webhooks: add, test, rotate, disable, enable, remove; and sending again what was sent or given up."""

from collections.abc import Collection
from datetime import datetime, timedelta

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.mail import send_mail
from django.db import transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from supplies.accounts.services import managers_to_write_to
from supplies.connecting import CannotConnect
from supplies.errors import MoveRefused, Refused
from supplies.journal.services import record, ring
from supplies.leaks import masked
from supplies.notices.models import (
    TEST,
    DeliveryStatus,
    Disabled,
    EndpointStatus,
    WebhookDelivery,
    WebhookEndpoint,
)
from supplies.notices.posting import target_of
from supplies.notices.signing import new_secret
from supplies.organisations.models import Organisation, User

MOST_ENDPOINTS = 10  # of one organisation
OLD_SECRET_SIGNS_FOR = timedelta(hours=24)
KEPT = timedelta(days=30)
AT_ONCE = 5_000  # rows forgotten in one statement


@transaction.atomic
def add(
    organisation: Organisation, *, url: str, kinds: Collection[str], by: User | None, at: datetime
) -> tuple[WebhookEndpoint, str]:
    """A new endpoint, and its secret, which is not told again. Raises ValidationError for an address we never send to."""
    try:
        target_of(url)
    except CannotConnect as refusal:
        raise ValidationError({"url": str(refusal.detail)}) from None
    if not kinds or set(kinds) - set(settings.WEBHOOK_KINDS):
        raise ValidationError({"kinds": _("Choose at least one of the kinds of events there are.")})
    organisation = Organisation.objects.select_for_update().get(
        pk=organisation.pk
    )  # so that they are counted
    if organisation.webhook_endpoints.standing().count() >= MOST_ENDPOINTS:
        raise Refused(
            _("There are %(most)d webhooks already; remove one of them first.") % {"most": MOST_ENDPOINTS},
            code="too-many-webhooks",
        )
    endpoint = WebhookEndpoint(
        organisation=organisation, url=url, kinds=sorted(set(kinds)), created_at=at, created_by=by
    )
    endpoint.secret = new_secret()
    endpoint.save(force_insert=True)
    record(endpoint, "webhook.added", by=by, at=at, organisation=str(organisation.pk))
    return endpoint, endpoint.secret


@transaction.atomic
def test(endpoint: WebhookEndpoint, *, by: User | None, at: datetime) -> WebhookDelivery:
    """A message that says nothing, on the way of every other. Raises MoveRefused unless the endpoint is active."""
    endpoint = _locked(endpoint)
    if endpoint.status != EndpointStatus.ACTIVE:
        raise MoveRefused(_("Nothing is sent there now. Switch it on first."))
    delivery = WebhookDelivery.objects.create(
        endpoint=endpoint, kind=TEST, created_at=at, began_at=at, next_at=at
    )
    record(endpoint, "webhook.tested", by=by, at=at)
    _send_soon()
    return delivery


@transaction.atomic
def rotate(endpoint: WebhookEndpoint, *, by: User | None, at: datetime) -> tuple[WebhookEndpoint, str]:
    """A new secret. The one before signs beside it for a day; one before that, not any more."""
    endpoint = _locked(endpoint)
    _stands(endpoint)
    endpoint.old_secret, endpoint.old_secret_until = endpoint.secret, at + OLD_SECRET_SIGNS_FOR
    endpoint.secret = new_secret()
    endpoint.save(update_fields=["secret_sealed", "old_secret_sealed", "old_secret_until"])
    record(endpoint, "webhook.rotated", by=by, at=at)
    return endpoint, endpoint.secret


@transaction.atomic
def disable(
    endpoint: WebhookEndpoint, *, by: User | None, at: datetime, because: str = Disabled.BY_HAND
) -> WebhookEndpoint:
    """Send nothing there. What waits stays; of what happens meanwhile it is not told. Its managers hear, unless they did it."""
    endpoint = _locked(endpoint)
    endpoint.move_to(EndpointStatus.DISABLED)
    endpoint.disabled_because = because
    endpoint.save(update_fields=["status", "disabled_because"])
    record(endpoint, "webhook.disabled", by=by, at=at, because=str(because))
    if because != Disabled.BY_HAND:
        _write_to_managers(endpoint)
    return endpoint


@transaction.atomic
def enable(endpoint: WebhookEndpoint, *, by: User | None, at: datetime) -> WebhookEndpoint:
    """Send there again, first what has waited."""
    endpoint = _locked(endpoint)
    endpoint.move_to(EndpointStatus.ACTIVE)
    endpoint.disabled_because, endpoint.slow_until = "", None
    endpoint.save(update_fields=["status", "disabled_because", "slow_until"])
    record(endpoint, "webhook.enabled", by=by, at=at)
    _send_soon()
    return endpoint


@transaction.atomic
def remove(endpoint: WebhookEndpoint, *, by: User | None, at: datetime) -> WebhookEndpoint:
    """For good: its secrets are gone, and nothing is sent there any more."""
    endpoint = _locked(endpoint)
    endpoint.move_to(EndpointStatus.REMOVED)
    endpoint.disabled_because, endpoint.old_secret_until = "", None
    endpoint.secret_sealed = endpoint.old_secret_sealed = b""
    endpoint.save()
    endpoint.deliveries.waiting().update(status=DeliveryStatus.FAILED, lease_until=None)
    record(endpoint, "webhook.removed", by=by, at=at)
    return endpoint


@transaction.atomic
def replay(delivery: WebhookDelivery, *, by: User | None, at: datetime) -> WebhookDelivery:
    """Send it again, under the id it had. Raises MoveRefused while it waits anyway."""
    endpoint = _locked(delivery.endpoint)
    _stands(endpoint)
    delivery = WebhookDelivery.objects.select_for_update().get(pk=delivery.pk)
    delivery.move_to(DeliveryStatus.WAITING)
    delivery.attempts, delivery.began_at, delivery.next_at = 0, at, at
    delivery.save(update_fields=["status", "attempts", "began_at", "next_at"])
    record(endpoint, "webhook.replayed", by=by, at=at, count=1)
    _send_soon()
    return delivery


@transaction.atomic
def replay_failed(endpoint: WebhookEndpoint, *, since: datetime, by: User | None, at: datetime) -> int:
    """Send again everything since then that was given up. Returns how many."""
    endpoint = _locked(endpoint)
    _stands(endpoint)
    given_up = endpoint.deliveries.filter(status=DeliveryStatus.FAILED, created_at__gte=since)
    count = given_up.update(status=DeliveryStatus.WAITING, attempts=0, began_at=at, next_at=at)
    record(endpoint, "webhook.replayed", by=by, at=at, count=count)
    _send_soon()
    return count


def forget(*, at: datetime) -> int:
    """Drop the log of deliveries whose time is over. Returns how many rows."""
    forgotten = 0
    old = WebhookDelivery.objects.filter(created_at__lt=at - KEPT).order_by("created_at")
    while some := list(old.values_list("pk", flat=True)[:AT_ONCE]):
        forgotten += WebhookDelivery.objects.filter(pk__in=some).delete()[0]
    return forgotten


def _locked(endpoint: WebhookEndpoint) -> WebhookEndpoint:
    """Without holding up whoever writes down that something is to be sent there."""
    rows = WebhookEndpoint.objects.select_for_update(no_key=True, of=("self",)).select_related("organisation")
    return rows.get(pk=endpoint.pk)


def _stands(endpoint: WebhookEndpoint) -> None:
    if endpoint.status == EndpointStatus.REMOVED:
        raise MoveRefused(_("This webhook was removed. Add a new one."))


def _send_soon() -> None:
    transaction.on_commit(lambda: ring("notices.carry"), robust=True)


def _write_to_managers(endpoint: WebhookEndpoint) -> None:
    for manager in managers_to_write_to(endpoint.organisation):
        with translation.override(manager.user.language or settings.LANGUAGE_CODE):
            name = masked(endpoint.organisation.name)
            text = {
                "organisation": name,
                "host": target_of(endpoint.url)[0].host,
                "why": endpoint.get_disabled_because_display(),
                "link": f"{settings.SITE_ADDRESS}{reverse('webhook', args=[endpoint.pk])}",
            }
            subject = _("A webhook of %(name)s was switched off") % {"name": name}
            send_mail(subject, render_to_string("notices/mail/disabled.txt", text), None, [manager.email])
