"""Selects with hundreds of options, as for places and items."""

from typing import Any

from django import forms
from django.forms.utils import flatatt
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString


class LongSelect(forms.Select):
    """A select as Django writes it, but not with a template for each option: on a page with the countries of the
    world those took longer than everything else."""

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        widget = self.get_context(name, value, attrs)["widget"]
        groups = ((group, _options(options)) for group, options, _index in widget["optgroups"])
        written = [
            options if group is None else format_html('<optgroup label="{}">{}</optgroup>', group, options)
            for group, options in groups
        ]
        return format_html(
            '<select name="{}"{}>{}</select>',
            name,
            flatatt(widget["attrs"]),
            SafeString("".join(written)),  # nosec B703 # joined from escaped parts
        )


def _options(options: list[dict[str, Any]]) -> SafeString:
    rows = (
        (option["value"], SafeString(" selected") if option["selected"] else "", option["label"])
        for option in options
    )
    return format_html_join("", '<option value="{}"{}>{}</option>', rows)
