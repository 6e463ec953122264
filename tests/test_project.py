"""What holds for the project as a whole: migrations are complete, and every route asks for a login or says why not."""

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.resolvers import RegexPattern

pytestmark = pytest.mark.django_db

# The routes that answer a stranger's GET with a page or data, each with the reason. Everything else asks who is there.
PUBLIC = {
    "": "what is needed most, for everybody",
    "needs/elsewhere/": "what other instances tell everybody; it is marked as theirs",
    "needs/": "needs are public once a volunteer has published them",
    "words/": "what the words mean",
    "how-to-give/": "what to know before one buys",
    "track/": "where one enters a code",
    "certificates/": "where one enters the code of a certificate",
    "health/live": "for whoever starts and stops processes",
    "health/ready": "for whoever routes requests to them; names no part of them but those everybody knows",
    "design/": "the parts of our pages, with examples that mean nobody",
    "map/": "how many needs are open where",
    "announcements/": "what coordinators tell everybody",
    "announcements/feed.atom": "the same for programs",
    "where-it-went/": "what came, where it went, why: sums",
    "where-it-went.csv": "the same as a file",
    "api/v1/announcements/": "what coordinators tell everybody",
    "privacy/": "what is kept how long",
    "how-matching-works/": "the rules, and what the last run of each emergency came to as a whole",
    "open/": "what is published for everybody to use",
    "open/dictionary/": "what its columns mean",
    "open/dictionary.json": "the same for programs",
    "fhir/metadata": "what can be read as FHIR",
    "fhir/SupplyRequest": "needs, as FHIR",
    "check/": "what goods are good for, by the table everybody may read",
    "sign-in/": "before signing in",
    "sign-up/": "before signing up",
    "password/reset/": "before signing in again",
    "password/reset/sent/": "after asking for it",
    "api/schema/": "what the API offers",
    "api/docs/": "the same, to read",
    "api/v1/": "the list of what the API offers",
    "api/v1/regions/": "reference data",
    "api/v1/categories/": "reference data",
    "api/v1/items/": "reference data",
    "api/v1/standards/": "reference data",
    "api/v1/emergencies/": "which emergencies go on",
    "api/v1/organisations/": "verified hospitals, carriers and charities",
    "hospitals/listed/": "what public lists name as designated hospitals and fever clinics",
    "api/v1/listed-facilities/": "the same for programs",
    "api/v1/facilities/": "their sites, down to the district",
    "api/v1/appeals/": "appeals are public once a volunteer has published them",
    "api/v1/needs/": "the same for their lines",
    "api/v1/check/": "what goods are good for, by the table everybody may read",
    "api/v1/foreign-needs/": "what other instances tell everybody",
    "api/v1/offers/": "open offers are public without their donor",
}


def routes(patterns: list[Any] | None = None, before: str = "") -> Iterator[str]:
    """Every address of the site, with an unknown id in each of its holes."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        if isinstance(pattern, URLResolver):
            yield from routes(pattern.url_patterns, before + address(pattern))
        elif isinstance(pattern, URLPattern):
            yield before + address(pattern)


def address(pattern: URLPattern | URLResolver) -> str:
    if isinstance(pattern.pattern, RegexPattern):
        text = str(pattern.pattern).lstrip("^").removesuffix("$").removesuffix("\\Z")
        for hole in ("(?P<pk>[^/.]+)", "(?P<pk>[^/]+)"):
            text = text.replace(hole, str(uuid.UUID(int=1)))
        return text.replace("(?P<app_label>auth|", "(?P<app_label>").split("(?P")[0].replace("\\", "")
    text = str(pattern.pattern)
    for kind in ("uuid", "slug", "path", "str", "int"):
        while f"<{kind}:" in text:
            start = text.index(f"<{kind}:")
            text = (
                text[:start]
                + (str(uuid.UUID(int=1)) if kind != "int" else "1")
                + text[text.index(">", start) + 1 :]
            )
    return text


def test_the_migrations_say_everything_the_models_say() -> None:
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


def test_the_list_of_public_routes_names_routes_that_exist() -> None:
    assert set(PUBLIC) <= set(routes())


@pytest.mark.parametrize("path", sorted(set(routes())), ids=lambda path: path or "home")
def test_every_route_asks_who_is_there_or_says_why_not(path: str) -> None:
    answer = Client(HTTP_ACCEPT_LANGUAGE="en").get(f"/{path}")

    if path in PUBLIC:
        assert answer.status_code == 200
    else:
        assert answer.status_code in (301, 302, 401, 403, 404, 405), answer.content[:300]
        if answer.status_code == 302:
            to = answer.headers["Location"]
            assert "sign-in" in to or "login" in to or to in ("/", "/desk/")
