import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from supplies.catalogue.models import Item
from supplies.emergencies.models import Emergency
from supplies.intake.models import Import
from supplies.needs.models import Appeal
from tests.makers import make_emergency
from tests.supplies.intake.lists import make_cell, make_row, write_list


@pytest.fixture
def published(catalogue: dict[str, Item], tmp_path: Path) -> Path:
    """A list with a good row, one that asks for too much and one without a name."""
    rows = [make_row(), make_row(name="演练第二医院", supplies=[make_cell(value=-1)]), make_row(name="")]
    return write_list(tmp_path, rows)


def run(*arguments: Any, **options: Any) -> None:
    call_command("import_appeals", *map(str, arguments), format="wuhan2020", **options)


def test_json_is_one_line_that_programs_can_rely_on(
    published: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(published, json=True)

    [line] = capsys.readouterr().out.splitlines()
    report = json.loads(line)
    errors = report.pop("errors")
    assert report == {
        "format": "wuhan2020",
        "as_of": "2020-01-24",
        "dry_run": False,
        "files": 1,
        "rows": 3,
        "created": 2,
        "changed": 0,
        "unchanged": 0,
        "failed": 1,
        "waiting": 1,
        "needs": 1,
        "needs_by_kind": {"unlimited": 1},
        "facilities": 2,
        "warnings": 1,
        "warnings_by_code": {"negative": 1},
    }
    assert errors == [{"file": "wuhanshi.json", "row": 3, "field": "name", "sentence": "“name” is missing."}]


def test_people_read_a_table_and_the_errors(published: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(published)

    text = capsys.readouterr().out
    assert "wuhan2020 · 2020-01-24" in text
    assert "wuhanshi.json:3 name: “name” is missing." in text


def test_warnings_are_listed_when_asked_for(published: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(published, verbosity=2)

    assert "The quantity -1 is negative" in capsys.readouterr().out


def test_a_dry_run_stores_nothing(published: Path) -> None:
    run(published, dry_run=True)

    assert not Import.objects.exists()
    assert not Emergency.objects.exists()


def test_the_day_and_the_emergency_can_be_given(published: Path) -> None:
    make_emergency("flu-2026")

    run(published, as_of=date(2026, 11, 1), emergency="flu-2026")

    assert Import.objects.get().as_of.isoformat() == "2026-11-01"
    assert Appeal.objects.get().emergency_id == "flu-2026"


def test_an_unknown_emergency_is_refused_with_those_that_are_known(published: Path) -> None:
    make_emergency("flu-2026")

    with pytest.raises(CommandError, match="known: flu-2026"):
        run(published, emergency="flood")


def test_a_command_that_could_read_nothing_fails(catalogue: dict[str, Item], tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="No file could be read"):
        run(tmp_path / "absent.json")


def test_lists_are_known_by_their_headings(published: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("import_appeals", str(published), json=True, dry_run=True)

    assert json.loads(capsys.readouterr().out)["format"] == "wuhan2020"


def test_a_table_nobody_has_mapped_is_proposed_a_mapping_and_read_by_it(
    catalogue: dict[str, Item], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table, mapping = tmp_path / "表.csv", tmp_path / "mapping.json"
    table.write_text("区县,医院名称,医用外科口罩\n武昌区,演练第一医院,500\n", encoding="utf-8")
    make_emergency(code="drill")
    options = {"format": "sheet", "source": "某群", "mapping": mapping, "emergency": "drill", "json": True}

    with pytest.raises(CommandError, match="columns"):
        call_command("import_appeals", str(table))
    with pytest.raises(CommandError, match="Correct it"):
        call_command("import_appeals", str(table), **options)
    call_command("import_appeals", str(table), **options)
    call_command("import_appeals", str(table), **{**options, "mapping": None})

    first, second = map(json.loads, capsys.readouterr().out.splitlines())
    assert (first["format"], first["created"], first["needs_by_kind"]) == ("sheet:某群", 1, {"number": 1})
    assert second["unchanged"] == 1
