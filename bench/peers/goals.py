"""Goals, with what was found and whether that meets them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bench.reporting import Table


@dataclass(frozen=True)
class Goal:
    """number  of the goal in docs/matching.md
    says    the goal, in words
    found   one figure, or one for each seed
    """

    number: str
    says: str
    found: Sequence[float]
    is_met: bool
    form: str = ".2f"

    @property
    def figures(self) -> dict[str, Any]:
        return {"goal": self.number, "says": self.says, "found": list(self.found), "met": self.is_met}


def goals_table(goals: Sequence[Goal]) -> Table:
    rows = [
        [
            goal.number,
            goal.says,
            " ".join(format(value, goal.form) for value in goal.found),
            "met" if goal.is_met else "**not met**",
        ]
        for goal in goals
    ]
    return Table(["goal", "what", "found", ""], rows)
