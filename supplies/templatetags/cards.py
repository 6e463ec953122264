"""What is said of a need and of whose it is, wherever they stand: in one place, and without a template for each piece.

A list shows twenty cards with a dozen such pieces each. As included templates they cost it a quarter of its work more.
Knows the rows by their attributes only.
"""

from functools import lru_cache
from typing import Any
from uuid import UUID

from django import template
from django.conf import settings
from django.urls import get_script_prefix, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from supplies.templatetags.amounts import ago, amount
from supplies.wording import bracketed, day, listed

register = template.Library()

# The parts of the one quantity bar, from left to right: the counter, its name in the style sheet, its word.
PARTS = (
    ("quantity_received", "received", gettext_noop("received")),
    ("quantity_in_transit", "transit", gettext_noop("in transit")),
    ("quantity_promised", "promised", gettext_noop("promised")),
    ("quantity_proposed", "proposed", gettext_noop("proposed")),
)
OVER = ("withdrawn", "refused")  # nothing is missing any more
CONFIRMED = {  # by whom it was confirmed last
    "hospital": gettext_noop("confirmed %(when)s by the hospital"),
    "telephone": gettext_noop("confirmed %(when)s by a volunteer, who called the hospital"),
    "volunteer": gettext_noop("confirmed %(when)s by a volunteer"),
    "poster": gettext_noop("confirmed %(when)s by whoever posted it"),
    "source": gettext_noop("taken from its source %(when)s"),
}
SOMEWHERE = UUID(int=0)


@register.simple_tag
def gauge(need: Any, rest: str = "") -> SafeString:
    """The one quantity bar with its legend, of a need or of what has the same quantities.

    rest    what the missing part is called, if not "still needed"
    """
    found = [(getattr(need, column), style, word) for column, style, word in PARTS]
    bars, words, begins = [], [], 0
    for quantity, style, word in found:
        if quantity:
            bars.append((style, begins, quantity))
            words.append((style, _(word), amount(need.item, quantity)))
        begins += quantity
    missing = SafeString("")
    if getattr(need, "status", "") not in OVER:
        missing = format_html(
            '<li><span class="dot"></span><strong>{} {}</strong>{}</li>',
            rest or _("still needed"),
            amount(need.item, need.quantity_outstanding),
            bracketed(_("what is proposed is not agreed yet")) if need.quantity_proposed and not rest else "",
        )
    return format_html(
        '<svg class="gauge" viewBox="0 0 {} 10" preserveAspectRatio="none" aria-hidden="true">{}</svg>\n'
        '<ul class="legend">{}{}</ul>',
        need.asked,
        format_html_join("", '<rect class="g-{}" x="{}" y="0" height="10" width="{}"/>', bars),
        format_html_join("", '<li><span class="dot {}"></span>{} {}</li>', words),
        missing,
    )


@register.simple_tag
def grey(need: Any) -> SafeString:
    """The tag of an open need that nobody has confirmed lately; nothing else has one."""
    if not (need.is_grey and need.status == "open"):
        return SafeString("")
    return format_html('<span class="tag unconfirmed">{}</span> ', _("not confirmed lately"))


@register.simple_tag
def verification(organisation: Any) -> SafeString:
    """Beside the name of an organisation: whether it was verified, and where it says how."""
    if not organisation.is_verified:
        return format_html('<span class="tag">{}</span>', _("not verified yet"))
    return format_html(
        '<a class="mark" href="{}">✓ {}</a>', row_url("organisation", organisation.pk), _("verified")
    )


@register.filter
def confirmed(need: Any) -> str:
    """Who said last that it is still needed, and how long ago."""
    return _(CONFIRMED[need.confirmed_by_kind]) % {"when": ago(need.confirmed_at)}


@register.filter
def due(need: Any) -> str:
    """By when it is needed, and whether somebody said so."""
    due = _("needed by %(day)s") % {"day": day(need.needed_by)}
    return due + bracketed(_("assumed")) if need.needed_by_assumed else due


@register.filter
def takes(appeal: Any) -> str:
    """How an appeal takes goods, as far as everybody may know."""
    said = [listed(appeal.ways) if appeal.ways else _("way to be agreed")]
    senders = appeal.senders
    said.append(_("only from: %(senders)s") % {"senders": listed(senders)} if senders else _("from anybody"))
    if not appeal.accepts_overseas:
        said.append(_("not from overseas"))
    return _("Takes goods:") + " " + " · ".join(said)


@register.simple_tag
def row_url(name: str, *arguments: Any) -> str:
    """As {% url %}, for the page of a row; the last argument is its id. Django looks through all routes each time."""
    *fixed, pk = arguments
    pattern = _address(name, *fixed, at=(settings.ROOT_URLCONF, get_script_prefix()))
    return pattern.replace(str(SOMEWHERE), str(pk))


@lru_cache(maxsize=200)
def _address(name: str, *fixed: str, at: tuple[str, str]) -> str:
    """at    what the addresses of a site depend on"""
    return reverse(name, args=[*fixed, SOMEWHERE])
