from datetime import timedelta
from typing import Any

import pytest
from celery import Celery

from supplies.journal import services as journal
from supplies.journal.models import Event, Outgoing
from tests.makers import NOW, make_emergency

pytestmark = pytest.mark.django_db
HEARD: list[list[Event]] = []


def listen(events: list[Event], *, at: Any) -> None:
    HEARD.append(events)


def stumble(events: list[Event], *, at: Any) -> None:
    raise RuntimeError("the listener is ill")


@pytest.fixture(autouse=True)
def _nobody_heard_yet() -> None:
    HEARD.clear()


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


@pytest.fixture
def no_broker(monkeypatch: Any) -> None:
    nowhere = Celery("nowhere", broker="redis+socket:///nowhere/at/all.sock", set_as_current=False)
    nowhere.config_from_object("django.conf:settings", namespace="CELERY")
    nowhere.conf.broker_url = "redis+socket:///nowhere/at/all.sock"
    monkeypatch.setattr(journal, "current_app", nowhere)
    monkeypatch.setitem(journal._left_alone, "until", 0.0)


def test_a_broker_that_is_down_costs_nothing(no_broker: None, caplog: Any) -> None:
    journal.ring("journal.dispatch")

    assert "The broker does not answer" in caplog.text


def test_a_broker_that_did_not_answer_is_left_alone_until_the_sweep(no_broker: None, caplog: Any) -> None:
    for _event in range(5):
        journal.ring("journal.dispatch")

    assert caplog.text.count("The broker does not answer") == 1

    journal._left_alone["until"] -= journal.SWEPT_EVERY
    journal.ring("journal.dispatch")

    assert caplog.text.count("The broker does not answer") == 2
