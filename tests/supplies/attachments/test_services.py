"""Private files kept, read, erased; what the disk shows of them, and what is left of those that came to nothing."""

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from cryptography.exceptions import InvalidTag
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from supplies.attachments import files, inspection, services
from supplies.attachments.models import MOST_BYTES, MOST_FILES, Attachment
from supplies.attachments.uploads import in_memory
from supplies.errors import Refused
from supplies.journal.models import Event
from supplies.organisations.models import Organisation, User
from tests.makers import NOW, TODAY, make_organisation, make_user
from tests.supplies.attachments.hostile import pdf, picture

pytestmark = pytest.mark.django_db
SECRET = b"nobody else may read this seal"


def letter(text: bytes = SECRET) -> bytes:
    """A PDF that says something which can be looked for: what it says is not packed."""
    return pdf(b"(" + text + b")")


def keep(row: Organisation, content: bytes, *, by: User | None = None, **more: Any) -> Attachment:
    values = {"kind": "letter", "at": NOW, "erase_on": TODAY + timedelta(days=400), **more}
    with in_memory(content) as file:
        return services.attach(row, file, size=len(content), by=by or make_user(), **values)


def on_the_disk(root: Path) -> list[Path]:
    return [path for path in root.rglob("*") if path.is_file()]


def test_a_file_is_read_as_it_was_kept_and_both_are_written_down() -> None:
    organisation, reader = make_organisation(), make_user()
    attachment = keep(organisation, letter())

    read = b"".join(services.read(attachment, by=reader, at=NOW))

    added, seen = Event.objects.about(attachment).order_by("pk")
    assert read == letter()
    assert (attachment.media_type, attachment.size) == ("application/pdf", len(letter()))
    assert (added.kind, added.facts) == (
        "attachment.added",
        {"subject": "organisation", "subject_id": str(organisation.pk)},
    )
    assert (seen.kind, seen.by) == ("attachment.read", reader)


def test_a_file_of_many_parts_is_read_whole() -> None:
    content = letter(os.urandom(200_000).hex().encode())
    attachment = keep(make_organisation(), content)

    assert b"".join(services.read(attachment, by=make_user(), at=NOW)) == content


def test_neither_the_disk_nor_the_database_holds_anything_of_it_in_clear(private_root: Path) -> None:
    attachment = keep(make_organisation(), letter())

    (path,) = on_the_disk(private_root)
    with connection.cursor() as cursor:
        cursor.execute("SELECT a::text FROM supplies_attachment a")
        row = cursor.fetchone()[0]
    assert SECRET in letter()  # the plant is found where it is in clear
    assert SECRET not in path.read_bytes()
    assert b"%PDF" not in path.read_bytes()
    assert attachment.key not in row
    assert SECRET.hex() not in row


def test_files_are_ours_alone_and_called_by_chance(private_root: Path) -> None:
    attachment = keep(make_organisation(), letter())

    (path,) = on_the_disk(private_root)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE(private_root.stat().st_mode) == 0o700
    assert path.name == attachment.stored_as
    assert str(attachment.pk) not in str(path)


def test_a_file_that_was_changed_moved_or_cut_off_does_not_open(private_root: Path) -> None:
    organisation = make_organisation()
    one, other = keep(organisation, letter(b"1" * 100_000)), keep(organisation, letter(b"2" * 100_000))
    paths = {path.name: path for path in on_the_disk(private_root)}
    sealed = paths[one.stored_as].read_bytes()
    part = files.PART + files.TAG

    for changed in (
        bytes([sealed[0] ^ 1]) + sealed[1:],
        paths[other.stored_as].read_bytes(),
        sealed[part:] + sealed[:part],
    ):
        paths[one.stored_as].write_bytes(changed)
        with pytest.raises(InvalidTag):
            list(services.read(one, by=make_user(), at=NOW))
    paths[one.stored_as].write_bytes(sealed[:part])
    with pytest.raises(FileNotFoundError):
        services.read(one, by=make_user(), at=NOW)


def test_the_same_file_is_kept_once(private_root: Path) -> None:
    organisation, other = make_organisation(), make_organisation()

    first, again = keep(organisation, letter()), keep(organisation, letter())

    assert first == again
    assert keep(other, letter()) != first
    assert len(on_the_disk(private_root)) == 2


def test_so_many_files_are_kept_of_one_subject_and_no_more_until_one_is_erased(monkeypatch: Any) -> None:
    monkeypatch.setattr(services, "MOST_FILES", 2)
    organisation = make_organisation()
    first, _second = keep(organisation, letter(b"1")), keep(organisation, letter(b"2"))

    with pytest.raises(Refused) as refusal:
        keep(organisation, letter(b"3"))
    services.erase(first, by=None, at=NOW)
    after = keep(organisation, letter(b"3"))

    assert refusal.value.code == "too-many-files"
    assert after.position == first.position


def test_the_database_keeps_no_eleventh_place() -> None:
    attachment = keep(make_organisation(), letter())

    with pytest.raises(IntegrityError, match="attachment_is_one_of_few"), transaction.atomic():
        Attachment.objects.filter(pk=attachment.pk).update(position=MOST_FILES + 1)


@pytest.mark.parametrize(("content", "code"), [(b"", "empty"), (b"a" * (MOST_BYTES + 1), "too-large")])
def test_nothing_and_too_much_are_refused_before_they_are_looked_at(
    monkeypatch: Any, content: bytes, code: str
) -> None:
    monkeypatch.setattr(inspection, "run", None)

    with pytest.raises(ValidationError) as refusal:
        keep(make_organisation(), content)

    assert refusal.value.error_dict["file"][0].code == code


def test_a_file_whose_row_is_refused_leaves_nothing_on_the_disk(private_root: Path) -> None:
    organisation = make_organisation()

    with pytest.raises(IntegrityError):
        keep(organisation, letter(), kind="gossip")

    assert on_the_disk(private_root) == []
    assert not Attachment.objects.exists()


def test_a_disk_that_takes_nothing_is_a_refusal(private_root: Path) -> None:
    private_root.write_text("no folder can be made here")

    with pytest.raises(Refused) as refusal:
        keep(make_organisation(), letter())

    assert refusal.value.code == "not-stored"
    assert not Attachment.objects.exists()


def test_an_erased_file_is_gone_and_could_not_be_opened_if_it_were_not(
    private_root: Path, django_capture_on_commit_callbacks: Any
) -> None:
    attachment = keep(make_organisation(), letter())
    (path,) = on_the_disk(private_root)

    with django_capture_on_commit_callbacks(execute=True):
        services.erase(attachment, by=None, at=NOW)
        services.erase(attachment, by=None, at=NOW)

    attachment.refresh_from_db()
    assert not path.exists()
    assert (attachment.key, attachment.sha256, attachment.erased_at) == ("", "", NOW)
    assert Event.objects.filter(kind="attachment.erased").count() == 1


def test_a_file_is_erased_on_its_day() -> None:
    attachment = keep(make_organisation(), letter(), erase_on=TODAY)

    assert services.erase_expired(at=NOW - timedelta(days=1)) == 0
    assert services.erase_expired(at=NOW) == 1
    assert services.erase_expired(at=NOW) == 0
    attachment.refresh_from_db()
    assert attachment.key == ""


def test_the_sweep_removes_what_no_row_speaks_of_and_tells_what_is_lost(private_root: Path) -> None:
    organisation = make_organisation()
    kept, lost = keep(organisation, letter(b"1")), keep(organisation, letter(b"2"))
    with transaction.atomic():
        keep(organisation, letter(b"3"))
        transaction.set_rollback(True)  # the transaction around it comes to nothing
    files.remove(lost.stored_as)
    now = timezone.now()

    young, swept = services.sweep(at=now), services.sweep(at=now + 2 * services.LEFT_ALONE)

    assert young.removed == 0  # it may belong to somebody who has not committed yet
    assert (swept.removed, swept.missing) == (1, (lost,))
    assert [path.name for path in on_the_disk(private_root)] == [kept.stored_as]


@pytest.mark.django_db(transaction=True)
def test_two_files_at_once_never_take_one_place(private_root: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(services, "MOST_FILES", 1)
    organisation, by = make_organisation(), make_user()
    both = Barrier(2)
    put = files.put

    def put_together(*args: Any, **kwargs: Any) -> Any:
        written = put(*args, **kwargs)
        both.wait(timeout=60)
        return written

    monkeypatch.setattr(files, "put", put_together)

    def one(number: int) -> str:
        try:
            keep(organisation, letter(b"last %d" % number), by=by)
        except Refused as refusal:
            return refusal.code
        finally:
            connection.close()
        return "kept"

    with ThreadPoolExecutor(2) as pool:
        outcomes = sorted(pool.map(one, range(2)))

    assert outcomes == ["kept", "too-many-files"]
    assert Attachment.objects.about(organisation).count() == 1
    assert len(on_the_disk(private_root)) == 1


@pytest.mark.django_db(transaction=True)
def test_the_control_without_the_lock_is_stopped_by_the_database_alone(monkeypatch: Any) -> None:
    """Two who look before either leaps choose one place: without the constraint both would have it."""
    organisation, by = make_organisation(), make_user()
    both = Barrier(2)
    save = Attachment.save

    def save_together(self: Attachment, *args: Any, **kwargs: Any) -> None:
        both.wait(timeout=60)
        save(self, *args, **kwargs)

    monkeypatch.setattr(Attachment, "save", save_together)
    monkeypatch.setattr(type(Organisation.objects.all()), "select_for_update", lambda rows, **_how: rows)

    def one(number: int) -> str:
        try:
            keep(organisation, letter(b"%d" % number), by=by)
        except IntegrityError as error:
            return "attachment_has_its_own_place" if "own_place" in str(error) else str(error)
        finally:
            connection.close()
        return "kept"

    with ThreadPoolExecutor(2) as pool:
        outcomes = sorted(pool.map(one, range(2)))

    assert outcomes == ["attachment_has_its_own_place", "kept"]


def test_a_picture_is_kept_as_it_was_made_anew() -> None:
    attachment = keep(make_organisation(), picture() + b"<script>")

    read = b"".join(services.read(attachment, by=make_user(), at=NOW))

    assert attachment.media_type == "image/jpeg"
    assert read.startswith(b"\xff\xd8")
    assert b"<script>" not in read
