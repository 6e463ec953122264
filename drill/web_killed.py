"""F9: a web process is killed before it commits, or after it has committed and before it answers."""

from django.utils import timezone

from drill.cells import Cell, Check, cell, equal, more_than, none_of
from drill.points import KILL
from drill.stage import Stage, Web
from launcher.processes import wait_until
from supplies.journal.models import Event, IdempotencyKey
from supplies.needs.models import Appeal
from supplies.organisations import services as people
from supplies.organisations.keys import Scope
from tests.makers import make_emergency, make_facility, make_item, make_member


def web_killed(stage: Stage, when: str) -> list[Check]:
    site, times = make_facility(), stage.size(10, 1)
    member = make_member("hospital", site.organisation)
    _token, secret = people.issue_token(member, name="drill", scopes=[Scope.NEEDS], at=timezone.now())
    web = stage.web()
    body = {
        "facility": str(site.pk),
        "emergency": make_emergency().pk,
        "lines": [{"item": make_item().pk, "quantity": 5}],
    }
    lost, different, replayed = 0, 0, 0
    for number in range(times):
        headers = {"Authorization": f"Token {secret}", "Idempotency_Key": f"drill-{number}"}
        before = Appeal.objects.count()
        stage.arm(when, KILL)
        lost += not _is_answered(web, body, headers)
        committed = Appeal.objects.count() - before
        first = web.answered("POST", "/api/v1/appeals/", body, **headers)
        again = web.answered("POST", "/api/v1/appeals/", body, **headers)
        different += (first.status, first.body) != (again.status, again.body) or first.status != 201
        replayed += "idempotency-replayed" in first.headers
        assert committed == (when == "after-commit"), "it died at another point than it was told to"
    unkeyed = _without_a_key(stage, web, body, secret) if when == "after-commit" else 0
    return [
        equal("answers lost to the kill", lost, times),
        equal("rows", Appeal.objects.count(), times + unkeyed),
        equal("journal entries", Event.objects.filter(kind="appeal.posted").count(), times + unkeyed),
        equal("keys", IdempotencyKey.objects.count(), times),
        none_of("answers that differ from one another", different),
        equal(
            "retries that were given the answer of what was committed",
            replayed,
            times if when == "after-commit" else 0,
        ),
        *(
            [more_than("rows of one request without a key (the control)", unkeyed, 1)]
            if when == "after-commit"
            else []
        ),
    ]


def _is_answered(web: Web, body: object, headers: dict[str, str]) -> bool:
    try:
        web.ask("POST", "/api/v1/appeals/", body, **headers)
    except OSError:
        return False
    return True


def _without_a_key(stage: Stage, web: Web, body: object, secret: str) -> int:
    """What a program does that only knows that it has no answer: it sends the same again."""
    before, headers = Appeal.objects.count(), {"Authorization": f"Token {secret}"}
    stage.arm("after-commit", KILL)
    _is_answered(web, body, headers)
    assert wait_until(web.answers, seconds=60)
    _is_answered(web, body, headers)
    return Appeal.objects.count() - before


@cell(
    "web-killed-before-commit",
    of="F9",
    injects="kill -9 of a web process that has done everything and committed nothing, 10 times",
    passes="the same request with its key again: one row, one answer",
    is_many=True,
)
def before_commit(stage: Stage) -> list[Check]:
    return web_killed(stage, "before-commit")


@cell(
    "web-killed-after-commit",
    of="F9",
    injects="kill -9 of a web process that has committed and not answered, 10 times",
    passes="the same request with its key again: one row, and the answer of what was committed",
    in_sample=True,
    is_many=True,
)
def after_commit(stage: Stage) -> list[Check]:
    return web_killed(stage, "after-commit")


CELLS: list[Cell] = [before_commit, after_commit]
