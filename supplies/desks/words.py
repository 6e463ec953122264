"""The words of this site, explained: how urgent, how much, which goods, which units. Read from tables, not written into a page."""

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from django.db import models
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from supplies.catalogue.models import Unit, UnitKind
from supplies.editions.models import in_readers_language
from supplies.needs.models import Urgency

TABLE = Path(__file__).with_name("reference") / "words.csv"


class Group(models.TextChoices):
    """What the words are about, in the order of the page; the key is the page's anchor."""

    URGENCY = "urgency", gettext_lazy("How urgent a need is")
    QUANTITY = "quantity", gettext_lazy("How far a need has come")
    STATE = "state", gettext_lazy("What stands beside a need or an organisation")
    GOODS = "goods", gettext_lazy("Goods")
    GIVING = "giving", gettext_lazy("Giving")
    TRANSPORT = "transport", gettext_lazy("On the way")
    UNITS = "units", gettext_lazy("Units")


@dataclass(frozen=True)
class Word:
    key: str
    group: str
    term_zh: str
    term_en: str
    meaning_zh: str
    meaning_en: str

    @property
    def term(self) -> str:
        return in_readers_language(self.term_zh, self.term_en)

    @property
    def other(self) -> str:
        """What it is called in the other language: papers and boxes are often in that one."""
        return self.term_en if self.term == self.term_zh else self.term_zh

    @property
    def meaning(self) -> str:
        return in_readers_language(self.meaning_zh, self.meaning_en)


@cache
def listed() -> tuple[Word, ...]:
    with TABLE.open(encoding="utf-8", newline="") as file:
        return tuple(Word(**row) for row in csv.DictReader(file))


def _urgencies() -> Iterable[tuple[str, str, str, str]]:
    """Key, word, other language's word, meaning: as the choices of a need say them."""
    for urgency in Urgency:
        term, _colon, meaning = str(urgency.label).replace("：", ":").partition(":")
        yield f"urgency-{urgency.value}", term, "", meaning.strip() or _("for later: nothing runs out soon")


def _units() -> Iterable[tuple[str, str, str, str]]:
    kinds = {
        UnitKind.COUNT: _("counted one by one"),
        UnitKind.VOLUME: _("a volume"),
        UnitKind.MASS: _("a mass"),
        UnitKind.PACKAGE: _("a package: always say what it holds, since there is no usual size"),
    }
    for unit in Unit.objects.order_by("kind", "code"):
        other = unit.name_en if unit.name == unit.name_zh else unit.name_zh
        yield f"unit-{unit.code}", unit.name, other, kinds[UnitKind(unit.kind)]


@require_safe
def words(request: HttpRequest) -> HttpResponse:
    groups = {
        group: [(w.key, w.term, w.other, w.meaning) for w in listed() if w.group == group] for group in Group
    }
    groups[Group.URGENCY] = list(_urgencies())
    groups[Group.UNITS] = list(_units())
    return render(request, "desks/words.html", {"groups": list(groups.items())})
