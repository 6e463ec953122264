"""Reminding a hospital of what it asked for, before it goes grey and before it lapses; and the link in that mail.

Each need is told of once before either, whoever runs this and however often: that it was told is written with the entry.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from django.conf import settings
from django.core import signing
from django.db import transaction
from django.db.models import Q

from supplies.journal.services import record_all
from supplies.needs.models import Appeal, Need, Reminded, unconfirmed
from supplies.organisations.models import User
from supplies.organisations.permissions import acts_for

HOLDS_FOR = timedelta(days=14)  # a link; a later one says the same
SALT = "needs.still-needed"  # a link made for something else confirms nothing


@transaction.atomic
def remind(*, at: datetime) -> int:
    """Write into the journal which needs go grey or lapse soon, so that their hospitals are told. Returns how many.

    Who acts for the hospital hears of it once for each appeal (`supplies.notices`). Where nobody can be told, a need stands on
    its page and, once grey, on the desk's list of calls to make.
    """
    end = unconfirmed(lambda each: each.confirm_days - each.remind_days, at=at)
    turn_grey = unconfirmed(lambda each: each.grey_days - each.remind_days, at=at)
    due = Q(end, reminded__lt=Reminded.OF_END) | Q(turn_grey, reminded__lt=Reminded.OF_GREY)
    waiting = Need.objects.open().filter(due).select_for_update(of=("self",)).order_by("pk")
    keys = list(waiting.values_list("pk", flat=True))
    ending = set(Need.objects.filter(end, pk__in=keys).values_list("pk", flat=True))
    needs = list(Need.objects.filter(pk__in=keys).most_urgent_first())
    for step, of in ((Reminded.OF_END, "end"), (Reminded.OF_GREY, "grey")):
        rows = [need for need in needs if (need.pk in ending) == (step == Reminded.OF_END)]
        Need.objects.filter(pk__in=[need.pk for need in rows]).update(reminded=step)
        record_all(rows, "need.reminded", by=None, at=at, facts=partial(_told_of, of))
    return len(needs)


def _told_of(of: str, need: Need) -> dict[str, str]:
    return {"of": of}


def address(path: str) -> str:
    """A page of this site for a letter, which knows no request."""
    return f"{settings.SITE_ADDRESS}{path}"


# -- The link: opens one page, for one person and one appeal, without signing in ---------------------------


@dataclass(frozen=True)
class StillNeeded:
    """Who may say of which appeal that it is still needed, and nothing else."""

    appeal: Appeal
    by: User


def link_for(appeal: Appeal, user: User) -> str:
    return word_for(str(appeal.pk), user.pk)


def word_for(appeal_id: str, user_id: int) -> str:
    return signing.dumps([appeal_id, user_id], salt=SALT)


def opened(word: str) -> StillNeeded | None:
    """What a link stands for; None if it was changed, is too old, or its person does not act for the hospital any more."""
    try:
        appeal_id, user_id = signing.loads(word, salt=SALT, max_age=HOLDS_FOR)
    except signing.BadSignature:
        return None
    rows = Appeal.objects.select_related("emergency", "facility__organisation", "facility__region")
    appeal, user = rows.filter(pk=appeal_id).first(), User.objects.filter(pk=user_id, is_active=True).first()
    if appeal is None or user is None or not acts_for(user, appeal.facility.organisation):
        return None
    return StillNeeded(appeal, user)
