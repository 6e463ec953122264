"""{% mark field %}: in words, which fields of a form may be left empty or which may not, whichever are fewer."""

from typing import Any

from django import forms, template
from django.forms.boundfield import BoundField
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
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
