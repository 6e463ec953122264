"""Pages of asking: browse what is needed, read an appeal, post one, say that it is over or still true."""

from datetime import date
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.signing import BadSignature
from django.db import transaction
from django.db.models import Q, QuerySet
from django.forms import HiddenInput
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from supplies.accounts import drafts
from supplies.accounts.keeping import is_kept_or_forgotten, keep_or_forget, once_more
from supplies.attachments.models import Attachment
from supplies.catalogue.hints import hints
from supplies.catalogue.shelf import Shelf
from supplies.catalogue.views import known_by
from supplies.emergencies.models import Emergency
from supplies.errors import Refused
from supplies.free_text import told_of
from supplies.listings.models import ListedFacility
from supplies.needs import browsing, reminders, services
from supplies.needs.filling import as_before, usual_items
from supplies.needs.forms import AppealForm, NeedFilter, NeedFormSet, need_lines
from supplies.needs.models import Appeal, Need, NeedQuerySet, NeedStatus, OpenThere, Reminded, SenderKind
from supplies.needs.permissions import may_change_appeal, may_read_details
from supplies.organisations.models import Facility, Organisation, Verified
from supplies.organisations.permissions import may_post_for, may_read_dock
from supplies.organisations.services import keep_contact
from supplies.organisations.visitors import SignedIn, is_own_page, private, signed_in, unsent
from supplies.regions.forms import HOME
from supplies.regions.models import Region, RegionLevel

LINES_AT_FIRST = 1
HOSPITALS_SHOWN = 20
MOST_COUNTED = 1_000  # needs a list counts; that there are more is all that is said of more


@require_safe
def browse(request: HttpRequest) -> HttpResponse:
    """What is needed, the most urgent or the nearest first, a page at a time; the list alone where only it is exchanged."""
    form = NeedFilter(request.GET, user=request.user)
    found, near, number = browsing.Page([]), None, None
    is_valid = form.is_valid()
    if is_valid:
        near = browsing.Nearest(form.places[0].point, filters=form.filters) if form.places else None
        rows = form.narrowed(Need.objects.ours().visible_to(request.user), on=timezone.localdate())
        try:
            found = browsing.page(
                form.phases(rows),
                near=near,
                after=request.GET.get("after", ""),
                before=request.GET.get("before", ""),
                filters=form.filters,
            )
            number = _number(form, rows, found)
        except BadSignature:
            form.add_error(
                None, _("This page's address was changed or cut off. Start again from the first page.")
            )
            is_valid = False
    region = form.cleaned_data.get("region") if is_valid else None
    context = {
        "form": form,
        "needs": found.needs,
        "number": number,
        "most": MOST_COUNTED,
        "links": {
            name: _address(request, **{name: key})
            for name, key in (("before", found.before), ("after", found.after))
            if key
        },
        "km": {path: km for path, km in near.km.items() if km < browsing.UNKNOWN_KM} if near else {},
        "elsewhere": [(place.region, _address(request, near=place.region.pk)) for place in form.places[1:]],
        "is_narrowed": any(form.data.get(name) for name in form.fields),
        "crumbs": [(place, _address(request, region=place.pk)) for place in _chain(region)],
        "inside": [(row, _address(request, region=row.region_id)) for row in _inside(region)],
        "everywhere": _address(request, region=""),
        "without_hospital": _address(request, organisation=""),
    }
    is_part = request.htmx and not request.htmx.history_restore_request  # type: ignore[attr-defined]
    template = "needs/_found.html" if is_part else "needs/browse.html"
    # htmx shows no answer that is not a success, and this one says what to correct.
    response = render(request, template, context, status=200 if is_valid or is_part else 400)
    patch_vary_headers(response, ["HX-Request"])
    if is_part:
        response["HX-Push-Url"] = _address(request, **_kept_keys(request))
    return response


def _number(form: NeedFilter, rows: NeedQuerySet, found: browsing.Page) -> int | None:
    """How many were found, counted to one beyond MOST_COUNTED; told on the first page only, and only asked where there is a second."""
    if found.before:
        return None
    if found.after:
        return form.of_status(rows).order_by()[: MOST_COUNTED + 1].count()
    status = form.cleaned_data["status"] or NeedStatus.OPEN
    return sum(status in ("any", need.status) for need in found.needs)


def _chain(region: Region | None) -> list[Region]:
    """A region and all it lies in, the largest first; a province's country goes without saying."""
    chain: list[Region] = []
    while region is not None:
        chain.insert(0, region)
        region = None if region.level == RegionLevel.PROVINCE else region.parent
    return chain


def _inside(region: Region | None) -> QuerySet[OpenThere]:
    """What lies directly in a region, with how many needs are open there; provinces and countries for None."""
    rows = OpenThere.objects.select_related("region")
    if region is not None:
        return rows.filter(region__parent=region).order_by("region")
    top = Q(region__parent=HOME) | Q(region__level=RegionLevel.COUNTRY) & ~Q(region=HOME)
    return rows.filter(top).order_by("region")


def _kept_keys(request: HttpRequest) -> dict[str, str]:
    return {name: request.GET[name] for name in ("after", "before") if request.GET.get(name)}


def _address(request: HttpRequest, **changed: str) -> str:
    """The address of this list with something changed: what narrows nothing is left out, and it begins at the first page."""
    query = request.GET.copy()
    for name in ("after", "before", *(("province", "city", "district") if "region" in changed else ())):
        query.pop(name, None)
    for name, value in changed.items():
        query[name] = value
    for name in [name for name, value in query.items() if not value]:
        del query[name]
    return f"{request.path}?{query.urlencode()}" if query else request.path


@require_safe
def appeal(request: HttpRequest, pk: UUID) -> HttpResponse:
    """One appeal with its lines; the buttons are for its hospital and for volunteers."""
    row = _visible(request, pk)
    lines = Need.objects.visible_to(request.user).filter(appeal=row).most_urgent_first()
    needs = list(lines.select_related("item__display_unit").prefetch_related("accepted_standards"))
    insider = may_read_details(request.user, row)
    context = {
        "appeal": row,
        "needs": needs,
        "senders": [kind.label for kind in SenderKind if kind in row.accepted_senders],
        "may_change": may_change_appeal(request.user, row),
        "may_read_details": insider,
        "may_read_dock": may_read_dock(request.user, row.facility, is_insider=insider),
    }
    return render(request, "needs/appeal.html", context)


def _visible(request: HttpRequest, pk: UUID) -> Appeal:
    rows = Appeal.objects.visible_to(request.user).select_related(
        "emergency", "facility__organisation", "facility__region__parent__parent"
    )
    return get_object_or_404(rows, pk=pk)


@signed_in
@require_safe
def choose_hospital(request: SignedIn) -> HttpResponse:
    """For whom is this? One's own sites, those of a name, or a new one."""
    text = " ".join(request.GET.get("q", "").split())[:60]
    known = _hospitals().select_related("organisation", "region__parent__parent").order_by("name", "pk")
    context = {
        "q": text,
        "mine": known.filter(organisation__in=Organisation.objects.of(request.user)),
        "found": known.called(text)[:HOSPITALS_SHOWN] if text else None,
        "listed": _listed(text) if text else [],
    }
    return render(request, "needs/choose_hospital.html", context)


def _hospitals() -> Any:
    """Whoever knows a hospital's name may post for it; a volunteer asks the hospital before it appears."""
    standing = Facility.objects.filter(
        organisation__kind=Organisation.Kind.HOSPITAL, organisation__merged_into=None
    )
    return standing.exclude(organisation__status=Verified.REFUSED)


def _listed(text: str) -> Any:
    """What public lists name so and nobody has registered here yet."""
    rows = ListedFacility.objects.current().not_registered().called(text)
    return rows.select_related("region__parent__parent").by_name()[:HOSPITALS_SHOWN]


@signed_in
def post(request: SignedIn, pk: UUID) -> HttpResponse:
    """What this hospital needs, line by line."""
    sites = _hospitals().select_related("organisation", "region__parent__parent")
    facility = sites.filter(pk=pk).first() or get_object_or_404(
        Facility.objects.exclude(merged_into=None), pk=pk
    )
    if facility.merged_into_id and request.method == "GET":
        return redirect("post-appeal", facility.merged_into_id)
    facility = get_object_or_404(sites, pk=pk) if facility.merged_into_id else facility
    if not may_post_for(request.user, facility):
        raise PermissionDenied
    going_on = list(Emergency.objects.going_on().newest_first())
    if not going_on:
        return render(request, "no_emergency.html")
    shelf, at = Shelf.kept(), timezone.now()
    today = at.astimezone(ZoneInfo(facility.timezone)).date()
    if "line" in request.GET:
        return _help_to_choose(request, facility, shelf, on=today)
    if is_kept_or_forgotten(request):
        return keep_or_forget(request, page=request.path, leads_to="my-hospital", at=at)
    kept = drafts.find(page=request.path, by=request.user, at=at) if request.method == "GET" else None
    came_back = unsent(request, is_told=kept is None)
    form, lines = _fill_in(request, facility, going_on, once_more(came_back, kept), shelf, on=today)
    if request.method == "POST" and not _is_looked_over(request):
        posted = _send(request, facility, form, lines)
        if posted is not None:
            return redirect("appeal-posted", posted.pk)
    context = {
        "facility": facility,
        "form": form,
        "lines": lines,
        "standards": shelf.standards_known,
        "folded": [form[name] for name in form.folded],
        "has_folded_errors": form.is_bound and bool(set(form.folded) & set(form.errors)),
        "is_only_emergency": len(going_on) == 1,
        "is_read": any(line["words"].value() for line in lines),
        "kept": kept,
        "has_come_back": came_back is not None,
        "is_copied": "copy" in request.GET,
        "usual": usual_items(facility),
        "shelf": shelf,
        "steps": _steps(request, facility),
    }
    if request.method == "POST":
        lines.give_hints(shelf, on=today)
    if request.method == "POST" and "look" in request.POST:
        _begin_at_what_is_open(form, lines)
    return render(request, "needs/post.html", context)


def _begin_at_what_is_open(form: AppealForm, lines: NeedFormSet) -> None:
    """Put the cursor where somebody has to look first: into the first doubtful line, else where a contact is missing."""
    for line in lines:
        if line["doubt"].value():
            line.fields["amount" if line["item"].value() else "item"].widget.attrs["autofocus"] = True
            return
    for name in ("contact_name", "contact_phone"):
        if not form[name].value():
            form.fields[name].widget.attrs["autofocus"] = True
            return


def _is_looked_over(request: HttpRequest) -> bool:
    """Not sent yet: one more line is wanted, a name is looked up, or the fields come from an announcement that was read."""
    return bool({"add", "find", "look"} & set(request.POST))


def _help_to_choose(request: SignedIn, facility: Facility, shelf: Shelf, *, on: date) -> HttpResponse:
    """For a line of the form, while it is filled in: what is known by a name, or how the chosen item is counted."""
    line = request.GET["line"]
    if f"{line}-item" in request.GET:
        item = shelf.items.get(request.GET[f"{line}-item"])
        known = hints([item], shelf, on=on) if item else {}
        return render(request, "needs/_hint.html", {"line": line, "hint": item and known[item.code]})
    return known_by(request, shelf, usual=usual_items(facility))


def _steps(request: SignedIn, facility: Facility) -> dict[str, Any] | None:
    """Where a new hospital is on its way, until its first need is in."""
    if facility.organisation_id not in request.user.organisation_ids:
        return None
    if Appeal.objects.filter(facility__organisation=facility.organisation_id).exists():
        return None
    has_papers = Attachment.objects.about(facility.organisation).kept().exists()
    return {"here": "need", "has_papers": has_papers, "organisation": facility.organisation}


def _fill_in(
    request: SignedIn,
    facility: Facility,
    going_on: list[Emergency],
    typed_before: QueryDict | None,
    shelf: Shelf,
    *,
    on: date,
) -> tuple[AppealForm, NeedFormSet]:
    shared: dict[str, Any] = {"prefix": "lines", "form_kwargs": {"shelf": shelf, "on": on}}
    typed = request.POST if request.method == "POST" else typed_before
    before = _to_copy(request, facility) if request.method == "GET" and "copy" in request.GET else None
    if before is not None:
        details, rows = as_before(before)
        form = AppealForm(initial={"emergency": going_on[0].pk, **details})
        lines = need_lines(len(rows))(initial=rows, **shared)
    elif typed is None:
        form = AppealForm(initial={"emergency": going_on[0].pk})
        lines = need_lines(LINES_AT_FIRST)(**shared)
    elif request.method == "POST" and not _is_looked_over(request):
        form = AppealForm(typed)
        lines = need_lines(0)(typed, **shared)
    else:
        blank = AppealForm()
        form = AppealForm(
            initial={
                name: field.widget.value_from_datadict(typed, {}, name)
                for name, field in blank.fields.items()
            }
        )
        # An announcement names none; where only one goes on nobody is asked, so that it has to be filled in here.
        form.initial["emergency"] = form.initial["emergency"] or going_on[0].pk
        so_far = need_lines(0)(typed, **shared).once_more("lines", typed)
        lines = need_lines(len(so_far) + ("add" in typed))(initial=so_far, **shared)
    if len(going_on) == 1:
        form.fields["emergency"].widget = HiddenInput()
    return form, lines


def _to_copy(request: SignedIn, facility: Facility) -> Appeal | None:
    """The appeal of this hospital that is to be posted once more; an address that names none is no mistake worth a page."""
    try:
        pk = UUID(request.GET["copy"])
    except ValueError:
        return None
    row = Appeal.objects.filter(pk=pk, facility__organisation=facility.organisation_id).first()
    return row if row is not None and may_change_appeal(request.user, row) else None


def _send(request: SignedIn, facility: Facility, form: AppealForm, lines: NeedFormSet) -> Appeal | None:
    """Post it whole, or put what is wrong beside its field and store nothing."""
    if not (form.is_valid() & lines.is_valid()):
        return None
    try:
        with transaction.atomic():
            posted = services.post(
                facility,
                emergency=form.cleaned_data["emergency"],
                lines=[line.line for line in lines.filled],
                by=request.user,
                at=timezone.now(),
                **form.details,
            )
            for contact in form.contacts:
                keep_contact(
                    facility.organisation,
                    at=posted.created_at,
                    facility=facility,
                    source=f"appeal {posted.pk}",
                    by=request.user,
                    **contact,
                )
            drafts.drop(page=request.path, by=request.user)
    except ValidationError as fault:
        for field, sentences in lines.put_beside(fault.message_dict).items():
            for sentence in sentences:
                form.add_error(field if field in form.fields else None, sentence)
        return None
    except Refused as refusal:
        form.add_error(None, str(refusal.detail))
        return None
    for sentence in told_of(form):
        messages.warning(request, sentence)
    for line in lines.filled:
        for oddity in line.oddities:
            messages.warning(request, oddity)
    return posted


@signed_in
@require_safe
def posted(request: SignedIn, pk: UUID) -> HttpResponse:
    """It is in: the code to keep, and what happens next."""
    row = _visible(request, pk)
    if not may_change_appeal(request.user, row):
        raise PermissionDenied
    return render(request, "needs/posted.html", {"appeal": row})


@signed_in
@require_POST
def withdraw(request: SignedIn, pk: UUID) -> HttpResponse:
    row = _mine_to_change(request, _visible(request, pk))
    _do(request, services.withdraw, row, _("The appeal is withdrawn. Thank you for saying so."))
    return redirect("appeal", row.pk)


@signed_in
@require_POST
def withdraw_need(request: SignedIn, pk: UUID) -> HttpResponse:
    return _change_need(request, pk, services.withdraw_need, _("Noted: not needed any more."))


@signed_in
@require_POST
def confirm_need(request: SignedIn, pk: UUID) -> HttpResponse:
    return _change_need(request, pk, services.confirm, _("Noted: still needed."))


@require_http_methods(["GET", "HEAD", "POST"])
def still_needed(request: HttpRequest, word: str) -> HttpResponse:
    """What the link of a reminder opens: to say without signing in that it is still needed. To look changes nothing."""
    found = reminders.opened(word)
    needs = list(_unconfirmed(found.appeal)) if found else []
    if found and request.method == "POST":
        ticked = [n for n in needs if "all" in request.POST or str(n.pk) in request.POST.getlist("needs")]
        for need in ticked:
            services.confirm(need, by=found.by, at=timezone.now())
        if ticked:
            messages.success(request, _("Noted: still needed."))
        else:
            messages.warning(request, _("Nothing was ticked, so nothing has changed."))
        return private(redirect("still-needed", word))
    context = {"appeal": found.appeal if found else None, "needs": needs}
    return private(render(request, "needs/still_needed.html", context, status=200 if found else 404))


def _unconfirmed(appeal: Appeal) -> NeedQuerySet:
    """The lines of which it has to be said whether they are still needed: open and told of, or ended for want of a word."""
    if not appeal.is_still_asked:
        return Need.objects.none()
    waiting = Q(status=NeedStatus.OPEN, reminded__gt=Reminded.NOT_YET) | Q(status=NeedStatus.LAPSED)
    lines = Need.objects.filter(waiting, appeal=appeal).select_related("item__display_unit")
    return lines.most_urgent_first()


def _change_need(request: SignedIn, pk: UUID, verb: Any, thanks: str) -> HttpResponse:
    rows = Need.objects.visible_to(request.user).select_related("appeal__facility__organisation")
    need = get_object_or_404(rows, pk=pk)
    _mine_to_change(request, need.appeal)
    _do(request, verb, need, thanks)
    back = request.POST.get("next", "")
    return redirect(back) if is_own_page(request, back) else redirect("appeal", need.appeal_id)


def _mine_to_change(request: SignedIn, row: Appeal) -> Appeal:
    if not may_change_appeal(request.user, row):
        raise PermissionDenied(services.NOT_YOURS)
    return row


def _do(request: SignedIn, verb: Any, row: Any, thanks: str) -> None:
    try:
        verb(row, by=request.user, at=timezone.now())
    except Refused as refusal:
        messages.error(request, str(refusal.detail))
    else:
        messages.success(request, thanks)
