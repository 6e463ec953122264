"""What one was told, how one wants to be told, and what one searches for: pages for oneself alone."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from supplies.catalogue.models import Category, Item, Standard
from supplies.errors import Refused
from supplies.needs.forms import NeedFilter
from supplies.notices import choosing, robots, watching
from supplies.notices.concerning import addresses_of
from supplies.notices.inbox import ROBOTS, Channel, Notice, Robot
from supplies.notices.inbox_forms import ChoicesForm, HabitsForm, OffersSearchForm, RobotForm, SearchNameForm
from supplies.notices.reading import gathered, read
from supplies.notices.searches import SavedSearch, SearchOver
from supplies.organisations.models import Organisation
from supplies.organisations.visitors import SignedIn, private, signed_in

PER_PAGE = 50
LONGEST_QUERY = 1000  # characters of an address that is saved as a search

# -- The inbox ---------------------------------------------------------------------------------------------


@never_cache
@signed_in
@require_safe
def inbox(request: SignedIn) -> HttpResponse:
    """The newest first; of older ones the API tells."""
    rows = Notice.objects.of(request.user).newest_first()
    is_unread_only = request.GET.get("only") == "unread"
    if is_unread_only:
        rows = rows.unread()
    told = read(rows[:PER_PAGE], request.user)
    context = {
        "told": gathered(told),
        "is_unread_only": is_unread_only,
        "most": PER_PAGE,
        "are_most": len(told) == PER_PAGE,
    }
    return render(request, "notices/inbox.html", context)


@signed_in
@require_POST
def open_notice(request: SignedIn, pk: UUID) -> HttpResponse:
    """Read, with all that wait on the same page, and on to the page where one acts."""
    mine = Notice.objects.of(request.user)
    notice = get_object_or_404(mine, pk=pk)
    (told,) = read([notice], request.user)
    same = mine.unread().filter(kind=notice.kind) if told.is_one_of_several else mine.filter(pk=notice.pk)
    choosing.mark_read(request.user, same.values_list("pk", flat=True), at=timezone.now())
    return redirect(told.path or "inbox")


@signed_in
@require_POST
def read_all(request: SignedIn) -> HttpResponse:
    count = choosing.mark_read(request.user, at=timezone.now())
    messages.success(
        request, ngettext("%(n)d marked as read.", "%(n)d marked as read.", count) % {"n": count}
    )
    return redirect("inbox")


# -- How one is told ---------------------------------------------------------------------------------------


def _channels(request: SignedIn) -> tuple[str, dict[str, Robot]]:
    found = {robot.channel: robot for robot in Robot.objects.filter(user=request.user)}
    return addresses_of([request.user.pk]).get(request.user.pk, ""), found


def _choices_form(request: SignedIn, data: Any = None) -> ChoicesForm:
    address, found = _channels(request)
    channels = {*([Channel.MAIL.value] if address else []), *found}
    return ChoicesForm(data, chosen=choosing.chosen_by(request.user), channels=channels)


def _show_choices(request: SignedIn, **forms: Any) -> HttpResponse:
    address, found = _channels(request)
    filled: dict[str, RobotForm] = forms.pop("robots", {})
    context = {
        "choices": _choices_form(request),
        "habits": HabitsForm(habits=choosing.habits_of(request.user)),
        "address": address,
        "robots": [
            (
                channel.value,
                channel.label,
                found.get(channel.value),
                filled.get(channel.value) or RobotForm(channel=channel),
            )
            for channel in ROBOTS
        ],
        **forms,
    }
    is_wrong = request.method == "POST"  # what was right has led on to the page
    return render(request, "notices/choices.html", context, status=400 if is_wrong else 200)


@never_cache
@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def choices(request: SignedIn) -> HttpResponse:
    """Of what one is told by which channel."""
    if request.method != "POST":
        return _show_choices(request)
    form = _choices_form(request, request.POST)
    if not form.is_valid():
        return _show_choices(request, choices=form)
    choosing.choose(request.user, form.choices)
    messages.success(request, _("Saved."))
    return redirect("notification-choices")


@never_cache
@signed_in
@require_POST
def choose_hours(request: SignedIn) -> HttpResponse:
    """When one may be told."""
    form = HabitsForm(request.POST, habits=choosing.habits_of(request.user))
    if form.is_valid():
        try:
            choosing.keep_quiet(request.user, **form.cleaned_data)
        except ValidationError as fault:
            form.add_error(None, fault)
        else:
            messages.success(request, _("Saved."))
            return redirect("notification-choices")
    return _show_choices(request, habits=form)


@never_cache
@signed_in
@require_POST
def set_up_robot(request: SignedIn, channel: str) -> HttpResponse:
    channel = _robot_called(channel)
    form = RobotForm(request.POST, channel=channel)
    if form.is_valid():
        try:
            robots.set_up(request.user, channel, at=timezone.now(), **form.cleaned_data)
        except ValidationError as fault:
            form.add_error(None, fault)
        else:
            messages.success(request, _("The robot tells you from now on. Choose below of what."))
            return redirect("notification-choices")
    return _show_choices(request, robots={channel: form})


@signed_in
@require_POST
def take_robot_away(request: SignedIn, channel: str) -> HttpResponse:
    robots.take_away(request.user, _robot_called(channel), at=timezone.now())
    messages.success(request, _("The robot tells you nothing any more, and its address is erased here."))
    return redirect("notification-choices")


def _robot_called(channel: str) -> str:
    if channel not in ROBOTS:
        raise Http404
    return channel


@csrf_exempt  # a mailbox posts here by itself (RFC 8058); the word in the address is what it needs, and it can only end
@require_http_methods(["GET", "HEAD", "POST"])
def end_notices(request: HttpRequest, word: str) -> HttpResponse:
    """The link that every mail ends with. To look changes nothing: programs look into links, too."""
    ending = choosing.opened(word)
    is_ended = ending is not None and request.method == "POST"
    if ending is not None and is_ended:
        choosing.end(ending)
    context = {"ending": ending, "is_ended": is_ended}
    return private(render(request, "notices/end_notices.html", context, status=200 if ending else 404))


# -- Saved searches ----------------------------------------------------------------------------------------


@signed_in
@require_safe
def searches(request: SignedIn) -> HttpResponse:
    mine = SavedSearch.objects.of(request.user).with_names().by_name()
    rows = [
        (search, SearchNameForm(initial={"name": search.name}, auto_id=f"{search.pk}-%s")) for search in mine
    ]
    hospitals = _hospitals(request)
    context = {
        "rows": rows,
        "most": watching.MOST_SEARCHES,
        "form": OffersSearchForm(hospitals=hospitals) if hospitals.exists() else None,
    }
    return render(request, "notices/searches.html", context)


def _hospitals(request: SignedIn) -> Any:
    mine = Organisation.objects.of(request.user).filter(kind=Organisation.Kind.HOSPITAL)
    return mine.order_by("name", "pk")


@signed_in
@require_POST
def save_search(request: SignedIn) -> HttpResponse:
    """What narrows the list of needs just now, to be told when something new fits it; never less than that."""
    text = request.POST.get("query", "")
    query = QueryDict(text[:LONGEST_QUERY])
    form = NeedFilter(query, user=request.user)
    if len(text) > LONGEST_QUERY or not form.is_valid():  # cut off, it would find more
        messages.error(request, _("This filter cannot be saved. Correct it, or remove all filters."))
        return redirect("needs")
    if why_not := form.why_not_watched():
        messages.error(request, why_not)
        return redirect(f"{reverse('needs')}?{query.urlencode()}")
    chosen = form.cleaned_data
    criteria = {name: chosen[name] for name in ("q", "have", "urgency", "sender", "due", "organisation")}
    for name, rows in (
        ("category", Category.objects),
        ("item", Item.objects),
        ("standard", Standard.objects),
    ):
        criteria[name] = rows.filter(pk=chosen[name]).first()
    return _saved(request, over=SearchOver.NEEDS, region=chosen["region"], **criteria)


@signed_in
@require_POST
def save_offers_search(request: SignedIn) -> HttpResponse:
    form = OffersSearchForm(request.POST, hospitals=_hospitals(request))
    if not form.is_valid():
        messages.error(request, _("Choose one of your hospitals and a place of the list."))
        return redirect("searches")
    chosen = form.cleaned_data
    return _saved(
        request,
        over=SearchOver.OFFERS,
        organisation=chosen["organisation"],
        q=chosen["q"],
        region=form.region,
    )


def _saved(request: SignedIn, *, over: str, **criteria: Any) -> HttpResponse:
    try:
        watching.save(request.user, over=over, name="", at=timezone.now(), **criteria)
    except Refused as refusal:
        messages.error(request, str(refusal.detail))
    else:
        messages.success(request, _("Saved. You are told when something new fits it."))
    return redirect("searches")


@signed_in
@require_POST
def rename_search(request: SignedIn, pk: UUID) -> HttpResponse:
    search = get_object_or_404(SavedSearch.objects.of(request.user), pk=pk)
    form = SearchNameForm(request.POST)
    if form.is_valid():
        watching.rename(search, name=form.cleaned_data["name"])
        messages.success(request, _("Saved."))
    else:
        messages.error(request, _("Give the search a name of up to 80 characters."))
    return redirect("searches")


@signed_in
@require_POST
def remove_search(request: SignedIn, pk: UUID) -> HttpResponse:
    watching.remove(get_object_or_404(SavedSearch.objects.of(request.user), pk=pk))
    messages.success(request, _("Removed. You are told of it no more."))
    return redirect("searches")
