"""A backup holds everything of one moment; a restore proves it, and fails on whatever is missing."""

import json
import os
import stat
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import DatabaseError, connection, transaction

from supplies.journal import chain
from supplies.journal.models import Event, Seal
from supplies.journal.services import record
from supplies.needs.models import Need
from supplies.organisations import services as people
from supplies.organisations.contacts import Contact
from supplies.privacy.services import erase_number
from supplies.upkeep import archive, backup, contents, roles
from supplies.upkeep.archive import Manifest, Unfit
from supplies.upkeep.programs import NoProgram, run_on, write_from
from supplies.upkeep.restore import proof_lacks, restore
from tests.makers import NOW, make_emergency, make_need, make_organisation, make_user
from tests.owner import as_owner, as_role

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
PHONE = "000-5550-1234"


@pytest.fixture(autouse=True)
def _a_place_for_files(settings: Any, tmp_path: Path) -> None:
    settings.STATE_DIR = tmp_path
    settings.PRIVATE_ROOT = tmp_path / "private"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A backup of a small site."""
    organisation = make_organisation()
    for number in (PHONE, PHONE + "9"):
        people.keep_contact(organisation, at=NOW, phone=number)
    make_need()
    chain.seal(at=NOW)
    record(make_emergency(), "test.unsealed", by=None, at=NOW)
    letter = backup.private_files() / "ab" / "letter"
    letter.parent.mkdir(parents=True)
    letter.write_bytes(b"sealed bytes")
    backup.back_up(tmp_path / "site.backup", at=NOW)
    return tmp_path / "site.backup"


def manifest_of(file: Path) -> Manifest:
    with archive.reading(file) as reader:
        return reader.manifest


def dumped(file: Path) -> str:
    """What is in the database's part, as SQL."""
    with archive.reading(file) as reader, reader.open(archive.DATABASE) as dump:
        return run_on(dump, "pg_restore", "--file=-").printed


# --- Backing up ---


def test_a_backup_is_one_private_file_with_everything_and_no_key(file: Path, settings: Any) -> None:
    manifest, text = manifest_of(file), dumped(file)

    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert manifest.tables.keys() == roles.tables()
    assert manifest.tables["supplies_contact"].rows == 2
    assert manifest.head == chain.head()
    assert list(manifest.parts) == ["database.dump", "files/ab/letter"]
    assert manifest.keys == [settings.FIELD_KEYS[0].partition(":")[0]]
    assert "COPY public.supplies_contact" in text
    assert PHONE not in text
    assert settings.FIELD_KEYS[0].partition(":")[2].encode() not in file.read_bytes() + text.encode()


def test_dump_and_figures_are_of_the_same_moment(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dump = backup._dump

    def while_somebody_writes(*arguments: Any) -> None:
        other = connection.copy()
        with other.cursor() as cursor:
            cursor.execute(
                "INSERT INTO supplies_event (kind, at, subject, subject_id, facts) VALUES ('test.late', now(), '', '', '{}')"
            )
        other.close()
        dump(*arguments)

    monkeypatch.setattr(backup, "_dump", while_somebody_writes)
    later = backup.back_up(tmp_path / "later.backup", at=NOW)

    assert Event.objects.filter(kind="test.late").exists()
    assert later.tables == manifest_of(file).tables
    assert "test.late" not in dumped(tmp_path / "later.backup")


def put_on_the_path(folder: Path, monkeypatch: pytest.MonkeyPatch, *, version: int) -> None:
    """A pg_dump of this version that fails at whatever else it is asked."""
    folder.mkdir()
    program = folder / "pg_dump"
    program.write_text(
        f'#!/bin/sh\n[ "$1" = --version ] && echo "pg_dump {version}.1" && exit\necho planted >&2\nexit 1\n'
    )
    program.chmod(0o755)
    monkeypatch.setenv(
        "PATH", f"{folder}:/usr/bin:/bin" if version < 15 else f"{folder}:{os.environ['PATH']}"
    )


def test_a_backup_that_fails_leaves_the_one_before(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, present = file.read_bytes(), set(tmp_path.iterdir())
    put_on_the_path(tmp_path / "bin", monkeypatch, version=connection.pg_version // 10_000)  # type: ignore[attr-defined]

    with pytest.raises(CommandError, match="pg_dump failed: planted"):
        call_command("backup", str(file))

    assert file.read_bytes() == before
    assert set(tmp_path.iterdir()) == present | {tmp_path / "bin"}


def test_programs_of_another_version_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put_on_the_path(tmp_path / "bin", monkeypatch, version=9)

    with pytest.raises(NoProgram, match=r"has to be on the PATH: .*bin/pg_dump is of version 9"):
        backup.back_up(tmp_path / "site.backup", at=NOW)

    assert not (tmp_path / "site.backup").exists()


# --- What is not restored at all ---


def spoiled(file: Path, change: Callable[[dict[str, bytes]], None]) -> Path:
    """A copy of the backup in which somebody changed the parts."""
    with zipfile.ZipFile(file) as whole:
        parts = {name: whole.read(name) for name in whole.namelist()}
    change(parts)
    copy = file.with_name("spoiled.backup")
    with zipfile.ZipFile(copy, "w") as out:
        for name, content in parts.items():
            out.writestr(name, content)
    return copy


def in_manifest(**values: Any) -> Callable[[dict[str, bytes]], None]:
    def change(parts: dict[str, bytes]) -> None:
        parts[archive.MANIFEST] = json.dumps(json.loads(parts[archive.MANIFEST]) | values).encode()

    return change


def without(name: str) -> Callable[[dict[str, bytes]], None]:
    def change(parts: dict[str, bytes]) -> None:
        del parts[name]

    return change


def with_part(name: str, *, named: bool = False, content: bytes = b"") -> Callable[[dict[str, bytes]], None]:
    def change(parts: dict[str, bytes]) -> None:
        parts[name] = content
        if named:
            in_manifest(parts={name: {"bytes": len(content), "sha256": sha256(content).hexdigest()}})(parts)

    return change


def with_a_byte_changed(parts: dict[str, bytes]) -> None:
    dump = bytearray(parts[archive.DATABASE])
    dump[len(dump) // 2] ^= 1
    parts[archive.DATABASE] = bytes(dump)


def test_what_is_missing_or_damaged_is_named_before_the_database_is_touched(
    file: Path, settings: Any
) -> None:
    newest = manifest_of(file).migrations
    plants: dict[str, Callable[[dict[str, bytes]], None]] = {
        "The backup lacks files/ab/letter.": without("files/ab/letter"),
        "The backup lacks database.dump.": without("database.dump"),
        "it has no manifest": without("manifest.json"),
        "database.dump in the backup is damaged.": with_a_byte_changed,
        "holds files/planted, which its manifest does not name": with_part("files/planted"),
        "leads out of its folder": with_part("files/../../planted", named=True),
        "The manifest of the backup cannot be read.": with_part("manifest.json", content=b'{"format": 1}'),
        "has format 2; this release reads format 1": in_manifest(format=2),
        "this one does not know supplies.9999_planted": in_manifest(
            migrations=[*newest, "supplies.9999_planted"]
        ),
        "made by PostgreSQL 99": in_manifest(postgresql=99),
    }
    for sentence, change in plants.items():
        with pytest.raises(Unfit) as refused:
            restore(spoiled(file, change), files=None)
        assert sentence in str(refused.value)

    settings.FIELD_KEYS = ["other:" + settings.FIELD_KEYS[0].partition(":")[2]]
    with pytest.raises(
        Unfit, match=r"FIELD_KEYS lacks the key \w+, with which something in the backup is sealed"
    ):
        restore(file, files=None)


def test_a_backup_that_was_cut_short_is_refused(file: Path, tmp_path: Path) -> None:
    whole, short = file.read_bytes(), tmp_path / "short.backup"

    for length in (0, 10, len(whole) // 2, len(whole) - 1000, len(whole) - 1):
        short.write_bytes(whole[:length])
        with pytest.raises(Unfit, match="cut short"):
            restore(short, files=None)


def test_a_backup_that_lacks_a_table_is_refused_by_name(file: Path) -> None:
    def leave_out(parts: dict[str, bytes]) -> None:
        spliced(parts, "--exclude-table=supplies_contact")

    with pytest.raises(Unfit, match="The backup lacks the table supplies_contact"):
        restore(spoiled(file, leave_out), files=None)


def spliced(parts: dict[str, bytes], *options: str) -> None:
    """The dump replaced by one made now, with the manifest saying that it is the right one."""
    written: dict[str, Any] = {}

    def keep(dump: Any) -> None:
        written["dump"] = dump.read()

    options = ("--format=custom", "--no-owner", "--no-privileges", *options)
    assert write_from("pg_dump", *options, to=keep).code == 0
    parts[archive.DATABASE] = written["dump"]
    said = json.loads(parts[archive.MANIFEST])["parts"]
    said[archive.DATABASE] = {"bytes": len(written["dump"]), "sha256": sha256(written["dump"]).hexdigest()}
    in_manifest(parts=said)(parts)


def test_what_is_there_is_not_overwritten(file: Path) -> None:
    with pytest.raises(Unfit) as refused:
        restore(file, files=backup.private_files())

    assert "The database is not empty" in str(refused.value)
    assert "private is not empty" in str(refused.value)
    assert Contact.objects.count() == 2


# --- The proof ---

PLANTED = {
    "supplies_contact has 1 rows; the backup says 2.": "DELETE FROM supplies_contact WHERE id = (SELECT min(id::text)::uuid FROM supplies_contact)",
    "The 1 rows of supplies_need are not those of the backup.": "UPDATE supplies_need SET urgency = 3",
    "The table supplies_outgoing is missing.": "DROP TABLE supplies_outgoing",
    "There is a table planted": "CREATE TABLE planted (id int PRIMARY KEY)",
    "The migrations are not those of the backup.": "DELETE FROM django_migrations WHERE name = '0001_initial' AND app = 'sessions'",
    "The next number of supplies_event.id was given before.": "ALTER TABLE supplies_event ALTER COLUMN id RESTART WITH 1",
    "supplies_contact.phone_sealed of row": "UPDATE supplies_contact SET phone_sealed = phone_sealed || '\\x00'",
    "which seal 1 covers, is gone.": "DELETE FROM supplies_event WHERE id = (SELECT min(id) FROM supplies_event)",
    "The chain of the journal ends at no seal": "DELETE FROM supplies_seal",
}


def test_every_difference_is_named_and_none_where_there_is_none(file: Path) -> None:
    manifest = manifest_of(file)
    with as_owner():
        assert list(proof_lacks(manifest)) == []

    for sentence, plant in PLANTED.items():
        with as_owner(), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL session_replication_role = replica")
            cursor.execute(plant)
            assert any(sentence in said for said in proof_lacks(manifest)), sentence
            transaction.set_rollback(True)


def test_every_sealed_field_of_every_model_is_looked_at() -> None:
    fields = {(model.__name__, name) for model, name in contents.sealed_fields()}

    assert {("Contact", "name"), ("Contact", "phone"), ("Contact", "email"), ("ImportedRow", "raw")} <= fields


# --- There and back ---


@contextmanager
def another_database() -> Iterator[str]:
    """A new one, in use to the end of the block by its owner."""
    settings = connection.settings_dict
    own = str(settings["NAME"])
    other = f"{own}_restored"

    def administer(statement: str) -> None:
        settings["NAME"] = own
        connection.close()
        with as_owner(), connection.cursor() as cursor:
            cursor.execute(statement)
        connection.close()

    administer(f'DROP DATABASE IF EXISTS "{other}" WITH (FORCE)')
    administer(f'CREATE DATABASE "{other}" TEMPLATE template0')
    try:
        settings["NAME"] = other
        with as_owner():
            yield other
    finally:
        administer(f'DROP DATABASE "{other}" WITH (FORCE)')


def test_everything_comes_back(file: Path, tmp_path: Path) -> None:
    with another_database():
        restore(file, files=tmp_path / "brought")

        assert sorted(contact.phone for contact in Contact.objects.all()) == [PHONE, PHONE + "9"]
        assert (tmp_path / "brought" / "ab" / "letter").read_bytes() == b"sealed bytes"
        assert roles.actual() == roles.wanted()
        with as_role(roles.name_of("worker")):
            record(make_emergency(), "test.goes_on", by=None, at=NOW)
            assert [seal.number for seal in chain.seal(at=NOW)] == [2]
            with pytest.raises(DatabaseError, match="permission denied"):
                Seal.objects.all().delete()
        assert chain.verify().faults == []


def test_a_backup_that_lacks_one_row_fails_and_opens_to_nobody(file: Path) -> None:
    def lose_a_row(parts: dict[str, bytes]) -> None:
        Contact.objects.filter(pk=Contact.objects.first().pk).delete()
        spliced(parts)

    spoilt = spoiled(file, lose_a_row)
    with another_database():
        with pytest.raises(Unfit) as refused:
            restore(spoilt, files=None)

        assert refused.value.faults == ("supplies_contact has 1 rows; the backup says 2.",)
        assert Need.objects.count() == 1
        with as_role(roles.name_of("web")), pytest.raises(DatabaseError, match="permission denied"):
            Need.objects.count()


def test_the_command_restores_into_another_database(file: Path) -> None:
    with another_database() as name:
        url = f"postgres://{connection.settings_dict['USER']}@/{name}?host={connection.settings_dict['HOST']}"
        connection.close()
        call_command("restore", str(file), into=url)

        assert Contact.objects.count() == 2


def test_whoever_was_erased_since_is_erased_in_what_comes_back(file: Path, tmp_path: Path) -> None:
    since = tmp_path / "erasures.jsonl"
    erase_number(PHONE, by=make_user(is_superuser=True), at=NOW)
    call_command("erasures", export=since, stdout=StringIO())

    with another_database() as name:
        url = f"postgres://{connection.settings_dict['USER']}@/{name}?host={connection.settings_dict['HOST']}"
        connection.close()
        call_command("restore", str(file), into=url, erasures=since)

        assert [contact.phone for contact in Contact.objects.all()] == [PHONE + "9"]
