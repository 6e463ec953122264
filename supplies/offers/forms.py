"""What a donor fills in."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any, BinaryIO

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from supplies.attachments.forms import LOOKED_AT, FileForm
from supplies.attachments.inspection import WHY, inspected
from supplies.attachments.models import MOST_BYTES, Kind
from supplies.catalogue.forms import AmountField, BaseGoodsFormSet, GoodsForm
from supplies.catalogue.models import TransportMode
from supplies.catalogue.services import MOST_SCANNED, read_package
from supplies.emergencies.models import Emergency
from supplies.offers.models import Donation, Offer
from supplies.offers.permissions import own_donors
from supplies.organisations.forms import ContactForm
from supplies.organisations.models import Facility, Organisation
from supplies.regions.forms import PlaceForm
from supplies.wording import listed

NAMED_AT_MOST = 5
DAY = {"type": "date"}
SENDERS = [
    ("company", gettext_lazy("a company")),
    ("organisation", gettext_lazy("a charity or organisation")),
    ("person", gettext_lazy("a private person")),
    ("government", gettext_lazy("a public body")),
]
TO = "to"  # the prefix of the selects that say which region the goods are for


class Direction:
    MOST_NEEDED = "most_needed"
    HOSPITAL = "hospital"
    REGION = "region"


class DonationForm(ContactForm, PlaceForm):
    """Who gives, where the goods lie, how they travel, and for whom they are."""

    emergency = forms.ModelChoiceField(
        Emergency.objects.going_on().newest_first(), label=gettext_lazy("Emergency"), empty_label=None
    )
    donor = forms.ModelChoiceField(
        Organisation.objects.none(),
        label=gettext_lazy("Who gives"),
        required=False,
        empty_label=gettext_lazy("somebody new: write the name below"),
    )
    donor_name = forms.CharField(
        label=gettext_lazy("Name of the donor"),
        max_length=200,
        required=False,
        help_text=gettext_lazy(
            "A company, a charity or yourself. Volunteers and the receiving hospital see it."
        ),
    )
    sender_kind = forms.ChoiceField(
        label=gettext_lazy("The donor is"),
        choices=SENDERS,
    )
    address = forms.CharField(label=gettext_lazy("Pick-up address"), max_length=300, required=False)
    direction = forms.ChoiceField(
        label=gettext_lazy("For whom"),
        choices=[
            (Direction.MOST_NEEDED, gettext_lazy("where it is needed most")),
            (Direction.HOSPITAL, gettext_lazy("only for one hospital")),
            (Direction.REGION, gettext_lazy("only for one region")),
        ],
        initial=Direction.MOST_NEEDED,
        widget=forms.RadioSelect,
    )
    hospital = forms.CharField(
        label=gettext_lazy("Name of the hospital"),
        max_length=200,
        required=False,
        help_text=gettext_lazy("Only if it is for one hospital."),
    )
    mode = forms.ModelChoiceField(
        TransportMode.objects.order_by("code"),
        label=gettext_lazy("How it can travel"),
        empty_label=None,
        initial="road",
    )
    available_from = forms.DateField(
        label=gettext_lazy("Ready from"),
        required=False,
        widget=forms.DateInput(attrs=DAY, format="%Y-%m-%d"),
        help_text=gettext_lazy("Left empty: today."),
    )
    available_until = forms.DateField(
        label=gettext_lazy("Ready until"),
        required=False,
        widget=forms.DateInput(attrs=DAY, format="%Y-%m-%d"),
    )
    max_km = forms.IntegerField(
        label=gettext_lazy("At most so many kilometres"),
        required=False,
        min_value=1,
        max_value=40_000,
        widget=forms.TextInput(attrs={"inputmode": "numeric"}),
    )
    from_overseas = forms.BooleanField(
        label=gettext_lazy("The goods are overseas and need customs clearance"), required=False
    )
    allocates_for_me = forms.BooleanField(
        label=gettext_lazy("Allocate for me: I agree in advance to every match"),
        required=False,
        help_text=gettext_lazy(
            "Any hospital that these goods fit may have them without asking you again. You see each time where they go, "
            "and take back what is not promised whenever you want. Without this you are asked before each promise."
        ),
    )
    remark = forms.CharField(
        label=gettext_lazy("Anything else"),
        max_length=4000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    folded = ("available_until", "max_km", "from_overseas", "remark")
    per_line = ("mode", "available_from", "available_until", "max_km")
    also_needed: tuple[str, ...] = ("province", "city")
    kept = ("sender_kind", "address", "from_overseas", "allocates_for_me", "remark")

    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user
        mine = own_donors(user)
        donor: Any = self.fields["donor"]
        donor.queryset = mine
        self.donors = list(mine.order_by("name", "pk"))
        donor.choices = [("", donor.empty_label), *((row.pk, str(row)) for row in self.donors)]
        donor.initial = self.donors[0] if self.donors else None
        agreed: Any = self.fields["allocates_for_me"]
        agreed.initial = bool(self.donors) and self.donors[0].allocates_for_me
        for name in ("emergency", "mode"):
            field: Any = self.fields[name]
            field.choices = [(str(value), label) for value, label in field.choices]  # read once a page
        self.facility: Facility | None = None
        if not self.donors:
            self.also_needed = (*self.also_needed, "donor_name")
            sender: Any = self.fields["sender_kind"]
            # Hospitals choose by it, so nobody says it unawares.
            sender.choices = [("", _("— choose —")), *SENDERS]

    def clean(self) -> dict[str, Any]:
        values = self.cleaned_data
        self.require_region(down_to="city")
        if not values.get("donor") and not values.get("donor_name") and "donor_name" not in self.errors:
            self.add_error("donor_name", _("Who gives? Write a name."))
        if values.get("direction") == Direction.HOSPITAL:
            self._find_hospital(values.get("hospital") or "")
        if values.get("direction") != Direction.MOST_NEEDED and values.get("allocates_for_me"):
            if values.get("donor") and values["donor"].allocates_for_me:  # ticked for her, and of no use here
                values["allocates_for_me"] = False
            else:
                self.add_error(
                    "allocates_for_me",
                    _("Agreeing in advance is for goods that go where they are needed most."),
                )
        return values

    def _find_hospital(self, name: str) -> None:
        """The one hospital of this name, or a sentence that tells how to name it."""
        name = " ".join(name.split())
        if len(name) < 2:
            self.add_error("hospital", _("Which hospital? Write its name."))
            return
        sites = Facility.objects.visible_to(self.user).filter(organisation__kind=Organisation.Kind.HOSPITAL)
        found = list(sites.filter(name=name)[:2]) or list(
            sites.filter(name__mentions=name).order_by("name", "pk")[: NAMED_AT_MOST + 1]
        )
        if len(found) == 1:
            self.facility = found[0]
        elif found:
            names = listed(site.name for site in found[:NAMED_AT_MOST])
            self.add_error(
                "hospital",
                _("Several hospitals are called so; write the whole name: %(names)s") % {"names": names},
            )
        else:
            self.add_error(
                "hospital", _("No hospital called “%(name)s” is listed. Check the spelling.") % {"name": name}
            )

    @property
    def details(self) -> dict[str, Any]:
        """What `offers.services.post` calls the details of the donation, direction to a region apart."""
        return {name: self.cleaned_data[name] for name in self.kept} | {"directed_facility": self.facility}

    def travel(self, today: date) -> dict[str, Any]:
        """What every line of this donation has in common."""
        values = {name: self.cleaned_data.get(name) for name in self.per_line}
        return {**values, "available_from": values.get("available_from") or today}


@dataclass(frozen=True)
class Paper:
    """A file that was looked at: of which kind it is, its size in bytes as it came, and what is to be kept of it."""

    kind: str
    size: int
    media_type: str
    clean: BinaryIO

    @contextmanager
    def as_seen(self, _file: BinaryIO, _size: int) -> Iterator[tuple[str, BinaryIO]]:
        """The verdict once more, for `attach`."""
        yield self.media_type, self.clean


class PaperField(forms.FileField):
    """One file of the goods. A camera is offered on a phone; how large a file may be is told before it travels."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=False, error_messages={"empty": WHY["empty"]}, **kwargs)
        self.widget.attrs |= {"data-most-bytes": MOST_BYTES, "data-too-large": WHY["too-large"]}
        self.widget.attrs["accept"] = ",".join(LOOKED_AT)


class OfferForm(GoodsForm):
    expires_on = forms.DateField(
        label=gettext_lazy("Expires on"),
        required=False,
        widget=forms.DateInput(attrs=DAY, format="%Y-%m-%d"),
    )
    lot_number = forms.CharField(label=gettext_lazy("Lot number"), max_length=40, required=False)
    registration_number = forms.CharField(
        label=gettext_lazy("Registration number"), max_length=60, required=False
    )
    scanned = forms.CharField(
        label=gettext_lazy("Scanned code"),
        max_length=MOST_SCANNED,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        help_text=gettext_lazy("What a scanner reads from the package; lot and expiry are taken from it."),
    )
    sterile = forms.BooleanField(label=gettext_lazy("Sterile"), required=False)
    min_lot = AmountField(label=gettext_lazy("Not less than this to one place"), required=False)

    also_needed = ("amount",)
    details = ("scanned", "lot_number", "registration_number", "sterile", "min_lot")

    def clean(self) -> dict[str, Any]:
        values = super().clean()
        if values.get("item") is None:
            return values
        if values.get("amount") is None and "amount" not in self.errors:
            self.add_error("amount", _("How many? Write a number."))
        is_counted = values.get("quantity") is not None and values.get("min_lot")
        values["min_lot"] = self.in_base_units(values["min_lot"]) if is_counted else 1
        if len(values.get("standards") or []) > 1:
            self.add_error("standards", _("Name the one standard that is printed on these goods."))
        self._read_package(values)
        return values

    def _read_package(self, values: dict[str, Any]) -> None:
        """What the numbers and codes say; what is odd about them is told, and refuses nothing."""
        if not (values.get("registration_number") or values.get("scanned")):
            return
        printed = read_package(
            registration_number=values.get("registration_number") or "",
            scanned=values.get("scanned") or "",
            lot_number=values.get("lot_number") or "",
            expires_on=values.get("expires_on"),
            counterfeits=self.shelf.counterfeits,
            on=self.on,
        )
        values["lot_number"], values["expires_on"] = printed.lot_number, printed.expires_on
        self.oddities += [sentence for _field, sentence in printed.remarks]

    @property
    def line(self) -> dict[str, Any]:
        """The line as `offers.services.post` takes it."""
        values = self.cleaned_data
        item, unit = values["item"], values.get("unit", "")
        is_package = self.shelf.is_package(item, unit)
        line = {name: values[name] for name in ("item", "quantity", "expires_on", "lot_number", "sterile")}
        line |= {"registration_number": values["registration_number"], "as_written": self.as_written}
        line |= {"unit": self.shelf.units.get(unit), "min_lot": values["min_lot"] or 1}
        line |= {"pack": values.get("pack_content") or 1 if is_package else 1}
        line["standard"] = next(iter(values["standards"]), None)
        return line


class PapersForm(forms.Form):
    """Photographs and documents of the goods. They are looked at before anything is posted."""

    quality = PaperField(label=gettext_lazy("Certificate of the goods"))
    report = PaperField(label=gettext_lazy("Test report"))
    expiry = PaperField(label=gettext_lazy("Photograph of the expiry day"))
    box = PaperField(label=gettext_lazy("Photograph of the box"))

    @contextmanager
    def looked_at(self) -> Iterator[list[Paper]]:
        """Each file as it may be kept, for as long as this lasts; what is wrong with one is put beside it.

        Of a file that is kept later the verdict stands: nothing is looked at twice, nor while rows are locked.
        """
        with ExitStack() as stack:
            found = []
            for name in self.fields:
                file = self.cleaned_data.get(name)
                if not file:
                    continue
                try:
                    media_type, clean = stack.enter_context(inspected(file.file, file.size))
                except ValidationError as fault:
                    self.add_error(name, fault.message_dict["file"])
                else:
                    found.append(Paper(name, file.size, media_type, clean))
            yield found


class PaperForm(FileForm):
    """One more of them, when the goods are offered already."""

    kinds = [
        (kind.value, kind.label) for kind in (Kind.QUALITY, Kind.REPORT, Kind.EXPIRY, Kind.BOX, Kind.OTHER)
    ]


def as_typed(
    form: DonationForm, to: PlaceForm, lines: "OfferFormSet", *, on: date
) -> list[tuple[OfferForm, Offer]]:
    """The lines that can be understood as the offers they would be, not stored, whatever else is still missing."""
    form.is_valid(), to.is_valid(), lines.is_valid()
    typed = form.cleaned_data
    is_for_region = typed.get("direction") == Direction.REGION
    donation = Donation(
        sender_kind=typed.get("sender_kind") or "company",
        from_overseas=typed.get("from_overseas") or False,
        region=form.region,
        directed_facility=form.facility,
        directed_region=to.region if is_for_region else None,
    )
    travel = form.travel(on) | {"mode": typed.get("mode") or TransportMode(pk="road")}
    found = []
    for line in lines.filled:
        if line.cleaned_data.get("item") and line.cleaned_data.get("quantity"):
            found.append((line, Offer(donation=donation, **{**line.line, **travel})))
    return found


class OfferFormSet(BaseGoodsFormSet):
    def clean(self) -> None:
        if not self.filled:
            raise forms.ValidationError(_("Name at least one item that you offer."))


def offer_lines(lines: int) -> type[OfferFormSet]:
    """The lines of a donation, this many of them shown."""
    return forms.formset_factory(  # type: ignore[return-value]
        OfferForm, formset=OfferFormSet, extra=lines, max_num=60, absolute_max=60
    )
