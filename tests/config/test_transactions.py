"""Requests that may change something are one transaction: undone by an error, run again after a lost race, busy in the end."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib import messages
from django.contrib.auth import login
from django.contrib.messages import get_messages
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.test import Client
from django.urls import path
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from config.transactions import MOST_TRIES
from config.urls import handler400, handler403, handler404, handler500  # noqa: F401
from config.urls import urlpatterns as real
from launcher.processes import wait_until
from supplies.errors import Refused
from supplies.organisations import services as people
from supplies.organisations.models import Facility, User
from tests.makers import make_facility, make_user
from tests.owner import as_owner
from tests.page_client import reader
from tests.tables import changes, photograph

# -- A page and a view of the API that change something, then do what they are told ----------------------------------


def _pause(then: str) -> None:
    at = timezone.now()
    for site in Facility.objects.order_by("pk"):
        people.pause(site, reason="test", by=None, at=at)
    if then == "refuse":
        raise Refused("no")
    if then == "refuse-and-keep":
        raise Refused("no, and it is written down", keeps=True)
    if then == "break":
        raise RuntimeError("a bug")


def page(request: HttpRequest, then: str) -> HttpResponse:
    messages.success(request, "done")
    if then == "sign-in":
        login(request, User.objects.get(username="late"))
    _pause(then)
    return HttpResponse(status=403) if then == "forbid" else redirect("/elsewhere/")


class View(APIView):
    permission_classes: list[Any] = []

    def post(self, request: Request, then: str) -> Response:
        _pause(then)
        return Response({"given": request.data}, status=400 if then == "forbid" else 200)


urlpatterns = [*real, path("page/<str:then>/", page), path("api/view/<str:then>/", View.as_view())]


@pytest.fixture(autouse=True)
def _with_both(settings: Any) -> None:
    settings.ROOT_URLCONF = __name__


@pytest.fixture
def client() -> Client:
    return reader(raise_request_exception=False)


@pytest.fixture
def fails(db: None) -> Iterator[Any]:
    """Make the next updates of a facility fail as PostgreSQL fails. A sequence counts, which no rollback turns back."""

    def failing(code: str, times: int) -> None:
        with as_owner(), connection.cursor() as cursor:
            cursor.execute(
                f"""
                CREATE SEQUENCE test_failures;
                CREATE FUNCTION test_fail() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN
                    IF nextval('test_failures') <= {times} THEN
                        RAISE EXCEPTION 'planted' USING ERRCODE = '{code}';
                    END IF;
                    RETURN NEW;
                END $$;
                CREATE TRIGGER test_fail BEFORE UPDATE ON supplies_facility FOR EACH ROW EXECUTE FUNCTION test_fail()
                """
            )

    yield failing
    with as_owner(), connection.cursor() as cursor:
        cursor.execute("DROP FUNCTION IF EXISTS test_fail() CASCADE; DROP SEQUENCE IF EXISTS test_failures")


def tried() -> int:
    with as_owner(), connection.cursor() as cursor:
        cursor.execute("SELECT last_value FROM test_failures")
        return int(cursor.fetchone()[0])


ADDRESSES = ["/page/{}/", "/api/view/{}/"]
both = pytest.mark.parametrize("address", ADDRESSES, ids=["page", "API"])

# -- errors ------------------------------------------------------------------------------------------------


@pytest.mark.django_db
@both
@pytest.mark.parametrize(("then", "status"), [("forbid", None), ("refuse", None), ("break", 500)])
def test_an_error_undoes_what_was_done_before_it(
    client: Client, address: str, then: str, status: Any
) -> None:
    make_facility()
    before = photograph()

    answer = client.post(address.format(then), {}, "application/json")

    assert answer.status_code >= 400
    assert status in (None, answer.status_code)
    assert changes(before, photograph()) == {}
    assert list(get_messages(answer.wsgi_request)) == []


@pytest.mark.django_db
def test_a_refusal_that_leaves_a_trace_leaves_it(client: Client) -> None:
    make_facility()

    answer = client.post("/api/view/refuse-and-keep/", {}, "application/json")

    assert answer.status_code == 409
    assert Facility.objects.get().is_paused


@pytest.mark.django_db
@both
def test_the_control_what_succeeds_is_done(client: Client, address: str) -> None:
    make_facility()

    assert client.post(address.format("done"), {}, "application/json").status_code in (200, 302)
    assert Facility.objects.get().is_paused


# -- lost races --------------------------------------------------------------------------------------------


@pytest.mark.django_db
@both
@pytest.mark.parametrize("code", ["40001", "40P01"], ids=["serialization failure", "deadlock"])
def test_who_loses_a_race_is_run_again_as_a_whole(
    client: Client, fails: Any, address: str, code: str
) -> None:
    make_facility()
    make_facility()
    fails(code, MOST_TRIES - 1)

    answer = client.post(address.format("done"), {"a": "好"}, "application/json")

    assert answer.status_code in (200, 302)
    assert tried() == MOST_TRIES - 1 + 2
    assert not Facility.objects.filter(is_paused=False).exists()
    assert photograph()["supplies_event"].total() >= 2
    if answer.status_code == 200:
        assert answer.json() == {"given": {"a": "好"}}


@pytest.mark.django_db
def test_a_page_that_was_run_again_says_what_it_has_done_once(client: Client, fails: Any) -> None:
    make_facility()
    fails("40P01", 2)

    answer = client.post("/page/done/")

    assert [str(message) for message in get_messages(answer.wsgi_request)] == ["done"]


@pytest.mark.django_db
def test_a_session_that_began_in_a_lost_race_begins_again(client: Client, fails: Any) -> None:
    person = make_user("late")
    make_facility()
    fails("40P01", 2)

    client.post("/page/sign-in/")

    assert client.get("/mine/").context["user"] == person


@pytest.mark.django_db
@both
def test_who_loses_every_time_is_told_to_come_back(client: Client, fails: Any, address: str) -> None:
    make_facility()
    fails("40P01", 100)
    before = photograph()

    answer = client.post(address.format("done"), {}, "application/json")

    assert (answer.status_code, answer["Retry-After"]) == (503, "2")
    assert tried() == MOST_TRIES
    assert changes(before, photograph()) == {}


@pytest.mark.django_db
@both
@pytest.mark.parametrize(("code", "status"), [("55P03", 503), ("23505", 409), ("22003", 400), ("57P01", 503)])
def test_what_else_the_database_refuses_is_said_at_once(
    client: Client, fails: Any, address: str, code: str, status: int
) -> None:
    make_facility()
    fails(code, 100)
    before = photograph()

    answer = client.post(address.format("done"), {}, "application/json")

    assert answer.status_code == status
    assert ("Retry-After" in answer) == (status == 503)
    assert changes(before, photograph()) == {}
    is_page = answer["Content-Type"].startswith("text/html")
    assert is_page == address.startswith("/page")
    assert b"planted" not in answer.content


@pytest.mark.django_db(transaction=True)
def test_two_that_wait_for_each_other_are_both_done() -> None:
    """A real deadlock: the page locks the first site, then the second; this test the other way round."""
    first, second = sorted((make_facility(), make_facility()), key=lambda site: str(site.pk))
    client = reader()
    answers = []

    def post() -> None:
        answers.append(client.post("/page/done/"))
        connection.close()

    with transaction.atomic(), as_owner(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL deadlock_timeout = '60s'")  # so that the other one is found and ended
        list(Facility.objects.filter(pk=second.pk).select_for_update())
        page = threading.Thread(target=post)
        page.start()
        assert wait_until(_waits_for_a_lock, seconds=30)
        list(Facility.objects.filter(pk=first.pk).select_for_update())
    page.join(timeout=60)

    assert [answer.status_code for answer in answers] == [302]
    assert not Facility.objects.filter(is_paused=False).exists()


def _waits_for_a_lock() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return bool(cursor.fetchone()[0])


# -- busy --------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("table", "address"),
    [
        ("supplies_need", "/needs/"),
        ("supplies_need", "/api/v1/needs/"),
        ("supplies_session", "/desk/"),  # met before any view is
    ],
)
def test_reading_while_the_database_is_busy_is_503_with_when_to_come_back(
    client: Client, table: str, address: str
) -> None:
    other = connection.copy()
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '50ms'")
    with other.cursor() as cursor:
        cursor.execute(f"SET ROLE NONE; BEGIN; LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        answer = client.get(address, headers={"cookie": "sessionid=abcdefghijklmnop"})
    other.close()
    connection.close()

    assert (answer.status_code, answer["Retry-After"]) == (503, "2")
