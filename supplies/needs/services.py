"""The verbs of asking: post an appeal, moderate it, change a line, say it is not needed any more.

Needs are locked by primary key, their appeals after everything else: see the ledger in `supplies.allocations`.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from supplies.emergencies.models import Emergency, Phase
from supplies.errors import NotEligible, Refused
from supplies.journal.services import record, record_all
from supplies.needs.models import (
    Appeal,
    AppealStatus,
    ConfirmedBy,
    Need,
    NeedQuerySet,
    NeedStatus,
    QuantityKind,
    Reminded,
    Urgency,
    end_of_day,
    unconfirmed,
)
from supplies.needs.permissions import speaks_as
from supplies.organisations import services as people
from supplies.organisations.models import Facility, User
from supplies.organisations.verification import CallOutcome

DAYS_ASSUMED = 30  # a need without a date: the lists of 2020 never gave one
URGENCY_ASSUMED = Urgency.SOON
APPEAL_FIELDS = frozenset(
    {
        "source_name",
        "source_url",
        "published_on",
        "valid_until",
        "handover_point",
        "courier_address",
        "accepted_senders",
        "accepts_overseas",
        "receiving_body",
        "transport_instructions",
        "remark",
    }
)
LINE_FIELDS = frozenset(
    {
        "item",
        "quantity_kind",
        "quantity",
        "quantity_assumed",
        "unit",
        "pack_content",
        "as_written",
        "origin",
        "medical_grade",
        "sterile",
        "setting",
        "substitutes_welcome",
        "ask_first",
        "requirements",
        "urgency",
        "needed_by",
        "min_lot",
        "stock_on_hand",
        "daily_use",
        "counted_on",
    }
)

NOT_TYPED = ["appeal", "site", "item", "unit", "quantity_outstanding", "confirmed_by"]


@transaction.atomic
def post(
    facility: Facility,
    *,
    emergency: Emergency,
    lines: Sequence[Mapping[str, Any]],
    by: User | None,
    at: datetime,
    on: date | None = None,
    **details: Any,
) -> Appeal:
    """Publish what a hospital needs; it appears when a volunteer has moderated it.

    lines    one mapping per need: LINE_FIELDS and `accepted_standards` (a sequence of Standard). Quantities are in
             the item's smallest counted unit. A missing urgency or date is assumed and marked so.
    on       the day for which the dates are judged; the facility's today unless a list of the past is imported
    details  APPEAL_FIELDS. What others than the hospital take from a source is as fresh as the day it was published on
    Raises   ValidationError, with "lines.2.quantity" as the field for a fault in the third line
    """
    return _post(facility, emergency, lines, by=by, at=at, on=on, **details)[0]


@transaction.atomic
def post_moderated(
    facility: Facility,
    *,
    emergency: Emergency,
    lines: Sequence[Mapping[str, Any]],
    at: datetime,
    on: date | None = None,
    **details: Any,
) -> tuple[Appeal, list[Need]]:
    """`post` what was moderated where it comes from, an imported list, and publish it; with its needs in the order of the lines."""
    appeal, needs = _post(facility, emergency, lines, by=None, at=at, on=on, **details)
    return _publish(appeal, needs, by=None, at=at), needs


def _post(
    facility: Facility,
    emergency: Emergency,
    lines: Sequence[Mapping[str, Any]],
    *,
    by: User | None,
    at: datetime,
    on: date | None,
    **details: Any,
) -> tuple[Appeal, list[Need]]:
    if emergency.status == Phase.OVER:
        raise NotEligible(
            _("%(name)s is over; nothing more is collected for it.") % {"name": emergency.name},
            code="emergency-over",
        )
    if not lines:
        raise ValidationError({"lines": _("Name at least one item that is needed.")})
    unknown = set(details) - APPEAL_FIELDS
    if unknown:
        raise TypeError(f"post() does not know {sorted(unknown)}")
    today = on or _today(facility, at)
    appeal = Appeal(facility=facility, emergency=emergency, posted_by=by, created_at=at, **details)
    appeal.full_clean(
        exclude=["facility", "emergency", "posted_by"], validate_constraints=False, validate_unique=False
    )
    if appeal.valid_until and appeal.valid_until < today:
        raise ValidationError({"valid_until": _("This day is over. Give a later one, or leave it empty.")})
    if appeal.published_on and appeal.published_on > _today(facility, at):
        raise ValidationError({"published_on": _("This day has not come yet. When was it published?")})
    appeal.save(force_insert=True)
    needs = []
    faults: dict[str, list[str]] = {}
    said = _said_first(appeal, by=by, at=at, on=on)
    for position, line in enumerate(lines):
        try:
            needs.append(_line(appeal, line, {**said, "position": position}, today=today, at=at))
        except ValidationError as error:
            faults |= {
                f"lines.{position}.{field}": sentences for field, sentences in error.message_dict.items()
            }
    if faults:
        raise ValidationError(faults)
    Need.objects.bulk_create(needs)
    accepted = Need.accepted_standards.through
    accepted.objects.bulk_create(
        accepted(need=need, standard=standard)
        for need, line in zip(needs, lines, strict=True)
        for standard in line.get("accepted_standards", ())
    )
    record(appeal, "appeal.posted", by=by, at=at, lines=len(needs))
    return appeal, needs


def _said_first(appeal: Appeal, *, by: User | None, at: datetime, on: date | None) -> dict[str, Any]:
    """Whose word the lines are to begin with, and of when: the hospital's own of now, a source's of its day."""
    speaker = speaks_as(by, appeal.facility)
    day = None if speaker == ConfirmedBy.HOSPITAL else appeal.published_on or on
    return {
        "confirmed_at": _said_on(day, appeal.facility, at=at) if day else at,
        "confirmed_by": by,
        "confirmed_by_kind": ConfirmedBy.SOURCE if day else speaker,
    }


def _said_on(day: date, facility: Facility, *, at: datetime) -> datetime:
    """What a source says on a day counts from its beginning: nobody knows the hour, and fresher than it is it must not look."""
    return min(at, datetime.combine(day, time(), ZoneInfo(facility.timezone)))


def _today(facility: Facility, at: datetime) -> date:
    return at.astimezone(ZoneInfo(facility.timezone)).date()


def _line(
    appeal: Appeal, line: Mapping[str, Any], said: Mapping[str, Any], *, today: date, at: datetime
) -> Need:
    values = {key: value for key, value in line.items() if key != "accepted_standards"}
    unknown = set(values) - LINE_FIELDS
    if unknown:
        raise TypeError(f"a need line does not know {sorted(unknown)}")
    item = values["item"]
    values.setdefault("quantity_kind", QuantityKind.NUMBER)
    if values["quantity_kind"] == QuantityKind.NUMBER:
        check_quantity(item, values.get("quantity"))
        values["ceiling"] = values["quantity"]
    else:
        if values.get("quantity") is not None:
            raise ValidationError(
                {"quantity": _("Give a number or say that it is without limit or unknown, not both.")}
            )
        values["quantity_assumed"] = values.get("quantity_assumed") or item.assumed_quantity
        values["ceiling"] = max(item.plausible_max, values["quantity_assumed"])
    values["urgency_assumed"] = not values.get("urgency")
    values["urgency"] = values.get("urgency") or URGENCY_ASSUMED
    values["needed_by_assumed"] = not values.get("needed_by")
    values["needed_by"] = values.get("needed_by") or today + timedelta(days=DAYS_ASSUMED)
    if values["needed_by"] < today:
        raise ValidationError({"needed_by": _("This day is over. When is it needed by?")})
    need = Need(
        appeal=appeal,
        site=appeal.facility,
        created_at=at,
        deadline_at=_deadline(appeal, values["needed_by"]),
        **said,
        **values,
    )
    need.clean_fields(exclude=NOT_TYPED)
    if values.get("min_lot", 1) > values["ceiling"]:
        raise ValidationError({"min_lot": _("The least useful lot is larger than the need itself.")})
    return need


def _deadline(appeal: Appeal, needed_by: date) -> datetime:
    """The midnight that ends the day it is needed by, or the appeal's last valid day if that comes first."""
    return end_of_day(min(needed_by, appeal.valid_until or needed_by), appeal.facility.timezone)


def check_quantity(item: Any, quantity: int | None) -> None:
    if quantity is None:
        raise ValidationError(
            {"quantity": _("How many? Give a number, or say that it is without limit or unknown.")}
        )
    if quantity <= 0:
        raise ValidationError({"quantity": _("The quantity has to be more than nothing.")})
    if quantity > item.plausible_max:
        raise ValidationError(
            {
                "quantity": _(
                    "%(quantity)d is more %(item)s than one hospital plausibly needs (%(most)d). Is a digit too many?"
                )
                % {"quantity": quantity, "item": item.name, "most": item.plausible_max}
            }
        )


@transaction.atomic
def publish(appeal: Appeal, *, by: User | None, at: datetime) -> Appeal:
    """A volunteer has read it: the appeal appears and its lines enter the matching. Never by who posted it."""
    appeal, needs = _locked(appeal)
    if by is not None and appeal.posted_by_id == by.pk:
        raise NotEligible(_("You posted this appeal; another volunteer has to publish it."), code="four-eyes")
    return _publish(appeal, needs, by=by, at=at)


@transaction.atomic
def publish_moderated(appeal: Appeal, *, at: datetime) -> Appeal:
    """Publish what was moderated where it comes from: an imported list."""
    return _publish(*_locked(appeal), by=None, at=at)


def _publish(appeal: Appeal, needs: list[Need], *, by: User | None, at: datetime) -> Appeal:
    # A closed appeal is published again when a line of it goes on again, never by hand.
    if appeal.status == AppealStatus.CLOSED:
        raise Refused(_("It was published before, and every line of it has ended."), code="move-refused")
    appeal.move_to(AppealStatus.PUBLISHED)
    appeal.moderated_by, appeal.moderated_at = by, at
    appeal.save(update_fields=["status", "moderated_by", "moderated_at"])
    opened = _move(needs, NeedStatus.OPEN, from_=[NeedStatus.WAITING])
    record(appeal, "appeal.published", by=by, at=at)
    record_all(opened, "need.opened", by=by, at=at, facts=_family_facts)
    return appeal


def _family_facts(need: Need) -> dict[str, Any]:
    return {"item": need.item_id, "emergency": need.appeal.emergency_id}


@transaction.atomic
def refuse(appeal: Appeal, *, reason: str, by: User, at: datetime) -> Appeal:
    """Send it back with a reason its author can act on."""
    if not reason.strip():
        raise Refused(_("Say why, so that it can be corrected and posted again."), code="reason-missing")
    appeal, needs = _locked(appeal)
    if appeal.posted_by_id == by.pk:
        raise NotEligible(
            _("You posted this appeal; withdraw it, or let another volunteer judge it."), code="four-eyes"
        )
    appeal.move_to(AppealStatus.REFUSED)
    appeal.refusal, appeal.moderated_by, appeal.moderated_at = reason.strip()[:300], by, at
    appeal.save(update_fields=["status", "refusal", "moderated_by", "moderated_at"])
    _move(needs, NeedStatus.REFUSED, from_=[NeedStatus.WAITING])
    record(appeal, "appeal.refused", by=by, at=at)
    return appeal


@transaction.atomic
def withdraw(appeal: Appeal, *, by: User | None, at: datetime) -> Appeal:
    """The hospital takes the whole appeal back. What is promised already stays promised."""
    appeal, needs = _locked(appeal)
    appeal.move_to(AppealStatus.WITHDRAWN)
    appeal.save(update_fields=["status"])
    moved = _move(needs, NeedStatus.WITHDRAWN, from_=[NeedStatus.WAITING, NeedStatus.OPEN])
    record(appeal, "appeal.withdrawn", by=by, at=at)
    record_all(moved, "need.withdrawn", by=by, at=at)
    return appeal


def _locked(appeal: Appeal) -> tuple[Appeal, list[Need]]:
    needs = list(appeal.needs.select_for_update().order_by("pk"))
    return Appeal.objects.select_for_update().get(pk=appeal.pk), needs


def _move(needs: Iterable[Need], status: str, *, from_: Collection[str]) -> list[Need]:
    moving = [need for need in needs if need.status in from_]
    for need in moving:
        need.move_to(status)
    Need.objects.filter(pk__in=[need.pk for need in moving]).update(status=status)
    return moving


@transaction.atomic
def withdraw_need(need: Need, *, by: User | None, at: datetime) -> Need:
    """'Not needed any more': one tap. What is promised already stays promised."""
    need = Need.objects.select_for_update().get(pk=need.pk)
    need.move_to(NeedStatus.WITHDRAWN)
    need.save(update_fields=["status"])
    record(need, "need.withdrawn", by=by, at=at)
    _follow([need.appeal_id], by=by, at=at)
    return need


@transaction.atomic
def withdraw_needs(needs: NeedQuerySet, *, by: User | None, at: datetime) -> int:
    """Withdraw those of them that are open or have lapsed, in a few statements whatever their number. Returns how many."""
    ending = [NeedStatus.OPEN, NeedStatus.LAPSED]
    rows = needs.filter(status__in=ending).select_for_update(of=("self",)).order_by("pk")
    moved = _move(rows, NeedStatus.WITHDRAWN, from_=ending)
    record_all(moved, "need.withdrawn", by=by, at=at)
    _follow({need.appeal_id for need in moved}, by=by, at=at)
    return len(moved)


CONFIRMATION = ("confirmed_at", "confirmed_by", "confirmed_by_kind", "is_grey", "reminded")


def _is_confirmed(need: Need, *, by: User | None, at: datetime, kind: str = "") -> None:
    """Somebody has said so just now: the line is fresh, and who asked may be reminded anew. Saves nothing."""
    need.confirmed_at, need.confirmed_by = at, by
    need.confirmed_by_kind = kind or speaks_as(by, need.appeal.facility)
    need.is_grey, need.reminded = False, Reminded.NOT_YET


@transaction.atomic
def confirm(need: Need, *, by: User | None, at: datetime, kind: str = "") -> Need:
    """'Still needed': the line is fresh again, and without a limit it asks for the assumed quantity anew.

    kind     a ConfirmedBy, where it is not simply what `by` is to the hospital
    """
    need = Need.objects.select_for_update().get(pk=need.pk)
    if need.status not in CONFIRMABLE:
        raise Refused(_("Only a need that is open or has lapsed can be confirmed."), code="move-refused")
    _check_still_asked(need)
    _confirm(need, by=by, at=at, kind=kind)
    _follow([need.appeal_id], by=by, at=at)
    return need


@transaction.atomic
def confirm_as_published(needs: Iterable[Need], *, on: date, by: User | None, at: datetime) -> list[Need]:
    """Their source says so again, on a later day: what is still asked for is as fresh as that day. Returns what is.

    What its hospital took back, and what was confirmed since, stays as it is.
    """
    rows = Need.objects.filter(pk__in=[need.pk for need in needs], status__in=CONFIRMABLE)
    told = []
    for need in rows.select_for_update().order_by("pk"):
        said_at = _said_on(on, need.appeal.facility, at=at)
        if need.confirmed_at < said_at and need.appeal.is_still_asked:
            _confirm(need, by=by, at=at, kind=ConfirmedBy.SOURCE, said_at=said_at)
            told.append(need)
    appeals = {need.appeal_id for need in told}
    _follow(appeals, by=by, at=at)
    older = Q(published_on=None) | Q(published_on__lt=on)
    Appeal.objects.filter(older, pk__in=appeals).update(published_on=on)
    return told


CONFIRMABLE = (NeedStatus.OPEN, NeedStatus.LAPSED)


def _confirm(
    need: Need, *, by: User | None, at: datetime, kind: str, said_at: datetime | None = None
) -> None:
    """The line is fresh, from the moment it was said. Its row is locked."""
    if need.status == NeedStatus.LAPSED:
        need.move_to(NeedStatus.OPEN)
        if need.deadline_at <= at:
            zone = need.appeal.facility.timezone
            if end_of_day(need.needed_by, zone) <= at:
                need.needed_by = _today(need.appeal.facility, at) + timedelta(days=DAYS_ASSUMED)
                need.needed_by_assumed = True
            # It has just been said to be valid, so the old end of its validity no longer holds.
            Appeal.objects.filter(pk=need.appeal_id).update(valid_until=None)
            need.deadline_at = end_of_day(need.needed_by, zone)
    _is_confirmed(need, by=by, at=said_at or at, kind=kind)
    need.received_before = need.quantity_received
    need.save(
        update_fields=[
            "status",
            *CONFIRMATION,
            "received_before",
            "needed_by",
            "needed_by_assumed",
            "deadline_at",
        ]
    )
    record(need, "need.opened", by=by, at=at, **_family_facts(need))


@transaction.atomic
def confirm_by_telephone(
    need: Need, *, origin: str, outcome: str, note: str = "", by: User, at: datetime
) -> Need:
    """A volunteer has called the hospital: still needed, or not any more; that nobody answered is written down only.

    The call is one about the organisation like every other (see `log_call`, and what it raises). Nobody calls her own.
    """
    if outcome == CallOutcome.CONFIRMED:
        need = confirm(need, by=by, at=at, kind=ConfirmedBy.TELEPHONE)
    elif outcome == CallOutcome.DENIED:
        need = withdraw_need(need, by=by, at=at)
    people.log_call(
        need.appeal.facility.organisation, origin=origin, outcome=outcome, note=note, by=by, at=at
    )
    return need


def _check_still_asked(need: Need) -> None:
    if not need.appeal.is_still_asked:
        raise Refused(_("This need is over; post a new one."), code="move-refused")


CHANGEABLE = frozenset(
    {
        "quantity",
        "urgency",
        "needed_by",
        "min_lot",
        "stock_on_hand",
        "daily_use",
        "counted_on",
        "ask_first",
        "substitutes_welcome",
        "requirements",
    }
)


@transaction.atomic
def change(need: Need, *, by: User | None, at: datetime, on: date | None = None, **changes: Any) -> Need:
    """Change a line. A number may not go below what is promised, on its way or received already.

    on       the day on which its source says so; None when `by` does, now
    """
    if set(changes) - CHANGEABLE:
        raise TypeError(f"change() does not know {sorted(set(changes) - CHANGEABLE)}")
    need = Need.objects.select_for_update().get(pk=need.pk)
    if need.status not in (NeedStatus.WAITING, NeedStatus.OPEN, NeedStatus.MET):
        raise Refused(_("This need is over; post a new one."), code="move-refused")
    _check_still_asked(need)
    if "quantity" in changes:
        if need.quantity_kind != QuantityKind.NUMBER:
            need.quantity_kind = QuantityKind.NUMBER
        check_quantity(need.item, changes["quantity"])
        _check_not_below_promised(need, changes["quantity"])
        need.ceiling = changes["quantity"]
    if changes.get("needed_by"):
        if changes["needed_by"] < _today(need.appeal.facility, at):
            raise ValidationError({"needed_by": _("This day is over. When is it needed by?")})
        need.needed_by_assumed = False
        need.deadline_at = _deadline(need.appeal, changes["needed_by"])
    if changes.get("urgency"):
        need.urgency_assumed = False
    for field, value in changes.items():
        setattr(need, field, value)
    if need.min_lot > need.ceiling:
        raise ValidationError({"min_lot": _("The least useful lot is larger than the need itself.")})
    if on is None:
        _is_confirmed(need, by=by, at=at)
    elif need.confirmed_at < (said_at := _said_on(on, need.appeal.facility, at=at)):
        _is_confirmed(need, by=by, at=said_at, kind=ConfirmedBy.SOURCE)
    need.clean_fields(exclude=NOT_TYPED)
    need.save()
    record(need, "need.changed", by=by, at=at, changed=sorted(changes))
    return settle([need], by=by, at=at)[0]


@transaction.atomic
def resize(
    need: Need, *, kind: str, quantity: int | None, ceiling: int, by: User | None, at: datetime
) -> Need:
    """Let an open or met line ask for another quantity, and nothing else: where it is folded into another, or out of it.

    Raises   Refused("below-what-is-promised"); ValidationError for more than is plausible
    """
    need = Need.objects.select_for_update(of=("self",)).select_related("item").get(pk=need.pk)
    if need.status not in (NeedStatus.OPEN, NeedStatus.MET):
        raise Refused(_("This need is over; post a new one."), code="move-refused")
    if kind == QuantityKind.NUMBER:
        check_quantity(need.item, quantity)
    _check_not_below_promised(need, ceiling)
    need.quantity_kind, need.quantity, need.ceiling = kind, quantity, ceiling
    need.save(update_fields=["quantity_kind", "quantity", "ceiling"])
    record(need, "need.changed", by=by, at=at, changed=["quantity"])
    return settle([need], by=by, at=at)[0]


def _check_not_below_promised(need: Need, quantity: int) -> None:
    taken = need.quantity_promised + need.quantity_in_transit + need.quantity_received
    if quantity < taken:
        raise Refused(
            _("%(taken)d are promised, on their way or received already; ask for at least that many.")
            % {"taken": taken},
            code="below-what-is-promised",
        )


@transaction.atomic
def reopen(need: Need, *, by: User | None, at: datetime) -> Need:
    """Open again a line that was withdrawn because it was taken for another."""
    need = Need.objects.select_for_update().get(pk=need.pk)
    if need.status != NeedStatus.WITHDRAWN:
        raise Refused(_("This need was not withdrawn."), code="move-refused")
    _check_still_asked(need)
    need.move_to(NeedStatus.OPEN)
    need.save(update_fields=["status"])
    record(need, "need.opened", by=by, at=at, **_family_facts(need))
    _follow([need.appeal_id], by=by, at=at)
    return need


def settle(needs: Iterable[Need], *, by: User | None, at: datetime) -> list[Need]:
    """Close needs that are met, reopen those that are not any more, and let their appeals follow. Call with the rows locked."""
    rows = list(
        Need.objects.filter(pk__in=[need.pk for need in needs]).select_related("appeal").order_by("pk")
    )
    moved = [need for need in rows if _settle(need, by=by, at=at)]
    _follow({need.appeal_id for need in moved}, by=by, at=at)
    return rows


def _settle(need: Need, *, by: User | None, at: datetime) -> bool:
    """Whether its status moved."""
    met = need.quantity_kind == QuantityKind.NUMBER and need.quantity_received >= (need.quantity or 0)
    if met and need.status == NeedStatus.OPEN:
        need.move_to(NeedStatus.MET)
        need.save(update_fields=["status"])
        record(need, "need.met", by=by, at=at)
        return True
    if not met and need.status == NeedStatus.MET:
        need.move_to(NeedStatus.OPEN)
        need.save(update_fields=["status"])
        record(need, "need.reopened", by=by, at=at, **_family_facts(need))
        return True
    if need.status == NeedStatus.OPEN and need.quantity_outstanding > 0:
        record(need, "need.short", by=by, at=at, **_family_facts(need))
    return False


# What becomes of an appeal: its status, whether a line of it goes on -> its new status, what is written down.
FOLLOWS = {
    (AppealStatus.WAITING, False): (AppealStatus.WITHDRAWN, "appeal.withdrawn"),
    (AppealStatus.PUBLISHED, False): (AppealStatus.CLOSED, "appeal.closed"),
    (AppealStatus.CLOSED, True): (AppealStatus.PUBLISHED, "appeal.reopened"),
}


def _follow(appeal_ids: Collection[Any], *, by: User | None, at: datetime) -> None:
    """Let appeals follow their lines: over when the last line has ended, published again when one goes on again."""
    rows = Appeal.objects.filter(pk__in=appeal_ids).select_for_update().order_by("pk")
    appeals = list(rows)
    lines = Need.objects.filter(appeal__in=appeals, status__in=[NeedStatus.WAITING, NeedStatus.OPEN])
    going_on = set(lines.values_list("appeal", flat=True))
    moved: dict[str, list[Appeal]] = defaultdict(list)
    for appeal in appeals:
        status, kind = FOLLOWS.get((AppealStatus(appeal.status), appeal.pk in going_on), ("", ""))
        if status:
            appeal.move_to(status)
            moved[kind].append(appeal)
    for kind, followers in moved.items():
        Appeal.objects.filter(pk__in=[appeal.pk for appeal in followers]).update(status=followers[0].status)
        record_all(followers, kind, by=by, at=at)


@transaction.atomic
def grey(*, at: datetime) -> int:
    """Mark what nobody has confirmed lately: it comes after what was. Returns how many.

    Where an emergency was given more days, or its dates were moved, what is within them is not grey any more.
    """
    old = unconfirmed(lambda emergency: emergency.grey_days, at=at)
    going_on = Need.objects.open().filter(appeal__emergency__in=Emergency.objects.going_on())
    turning = going_on.filter(Q(old, is_grey=False) | Q(~old, is_grey=True))
    needs = list(turning.select_for_update(of=("self",)).order_by("pk"))
    forgotten = [need for need in needs if not need.is_grey]
    remembered = [need for need in needs if need.is_grey]
    Need.objects.filter(pk__in=[need.pk for need in forgotten]).update(is_grey=True)
    Need.objects.filter(pk__in=[need.pk for need in remembered]).update(is_grey=False)
    record_all(forgotten, "need.greyed", by=None, at=at)
    return len(forgotten)


@transaction.atomic
def lapse(*, at: datetime) -> int:
    """End what is over: deadlines that passed, and needs that nobody confirmed. Returns how many.

    What is promised stays promised and is delivered; one 'still needed' brings the line back as it was.
    """
    ended = Q(deadline_at__lte=at) | unconfirmed(lambda emergency: emergency.confirm_days, at=at)
    over = list(Need.objects.open().filter(ended).select_for_update(of=("self",)).order_by("pk"))
    _move(over, NeedStatus.LAPSED, from_=[NeedStatus.OPEN])
    record_all(over, "need.lapsed", by=None, at=at)
    _follow({need.appeal_id for need in over}, by=None, at=at)
    return len(over)


NOT_YOURS = gettext_lazy("Only the hospital that posted this, or a volunteer, may do that.")
