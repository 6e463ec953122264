"""A cell of the fault matrix: a name, an injection, and what has to be true afterwards.

A cell is one function, listed in `drill/__main__.py`; it is given a fresh `Stage`, injects its fault, and returns what it checked:

    @cell("web-killed", of="F9", injects="kill -9 of a web worker", passes="one row, one answer")
    def web_killed(stage: Stage) -> list[Check]: …
"""

from collections.abc import Callable
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
    """of   the goal or fault it stands for, as R5 or F9"""

    name: str
    of: str
    injects: str
    passes: str
    run: Callable[["Stage"], list[Check]]


def cell(
    name: str, *, of: str, injects: str, passes: str
) -> Callable[[Callable[["Stage"], list[Check]]], Cell]:
    return lambda run: Cell(name, of, injects, passes, run)


@dataclass(frozen=True)
class Outcome:
    cell: Cell
    checks: list[Check]
    seconds: float
    is_small: bool

    @property
    def passed(self) -> bool:
        return all(check.passed is not False for check in self.checks)

    def figures(self) -> dict[str, Any]:
        told = {name: getattr(self.cell, name) for name in ("name", "of", "injects", "passes")}
        seconds = round(self.seconds, 1)
        return {
            **told,
            "passed": self.passed,
            "seconds": seconds,
            "checks": [asdict(check) for check in self.checks],
        }
