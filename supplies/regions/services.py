"""Loading the tree of places, correcting it, and finding the place a text means."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F, Value
from django.db.models.functions import Concat, Substr
from django.utils.translation import gettext_lazy as _

from supplies.editions.services import Loaded, keep_edit, load_table, read_rows
from supplies.regions.models import Datum, Region, RegionLevel, RegionScheme

REFERENCE = Path(__file__).parent / "reference"
CERTAIN, PROBABLE, PARTIAL, GUESSED = 1.0, 0.9, 0.6, 0.4
LONGEST_NAME = 15  # 双江拉祜族佤族布朗族傣族自治县

PEOPLES = (
    "维吾尔|柯尔克孜|乌孜别克|哈萨克|达斡尔|塔吉克|鄂温克|鄂伦春|塔塔尔|俄罗斯|土家|蒙古|布依|朝鲜|哈尼|傈僳|东乡|仡佬|拉祜"
    "|纳西|仫佬|锡伯|景颇|撒拉|布朗|毛南|普米|阿昌|基诺|德昂|保安|裕固|独龙|门巴|珞巴|高山|赫哲"
    "|壮|回|满|苗|彝|藏|侗|瑶|白|黎|傣|畲|佤|水|羌|土|怒|京"
)
# How a Chinese place name may end: 恩施土家族苗族自治州, 武汉市, 神农架林区.
SUFFIX = re.compile(
    rf"(特别行政区|(?:(?:{PEOPLES})族?)*自治[州县旗]|(?:(?:{PEOPLES})族?)?自治区"
    r"|地区|林区|新区|省|市|区|县|盟|旗|州)$"
)


# -- loading --------------------------------------------------------------------------------------------


def load_regions(*, at: datetime) -> Loaded:
    """Load the countries and China down to its districts. Loading twice changes nothing."""
    return _load(read_rows(REFERENCE / "countries.csv", REFERENCE / "china.csv"), at=at)


def load_subdivisions(country: Region, *, at: datetime) -> Loaded:
    """Load a country's subdivisions (ISO 3166-2) with their points. China is always there."""
    from iso3166_2 import Subdivisions  # 3.6 MB, and only here

    found: Mapping[str, Mapping[str, Any]] = Subdivisions(country.code).all[country.code]
    rows = [
        {
            "code": code,
            "parent": facts["parentCode"] or country.code,
            "level": RegionLevel.PREFECTURE if facts["parentCode"] else RegionLevel.PROVINCE,
            "scheme": RegionScheme.ISO3166_2,
            "name_zh": "",
            "name_en": facts["name"],
            "aliases": code.partition("-")[2],
            "lat": str(facts["latLng"][0]),
            "lon": str(facts["latLng"][1]),
            "datum": Datum.WGS84,
            "source": "ISO31662",
            "is_verified": "yes",
        }
        for code, facts in sorted(found.items())
    ]
    if not rows:
        raise ValidationError({"country": _("ISO 3166-2 names no subdivisions of %s.") % country.name_en})
    return _load(rows, at=at)


def _load(rows: Sequence[Mapping[str, str]], *, at: datetime) -> Loaded:
    known = dict(Region.objects.values_list("code", "path"))
    moved = dict(Region.objects.exclude(edited_at=None).values_list("code", "path"))
    parents = {row["code"]: row["parent"] for row in rows}

    def path(code: str) -> str:
        if code in moved or code not in parents:
            return known[code]
        return (path(parents[code]) if parents[code] else "/") + code + "/"

    return load_table(Region, [{**row, "path": path(row["code"])} for row in rows], key=["code"], at=at)


# -- correcting -----------------------------------------------------------------------------------------


@transaction.atomic
def edit(region: Region, *, by: AbstractBaseUser | None, at: datetime) -> Region:
    """Save a region an administrator wrote or corrected; what lies inside moves along with it."""
    region.clean()
    before = Region.objects.filter(pk=region.pk).values_list("path", flat=True).first()
    region.path = region.path_below(region.parent.path if region.parent else None)
    keep_edit(region, by=by, at=at)
    if before and before != region.path:
        Region.objects.filter(path__startswith=before).exclude(pk=region.pk).update(
            path=Concat(Value(region.path), Substr(F("path"), len(before) + 1))
        )
    return region


# -- finding --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Resolution:
    """The place a text means, how sure that is (0 to 1), and what else it may have meant."""

    region: Region | None
    confidence: float
    candidates: tuple[Region, ...] = ()


def city_of(path: str) -> str:
    """The path of the prefecture a region of this path lies in; of a province or a country its own."""
    return "/" + "/".join(path.strip("/").split("/")[:3]) + "/"


def bare(name: str) -> str:
    """A Chinese place name without what says which kind of place it is: 武汉市 and 武汉 are one.

    A name keeps at least two characters: 沙市 and 朝阳 are whole.
    """
    name = re.sub(r"\s", "", name)
    shorter = SUFFIX.sub("", name)
    return shorter if len(shorter) >= 2 else name


class Places:
    """The regions of one country by name, read once, for resolving many texts."""

    def __init__(self, country: str = "CN") -> None:
        rows = list(Region.objects.filter(path__startswith=f"/{country}/").from_the_top())
        self.by_name: dict[str, list[Region]] = {}
        for row in rows:
            for name in {
                bare(row.name_zh),
                row.name_en.lower(),
                *(bare(alias).lower() for alias in row.aliases),
            } - {""}:
                self.by_name.setdefault(name, []).append(row)

    def named(self, text: str, *levels: str) -> list[Region]:
        """Regions called so, of the first of these levels that has any; the exact ending goes first."""
        text = re.sub(r"\s", "", text)
        found = self.by_name.get(bare(text)) or self.by_name.get(text.lower()) or []
        found = [row for row in found if row.name_zh == text and row.level in levels] or found
        by_level = ([row for row in found if row.level == level] for level in levels)
        return next((rows for rows in by_level if rows), [])

    def resolve(self, province: str, city: str, district: str, name: str = "") -> Resolution:
        """The smallest region the texts agree on.

        Any of them may be empty, lack its ending, or stand in the wrong column. What is not found is left
        out and lowers the confidence. `name`, say of a hospital, is read where no district is given; it
        counts when it begins with a place: 武汉市江夏区第一人民医院.
        """
        provinces = self.named(province, "province")
        cities = _inside(provinces, self.named(city, "prefecture", "province", "district"))
        known = cities or provinces
        districts = _inside(known, self.named(district, "district", "prefecture"))
        all_found = all(
            found or not text.strip()
            for text, found in ((province, provinces), (city, cities), (district, districts))
        )
        if districts:
            return _resolution(districts, CERTAIN if all_found and known else PROBABLE, known)
        if not district.strip():
            narrower = [row for row in self._leading(name, known) if row not in known]
            if narrower:
                return _resolution(narrower, PROBABLE if known else GUESSED, known)
        if provinces and not cities and (elsewhere := self.named(city, "prefecture")):
            return Resolution(provinces[0], PARTIAL, tuple(elsewhere))
        return _resolution(known, CERTAIN if all_found else PARTIAL, provinces)

    def _leading(self, text: str, known: list[Region]) -> list[Region]:
        """The regions named one after the other at the beginning of the text, the last of them."""
        rest = re.sub(r"\s", "", text)
        found: list[Region] = []
        while step := self._first_place(rest, found or known):
            length, found = step
            rest = rest[length:]
        return found

    def _first_place(self, text: str, known: list[Region]) -> tuple[int, list[Region]] | None:
        for length in range(min(len(text), LONGEST_NAME), 1, -1):
            part = text[:length]
            rows = [row for row in self.by_name.get(bare(part), []) if _is_called(row, part)]
            if inside := _inside(known, rows):
                return length, inside
        return None


def _is_called(row: Region, text: str) -> bool:
    """恩施, 恩施州 and 恩施土家族苗族自治州 are one prefecture; 恩施市 is a city in it."""
    short = bare(row.name_zh)
    return text in {row.name_zh, short} or (row.name_zh.endswith("自治州") and text == f"{short}州")


def resolve(province: str, city: str, district: str, name: str = "") -> Resolution:
    """`Places.resolve` for a single text in China; for a whole file, make one `Places` and ask it."""
    return Places().resolve(province, city, district, name)


def _inside(known: list[Region], found: list[Region]) -> list[Region]:
    """Those found that lie in one of the known regions; all of them while nothing is known."""
    return [row for row in found if any(k.contains(row) for k in known)] if known else found


def _resolution(rows: list[Region], confidence: float, around: list[Region]) -> Resolution:
    """The one row; of several only the region around them, and they as candidates."""
    if len(rows) == 1:
        return Resolution(rows[0], confidence)
    if len(around) == 1:
        return Resolution(around[0], PARTIAL, tuple(rows))
    return Resolution(None, 0.0, tuple(rows))
