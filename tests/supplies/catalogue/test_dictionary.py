import unicodedata
from datetime import date
from fractions import Fraction

import pytest
from django.core.exceptions import ValidationError

from supplies.catalogue import services
from supplies.catalogue.dictionary import Dictionary

pytestmark = pytest.mark.usefixtures("shipped", "db")

SPRING_2020 = date(2020, 2, 15)


@pytest.fixture
def known() -> Dictionary:
    return Dictionary()


# -- names inside texts, which only some of the patterns are asked for --------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "医用防护口罩5000个、KN95口罩、84消毒液若干",
        "Surgical  Masks - level 2; nitrile gloves",
        "ＫＮ９５口罩 及 一次性医用外科口罩（无菌）",
        "ECGs2 没有 风筝",
        "",
    ],
)
def test_every_name_is_found_as_if_each_were_looked_for(known: Dictionary, text: str) -> None:
    rest, each = unicodedata.normalize("NFKC", text).lower(), []
    for pattern, items in known._patterns:
        if written := {match[0] for match in pattern.finditer(rest)}:
            each.append((written, items))
            rest = pattern.sub("\n", rest)

    found = known.names_in(text)

    assert found == each


def test_a_text_asked_again_is_answered_the_same_and_nobody_changes_the_answer(known: Dictionary) -> None:
    first = known.find_items("医用外科口罩")
    first.clear()

    assert [one.item.code for one in known.find_items("医用外科口罩")] == ["MASK_SURG"]


# -- items ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("医用外科口罩", "MASK_SURG"),
        ("一次性医用外科口罩（无菌）", "MASK_SURG"),
        ("Surgical Masks, level 2", "MASK_SURG"),
        ("医用N95", "RESP_MED"),
        ("ＫＮ９５口罩", "RESP_PART"),
        ("防冲击眼罩/护目镜/防护眼镜", "GOGGLES"),
        ("防护帽/医用帽/圆帽", "CAP"),
        ("长筒胶鞋/防污染靴", "BOOTS"),
        ("无菌手术衣 L号", "GOWN_SURG"),
        ("医用防护口罩5000个", "RESP_MED"),
        ("手套84双", "GLOVE_EXAM"),
        ("nitrile gloves, size M", "GLOVE_EXAM"),
        ("防护眼睛", "GOGGLES"),
    ],
)
def test_an_item_is_found_under_the_words_people_use(known: Dictionary, text: str, code: str) -> None:
    found = known.find_items(text)

    assert [f.item.code for f in found] == [code]
    assert 0.5 < found[0].confidence <= 1
    assert not found[0].is_ambiguous


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("N95口罩", {"RESP_MED", "RESP_PART"}),
        ("防护面罩", {"FACE_SHIELD", "RESP_ELAST"}),
        ("口罩", {"MASK_SURG", "MASK_DISP"}),
        ("消毒液", {"BLEACH84", "HAND_RUB"}),
    ],
)
def test_a_word_for_two_things_is_never_guessed(known: Dictionary, text: str, codes: set[str]) -> None:
    found = known.find_items(text)

    assert {f.item.code for f in found} == codes
    assert all(f.is_ambiguous and f.confidence <= 0.5 for f in found)


def test_two_words_on_one_line_mean_what_both_may_mean_and_say_that_one_of_them_is_loose(
    known: Dictionary,
) -> None:
    (found,) = known.find_items("医用防护口罩 | N95口罩")

    assert found.item.code == "RESP_MED"
    assert found.is_ambiguous


def test_unknown_words_find_nothing(known: Dictionary) -> None:
    assert known.find_items("风筝") == []
    assert known.find_items("") == []


# -- standards --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("GB19082-2009", "GB19082-2009"),
        ("gb 19082 — 2009，灭菌", "GB19082-2009"),
        ("ＧＢ　１９０８２－２００９", "GB19082-2009"),
        ("YY/T 0969-2013", "YYT0969-2013"),
        ("YYT0969—2013", "YYT0969-2013"),
        ("GB/T 32610—2016", "GBT32610-2016"),
        ("GB 19083-2010 2级", "GB19083-2010-2"),
        ("KN95", "GB2626-2006-KN95"),
        ("GB2626-2006 KN95口罩", "GB2626-2006-KN95"),
        ("KN95（GB 2626-2006）", "GB2626-2006-KN95"),
        ("EN 149:2001+A1:2009 FFP2", "EN149-FFP2"),
        ("EN 14683:2019 Type IIR", "EN14683-IIR"),
        ("ASTM F2100 Level 2", "ASTMF2100-L2"),
        ("surgical N95", "NIOSH-N95-SURGICAL"),
        ("ANSI/ISEA Z87.1", "ANSIZ87.1"),
        ("YY 0469", "YY0469-2011"),
    ],
)
def test_a_standard_is_read_however_it_is_written(known: Dictionary, text: str, code: str) -> None:
    reading = known.read_standard(text, on=SPRING_2020)

    assert reading.standard is not None
    assert (reading.standard.code, reading.warnings) == (code, ())


def test_a_standard_without_its_class_means_the_lowest_and_says_so(known: Dictionary) -> None:
    reading = known.read_standard("GB 19083-2010, 1860/1870, 防飞沫", known.items["RESP_MED"], on=SPRING_2020)

    assert reading.standard is not None
    assert reading.standard.code == "GB19083-2010-1"
    assert [w.code for w in reading.warnings] == ["class-not-stated"]


def test_an_edition_that_never_was_is_read_as_the_one_meant(known: Dictionary) -> None:
    reading = known.read_standard("YY 0469-2010", known.items["MASK_SURG"], on=SPRING_2020)

    assert reading.standard is not None
    assert reading.standard.code == "YY0469-2011"
    assert [w.code for w in reading.warnings] == ["impossible"]


def test_a_withdrawn_edition_is_taken_with_a_warning_on_the_day_it_is_judged_for(known: Dictionary) -> None:
    for day, warnings in ((date(2009, 1, 1), []), (SPRING_2020, ["withdrawn"])):
        reading = known.read_standard("GB 19082-2003", on=day)

        assert reading.standard is not None
        assert [w.code for w in reading.warnings] == warnings


def test_an_edition_of_the_future_is_warned_about(known: Dictionary) -> None:
    reading = known.read_standard("GB 19083-2023", on=SPRING_2020)

    assert [w.code for w in reading.warnings] == ["not-yet-in-force"]


@pytest.mark.parametrize(("text", "item"), [("GB 19083-2010", "COVERALL"), ("YY/T 0506-2016", "GOWN_ISO")])
def test_a_standard_of_other_goods_is_warned_about_and_not_taken(
    known: Dictionary, text: str, item: str
) -> None:
    reading = known.read_standard(text, known.items[item], on=SPRING_2020)

    assert reading.standard is None
    assert reading.quoted is not None
    assert "wrong-item" in [w.code for w in reading.warnings]


def test_a_hospital_may_quote_the_standard_of_the_goods_people_confuse_with_its_item(
    known: Dictionary,
) -> None:
    codes = [
        reading.standard and reading.standard.code
        for reading in known.read_standards(
            "NIOSH N95 或 FFP2 或 KN95", known.items["RESP_MED"], on=SPRING_2020
        )
    ]

    assert codes == ["NIOSH-N95", "EN149-FFP2", "GB2626-2006-KN95"]


def test_an_unknown_edition_is_not_taken_for_another(known: Dictionary) -> None:
    reading = known.read_standard("GB19082-2005", on=SPRING_2020)

    assert reading.standard is None
    assert [w.code for w in reading.warnings] == ["unknown"]


def test_text_without_a_standard_is_no_standard(known: Dictionary) -> None:
    for text in ("", "较好防溅性能", "100GB", "M号"):
        assert known.read_standard(text, on=SPRING_2020).standard is None, text


# -- units ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("item", "quantity", "unit", "content", "base"),
    [
        ("GLOVE_EXAM", 1, "盒", 100, 100),
        ("GLOVE_EXAM", 3, "100只/盒", None, 300),
        ("GLOVE_EXAM", 5, "双", None, 10),
        ("GLOVE_EXAM", 5, "pairs", None, 10),
        ("GLOVE_EXAM", 2, "只", None, 2),
        ("GLOVE_EXAM", 7, "", None, 14),
        ("SHOE_COVER", 7, "双", None, 14),
        ("GOGGLES", 3, "副", None, 3),
        ("COVERALL", 7, "套", None, 7),
        ("GOWN_ISO", 3, "件", None, 3),
        ("MASK_SURG", 2, "万只", None, 20_000),
        ("MASK_SURG", 3, "件", 2000, 6000),
        ("MASK_SURG", 3, "boxes", 50, 150),
        ("MASK_SURG", Fraction(3, 2), "万个", None, 15_000),
        ("BLEACH84", 20, "升", None, 20_000),
        ("BLEACH84", 3, "500ml/瓶", None, 1500),
        ("BLEACH84", Fraction(1, 2), "L", None, 500),
        ("O2_CYL", 4, "瓶", None, 4),
        ("CL_TABLET", 3, "斤", None, 1500),
        ("MED_STEROID", 7, "支", None, 7),
        ("VACCINE", 3, "支", None, 3),
    ],
)
def test_spoken_units_are_counted_in_base_units(
    known: Dictionary, item: str, quantity: int, unit: str, content: int | None, base: int
) -> None:
    assert known.to_base(known.items[item], quantity, unit, content) == base


@pytest.mark.parametrize(
    ("item", "quantity", "unit", "content", "field"),
    [
        ("MASK_SURG", 3, "箱", None, "pack_content"),
        ("GLOVE_EXAM", 3, "盒", None, "pack_content"),
        ("MASK_SURG", 3, "件", None, "pack_content"),
        ("MASK_SURG", 3, "箱", 0, "pack_content"),
        ("MASK_SURG", 3, "0只/盒", None, "pack_content"),
        ("BLEACH84", 3, "瓶", None, "pack_content"),
        ("BLEACH84", 2, "吨", None, "pack_content"),
        ("BLEACH84", 20, "", None, "unit"),
        ("MASK_SURG", 3, "公斤", None, "unit"),
        ("MASK_SURG", 3, "瓩", None, "unit"),
        ("MASK_SURG", -3, "只", None, "quantity"),
        ("MASK_SURG", 0, "只", None, "quantity"),
        ("MASK_SURG", Fraction(1, 2), "只", None, "quantity"),
        ("MASK_SURG", 2 * 10**14, "只", None, "quantity"),
    ],
)
def test_what_cannot_be_counted_is_refused_with_the_field_named(
    known: Dictionary, item: str, quantity: int, unit: str, content: int | None, field: str
) -> None:
    with pytest.raises(ValidationError) as refusal:
        known.to_base(known.items[item], quantity, unit, content)

    assert set(refusal.value.message_dict) == {field}


@pytest.mark.parametrize(
    ("quantity", "unit", "as_written"),
    [(Fraction(3, 2), "只", "1.5 只"), (3, "千克", "千克"), (Fraction(1, 2), "", "0.5 ")],
)
def test_a_refused_quantity_is_told_as_it_was_written(
    known: Dictionary, quantity: Fraction, unit: str, as_written: str
) -> None:
    with pytest.raises(ValidationError) as refused:
        known.to_base(known.items["MASK_SURG"], quantity, unit)

    assert as_written in " ".join(refused.value.messages)


def test_a_hundred_single_gloves_are_fifty_pairs(known: Dictionary) -> None:
    gloves = known.items["GLOVE_EXAM"]

    assert gloves.shown(services.to_base(gloves, 1, "盒", 100)) == 50


def test_a_typical_pack_is_a_placeholder_and_converts_nothing(known: Dictionary) -> None:
    masks = known.items["MASK_SURG"]
    rule = known.unit_rule(masks, "盒")

    assert rule is not None
    assert rule.typical_content == 50
    with pytest.raises(ValidationError):
        known.to_base(masks, 1, "盒")


def test_the_words_of_the_catalogue_are_asked_one_at_a_time_too(known: Dictionary) -> None:
    assert services.find_items("护目镜")[0].item.code == "GOGGLES"
    reading = services.read_standard("GB 19082-2009", on=SPRING_2020)
    assert reading.standard is not None
