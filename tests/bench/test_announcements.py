"""How a reader of announcements is scored, by readers made by hand: one that is always right, and some that are not."""

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from bench.announcements import FIELDS, NOTHING, Goods, Labelled, Scores, labelled, score

ROWS = labelled()
Answer = SimpleNamespace


def line_of(goods: Goods) -> Any:
    """The line that says exactly what the label says."""
    codes = [f"standard-{code}" for code in goods.warned] + ["synonyms"] * bool(goods.may)
    return SimpleNamespace(
        goods=SimpleNamespace(names=(goods.words,), specification=""),
        item=SimpleNamespace(code=goods.item) if goods.item else None,
        kind=goods.kind,
        quantity=goods.base,
        daily_use=goods.per_day,
        standards=tuple(SimpleNamespace(code=code) for code in goods.standards),
        is_sterile=goods.sterile,
        waits=False,
        findings=tuple(SimpleNamespace(code=code) for code in codes),
        conditions=goods.conditions,
    )


def answer_to(row: Labelled) -> Answer:
    expect = row.expect
    people = [
        SimpleNamespace(name=p["name"], number=p["number"], extension=str(p.get("extension", "")))
        for p in expect.get("people", ())
    ]
    return Answer(
        organisation=expect.get("organisation", ""),
        region=SimpleNamespace(code=expect["place"]) if "place" in expect else None,
        lines=tuple(map(line_of, row.goods)),
        unwanted=tuple(expect.get("not_wanted", ())),
        people=tuple(people),
        handover=expect.get("handover", "") or expect.get("address", ""),
        courier=expect.get("courier", ""),
        needed_by=expect.get("needed_by"),
        published_on=expect.get("published_on"),
        updated_on=expect.get("updated_on"),
        accepts_overseas=expect.get("accepts_overseas"),
        senders=frozenset(expect["senders"]) if "senders" in expect else None,
        accounts=expect.get("accounts", 0),
        unread=tuple(SimpleNamespace(text=words) for words in expect.get("unread", ())),
    )


def scored(spoil: Callable[[Answer], None], *rows: Labelled) -> Scores:
    """The scores of a reader that is right but for what `spoil` does to its answers."""
    answers = {row.text: answer_to(row) for row in rows}

    def read(text: str, *, as_of: Any) -> Answer:
        spoil(answers[text])
        return answers[text]

    return score(rows, read)


def row(*goods: Goods, **expect: Any) -> Labelled:
    return replace(ROWS[0], text="给我们口罩", expect=expect, goods=goods)


MASKS = Goods("外科口罩", "MASK_SURG", "number", base=500, standards=frozenset({"YY0469-2011"}))
MILK = Goods("牛奶", None, "unknown")


def test_a_reader_that_is_always_right_has_every_field_whole():
    scores = scored(lambda _answer: None, *ROWS)

    assert scores.announcements == len(ROWS)
    assert scores.faults == scores.invented == scores.failed == []
    for name in FIELDS:
        assert scores[name].wrong == scores[name].missed == 0, name
        assert scores[name].right > 0, name
    assert scores["item"].precision == scores["item"].recall == 1


def test_a_reader_that_reads_nothing_is_never_wrong_and_misses_all():
    scores = score(ROWS, lambda text, *, as_of: NOTHING)

    assert all(scores[name].wrong == 0 for name in FIELDS)
    assert scores["item"].recall == scores["quantity"].recall == 0
    assert scores["item"].precision is None
    assert scores.invented == []


def test_a_number_that_the_label_does_not_have_is_invented():
    def invent(answer: Answer) -> None:
        answer.lines[0].quantity = 5000

    scores = scored(invent, row(MASKS))

    assert scores.invented == [(ROWS[0].id, "外科口罩", 5000)]
    assert (scores["quantity"].wrong, scores["quantity"].missed) == (1, 1)


@pytest.mark.parametrize("field", ["quantity", "daily_use"])
def test_a_number_where_none_was_written_is_invented(field: str):
    scores = scored(lambda answer: setattr(answer.lines[0], field, 1), row(MILK))

    assert [number for _id, _words, number in scores.invented] == [1]


def test_goods_nobody_asked_for_are_wrong_and_their_number_is_invented():
    def add(answer: Answer) -> None:
        answer.lines = (*answer.lines, line_of(replace(MASKS, words="床位", item="BED", base=600)))

    scores = scored(add, row(MASKS))

    assert (scores["item"].right, scores["item"].wrong) == (1, 1)
    assert scores.invented == [(ROWS[0].id, "床位", 600)]


def test_goods_the_catalogue_lacks_must_be_reported_and_not_taken_for_others():
    dropped = scored(lambda answer: setattr(answer, "lines", ()), row(MILK))
    mistaken = scored(
        lambda answer: setattr(answer.lines[0], "item", SimpleNamespace(code="OTHER")), row(MILK)
    )

    assert (dropped["item"].wrong, dropped["item"].missed) == (0, 1)
    assert (mistaken["item"].wrong, mistaken["item"].missed) == (1, 1)


def test_a_line_without_an_item_for_words_to_be_kept_is_no_fault():
    def report(answer: Answer) -> None:
        answer.lines = (line_of(Goods("电梯", None, "unknown")),)

    scores = scored(report, row(unread=["急需电梯一部"]))

    assert scores["item"].wrong == 0


def test_any_of_the_items_it_may_mean_is_right_and_saying_nothing_of_the_doubt_is_missed():
    either = replace(MASKS, may=("MASK_SURG", "MASK_DISP"))

    def choose(answer: Answer) -> None:
        answer.lines[0].item = SimpleNamespace(code="MASK_DISP")
        answer.lines[0].findings = ()

    scores = scored(choose, row(either))

    assert scores["item"].right == 1
    assert scores["asks when in doubt"].missed == 1


def test_a_standard_of_the_name_alone_counts_neither_way():
    kn95 = Goods("KN95口罩", "RESP_PART", "unknown", standards_may=frozenset({"GB2626-2006-KN95"}))

    def take(answer: Answer) -> None:
        answer.lines[0].standards = (SimpleNamespace(code="GB2626-2006-KN95"),)

    scores = scored(take, row(kn95))

    assert (scores["standard"].right, scores["standard"].wrong) == (0, 0)


@pytest.mark.parametrize(
    ("labelled", "read"),
    [
        ("02755501234", "+86 (0)27 5550 1234"),
        ("13800000001", "86 138-0000-0001"),
        ("138****0001", "138xxxx0001"),
        ("4005550123", "400-555-0123"),
    ],
)
def test_a_number_is_the_same_however_it_is_written(labelled: str, read: str):
    def rewrite(answer: Answer) -> None:
        answer.people[0].number = read

    scores = scored(rewrite, row(people=[{"name": "甲老师", "number": labelled}]))

    assert scores["contact number"].right == 1
    assert scores["contact name"].right == 1


def test_a_hand_over_address_taken_for_the_couriers_is_wrong():
    def swap(answer: Answer) -> None:
        answer.handover, answer.courier = answer.courier, answer.handover

    scores = scored(swap, row(handover="北门仓库", courier="人民路1号设备科"))

    assert (scores["hand-over"].wrong, scores["courier"].wrong) == (1, 1)


def test_an_address_that_does_not_say_which_may_stand_as_either():
    for name in ("handover", "courier"):

        def put(answer: Answer, name: str = name) -> None:
            answer.handover = answer.courier = ""
            setattr(answer, name, "地址:人民路1号设备科")

        scores = scored(put, row(address="人民路1号设备科"))

        assert scores["plain address"].right == 1
        assert scores["hand-over"].wrong == scores["courier"].wrong == 0


def test_an_account_that_was_not_found_is_missed():
    scores = scored(lambda answer: setattr(answer, "accounts", 1), row(accounts=2))

    assert (scores["account hidden"].right, scores["account hidden"].missed) == (1, 1)


def test_a_name_in_the_other_script_is_the_same():
    scores = scored(
        lambda answer: setattr(answer, "organisation", "云泽市第一人民医院"),
        row(organisation="雲澤市第一人民醫院"),
    )

    assert scores["organisation"].right == 1


def test_one_text_on_which_the_reader_falls_does_not_hide_the_others():
    def read(text: str, *, as_of: Any) -> Answer:
        raise ValueError(text)

    scores = score([row(MASKS)], read)

    assert scores.failed == [(ROWS[0].id, "ValueError: 给我们口罩")]
    assert scores["item"].missed == 1
