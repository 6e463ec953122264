"""Reminding a hospital of what it asked for, before it goes grey and before it lapses; and the link in that mail.

Each need is told of once before either, whoever runs this and however often: that it was told is written with the mail.
"""

import uuid
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from django.conf import settings
from django.core import signing
from django.core.mail import send_mail
from django.db import transaction
from django.db.models import Q
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from supplies.accounts.services import Member, members_to_remind
from supplies.journal.services import record_all
from supplies.leaks import masked
from supplies.needs.models import Appeal, Need, Reminded, unconfirmed
from supplies.organisations.models import User
from supplies.organisations.permissions import acts_for

HOLDS_FOR = timedelta(days=14)  # a link; a later one says the same
SALT = "needs.still-needed"  # a link made for something else confirms nothing


@transaction.atomic
def remind(*, at: datetime) -> int:
    """Write to the hospitals whose needs go grey or lapse soon. Returns of how many needs was told.

    Who acts for the hospital, gave an address and did not say no gets one mail for each appeal. Of others nobody can be
    told; their needs stand on their page and, once grey, on the desk's list of calls to make.
    """
    end = unconfirmed(lambda each: each.confirm_days - each.remind_days, at=at)
    turn_grey = unconfirmed(lambda each: each.grey_days - each.remind_days, at=at)
    due = Q(end, reminded__lt=Reminded.OF_END) | Q(turn_grey, reminded__lt=Reminded.OF_GREY)
    waiting = Need.objects.open().filter(due).select_for_update(of=("self",)).order_by("pk")
    keys = list(waiting.values_list("pk", flat=True))
    ending = set(Need.objects.filter(end, pk__in=keys).values_list("pk", flat=True))
    told = Need.objects.filter(pk__in=keys).select_related(
        "item__display_unit", "appeal__emergency", "appeal__facility__organisation"
    )
    needs = list(told.most_urgent_first())
    _write(needs)
    for step, of in ((Reminded.OF_END, "end"), (Reminded.OF_GREY, "grey")):
        rows = [need for need in needs if (need.pk in ending) == (step == Reminded.OF_END)]
        Need.objects.filter(pk__in=[need.pk for need in rows]).update(reminded=step)
        record_all(rows, "need.reminded", by=None, at=at, facts=partial(_told_of, of))
    return len(needs)


def _told_of(of: str, need: Need) -> dict[str, str]:
    return {"of": of}


def _write(needs: Iterable[Need]) -> None:
    by_appeal: dict[Appeal, list[Need]] = defaultdict(list)
    for need in needs:
        by_appeal[need.appeal].append(need)
    members: dict[uuid.UUID, list[Member]] = defaultdict(list)
    for member in members_to_remind({appeal.facility.organisation_id for appeal in by_appeal}):
        members[member.organisation_id].append(member)
    for appeal, lines in by_appeal.items():
        for member in members[appeal.facility.organisation_id]:
            _write_to(member, appeal, lines)


def _write_to(member: Member, appeal: Appeal, needs: Sequence[Need]) -> None:
    with translation.override(member.user.language or settings.LANGUAGE_CODE):
        name = masked(appeal.facility.name)
        text = {
            "hospital": name,
            "needs": needs,
            "link": address(reverse("still-needed", args=[link_for(appeal, member.user)])),
            "days": HOLDS_FOR.days,
            "appeal": address(reverse("appeal", args=[appeal.pk])),
            "account": address(reverse("account")),
        }
        subject = _("Still needed? %(hospital)s") % {"hospital": name}
        send_mail(subject, render_to_string("needs/mail/still_needed.txt", text), None, [member.email])


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
    return signing.dumps([str(appeal.pk), user.pk], salt=SALT)


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
