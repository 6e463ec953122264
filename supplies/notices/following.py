"""Being told by mail what becomes of one shipment: asked for with its code, confirmed from the mailbox, ended with one tap.

An answer never tells whether an address is known here, and what is sent to an address before its reader has agreed is limited
by address and by shipment: nobody can fill somebody else's mailbox.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.core import signing
from django.core.mail import EmailMessage
from django.db import connection, transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from supplies.journal.models import Event
from supplies.needs.reminders import address
from supplies.notices.models import Following
from supplies.shipments.models import Shipment, ShipmentStatus

ASK_HOLDS_FOR = timedelta(days=2)
ASKED_AGAIN_AFTER = timedelta(days=1)
MOST_ASKED_OF_AN_ADDRESS = 5  # mails in a day that ask the same reader, of whatever shipments
MOST_ASKED_FOR_A_SHIPMENT = 20  # mails in a day that ask about the same shipment, of whatever readers
KEPT_AT_MOST = timedelta(days=180)
KEPT_AFTER_THE_END = timedelta(days=14)  # a count may be corrected yet
ASKING = 7_304_127  # the advisory lock of those who ask to follow
CONFIRM, END = (
    "notices.following.confirm",
    "notices.following.end",
)  # a word of one kind does not do the other
FOLLOWED = (
    ShipmentStatus.DRAFT,
    ShipmentStatus.BOOKED,
    ShipmentStatus.IN_TRANSIT,
    ShipmentStatus.AT_THE_DOOR,
    ShipmentStatus.DELIVERED,
    ShipmentStatus.RETURNING,
)
ASKED = gettext_lazy(
    "If mail can be sent to this address today, a link is on its way there. Nothing is told before it is opened."
)
TOLD: dict[str, Any] = {
    "shipment.departed": gettext_lazy("It has left the donor"),
    "shipment.arrived": gettext_lazy("It is at the door of the hospital"),
    "shipment.delivered": gettext_lazy("It was delivered; it is not counted yet"),
    "shipment.accepted": gettext_lazy("It was counted and accepted"),
    "shipment.partly_accepted": gettext_lazy("It was counted and accepted in part"),
    "shipment.refused": gettext_lazy("It was counted; nothing of it could be accepted"),
    "shipment.recounted": gettext_lazy("Its count was corrected"),
    "shipment.returning": gettext_lazy("It could not be handed over and goes back to the donor"),
    "shipment.returned": gettext_lazy("The donor has it again"),
    "shipment.lost": gettext_lazy("It was given up as lost"),
    "shipment.cancelled": gettext_lazy("It was called off before it left"),
    "shipment.merged": gettext_lazy("It travels together with more from the same donor now"),
    "shipment.rerouted": gettext_lazy("It goes to another hospital now"),
    "facility.paused": gettext_lazy("The hospital is not accepting goods for now; a coordinator decides"),
}


def may_be_followed(shipment: Shipment) -> bool:
    """Something is still to come of it."""
    return shipment.status in FOLLOWED


@transaction.atomic
def ask(shipment: Shipment, *, email: str, language: str, at: datetime) -> None:
    """Ask the reader of an address whether to tell her of this shipment. Where that was asked enough today, nothing is sent."""
    _one_at_a_time()
    same = Following.objects.of(email)
    row = same.filter(shipment=shipment).first()
    today = at - ASKED_AGAIN_AFTER
    if (
        not may_be_followed(shipment)
        or (row is not None and row.asked_at > today)
        or same.filter(asked_at__gt=today).count() >= MOST_ASKED_OF_AN_ADDRESS
        or shipment.followings.filter(asked_at__gt=today).count() >= MOST_ASKED_FOR_A_SHIPMENT
    ):
        return
    if row is None:
        row = Following(shipment=shipment, erase_at=at + ASK_HOLDS_FOR)
        row.email = email
    row.asked_at, row.language = at, language
    if not row.confirmed_at:
        row.erase_at = at + ASK_HOLDS_FOR
    row.save()
    with translation.override(language):
        subject = _("Follow shipment %(code)s?") % {"code": shipment.code[:8]}
        text = {
            "shipment": shipment,
            "link": address(reverse("confirm-following", args=[signing.dumps(str(row.pk), salt=CONFIRM)])),
            "days": ASK_HOLDS_FOR.days,
        }
        _send(row, subject, "notices/mail/follow.txt", text)


def asked(word: str) -> Following | None:
    """What the link of the first mail stands for; None once it is too old, changed, or ended."""
    return _opened(word, CONFIRM, ASK_HOLDS_FOR)


def followed(word: str) -> Following | None:
    """What the link that ends it stands for; None where it was changed, or has ended."""
    return _opened(word, END, None)


@transaction.atomic
def confirm(following: Following, *, at: datetime) -> None:
    """Whoever reads the mail of the address has agreed. Twice is as good as once."""
    rows = Following.objects.select_for_update(of=("self",)).select_related("shipment")
    row = rows.filter(pk=following.pk).first()
    if row is None or row.confirmed_at:
        return
    is_to_come = may_be_followed(row.shipment)
    row.confirmed_at, row.erase_at = at, at + (KEPT_AT_MOST if is_to_come else KEPT_AFTER_THE_END)
    row.save(update_fields=["confirmed_at", "erase_at"])


def end(following: Following) -> None:
    """Tell her no more: nothing of her stays."""
    Following.objects.filter(pk=following.pk).delete()


def forget(*, at: datetime) -> int:
    """Drop the addresses whose time is over. Returns how many."""
    return Following.objects.filter(erase_at__lte=at).delete()[0]


def hear(events: Sequence[Event], *, at: datetime) -> None:
    """What happened to shipments, to all who follow them; of a facility that was paused, to those of what comes there."""
    shipments = {UUID(event.subject_id) for event in events if event.subject == "shipment"}
    paused = {UUID(event.subject_id) for event in events if event.subject == "facility"}
    rows = Following.objects.confirmed().filter(erase_at__gt=at).select_related("shipment__consignee__region")
    by_subject: dict[str, list[Following]] = defaultdict(list)
    for row in rows.filter(shipment__in=shipments).order_by("pk"):
        by_subject[str(row.shipment_id)].append(row)
    if paused:
        to_come = rows.filter(
            shipment__in=Shipment.objects.under_way(),
            shipment__consignee__in=paused,
            shipment__consignee__is_paused=True,
        )
        for row in to_come.order_by("pk"):
            by_subject[str(row.shipment.consignee_id)].append(row)
    for event in events:
        for row in by_subject[event.subject_id]:
            _tell(row, event.kind)
    over = {row.pk for some in by_subject.values() for row in some if not may_be_followed(row.shipment)}
    Following.objects.filter(pk__in=over).update(erase_at=at + KEPT_AFTER_THE_END)


def move(events: Sequence[Event], *, at: datetime) -> None:
    """What somebody follows travels with another shipment now, so she follows that; whoever follows both is told once."""
    for event in events:
        into = UUID(event.subject_id)
        followers = Following.objects.filter(shipment=into).values_list("email_lookup", flat=True)
        known = {lookup for found in followers for lookup in found}
        for row in Following.objects.filter(shipment=event.facts["other"]).order_by("pk"):
            if known & set(row.email_lookup):
                row.delete()
                continue
            row.shipment_id = into
            row.save(update_fields=["shipment"])


def _tell(row: Following, kind: str) -> None:
    with translation.override(row.language):
        subject = f"{row.shipment.code[:8]} · {TOLD[kind]}"
        ends = address(reverse("end-following", args=[signing.dumps(str(row.pk), salt=END)]))
        text = {
            "shipment": row.shipment,
            "told": str(TOLD[kind]),
            "kind": kind,
            "link": address(reverse("track", args=[row.shipment.code])),
            "ends": ends,
        }
        # RFC 2369 and 8058: mailboxes show a button of their own, which posts without opening the page.
        headers = {"List-Unsubscribe": f"<{ends}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
        _send(row, subject, "notices/mail/followed.txt", text, headers)


def _send(
    row: Following, subject: str, template: str, text: dict[str, Any], headers: dict[str, str] | None = None
) -> None:
    body = render_to_string(template, text)
    EmailMessage(subject, body, None, [row.email], headers=headers).send()


def _opened(word: str, salt: str, max_age: timedelta | None) -> Following | None:
    try:
        key = signing.loads(word, salt=salt, max_age=max_age)
    except signing.BadSignature:
        return None
    return Following.objects.select_related("shipment").filter(pk=key).first()


def _one_at_a_time() -> None:
    """What was asked today is counted and added to in one go, for all addresses and all shipments."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [ASKING])
