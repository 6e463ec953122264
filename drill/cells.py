"""A cell of the fault matrix: a name, an injection, and what has to be true afterwards.

A cell is one function, listed in `drill/matrix.py`; it is given a fresh `Stage`, injects its fault, and returns what it checked:

    @cell("web-killed", of="F9", injects="kill -9 of a web worker", passes="one row, one answer")
    def web_killed(stage: Stage) -> list[Check]: …
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from drill.stage import Stage


@dataclass(frozen=True)
class Check:
    """What was looked at, what was found, what it has to be. Passed is None for what could not be looked at here."""

    what: str
    found: Any
    goal: str
    passed: bool | None

    def __str__(self) -> str:
        word = {True: "pass", False: "FAIL", None: "skipped"}[self.passed]
        return f"  {word:<8}{self.what}: {self.found} (goal: {self.goal})"


def none_of(what: str, found: Any) -> Check:
    """Something that must not be."""
    count = found if isinstance(found, int) else len(found)
    return Check(what, count, "0", count == 0)


def at_most(what: str, found: float, most: float, unit: str = "s") -> Check:
    return Check(what, f"{found:.1f} {unit}", f"<= {most:g} {unit}", found <= most)


def equal(what: str, found: Any, wanted: Any) -> Check:
    return Check(what, found, str(wanted), found == wanted)


def more_than(what: str, found: int, least: int) -> Check:
    """For a control, which proves nothing unless it fails."""
    return Check(what, found, f"> {least}", found > least)


@dataclass(frozen=True)
class Cell:
    """of            the goals and faults it stands for, as "R5, F12"
    in_sample     run by continuous integration
    is_many       it injects many times by itself; it is not repeated when others are
    has_own_site  it plays on servers of its own, and looks at their books itself
    """

    name: str
    of: str
    injects: str
    passes: str
    run: Callable[["Stage"], list[Check]]
    in_sample: bool = False
    is_many: bool = False
    has_own_site: bool = False


def cell(
    name: str, *, of: str, injects: str, passes: str, **more: bool
) -> Callable[[Callable[["Stage"], list[Check]]], Cell]:
    return lambda run: Cell(name, of, injects, passes, run, **more)


@dataclass(frozen=True)
class Round:
    """What one injection was followed by."""

    checks: list[Check]
    seconds: float

    @property
    def passed(self) -> bool:
        return all(check.passed is not False for check in self.checks)


@dataclass(frozen=True)
class Outcome:
    cell: Cell
    rounds: list[Round]

    @property
    def passed(self) -> bool:
        return all(each.passed for each in self.rounds)

    @property
    def seconds(self) -> float:
        return sum(each.seconds for each in self.rounds)

    def found(self) -> list[Check]:
        """Each check once: what was found in every round, and whether all of them passed."""
        checks = [check for each in self.rounds for check in each.checks]
        names = dict.fromkeys(check.what for check in checks)
        return [_together([check for check in checks if check.what == name]) for name in names]

    def figures(self) -> dict[str, Any]:
        told = {name: getattr(self.cell, name) for name in ("name", "of", "injects", "passes")}
        return {
            **told,
            "passed": self.passed,
            "injections": len(self.rounds),
            "seconds": round(self.seconds, 1),
            "checks": [asdict(check) for check in self.found()],
        }


def _together(checks: Sequence[Check]) -> Check:
    verdicts = {check.passed for check in checks}
    passed = False if False in verdicts else None if None in verdicts else True
    found = {str(check.found): check.found for check in checks}
    alike = next(iter(found.values())) if len(found) == 1 else None
    words = alike if isinstance(alike, int | float) else ", ".join(found)
    return Check(checks[0].what, words, checks[0].goal, passed)
