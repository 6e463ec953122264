"""How notices leave: as mails and by robots, at once or together, never in quiet hours, and no more where somebody says no."""

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core.exceptions import ValidationError
from django.test import Client

from supplies.journal.services import dispatch
from supplies.notices import choosing, robots
from supplies.notices.inbox import Habits, How, Notice, Robot, Sending
from supplies.notices.models import ATTEMPTS
from supplies.notices.sending import forget, tell
from supplies.organisations.models import User
from supplies.shipments import services as moving
from tests.makers import NOW, make_member, make_shipment, make_user, with_address
from tests.page_client import reader
from tests.supplies.notices.receiver import Received, Receiver, receiving

pytestmark = pytest.mark.django_db
SHANGHAI = "Asia/Shanghai"  # NOW is 16:00 there
MORNING = datetime(2026, 11, 24, 0, 0, tzinfo=UTC)  # the next 8:00 there


def well(_message: Received) -> tuple[int, dict[str, str], bytes]:
    return 200, {}, b'{"errcode":0,"errmsg":"ok"}'


def refusing(_message: Received) -> tuple[int, dict[str, str], bytes]:
    """As both of them refuse: with the status of a success."""
    return 200, {}, b'{"errcode":45009,"errmsg":"api freq out of limit"}'


@pytest.fixture
def chat(settings: Any) -> Iterator[Receiver]:
    with receiving(well) as one:
        settings.ROBOT_SITES = dict.fromkeys(("wecom", "dingtalk"), f"http://{one.host}")
        settings.ROBOT_HOSTS = [one.host]
        yield one


def hospital(**fields: Any) -> User:
    user = make_member("hospital", **fields)
    dispatch(at=NOW)  # what was before she had an address is not told by mail
    return with_address(user, language="en")


def happen(user: User, *kinds: str) -> None:
    """Shipments to her hospital arrive (told with the digest), or are lost (told at once)."""
    for kind in kinds:
        shipment = make_shipment(status="in_transit")
        dispatch(at=NOW)  # its way so far is told to others
        member = user.memberships.get()
        shipment.consignee.organisation = member.organisation
        shipment.consignee.save()
        {"lost": moving.lose, "arrived": moving.arrive}[kind](shipment, by=None, at=NOW)
    dispatch(at=NOW)


# -- mail --------------------------------------------------------------------------------------------------


def test_news_leave_at_once_or_together_in_the_morning(mailoutbox: list[Any]) -> None:
    user = hospital()
    happen(user, "lost", "arrived", "arrived")

    tell(at=NOW)
    assert [letter.subject for letter in mailoutbox] == ["A shipment was given up as lost"]

    tell(at=MORNING - timedelta(seconds=1))
    assert len(mailoutbox) == 1
    for _twice in range(2):
        tell(at=MORNING)
    assert [letter.subject for letter in mailoutbox[1:]] == ["2 pieces of news for you"]
    assert mailoutbox[1].body.count("A shipment is at the door") == 2
    assert "http" in mailoutbox[1].body


def test_in_quiet_hours_nothing_is_sent(mailoutbox: list[Any]) -> None:
    user = hospital()
    choosing.keep_quiet(user, timezone=SHANGHAI, quiet_from=time(15), quiet_until=time(7))
    happen(user, "lost")

    tell(at=NOW)
    assert mailoutbox == []
    tell(at=MORNING - timedelta(hours=1))
    assert len(mailoutbox) == 1


# Quiet from and until, the hour in Shanghai, and the hour at which it may be sent.
HOURS = [
    (None, None, 3, 3),
    (time(22), time(7), 23, 7),
    (time(22), time(7), 3, 7),
    (time(22), time(7), 7, 7),
    (time(22), time(7), 12, 12),
    (time(12), time(14), 13, 14),
    (time(12), time(14), 14, 14),
]


@pytest.mark.parametrize(("since", "until", "hour", "sent"), HOURS)
def test_quiet_hours_end_in_the_reader_s_own_time(since: Any, until: Any, hour: int, sent: int) -> None:
    habits = Habits(timezone=SHANGHAI, quiet_from=since, quiet_until=until)
    at = datetime(2026, 11, 23, hour, tzinfo=Habits(timezone=SHANGHAI).zone)

    moment = habits.moment_for(How.AT_ONCE, at.astimezone(UTC)).astimezone(habits.zone)

    assert moment.hour == sent
    assert timedelta(0) <= moment - at < timedelta(days=1)


def test_what_is_switched_off_is_in_the_inbox_alone(mailoutbox: list[Any]) -> None:
    user = hospital()
    choosing.choose(user, {("trouble", "mail"): "off"})
    happen(user, "lost")

    tell(at=MORNING)

    assert mailoutbox == []
    assert Notice.objects.of(user).filter(kind="shipment.lost").exists()


def test_every_mail_ends_with_a_link_that_works_without_signing_in_and_mailboxes_find_it(
    mailoutbox: list[Any],
) -> None:
    user = hospital()
    happen(user, "lost")
    tell(at=NOW)
    letter = mailoutbox[0]
    link = re.search(r"(/notices/\S+/end/)", letter.body)
    assert link
    assert letter.extra_headers["List-Unsubscribe"].endswith(f"{link[1]}>")
    assert letter.extra_headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    stranger = Client(enforce_csrf_checks=True, headers={"accept-language": "en"})

    assert "Shipments in trouble" in stranger.get(link[1]).content.decode()
    assert choosing.chosen_by(user)["trouble", "mail"] == How.AT_ONCE  # to look ends nothing
    assert stranger.post(link[1], {"List-Unsubscribe": "One-Click"}).status_code == 200

    assert choosing.chosen_by(user)["trouble", "mail"] == How.OFF
    assert choosing.chosen_by(user)["reminders", "mail"] == How.AT_ONCE
    assert stranger.post(f"{link[1][:-7]}xx/end/").status_code == 404


def test_a_letter_is_in_the_outbox_exactly_where_it_is_written_down_as_sent(settings: Any) -> None:
    settings.EMAIL_BACKEND = "no.such.Backend"
    user = hospital()
    happen(user, "lost")

    with pytest.raises(ImportError):
        tell(at=NOW)

    assert Sending.objects.waiting().filter(user=user, notice__kind="shipment.lost").exists()


def test_notices_are_forgotten_after_their_time() -> None:
    user = hospital()
    happen(user, "lost")
    kept = Notice.objects.count()

    assert forget(at=NOW + timedelta(days=90)) == 0
    assert Notice.objects.count() == kept
    forget(at=NOW + timedelta(days=91))
    assert not Notice.objects.exists()


# -- robots ------------------------------------------------------------------------------------------------

ADDRESSES = {
    "wecom": "/cgi-bin/webhook/send?key=drill-0000",
    "dingtalk": "/robot/send?access_token=drill0000",
}


def with_robot(user: User, channel: str, chat: Receiver, secret: str = "") -> Robot:
    return robots.set_up(
        user, channel, address=f"http://{chat.host}{ADDRESSES[channel]}", secret=secret, at=NOW
    )


def test_a_robot_says_headings_and_links_and_no_details(chat: Receiver) -> None:
    user = make_member("hospital", language="en")
    with_robot(user, "wecom", chat)
    happen(user, "lost")

    tell(at=NOW)

    (message,) = chat.got
    said = json.loads(message.body)["text"]["content"]
    assert message.path == ADDRESSES["wecom"]
    assert "A shipment was given up as lost" in said
    assert "/shipments/" in said
    assert user.memberships.get().organisation.name not in said
    tell(at=NOW)
    assert len(chat.got) == 1


def test_dingtalk_is_signed_as_it_asks_for(chat: Receiver) -> None:
    user = make_member("hospital", language="en")
    with_robot(user, "dingtalk", chat, secret="SEC0drill")
    happen(user, "lost")

    tell(at=NOW)

    query = parse_qs(urlsplit(chat.got[0].path).query)
    signed = hmac.digest(b"SEC0drill", f"{query['timestamp'][0]}\nSEC0drill".encode(), hashlib.sha256)
    assert query["sign"] == [base64.b64encode(signed).decode()]
    assert query["access_token"] == ["drill0000"]


def test_a_robot_that_refuses_is_tried_again_and_what_it_was_to_say_is_not_lost(chat: Receiver) -> None:
    user = make_member("hospital", language="en")
    with_robot(user, "wecom", chat)
    happen(user, "lost")
    chat.answers = refusing
    tell(at=NOW)
    row = Sending.objects.get(notice__kind="shipment.lost")
    assert (row.status, row.attempts, row.problem) == ("waiting", 1, "status")
    assert row.next_at > NOW

    chat.answers = well
    tell(at=row.next_at)

    row.refresh_from_db()
    assert (row.status, len(chat.got)) == ("sent", 2)


def test_a_robot_that_is_away_for_days_is_switched_off_and_the_inbox_keeps_all(chat: Receiver) -> None:
    user = make_member("hospital", language="en")
    robot = with_robot(user, "wecom", chat)
    happen(user, "lost")
    chat.answers = refusing

    for _attempt in range(ATTEMPTS):
        tell(at=Sending.objects.get(notice__kind="shipment.lost").next_at)

    robot.refresh_from_db()
    assert robot.is_off
    assert Sending.objects.get(notice__kind="shipment.lost").status == "failed"
    assert Notice.objects.of(user).unread().filter(kind="shipment.lost").exists()


def test_a_robot_is_reached_only_where_the_operator_vouches_for_a_private_address(
    chat: Receiver, settings: Any
) -> None:
    user = make_member("hospital", language="en")
    with_robot(user, "wecom", chat)
    settings.ROBOT_HOSTS = []
    happen(user, "lost")

    tell(at=NOW)

    assert chat.got == []
    assert Sending.objects.get(notice__kind="shipment.lost").problem == "address"


@pytest.mark.parametrize(
    "address",
    [
        "",
        "http://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=a",
        "https://qyapi.weixin.qq.com.example.org/cgi-bin/webhook/send?key=a",
        "https://user@qyapi.weixin.qq.com/cgi-bin/webhook/send?key=a",
        "https://qyapi.weixin.qq.com/cgi-bin/webhook/send",
        "https://qyapi.weixin.qq.com/elsewhere?key=a",
        "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=a%2F..%2F",
        "https://127.0.0.1/cgi-bin/webhook/send?key=a",
        "https://[/cgi-bin/webhook/send?key=a",
    ],
)
def test_only_the_official_host_is_a_robot_s_address(address: str) -> None:
    with pytest.raises(ValidationError):
        robots.set_up(make_user(), "wecom", address=address, at=NOW)


def test_the_address_of_a_robot_is_sealed_and_never_shown_again(chat: Receiver) -> None:
    user = make_member("hospital")
    robot = with_robot(user, "wecom", chat)

    assert b"drill-0000" not in bytes(Robot.objects.get().key_sealed)
    assert robot.key == "drill-0000"
    assert "drill-0000" not in reader(user).get("/account/notifications/").content.decode()


# -- the page ----------------------------------------------------------------------------------------------


def test_what_is_chosen_on_the_page_is_kept() -> None:
    user = hospital()
    page = reader(user)
    fields = {
        f"{group}-mail": how
        for (group, channel), how in choosing.chosen_by(user).items()
        if channel == "mail"
    }

    page.post("/account/notifications/", {**fields, "transport-mail": "off"})
    page.post(
        "/account/notifications/hours/",
        {"timezone": "Europe/Paris", "quiet_from": "22:00", "quiet_until": "07:00"},
    )

    assert choosing.chosen_by(user)["transport", "mail"] == How.OFF
    habits = Habits.objects.get(user=user)
    assert (habits.timezone, habits.quiet_from, habits.quiet_until) == ("Europe/Paris", time(22), time(7))


def test_without_an_address_the_kinds_of_news_are_told_with_what_an_address_would_add() -> None:
    page = reader(make_user()).get("/account/notifications/").content.decode()

    assert "in your inbox" in page
    assert "Give an e-mail address" in page
    assert page.count("(with an address by mail: at once)") == 5
    assert page.count("(with an address by mail: once a day)") == 3


@pytest.mark.parametrize(
    "hours",
    [
        {"timezone": "Mars/Olympus", "quiet_from": "", "quiet_until": ""},
        {"timezone": SHANGHAI, "quiet_from": "22:00", "quiet_until": ""},
        {"timezone": SHANGHAI, "quiet_from": "22:00", "quiet_until": "22:00"},
        {"timezone": SHANGHAI, "quiet_from": "25:00", "quiet_until": "07:00"},
    ],
)
def test_hours_that_are_none_are_said_beside_the_field(hours: dict[str, str]) -> None:
    answer = reader(hospital()).post("/account/notifications/hours/", hours)

    assert answer.status_code == 400
    assert "errorlist" in answer.content.decode()
    assert not Habits.objects.exists()
