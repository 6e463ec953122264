"""The webhooks of an organisation, for those who manage it; of others they are as if they did not exist. And mails about
one shipment, for anybody with its code."""

from collections.abc import Callable
from datetime import datetime, time
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from supplies.accounts.handing import hand, handed
from supplies.errors import Refused
from supplies.notices import following, services
from supplies.notices.forms import EndpointForm, FollowForm, SinceForm
from supplies.notices.models import DeliveryStatus, WebhookDelivery, WebhookEndpoint
from supplies.notices.permissions import managed_by
from supplies.organisations.visitors import SignedIn, confirmed, private, signed_in
from supplies.shipments.models import Shipment

SHOWN = 100  # deliveries; the API tells of older ones


def _endpoint(request: HttpRequest, pk: UUID) -> WebhookEndpoint:
    rows = WebhookEndpoint.objects.standing().visible_to(request.user).select_related("organisation")
    return get_object_or_404(rows, pk=pk)


@signed_in
@require_safe
def webhooks(request: SignedIn, pk: UUID) -> HttpResponse:
    organisation = get_object_or_404(managed_by(request.user), pk=pk)
    endpoints = organisation.webhook_endpoints.standing().newest_first()
    return render(request, "notices/webhooks.html", {"organisation": organisation, "endpoints": endpoints})


@never_cache
@confirmed
def add_webhook(request: SignedIn, pk: UUID) -> HttpResponse:
    organisation = get_object_or_404(managed_by(request.user), pk=pk)
    form = EndpointForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            endpoint, secret = services.add(
                organisation, by=request.user, at=timezone.now(), **form.cleaned_data
            )
        except ValidationError as fault:
            form.add_error(None, fault.messages)
        except Refused as refusal:
            form.add_error(None, str(refusal.detail))
        else:
            hand(request, f"webhook:{endpoint.pk}", secret)
            return redirect("webhook", endpoint.pk)
    return render(request, "notices/add_webhook.html", {"organisation": organisation, "form": form})


@never_cache
@signed_in
@require_safe
def webhook(request: SignedIn, pk: UUID) -> HttpResponse:
    """One webhook with the end of its log, the newest first."""
    endpoint = _endpoint(request, pk)
    rows = endpoint.deliveries.newest_first()
    only = request.GET.get("status", "")
    if only in DeliveryStatus.values:
        rows = rows.filter(status=only)
    context = {
        "endpoint": endpoint,
        "organisation": endpoint.organisation,
        "secret": handed(request, f"webhook:{endpoint.pk}"),
        "deliveries": rows[:SHOWN],
        "only": only,
        "statuses": DeliveryStatus.choices,
        "has_given_up": endpoint.deliveries.filter(status=DeliveryStatus.FAILED).exists(),
        "form": SinceForm(initial={"since": timezone.localdate()}),
    }
    return render(request, "notices/webhook.html", context)


def _do(request: SignedIn, pk: UUID, verb: Callable[..., Any], done: str) -> HttpResponse:
    """A verb on an endpoint; what it refuses is said on the endpoint's page."""
    endpoint = _endpoint(request, pk)
    try:
        verb(endpoint, by=request.user, at=timezone.now())
    except Refused as refusal:
        messages.error(request, str(refusal.detail))
    else:
        messages.success(request, done)
    return redirect("webhook", endpoint.pk)


@signed_in
@require_POST
def test_webhook(request: SignedIn, pk: UUID) -> HttpResponse:
    return _do(request, pk, services.test, _("A test is on its way; its answer stands below in a moment."))


@signed_in
@require_POST
def enable_webhook(request: SignedIn, pk: UUID) -> HttpResponse:
    return _do(request, pk, services.enable, _("It is sent there again, first what has waited."))


@signed_in
@require_POST
def disable_webhook(request: SignedIn, pk: UUID) -> HttpResponse:
    return _do(request, pk, services.disable, _("Nothing is sent there any more until you switch it on."))


@never_cache
@confirmed
@require_POST
def rotate_webhook(request: SignedIn, pk: UUID) -> HttpResponse:
    endpoint = _endpoint(request, pk)
    _endpoint_now, secret = services.rotate(endpoint, by=request.user, at=timezone.now())
    hand(request, f"webhook:{endpoint.pk}", secret)
    return redirect("webhook", endpoint.pk)


@signed_in
@require_POST
def remove_webhook(request: SignedIn, pk: UUID) -> HttpResponse:
    endpoint = _endpoint(request, pk)
    services.remove(endpoint, by=request.user, at=timezone.now())
    messages.success(request, _("The webhook is removed. Nothing is sent there any more."))
    return redirect("webhooks", endpoint.organisation_id)


@signed_in
@require_POST
def replay_webhook(request: SignedIn, pk: UUID) -> HttpResponse:
    """Everything that was given up since a day, again."""
    endpoint, form = _endpoint(request, pk), SinceForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Choose the day from which on it is sent again."))
        return redirect("webhook", endpoint.pk)
    since = timezone.make_aware(datetime.combine(form.cleaned_data["since"], time.min))
    count = services.replay_failed(endpoint, since=since, by=request.user, at=timezone.now())
    told = ngettext("%(count)d is sent again.", "%(count)d are sent again.", count)
    messages.success(request, told % {"count": count})
    return redirect("webhook", endpoint.pk)


@signed_in
@require_POST
def replay_delivery(request: SignedIn, pk: UUID) -> HttpResponse:
    rows = WebhookDelivery.objects.visible_to(request.user).select_related("endpoint")
    delivery = get_object_or_404(rows, pk=pk)
    try:
        services.replay(delivery, by=request.user, at=timezone.now())
    except Refused as refusal:
        messages.error(request, str(refusal.detail))
    else:
        messages.success(request, _("It is sent again, under the same id."))
    return redirect("webhook", delivery.endpoint_id)


# -- Mails about one shipment ------------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
def follow_shipment(request: HttpRequest, code: str) -> HttpResponse:
    """Ask to be told by mail. The answer is one and the same, whatever is known of the address."""
    shipment = get_object_or_404(Shipment, code=code.lower())
    if not following.may_be_followed(shipment):
        messages.info(request, _("This shipment's way is over; there is nothing more to tell of it."))
        return private(redirect("track", shipment.code))
    form = FollowForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        following.ask(
            shipment,
            email=form.cleaned_data["email"],
            language=get_language() or "",
            at=timezone.now(),
        )
        messages.success(request, following.ASKED)
        return private(redirect("track", shipment.code))
    return private(render(request, "notices/follow.html", {"shipment": shipment, "form": form}))


@require_http_methods(["GET", "HEAD", "POST"])
def confirm_following(request: HttpRequest, word: str) -> HttpResponse:
    """What the link of the first mail opens. To look changes nothing: programs look into links, too."""
    row = following.asked(word)
    if row is not None and request.method == "POST":
        following.confirm(row, at=timezone.now())
        messages.success(request, _("You will be told by mail what becomes of this shipment."))
        return private(redirect("track", row.shipment.code))
    return private(
        render(request, "notices/confirm.html", {"row": row}, status=200 if row is not None else 404)
    )


@csrf_exempt  # a mailbox posts here by itself (RFC 8058); the word in the address is what it needs, and it can only end
@require_http_methods(["GET", "HEAD", "POST"])
def end_following(request: HttpRequest, word: str) -> HttpResponse:
    """The link that every mail ends with. Ended twice, it is ended."""
    row = following.followed(word)
    status = 200 if row is not None else 404
    if row is not None and request.method == "POST":
        following.end(row)
        row = None
    return private(render(request, "notices/end.html", {"row": row}, status=status))
