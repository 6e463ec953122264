"""Judged before the site starts and before it migrates: can everything that is sealed still be opened?"""

from collections.abc import Sequence
from typing import Any

from django.core.checks import CheckMessage, Error, Tags, register
from django.db import OperationalError

from supplies.privacy.rotation import lost_keys


@register(Tags.database)
def every_key_is_there(
    app_configs: Sequence[Any] | None, databases: Sequence[str] | None = None, **_more: Any
) -> list[CheckMessage]:
    """FIELD_KEYS holds every key the database needs. One that was lost has lost what it sealed: say so at once."""
    if not databases:
        return []
    try:
        lost = lost_keys()
    except OperationalError:
        return []  # no database to look into; whoever needs one will say so
    return [
        Error(
            f"FIELD_KEYS lacks the key {key!r}: {count} values of {where} were sealed with it and cannot be opened.",
            hint="Put the key back, behind the newest one. Without it these values are lost.",
            id="supplies.E001",
        )
        for key, where, count in lost
    ]
