"""Finding a name by any part of it: two Chinese characters, N95, a single letter; whatever its case or width.

`name__mentions="口罩"` compares like `icontains`, after both sides were made plain: full-width signs as ASCII, all in
capitals. Where the column has a `mention_index`, PostgreSQL looks the text up by its pairs of characters and compares
only what holds all of them. Trigrams would not do: they need three characters, and a Chinese word has two.

Its functions are in the database (migration 0024), so that the index and every search share one rule.
"""

import unicodedata
from collections.abc import Iterable
from functools import reduce
from operator import or_
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.core.exceptions import ValidationError
from django.db.models import CharField, Func, Lookup, Model, Q, QuerySet, TextField


class Plain(Func):
    """A text as it is compared: NFKC, in capitals."""

    function = "plain"
    output_field = TextField()


def plain(text: str) -> str:
    """The same, of a text that is at hand."""
    return unicodedata.normalize("NFKC", text.strip()).upper()


class Bigrams(Func):
    """Each character of a text, and each pair of neighbours."""

    function = "bigrams"
    output_field = ArrayField(TextField())


@CharField.register_lookup
@TextField.register_lookup
class Holds(Lookup):
    """Whether the text stands somewhere in the column. Asked of one row after the other, for small tables and walks."""

    lookup_name = "holds"

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        column, its_params = self.process_lhs(compiler, connection)
        text, text_params = self.process_rhs(compiler, connection)
        # "<> 0" and not "> 0", which the planner would take to be true of every third row.
        return f"strpos(plain({column}), plain({text})) <> 0", (*its_params, *text_params)


@CharField.register_lookup
@TextField.register_lookup
class Mentions(Holds):
    """The same, of which an index finds the rows."""

    lookup_name = "mentions"

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        held, params = super().as_sql(compiler, connection)
        column, _params = self.process_lhs(compiler, connection)
        text, _params = self.process_rhs(compiler, connection)
        return f"({held} AND bigrams(plain({column})) @> bigrams_sought(plain({text})))", params * 2


FEW = 1_000  # names that are looked up one by one; a word in more names than that is met on the way
MANY = 10_000  # rows of a list that are; more than anybody pages through


def found(rows: QuerySet[Any], fields: Iterable[str], word: str) -> QuerySet[Any]:
    """The rows that hold the word in one of the fields: a part of "name" or "facility__name", the whole of "=code", any name
    of the goods at "~need__item".

    PostgreSQL answers such conditions by index one at a time, and walks through everything for all at once. So each is
    asked on its own first: which sites are called so, then which rows are theirs. Of few rows found so nothing else is
    asked; of many a walk in the list's order soon fills a page.
    """
    conditions = [
        condition for field in fields if (condition := _condition(rows.model, field, word)) is not None
    ]
    keys: set[Any] = set()
    for few, _walked in conditions:
        if few is None or len(keys) > MANY:
            break
        keys.update(rows.order_by().filter(few).values_list("pk", flat=True)[: MANY + 1])
    else:
        if len(keys) <= MANY:
            return rows.filter(pk__in=keys)
    return rows.filter(reduce(or_, (walked for _few, walked in conditions)))


def _condition(model: type[Model], field: str, word: str) -> tuple[Q | None, Q] | None:
    """How a field is asked by index, None for a word in too many names, and how row by row; nothing for a word that
    could not be such a key."""
    if field.startswith("="):
        # As it is stored, or all in small or capital letters: an index answers that, and not "whatever its case".
        written = {word, word.lower(), word.upper()}
        whole = Q(**{f"{field[1:]}__in": written})
        try:
            model._default_manager.filter(whole)
        except ValidationError:
            return None
        return whole, whole
    if field.startswith("~"):
        goods = _related(model, field[1:])._default_manager.mentioning(word)
        meant = Q(**{f"{field[1:]}__in": list(goods.values_list("pk", flat=True))})
        return meant, meant
    path, _, column = field.rpartition("__")
    walked = Q(**{f"{field}__holds": word})
    if not path:
        return Q(**{f"{field}__mentions": word}), walked
    named = _related(model, path)._default_manager.filter(**{f"{column}__mentions": word})
    keys = list(named.values_list("pk", flat=True)[: FEW + 1])
    return (Q(**{f"{path}__in": keys}) if len(keys) <= FEW else None), walked


def _related(model: type[Model], path: str) -> Any:
    """The kind of rows that such a path ends at."""
    related: Any = model
    for relation in path.split("__"):
        related = related._meta.get_field(relation).related_model
    return related


def first(rows: QuerySet[Any], most: int) -> list[Any]:
    """The first rows of a list, in its order: found by their keys alone, and only then joined with what they show.

    With everything joined at once PostgreSQL has to guess how many rows each join lets through, and where it guesses
    wrong it joins and sorts a hundred thousand rows to show fifty.
    """
    keys = list(rows.values_list("pk", flat=True)[:most])
    return list(rows.filter(pk__in=keys)) if keys else []


def mention_index(column: str, name: str) -> GinIndex:
    """The index that answers `mentions` on a column."""
    return GinIndex(Bigrams(Plain(column)), name=name)
