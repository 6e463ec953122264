"""How people pick an item and write how much of it: fields that every form with goods shares."""

import re
import unicodedata
from datetime import date
from fractions import Fraction
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from supplies.catalogue.models import Item
from supplies.catalogue.shelf import Shelf
from supplies.selects import LongSelect

POWERS = {"十": 10, "百": 100, "千": 1000, "万": 10_000, "亿": 100_000_000}
WRITTEN = re.compile(
    rf"(?P<digits>\d{{1,3}}(?:,\d{{3}})+|\d+)(?P<rest>\.\d+)?(?P<powers>[{''.join(POWERS)}]*)"
)
MOST_CALLED = 60  # characters of a name that is looked up


def read_amount(text: str) -> Fraction:
    """A number as people type it: ２０００, 2,000, 2万, 1.5. Raises ValidationError with a sentence that says what to do."""
    plain = re.sub(r"\s", "", unicodedata.normalize("NFKC", text))
    if re.match(r"[-−–]", plain):
        raise ValidationError(_("The quantity has to be more than nothing."))
    match = WRITTEN.fullmatch(plain)
    if match is None:
        raise ValidationError(
            _("“%(text)s” is not a number. Write digits only, for example 2000.") % {"text": text}
        )
    number = Fraction(match["digits"].replace(",", "") + (match["rest"] or ""))
    for power in match["powers"]:
        number *= POWERS[power]
    return number


class AmountField(forms.CharField):
    """A quantity in whatever unit the form says; becomes a Fraction, or None when left empty."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("max_length", 24)
        kwargs.setdefault("widget", forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}))
        super().__init__(**kwargs)

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        return read_amount(text) if text else None


class GoodsForm(forms.Form):
    """One line of goods: which item, how much, in which unit. `shelf` is shared by all lines of a page.

    The item is found by what people call it (`called`) and chosen from what is known by that name.

    After a valid clean, cleaned_data has `item` (an Item), `quantity` (base units, or None) and `standards`.
    """

    details: tuple[str, ...] = ()  # fields that are folded away

    called = forms.CharField(
        label=gettext_lazy("What do you call it?"),
        required=False,
        max_length=MOST_CALLED,
        widget=forms.TextInput(attrs={"autocomplete": "off", "data-picks": "item"}),
        help_text=gettext_lazy("Any name: N95, 口罩, 84, gown. What we know by it stands in the list below."),
    )
    item = forms.ChoiceField(label=gettext_lazy("Item"), widget=LongSelect)
    amount = AmountField(label=gettext_lazy("How many"), required=False)
    unit = forms.ChoiceField(label=gettext_lazy("Counted in"), required=False, widget=LongSelect)
    pack_content = forms.IntegerField(
        label=gettext_lazy("One box, carton or bottle holds"),
        required=False,
        min_value=1,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
        help_text=gettext_lazy("Only for packs: pieces, single gloves or millilitres in one of them."),
    )
    standards = forms.CharField(
        label=gettext_lazy("Standards"),
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs={"list": "standards-known", "autocomplete": "off"}),
        help_text=gettext_lazy("As printed on the box, for example GB 19083-2010, NIOSH N95, EN 14683."),
    )

    def __init__(self, *args: Any, shelf: Shelf, on: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.shelf, self.on = shelf, on
        self.oddities: list[str] = []
        self.fields["item"].choices = [("", _("— choose —")), *shelf.item_choices]  # type: ignore[attr-defined]
        self.fields["unit"].choices = shelf.unit_choices  # type: ignore[attr-defined]
        # Not asked of the fields: what they begin with would be settled by that.
        given = {name: self.data.get(self.add_prefix(name)) for name in ("called", "item")}
        given = given if self.is_bound else {name: self.initial.get(name) for name in given}
        called = given["called"] or ""
        suggested = [] if given["item"] else shelf.suggest(called)
        self.is_unknown = bool(called.strip()) and not (suggested or given["item"])
        if suggested:
            self._put_first({one.item.code for one in suggested}, called)

    def _put_first(self, known: set[str], called: str) -> None:
        """Without JavaScript: what was meant stands at the top of the list, and is chosen where nothing else can be meant."""
        items, empty = self.fields["item"], ("", _("— choose —"))
        found = [
            (code, name) for _group, rows in self.shelf.item_choices for code, name in rows if code in known
        ]
        title = _("Known as “%(name)s”") % {"name": called}
        items.choices = [empty, (title, found), *self.shelf.item_choices]  # type: ignore[attr-defined]
        if len(found) == 1 and not self.is_bound:
            self.initial["item"] = found[0][0]

    def has_changed(self) -> bool:
        """Ticks alone do not make a line."""
        return any(not isinstance(self.fields[name], forms.BooleanField) for name in self.changed_data)

    def clean_item(self) -> Item:
        return self.shelf.items[self.cleaned_data["item"]]

    def clean(self) -> dict[str, Any]:
        values = self.cleaned_data
        item = values.get("item")
        if item is None:
            return values
        values["quantity"] = self.in_base_units(values.get("amount"))
        found, self.oddities, wrong = self.shelf.standards(values.get("standards") or "", item, on=self.on)
        for sentence in wrong:
            self.add_error("standards", sentence)
        values["standards"] = found
        return values

    def in_base_units(self, amount: Fraction | None) -> int | None:
        """The amount in the line's unit as base units; a fault is put beside its field."""
        if amount is None or "pack_content" in self.errors:
            return None
        values = self.cleaned_data
        try:
            return self.shelf.to_base(
                values["item"], amount, values.get("unit", ""), values.get("pack_content")
            )
        except ValidationError as fault:
            self.put_beside(fault.message_dict)
        return None

    def put_beside(self, faults: dict[str, list[str]]) -> None:
        """Show what a verb refused beside the field a person knows it by."""
        shown_as = {"quantity": "amount", "standard": "standards", "accepted_standards": "standards"}
        for field, sentences in faults.items():
            name = shown_as.get(field, field)
            for sentence in sentences:
                self.add_error(name if name in self.fields else None, sentence)

    @property
    def has_folded_errors(self) -> bool:
        """A fault in what is folded away has to be seen."""
        return self.is_bound and bool(set(self.details) & set(self.errors))

    @property
    def as_written(self) -> str:
        """The words that were typed, kept beside what was read."""
        parts = [self["amount"].value(), self.cleaned_data.get("unit"), self["pack_content"].value()]
        return " × ".join(str(part) for part in parts if part)[:300]


class BaseGoodsFormSet(forms.BaseFormSet):
    """Lines that may be left empty; those filled in are numbered as people see them, from the top."""

    def initial_form_count(self) -> int:
        return 0  # every line is new, so an empty one is simply skipped

    @property
    def filled(self) -> list[Any]:
        return [form for form in self.forms if form.has_changed()]

    def put_beside(self, faults: dict[str, list[str]]) -> dict[str, list[str]]:
        """Hand "lines.2.quantity" to the third filled line; returns what concerns no line."""
        rest: dict[str, list[str]] = {}
        for field, sentences in faults.items():
            name, _dot, tail = field.partition(".")
            if name == "lines" and tail:
                position, _dot, line_field = tail.partition(".")
                self.filled[int(position)].put_beside({line_field: sentences})
            else:
                rest[field] = sentences
        return rest

    def once_more(self, prefix: str, data: Any) -> list[dict[str, Any]]:
        """What was typed in every line, to be shown again without judging it. Whoever looks a name up means to choose anew."""
        typed = [
            {
                name: field.widget.value_from_datadict(data, {}, f"{prefix}-{position}-{name}")
                for name, field in form.fields.items()
            }
            for position, form in enumerate(self.forms)
        ]
        for position, line in enumerate(typed):
            if data.get("find") == f"{prefix}-{position}" and (line["called"] or "").strip():
                line["item"] = ""
        return typed
