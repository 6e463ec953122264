"""Which status may follow which: a lifecycle is a table, and a status only moves along it."""

from collections.abc import Iterable, Mapping
from typing import Any, cast

from django.db import models
from django.utils.translation import gettext as _

from supplies.errors import MoveRefused


class Lifecycle:
    """A table of moves: status -> the statuses that may follow it."""

    def __init__(self, moves: Mapping[Any, Iterable[Any]]) -> None:
        self.moves = {str(status): frozenset(map(str, after)) for status, after in moves.items()}

    def allows(self, old: str, new: str) -> bool:
        return str(new) in self.moves[str(old)]


class Moving(models.Model):
    """A row with a status that moves along a lifecycle. Verbs call `move_to`, nothing else sets a status."""

    lifecycle: Lifecycle
    status: str

    class Meta:
        abstract = True

    def move_to(self, new: str) -> None:
        """Set the status in memory, or raise MoveRefused with both names in the reader's language."""
        if not self.lifecycle.allows(self.status, new):
            label = dict(cast("models.CharField[str, str]", self._meta.get_field("status")).flatchoices)
            raise MoveRefused(
                _("This is %(now)s; it cannot become %(new)s.")
                % {"now": label[str(self.status)], "new": label[str(new)]}
            )
        self.status = str(new)


def status_is_listed(choices: type[models.TextChoices], name: str) -> models.CheckConstraint:
    """The constraint every status column has: only listed values, whatever the code does."""
    return models.CheckConstraint(name=name, condition=models.Q(status__in=choices.values))
