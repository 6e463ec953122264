"""Asks every route as every role, as production would answer, and prints what is wrong, a line each. Run as a program.

Three things are wrong: an answer without its headers, a GET, HEAD or OPTIONS that changed a row, and a change by cookie that
was let through without the form's token. It works in a transaction of the test's database that is never committed.
With --every-cell every method of every route is asked as every role; without, strangers and administrators ask everything
once, and the others share the routes among them.
"""

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any

from django.http import HttpResponse
from django.test import Client, override_settings

STRICT = {
    "Strict-Transport-Security": "max-age=31536000",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "accelerometer=()",
    "X-Request-ID": "",
}
POLICY = {
    "default-src": {"'none'"},
    "script-src": {"'self'"},
    "style-src": {"'self'"},
    "object-src": {"'none'"},
    "base-uri": {"'none'"},
    "form-action": {"'self'"},
    "frame-ancestors": {"'none'"},
}


def faults_of(response: Any, *, kept: bool = False) -> Iterator[str]:
    """What is wrong with an answer's headers. kept says that a shared cache may keep it."""
    for name, value in STRICT.items():
        if name not in response.headers or not response.headers[name].startswith(value):
            yield f"{name}: {response.headers.get(name)}"
    directives = (part.split() for part in response.headers.get("Content-Security-Policy", "").split(";"))
    policy = {words[0]: set(words[1:]) for words in directives if words}
    yield from (f"{name}: {policy.get(name)}" for name, value in POLICY.items() if policy.get(name) != value)
    if unsafe := {word for words in policy.values() for word in words if "unsafe" in word or "*" in word}:
        yield f"the policy allows {unsafe}"
    keeping = response.headers.get("Cache-Control", "")
    if not kept and keeping != "private, no-store":
        yield f"Cache-Control: {keeping}"
    if kept and (
        response.cookies or not {"Cookie", "Authorization"} <= set(response.headers["Vary"].split(", "))
    ):
        yield f"is kept for everybody, with {response.headers['Vary']} and {response.cookies}"
    for name, cookie in response.cookies.items():
        is_strict = (
            cookie["secure"] and cookie["httponly"] and cookie["samesite"] == "Lax" and cookie["path"] == "/"
        )
        if not name.startswith("__Host-") or not is_strict or cookie["domain"]:
            yield f"cookie {cookie.OutputString()}"


# -- every route ------------------------------------------------------------------------------------------

OWN_ROWS = {
    "supplies_session": "a visitor's own: what she is told, and what she typed before she signed in",
    "supplies_claim": "whoever opens a row that waits takes it for a quarter of an hour, for others to see",
}
WRITES = re.compile(r"\s*(INSERT INTO|UPDATE|DELETE FROM|TRUNCATE)\b", re.IGNORECASE)
CHANGING = ("post", "put", "patch", "delete")


def crawl(*, every_cell: bool) -> Iterator[tuple[str, str]]:
    """What was asked, and what is wrong with the answer."""
    from tests.every_route import cast, every_route, some_of_everything

    keys, routes, statuses = some_of_everything(), list(every_route()), set()
    people = cast()
    for position, (who, user) in enumerate(people.items()):
        client = client_of(user)
        with rows_unchanged() as wrong:
            for number, route in enumerate(routes):
                for method in methods(who, route, number % len(people) == position, every_cell):
                    wrong.route = f"{method} {route.name} as {who}"
                    answer = getattr(client, method)(route.address(keys), secure=True)
                    statuses.add(answer.status_code)
                    client.cookies.pop("__Host-csrftoken", None)  # so that the next answer sets it again
                    yield from (
                        (wrong.route, fault) for fault in faults_of(answer, kept=is_kept(who, route, answer))
                    )
        yield from wrong.found()
    yield from unguarded(client_of(people["admin"], enforce_csrf_checks=True), routes, keys, every_cell)
    for what, status, answer in mishaps():
        statuses.add(status)
        if answer.status_code != status:
            yield what, f"is {answer.status_code} and not {status}"
        yield from ((what, fault) for fault in faults_of(answer))
    assert {200, 301, 302, 400, 403, 404, 405, 413, 429, 500, 503} <= statuses, statuses


def client_of(user: Any, **options: Any) -> Client:
    from tests.sign_in import sign_in

    client = Client(raise_request_exception=False, **options)
    if user is not None:
        sign_in(client, user)
    return client


def methods(who: str, route: Any, turn: bool, every_cell: bool) -> tuple[str, ...]:
    """What is asked of the route; turn says that it is this role's turn among those who share."""
    if every_cell or (who == "admin" and not route.is_of_desk):
        return ("get", "head", "options")
    return ("get",) if who == "admin" or ((who == "nobody" or turn) and not route.is_of_desk) else ()


def is_kept(who: str, route: Any, answer: HttpResponse) -> bool:
    from config.headers import PUBLIC

    is_read = answer.request["REQUEST_METHOD"] in ("GET", "HEAD")  # type: ignore[attr-defined]
    return who == "nobody" and route.name in PUBLIC and is_read and answer.status_code == 200


# -- reading changes nothing ------------------------------------------------------------------------------


class Unchanged:
    """Digests of every table before; what has changed since, and which route wrote."""

    def __init__(self) -> None:
        self.route, self.wrote, self.before = "", [], digests()

    def note(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if WRITES.match(sql) and not any(table in sql for table in OWN_ROWS):
            self.wrote.append(self.route)
        return execute(sql, params, many, context)

    def found(self) -> Iterator[tuple[str, str]]:
        after = digests()
        changed = {table for table in after if after[table] != self.before.get(table)} - set(OWN_ROWS)
        if changed:
            for route in self.wrote or ["nobody knows what"]:
                yield route, f"changed rows of {', '.join(sorted(changed))}"


@contextmanager
def rows_unchanged() -> Iterator[Unchanged]:
    from django.db import connection

    unchanged = Unchanged()
    with connection.execute_wrapper(unchanged.note):
        yield unchanged


def digests() -> dict[str, str]:
    """A digest of all rows of every table."""
    from django.db import connection

    with connection.cursor() as cursor:
        tables = connection.introspection.table_names(cursor)
        parts = (
            f"SELECT '{table}', md5(string_agg(t::text, ',' ORDER BY t::text)) FROM \"{table}\" t"
            for table in tables
        )
        cursor.execute(" UNION ALL ".join(parts))
        return dict(cursor.fetchall())


# -- nothing is changed by a cookie alone -----------------------------------------------------------------


BY_NO_COOKIE = {  # what they may do is not the browser's: who sends knows a word, or signs
    "end-following": "the word in its address; a mailbox posts it by itself (RFC 8058)",
    "end-notices": "the same",
    "carrier-hook": "a carrier's signature",
}


def unguarded(
    client: Client, routes: list[Any], keys: dict[str, Any], every_cell: bool
) -> Iterator[tuple[str, str]]:
    """Routes that let a signed-in browser change something without the form's token."""
    for route in routes:
        if route.name in BY_NO_COOKIE:
            continue
        for method in CHANGING if every_cell or not route.is_of_desk else CHANGING[:1]:
            # Only the token is missing: the request comes from a page of the site itself.
            answer = getattr(client, method)(
                route.address(keys), secure=True, headers={"referer": "https://testserver/"}
            )
            is_unknown_there = method != "post" and answer.status_code == 405  # which is found out first
            if answer.status_code != 403 and not is_unknown_there:
                yield f"{method} {route.name} without a token", f"is {answer.status_code}"


# -- every error, on purpose ------------------------------------------------------------------------------


def mishaps() -> Iterator[tuple[str, int, HttpResponse]]:
    """Each on a page and in the API, with the status it should have."""
    from django.conf import settings

    from config.limits import budget

    client = Client(raise_request_exception=False)
    for place in ("/", "/api/"):
        yield f"NUL {place}", 400, client.get(f"{place}%00", secure=True)
        yield f"host {place}", 400, client.get(place, secure=True, headers={"host": "evil.example"})
        yield f"nowhere {place}", 404, client.get(f"{place}nowhere/", secure=True)
        yield f"TRACE {place}", 405, client.trace(place, secure=True)
        yield f"large {place}", 413, client.post(place, secure=True, headers={"content-length": "9999999"})
        yield f"broken {place}", 500, client.get(f"{place}planted/broken/", secure=True)
        yield f"without TLS {place}", 301, client.get(place)
    yield "a method", 405, client.get("/sign-out/", secure=True)
    yield "no form token", 403, Client(enforce_csrf_checks=True).post("/sign-in/", secure=True)
    yield "not allowed", 401, client.post("/api/v1/appeals/", secure=True)
    yield "database away", 503, client.get("/api/planted/away/", secure=True)
    once = {**settings.LIMITS, "docs": {"stranger": "1/hour"}, "sign-up": {"stranger": "1/hour"}}
    with override_settings(LIMITS=once, LIMITS_TIMES=1):
        for path in ("/sign-up/", "/api/schema/"):
            client.get(path, secure=True)
            yield f"too often {path}", 429, client.get(path, secure=True)
    budget._asked_again_at = float("inf")
    yield "nobody counts", 503, client.get("/sign-up/", secure=True)


def main() -> int:
    import django

    django.setup()
    from django.conf import settings
    from django.core.management import call_command
    from django.db import transaction
    from django.test.utils import setup_test_environment

    assert not settings.EMBEDDED
    with redirect_stdout(sys.stderr):
        call_command("check", deploy=True, fail_level="WARNING")
    setup_test_environment()
    Path(settings.STATIC_ROOT).mkdir(parents=True)
    Path(settings.STATIC_ROOT, "planted.css").write_text("")
    plain = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    with transaction.atomic(), override_settings(STORAGES=plain, ROOT_URLCONF="tests.config.planted"):
        found = list(crawl(every_cell="--every-cell" in sys.argv))
        static = Client().get("/static/planted.css", secure=True)
        found += [
            ("static", fault) for fault in faults_of(static) if not fault.startswith("Cache-Control: max-age")
        ]
        transaction.set_rollback(True)
    for what, fault in found:
        print(f"{what}: {fault}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
