"""{% once %}, beside the token of every form that changes something: sent twice, it is done once."""

import secrets

from django import template
from django.conf import settings
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()


@register.simple_tag
def once() -> SafeString:
    """A hidden field with a word of 128 random bits, another one each time the form is shown."""
    return format_html(
        '<input type="hidden" name="{}" value="{}">', settings.ONCE_FIELD, secrets.token_urlsafe(16)
    )
