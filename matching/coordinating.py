"""The coordinator's desk: what is lacking where, how fairly it was shared, why needs stay short; runs; orders with a reason."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from matching.gaps import fairness, gaps, latest_run, reasons, watched
from matching.order_form import PICKED, OrderForm
from matching.ordering import end, order
from matching.orders import Order
from matching.permissions import may_give_orders, may_order, may_run
from matching.progress import progress_of
from supplies.emergencies.models import Emergency
from supplies.errors import Refused
from supplies.leaks import warnings
from supplies.organisations.desk import DeskAdmin, Verb, change_url, in_units, sentence, who


class EndVerb(Verb):
    """Of an order that has not ended yet."""

    def offered_for(self, desk: DeskAdmin, user: Any, row: Any) -> bool:
        return row.ended_at is None and super().offered_for(desk, user, row)


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
    actions = (
        EndVerb("end", _("End the order"), end, may=may_order, ends=_("The next run no longer follows it.")),
    )

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
            run = latest_run(emergency)
            in_force = Order.objects.visible_to(user).in_force(timezone.now()).filter(emergency=emergency)
            context |= {
                "gaps": [
                    (gap, in_units(gap.item, gap.lacking), in_units(gap.item, gap.asked)) for gap in found
                ],
                "more_gaps": more,
                "by_place": by_place,
                "by_class": by_class,
                "reasons": reasons(user, emergency),
                "run": run,
                "progress": progress_of(run) if run else None,
                "progress_url": change_url(run) if run else "",
                "orders": in_force.with_sides().newest_first(),
            }
        return TemplateResponse(request, "admin/coordinator.html", context)

    def give_view(self, request: HttpRequest) -> HttpResponse:
        """The form of an order; only a POST gives one, and not one that looks a name up."""
        if not may_give_orders(request.user):
            raise PermissionDenied
        if request.GET.get("line") in PICKED:
            return self._known_by(request, request.GET["line"])
        is_looked_up = request.POST.get("find") in PICKED
        typed = (request.POST if is_looked_up else request.GET).dict()
        form = OrderForm(None if is_looked_up else request.POST or None, initial=typed, user=request.user)
        if form.is_valid():
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
        return TemplateResponse(request, "admin/give_order.html", context)

    def _known_by(self, request: HttpRequest, name: str) -> HttpResponse:
        """What may be meant by a name, while it is typed."""
        called = request.GET.get(f"{name}_called", "")
        found = PICKED[name].called(called, request.user)
        options = [(row.pk, PICKED[name].told(row)) for row in found]
        return TemplateResponse(
            request, "admin/_options.html", {"line": name, "called": called.strip(), "options": options}
        )

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
