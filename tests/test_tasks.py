"""Every task bears to be delivered twice, at the same time, an hour late and out of order: generated from the register."""

import json
import subprocess
import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.core.mail import send_mail
from django.db import connection, transaction

import config.settings
from config.celery import app
from launcher.processes import wait_until
from matching import running
from matching import services as matching
from matching.models import FamilyRun, Proposal, RunStatus
from supplies.allocations.models import Allocation
from supplies.carriers import services as carriers
from supplies.catalogue.models import Item
from supplies.intake import services as intake
from supplies.intake.models import MOVING, Import, Scope
from supplies.journal import chain, once
from supplies.journal.models import Event, Outgoing
from supplies.journal.once import Answer, Asked
from supplies.journal.services import record
from supplies.needs.models import Need
from supplies.notices.inbox import Sending
from supplies.offers.models import Offer
from supplies.organisations import services as people
from supplies.organisations.models import Organisation
from tests.at_once import SECONDS, waiting
from tests.makers import (
    NOW,
    make_allocation,
    make_delivery,
    make_emergency,
    make_item,
    make_need,
    make_notice,
    make_offer,
    make_organisation,
    make_proposal,
    make_shipment,
    make_user,
    with_address,
)
from tests.processes import START, start
from tests.supplies.carriers.telling import carried_by, word
from tests.supplies.intake.conftest import hand_in
from tests.supplies.intake.lists import make_catalogue, make_row
from tests.tables import Photograph, changes, photograph, shape

app.loader.import_default_modules()
Args = list[str]
HOUR = timedelta(hours=1)

# -- What each task finds to do ----------------------------------------------------------------------------


def news() -> Args:
    make_need()
    make_offer()
    return []


def a_mail() -> Args:
    send_mail("Exercise", "nothing", None, ["nobody@example.org"])
    return []


def old_answers() -> Args:
    asked = Asked("account:1", None, "POST /", "POST", "k", b"")
    once.keep(asked, Answer(200), at=NOW - timedelta(days=8))
    return []


def a_run(item: str) -> Any:
    """Asked for, of an emergency of its own in which something can be matched."""
    goods: dict[str, Any] = {"item": make_item(item), "emergency": make_emergency(f"for-{item.lower()}")}
    make_need(quantity=100, **goods)
    make_offer(quantity=60, **goods)
    return matching.start(goods["emergency"], trigger="hand", by=None, at=NOW)


def a_queued_run(item: str = "MASK_SURG") -> Args:
    return [str(a_run(item).pk)]


def a_queued_family(item: str = "MASK_SURG") -> Args:
    (family,) = running.open_run(a_run(item).pk, at=NOW)
    return [str(family.pk)]


def something_left_lying() -> Args:
    (family,) = a_queued_family()
    running.take_lease(family, at=NOW - HOUR)
    Proposal.objects.filter(pk=make_proposal().pk).update(expires_at=NOW - HOUR)
    return []


def an_old_delivery() -> Args:
    make_delivery(at=NOW - timedelta(days=31))
    return []


def what_waits_to_be_counted() -> Args:
    shipment = make_shipment(status="delivered")
    type(shipment).objects.filter(pk=shipment.pk).update(delivered_at=NOW - timedelta(days=9))
    return []


def news_by_mail() -> Args:
    notice = make_notice(with_address(make_user()))
    Sending.objects.create(notice=notice, user=notice.user, channel="mail", next_at=NOW)
    return []


def an_emergency() -> Args:
    make_need()
    return []


def what_is_over() -> Args:
    Need.objects.filter(pk=make_need().pk).update(deadline_at=NOW - HOUR)
    Offer.objects.filter(pk=make_offer().pk).update(expires_on=NOW.date())
    Allocation.objects.filter(pk=make_allocation().pk).update(due_at=NOW - HOUR)
    people.keep_contact(
        make_organisation(), at=NOW - timedelta(days=400), name="Practice person", phone="000-1"
    )
    return []


def what_was_written() -> Args:
    make_need()
    return []


def what_was_sealed() -> Args:
    make_need()
    chain.seal(at=NOW)
    return []


def what_a_day_brings() -> Args:
    organisation = make_organisation()
    Organisation.objects.filter(pk=organisation.pk).update(
        verified_on=NOW.date() - timedelta(days=91), recheck_on=NOW.date() - timedelta(days=1)
    )
    return []


def a_list(**row: str) -> Args:
    if not Item.objects.filter(pk="MASK_SURG").exists():
        make_catalogue()
    batch = hand_in([make_row(**row)], by=make_user(), at=NOW)
    return [str(intake.enter(batch, what=Scope.ALL, by=batch.by, at=NOW).pk)]


def what_fits_nothing() -> Args:
    before = NOW - timedelta(days=40)
    carriers.take_in(make_organisation("carrier"), [word("W1", at=before)], by=None, at=before)
    return []


def what_fits_by_now() -> Args:
    carrier = make_organisation("carrier")
    carriers.take_in(carrier, [word("W1")], by=None, at=NOW)
    carried_by(carrier, "W1")
    return []


CASES: dict[str, Callable[[], Args]] = {
    "carriers.forget": what_fits_nothing,
    "carriers.sweep": what_fits_by_now,
    "desks.count_open_needs": what_was_written,
    "matching.count_where_it_went": what_was_written,
    "desks.once_a_day": what_a_day_brings,
    "desks.end_what_is_over": what_is_over,
    "intake.work": a_list,
    "journal.carry_mail": a_mail,
    "journal.dispatch": news,
    "journal.forget": old_answers,
    "journal.seal": what_was_written,
    "journal.verify": what_was_sealed,
    "notices.forget": an_old_delivery,
    "notices.remind": what_waits_to_be_counted,
    "notices.tell": news_by_mail,
    "matching.match_all": an_emergency,
    "matching.open_run": a_queued_run,
    "matching.solve_family": a_queued_family,
    "matching.sweep": something_left_lying,
}
# Two messages of one task, for different goods, that may come in either order.
PAIRS: dict[str, list[Callable[[], Args]]] = {
    "matching.open_run": [lambda: a_queued_run(), lambda: a_queued_run("GOWN")],
    "matching.solve_family": [lambda: a_queued_family(), lambda: a_queued_family("GOWN")],
    "intake.work": [lambda: a_list(), lambda: a_list(name="演练第二医院")],
}


WRITES_NO_ROW = {
    "carriers.poll": "asks nobody unless it was turned on: tests/supplies/carriers/test_polling.py asks twice",
    "site.probe": "notes in the cache that a worker is there",
    "opendata.publish": "writes files, and its key once: tests/supplies/opendata/test_dump.py delivers it twice",
    "intake.sweep": "rings for what was left lying",
    "notices.carry": "sends, and writes down how it went: tests/supplies/notices/test_carrying.py delivers it twice",
    "federation.pull": "notes when it asked last, each time: tests/supplies/federation/test_pull.py delivers it twice",
}


def ours() -> set[str]:
    return {
        name
        for name in app.tasks
        if not name.startswith(("celery.", "planted.")) and name not in WRITES_NO_ROW
    }


def do(task: str, args: Args, at: Any = NOW) -> None:
    with time_machine.travel(at, tick=False):
        app.tasks[task](*args)


@pytest.fixture(autouse=True)
def _today(settings: Any, tmp_path: Path) -> Iterator[None]:
    settings.STATE_DIR = tmp_path  # where heads of the journal are kept
    settings.EMAIL_BACKEND, settings.EMAIL_FILE_PATH = config.settings.EMAIL_BACKEND, str(tmp_path / "mail")
    with time_machine.travel(NOW, tick=False):
        yield


# -- each on its own ---------------------------------------------------------------------------------------


def test_every_task_has_a_case() -> None:
    assert ours() == set(CASES)


def test_a_new_task_would_be_missed() -> None:
    def planted() -> None: ...

    app.task(planted, name="matching.planted")
    try:
        assert ours() - set(CASES) == {"matching.planted"}
    finally:
        app.tasks.unregister("matching.planted")


def test_every_task_that_is_given_a_row_has_two_of_them() -> None:
    assert {name for name in ours() if app.tasks[name].run.__code__.co_argcount} == set(PAIRS)


@pytest.mark.django_db
@pytest.mark.parametrize("task", sorted(CASES))
def test_delivered_again_at_once_and_an_hour_late_it_changes_nothing(task: str) -> None:
    args = CASES[task]()
    before = photograph()

    do(task, args)
    done = photograph()
    do(task, args)
    do(task, args, NOW + HOUR)

    assert changes(before, done), "the case gives the task nothing to do"
    assert changes(done, photograph()) == {}


@pytest.mark.django_db
@pytest.mark.parametrize("task", sorted(CASES))
def test_delivered_an_hour_late_it_does_the_same(task: str) -> None:
    args = CASES[task]()
    before = photograph()

    in_time, late = (what_would_come_of(lambda at=at: do(task, args, at)) for at in (NOW, NOW + HOUR))  # type: ignore[misc]

    assert shape(before, late) == shape(before, in_time)


@pytest.mark.django_db
@pytest.mark.parametrize("task", sorted(PAIRS))
def test_a_message_that_comes_before_its_row_changes_nothing(task: str) -> None:
    for prepare in PAIRS[task]:
        prepare()
    before = photograph()

    do(task, [str(uuid.uuid4())])

    assert changes(before, photograph()) == {}


@pytest.mark.django_db
@pytest.mark.parametrize("task", sorted(PAIRS))
def test_two_messages_in_the_wrong_order_do_the_same(task: str) -> None:
    messages = [prepare() for prepare in PAIRS[task]]
    before = photograph()

    def deliver(order: list[Args]) -> None:
        for args in order:
            do(task, args)

    right, wrong = (what_would_come_of(lambda o=o: deliver(o)) for o in (messages, messages[::-1]))  # type: ignore[misc]

    assert shape(before, right) == shape(before, wrong)


@pytest.mark.django_db
def test_the_control_a_task_that_adds_is_found() -> None:
    make_emergency()
    before = photograph()

    def add() -> None:
        record(make_emergency(), "planted.heard", by=None, at=NOW)

    add()
    done = photograph()
    add()

    one_more = {"supplies_event": (0, 1), "supplies_unsealed": (0, 1)}
    assert changes(before, done) == changes(done, photograph()) == one_more


def what_would_come_of(deed: Callable[[], None]) -> Photograph:
    """The tables as they were after it; then it has not happened."""
    with transaction.atomic():
        deed()
        shot = photograph()
        transaction.set_rollback(True)
    return shot


# -- all of them together ----------------------------------------------------------------------------------


def settle(order: list[str]) -> dict[str, Any]:
    """Deliver every message there is in this order, again and again until nothing moves; what the books say then."""
    for _round in range(8):
        before = photograph()
        for task in order:
            rows: dict[str, Any] = {
                "matching.open_run": matching.MatchingRun,
                "matching.solve_family": FamilyRun,
            }
            queued = rows[task].objects.filter(status=RunStatus.QUEUED) if task in rows else None
            if task == "intake.work":
                queued = Import.objects.filter(status__in=MOVING)
            for args in [[]] if queued is None else [[str(pk)] for pk in queued.values_list("pk", flat=True)]:
                do(task, args)
        if task_is_done(before):
            break
    return {
        "proposals": sorted(Proposal.objects.values_list("need", "offer", "quantity", "status")),
        "needs": sorted(Need.objects.values_list("pk", "status", "quantity_proposed")),
        "offers": sorted(Offer.objects.values_list("pk", "status", "quantity_proposed")),
        "unheard": Outgoing.objects.waiting().count(),
        "ended": sorted(Event.objects.filter(kind__contains="lapsed").values_list("kind", "subject_id")),
    }


def task_is_done(before: Photograph) -> bool:
    return not changes(before, photograph()).keys() - {
        "matching_matchingrun",
        "matching_familyrun",
        "supplies_event",
    }


@pytest.mark.django_db
def test_whatever_order_messages_come_in_the_books_say_the_same() -> None:
    make_need(quantity=100)
    make_need(quantity=50, urgency=1)
    make_offer(quantity=120)
    what_is_over()
    found = []

    for order in (sorted(CASES), sorted(CASES, reverse=True)):
        with transaction.atomic():
            found.append(settle(order))
            transaction.set_rollback(True)

    assert found[0] == found[1]
    assert found[0]["proposals"]
    assert found[0]["ended"]
    assert found[0]["unheard"] == 0


# -- in two processes --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def workers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list["subprocess.Popen[str]"]]:
    """Two workers for all these tests, started when the first of them knows its database."""
    yield (started := [])
    for worker in started:
        worker.stdin.close()
        worker.wait(timeout=SECONDS)


def in_parallel(workers: list["subprocess.Popen[str]"], task: str, args: Args, mails: Path) -> None:
    """Both workers do it, and begin at the same moment."""
    if not workers:
        workers += [
            start("-m", "tests.doing", MAIL_URL=f"filemail:///{mails}", STATE_DIR=str(mails.parent))
            for _worker in range(2)
        ]
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s), pg_advisory_lock(%s)", [START, START + 1])
        for worker in workers:
            assert worker.stdin is not None
            worker.stdin.write(json.dumps({"task": task, "args": args, "at": NOW.isoformat()}) + "\n")
            worker.stdin.flush()
        assert [said(worker) for worker in workers] == ["ready", "ready"]
        assert wait_until(lambda: waiting() == 2, seconds=SECONDS)
        cursor.execute("SELECT pg_advisory_unlock(%s)", [START])
        if task.startswith("planted"):
            assert wait_until(lambda: waiting() == 2, seconds=SECONDS)
        cursor.execute("SELECT pg_advisory_unlock(%s)", [START + 1])
    assert [said(worker) for worker in workers] == ["done", "done"]


def said(worker: Any) -> str:
    return str(worker.stdout.readline().rstrip() or worker.stderr.read())


@pytest.fixture(scope="module")
def mails(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("mail")


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("task", sorted(CASES))
def test_delivered_to_two_workers_at_once_it_is_done_once(workers: Any, mails: Path, task: str) -> None:
    args = CASES[task]()
    before = photograph()
    alone = what_would_come_of(lambda: do(task, args))

    in_parallel(workers, task, args, mails)

    found, wanted = shape(before, photograph()), shape(before, alone)
    assert found == wanted, [
        (name, found.get(name), wanted.get(name))
        for name in found | wanted
        if found.get(name) != wanted.get(name)
    ]
    assert len(list(mails.iterdir())) <= 1


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_the_control_a_task_that_looks_and_leaps_does_it_twice(workers: Any, mails: Path) -> None:
    news()
    unheard = Outgoing.objects.waiting().count()

    in_parallel(workers, "planted.naive", [], mails)

    assert Event.objects.filter(kind="planted.heard").count() == 2 * unheard
