"""What an attacker sends is refused in a sentence, within the memory and time of its process."""

import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from supplies.intake.files import parser
from supplies.intake.files.opening import read_rows
from supplies.intake.reading.findings import Unreadable
from tests.supplies.intake.files import hostile

RESIDENT = 300_000_000  # bytes


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("bomb.xlsx", hostile.bomb, "bomb"),
        ("lying.xlsx", hostile.lying, "damaged-workbook"),
        ("parts.xlsx", hostile.of_many_parts, "too-many-parts"),
        ("nested.zip", hostile.nested, "is-archive"),
        (
            "laughs.xlsx",
            lambda: hostile.with_sheet("<row><c><v>&i;</v></c></row>", hostile.LAUGHS),
            "entities",
        ),
        (
            "outside.xlsx",
            lambda: hostile.with_sheet("<row><c><v>&out;</v></c></row>", hostile.OUTSIDE),
            "entities",
        ),
        ("laughs.yaml", lambda: hostile.YAML_LAUGHS.encode(), "yaml-repeats"),
        ("deep.yaml", lambda: b"- a:\n" + b"- [" * 5_000, "not-a-list"),
        ("cut.xlsx", lambda: hostile.workbook(hostile.HEADER)[:-200], "is-damaged-zip"),
    ],
)
def test_an_attack_is_refused_before_a_row_is_given(
    tmp_path: Path, name: str, content: Any, code: str
) -> None:
    with pytest.raises(Unreadable) as refused:
        read_rows(hostile.write(tmp_path, name, content())).close()

    assert refused.value.finding.code == code
    assert str(refused.value)


def test_entities_in_the_list_of_texts_are_refused_too(tmp_path: Path) -> None:
    book = hostile.repacked(
        hostile.workbook(hostile.HEADER),
        **{
            "xl__sharedStrings.xml": f"<?xml version='1.0'?>{hostile.LAUGHS}<sst><si><t>&i;</t></si></sst>".encode()
        },
    )

    with pytest.raises(Unreadable) as refused:
        read_rows(hostile.write(tmp_path, "a.xlsx", book)).close()

    assert refused.value.finding.code == "entities"


def test_macros_and_links_to_other_workbooks_are_said_and_not_followed(tmp_path: Path) -> None:
    book = hostile.repacked(
        hostile.workbook(hostile.HEADER),
        **{"xl__vbaProject.bin": b"Sub Auto_Open()", "xl__externalLinks__externalLink1.xml": b"<x/>"},
    )

    with read_rows(hostile.write(tmp_path, "a.xlsm", book)) as opened:
        assert [row.raw for row in opened] == [hostile.HEADER]

    assert [finding.code for finding in opened.findings] == ["macros", "external-links"]


@pytest.mark.slow
def test_a_million_rows_are_read_up_to_the_limit_in_little_memory(tmp_path: Path) -> None:
    with read_rows(hostile.million_rows(tmp_path)) as opened:
        count = sum(1 for _row in opened)

    assert count == parser.MOST_ROWS
    assert not opened.is_whole
    assert [finding.code for finding in opened.findings] == ["too-many-rows", "not-whole"]
    assert 0 < opened.peak < 100_000_000 < RESIDENT


def test_a_text_of_fifty_megabytes_stays_within_the_memory_of_its_process(tmp_path: Path) -> None:
    file = hostile.write(tmp_path, "long.csv", "演练医院,5\n" * 2_900_000)

    with read_rows(file) as opened:
        count = sum(row.raw == ["演练医院", "5"] for row in opened)

    assert count == parser.MOST_ROWS
    assert 0 < opened.peak < RESIDENT


def test_more_texts_than_there_is_memory_for_are_a_sentence(tmp_path: Path) -> None:
    strings = "".join(f"<si><t>{number:0100d}</t></si>" for number in range(3_000_000))
    book = hostile.repacked(
        hostile.workbook(hostile.HEADER), **{"xl__sharedStrings.xml": f"<sst>{strings}</sst>".encode()}
    )

    with pytest.raises(Unreadable) as refused:
        read_rows(hostile.write(tmp_path, "a.xlsx", book)).close()

    assert refused.value.finding.code in {"too-hard", "took-too-long"}


def test_a_file_beyond_what_is_taken_is_not_opened(tmp_path: Path) -> None:
    file = tmp_path / "large.csv"
    with file.open("wb") as out:
        out.truncate(50_000_001)

    with pytest.raises(Unreadable, match="at most 50"):
        read_rows(file)


def test_rows_before_a_limit_of_time_are_kept_and_the_file_is_not_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = (
        "import sys; from supplies.intake.files import parser, delimited\n"
        "def rows(*_):\n"
        "    yield from (delimited.Read(n, ['a'], []) for n in range(1, 401))\n"
        "    while True: pass\n"
        "delimited.read = rows; parser.SECONDS = 1; parser.main()"
    )
    monkeypatch.setattr("supplies.limited.command", lambda _module, *words: _started(program, *words))

    with read_rows(hostile.write(tmp_path, "a.csv", hostile.TABLE)) as opened:
        count = sum(1 for _row in opened)

    assert count > 0
    assert not opened.is_whole
    assert [finding.code for finding in opened.findings] == ["took-too-long", "not-whole"]


def _started(program: str, *words: str) -> list[str]:
    begin = f"import sys; sys.path.insert(0, {str(settings.BASE_DIR)!r})\n"
    return [sys.executable, "-I", "-c", begin + program, *words]
