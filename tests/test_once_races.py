"""The same request many times at once, from processes and threads: one effect, one answer. Every race has its control."""

import hashlib
import json
from typing import Any

import pytest

from config import transactions
from supplies.allocations.models import Allocation
from supplies.journal import once
from supplies.journal.models import Event, IdempotencyKey
from supplies.needs.models import Appeal, Need
from supplies.organisations.models import User
from supplies.shipments.tracking import TrackingEvent
from tests.api_client import V1, Speaker
from tests.at_once import held, meanwhile
from tests.makers import make_facility, make_member, make_need, make_user
from tests.operations import CASES, an_appeal
from tests.processes import finish, start

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
PROCESSES, THREADS, LATE, CONTROL = 2, 25, 10, 4
OPERATIONS = [
    "POST /api/v1/appeals/",
    "POST /api/v1/shipments/{id}/events/",
    "POST /api/v1/allocations/{id}/release/",
]


def race(person: User, requests: list[list[Any]]) -> list[list[Any]]:
    """For each request [threads, key or None, method, path, body] the answers of all threads of all processes."""
    racers = [
        start("-m", "tests.once_racing", str(person.pk), json.dumps(requests))
        for _process in range(PROCESSES)
    ]
    answers: list[list[Any]] = []
    for _request in requests:
        assert [said(racer) for racer in racers] == ["ready"] * PROCESSES
        for racer in racers:
            assert racer.stdin is not None
            racer.stdin.write("go\n")
            racer.stdin.flush()
        answers.append([answer for racer in racers for answer in json.loads(said(racer))])
    finish(*racers)
    return answers


def said(racer: Any) -> str:
    """Its next line; its last words if it has ended."""
    return str(racer.stdout.readline().rstrip() or racer.stderr.read())


def test_fifty_at_once_and_ten_late_have_one_effect_and_one_answer_and_without_a_key_many() -> None:
    person = make_user(is_superuser=True)
    cases = [[operation.split()[0].lower(), *CASES[operation]()] for operation in OPERATIONS]
    requests = [[method, V1 + path, body] for method, path, body in cases]
    keyed = [[THREADS, f"key-{position}", *request] for position, request in enumerate(requests)]
    naive = [[CONTROL, None, *request] for request in requests[:2]]

    answers = race(person, [*keyed, *naive])

    for (_threads, key, method, path, body), given in zip(keyed, answers, strict=False):
        late = [
            getattr(Speaker(person).client, method)(path, body, format="json", HTTP_IDEMPOTENCY_KEY=key)
            for _again in range(LATE)
        ]
        first = [answer for answer in given if not answer[2]]
        assert len(given) == PROCESSES * THREADS
        assert len(first) == 1, path
        assert {tuple(answer[:2]) for answer in given} == {tuple(first[0][:2])}
        assert {hashlib.sha256(answer.content).hexdigest() for answer in late} == {first[0][1]}
        assert {answer.headers["Idempotency-Replayed"] for answer in late} == {"true"}
    assert IdempotencyKey.objects.count() == len(OPERATIONS)
    effects = (
        Appeal.objects.filter(posted_by=person).count(),
        TrackingEvent.objects.filter(by=person).count(),
        Allocation.objects.filter(status="released").count(),
    )
    assert effects == (1 + PROCESSES * CONTROL, 1 + PROCESSES * CONTROL, 1)


def test_while_the_first_is_at_work_the_second_is_told_so_and_then_answered() -> None:
    hospital = make_facility()
    member, need = make_member("hospital", hospital.organisation), make_need(hospital)

    def send() -> Any:
        return Speaker(member).post(f"needs/{need.pk}/not-needed/", idempotency_key="k")

    with meanwhile(held(Need.objects.filter(pk=need.pk)), send) as first:
        second = send()
    late = send()

    assert (second.status_code, second.json()["code"], second["Retry-After"]) == (409, "in-flight", "1")
    assert first.result(timeout=60).status_code == 200
    assert (late.content, late.headers["Idempotency-Replayed"]) == (first.result().content, "true")


def test_two_that_do_the_same_with_keys_of_their_own_are_no_copies_of_each_other() -> None:
    person = make_user(is_superuser=True)
    path, body = an_appeal()

    for key in ("a", "b"):
        assert Speaker(person).post(path, body, idempotency_key=key).status_code == 201

    assert Appeal.objects.count() == 2


class Killed(BaseException):
    """As good as kill -9 to whoever waits for an answer; the drill web-killed does it to real processes."""


@pytest.mark.parametrize(
    ("where", "committed"), [((once, "keep"), 0), ((transactions, "_tried"), 1)], ids=["before", "after"]
)
def test_a_web_process_that_dies_before_or_after_its_commit_costs_a_retry_and_nothing_else(
    monkeypatch: Any, where: tuple[Any, str], committed: int
) -> None:
    person = make_user(is_superuser=True)
    path, body = an_appeal()
    function = getattr(*where)

    def dying(*args: Any, **kwargs: Any) -> None:
        function(*args, **kwargs)
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(*where, dying)
        with pytest.raises(Killed):
            Speaker(person).post(path, body, idempotency_key="k")
    left = Appeal.objects.count()
    first, again = (Speaker(person).post(path, body, idempotency_key="k") for _retry in range(2))

    assert left == committed
    assert (first.status_code, again.content) == (201, first.content)
    assert ("Idempotency-Replayed" in first) == bool(committed)
    assert (Appeal.objects.count(), Event.objects.filter(kind="appeal.posted").count()) == (1, 1)
