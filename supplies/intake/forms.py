"""What people hand in: an announcement, a list, what the columns of a table are, and what the words of a list mean."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.forms.boundfield import BoundField
from django.utils.functional import lazystr
from django.utils.translation import gettext_lazy as _

from supplies.attachments.models import MOST_BYTES
from supplies.catalogue.models import Item, Unit
from supplies.emergencies.models import Emergency
from supplies.intake.announcements import Announcement, read_announcement
from supplies.intake.formats import FORMATS
from supplies.intake.formats.sheet import Column, Means, Plan, Role
from supplies.intake.mapping import CERTAIN, Proposal, ProposedColumn
from supplies.intake.reading.findings import Unreadable, found
from supplies.intake.reading.plain import LONGEST
from supplies.needs.models import QuantityKind
from supplies.organisations.models import Organisation
from supplies.organisations.names import normal_name
from supplies.regions.models import Region
from supplies.selects import LongSelect

FIGURES = {"1": "one", "0": "zero", "-1": "minus"}  # figures that lists use to say something else
_COUNTED = {Role.ITEM, Role.QUANTITY}
_MAY_FILL = {
    *(Role.NAME, Role.PROVINCE, Role.CITY, Role.DISTRICT, Role.ADDRESS, Role.CONTACT, Role.CONTACT_NAME),
    *(Role.PHONE, Role.LINK, Role.PUBLISHED, Role.UPDATED),
}  # never goods or figures: what is not written is not asked for


def _wholes() -> list[tuple[str, str]]:
    """What a whole list may be about: a country or a province."""
    rows = Region.objects.filter(level__in=["country", "province"]).from_the_top()
    return [(row.code, row.name) for row in rows]


@dataclass(frozen=True)
class FieldsOfColumn:
    """What the page shows of one column."""

    proposed: ProposedColumn
    role: BoundField
    means: list[BoundField]
    fills: BoundField | None

    @property
    def is_sure(self) -> bool:
        return self.proposed.confidence >= CERTAIN


class WhereForm(forms.Form):
    """Where in the file the table is: which sheet, and which of its first rows are the headings. Nothing is stored."""

    sheet = forms.ChoiceField(label=_("Sheet"), required=False)
    first = forms.TypedChoiceField(
        label=_("First row of the headings"), required=False, coerce=int, empty_value=None
    )
    last = forms.TypedChoiceField(
        label=_("Last row of the headings"), required=False, coerce=int, empty_value=None
    )

    def __init__(self, proposal: Proposal) -> None:
        plan = proposal.plan
        super().__init__(initial={"sheet": plan.sheet, "first": plan.header_first, "last": plan.header_last})
        fields: Any = self.fields
        fields["sheet"].choices = [
            ("", _("every sheet that has these headings")),
            *((name, name) for name in proposal.sheets),
        ]
        rows = [(at, f"{number}: {text}") for at, (number, text) in enumerate(proposal.head)]
        fields["first"].choices = fields["last"].choices = rows
        self.has_sheets, self.has_rows = len(proposal.sheets) > 1, len(rows) > 1


class MappingForm(forms.Form):
    """One select for each column, and for columns that are counted what 1, 0 and -1 mean. Valid, it has a `plan`.

    The fields are named by position, since headings may be anything.
    """

    region = forms.ChoiceField(
        label=_("Region of rows that name no place"), required=False, widget=LongSelect
    )
    gives = forms.BooleanField(label=_("The rows give goods; they do not ask for any"), required=False)

    def __init__(self, proposal: Proposal, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.proposal = proposal
        region: Any = self.fields["region"]
        region.choices = [("", _("— none: such rows are refused —")), *_wholes()]
        region.initial = proposal.plan.region
        self.fields["gives"].initial = proposal.plan.gives
        for at, proposed in enumerate(proposal.columns):
            self._offer(at, proposed.column)

    def _offer(self, at: int, column: Column) -> None:
        self.fields[f"role-{at}"] = forms.ChoiceField(
            label=column.label, choices=Role.choices, initial=column.role
        )
        typed = self.data.get(self.add_prefix(f"role-{at}")) if self.is_bound else column.role
        if typed in _MAY_FILL:
            self.fields[f"fills-{at}"] = forms.BooleanField(
                label=_("An empty cell takes the one above it"), required=False, initial=column.fills
            )
        if typed not in _COUNTED:
            return
        for figure, name in FIGURES.items():
            self.fields[f"{name}-{at}"] = forms.ChoiceField(
                label=_("%(figure)s means") % {"figure": figure},
                choices=[("", _("just that number")), *Means.choices],
                required=False,
                initial=column.means.get(figure, ""),
            )

    def columns(self) -> Iterator[FieldsOfColumn]:
        for at, proposed in enumerate(self.proposal.columns):
            means = [self[f"{name}-{at}"] for name in FIGURES.values() if f"{name}-{at}" in self.fields]
            fills = self[f"fills-{at}"] if f"fills-{at}" in self.fields else None
            yield FieldsOfColumn(proposed, self[f"role-{at}"], means, fills)

    def clean(self) -> dict[str, Any]:
        roles = {value for name, value in self.cleaned_data.items() if name.startswith("role-")}
        if Role.NAME not in roles:
            self.add_error(None, found("no-name-column").sentence)
        if not roles & {Role.ITEM, Role.GOODS, Role.GOODS_LIST}:
            self.add_error(None, found("no-goods-column").sentence)
        return self.cleaned_data

    @property
    def plan(self) -> Plan:
        """As confirmed; for `mapping.remember` and `mapping.format_of`."""
        given = self.proposal
        confirmed = [self._column(at, proposed.column) for at, proposed in enumerate(given.columns)]
        return replace(
            given.plan,
            columns=tuple(confirmed),
            region=self.cleaned_data["region"],
            gives=self.cleaned_data["gives"],
        )

    def _column(self, at: int, column: Column) -> Column:
        role = Role(self.cleaned_data[f"role-{at}"])
        named = {figure: self.cleaned_data.get(f"{name}-{at}") for figure, name in FIGURES.items()}
        others = {figure: means for figure, means in column.means.items() if figure not in FIGURES}
        means = {**others, **{figure: word for figure, word in named.items() if word}}
        return replace(
            column,
            role=role,
            specification=column.specification if role is Role.ITEM else "",
            means=means if role in _COUNTED else {},
            fills=bool(self.cleaned_data.get(f"fills-{at}")),
        )


class AnnouncementForm(forms.Form):
    """An announcement as text. After a valid clean, `announcement` is what was read."""

    text = forms.CharField(
        label=_("The announcement"),
        max_length=LONGEST,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 14, "autofocus": True}),
        help_text=_(
            "Paste it as it stands: from a web page, a chat, a sheet. Chinese or English. Bank accounts are left out."
        ),
    )
    as_of = forms.DateField(
        label=_("Read as of"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text=_("The day it was published. “Within a week” counts from there. Empty: today."),
    )

    hospital = forms.CharField(
        label=_("Another hospital: its name, or a part of it"),
        required=False,
        max_length=60,
        widget=forms.TextInput(attrs={"form": "announcement", "type": "search", "autocomplete": "off"}),
    )

    announcement: Announcement | None = None

    def __init__(self, *args: object, today: date, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.today = today

    def clean_text(self) -> str:
        text: str = self.cleaned_data["text"]
        if not text.strip():
            raise ValidationError(_("Paste the announcement first."))
        return text

    def clean(self) -> dict[str, object]:
        if text := self.cleaned_data.get("text"):
            try:
                self.announcement = read_announcement(
                    text, as_of=self.cleaned_data.get("as_of") or self.today
                )
            except Unreadable as fault:
                self.add_error("text", str(fault))
        return self.cleaned_data


MOST_FILES = 10


class SeveralFiles(forms.ClearableFileInput):
    allow_multiple_selected = True


class FilesField(forms.FileField):
    """One file or several. Cleans to a list."""

    widget = SeveralFiles

    def clean(self, data: Any, initial: Any = None) -> Any:
        files = data if isinstance(data, list | tuple) else [data]
        if len(files) > MOST_FILES:
            raise ValidationError(_("Choose %(most)d files at most."), params={"most": MOST_FILES})
        clean = super().clean
        return [clean(file, initial) for file in files or [None]]


class HandInForm(forms.Form):
    lists = FilesField(
        label=_("Files"),
        help_text=_(
            "Lists as they were published. They are read first; nothing is entered before you say so."
        ),
    )
    emergency = forms.ModelChoiceField(label=_("Emergency"), queryset=Emergency.objects.none())
    format = forms.ChoiceField(
        label=_("Format"),
        required=False,
        choices=[("", _("find out")), *((code, code) for code in sorted(FORMATS))],
    )
    source = forms.CharField(
        label=_("Source"),
        required=False,
        max_length=80,
        help_text=_(
            "What you correct is remembered for the next list of the same source. Empty: all lists of the format."
        ),
    )
    as_of = forms.DateField(
        label=_("As of"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text=_(
            "The day for which freshness and editions are judged. Empty: the newest day the list names."
        ),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        emergencies: Any = self.fields["emergency"]
        emergencies.queryset = Emergency.objects.newest_first()
        too_large = {
            "data-most-bytes": MOST_BYTES,
            "data-too-large": lazystr(
                _("A file may have 5 MB at most. Larger lists are imported by the command.")
            ),
        }
        self.fields["lists"].widget.attrs.update(too_large)

    def clean(self) -> dict[str, Any]:
        """Files that were chosen are gone with any other fault, and nobody looks for that at a field without one."""
        if self.errors and "lists" not in self.errors:
            self.say_choose_again()
        return self.cleaned_data

    def say_choose_again(self) -> None:
        self.add_error(
            "lists", _("Nothing was kept of the files. Choose them once more: a browser does not keep them.")
        )


class NamedChoice(forms.ModelChoiceField):
    """Chosen by typing its code or its name, with suggestions from the list of the page."""

    def __init__(self, *args: Any, suggested_in: str = "", **kwargs: Any) -> None:
        attrs = {"list": suggested_in} if suggested_in else {}
        super().__init__(*args, widget=forms.TextInput(attrs={**attrs, "autocomplete": "off"}), **kwargs)

    def named(self, text: str) -> QuerySet[Any]:
        """The rows somebody may mean by it; every one but the first makes it ambiguous."""
        raise NotImplementedError

    def to_python(self, value: Any) -> Any:
        text = str(value or "").strip()
        if not text:
            return None
        rows = list(self.named(text)[:2])
        if len(rows) != 1:
            raise ValidationError(
                _("“%(text)s” names nothing here, or more than one. Write its code."),
                params={"text": text[:60]},
            )
        return rows[0]


class ItemField(NamedChoice):
    def named(self, text: str) -> QuerySet[Any]:
        by_code = Item.objects.active().filter(pk=text.partition(" ")[0].upper())
        if by_code.exists():
            return by_code
        return Item.objects.active().filter(name_zh=text) | Item.objects.active().filter(name_en__iexact=text)


class RegionField(NamedChoice):
    def named(self, text: str) -> QuerySet[Any]:
        by_code = Region.objects.filter(pk=text.partition(" ")[0])
        return by_code if by_code.exists() else Region.objects.filter(name_zh=text)


class OrganisationField(NamedChoice):
    def named(self, text: str) -> QuerySet[Any]:
        return Organisation.objects.filter(normal_name=normal_name(text))


class HeadingForm(forms.Form):
    """About one line of a row, named by its heading."""

    heading = forms.CharField(widget=forms.HiddenInput, max_length=200, strip=False)


class GoodsForm(HeadingForm):
    item = ItemField(label=_("It is"), queryset=Item.objects.none(), suggested_in="items")


class QuantityForm(HeadingForm):
    quantity = forms.IntegerField(
        label=_("Quantity"), min_value=1, required=False, help_text=_("In the unit the item is shown in.")
    )
    quantity_kind = forms.ChoiceField(label=_("kind of quantity"), choices=QuantityKind)
    everywhere = forms.BooleanField(label=_("The same value means so in the whole column"), required=False)


class UnitForm(HeadingForm):
    """One of the words is so many of a unit, which may be a package of so many."""

    times = forms.IntegerField(label=_("how many"), min_value=1, max_value=1_000_000, required=False)
    unit = forms.ModelChoiceField(label=_("Unit"), queryset=Unit.objects.order_by("code"))
    each = forms.IntegerField(label=_("of so many each"), min_value=1, max_value=1_000_000, required=False)
    everywhere = forms.BooleanField(label=_("The word means so for all goods of this source"), required=False)


class PlaceForm(forms.Form):
    region = RegionField(
        label=_("The place is"),
        queryset=Region.objects.none(),
        help_text=_("Code or full name of the region."),
    )


class NameForm(forms.Form):
    organisation = OrganisationField(
        label=_("This is"), queryset=Organisation.objects.none(), help_text=_("The name it is known by here.")
    )


class SureForm(forms.Form):
    sure = forms.BooleanField(label=_("Throw away what was not entered, and the file"))
