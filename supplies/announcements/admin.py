"""Announcements at the desk: coordinators write them, replace them and take them back; nothing that was told is changed."""

from itertools import chain
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.widgets import RelatedFieldWidgetWrapper
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from supplies.announcements import services
from supplies.announcements.models import Announcement, Kind
from supplies.announcements.permissions import in_whose_name, may_announce, may_announce_in
from supplies.organisations.desk import DeskAdmin, Verb, link_to, reason_form, who
from supplies.regions.models import Region
from supplies.wording import listed

LANGUAGES = (("title_zh", "text_zh"), ("title_en", "text_en"))
ONE_IS_ENOUGH = _(
    "One language is enough: who reads the other finds these words, marked with the language they are in."
)


class AnnouncementForm(forms.ModelForm):
    class Meta:
        model = Announcement
        fields: ClassVar = [
            "kind",
            "emergency",
            "region",
            "giver",
            "title_zh",
            "text_zh",
            "title_en",
            "text_en",
            "reason",
            "replaces",
        ]

    request: HttpRequest

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "kind" not in self.fields:
            return  # the page of one that was told, which asks nothing
        for field in self.fields.values():  # no buttons to add a region or another announcement in passing
            if isinstance(field.widget, RelatedFieldWidgetWrapper):
                field.widget = field.widget.widget
        person = who(self.request)
        self.fields["kind"] = forms.ChoiceField(
            label=_("kind"), choices=[choice for choice in Kind.choices if choice[0] != Kind.WITHDRAWAL]
        )
        self.fields["title_en"].help_text = ONE_IS_ENOUGH
        for name, rows in (
            ("giver", in_whose_name(person)),
            ("replaces", Announcement.objects.standing().newest_first()),
        ):
            field = self.fields[name]
            assert isinstance(field, forms.ModelChoiceField)
            field.queryset = rows
        if self.fields["giver"].queryset.count() == 1:  # type: ignore[attr-defined]
            self.initial.setdefault("giver", self.fields["giver"].queryset.get())  # type: ignore[attr-defined]
        if not may_announce_in(person, None):
            self._speak_in(Region.objects.filter(path__in=person.coordinated).order_by("pk"))

    def _speak_in(self, regions: QuerySet[Region]) -> None:
        """Whoever speaks for some regions names one, and finds the only one filled in."""
        field, known = self.fields["region"], list(regions)
        field.required = True
        field.help_text = _("One of your regions, or a place in one: %(names)s.") % {"names": listed(known)}
        if len(known) == 1:
            self.initial.setdefault("region", known[0].pk)

    def is_valid(self) -> bool:
        """What was looked at and is to be changed comes back as it was typed."""
        return "again" not in self.data and super().is_valid()

    def clean(self) -> dict[str, Any]:
        super().clean()
        self._check_is_whole_in_a_language()
        region, before = self.cleaned_data.get("region"), self.cleaned_data.get("replaces")
        person = who(self.request)
        if "region" in self.cleaned_data and not may_announce_in(person, region):
            raise ValidationError(
                {"region": _("Choose a region you coordinate; only an administrator speaks to everywhere.")}
            )
        if before is not None and not may_announce_in(person, before.region):
            raise ValidationError({"replaces": _("That one was told outside your regions.")})
        return self.cleaned_data

    def _check_is_whole_in_a_language(self) -> None:
        written = {name for name in chain(*LANGUAGES) if self.data.get(name, "").strip()}
        for pair in LANGUAGES:
            if not written or (written & set(pair) and not written >= set(pair)):
                for name in set(pair) - written:
                    self.add_error(name, _("A title and a text, in Chinese, in English or in both."))


@admin.register(Announcement)
class AnnouncementAdmin(DeskAdmin):
    form = AnnouncementForm
    list_display = ("name", "kind", "emergency", "region", "giver", "stands", "at")
    list_filter = ("kind", "emergency")
    list_select_related = ("emergency", "region", "giver", "replaced_by")
    search_fields = ("title_zh", "title_en")
    autocomplete_fields = ("region",)
    ordering = ("-at", "-pk")
    when_empty = _("Nothing has been announced. Press “Add announcement” to tell everybody something.")
    actions = (
        Verb(
            "withdraw",
            _("Withdraw"),
            services.withdraw,
            asks=reason_form(_("Everybody reads it beside what you take back."), longest=300),
            may=lambda user, row: may_announce_in(user, row.region),
        ),
    )
    told = (
        "kind",
        "emergency",
        "region",
        "giver",
        "title_zh",
        "text_zh",
        "title_en",
        "text_en",
        "reason",
        "at",
        "by",
        "earlier",
        "later",
    )

    def has_act_permission(self, request: HttpRequest) -> bool:
        return may_announce(request.user)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return may_announce(request.user)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        made: Any = super().get_form(request, obj, change=change, **kwargs)  # a class made for this request
        made.request = request
        return made

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("replaces", "replaced_by")

    def get_fields(self, request: HttpRequest, obj: Announcement | None = None) -> tuple[str, ...]:
        return self.told if obj else tuple(AnnouncementForm.Meta.fields)

    def get_readonly_fields(self, request: HttpRequest, obj: Announcement | None = None) -> tuple[str, ...]:
        return self.told if obj else ()

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """It is told for good: whoever tells it reads it first as everybody will."""
        if request.method == "POST" and not {"confirmed", "again"} & request.POST.keys():
            form = self.get_form(request)(request.POST)
            if self.has_add_permission(request) and form.is_valid():
                return self._preview(request, form)
        return super().add_view(request, form_url, extra_context)

    def _preview(self, request: HttpRequest, form: AnnouncementForm) -> HttpResponse:
        form.instance.at = timezone.now()
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("This is what everybody will read"),
            "opts": self.opts,
            "row": form.instance,
            "form": form,
            "media": self.media,
        }
        return TemplateResponse(request, "admin/announcement_preview.html", context)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        services.announce(obj, by=who(request), at=timezone.now())

    def response_add(
        self, request: HttpRequest, obj: Announcement, post_url_continue: str | None = None
    ) -> HttpResponse:
        page = reverse("announcement", args=[obj.pk])
        link = format_html('<a href="{}">{}</a>', page, gettext("Read it as everybody does"))
        self.message_user(request, format_html("{} {}", gettext("It is public now."), link), messages.SUCCESS)
        again = "_addanother" in request.POST
        return HttpResponseRedirect(
            request.path if again else reverse("admin:supplies_announcement_changelist")
        )

    @admin.display(description=_("title"))
    def name(self, row: Announcement) -> str:
        return str(row)

    @admin.display(description=_("still holds"), boolean=True)
    def stands(self, row: Announcement) -> bool:
        return row.is_standing

    @admin.display(description=_("replaces"))
    def earlier(self, row: Announcement) -> str:
        return link_to(row.replaces)

    @admin.display(description=_("replaced by"))
    def later(self, row: Announcement) -> str:
        return link_to(row.successor)
