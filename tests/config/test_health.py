"""Alive, ready, and what is measured."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.db import OperationalError, connection
from django.test import Client
from django.utils import timezone
from kombu import Queue

from config import health, metrics
from config.celery import app, glance_at_broker
from config.tasks import probe
from matching.models import FamilyRun, MatchingRun
from supplies.journal.models import Outgoing
from supplies.journal.services import record
from tests.makers import make_proposal, make_user
from tests.owner import as_owner, tampered

pytestmark = pytest.mark.django_db
TOKEN = "a token of the tests"
READY = "/health/ready"


# -- alive and ready --------------------------------------------------------------------------------------


def test_a_process_that_answers_is_alive_and_asks_nobody(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        answer = Client().get("/health/live")

    assert (answer.status_code, answer.json()) == (200, {"alive": True})


def test_a_site_with_its_servers_is_ready() -> None:
    answer = Client().get(READY)

    assert answer.status_code == 200
    assert answer.json() == {
        "ready": True,
        "database": True,
        "migrations": True,
        "cache": True,
        "broker": True,
    }


def test_without_its_database_it_is_alive_and_not_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_args: Any, **_more: Any) -> Any:
        raise OperationalError("could not connect")

    monkeypatch.setattr(connection, "ensure_connection", away)
    monkeypatch.setattr(connection, "cursor", away)

    answers = Client().get("/health/live"), Client().get(READY)

    assert [answer.status_code for answer in answers] == [200, 503]
    assert answers[1].json()["database"] is False


def test_with_a_migration_that_is_not_applied_it_is_not_ready_and_looks_again() -> None:
    health._are_applied.cache_clear()
    with as_owner(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'matching' RETURNING name")
        gone = [name for (name,) in cursor.fetchall()]

    answer = Client().get(READY)

    assert (answer.status_code, answer.json()["migrations"]) == (503, False)
    with as_owner(), connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO django_migrations (app, name, applied) VALUES ('matching', %s, now())",
            [[name] for name in gone],
        )
    assert Client().get(READY).status_code == 200


def test_without_its_cache_it_is_not_ready(settings: Any) -> None:
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": "unix:///nowhere.sock"}}

    answer = Client().get(READY)

    assert (answer.status_code, answer.json()["cache"]) == (503, False)


def test_without_its_broker_it_is_ready_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app.conf, "broker_read_url", "redis+socket:///nowhere.sock")

    answer = Client().get(READY)

    assert (answer.status_code, answer.json()["broker"]) == (200, False)


# -- metrics: for whom ------------------------------------------------------------------------------------


def collected(**headers: str) -> Any:
    return Client(headers=headers).get("/metrics")


@pytest.mark.parametrize(
    ("token", "shown", "status"),
    [
        ("", "", 404),
        ("", "Bearer ", 404),
        (TOKEN, "", 401),
        (TOKEN, "Bearer ", 401),
        (TOKEN, f"Bearer {TOKEN}x", 401),
        (TOKEN, "Bearer é", 401),
        (TOKEN, f"Basic {TOKEN}", 401),
        (TOKEN, f"Bearer {TOKEN}", 200),
    ],
)
def test_metrics_are_for_whoever_shows_the_token_and_for_nobody_without_one(
    settings: Any, token: str, shown: str, status: int
) -> None:
    settings.METRICS_TOKEN = token

    assert collected(authorization=shown).status_code == status


@pytest.fixture
def read(settings: Any) -> Any:
    """One number by its name in what is collected."""
    settings.METRICS_TOKEN = TOKEN

    def reading(name: str) -> float:
        lines = collected(authorization=f"Bearer {TOKEN}").content.decode().splitlines()
        return next(float(line.split()[-1]) for line in lines if line.startswith(f"tongzhou_{name} "))

    return reading


# -- metrics: what ----------------------------------------------------------------------------------------


def test_the_journal_shows_how_much_waits_and_how_long_the_oldest_has(settings: Any, read: Any) -> None:
    settings.JOURNAL_LISTENERS = {"tried": ["nobody.hears"]}
    at = timezone.now()
    assert (read("outgoing_waiting"), read("outgoing_oldest_seconds")) == (0, 0)

    record(make_user(), "tried", by=None, at=at - timedelta(hours=1))
    record(make_user(), "tried", by=None, at=at)

    assert read("outgoing_waiting") == 2
    assert 3600 <= read("outgoing_oldest_seconds") < 3700
    Outgoing.objects.update(done_at=at)
    assert (read("outgoing_waiting"), read("outgoing_oldest_seconds")) == (0, 0)


def test_the_matching_shows_what_runs_and_how_long_its_lease_was_silent(settings: Any, read: Any) -> None:
    proposal = make_proposal()
    settings.MATCH_LEASE_SECONDS = 60
    family = FamilyRun.objects.filter(pk=proposal.family_run_id)
    with tampered("matching_familyrun"):
        family.update(status="queued")
    assert (read('family_runs{status="queued"}'), read('family_runs{status="running"}')) == (1, 0)
    assert read("lease_age_seconds") == 0

    family.update(status="running", lease_until=timezone.now() - timedelta(seconds=30))

    assert (read('family_runs{status="queued"}'), read('family_runs{status="running"}')) == (0, 1)
    assert 90 <= read("lease_age_seconds") < 100


def test_the_matching_shows_what_has_failed_lately(read: Any) -> None:
    family, at = FamilyRun.objects.filter(pk=make_proposal().family_run_id), timezone.now()
    with tampered("matching_matchingrun"):
        MatchingRun.objects.update(created_at=at)
    assert read("families_failed") == 0

    with tampered("matching_familyrun"):
        family.update(status="failed")

    assert read("families_failed") == 1
    with tampered("matching_matchingrun"):
        MatchingRun.objects.update(created_at=at - timedelta(hours=2))
    assert read("families_failed") == 0


@pytest.fixture
def queue() -> Iterator[str]:
    """A queue that no worker of the tests looks at."""
    usual, app.conf.task_default_queue = app.conf.task_default_queue, "tests-of-metrics"
    yield "tests-of-metrics"
    app.conf.task_default_queue = usual
    with glance_at_broker() as broker:
        broker.default_channel.client.delete("tests-of-metrics")


def test_the_queue_shows_its_length_and_its_oldest_message(queue: str, read: Any, time_machine: Any) -> None:
    assert (read("queue_length"), read("queue_oldest_seconds")) == (0, 0)
    now = timezone.now()
    for seconds in (0, 40):
        time_machine.move_to(now + timedelta(seconds=seconds), tick=False)
        app.send_task("site.probe", queue=Queue(queue, routing_key=queue))

    time_machine.move_to(now + timedelta(seconds=90), tick=False)

    assert (read("queue_length"), read("queue_oldest_seconds")) == (2, pytest.approx(90))


def test_a_worker_that_takes_no_tasks_is_seen_by_its_silence(read: Any, time_machine: Any) -> None:
    cache.delete(metrics.PROBE)
    assert read("probe_age_seconds") == float("inf")
    now = timezone.now()
    time_machine.move_to(now, tick=False)
    probe()
    assert read("probe_age_seconds") == 0

    time_machine.move_to(now + timedelta(seconds=61), tick=False)

    assert read("probe_age_seconds") == pytest.approx(61)


def test_the_timetable_rings_the_probe_often_enough_to_be_missed_within_a_minute(settings: Any) -> None:
    (entry,) = [entry for entry in settings.CELERY_BEAT_SCHEDULE.values() if entry["task"] == probe.name]

    assert entry["schedule"] * 3 <= 60


def test_what_cannot_be_read_is_named_and_hides_nothing_else(
    monkeypatch: pytest.MonkeyPatch, read: Any
) -> None:
    monkeypatch.setattr(app.conf, "broker_read_url", "redis+socket:///nowhere.sock")

    assert read('unreadable{gauge="queue_length"}') == 1
    assert read("outgoing_waiting") == 0
    with pytest.raises(StopIteration):
        read("queue_length")


def test_requests_refusals_and_denials_of_the_limiter_are_counted(read: Any) -> None:
    name = 'requests_total{method="GET",route="language",status="405"}'
    Client().get("/language/")
    before = read(name)

    Client().get("/language/")

    assert read(name) == before + 1
    for counter in (metrics.REFUSALS, metrics.LIMITED, metrics.TASKS):
        assert counter.describe()[0].type == "counter"
