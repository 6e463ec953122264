"""The form of an order: goods, offers and places are found by what people call them, and chosen from what was found."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.forms.boundfield import BoundField
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from matching.orders import Order, OrderKind
from supplies.catalogue.models import Item
from supplies.catalogue.shelf import Shelf
from supplies.emergencies.models import Emergency
from supplies.offers.models import Offer
from supplies.organisations.desk import in_units
from supplies.organisations.models import Facility, Organisation, in_regions_of
from supplies.regions.models import Region
from supplies.wording import apart, day

MOST_FOUND = 10
LONGEST = 80  # characters of a name that is looked up


@dataclass(frozen=True)
class Picked:
    """What can be named in an order: how its rows are found, how one is told from others."""

    rows: QuerySet[Any]
    find: Any  # (text, rows) -> rows, the likeliest first
    told: Any  # row -> text
    path: str = ""  # from a row to the path of its region

    def called(self, text: str, user: Any) -> list[Any]:
        """What this person may mean by it: what lies in her regions first, since she orders little elsewhere."""
        text = " ".join(text.split())[:LONGEST]
        if not text:
            return []
        rows = self.rows.all()
        seen = rows.visible_to(user) if hasattr(rows, "visible_to") else rows
        hers = in_regions_of(user, self.path) if self.path else Q()
        near = list(islice(self.find(text, seen.filter(hers)), MOST_FOUND))
        others = self.find(text, seen.exclude(pk__in=[row.pk for row in near])) if self.path else []
        return [*near, *islice(others, MOST_FOUND - len(near))]


def _items(text: str, _rows: Any) -> Iterable[Item]:
    return (one.item for one in Shelf.kept().suggest(text))


def _regions(text: str, rows: Any) -> Iterable[Region]:
    """Those of exactly this name before those whose name holds it; of these the larger first."""
    exact = list(rows.named(text).from_the_top()[:MOST_FOUND])
    yield from exact
    part = Q(name_zh__contains=text) | Q(name_en__icontains=text)
    yield from rows.filter(part).exclude(pk__in=[row.pk for row in exact]).from_the_top()[:MOST_FOUND]


def _facilities(text: str, rows: Any) -> Iterable[Facility]:
    found: Iterable[Facility] = rows.called(text).order_by("name", "pk")[:MOST_FOUND]
    return found


def _offers(text: str, rows: Any) -> Iterable[Offer]:
    """By its goods, whatever they are called, or by its donor."""
    goods = [one.item.pk for one in Shelf.kept().suggest(text)]
    donors = Organisation.objects.called(text).values("pk")[:MOST_FOUND]
    of_these = Q(item__in=goods) | Q(donation__organisation__in=list(donors.values_list("pk", flat=True)))
    found: Iterable[Offer] = rows.filter(of_these).first_to_expire_first()[:MOST_FOUND]
    return found


def _with_parents(region: Region) -> str:
    names = [region.name]
    if region.level not in ("country", "province") and region.parent is not None:
        names.append(region.parent.name)
    return apart(names)


def _offer_told(offer: Offer) -> str:
    expires = day(offer.expires_on) if offer.expires_on else ""
    left = in_units(offer.item, offer.quantity_open)
    words = [str(offer.item), left, offer.donation.organisation.name, offer.donation.region.name, expires]
    return apart([word for word in words if word])


PICKED: Mapping[str, Picked] = {
    "item": Picked(Item.objects.active(), _items, str),
    "offer": Picked(
        Offer.objects.open().select_related(
            "item__base_unit", "item__display_unit", "donation__organisation", "donation__region"
        ),
        _offers,
        _offer_told,
        "donation__region__path",
    ),
    "region": Picked(Region.objects.select_related("parent"), _regions, _with_parents, "path"),
    "facility": Picked(
        Facility.objects.filter(merged_into=None).select_related("region__parent", "organisation"),
        _facilities,
        lambda site: apart([site.name, site.region.name]),
        "region__path",
    ),
}


def _called(label: Any, help_text: Any) -> forms.CharField:
    return forms.CharField(label=label, help_text=help_text, max_length=LONGEST, required=False)


class OrderForm(forms.Form):
    """What is ordered. Beside each row that is chosen stands what was typed to find it: `offer_called` beside `offer`."""

    kind = forms.ChoiceField(label=_("What is ordered"), choices=OrderKind)
    emergency = forms.ModelChoiceField(
        label=_("Emergency"), queryset=Emergency.objects.none(), empty_label=None
    )
    item_called = _called(
        _("Goods"), _("For a freeze, or to prefer a place: any name, as N95. Empty: all goods.")
    )
    item = forms.ModelChoiceField(label=_("Goods chosen"), queryset=PICKED["item"].rows, required=False)
    offer_called = _called(_("Offer"), _("To reserve or forbid: its goods or its donor."))
    offer = forms.ModelChoiceField(label=_("Offer chosen"), queryset=PICKED["offer"].rows, required=False)
    region_called = _called(_("Region"), _("Its name or code. A freeze without a region holds everywhere."))
    region = forms.ModelChoiceField(label=_("Region chosen"), queryset=PICKED["region"].rows, required=False)
    facility_called = _called(_("Hospital"), _("Instead of a region: a part of its name."))
    facility = forms.ModelChoiceField(
        label=_("Hospital chosen"), queryset=PICKED["facility"].rows, required=False
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

    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        emergency: Any = self.fields["emergency"]
        emergency.queryset = Emergency.objects.going_on().newest_first()
        self.found = {name: self._offer_to_choose(name, user) for name in PICKED}

    def rows(self) -> Iterator[tuple[BoundField, BoundField | None]]:
        """As the page shows them: each field, with the box it is found by where it has one."""
        for name in self.fields:
            if not name.endswith("_called"):
                yield self[name], self[f"{name}_called"] if name in PICKED else None

    def _offer_to_choose(self, name: str, user: Any) -> list[Any]:
        """Put what is known by the typed name into the list, with what was chosen before; returns what is known."""
        picked = PICKED[name]
        self.fields[f"{name}_called"].widget.attrs.update({"autocomplete": "off", "data-picks": name})
        found = picked.called(str(self[f"{name}_called"].value() or ""), user)
        field: Any = self.fields[name]
        try:
            before = [field.to_python(self[name].value())]
        except ValidationError:
            before = []
        if len(found) == 1 and not self.is_bound:
            self.initial.setdefault(name, found[0].pk)
        rows = {row.pk: row for row in [*before, *found] if row is not None}
        none = gettext("— none —") if not found else gettext("— choose —")
        field.widget.choices = [("", none), *((pk, picked.told(row)) for pk, row in rows.items())]
        return found

    def clean(self) -> dict[str, Any]:
        """The order as `ordering.order` takes it; what its kind needs is named at its field."""
        given = {name: value for name, value in self.cleaned_data.items() if not name.endswith("_called")}
        for name in PICKED:
            if not given.get(name) and self.cleaned_data.get(f"{name}_called") and name not in self.errors:
                given[name] = self._only_one(name)
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

    def _only_one(self, name: str) -> Any:
        """What was typed, where nothing else can be meant by it."""
        found = self.found[name]
        if len(found) == 1:
            return found[0]
        self.add_error(
            name,
            gettext("Several are called that: choose one.")
            if found
            else gettext("Nothing is called that. Try another name, or a part of it."),
        )
        return None
