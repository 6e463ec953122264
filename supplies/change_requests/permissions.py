from typing import Any

from supplies.change_requests.models import ChangeRequest, Wrong
from supplies.organisations.permissions import acts_for, may_moderate_in


def may_decide(user: Any, request: ChangeRequest) -> bool:
    """A volunteer, a coordinator of the region; and the hospital itself, but not whether it is a fake."""
    if may_moderate_in(user, request.region):
        return True
    return request.kind != Wrong.FAKE and acts_for(user, request.organisation)
