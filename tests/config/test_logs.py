"""What gets into the log and what must not: rows, arguments and what people sent, whoever writes it down."""

import logging
from collections.abc import Callable, Iterator
from io import StringIO
from typing import Any

import pytest
import structlog
from celery import shared_task
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.test import Client, override_settings
from django.urls import path

from config.celery import app
from config.logs import escaped, formatter, kind_of
from config.urls import handler400, handler403, handler404, handler500  # noqa: F401
from supplies.journal.models import Event
from supplies.journal.services import dispatch, record
from supplies.organisations.models import User
from tests.desk import at_the_desk, choose
from tests.makers import NOW, make_appeal, make_member, make_shipment, make_user

pytestmark = pytest.mark.django_db
Log = Callable[[], list[dict[str, Any]]]
CANARY = "canary-13800000000"


def quote_a_row() -> None:
    """Be refused by PostgreSQL, whose message quotes the row."""
    make_user(CANARY)
    with transaction.atomic():
        make_user(CANARY)


def fails(request: HttpRequest) -> HttpResponse:
    quote_a_row()
    raise AssertionError("it was not refused")


def complains(request: HttpRequest) -> HttpResponse:
    logging.getLogger("django.request").error("Bad thing: %s", request.path)
    logging.getLogger("somebody.elses").error("sent %s", CANARY, extra={"request": request})
    logging.getLogger("somebody.elses").warning(ValueError(CANARY))
    return HttpResponse("")


urlpatterns = [path(f"fails/{CANARY}/", fails), path(f"complains/{CANARY}/", complains)]


@pytest.fixture
def planted_pages() -> Iterator[Client]:
    with override_settings(ROOT_URLCONF=__name__):
        yield Client(raise_request_exception=False)


# -- rows and values --------------------------------------------------------------------------------------


def test_a_page_that_fails_on_a_row_logs_the_constraint_and_not_the_row(
    planted_pages: Client, log: Log, log_text: StringIO
) -> None:
    answer = planted_pages.get(f"/fails/{CANARY}/?{CANARY}")

    assert answer.status_code == 409
    assert CANARY not in log_text.getvalue()
    assert CANARY not in answer.content.decode()
    (line,) = [line for line in log() if line["logger"] == "config.api_errors"]
    assert line["reason"].startswith("IntegrityError(supplies_user_username_key) < UniqueViolation")
    assert line["request_id"] == answer.headers["X-Request-ID"]


def test_the_control_the_message_of_the_database_does_quote_the_row() -> None:
    with pytest.raises(IntegrityError, match=CANARY) as refused:
        quote_a_row()

    assert kind_of(refused.value).startswith("IntegrityError(supplies_user_username_key)")


def test_what_libraries_say_is_written_without_the_values_in_it(
    planted_pages: Client, log: Log, log_text: StringIO
) -> None:
    planted_pages.get(f"/complains/{CANARY}/")

    assert CANARY not in log_text.getvalue()
    said = [line["event"] for line in log() if line["logger"] in ("django.request", "somebody.elses")]
    assert said == ["django.request", "sent %s", "somebody.elses"]


def hears_badly(_events: list[Event], *, at: Any) -> None:
    quote_a_row()


def test_a_listener_that_fails_on_a_row_does_not_log_it(settings: Any, log: Log, log_text: StringIO) -> None:
    settings.JOURNAL_LISTENERS = {"tried": [f"{__name__}.hears_badly"]}
    event = record(make_user(), "tried", by=None, at=NOW)

    dispatch(at=NOW)

    assert CANARY not in log_text.getvalue()
    (line,) = [line for line in log() if line["logger"] == "supplies.journal.services"]
    assert line["event"] == f"{__name__}.hears_badly could not hear of event {event.pk}"
    assert line["error"].startswith("IntegrityError(supplies_user_username_key)")


# -- one line a record ------------------------------------------------------------------------------------

NASTY = 'a\nb\r\nc\x1b[31m\x9b\x85\u2028\u202e\x00\ud800"} {"event": "forged"}'


@pytest.mark.parametrize("as_words", [True, False])
def test_no_text_begins_a_line_of_its_own_or_moves_the_cursor(as_words: bool) -> None:
    text = StringIO()
    handler = logging.StreamHandler(text)
    handler.setFormatter(formatter(as_words=as_words))
    ours, theirs = logging.getLogger(f"supplies.nasty.{as_words}"), logging.getLogger(f"nasty.{as_words}")
    for logger in (ours, theirs):
        logger.propagate = False  # pytest itself cannot pass half a character on
        logger.addHandler(handler)

    ours.error("said %s", NASTY)
    theirs.error(NASTY)
    structlog.get_logger(ours.name).error(NASTY, value=NASTY, **{NASTY: 1})

    assert len(text.getvalue().splitlines()) == 3
    assert text.getvalue().replace("\n", "").isprintable()


def test_a_text_that_can_be_printed_is_written_as_it_is() -> None:
    assert escaped("武昌区 · 50 盒, naïve") == "武昌区 · 50 盒, naïve"


def test_a_person_reads_words() -> None:
    record = logging.LogRecord("supplies.needs", logging.WARNING, "", 0, "%d of %s", (3, "ten"), None)

    told = formatter(as_words=True).format(record)

    assert told.split(" ", 1)[1] == "warning 3 of ten logger=supplies.needs"


# -- who was refused, and who came in ---------------------------------------------------------------------


def told_of(log: Log, logger: str = "security") -> list[tuple[str, Any]]:
    return [
        (line["event"], line.get("status", line.get("code"))) for line in log() if line["logger"] == logger
    ]


def test_every_refusal_is_written_down_with_the_route_and_the_account(log: Log) -> None:
    member, shipment = make_member("hospital"), make_shipment()
    signed_in, stranger = Client(), Client()
    signed_in.force_login(member)

    signed_in.get(f"/shipments/{shipment.pk}/")
    stranger.post("/api/v1/appeals/")
    signed_in.get("/no/such/address/")
    Client(enforce_csrf_checks=True).post("/sign-in/")

    denied = [line for line in log() if line["event"] == "denied"]
    assert [(line["status"], line["route"], line["account"]) for line in denied] == [
        (404, "shipment", member.pk),
        (401, "appeal-list", None),
        (403, "sign-in", None),
    ]


def test_coming_in_and_going_out_are_written_down_without_a_name(log: Log, log_text: StringIO) -> None:
    user = make_user(CANARY)
    client = Client()

    client.post("/sign-in/", {"username": CANARY, "password": "wrong"})
    client.post("/sign-in/", {"username": CANARY, "password": "a long enough phrase"})
    client.post("/sign-out/")

    seen = [(line["event"], line.get("account")) for line in log() if line["logger"] == "security"]
    assert seen == [("sign-in failed", user.pk), ("signed in", user.pk), ("signed out", user.pk)]
    assert CANARY not in log_text.getvalue()


def test_what_four_eyes_refuse_at_the_desk_is_written_down(log: Log, volunteer: User) -> None:
    appeal = make_appeal(by=volunteer, published=False)

    choose(at_the_desk(volunteer), "publish", appeal)

    (line,) = [line for line in log() if line["event"] == "refused"]
    assert (line["code"], line["action"], line["logger"]) == ("four-eyes", "publish", "security")


# -- requests ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("proxies", "given", "kept"),
    [
        (0, "given-by-nobody", False),
        (1, "from-our-proxy.1", True),
        (1, "short", False),
        (1, "a\tb" * 9, False),
    ],
)
def test_an_id_is_taken_from_our_own_proxy_only(settings: Any, proxies: int, given: str, kept: bool) -> None:
    settings.TRUSTED_PROXIES = proxies

    told = Client(headers={"x-request-id": given}).get("/health/live").headers["X-Request-ID"]

    assert (told == given) is kept
    assert kept or len(told) == 32


def test_a_visitor_has_another_name_tomorrow(log: Log, time_machine: Any) -> None:
    time_machine.move_to(NOW)
    Client().get("/sign-in/")
    Client().get("/sign-in/", REMOTE_ADDR="192.0.2.1")
    time_machine.move_to(NOW.replace(day=24))
    Client().get("/sign-in/")

    names = [line["client"] for line in log() if line["event"] == "request"]
    assert len(set(names)) == 3


def test_a_route_is_named_and_never_the_code_in_its_address(log: Log, log_text: StringIO) -> None:
    code = make_shipment().code

    Client().get(f"/track/{code}/")
    Client().get("/track/", {"code": code})
    Client().get(f"/api/v1/track/{code}/")

    assert [line["route"] for line in log() if line["event"] == "request"] == [
        "track",
        "find-code",
        "track-code",
    ]
    assert code not in log_text.getvalue()


# -- tasks ------------------------------------------------------------------------------------------------


@shared_task(name="planted.fails", bind=True)
def fails_as_a_task(self: Any, value: str) -> None:
    quote_a_row()


@pytest.fixture
def eager() -> Iterator[None]:
    app.conf.task_always_eager = True
    yield
    app.conf.task_always_eager = False


def test_a_task_leaves_one_line_and_neither_its_arguments_nor_its_rows(
    eager: None, log: Log, log_text: StringIO
) -> None:
    fails_as_a_task.delay(CANARY)

    assert CANARY not in log_text.getvalue()
    (line,) = [line for line in log() if line["logger"] == "config.tasks"]
    assert (line["event"], line["task"], line["outcome"]) == ("task", "planted.fails", "failure")
    assert line["task_id"]
    (raised,) = [line for line in log() if line["logger"] == "celery.app.trace"]
    assert raised["error"].startswith("IntegrityError(supplies_user_username_key)")


def test_a_message_carries_the_id_of_the_request_that_rang_and_when() -> None:
    sent: dict[str, Any] = {}
    from celery.signals import before_task_publish

    with structlog.contextvars.bound_contextvars(request_id="f00"):
        before_task_publish.send(sender="planted", headers=sent, body=None)

    assert sent["request_id"] == "f00"
    assert sent["sent_at"] > 0
