"""Foreign needs that take part in matching, once the operator lets those of an instance: each through a need of ours that stands for it."""

import time
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext as _

from supplies.catalogue.models import Standard
from supplies.emergencies.models import Emergency
from supplies.errors import Refused
from supplies.federation.fetching import CannotFetch
from supplies.federation.models import ForeignNeed, ForeignNeedQuerySet, Peer
from supplies.needs import services as needs
from supplies.needs import stand_ins
from supplies.needs.models import Need, NeedQuerySet, NeedStatus, QuantityKind
from supplies.organisations import services as people
from supplies.organisations.models import Facility, Organisation
from supplies.organisations.names import normal_name
from supplies.regions.models import Region

log = structlog.get_logger(__name__)
AT_ONCE = 200  # needs looked at together
Kind = Organisation.Kind


def asked(peer: Peer, *, at: datetime) -> ForeignNeedQuerySet:
    """What of its needs can be matched: open there, with something left, and all of it known here - emergency, place, item, standards."""
    left = Coalesce("outstanding", "quantity")
    some = ~Q(quantity_kind=QuantityKind.NUMBER) | Q(left__gt=0, left__lte=F("item__plausible_max"))
    return (
        ForeignNeed.objects.filter(peer=peer, gone_at=None)
        .open()
        .annotate(left=left)
        .filter(some, region__isnull=False, item__is_active=True)
        .filter(Q(needed_by=None) | Q(needed_by__gte=timezone.localdate(at)))
        .filter(emergency__in=list(Emergency.objects.going_on().values_list("pk", flat=True)))
        .filter(standards__contained_by=list(Standard.objects.values_list("pk", flat=True)))
    )


def standing_for(peer: Peer) -> NeedQuerySet:
    """The needs of ours that stand for its."""
    return Need.objects.filter(told_as__peer=peer)


def keep_up(peer: Peer, *, until: float, at: datetime) -> None:
    """Enter what is asked there, let what was entered follow, give up what is asked there no more. Twice is harmless.

    Raises   CannotFetch when the time is over; it goes on next time
    """
    if not (peer.is_matched and peer.is_taken):
        return
    asked_there = asked(peer, at=at)
    looked_at = ForeignNeed.objects.filter(
        Q(need__isnull=False) | Q(pk__in=asked_there.values("pk")), peer=peer
    )
    keys = list(looked_at.order_by("pk").values_list("pk", flat=True))
    for first in range(0, len(keys), AT_ONCE):
        if time.monotonic() > until:
            raise CannotFetch(
                _("It has more needs than can be matched at once; it goes on from here next time.")
            )
        with transaction.atomic():
            # Held against somebody who switches it off just now: nothing is entered behind her back.
            if not Peer.objects.select_for_update().get(pk=peer.pk).is_matched:
                return
            _keep_up(keys[first : first + AT_ONCE], asked_there, at=at)


def _keep_up(some: Iterable[UUID], asked_there: ForeignNeedQuerySet, *, at: datetime) -> None:
    told = asked_there.filter(pk__in=some).select_related("peer", "item", "region", "need__item")
    speaking = _speaking_for_themselves(told)
    going_on = [
        need for need in told if (normal_name(need.organisation_name), need.region_id) not in speaking
    ]
    over = ForeignNeed.objects.filter(pk__in=some, need__isnull=False).exclude(
        pk__in=[need.pk for need in going_on]
    )
    needs.withdraw_needs(Need.objects.filter(pk__in=over.values("need")), by=None, at=at)
    for need in going_on:
        _try(_follow if need.need else _enter, need, at=at)


def give_up(peer: Peer, *, at: datetime) -> int:
    """Withdraw all that stands for its needs. What is promised already stays promised. Returns how many."""
    return needs.withdraw_needs(standing_for(peer), by=None, at=at)


def _speaking_for_themselves(told: Iterable[ForeignNeed]) -> set[tuple[str, str | None]]:
    """Names and places of hospitals that are registered here too: they ask here, and nobody asks for them."""
    names = {normal_name(need.organisation_name) for need in told}
    known = Organisation.objects.standing().filter(kind=Kind.HOSPITAL, normal_name__in=names)
    return set(known.values_list("normal_name", "region"))


def _try(verb: Callable[..., None], need: ForeignNeed, *, at: datetime) -> None:
    """One that does not fit our rules holds up no other; it stays on the page of needs elsewhere."""
    try:
        with transaction.atomic():
            verb(need, at=at)
    except (Refused, ValidationError) as refusal:
        log.info("a need elsewhere cannot be matched", need=str(need.pk), why=str(refusal)[:200])


def _enter(need: ForeignNeed, *, at: datetime) -> None:
    assert need.item is not None
    line = {
        "item": need.item,
        **_told(need),
        "accepted_standards": list(Standard.objects.filter(pk__in=need.standards)),
        # What is not told is taken for what can do no harm: medical grade, nothing instead of it, and to be asked before.
        "medical_grade": need.medical_grade is not False,
        "sterile": bool(need.sterile),
        "substitutes_welcome": False,
        "ask_first": True,
    }
    standing = stand_ins.enter(
        _facility(need, at=at),
        emergency=Emergency.objects.get(pk=need.emergency),
        origin=need.peer.instance,
        line=line,
        confirmed_at=need.confirmed_at,
        at=at,
        source_name=need.peer.name,
        source_url=need.link,
    )
    ForeignNeed.objects.filter(pk=need.pk).update(need=standing)


def _follow(need: ForeignNeed, *, at: datetime) -> None:
    assert need.need is not None
    stand_ins.follow(need.need, _told(need), confirmed_at=need.confirmed_at, at=at)


def _told(need: ForeignNeed) -> dict[str, Any]:
    is_number = need.quantity_kind == QuantityKind.NUMBER
    left = need.quantity if need.outstanding is None else need.outstanding
    return {
        "quantity_kind": need.quantity_kind,
        "quantity": left if is_number else None,
        "urgency": need.urgency,
        "needed_by": need.needed_by,
    }


def _facility(need: ForeignNeed, *, at: datetime) -> Facility:
    """Where it is needed, entered as a hospital of another instance the first time it is told of."""
    assert need.region is not None
    name = need.facility_name or need.organisation_name
    body = _organisation(need, need.region, at=at)
    known = body.facilities.filter(name=" ".join(name.split())).first()
    return known or people.open_facility(body, name=name, region=need.region, by=None, at=at)


def _organisation(need: ForeignNeed, region: Region, *, at: datetime) -> Organisation:
    name = need.organisation_name or need.facility_name
    known = Organisation.objects.filter(
        kind=Kind.ELSEWHERE, normal_name=normal_name(name), region=region
    ).first()
    if known is not None:
        return known
    body = people.register(
        kind=Kind.ELSEWHERE, name=name, region=region, by=None, at=at, source=need.peer.address
    )
    return people.trust(body, at=at)


def figures(peer: Peer) -> dict[str, int]:
    """How many of its needs are matched, to how many something is promised, on its way, has arrived; and how many could not be entered."""
    standing = standing_for(peer)
    told = ForeignNeed.objects.filter(peer=peer, gone_at=None).open()
    return {
        "open": standing.filter(status=NeedStatus.OPEN).count(),
        "left_out": told.exclude(need__status__in=[NeedStatus.OPEN, NeedStatus.MET]).count(),
        "proposed": standing.filter(quantity_proposed__gt=0).count(),
        "promised": standing.filter(quantity_promised__gt=0).count(),
        "on_the_way": standing.filter(quantity_in_transit__gt=0).count(),
        "arrived": standing.filter(quantity_received__gt=0).count(),
    }
