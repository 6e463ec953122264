"""How people pick an item and write how much of it: fields that every form with goods shares."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from functools import cached_property
from itertools import groupby
from typing import Any, NamedTuple

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from supplies.catalogue.dictionary import Dictionary, folded
from supplies.catalogue.models import Item, Standard, Unit, UnitKind, UnitRule
from supplies.catalogue.services import Counterfeits
from supplies.editions.models import in_readers_language
from supplies.selects import LongSelect

POWERS = {"十": 10, "百": 100, "千": 1000, "万": 10_000, "亿": 100_000_000}
WRITTEN = re.compile(
    rf"(?P<digits>\d{{1,3}}(?:,\d{{3}})+|\d+)(?P<rest>\.\d+)?(?P<powers>[{''.join(POWERS)}]*)"
)
SYNONYMS_SHOWN = 2
SUGGESTED = 8
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


FAR = 3


def _closeness(name: str, word: str) -> int:
    """0 the very name, 1 its beginning, 2 inside it, FAR otherwise."""
    return 0 if name == word else 1 if name.startswith(word) else 2 if word in name else FAR


@dataclass(frozen=True)
class Suggestion:
    """An item, and the name of it that was meant."""

    item: Item
    called: str

    @property
    def other_name(self) -> str:
        """The name that was meant, where it is not the one that is shown."""
        return "" if self.called == self.item.name else self.called


class Shelf:
    """The catalogue as one page shows it; read once, however many lines the form has."""

    @cached_property
    def dictionary(self) -> Dictionary:
        return Dictionary()

    @cached_property
    def counterfeits(self) -> Counterfeits:
        return Counterfeits()

    @cached_property
    def items(self) -> dict[str, Item]:
        rows = Item.objects.active().select_related("category", "base_unit", "display_unit").by_category()
        return {item.code: item for item in rows}

    @cached_property
    def item_choices(self) -> list[tuple[Any, Any]]:
        """Items under their categories, each with other names it goes by and the unit it is counted in."""
        rows = ((item.category.name, item.code, _label_of(item)) for item in self.items.values())
        return [("", _("— choose —")), *_grouped(rows)]

    def suggest(self, text: str) -> list[Suggestion]:
        """The items somebody may mean who types this, the likeliest first: the whole name before its beginning, and that
        before what lies inside it; last what the dictionary makes of it.
        """
        word = folded(text)
        if not word:
            return []
        ranked = []
        for place, item in enumerate(self.items.values()):
            names = [item.name, item.name_zh, item.name_en, item.code, *item.synonyms]
            fits = [(_closeness(folded(name), word), position) for position, name in enumerate(names)]
            closeness, position = min(fits)
            if closeness < FAR:
                ranked.append(((closeness, place), Suggestion(item, names[position])))
        if not ranked:
            found = self.dictionary.find_items(text)
            return [Suggestion(self.items[one.item.code], one.item.name) for one in found][:SUGGESTED]
        return [one for _rank, one in sorted(ranked, key=lambda pair: pair[0])][:SUGGESTED]

    @cached_property
    def unit_choices(self) -> list[tuple[Any, Any]]:
        kinds = dict(UnitKind.choices)
        units = list(
            Unit.objects.filter(pk__in=UnitRule.objects.values("unit")).order_by("kind", "source", "code")
        )
        groups = groupby(
            sorted(units, key=lambda unit: UnitKind.values.index(unit.kind)), key=lambda u: u.kind
        )
        return [
            ("", _("the usual unit")),
            *[(kinds[kind], [(unit.code, unit.name) for unit in group]) for kind, group in groups],
        ]

    @cached_property
    def units(self) -> dict[str, Unit]:
        return {unit.code: unit for unit in Unit.objects.all()}

    def to_base(self, item: Item, amount: Fraction, unit: str = "", content: int | None = None) -> int:
        """Base units of the item. Raises ValidationError for "quantity", "unit" or "pack_content"."""
        if not unit and item.needs_pack_content:
            unit = item.display_unit_id
        spoken = self.units[unit].name if unit in self.units else ""
        # The code serves where a name is not spoken of this item; a refusal names the unit as people say it.
        is_known_by_code = unit and self.dictionary.unit_rule(item, unit) is not None
        is_known = spoken and self.dictionary.unit_rule(item, spoken) is not None
        words = spoken if is_known or not is_known_by_code else unit
        return self.dictionary.to_base(item, amount, words or unit, content)

    def is_package(self, item: Item, unit: str) -> bool:
        rule = self.dictionary.unit_rule(item, unit) if unit else None
        return rule is not None and rule.is_package

    def standards(self, text: str, item: Item, *, on: date) -> tuple[list[Standard], list[str], list[str]]:
        """The usable standards a text quotes, what was odd about them, and what was not understood at all."""
        if not text.strip():
            return [], [], []
        # Where no standard is loaded yet, none can be recognised.
        readings = self.dictionary.read_standards(text, item, on=on) if self.dictionary.standards else []
        found = [reading.standard for reading in readings if reading.standard is not None]
        odd = [str(w.text) for reading in readings if reading.standard is not None for w in reading.warnings]
        # The last warning is the one that decided.
        wrong = [str(r.warnings[-1].text) for r in readings if r.standard is None and r.warnings]
        if not readings:
            wrong = [_("No standard was recognised in “%(text)s”.") % {"text": text}]
        return list(dict.fromkeys(found)), odd, wrong


class Options(NamedTuple):
    """What a list of goods is narrowed by.

    categories  those that hold items: code and name
    items       as a shelf lists them, under their categories
    codes       of a category every item, those too that are not offered any more
    """

    categories: list[tuple[str, str]]
    items: list[tuple[str, Any]]
    codes: dict[str, list[str]]


def options() -> Options:
    """Made of bare columns, all in one query: for a page that shows nothing else of them."""
    category, unit = ((f"{of}__name_zh", f"{of}__name_en") for of in ("category", "display_unit"))
    columns = Item.objects.by_category().values_list(
        "category", *category, "code", "is_active", "name_zh", "name_en", "synonyms", *unit
    )
    categories: dict[str, str] = {}
    codes: dict[str, list[str]] = defaultdict(list)
    items = []
    for group, zh, en, code, is_active, *names in columns:
        codes[group].append(code)
        if is_active:
            categories[group] = in_readers_language(zh, en)
            items.append((categories[group], code, _label(*names)))
    return Options(list(categories.items()), _grouped(items), codes)


def _grouped(rows: Iterable[tuple[str, str, str]]) -> list[tuple[str, Any]]:
    """Name of the category, code and label of each item -> options under their categories."""
    return [
        (category, [(code, label) for _category, code, label in items])
        for category, items in groupby(rows, key=lambda row: row[0])
    ]


def _label_of(item: Item) -> str:
    unit = item.display_unit
    return _label(item.name_zh, item.name_en, item.synonyms, unit.name_zh, unit.name_en)


def _label(name_zh: str, name_en: str, synonyms: list[str], unit_zh: str, unit_en: str) -> str:
    name = in_readers_language(name_zh, name_en)
    is_chinese, plain = not name.isascii(), name.lower()
    readable = [word for word in synonyms if word.isupper() or word.isascii() != is_chinese]
    others = [word for word in readable if word.lower() not in plain][:SYNONYMS_SHOWN]
    names = f"{name} — {', '.join(others)}" if others else name
    return f"{names} ({in_readers_language(unit_zh, unit_en).partition('(')[0]})"


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
        self.fields["item"].choices = shelf.item_choices  # type: ignore[attr-defined]
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
            (code, name)
            for _group, rows in self.shelf.item_choices[1:]
            for code, name in rows
            if code in known
        ]
        title = _("Known as “%(name)s”") % {"name": called}
        items.choices = [empty, (title, found), *self.shelf.item_choices[1:]]  # type: ignore[attr-defined]
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


def standards_known() -> list[str]:
    """Codes offered as suggestions while a standard is typed."""
    return list(Standard.objects.exclude(status="impossible").order_by("code").values_list("code", flat=True))
