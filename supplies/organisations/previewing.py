"""Actions of the desk that show beforehand what they would do, and those that are done to one row at a time."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from supplies.errors import Refused
from supplies.organisations.desk import DeskAdmin, Verb, answered_in, security, sentence, who

MOST_AT_ONCE = 100


@dataclass(frozen=True)
class Foreseen:
    """What would become of one row.

    becomes   its status afterwards, in words; empty where it is refused
    refusal   why it would be refused
    """

    pk: Any
    name: str
    becomes: str = ""
    refusal: str = ""


class PreviewedVerb(Verb):
    """A verb that is shown to the end before it is done to more than one row: which would become what, which are refused and
    why. It is tried and taken back, so that what is foreseen is what the verb itself says."""

    def do(
        self, desk: DeskAdmin, request: HttpRequest, rows: list[Any], answers: Mapping[str, Any]
    ) -> HttpResponse | None:
        if len(rows) < 2 or "confirmed" in request.POST:
            return super().do(desk, request, rows, answers)
        if len(rows) > MOST_AT_ONCE:
            desk.message_user(
                request,
                _("Choose at most %(most)d at once, so that you can look at each.") % {"most": MOST_AT_ONCE},
                messages.ERROR,
            )
            return None
        # One after the other, as they will be done: the second finds what the first has left.
        with transaction.atomic():
            foreseen = [self._foresee(desk, request, row, answers) for row in rows]
            transaction.set_rollback(True)
        return _page(desk, request, self, foreseen, self.form(request, desk.model._default_manager.none()))

    def _foresee(
        self, desk: DeskAdmin, request: HttpRequest, row: Any, answers: Mapping[str, Any]
    ) -> Foreseen:
        name = desk.name_of(row)
        if not self.is_allowed(desk, request.user, row):
            return Foreseen(
                row.pk, name, refusal=_("You may not do this here; it lies outside your regions.")
            )
        try:
            with transaction.atomic():
                by, at = who(request), timezone.now()
                desk.check_claim(row, by=by, at=at)
                done = self.verb(row, by=by, at=at, **answers)
                becomes = done.get_status_display()
        except (Refused, ValidationError) as refusal:
            return Foreseen(row.pk, name, refusal=sentence(refusal))
        return Foreseen(row.pk, name, becomes=becomes)


def _page(
    desk: DeskAdmin, request: HttpRequest, verb: Verb, foreseen: list[Foreseen], form: forms.Form | None
) -> HttpResponse:
    context = {
        **desk.admin_site.each_context(request),
        "title": verb.short_description,
        "opts": desk.opts,
        "action": verb.__name__,
        "fine": [row for row in foreseen if not row.refusal],
        "refused": [row for row in foreseen if row.refusal],
        "form": form,
        "checkbox": ACTION_CHECKBOX_NAME,
        "media": desk.media,
    }
    return TemplateResponse(request, "admin/preview.html", context)


class OneVerb(Verb):
    """A verb whose form is about the row itself: `asks(row, user, data)`, of one row at a time.

    What the verb refuses comes back with everything typed. A form may tell by `field_of` which of its fields stands for what
    the verb calls a field.
    """

    def __call__(self, desk: DeskAdmin, request: HttpRequest, rows: QuerySet) -> HttpResponse | None:
        if len(rows[:2]) != 1:
            desk.message_user(
                request, _("Choose one: what is asked differs from row to row."), messages.ERROR
            )
            return None
        if not self.is_allowed(desk, request.user, rows[0]):
            desk.say_refused(request, rows[0], _("You may not do this here; it lies outside your regions."))
            return None
        try:
            return super().__call__(desk, request, rows)
        except (Refused, ValidationError) as fault:
            security.info("refused", code=getattr(fault, "code", "invalid"), action=self.__name__)
            form = self.form(request, rows)
            assert form is not None
            _put_beside(form, fault)
            return desk.ask(request, self, rows, form)

    def _one(self, desk: DeskAdmin, request: HttpRequest, row: Any, answers: Mapping[str, Any]) -> bool:
        desk.check_claim(row, by=answers["by"], at=answers["at"])
        with transaction.atomic():
            self.verb(row, **answers)
        desk.give_back(row, by=answers["by"])
        return True

    def form(self, request: HttpRequest, rows: QuerySet) -> forms.Form | None:
        assert self.asks is not None
        made: Callable[..., forms.Form] = self.asks
        return made(rows[0], who(request), answered_in(request))


def _put_beside(form: forms.Form, fault: Refused | ValidationError) -> None:
    """Each sentence beside its field, or above the form where it is about none."""
    form.is_valid()
    if isinstance(fault, Refused) or not hasattr(fault, "error_dict"):
        form.add_error(None, sentence(fault))
        return
    field_of: Callable[[str], str] = getattr(form, "field_of", str)
    for key, sentences in fault.message_dict.items():
        name = field_of(key)
        for each in sentences:
            form.add_error(name if name in form.fields else None, each)
