"""The nightly dump: whole or not at all, signed, of one moment, and without anybody's donor."""

import base64
import gzip
import hashlib
import json
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.core.management import call_command
from django.db import connection, transaction

from supplies.needs import services as asking
from supplies.opendata import dump
from supplies.opendata.dictionary import COLUMNS
from supplies.opendata.models import SigningKey
from supplies.opendata.services import PUBLISHING, publish
from supplies.opendata.signing import described, key_made_at_first_use
from tests.at_once import SECONDS, _with_own_connection
from tests.makers import (
    NOW,
    make_allocation,
    make_appeal,
    make_need,
    make_offer,
    make_organisation,
    make_region,
    make_shipment,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def folder(settings: Any, tmp_path: Path) -> Path:
    settings.OPEN_DATA_DIR = tmp_path / "open"
    return tmp_path / "open"


def elsewhere(call: Callable[[], Any]) -> Any:
    """What the call returns, made by somebody else."""
    with ThreadPoolExecutor(1) as threads:
        return threads.submit(_with_own_connection, call).result(timeout=SECONDS)


def written() -> dump.Dump:
    return dump.write(key_made_at_first_use(at=NOW), at=NOW)


def rows_of(made: dump.Dump, kind: str) -> list[dict[str, Any]]:
    text = gzip.decompress((made.folder / f"{kind}.jsonl.gz").read_bytes()).decode()
    return [json.loads(line) for line in text.splitlines()]


def test_the_manifest_names_every_file_with_its_length_its_digest_and_its_rows() -> None:
    make_need()
    make_offer()

    made = written()

    assert {part.kind for part in made.parts} == set(COLUMNS)
    assert sorted(os.listdir(made.folder)) == sorted(
        [*(part.name for part in made.parts), "manifest.json", "manifest.json.sig"]
    )
    for part in made.parts:
        content = (made.folder / part.name).read_bytes()
        assert (part.bytes, part.sha256) == (len(content), hashlib.sha256(content).hexdigest())
        assert part.rows == len(rows_of(made, part.kind))
    assert made.manifest["licence"] == "CC-BY-4.0"
    assert made.manifest["previous"] is None


def test_the_signature_is_under_the_manifest_as_it_stands_and_under_no_other() -> None:
    made = written()
    manifest = (made.folder / "manifest.json").read_bytes()
    said = described(SigningKey.objects.get())
    public = Ed25519PublicKey.from_public_bytes(base64.b64decode(said["public_key"]))

    public.verify(base64.b64decode((made.folder / "manifest.json.sig").read_bytes()), manifest)

    assert said["instance"] == made.manifest["instance"] == f"tongzhou:{said['fingerprint'][:32]}"
    with pytest.raises(InvalidSignature):
        public.verify(base64.b64decode((made.folder / "manifest.json.sig").read_bytes()), manifest + b" ")


def test_a_manifest_names_the_one_before_it() -> None:
    first = written()
    second = dump.write(SigningKey.objects.get(), at=NOW + timedelta(days=1))

    assert second.manifest["previous"] == dump.sha256_of(first.folder / "manifest.json")
    assert dump.newest().name == second.name  # type: ignore[union-attr]


def test_every_row_has_its_origin_and_its_id_and_rows_are_in_the_order_of_their_ids() -> None:
    for _number in range(4):
        make_need()
    make_offer()
    make_shipment(status="in_transit")

    made = written()

    for kind, columns in COLUMNS.items():
        found = rows_of(made, kind)
        assert found, kind
        assert {row["origin"] for row in found} == {made.manifest["instance"]}
        ids = [row["id"] for row in found]
        assert len(ids) == len(set(ids)), kind
        assert all(list(row) == [column.name for column in columns] for row in found)
        if kind != "gaps":
            assert ids == sorted(ids), kind


def test_a_need_is_told_as_the_api_tells_it() -> None:
    need = make_need(quantity=5000)

    (row,) = rows_of(written(), "needs")

    assert row["id"] == str(need.pk)
    assert row["item"] == "MASK_SURG"
    assert (row["quantity"], row["outstanding"], row["unit"]) == (5000, 5000, "piece")
    assert (row["adm1_code"], row["adm2_code"], row["region"]) == ("420000", "420100", "420106")
    assert row["needed_by"] == need.needed_by.isoformat()
    assert row["facility_name"] == need.appeal.facility.name


def test_what_is_not_public_yet_is_not_in_it_and_what_was_withdrawn_tells_no_source() -> None:
    make_need(published=False)
    withdrawn = make_appeal(source_name="list", source_url="https://example.org/13800000001")
    asking.withdraw(withdrawn, by=None, at=NOW)
    shown = make_appeal(source_name="list", source_url="https://example.org/a/13800000001")

    found = {row["appeal"]: row for row in rows_of(written(), "needs")}

    assert set(found) == {str(withdrawn.pk), str(shown.pk)}
    assert found[str(withdrawn.pk)]["source_url"] == found[str(withdrawn.pk)]["source_name"] == ""
    assert found[str(shown.pk)]["source_name"] == "list"
    assert found[str(shown.pk)]["source_url"] == "https://example.org/a/138****0001"


def test_where_few_give_the_place_is_not_told_and_where_many_do_it_is() -> None:
    shanghai = make_region("310101", "黄浦区")
    for _giver in range(3):
        make_offer(make_organisation("donor"), quantity=100)
    make_offer(make_organisation("donor", region=shanghai), quantity=7)

    found = {row["id"]: row for row in rows_of(written(), "offers")}

    assert set(found) == {"flu-2026/420000/MASK_SURG", "flu-2026/-/MASK_SURG"}
    assert found["flu-2026/420000/MASK_SURG"]["left"] == 300
    assert (found["flu-2026/-/MASK_SURG"]["left"], found["flu-2026/-/MASK_SURG"]["region"]) == (7, "")


def test_one_donor_with_many_offers_is_still_few() -> None:
    donor = make_organisation("donor")
    for _offer in range(5):
        make_offer(donor, quantity=100)

    (row,) = rows_of(written(), "offers")

    assert (row["region"], row["lat"], row["lots"], row["offered"]) == ("", None, 5, 500)


def test_no_donor_is_named_in_any_file() -> None:
    donor = make_organisation("donor", name="演练捐赠人甲")
    make_shipment(make_allocation(offer=make_offer(donor)), status="delivered")

    made = written()

    for part in made.parts:
        text = gzip.decompress((made.folder / part.name).read_bytes()).decode()
        assert donor.name not in text
        assert str(donor.pk) not in text


def test_gaps_say_what_is_needed_promised_and_lacking() -> None:
    need = make_need(quantity=1000)
    make_need(quantity_kind="unknown", quantity=None, quantity_assumed=10)
    make_allocation(250, need=need)

    found = {row["level"]: row for row in rows_of(written(), "gaps")}

    assert set(found) == {"province", "prefecture"}
    for row in found.values():
        assert (row["lines"], row["lines_without_number"]) == (2, 1)
        assert (row["needed"], row["promised"], row["gap"], row["coverage"]) == (1000, 250, 750, 25.0)
        assert row["offered"] is None  # one donor


def test_flows_say_what_left_and_what_was_accepted() -> None:
    make_shipment(make_allocation(80), status="in_transit")

    (row,) = rows_of(written(), "flows")

    assert (row["month"], row["from_code"], row["region"]) == ("2026-11-01", "", "420100")
    assert (row["shipped"], row["accepted"]) == (80, 0)


def test_a_dump_that_fails_leaves_the_one_before_in_force(monkeypatch: Any, folder: Path) -> None:
    before = written()

    def no_space(path: Path, content: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(dump, "_put", no_space)
    with pytest.raises(OSError, match="No space"):
        dump.write(SigningKey.objects.get(), at=NOW + timedelta(days=1))

    assert os.listdir(folder) == [before.name]
    assert dump.newest().name == before.name  # type: ignore[union-attr]


def test_what_a_crash_left_behind_is_never_in_force_and_goes_after_a_day(folder: Path) -> None:
    made = written()
    left = folder / ".20990101T000000Z.1"
    left.mkdir()
    os.utime(left, (NOW.timestamp(), NOW.timestamp()))

    assert dump.newest().name == made.name  # type: ignore[union-attr]
    dump.forget(at=NOW + timedelta(hours=2))
    assert left.exists()
    dump.forget(at=NOW + timedelta(days=2))
    assert not left.exists()


def test_old_dumps_go_and_the_newest_never_does(settings: Any) -> None:
    settings.OPEN_DATA_KEEP_DAYS = 30
    key = key_made_at_first_use(at=NOW)
    for days in (0, 20, 40):
        dump.write(key, at=NOW + timedelta(days=days))

    dump.forget(at=NOW + timedelta(days=45))
    assert [path.name for path in dump.kept()] == ["20261213T080000Z", "20270102T080000Z"]
    dump.forget(at=NOW + timedelta(days=400))
    assert [path.name for path in dump.kept()] == ["20270102T080000Z"]


def test_the_same_rows_are_the_same_bytes() -> None:
    make_need()

    one = written()
    other = dump.write(SigningKey.objects.get(), at=NOW + timedelta(seconds=1))

    assert [part.sha256 for part in one.parts if part.kind != "gaps"] == [
        part.sha256 for part in other.parts if part.kind != "gaps"
    ]


@pytest.mark.django_db(transaction=True)
def test_two_who_publish_at_once_write_one_dump() -> None:
    """Whoever comes second leaves it to the first."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [PUBLISHING])
        assert elsewhere(lambda: publish(at=NOW)) is None
    assert dump.kept() == []

    assert publish(at=NOW)
    assert publish(at=NOW)  # the same moment again is the same dump
    assert [path.name for path in dump.kept()] == ["20261123T080000Z"]


@pytest.mark.django_db(transaction=True)
def test_what_is_posted_meanwhile_is_in_no_file(monkeypatch: Any) -> None:
    make_need()
    as_it_was = dump._write_part

    def posted_after_the_first(folder: Path, kind: str, shelf: Any, *, at: Any) -> Any:
        part = as_it_was(folder, kind, shelf, at=at)
        if kind == "needs":
            elsewhere(lambda: make_need(quantity=70_000))
        return part

    monkeypatch.setattr(dump, "_write_part", posted_after_the_first)
    made = publish(at=NOW)

    assert made is not None
    assert {row["needed"] for row in rows_of(made, "gaps")} == {1000}
    assert len(rows_of(made, "facilities")) == 1


@pytest.mark.django_db(transaction=True)
def test_the_command_says_what_it_wrote(capsys: Any) -> None:
    make_need()

    call_command("publish_open_data")

    assert "needs.jsonl.gz: 1 rows" in capsys.readouterr().out
