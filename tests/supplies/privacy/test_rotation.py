"""Changing keys: whole, while others write, through a kill, and for columns that do not exist yet. Keys are made up."""

import base64
import signal
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.core.management.base import SystemCheckError
from django.db import connection, models
from django.test.utils import isolate_apps

from supplies.organisations import services as people
from supplies.organisations.contacts import Contact
from supplies.privacy import rotation
from supplies.sealing import Sealed, known_keys
from tests.makers import NOW, make_organisation
from tests.owner import as_owner
from tests.processes import finish, start

OLD, NEW = (
    f"{name}:{base64.b64encode(bytes([number]) * 32).decode()}" for number, name in enumerate(("old", "new"))
)


@pytest.fixture
def old_key(settings: Any) -> None:
    settings.FIELD_KEYS = [OLD]


@pytest.fixture
def contacts(db: None, old_key: None) -> list[Contact]:
    organisation = make_organisation()
    return [
        people.keep_contact(
            organisation, at=NOW, name=f"演练{n}", phone=f"000-{n:04}", email=f"n{n}@demo.invalid"
        )
        for n in range(5)
    ]


def rotated() -> str:
    out = StringIO()
    call_command("rotate_field_keys", stdout=out)
    return out.getvalue()


def used() -> set[str]:
    return {key for key, _where, _count in rotation.keys_in_use()}


def test_everything_is_sealed_anew_and_the_old_key_may_go(contacts: list[Contact], settings: Any) -> None:
    settings.FIELD_KEYS = [NEW, OLD]

    said = rotated()

    assert used() == {"new"}
    assert "Nothing is sealed with old any more" in said
    settings.FIELD_KEYS = [NEW]
    assert [Contact.objects.get(pk=c.pk).phone for c in contacts] == [f"000-{n:04}" for n in range(5)]
    assert Contact.objects.with_phone("000 0003").get().name == "演练3"
    assert Contact.objects.with_email("N4@Demo.invalid").get().name == "演练4"


def test_while_both_keys_are_known_a_number_is_found_under_either(
    contacts: list[Contact], settings: Any
) -> None:
    settings.FIELD_KEYS = [NEW, OLD]
    fresh = people.keep_contact(make_organisation(), at=NOW, phone="000-0003")

    assert set(Contact.objects.with_phone("000-0003")) == {contacts[3], fresh}


def test_rotating_twice_changes_nothing_the_second_time(contacts: list[Contact], settings: Any) -> None:
    settings.FIELD_KEYS = [NEW, OLD]
    rotated()
    before = list(Contact.objects.order_by("pk").values_list("phone_sealed", "phone_lookup"))

    assert "0 rows sealed anew" in rotated()
    assert [
        tuple(map(bytes_of, row))
        for row in Contact.objects.order_by("pk").values_list("phone_sealed", "phone_lookup")
    ] == [tuple(map(bytes_of, row)) for row in before]


def bytes_of(value: Any) -> Any:
    return bytes(value) if isinstance(value, memoryview) else value


@pytest.mark.parametrize("when", ["before it is replaced", "after"])
def test_what_a_process_with_the_old_key_writes_meanwhile_is_neither_lost_nor_left(
    contacts: list[Contact], settings: Any, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    settings.FIELD_KEYS = [NEW, OLD]
    monkeypatch.setattr(rotation, "BATCH", 2)
    replace, first = rotation._replace, contacts[0]
    written: list[str] = []

    def write() -> None:
        if not written:
            settings.FIELD_KEYS = [OLD, NEW]  # as the other process has them still
            first.phone = "000-9999"
            first.save(update_fields=["phone_sealed", "phone_lookup"])
            settings.FIELD_KEYS = [NEW, OLD]
            written.append(first.phone)

    def beside_a_writer(face: Any, rows: list[Any]) -> int:
        is_hers = first.pk in [row[0] for row in rows]
        if is_hers and when.startswith("before"):
            write()
        done = replace(face, rows)
        if is_hers and when == "after":
            write()
        return done

    monkeypatch.setattr(rotation, "_replace", beside_a_writer)
    rotation.rotate()

    assert written
    assert used() == {"new"}
    assert Contact.objects.get(pk=first.pk).phone == "000-9999"
    assert Contact.objects.with_phone("000-9999").get() == first


@isolate_apps("supplies")
def test_a_column_that_is_sealed_later_needs_no_entry_anywhere(
    old_key: None, db: None, settings: Any
) -> None:
    class Later(models.Model):
        note_sealed = models.BinaryField(default=b"")
        note = Sealed()

        class Meta:
            app_label = "supplies"

    with as_owner():  # no role has been given anything in a table of this test's own
        with connection.schema_editor() as editor:
            editor.create_model(Later)
        row = Later.objects.create(pk=1)
        row.note = "演练"
        row.save()
        settings.FIELD_KEYS = [NEW, OLD]

        assert rotation.rotate(registry=Later._meta.apps)["supplies_later"] == 1

        settings.FIELD_KEYS = [NEW]
        assert Later.objects.get().note == "演练"


class Safe:
    """What seals outside of columns, as files would be."""

    key = "old"

    @classmethod
    def keys_in_use(cls) -> dict[str, int]:
        return {cls.key: 1}

    @classmethod
    def seal_anew(cls) -> int:
        cls.key, before = next(iter(known_keys())), cls.key
        return int(cls.key != before)


def test_what_is_sealed_elsewhere_keeps_its_key_from_being_removed(db: None, settings: Any) -> None:
    Safe.key = "old"
    settings.FIELD_KEYS = [NEW, OLD]
    settings.SEALED_ELSEWHERE = [f"{__name__}.Safe"]

    assert rotation.idle_keys() == []
    rotation.rotate()
    assert rotation.idle_keys() == ["old"]


def test_a_key_that_is_missing_is_named_before_anything_starts(
    contacts: list[Contact], settings: Any
) -> None:
    call_command("check", databases=["default"])  # with the key there is nothing to say

    settings.FIELD_KEYS = [NEW]
    with pytest.raises(
        SystemCheckError, match=r"lacks the key 'old': 5 values of supplies_contact\.phone_sealed"
    ):
        call_command("check", databases=["default"])
    with pytest.raises(CommandError, match="FIELD_KEYS lacks old"):
        rotated()


@pytest.fixture
def many(transactional_db: None, old_key: None) -> int:
    organisation = make_organisation()
    rows = []
    for number in range(1200):
        contact = Contact(organisation=organisation)
        contact.phone = f"000-{number:04}"
        rows.append(contact)
    Contact.objects.bulk_create(rows)
    return len(rows)


def rotating() -> Any:
    """A rotation of its own, in batches of fifty, that says each batch."""
    code = (
        "import django; django.setup()\n"
        "from supplies.privacy import rotation\n"
        "rotation.BATCH = 50\n"
        "rotation.rotate(told=lambda table, done, all: print(table, done, flush=True))"
    )
    return start("-c", code, FIELD_KEYS=f"{NEW},{OLD}")


@pytest.fixture
def killed(many: int) -> int:
    """A rotation that was killed after its second batch."""
    process = rotating()
    assert process.stdout is not None
    process.stdout.readline()
    process.stdout.readline()
    process.send_signal(signal.SIGKILL)
    process.communicate()
    return many


def test_a_killed_rotation_leaves_every_value_open_and_goes_on(killed: int, settings: Any) -> None:
    settings.FIELD_KEYS = [NEW, OLD]
    counts = {key: count for key, where, count in rotation.keys_in_use() if where.endswith("phone_sealed")}
    assert counts["new"] >= 100
    assert counts["old"] > 0
    assert len({contact.phone for contact in Contact.objects.all()}) == killed

    finish(rotating())

    settings.FIELD_KEYS = [NEW]
    assert used() == {"new"}
    assert len({contact.phone for contact in Contact.objects.all()}) == killed
