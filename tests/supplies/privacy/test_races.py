"""Two reveals of one account at once: never more than its quota; and without the lock it would be."""

import threading
from contextlib import suppress
from typing import Any

import pytest
from django.db import connection

from supplies.errors import TooMany
from supplies.organisations import services as people
from supplies.organisations.contacts import Contact
from supplies.organisations.models import User
from supplies.privacy import services
from supplies.privacy.models import Reveal
from tests.makers import NOW, make_member, make_organisation

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def at_once(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Two reveals, each of which has counted before either writes, if nothing keeps them apart."""
    settings.REVEALS_A_DAY_AT_THE_DESK = 1
    both_counted, write = threading.Barrier(2), services._write_down

    def wait(*args: Any, **more: Any) -> Any:
        with suppress(threading.BrokenBarrierError):
            both_counted.wait(timeout=1)  # the other is waiting for the lock, then
        return write(*args, **more)

    monkeypatch.setattr(services, "_write_down", wait)
    reader = make_member("volunteer")
    contacts = [people.keep_contact(make_organisation(), phone=f"000-{n}", at=NOW) for n in range(2)]

    def reveal(contact: Contact, refused: list[TooMany]) -> None:
        try:
            services.reveal(contact, purpose="verify", by=User.objects.get(pk=reader.pk), at=NOW)
        except TooMany as refusal:
            refused.append(refusal)
        finally:
            connection.close()

    def run() -> list[TooMany]:
        refused: list[TooMany] = []
        threads = [threading.Thread(target=reveal, args=(contact, refused)) for contact in contacts]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return refused

    return run


def test_two_reveals_at_once_stay_within_the_quota(at_once: Any) -> None:
    assert len(at_once()) == 1
    assert Reveal.objects.count() == 1


def test_without_the_lock_they_would_not(at_once: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "_one_at_a_time", lambda user: None)

    assert at_once() == []
    assert Reveal.objects.count() == 2
