from datetime import date
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from supplies.catalogue.models import Item
from supplies.errors import MoveRefused, Refused
from supplies.intake import services
from supplies.intake.models import (
    LINE_LIFECYCLE,
    ROW_LIFECYCLE,
    Import,
    ImportedLine,
    ImportedRow,
    LineStatus,
    RowStatus,
)
from supplies.needs.models import Appeal, AppealStatus, Need, NeedStatus, QuantityKind
from supplies.offers.models import Donation, DonationStatus, Offer
from supplies.organisations.contacts import Contact
from supplies.organisations.models import Facility, Organisation, User, Verified
from tests.makers import NOW, make_facility, make_organisation, make_region
from tests.owner import as_owner
from tests.supplies.intake.conftest import Importer
from tests.supplies.intake.lists import make_cell, make_row, write_list

pytestmark = pytest.mark.django_db


# -- what a row becomes ---------------------------------------------------------------------------------


def test_a_row_becomes_a_published_appeal_with_its_source(take: Importer) -> None:
    report = take(make_row(remark="发布日期：2020年1月25日"))

    appeal = Appeal.objects.get()
    assert (report.created, report.failed, report.needs) == (1, 0, 1)
    assert appeal.status == AppealStatus.PUBLISHED
    assert appeal.source_url == "http://example.org/202001/t20200124_1.html"
    assert appeal.published_on == date(2020, 1, 25)
    assert appeal.facility.region_id == "420106"
    assert appeal.needs.get().status == NeedStatus.OPEN


def test_the_value_one_is_without_limit_and_never_one_piece(take: Importer) -> None:
    report = take(
        make_row(supplies=[make_cell(value=1), make_cell("N95口罩", "1"), make_cell("乳胶手套", 1.0)])
    )

    assert report.needs_by_kind == {"unlimited": 3}
    assert set(Need.objects.values_list("quantity_kind", "quantity")) == {(QuantityKind.UNLIMITED, None)}
    assert not Need.objects.filter(quantity=1).exists()


def test_a_number_counts_the_spoken_unit_of_the_item(take: Importer) -> None:
    take(make_row(supplies=[make_cell(value=5000), make_cell("乳胶手套", 300)]))

    assert dict(Need.objects.values_list("item", "quantity")) == {"MASK_SURG": 5000, "GLOVE_EXAM": 600}


def test_a_cell_that_nobody_could_read_is_unknown_with_a_warning(take: Importer) -> None:
    report = take(make_row(supplies=[make_cell(value=None)]))

    assert Need.objects.get().quantity_kind == QuantityKind.UNKNOWN
    assert report.warnings_by_code["unread-cell"] == 1


def test_bottles_of_unknown_size_are_an_unknown_quantity(take: Importer) -> None:
    report = take(make_row(supplies=[make_cell("84消毒液", 500)]))

    need = Need.objects.get()
    assert (need.quantity_kind, need.quantity) == (QuantityKind.UNKNOWN, None)
    assert need.as_written == "84消毒液: 500"
    assert report.warnings_by_code["unit-not-given"] == 1


def test_the_standard_decides_which_of_two_goods_in_one_heading_is_meant(take: Importer) -> None:
    report = take(
        make_row(supplies=[make_cell("医用防护口罩 | N95口罩", 1, "GB 19083-2010, 建议某牌1860,防飞沫款")])
    )

    need = Need.objects.get()
    assert need.item_id == "RESP_MED"
    assert [standard.code for standard in need.accepted_standards.all()] == ["GB19083-2010-1"]
    assert "synonyms" not in report.warnings_by_code


def test_an_ambiguous_heading_without_a_standard_is_accepted_with_a_warning(take: Importer) -> None:
    report = take(make_row(supplies=[make_cell("医用防护口罩 | N95口罩", 1)]))

    assert Need.objects.get().item_id == "RESP_MED"
    assert report.warnings_by_code["synonyms"] == 1


def test_an_edition_that_never_existed_is_warned_about_and_read_as_the_real_one(take: Importer) -> None:
    report = take(make_row(supplies=[make_cell(value=1, specification="YY 0469-2010")]))

    assert [standard.code for standard in Need.objects.get().accepted_standards.all()] == ["YY0469-2011"]
    assert report.warnings_by_code["standard-impossible"] == 1


@pytest.mark.parametrize(
    ("value", "kind", "quantity"),
    [
        ("不限", QuantityKind.UNLIMITED, None),
        ("急缺", QuantityKind.UNKNOWN, None),
        ("1.2万只", QuantityKind.NUMBER, 12_000),
        ("500-1000", QuantityKind.NUMBER, 500),
        ("每天300只", QuantityKind.UNKNOWN, None),
    ],
)
def test_a_cell_in_words_is_read_and_kept_beside_what_was_read(
    take: Importer, value: str, kind: str, quantity: int | None
) -> None:
    take(make_row(supplies=[make_cell(value=value)]))

    need = Need.objects.get()
    assert (need.quantity_kind, need.quantity) == (kind, quantity)
    assert need.as_written == f"医用外科口罩: {value}"
    assert need.daily_use == (300 if value == "每天300只" else None)


def test_goods_that_are_not_wanted_are_left_out(take: Importer) -> None:
    take(make_row(supplies=[make_cell(value="不需要"), make_cell("乳胶手套")]))

    assert list(Need.objects.values_list("item", flat=True)) == ["GLOVE_EXAM"]
    assert ImportedLine.objects.count() == 1


def test_sterile_is_read_from_the_specification(take: Importer) -> None:
    take(make_row(supplies=[make_cell("乳胶手套", 1, "灭菌"), make_cell("口罩", 1, "非灭菌")]))

    assert dict(Need.objects.values_list("item", "sterile")) == {"GLOVE_EXAM": True, "MASK_SURG": False}


def test_urgency_and_date_are_assumed_from_the_newest_day_of_the_list(take: Importer) -> None:
    report = take(make_row(remark="2020.02.03更新"), make_row(name="演练第二医院"))

    need = Need.objects.first()
    assert need is not None
    assert report.as_of == date(2020, 2, 3)
    assert (need.urgency, need.urgency_assumed) == (3, True)
    assert (need.needed_by, need.needed_by_assumed) == (date(2020, 3, 4), True)


def test_the_day_can_be_given(take: Importer) -> None:
    assert take(make_row(), as_of=date(2026, 11, 1)).as_of == date(2026, 11, 1)
    assert Need.objects.get().needed_by == date(2026, 12, 1)


# -- who asks -------------------------------------------------------------------------------------------


def test_contacts_are_sealed_and_stand_in_no_public_text(take: Importer) -> None:
    row = make_row(
        remark="请拨打13812345678，账号622200001111222233",
        contacts=[{"name": "", "tel": "钱老师 13912345678"}],
    )

    take(row)

    contact, stored = Contact.objects.get(), ImportedRow.objects.get()
    assert (contact.name, contact.phone) == ("钱老师", "13912345678")
    assert b"13912345678" not in bytes(contact.phone_sealed)
    assert b"13912345678" not in bytes(stored.raw_sealed)
    assert "13912345678" in stored.raw
    for text in (Appeal.objects.get().remark, str(stored.shown), str(stored.problems)):
        assert "13812345678" not in text
        assert "13912345678" not in text
        assert "622200001111222233" not in text


def test_a_known_hospital_is_found_by_name_and_city_and_not_made_again(take: Importer) -> None:
    hospital = make_organisation(name="演练第一医院", region=make_region("420106"))
    site = make_facility(hospital)

    report = take(make_row(name=" 演练第一　医院\t"))

    assert report.facilities == 0
    assert Appeal.objects.get().facility == site
    assert Organisation.objects.filter(kind="hospital").count() == 1


@pytest.mark.parametrize(
    ("known", "written", "is_same"),
    [
        ("武汉市演练医院", "武汉演练医院", True),
        ("武汉市演练医院", "演练医院", True),
        ("演练大学附属同心中心医院", "演练大学附属同心中心医院总院", True),
        ("演练第二医院", "演练第五医院", False),
        ("演练东方医院", "演练南方医院", False),
        ("演练人民医院", "演练妇幼保健院", False),
    ],
)
def test_nearly_the_same_name_in_one_city_is_one_hospital(
    take: Importer, known: str, written: str, is_same: bool
) -> None:
    report = take(make_row(name=known), make_row(name=written, supplies=[make_cell("乳胶手套")]))

    assert Organisation.objects.filter(kind="hospital").count() == (1 if is_same else 2)
    assert report.warnings_by_code["near-name"] == int(is_same)


def test_the_same_name_in_another_city_is_another_hospital(take: Importer) -> None:
    elsewhere = make_row(city="市4205", district="当阳市")

    report = take(make_row(), elsewhere)

    assert report.failed == 0
    assert Organisation.objects.filter(name="演练第一医院").count() == 2


def test_a_bare_red_cross_is_named_after_its_district(take: Importer) -> None:
    take(make_row(name="红十字会"), make_row(name="红十字会", district="江岸区"))

    assert set(Organisation.objects.values_list("name", "kind")) == {
        ("武昌区红十字会", "coordinator"),
        ("江岸区红十字会", "coordinator"),
    }


def test_a_department_is_a_site_of_its_hospital(take: Importer) -> None:
    take(make_row(), make_row(name="演练第一医院（心外科）"))

    assert Organisation.objects.get().name == "演练第一医院"
    assert set(Facility.objects.values_list("name", flat=True)) == {"演练第一医院", "演练第一医院(心外科)"}


def test_organisations_of_a_moderated_list_are_trusted(take: Importer) -> None:
    take(make_row())

    assert Organisation.objects.get().status == Verified.VERIFIED


def test_a_hospital_listed_twice_needs_it_once(take: Importer) -> None:
    report = take(make_row(), make_row(supplies=[make_cell(value=700), make_cell("乳胶手套", 50)]))

    assert sorted(Need.objects.values_list("item", flat=True)) == ["GLOVE_EXAM", "MASK_SURG"]
    assert report.warnings_by_code["asked-already"] == 1
    assert report.created == 2


def test_a_district_that_is_not_in_the_table_falls_back_to_its_city(take: Importer) -> None:
    report = take(make_row(district="高新区"))

    assert Facility.objects.get().region_id == "420100"
    assert report.warnings_by_code["place-of-city"] == 1


def test_a_city_in_the_wrong_province_is_pointed_out(take: Importer) -> None:
    make_region("610102", "新城区")

    report = take(make_row(province="省61", city="武汉市", district=""))

    assert report.warnings_by_code["unsure-place"] == 1


def test_a_row_without_a_place_lies_where_its_address_does(take: Importer) -> None:
    report = take(
        make_row(province="", city="", district="", name="演练第九医院", address="武汉市武昌区东湖路1号")
    )

    assert Facility.objects.get().region_id == "420106"
    assert report.warnings_by_code["place-of-address"] == 1


def test_a_row_that_names_no_place_at_all_is_told_what_to_do(take: Importer) -> None:
    report = take(make_row(province="", city="", district="", name="演练第九医院", address=""))

    assert [error.finding.code for error in report.errors] == ["no-place"]
    assert "choose a region" in report.errors[0].finding.sentence


# -- bad input ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "field"),
    [
        ("a text", ""),
        (None, ""),
        (make_row(name=""), "name"),
        (make_row(name=None), "name"),
        (make_row(name=["演练"]), "name"),
        (make_row(name="演练\0医院"), "name"),
        (make_row(remark="\ud800"), "remark"),
        (make_row(remark="长" * 6000), "remark"),
        (make_row(province="无此省", city="无此市", district=""), "district"),
        (make_row(supplies="口罩"), "supplies"),
        (make_row(supplies=[None]), "supplies"),
        (make_row(supplies=[{"value": 1}]), "supplies"),
        (make_row(contacts=[{"name": {}, "tel": ""}]), "contacts"),
    ],
)
def test_a_bad_row_fails_alone_with_a_sentence_that_names_its_field(
    take: Importer, row: Any, field: str
) -> None:
    good = [make_row(name=f"演练{number}院附属医院") for number in ("甲", "乙")]

    report = take(good[0], row, good[1])

    assert (report.created, report.failed) == (2, 1)
    [error] = report.errors
    assert (error.row, error.finding.field) == (2, field)
    assert error.finding.sentence.endswith(".")
    assert ImportedRow.objects.get(status=RowStatus.FAILED).row_number == 2


def test_one_bad_row_among_a_thousand_fails_alone(take: Importer) -> None:
    rows = [make_row(id=number, name=f"演练镇{number}号卫生院", contacts=[]) for number in range(1000)]
    for number, row in enumerate(
        rows
    ):  # Most ask for nothing: this is about rows, and posting takes its time.
        row["supplies"] = [make_cell()] if number % 10 == 0 else []
    rows[500]["name"] = "\0"

    report = take(*rows)

    assert (report.rows, report.created, report.failed) == (1000, 999, 1)
    assert [error.row for error in report.errors] == [501]
    assert Need.objects.count() == 99


def test_a_row_that_fails_leaves_nothing_half_stored(take: Importer) -> None:
    take(make_row(supplies=[make_cell()], remark="长" * 6000))

    assert not Organisation.objects.exists()
    assert not Contact.objects.exists()
    assert not Appeal.objects.exists()


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gb18030", "utf-16", "utf-16-le"])
def test_a_list_is_read_in_the_encoding_it_was_saved_in(take: Importer, encoding: str) -> None:
    take(make_row(), encoding=encoding)

    assert Organisation.objects.get().name == "演练第一医院"
    assert Import.objects.get().encoding == encoding


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"\x81\x20\x81\x20\xff\xff", "encoding"),
        ('[{"name": "演练'.encode(), "bad-json"),
        (b'{"rows": []}', "not-a-list"),
        (b"[" * 100_000, "not-a-list"),
        (b"", "is-empty"),
        (b'[{"name": "a\0b"}]', "nul"),
    ],
)
def test_a_file_that_cannot_be_read_fails_alone(
    take: Importer, tmp_path: Path, raw: bytes, code: str
) -> None:
    bad = tmp_path / "bad.json"
    bad.write_bytes(raw)
    good = write_list(tmp_path, [make_row()])

    report = services.import_appeals([bad, tmp_path / "absent.json", good], "wuhan2020", by=None, at=NOW)

    assert report.created == 1
    assert [(error.file, error.row, error.finding.code) for error in report.errors] == [
        ("bad.json", 0, code),
        ("absent.json", 0, "cannot-open"),
    ]
    assert Import.objects.exclude(problem=None).count() == 2


# -- again ----------------------------------------------------------------------------------------------


def test_the_same_file_twice_changes_nothing(take: Importer) -> None:
    rows = [
        make_row(),
        make_row(name="演练第二医院", supplies=[make_cell(value=9_999_999_999)]),
        make_row(name=""),
    ]
    take(*rows)
    before = (
        Need.objects.count(),
        Appeal.objects.count(),
        Contact.objects.count(),
        ImportedLine.objects.count(),
    )

    report = take(*rows)

    assert (
        report.created,
        report.changed,
        report.unchanged,
        report.failed,
        report.waiting,
        report.needs,
    ) == (0, 0, 2, 1, 1, 0)
    assert (
        Need.objects.count(),
        Appeal.objects.count(),
        Contact.objects.count(),
        ImportedLine.objects.count(),
    ) == before
    assert ImportedRow.objects.count() == 3


def test_another_order_and_numbering_changes_nothing(take: Importer) -> None:
    one, other = make_row(id=0), make_row(id=1, name="演练第二医院")
    take(one, other)

    report = take({**other, "id": 0}, {**one, "id": 1})

    assert (report.created, report.changed, report.unchanged) == (0, 0, 2)


def test_a_new_number_changes_the_need(take: Importer) -> None:
    take(make_row(supplies=[make_cell(value=500)]))
    need = Need.objects.get()

    report = take(make_row(supplies=[make_cell(value=800)]))

    need.refresh_from_db()
    assert (report.created, report.changed, report.needs) == (0, 1, 0)
    assert (need.quantity, need.ceiling) == (800, 800)
    assert ImportedRow.objects.get().status == RowStatus.CHANGED


def test_goods_added_to_a_row_are_asked_for_in_addition(take: Importer) -> None:
    take(make_row())

    report = take(make_row(supplies=[make_cell(), make_cell("乳胶手套", 100)]))

    assert (report.changed, report.needs) == (1, 1)
    assert set(Need.objects.open().values_list("item", flat=True)) == {"MASK_SURG", "GLOVE_EXAM"}


def test_goods_taken_from_a_row_stay_open_and_are_pointed_out(take: Importer) -> None:
    take(make_row(supplies=[make_cell(), make_cell("乳胶手套")]))

    report = take(make_row())

    assert report.warnings_by_code["line-gone"] == 1
    assert Need.objects.open().count() == 2


def test_a_row_missing_from_a_newer_list_is_flagged_and_kept(take: Importer) -> None:
    take(make_row(), make_row(name="演练第二医院"))

    report = take(make_row(), at=NOW.replace(day=24))

    assert report.warnings_by_code["row-gone"] == 1
    assert ImportedRow.objects.exclude(gone_at=None).get().shown["name"] == "演练第二医院"
    assert Need.objects.open().count() == 2


def test_an_older_list_handed_in_afterwards_sets_nothing_back(take: Importer) -> None:
    take(make_row(supplies=[make_cell(value=800)]), make_row(name="演练第二医院"), as_of=date(2026, 11, 5))

    older = (make_row(supplies=[make_cell(value=500)]), make_row(name="演练第三医院"))
    report = take(*older, as_of=date(2026, 11, 1), at=NOW.replace(day=24))

    assert (report.created, report.changed, report.unchanged) == (1, 0, 1)
    assert 800 in Need.objects.values_list("quantity", flat=True)
    assert not ImportedRow.objects.exclude(gone_at=None).exists()
    again = take(make_row(supplies=[make_cell(value=900)]), as_of=date(2026, 11, 6), at=NOW.replace(day=25))
    assert again.changed == 1


def test_two_lists_of_one_day_that_differ_change_nothing_when_both_are_handed_in_again(
    take: Importer,
) -> None:
    lists = [make_row(supplies=[make_cell(value=value)]) for value in (500, 800)]
    for row in lists:
        take(row, as_of=date(2026, 11, 5))

    again = [take(row, as_of=date(2026, 11, 5), at=NOW.replace(day=24)) for row in lists]

    assert [(report.changed, report.unchanged) for report in again] == [(0, 1), (0, 1)]
    assert set(Need.objects.open().values_list("quantity", flat=True)) == {800}


def test_a_dry_run_reports_and_stores_nothing(take: Importer) -> None:
    report = take(make_row(), dry_run=True)

    assert (report.created, report.needs, report.facilities) == (1, 1, 1)
    assert not Import.objects.exists()
    assert not Organisation.objects.exists()
    assert not Need.objects.exists()


def test_a_row_that_failed_can_be_mended(take: Importer) -> None:
    take(make_row(district="无此区", city="无此市", province=""))

    report = take(make_row())

    assert (report.created, report.failed) == (1, 0)
    assert not ImportedRow.objects.filter(status=RowStatus.FAILED, gone_at=None).exists()


def test_what_a_failed_row_began_is_counted_nowhere(take: Importer) -> None:
    with as_owner(), connection.cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION disk_is_full() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'disk is full' USING ERRCODE = 'disk_full'; END $$"
        )
        cursor.execute(
            "CREATE TRIGGER full_disk BEFORE INSERT ON supplies_importedline "
            "FOR EACH STATEMENT EXECUTE FUNCTION disk_is_full()"
        )
    report = take(make_row())
    with as_owner(), connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER full_disk ON supplies_importedline")
    again = take(make_row(), make_row(address="演练路2号"))

    assert (report.failed, report.created, report.needs, report.facilities) == (1, 0, 0, 0)
    assert [error.finding.code for error in report.errors] == ["not-stored"]
    assert (again.created, again.needs) == (2, 1)


def test_a_changed_row_still_counts_as_asking_when_the_hospital_is_listed_again(take: Importer) -> None:
    take(make_row())

    report = take(make_row(remark="请走东门"), make_row(supplies=[make_cell(value=600)]))

    assert (report.changed, report.created, report.needs) == (1, 1, 0)
    assert report.warnings_by_code["asked-already"] == 1


# -- what waits -----------------------------------------------------------------------------------------

ABSURD = [199_999_999_999_998, 2e14, 10_000_000_000, 1e10, -18, -1.0, 0, 2.5, 10**40, "2e14", "1.000", 3]


@pytest.mark.parametrize("value", ABSURD, ids=str)
def test_an_absurd_quantity_waits_and_enters_no_match(take: Importer, value: Any) -> None:
    report = take(make_row(supplies=[make_cell(value=value), make_cell("乳胶手套", 100)]))

    line = ImportedLine.objects.waiting().get()
    assert (report.created, report.waiting, report.failed) == (1, 1, 0)
    assert line.heading == "医用外科口罩"
    assert line.findings
    assert list(Need.objects.values_list("item", flat=True)) == ["GLOVE_EXAM"]


def test_goods_that_are_not_in_the_catalogue_wait(take: Importer) -> None:
    report = take(make_row(supplies=[make_cell("四层楼电梯", 1)]))

    assert report.warnings_by_code["unknown-item"] == 1
    assert ImportedLine.objects.waiting().count() == 1
    assert not Appeal.objects.exists()


def test_a_volunteer_accepts_a_waiting_line_as_it_is(take: Importer, volunteer: User) -> None:
    take(make_row(supplies=[make_cell(value=3)]))

    line = services.accept(ImportedLine.objects.get(), by=volunteer, at=NOW)

    assert line.need is not None
    assert (line.need.quantity, line.need.status) == (3, NeedStatus.OPEN)
    assert (line.status, line.reviewed_by) == (LineStatus.ACCEPTED, volunteer)
    assert ImportedRow.objects.get().status == RowStatus.REVIEWED


def test_a_quantity_beyond_belief_has_to_be_corrected(take: Importer, volunteer: User) -> None:
    take(make_row(supplies=[make_cell("乳胶手套", 9_000_000)]))
    line = ImportedLine.objects.get()

    with pytest.raises(Exception, match="plausibly"):
        services.accept(line, by=volunteer, at=NOW)
    corrected = services.correct(line, quantity=900, by=volunteer, at=NOW)

    assert corrected.need is not None
    assert corrected.need.quantity == 1800


def test_a_volunteer_names_the_item_of_unknown_goods(
    take: Importer, catalogue: dict[str, Item], volunteer: User
) -> None:
    take(make_row(supplies=[make_cell("奇怪的东西", 40)]))
    line = ImportedLine.objects.get()

    with pytest.raises(Refused, match="item"):
        services.accept(line, by=volunteer, at=NOW)
    corrected = services.correct(line, item=catalogue["MASK_SURG"], quantity=40, by=volunteer, at=NOW)

    assert corrected.need is not None
    assert (corrected.need.item_id, corrected.need.quantity) == ("MASK_SURG", 40)


def test_a_rejected_line_is_decided_once(take: Importer, volunteer: User) -> None:
    take(make_row(supplies=[make_cell(value=-5)]))
    line = services.reject(ImportedLine.objects.get(), by=volunteer, at=NOW)

    with pytest.raises(MoveRefused):
        services.accept(line, by=volunteer, at=NOW)
    assert not Need.objects.exists()


@pytest.mark.parametrize("lifecycle", [ROW_LIFECYCLE, LINE_LIFECYCLE])
def test_every_status_of_a_lifecycle_can_be_reached_or_begins_it(lifecycle: Any) -> None:
    reached = set().union(*lifecycle.moves.values())

    assert set(lifecycle.moves) - reached in ({"new", "failed"}, {"taken", "waiting"})


# -- makers ---------------------------------------------------------------------------------------------


def make_maker(**changes: Any) -> dict[str, Any]:
    cells = [{"key": "口罩类产能", "specification": "医用外科口罩", "value": 100_000}]
    return make_row(
        **{
            "name": "演练医疗用品有限公司",
            "supplies": cells,
            "qualification": "国械注准20200000001",
            "date": "2020-01-25T16:00:00.000Z",
            **changes,
        }
    )


def test_a_maker_becomes_a_donor_with_an_offer_of_a_day(take: Importer) -> None:
    report = take(make_maker(), format="wuhan2020-makers")

    offer = Offer.objects.get()
    assert (report.created, report.needs_by_kind) == (1, {"number": 1})
    assert report.as_of == date(2020, 1, 26)
    assert (offer.item_id, offer.quantity, offer.registration_number) == (
        "MASK_SURG",
        100_000,
        "国械注准20200000001",
    )
    assert (offer.donation.organisation.kind, offer.donation.status) == ("donor", DonationStatus.PUBLISHED)


def test_a_maker_without_a_certificate_waits_for_a_volunteer(take: Importer) -> None:
    report = take(make_maker(qualification=""), format="wuhan2020-makers")

    assert Donation.objects.get().status == DonationStatus.WAITING
    assert report.warnings_by_code["no-certificate"] == 1


def test_a_capacity_of_one_is_unknown_and_never_an_offer_of_one(take: Importer, volunteer: User) -> None:
    cells = [{"key": "口罩类产能", "specification": "医用外科口罩", "value": 1}]

    report = take(make_maker(supplies=cells), format="wuhan2020-makers")

    assert (report.waiting, report.needs) == (1, 0)
    assert not Offer.objects.exists()
    with pytest.raises(Refused, match="Ask the maker"):
        services.accept(ImportedLine.objects.get(), by=volunteer, at=NOW)
    line = services.correct(ImportedLine.objects.get(), quantity=2000, by=volunteer, at=NOW)
    assert line.offer is not None
    assert line.offer.quantity == 2000


def test_a_number_of_five_thousand_digits_costs_nothing(take: Importer, tmp_path: Path) -> None:
    file = tmp_path / "long.json"
    text = write_list(tmp_path, [make_row(supplies=[make_cell(value=77777)])]).read_text()
    file.write_text(text.replace("77777", "9" * 5000))

    report = services.import_appeals([file], "wuhan2020", by=None, at=NOW)

    assert (report.failed, report.waiting) == (0, 1)
