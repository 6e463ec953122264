"""The verbs of correcting: anybody reports, the hospital or a volunteer decides, and what was decided is carried out.

A report changes nothing by itself. A requested change is locked first, then what it is about, as the ledger says.
"""

from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.mail import send_mail
from django.db import transaction
from django.db.models import Q
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from supplies.accounts.services import address_of, members_to_remind
from supplies.change_requests import twins
from supplies.change_requests.models import (
    CAN_BE_WRONG,
    ChangeRequest,
    ChangeRequestStatus,
    Report,
    What,
    Wrong,
)
from supplies.errors import NotEligible, Refused, TooMany
from supplies.journal.services import record
from supplies.leaks import masked
from supplies.needs import services as asking
from supplies.needs.models import Appeal, AppealStatus, Need, NeedStatus
from supplies.needs.reminders import address
from supplies.organisations import services as people
from supplies.organisations.contacts import Contact
from supplies.organisations.models import Facility, Organisation, User, Verified
from supplies.organisations.verification import Verdict

Subject = Need | Appeal | Facility | Organisation

REPORTS_A_DAY = 20  # of one thing and one kind; the desk has the line since the first
A_DAY = timedelta(hours=24)
NOT_YOURS = gettext_lazy("Only the hospital itself or a volunteer decides that.")


@transaction.atomic
def report(
    subject: Subject,
    *,
    kind: str,
    by: User | None,
    at: datetime,
    quantity: int | None = None,
    duplicate_of: str = "",
    words: str = "",
    said_before: Collection[str] = (),
) -> Report:
    """Say what is wrong with what is shown. It changes nothing; it joins the open request of the same kind, or opens one.

    quantity  the right one, in base units, where the quantity of a need is wrong
    by        nobody, for a stranger. An account that says the same again is given its first report.
    said_before  keys of reports that came from the same browser, for a stranger who says the same again
    Raises    ValidationError with the field named; Refused("over"); TooMany("reported-often")
    """
    what = What(str(subject._meta.model_name))
    _check_can_be_wrong(what, subject, kind)
    _check_is_said(kind, subject, quantity=quantity, duplicate_of=duplicate_of, words=words)
    request, is_new = _gathered(what, subject, kind, at=at)
    own = Q(pk__in=said_before) | (Q(reported_by=by) if by else Q())
    if (by or said_before) and (said := request.reports.standing().filter(own).first()):
        return said
    _check_not_too_often(request, at=at)
    made = Report(
        change_request=request,
        quantity=quantity,
        duplicate_of=duplicate_of.strip(),
        words=words.strip(),
        reported_by=by,
        at=at,
    )
    made.clean_fields(exclude=["change_request", "reported_by"])
    made.save(force_insert=True)
    record(request, "change_request.reported", by=by, at=at, wrong=kind, report=str(made.pk))
    if is_new and kind != Wrong.FAKE:
        _write("change_requests/mail/reported.txt", request)
    return made


def _check_can_be_wrong(what: What, subject: Subject, kind: str) -> None:
    if kind not in CAN_BE_WRONG[what]:
        raise ValidationError({"kind": _("Choose what is wrong.")})
    is_over = isinstance(subject, Need) and subject.status in (NeedStatus.WITHDRAWN, NeedStatus.REFUSED)
    is_over |= isinstance(subject, Appeal) and not subject.is_still_asked
    if is_over:
        raise Refused(_("It is not shown as needed any more, so there is nothing to correct."), code="over")


def _check_is_said(
    kind: str, subject: Subject, *, quantity: int | None, duplicate_of: str, words: str
) -> None:
    if kind == Wrong.WRONG_QUANTITY:
        if quantity is None:
            raise ValidationError({"quantity": _("How many are really needed?")})
        assert isinstance(subject, Need)
        asking.check_quantity(subject.item, quantity)
        if quantity == subject.quantity:
            raise ValidationError({"quantity": _("This is the quantity that stands there already.")})
    elif quantity is not None:
        raise ValidationError({"quantity": _("Give a quantity only where the quantity is wrong.")})
    if kind == Wrong.DUPLICATE and not duplicate_of.strip():
        raise ValidationError(
            {"duplicate_of": _("Which one is it the same as? Give its address here, or its name.")}
        )
    if kind == Wrong.OTHER and not words.strip():
        raise ValidationError({"words": _("Say what is wrong.")})


def _gathered(what: What, subject: Subject, kind: str, *, at: datetime) -> tuple[ChangeRequest, bool]:
    """The open request about this, locked, and whether it was opened just now."""
    mine = ChangeRequest(
        what=what, kind=kind, created_at=at, as_it_stood=as_it_stands(subject, kind), **_named(what, subject)
    )
    # Of many at once one opens it, and the others wait for that and join; who decides it meanwhile lets them open another.
    for _again in range(3):
        ChangeRequest.objects.bulk_create([mine], ignore_conflicts=True)
        same = ChangeRequest.objects.open().about(subject).filter(kind=kind)
        if request := same.select_for_update(of=("self",)).select_related("organisation", "region").first():
            return request, request.pk == mine.pk
    raise Refused(_("This is being decided just now. Look again in a moment."), code="decided-just-now")


def _named(what: What, subject: Subject) -> dict[str, Any]:
    """The columns that say what it is about, whom it concerns and where."""
    if isinstance(subject, Organisation):
        return {"organisation": subject, "region": subject.region}
    site = _site_of(subject)
    return {what.value: subject, "organisation": site.organisation, "region": site.region}


def _site_of(subject: Need | Appeal | Facility) -> Facility:
    if isinstance(subject, Facility):
        return subject
    return subject.facility if isinstance(subject, Appeal) else subject.appeal.facility


def as_it_stands(subject: Subject, kind: str) -> dict[str, Any]:
    """What is shown of it just now, in codes and numbers: kept, since the row goes on changing."""
    if kind == Wrong.WRONG_TELEPHONE:
        return {"contacts": [str(contact.pk) for contact in numbers_of(subject)]}
    if isinstance(subject, Need):
        return {
            "status": subject.status,
            "item": subject.item_id,
            "quantity_kind": subject.quantity_kind,
            "quantity": subject.quantity,
            "urgency": subject.urgency,
            "needed_by": subject.needed_by.isoformat(),
            "confirmed_at": subject.confirmed_at.isoformat(),
        }
    if isinstance(subject, Appeal):
        return {"status": subject.status, "lines": subject.needs.count()}
    if isinstance(subject, Facility):
        return {"is_paused": subject.is_paused}
    return {"status": subject.status}


def numbers_of(subject: Subject) -> list[Contact]:
    """The contacts with a number that whoever may call there is led to."""
    if isinstance(subject, Organisation):
        rows = subject.contacts.all()
    else:
        rows = Contact.objects.of_facility(_site_of(subject))
    return list(
        rows.right().exclude(phone_lookup=[]).select_related("organisation", "facility").order_by("pk")
    )


def _check_not_too_often(request: ChangeRequest, *, at: datetime) -> None:
    """Exact for all processes at once, since the request is locked."""
    lately = request.reports.filter(at__gt=at - A_DAY).order_by("at")
    moments = list(lately.values_list("at", flat=True)[:REPORTS_A_DAY])
    if len(moments) >= REPORTS_A_DAY:
        raise TooMany(
            _("Many have said this today, and somebody will decide it. There is no need to say it again."),
            code="reported-often",
            wait=int((moments[0] + A_DAY - at).total_seconds()) + 1,
        )


@transaction.atomic
def take_back(report: Report, *, at: datetime) -> Report:
    """Whoever has its code says that the report was a mistake. Without any report left the request ends."""
    request = ChangeRequest.objects.select_for_update().get(pk=report.change_request_id)
    report = Report.objects.select_for_update().get(pk=report.pk)
    if not request.is_open:
        raise Refused(_("It has been decided already."), code="move-refused")
    if report.withdrawn_at is None:
        report.withdrawn_at = at
        report.save(update_fields=["withdrawn_at"])
        record(request, "change_request.taken_back", by=None, at=at, report=str(report.pk))
    if not request.reports.standing().exists():
        request.move_to(ChangeRequestStatus.WITHDRAWN)
        request.save(update_fields=["status"])
        record(request, "change_request.withdrawn", by=None, at=at)
    return report


# -- Deciding ---------------------------------------------------------------------------------------------


@transaction.atomic
def accept(
    request: ChangeRequest, *, by: User, at: datetime, answer: str = "", **decision: Any
) -> ChangeRequest:
    """It is so: carry the change out by the verb that anybody would use, and tell everybody who asked.

    decision  quantity: the right one, where the quantity was wrong; without it the one that was reported last
              contact, telephone: which number is wrong, where there are several, and the right one if it is known
    Raises    NotEligible("four-eyes") for who reported it, and whatever the verb refuses: then it stays open
    """
    request = _to_decide(request, by)
    request.move_to(ChangeRequestStatus.ACCEPTED)
    carry_out: Effect = EFFECTS.get((What(request.what), Wrong(request.kind)), _nothing_by_itself)
    facts = carry_out(request, answer=answer.strip(), by=by, at=at, **decision)
    return _decided(request, answer, by=by, at=at, **(facts or {}))


@transaction.atomic
def decline(request: ChangeRequest, *, reason: str, by: User, at: datetime) -> ChangeRequest:
    """It is not so, and stays as it is. Whoever reported it reads the reason."""
    if not reason.strip():
        raise Refused(_("Say why; whoever reported it reads this."), code="reason-missing")
    request = _to_decide(request, by)
    request.move_to(ChangeRequestStatus.DECLINED)
    return _decided(request, reason, by=by, at=at)


def _to_decide(request: ChangeRequest, by: User) -> ChangeRequest:
    request = (
        ChangeRequest.objects.with_subject()
        .select_related("organisation__region")
        .select_for_update(of=("self",))
        .get(pk=request.pk)
    )
    if request.reports.standing().filter(reported_by=by).exists():
        raise NotEligible(_("You reported this; somebody else has to decide it."), code="four-eyes")
    return request


def _decided(request: ChangeRequest, answer: str, *, by: User, at: datetime, **facts: str) -> ChangeRequest:
    request.answer, request.decided_by, request.decided_at = answer.strip()[:300], by, at
    request.save(update_fields=["status", "answer", "decided_by", "decided_at"])
    record(request, f"change_request.{request.status}", by=by, at=at, wrong=request.kind, **facts)
    if request.status == ChangeRequestStatus.ACCEPTED:
        _write("change_requests/mail/accepted.txt", request)
    return request


def _nothing_by_itself(request: ChangeRequest, **_decision: Any) -> None:
    """Whoever decides corrects it where it stands."""


def _end_need(request: ChangeRequest, *, by: User, at: datetime, **_decision: Any) -> None:
    assert request.need is not None
    need = Need.objects.get(pk=request.need.pk)
    if need.status in (NeedStatus.WAITING, NeedStatus.OPEN, NeedStatus.LAPSED):
        asking.withdraw_need(need, by=by, at=at)


def _end_second_need(request: ChangeRequest, **decision: Any) -> None:
    twins.check_another_need_stands(request)
    _end_need(request, **decision)


def _correct_quantity(
    request: ChangeRequest, *, by: User, at: datetime, quantity: int | None = None, **_decision: Any
) -> None:
    assert request.need is not None
    said = request.reports.standing().order_by("-at", "-pk").values_list("quantity", flat=True).first()
    asking.change(request.need, quantity=quantity or said, by=by, at=at)


def _correct_number(
    request: ChangeRequest,
    *,
    by: User,
    at: datetime,
    contact: Contact | None = None,
    telephone: str = "",
    **_decision: Any,
) -> dict[str, str] | None:
    """The wrong number goes from sight and is kept; the right one, if somebody knows it, stands in its place."""
    known = numbers_of(request.subject)
    if contact is None and len(known) == 1:
        [contact] = known
    source = f"change request {request.pk}"
    if contact is not None and contact in known:
        people.correct_contact(contact, phone=telephone, source=source, by=by, at=at)
        return {"contact": str(contact.pk)}
    if telephone:
        site = request.facility or (request.appeal.facility if request.appeal else None)
        people.keep_contact(request.organisation, facility=site, phone=telephone, source=source, by=by, at=at)
    elif known:
        raise Refused(_("Say which of the numbers is wrong, or write the right one."), code="which-number")
    return None


def _end_appeal(request: ChangeRequest, *, by: User, at: datetime, **_decision: Any) -> None:
    assert request.appeal is not None
    appeal = Appeal.objects.get(pk=request.appeal.pk)
    if appeal.status in (AppealStatus.WAITING, AppealStatus.PUBLISHED):
        asking.withdraw(appeal, by=by, at=at)


def _end_second_appeal(request: ChangeRequest, **decision: Any) -> None:
    twins.check_another_appeal_stands(request)
    _end_appeal(request, **decision)


def _name_the_other(request: ChangeRequest, **_decision: Any) -> dict[str, str]:
    """The two are proposed as a pair by who hears of it (`supplies.duplicates`), for another person to decide."""
    other = twins.other_organisation(request)
    return {"same_as": str(other.pk)} if other else {}


def _stop(request: ChangeRequest, *, by: User, at: datetime, **_decision: Any) -> None:
    """Takes nothing for the time being; who acts for it lets it take goods again with one tap."""
    sites = request.organisation.facilities.order_by("pk")
    if request.facility is not None:
        sites = sites.filter(pk=request.facility.pk)
    if request.appeal is not None:
        sites = sites.filter(pk=request.appeal.facility_id)
    for site in sites:
        people.pause(site, reason=_("Reported as closed, and found to be so"), by=by, at=at)


def _refuse_organisation(
    request: ChangeRequest, *, answer: str, by: User, at: datetime, **_decision: Any
) -> None:
    """Through its verification, with what that asks: a reason, and somebody who has nothing to do with it."""
    if not answer:
        raise Refused(_("Say how you found out; everybody reads this."), code="reason-missing")
    if request.organisation.status != Verified.REFUSED:
        people.verify(
            request.organisation, verdict=Verdict.NO, motive=answer, public_note=answer, by=by, at=at
        )


Effect = Callable[..., dict[str, str] | None]  # what the journal is told besides
EFFECTS: dict[tuple[What, Wrong], Effect] = {
    (What.NEED, Wrong.NOT_NEEDED): _end_need,
    (What.NEED, Wrong.DUPLICATE): _end_second_need,
    (What.NEED, Wrong.FAKE): _end_need,
    (What.NEED, Wrong.WRONG_QUANTITY): _correct_quantity,
    (What.APPEAL, Wrong.NOT_NEEDED): _end_appeal,
    (What.APPEAL, Wrong.DUPLICATE): _end_second_appeal,
    (What.APPEAL, Wrong.FAKE): _end_appeal,
    (What.APPEAL, Wrong.WRONG_TELEPHONE): _correct_number,
    (What.FACILITY, Wrong.WRONG_TELEPHONE): _correct_number,
    (What.ORGANISATION, Wrong.WRONG_TELEPHONE): _correct_number,
    (What.APPEAL, Wrong.CLOSED): _stop,
    (What.FACILITY, Wrong.CLOSED): _stop,
    (What.FACILITY, Wrong.DUPLICATE): _name_the_other,
    (What.ORGANISATION, Wrong.DUPLICATE): _name_the_other,
    (What.ORGANISATION, Wrong.CLOSED): _stop,
    (What.ORGANISATION, Wrong.FAKE): _refuse_organisation,
}


# -- Telling the hospital ---------------------------------------------------------------------------------


def _write(template: str, request: ChangeRequest) -> None:
    """To who acts for the hospital, and who posted it: once for each requested change, not for each report."""
    for user, email in _to_tell(request).items():
        with translation.override(user.language or settings.LANGUAGE_CODE):
            name = masked(request.organisation.name)
            text = {
                "hospital": name,
                "request": request,
                "link": address(reverse("change-requests")),
                "account": address(reverse("account")),
            }
            subject = _("Something is said to be wrong: %(hospital)s") % {"hospital": name}
            send_mail(subject, render_to_string(template, text), None, [email])


def _to_tell(request: ChangeRequest) -> dict[User, str]:
    """Accounts that gave an address and did not say no, and the address."""
    told = {member.user: member.email for member in members_to_remind([request.organisation_id])}
    appeal = request.need.appeal if request.need else request.appeal
    poster = appeal.posted_by if appeal else None
    if poster is not None and poster not in told and (email := address_of(poster)):
        told[poster] = email
    return told
