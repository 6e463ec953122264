"""The verbs of matching: run it, approve what it proposes, agree, decline.

What workers do between the start of a run and its proposals is in `running`.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, models, transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from matching.fitting import OTHERWISE, WHY_NOT, first_faults, match_of
from matching.models import (
    BLOBS,
    DeviationReason,
    MatchingPolicy,
    MatchingRun,
    Proposal,
    ProposalStatus,
    RunStatus,
    Trigger,
)
from matching.orders import against, frozen
from matching.proposing import end_pending, ended, hold, lock_pending, made_of, steps_of
from matching.snapshot import Couple, Rulebook
from supplies.allocations.services import allocate, check
from supplies.emergencies.models import Emergency
from supplies.errors import NotEligible, Refused
from supplies.journal.models import Event
from supplies.journal.services import record, ring
from supplies.leaks import masked
from supplies.needs.models import Need
from supplies.offers.models import Offer
from supplies.organisations.models import User

# --- starting -----------------------------------------------------------------------------------------------


@transaction.atomic
def start(
    emergency: Emergency,
    *,
    trigger: str,
    by: User | None,
    at: datetime,
    policy: str = "urgency",
    families: Iterable[str] | None = None,
    is_dry: bool = False,
    as_of: datetime | None = None,
) -> MatchingRun:
    """Ask for a run; workers take it up at once.

    families    keys of families to match; all if None
    as_of       the moment deadlines and shelf life are judged by; now, unless a past list is tried out
    """
    if not MatchingPolicy.objects.filter(pk=policy).exists():
        raise Refused(_("There is no policy called %(name)s.") % {"name": policy}, code="unknown-policy")
    run = MatchingRun.objects.create(
        emergency=emergency,
        trigger=trigger,
        policy=policy,
        only=sorted(families or []),
        is_dry=is_dry,
        as_of=as_of or at,
        started_by=by,
        created_at=at,
    )
    record(run, "run.started", by=by, at=at, trigger=trigger)
    transaction.on_commit(lambda: ring("matching.open_run", str(run.pk)), robust=True)
    return run


@transaction.atomic
def set_policy(policy: MatchingPolicy, *, by: User, at: datetime) -> MatchingPolicy:
    """Keep a policy for the runs to come; those there were keep the one they were made with."""
    policy.save()
    record(policy, "policy.set", by=by, at=at, order=policy.order)
    return policy


def hear(events: Sequence[Event], *, at: datetime) -> None:
    """New needs and offers: match their families. A run that waits already is widened instead of adding another."""
    changed: dict[str, set[str]] = defaultdict(set)
    for event in events:
        if {"emergency", "item"} <= event.facts.keys():
            changed[event.facts["emergency"]].add(event.facts["item"])
    _match_again(changed, at=at)


def hear_of_facility(events: Sequence[Event], *, at: datetime) -> None:
    """A facility takes goods again: match the families of what it still needs."""
    changed: dict[str, set[str]] = defaultdict(set)
    needs = Need.objects.open().filter(appeal__facility__in=[event.subject_id for event in events])
    for emergency, item in needs.values_list("appeal__emergency", "item").distinct():
        changed[emergency].add(item)
    _match_again(changed, at=at)


def _match_again(changed: Mapping[str, set[str]], *, at: datetime) -> None:
    """Match the families of these items, by emergency."""
    if not changed:
        return
    family_of = Rulebook.read().family_of
    for code, items in sorted(changed.items()):
        emergency = Emergency.objects.going_on().filter(pk=code).first()
        if emergency is None:
            continue
        families = {family_of[item] for item in items if item in family_of}
        if not families:
            continue  # a run without families named would match them all
        waiting = (
            MatchingRun.objects.filter(emergency=emergency, trigger=Trigger.EVENT, status=RunStatus.QUEUED)
            .select_for_update(skip_locked=True)
            .order_by("created_at")
            .first()
        )
        if waiting is None:
            start(emergency, trigger=Trigger.EVENT, by=None, at=at, families=families)
        elif waiting.only:
            waiting.only = sorted({*waiting.only, *families})
            waiting.as_of = at
            waiting.save(update_fields=["only", "as_of"])


@transaction.atomic
def match_all(*, at: datetime) -> list[MatchingRun]:
    """The timetable's run: every emergency that goes on and has nothing running.

    Whoever comes for an emergency at the same moment waits, and finds the run that was started.
    """
    going_on = Emergency.objects.going_on().select_for_update(no_key=True).order_by("pk")
    return [
        start(emergency, trigger=Trigger.TIMETABLE, by=None, at=at)
        for emergency in going_on
        if not MatchingRun.objects.unfinished().filter(emergency=emergency).exists()
    ]


# --- answering ----------------------------------------------------------------------------------------------


@transaction.atomic
def approve(
    proposal: Proposal,
    *,
    by: User,
    at: datetime,
    quantity: int | None = None,
    reason: str = "",
    note: str = "",
) -> Proposal:
    """A volunteer approves; it is agreed at once where nobody else has to be asked.

    quantity   fewer than proposed, in whole packs and not below the lots; all of it if None
    reason     a DeviationReason, asked for where fewer are approved or a more urgent proposal of the same goods waits;
               kept only where there is something to explain. DeviationReason.OTHER takes a note

    Raises NotEligible("four-eyes") for who posted either side, Refused("deviation-unexplained"). A donor's standing
    consent counts as the yes for goods that are not directed, and is recorded as such.
    """
    proposal = _locked(proposal)
    _check_four_eyes(proposal, by)
    proposal.move_to(ProposalStatus.APPROVED)
    _leave_out(proposal, quantity)
    proposal.passed_over = Proposal.objects.more_urgent_than(proposal).count()
    _explain(proposal, reason, note)
    _check_orders(proposal.need, proposal.offer, at=at)
    _check_fits(proposal)
    proposal.approved_by, proposal.approved_at = by, at
    if proposal.offer.donation.allocates_for_me and not proposal.offer.donation.is_directed:
        proposal.donor_said_yes_at, proposal.donor_consent = at, "standing"
    proposal.save(update_fields=APPROVAL)
    record(proposal, "proposal.approved", by=by, at=at, **_departure(proposal))
    return _agree_if_all_said_yes(proposal, by=by, at=at)


APPROVAL = [
    "status",
    "quantity_left_out",
    "passed_over",
    "deviation",
    "deviation_note",
    "approved_by",
    "approved_at",
    "donor_said_yes_at",
    "donor_consent",
]


def _check_four_eyes(proposal: Proposal, by: User) -> None:
    if by.pk in (proposal.need.appeal.posted_by_id, proposal.offer.donation.posted_by_id):
        raise NotEligible(
            _("You posted one side of this; another volunteer has to approve it."), code="four-eyes"
        )


def _check_orders(need: Need, offer: Offer, *, at: datetime) -> None:
    """Raise NotEligible("ordered-otherwise") where a coordinator keeps the offer from the need."""
    order = against(need, offer, at)
    if order is not None:
        raise NotEligible(
            _("A coordinator ordered otherwise until %(until)s: %(order)s. %(reason)s")
            % {"until": order.until, "order": order, "reason": masked(order.reason)},
            code="ordered-otherwise",
        )


def _leave_out(proposal: Proposal, quantity: int | None) -> None:
    """Mean fewer than was proposed, and count the rest as free again."""
    if quantity is None:
        return
    if not 0 < quantity <= proposal.quantity:
        raise ValidationError(
            {"quantity": _("Between 1 and %(most)d can be approved.") % {"most": proposal.quantity}}
        )
    hold([proposal], -1)
    proposal.quantity_left_out = proposal.quantity - quantity
    hold([proposal], +1)


def _explain(proposal: Proposal, reason: str, note: str) -> None:
    """Write down why the approval departs from the plan, or raise Refused where it does and nobody says why."""
    if reason and reason not in DeviationReason.values:
        raise ValidationError({"reason": _("There is no reason called %(name)s.") % {"name": reason}})
    if not proposal.deviates:
        return
    if not reason:
        raise Refused(_unexplained(proposal), code="deviation-unexplained")
    if reason == DeviationReason.OTHER and not note.strip():
        raise ValidationError({"note": _("Say in a few words what it is.")})
    proposal.deviation, proposal.deviation_note = reason, note.strip()[:300]


def _unexplained(proposal: Proposal) -> str:
    if proposal.passed_over:
        return ngettext(
            "%(count)d more urgent proposal of these goods waits: approve it first, or say why this one comes before it.",
            "%(count)d more urgent proposals of these goods wait: approve them first, or say why this one comes before them.",
            proposal.passed_over,
        ) % {"count": proposal.passed_over}
    return _("This departs from what was proposed; say why.")


def _departure(proposal: Proposal) -> dict[str, Any]:
    """What the journal keeps of an approval that departs from the plan: codes and numbers."""
    if not proposal.deviates:
        return {}
    return {
        "deviates": [str(kind) for kind in proposal.deviates],
        "reason": proposal.deviation,
        "proposed": proposal.quantity,
        "approved": proposal.quantity_approved,
        "passed_over": proposal.passed_over,
    }


@transaction.atomic
def allocate_by_hand(
    need: Need, offer: Offer, quantity: int, *, reason: str, by: User, at: datetime, note: str = ""
) -> Proposal:
    """Bring a need and an offer together outside any run, and approve it; both sides are asked as always.

    The kernel's rules hold here too, and whoever posted either side may not. It takes precedence over proposals that
    wait: those for which too little is left are taken back. It is a deviation and appears among them.
    """
    if quantity < 1:
        raise ValidationError({"quantity": _("The quantity has to be more than nothing.")})
    need = Need.objects.select_for_update().get(pk=need.pk)
    offer = Offer.objects.select_for_update().get(pk=offer.pk)
    check(need, offer, quantity)
    if Need.objects.filter(frozen(need.appeal.emergency, at), pk=need.pk).exists():
        raise NotEligible(
            _(
                "A coordinator has frozen these goods here: nothing new is proposed. The orders say why, and until when."
            ),
            code="frozen",
        )
    _check_orders(need, offer, at=at)
    couple = Couple(need.pk, offer.pk, quantity, held=0)
    _check_rules(couple, as_of=at)
    match = match_of(couple, as_of=at)
    proposal = made_of(
        match,
        steps_of([match]),
        need_id=need.pk,
        offer_id=offer.pk,
        is_by_hand=True,
        deviation=reason,
        deviation_note=note.strip()[:300],
        created_at=at,
        expires_at=at + timedelta(hours=need.appeal.emergency.proposal_hours),
    )
    _explain(proposal, reason, note)
    try:
        with transaction.atomic():
            proposal.save(force_insert=True)
    except IntegrityError as error:
        if "proposal_pending_once_per_pair" not in str(error):
            raise
        raise Refused(
            _("A proposal for these two waits already; approve that one."), code="proposed-already"
        ) from error
    hold([proposal], +1)
    record(proposal, "proposal.made_by_hand", by=by, at=at, need=str(need.pk), offer=str(offer.pk))
    return approve(proposal, by=by, at=at, reason=reason, note=note)


@transaction.atomic
def agree_for_donor(proposal: Proposal, *, by: User, at: datetime) -> Proposal:
    """The donor says yes, or a volunteer writes down that she said so on the telephone."""
    proposal = _approved(proposal)
    _check_fits(proposal)
    if proposal.donor_said_yes_at is None:
        proposal.donor_said_yes_at, proposal.donor_consent = at, "asked"
        proposal.save(update_fields=["donor_said_yes_at", "donor_consent"])
        record(proposal, "proposal.donor_agreed", by=by, at=at)
    return _agree_if_all_said_yes(proposal, by=by, at=at)


@transaction.atomic
def agree_for_hospital(proposal: Proposal, *, by: User, at: datetime) -> Proposal:
    """The hospital says yes to a substitute, or to being sent something at all where it asked to be asked."""
    proposal = _approved(proposal)
    _check_fits(proposal)
    if proposal.hospital_said_yes_at is None:
        proposal.hospital_said_yes_at = at
        proposal.save(update_fields=["hospital_said_yes_at"])
        record(proposal, "proposal.hospital_agreed", by=by, at=at)
    return _agree_if_all_said_yes(proposal, by=by, at=at)


@transaction.atomic
def decline(proposal: Proposal, *, reason: str, by: User, at: datetime) -> Proposal:
    """Say no, with a reason; the pair is not proposed again."""
    if not reason.strip():
        raise Refused(
            _("Say why it is declined; the next proposal will be better for it."), code="reason-missing"
        )
    return _end_one(proposal, ProposalStatus.DECLINED, reason.strip()[:300], by=by, at=at)


@transaction.atomic
def withdraw(proposal: Proposal, *, reason: str, by: User | None, at: datetime) -> Proposal:
    """Take a proposal back that should not have been made; the pair may be proposed again."""
    return _end_one(proposal, ProposalStatus.WITHDRAWN, reason[:300], by=by, at=at)


@transaction.atomic
def expire(*, at: datetime) -> int:
    """End proposals that nobody answered in time. Returns how many."""
    return end_pending(Proposal.objects.overdue(at), ProposalStatus.EXPIRED, "", at=at)


@transaction.atomic
def reconsider(events: Sequence[Event], *, at: datetime) -> None:
    """Needs and offers were changed or allocated by hand: what waits and fits no more is taken back and says which rule it broke.

    Where too much waits for what is left of a side, those keep their units that were approved, then the most urgent.
    """
    changed: dict[str, set[Any]] = defaultdict(set)
    for event in events:
        sides = {event.subject: event.subject_id} if event.subject in ("need", "offer") else event.facts
        changed["need"].update({sides["need"]} if "need" in sides else ())
        changed["offer"].update({sides["offer"]} if "offer" in sides else ())
    of = models.Q(need__in=changed["need"]) | models.Q(offer__in=changed["offer"])
    proposals = lock_pending(Proposal.objects.pending().filter(of).values_list("pk", "need", "offer"))
    needs = Need.objects.filter(pk__in=changed["need"])
    offers = Offer.objects.filter(pk__in=changed["offer"])
    reasons = {
        **_overdrawn(proposals, "need_id", {need.pk: need.lacking for need in needs}),
        **_overdrawn(proposals, "offer_id", {offer.pk: offer.quantity_open for offer in offers}),
        **_unfit(proposals),
    }
    for reason in sorted(set(reasons.values())):
        ending = [proposal for proposal in proposals if reasons.get(proposal.pk) == reason]
        ended(ending, ProposalStatus.WITHDRAWN, reason, by=None, at=at)


def _overdrawn(proposals: Iterable[Proposal], side: str, left: Mapping[Any, int]) -> dict[Any, str]:
    """Those for which too little is left of their side once the ones before them have theirs."""
    rest = dict(left)
    found = {}
    for proposal in sorted(proposals, key=_first_to_keep):
        key = getattr(proposal, side)
        if key not in rest:
            continue
        if proposal.quantity_approved <= rest[key]:
            rest[key] -= proposal.quantity_approved
        else:
            found[proposal.pk] = "not-enough-left"
    return found


def _first_to_keep(proposal: Proposal) -> tuple[Any, ...]:
    is_open = proposal.status == ProposalStatus.OPEN
    return is_open, proposal.need.urgency, proposal.created_at, proposal.pk


def _unfit(proposals: Iterable[Proposal]) -> dict[Any, str]:
    """Those that break a rule now, each judged as of the moment of its run."""
    by_moment: dict[datetime, list[Proposal]] = defaultdict(list)
    for proposal in proposals:
        by_moment[proposal.judged_as_of].append(proposal)
    return {
        proposal.pk: str(fault)
        for moment, rows in by_moment.items()
        for proposal, fault in zip(rows, first_faults(_couples(rows), as_of=moment), strict=True)
        if fault
    }


def _couples(proposals: Iterable[Proposal]) -> list[Couple]:
    return [
        Couple(row.need_id, row.offer_id, row.quantity_approved, held=row.quantity_approved)
        for row in proposals
    ]


def _check_fits(proposal: Proposal) -> None:
    """Nobody is asked for a yes to what can no longer be promised: raise NotEnoughLeft or NotEligible."""
    check(proposal.need, proposal.offer, proposal.quantity_approved)
    _check_rules(_couples([proposal])[0], as_of=proposal.judged_as_of)


def _check_rules(couple: Couple, *, as_of: datetime) -> None:
    (fault,) = first_faults([couple], as_of=as_of)
    if fault:
        raise NotEligible(WHY_NOT.get(fault, OTHERWISE), code=str(fault))


@transaction.atomic
def withdraw_for_facility(events: Sequence[Event], *, at: datetime) -> None:
    """A paused facility takes nothing: what is proposed to it ends. A run that would propose more waits for its needs, and
    sees the pause then."""
    needs = Need.objects.filter(site__in=[event.subject_id for event in events])
    list(needs.select_for_update().order_by("pk").values_list("pk"))
    _withdraw_pending(models.Q(need__in=needs), "facility-paused", at=at)


def withdraw_for_need(events: Sequence[Event], *, at: datetime) -> None:
    _withdraw_pending(models.Q(need__in=[event.subject_id for event in events]), "need-withdrawn", at=at)


def withdraw_for_offer(events: Sequence[Event], *, at: datetime) -> None:
    _withdraw_pending(models.Q(offer__in=[event.subject_id for event in events]), "offer-withdrawn", at=at)


@transaction.atomic
def _withdraw_pending(of: models.Q, reason: str, *, at: datetime) -> None:
    """All of them together: those of a second go would have their needs locked after the offers of the first."""
    found = Proposal.objects.pending().filter(of).values_list("pk", "need", "offer")
    ended(lock_pending(found), ProposalStatus.WITHDRAWN, reason, by=None, at=at)


def _locked(proposal: Proposal) -> Proposal:
    """The proposal, locked after its need and its offer."""
    list(Need.objects.filter(pk=proposal.need_id).select_for_update().values_list("pk"))
    list(Offer.objects.filter(pk=proposal.offer_id).select_for_update().values_list("pk"))
    rows = Proposal.objects.with_sides().select_related("family_run__run").defer(*BLOBS)
    return rows.select_for_update(of=("self",)).get(pk=proposal.pk)


def _approved(proposal: Proposal) -> Proposal:
    proposal = _locked(proposal)
    if proposal.status != ProposalStatus.APPROVED:
        raise Refused(
            _("This proposal is %(status)s; only an approved one waits for a yes.")
            % {"status": proposal.get_status_display()},
            code="move-refused",
        )
    return proposal


def _agree_if_all_said_yes(proposal: Proposal, *, by: User, at: datetime) -> Proposal:
    asked = proposal.donor_said_yes_at is None or (
        proposal.needs_hospital_yes and proposal.hospital_said_yes_at is None
    )
    if asked:
        return proposal
    allocation = allocate(
        proposal.need,
        proposal.offer,
        proposal.quantity_approved,
        by=by,
        at=at,
        because={**proposal.because, "proposal": str(proposal.pk), "donor_consent": proposal.donor_consent},
    )
    proposal.move_to(ProposalStatus.AGREED)
    proposal.allocation = allocation
    proposal.save(update_fields=["status", "allocation"])
    hold([proposal], -1)
    record(proposal, "proposal.agreed", by=by, at=at)
    return proposal


def _end_one(proposal: Proposal, status: str, because: str, *, by: User | None, at: datetime) -> Proposal:
    """End one proposal and free its units. Raises MoveRefused if it has ended already."""
    return ended([_locked(proposal)], status, because, by=by, at=at)[0]


# --- taking a run back --------------------------------------------------------------------------------------


@transaction.atomic
def undo(run: MatchingRun, *, reason: str, by: User, at: datetime) -> MatchingRun:
    """Withdraw everything that a run proposed and nobody has answered, all of it or nothing; what was approved stands.

    Nothing is matched again because of it: whoever takes a run back mends something first. The timetable goes on.
    Raises Refused("run-unfinished"), Refused("nothing-to-take-back").
    """
    if not reason.strip():
        raise Refused(_("Say why the run is taken back."), code="reason-missing")
    run.refresh_from_db(fields=["status"])
    if run.status not in (RunStatus.DONE, RunStatus.FAILED):
        raise Refused(
            _("The run has not ended yet; wait until it has, then take it back."), code="run-unfinished"
        )
    found = Proposal.objects.waiting().filter(family_run__run=run).order_by("pk")
    locked = lock_pending(found.values_list("pk", "need", "offer"))
    unanswered = [proposal for proposal in locked if proposal.status == ProposalStatus.OPEN]
    if not unanswered:
        raise Refused(
            _("Nothing of this run waits any more: everything was answered, has expired or was taken back."),
            code="nothing-to-take-back",
        )
    ended(
        unanswered,
        ProposalStatus.WITHDRAWN,
        reason.strip()[:300],
        by=by,
        at=at,
        facts=lambda proposal: {"run": str(run.pk)},
    )
    record(run, "run.undone", by=by, at=at, proposals=len(unanswered))
    return run
