"""A worker that takes a family's lease, waits to be told, and then writes: too late, if it is told late.

python -m tests.matching.late_worker FAMILY_RUN
"""

import sys

import django

django.setup()

from django.utils import timezone  # noqa: E402  (settings first)

from matching import services  # noqa: E402


def work(family_id: str) -> str:
    family = services.take_lease(family_id, at=timezone.now())
    if family is None:
        return "no lease"
    print("leased", flush=True)
    sys.stdin.readline()
    try:
        services.store(family, *services._solve(family, timezone.now), at=timezone.now())
    except services.LeaseLost:
        return "lease lost"
    return "stored"


if __name__ == "__main__":
    print(work(sys.argv[1]))
