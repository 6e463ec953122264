"""The rules by which goods, figures and requirements are found in free text, each by a text of its own."""

import time
from datetime import date

import pytest

from supplies.intake.announcements import Announcement, read_announcement

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shipped")]
AS_OF = date(2020, 2, 3)


def read(text: str) -> Announcement:
    return read_announcement(text, as_of=AS_OF)


def figures(text: str) -> list[tuple[str | None, int | None]]:
    return [(line.item.code if line.item else None, line.quantity) for line in read(text).lines]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("需手术衣M号30件、L号50件", [("GOWN_SURG", 80)]),
        ("需气管插管6.5、7.0两种，各20根", [("ETT", 40)]),
        ("急需病床：电动8张、普通12张", [("ICU_BED", 8), ("BED", 12)]),
        ("防护服20套，应为200套", [("COVERALL", 200)]),
        ("急需防护服80套，分院每家另要10套，请按120套准备", [("COVERALL", 120)]),
        ("需75%酒精（2.5L/桶），6桶", [("ALCOHOL75", 15_000)]),
        ("Needed:\nnitrile gloves .... 3 cases, 10 boxes of 100 per case", [("GLOVE_EXAM", 3000)]),
        ("Needed: bleach 5%, 20 litre jerricans: 3", [("BLEACH84", 60_000)]),
        ("品名\t规格\t盒数\n奥司他韦胶囊\t75mg*10粒\t30", [("MED_ANTIVIRAL", 300)]),
        ("| 名称 | 标准 | 数量 |\n| 面屏 | | 70 |", [("FACE_SHIELD", 70)]),
        ("名称 | 计划 | 缺口\n防护服 | 90 | 0\n护目镜 | 30 | 20", [("GOGGLES", 20)]),
        ("需口罩（GB 19083-2010）500只", [("RESP_MED", 500)]),
    ],
)
def test_the_figure_is_what_a_careful_reader_would_enter(
    text: str, expected: list[tuple[str | None, int | None]]
):
    assert figures(text) == expected


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("急需护目镜20、30个", "护目镜: 20或30个"),
        ("急需护目镜2、3万个，谢谢", "护目镜: 2或3万个"),
        ("急需护目镜20/30个", "护目镜: 20或30个"),
        ("护目镜\t20、30个", "护目镜: 20或30个"),
        ("急需护目镜20个或30个", "护目镜: 20个或30个"),
        ("20或30个护目镜", "护目镜: 20或30个"),
        ("We need 20 or 30 pieces of goggles", "goggles: 20 or 30 pieces"),
    ],
)
def test_of_two_figures_for_one_thing_neither_is_chosen_and_both_are_shown(text: str, written: str):
    (line,) = read(text).lines

    assert (line.quantity, line.waits, line.goods.as_written) == (None, True, written)
    assert [finding.code for finding in line.findings] == ["either-number"]
    assert not read(text).unread


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("防护服200、300个面屏", [("COVERALL", 200), ("FACE_SHIELD", 300)]),
        ("急需护目镜20、面屏30个", [("GOGGLES", 20), ("FACE_SHIELD", 30)]),
        ("1、20个护目镜\n2、30套防护服", [("GOGGLES", 20), ("COVERALL", 30)]),
        ("气管插管6.5、7.0各20根", [("ETT", 40)]),
        ("护目镜200个或3M 1621 100个", [("GOGGLES", 200)]),
    ],
)
def test_figures_of_two_things_a_list_s_numbers_sizes_and_models_are_no_such_pair(
    text: str, expected: list[tuple[str | None, int | None]]
):
    assert figures(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "需防护服，每周用量700套",
        "上月缺口：防护服600套；面屏300个",
        "病房里八个人轮着穿3套防护服，谁能帮一把：求防护服",
        "需N95口罩，现在一人一周一个",
        "Needed: gowns 700 per week",
    ],
)
def test_a_rate_by_the_week_and_what_was_once_missing_are_no_figures(text: str):
    assert [line.quantity for line in read(text).lines if line.quantity is not None] == []


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("已领：口罩300只；鞋套20双\n待补：护目镜", ["GOGGLES"]),
        ("除护目镜外请暂停寄送任何物资", ["GOGGLES"]),
        ("A＝急缺；C＝暂不需要\n护目镜\tA\n手术衣\tC", ["GOGGLES"]),
        ("Goggles needed. Cloth masks cannot be accepted.", ["GOGGLES"]),
        ("急需护目镜；布口罩请勿捐赠", ["GOGGLES"]),
    ],
)
def test_what_is_there_or_refused_is_not_asked_for(text: str, wanted: list[str]):
    assert [line.item.code for line in read(text).lines if line.item] == wanted


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("1.医用防护口罩，执行GB 19083-2010；\n2.护目镜", ["GB19083-2010-1"]),
        ("surgical masks, ASTM F2100 Level 2 or Level 3", ["ASTMF2100-L2", "ASTMF2100-L3"]),
        ("防护服标准由GB19082-2003更正为GB 19082-2009", ["GB19082-2009"]),
        ("名称\t标准\t数量\nKN95口罩\tGB 2626-2006\t30", ["GB2626-2006-KN95"]),
    ],
)
def test_a_standard_is_read_with_its_class_and_no_other(text: str, codes: list[str]):
    assert [standard.code for standard in read(text).lines[0].standards] == codes


@pytest.mark.parametrize(
    "text", ["口罩1" + " " * 19_000, "A＝急缺；B＝不需要\n" * 200], ids=["a wide gap", "many legends"]
)
def test_no_text_takes_long(text: str):
    read("口罩")  # the patterns of the catalogue are made once
    began = time.process_time()

    read(text)

    assert time.process_time() - began < 20


def test_a_column_of_telephones_keeps_its_place_in_a_table():
    lines = read("名称,数量,联系电话,标准\n医用外科口罩,500,,YY 0469-2011\n护目镜,20,,").lines

    assert [(line.goods.heading, line.quantity) for line in lines] == [("医用外科口罩", 500), ("护目镜", 20)]
    assert [standard.code for standard in lines[0].standards] == ["YY0469-2011"]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Contact: Practice person, 027-55500312", "Practice person"),
        ("Contact: Equipment department, 027-55500312", ""),
    ],
)
def test_a_name_behind_its_label_is_read_and_a_department_is_none(text: str, name: str):
    assert [person.name for person in read(text).people] == [name]


@pytest.mark.parametrize("between", [":", ":\n", "\n"])
def test_an_account_on_the_next_line_is_hidden_too(between: str):
    announcement = read(f"急需护目镜20副\n户名:演练慈善会,账号{between}6222000000000000123")

    assert announcement.accounts == 1
    assert "6222" not in "".join(one.text for one in announcement.unread)


def test_a_rate_of_use_behind_a_comma_is_that_of_the_goods_before_it():
    (line,) = read("急需医用外科口罩1万只，日消耗300只").lines

    assert (line.quantity, line.daily_use) == (10_000, 300)


@pytest.mark.parametrize("text", ["我院防护服日消耗300套。", "We use 300 coveralls a day."])
def test_a_rate_of_use_alone_is_no_need_and_is_said_and_kept(text: str):
    announcement = read(text)

    assert announcement.lines == ()
    assert [finding.code for finding in announcement.findings] == ["only-a-rate"]
    assert "300" in announcement.unread[0].text


@pytest.mark.parametrize(
    "text",
    [
        "防护服日消耗300套，急需补充。",
        "急需物资：\n防护服 日消耗300套",
        "防护服日消耗300套，库存仅够两天。",
        "以下有缺口：防护服（日消耗300套）",
    ],
)
def test_a_rate_of_use_where_the_text_asks_is_a_need_nobody_has_counted(text: str):
    (line,) = read(text).lines

    assert (line.kind, line.quantity, line.daily_use) == ("unknown", None, 300)


def test_a_rate_told_apart_from_the_figure_is_that_of_the_same_goods():
    (line,) = read("我院防护服日消耗100套。现需防护服3000套。").lines

    assert (line.quantity, line.daily_use) == (3000, 100)


@pytest.mark.parametrize(
    ("text", "refused"),
    [
        ("We need gloves. No homemade masks.", ["homemade masks"]),
        ("No used or expired respirators please. Gloves needed.", ["used or expired respirators"]),
        ("Needed: gloves\nNo uncertified gowns, expired masks", ["uncertified gowns", "expired masks"]),
        ("急需检查手套。不接受自制口罩、过期防护服。", ["自制口罩", "过期防护服"]),
    ],
)
def test_goods_that_are_refused_for_what_they_are_are_no_need(text: str, refused: list[str]):
    announcement = read(text)

    assert [line.item.code for line in announcement.lines if line.item] == ["GLOVE_EXAM"]
    assert list(announcement.unwanted) == refused


@pytest.mark.parametrize(
    ("text", "condition"),
    [
        ("We need 500 surgical masks. No homemade masks.", "No homemade masks"),
        ("急需防护服200套。不接受自制口罩、过期防护服。", "不接受过期防护服"),
    ],
)
def test_what_is_refused_of_goods_that_are_asked_for_is_a_condition_of_theirs(text: str, condition: str):
    (line,) = read(text).lines

    assert condition in line.conditions


@pytest.mark.parametrize(
    ("text", "reached"),
    [
        ("联系电话：027-55501234/55505678", [("02755501234", ""), ("02755505678", "")]),
        ("咨询热线：95338，捐赠热线400-555-0123、8005550199", [("95338", ""), ("4005550123", ""), ("8005550199", "")]),
        ("联系人：甲老师 13800000001，jia@example.org", [("13800000001", "jia@example.org")]),
        ("Contact: Practice Person, supply@example.org", [("", "supply@example.org")]),
        ("甲老师 13800000001 a@example.org，乙老师 13800000002 b@example.org", [
            ("13800000001", "a@example.org"), ("13800000002", "b@example.org"),
        ]),
    ],
)  # fmt: skip
def test_everybody_who_can_be_reached_is_read(text: str, reached: list[tuple[str, str]]):
    announcement = read(f"急需口罩500只。\n{text}")

    assert [(person.number, person.email) for person in announcement.people] == reached
    assert announcement.unread == ()


def test_a_name_stands_with_an_address_that_has_no_number():
    (person,) = read("Contact: Practice Person, supply@example.org").people

    assert (person.name, person.email) == ("Practice Person", "supply@example.org")


def test_extensions_of_one_line_are_contacts_each():
    announcement = read("设备科027-55501234转8001、8002；口罩500只")

    assert [(one.number, one.extension) for one in announcement.people] == [
        ("02755501234", "8001"), ("02755501234", "8002"),
    ]  # fmt: skip


def test_an_address_that_money_is_sent_to_is_no_contact():
    assert read("急需口罩500只。支付宝：gift@example.org").people == ()


@pytest.mark.parametrize(
    ("text", "quantity"),
    [
        ("急需医用外科口罩20箱（每箱40盒，每盒50只）", 40_000),
        ("急需医用外科口罩，20箱，每箱40盒，每盒50只", 40_000),
        ("急需医用外科口罩20箱*40盒*50只", 40_000),
        ("Needed: 20 cases of surgical masks (40 boxes of 50)", 40_000),
        ("Needed: surgical masks: 20 cases (40 boxes per case, 50 masks per box)", 40_000),
        ("Needed: gloves 200; 3 packs of 10 surgical masks", 30),
        ("急需医用外科口罩20箱（每箱40盒）", None),
        ("急需医用外科口罩20箱（50只/盒）", None),
        ("Needed: surgical masks, 20 cartons of 40 boxes, 50 per box", None),
    ],
)
def test_packs_in_packs_are_counted_out_only_where_every_level_is_told(text: str, quantity: int | None):
    line = read(text).lines[-1]

    assert line.item is not None
    assert (line.item.code, line.quantity) == ("MASK_SURG", quantity)
    assert quantity or line.findings


@pytest.mark.parametrize(
    "text",
    [
        "We are in need of masks, gowns and gloves.",
        "Needed: 3 dozen face shields",
        "我院急缺防护服，来副手套，还要口罩",
        "所需物资如下：防护类：防护服；其次是护目镜",
        "本院再补充消毒湿巾，谢谢",
    ],
)
def test_words_that_only_ask_or_list_are_no_conditions(text: str):
    lines = read(text).lines

    assert lines
    assert [line.conditions for line in lines] == [()] * len(lines)


@pytest.mark.parametrize(
    ("text", "condition"),
    [
        ("还差180码防护服260套", "180码"),
        ("护目镜100副，需防雾的", "防雾"),
        ("Needed: sterile gowns", "sterile"),
        ("急需酒精，医用级", "医用级"),
        ("护目镜100副，不要带度数的", "不要带度数的"),
        ("口罩1000只，独立包装", "独立包装"),
    ],
)
def test_what_is_demanded_of_the_goods_stays_a_condition(text: str, condition: str):
    assert condition in " ".join(read(text).lines[0].conditions)


@pytest.mark.parametrize(
    ("text", "people"),
    [
        ("联系人：甲老师、乙主任、丙科长 电话：027-55501234 jia@example.org", [
            ("甲老师", "02755501234", ""), ("乙主任", "02755501234", ""), ("丙科长", "02755501234", ""),
        ]),
        ("0717-5550101（甲老师） 0717-5550102（乙老师）", [("甲老师", "07175550101", ""), ("乙老师", "07175550102", "")]),
        ("甲医生\n13800000001\n乙医生\n13800000002", [("甲医生", "13800000001", ""), ("乙医生", "13800000002", "")]),
        ("Contacts: Dr Sample 555-0101 ext 22, Nurse Practice 555-0102", [
            ("Dr Sample", "5550101", "22"), ("Nurse Practice", "5550102", ""),
        ]),
        ("Contact us. Masks 200-5000 needed", []),
    ],
)  # fmt: skip
def test_each_of_several_persons_has_the_number_beside_the_name(
    text: str, people: list[tuple[str, str, str]]
):
    found = read(f"急需防护服50套。\n{text}").people

    assert [(one.name, one.number, one.extension) for one in found] == people
