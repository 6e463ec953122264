"""Handing in a list, and saying what its words mean."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils.functional import lazystr
from django.utils.translation import gettext_lazy as _

from supplies.attachments.models import MOST_BYTES
from supplies.catalogue.models import Item, Unit
from supplies.emergencies.models import Emergency
from supplies.intake.formats import FORMATS
from supplies.needs.models import QuantityKind
from supplies.organisations.models import Organisation
from supplies.organisations.names import normal_name
from supplies.regions.models import Region

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
    unit = forms.ModelChoiceField(label=_("Unit"), queryset=Unit.objects.order_by("code"))


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
