"""The coordinator's desk: what is lacking where, how fairly it was shared, why needs stay short; runs; orders with a reason."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from matching.gaps import fairness, gaps, latest_run, reasons, watched
from matching.ordering import end, order
from matching.orders import Order, OrderKind
from matching.permissions import may_give_orders, may_order, may_run
from supplies.catalogue.models import Item
from supplies.emergencies.models import Emergency
from supplies.errors import Refused
from supplies.leaks import warnings
from supplies.offers.models import Offer
from supplies.organisations.desk import DeskAdmin, Verb, in_units, sentence, who
from supplies.organisations.models import Facility
from supplies.regions.models import Region


class OrderForm(forms.Form):
    """What is ordered. Places and offers are named by code, or by the link of their page at the desk."""

    kind = forms.ChoiceField(label=_("What is ordered"), choices=OrderKind)
    emergency = forms.ModelChoiceField(
        label=_("Emergency"), queryset=Emergency.objects.none(), empty_label=None
    )
    item = forms.ModelChoiceField(
        label=_("Goods"),
        queryset=Item.objects.none(),
        required=False,
        empty_label=_("all goods"),
        help_text=_("For a freeze, or to prefer a place."),
    )
    offer = forms.UUIDField(
        label=_("Offer"),
        required=False,
        help_text=_("To reserve or forbid: the offer's number, from the address of its page at the desk."),
    )
    region = forms.CharField(
        label=_("Region"),
        max_length=80,
        required=False,
        help_text=_("Its name or code. A freeze without a region holds everywhere."),
    )
    facility = forms.UUIDField(
        label=_("Hospital"),
        required=False,
        help_text=_("Instead of a region: the site's number, from the address of its page at the desk."),
    )
    reason = forms.CharField(
        label=_("Reason"),
        help_text=Order._meta.get_field("reason").help_text,
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    until = forms.DateTimeField(
        label=_("Until"),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        emergency, item = self.fields["emergency"], self.fields["item"]
        assert isinstance(emergency, forms.ModelChoiceField)
        assert isinstance(item, forms.ModelChoiceField)
        emergency.queryset = Emergency.objects.going_on().newest_first()
        item.queryset = Item.objects.order_by("pk")

    def clean_region(self) -> Region | None:
        text = self.cleaned_data["region"].strip()
        if not text:
            return None
        found = list(Region.objects.named(text)[:2])
        if len(found) != 1:
            raise ValidationError(
                gettext("No single region is called that; write its code, as 420000.")
                if found
                else gettext("No region is called that; write its name or its code, as 420000.")
            )
        return found[0]

    def clean_offer(self) -> Offer | None:
        offer: Offer | None = self._row("offer", Offer.objects.select_related("donation__region"))
        return offer

    def clean_facility(self) -> Facility | None:
        facility: Facility | None = self._row("facility", Facility.objects.select_related("region"))
        return facility

    def _row(self, name: str, rows: QuerySet[Any]) -> Any:
        key = self.cleaned_data[name]
        row = rows.filter(pk=key).first() if key else None
        if key and row is None:
            raise ValidationError(gettext("There is no such row; copy its number from its page."))
        return row

    def clean(self) -> dict[str, Any]:
        """What the kind of order needs, named at its field."""
        given = dict(self.cleaned_data)
        kind, place = given.get("kind"), given.get("region") or given.get("facility")
        if given.get("region") and given.get("facility"):
            self.add_error("facility", gettext("Name a region or a hospital, not both."))
        if kind == OrderKind.FREEZE and given.get("facility"):
            self.add_error(
                "facility", gettext("A freeze holds in a region; pause a hospital on its own page.")
            )
        elif kind != OrderKind.FREEZE and not place and not {"region", "facility"} & set(self.errors):
            self.add_error("region", gettext("Name the region or the hospital."))
        needs_offer = kind in (OrderKind.RESERVE, OrderKind.FORBID)
        if needs_offer and not given.get("offer") and "offer" not in self.errors:
            self.add_error("offer", gettext("Name the offer."))
        if not needs_offer and given.get("offer"):
            self.add_error("offer", gettext("Only what is reserved or forbidden names an offer."))
        if needs_offer and given.get("item"):
            self.add_error("item", gettext("The offer says which goods they are; leave this empty."))
        if given.get("until") and given["until"] <= timezone.now():
            self.add_error("until", gettext("Choose a moment that is still to come."))
        return given


@admin.register(Order)
class OrderAdmin(DeskAdmin):
    """Orders as they were given, and the page a coordinator begins her day with."""

    when_empty = _("A coordinator gives orders on her own page of the desk.")
    change_list_template = "admin/orders.html"
    list_display = ("kind", "goods", "place", "reason", "by", "created_at", "until_at", "ended_at")
    list_filter = ("kind", ("ended_at", admin.EmptyFieldListFilter), "emergency")
    list_select_related = (
        "item", "region", "facility", "offer__item", "offer__donation__organisation", "by",
    )  # fmt: skip
    ordering = ("-created_at", "-pk")
    fields = (
        "kind", "emergency", "goods", "region", "facility", "reason", "by", "created_at", "until_at", "ended_at",
        "ended_by",
    )  # fmt: skip
    actions = (Verb("end", _("End the order"), end, may=may_order),)

    def get_urls(self) -> list[URLPattern]:
        desk = self.admin_site.admin_view(self.coordinator_view)
        give = self.admin_site.admin_view(self.give_view)
        return [
            path("desk/", desk, name="matching_order_desk"),
            path("give/", give, name="matching_order_give"),
            *super().get_urls(),
        ]

    def name_of(self, row: Order) -> str:
        return str(row)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        known = {"may_order": may_give_orders(request.user)}
        return super().changelist_view(request, {**known, **(extra_context or {})})

    @admin.display(description=_("goods"))
    def goods(self, row: Order) -> str:
        return row.goods

    @admin.display(description=_("place"))
    def place(self, row: Order) -> str:
        return str(row.place or gettext("everywhere"))

    def coordinator_view(self, request: HttpRequest) -> HttpResponse:
        """Gaps, shares and reasons over what this person watches over, with what she can do about them."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        user, known = who(request), list(Emergency.objects.going_on().newest_first())
        chosen = request.GET.get("emergency", "")
        emergency = next((row for row in known if row.pk == chosen), None)
        if chosen and emergency is None:
            raise Http404
        emergency = emergency or (known[0] if known else None)
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("Coordinator's desk"),
            "opts": self.opts,
            "emergency": emergency,
            "emergencies": [
                {"query_string": f"?emergency={row.pk}", "selected": row == emergency, "display": row}
                for row in known
            ],
            "may_start": may_run(user),
            "may_order": may_give_orders(user),
            "media": self.media,
        }
        if emergency is not None:
            needs = watched(user, emergency)
            found, more = gaps(needs)
            by_place, by_class = fairness(needs)
            in_force = Order.objects.visible_to(user).in_force(timezone.now()).filter(emergency=emergency)
            context |= {
                "gaps": [
                    (gap, in_units(gap.item, gap.lacking), in_units(gap.item, gap.asked)) for gap in found
                ],
                "more_gaps": more,
                "by_place": by_place,
                "by_class": by_class,
                "reasons": reasons(user, emergency),
                "run": latest_run(emergency),
                "orders": in_force.with_sides().newest_first(),
            }
        return TemplateResponse(request, "admin/coordinator.html", context)

    def give_view(self, request: HttpRequest) -> HttpResponse:
        """The form of an order; only a POST gives one."""
        if not may_give_orders(request.user):
            raise PermissionDenied
        form = OrderForm(request.POST or None, initial=request.GET.dict())
        if request.method == "POST" and form.is_valid():
            given = dict(form.cleaned_data)
            until = given.pop("until")
            if not may_order(request.user, Order(until_at=until, **given)):
                form.add_error(None, gettext("You may not order this here; it lies outside your regions."))
            elif self._give(request, form, until=until, **given):
                return HttpResponseRedirect(reverse("admin:matching_order_desk"))
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("Give an order"),
            "opts": self.opts,
            "form": form,
            "media": self.media + form.media,
        }
        return TemplateResponse(request, "admin/ask.html", context)

    def _give(self, request: HttpRequest, form: OrderForm, **given: Any) -> bool:
        try:
            made = order(by=who(request), at=timezone.now(), **given)
        except (Refused, ValidationError) as refusal:
            form.add_error(None, sentence(refusal))
            return False
        for said in warnings([(gettext("Reason"), made.reason)]):
            self.message_user(request, said, messages.WARNING)
        self.message_user(request, gettext("Ordered; it holds from the next run on."), messages.SUCCESS)
        return True
