"""How sure a reading is, in words that a volunteer can act on."""

from collections.abc import Collection

from django.db import models
from django.utils.translation import gettext_lazy as _

from supplies.intake.reading.findings import Finding


class Confidence(models.TextChoices):
    SAID = "said", _("said by a volunteer")
    SURE = "sure", _("sure")
    LIKELY = "likely", _("likely")
    DOUBTFUL = "doubtful", _("doubtful")
    UNREAD = "unread", _("not read")


# What somebody has to look at: whose row it is, and where.
DOUBTS = frozenset({"near-name", "unsure-place", "two-organisations", "not-a-hospital"})
# What was read by a rule that is nearly always right, or not to the last word.
GUESSES = frozenset(
    {
        "synonyms", "range", "at-least", "approximate", "second-figure", "other-rate", "place-of-city", "place-of-address", "no-number",
        "unit-not-given", "not-countable", "uneven-lists", "and-so-on", "address-several", "standard-unknown",
        "standard-impossible", "standard-wrong-item", "standard-class-not-stated", "no-number-in-contact",
    }
)  # fmt: skip
UNREAD = frozenset(
    {
        "unread-cell", "not-a-quantity", "negative", "zero", "fraction", "huge", "ambiguous-number", "either-number", "backward-range",
        "unknown-item", "unknown-place", "no-place", "missing", "not-text", "too-long", "not-a-list-of-cells", "row-not-an-object",
        "bad-link", "impossible-date",
    }
)  # fmt: skip


def confidence(findings: Collection[Finding], *, waits: bool = False) -> Confidence:
    """How sure a cell is, from what was noticed about it. `waits`: nobody may rely on it before it was looked at."""
    codes = {finding.code for finding in findings}
    if codes & UNREAD:
        return Confidence.UNREAD
    if waits or codes & DOUBTS:
        return Confidence.DOUBTFUL
    if "corrected" in codes:
        return Confidence.SAID
    return Confidence.LIKELY if codes & GUESSES else Confidence.SURE
