"""F18: two people answer one proposal at the same moment; who posted a side of it approves nothing."""

import json
import threading
from collections import Counter
from typing import Any

from django.utils import timezone

from drill.cells import Cell, Check, cell, equal, more_than, none_of
from drill.scenes import QUANTITY, Pair, a_pair, secret_of
from drill.stage import Answer, Stage, Web
from launcher.processes import wait_until
from matching import running
from matching import services as matching
from matching.models import Proposal, ProposalStatus
from supplies.allocations.models import Allocation
from supplies.journal.models import Event
from supplies.organisations.models import User
from supplies.organisations.services import enrol
from tests.at_once import held, waiting
from tests.makers import make_member, make_organisation

SECONDS_TO_MEET = 4.0  # who waits for a lock is answered "busy" after five
REASON = {"reason": "drill"}
ENDED = {"approve": ProposalStatus.AGREED, "decline": ProposalStatus.DECLINED}


def proposed(pair: Pair) -> Proposal:
    """What a run proposes for the pair, without a worker."""
    run = matching.start(pair.need.appeal.emergency, trigger="hand", by=None, at=timezone.now())
    (family,) = running.open_run(run.pk, at=timezone.now())
    running.solve_family(family.pk)
    return Proposal.objects.get(need=pair.need)


def say(web: Web, proposal: Proposal, verb: str, secret: str) -> Answer:
    return web.ask(
        "POST",
        f"/api/v1/proposals/{proposal.pk}/{verb}/",
        REASON if verb == "decline" else {},
        Authorization=f"Token {secret}",
    )


def at_once(web: Web, proposal: Proposal, verbs: list[str], secrets: list[str]) -> tuple[list[Answer], bool]:
    """The answers to both, and whether both stood before the proposal's need at the same moment."""
    answers: list[Answer] = [None] * len(verbs)  # type: ignore[list-item]

    def ask(place: int) -> None:
        answers[place] = say(web, proposal, verbs[place], secrets[place])

    threads = [threading.Thread(target=ask, args=[place]) for place in range(len(verbs))]
    with held(type(proposal.need).objects.filter(pk=proposal.need_id)):
        for thread in threads:
            thread.start()
        met = wait_until(lambda: waiting() >= len(verbs), seconds=SECONDS_TO_MEET)
    for thread in threads:
        thread.join()
    return answers, met


@cell(
    "two-answers",
    of="F18",
    injects="two volunteers answer one proposal at the same moment, 3 times 10 proposals: both approve, both decline, one"
    " approves and one declines",
    passes="one is answered 200 and the other 409; one promise for each that was approved; what the winner said, stands",
    is_many=True,
)
def two_answers(stage: Stage) -> list[Check]:
    secrets = [secret_of(make_member("volunteer")) for _volunteer in range(2)]
    web = stage.web()
    answers: Counter[Any] = Counter()
    met = wrong = promises = approved = 0
    kinds = [["approve", "approve"], ["decline", "decline"], ["approve", "decline"]]
    for number in range(stage.size(10, 2)):
        for verbs in kinds:
            proposal = proposed(a_pair(f"drill-{'-'.join(verbs)}-{number}", allocates_for_me=True))
            given, together = at_once(web, proposal, verbs, secrets)
            met += together
            answers[tuple(sorted(answer.status for answer in given))] += 1
            winner = next(
                (verb for verb, answer in zip(verbs, given, strict=True) if answer.status == 200), ""
            )
            proposal.refresh_from_db()
            wrong += proposal.status != ENDED.get(winner)
            approved += proposal.status == ProposalStatus.AGREED
            promises += Allocation.objects.filter(proposal=proposal).count()
    pairs = len(kinds) * stage.size(10, 2)
    return [
        equal("pairs that met before the same row", met, pairs),
        equal("answers", dict(answers), {(200, 409): pairs}),
        none_of("proposals that are not what the winner said", wrong),
        equal("promises for those that were approved", promises, approved),
        equal("approvals in the journal", Event.objects.filter(kind="proposal.approved").count(), approved),
        equal(
            "units promised", sum(Allocation.objects.values_list("quantity", flat=True)), approved * QUANTITY
        ),
    ]


@cell(
    "own-approval",
    of="F18",
    injects="who posted the need, and who posted the offer, approve the proposal of them, being volunteers too",
    passes="both are refused with 409 four-eyes and nothing changes; the control, somebody else, may",
)
def own_approval(stage: Stage) -> list[Check]:
    web = stage.web()
    pair = a_pair("drill-own", allocates_for_me=True)
    proposal = proposed(pair)
    refused = [_approve(web, proposal, user) for user in (pair.hospital, pair.donor)]
    proposal.refresh_from_db()
    between = proposal.status, Allocation.objects.count()
    control = say(web, proposal, "approve", secret_of(make_member("volunteer")))
    return [
        equal("answers", refused, [(409, "four-eyes")] * 2),
        equal("the proposal still waits, and nothing is promised", between, ("open", 0)),
        equal("another volunteer (the control)", control.status, 200),
        more_than("promises afterwards (the control)", Allocation.objects.count(), 0),
    ]


def _approve(web: Web, proposal: Proposal, user: User) -> tuple[int, str]:
    """What a volunteer who posted one side is answered."""
    enrol(user, make_organisation("volunteers"), "volunteer", by=None, at=timezone.now())
    answer = say(web, proposal, "approve", secret_of(user))
    return answer.status, json.loads(answer.body).get("code", "")


CELLS: list[Cell] = [two_answers, own_approval]
