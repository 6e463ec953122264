"""What the page says goods are good for is what the matching does with them."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.utils import translation

from matching.kernel.problem import Policy, Verdict
from matching.lookup import Answer, Asked, Case, look_up
from matching.snapshot import Rulebook, take
from supplies.catalogue.models import CounterfeitMark, Item, Standard
from supplies.needs.models import Need, Setting
from supplies.offers.models import Offer
from tests.makers import NOW, TODAY, make_appeal, make_donation, make_emergency, make_region
from tests.supplies.catalogue.conftest import shipped  # noqa: F401

pytestmark = pytest.mark.usefixtures("shipped", "db")
Pair = tuple[
    str, str | None, str, str | None, str
]  # offered item and standard, wanted item and standard, setting


def asked(text: str = "", **more: Any) -> Answer:
    with translation.override("en"):
        return look_up(Asked(text, **more), on=TODAY)


def only(answer: Answer) -> Case:
    [case] = answer.cases
    return case


def wanted(lines: Any) -> set[tuple[str, str | None]]:
    return {(line.item.code, line.standard and line.standard.code) for line in lines}


# -- The same rule as the matching -------------------------------------------------------------------------


def kinds_of_goods() -> list[tuple[Item, Standard | None]]:
    """Every standard with every item it is for, and every item without a standard."""
    links = [
        (item, standard) for standard in Standard.objects.order_by("pk") for item in standard.items.all()
    ]
    return [*links, *((item, None) for item in Item.objects.active().order_by("pk"))]


def matched(sterile: bool) -> dict[Pair, int]:
    """The verdict of a snapshot of real needs and offers on every pair of kinds whose goods may pass at all."""
    emergency = make_emergency()
    kinds = kinds_of_goods()
    needs = [(item, standard, setting) for item, standard in kinds for setting in Setting.values]
    first = make_appeal(lines=[{"item": kinds[0][0]}]).needs.get()
    rows = [_like(first, item=item, setting=setting) for item, _standard, setting in needs]
    Need.objects.bulk_create(rows)
    Need.accepted_standards.through.objects.bulk_create(
        Need.accepted_standards.through(need=row, standard=standard)
        for row, (_item, standard, _setting) in zip(rows, needs, strict=True)
        if standard is not None
    )
    given = make_donation(lines=[{"item": kinds[0][0]}]).offers.get()
    goods = [_like(given, item=item, standard=standard, sterile=sterile) for item, standard in kinds]
    Offer.objects.bulk_create(goods)
    need_is = {
        row.pk: (row.item_id, standard and standard.pk, row.setting)
        for row, (_i, standard, _s) in zip(rows, needs, strict=True)
    }
    offer_is = {row.pk: (row.item_id, row.standard_id) for row in goods}

    found: dict[Pair, int] = {}
    for family in take(emergency, as_of=NOW, policy=Policy.urgency(), rulebook=Rulebook.read()):
        problem = family.problem
        for o, supply in enumerate(problem.supplies.kind.tolist()):
            for n, demand in enumerate(problem.demands.kind.tolist()):
                offer, need = family.rows.offer_id(o), family.rows.need_id(n)
                if offer in offer_is and need in need_is:
                    found[(*offer_is[offer], *need_is[need])] = int(problem.verdicts.verdict[supply, demand])
    return found


def _like(row: Any, **changed: Any) -> Any:
    """A new row with the values of this one, but for those changed."""
    skipped = {"id", "quantity_open", "quantity_outstanding"}
    values = {f.attname: getattr(row, f.attname) for f in row._meta.concrete_fields if f.name not in skipped}
    for name in changed:
        values.pop(f"{name}_id", None)
    return type(row)(**{**values, **changed})


def said(sterile: bool) -> dict[Pair, int]:
    """What the look-up says of every kind of goods; what it does not list as good for is not sent."""
    found: dict[Pair, int] = {}
    for item, standard in kinds_of_goods():
        code = standard.pk if standard else ""
        case = only(asked(item=item.pk, standard=code, sterile=sterile))
        for line in (*case.good_for, *case.on_condition, *case.not_for):
            for setting in line.settings:
                asked_for = line.standard.pk if line.standard else None
                found[(item.pk, code or None, line.item.pk, asked_for, setting)] = int(line.verdict)
    return found


@pytest.mark.timeout(600)
@pytest.mark.parametrize("sterile", [False, True], ids=["not sterile", "sterile"])
def test_page_and_matching_agree_on_every_pair_of_standards_in_every_setting(sterile: bool) -> None:
    make_region()
    ours, theirs = said(sterile), matched(sterile)

    differing = [
        (pair, theirs.get(pair, int(Verdict.NO)), ours.get(pair, int(Verdict.NO)))
        for pair in ours.keys() | theirs.keys()
        if ours.get(pair, int(Verdict.NO)) != theirs.get(pair, int(Verdict.NO))
    ]

    assert len(theirs) > 10_000
    assert set(theirs.values()) == {int(verdict) for verdict in Verdict}
    assert differing == []


# -- What is meant -----------------------------------------------------------------------------------------


def test_a_word_for_two_kinds_of_masks_is_asked_about_and_both_are_worked_out() -> None:
    answer = asked("N95口罩")

    assert [(q.about, [code for code, _name in q.choices]) for q in answer.questions] == [
        ("item", ["RESP_MED", "RESP_PART"])
    ]
    assert [(case.item.code, case.standard) for case in answer.cases] == [
        ("RESP_MED", None),
        ("RESP_PART", None),
    ]
    assert all(case.good_for or case.on_condition for case in answer.cases)


@pytest.mark.parametrize(
    ("text", "item", "standard"),
    [
        ("N95口罩 GB 19083-2010", "RESP_MED", "GB19083-2010-1"),
        ("NIOSH N95", "RESP_PART", "NIOSH-N95"),
        ("ＫＮ９５口罩", "RESP_PART", "GB2626-2019-KN95"),
        ("防护服 ＧＢ １９０８２ — ２００９", "COVERALL", "GB19082-2009"),
        ("YY 0469-2010 外科口罩", "MASK_SURG", "YY0469-2011"),
        ("EN 149:2001 FFP2 NR CE 0598", "RESP_PART", "EN149-FFP2"),
    ],
)
def test_what_is_printed_decides_what_a_word_leaves_open(text: str, item: str, standard: str) -> None:
    case = only(asked(text))

    assert (case.item.code, case.standard and case.standard.code) == (item, standard)
    assert asked(text).questions == ()


def test_a_medical_n95_by_name_alone_is_not_taken_for_the_american_one() -> None:
    answer = asked("医用N95口罩")

    assert only(answer).standard is None
    [question] = answer.questions
    assert question.about == "standard"
    assert "GB19083-2010-1" not in [code for code, _ in question.choices]  # no longer in force
    assert "GB19083-2023" in [code for code, _ in question.choices]


def test_the_answer_to_a_question_is_gone_by() -> None:
    case = only(asked("N95口罩", item="RESP_MED", standard="GB19083-2023"))

    assert (case.item.code, case.standard and case.standard.code) == ("RESP_MED", "GB19083-2023")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("GB 19082-2003 防护服", "withdrawn"),
        ("YY 0469-2010 口罩", "impossible"),
        ("YY 0469-2023 外科口罩", "not-yet-in-force"),
        ("防护服 GB 19083-2010", "wrong-item"),
        ("外科口罩 GB 99999-2011", "unknown"),
    ],
)
def test_odd_editions_are_warned_of(text: str, code: str) -> None:
    answer = asked(text)

    said = {w.code for case in answer.cases for w in case.warnings} | {
        w.code for r in answer.readings for w in r.warnings
    }
    assert code in said


def test_words_that_mean_nothing_known_are_given_back_and_asked_about() -> None:
    answer = asked("qwzx plumbus")

    assert (answer.cases, answer.unread) == ((), "qwzx plumbus")
    assert [question.about for question in answer.questions] == ["item"]


# -- What follows ------------------------------------------------------------------------------------------


def test_a_refusal_says_why_by_which_source_and_where_the_goods_are_welcome() -> None:
    case = only(asked("YY 0469-2011 外科口罩"))

    [line] = [line for line in case.not_for if line.standard and line.standard.code == "GB19083-2010-1"]
    assert "no tight fit" in line.why
    assert [source.url for source in line.sources if source.url.startswith("http")]
    assert line.as_of is not None
    assert case.instead.startswith("Welcome instead as: Surgical mask")


def test_a_condition_is_told_with_who_has_to_agree() -> None:
    case = only(asked("KN95口罩"))

    [line] = [line for line in case.on_condition if line.item.code == "RESP_MED" and line.standard is None]
    assert "if the hospital agrees" in line.why
    assert line.condition
    assert "surgery" not in line.settings


def test_a_regulator_s_list_holds_in_its_own_country_only() -> None:
    for country, is_accepted in (("US", True), ("CN", False)):
        case = only(asked("JMHLW-DS2", country=country))
        assert (("RESP_PART", "NIOSH-N95") in wanted(case.good_for)) is is_accepted


def test_a_suit_for_intensive_care_has_to_be_sterile() -> None:
    not_sterile = only(asked("防护服 GB 19082-2023", setting="icu", sterile=False))
    sterile = only(asked("防护服 GB 19082-2023", setting="icu", sterile=True))
    unsaid = only(asked("防护服 GB 19082-2023", setting="icu"))

    assert ("COVERALL", None) in wanted(not_sterile.not_for)
    assert ("COVERALL", None) in wanted(sterile.good_for)
    assert ("COVERALL", None) in wanted(unsaid.on_condition)


def test_a_valve_is_good_for_nothing_and_the_line_says_so() -> None:
    case = only(asked("GB 19083-2023", has_valve=True))

    assert (case.good_for, case.on_condition) == ((), ())
    assert "valve" in case.not_for[0].why


@pytest.mark.parametrize(
    ("days", "verdict"), [(-1, "expired"), (0, "expired"), (30, "too-short"), (31, "fits"), (900, "fits")]
)
def test_shelf_life_is_judged_as_the_matching_does(days: int, verdict: str) -> None:
    case = only(asked("YY 0469-2011", item="MASK_SURG", expires_on=TODAY + timedelta(days=days)))

    assert case.shelf_life is not None
    assert case.shelf_life.verdict == verdict


def test_of_several_expiry_days_the_first_is_gone_by_and_both_are_said() -> None:
    answer = asked("(01)06901234567892(17)270331 外科口罩", expires_on=date(2028, 1, 1))

    assert only(answer).shelf_life.expires_on == date(2027, 3, 31)  # type: ignore[union-attr]
    assert "1 January 2028" in answer.contradictions[0]


def test_the_region_of_a_credit_code_is_named() -> None:
    china = make_region("CN", "中国", level="country", scheme="ISO3166-1")
    make_region("110000", "北京市", china, level="province")

    [mark] = asked("91110000600037341L").marks

    assert [str(part.says) for part in mark.parts if str(part.label) == "region"] == ["北京市"]


def test_a_known_counterfeit_is_warned_of_with_its_source() -> None:
    CounterfeitMark.objects.create(
        number="国械注准20993140001", wrong="Invented for a test.", jurisdiction="CN",
        source="Exercise authority", source_url="https://example.org/list", stated_on=TODAY,
    )  # fmt: skip

    [hit] = asked("外科口罩 国械注准 2099 3140001 号").counterfeits

    assert hit.is_exact
    assert "Exercise authority" in hit.sentence


def test_an_item_without_any_rule_still_answers() -> None:
    case = only(asked(item="BED", standard=""))

    assert wanted(case.good_for) == {("BED", None)}
    assert case.evidence
