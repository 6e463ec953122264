"""Tables whose rows are only ever added. A constraint like any other: named in the model, kept by the database."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.db import connection, models


class OnlyAdded(models.BaseConstraint):
    """Rows of the table are never changed or deleted, nor is it emptied: triggers refuse it, whoever asks.

    may_change   columns of free text, in which erasure has to be able to blacken what somebody wrote about herself

    Only the owner of the tables can go past it, and has to say so (`rewriting`); the site is not the owner.
    """

    def __init__(self, *, name: str, may_change: Sequence[str] = (), **messages: Any) -> None:
        super().__init__(name=name, **messages)
        self.may_change = tuple(may_change)

    def create_sql(self, model: Any, schema_editor: Any) -> str:
        on, row, whole = self._names(model, schema_editor)
        columns = ", ".join(f"'{model._meta.get_field(field).column}'" for field in self.may_change)
        return (
            f"CREATE TRIGGER {row} BEFORE UPDATE OR DELETE ON {on}"
            f" FOR EACH ROW EXECUTE FUNCTION refuse_rewriting({columns});"
            f" CREATE TRIGGER {whole} BEFORE TRUNCATE ON {on}"
            f" FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewriting()"
        )

    def remove_sql(self, model: Any, schema_editor: Any) -> str:
        on, row, whole = self._names(model, schema_editor)
        return f"DROP TRIGGER {row} ON {on}; DROP TRIGGER {whole} ON {on}"

    def constraint_sql(self, model: Any, schema_editor: Any) -> Any:
        """Nothing stands inside CREATE TABLE: the triggers follow it."""
        schema_editor.deferred_sql.append(self.create_sql(model, schema_editor))

    def validate(self, *args: Any, **kwargs: Any) -> None:
        """A row that is added is always right."""

    def _names(self, model: Any, schema_editor: Any) -> list[str]:
        """Table, trigger on rows, trigger on the whole table."""
        return [*map(schema_editor.quote_name, (model._meta.db_table, self.name, f"{self.name}_whole"))]

    def deconstruct(self) -> tuple[str, Sequence[Any], dict[str, Any]]:
        path, args, kwargs = super().deconstruct()
        return path, args, {**kwargs, "may_change": self.may_change} if self.may_change else kwargs

    def __eq__(self, other: object) -> bool:
        return isinstance(other, OnlyAdded) and self.deconstruct() == other.deconstruct()

    __hash__ = None  # type: ignore[assignment]  # as Django's own constraints


def only_added(model: type[models.Model]) -> OnlyAdded | None:
    """The model's constraint of this kind, if its rows are only ever added."""
    return next((rule for rule in model._meta.constraints if isinstance(rule, OnlyAdded)), None)


@contextmanager
def rewriting() -> Iterator[None]:
    """Let the owner of the tables rewrite what is only ever added, to the end of the block. Inside a transaction.

    For the demonstration, whose dates are moved. Whoever is not the owner is refused all the same.
    """
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL tongzhou.rewriting = 'on'")
    yield
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL tongzhou.rewriting = 'off'")
