"""Columns that hold what people write in their own words. Declared here once, they are known everywhere: what they are
sent is looked through for private numbers, what everybody reads of them is masked, and erasure goes through them."""

from collections.abc import Iterator
from typing import Any

from django import forms
from django.apps import apps
from django.db import models

from supplies.leaks import masked, warnings

A_SENTENCE = 100  # characters; what is shorter takes a number or a name, such as that of a waybill


class FreeText:
    """A column of free words. To the database it is a column of text like any other, so no migration knows of it."""

    def deconstruct(self) -> Any:
        name, _path, args, options = super().deconstruct()  # type: ignore[misc]
        return name, f"django.db.models.{self.kept_as}", args, options

    kept_as: str


class ShortText(FreeText, models.CharField):
    kept_as = "CharField"


class LongText(FreeText, models.TextField):
    kept_as = "TextField"


def free_text_columns() -> Iterator[tuple[type[models.Model], str]]:
    """Every model with the name of each of its columns of free words."""
    for model in apps.get_models():
        for field in model._meta.local_concrete_fields:
            if isinstance(field, FreeText):
                yield model, field.name


def mask(row: models.Model) -> None:
    """Let the row, in memory, say of its free words only what everybody may read. Not to be saved afterwards."""
    for field in row._meta.local_concrete_fields:
        if isinstance(field, FreeText) and field.attname in row.__dict__:
            setattr(row, field.attname, masked(getattr(row, field.attname)))


def is_free_text(field: forms.Field | None) -> bool:
    """Whether a form's field takes free words: long enough for a sentence, and neither chosen nor checked by a pattern."""
    return type(field) is forms.CharField and (field.max_length or A_SENTENCE) >= A_SENTENCE


def told_of(form: forms.BaseForm) -> list[str]:
    """What to tell whoever filled in a valid form about private numbers in its free words, but for the fields of a contact."""
    return warnings(
        (str(form[name].label), form.cleaned_data.get(name))
        for name, field in form.fields.items()
        if is_free_text(field) and not name.startswith("contact_")
    )
