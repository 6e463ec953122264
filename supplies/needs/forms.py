"""What a hospital fills in, and how a list of needs is narrowed."""

from datetime import date, timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from supplies.catalogue.forms import AmountField, BaseGoodsFormSet, GoodsForm
from supplies.catalogue.hints import Hint, hints
from supplies.catalogue.models import Item
from supplies.catalogue.serving import Served
from supplies.catalogue.shelf import Shelf
from supplies.emergencies.models import Emergency
from supplies.needs.browsing import Place, places_called
from supplies.needs.models import NeedQuerySet, NeedStatus, QuantityKind, SenderKind, Setting, Urgency
from supplies.organisations.forms import ContactForm, FurtherContacts
from supplies.organisations.models import Organisation
from supplies.regions.models import Region
from supplies.selects import LongSelect


class EmergencyField(forms.ModelChoiceField):
    """Which emergency this is for; asked only while there are several."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("label", gettext_lazy("Emergency"))
        super().__init__(Emergency.objects.going_on().newest_first(), empty_label=None, **kwargs)


class AppealForm(ContactForm):
    emergency = EmergencyField()
    handover_point = forms.CharField(
        label=gettext_lazy("Hand-over point"),
        max_length=300,
        required=False,
        help_text=gettext_lazy(
            "Where somebody who brings goods meets you. Both sides of a match and its carrier read this."
        ),
    )
    courier_address = forms.CharField(
        label=gettext_lazy("Courier address"),
        max_length=300,
        required=False,
        help_text=gettext_lazy("Where parcels go, if not to the dock. No names or telephone numbers here."),
    )
    transport_instructions = forms.CharField(
        label=gettext_lazy("Transport"),
        max_length=2000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("Green channel, opening hours, words to write on the parcel."),
    )
    accepted_senders = forms.MultipleChoiceField(
        label=gettext_lazy("Accepts goods from"),
        choices=SenderKind.choices,
        initial=SenderKind.values,
        widget=forms.CheckboxSelectMultiple,
    )
    accepts_overseas = forms.BooleanField(
        label=gettext_lazy("Goods from overseas are welcome"), required=False, initial=True
    )
    receiving_body = forms.CharField(
        label=gettext_lazy("Who receives, if not the hospital"), max_length=200, required=False
    )
    valid_until = forms.DateField(
        label=gettext_lazy("Appeal valid until"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    source_url = forms.URLField(
        label=gettext_lazy("Link to the public announcement"),
        required=False,
        max_length=500,
        assume_scheme="https",
    )
    published_on = forms.DateField(
        label=gettext_lazy("Published on"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text=gettext_lazy(
            "The day of the announcement, or of its last update. Unless the hospital itself posts this, it counts as confirmed on that day."
        ),
    )
    contact_others = FurtherContacts()
    remark = forms.CharField(
        label=gettext_lazy("Anything else donors should know"),
        max_length=4000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    folded = (
        "handover_point",
        "courier_address",
        "transport_instructions",
        "accepted_senders",
        "accepts_overseas",
        "receiving_body",
        "valid_until",
        "source_url",
        "published_on",
        "contact_others",
        "remark",
    )

    @property
    def details(self) -> dict[str, Any]:
        """What `needs.services.post` calls the details of the appeal."""
        return {name: self.cleaned_data[name] for name in self.folded if name != "contact_others"}

    @property
    def contacts(self) -> list[dict[str, str]]:
        """How each can be reached, the first of them first, as `organisations.services.keep_contact` takes it."""
        first = {name: self.cleaned_data[f"contact_{name}"] for name in ("name", "phone", "post")}
        return [first, *self.cleaned_data["contact_others"]]


class NeedForm(GoodsForm):
    quantity_kind = forms.ChoiceField(
        label=gettext_lazy("Quantity"),
        choices=[
            (QuantityKind.NUMBER, gettext_lazy("a number")),
            (QuantityKind.UNLIMITED, gettext_lazy("without limit")),
            (QuantityKind.UNKNOWN, gettext_lazy("I do not know")),
        ],
        initial=QuantityKind.NUMBER,
        widget=forms.RadioSelect,
    )
    urgency = forms.TypedChoiceField(
        label=gettext_lazy("How urgent"),
        choices=[("", gettext_lazy("not sure")), *Urgency.choices],
        coerce=int,
        empty_value=None,
        required=False,
    )
    needed_by = forms.DateField(
        label=gettext_lazy("Needed by"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text=gettext_lazy("Left empty: within 30 days."),
    )
    setting = forms.ChoiceField(
        label=gettext_lazy("Used in"), choices=Setting.choices, initial=Setting.GENERAL
    )
    medical_grade = forms.BooleanField(label=gettext_lazy("Medical grade only"), required=False, initial=True)
    sterile = forms.BooleanField(label=gettext_lazy("Has to be sterile"), required=False)
    substitutes_welcome = forms.BooleanField(
        label=gettext_lazy("Equivalent goods are welcome"), required=False, initial=True
    )
    ask_first = forms.BooleanField(label=gettext_lazy("Ask us before sending"), required=False)
    requirements = forms.CharField(
        label=gettext_lazy("What else it has to be"),
        max_length=300,
        required=False,
        help_text=gettext_lazy("Everybody reads this: a test report, no valve, a brand that fits."),
    )
    min_lot = AmountField(
        label=gettext_lazy("Less than this is of no use"),
        required=False,
    )
    stock = AmountField(label=gettext_lazy("In stock now"), required=False)
    daily_use = AmountField(label=gettext_lazy("Used in a day"), required=False)
    left_out = forms.BooleanField(label=gettext_lazy("Leave this item out"), required=False)
    # Of a line that was read from an announcement: its words there, and why somebody should look at it.
    words = forms.CharField(required=False, max_length=300, widget=forms.HiddenInput)
    doubt = forms.CharField(required=False, max_length=1000, widget=forms.HiddenInput)

    details = (
        "standards",
        "setting",
        "medical_grade",
        "sterile",
        "substitutes_welcome",
        "ask_first",
        "requirements",
        "min_lot",
        "stock",
        "daily_use",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.hint: Hint | None = None

    def has_changed(self) -> bool:
        """Of a line that was read, to choose no item leaves it out; of any, to say so."""
        if self["left_out"].value() or (self["words"].value() and not self["item"].value()):
            return False
        return super().has_changed()

    @property
    def is_settled(self) -> bool:
        """Read without a doubt and without a fault: it may be folded away under what it says."""
        return bool(
            self["words"].value() and not self["doubt"].value() and not (self.is_bound and self.errors)
        )

    @property
    def summary(self) -> str:
        """The line as it stands in its fields, in a few words."""
        item = self.shelf.items.get(self["item"].value())
        if item is None:
            return _("left out")
        kind = self["quantity_kind"].value()
        if kind != QuantityKind.NUMBER:
            return f"{item.name} · {QuantityKind(kind).label if kind in QuantityKind else '–'}"
        unit = self.shelf.units.get(self["unit"].value()) or item.display_unit
        return f"{item.name} · {self['amount'].value() or '–'} {unit.name}"

    @property
    def as_written(self) -> str:
        """The words of the announcement it was read from, else what was typed."""
        return self.cleaned_data.get("words") or super().as_written

    def clean(self) -> dict[str, Any]:
        values = super().clean()
        if values.get("item") is None:
            return values
        is_number = values.get("quantity_kind") == QuantityKind.NUMBER
        if is_number and values.get("amount") is None and "amount" not in self.errors:
            self.add_error(
                "amount", _("How many? Write a number, or choose “without limit” or “I do not know”.")
            )
        if not is_number and values.get("amount") is not None:
            self.add_error(
                "amount", _("Write a number or say that it is without limit or unknown, not both.")
            )
        for name in ("min_lot", "stock", "daily_use"):
            values[name] = self._usual(name, values["item"])
        return values

    def _usual(self, name: str, item: Item) -> int | None:
        """An amount in the item's usual unit, whatever pack the line is counted in."""
        amount = self.cleaned_data.get(name)
        if not amount:
            return None if amount is None else 0
        try:
            return self.shelf.to_base(item, amount)
        except ValidationError as fault:
            self.add_error(name, fault.messages)  # type: ignore[arg-type]
            return None

    @property
    def line(self) -> dict[str, Any]:
        """The line as `needs.services.post` takes it."""
        values = self.cleaned_data
        same = ("item", "quantity_kind", "quantity", "pack_content", "setting", "medical_grade", "sterile")
        line = {
            name: values.get(name) for name in (*same, "substitutes_welcome", "ask_first", "requirements")
        }
        line |= {"urgency": values.get("urgency"), "needed_by": values.get("needed_by")}
        line |= {"unit": self.shelf.units.get(values.get("unit", "")), "as_written": self.as_written}
        line |= {"accepted_standards": values["standards"], "min_lot": values.get("min_lot") or 1}
        line |= {"stock_on_hand": values.get("stock"), "daily_use": values.get("daily_use")}
        line["counted_on"] = self.on if values.get("stock") is not None else None
        return line


class NeedFormSet(BaseGoodsFormSet):
    def give_hints(self, shelf: Shelf, *, on: date) -> None:
        """Each line with an item says how that is counted and which standards are usual."""
        chosen = {form: shelf.items.get(form["item"].value()) for form in self.forms}
        known = hints([item for item in chosen.values() if item], shelf, on=on)
        for form, item in chosen.items():
            form.hint = known.get(item.code) if item else None

    def clean(self) -> None:
        if not self.filled:
            raise ValidationError(_("Name at least one item that is needed."))


def need_lines(lines: int) -> type[NeedFormSet]:
    """The lines of an appeal, this many of them shown."""
    return forms.formset_factory(  # type: ignore[return-value]
        NeedForm, formset=NeedFormSet, extra=lines, max_num=60, absolute_max=60
    )


DUE_DAYS = (1, 3, 7, 14)


class NeedFilter(forms.Form):
    """How visitors narrow the needs. An empty field narrows nothing."""

    q = forms.CharField(
        label=gettext_lazy("Search"),
        required=False,
        max_length=60,
        widget=forms.TextInput(attrs={"type": "search"}),
    )
    have = forms.CharField(
        label=gettext_lazy("What I have"),
        required=False,
        max_length=60,
        help_text=gettext_lazy(
            "Goods or their standard, as KN95 or YY 0469. Shown is also what they may stand in for."
        ),
    )
    near = forms.CharField(
        label=gettext_lazy("Nearest to"),
        required=False,
        max_length=60,
        help_text=gettext_lazy("A city, a district or a hospital: the nearest needs come first."),
    )
    urgency = forms.TypedChoiceField(
        label=gettext_lazy("Urgency"),
        choices=[("", gettext_lazy("all")), *Urgency.choices],
        coerce=int,
        empty_value=None,
        required=False,
        widget=LongSelect,
    )
    due = forms.TypedChoiceField(
        label=gettext_lazy("Needed"),
        coerce=int,
        empty_value=None,
        required=False,
        widget=LongSelect,
    )
    # The options of these three are bare columns; a field of models would make a row of each, and ask for the chosen one.
    category = forms.ChoiceField(label=gettext_lazy("Category"), required=False, widget=LongSelect)
    item = forms.ChoiceField(label=gettext_lazy("Item"), required=False, widget=LongSelect)
    standard = forms.ChoiceField(label=gettext_lazy("Standard"), required=False, widget=LongSelect)
    sender = forms.ChoiceField(
        label=gettext_lazy("Takes goods from"),
        choices=[("", gettext_lazy("anybody")), *SenderKind.choices],
        required=False,
        widget=LongSelect,
    )
    status = forms.ChoiceField(
        label=gettext_lazy("Status"),
        choices=[
            ("", gettext_lazy("open, then met")),
            (NeedStatus.OPEN, gettext_lazy("open")),
            (NeedStatus.MET, gettext_lazy("met")),
            (NeedStatus.WITHDRAWN, gettext_lazy("not needed any more")),
            (NeedStatus.LAPSED, gettext_lazy("lapsed")),
            ("any", gettext_lazy("all")),
        ],
        required=False,
        widget=LongSelect,
    )
    fresh = forms.ChoiceField(
        label=gettext_lazy("Confirmation"),
        choices=[
            ("", gettext_lazy("all")),
            ("true", gettext_lazy("confirmed lately")),
            ("false", gettext_lazy("not confirmed lately")),
        ],
        required=False,
        widget=LongSelect,
    )
    organisation = forms.ModelChoiceField(
        Organisation.objects.none(), label=gettext_lazy("Hospital"), required=False, widget=forms.HiddenInput
    )
    region = forms.CharField(
        label=gettext_lazy("Region"), required=False, max_length=12, widget=forms.HiddenInput
    )
    # The addresses of lists that were passed on before a region had one name for all levels.
    province = forms.CharField(required=False, max_length=12, widget=forms.HiddenInput)
    city = forms.CharField(required=False, max_length=12, widget=forms.HiddenInput)
    district = forms.CharField(required=False, max_length=12, widget=forms.HiddenInput)

    folded = ("urgency", "due", "category", "item", "standard", "sender", "status", "fresh")

    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.places: list[Place] = []
        self.served: list[Served] = []
        self.tells_standard = True
        self.shelf = Shelf.kept()
        self.fields["organisation"].queryset = Organisation.objects.visible_to(user)  # type: ignore[attr-defined]
        every = ("", _("all"))
        self._offer("category", [every, *self.shelf.category_choices])
        self._offer("item", [every, *self.shelf.item_choices])
        self._offer("standard", [every, *self.shelf.standard_choices])
        self._offer(
            "due",
            [
                ("", _("at any time")),
                *[
                    (days, ngettext("within %(n)d day", "within %(n)d days", days) % {"n": days})
                    for days in DUE_DAYS
                ],
            ],
        )

    def _offer(self, name: str, choices: list[tuple[Any, Any]]) -> None:
        self.fields[name].choices = choices  # type: ignore[attr-defined]

    @property
    def folded_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in self.folded]

    @property
    def chosen(self) -> list[str]:
        """What narrows the list beyond the words searched for, as people read it."""
        fields = [field for field in self.folded_fields if field.data]
        options = [option.data for field in fields for option in field.subwidgets]
        return [str(option["label"]) for option in options if option["selected"]]

    def clean_near(self) -> str:
        """The places are `places`: the region or hospital that is called so, then others of the same name."""
        text: str = self.cleaned_data["near"]
        if text:
            self.places = places_called(text, self.fields["organisation"].queryset)  # type: ignore[attr-defined]
            if not self.places:
                raise ValidationError(
                    _("We do not know a place called “%(name)s”. Try a city or district, e.g. Wuhan."),
                    params={"name": text},
                )
        return text

    def clean_have(self) -> str:
        text: str = self.cleaned_data["have"]
        if text:
            self.served = self.shelf.serving.by(text)
            self.tells_standard = self.shelf.serving.tells_standard(text)
            if not self.served:
                raise ValidationError(
                    _(
                        "We couldn't find that. Try the name or standard printed on the box, e.g. KN95 or surgical mask."
                    )
                )
        return text

    def clean(self) -> dict[str, Any]:
        """`region` becomes the smallest place that was named; a city left over from another province is dropped."""
        values: dict[str, Any] = super().clean() or {}
        named = [values.get(name, "") for name in ("region", "province", "city", "district")]
        codes = [code for code in named if code]
        values["region"] = None
        if codes:
            known = Region.objects.select_related("parent__parent").in_bulk(codes)
            for code in codes:
                if code not in known:
                    self.add_error("region", _("There is no such place."))
                    return values
            region = known[codes[0]]
            for code in codes[1:]:
                region = known[code] if region.contains(known[code]) else region
            values["region"] = region
        return values

    def why_not_watched(self) -> str:
        """Why nobody can be told of what is new in this list, naming the filter; empty if one can. Call on a valid form."""
        chosen = self.cleaned_data
        if chosen["status"] not in ("", NeedStatus.OPEN, "any"):
            return _(
                "“Status” cannot be watched: what is new is always open. Take this filter away and save."
            )
        if chosen["fresh"] == "false":
            return _(
                "“Confirmation” cannot be watched: what is new has just been confirmed. Take this filter away and save."
            )
        if chosen["near"] and not any(chosen[name] for name in self.fields if name != "near"):
            return _(
                "“Nearest to” cannot be watched: it orders the list and leaves nothing out. Choose a region instead."
            )
        return ""

    def phases(self, needs: NeedQuerySet) -> list[NeedQuerySet]:
        """What was narrowed, in order: what is open, of that last what wants nothing, then what is not open any more."""
        status = self.cleaned_data["status"]
        open_ = [*self._itself_first(needs.open().wanting()), needs.open().wanting_nothing()]
        rest = needs.exclude(status=NeedStatus.OPEN)
        if status in ("", "any"):
            return [*open_, rest if status else needs.filter(status=NeedStatus.MET)]
        return open_ if status == NeedStatus.OPEN else [needs.none(), needs.filter(status=status)]

    def of_status(self, needs: NeedQuerySet) -> NeedQuerySet:
        """What was narrowed, as far as somebody who looks for it counts it: of the status that was chosen, or else what is open."""
        status = self.cleaned_data["status"] or NeedStatus.OPEN
        return needs if status == "any" else needs.filter(status=status)

    def _itself_first(self, needs: NeedQuerySet) -> list[NeedQuerySet]:
        """What asks for the very goods somebody has before what they stand in for; by distance all together."""
        itself = [one.item.pk for one in self.served if one.is_itself]
        if self.places or len(itself) == len(self.served):
            return [needs]
        return [needs.filter(item__in=itself), needs.exclude(item__in=itself)]

    @property
    def by_item(self) -> dict[str, Served]:
        """Of the goods somebody has: as what they may go to a need of an item."""
        return {one.item.pk: one for one in self.served}

    @property
    def filters(self) -> int:
        """How many narrow the list. Of a valid form."""
        names = ("q", "have", "region", "category", "item", "standard", "organisation")
        return sum(bool(self.cleaned_data[name]) for name in names)

    def narrowed(self, needs: NeedQuerySet, *, on: date) -> NeedQuerySet:
        """The needs this filter lets through, whatever their status. Call on a valid form.

        on   the day from which deadlines count
        """
        chosen = self.cleaned_data
        if chosen["region"] is not None:
            needs = needs.in_region(chosen["region"])
        if chosen["category"]:
            needs = needs.filter(item__in=self.shelf.codes_in(chosen["category"]))
        if chosen["item"]:
            needs = needs.filter(item=chosen["item"])
        if self.served:
            needs = needs.filter(item__in=[one.item.pk for one in self.served])
        if chosen["standard"]:
            needs = needs.filter(accepted_standards=chosen["standard"])
        if chosen["organisation"]:
            needs = needs.filter(site__organisation=chosen["organisation"])
        if chosen["urgency"]:
            needs = needs.filter(urgency=chosen["urgency"])
        if chosen["due"]:
            needs = needs.filter(needed_by__lte=on + timedelta(days=chosen["due"]))
        if chosen["sender"]:
            needs = needs.filter(appeal__accepted_senders__contains=[chosen["sender"]])
        if chosen["fresh"]:
            needs = needs.filter(is_grey=chosen["fresh"] == "false")
        return needs.about(chosen["q"]) if chosen["q"] else needs
