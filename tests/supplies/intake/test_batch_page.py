"""The page of a batch at the desk: how far it is, its rows by verdict, corrections beside them, the errors as a sheet."""

import csv
from io import StringIO
from typing import Any

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from supplies.attachments.models import Attachment
from supplies.catalogue.models import Item
from supplies.intake import services
from supplies.intake.models import (
    BatchStatus,
    Correction,
    Import,
    ImportedRow,
    Scope,
    StagedRow,
    StagedStatus,
    Verdict,
)
from supplies.journal.models import Event
from supplies.needs.models import Appeal, Need
from supplies.organisations.models import User
from tests.desk import at_the_desk, choose, list_of, page_of, told
from tests.makers import make_emergency, make_member, make_unit
from tests.supplies.attachments.hostile import pdf
from tests.supplies.intake.conftest import hand_in
from tests.supplies.intake.files.spreadsheets import xls
from tests.supplies.intake.lists import make_cell, make_row, write_list

MIXED = [
    make_row(),
    make_row(name="演练第二医院", supplies=[make_cell(value=-3), make_cell("乳胶手套", 100)]),
    make_row(district="无此区", city="无此市", province="", remark="请拨打13812345678"),
]


@pytest.fixture(autouse=True)
def _catalogue(catalogue: dict[str, Item]) -> None:
    """Every list is read by one."""


@pytest.fixture
def desk(volunteer: User) -> Client:
    return at_the_desk(volunteer)


@pytest.fixture
def auditor(db: None) -> User:
    return make_member("auditor")


@pytest.fixture
def another(db: None) -> User:
    return make_member("volunteer")


def do(client: Client, row: StagedRow | Import, action: str, **answers: Any) -> Any:
    address = page_of(row).replace("/change/", f"/do/{action}/")
    return client.post(address, {"answered": "yes", **answers} if answers else {})


def rows_shown(client: Client, batch: Import, query: str = "") -> list[int]:
    return [row.staged.number for row in client.get(page_of(batch) + query).context["rows"]]


# -- handing in -----------------------------------------------------------------------------------------


def test_lists_are_handed_in_and_wait_to_be_read(desk: Client, volunteer: User, tmp_path: Any) -> None:
    emergency = make_emergency()
    content = write_list(tmp_path, MIXED).read_bytes()
    files = [SimpleUploadedFile(name, content) for name in ("one.json", "other.json")]

    desk.post(reverse("admin:supplies_import_hand_in"), {"lists": files, "emergency": emergency.pk})

    batches = Import.objects.order_by("file_name")
    assert [(one.file_name, one.status, one.by) for one in batches] == [
        ("one.json", BatchStatus.RECEIVED, volunteer),
        ("other.json", BatchStatus.RECEIVED, volunteer),
    ]
    assert Attachment.objects.about(batches[0]).kept().get().kind == "list"


def test_a_list_that_is_empty_is_refused_beside_its_field(desk: Client) -> None:
    answer = desk.post(
        reverse("admin:supplies_import_hand_in"),
        {"lists": SimpleUploadedFile("one.json", b""), "emergency": make_emergency().pk},
    )

    assert answer.status_code == 200
    assert "lists" in answer.context["form"].errors
    assert not Import.objects.exists()


def test_files_lost_by_another_fault_are_asked_for_again(desk: Client, tmp_path: Any) -> None:
    file = SimpleUploadedFile("one.json", write_list(tmp_path, MIXED).read_bytes())

    answer = desk.post(reverse("admin:supplies_import_hand_in"), {"lists": file, "emergency": "none"})

    assert "Choose them once more" in answer.context["form"].errors["lists"][0]


def test_coordinators_and_auditors_hand_in_nothing(auditor: User) -> None:
    assert at_the_desk(auditor).get(reverse("admin:supplies_import_hand_in")).status_code == 403


# -- progress -------------------------------------------------------------------------------------------


def test_progress_comes_from_the_database_and_the_page_looks_again(desk: Client, volunteer: User) -> None:
    batch = hand_in(MIXED, by=volunteer)
    assert "<progress" not in desk.get(page_of(batch)).content.decode()
    services.enter(batch, what=Scope.ALL, by=volunteer, at=timezone.now())
    Import.objects.filter(pk=batch.pk).update(next_row=3)

    page = desk.get(page_of(batch)).content.decode()

    assert f'hx-get="{page_of(batch)}" hx-trigger="every 4s"' in page
    assert '<progress id="progress" max="3" value="2">' in page
    assert "2 of 3 rows" in page


def test_the_bar_alone_answers_what_it_asks_until_the_work_has_ended(desk: Client, volunteer: User) -> None:
    batch = hand_in(MIXED, by=volunteer, is_read=False)

    waiting = desk.get(page_of(batch), headers={"HX-Request": "true"})
    services.work(batch.pk, at=timezone.now())
    ended = desk.get(page_of(batch), headers={"HX-Request": "true"})

    assert "Waits for a worker" in waiting.content.decode()
    assert "<html" not in waiting.content.decode()
    assert "HX-Refresh" not in waiting
    assert (ended["HX-Refresh"], ended.content.strip()) == ("true", b"")


def test_imports_to_look_through_come_first_and_wait_on_the_first_page(desk: Client, volunteer: User) -> None:
    waiting = hand_in(MIXED, by=volunteer)
    services.discard(hand_in(MIXED, by=volunteer), by=volunteer, at=timezone.now())

    rows = desk.get(list_of(Import)).context["cl"].result_list
    cards = desk.get(reverse("admin:index")).context["cards"]

    assert rows[0] == waiting
    assert [card.count for card in cards if "imports to look through" in str(card.title)] == [1]


# -- the rows -------------------------------------------------------------------------------------------


def test_rows_are_narrowed_by_verdict_and_paged_by_their_number(desk: Client, volunteer: User) -> None:
    rows = [make_row(name=f"演练镇{number}号卫生院") for number in range(45)]
    batch = hand_in([*rows, *MIXED[1:]], by=volunteer)

    assert rows_shown(desk, batch) == list(range(1, 21))
    assert rows_shown(desk, batch, "?after=40") == [41, 42, 43, 44, 45, 46, 47]
    assert rows_shown(desk, batch, "?verdict=doubtful") == [46]
    assert rows_shown(desk, batch, "?verdict=nonsense&after=x") == list(range(1, 21))
    counts = {one["label"]: one["count"] for one in desk.get(page_of(batch)).context["filters"]}
    assert counts[Verdict.NEW.label] == 45


def test_raw_and_read_stand_side_by_side_in_the_readers_language(desk: Client, volunteer: User) -> None:
    page = desk.get(page_of(hand_in(MIXED, by=volunteer))).content.decode()

    assert "乳胶手套: 100" in page
    assert "100 pairs" in page
    assert "The quantity -3 is negative" in page
    assert "The place “无此市 无此区” is not in the table of regions." in page
    assert "13812345678" not in page


def test_the_page_costs_the_same_for_any_number_of_rows(
    desk: Client, volunteer: User, django_assert_max_num_queries: Any
) -> None:
    small = hand_in(MIXED[:1], by=volunteer)
    large = hand_in(
        [make_row(name=f"演练镇{n}号卫生院", supplies=[make_cell(value=3)]) for n in range(40)], by=volunteer
    )

    for batch in (small, large):
        with django_assert_max_num_queries(23):
            desk.get(page_of(batch))


def test_what_is_missing_from_the_list_is_named_before_it_is_flagged(desk: Client, volunteer: User) -> None:
    first = hand_in([make_row(), make_row(name="演练第二医院")], by=volunteer)
    services.enter(first, what=Scope.ALL, by=volunteer, at=timezone.now())
    services.work(first.pk, at=timezone.now())

    page = desk.get(page_of(hand_in([make_row()], by=volunteer)))

    assert (page.context["missing"], page.context["missing_names"]) == (1, ["演练第二医院"])


# -- correcting and deciding ----------------------------------------------------------------------------


def test_a_correction_leads_back_to_the_row_and_is_remembered(desk: Client, volunteer: User) -> None:
    batch = hand_in([make_row(supplies=[make_cell("奇怪的东西", 40)])], by=volunteer)
    row = batch.staged.get()

    answer = do(desk, row, "goods", heading="奇怪的东西", item="MASK_SURG Surgical mask", verdict="doubtful")

    row.refresh_from_db()
    assert answer.url == f"{page_of(batch)}?verdict=doubtful&after=0#row-1"
    assert row.verdict == Verdict.NEW
    assert Correction.objects.get().item_id == "MASK_SURG"


@pytest.mark.parametrize(
    ("action", "answers", "number"),
    [
        ("nothing", {"heading": "医用外科口罩"}, 2),
        ("quantity", {"heading": "医用外科口罩", "quantity": "500", "quantity_kind": "number"}, 2),
        ("quantity", {"heading": "医用外科口罩", "quantity_kind": "unlimited", "everywhere": "on"}, 2),
        ("place", {"region": "武昌区"}, 3),
    ],
)
def test_every_correction_can_be_made_beside_its_row(
    desk: Client, volunteer: User, action: str, answers: dict[str, str], number: int
) -> None:
    row = hand_in(MIXED, by=volunteer).staged.get(number=number)

    do(desk, row, action, **answers)

    row.refresh_from_db()
    assert Correction.objects.count() == 1
    assert row.verdict == Verdict.NEW


def test_a_word_that_names_no_item_is_asked_for_again(desk: Client, volunteer: User) -> None:
    row = hand_in([make_row(supplies=[make_cell("奇怪的东西", 40)])], by=volunteer).staged.get()

    answer = do(desk, row, "goods", heading="奇怪的东西", item="nothing known")

    assert "names nothing here" in answer.content.decode()
    assert not Correction.objects.exists()


def test_rows_are_reviewed_left_out_and_taken_back(desk: Client, volunteer: User) -> None:
    row = hand_in(MIXED, by=volunteer).staged.get(number=2)

    for action, status in (
        ("review", StagedStatus.REVIEWED),
        ("take_back", StagedStatus.STAGED),
        ("leave_out", StagedStatus.LEFT_OUT),
    ):
        do(desk, row, action)
        row.refresh_from_db()
        assert row.status == status


@pytest.mark.parametrize(
    ("action", "status"), [("enter_sure", BatchStatus.READ), ("enter_all", BatchStatus.FINISHED)]
)
def test_the_batch_is_entered_from_its_page(desk: Client, volunteer: User, action: str, status: str) -> None:
    batch = hand_in(MIXED, by=volunteer)

    do(desk, batch, action)
    services.work(batch.pk, at=timezone.now())

    batch.refresh_from_db()
    assert batch.status == status
    assert Need.objects.exists()


def test_discarding_asks_first(desk: Client, volunteer: User) -> None:
    batch = hand_in(MIXED, by=volunteer)

    do(desk, batch, "discard")
    assert batch.staged.count() == 3
    do(desk, batch, "discard", sure="on")

    assert not batch.staged.exists()


def test_an_auditor_reads_and_decides_nothing(volunteer: User, auditor: User) -> None:
    batch = hand_in(MIXED, by=volunteer)
    client = at_the_desk(auditor)

    page = client.get(page_of(batch))
    answer = do(client, batch, "enter_all")
    errors = client.post(reverse("admin:supplies_import_errors", args=[batch.pk]))

    assert page.status_code == 200
    assert "/do/" not in page.content.decode()
    assert (answer.status_code, errors.status_code) == (403, 403)
    batch.refresh_from_db()
    assert batch.status == BatchStatus.READ


def test_a_correction_is_undone_at_the_desk_and_the_journal_keeps_both(desk: Client, volunteer: User) -> None:
    row = hand_in([make_row(supplies=[make_cell("奇怪的东西", 40)])], by=volunteer).staged.get()
    do(desk, row, "goods", heading="奇怪的东西", item="MASK_SURG")

    choose(desk, "undo", Correction.objects.get(), query="")

    assert Correction.objects.get().undone_at is not None
    kinds = Event.objects.filter(subject="correction").order_by("pk").values_list("kind", flat=True)
    assert list(kinds) == ["correction.made", "correction.undone"]


# -- the errors as a sheet ------------------------------------------------------------------------------


def sheet(client: Client, batch: Import) -> list[list[str]]:
    answer = client.post(reverse("admin:supplies_import_errors", args=[batch.pk]))
    text = b"".join(answer.streaming_content).decode()
    return list(csv.reader(StringIO(text.removeprefix("\ufeff"))))


def test_whoever_handed_the_list_in_gets_its_columns_back_with_the_reason(
    desk: Client, volunteer: User
) -> None:
    head, *rows = sheet(desk, hand_in(MIXED, by=volunteer))

    assert head == [*MIXED[0], "↩ row", "↩ verdict", "↩ reason"]
    assert [row[-3:-1] for row in rows] == [["2", "doubtful"], ["3", "unreadable"]]
    assert rows[1][-1] == "The place “无此市 无此区” is not in the table of regions."
    assert rows[1][head.index("remark")] == "请拨打13812345678"


def test_another_volunteer_gets_the_rows_by_name_and_nobodys_number(volunteer: User, another: User) -> None:
    batch = hand_in(MIXED, by=volunteer)

    head, *rows = sheet(at_the_desk(another), batch)

    assert head == ["name", "↩ row", "↩ verdict", "↩ reason"]
    assert [row[0] for row in rows] == ["演练第二医院", "演练第一医院"]
    assert "13812345678" not in str(rows)


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_a_mended_sheet_is_handed_in_as_it_is_and_no_good_row_is_missing_from_it(
    volunteer: User, language: str
) -> None:
    table = "医院名称,区县,医用外科口罩\n演练第一医院,武昌区,500\n演练第二医院,无此区,20\n".encode()
    given = {"by": volunteer, "format": "", "source": "某群"}
    first = hand_in(table, name="list.csv", **given)
    services.say_columns(first, services.columns_of(first).plan, by=volunteer, at=timezone.now())
    services.work(first.pk, at=timezone.now())
    services.enter(first, what=Scope.ALL, by=volunteer, at=timezone.now())
    services.work(first.pk, at=timezone.now())
    client = at_the_desk(volunteer)
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = language
    rows = sheet(client, first)
    rows[1][rows[0].index("区县")] = "江岸区"
    written = StringIO()
    csv.writer(written).writerows(rows)

    second = hand_in(written.getvalue().encode("utf-8-sig"), name="errors.csv", **given)
    missing = client.get(page_of(second)).context.get("missing")
    services.enter(second, what=Scope.ALL, by=volunteer, at=timezone.now())
    services.work(second.pk, at=timezone.now())

    second.refresh_from_db()
    assert (second.format, second.created, second.failed, missing) == ("sheet:某群", 1, 0, None)
    assert [one.code for one in second.findings] == ["handed-back"]
    assert set(Need.objects.values_list("site__name", "quantity")) == {
        ("演练第一医院", 500),
        ("演练第二医院", 20),
    }
    assert not ImportedRow.objects.exclude(gone_at=None).exists()


def test_no_cell_of_the_sheet_runs_as_a_formula(desk: Client, volunteer: User) -> None:
    _head, row = sheet(
        desk, hand_in([make_row(name="=1+1", district="无此区", city="", province="")], by=volunteer)
    )

    assert "'=1+1" in row


# -- evidence -------------------------------------------------------------------------------------------


def test_a_picture_is_added_beside_the_batch_and_read_again(desk: Client, volunteer: User) -> None:
    batch = hand_in(MIXED, by=volunteer)
    file = SimpleUploadedFile("notice.pdf", pdf())

    desk.post(reverse("admin:supplies_import_evidence", args=[batch.pk]), {"kind": "notice", "file": file})

    kept = Attachment.objects.about(batch).kept().get(kind="notice")
    assert str(kept) in desk.get(page_of(batch)).content.decode()
    assert desk.post(reverse("attachment", args=[kept.pk])).status_code == 200


def test_a_file_that_is_neither_picture_nor_pdf_is_refused(desk: Client, volunteer: User) -> None:
    batch = hand_in(MIXED, by=volunteer)

    answer = desk.post(
        reverse("admin:supplies_import_evidence", args=[batch.pk]),
        {"kind": "notice", "file": SimpleUploadedFile("x.exe", b"MZ and so on")},
    )

    assert any("none of the types taken" in sentence for sentence in told(answer))


def test_only_who_handed_a_list_in_may_read_it_again(desk: Client, volunteer: User, another: User) -> None:
    kept = Attachment.objects.about(hand_in(MIXED, by=volunteer)).kept().get()

    assert desk.post(reverse("attachment", args=[kept.pk])).status_code == 200
    assert at_the_desk(another).post(reverse("attachment", args=[kept.pk])).status_code == 404


def test_the_appeal_shows_its_files_and_takes_another(desk: Client, volunteer: User) -> None:
    batch = hand_in(MIXED[:1], by=volunteer)
    services.enter(batch, what=Scope.ALL, by=volunteer, at=timezone.now())
    services.work(batch.pk, at=timezone.now())
    appeal = Appeal.objects.get()

    desk.post(
        reverse("admin:supplies_import_appeal_evidence", args=[appeal.pk]),
        {"kind": "notice", "file": SimpleUploadedFile("notice.pdf", pdf())},
    )

    assert str(Attachment.objects.about(appeal).get()) in desk.get(page_of(appeal)).content.decode()


# -- where the table is, and what a carton holds ------------------------------------------------------------

TABLE = [["名称", "医用外科口罩", "区县"], ["演练第一医院", 500, "武昌区"], ["", 20, ""]]


def test_the_sheet_and_the_rows_of_the_headings_are_chosen_on_the_page(desk: Client, volunteer: User) -> None:
    book = xls({"说明": [["请填写", "第二页"]], "二月": [["汇总", "仅供参考"], *TABLE]})
    batch = hand_in(book, by=volunteer, format="", source="某群", name="a.xls")
    address = page_of(batch).replace("/change/", "/columns/")

    shown = desk.get(address, {"sheet": "二月", "first": "1", "last": "1"})
    form = shown.context["form"]
    assert [column.proposed.column.label for column in form.columns()] == TABLE[0]
    answers = {name: field.initial or "" for name, field in form.fields.items() if name != "gives"}
    answer = desk.post(f"{address}?sheet=二月&first=1&last=1", {**answers, "fills-0": "on", "fills-2": "on"})
    services.work(batch.pk, at=timezone.now())

    assert answer.status_code == 302
    names = [row.shown["name"] for row in batch.staged.in_order()]
    assert names == ["演练第一医院", "演练第一医院"]


@pytest.mark.parametrize(
    "query",
    [{"sheet": "没有"}, {"first": "x", "last": "1"}, {"first": "1"}, {"first": "9" * 30, "last": "1"}],
)
def test_a_place_that_is_not_in_the_file_is_no_fault_of_the_site(
    desk: Client, volunteer: User, query: dict[str, str]
) -> None:
    batch = hand_in(xls({"a": TABLE}), by=volunteer, format="", source="某群", name="a.xls")

    answer = desk.get(page_of(batch).replace("/change/", "/columns/"), query)

    assert answer.status_code in (200, 302)


def test_what_a_carton_holds_is_said_beside_its_line_and_undone(desk: Client, volunteer: User) -> None:
    make_unit("box", name_zh="盒", name_en="box", kind="package")
    rows = [make_row(supplies=[make_cell("医用外科口罩", "3箱")])]
    batch = hand_in(rows, by=volunteer)
    page = desk.get(page_of(batch))
    assert 'name="times"' in page.content.decode()
    assert f"{list_of(Correction)}?source=wuhan2020" in page.content.decode()

    said = {"heading": "医用外科口罩", "times": "20", "unit": "box", "each": "50"}
    do(desk, batch.staged.get(), "unit", **said)

    [line] = batch.staged.get().shown["lines"]
    assert (line["quantity"], line["confidence"]) == (3000, "said")
    correction = Correction.objects.get()
    assert "1,000" in desk.get(list_of(Correction)).content.decode()
    choose(desk, "undo", correction, query="")
    correction.refresh_from_db()
    assert correction.undone_at is not None


@pytest.mark.parametrize("times", ["0", "-1", "x", "1000001", "1" * 40])
def test_a_carton_holds_a_number_anybody_can_mean(desk: Client, volunteer: User, times: str) -> None:
    batch = hand_in([make_row(supplies=[make_cell("医用外科口罩", "3箱")])], by=volunteer)

    said = {"heading": "医用外科口罩", "times": times, "unit": make_unit().pk}
    do(desk, batch.staged.get(), "unit", **said)

    assert not Correction.objects.exists()
