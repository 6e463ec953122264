"""{% mark field %}: in words, which fields of a form may be left empty or which may not, whichever are fewer.
{% faults form lines to %}: what is wrong with forms that came back, each with the place it stands at.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from django import forms, template
from django.forms.boundfield import BoundField
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import pgettext_lazy

from supplies.wording import bracketed

register = template.Library()
MUST = pgettext_lazy("mark of a field", "required")
MAY = pgettext_lazy("mark of a field", "optional")


@register.simple_tag
def mark(field: BoundField) -> SafeString | str:
    """The word beside the field's label, or nothing."""
    word = marked(field.form).get(field.name)
    return format_html('<span class="mark-of">{}</span>', bracketed(word)) if word else ""


@register.filter
def marked_label(field: BoundField) -> SafeString:
    """Django's own label of the field, with its mark inside, where it is heard."""
    return field.label_tag(format_html("{}{}", field.label, mark(field)))


class Fault(NamedTuple):
    """What is wrong with one field: where it stands on the page, and what it is called there."""

    at: str
    field: str
    said: str


@register.simple_tag
def faults(*forms: Any) -> list[Fault]:
    """Each fault of what was sent that stands at a place of the page. What belongs to no field and no line has none."""
    return [fault for form in forms if getattr(form, "is_bound", False) for fault in _faults(form)]


def _faults(form: Any, line: str = "") -> Iterator[Fault]:
    if isinstance(form, forms.BaseFormSet):
        for number, row in enumerate(form.forms, start=1):
            called = f"{_('Item')} {number}"
            for said in row.non_field_errors():
                yield Fault(row.prefix, called, said)
            yield from _faults(row, called)
        return
    for field in form.visible_fields():
        name = f"{line} · {field.label}" if line else str(field.label)
        yield from (Fault(_place(field), name, said) for said in field.errors)


def _place(field: BoundField) -> str:
    """The control itself, or the first of several."""
    return field.id_for_label or f"{field.auto_id}_0"


def marked(form: forms.BaseForm) -> dict[str, Promise]:
    """Name -> word, of the fields of a form that bear one.

    A form names in `also_needed` what it asks for although each of these fields may be sent empty. Where nothing has to
    be filled in, or everything, no word is needed; nor for lists and ticks, which say themselves what they stand at.
    """
    needed: Any = getattr(form, "also_needed", ())
    must, may = [], []
    for name, field in form.fields.items():
        if field.widget.is_hidden or field.widget.attrs.get("readonly"):
            continue
        if field.required or name in needed:
            must.append(name)
        elif not isinstance(field, forms.BooleanField | forms.ChoiceField):
            may.append(name)
    if not (must and may):
        return {}
    empty = [name for name in must if _begins_empty(form, name)]
    if empty and len(empty) < len(may):
        return dict.fromkeys(empty, MUST)
    return dict.fromkeys(may, MAY)


def _begins_empty(form: forms.BaseForm, name: str) -> bool:
    """Whether it has to be filled in by somebody: a list may stand at its first choice from the beginning."""
    field = form.fields[name]
    if not isinstance(field, forms.ChoiceField):
        return True
    if isinstance(field, forms.ModelChoiceField):
        return field.empty_label is not None
    if isinstance(field.widget, forms.Select):
        choices: Any = field.choices
        return not next(iter(choices), ("", ""))[0]
    return not form.get_initial_for_field(field, name)
