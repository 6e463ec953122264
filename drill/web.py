"""The web application as drills run it: it kills itself at a chosen point, once, when a file tells it to.

DRILL_DIES   "before-commit": everything is done and nothing committed; "after-commit": committed and not answered
DRILL_ARMED  the file; it is gone when the process is
"""

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

from config.wsgi import application  # before the others: it is what sets Django up

# isort: split
from config import transactions
from supplies.journal import once

__all__ = ["application"]


def dying_after(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, and then the end of the process, if it is armed."""

    def called(*args: Any, **kwargs: Any) -> Any:
        result = function(*args, **kwargs)
        die_if_armed()
        return result

    return called


def die_if_armed() -> None:
    try:
        Path(os.environ["DRILL_ARMED"]).unlink()
    except FileNotFoundError:
        return
    os.kill(os.getpid(), signal.SIGKILL)


match os.environ.get("DRILL_DIES"):
    case "before-commit":
        once.keep = dying_after(once.keep)
    case "after-commit":
        transactions._tried = dying_after(transactions._tried)
