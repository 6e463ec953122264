"""Lists for tests, in the shape of the published ones. Every hospital, person and number is invented."""

import json
from pathlib import Path
from typing import Any

from supplies.catalogue.models import Item, UnitRule
from tests.makers import make_category, make_item, make_mode, make_region, make_standard, make_unit


def make_catalogue() -> dict[str, Item]:
    """Five kinds of goods with the traps of the real ones: an ambiguous word, pairs, bottles."""
    make_region("420106", "武昌区")
    make_region("420102", "江岸区")
    make_region("420582", "当阳市")
    make_mode()
    medical = make_item(
        "RESP_MED",
        name_zh="医用防护口罩",
        name_en="Medical respirator",
        synonyms=["N95口罩"],
        needs_medical_grade=True,
        plausible_max=500_000,
    )
    industrial = make_item(
        "RESP_PART", name_zh="颗粒物防护口罩", name_en="Particulate respirator", synonyms=["N95口罩", "KN95"]
    )
    medical.ambiguous_with.add(industrial)
    surgical = make_item("MASK_SURG", synonyms=["口罩"], plausible_min=10)
    glove = make_unit("glove", name_zh="只", name_en="glove")
    pair = make_unit("pair", name_zh="双", name_en="pair")
    gloves = make_item(
        "GLOVE_EXAM",
        name_zh="医用检查手套",
        name_en="Exam gloves",
        synonyms=["乳胶手套"],
        base_unit=glove,
        display_unit=pair,
        display_factor=2,
    )
    millilitre = make_unit("millilitre", name_zh="毫升", name_en="millilitre", kind="volume")
    litre = make_unit("litre", name_zh="升", name_en="litre", kind="volume")
    bleach = make_item(
        "BLEACH84",
        name_zh="84消毒液",
        name_en="Bleach",
        category=make_category("disinfect"),
        base_unit=millilitre,
        display_unit=litre,
        display_factor=1000,
        needs_pack_content=True,
    )
    piece = make_unit()
    UnitRule.objects.create(
        code="piece", spoken=["只", "个"], unit=piece, base_unit=piece, numerator=1, denominator=1
    )
    make_standard("GB19083-2010-1", [medical], aliases=["GB 19083-2010"])
    current = make_standard("YY0469-2011", [surgical])
    make_standard("YY0469-2010", [surgical], status="impossible", replaced_by=current)
    return {item.code: item for item in (medical, industrial, surgical, gloves, bleach)}


def make_row(**changes: Any) -> dict[str, Any]:
    """A hospital that asks for surgical masks without a limit."""
    row = {
        "id": 0,
        "province": "湖北",
        "city": "武汉市",
        "district": "武昌区",
        "name": "演练第一医院",
        "supplies": [make_cell()],
        "address": "演练路1号设备科",
        "url": "http://example.org/202001/t20200124_1.html",
        "remark": "",
        "contacts": [{"name": "钱老师", "tel": "138****0001"}],
    }
    return {**row, **changes}


def make_cell(key: str = "医用外科口罩", value: Any = 1, specification: str = "") -> dict[str, Any]:
    cell = {"key": key, "value": value}
    return {**cell, "specification": specification} if specification else cell


def write_list(folder: Path, rows: Any, name: str = "wuhanshi.json", encoding: str = "utf-8") -> Path:
    file = folder / name
    try:
        raw = json.dumps(rows, ensure_ascii=False).encode(encoding)
    except UnicodeEncodeError:  # half a character can only be written as an escape
        raw = json.dumps(rows).encode(encoding)
    file.write_bytes(raw)
    return file
