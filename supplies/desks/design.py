"""The parts of our pages, shown on one page: what a page may be made of, with examples that mean nobody."""

import re
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from django import forms
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from supplies.catalogue.models import Item
from supplies.needs.models import NeedStatus, Urgency
from supplies.shipments.models import ShipmentStatus

STYLESHEET = Path("static/site/site.css")
LEAST_CONTRAST = 4.5  # WCAG 2.2, 1.4.3 AA, text of ordinary size
LEAST_OF_PARTS = 3  # WCAG 2.2, 1.4.11 AA, edges of fields and what a drawing means

# Every ink that text is written in and the ground it stands on, by their names in the stylesheet.
USES = (
    (_("text"), "ink", "ground"),
    (_("quieter text"), "soft", "ground"),
    (_("quieter text on a card"), "soft", "paper"),
    (_("links"), "brand", "ground"),
    (_("links in a message"), "brand", "brand-pale"),
    (_("buttons"), "paper", "brand"),
    (_("critical"), "paper", "red"),
    (_("what went wrong"), "red", "red-pale"),
    (_("what waits"), "amber", "amber-pale"),
    (_("what went well"), "green", "green-pale"),
    (_("under way"), "brand-dark", "brand-pale"),
    (_("plain badge"), "ink", "quiet"),
)


@dataclass(frozen=True)
class Pair:
    """An ink and its ground as #rrggbb, with their contrast as WCAG 2.2 reckons it: 1 to 21."""

    use: str | Promise
    ink: str
    ground: str

    @property
    def contrast(self) -> float:
        lighter, darker = sorted((luminance(self.ink), luminance(self.ground)), reverse=True)
        return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    """Relative luminance of #rrggbb, 0 (black) to 1 (white): WCAG 2.2, "relative luminance"."""
    parts = (int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@cache
def palette() -> tuple[Pair, ...]:
    """The pairs of colours as the stylesheet has them."""
    text = (settings.BASE_DIR / STYLESHEET).read_text(encoding="utf-8")
    named = dict(re.findall(r"--([\w-]+): (#[0-9a-fA-F]{3,6});", text))
    return tuple(Pair(use, six_digits(named[ink]), six_digits(named[ground])) for use, ink, ground in USES)


def six_digits(colour: str) -> str:
    """#fff or #FFFFFF -> #ffffff."""
    colour = colour.lower()
    return colour if len(colour) == 7 else "#" + "".join(2 * digit for digit in colour[1:])


class ExampleForm(forms.Form):
    """A field of each sort, one of them wrong."""

    item = forms.CharField(
        label=_("Item"), help_text=_("As you call it; we know other names."), initial="N95"
    )
    quantity = forms.IntegerField(label=_("How many"), min_value=1)
    urgency = forms.ChoiceField(label=_("urgency"), choices=Urgency.choices)
    agreed = forms.BooleanField(label=_("A courier may deliver it"), required=False)
    setting = forms.ChoiceField(
        label=_("Where it is used"),
        widget=forms.RadioSelect,
        choices=(("ward", _("on the ward")), ("icu", _("intensive care"))),
    )
    remark = forms.CharField(label=_("Remark"), required=False)


@require_safe
def design(request: HttpRequest) -> HttpResponse:
    """Type, colours with their contrast, the quantity bar, badges, figures, messages, forms and tables."""
    item = Item.objects.select_related("display_unit").order_by("pk").first()
    context: dict[str, Any] = {
        "pairs": palette(),
        "urgencies": list(Urgency),
        "states": [
            SimpleNamespace(status=status.value, get_status_display=partial(str, status.label))
            for status in (
                NeedStatus.WAITING,
                ShipmentStatus.IN_TRANSIT,
                NeedStatus.MET,
                ShipmentStatus.LOST,
                NeedStatus.WITHDRAWN,
            )
        ],
        "form": ExampleForm({"item": "N95", "urgency": "2", "setting": "ward", "quantity": ""}),
        "bars": [
            _bar(item, *parts)
            for parts in ((1000, 400, 250, 150, 100), (1000, 0, 0, 0, 0), (1000, 1000, 0, 0, 0))
        ]
        if item
        else [],
    }
    return render(request, "desks/design.html", context)


def _bar(item: Item, asked: int, got: int, way: int, word: int, maybe: int) -> SimpleNamespace:
    return SimpleNamespace(
        item=item,
        title=item.name,
        asked=asked,
        status="open",
        quantity_received=got,
        quantity_in_transit=way,
        quantity_promised=word,
        quantity_proposed=maybe,
        quantity_outstanding=asked - got - way - word,
    )
