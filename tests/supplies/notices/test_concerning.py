"""Who hears of what: a notice in the inbox of everybody whom it concerns, once, and nothing that its reader may not see."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import translation

from matching import services as matching
from supplies.journal.models import Event
from supplies.journal.services import dispatch
from supplies.needs import services as asking
from supplies.notices import concerning, reminding
from supplies.notices.inbox import Notice
from supplies.notices.kinds import KINDS
from supplies.notices.reading import read
from supplies.notices.sending import tell
from supplies.notices.subjects import subject_of
from supplies.notices.telling import SHORTER
from supplies.organisations import services as people
from supplies.organisations.models import User
from supplies.receipts import services as receiving
from supplies.receipts.thanking import thank
from supplies.shipments import legs, rearranging, rerouting
from supplies.shipments import services as moving
from tests.desk import page_of
from tests.makers import (
    NOW,
    make_allocation,
    make_appeal,
    make_facility,
    make_load,
    make_member,
    make_need,
    make_offer,
    make_organisation,
    make_proposal,
    make_region,
    make_shipment,
    make_user,
    with_address,
)
from tests.page_client import reader

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
LONGER = {name: subject for subject, name in SHORTER.items()}


def told(user: User) -> list[str]:
    """The kinds of news in somebody's inbox."""
    return sorted(Notice.objects.of(user).values_list("kind", flat=True))


class Sides:
    """Who acts for the sides of a shipment, and somebody who has nothing to do with it."""

    def __init__(self, status: str) -> None:
        need, offer = make_need(quantity=100), make_offer(quantity=100)
        self.shipment = make_shipment(make_allocation(100, need=need, offer=offer), status=status)
        dispatch(at=NOW)
        self.hospital = make_member("hospital", self.shipment.consignee.organisation)
        self.donor = make_member("donor", self.shipment.consignor)
        self.carrier = make_member("carrier", self.shipment.carrier)
        self.other = make_member("donor")
        self.coordinator = make_user()
        people.enrol(
            self.coordinator,
            make_organisation("coordinator"),
            "coordinator",
            by=None,
            at=NOW,
            regions=[make_region("420000")],
        )
        dispatch(at=NOW)
        Notice.objects.all().delete()

    def heard(self) -> dict[str, list[str]]:
        dispatch(at=NOW)
        names = ("hospital", "donor", "carrier", "coordinator", "other")
        return {name: told(getattr(self, name)) for name in names if told(getattr(self, name))}


def count(sides: Sides, **parts: int) -> None:
    lines = [{"line": sides.shipment.lines.get(), **parts}]
    receiving.receive(sides.shipment, counts=lines, by=sides.hospital, at=NOW)


def thanked(sides: Sides) -> None:
    count(sides, accepted=100)
    thank(sides.shipment, words="Thank you", by=sides.hospital, at=NOW)


def elsewhere(sides: Sides) -> None:
    need = sides.shipment.lines.get().allocation.need
    other = make_need(make_facility(), item=need.item, quantity=500, emergency=need.appeal.emergency)
    rerouting.reroute(sides.shipment, to=other.appeal.facility, reason="full", by=None, at=NOW)


LOST = "shipment.lost"
# From which state, what happens, and who hears of what.
HAPPENINGS: dict[str, tuple[str, Any, dict[str, list[str]]]] = {
    "left": (
        "booked",
        lambda s: moving.dispatch(s.shipment, by=s.carrier, at=NOW),
        {"hospital": ["shipment.departed"], "donor": ["shipment.departed"]},
    ),
    "lost": (
        "in_transit",
        lambda s: moving.lose(s.shipment, by=None, at=NOW),
        {"hospital": [LOST], "donor": [LOST], "carrier": [LOST], "coordinator": [LOST]},
    ),
    "in part": (
        "delivered",
        lambda s: count(s, accepted=40, damaged=60),
        {"donor": ["shipment.partly_accepted", "ticket.opened"], "coordinator": ["shipment.partly_accepted"]},
    ),
    "thanked": (
        "delivered",
        thanked,
        {"donor": ["shipment.accepted", "thanks.said"], "carrier": ["shipment.accepted"]},
    ),
    "elsewhere": (
        "in_transit",
        elsewhere,
        {"hospital": ["shipment.rerouted"], "donor": ["shipment.rerouted"], "carrier": ["shipment.rerouted"]},
    ),
    "paused": (
        "in_transit",
        lambda s: people.pause(s.shipment.consignee, reason="full", by=s.hospital, at=NOW),
        {"donor": ["facility.paused"], "carrier": ["facility.paused"], "coordinator": ["facility.paused"]},
    ),
}


@pytest.mark.parametrize("name", HAPPENINGS)
def test_what_happens_to_a_shipment_is_told_to_whom_it_concerns(name: str) -> None:
    status, happen, heard = HAPPENINGS[name]
    sides = Sides(status)

    happen(sides)

    assert sides.heard() == heard


def test_people_of_both_carriers_read_that_a_shipment_went_from_one_to_the_other() -> None:
    winner = make_member("carrier")
    sides = Sides("booked")

    rearranging.reassign(
        sides.shipment, carrier=winner.memberships.get().organisation, reason="no lorry", by=None, at=NOW
    )

    heard = ["shipment.reassigned"]
    assert sides.heard() == {"hospital": heard, "donor": heard, "carrier": heard}
    assert told(winner) == heard
    lost, won = (read(Notice.objects.of(user), user)[0] for user in (sides.carrier, winner))
    assert (lost.lines, lost.path) == ([], "")
    assert won.path == f"/shipments/{sides.shipment.pk}/"


def test_the_next_carrier_reads_that_its_goods_wait_at_the_hub() -> None:
    rail = make_member("carrier")
    sides = Sides("booked")
    ways = {"from_region": make_region(), "to_region": make_region()}
    carriers = [sides.shipment.carrier, rail.memberships.get().organisation]
    legs.plan(sides.shipment, legs=[{**ways, "carrier": one} for one in carriers], by=None, at=NOW)
    dispatch(at=NOW)
    moving.dispatch(sides.shipment, by=None, at=NOW)
    legs.reach_hub(sides.shipment, by=sides.carrier, at=NOW)
    dispatch(at=NOW)

    assert told(rail) == ["shipment.at_hub", "shipment.planned"]
    assert told(sides.carrier) == ["shipment.planned"]


def test_a_carrier_reads_of_a_vehicle_that_is_planned_with_it() -> None:
    carrier = make_member("carrier")
    make_load(make_shipment(carrier=carrier.memberships.get().organisation, status="booked"))
    dispatch(at=NOW)

    assert told(carrier) == ["load.filled", "load.made", "organisation.enrolled", "shipment.booked"]
    notice = Notice.objects.of(carrier).filter(kind="load.made")
    assert read(notice, carrier)[0].path == "/dock/"
    assert read(notice, carrier)[0].lines


def test_of_a_match_those_hear_whose_yes_is_waited_for_and_then_both() -> None:
    volunteer = make_member("volunteer")
    proposal = make_proposal()
    donor = make_member("donor", proposal.offer.donation.organisation)
    hospital = make_member("hospital", proposal.need.appeal.facility.organisation)
    dispatch(at=NOW)
    Notice.objects.all().delete()

    matching.approve(proposal, by=volunteer, at=NOW)
    dispatch(at=NOW)
    assert (told(donor), told(hospital)) == (["proposal.approved"], [])
    assert read(Notice.objects.of(donor), donor)[0].path == "/answers/"

    matching.agree_for_donor(proposal, by=donor, at=NOW)
    dispatch(at=NOW)
    assert (told(donor), told(hospital)) == (["proposal.approved"], ["proposal.agreed"])


def test_a_match_nobody_was_asked_about_ends_without_a_word() -> None:
    proposal = make_proposal()
    donor = make_member("donor", proposal.offer.donation.organisation)
    dispatch(at=NOW)
    Notice.objects.all().delete()

    matching.decline(proposal, reason="no", by=make_member("volunteer"), at=NOW)
    dispatch(at=NOW)

    assert told(donor) == []


def test_who_posted_hears_that_it_is_published_and_who_got_a_role_hears_of_it() -> None:
    poster = make_user()
    appeal = make_appeal(published=False, by=poster)
    asking.publish(appeal, by=make_member("volunteer"), at=NOW)
    dispatch(at=NOW)
    assert told(poster) == ["appeal.published"]

    people.enrol(poster, make_organisation("carrier"), "carrier", by=None, at=NOW)
    dispatch(at=NOW)
    assert told(poster) == ["appeal.published", "organisation.enrolled"]


def test_heard_twice_it_is_told_once() -> None:
    sides = Sides("in_transit")
    moving.arrive(sides.shipment, by=None, at=NOW)
    events = list(Event.objects.filter(kind="shipment.arrived"))

    for _twice in range(2):
        concerning.hear(events, at=NOW)

    assert told(sides.hospital) == ["shipment.arrived"]


def test_the_lines_of_one_thing_in_one_moment_are_one_notice() -> None:
    sides = Sides("delivered")
    count(sides, accepted=40, damaged=30, wrong_item=30)
    dispatch(at=NOW)

    (notice,) = Notice.objects.of(sides.donor).filter(kind="ticket.opened")
    (words,) = read([notice], sides.donor)

    assert len(words.lines) == len(notice.rows) == 2
    assert words.path == f"/shipments/{sides.shipment.pk}/tickets/"


def test_many_are_told_in_as_many_queries_as_one(django_assert_max_num_queries: Any) -> None:
    sides = Sides("in_transit")
    for _many in range(5):
        with_address(make_member("hospital", sides.shipment.consignee.organisation))
    for _more in range(4):
        moving.arrive(make_shipment(status="in_transit"), by=None, at=NOW)
    events = list(Event.objects.filter(kind="shipment.arrived"))

    # shipments, members; kept and read again; addresses, robots, choices, habits; on their way; and two savepoints
    with django_assert_max_num_queries(12):
        concerning.hear(events, at=NOW)


# -- in words ----------------------------------------------------------------------------------------------


def test_words_are_found_when_they_are_read_in_the_reader_s_language() -> None:
    sides = Sides("in_transit")
    moving.arrive(sides.shipment, by=None, at=NOW)
    dispatch(at=NOW)
    notices = Notice.objects.of(sides.hospital)

    with translation.override("en"):
        (english,) = read(notices, sides.hospital)
    assert english.title == "A shipment is at the door"
    assert english.lines == [f"{sides.shipment.code[:8]} → {sides.shipment.consignee.name}"]


def test_what_one_may_not_see_any_more_is_not_told() -> None:
    sides = Sides("in_transit")
    moving.arrive(sides.shipment, by=None, at=NOW)
    dispatch(at=NOW)

    people.dismiss(sides.donor.memberships.get(), by=None, at=NOW, leaving_no_manager=True)
    (words,) = read(Notice.objects.of(sides.donor), User.objects.get(pk=sides.donor.pk))

    assert (words.lines, words.path) == ([], "")


def test_every_kind_has_somebody_to_hear_it_and_rows_that_lead_there(settings: Any) -> None:
    for kind, what in KINDS.items():
        if kind.startswith("search."):
            continue
        assert "supplies.notices.concerning.hear" in settings.JOURNAL_LISTENERS[kind], kind
        subject = subject_of(LONGER.get(kind.split(".")[0], kind.split(".")[0]))
        assert subject is not None, kind
        beyond = {"person", "before", "carrier before", "leg", "desk"}
        assert {str(party) for party in what.to} - beyond <= {str(party) for party in subject.ways}, kind


# -- reminders ---------------------------------------------------------------------------------------------


def reminded(user: User, *, after: timedelta) -> list[str]:
    reminding.remind(at=NOW + after)
    dispatch(at=NOW + after)
    return told(user)


def test_a_delivery_is_counted_after_two_reminders_or_before() -> None:
    sides = Sides("delivered")

    for days, times in ((0.5, 0), (1, 1), (1.5, 1), (3, 2), (9, 2)):
        assert reminded(sides.hospital, after=days * DAY) == ["shipment.to_count"] * times


def test_what_is_done_is_not_reminded_of() -> None:
    sides = Sides("delivered")
    count(sides, accepted=100)

    assert reminded(sides.hospital, after=4 * DAY) == []


def test_a_reminder_that_waits_is_not_sent_once_it_is_done(mailoutbox: list[Any]) -> None:
    sides = Sides("delivered")
    with_address(sides.hospital, language="en")
    reminded(sides.hospital, after=DAY)
    count(sides, accepted=100)

    tell(at=NOW + DAY)

    assert mailoutbox == []


def test_who_promised_is_reminded_to_hand_over_and_who_was_asked_to_answer() -> None:
    proposal = make_proposal()
    donor = make_member("donor", proposal.offer.donation.organisation)
    matching.approve(proposal, by=make_member("volunteer"), at=NOW)
    proposal.refresh_from_db()
    assert "proposal.to_answer" in reminded(donor, after=proposal.expires_at - NOW - timedelta(hours=1))

    promise = make_allocation(100)
    giver = make_member("donor", promise.offer.donation.organisation)
    assert "allocation.to_hand_over" in reminded(giver, after=promise.due_at - NOW - DAY)


def test_matches_that_wait_for_one_s_answer_are_told_as_one_and_read_together() -> None:
    first, *others = (make_proposal() for _one in range(4))
    donor = make_member("donor", first.offer.donation.organisation)
    for proposal in others:
        proposal.offer.donation.organisation = first.offer.donation.organisation
        proposal.offer.donation.save()
    for proposal in (first, *others):
        matching.approve(proposal, by=make_member("volunteer"), at=NOW)
    dispatch(at=NOW)
    page = reader(donor)
    first.refresh_from_db()
    matching.decline(first, by=donor, reason="other", at=NOW)

    told = page.get("/inbox/").context["told"]

    told = {each.title: each for each in told if each.notice.kind == "proposal.approved"}
    assert {title: each.unread for title, each in told.items()} == {
        "3 matches wait for your answer": 3,
        "Waits no more: declined": 1,
    }
    opened = page.post(f"/inbox/{told['3 matches wait for your answer'].notice.pk}/")
    assert opened.headers["Location"] == "/answers/"
    assert not Notice.objects.of(donor).unread().filter(kind="proposal.approved").exists()


# -- the desk ----------------------------------------------------------------------------------------------


def test_what_waits_at_the_desk_is_opened_at_the_desk_and_no_longer_waits_once_it_is_decided() -> None:
    volunteer, appeal = make_member("volunteer"), make_appeal(published=False)
    reminded(volunteer, after=DAY)
    notice = Notice.objects.of(volunteer).get(kind="appeal.waits")

    opened = reader(volunteer).post(f"/inbox/{notice.pk}/")
    assert opened.headers["Location"] == page_of(appeal)
    assert "wait to be read" in read([notice], volunteer)[0].title
    asking.publish(appeal, by=volunteer, at=NOW)

    assert read([notice], volunteer)[0].title == "Waits no more: published"


# -- the inbox ---------------------------------------------------------------------------------------------


def test_the_inbox_shows_one_s_own_news_and_counts_what_is_unread(django_assert_num_queries: Any) -> None:
    sides = Sides("in_transit")
    moving.arrive(sides.shipment, by=None, at=NOW)
    dispatch(at=NOW)
    page = reader(sides.hospital)

    shown = page.get("/inbox/").content.decode()
    assert "A shipment is at the door" in shown
    notice = Notice.objects.of(sides.hospital).get()
    assert page.post(f"/inbox/{notice.pk}/").headers["Location"] == f"/shipments/{sides.shipment.pk}/"
    assert not Notice.objects.of(sides.hospital).unread().exists()
    assert reader(sides.other).post(f"/inbox/{notice.pk}/").status_code == 404
    assert Client().get("/inbox/").status_code == 302
