"""The volunteers' desk: what all its lists have in common.

Rows are read-only. Whatever changes them is a `Verb`: an action that calls the same function as the API, for
each chosen row on its own, and says for every refusal why. Roles decide who may, not Django's permission table.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any

import structlog
from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.utils import unquote
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import BadRequest, PermissionDenied, ValidationError
from django.db.models import Count, Model, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.forms import BaseInlineFormSet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from supplies.catalogue.models import Item
from supplies.claims import services as claims
from supplies.claims.models import Claim
from supplies.errors import Refused
from supplies.free_text import is_free_text, mask
from supplies.journal.admin import ReadOnlyAdmin
from supplies.journal.admin import Text as Text  # every desk that builds on this one has these from here
from supplies.journal.admin import Waiting as Waiting
from supplies.leaks import warnings
from supplies.organisations.download import DOWNLOAD
from supplies.organisations.models import User, in_regions_of
from supplies.organisations.permissions import may_moderate, may_moderate_in, may_watch
from supplies.organisations.visitors import has_confirmed, lead_to_confirm
from supplies.search import found
from supplies.templatetags.amounts import amount

security = structlog.get_logger("security")


def answered_in(request: HttpRequest) -> QueryDict | None:
    """What was answered to the form of a verb; None while it has not been shown yet."""
    return request.POST if "answered" in request.POST else None


class Verb:
    """An action of the desk: `verb(row, by=…, at=…, **answers)` for every chosen row.

    asks       a form whose cleaned data are the verb's answers; it gets a page of its own before anything happens
    may        whether this person may do it to this row
    fits       the statuses in which the row's own page offers it; none means all
    ends       what is over for good once it is done: a page says so and asks once, also where there is nothing to fill in
    sensitive  whether the person has to have proven who she is a short while ago; else she is led to confirm/ and back
    answers    what is the same every time, e.g. verdict="verified"
    """

    allowed_permissions = ("act",)
    is_asked_on_the_page = (
        False  # its form stands open on the row's own page, which then needs no button for it
    )

    def __init__(
        self,
        name: str,
        title: Text,
        verb: Callable[..., Any],
        *,
        asks: type[forms.Form] | None = None,
        may: Callable[[Any, Any], bool] | None = None,
        fits: Collection[str] = (),
        ends: Text = "",
        sensitive: bool = False,
        **answers: Any,
    ) -> None:
        self.__name__ = name
        self.short_description = title
        self.verb, self.may, self.answers = verb, may, answers
        self.asks = asks or (forms.Form if ends else None)
        self.ends, self.sensitive = ends, sensitive
        self.fits = frozenset(map(str, fits))

    def __call__(self, desk: "DeskAdmin", request: HttpRequest, rows: QuerySet) -> HttpResponse | None:
        if self.sensitive and not has_confirmed(request):
            return lead_to_confirm(request, back=desk.back_from(request))
        answers = self.answers
        if (form := self.form(request, rows)) is not None:
            if not form.is_valid():
                return desk.ask(request, self, rows, form)
            answers = {**answers, **form.cleaned_data}
        return self.do(desk, request, list(rows), answers)

    def form(self, request: HttpRequest, rows: QuerySet) -> forms.Form | None:
        """What has to be asked before it is done to these rows, filled in as far as it was answered."""
        return self.asks(answered_in(request)) if self.asks else None

    def do(
        self, desk: "DeskAdmin", request: HttpRequest, rows: list[Any], answers: Mapping[str, Any]
    ) -> HttpResponse | None:
        """Each row on its own: one that is refused does not hold up the others."""
        for sentence in warnings(self._words(answers)):
            desk.message_user(request, sentence, messages.WARNING)
        at = timezone.now()
        done = sum(self._one(desk, request, row, {**answers, "by": who(request), "at": at}) for row in rows)
        if done:
            desk.message_user(
                request,
                _("%(verb)s: done for %(count)d.") % {"verb": self.short_description, "count": done},
                messages.SUCCESS,
            )
        return None

    def _words(self, answers: Mapping[str, Any]) -> list[tuple[str, Any]]:
        """What was written in free words, by the name its field has on the page."""
        fields = self.asks.base_fields if self.asks else {}
        return [
            (str(fields[name].label), answer)
            for name, answer in answers.items()
            if is_free_text(fields.get(name))
        ]

    def _one(self, desk: "DeskAdmin", request: HttpRequest, row: Any, answers: Mapping[str, Any]) -> bool:
        if not self.is_allowed(desk, request.user, row):
            desk.say_refused(request, row, _("You may not do this here; it lies outside your regions."))
            return False
        try:
            desk.check_claim(row, by=answers["by"], at=answers["at"])
            self.verb(row, **answers)
        except (Refused, ValidationError) as refusal:
            desk.say_refused(request, row, sentence(refusal))
            security.info("refused", code=getattr(refusal, "code", "invalid"), action=self.__name__)
            return False
        desk.give_back(row, by=answers["by"])
        return True

    def is_allowed(self, desk: "DeskAdmin", user: Any, row: Any) -> bool:
        return desk.may_act_on(user, row) and (self.may is None or self.may(user, row))

    def offered_for(self, desk: "DeskAdmin", user: Any, row: Any) -> bool:
        fitting = not self.fits or str(getattr(row, "status", "")) in self.fits
        return fitting and self.is_allowed(desk, user, row)


class TogetherVerb(Verb):
    """A verb that takes all chosen rows at once: `verb(rows, by=…, at=…)`."""

    def do(
        self, desk: "DeskAdmin", request: HttpRequest, rows: list[Any], answers: Mapping[str, Any]
    ) -> None:
        for row in rows:
            if not self.is_allowed(desk, request.user, row):
                desk.say_refused(request, row, _("You may not do this here; it lies outside your regions."))
                return
        try:
            made = self.verb(rows, by=who(request), at=timezone.now(), **answers)
        except (Refused, ValidationError) as refusal:
            desk.message_user(request, sentence(refusal), messages.ERROR)
        else:
            desk.message_user(
                request,
                format_html("{}: {}", self.short_description, link_to(made)),
                messages.SUCCESS,
            )


def sentence(refusal: Refused | ValidationError) -> str:
    """What to tell the person who was refused."""
    return str(refusal.detail) if isinstance(refusal, Refused) else " ".join(refusal.messages)


class DeskList(ChangeList):
    """Rows of a list say of free words what everybody may read."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.result_list = list(self.result_list)
        if isinstance(self.model_admin, DeskAdmin):
            self.model_admin.read_beside(self.result_list, request.user)
        for row in self.result_list:
            mask(row)


class DeskAdmin(ReadOnlyAdmin):
    """A list of the desk, and the page of one row, which is as it was written for those who may act on it."""

    actions: Sequence[Any] = ()
    region_of = (
        ""  # from a row to the region it lies in, as "facility.region"; empty where regions do not matter
    )

    decided_in: Collection[str] = ()  # statuses in which one person at a time decides about a row: see claims

    when_empty: Text = ""  # how rows come to stand here, told where there are none

    is_public = (
        False  # everybody sees some of these rows, so that being seen does not mean to be watched over
    )

    def waits(self, request: HttpRequest) -> Iterable[Waiting]:
        """What of these rows waits for this person."""
        return ()

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may_watch(request.user)

    def has_act_permission(self, request: HttpRequest) -> bool:
        return may_moderate(request.user)

    def may_act_on(self, user: Any, row: Any) -> bool:
        """A coordinator acts on the rows of her regions; volunteers and administrators on all."""
        return not self.region_of or may_moderate_in(user, attrgetter(self.region_of)(row))

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        """What the person watches over: a page of the desk tells more of a row than its public page does."""
        rows = super().get_queryset(request)
        if hasattr(rows, "visible_to"):
            rows = rows.visible_to(request.user)
        if self.is_public and isinstance(request.user, User) and not request.user.watches_over_all:
            rows = rows.filter(in_regions_of(request.user, f"{self.region_of.replace('.', '__')}__path"))
        return rows

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return DeskList

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        row = super().get_object(request, object_id, from_field)
        if row is not None and not self.may_take(request.user, row):
            mask(row)
        return row

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet, search_term: str
    ) -> tuple[QuerySet, bool]:
        """Rows of which every word is found in one of the search fields: a part of "name", the whole of "=code"."""
        for word in search_term.split():
            queryset = found(queryset, self.get_search_fields(request), word)
        return queryset, False

    # A row that waits for a decision belongs to whoever opened it, for a quarter of an hour.

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        shown: list[Any] = list(super().get_list_display(request))
        return [*shown, "taken"] if self.decided_in else shown

    def read_beside(self, rows: Sequence[Any], user: Any = None) -> None:
        """Let each of these rows, of a page or of a file, know what its columns say beside the row: its claim, as this person
        reads it. As many queries for many rows as for one.
        """
        taken = claims.holding(rows, at=timezone.now()) if self.decided_in else {}
        for row in rows:
            claim = taken.get(str(row.pk))
            row.claim = claim.as_read_by(user) if claim else "–"

    @admin.display(description=pgettext_lazy("by whom a row is being decided", "taken"))
    def taken(self, row: Any) -> str:
        return str(row.claim)

    def is_to_be_decided(self, row: Any) -> bool:
        return str(getattr(row, "status", "")) in set(map(str, self.decided_in))

    def check_claim(self, row: Any, *, by: User, at: datetime) -> None:
        """Raise Refused where somebody else is deciding about it."""
        if self.is_to_be_decided(row):
            claims.check(row, by=by, at=at)

    def give_back(self, row: Any, *, by: User) -> None:
        """After something was done to it; there is nothing to give back where nobody takes rows."""
        if self.decided_in:
            claims.release(row, by=by)

    def may_take(self, user: Any, row: Any) -> bool:
        """May decide about it; who may not reads of it what everybody reads."""
        return may_moderate(user) and self.may_act_on(user, row)

    def claim_of(self, request: HttpRequest, row: Any) -> Claim | None:
        """Take the row for whoever opens it to decide; of one that somebody else has, who that is."""
        if not self.is_to_be_decided(row):
            return None
        if self.may_take(request.user, row):
            try:
                return claims.take(row, by=who(request), at=timezone.now())
            except Refused:  # somebody has it: the page says who
                pass
        return claims.holding([row], at=timezone.now()).get(str(row.pk))

    def claim_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """POST: take a row over with a reason, or give it back."""
        if request.method != "POST":
            return HttpResponse(status=405, headers={"Allow": "POST"})
        if not self.has_view_permission(request):
            raise PermissionDenied
        row = self.get_object(request, unquote(object_id))
        if row is None:
            raise Http404
        if not self.may_take(request.user, row):
            raise PermissionDenied
        if "release" in request.POST:
            claims.release(row, by=who(request))
            return HttpResponseRedirect(
                reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")
            )
        because = request.POST.get("because", "")
        for said in warnings([(_("Why you take it over"), because)]):
            self.message_user(request, said, messages.WARNING)
        try:
            claims.take(row, by=who(request), at=timezone.now(), because=because)
        except Refused as refusal:
            self.message_user(request, sentence(refusal), messages.ERROR)
        return HttpResponseRedirect(change_url(row))

    def name_of(self, row: Any) -> str:
        """What the row is called in messages and headings."""
        return str(row)

    def say_refused(self, request: HttpRequest, row: Model, why: str) -> None:
        self.message_user(request, f"{self.name_of(row)} · {why}", messages.ERROR)

    def ask(self, request: HttpRequest, verb: Verb, rows: Iterable[Any], form: forms.Form) -> HttpResponse:
        """The page between choosing an action and doing it: which rows, and what the verb wants to know."""
        return self.question(
            request,
            verb.short_description,
            verb.__name__,
            [(row.pk, self.name_of(row)) for row in rows],
            form=form,
            ends=verb.ends,
            back=self.back_from(request),
            media=self.media + form.media,
        )

    def response_action(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse | None:
        """A chosen key that could not be one is a bad request, not a fault of ours."""
        for key in request.POST.getlist(ACTION_CHECKBOX_NAME):
            try:
                self.opts.pk.to_python(key)
            except ValidationError as error:
                raise BadRequest(key) from error
        return super().response_action(request, *args, **kwargs)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        title = capfirst(self.opts.verbose_name_plural)
        return super().changelist_view(request, {"title": title, **(extra_context or {})})

    def back_from(self, request: HttpRequest) -> str:
        """The page on which an action was chosen: the list, or the row's own."""
        match = request.resolver_match
        if match is not None and "action" in match.kwargs:
            return request.path.removesuffix(f"do/{match.kwargs['action']}/") + "change/"
        return request.get_full_path()

    # The page of one row offers the same actions as the list, those that fit its status.

    def get_urls(self) -> list[URLPattern]:
        name = f"{self.opts.app_label}_{self.opts.model_name}_do"
        view = self.admin_site.admin_view(self.do_view)
        known = [path("<path:object_id>/do/<slug:action>/", view, name=name), *super().get_urls()]
        if self.decided_in:
            claim = f"{self.opts.app_label}_{self.opts.model_name}_claim"
            known.insert(
                0, path("<path:object_id>/claim/", self.admin_site.admin_view(self.claim_view), name=claim)
            )
        return known

    def do_view(self, request: HttpRequest, object_id: str, action: str) -> HttpResponse:
        """POST: do one action to one row, then show the row again."""
        if request.method != "POST":
            return HttpResponse(status=405, headers={"Allow": "POST"})
        if not self.has_view_permission(request):
            raise PermissionDenied
        row = self.get_object(request, unquote(object_id))
        known = self.get_actions_of_one(request).get(action)
        if row is None:
            raise Http404
        if known is None:
            raise PermissionDenied
        answer = known[0](self, request, self.get_queryset(request).filter(pk=row.pk))
        if answer is None and self.decided_in:
            self.lead_on(request)
        return answer or HttpResponseRedirect(change_url(row))

    def lead_on(self, request: HttpRequest) -> None:
        """From a row that is decided to the next of its queue, which stand in no other place of its page."""
        address = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")
        for queue in self.waits(request):
            if left := queue.rows.count():
                text = _("%(queue)s: %(count)s left") % {"queue": queue.title, "count": left}
                link = format_html('<a href="{}?{}">{} →</a>', address, queue.query, text)
                self.message_user(request, link, messages.INFO)
                return

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """What is done to chosen rows of the list, which besides can be taken away as a file."""
        file = (DOWNLOAD, DOWNLOAD.__name__, DOWNLOAD.short_description)
        return {**self.get_actions_of_one(request), DOWNLOAD.__name__: file}

    def get_actions_of_one(self, request: HttpRequest) -> dict[str, Any]:
        """Without Django's "delete selected": nothing is deleted here."""
        known: dict[str, Any] = super().get_actions(request)
        known.pop("delete_selected", None)
        return known

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Any = None,
    ) -> HttpResponse:
        if obj is not None:
            base = change_url(obj).removesuffix("change/")
            context["subtitle"] = self.name_of(obj)
            claim = self.claim_of(request, obj)
            if claim is not None:
                may_take = self.may_take(request.user, obj)
                context |= {"claim": claim, "claim_url": f"{base}claim/", "may_take": may_take}
            context["offered"] = [
                (f"{base}do/{name}/", title, bool(verb.ends))
                for name, (verb, _name, title) in self.get_actions_of_one(request).items()
                if not verb.is_asked_on_the_page and verb.offered_for(self, request.user, obj)
            ]
            if claim is not None and claim.by_id != who(request).pk:
                # Nor what stands open on the page: whoever fills it in would be refused at the end.
                context |= {"offered": [], "asked": {}}
        return super().render_change_form(request, context, add, change, form_url, obj)


class MaskedFormSet(BaseInlineFormSet):
    def get_queryset(self) -> Any:
        rows = super().get_queryset()
        for row in rows:
            mask(row)
        return rows


class DeskInline(admin.TabularInline):
    """Rows below the one they belong to, to be read."""

    template = "admin/lines.html"
    formset = MaskedFormSet

    extra = 0
    max_num = 0
    can_delete = False

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.fields

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may_watch(request.user)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class StatusFilter(admin.SimpleListFilter):
    """By status; a list may begin with those that wait, and says how to see all."""

    title = gettext_lazy("status")
    parameter_name = "status"
    first: str = "all"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(model_admin.model._meta.get_field("status").flatchoices)

    def value(self) -> str:
        return super().value() or self.first

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        return queryset if self.value() == "all" else queryset.filter(status=self.value())

    def choices(self, changelist: Any) -> Iterator[Any]:
        for value, label in [("all", _("All")), *self.lookup_choices]:
            yield {
                "selected": self.value() == str(value),
                "query_string": changelist.get_query_string({self.parameter_name: value}),
                "display": label,
            }


def by_status(first: str = "all") -> type[StatusFilter]:
    """A status filter that begins with `first`."""
    return type("StatusFilter", (StatusFilter,), {"first": first})


REASON = gettext_lazy("Reason")


def reason_form(hint: Any, *, label: Any = REASON, longest: int = 200) -> type[forms.Form]:
    """A form that asks why, and says who reads the answer."""
    widget = forms.Textarea(attrs={"rows": 3, "autofocus": True})
    reason = forms.CharField(label=label, help_text=hint, max_length=longest, widget=widget)
    return type("ReasonForm", (forms.Form,), {"reason": reason})


ReasonForm = reason_form(gettext_lazy("Whoever posted it reads this. Say what has to change."))


def count_of(lines: QuerySet, column: str) -> Coalesce:
    """How many of these rows point at each row of a list: counted for the rows shown, not for the whole table."""
    mine = lines.filter(**{column: OuterRef("pk")}).order_by().values(column)
    return Coalesce(Subquery(mine.annotate(count=Count("pk")).values("count")), 0)


def who(request: HttpRequest) -> User:
    """The person at the desk; nobody gets this far without signing in."""
    assert isinstance(request.user, User)
    return request.user


def change_url(row: Model) -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])


def link_to(row: Model | None, text: str = "") -> str:
    """A link to the row's page at the desk, or a dash."""
    return format_html('<a href="{}">{}</a>', change_url(row), text or str(row)) if row is not None else "–"


def source_link(name: str, url: str) -> str:
    """Where something was published, to be opened beside the desk."""
    if not url:
        return name or "–"
    return format_html('<a href="{}" target="_blank" rel="noopener noreferrer">{}</a>', url, name or url)


def in_units(item: Item, quantity: int | None) -> str:
    """A quantity of base units as people count it: "50 pairs"; a dash where there is none."""
    return "–" if quantity is None else amount(item, quantity)


def table(heads: Iterable[Any], rows: Iterable[Iterable[Any]]) -> str:
    """A small table; nothing where there are no rows."""
    filled = [format_html_join("", "<td>{}</td>", ((cell,) for cell in row)) for row in rows]
    if not filled:
        return ""
    return format_html(
        '<table class="counts"><thead><tr>{}</tr></thead><tbody>{}</tbody></table>',
        format_html_join("", "<th>{}</th>", ((head,) for head in heads)),
        format_html_join("", "<tr>{}</tr>", ((row,) for row in filled)),
    )
