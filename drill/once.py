"""R4: every operation of the API that changes something, sent by fifty programs at once and ten late ones."""

import threading
from collections import Counter
from collections.abc import Sequence
from typing import Any

from django.db import transaction
from rest_framework.test import APIClient

import tests.makers
from drill import scenes  # before the cases are read: the makers live today
from drill.cells import Cell, Check, cell, equal, more_than, none_of
from drill.stage import Answer, Stage, Web
from supplies.organisations.models import User
from tests.operations import CASES
from tests.tables import Photograph, Shape, changes, photograph, shape

V1, KEYS = "/api/v1/", "supplies_idempotencykey"
SAMPLE = ["PATCH /api/v1/needs/{id}/", "POST /api/v1/appeals/", "POST /api/v1/shipments/{id}/dispatch/"]


@cell(
    "once",
    of="R4",
    injects="50 times the same request with one key at once, and 10 times late, for every operation of the OpenAPI document",
    passes="one effect (all tables, row by row), one answer; the control without a key has several",
    is_many=True,
)
def once(stage: Stage) -> list[Check]:
    at_once, late, control = stage.size(50, 8), stage.size(10, 2), stage.size(8, 4)
    person = tests.makers.make_user(is_superuser=True)
    secret = scenes.secret_of(person)
    web = stage.web()
    wrong: Counter[str] = Counter()
    control_effects: dict[str, int] = {}
    operations = SAMPLE if stage.is_small else sorted(CASES)
    for operation in operations:
        method, (path, body) = operation.split()[0], CASES[operation]()
        headers = {"Authorization": f"Token {secret}", **_if_match(web, method, path, secret)}
        alone = _alone(person, method, path, body, headers)
        before = photograph()
        keyed = {**headers, "Idempotency_Key": f"drill {operation}".replace(" ", "-")}
        answers = _at_once(web, at_once, (method, V1 + path, body), keyed)
        answers += [web.answered(method, V1 + path, body, **keyed) for _late in range(late)]
        found = _faults(answers, before, alone)
        wrong.update(found)
        for fault in found:
            print(f"  {operation}: {fault}", flush=True)
        method, (path, body) = operation.split()[0], CASES[operation]()
        headers = {"Authorization": f"Token {secret}", **_if_match(web, method, path, secret)}
        naive = _at_once(web, control, (method, V1 + path, body), headers)
        control_effects[operation] = sum(answer.status in (200, 201) for answer in naive)
    several = [operation for operation, effects in control_effects.items() if effects > 1]
    return [
        equal("operations", len(operations), len(SAMPLE if stage.is_small else CASES)),
        *(none_of(f"operations with {fault}", wrong[fault]) for fault in FAULTS),
        more_than("operations done more than once without a key (the control)", len(several), 0),
        Check(
            "which",
            ", ".join(several),
            "said, not judged: others are refused the second time by their lifecycle",
            True,
        ),
    ]


FAULTS = (
    "an error",
    "answers that differ",
    "more than one first answer",
    "another effect than one request alone",
)


def _faults(answers: Sequence[Answer], before: Photograph, alone: Photograph) -> list[str]:
    firsts = [answer for answer in answers if "idempotency-replayed" not in answer.headers]
    after = photograph()
    is_wrong = (
        any(answer.status not in (200, 201) for answer in answers),
        len({(answer.status, answer.body, answer.headers["content-type"]) for answer in answers}) != 1,
        len(firsts) != 1,
        changes(before, after).get(KEYS) != (0, 1) or _effect(before, after) != _effect(before, alone),
    )
    return [fault for fault, found in zip(FAULTS, is_wrong, strict=True) if found]


def _effect(before: Photograph, after: Photograph) -> Shape:
    """What was done, apart from the key under which it is remembered."""
    return {table: rows for table, rows in shape(before, after).items() if table != KEYS}


def _if_match(web: Web, method: str, path: str, secret: str) -> dict[str, str]:
    if method not in ("PUT", "PATCH"):
        return {}
    return {"If_Match": web.ask("GET", V1 + path, Authorization=f"Token {secret}").headers["etag"]}


def _alone(person: User, method: str, path: str, body: Any, headers: dict[str, str]) -> Photograph:
    """The tables after one such request in this process; then it has not happened."""
    client = APIClient(SERVER_NAME="localhost")
    client.force_authenticate(person)
    extra = {"HTTP_IF_MATCH": headers["If_Match"]} if "If_Match" in headers else {}
    with transaction.atomic():
        answer = getattr(client, method.lower())(
            V1 + path, body, format="json", HTTP_IDEMPOTENCY_KEY="alone", **extra
        )
        assert answer.status_code in (200, 201), (method, path, answer.content)
        shot = photograph()
        transaction.set_rollback(True)
    return shot


def _at_once(web: Web, threads: int, request: tuple[Any, ...], headers: dict[str, str]) -> list[Answer]:
    answers: list[Answer] = []
    line = threading.Barrier(threads)

    def send() -> None:
        line.wait()
        answers.append(
            web.answered(*request, **headers)
            if "Idempotency_Key" in headers
            else web.ask(*request, **headers)
        )

    running = [threading.Thread(target=send) for _thread in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    return answers


CELLS: list[Cell] = [once]
