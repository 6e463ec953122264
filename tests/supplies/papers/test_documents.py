"""Papers as a printer gets them: turned into pictures, and their bars and squares read back as a scanner would."""

from dataclasses import replace
from typing import Any

import pypdfium2 as pdfium
import pytest
import zxingcpp
from django.utils import translation
from PIL.Image import Image

from supplies.papers import documents
from supplies.papers.contents import (
    Consignment,
    Count,
    CountedGoods,
    Gift,
    GivenGoods,
    Goods,
    Parcel,
    Place,
)

CODE = "abcdefghjkmnpqrstuvwxyz234"  # pragma: allowlist secret
LINK = f"https://tongzhou.example/track/{CODE}/"
SSCC = "106141411234567897"
MASKS = Goods("医用外科口罩", "12,000 只", "LOT-1", "2028-03-01")
CONSIGNMENT = Consignment(
    code=CODE,
    link=LINK,
    sender=Place("示例捐赠公司", "示例捐赠公司", "广东省 广州市"),
    to=Place("发热门诊物资处", "武汉示例医院", "湖北省 武汉市 武昌区", "（虚构）示例大道 1 号 3 号门"),
    goods=(MASKS,),
    parcels=(Parcel("纸箱", SSCC, "8 kg", (MASKS,)), Parcel("纸箱", "106141411234567880", "8 kg", (MASKS,))),
    carrier="示例快运",
    waybill="SX0001234567",
    warnings=("2–8 °C",),
)
GIFT = Gift(
    code=CODE,
    link=f"https://tongzhou.example/certificates/{CODE}/",
    donor="示例捐赠公司",
    occasion="2026 冬季演练（虚构）",
    issued="2026-12-03",
    lines=(GivenGoods("武汉示例医院", "湖北省 武汉市", "医用外科口罩", "12,000 只", "2026-12-02"),),
)
COUNT = Count(
    CONSIGNMENT, "2026-12-02 10:15", (CountedGoods("医用外科口罩", "12,000 只", "11,900 只", "缺少 100 只"),)
)
ALL = {
    "labels": lambda: documents.labels(CONSIGNMENT),
    "packing list": lambda: documents.packing_list(CONSIGNMENT),
    "waybill": lambda: documents.waybill(CONSIGNMENT),
    "receipt": lambda: documents.receipt(COUNT),
    "certificate": lambda: documents.certificate(GIFT),
}


def pictures(pdf: bytes) -> list[Image]:
    """Every page, as a printer of 203 dots to the inch prints it."""
    return [page.render(scale=203 / 72).to_pil() for page in pdfium.PdfDocument(pdf)]


def said(pdf: bytes) -> str:
    """The text of all pages without white space, since lines are broken anywhere in Chinese."""
    text = "".join(page.get_textpage().get_text_bounded() for page in pdfium.PdfDocument(pdf))
    return "".join(text.split())


def scanned(picture: Image) -> dict[str, str]:
    return {code.format.name: code.text for code in zxingcpp.read_barcodes(picture)}


def test_a_label_is_scanned_as_its_number_and_its_link() -> None:
    first, second = (scanned(picture) for picture in pictures(documents.labels(CONSIGNMENT)))

    assert first["QRCode"] == second["QRCode"] == LINK
    assert f"(00){SSCC}" in first.values() or f"00{SSCC}" in first.values()
    assert any("106141411234567880" in text for text in second.values())


@pytest.mark.parametrize("paper", sorted(ALL))
def test_every_paper_carries_a_square_that_a_telephone_reads(paper: str) -> None:
    codes = scanned(pictures(ALL[paper]())[0])

    assert codes["QRCode"] == (GIFT.link if paper == "certificate" else LINK)


@pytest.mark.parametrize("paper", sorted(ALL))
def test_the_same_content_makes_the_same_bytes(paper: str) -> None:
    assert ALL[paper]() == ALL[paper]()


@pytest.mark.parametrize("paper", sorted(ALL))
def test_headings_are_in_the_language_of_the_moment(paper: str) -> None:
    with translation.override("zh-hans"):
        chinese = said(ALL[paper]())
    with translation.override("en"):
        english = said(ALL[paper]())

    assert chinese != english
    assert "示例捐赠公司" in chinese
    assert "示例捐赠公司" in english


def test_a_packing_list_says_what_is_in_which_parcel() -> None:
    text = said(documents.packing_list(CONSIGNMENT))

    assert text.count("医用外科口罩") == 3  # two parcels, and altogether
    assert f"SSCC{SSCC}" in text


def test_what_was_not_packed_yet_has_one_label_without_bars() -> None:
    (codes,) = (scanned(picture) for picture in pictures(documents.labels(replace(CONSIGNMENT, parcels=()))))

    assert list(codes) == ["QRCode"]


def test_a_long_list_goes_on_over_the_page_under_the_same_heads() -> None:
    many = replace(CONSIGNMENT, goods=tuple(replace(MASKS, lot=f"L{n}") for n in range(150)), parcels=())

    pages = list(pdfium.PdfDocument(documents.packing_list(many)))
    heads = [page.get_textpage().get_text_bounded().count("Quantity") for page in pages]

    assert len(heads) > 1
    assert set(heads) == {1}


@pytest.mark.parametrize("long", ["很" * 300, "W" * 300, "a b " * 100])
def test_a_name_of_any_length_stays_on_the_paper(long: str) -> None:
    to = Place(name=long[:200], organisation=long[:200], region="湖北省", dock=long)
    wide = replace(CONSIGNMENT, to=to, goods=(replace(MASKS, item=long),), parcels=())

    for paper in (documents.labels, documents.packing_list, documents.waybill):
        assert touches_the_edge(paper(wide)) == []


def touches_the_edge(pdf: bytes) -> list[int]:
    """The pages on which something is printed in the outermost two millimetres."""
    found = []
    for number, picture in enumerate(pictures(pdf), 1):
        grey, edge = picture.convert("L"), round(2 / 25.4 * 203)
        wide, tall = grey.size
        strips: list[Any] = [
            (0, 0, wide, edge),
            (0, tall - edge, wide, tall),
            (0, 0, edge, tall),
            (wide - edge, 0, wide, tall),
        ]
        if any(grey.crop(strip).getextrema()[0] < 128 for strip in strips):
            found.append(number)
    return found


def test_what_people_wrote_is_never_read_as_markup() -> None:
    to = Place(name='<b>&amp;</b><img src="file:///etc/passwd"/>', organisation="", region="")

    assert '<b>&amp;</b><imgsrc="file:///etc/passwd"/>' in said(
        documents.waybill(replace(CONSIGNMENT, to=to))
    )


def test_a_sign_the_type_does_not_have_is_named() -> None:
    text = said(documents.certificate(replace(GIFT, donor="示例\U00020bb7公司")))

    assert "U+20BB7" in text
    assert "U+" not in said(documents.certificate(GIFT))
