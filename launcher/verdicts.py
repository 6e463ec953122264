"""What a check found."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Verdict:
    """passed is None when the check could not be made here; said is what a person needs to mend it."""

    passed: bool | None
    said: str = ""
