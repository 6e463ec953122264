"""Carriers' accounts and what they told that fits nothing: volunteers see it, an administrator opens and closes accounts."""

from collections.abc import Iterable
from typing import Any, ClassVar, cast

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from supplies.carriers import services
from supplies.carriers.models import CarrierAccount, ParkedEvent
from supplies.errors import Refused
from supplies.organisations.desk import DeskAdmin, Verb, Waiting
from supplies.organisations.models import Organisation, User

SECRET = _("generic: whsec_ and base64; 快递100: the salt of the subscription. Shown to nobody afterwards.")


def is_administrator(user: Any, account: CarrierAccount | None = None) -> bool:
    return bool(user.is_active and user.is_superuser)


class SecretForm(forms.Form):
    secret = forms.CharField(
        label=_("secret"),
        max_length=120,
        help_text=SECRET,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
    )


class AccountForm(forms.ModelForm):
    secret = forms.CharField(
        label=_("secret"),
        max_length=120,
        help_text=SECRET,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
    )
    poll_key = forms.CharField(
        label=_("key to ask with"),
        max_length=120,
        required=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
    )

    class Meta:
        model = CarrierAccount
        fields: ClassVar = ["carrier", "name", "interface", "customer", "company", "polls", "delivers"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if (carrier := self.fields.get("carrier")) is not None:
            assert isinstance(carrier, forms.ModelChoiceField)
            kind = Organisation.Kind.CARRIER
            carrier.queryset = Organisation.objects.verified().filter(kind=kind).order_by("name")

    def clean(self) -> dict[str, Any]:
        super().clean()
        values = self.cleaned_data
        if values.get("secret") and values.get("interface"):
            try:
                services.check_secret(values["interface"], values["secret"])
            except Refused as refusal:
                raise ValidationError({"secret": str(refusal.detail)}) from None
        return values


@admin.register(CarrierAccount)
class CarrierAccountAdmin(DeskAdmin):
    form = AccountForm
    list_display = ("name", "carrier", "interface", "is_open", "polls", "delivers", "old_secret_until")
    list_filter = ("interface", "is_open")
    list_select_related = ("carrier",)
    ordering = ("name", "pk")
    actions = (
        Verb(
            "rotate_secret",
            _("Change its secret"),
            services.rotate_secret,
            asks=SecretForm,
            may=is_administrator,
            sensitive=True,
        ),
        Verb(
            "close",
            _("Close this account"),
            services.close_account,
            may=is_administrator,
            ends=_("The carrier can tell nothing by it any more. What it told stays."),
        ),
    )
    told = (
        "carrier",
        "name",
        "interface",
        "address",
        "is_open",
        "polls",
        "delivers",
        "customer",
        "company",
        "old_secret_until",
        "created_at",
        "created_by",
    )
    asked = (
        "carrier",
        "name",
        "interface",
        "secret",
        "delivers",
        "polls",
        "poll_key",
        "customer",
        "company",
    )

    def has_act_permission(self, request: HttpRequest) -> bool:
        return is_administrator(request.user)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return is_administrator(request.user)

    def get_fields(self, request: HttpRequest, obj: CarrierAccount | None = None) -> tuple[str, ...]:
        return self.told if obj else self.asked

    def get_readonly_fields(self, request: HttpRequest, obj: CarrierAccount | None = None) -> tuple[str, ...]:
        return self.told if obj else ()

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        obj.poll_key = form.cleaned_data["poll_key"]
        services.open_account(
            obj, secret=form.cleaned_data["secret"], by=cast(User, request.user), at=timezone.now()
        )

    @admin.display(description=_("address of its webhooks"))
    def address(self, account: CarrierAccount) -> str:
        return reverse("carrier-hook", args=[account.pk])


class StateFilter(admin.SimpleListFilter):
    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("given_up", _("waited too long")), ("waiting", _("waiting"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[ParkedEvent]) -> QuerySet[ParkedEvent]:
        word = self.value()
        return getattr(queryset, word)() if word in ("given_up", "waiting") else queryset


@admin.register(ParkedEvent)
class ParkedEventAdmin(DeskAdmin):
    list_display = ("names", "carrier", "vocabulary", "code", "occurred_at", "parked_at", "applied_at")
    list_filter = (StateFilter, "vocabulary")
    list_select_related = ("carrier",)
    search_fields = ("=names",)
    ordering = ("-parked_at", "pk")
    fields = (
        "names",
        "carrier",
        "vocabulary",
        "code",
        "occurred_at",
        "parked_at",
        "by",
        "applied_at",
        "given_up_at",
    )

    def has_act_permission(self, request: HttpRequest) -> bool:
        return False

    def waits(self, request: HttpRequest) -> Iterable[Waiting]:
        rows = ParkedEvent.objects.given_up()
        return [Waiting(62, _("events of carriers that fit no shipment"), rows, "state=given_up")]
