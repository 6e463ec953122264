from typing import Any

from supplies.duplicates.models import DuplicateNeeds, DuplicatePair, Merge
from supplies.organisations.permissions import may_moderate_in


def may_decide(user: Any, pair: DuplicatePair | DuplicateNeeds) -> bool:
    """A volunteer; a coordinator where both lie in her regions. Who she is to them is for the verbs to look at."""
    return all(may_moderate_in(user, region) for region in _regions(pair))


def may_undo(user: Any, merge: Merge) -> bool:
    return may_decide(user, merge.of)


def _regions(pair: DuplicatePair | DuplicateNeeds) -> list[Any]:
    if isinstance(pair, DuplicatePair):
        return [pair.one.region, pair.other.region]
    return [pair.one.appeal.facility.region, pair.other.appeal.facility.region]
