"""Every cell there is, and which of them, or which test, stands for each fault of the matrix."""

from drill import (
    approvals,
    broker,
    database,
    disk,
    durability,
    federation,
    hooks,
    minds,
    once,
    outbox,
    restore,
    runs,
    web_killed,
    worker_killed,
    zombie,
)
from drill.cells import Cell

PARTS = (
    worker_killed,
    zombie,
    web_killed,
    database,
    broker,
    runs,
    minds,
    approvals,
    outbox,
    hooks,
    once,
    durability,
    disk,
    federation,
    restore,
)
CELLS: dict[str, Cell] = {cell.name: cell for part in PARTS for cell in part.CELLS}

# Faults that need no killed process, and are tried at every push by a test.
TESTS = {
    "F11": "tests/config/test_transactions.py",
    "F13": "tests/test_tasks.py",
}


def cells_of(goal: str) -> list[Cell]:
    """The cells that stand for a goal or a fault."""
    return [cell for cell in CELLS.values() if goal in cell.of.split(", ")]
