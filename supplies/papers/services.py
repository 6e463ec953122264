"""Certifying a gift: what hospitals counted and found good, under a code by which anybody who holds the paper can check it."""

from datetime import datetime
from enum import StrEnum

from django.db import transaction
from django.db.models import Max, Sum
from django.db.models.functions import Least
from django.utils import timezone
from django.utils.translation import gettext as _

from supplies.errors import Refused
from supplies.journal.services import record
from supplies.offers.models import Donation
from supplies.organisations.models import User
from supplies.papers.models import Certificate, CertifiedGoods
from supplies.receipts.models import ReceiptLine


class Standing(StrEnum):
    """What somebody who asks is told."""

    GENUINE = "genuine"
    OUTDATED = "outdated"  # the hospitals have counted more since, or corrected a count
    CALLED_BACK = "called_back"


@transaction.atomic
def certify(donation: Donation, *, by: User | None, at: datetime) -> Certificate:
    """A certificate of what was accepted until now; the last one again if nothing has changed since.

    Raises   Refused if no hospital has accepted anything of it yet
    """
    donation = Donation.objects.select_for_update(of=("self",)).get(pk=donation.pk)
    lines = accepted_of(donation)
    if not lines:
        raise Refused(
            _("No hospital has counted anything of this donation yet. Come back when it has."),
            code="nothing-accepted",
        )
    last = Certificate.objects.filter(donation=donation, called_back_at=None).newest_first().first()
    if last is not None and standing_of(last) == Standing.GENUINE:
        return last
    certificate = Certificate.objects.create(donation=donation, issued_at=at, issued_by=by)
    for line in lines:
        line.certificate = certificate
    CertifiedGoods.objects.bulk_create(lines)
    record(certificate, "certificate.issued", by=by, at=at, lines=len(lines))
    return certificate


@transaction.atomic
def call_back(certificate: Certificate, *, note: str, by: User, at: datetime) -> Certificate:
    """It is not to be trusted any more. Whoever checks it is told so, not why."""
    if not note.strip():
        raise Refused(_("Say why it is called back."), code="reason-missing")
    certificate = Certificate.objects.select_for_update(of=("self",)).get(pk=certificate.pk)
    if certificate.called_back_at:
        raise Refused(_("It was called back already."), code="move-refused")
    certificate.called_back_at, certificate.called_back_because = at, note.strip()[:300]
    certificate.save(update_fields=["called_back_at", "called_back_because"])
    record(certificate, "certificate.called_back", by=by, at=at)
    return certificate


def standing_of(certificate: Certificate) -> Standing:
    """Compared with the counts as they are now: two queries."""
    if certificate.called_back_at:
        return Standing.CALLED_BACK
    now = {_what(line) for line in accepted_of(certificate.donation)}
    return Standing.GENUINE if now == {_what(line) for line in certificate.lines.all()} else Standing.OUTDATED


def accepted_of(donation: Donation) -> list[CertifiedGoods]:
    """Per site and item, not stored: what was good, as far as it was shipped. Too much is thanked for, not certified."""
    rows = (
        ReceiptLine.objects.standing()
        .filter(line__allocation__offer__donation=donation, accepted__gt=0)
        .values("receipt__shipment__consignee", "line__allocation__offer__item")
        .annotate(good=Sum(Least("accepted", "shipped")), last=Max("receipt__at"))
        .order_by("last", "receipt__shipment__consignee", "line__allocation__offer__item")
    )
    return [
        CertifiedGoods(
            facility_id=row["receipt__shipment__consignee"],
            item_id=row["line__allocation__offer__item"],
            accepted=row["good"],
            last_on=timezone.localdate(row["last"]),
        )
        for row in rows
    ]


def _what(line: CertifiedGoods) -> tuple[object, object, int]:
    return line.facility_id, line.item_id, line.accepted
