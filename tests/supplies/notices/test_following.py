"""Being told by mail of one shipment: asked for, confirmed, told, ended; and nobody's mailbox is filled."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core import signing
from django.test import Client
from django.utils import translation
from django.utils.translation import gettext

from supplies.dock.codes import find
from supplies.journal.models import Event
from supplies.journal.services import dispatch
from supplies.notices import following
from supplies.notices.models import Following
from supplies.organisations import services as people
from supplies.privacy.erasing import Person, forget
from supplies.receipts import services as receiving
from supplies.sealing import lookups
from supplies.shipments import rearranging, rerouting
from supplies.shipments import services as moving
from supplies.shipments.models import Shipment
from tests.api_client import Speaker
from tests.makers import (
    NOW,
    make_allocation,
    make_facility,
    make_member,
    make_need,
    make_offer,
    make_shipment,
    make_user,
)

pytestmark = pytest.mark.django_db
ADDRESS = "follower@example.org"
DAY = timedelta(days=1)


def ask(shipment: Shipment, email: str = ADDRESS, *, language: str = "en", at: Any = NOW) -> None:
    following.ask(shipment, email=email, language=language, at=at)


def follow(shipment: Shipment, email: str = ADDRESS, *, language: str = "en") -> Following:
    ask(shipment, email, language=language)
    row = Following.objects.of(email).get(shipment=shipment)
    following.confirm(row, at=NOW)
    return row


def link_in(letter: Any, what: str) -> str:
    found = re.search(rf"(/following/\S+/{what}/)", letter.body)
    assert found, letter.body
    return found[1]


# -- asking and confirming -----------------------------------------------------------------------------------


def test_an_address_is_told_only_once_its_reader_has_agreed(mailoutbox: list[Any]) -> None:
    shipment = make_shipment(status="booked")
    with time_machine.travel(NOW, tick=False):
        page = Client(HTTP_ACCEPT_LANGUAGE="en")
        answer = page.post(f"/track/{shipment.code}/follow/", {"email": "Follower@Example.org"}, follow=True)
        assert "a link is on its way" in answer.content.decode()
        (asking,) = mailoutbox
        assert asking.to == ["Follower@Example.org"]
        moving.dispatch(shipment, by=None, at=NOW)
        dispatch(at=NOW)
        assert len(mailoutbox) == 1

        link = link_in(asking, "confirm")
        assert page.get(link).status_code == 200
        assert not Following.objects.confirmed().exists()  # to look is not to agree
        page.post(link)

        moving.arrive(shipment, by=None, at=NOW)
        dispatch(at=NOW)
    assert [letter.subject for letter in mailoutbox[1:]] == [
        f"{shipment.code[:8]} · It is at the door of the hospital"
    ]


def test_the_answer_is_the_same_for_an_address_that_is_known_and_for_one_that_is_not() -> None:
    shipment = make_shipment(status="booked")
    follow(shipment)

    def said(email: str) -> tuple[int, str]:
        answer = Client(HTTP_ACCEPT_LANGUAGE="en").post(
            f"/track/{shipment.code}/follow/", {"email": email}, follow=True
        )
        text = re.sub(r'name="(csrfmiddlewaretoken|once)" value="[^"]*"', "", answer.content.decode())
        return answer.status_code, text

    assert said(ADDRESS) == said("nobody@example.org")


@pytest.mark.parametrize(
    "email", ["", "no address", "a@b", "a@example.org\nBcc: b@example.org", "a" * 300 + "@example.org"]
)
def test_what_is_no_address_is_said_beside_the_field(email: str, mailoutbox: list[Any]) -> None:
    shipment = make_shipment(status="booked")

    answer = Client(HTTP_ACCEPT_LANGUAGE="en").post(f"/track/{shipment.code}/follow/", {"email": email})

    assert answer.status_code == 200
    assert "errorlist" in answer.content.decode()
    assert (mailoutbox, Following.objects.count()) == ([], 0)


def test_an_unknown_code_can_be_followed_by_nobody() -> None:
    assert Client().post(f"/track/{'2' * 26}/follow/", {"email": ADDRESS}).status_code == 404


def test_what_has_ended_is_not_followed() -> None:
    shipment = make_shipment(status="booked")
    moving.cancel(shipment, by=None, at=NOW)

    answer = Client(HTTP_ACCEPT_LANGUAGE="en").post(
        f"/track/{shipment.code}/follow/", {"email": ADDRESS}, follow=True
    )

    assert "way is over" in answer.content.decode()
    assert not Following.objects.exists()


# Who asks how often within a day, and how many mails leave.
BOMBS: dict[str, tuple[int, Callable[[int], str], bool, int]] = {
    "the same address, the same shipment": (4, lambda _n: ADDRESS, False, 1),
    "the same address, other capitals": (4, lambda n: ADDRESS.upper() if n % 2 else ADDRESS, False, 1),
    "the same address, other shipments": (8, lambda _n: ADDRESS, True, following.MOST_ASKED_OF_AN_ADDRESS),
    "other addresses, the same shipment": (
        25,
        lambda n: f"reader{n}@example.org",
        False,
        following.MOST_ASKED_FOR_A_SHIPMENT,
    ),
}


@pytest.mark.parametrize("name", BOMBS)
def test_nobody_fills_somebody_s_mailbox(name: str, mailoutbox: list[Any]) -> None:
    times, email, is_other, sent = BOMBS[name]
    same = make_shipment()

    for number in range(times):
        ask(make_shipment() if is_other else same, email(number))
    assert len(mailoutbox) == sent

    ask(same, email(0), at=NOW + DAY + timedelta(minutes=1))
    assert len(mailoutbox) == sent + 1


# Words that open nothing: for either page.
WRONG = {
    "changed": lambda row: signing.dumps(str(row.pk), salt=following.CONFIRM)[:-1] + "x",
    "of nobody": lambda _row: signing.dumps("00000000-0000-4000-8000-000000000000", salt=following.CONFIRM),
    "made to end it": lambda row: signing.dumps(str(row.pk), salt=following.END),
    "made for something else": lambda row: signing.dumps(str(row.pk), salt="needs.still-needed"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_word_confirms_nothing(name: str) -> None:
    shipment = make_shipment()
    ask(shipment)
    word = WRONG[name](Following.objects.get())

    answer = Client().post(f"/following/{word}/confirm/")

    assert answer.status_code == 404
    assert not Following.objects.confirmed().exists()


def test_a_link_to_confirm_is_too_old_after_two_days(mailoutbox: list[Any]) -> None:
    with time_machine.travel(NOW, tick=False):
        ask(make_shipment())
    with time_machine.travel(NOW + 2 * DAY + timedelta(minutes=1), tick=False):
        assert Client().post(link_in(mailoutbox[0], "confirm")).status_code == 404


# -- being told ----------------------------------------------------------------------------------------------


def count(shipment: Shipment, **parts: int) -> None:
    receiving.receive(shipment, counts=[{"line": shipment.lines.get(), **parts}], by=None, at=NOW)


def elsewhere(shipment: Shipment) -> None:
    need = shipment.lines.get().allocation.need
    other = make_need(make_facility(), item=need.item, quantity=500, emergency=need.appeal.emergency)
    rerouting.reroute(shipment, to=other.appeal.facility, reason="full", by=None, at=NOW)


# From which state, what happens, and what the subject says then.
HAPPENINGS: dict[str, tuple[str, Callable[[Shipment], Any], str]] = {
    "departed": ("booked", lambda s: moving.dispatch(s, by=None, at=NOW), "It has left the donor"),
    "at the door": (
        "in_transit",
        lambda s: moving.arrive(s, by=None, at=NOW),
        "It is at the door of the hospital",
    ),
    "delivered": (
        "in_transit",
        lambda s: moving.deliver(s, by=None, at=NOW),
        "It was delivered; it is not counted yet",
    ),
    "accepted": ("delivered", lambda s: count(s, accepted=100), "It was counted and accepted"),
    "in part": ("delivered", lambda s: count(s, accepted=40), "It was counted and accepted in part"),
    "nothing good": (
        "delivered",
        lambda s: count(s, damaged=100),
        "It was counted; nothing of it could be accepted",
    ),
    "sent back": (
        "in_transit",
        lambda s: moving.send_back(s, by=None, at=NOW),
        "It could not be handed over and goes back to the donor",
    ),
    "lost": ("in_transit", lambda s: moving.lose(s, by=None, at=NOW), "It was given up as lost"),
    "called off": ("booked", lambda s: moving.cancel(s, by=None, at=NOW), "It was called off before it left"),
    "sent elsewhere": ("in_transit", elsewhere, "It goes to another hospital now"),
    "paused": (
        "in_transit",
        lambda s: people.pause(s.consignee, reason="full", by=None, at=NOW),
        "The hospital is not accepting goods for now; a coordinator decides",
    ),
}


@pytest.mark.parametrize("name", HAPPENINGS)
def test_what_happens_is_told(name: str, mailoutbox: list[Any]) -> None:
    status, happen, told = HAPPENINGS[name]
    need, offer = make_need(quantity=100), make_offer(quantity=100)
    shipment = make_shipment(make_allocation(100, need=need, offer=offer), status=status)
    dispatch(at=NOW)
    follow(shipment)
    follow(make_shipment(status="booked"), "other@example.org")
    mailoutbox.clear()

    happen(shipment)
    for _twice in range(2):
        dispatch(at=NOW)

    (letter,) = [letter for letter in mailoutbox if letter.to == [ADDRESS]]
    assert letter.subject == f"{shipment.code[:8]} · {told}"
    assert f"/track/{shipment.code}/" in letter.body
    assert not [letter for letter in mailoutbox if letter.to == ["other@example.org"]]


def test_a_mail_speaks_its_reader_s_language(mailoutbox: list[Any]) -> None:
    shipment = make_shipment(status="booked")
    follow(shipment, "zh@example.org", language="zh-hans")
    follow(shipment, "en@example.org", language="en")
    mailoutbox.clear()

    moving.dispatch(shipment, by=None, at=NOW)
    dispatch(at=NOW)

    bodies = {letter.to[0]: letter.body for letter in mailoutbox}
    for email, language in (("zh@example.org", "zh-hans"), ("en@example.org", "en")):
        with translation.override(language):
            assert gettext("Shipment") in bodies[email]


def test_many_followers_are_found_in_as_many_queries_as_one(
    django_assert_max_num_queries: Any, mailoutbox: list[Any]
) -> None:
    shipment = make_shipment(status="booked")
    for number in range(following.MOST_ASKED_FOR_A_SHIPMENT):
        follow(shipment, f"reader{number}@example.org")
    moving.dispatch(shipment, by=None, at=NOW)
    events = list(Event.objects.filter(kind="shipment.departed"))
    mailoutbox.clear()

    with django_assert_max_num_queries(3):  # the followers, and whose way is over
        following.hear(events, at=NOW)
    assert len(mailoutbox) == following.MOST_ASKED_FOR_A_SHIPMENT


# -- ending --------------------------------------------------------------------------------------------------


def test_every_mail_ends_with_a_link_that_stops_them_and_mailboxes_find_it(mailoutbox: list[Any]) -> None:
    shipment = make_shipment(status="booked")
    follow(shipment)
    moving.dispatch(shipment, by=None, at=NOW)
    dispatch(at=NOW)
    letter = mailoutbox[-1]
    link = link_in(letter, "end")
    assert letter.extra_headers["List-Unsubscribe"].endswith(f"{link}>")
    assert letter.extra_headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    strict = Client(enforce_csrf_checks=True)

    assert strict.get(link).status_code == 200
    assert Following.objects.exists()  # to look ends nothing
    ended = [strict.post(link, {"List-Unsubscribe": "One-Click"}).status_code for _twice in range(2)]

    assert ended == [200, 404]

    assert not Following.objects.exists()
    mailoutbox.clear()
    moving.arrive(shipment, by=None, at=NOW)
    dispatch(at=NOW)
    assert mailoutbox == []


def test_an_address_goes_when_its_time_is_over() -> None:
    unconfirmed, ended, lasting = (make_shipment(status="booked") for _each in range(3))
    ask(unconfirmed)
    for shipment in (ended, lasting):
        follow(shipment)
    moving.cancel(ended, by=None, at=NOW)
    dispatch(at=NOW)

    def left(after: timedelta) -> set[Any]:
        following.forget(at=NOW + after)
        return set(Following.objects.values_list("shipment", flat=True))

    assert left(DAY) == {unconfirmed.pk, ended.pk, lasting.pk}
    assert left(3 * DAY) == {ended.pk, lasting.pk}
    assert left(15 * DAY) == {lasting.pk}
    assert left(181 * DAY) == set()


def test_an_address_is_sealed_and_goes_with_whoever_asks_to_be_forgotten() -> None:
    row = follow(make_shipment())
    kept = follow(make_shipment(), "other@example.org")
    assert ADDRESS.encode() not in bytes(row.email_sealed)

    forget(Person(lookups=frozenset(lookups([ADDRESS]))))

    assert list(Following.objects.all()) == [kept]


# -- by the API ----------------------------------------------------------------------------------------------


def test_a_program_asks_for_a_reader_and_nothing_is_told_before_she_has_agreed(mailoutbox: list[Any]) -> None:
    shipment = make_shipment(status="booked")
    with time_machine.travel(NOW, tick=False):
        answers = [
            Speaker().post(f"track/{shipment.code}/followers/", {"email": email})
            for email in (ADDRESS, ADDRESS, "other@example.org")
        ]
        assert {(answer.status_code, answer.content) for answer in answers} == {(202, answers[0].content)}
        assert [letter.to for letter in mailoutbox] == [[ADDRESS], ["other@example.org"]]
        Client().post(link_in(mailoutbox[0], "confirm"))

    assert Following.objects.confirmed().get().email == ADDRESS


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        ("booked", {"email": "nobody"}, (400, "invalid")),
        ("booked", {}, (400, "invalid")),
        ("booked", {"email": ADDRESS, "name": "x"}, (400, "invalid")),
        ("lost", {"email": ADDRESS}, (409, "way-is-over")),
    ],
)
def test_what_cannot_be_followed_is_refused_with_a_code(
    status: str, body: dict[str, str], said: tuple[int, str]
) -> None:
    shipment = make_shipment(status="in_transit" if status == "lost" else status)
    if status == "lost":
        moving.lose(shipment, by=None, at=NOW)

    answer = Speaker().post(f"track/{shipment.code}/followers/", body)

    assert (answer.status_code, answer.json()["code"]) == said
    assert Speaker().post(f"track/{'0' * 32}/followers/", {"email": ADDRESS}).status_code == 404
    assert not Following.objects.exists()


# -- merged ------------------------------------------------------------------------------------------------


def merged() -> tuple[Shipment, Shipment]:
    """Two of one route, not merged yet."""
    into = make_shipment(status="booked")
    line = into.lines.get().allocation
    again = make_allocation(
        need=make_need(line.need.appeal.facility), offer=make_offer(line.offer.donation.organisation)
    )
    return into, make_shipment(again, status="booked")


def test_whoever_follows_what_was_merged_is_told_what_it_travels_with_and_never_that_it_was_called_off(
    mailoutbox: list[Any],
) -> None:
    into, other = merged()
    follow(into, "both@example.org")
    follow(other, "both@example.org")
    follow(other)
    mailoutbox.clear()

    rearranging.merge(into, other, reason="x", by=None, at=NOW)
    dispatch(at=NOW)

    assert sorted((letter.to[0], letter.subject) for letter in mailoutbox) == [
        (name, f"{into.code[:8]} · It travels together with more from the same donor now")
        for name in ("both@example.org", ADDRESS)
    ]
    assert Following.objects.filter(shipment=into).count() == Following.objects.count() == 2


def test_the_code_of_what_was_merged_leads_to_what_it_travels_with() -> None:
    into, other = merged()
    rearranging.merge(into, other, reason="x", by=None, at=NOW)
    page = Client(HTTP_ACCEPT_LANGUAGE="en")

    answer = page.get(f"/track/{other.code}/", follow=True)

    assert answer.redirect_chain == [(f"/track/{into.code}/", 302)]
    assert "travels with another shipment now" in answer.content.decode()
    assert Speaker().get(f"track/{other.code}/").json()["code"] == into.code


def test_an_old_label_leads_whoever_scans_it_to_what_it_travels_with() -> None:
    into, other = merged()
    rearranging.merge(into, other, reason="x", by=None, at=NOW)
    volunteer = make_member("volunteer")

    assert find(f"https://example.org/track/{other.code}/", user=volunteer).shipments == [into]
    assert find(other.code, user=make_user()).shipments == []


def test_a_shipment_that_was_called_off_leads_nowhere_else() -> None:
    shipment = make_shipment(status="booked")
    moving.cancel(shipment, by=None, at=NOW)
    shipment.refresh_from_db()

    assert rearranging.travelling_as(shipment) == shipment
    assert Client().get(f"/track/{shipment.code}/").status_code == 200


def test_both_sides_and_the_carrier_read_that_it_travels_with_another() -> None:
    into, other = merged()
    rearranging.merge(into, other, reason="x", by=None, at=NOW)

    kinds = list(Event.objects.filter(subject_id=str(other.pk)).values_list("kind", flat=True))

    assert "shipment.joined" in kinds
    assert "shipment.cancelled" not in kinds
