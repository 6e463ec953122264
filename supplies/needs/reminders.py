"""Reminding a hospital of what it asked for, before it goes grey and before it lapses; and the link in that mail.

Each need is told of once before either, whoever runs this and however often: that it was told is written with the mail.
"""

import uuid
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

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
    ends = _due(Reminded.OF_END, unconfirmed(lambda each: each.confirm_days - each.remind_days, at=at))
    greys = _due(Reminded.OF_GREY, unconfirmed(lambda each: each.grey_days - each.remind_days, at=at))
    _write([*ends, *greys])
    record_all(ends, "need.reminded", by=None, at=at, facts=lambda _need: {"of": "end"})
    record_all(greys, "need.reminded", by=None, at=at, facts=lambda _need: {"of": "grey"})
    return len(ends) + len(greys)


def _due(step: Reminded, forgotten: Q) -> list[Need]:
    """The needs that have now to be told of this, and are marked as told."""
    waiting = Need.objects.open().filter(forgotten, reminded__lt=step)
    keys = list(waiting.select_for_update(of=("self",)).order_by("pk").values_list("pk", flat=True))
    Need.objects.filter(pk__in=keys).update(reminded=step)
    told = Need.objects.filter(pk__in=keys).select_related("item__display_unit", "appeal__emergency")
    return list(told.select_related("appeal__facility__organisation").most_urgent_first())


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
