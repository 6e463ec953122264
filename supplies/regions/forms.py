"""How people say where: three selects from the large to the small, without needing JavaScript."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from supplies.regions.models import Region
from supplies.selects import LongSelect

HOME = "CN"
NAMED = ("code", "name_zh", "name_en")  # all that is read of a place that is only offered


class PlaceForm(forms.Form):
    """Province, city and district, each offering what lies inside the one before.

    The chosen region is `region`: the smallest that was named. A city left over from another province is dropped.
    """

    province = forms.ChoiceField(label=gettext_lazy("Province or country"), required=False, widget=LongSelect)
    city = forms.ChoiceField(label=gettext_lazy("City or district"), required=False, widget=LongSelect)
    district = forms.ChoiceField(label=gettext_lazy("District or county"), required=False, widget=LongSelect)

    empty_label = gettext_lazy("— choose —")

    def __init__(self, *args: Any, beside: "PlaceForm | None" = None, **kwargs: Any) -> None:
        """`beside` is another place on the same page: both offer the same provinces, which are read once."""
        super().__init__(*args, **kwargs)
        self.region: Region | None = None
        self.provinces: list[tuple[Any, Any]] = beside.provinces if beside else _countries_and_provinces()
        self._offer("province", self.provinces, None)
        for name in ("city", "district"):
            inside: list[Region] = (
                _children(self.region) if self.region and not self._ends_before(name) else []
            )
            self._offer(name, [(row.code, row.name) for row in inside], self.region)

    def _typed(self, name: str) -> str:
        if self.is_bound:
            return str(self.data.get(self.add_prefix(name), ""))
        return str(self.initial.get(name, "") or "")

    def _ends_before(self, name: str) -> bool:
        """Nothing was chosen at the level above, so this one has nothing to offer."""
        above = {"city": "province", "district": "city"}[name]
        return not self._typed(above)

    def _offer(self, name: str, choices: list[tuple[Any, Any]], inside: Region | None) -> None:
        self.fields[name].choices = [("", self.empty_label), *choices]  # type: ignore[attr-defined]
        typed = self._typed(name)
        if not typed:
            return
        codes = {code for code, label in _flat(choices)}
        if typed in codes:
            self.region = Region.objects.select_related("parent__parent").get(pk=typed)
        elif name != "province" and _exists(typed):
            self._forget(name)

    def _forget(self, name: str) -> None:
        if self.is_bound:
            without: Any = self.data.copy()  # type: ignore[attr-defined]
            without[self.add_prefix(name)] = ""
            self.data = without
        else:
            self.initial[name] = ""

    def require_region(self, *, down_to: str) -> Region | None:
        """The chosen region, or an error beside the level that is still missing (down_to: city or district)."""
        levels = ["province", "city", "district"][: 2 if down_to == "city" else 3]
        for name in levels:
            offered = len(self.fields[name].choices) > 1  # type: ignore[attr-defined]
            if offered and not self.cleaned_data.get(name) and name not in self.errors:
                self.add_error(name, _("Choose the %(level)s.") % {"level": self.fields[name].label})
                return None
        return self.region


def _children(region: Region) -> list[Region]:
    return list(Region.objects.filter(parent=region).only(*NAMED).order_by("code"))


def _countries_and_provinces() -> list[tuple[Any, Any]]:
    provinces = [(row.code, row.name) for row in _children(Region(code=HOME))]
    countries = Region.objects.countries().exclude(pk=HOME).only(*NAMED).order_by("name_en")
    others = [(row.code, row.name) for row in countries]
    return [
        group for group in ((str(_("China")), provinces), (str(_("Other countries")), others)) if group[1]
    ]


def _flat(choices: list[tuple[Any, Any]]) -> list[tuple[str, str]]:
    flat: list[tuple[str, str]] = []
    for value, label in choices:
        flat += label if isinstance(label, list) else [(value, label)]
    return flat


def _exists(code: str) -> bool:
    return "\0" not in code and Region.objects.filter(pk=code).exists()
