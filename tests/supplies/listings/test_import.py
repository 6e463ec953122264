from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from supplies.intake.listing import DirectoryReport, Version, import_directory, match_listed
from supplies.listings.models import ListedAs, ListedFacility
from supplies.organisations import services as people
from supplies.regions.services import load_regions
from tests.makers import NOW, TODAY, make_organisation, make_region

pytestmark = pytest.mark.django_db
HEAD = "id,contributor,province,city,suburb,name,address,phone"
SAID = {
    "missing",
    "unknown-place",
    "listed-twice",
    "place-of-city",
    "unsure-place",
    "near-name",
    "two-organisations",
}
REAL = (
    Path(__file__).resolve().parents[4]
    / "shared"
    / "data"
    / "real"
    / "wuhan-support"
    / "designated_hospitals"
)


@pytest.fixture(autouse=True)
def _places() -> None:
    make_region("420106", "武昌区")
    make_region("420102", "江岸区")


def row(name: str, district: str = "武昌区", address: str = "演练路1号", phone: str = "000-00000001") -> str:
    return f",某,湖北省,武汉市,{district},{name},{address},{phone}"


def write(
    folder: Path, *rows: str, head: str = HEAD, encoding: str = "utf-8", name: str = "list.csv"
) -> Path:
    file = folder / name
    file.write_bytes("\n".join([head, *rows]).encode(encoding))
    return file


def take(*files: Path, kind: str = "designated", as_of: Any = TODAY, **options: Any) -> DirectoryReport:
    version = Version(ListedAs(kind), "演练卫健委", "https://example.org/list", as_of)
    return import_directory(files, version, by=None, at=NOW, **options)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_a_list_is_read_in_every_encoding(tmp_path: Path, encoding: str) -> None:
    report = take(write(tmp_path, row("演练第一医院"), encoding=encoding))

    listed = ListedFacility.objects.get()
    assert (report.created, report.failed) == (1, 0)
    assert (listed.name, listed.region.name_zh, listed.address) == ("演练第一医院", "武昌区", "演练路1号")


def test_telephones_are_not_kept(tmp_path: Path) -> None:
    take(write(tmp_path, row("演练第一医院", phone="027-82850000")))

    assert "8285" not in str(ListedFacility.objects.values().get())


def test_the_same_file_twice_changes_nothing(tmp_path: Path) -> None:
    file = write(tmp_path, row("演练第一医院"), row("演练第二医院"))
    take(file)
    before = list(ListedFacility.objects.order_by("pk").values())

    report = take(file)

    assert (report.created, report.changed, report.unchanged, report.gone) == (0, 0, 2, 0)
    assert list(ListedFacility.objects.order_by("pk").values()) == before


def test_what_is_missing_is_marked_and_comes_back(tmp_path: Path) -> None:
    both, one = (
        write(tmp_path, row("演练第一医院"), row("演练第二医院")),
        write(tmp_path, row("演练第一医院"), name="b.csv"),
    )
    take(both)

    assert take(one).gone == 1
    assert ListedFacility.objects.get(name="演练第二医院").gone_on == TODAY
    take(both)

    assert not ListedFacility.objects.exclude(gone_on=None).exists()


def test_what_another_province_s_list_leaves_out_is_not_missing(tmp_path: Path) -> None:
    make_region("310101", "黄浦区")
    take(write(tmp_path, row("演练第一医院")))
    elsewhere = ",某,省31,市3101,黄浦区,演练浦江医院,,"

    report = take(write(tmp_path, elsewhere))

    assert (report.created, report.gone) == (1, 0)


def test_two_lists_of_one_source_make_it_both(tmp_path: Path) -> None:
    file = write(tmp_path, row("演练第一医院"))
    take(file)
    take(file, kind="fever_clinic")

    assert ListedFacility.objects.get().kinds == ["designated", "fever_clinic"]


def test_a_bad_row_says_why_and_the_rest_is_read(tmp_path: Path) -> None:
    rows = [row("演练第一医院"), row(""), ",某,无此省,无此市,无此区,演练医院,,", row("医院13800000000")]

    report = take(write(tmp_path, *rows))

    assert (report.rows, report.created, report.failed) == (4, 1, 3)
    assert [(remark.row, remark.finding.code) for remark in report.remarks] == [
        (2, "missing"),
        (3, "unknown-place"),
        (4, "number-in-name"),
    ]


def test_a_file_without_a_column_of_names_is_refused(tmp_path: Path) -> None:
    report = take(write(tmp_path, row("演练第一医院"), head="a,b"))

    assert [remark.finding.code for remark in report.remarks] == ["no-column"]


def test_a_dry_run_stores_nothing(tmp_path: Path) -> None:
    assert take(write(tmp_path, row("演练第一医院")), dry_run=True).created == 1
    assert not ListedFacility.objects.exists()


def test_it_is_found_whose_they_are_by_name_by_another_name_and_after_a_merge(tmp_path: Path) -> None:
    one = make_organisation(name="演练第一医院")
    people.add_alias(one, name="演练红会医院", kind="old", by=None, at=NOW)
    make_organisation(name="演练第一总院", merged_into=one)
    rows = [
        row("武汉市演练第一医院"),
        row("演练红会医院", "江岸区"),
        row("演练第一总院"),
        row("演练第二医院"),
    ]

    report = take(write(tmp_path, *rows))

    assert report.registered == 3
    assert set(one.listings.values_list("name", flat=True)) == {
        "武汉市演练第一医院",
        "演练红会医院",
        "演练第一总院",
    }


def test_who_is_registered_later_is_matched_later(tmp_path: Path) -> None:
    take(write(tmp_path, row("演练第一医院")))
    hospital = make_organisation(name="演练第一医院")

    assert match_listed(at=NOW) == 1
    assert ListedFacility.objects.get().organisation == hospital


def test_the_command_tells_row_by_row_and_refuses_what_is_no_address(tmp_path: Path, capsys: Any) -> None:
    file = write(tmp_path, row("演练第一医院"), row(""))

    call_command("import_directory", file, "--kind", "designated", "--source", "演练卫健委")

    assert "created 1" in capsys.readouterr().out
    with pytest.raises(CommandError, match="source_url"):
        call_command("import_directory", file, "--kind", "designated", "--source", "演练", "--url", "x")


@pytest.mark.skipif(not REAL.exists(), reason="the shared lists are not here")
def test_every_row_of_the_shared_lists_is_read_or_says_why() -> None:
    load_regions(at=NOW)
    report = take(*sorted(REAL.glob("*.csv")))

    assert report.rows == report.created + report.changed + report.unchanged + report.failed == 861
    assert {remark.finding.code for remark in report.remarks if remark.row} <= SAID, report.remarks
    assert report.failed == 2, report.remarks
