"""A proposal for whoever approves it: what is asked for beside what is given, fact by fact."""

from collections.abc import Callable
from functools import partial
from typing import Any

from django.utils.translation import gettext as _

from matching.models import Proposal
from supplies.catalogue.models import Item, MedicalUse, Standard, StandardStatus
from supplies.needs.models import Need, SenderKind
from supplies.offers.models import Offer
from supplies.organisations.desk import in_units, link_to
from supplies.organisations.models import Organisation
from supplies.organisations.side_by_side import Compared
from supplies.templatetags.amounts import as_read_by, asked_for, place
from supplies.wording import apart, bracketed, day, listed

Words = Callable[[str], str]
SIDES = (
    "need__item__display_unit",
    "need__appeal__facility__organisation",
    "need__appeal__facility__region__parent__parent",
    "offer__item__display_unit",
    "offer__standard",
    "offer__mode",
    "offer__donation__organisation",
    "offer__donation__region__parent__parent",
)


def side_by_side(proposal: Proposal, reader: Any) -> list[Compared]:
    """The need and the goods as this reader may know them, in two queries. What differs is what the hospital has to be
    asked about, or what was changed since the proposal was made.
    """
    proposal = Proposal.objects.select_related(*SIDES).get(pk=proposal.pk)
    need, offer = proposal.need, proposal.offer
    words = partial(as_read_by, user=reader)
    return [
        *_what(need, offer, words),
        *_how_much(proposal),
        *_when(need, offer),
        *_how(need, offer, words),
        *_who(need, offer, words),
    ]


def _what(need: Need, offer: Offer, words: Words) -> list[Compared]:
    accepted = sorted(need.accepted_standards.all(), key=lambda standard: standard.code)
    borne = offer.standard
    is_clinical = need.medical_grade and need.item.needs_medical_grade
    return [
        Compared(
            _("item"),
            link_to(need, need.item.name),
            link_to(offer, offer.item.name),
            differs=need.item_id != offer.item_id,
        ),
        Compared(
            _("standard and edition"),
            listed(map(_edition, accepted)) or _("none named"),
            _edition(borne) if borne else _("not stated"),
            differs=bool(accepted) and borne not in accepted,
        ),
        Compared(
            _("medical grade"),
            _("required") if is_clinical else _("not required"),
            borne.get_medical_use_display() if borne else _("not stated"),
            differs=is_clinical and (borne is None or borne.medical_use != MedicalUse.YES),
        ),
        Compared(
            _("sterile"),
            _("required") if need.sterile else _("not required"),
            _("yes") if offer.sterile else _("no"),
            differs=need.sterile and not offer.sterile,
        ),
        Compared(_("what else it has to be"), words(need.requirements) or "–", "–"),
    ]


def _edition(standard: Standard) -> str:
    is_current = standard.status == StandardStatus.CURRENT
    return standard.name if is_current else f"{standard.name}{bracketed(standard.get_status_display())}"


def _how_much(proposal: Proposal) -> list[Compared]:
    need, offer, quantity = proposal.need, proposal.offer, proposal.quantity_approved
    lacking = _("%(amount)s still needed") % {"amount": in_units(need.item, need.quantity_outstanding)}
    left = _("%(amount)s left") % {"amount": in_units(offer.item, offer.quantity_open)}
    packs = bracketed(f"{quantity // offer.pack:,} × {in_units(offer.item, offer.pack)}")
    sent = in_units(offer.item, quantity)
    return [
        Compared(
            _("quantity"),
            apart([asked_for(need), lacking]),
            apart([in_units(offer.item, offer.quantity), left]),
        ),
        Compared(
            _("quantity proposed"),
            in_units(need.item, quantity),
            f"{sent}{packs}" if offer.pack > 1 else sent,
        ),
        Compared(_("minimum quantity"), _least(need.item, need.min_lot), _least(offer.item, offer.min_lot)),
    ]


def _least(item: Item, lot: int) -> str:
    return in_units(item, lot) if lot > 1 else "–"


def _when(need: Need, offer: Offer) -> list[Compared]:
    deadline = day(need.needed_by)
    expiry = offer.expires_on
    return [
        Compared(
            _("needed by, expires on"),
            f"{deadline}{bracketed(_('assumed'))}" if need.needed_by_assumed else deadline,
            day(expiry) if expiry else _("no day stated"),
            differs=expiry is not None and expiry < need.needed_by,
        ),
        Compared(
            _("last confirmed"),
            f"{day(need.confirmed_at)}{bracketed(need.get_confirmed_by_kind_display())}",
            _("posted %(day)s") % {"day": day(offer.created_at)},
        ),
    ]


def _how(need: Need, offer: Offer, words: Words) -> list[Compared]:
    appeal, donation = need.appeal, offer.donation
    takes = [*appeal.ways, *([words(appeal.receiving_body)] if appeal.receiving_body else [])]
    return [
        Compared(
            _("takes from, sent by"),
            listed(appeal.senders) or _("everyone"),
            SenderKind(donation.sender_kind).label,
            differs=donation.sender_kind not in appeal.accepted_senders,
        ),
        Compared(
            _("overseas"),
            _("overseas too") if appeal.accepts_overseas else _("not from overseas"),
            _("the goods lie there") if donation.from_overseas else _("the goods do not lie there"),
            differs=donation.from_overseas and not appeal.accepts_overseas,
        ),
        Compared(_("how it is sent"), listed(takes) or _("not stated"), offer.mode.name),
    ]


def _who(need: Need, offer: Offer, words: Words) -> list[Compared]:
    site, donor = need.appeal.facility, offer.donation.organisation
    return [
        Compared(
            _("hospital, donor"),
            link_to(site.organisation, words(site.name)),
            link_to(donor, words(donor.name)),
        ),
        Compared(_("region"), place(site.region), place(offer.donation.region)),
        Compared(_("verification"), _standing(site.organisation), _standing(donor)),
    ]


def _standing(organisation: Organisation) -> str:
    how = organisation.how_verified
    return f"{organisation.get_status_display()}{bracketed(how) if how else ''}"
