from typing import Any

from supplies.intake.models import ImportedLine
from supplies.organisations.permissions import may_moderate, may_moderate_in


def may_review(user: Any, line: ImportedLine) -> bool:
    """A volunteer; a coordinator what belongs to an organisation of her regions."""
    body = line.row.organisation
    return may_moderate(user) and (
        user.watches_over_all or (body is not None and may_moderate_in(user, body.region))
    )
