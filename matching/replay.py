"""Solving a stored run again: the same problem has to give the same plan, to the last byte."""

from dataclasses import dataclass
from enum import StrEnum

from matching.kernel.plan import Plan
from matching.kernel.problem import Problem
from matching.kernel.solve import solve
from matching.kernel.version import kernel
from matching.models import FamilyRun, Proposal
from matching.snapshot import Rows


class Outcome(StrEnum):
    """What a replay found."""

    IDENTICAL = "identical"
    SAME_CONTENTS = "same-contents"  # other bytes for the same plan: another compressor
    OTHER_PLAN = "other-plan"
    OTHER_PROPOSALS = (
        "other-proposals"  # the plan is the same, but what is proposed in its name is not its own
    )


FAITHFUL = (Outcome.IDENTICAL, Outcome.SAME_CONTENTS)


@dataclass(frozen=True)
class Replayed:
    """made_with_another  what the plan was made with that is different here, as "numpy 2.1 there, 2.4 here" """

    family: FamilyRun
    outcome: Outcome
    made_with_another: tuple[str, ...]

    @property
    def is_faithful(self) -> bool:
        return self.outcome in FAITHFUL


def replay(family: FamilyRun) -> Replayed:
    """Solve the stored problem of a family that is done, and hold the plan and its proposals against it. Writes nothing."""
    stored = bytes(family.plan or b"")
    again = solve(Problem.from_bytes(bytes(family.problem or b"")))
    return Replayed(family, _outcome(family, stored, again), tuple(_differences(family)))


def _outcome(family: FamilyRun, stored: bytes, again: Plan) -> Outcome:
    is_identical = again.to_bytes() == stored
    if not is_identical and again.digest() != Plan.from_bytes(stored).digest():
        return Outcome.OTHER_PLAN
    if not _is_proposed_truly(family, again):
        return Outcome.OTHER_PROPOSALS
    return Outcome.IDENTICAL if is_identical else Outcome.SAME_CONTENTS


def _is_proposed_truly(family: FamilyRun, plan: Plan) -> bool:
    """Whether every proposal is a parcel of the plan, and as many are there as the run says it made."""
    rows, parcels = Rows.from_bytes(bytes(family.rows or b"")), plan.assignments
    columns = (parcels.demand.tolist(), parcels.supply.tolist(), parcels.quantity.tolist())
    planned = {
        (rows.need_id(demand), rows.offer_id(supply), quantity)
        for demand, supply, quantity in zip(*columns, strict=True)
    }
    made = list(Proposal.objects.filter(family_run=family).values_list("need", "offer", "quantity"))
    expected = 0 if family.run.is_dry else family.proposals
    return len(made) == expected and set(made) <= planned


def _differences(family: FamilyRun) -> list[str]:
    here = kernel()
    return [
        f"{name} {there[:12]} there, {here[name][:12]} here"
        for name, there in sorted(family.made_with.items())
        if name in here and here[name] != there
    ]
