import os
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from celery import Celery, current_app
from django.core.cache import cache
from django.core.cache.backends.dummy import DummyCache
from django.db import OperationalError, connection
from django.utils import timezone

from supplies.catalogue.models import Item
from supplies.journal import services as journal
from supplies.journal.models import Event, Outgoing
from supplies.journal.tasks import dispatch
from tests.makers import NOW, make_emergency, make_item

pytestmark = pytest.mark.django_db
HEARD: list[list[Event]] = []
POISON: set[int] = set()


def listen(events: list[Event], *, at: Any) -> None:
    HEARD.append(events)


def stumble(events: list[Event], *, at: Any) -> None:
    raise RuntimeError("the listener is ill")


def retch(events: list[Event], *, at: Any) -> None:
    """Does its work event by event and falls over the poisonous one, having done part of it."""
    for event in events:
        make_item(f"heard-{event.facts['number']}")
        if event.facts["number"] in POISON:
            raise RuntimeError("poison")
    HEARD.append(events)


def wait_in_vain(events: list[Event], *, at: Any) -> None:
    HEARD.append(events)
    raise OperationalError("canceling statement due to lock timeout")


@pytest.fixture(autouse=True)
def _nobody_heard_yet() -> None:
    HEARD.clear()
    POISON.clear()


def test_what_happened_is_written_once_for_each_listener(settings) -> None:
    settings.JOURNAL_LISTENERS = {"test.rang": [f"{__name__}.listen", f"{__name__}.stumble"]}

    journal.record(make_emergency(), "test.rang", by=None, at=NOW, number=7)

    assert Event.objects.get(kind="test.rang").facts == {"number": 7}
    assert Outgoing.objects.count() == 2


def test_listeners_hear_of_all_events_at_once_and_only_once(settings) -> None:
    settings.JOURNAL_LISTENERS = {"test.rang": [f"{__name__}.listen"]}
    journal.record_all([make_emergency(), make_emergency("other")], "test.rang", by=None, at=NOW)

    assert journal.dispatch(at=NOW) == 2
    assert journal.dispatch(at=NOW) == 0

    assert [len(events) for events in HEARD] == [2]


def test_a_listener_that_fails_holds_up_nobody_and_hears_later(settings) -> None:
    settings.JOURNAL_LISTENERS = {"test.rang": [f"{__name__}.stumble", f"{__name__}.listen"]}
    journal.record(make_emergency(), "test.rang", by=None, at=NOW)

    journal.dispatch(at=NOW)

    ill = Outgoing.objects.get(listener__endswith="stumble")
    assert len(HEARD) == 1
    assert (ill.done_at, ill.attempts, ill.last_error) == (None, 1, "RuntimeError")
    assert ill.due_at > NOW

    settings.JOURNAL_LISTENERS = {}
    Outgoing.objects.filter(pk=ill.pk).update(listener=f"{__name__}.listen2")
    assert journal.dispatch(at=NOW) == 0
    assert journal.dispatch(at=NOW + timedelta(minutes=1)) == 0


def ring_out(count: int) -> None:
    """This many events, numbered."""
    numbers = iter(range(count))
    journal.record_all(
        [make_emergency()] * count, "test.rang", by=None, at=NOW, facts=lambda _row: {"number": next(numbers)}
    )


def waiting() -> list[int]:
    return sorted(row.event.facts["number"] for row in Outgoing.objects.waiting().select_related("event"))


def done() -> list[int]:
    return sorted(
        int(item.pk.removeprefix("heard-")) for item in Item.objects.filter(pk__startswith="heard-")
    )


@pytest.mark.parametrize("poison", [{7}, {0, 19}, {3, 4, 5}], ids=str)
def test_only_the_poisonous_events_wait(settings: Any, poison: set[int]) -> None:
    settings.JOURNAL_LISTENERS = {"test.rang": [f"{__name__}.retch"]}
    ring_out(20)
    POISON.update(poison)

    delivered = journal.dispatch(at=NOW)

    assert delivered == 20 - len(poison)
    assert waiting() == sorted(poison)
    assert done() == [number for number in range(20) if number not in poison]
    assert set(Outgoing.objects.waiting().values_list("attempts", "last_error")) == {(1, "RuntimeError")}


def test_new_events_pass_a_poisonous_one_and_it_is_heard_once_it_is_mended(settings: Any) -> None:
    settings.JOURNAL_LISTENERS = {"test.rang": [f"{__name__}.retch"]}
    POISON.add(0)
    ring_out(1)
    at = NOW
    for _try in range(4):
        journal.dispatch(at=at)
        at = Outgoing.objects.get().due_at
    assert (at - NOW).total_seconds() == 5 + 10 + 20 + 40

    POISON.clear()
    journal.dispatch(at=at)

    assert (waiting(), done()) == ([], [0])
    assert Outgoing.objects.get().last_error == ""


def test_more_poison_than_is_told_at_once_does_not_hold_up_what_comes_after_it(
    settings: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr(journal, "BATCH", 4)
    settings.JOURNAL_LISTENERS = {"test.rang": [f"{__name__}.retch"]}
    count = journal.BATCH + 3
    POISON.update(range(journal.BATCH))
    ring_out(count)

    journal.dispatch(at=NOW)

    assert done() == [journal.BATCH, journal.BATCH + 1, journal.BATCH + 2]


def test_a_listener_that_has_to_wait_for_a_lock_is_not_asked_again_event_by_event(settings: Any) -> None:
    settings.JOURNAL_LISTENERS = {"test.rang": [f"{__name__}.wait_in_vain", "nowhere.at_all"]}
    ring_out(20)

    journal.dispatch(at=NOW)

    assert [len(events) for events in HEARD] == [20]
    assert len(waiting()) == 40


@pytest.fixture
def no_broker(monkeypatch: Any) -> None:
    nowhere = Celery("nowhere", broker="redis+socket:///nowhere/at/all.sock", set_as_current=False)
    nowhere.config_from_object("django.conf:settings", namespace="CELERY")
    nowhere.conf.broker_url = "redis+socket:///nowhere/at/all.sock"
    monkeypatch.setattr(journal, "current_app", nowhere)
    monkeypatch.setitem(journal._left_alone, "broker", 0.0)


def test_a_broker_that_is_down_costs_nothing(no_broker: None, caplog: Any) -> None:
    journal.ring("journal.dispatch")

    assert "The broker does not answer" in caplog.text


def test_a_broker_that_did_not_answer_is_left_alone_until_the_sweep(no_broker: None, caplog: Any) -> None:
    for _event in range(5):
        journal.ring("journal.dispatch")

    assert caplog.text.count("The broker does not answer") == 1

    journal._left_alone["broker"] -= journal.SWEPT_EVERY
    journal.ring("journal.dispatch")

    assert caplog.text.count("The broker does not answer") == 2


class Unanswering(DummyCache):
    """A store that lets everybody wait until the time is out, and counts how many did."""

    asked = 0

    def add(self, *_args: Any, **_options: Any) -> bool:
        type(self).asked += 1
        raise TimeoutError


def test_a_store_that_did_not_answer_holds_up_one_commit_and_not_each_of_them(
    no_broker: None, settings: Any, monkeypatch: Any, django_capture_on_commit_callbacks: Any
) -> None:
    monkeypatch.setitem(journal._left_alone, "store", 0.0)
    monkeypatch.setattr(Unanswering, "asked", 0)
    settings.CACHES = {"default": {"BACKEND": f"{__name__}.Unanswering"}}
    settings.JOURNAL_LISTENERS = {"test.rang": [f"{__name__}.listen"]}
    emergency = make_emergency()

    for _event in range(3):
        connection.run_on_commit.clear()
        with django_capture_on_commit_callbacks(execute=True):
            journal.record(emergency, "test.rang", by=None, at=NOW)

    assert Unanswering.asked == 1


BELLS = f"tests-of-the-bell-{os.getpid()}"  # of this process: others ask the same store at the same time


@pytest.fixture
def bells(
    settings: Any, monkeypatch: Any, django_capture_on_commit_callbacks: Any
) -> Iterator[Callable[..., int]]:
    """Commits an event; answers how many bells wait in the broker then."""
    monkeypatch.setattr(journal, "BELL", BELLS)
    monkeypatch.setitem(journal._left_alone, "store", 0.0)
    settings.JOURNAL_LISTENERS = {"test.rang": [f"{__name__}.listen"]}
    emergency = make_emergency()
    usual, current_app.conf.task_default_queue = current_app.conf.task_default_queue, BELLS
    journal.take_bell_down()

    def after(kind: str) -> int:
        connection.run_on_commit.clear()  # a test commits nothing, so that of the last event is still there
        with django_capture_on_commit_callbacks(execute=True):
            journal.record(emergency, kind, by=None, at=timezone.now())
        with current_app.connection_for_read() as broker:
            return int(broker.default_channel.client.llen(BELLS))

    yield after
    current_app.conf.task_default_queue = usual
    journal.take_bell_down()
    with current_app.connection_for_read() as broker:
        broker.default_channel.client.delete(BELLS)


def test_a_bell_that_waits_is_not_rung_again_and_one_that_was_heard_is(bells: Any) -> None:
    assert [bells("test.rang") for _event in range(3)] == [1, 1, 1]

    dispatch()

    assert [len(events) for events in HEARD] == [3]
    assert bells("test.rang") == 2


def test_a_bell_that_was_lost_is_rung_again(bells: Any) -> None:
    assert bells("test.rang") == 1

    cache.delete(journal.BELL)  # its time is over

    assert bells("test.rang") == 2


def test_without_the_store_every_event_rings(bells: Any, settings: Any) -> None:
    settings.CACHES = settings.CACHES | {
        "default": {**settings.CACHES["default"], "LOCATION": "unix:///nowhere/at/all.sock"}
    }

    assert [bells("test.rang") for _event in range(2)] == [1, 2]
