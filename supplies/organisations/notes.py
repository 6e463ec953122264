"""What a note about a call or a judgement may not hold: a number somebody could ring, or another way to reach her."""

import re
import unicodedata

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from supplies.leaks import hide

_DAY = re.compile(r"(?<!\d)(?:19|20)\d\d[-/.]\d{1,2}[-/.]\d{1,2}(?!\d)")
_NUMBER = re.compile(r"\d(?:[\s().·‐-―-]{0,3}\d){6,}")  # the shortest line of a household has seven


def names_no_number(text: str) -> None:
    """Refuse a note with any number long enough to ring, or whatever else is hidden elsewhere: it belongs in a contact, which is sealed."""
    plain = _DAY.sub(" ", unicodedata.normalize("NFKC", text))
    if _NUMBER.search(plain) or hide(text).leaks:
        raise ValidationError(
            _("Leave the number out: others read this note. Numbers are kept with the contacts."),
            code="number",
        )
