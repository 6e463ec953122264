"""F16, F17: a donor or a hospital changes her mind before, during and after the matching; nobody is promised what is not there.

Five moments: before the snapshot, while the solver computes, when it has been proposed, while a volunteer approves it, and
when it has been shipped. Each is played with one need and one offer in an emergency of their own.
"""

import os
import signal
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from django.utils import timezone

from drill.cells import Cell, Check, cell, equal, none_of
from drill.points import STOP
from drill.scenes import (
    QUANTITY,
    Pair,
    a_pair,
    is_over,
    is_quiet,
    secret_of,
    start_run,
    units_proposed,
)
from drill.stage import Answer, Stage, Web
from drill.worker_killed import SECONDS_TO_BE_QUIET
from launcher.processes import wait_until
from matching import services as matching
from matching.models import FamilyRun, Proposal
from supplies.allocations.models import Allocation
from supplies.shipments import services as moving
from tests.at_once import waiting
from tests.makers import make_member, make_organisation

LESS = 400
PATIENT = "60"  # seconds of lease, so that a process that is stopped for a moment keeps it


@dataclass(frozen=True)
class Change:
    """What somebody does, and how many units may be proposed afterwards."""

    name: str
    do: Callable[[Web, Pair], Answer]
    left: int
    waits: bool = True  # for an approval that is under way; a pause is said at once, and heard of afterwards


@dataclass
class Play:
    stage: Stage
    web: Web
    volunteer: str
    change: Change

    # -- The five moments: each returns what was answered --

    def before_snapshot(self, pair: Pair) -> int:
        return self._while_stopped("opening", pair)

    def during_solve(self, pair: Pair) -> int:
        return self._while_stopped("solving", pair)

    def after_proposal(self, pair: Pair) -> int:
        self._propose(pair)
        return self.change.do(self.web, pair).status

    def during_approval(self, pair: Pair) -> int:
        """The volunteer's request stands still with its locks held until the other one waits for them."""
        proposal = self._propose(pair)
        answers: dict[str, Answer] = {}
        self.stage.arm("approving", STOP)
        approving = threading.Thread(
            target=lambda: answers.update(approve=self._approve(proposal)),
        )
        approving.start()
        stopped = self.stage.taken()
        changing = threading.Thread(target=lambda: answers.update(change=self.change.do(self.web, pair)))
        changing.start()
        met = wait_until(
            waiting if self.change.waits else lambda: "change" in answers, seconds=SECONDS_TO_MEET
        )
        os.kill(stopped, signal.SIGCONT)
        for thread in (approving, changing):
            thread.join()
        assert met, "the change and the approval never met"
        assert answers["approve"].status == 200, answers["approve"].body
        return answers["change"].status

    def after_shipment(self, pair: Pair) -> int:
        proposal = self._propose(pair)
        assert self._approve(proposal).status == 200
        now = timezone.now()
        matching.agree_for_donor(proposal, by=pair.donor, at=now)
        shipment = moving.put_together([Allocation.objects.get(proposal=proposal)], by=None, at=now)
        shipment = moving.book(shipment, carrier=make_organisation("carrier"), by=None, at=now)
        moving.dispatch(shipment, by=None, at=now)
        return self.change.do(self.web, pair).status

    # -- Their parts --

    def _while_stopped(self, point: str, pair: Pair) -> int:
        self.stage.arm(point, STOP)
        start_run(pair.need.appeal.emergency_id)
        stopped = self.stage.taken()
        try:
            return self.change.do(self.web, pair).status
        finally:
            os.kill(stopped, signal.SIGCONT)

    def _propose(self, pair: Pair) -> Proposal:
        run = start_run(pair.need.appeal.emergency_id)
        assert wait_until(lambda: is_over(run), seconds=SECONDS_TO_BE_QUIET), "the run did not end"
        return Proposal.objects.get(need=pair.need)

    def _approve(self, proposal: Proposal) -> Answer:
        path = f"/api/v1/proposals/{proposal.pk}/approve/"
        return self.web.ask("POST", path, {}, Authorization=f"Token {self.volunteer}")


SECONDS_TO_MEET = 4.0  # who waits for a lock is answered "busy" after five
MOMENTS: Mapping[str, Callable[[Play, Pair], int]] = {
    "before the snapshot": Play.before_snapshot,
    "while the solver computes": Play.during_solve,
    "after the proposal": Play.after_proposal,
    "during the approval": Play.during_approval,
    "after the shipment": Play.after_shipment,
}
SHIPPED = "after the shipment"


def changes_mind(stage: Stage, change: Change) -> list[Check]:
    stage.worker(
        at_once=1, MATCH_LEASE_SECONDS=PATIENT
    )  # a second process would do what the stopped one does not
    play = Play(stage, stage.web(), secret_of(make_member("volunteer")), change)
    checks = []
    for number, (moment, at) in enumerate(MOMENTS.items()):
        pair = a_pair(f"drill-mind-{number}")
        status = at(play, pair)
        quiet = wait_until(is_quiet, seconds=SECONDS_TO_BE_QUIET)
        checks += [
            Check(f"{moment}: answered", status, "200, or 409 where it is on its way", status in (200, 409)),
            equal(f"{moment}: everything was told and done by itself", quiet, True),
            *_after(moment, pair, change, status),
        ]
    return checks


def _after(moment: str, pair: Pair, change: Change, status: int) -> list[Check]:
    pair.need.refresh_from_db()
    pair.offer.refresh_from_db()
    ended = Proposal.objects.filter(need=pair.need, status="withdrawn")
    told = [
        none_of(f"{moment}: ended without a reason", ended.filter(ended_because="").count()),
        equal(
            f"{moment}: counted as proposed on both sides",
            (pair.need.quantity_proposed, pair.offer.quantity_proposed),
            (units_proposed(pair.need),) * 2,
        ),
    ]
    if moment == SHIPPED:
        return [
            *told,
            equal(f"{moment}: on its way", pair.need.quantity_in_transit, QUANTITY),
            equal(f"{moment}: units proposed", units_proposed(pair.need), 0),
        ]
    stale = sum(
        FamilyRun.objects.filter(emergency=pair.need.appeal.emergency_id).values_list("stale", flat=True)
    )
    seen = {
        "before the snapshot": (0, 0),
        "while the solver computes": (1, 0),
    }.get(moment, (0, 1))
    return [
        *told,
        equal(f"{moment}: left out as stale, taken back", (stale, ended.count()), seen),
        equal(f"{moment}: units proposed", units_proposed(pair.need), change.left),
        none_of(f"{moment}: promised", Allocation.objects.filter(need=pair.need).count()),
    ]


def _patch(web: Web, path: str, quantity: int, secret: str) -> Answer:
    etag = web.ask("GET", path, Authorization=f"Token {secret}").headers["etag"]
    return web.ask("PATCH", path, {"quantity": quantity}, Authorization=f"Token {secret}", If_Match=etag)


def _withdraw_offer(web: Web, pair: Pair) -> Answer:
    path = f"/api/v1/offers/{pair.offer.pk}/withdraw/"
    return web.ask("POST", path, {}, Authorization=f"Token {secret_of(pair.donor)}")


def _lower_offer(web: Web, pair: Pair) -> Answer:
    return _patch(web, f"/api/v1/offers/{pair.offer.pk}/", LESS, secret_of(pair.donor))


def _close_need(web: Web, pair: Pair) -> Answer:
    path = f"/api/v1/needs/{pair.need.pk}/not-needed/"
    return web.ask("POST", path, {}, Authorization=f"Token {secret_of(pair.hospital)}")


def _halve_need(web: Web, pair: Pair) -> Answer:
    return _patch(web, f"/api/v1/needs/{pair.need.pk}/", QUANTITY // 2, secret_of(pair.hospital))


def _pause(web: Web, pair: Pair) -> Answer:
    path = f"/api/v1/facilities/{pair.need.appeal.facility_id}/pause/"
    return web.ask("POST", path, {"reason": "drill"}, Authorization=f"Token {secret_of(pair.hospital)}")


FIVE = "before the snapshot, while the solver computes, after the proposal, during the approval, after the shipment"


@cell(
    "donor-withdraws",
    of="F16",
    injects=f"a donor withdraws her offer: {FIVE}",
    passes="nothing of it stays proposed, with the reason; what is on its way stays so",
)
def donor_withdraws(stage: Stage) -> list[Check]:
    return changes_mind(stage, Change("withdraws", _withdraw_offer, 0))


@cell(
    "donor-lowers",
    of="F16",
    injects=f"a donor offers 400 instead of 1,000: {FIVE}",
    passes="400 are proposed in the end, by itself; what is on its way stays so",
)
def donor_lowers(stage: Stage) -> list[Check]:
    return changes_mind(stage, Change("lowers", _lower_offer, LESS))


@cell(
    "hospital-closes",
    of="F17",
    injects=f"a hospital does not need it any more: {FIVE}",
    passes="nothing stays proposed to it, with the reason; what is on its way stays so",
)
def hospital_closes(stage: Stage) -> list[Check]:
    return changes_mind(stage, Change("closes", _close_need, 0))


@cell(
    "hospital-halves",
    of="F17",
    injects=f"a hospital needs 500 instead of 1,000: {FIVE}",
    passes="500 are proposed in the end, by itself; what is on its way stays so",
)
def hospital_halves(stage: Stage) -> list[Check]:
    return changes_mind(stage, Change("halves", _halve_need, QUANTITY // 2))


@cell(
    "hospital-pauses",
    of="F17",
    injects=f"a hospital asks that nothing more is sent: {FIVE}",
    passes="nothing stays proposed to it, with the reason; what is on its way stays so",
)
def hospital_pauses(stage: Stage) -> list[Check]:
    return changes_mind(stage, Change("pauses", _pause, 0, waits=False))


CELLS: list[Cell] = [donor_withdraws, donor_lowers, hospital_closes, hospital_halves, hospital_pauses]
