"""The journal as outbox: whatever is killed, every committed event has its effect, once."""

import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from drill.cells import Cell, Check, at_most, cell, more_than, none_of
from drill.stage import Stage
from launcher.processes import wait_until
from supplies.emergencies.models import Emergency
from supplies.journal.models import Event, Outgoing
from supplies.journal.services import record_all
from supplies.organisations import services as people
from supplies.organisations.keys import Scope
from tests.makers import make_emergency, make_facility, make_member, make_need

KIND, KIND_APART = "drill.rang", "drill.apart"
HEARD = "INSERT INTO drill_heard SELECT unnest(%s)"
DEATHS = "deaths"  # the file in which a process says that it is about to die
DIES = 0.01  # the share of deliveries in which a process dies between the effect and the commit
SECONDS_TO_DRAIN, SECONDS_TO_DRAIN_AFTER_AN_OUTAGE = 60, 300
TOO_LONG = 600  # a drill that has not drained by then has failed


def hear(events: Sequence[Event], *, at: datetime) -> None:
    """The receiver: writes down what it was told. Now and then its process dies before that is committed."""
    with connection.cursor() as cursor:
        cursor.execute(HEARD, [[event.pk for event in events]])
    if random.random() < DIES:
        _die()


def hear_apart(events: Sequence[Event], *, at: datetime) -> None:
    """The control: its effect is committed by itself, so the death of its process comes between it and "done"."""
    apart = connection.copy()
    with apart.cursor() as cursor:
        cursor.execute(HEARD, [[event.pk for event in events]])
    apart.close()
    if _deaths() == 0:
        _die()


def _die() -> None:
    with (Path(os.environ["STATE_DIR"]) / DEATHS).open("a") as file:
        file.write(f"{os.getpid()}\n")
    os.kill(os.getpid(), signal.SIGKILL)


def _deaths() -> int:
    file = Path(os.environ["STATE_DIR"]) / DEATHS
    return len(file.read_text().splitlines()) if file.exists() else 0


@cell(
    "outbox",
    of="R5, F12",
    injects="10,000 events; the dispatcher killed 20 times, its processes now and then between effect and commit; the broker"
    " restarted 3 times: as it was, killed, and empty",
    passes="lost 0, doubled 0, nothing heard that was rolled back; drained 60 s after the last recovery",
    is_many=True,
)
def outbox(stage: Stage) -> list[Check]:
    events, kills = stage.size(10_000, 600), stage.size(20, 2)
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE drill_heard (event bigint)")
    (stage.state.path / DEATHS).unlink(missing_ok=True)
    emergency = make_emergency()
    restarts = _restarts(kills)
    written: list[int] = []
    worker = stage.worker()
    for round_number in range(kills):
        written += _write(emergency, events // kills, chance=random.Random(round_number))
        _wait_for_a_delivery()
        if how := restarts.get(round_number):
            stage.stop_broker(hard=how == "hard")
            written += _write(emergency, 10, chance=random.Random(-round_number))
            stage.start_broker(empty=how == "empty")
        time.sleep(random.uniform(0, 0.3))
        stage.kill(worker)
        worker.start()
    recovered = time.monotonic()
    is_drained = _drained()
    seconds, deaths = time.monotonic() - recovered, _deaths()
    heard = _heard()
    return [
        Check("events committed", len(written), f"{events} or more", len(written) >= events),
        none_of("lost", set(written) - set(heard)),
        none_of("doubled", [event for event, times in heard.items() if times > 1]),
        none_of("heard although rolled back", set(heard) - set(written)),
        none_of("still waiting", 0 if is_drained else Outgoing.objects.waiting().count()),
        at_most("drained after the last recovery", seconds, SECONDS_TO_DRAIN),
        Check("deaths between effect and commit, besides the kills", deaths, "said, not judged", True),
        more_than(
            "doubled by a listener whose effect is committed apart (the control)",
            _doubled_apart(stage, emergency),
            0,
        ),
    ]


def _heard() -> Counter[int]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT event FROM drill_heard")
        return Counter(event for (event,) in cursor.fetchall())


def _drained() -> bool:
    return wait_until(lambda: not Outgoing.objects.waiting().exists(), seconds=TOO_LONG, every=0.2)


def _doubled_apart(stage: Stage, emergency: Emergency) -> int:
    (stage.state.path / DEATHS).unlink(missing_ok=True)
    record_all([emergency] * 5, KIND_APART, by=None, at=timezone.now())
    _drained()
    events = set(Event.objects.filter(kind=KIND_APART).values_list("pk", flat=True))
    return sum(times > 1 for event, times in _heard().items() if event in events)


def _restarts(kills: int) -> dict[int, str]:
    """In which rounds the broker is restarted, and how."""
    ways = ["kept", "hard", "empty"] if kills > 3 else ["empty"]
    return {(place + 1) * kills // (len(ways) + 1): way for place, way in enumerate(ways)}


def _write(emergency: Emergency, count: int, *, chance: random.Random) -> list[int]:
    """Events in transactions of a few; every tenth transaction is rolled back. Returns the keys of those committed."""
    written: list[int] = []
    while len(written) < count:
        with transaction.atomic():
            rows = [emergency] * chance.randint(1, 20)
            events = record_all(rows, KIND, by=None, at=timezone.now())
            if is_undone := chance.random() < 0.1:
                transaction.set_rollback(True)
        if not is_undone:
            written += [event.pk for event in events]
    return written


def _wait_for_a_delivery() -> None:
    """Until the worker is at it: a worker that is killed before it has begun proves nothing."""
    before = Outgoing.objects.waiting().count()
    wait_until(
        lambda: Outgoing.objects.waiting().count() < before or before == 0,
        seconds=SECONDS_TO_DRAIN,
        every=0.01,
    )


@cell(
    "broker-down",
    of="R10, F12",
    injects="the broker stopped while programs go on writing and reading (10 minutes), then started again empty",
    passes="no request answered with an error; the backlog drained within 300 s",
    is_many=True,
)
def broker_down(stage: Stage) -> list[Check]:
    site = make_facility()
    member = make_member("hospital", site.organisation)
    needs = [str(make_need(site).pk) for _need in range(20)]
    _token, secret = people.issue_token(
        member, name="drill", scopes=[Scope.READ, Scope.NEEDS], at=timezone.now()
    )
    restarts, web = stage.supervise(stage.worker()), stage.web()
    assert _drained()
    stage.stop_broker()
    statuses: Counter[Any] = Counter()
    slowest = [0.0]
    until = time.monotonic() + stage.size(600, 12)

    def work(number: int) -> None:
        chance = random.Random(number)
        while time.monotonic() < until:
            need, began = chance.choice(needs), time.monotonic()
            method, path = chance.choice(
                [
                    ("POST", f"/api/v1/needs/{need}/confirm/"),
                    ("GET", f"/api/v1/needs/{need}/"),
                    ("GET", "/api/v1/needs/"),
                ]
            )
            try:
                statuses[web.ask(method, path, {}, Authorization=f"Token {secret}").status] += 1
            except OSError as error:
                statuses[type(error).__name__] += 1
            slowest[0] = max(slowest[0], time.monotonic() - began)

    threads = [threading.Thread(target=work, args=[number]) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    backlog = Outgoing.objects.waiting().count()
    stage.start_broker(empty=True)
    recovered = time.monotonic()
    _drained()
    seconds = time.monotonic() - recovered
    return [
        more_than("requests answered", statuses[200], 10),
        none_of("requests answered with an error", statuses.total() - statuses[200]),
        Check("slowest answer meanwhile", f"{slowest[0]:.1f} s", "said, not judged", True),
        more_than("events that waited", backlog, 0),
        none_of("still waiting", Outgoing.objects.waiting().count()),
        at_most("drained after the broker came back", seconds, SECONDS_TO_DRAIN_AFTER_AN_OUTAGE),
        Check("times the supervisor had to start the worker again", restarts(), "said, not judged", True),
    ]


CELLS: list[Cell] = [outbox, broker_down]
