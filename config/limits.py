"""How often is too often: every route is in a class, and each class has a rate for strangers, accounts and programs.

Counted in Valkey, one atomic step a request, so that all processes share one budget; a request that is refused costs a
second step, to tell when to come back. The figures are settings.LIMITS; this module says which route is in which class.
"""

import math
import threading
import time
from dataclasses import dataclass
from functools import cached_property, lru_cache

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from limits import RateLimitItem, parse
from limits.storage import RedisStorage
from limits.strategies import SlidingWindowCounterRateLimiter
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from config import metrics
from config.clients import principal_of
from config.mishaps import mishap
from config.requests import Handler
from config.routes import name_of

log = structlog.get_logger(__name__)
security = structlog.get_logger("security")

TOO_OFTEN = _("Too many requests. Wait for the seconds in Retry-After, then try again.")
NOT_NOW = _("This cannot be counted just now, and is not done uncounted. Please try again in a moment.")

ROUTES = {
    "browse": """
        home design map announcements announcement announcements-feed where-it-went mine my-gifts my-gift my-hospital change-requests needs item how-to-give words needs-elsewhere appeal appeal-posted still-lacking donation donation-posted shipment answers
        api-root region-list region-detail category-list category-detail item-list item-detail standard-list standard-detail
        emergency-list emergency-detail announcement-list announcement-detail organisation-list organisation-detail facility-list facility-detail
        listed-facilities listedfacility-list listedfacility-detail
        appeal-list appeal-detail need-list need-detail foreignneed-list foreignneed-detail donation-list donation-detail offer-list offer-detail
        fhir-metadata fhir-definition fhir-requests fhir-request fhir-deliveries fhir-delivery
        matchingrun-list matchingrun-detail proposal-list proposal-detail shortfall-list shortfall-detail allocation-list allocation-detail
        intake-batch-list intake-batch-detail intake-batch-rows
        shipment-list shipment-detail shipment-candidates carrier-records ticket-list ticket-detail load-list load-detail proposal-deviations proposal-suggested-shipments contact-list contact-detail reveal-list reveal-detail
        organisation organisation-check facility promise privacy open-data open-dictionary open-dictionary-json open-key open-manifest open-signature how-matching-works my-data account account-number keys members nowhere
        inbox searches notification-choices notice-list notice-detail savedsearch-list savedsearch-detail api-notification-choices
        webhooks webhook webhookendpoint-list webhookendpoint-detail webhookdelivery-list webhookdelivery-detail
        """,
    "search": "dock intake-batch-errors shipment-paper shipment-papers choose-hospital read-announcement intake check-goods check check-offer",
    "track": """
        find-code track track-code invitation still-needed reported change-request-detail take-back-report
        confirm-following end-following end-notices
        change-request-take-back find-certificate certificate certificate-file certificate-detail
        """,
    "report": "report follow-shipment track-followers change-request-list",
    "write": """
        withdraw-need confirm-need post-appeal withdraw-appeal post-donation withdraw-donation withdraw-offer standing-consent count-shipment dock-shipment
        accept-change-request decline-change-request choose-reminders
        register-hospital pause agree-for-donor agree-for-hospital decline sign-out language
        facility-pause facility-resume appeal-withdraw need-confirm need-not-needed donation-withdraw offer-withdraw
        proposal-accept proposal-agree proposal-approve proposal-decline allocation-release
        shipment-arrive shipment-book shipment-cancel shipment-deliver shipment-dispatch-shipment shipment-events
        tracking-events
        shipment-lose shipment-receive shipment-returned shipment-send-back
        shipment-units shipment-unpack shipment-declare shipment-legs shipment-reach-hub shipment-leave-hub
        shipment-split shipment-merge shipment-reassign
        load-add load-remove load-dispatch-load load-arrive load-deliver load-cancel
        shipment-correct shipment-reroute shipment-thanks shipment-proofs ticket-answer ticket-settle allocation-keep correct-count tickets reroute thank
        certify-donation donation-certificate
        hand-in-evidence donation-papers organisation-calls organisation-verify change-name end-other-sessions erase-me
        invite revoke-invitation dismiss-member promote-member issue-key revoke-key
        add-webhook test-webhook enable-webhook disable-webhook rotate-webhook remove-webhook replay-webhook replay-delivery
        read-inbox open-notice save-search save-offers-search rename-search remove-search
        choose-hours set-up-robot take-robot-away notice-read notice-read-all savedsearch-remove
        webhookendpoint-test webhookendpoint-rotate webhookendpoint-enable webhookendpoint-disable webhookendpoint-remove
        webhookendpoint-replay webhookdelivery-replay
        set-up-second-factor recovery-codes recovery-codes-file recovery-codes-kept account_email
        """,
    "sign-in": """
        sign-in account_login second-factor mfa_authenticate confirm account_reauthenticate change-password
        account_email_verification_sent admin:login admin:password_change
        """,
    "sign-up": "sign-up account_signup",
    "reset": """
        reset-password account_reset_password account_reset_password_done account_reset_password_from_key
        """,
    "reveal": "contact-reveal reveal-contact attachment",
    "export": "copy-my-data copy-my-hospital",
    "download": "where-it-went-file open-dump open-file",
    "docs": "api-schema api-docs",
    "hooks": "carrier-hook",
    "desk": "",
    "watching": "health-live health-ready metrics static",
}
CLASS_OF = {route: name for name, routes in ROUTES.items() for route in routes.split()}
DESK = "admin:"  # whatever else is at the desk is of the desk's class
READING = frozenset({"browse", "search", "docs"})  # what is sent to a route of these is written
SEARCHES = frozenset({"q", "search"})
CLOSED_UNCOUNTED = frozenset({"sign-up", "reset", "reveal", "export", "report"})
MISS_COSTS = {"track": 10}  # a code that is nobody's counts as so many that are somebody's
SECONDS_TO_ANSWER = 0.5
SECONDS_LEFT_ALONE = 5.0


class LimitRequests:
    """Refuses with 429 and Retry-After whoever comes too often."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        limit = class_of(request)
        who, name = principal_of(request)
        item, key = rate(limit, who), (limit, who, name)
        verdict = budget.take(item, key)
        if verdict.is_unknown and limit in CLOSED_UNCOUNTED:
            return mishap(request, 503, "busy", NOT_NOW, retry_after=round(SECONDS_LEFT_ALONE))
        if verdict.wait:
            metrics.LIMITED.labels(limit, who).inc()
            security.warning("too often", limit=limit, who=who)
            return mishap(request, 429, "too-many", TOO_OFTEN, retry_after=verdict.wait)
        response = self.get_response(request)
        if response.status_code == 404 and limit in MISS_COSTS:
            budget.take(item, key, cost=MISS_COSTS[limit] - 1)
        return response


def class_of(request: HttpRequest) -> str:
    """The class this request is counted in. A route in no class is counted as writing; a test names it."""
    found = class_of_route(name_of(request)) or "write"
    if found in READING and request.method not in ("GET", "HEAD", "OPTIONS"):
        return "write"
    if found == "browse" and SEARCHES & request.GET.keys():
        return "search"
    return found


def class_of_route(name: str) -> str | None:
    return CLASS_OF.get(name) or ("desk" if name.startswith(DESK) else None)


@lru_cache
def _parsed(rate: str, factor: int) -> RateLimitItem:
    item = parse(rate)
    return type(item)(item.amount * factor, item.multiples)


def rate(limit: str, who: str) -> RateLimitItem:
    """How often who ("stranger", "account", "token") may come in this class."""
    return _parsed(settings.LIMITS[limit][who], settings.LIMITS_TIMES)


# -- Counting ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Verdict:
    """wait        seconds until it is worth trying again; 0 when it is let through
    is_unknown  the store did not answer, so nobody counted
    """

    wait: int = 0
    is_unknown: bool = False


class Budget:
    """What is left to whom. A store that does not answer is left alone for a while, and told of once."""

    def __init__(self, name: str = "tongzhou:limits") -> None:
        self._name = name
        self._asked_again_at = 0.0
        self._is_down = False
        self._lock = threading.Lock()

    @cached_property
    def _counter(self) -> SlidingWindowCounterRateLimiter:
        address = str(settings.CACHES["default"]["LOCATION"])
        storage = RedisStorage(
            f"redis+{address}" if address.startswith("unix://") else address,
            key_prefix=self._name,
            socket_connect_timeout=SECONDS_TO_ANSWER,
            socket_timeout=SECONDS_TO_ANSWER,
            retry=Retry(NoBackoff(), 0),  # type: ignore[arg-type]  # handed through to the client
        )
        return SlidingWindowCounterRateLimiter(storage)

    def take(self, item: RateLimitItem, key: tuple[str, str, str], *, cost: int = 1) -> Verdict:
        """Take from the budget of this key, in one step for all processes."""
        if time.monotonic() < self._asked_again_at:
            return Verdict(is_unknown=True)
        try:
            verdict = self._take(item, key, cost)
        except (RedisError, OSError) as error:
            self._went_down(error)
            return Verdict(is_unknown=True)
        if self._is_down:
            self._came_back()
        return verdict

    def _take(self, item: RateLimitItem, key: tuple[str, str, str], cost: int) -> Verdict:
        if self._counter.hit(item, *key, cost=cost):
            return Verdict()
        left = self._counter.get_window_stats(item, *key)
        return Verdict(wait=max(1, math.ceil(left.reset_time - time.time())))

    def _went_down(self, error: Exception) -> None:
        with self._lock:
            self._asked_again_at = time.monotonic() + SECONDS_LEFT_ALONE
            if not self._is_down:
                log.error("nobody counts requests: the store does not answer", error=type(error).__name__)
            self._is_down = True

    def _came_back(self) -> None:
        with self._lock:
            if self._is_down:
                log.info("requests are counted again")
            self._is_down = False


budget = Budget()
