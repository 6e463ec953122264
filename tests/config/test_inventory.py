"""Every route is promised in the API's document, or stands here with the reason why it is not."""

import re
from typing import Any

import pytest
from django.test import Client
from drf_spectacular.generators import SchemaGenerator

from tests.config import planted
from tests.every_route import HOLE, every_route, some_of_everything
from tests.makers import make_user
from tests.sign_in import sign_in

OUTSIDE = {
    "a page for people": """
        home design map announcements announcement where-it-went mine my-hospital copy-my-hospital find-code track needs item how-to-give words needs-elsewhere withdraw-need confirm-need choose-hospital post-appeal appeal appeal-posted
        withdraw-appeal post-donation donation donation-posted withdraw-donation withdraw-offer shipment count-shipment
        correct-count tickets reroute thank follow-shipment confirm-following end-following
        register-hospital pause sign-in sign-up sign-out language answers agree-for-donor agree-for-hospital decline
        still-needed choose-reminders report reported take-back-report change-requests accept-change-request
        decline-change-request
        listed-facilities organisation hand-in-evidence donation-papers attachment facility promise reveal-contact privacy my-data copy-my-data erase-me
        account account-number change-name change-password confirm second-factor set-up-second-factor end-other-sessions
        recovery-codes recovery-codes-file recovery-codes-kept keys issue-key revoke-key reset-password
        members invite invitation revoke-invitation dismiss-member promote-member how-matching-works still-lacking
        check-goods check-offer my-gifts my-gift standing-consent read-announcement shipment-paper certify-donation find-certificate certificate certificate-file
        dock dock-shipment
        inbox read-inbox open-notice end-notices searches save-search save-offers-search rename-search remove-search notification-choices choose-hours set-up-robot take-robot-away
        webhooks add-webhook webhook test-webhook enable-webhook disable-webhook rotate-webhook remove-webhook
        replay-webhook replay-delivery
        """,
    "open data: files, a signed dump and FHIR, each with a standard and a document of its own": """
        announcements-feed where-it-went-file
        open-data open-dictionary open-dictionary-json open-key open-manifest open-signature open-file open-dump
        fhir-metadata fhir-definition fhir-requests fhir-request fhir-deliveries fhir-delivery
        """,
    "the same pages by the names django-allauth leads to": """
        account_login account_signup account_reauthenticate mfa_authenticate account_email
        account_email_verification_sent account_reset_password account_reset_password_done
        account_reset_password_from_key
        """,
    "the document itself, its reader and its list of contents": "api-schema api-docs api-root",
    "where carriers' own webhooks arrive, each in its carrier's shape": "carrier-hook",
    "for those who run the site": "health-live health-ready metrics",
}
DESK = "admin:"  # the volunteers' desk: pages, and each of them asks who is there
NAMES = {name for names in OUTSIDE.values() for name in names.split()}


@pytest.fixture(scope="module")
def described() -> set[str]:
    document: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)
    return {re.sub(r"{\w+}", "{}", path) for path in document["paths"]}


def undescribed(described: set[str], patterns: Any = None) -> list[str]:
    return sorted(
        route.name
        for route in every_route(patterns)
        if "/" + HOLE.sub("{}", route.pattern) not in described
        and route.name not in NAMES
        and not route.name.startswith(DESK)
    )


def test_every_route_is_described_or_says_why_not(described: set[str]) -> None:
    assert undescribed(described) == [], "describe them, or put them into a line of OUTSIDE with the reason"


def test_a_route_nobody_described_is_found(described: set[str]) -> None:
    assert len(undescribed(described, planted.urlpatterns)) == 6


def test_what_stands_outside_exists_and_is_not_described_as_well(described: set[str]) -> None:
    routes = {route.name: "/" + HOLE.sub("{}", route.pattern) for route in every_route()}

    assert set(routes) >= NAMES
    assert {name for name in NAMES if routes[name] in described} == set()


# -- nothing else answers ---------------------------------------------------------------------------------


@pytest.mark.django_db
def test_the_api_answers_in_json_and_has_no_pages_that_list_what_may_be_chosen() -> None:
    keys, client = some_of_everything(), sign_in(Client(), make_user("root", is_superuser=True))
    routes = [route for route in every_route() if route.pattern.startswith("api/v1/")]
    assert len(routes) > 50

    for route in routes:
        address = route.address(keys)
        as_page = client.get(address, headers={"accept": "text/html"})
        assert as_page.headers["Content-Type"] == "application/json", address
        assert client.get(f"{address}?format=api").status_code in (400, 404, 405), address
        assert client.options(address).status_code == 405, address


@pytest.mark.django_db
@pytest.mark.parametrize(
    "path",
    [
        "/admin/",
        "/api/v1/.json",
        "/api/v1/needs.json",
        "/silk/",
        "/__debug__/",
        "/desk/doc/",
        "/api/redoc/",
        "/.git/config",
    ],
)
def test_what_other_sites_leave_open_is_not_here(path: str) -> None:
    assert Client().get(path).status_code in (302, 404)
