"""How long it usually takes until a new organisation is verified."""

from statistics import median

from django.core.cache import cache

from supplies.organisations.models import Organisation

LATEST = 50
FEWEST = 5  # fewer tell nothing
KEPT_SECONDS = 3600
KEY = "organisations.days-to-verify"


def days_to_verify() -> int | None:
    """The median of the latest that people verified, in days, at least 1; None while there are too few to tell."""
    known: int | None = cache.get(KEY)
    if known is None:
        rows = Organisation.objects.verified().filter(by_source=False, verified_on__isnull=False)
        latest = rows.order_by("-verified_on").values_list("created_at", "verified_on")[:LATEST]
        days = [max((on - created.date()).days, 1) for created, on in latest if on]
        known = round(median(days)) if len(days) >= FEWEST else 0
        cache.set(KEY, known, timeout=KEPT_SECONDS)
    return known or None
