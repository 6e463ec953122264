"""Mail leaves if and when what it tells of is committed; it is carried for a day, and what fails is seen."""

import email
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core import mail as django_mail
from django.core.mail import EmailMultiAlternatives, send_mail
from django.core.mail.message import BadHeaderError
from django.db import IntegrityError, connection, transaction

import config.settings
from supplies.errors import MoveRefused
from supplies.journal import mail
from supplies.journal.models import Event, OutgoingMail
from tests.desk import at_the_desk, choose, told
from tests.makers import NOW, make_user
from tests.tables import photograph

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
CARRIED: list[Any] = []


class Broken(django_mail.backends.base.BaseEmailBackend):
    """A carrier that is down."""

    def send_messages(self, messages: Any) -> int:
        raise ConnectionRefusedError("nobody@example.org could not be reached")


@pytest.fixture(autouse=True)
def _through_the_outbox(settings: Any) -> None:
    settings.EMAIL_BACKEND = config.settings.EMAIL_BACKEND
    settings.MAIL_CARRIER = "django.core.mail.backends.locmem.EmailBackend"


def write(subject: str = "Your code") -> OutgoingMail:
    send_mail(subject, "4821 好", None, ["officer@example.org"])
    return OutgoingMail.objects.latest("created_at")


def carry(**later: float) -> int:
    return mail.carry(at=OutgoingMail.objects.latest("created_at").created_at + timedelta(**later))


# -- leaving -----------------------------------------------------------------------------------------------


def test_django_s_own_way_of_sending_leads_into_the_outbox() -> None:
    write()

    assert django_mail.outbox == []
    assert OutgoingMail.objects.waiting().count() == 1


def test_a_mail_of_what_did_not_happen_never_leaves() -> None:
    with transaction.atomic():
        write()
        transaction.set_rollback(True)

    assert mail.carry(at=NOW + 365 * DAY) == 0
    assert django_mail.outbox == []


def test_a_mail_arrives_as_it_was_written() -> None:
    written = EmailMultiAlternatives(
        "验证码",
        "plain",
        "a@example.org",
        ["b@example.org"],
        ["c@example.org"],
        cc=["d@example.org"],
        headers={"X-A": "1"},
    )
    written.attach_alternative("<p>rich</p>", "text/html")
    written.attach("a.txt", "好", "text/plain")
    written.attach("a.bin", b"\x00\xff", "application/octet-stream")

    written.send()
    carry()

    (sent,) = django_mail.outbox
    assert sent.recipients() == ["b@example.org", "d@example.org", "c@example.org"]
    assert parts(sent) == parts(written)


def parts(message: Any) -> list[Any]:
    whole = email.message_from_bytes(message.message().as_bytes())
    heads = {name: value for name, value in whole.items() if name != "Content-Type"}
    return [
        heads,
        *((p.get_content_type(), p.get_filename(), p.get_payload(decode=True)) for p in whole.walk()),
    ]


def test_a_mail_is_sent_once_and_its_text_is_gone_then() -> None:
    row = write()

    assert (carry(), carry()) == (1, 0)

    row.refresh_from_db()
    assert len(django_mail.outbox) == 1
    assert (row.letter, row.sent_at is not None, row.attempts) == ("", True, 1)


def test_nobody_reads_a_waiting_mail_in_the_database() -> None:
    write("Canary subject")

    (row,) = photograph()["supplies_outgoingmail"]

    assert "officer@example.org" in OutgoingMail.objects.get().letter
    for secret in ("officer", "Canary", "4821", b"officer@example.org".hex()):
        assert secret not in row


def test_a_mail_that_may_be_sent_twice_has_one_message_id() -> None:
    """As when a worker is killed between the carrier's yes and the commit."""
    write()

    with transaction.atomic():
        carry()
        transaction.set_rollback(True)
    carry()

    first, second = (sent.message() for sent in django_mail.outbox)
    assert first["Message-ID"] == second["Message-ID"]
    assert first["Date"] == second["Date"]


def test_a_heading_that_is_broken_is_refused_where_it_is_written() -> None:
    with pytest.raises(BadHeaderError):
        write("Your code\nBcc: everybody@example.org")

    assert not OutgoingMail.objects.exists()


def test_a_part_that_cannot_be_written_down_is_refused_where_it_is_written() -> None:
    message = EmailMultiAlternatives("a", "b", None, ["c@example.org"])
    message.attach(email.mime.base.MIMEBase("image", "png"))

    with pytest.raises(TypeError):
        message.send()


def test_a_mail_to_nobody_is_none() -> None:
    assert EmailMultiAlternatives("a", "b", None, []).send() == 0
    assert not OutgoingMail.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_of_two_workers_one_carries_a_mail_and_the_other_passes_it_by() -> None:
    write()
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute("BEGIN; SELECT * FROM supplies_outgoingmail FOR UPDATE")
        assert carry() == 0
    other.close()

    assert carry() == 1


def test_the_embedded_default_writes_mails_into_files(settings: Any, tmp_path: Path) -> None:
    settings.MAIL_CARRIER, settings.EMAIL_FILE_PATH = config.settings.MAIL_CARRIER, str(tmp_path / "mail")
    write()

    carry()

    (file,) = (tmp_path / "mail").iterdir()
    assert "officer@example.org" in file.read_text()
    assert str(config.settings.STATE_DIR / "mail") == config.settings.EMAIL_FILE_PATH


# -- failing -----------------------------------------------------------------------------------------------


@pytest.fixture
def broken(settings: Any) -> Any:
    settings.MAIL_CARRIER = f"{__name__}.Broken"
    return settings


def test_a_carrier_that_is_down_is_tried_again_ever_more_seldom(broken: Any) -> None:
    row = write()
    waits = []
    for _try in range(9):
        at = row.due_at
        assert mail.carry(at=at) == 0
        row.refresh_from_db()
        waits.append((row.due_at - at).total_seconds())

    assert waits == [30, 60, 120, 240, 480, 960, 1920, 3600, 3600]
    assert row.last_error == "ConnectionRefusedError"  # and no address


def test_after_a_day_it_is_given_up_and_everybody_at_the_desk_sees_it(broken: Any, volunteer: Any) -> None:
    row = write()
    carry(days=1)

    assert carry(days=2) == 0
    row.refresh_from_db()
    assert (row.given_up_at is not None, row.attempts) == (True, 1)
    assert Event.objects.filter(kind="mail.given_up").count() == 1
    cards = at_the_desk(volunteer).get("/desk/").context["cards"]
    (card,) = [card for card in cards if card.title == "mails that could not be sent"]
    assert card.count == 1
    assert at_the_desk(volunteer).get(card.url).context["cl"].result_count == 1


def test_a_mail_that_was_given_up_can_be_tried_again_by_an_administrator(broken: Any, volunteer: Any) -> None:
    row = write()
    carry(days=1)
    root = at_the_desk(make_user(is_staff=True, is_superuser=True))

    choose(at_the_desk(volunteer), "try_again", row, query="")
    assert OutgoingMail.objects.given_up().exists()
    choose(root, "try_again", row, query="")
    broken.MAIL_CARRIER = "django.core.mail.backends.locmem.EmailBackend"
    mail.carry(at=OutgoingMail.objects.get().due_at)

    assert len(django_mail.outbox) == 1
    assert "Only a mail" in " ".join(told(choose(root, "try_again", row, query="")))


def test_what_was_given_up_is_blanked_after_a_week_and_can_then_not_be_tried_again(broken: Any) -> None:
    row = write()
    carry(days=1)
    given_up_at = OutgoingMail.objects.get().given_up_at
    assert given_up_at is not None

    mail.forget(at=given_up_at + 7 * DAY)
    assert OutgoingMail.objects.get().letter
    mail.forget(at=given_up_at + 7 * DAY + timedelta(seconds=1))

    assert OutgoingMail.objects.get().letter == ""
    with pytest.raises(MoveRefused):
        mail.try_again(row, by=make_user(), at=NOW)


def test_rows_of_mails_go_after_a_month_and_waiting_ones_never(broken: Any, settings: Any) -> None:
    write()
    settings.MAIL_CARRIER = "django.core.mail.backends.locmem.EmailBackend"
    carry()
    waiting = write()

    mail.forget(at=waiting.created_at + 31 * DAY)

    assert list(OutgoingMail.objects.all()) == [waiting]


def test_one_mail_that_cannot_be_read_holds_up_no_other(settings: Any) -> None:
    bad, good = write(), write()
    OutgoingMail.objects.filter(pk=bad.pk).update(letter_sealed=good.letter_sealed)  # moved: does not open

    assert carry() == 1

    bad.refresh_from_db()
    assert (bad.sent_at, bad.last_error) == (None, "InvalidTag")


def test_a_round_is_so_long_and_no_longer(monkeypatch: Any) -> None:
    monkeypatch.setattr(mail, "A_ROUND", 3)
    for _mail in range(mail.A_ROUND + 1):
        write()

    assert (carry(), carry()) == (mail.A_ROUND, 1)


@pytest.mark.parametrize(
    ("constraint", "fields"),
    [
        ("outgoing_mail_is_sent_or_given_up", {"sent_at": NOW, "given_up_at": NOW, "letter_sealed": b""}),
        ("outgoing_mail_keeps_no_text_once_sent", {"sent_at": NOW}),
    ],
)
def test_the_database_holds_what_is_always_true_of_a_mail(constraint: str, fields: dict[str, Any]) -> None:
    write()

    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        OutgoingMail.objects.update(**fields)
