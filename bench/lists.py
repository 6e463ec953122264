"""Lists of needs as volunteers keep them, of any length, made of the words of the labelled announcements.

The same seed gives the same list. Every hospital, person and number is invented.
"""

import csv
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from random import Random

from openpyxl import Workbook

from bench.announcements import Labelled

HEAD = ("省", "市", "区县", "医院名称", "物资", "规格", "数量", "联系人", "电话", "地址", "备注", "更新日期")
PLACES = (
    ("湖北省", "武汉市", "武昌区"), ("湖北省", "武汉市", "江岸区"), ("湖北省", "荆州市", "沙市区"), ("湖北省", "孝感市", "孝南区"),
    ("湖北省", "黄石市", "西塞山区"), ("湖北省", "襄阳市", "樊城区"), ("湖北省", "十堰市", "茅箭区"), ("湖北省", "鄂州市", "鄂城区"),
)  # fmt: skip
KINDS = ("人民医院", "中医医院", "妇幼保健院", "社区卫生服务中心", "中心卫生院")
SPECIFICATIONS = (
    "",
    "",
    "GB 19083-2010",
    "YY 0469-2011",
    "YY0469-2010",
    "GB19082-2009",
    "GB 19082-2003",
    "一次性，灭菌",
)
REMARKS = ("", "", "急需", "库存仅够3天", "2月10日前", "暂不接受境外捐赠", "数量不限，可分批")
# What else people write about goods: with the words of the announcements some thousands of different texts.
BEFORE = ("", "", "", "一次性", "医用", "国产", "进口")
AFTER = ("", "", "", "（急）", "(大号)", "（中号）", "（独立包装）", " M码")
UNITS = ("", "个", "只", "套", "双", "箱", "盒(50只/盒)", "瓶(500ml/瓶)")


def rows(count: int, announcements: Sequence[Labelled], *, seed: int = 0) -> Iterator[tuple[str, ...]]:
    """So many rows under HEAD; a hospital has a few rows in a row, as in life."""
    random = Random(seed)
    words = sorted({goods.words for row in announcements for goods in row.goods})
    made = 0
    while made < count:
        hospital = _hospital(random, made)
        for _line in range(min(random.randint(1, 12), count - made)):
            made += 1
            yield (
                *hospital[:4], _goods(random, words), random.choice(SPECIFICATIONS), _figure(random), *hospital[4:],
                random.choice(REMARKS), f"2020-02-{random.randint(1, 28):02d}",
            )  # fmt: skip


def _hospital(random: Random, number: int) -> tuple[str, ...]:
    place = random.choice(PLACES)
    name = f"{place[1]}示例第{number}{random.choice(KINDS)}"
    telephone = f"138****{random.randint(0, 9999):04d}"
    return (
        *place,
        name,
        f"{random.choice('甲乙丙丁戊己庚辛')}老师",
        telephone,
        f"{place[2]}样例路{number}号",
    )


def _goods(random: Random, words: Sequence[str]) -> str:
    return f"{random.choice(BEFORE)}{random.choice(words)}{random.choice(AFTER)}"


def _figure(random: Random) -> str:
    figure = random.choice(
        (f"{random.randint(1, 500) * 10}", f"{random.randint(1, 9)}万", "若干", "不限", "1", "五百")
    )
    return f"{figure}{random.choice(UNITS)}" if figure not in ("若干", "不限") else figure


def write_csv(file: Path, lines: Iterator[tuple[str, ...]]) -> None:
    with file.open("w", encoding="utf-8-sig", newline="") as opened:
        csv.writer(opened).writerows(chain([HEAD], lines))


def write_xlsx(file: Path, lines: Iterator[tuple[str, ...]]) -> None:
    book = Workbook(write_only=True)
    sheet = book.create_sheet("需求")
    for line in chain([HEAD], lines):
        sheet.append(line)
    book.save(file)
