"""How long the connection that this thread serves has waited for it: what makes a queue too long is known here alone.

Django does not see what waits before it. The web worker says so for its own queue (config/serving.py), the proxy for its.
"""

import threading

_thread = threading.local()


def taken_up(after: float) -> None:
    """This thread serves a connection that has waited so many seconds for a thread."""
    _thread.waited = after


def waited() -> float:
    """Seconds; 0 in a process that keeps no queue, such as a test or a command."""
    return float(getattr(_thread, "waited", 0.0))
