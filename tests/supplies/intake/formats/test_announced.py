"""Announcements in a file: read as the paste box reads them, and imported like any list."""

import json
from datetime import date, timedelta
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from supplies.catalogue.models import Item, UnitRule
from supplies.intake import services
from supplies.intake.files.opening import read_rows
from supplies.intake.models import Import, ImportedRow, StagedRow
from supplies.needs.models import Appeal, Need
from supplies.organisations.contacts import Contact
from supplies.organisations.models import User
from tests.makers import make_emergency, make_facility, make_organisation
from tests.supplies.intake.conftest import hand_in
from tests.supplies.intake.files.hostile import write

pytestmark = pytest.mark.django_db
FIRST = """演练第一医院物资求助公告
我院急需医用外科口罩500只（YY 0469-2011），乳胶手套200双（无粉，请附检测报告）。请于2020年2月10日前送达。
地址：武汉市武昌区演练路1号设备科
联系人：甲老师 13800000001
只接受企业和社会团体捐赠，不接受境外物资。
2020年2月1日
"""
SECOND = """演练第二医院急需：
医用外科口罩 若干
地址：武汉市江岸区演练路2号 联系人：乙老师 027-55501234
2020年1月30日
"""


@pytest.fixture(autouse=True)
def _catalogue(catalogue: dict[str, Item]) -> None:
    make_facility(make_organisation(name="演练第一医院"), name="演练第一医院")
    glove = catalogue["GLOVE_EXAM"].base_unit
    UnitRule.objects.create(
        code="pair", spoken=["双"], unit=glove, base_unit=glove, numerator=2, denominator=1
    )


def put(folder: Path, text: str, name: str = "notice.txt", encoding: str = "utf-8") -> Path:
    return write(folder, name, text.encode(encoding))


def bring(*files: Path, **options: object) -> None:
    call_command("import_appeals", *map(str, files), **options)


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
@pytest.mark.parametrize("name", ["notice.txt", "notice.md"])
def test_a_text_without_columns_is_an_announcement(tmp_path: Path, name: str, encoding: str) -> None:
    with read_rows(put(tmp_path, FIRST, name, encoding)) as opened:
        rows = list(opened)

    assert opened.really == "announcement"
    assert [(row.number, row.raw) for row in rows] == [(1, {"announcement": FIRST.strip()})]


def test_a_line_of_dashes_stands_between_two(tmp_path: Path) -> None:
    with read_rows(put(tmp_path, f"{FIRST}\n-----\n\n{SECOND}\n=====\n \n")) as opened:
        rows = list(opened)

    assert [row.raw["announcement"][:6] for row in rows] == ["演练第一医院", "演练第二医院"]


@pytest.mark.parametrize(
    ("name", "text", "really"),
    [
        ("list.txt", "医院名称,区县,医用外科口罩\n演练第一医院,武昌区,500\n演练第二医院,江岸区,20\n", "csv"),
        ("list.txt", "医院名称\t口罩\n演练第一医院\t500\n", "tsv"),
        ("one.csv", "演练第一医院急需口罩。\n", "csv"),
    ],
)
def test_a_table_stays_a_table_whatever_it_is_called(
    tmp_path: Path, name: str, text: str, really: str
) -> None:
    with read_rows(put(tmp_path, text, name)) as opened:
        list(opened)

    assert opened.really == really


def test_the_command_enters_what_a_hospital_announced(tmp_path: Path) -> None:
    make_emergency()

    bring(put(tmp_path, f"{FIRST}\n---\n{SECOND}"), as_of=date(2020, 2, 2))

    appeal = Appeal.objects.get(facility__name="演练第一医院")
    assert dict(appeal.needs.values_list("item", "quantity")) == {"MASK_SURG": 500, "GLOVE_EXAM": 400}
    assert dict(appeal.needs.values_list("item", "requirements")) == {
        "MASK_SURG": "",
        "GLOVE_EXAM": "无粉,请附检测报告",
    }
    assert set(appeal.needs.values_list("needed_by", "needed_by_assumed")) == {(date(2020, 2, 10), False)}
    assert (appeal.published_on, appeal.accepts_overseas) == (date(2020, 2, 1), False)
    assert set(appeal.accepted_senders) >= {"company", "organisation"}
    assert "person" not in appeal.accepted_senders
    assert Need.objects.get(site__name="演练第二医院").quantity is None
    assert {contact.phone for contact in Contact.objects.all()} == {"13800000001", "02755501234"}


def test_the_same_announcement_again_changes_nothing(tmp_path: Path) -> None:
    make_emergency()
    file = put(tmp_path, FIRST)
    bring(file, as_of=date(2020, 2, 2))

    bring(file, as_of=date(2020, 2, 2))

    assert Appeal.objects.count() == ImportedRow.objects.count() == 1


def test_a_dry_run_says_what_was_read_and_stores_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_emergency()

    bring(put(tmp_path, FIRST), as_of=date(2020, 2, 2), dry_run=True, json=True)

    told = json.loads(capsys.readouterr().out)
    assert (told["format"], told["created"], told["needs_by_kind"]) == ("announcement", 1, {"number": 2})
    assert not Import.objects.exists()


@pytest.mark.parametrize("emergencies", [0, 2])
def test_for_which_emergency_it_is_has_to_be_said_unless_one_goes_on(
    tmp_path: Path, emergencies: int
) -> None:
    for number in range(emergencies):
        make_emergency(f"flood-{number}")

    with pytest.raises(CommandError, match="for which one"):
        bring(put(tmp_path, FIRST))


def test_an_announcement_that_names_no_hospital_fails_alone_and_says_so(tmp_path: Path) -> None:
    make_emergency()

    bring(put(tmp_path, f"急需医用外科口罩500只\n---\n{FIRST}"), as_of=date(2020, 2, 2))

    batch = Import.objects.get()
    assert (batch.created, batch.failed) == (1, 1)


def test_a_volunteer_hands_one_in_and_looks_it_through(volunteer: User) -> None:
    day = timezone.localdate() - timedelta(days=2)
    text = FIRST.replace("2020年2月1日", f"{day:%Y年%m月%d日}")

    batch = hand_in(text.encode(), by=volunteer, name="notice.txt", format="")

    row = StagedRow.objects.get()
    assert (batch.format, batch.status, batch.as_of) == ("announcement", "read", day)
    assert [line["item"] for line in row.shown["lines"]] == ["MASK_SURG", "GLOVE_EXAM"]
    services.enter(batch, what="all", by=volunteer, at=timezone.now())
    services.work(batch.pk, at=timezone.now())
    assert Appeal.objects.get().published_on == day
