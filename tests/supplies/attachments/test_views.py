"""Handing a file in over the web, and reading it: who may, what is answered, and what names and types are worth."""

from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from supplies.attachments.models import MOST_BYTES, Attachment
from supplies.attachments.uploads import ROOM_FOR_THE_FORM
from supplies.journal.models import Event
from supplies.organisations import services as people
from supplies.organisations.models import Organisation, User
from tests.makers import NOW, make_member, make_organisation, make_region, make_user
from tests.page_client import reader
from tests.sign_in import sign_in
from tests.supplies.attachments.hostile import pdf, photograph, picture

pytestmark = pytest.mark.django_db


@pytest.fixture
def hospital() -> Organisation:
    return make_organisation(verified=False)


@pytest.fixture
def manager(hospital: Organisation) -> User:
    return make_member("hospital", hospital)


def hand_in(
    client: Client,
    organisation: Organisation,
    content: bytes,
    *,
    name: str = "letter.pdf",
    said: str = "application/pdf",
    **fields: Any,
) -> Any:
    """A form with a file, byte for byte, as a browser or somebody worse would send it."""
    parts = [
        f'--edge\r\nContent-Disposition: form-data; name="{field}"\r\n\r\n{value}\r\n'
        for field, value in {"kind": "letter", **fields}.items()
    ]
    head = f'--edge\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\nContent-Type: {said}\r\n\r\n'
    body = ("".join(parts) + head).encode() + content + b"\r\n--edge--\r\n"
    address = reverse("hand-in-evidence", args=[organisation.pk])
    return client.generic("POST", address, body, content_type="multipart/form-data; boundary=edge")


def read(client: Client, attachment: Any) -> Any:
    return client.post(reverse("attachment", args=[getattr(attachment, "pk", attachment)]))


def coordinator_of(code: str) -> User:
    user = make_user()
    body = make_organisation("coordinator")
    people.enrol(user, body, "coordinator", by=None, at=NOW, regions=[make_region(code)])
    return user


def test_a_hospital_hands_in_its_letter_and_a_volunteer_reads_it(
    hospital: Organisation, manager: User, volunteer: User
) -> None:
    answer = hand_in(reader(manager), hospital, pdf())

    attachment = Attachment.objects.get()
    got = read(reader(volunteer), attachment)
    assert answer.url == reverse("hand-in-evidence", args=[hospital.pk])
    assert b"".join(got.streaming_content) == pdf()
    assert (attachment.by, attachment.subject_id) == (manager, str(hospital.pk))
    assert Event.objects.about(attachment).get(kind="attachment.read").by == volunteer


def test_a_file_is_only_ever_a_download_that_runs_nothing_and_stays_nowhere(
    hospital: Organisation, manager: User, volunteer: User
) -> None:
    hand_in(reader(manager), hospital, photograph(), name="../../etc/passwd.html", said="text/html")
    attachment = Attachment.objects.get()

    answer = read(reader(volunteer), attachment)

    assert answer["Content-Type"] == "image/jpeg"
    assert answer["Content-Disposition"] == f'attachment; filename="letter-{attachment.pk.hex[:8]}.jpg"'
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert answer["Cache-Control"] == "private, no-store"
    assert int(answer["Content-Length"]) == len(b"".join(answer.streaming_content))


@pytest.mark.parametrize(
    ("who", "status"),
    [
        ("volunteer", 200),
        ("administrator", 200),
        ("coordinator here", 200),
        ("coordinator elsewhere", 404),
        ("who handed it in", 200),
        ("a colleague of hers", 404),
        ("auditor", 404),
        ("donor", 404),
        ("stranger", 404),
        ("nobody", 404),
    ],
)
def test_a_file_is_read_by_those_who_check_and_is_missing_for_others(
    hospital: Organisation, manager: User, volunteer: User, who: str, status: int
) -> None:
    hand_in(reader(manager), hospital, pdf())
    attachment = Attachment.objects.get()
    cast: dict[str, Any] = {
        "volunteer": lambda: volunteer,
        "administrator": lambda: make_user(is_superuser=True),
        "coordinator here": lambda: coordinator_of("420106"),
        "coordinator elsewhere": lambda: coordinator_of("110101"),
        "who handed it in": lambda: manager,
        "a colleague of hers": lambda: make_member("hospital", hospital),
        "auditor": lambda: make_member("auditor"),
        "donor": lambda: make_member("donor"),
        "stranger": make_user,
        "nobody": lambda: None,
    }
    client = reader(cast[who]())

    answer, missing = read(client, attachment), read(client, uuid4())

    assert answer.status_code == status
    if status == 404:
        assert answer.content == missing.content
        assert not Event.objects.filter(kind="attachment.read").exists()


def test_who_no_longer_acts_for_it_no_longer_reads_what_she_handed_in(
    hospital: Organisation, manager: User
) -> None:
    hand_in(reader(manager), hospital, pdf())
    people.dismiss(manager.memberships.get(), by=None, at=NOW)

    assert read(reader(manager), Attachment.objects.get()).status_code == 404


def test_a_file_about_something_nobody_has_a_rule_for_is_read_by_nobody(
    hospital: Organisation, manager: User, volunteer: User, settings: Any
) -> None:
    hand_in(reader(manager), hospital, pdf())
    settings.ATTACHMENT_READERS = {}

    assert read(reader(volunteer), Attachment.objects.get()).status_code == 404


def test_a_file_that_the_disk_has_lost_is_missing(
    hospital: Organisation, manager: User, volunteer: User, private_root: Path
) -> None:
    hand_in(reader(manager), hospital, pdf())
    for path in private_root.rglob("*"):
        if path.is_file():
            path.unlink()

    assert read(reader(volunteer), Attachment.objects.get()).status_code == 404


def test_reading_takes_a_button_so_that_nobody_is_made_to_read(volunteer: User) -> None:
    client = Client(enforce_csrf_checks=True)
    sign_in(client, volunteer)

    assert client.get(reverse("attachment", args=[uuid4()])).status_code == 405
    assert read(client, uuid4()).status_code == 403


NAMES = {
    "255 bytes": "信" * 85,
    "more than a file system takes": "a" * 800 + ".pdf",
    "control characters": "a\x01\x1b[31m\x7f.pdf",
    "another folder": "../../../../etc/cron.d/x",
    "the other kind of another folder": "..\\..\\windows\\x.pdf",
    "text that turns round": "gnp.\u202efdp.exe",
    "a quote": 'a"; filename="b.html',
    "another ending": "photo.exe",
    "nothing but an ending": ".pdf",
}


@pytest.mark.parametrize("name", NAMES)
def test_what_a_file_is_called_does_not_matter_and_is_not_kept(
    hospital: Organisation, manager: User, private_root: Path, name: str
) -> None:
    answer = hand_in(reader(manager), hospital, pdf(), name=NAMES[name])

    attachment = Attachment.objects.get()
    assert answer.status_code == 302
    assert not any(NAMES[name][:20] in str(path) for path in private_root.rglob("*"))
    assert NAMES[name] not in [str(getattr(attachment, field.name)) for field in attachment._meta.fields]


def test_a_name_longer_than_any_is_refused(hospital: Organisation, manager: User) -> None:
    assert hand_in(reader(manager), hospital, pdf(), name="a" * 5000).status_code == 400
    assert not Attachment.objects.exists()


@pytest.mark.parametrize("name", ["", "..", "a/", "\x01\x02"])
def test_a_file_without_a_name_is_asked_for_again(hospital: Organisation, manager: User, name: str) -> None:
    answer = hand_in(reader(manager), hospital, pdf(), name=name)

    assert answer.status_code == 200
    assert answer.context["form"].errors["file"]
    assert not Attachment.objects.exists()


@pytest.mark.parametrize(
    ("content", "fields", "place"),
    [
        (b"", {}, "file"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", {}, "file"),
        (b"a" * (MOST_BYTES + 1), {}, "file"),
        (pdf(), {"kind": "gossip"}, "kind"),
        (pdf(), {"kind": "a\0b"}, "kind"),
        (pdf(), {"kind": ""}, "kind"),
    ],
)
def test_what_is_wrong_with_a_file_is_said_beside_it_and_nothing_is_kept(
    hospital: Organisation,
    manager: User,
    private_root: Path,
    content: bytes,
    fields: dict[str, str],
    place: str,
) -> None:
    answer = hand_in(reader(manager), hospital, content, name="x.png", said="image/png", **fields)

    assert answer.status_code == 200
    assert list(answer.context["form"].errors) == [place]
    assert not Attachment.objects.exists()
    assert not [path for path in private_root.rglob("*") if path.is_file()]


# -- How much a body may hold -----------------------------------------------------------------------------


def test_a_body_with_files_is_as_large_as_its_route_says(hospital: Organisation, manager: User) -> None:
    client = reader(manager)
    address = reverse("hand-in-evidence", args=[hospital.pk])

    def post(address: str, length: int) -> int:
        kind = "multipart/form-data; boundary=x"
        return client.generic("POST", address, b"a" * length, content_type=kind).status_code

    assert post(address, MOST_BYTES + ROOM_FOR_THE_FORM) == 400  # read, and no form
    assert post(address, MOST_BYTES + ROOM_FOR_THE_FORM + 1) == 413
    assert post(reverse("register-hospital"), settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1) == 413
    assert post("/nowhere/", settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1) == 413


def test_a_body_that_is_too_large_is_answered_with_a_page_in_the_reader_s_language(
    hospital: Organisation, manager: User
) -> None:
    kind = "multipart/form-data; boundary=x"
    body = b"a" * (MOST_BYTES + ROOM_FOR_THE_FORM + 1)

    answer = reader(manager).generic("POST", "/hospitals/new/", body, content_type=kind)

    assert answer.status_code == 413
    assert "5 MB" in answer.content.decode()
    assert "too large" in answer.content.decode()


def test_an_upload_is_never_on_the_disk_unsealed(
    hospital: Organisation, manager: User, monkeypatch: Any, private_root: Path
) -> None:
    """A file of several megabytes, which Django would put into its folder for temporary files."""
    opened: list[str] = []
    monkeypatch.setattr("tempfile.mkstemp", lambda *args, **more: opened.append("x") or (0, ""))
    monkeypatch.setattr("tempfile.NamedTemporaryFile", lambda *args, **more: opened.append("x"))

    answer = hand_in(reader(manager), hospital, pdf(b"(" + b"a" * 3_000_000 + b")"))

    assert answer.status_code == 302
    assert opened == []
    assert Attachment.objects.get().size > 3_000_000


# -- Who may hand in --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "status"), [("unverified", 302), ("to check again", 302), ("refused", 302), ("verified", 403)]
)
def test_a_hospital_hands_in_evidence_as_long_as_it_is_asked_for(
    state: str, status: int, volunteer: User
) -> None:
    hospital = make_organisation(verified=state in ("verified", "to check again"))
    if state in ("verified", "to check again"):
        Organisation.objects.filter(pk=hospital.pk).update(
            by_source=False, verified_by=make_user(), seconded_by=make_user()
        )
    if state == "to check again":
        Organisation.objects.filter(pk=hospital.pk).update(to_check_since=hospital.recheck_on)
    if state == "refused":
        people.verify(hospital, verdict="refused", motive="no", public_note="A letter.", by=volunteer, at=NOW)

    answer = hand_in(reader(make_member("hospital", hospital)), hospital, picture())

    assert answer.status_code == status


def test_the_evidence_page_of_another_organisation_is_refused_or_missing(hospital: Organisation) -> None:
    other = make_member("hospital")
    address = reverse("hand-in-evidence", args=[hospital.pk])

    assert reader(other).get(address).status_code == 404
    assert reader(other).get(reverse("hand-in-evidence", args=[uuid4()])).status_code == 404
    assert hand_in(reader(other), hospital, pdf()).status_code == 404
    assert hand_in(reader(other), make_organisation(), pdf()).status_code == 403


def test_a_stranger_is_led_to_sign_in(hospital: Organisation) -> None:
    answer = hand_in(reader(), hospital, pdf())

    assert reverse("sign-in") in answer.url
    assert not Attachment.objects.exists()


def test_a_volunteer_hands_in_from_the_desk_and_comes_back_to_it(
    hospital: Organisation, volunteer: User
) -> None:
    answer = hand_in(reader(volunteer), hospital, pdf(), next="/desk/supplies/organisation/")
    elsewhere = hand_in(reader(volunteer), hospital, picture(), next="https://evil.example/")

    assert answer.url == "/desk/supplies/organisation/"
    assert elsewhere.url == reverse("hand-in-evidence", args=[hospital.pk])


def test_of_what_others_handed_in_the_page_says_nothing(hospital: Organisation, manager: User) -> None:
    hand_in(reader(make_member("hospital", hospital)), hospital, pdf())

    page = reader(manager).get(reverse("hand-in-evidence", args=[hospital.pk]))

    assert list(page.context["files"]) == []
