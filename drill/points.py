"""Named points of the site's code at which a process of a drill kills itself or stops, once, when it is told to.

The site's own code knows nothing of them: drill/web.py and drill/worker.py put them around its functions when they start.
Whoever wants a fault arms a point; the first process that comes by takes the order, writes down its number, and obeys.
"""

import os
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

ORDER, TAKEN = "order", "taken"
KILL, KILL_ALL, STOP = "kill", "kill-all", "stop"


BEFORE, AFTER, WITH_A_RESULT = "before", "after", "with a result"


@dataclass(frozen=True)
class Point:
    """function  dotted, by the name under which it is called
    when      before it is called, after it has returned, or only after it has returned something
    """

    function: str
    when: str = BEFORE


POINTS: Mapping[str, Point] = {
    # a request of the web
    "before-commit": Point("supplies.journal.once.keep", AFTER),
    "after-commit": Point("config.transactions._tried", AFTER),
    "hook-stored": Point("supplies.carriers.services.take_in", AFTER),
    "approving": Point("matching.services._check_fits", AFTER),
    # a run of the matching, in the order of its phases
    "opening": Point("matching.running._lay_out"),
    "snapshot-read": Point("matching.running.take", WITH_A_RESULT),
    "lease-taken": Point("matching.running.take_lease", WITH_A_RESULT),
    "solving": Point("matching.kernel.solve.best_plan"),
    "before-write": Point("matching.running.store"),
    "mid-write": Point(
        "matching.running.kernel"
    ),  # proposals are inserted, counters moved, the family is not done
    "committed": Point("supplies.journal.services.ring"),
    "rung": Point("matching.running.solve_family", WITH_A_RESULT),
}


def install(folder: Path) -> None:
    """Put every point around its function, in this process and those it forks."""
    for name, point in POINTS.items():
        module, _, function = point.function.rpartition(".")
        owner = import_module(module)
        setattr(owner, function, _pointed(getattr(owner, function), name, point, folder))


def _pointed(function: Callable[..., Any], name: str, point: Point, folder: Path) -> Callable[..., Any]:
    def called(*args: Any, **kwargs: Any) -> Any:
        if point.when == BEFORE:
            _reach(name, folder)
        result = function(*args, **kwargs)
        if point.when == AFTER or (point.when == WITH_A_RESULT and result is not None):
            _reach(name, folder)
        return result

    return called


def _reach(name: str, folder: Path) -> None:
    mine = folder / f"order-of-{os.getpid()}"
    try:
        at, how = (folder / ORDER).read_text().split()
        if at != name:
            return
        (folder / ORDER).rename(mine)  # of two that come by, one has it
    except FileNotFoundError:
        return
    mine.write_text(str(os.getpid()))
    mine.rename(folder / TAKEN)
    if how == KILL_ALL:
        os.killpg(os.getpgrp(), signal.SIGKILL)
    os.kill(os.getpid(), signal.SIGKILL if how == KILL else signal.SIGSTOP)


# --- from outside -------------------------------------------------------------------------------------------


def arm(folder: Path, name: str, how: str) -> None:
    """Have the next process that reaches the point obey."""
    assert name in POINTS, f"there is no point called {name}"
    (folder / TAKEN).unlink(missing_ok=True)
    written = folder / f"{ORDER}.new"
    written.write_text(f"{name} {how}")
    written.rename(folder / ORDER)


def disarm(folder: Path) -> None:
    (folder / ORDER).unlink(missing_ok=True)


def taken_by(folder: Path) -> int | None:
    """The number of the process that obeyed, None while nobody has."""
    try:
        return int((folder / TAKEN).read_text())
    except FileNotFoundError:
        return None
