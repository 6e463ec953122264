"""{% badge row %}: its status as a word with a mark and a colour, everywhere the same."""

from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()

# What a status says about whoever waits: it went well, it waits for somebody, it went wrong, it is under way.
# A status that is not here just ended or has not begun, and is said without colour.
TONES = {
    "good": {"accepted", "agreed", "delivered", "met", "published", "settled", "verified", "active"},
    "wait": {"waiting", "at_the_door", "partly_accepted", "to_check"},
    "bad": {"lost", "refused", "failed", "lapsed"},
    "move": {"booked", "shipped", "in_transit", "returning", "reserved", "rerouted", "approved"},
}
TONE_OF = {status: tone for tone, statuses in TONES.items() for status in statuses}


@register.simple_tag
def badge(row: Any) -> SafeString:
    """The status of any row that has one, as its own list of choices words it."""
    return format_html(
        '<span class="tag {}">{}</span>', TONE_OF.get(row.status, ""), row.get_status_display()
    )
