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


def test_a_broker_that_is_down_costs_nothing(monkeypatch, caplog) -> None:
    nowhere = Celery("nowhere", broker="redis+socket:///nowhere/at/all.sock", set_as_current=False)
    monkeypatch.setattr(journal, "current_app", nowhere)

    journal.ring("journal.dispatch")

    assert "The broker does not answer" in caplog.text
