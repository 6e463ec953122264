"""The donor's and the hospital's answers to what a volunteer has approved; for everybody how matching works, and what goods are good for."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from matching import services
from matching.advice import advise
from matching.forms import CheckForm
from matching.lookup import Case, Line, look_up
from matching.models import Proposal, ProposalStatus, Shortfall
from matching.permissions import may_answer_for_donor, may_answer_for_hospital, may_decline
from matching.results import latest_runs, results
from matching.sentences import examples, sentences, shortfalls, why_short
from matching.snapshot import MOST_ASKED
from supplies.attachments.models import Attachment
from supplies.catalogue.shelf import Shelf
from supplies.errors import Refused
from supplies.leaks import masked, warnings
from supplies.needs.models import Appeal, Need
from supplies.needs.permissions import may_read_details
from supplies.offers.forms import TO, DonationForm, as_typed, offer_lines
from supplies.offers.permissions import FOR_HOSPITALS
from supplies.organisations.roles import Role
from supplies.organisations.visitors import SignedIn, signed_in
from supplies.regions.forms import PlaceForm
from supplies.templatetags.amounts import amount
from supplies.wording import listed

NOT_TYPED = {"csrfmiddlewaretoken", settings.ONCE_FIELD, "add", "more"}


@require_safe
def how_matching_works(request: HttpRequest) -> HttpResponse:
    """The rules in plain words, and what the last run of each emergency came to. Nothing of anybody's own."""
    latest = [(result, shortfalls(dict(result.shortfalls))) for result in results(latest_runs())]
    return render(request, "matching/how.html", {"latest": latest, "examples": examples()})


@require_safe
def check(request: HttpRequest) -> HttpResponse:
    """What goods are good for that are marked so: an address that can be passed on."""
    form = CheckForm(request.GET) if request.GET else CheckForm()
    is_faulty = form.is_bound and not form.is_valid()
    context: dict[str, Any] = {"form": form, "narrowing": [form[name] for name in form.narrowing]}
    if form.is_bound and not is_faulty:
        answer = look_up(form.asked, on=timezone.localdate())
        context["answer"] = answer
        context["cases"] = [(case, _sections(case)) for case in answer.cases]
        context["questions"] = [
            (question, [(_narrowed(request, question.about, code), name) for code, name in question.choices])
            for question in answer.questions
        ]
    return render(request, "matching/check.html", context, status=400 if is_faulty else 200)


@signed_in
@require_POST
def check_offer(request: SignedIn) -> HttpResponse:
    """What is said of goods while their form is being filled in: a part of its page, or, without JavaScript, a page that
    leads back to the form as it was typed. Nothing is stored.
    """
    on, at = timezone.localdate(), timezone.now()
    form = DonationForm(request.POST, user=request.user)
    to = PlaceForm(request.POST, prefix=TO, beside=form)
    lines = offer_lines(0)(request.POST, prefix="lines", form_kwargs={"shelf": Shelf.kept(), "on": on})
    typed = as_typed(form, to, lines, on=on)
    emergency = form.cleaned_data.get("emergency")
    found = advise(emergency, [offer for _line, offer in typed], at=at) if emergency else []
    said = {
        line.prefix: (advice, _sections(advice.case))
        for (line, _o), advice in zip(typed, found, strict=bool(found))
    }
    context = {
        "lines": [(line, *said.get(line.prefix, (None, []))) for line in lines.filled],
        "has_place": form.region is not None,
        "most": MOST_ASKED,
        "typed": [(name, values) for name, values in request.POST.lists() if name not in NOT_TYPED],
    }
    return render(request, "matching/_advice.html" if request.htmx else "matching/check_offer.html", context)


def _sections(case: Case) -> list[dict[str, Any]]:
    """The lines of a case: for each item as a whole, and folded away for each standard that may be named."""
    parts: list[tuple[str, str, tuple[Line, ...]]] = [
        ("success", _("Good for"), case.good_for),
        ("warning", _("Good for, if the hospital agrees"), case.on_condition),
        ("error", _("May not replace"), case.not_for),
    ]
    sections = [
        {
            "kind": kind,
            "title": title,
            "whole": _together(line for line in lines if line.standard is None),
            # Goods without a standard have to be agreed to whichever standard is named: that is said once.
            "named": _together(
                line for line in lines if line.standard is not None and case.standard is not None
            ),
        }
        for kind, title, lines in parts
    ]
    return [section for section in sections if section["whole"] or section["named"]]


def _together(lines: Iterable[Line]) -> list[tuple[str, Line]]:
    """What is asked for, with why; where the same is said of several needs, it is said once."""
    groups: dict[tuple[Any, ...], list[Line]] = {}
    for line in lines:
        groups.setdefault((line.where, line.why, line.sources, line.as_of), []).append(line)
    return [(listed(map(_named, group)), group[0]) for group in groups.values()]


def _named(line: Line) -> str:
    return f"{line.item.name} · {line.standard}" if line.standard else line.item.name


def _narrowed(request: HttpRequest, field: str, value: str) -> str:
    query = request.GET.copy()
    query[field] = value
    return f"?{query.urlencode()}"


@signed_in
@require_safe
def answers(request: SignedIn) -> HttpResponse:
    """The matches that wait for this person's yes, each with its reasons; and those that wait for somebody else."""
    approved = Proposal.objects.visible_to(request.user).filter(status=ProposalStatus.APPROVED)
    rows = [_row(request.user, proposal) for proposal in approved.with_sides().most_urgent_first()[:100]]
    _show_papers(rows)
    context = {
        "mine": [row for row in rows if row["asks_donor"] or row["asks_hospital"]],
        "others": [row for row in rows if not (row["asks_donor"] or row["asks_hospital"])],
        "is_hospital": request.user.has_role(Role.HOSPITAL),
    }
    return render(request, "matching/_answers.html" if request.htmx else "matching/answers.html", context)


def _show_papers(rows: list[dict[str, Any]]) -> None:
    """Beside what a hospital is asked to take, its certificate and what the box looks like."""
    asked = [row for row in rows if row["asks_hospital"]]
    gifts = {str(row["proposal"].offer.donation_id) for row in asked}
    files = Attachment.objects.filter(subject="donation", subject_id__in=gifts, kind__in=FOR_HOSPITALS)
    of_gift: dict[str, list[Attachment]] = {}
    for file in files.kept().oldest_first() if gifts else ():
        of_gift.setdefault(file.subject_id, []).append(file)
    for row in asked:
        row["files"] = of_gift.get(str(row["proposal"].offer.donation_id), [])


def _row(user: Any, proposal: Proposal) -> dict[str, Any]:
    asks_donor = proposal.donor_said_yes_at is None
    asks_hospital = proposal.needs_hospital_yes and proposal.hospital_said_yes_at is None
    return {
        "proposal": proposal,
        "why": sentences(proposal),
        "asks_donor": asks_donor and may_answer_for_donor(user, proposal),
        "asks_hospital": asks_hospital and may_answer_for_hospital(user, proposal),
    }


@signed_in
@require_POST
def agree(request: SignedIn, pk: UUID, side: str) -> HttpResponse:
    asked = proposal = _visible(request, pk)
    may, verb = {
        "donor": (may_answer_for_donor, services.agree_for_donor),
        "hospital": (may_answer_for_hospital, services.agree_for_hospital),
    }[side]
    if not may(request.user, proposal):
        raise PermissionDenied
    try:
        proposal = verb(proposal, by=request.user, at=timezone.now())
    except Refused as refusal:
        messages.error(request, str(refusal.detail))
    else:
        is_agreed = proposal.status == ProposalStatus.AGREED
        said = (
            _what_is_promised(asked, side) if is_agreed else _("Thank you. The other side is asked as well.")
        )
        messages.success(request, said)
    return redirect("answers")


def _what_is_promised(proposal: Proposal, side: str) -> SafeString:
    """What goes to whom, and where to go on: the donor has parcels to write on, the hospital looks out for them."""
    offer = proposal.offer
    if side == "donor":
        page, name = reverse("my-gift", args=[offer.donation_id]), _("What to write on the parcel")
    else:
        page, name = reverse("my-hospital"), _("My hospital: what is coming")
    done = _("Agreed: %(item)s %(amount)s → %(hospital)s. A volunteer arranges the transport now.") % {
        "item": offer.item.name,
        "amount": amount(offer.item, proposal.quantity_approved),
        "hospital": masked(proposal.need.appeal.facility.name),
    }
    return format_html('{} <a href="{}">{} →</a>', done, page, name)


@signed_in
@require_POST
def decline(request: SignedIn, pk: UUID) -> HttpResponse:
    proposal = _visible(request, pk)
    if not may_decline(request.user, proposal):
        raise PermissionDenied
    reason = request.POST.get("reason", "").replace("\0", "").strip()[:300]
    if not reason:
        messages.error(request, _("Say why, in a few words: it keeps the next match from failing too."))
        return redirect("answers")
    try:
        services.decline(proposal, reason=reason, by=request.user, at=timezone.now())
    except Refused as refusal:
        messages.error(request, str(refusal.detail))
    else:
        messages.success(request, _("Declined. The goods are free for somebody else."))
        for sentence in warnings([(_("Reason"), reason)]):
            messages.warning(request, sentence)
    return redirect("answers")


@signed_in
@require_safe
def still_lacking(request: SignedIn, pk: UUID) -> HttpResponse:
    """What the needs of an appeal still lack, and why the latest run could not give it: for its hospital and who watches."""
    appeals = Appeal.objects.visible_to(request.user).select_related(
        "emergency", "facility__organisation", "facility__region"
    )
    appeal = get_object_or_404(appeals, pk=pk)
    if not may_read_details(request.user, appeal):
        raise Http404
    needs = Need.objects.visible_to(request.user).open().filter(appeal=appeal).most_urgent_first()
    found = Shortfall.objects.visible_to(request.user).filter(need__in=needs.order_by()).with_sides()
    short = {row.pk: row for row in found}
    rows = [(need, short.get(need.pk)) for need in needs.select_related("item__display_unit")]
    context = {"appeal": appeal, "rows": [(need, row, row and why_short(row)) for need, row in rows]}
    return render(request, "matching/still_lacking.html", context)


def _visible(request: HttpRequest, pk: UUID) -> Proposal:
    return get_object_or_404(Proposal.objects.visible_to(request.user).with_sides(), pk=pk)
