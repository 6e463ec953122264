"""Other instances at the desk: everyone there sees what is read from whom, an administrator says from whom."""

from typing import Any, ClassVar, cast
from urllib.parse import urlencode

from django import forms
from django.contrib import admin
from django.contrib.auth.models import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from supplies.errors import Refused
from supplies.federation import feed, matched, services
from supplies.federation.fetching import site_at
from supplies.federation.models import ForeignNeed, Peer, PeerStatus
from supplies.leaks import masked
from supplies.organisations.desk import DeskAdmin, Verb


class PeerForm(forms.ModelForm):
    class Meta:
        model = Peer
        fields: ClassVar = ["name", "address"]

    def clean_address(self) -> str:
        try:
            return site_at(self.cleaned_data["address"]).address
        except Refused as refusal:
            raise ValidationError(str(refusal.detail)) from None


def is_administrator(user: Any, peer: Peer | None = None) -> bool:
    return bool(user.is_active and user.is_superuser)


class WhyForm(forms.Form):
    reason = forms.CharField(
        label=_("Reason"),
        help_text=_("Kept beside the switch; the journal keeps who and when."),
        max_length=200,
        widget=forms.Textarea(attrs={"rows": 3, "autofocus": True}),
    )


class VouchForm(WhyForm):
    vouched = forms.BooleanField(
        label=_("I vouch for its hospitals"),
        help_text=_(
            "Nobody has verified them here, and nobody here can call them. From now on our offers are proposed to them, and what is promised"
            " is on its way to a place only the other operator knows. Agree with that operator first who confirms and who counts. It goes on"
            " until you switch it off or read from it no more."
        ),
    )


@admin.register(Peer)
class PeerAdmin(DeskAdmin):
    when_empty = _(
        "No other instance is read from. An administrator adds one by its address, compares its key with the other operator, and subscribes."
    )
    form = PeerForm
    list_display = (
        "name",
        "address",
        "status",
        "is_matched",
        "manifest_made_at",
        "needs_told",
        "pulled_at",
        "problem",
    )
    list_filter = ("status",)
    ordering = ("name",)
    actions = (
        Verb(
            "subscribe",
            _("I have compared the fingerprint: read from it"),
            services.subscribe,
            may=is_administrator,
            fits=[PeerStatus.NEW],
            sensitive=True,
        ),
        Verb(
            "match",
            _("Match its needs here"),
            services.match,
            asks=VouchForm,
            may=lambda user, peer: is_administrator(user) and not peer.is_matched,
            fits=[PeerStatus.ACTIVE],
            sensitive=True,
        ),
        Verb(
            "match_no_more",
            _("Match its needs no more"),
            services.match_no_more,
            asks=WhyForm,
            may=lambda user, peer: is_administrator(user) and peer.is_matched,
            fits=[PeerStatus.ACTIVE],
        ),
        Verb(
            "renew_key",
            _("Fetch its key anew, to be compared"),
            services.renew_key,
            may=is_administrator,
            fits=[PeerStatus.ACTIVE, PeerStatus.ENDED],
            sensitive=True,
        ),
        Verb(
            "end",
            _("Read from it no more"),
            services.end,
            may=is_administrator,
            fits=[PeerStatus.NEW, PeerStatus.ACTIVE],
        ),
    )
    told = (
        "status",
        "instance",
        "fingerprint",
        "licence",
        "licence_url",
        "manifest_made_at",
        "needs_told",
        "is_matched",
        "why_matched",
        "matched_needs",
        "taken",
        "is_taken",
        "came_back",
        "not_its_own",
        "unreadable",
        "first_faults",
        "tried_at",
        "pulled_at",
        "problem",
    )

    @admin.display(description=_("why they are, or are not any more"))
    def why_matched(self, peer: Peer) -> str:
        return masked(peer.matched_because) or "–"

    def has_act_permission(self, request: HttpRequest) -> bool:
        return is_administrator(request.user)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return is_administrator(request.user)

    def get_fields(self, request: HttpRequest, obj: Peer | None = None) -> tuple[str, ...]:
        return ("name", "address", *(self.told if obj else ()))

    def get_readonly_fields(self, request: HttpRequest, obj: Peer | None = None) -> tuple[str, ...]:
        return self.get_fields(request, obj) if obj else ()

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        services.introduce(obj, by=cast(AbstractBaseUser, request.user), at=timezone.now())

    @admin.display(description=_("fingerprint of its key"))
    def fingerprint(self, peer: Peer) -> str:
        return feed.fingerprint(peer.public_key) if peer.public_key else "–"

    @admin.display(description=_("needs shown"))
    def needs_told(self, peer: Peer) -> int:
        return ForeignNeed.objects.filter(peer=peer, gone_at=None).count()

    @admin.display(description=_("its needs in our matching"))
    def matched_needs(self, peer: Peer) -> str:
        """How far each of them has come; a link to them."""
        found = matched.figures(peer)
        if not any(count for name, count in found.items() if name != "left_out") and not peer.is_matched:
            return "–"
        said = _(
            "open %(open)d (not known here, over or registered here: %(left_out)d) · proposed %(proposed)d · promised %(promised)d"
            " · on the way %(on_the_way)d · arrived %(arrived)d"
        )
        address = f"{reverse('admin:supplies_need_changelist')}?{urlencode({'status': 'all', 'origin': peer.instance})}"
        return format_html('<a href="{}">{}</a>', address, said % found)

    @admin.display(description=_("the first of them"))
    def first_faults(self, peer: Peer) -> str:
        return ", ".join(f"{fault['row']}: {fault['column']}" for fault in peer.faults) or "–"
