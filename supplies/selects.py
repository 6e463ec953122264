"""Selects with hundreds of options, as for places and items, or of which a page has many."""

from collections.abc import Iterable
from html import escape  # as Django's, which asks of each text first whether it is lazy
from typing import Any

from django import forms
from django.forms.utils import flatatt
from django.utils.html import format_html
from django.utils.safestring import SafeString


class LongSelect(forms.Select):
    """A select as Django writes it, but not with a template for each option: on a page with the countries of the
    world those took longer than everything else."""

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        left = set(self.format_value(value))
        written = [
            f'<optgroup label="{escape(str(value))}">{_options(label, left)}</optgroup>'
            if isinstance(label, (list, tuple))
            else _options([(value, label)], left)
            for value, label in self.choices
        ]
        return format_html(
            '<select name="{}"{}>{}</select>',
            name,
            flatatt(self.build_attrs(self.attrs, attrs)),
            SafeString("".join(written)),  # nosec B703 # joined from escaped parts
        )


def _options(options: Iterable[tuple[Any, Any]], left: set[str]) -> str:
    """left   what is chosen and was not marked yet: an option may stand in two groups, and is chosen in the first"""
    return "".join(
        f'<option value="{escape(str(value))}"{_mark(str(value), left)}>{escape(str(label))}</option>'
        for value, label in options
    )


def _mark(value: str, left: set[str]) -> str:
    if value not in left:
        return ""
    left.remove(value)
    return " selected"
