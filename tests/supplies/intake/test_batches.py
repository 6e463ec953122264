"""Batches: read without a trace, looked through, corrected, entered; and what is remembered for the next list."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from supplies.attachments.models import Attachment
from supplies.attachments.uploads import in_memory
from supplies.catalogue.models import Item
from supplies.errors import MoveRefused, Refused
from supplies.intake import services
from supplies.intake.entering import missing
from supplies.intake.models import (
    BATCH_LIFECYCLE,
    STAGED_LIFECYCLE,
    BatchStatus,
    Correction,
    Import,
    ImportedLine,
    ImportedRow,
    Scope,
    StagedRow,
    StagedStatus,
    Verdict,
)
from supplies.intake.reading_in import erase_file
from supplies.needs.models import Appeal, Need, QuantityKind
from supplies.organisations.contacts import Contact
from supplies.organisations.models import Organisation, User
from supplies.regions.models import Region
from tests.at_once import behind
from tests.makers import make_facility, make_organisation, make_unit
from tests.supplies.attachments.hostile import pdf
from tests.supplies.intake.conftest import hand_in
from tests.supplies.intake.files.spreadsheets import xls
from tests.supplies.intake.lists import make_cell, make_row
from tests.supplies.intake.test_services import make_maker

pytestmark = pytest.mark.django_db
LATER = timedelta(days=1)


@pytest.fixture(autouse=True)
def _catalogue(catalogue: dict[str, Item]) -> None:
    """Every list is read by one."""


def let_in(batch: Import, what: str = Scope.ALL, *, by: User) -> Import:
    services.enter(batch, what=what, by=by, at=timezone.now())
    services.work(batch.pk, at=timezone.now())
    batch.refresh_from_db()
    return batch


def verdicts(batch: Import) -> list[str]:
    return list(batch.staged.in_order().values_list("verdict", flat=True))


def row_of(batch: Import, number: int = 1) -> StagedRow:
    return batch.staged.get(number=number)


def line_of(batch: Import, number: int = 1) -> dict[str, Any]:
    [line] = row_of(batch, number).shown["lines"]
    assert isinstance(line, dict)
    return line


# -- the dry run ----------------------------------------------------------------------------------------


def test_reading_touches_nothing_and_says_what_each_row_is(volunteer: User) -> None:
    let_in(hand_in([make_row(), make_row(name="演练第二医院")], by=volunteer), by=volunteer)
    before = (Need.objects.count(), Organisation.objects.count(), Contact.objects.count())

    batch = hand_in(
        [
            make_row(),
            make_row(name="演练第二医院", supplies=[make_cell(value=500)]),
            make_row(name="演练第三医院"),
            make_row(name="演练第四医院", supplies=[make_cell(value=-3)]),
            make_row(district="无此区", city="无此市", province=""),
            "not a row",
        ],
        by=volunteer,
    )

    assert batch.status == BatchStatus.READ
    assert verdicts(batch) == [
        Verdict.UNCHANGED, Verdict.CHANGED, Verdict.NEW, Verdict.DOUBTFUL, Verdict.UNREADABLE, Verdict.UNREADABLE,
    ]  # fmt: skip
    assert (Need.objects.count(), Organisation.objects.count(), Contact.objects.count()) == before


def test_the_raw_cell_stands_beside_what_was_read_and_how_sure_that_is(volunteer: User) -> None:
    cells = [make_cell("乳胶手套", "大约300"), make_cell("医用外科口罩", 800), make_cell("四层楼电梯", 1)]

    shown = row_of(hand_in([make_row(supplies=cells)], by=volunteer)).shown

    assert [(line["raw"], line["item"], line["quantity"], line["confidence"]) for line in shown["lines"]] == [
        ("乳胶手套: 大约300", "GLOVE_EXAM", 600, "likely"),
        ("医用外科口罩: 800", "MASK_SURG", 800, "sure"),
        ("四层楼电梯: 1", "", None, "unread"),
    ]
    assert {cell["field"]: cell["read"] for cell in shown["cells"]}["place"] == "420106"


def test_a_changed_row_says_what_would_change(volunteer: User) -> None:
    first = [make_cell(value=500), make_cell("乳胶手套", 100)]
    let_in(hand_in([make_row(supplies=first)], by=volunteer), by=volunteer)

    second = [make_cell(value=800), make_cell("84消毒液", 1)]
    batch = hand_in([make_row(supplies=second)], by=volunteer)

    changes = {line["heading"]: (line["change"], line.get("was")) for line in row_of(batch).shown["lines"]}
    assert changes == {
        "医用外科口罩": ("number", 500),
        "84消毒液": ("added", None),
        "乳胶手套": ("gone", None),
    }


def test_what_is_staged_shows_no_number_that_reaches_somebody(volunteer: User) -> None:
    row = make_row(remark="请拨打13812345678", contacts=[{"name": "钱老师", "tel": "13912345678"}])

    staged = row_of(hand_in([row, make_row(name="", remark="13812345678")], by=volunteer))

    for shown in (str(staged.shown), str(staged.problems), bytes(staged.raw_sealed).decode("latin-1")):
        assert "13812345678" not in shown
        assert "13912345678" not in shown
    assert "13912345678" in staged.raw


def test_rows_that_are_missing_are_named_before_and_flagged_after_and_stay(volunteer: User) -> None:
    let_in(hand_in([make_row(), make_row(name="演练第二医院")], by=volunteer), by=volunteer)

    batch = hand_in([make_row()], by=volunteer, at=timezone.now() + LATER)
    told = [row.shown["name"] for row in missing(batch)]
    let_in(batch, by=volunteer)

    assert told == ["演练第二医院"]
    assert [row.shown["name"] for row in ImportedRow.objects.exclude(gone_at=None)] == ["演练第二医院"]
    assert Need.objects.open().count() == 2
    assert [finding.code for finding in batch.findings] == ["row-gone"]


def test_a_row_left_out_or_not_reviewed_is_not_missing(volunteer: User) -> None:
    let_in(hand_in([make_row(), make_row(name="演练第二医院")], by=volunteer), by=volunteer)
    rows = [make_row(remark="请走东门"), make_row(name="演练第二医院", supplies=[make_cell(value=-1)])]
    batch = hand_in(rows, by=volunteer, at=timezone.now() + LATER)

    services.leave_out(row_of(batch), by=volunteer, at=timezone.now())
    let_in(batch, Scope.SURE, by=volunteer)

    assert not ImportedRow.objects.exclude(gone_at=None).exists()


@pytest.mark.parametrize(
    ("rows", "format"), [([make_row()], "wuhan2020"), ([make_maker()], "wuhan2020-makers")]
)
def test_the_format_can_be_guessed(volunteer: User, rows: Any, format: str) -> None:
    batch = hand_in(rows, by=volunteer, format="")

    assert (batch.status, batch.format, batch.source) == (BatchStatus.READ, format, format)


@pytest.mark.parametrize(
    ("content", "code"),
    [(b"[1, 2]", "format-unknown"), (b"no list at all", "is-csv"), (b'{"a": 1}', "not-a-list")],
)
def test_a_file_that_cannot_be_read_says_why_and_is_erased(
    volunteer: User, content: bytes, code: str
) -> None:
    batch = hand_in(content, by=volunteer, format="")

    assert batch.status == BatchStatus.FAILED
    assert batch.problem is not None
    assert batch.problem["code"] == code
    assert not Attachment.objects.about(batch).kept().exists()


def test_a_file_that_was_lost_before_it_was_read_is_asked_for_again(volunteer: User) -> None:
    batch = hand_in([make_row()], by=volunteer, is_read=False)
    erase_file(batch, at=timezone.now())

    services.work(batch.pk, at=timezone.now())

    batch.refresh_from_db()
    assert batch.problem is not None
    assert (batch.status, batch.problem["code"]) == (BatchStatus.FAILED, "file-lost")


def test_the_newest_day_of_the_list_is_the_day_it_is_judged_by(volunteer: User) -> None:
    assert hand_in([make_row(remark="2020.02.03更新")], by=volunteer).as_of == date(2020, 2, 3)


# -- entering -------------------------------------------------------------------------------------------

MIXED = [
    make_row(),
    make_row(name="演练第二医院", supplies=[make_cell(value=-3), make_cell("乳胶手套", 100)]),
    make_row(district="无此区", city="无此市", province=""),
]


def test_what_is_sure_enters_and_the_rest_waits_in_the_batch(volunteer: User) -> None:
    batch = let_in(hand_in(MIXED, by=volunteer), Scope.SURE, by=volunteer)

    assert list(batch.staged.in_order().values_list("status", flat=True)) == ["entered", "staged", "staged"]
    assert batch.status == BatchStatus.READ
    assert Need.objects.count() == 1
    assert Attachment.objects.about(batch).kept().exists()


def test_everything_enters_but_the_lines_nobody_can_rely_on(volunteer: User) -> None:
    batch = let_in(hand_in(MIXED, by=volunteer), by=volunteer)

    assert (batch.status, batch.created, batch.failed, batch.waiting) == (BatchStatus.FINISHED, 2, 1, 1)
    assert set(Need.objects.values_list("item", flat=True)) == {"MASK_SURG", "GLOVE_EXAM"}
    assert ImportedLine.objects.waiting().get().heading == "医用外科口罩"


def test_a_reviewed_row_enters_whole(volunteer: User) -> None:
    batch = hand_in([make_row(supplies=[make_cell(value=3)]), make_row(name="演练第二医院")], by=volunteer)

    services.review(row_of(batch), by=volunteer, at=timezone.now())
    let_in(batch, Scope.REVIEWED, by=volunteer)

    assert [(need.quantity, need.appeal.facility.name) for need in Need.objects.all()] == [
        (3, "演练第一医院")
    ]
    assert not ImportedLine.objects.waiting().exists()
    assert (row_of(batch).reviewed_by, batch.status) == (volunteer, BatchStatus.READ)


def test_a_row_left_out_enters_never_unless_it_is_taken_back(volunteer: User) -> None:
    batch = hand_in([make_row(), make_row(name="演练第二医院")], by=volunteer)
    services.leave_out(row_of(batch), by=volunteer, at=timezone.now())
    other = services.leave_out(row_of(batch, 2), by=volunteer, at=timezone.now())

    services.take_back(other, by=volunteer, at=timezone.now())
    let_in(batch, by=volunteer)

    assert Appeal.objects.get().facility.name == "演练第二医院"


def test_an_entered_row_keeps_its_raw_cells_once(volunteer: User) -> None:
    batch = let_in(hand_in(MIXED, by=volunteer), by=volunteer)

    assert [row.raw != "" for row in batch.staged.in_order()] == [False, False, True]
    assert "演练第一医院" in ImportedRow.objects.get(appeal__facility__name="演练第一医院").raw
    assert not Attachment.objects.about(batch).kept().exists()


def test_the_same_file_twice_changes_nothing(volunteer: User) -> None:
    let_in(hand_in(MIXED, by=volunteer), by=volunteer)
    before = (
        Need.objects.count(),
        Appeal.objects.count(),
        Contact.objects.count(),
        ImportedLine.objects.count(),
    )

    batch = let_in(hand_in(MIXED, by=volunteer), by=volunteer)

    assert (batch.created, batch.changed, batch.unchanged, batch.failed) == (0, 0, 2, 1)
    assert before == (
        Need.objects.count(),
        Appeal.objects.count(),
        Contact.objects.count(),
        ImportedLine.objects.count(),
    )


def test_two_batches_of_one_list_that_were_read_before_either_entered_do_not_double(volunteer: User) -> None:
    one, other = hand_in([make_row()], by=volunteer), hand_in([make_row()], by=volunteer)

    let_in(one, by=volunteer)
    let_in(other, by=volunteer)

    assert (Need.objects.count(), Organisation.objects.filter(kind="hospital").count()) == (1, 1)
    assert (other.created, other.unchanged) == (0, 1)


def test_a_hospital_listed_in_two_snapshots_under_two_spellings_asks_once(volunteer: User) -> None:
    let_in(hand_in([make_row(name="武汉市演练医院")], by=volunteer), by=volunteer)

    batch = let_in(hand_in([make_row(name="武汉演练医院")], by=volunteer), by=volunteer)

    assert Need.objects.count() == 1
    assert "asked-already" in {finding.code for finding in row_of(batch).findings}


def test_working_on_a_batch_that_is_over_does_nothing(volunteer: User) -> None:
    batch = let_in(hand_in([make_row()], by=volunteer), by=volunteer)

    services.work(batch.pk, at=timezone.now())
    services.work("00000000-0000-4000-8000-000000000000", at=timezone.now())

    assert Need.objects.count() == 1


def test_only_a_batch_that_was_read_is_entered(volunteer: User) -> None:
    batch = hand_in([make_row()], by=volunteer, is_read=False)

    with pytest.raises(MoveRefused):
        services.enter(batch, what=Scope.ALL, by=volunteer, at=timezone.now())


def test_what_is_discarded_is_gone_with_its_file(volunteer: User) -> None:
    batch = services.discard(hand_in(MIXED, by=volunteer), by=volunteer, at=timezone.now())

    assert batch.status == BatchStatus.DISCARDED
    assert not batch.staged.exists()
    assert not Attachment.objects.about(batch).kept().exists()


def test_what_was_entered_before_the_rest_was_discarded_stays(volunteer: User) -> None:
    batch = let_in(hand_in(MIXED, by=volunteer), Scope.SURE, by=volunteer)

    batch = services.discard(batch, by=volunteer, at=timezone.now())

    assert (batch.status, batch.staged.count(), Need.objects.count()) == (BatchStatus.FINISHED, 1, 1)


@contextmanager
def _nobody_enters() -> Iterator[None]:
    with transaction.atomic():
        services._one_at_a_time(waits=False)
        yield


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_enter_each_row_once(volunteer: User) -> None:
    batch = hand_in([make_row(name=f"演练镇{number}号卫生院") for number in range(40)], by=volunteer)
    services.enter(batch, what=Scope.ALL, by=volunteer, at=timezone.now())

    behind(_nobody_enters(), [lambda: services.work(batch.pk, at=timezone.now())] * 2)
    services.work(batch.pk, at=timezone.now())

    batch.refresh_from_db()
    assert (batch.status, batch.created, Need.objects.count()) == (BatchStatus.FINISHED, 40, 40)


# -- corrections ----------------------------------------------------------------------------------------


def test_words_for_goods_are_learnt_for_all_rows_and_the_next_list(
    volunteer: User, catalogue: dict[str, Item]
) -> None:
    odd = [make_cell("奇怪的东西", 40)]
    batch = hand_in([make_row(supplies=odd), make_row(name="演练第二医院", supplies=odd)], by=volunteer)

    row = services.correct_goods(
        row_of(batch), heading="奇怪的东西", item=catalogue["MASK_SURG"], by=volunteer, at=timezone.now()
    )
    later = hand_in([make_row(name="演练第三医院", supplies=odd)], by=volunteer)

    assert (row.verdict, line_of(batch)["confidence"]) == (Verdict.NEW, "said")
    assert verdicts(batch) == [Verdict.NEW, Verdict.NEW]
    assert (line_of(later)["item"], line_of(later)["quantity"]) == ("MASK_SURG", 40)


def test_what_one_source_means_says_nothing_about_another(
    volunteer: User, catalogue: dict[str, Item]
) -> None:
    odd = [make_cell("奇怪的东西", 40)]
    batch = hand_in([make_row(supplies=odd)], by=volunteer, source="one sheet")
    services.correct_goods(
        row_of(batch), heading="奇怪的东西", item=catalogue["MASK_SURG"], by=volunteer, at=timezone.now()
    )

    assert line_of(hand_in([make_row(supplies=odd)], by=volunteer, source="another"))["item"] == ""


def test_what_is_not_goods_is_left_out(volunteer: User) -> None:
    batch = hand_in([make_row(supplies=[make_cell("四层楼电梯", 1), make_cell()])], by=volunteer)

    services.correct_goods(row_of(batch), heading="四层楼电梯", by=volunteer, at=timezone.now())
    let_in(batch, by=volunteer)

    assert list(Need.objects.values_list("item", flat=True)) == ["MASK_SURG"]
    assert not ImportedLine.objects.waiting().exists()


def test_the_quantity_of_one_cell_is_remembered_for_that_cell_alone(volunteer: User) -> None:
    absurd = [make_cell("乳胶手套", "2e14")]
    rows = [make_row(supplies=absurd), make_row(name="演练第二医院", supplies=absurd)]
    batch = hand_in(rows, by=volunteer)

    services.correct_quantity(
        row_of(batch), heading="乳胶手套", quantity=300, by=volunteer, at=timezone.now()
    )
    again = hand_in(rows, by=volunteer)

    assert [line_of(again, number)["quantity"] for number in (1, 2)] == [600, None]
    assert verdicts(again) == [Verdict.NEW, Verdict.DOUBTFUL]


def test_a_value_of_a_column_can_mean_the_same_everywhere(volunteer: User) -> None:
    rows = [
        make_row(supplies=[make_cell(value=3)]),
        make_row(name="演练第二医院", supplies=[make_cell(value=3)]),
    ]
    batch = hand_in(rows, by=volunteer)

    services.correct_quantity(
        row_of(batch),
        heading="医用外科口罩",
        quantity_kind=QuantityKind.UNLIMITED,
        everywhere=True,
        by=volunteer,
        at=timezone.now(),
    )
    let_in(batch, by=volunteer)

    assert set(Need.objects.values_list("quantity_kind", "quantity")) == {("unlimited", None)}


def test_a_unit_is_learnt(volunteer: User, catalogue: dict[str, Item]) -> None:
    batch = hand_in([make_row(supplies=[make_cell("乳胶手套", "30副")])], by=volunteer)
    assert line_of(batch)["quantity"] is None

    services.correct_unit(
        row_of(batch),
        heading="乳胶手套",
        unit=catalogue["GLOVE_EXAM"].base_unit,
        by=volunteer,
        at=timezone.now(),
    )

    assert line_of(batch)["quantity"] == 30


CARTONS = [make_row(supplies=[make_cell("医用外科口罩", "3箱")])]


def test_a_carton_of_a_source_holds_what_was_said_of_it(volunteer: User, catalogue: dict[str, Item]) -> None:
    box = make_unit("box", name_zh="盒", name_en="box", kind="package")
    batch = hand_in(CARTONS, by=volunteer)
    assert line_of(batch)["quantity"] is None

    services.correct_unit(
        row_of(batch), heading="医用外科口罩", unit=box, times=20, each=50, by=volunteer, at=timezone.now()
    )

    assert line_of(batch)["quantity"] == 3000
    assert line_of(hand_in(CARTONS, by=volunteer))["quantity"] == 3000  # and so in the next list
    assert line_of(hand_in(CARTONS, by=volunteer, source="another"))["quantity"] is None


def test_what_a_carton_of_one_kind_holds_is_not_said_of_other_goods(volunteer: User) -> None:
    other = make_cell("颗粒物防护口罩", "3箱")
    batch = hand_in([make_row(supplies=[make_cell("医用外科口罩", "3箱"), other])], by=volunteer)

    for everywhere in (False, True):
        services.correct_unit(
            row_of(batch),
            heading="医用外科口罩",
            unit=make_unit(),
            times=500,
            everywhere=everywhere,
            by=volunteer,
            at=timezone.now(),
        )
        by_heading = {line["heading"]: line["quantity"] for line in row_of(batch).shown["lines"]}
        assert by_heading["医用外科口罩"] == 1500
        assert (by_heading["颗粒物防护口罩"] == 1500) == everywhere


def test_a_carton_means_again_what_it_meant_once_that_is_undone(volunteer: User) -> None:
    batch = hand_in(CARTONS, by=volunteer)
    services.correct_unit(
        row_of(batch), heading="医用外科口罩", unit=make_unit(), times=500, by=volunteer, at=timezone.now()
    )

    services.undo_correction(Correction.objects.get(), by=volunteer, at=timezone.now())

    assert line_of(hand_in(CARTONS, by=volunteer))["quantity"] is None


def test_a_carton_of_more_than_anybody_can_mean_is_refused_or_not_counted(volunteer: User) -> None:
    batch = hand_in(CARTONS, by=volunteer)
    given = {"heading": "医用外科口罩", "unit": make_unit(), "by": volunteer, "at": timezone.now()}

    with pytest.raises(Refused, match="at most"):
        services.correct_unit(row_of(batch), times=1_000_000, each=1_000_000, **given)
    services.correct_unit(row_of(batch), times=1_000_000, each=5_000, **given)

    assert line_of(batch)["quantity"] is None


def test_a_table_whose_headings_were_confirmed_before_is_read_without_asking(volunteer: User) -> None:
    table = "名称,医用外科口罩,区县\n演练第一医院,500,武昌区\n".encode()
    given = {"by": volunteer, "format": "", "source": "某群", "name": "a.csv"}
    first = hand_in(table, **given)
    assert first.status == BatchStatus.UNMAPPED
    services.say_columns(first, services.columns_of(first).plan, by=volunteer, at=timezone.now())

    second = hand_in(table + "演练第二医院,20,江岸区\n".encode(), **given)

    assert (second.status, second.format, second.rows_read) == (BatchStatus.READ, "sheet:某群", 2)


def test_of_a_workbook_the_sheet_with_the_list_is_proposed_and_one_may_be_chosen(volunteer: User) -> None:
    table = [["名称", "医用外科口罩", "区县"], ["演练第一医院", 500, "武昌区"]]
    book = xls(
        {"说明": [["请填写", "第二页"]], "一月": table, "二月": [table[0], ["演练第二医院", 20, "江岸区"]]}
    )
    given = {"by": volunteer, "format": "", "source": "某群", "name": "a.xls"}
    batch = hand_in(book, **given)

    proposal = services.columns_of(batch)
    assert (proposal.sheet, proposal.plan.sheet, proposal.is_complete) == ("一月", "", True)
    chosen = services.columns_of(batch, sheet="二月").plan
    services.say_columns(batch, chosen, by=volunteer, at=timezone.now())
    services.work(batch.pk, at=timezone.now())

    batch.refresh_from_db()
    assert [row.shown["name"] for row in batch.staged.in_order()] == ["演练第二医院"]
    again = hand_in(book, **given)
    assert (again.status, again.rows_read) == (BatchStatus.READ, 1)  # remembered for the source


def test_a_place_nobody_knew_is_learnt(volunteer: User) -> None:
    rows = [make_row(district="无此区", city="无此市", province="")]
    batch = hand_in(rows, by=volunteer)

    services.correct_place(
        row_of(batch), region=Region.objects.get(code="420102"), by=volunteer, at=timezone.now()
    )
    let_in(batch, by=volunteer)

    assert Appeal.objects.get().facility.region_id == "420102"
    assert verdicts(hand_in(rows, by=volunteer)) == [Verdict.UNCHANGED]


def test_a_name_is_learnt(volunteer: User) -> None:
    hospital = make_organisation(name="演练第九医院", region=Region.objects.get(code="420106"))
    site = make_facility(hospital)
    batch = hand_in([make_row(name="九院")], by=volunteer)

    services.correct_name(row_of(batch), organisation=hospital, by=volunteer, at=timezone.now())
    let_in(batch, by=volunteer)

    assert Appeal.objects.get().facility == site


def test_what_was_said_once_can_be_said_otherwise_and_taken_back(
    volunteer: User, catalogue: dict[str, Item]
) -> None:
    odd = [make_row(supplies=[make_cell("奇怪的东西", 40)])]
    batch = hand_in(odd, by=volunteer)
    for item in ("GLOVE_EXAM", "MASK_SURG"):
        services.correct_goods(
            row_of(batch), heading="奇怪的东西", item=catalogue[item], by=volunteer, at=timezone.now()
        )
    assert line_of(hand_in(odd, by=volunteer))["item"] == "MASK_SURG"

    correction = services.undo_correction(Correction.objects.get(), by=volunteer, at=timezone.now())

    assert correction.item is None
    assert line_of(hand_in(odd, by=volunteer))["item"] == ""
    with pytest.raises(Refused, match="undone already"):
        services.undo_correction(correction, by=volunteer, at=timezone.now())


def test_what_a_volunteer_said_of_a_waiting_line_is_used_on_the_next_list(
    volunteer: User, catalogue: dict[str, Item]
) -> None:
    rows = [
        make_row(name=name, supplies=[make_cell("奇怪的东西", 40)])
        for name in ("演练第一医院", "演练第二医院")
    ]
    let_in(hand_in(rows, by=volunteer), by=volunteer)
    line = ImportedLine.objects.get(row__organisation__name="演练第一医院")
    services.correct(line, item=catalogue["MASK_SURG"], by=volunteer, at=timezone.now())

    batch = let_in(hand_in(rows, by=volunteer), by=volunteer)

    assert verdicts(batch) == [Verdict.UNCHANGED, Verdict.CHANGED]
    assert Need.objects.filter(item="MASK_SURG").count() == 2
    assert not ImportedLine.objects.waiting().exists()


def test_a_row_without_an_item_cannot_be_called_right(volunteer: User) -> None:
    batch = hand_in(
        [
            make_row(supplies=[make_cell("四层楼电梯")]),
            make_row(district="无此区", city="无此市", province=""),
        ],
        by=volunteer,
    )

    for number, code in ((1, "item-missing"), (2, "unreadable")):
        with pytest.raises(Refused) as refusal:
            services.review(row_of(batch, number), by=volunteer, at=timezone.now())
        assert refusal.value.code == code


def test_rows_are_decided_only_while_they_are_looked_through(volunteer: User) -> None:
    batch = let_in(hand_in([make_row()], by=volunteer), by=volunteer)

    for verb in (services.review, services.leave_out, services.take_back):
        with pytest.raises(Refused, match="not being looked through"):
            verb(row_of(batch), by=volunteer, at=timezone.now())


def test_a_row_that_failed_can_be_mended_and_entered(volunteer: User) -> None:
    batch = hand_in([make_row(supplies=[make_cell("乳胶手套", 9_000_000)])], by=volunteer)
    services.review(row_of(batch), by=volunteer, at=timezone.now())
    let_in(batch, Scope.SURE, by=volunteer)
    assert row_of(batch).status == StagedStatus.FAILED

    services.correct_quantity(
        row_of(batch), heading="乳胶手套", quantity=900, by=volunteer, at=timezone.now()
    )
    let_in(batch, Scope.SURE, by=volunteer)

    assert (Need.objects.get().quantity, batch.status) == (1800, BatchStatus.FINISHED)


# -- evidence -------------------------------------------------------------------------------------------


def test_a_picture_of_the_announcement_is_kept_beside_the_batch_and_the_appeal(volunteer: User) -> None:
    batch = let_in(hand_in([make_row()], by=volunteer), by=volunteer)

    for row in (batch, Appeal.objects.get()):
        with in_memory(pdf()) as file:
            kept = services.add_evidence(
                row, file, size=len(pdf()), kind="notice", by=volunteer, at=timezone.now()
            )
        assert list(Attachment.objects.about(row).kept()) == [kept]


@pytest.mark.parametrize("lifecycle", [BATCH_LIFECYCLE, STAGED_LIFECYCLE])
def test_every_status_can_be_reached_or_begins(lifecycle: Any) -> None:
    reached = set().union(*lifecycle.moves.values())

    assert set(lifecycle.moves) - reached in ({"received"}, set())
