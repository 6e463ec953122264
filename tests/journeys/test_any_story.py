"""Any order of verbs: the database says what a plain oracle says, after every step, and the books are right at the end.

STORIES=200x30 tells two hundred stories of thirty steps instead of the few that fit into every run of the suite.
"""

import os
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.db.models import F
from hypothesis import HealthCheck, Phase, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from matching import running
from matching import services as matching
from matching.books import faults
from matching.models import Proposal
from supplies.allocations import services as ledger
from supplies.allocations.models import Allocation
from supplies.errors import Refused
from supplies.journal.services import dispatch
from supplies.needs import services as asking
from supplies.needs.models import Appeal, Need
from supplies.offers import services as giving
from supplies.offers.models import Donation, Offer
from supplies.organisations import services as people
from supplies.organisations.models import Facility, Organisation, User
from supplies.receipts import services as receiving
from supplies.shipments import services as moving
from supplies.shipments.models import Shipment
from tests.journeys import oracle
from tests.journeys.oracle import No, Oracle
from tests.makers import (
    NOW,
    TODAY,
    make_appeal,
    make_donation,
    make_emergency,
    make_facility,
    make_member,
    make_organisation,
)

pytestmark = pytest.mark.django_db
SAID: dict[str, Any] = {"by": None, "at": NOW}
AFTER_ALL = NOW + timedelta(days=90)
LOT = st.integers(0, 2**64 - 1)
STORIES, STEPS = map(int, os.environ.get("STORIES", "20x30").split("x"))


@dataclass(frozen=True)
class Chance:
    """What was drawn by lot for one step: which rows, how many, and yes or no where that is the question."""

    row: int
    other: int
    quantity: int
    is_so: bool

    def of(self, most: int) -> int:
        """A quantity, now and then more than there is."""
        return self.quantity if self.other % 6 == 0 else min(self.quantity, max(1, most))


@dataclass(frozen=True)
class Turn:
    """How often a verb comes, and to which rows of the oracle: mostly to one in these statuses, now and then to any."""

    often: int
    rows: str = ""
    status: tuple[str, ...] = ()


VERBS = {
    "ask": Turn(3),
    "give": Turn(3),
    "publish": Turn(2, "posts", ("waiting",)),
    "withdraw_all": Turn(1, "posts", ("waiting", "published")),
    "not_needed": Turn(1, "needs", ("open", "lapsed")),
    "take_back": Turn(1, "offers", ("open", "spent")),
    "confirm": Turn(1, "needs", ("lapsed", "open")),
    "change_a_need": Turn(1, "needs", ("open", "met")),
    "change_an_offer": Turn(1, "offers", ("open", "spent")),
    "days_go_by": Turn(1),
    "pause_or_resume": Turn(1),
    "match": Turn(4, "needs", ("open",)),
    "approve": Turn(8, "proposals", ("open",)),
    "approve_fewer": Turn(2, "proposals", ("open",)),
    "agree": Turn(8, "proposals", ("approved",)),
    "decline": Turn(1, "proposals", ("open", "approved")),
    "allocate_by_hand": Turn(2, "needs", ("open",)),
    "nobody_answers": Turn(1, "proposals", ("open", "approved")),
    "carry_the_journal": Turn(3),
    "allocate": Turn(3, "needs", ("open",)),
    "split": Turn(2, "promises", ("reserved",)),
    "release": Turn(1, "promises", ("reserved",)),
    "nobody_ships": Turn(1, "promises", ("reserved",)),
    "put_together": Turn(10, "promises", ("reserved",)),
    "book": Turn(15, "shipments", ("draft",)),
    "depart": Turn(15, "shipments", ("booked",)),
    "come_near": Turn(2, "shipments", ("in_transit",)),
    "deliver": Turn(15, "shipments", ("in_transit", "at_the_door")),
    "send_back": Turn(3, "shipments", ("in_transit", "at_the_door")),
    "cancel": Turn(1, "shipments", ("draft", "booked")),
    "lose": Turn(2, "shipments", ("in_transit", "returning")),
    "come_back": Turn(6, "shipments", ("returning",)),
    "receive": Turn(20, "shipments", ("delivered",)),
}


class Story(RuleBasedStateMachine):
    """Two hospitals, two donors, a carrier and a volunteer, and whatever they do to each other."""

    @initialize(lot=LOT)
    def open_the_books(self, lot: int) -> None:
        self.keys = pytest.MonkeyPatch()
        self.keys.setattr(os, "urandom", random.Random(1).randbytes)  # which UUIDs are made of
        self.story = transaction.atomic()
        self.story.__enter__()
        self.volunteer = make_member("volunteer")
        self.donors = [make_organisation("donor") for _ in range(2)]
        self.carrier = make_organisation("carrier")
        self.oracle = Oracle([make_facility().pk for _ in range(2)])
        make_emergency()
        self.opening, self.steps, self.lot = lot, 0, random.Random(lot)
        for verb in (self.ask, self.ask, self.give, self.give):
            verb(replace(self._chance(), is_so=True))
        self.match(None, self._chance())

    def teardown(self) -> None:
        if hasattr(self, "story"):
            wrong = faults(at=NOW)
            connection.set_rollback(True)
            self.story.__exit__(None, None, None)
            self.keys.undo()
            assert wrong == []

    @rule(lot=LOT)
    def step(self, lot: int) -> None:
        """One verb to one row, all from one lot: drawn one by one, most stories would end before anything is shipped."""
        self.steps += 1
        self.lot = random.Random(f"{self.opening}/{self.steps}/{lot}")
        able = {verb: turn for verb, turn in VERBS.items() if not turn.rows or self._fitting(turn)}
        (verb,) = self.lot.choices(list(able), weights=[turn.often for turn in able.values()])
        chance = self._chance()
        row = self._any(able[verb])
        note(f"{verb} {row} {chance}")
        getattr(self, verb)(*([row] if able[verb].rows else []), chance)

    def _fitting(self, turn: Turn) -> list[Any]:
        return [row for row in getattr(self.oracle, turn.rows) if row.status in turn.status]

    def _any(self, turn: Turn) -> Any:
        """A row for this turn; one time in ten it may be any."""
        if not turn.rows:
            return None
        fitting = self._fitting(turn) if self.lot.random() < 0.9 else []
        return self.lot.choice(fitting or getattr(self.oracle, turn.rows))

    def _chance(self) -> Chance:
        return Chance(
            self.lot.randrange(1000),
            self.lot.randrange(1000),
            self.lot.randint(1, 60),
            self.lot.random() < 0.5,
        )

    @invariant()
    def the_database_says_what_the_oracle_says(self) -> None:
        if hasattr(self, "story"):
            assert stored() == {key: list(map(str, said)) for key, said in self.oracle.says().items()}

    # -- posting

    def ask(self, chance: Chance) -> None:
        facility, published = self.oracle.facilities[chance.row % 2], chance.is_so or chance.row % 3 > 0
        post, needs = oracle.Post(None, facility), []
        for _ in range(self.lot.randint(1, 3)):
            quantity = None if self.lot.random() < 0.1 else self.lot.randint(1, 60)
            lot = min(self.lot.choice([1, 1, 1, 5, 20]), quantity or 20)
            needs.append(oracle.Need(None, post, quantity, self.lot.randint(1, 4), lot))
        appeal = make_appeal(
            Facility.objects.get(pk=facility.pk),
            published=published,
            lines=[
                {
                    "quantity_kind": "number" if need.quantity else "unlimited",
                    "quantity": need.quantity,
                    "urgency": need.urgency,
                    "min_lot": need.min_lot,
                }
                for need in needs
            ],
        )
        self._posted(post, appeal, published)
        for need, row in self._alike(needs, appeal.needs.all(), "quantity", "urgency", "min_lot"):
            need.pk, need.status = row.pk, row.status
        self.oracle.needs += needs

    def give(self, chance: Chance) -> None:
        who, published = chance.row % 2, chance.is_so or chance.row % 3 > 0
        consents = chance.other % 2 == 0
        post, offers = oracle.Post(None, self.donors[who].pk, consents), []
        for _ in range(self.lot.randint(1, 3)):
            pack = self.lot.choice([1, 1, 5])
            quantity = max(pack, self.lot.randint(1, 60))
            lot = min(self.lot.choice([1, 1, 1, 5, 20]), quantity)
            offers.append(oracle.Offer(None, post, quantity, pack, lot, self.lot.random() < 0.7))
        donation = make_donation(
            self.donors[who],
            published=published,
            allocates_for_me=consents,
            lines=[
                {
                    "quantity": offer.quantity,
                    "pack": offer.pack,
                    "min_lot": offer.min_lot,
                    "available_until": None if offer.lasts else TODAY + timedelta(days=5),
                }
                for offer in offers
            ],
        )
        self._posted(post, donation, published)
        for offer, row in self._alike(offers, donation.offers.all(), "quantity", "pack", "min_lot"):
            offer.pk, offer.status, offer.lasts = row.pk, row.status, row.available_until is None
        self.oracle.offers += offers

    def _posted(self, post: Any, row: Any, published: bool) -> None:
        post.pk, post.status = row.pk, "published" if published else "waiting"
        self.oracle.posts.append(post)

    def _alike(self, known: list[Any], rows: Any, *names: str) -> Iterator[tuple[Any, Any]]:
        """Lines of the oracle beside those of the database that say the same; the order of a post's lines is not kept."""

        def likeness(line: Any) -> list[int]:
            return [getattr(line, name) or 0 for name in names]

        return zip(sorted(known, key=likeness), sorted(rows, key=likeness), strict=True)

    # -- how a step is told to both

    def both(
        self, known: Any, real: Callable[[Any], Any], told: Callable[[Any], Any]
    ) -> tuple[Any, Any] | None:
        """Do it to the row in the database and tell the oracle: both do it, or both refuse. Answers what each said."""
        try:
            said = told(known)
        except No:
            with pytest.raises((Refused, ValidationError)), transaction.atomic():
                real(self.row(known))
            return None
        with transaction.atomic():
            done = real(self.row(known))
        self._name_the_new()
        return done, said

    def row(self, known: Any) -> Any:
        """The database's row of a row of the oracle."""
        models = {
            oracle.Need: Need,
            oracle.Offer: Offer,
            oracle.Proposal: Proposal,
            oracle.Promise: Allocation,
            oracle.Shipment: Shipment,
        }
        if isinstance(known, oracle.Post):
            model = Appeal if isinstance(known.whose, oracle.Facility) else Donation
        else:
            model = models[type(known)]
        return model.objects.get(pk=known.pk)

    def _name_the_new(self) -> None:
        """Give the oracle the keys of what a step has made; a step makes at most one of a kind."""
        for known, model in (
            (self.oracle.promises, Allocation),
            (self.oracle.shipments, Shipment),
            (self.oracle.proposals, Proposal),
        ):
            nameless = [row for row in known if row.pk is None]
            if nameless:
                (nameless[0].pk,) = model.objects.exclude(pk__in=[row.pk for row in known]).values_list(
                    "pk", flat=True
                )

    # -- asking and giving

    def publish(self, post: Any, _chance: Chance) -> None:
        verbs = {Appeal: asking.publish, Donation: giving.publish}
        self.both(post, lambda row: verbs[type(row)](row, **SAID), self.oracle.publish)

    def withdraw_all(self, post: Any, _chance: Chance) -> None:
        verbs = {Appeal: asking.withdraw, Donation: giving.withdraw}
        self.both(post, lambda row: verbs[type(row)](row, **SAID), self.oracle.withdraw_post)

    def not_needed(self, need: Any, _chance: Chance) -> None:
        self.both(need, lambda row: asking.withdraw_need(row, **SAID), self.oracle.withdraw)

    def take_back(self, offer: Any, _chance: Chance) -> None:
        self.both(offer, lambda row: giving.withdraw_offer(row, **SAID), self.oracle.withdraw)

    def confirm(self, need: Any, _chance: Chance) -> None:
        self.both(need, lambda row: asking.confirm(row, **SAID), self.oracle.confirm)

    def change_a_need(self, need: Any, chance: Chance) -> None:
        quantity = chance.quantity
        self.both(
            need,
            lambda row: asking.change(row, quantity=quantity, **SAID),
            lambda known: self.oracle.change_need(known, quantity),
        )

    def change_an_offer(self, offer: Any, chance: Chance) -> None:
        quantity = chance.quantity
        self.both(
            offer,
            lambda row: giving.change(row, quantity=quantity, **SAID),
            lambda known: self.oracle.change_offer(known, quantity),
        )

    def days_go_by(self, chance: Chance) -> None:
        days = (1, 6, 11)[chance.row % 3]
        asking.lapse(at=NOW + timedelta(days=days))
        giving.lapse(at=NOW + timedelta(days=days))
        self.oracle.days_go_by(days)

    def pause_or_resume(self, chance: Chance) -> None:
        facility = self.oracle.facilities[chance.row % 2]
        row = Facility.objects.get(pk=facility.pk)
        if facility.is_paused or chance.is_so:
            people.resume(row, **SAID)
            self.oracle.resume(facility)
        else:
            people.pause(row, reason="full", **SAID)
            self.oracle.pause(facility)

    # -- matching

    def match(self, _need: Any, _chance: Chance) -> None:
        run = matching.start(make_emergency(), trigger="hand", by=None, at=NOW)
        for family in running.open_run(run.pk, at=NOW):
            solved = running.solve_family(family.pk, clock=lambda: NOW)
            assert solved is not None
            assert (solved.status, solved.stale) == ("done", 0)
        needs = {need.pk: need for need in self.oracle.needs}
        offers = {offer.pk: offer for offer in self.oracle.offers}
        found = [
            (row.pk, needs[row.need_id], offers[row.offer_id], row.quantity)
            for row in Proposal.objects.filter(family_run__run=run).order_by("place")
        ]
        superseded = Proposal.objects.filter(status="superseded")
        self.oracle.matched(run.pk, found, set(superseded.values_list("pk", flat=True)))

    def approve(self, proposal: Any, _chance: Chance) -> None:
        self._approve(proposal, None)

    def approve_fewer(self, proposal: Any, chance: Chance) -> None:
        quantity = chance.of(proposal.quantity)
        packs = max(1, quantity // proposal.offer.pack) * proposal.offer.pack
        self._approve(proposal, packs if chance.is_so else quantity)

    def _approve(self, proposal: Any, quantity: int | None) -> None:
        how: dict[str, Any] = {"quantity": quantity, "reason": "transport", "by": self.volunteer, "at": NOW}
        self.both(
            proposal,
            lambda row: matching.approve(row, **how),
            lambda known: self.oracle.approve(known, quantity),
        )

    def agree(self, proposal: Any, _chance: Chance) -> None:
        self.both(
            proposal,
            lambda row: matching.agree_for_donor(row, by=self.volunteer, at=NOW),
            self.oracle.agree,
        )

    def decline(self, proposal: Any, _chance: Chance) -> None:
        self.both(
            proposal,
            lambda row: matching.decline(row, reason="no", by=self.volunteer, at=NOW),
            self.oracle.decline,
        )

    def allocate_by_hand(self, need: Any, chance: Chance) -> None:
        how: dict[str, Any] = {"reason": "transport", "by": self.volunteer, "at": NOW}
        self._bring_together(
            need,
            chance,
            lambda need, offer, quantity: matching.allocate_by_hand(need, offer, quantity, **how),
            self.oracle.by_hand,
        )

    def nobody_answers(self, _proposal: Any, _chance: Chance) -> None:
        matching.expire(at=NOW + timedelta(hours=49))
        self.oracle.nobody_answers()

    def carry_the_journal(self, _chance: Chance) -> None:
        dispatch(at=AFTER_ALL)
        self.oracle.hear()

    # -- promising

    def allocate(self, need: Any, chance: Chance) -> None:
        self._bring_together(
            need,
            chance,
            lambda need, offer, quantity: ledger.allocate(need, offer, quantity, **SAID),
            self.oracle.allocate,
        )

    def _bring_together(self, need: Any, chance: Chance, real: Any, told: Any) -> None:
        offer = self._any(Turn(1, "offers", ("open", "spent")))
        quantity = chance.of(min(self.oracle.lacking(need), self.oracle.left(offer)))
        if chance.is_so:
            quantity = max(1, quantity // offer.pack) * offer.pack
        self.both(
            need,
            lambda row: real(row, self.row(offer), quantity),
            lambda known: told(known, offer, quantity),
        )

    def split(self, promise: Any, chance: Chance) -> None:
        quantity = chance.of(promise.quantity - 1)
        self.both(
            promise,
            lambda row: ledger.split(row, quantity, **SAID),
            lambda known: self.oracle.split(known, quantity),
        )

    def release(self, promise: Any, _chance: Chance) -> None:
        self.both(promise, lambda row: ledger.release(row, reason="changed", **SAID), self.oracle.release)

    def nobody_ships(self, _promise: Any, _chance: Chance) -> None:
        ledger.release_overdue(at=NOW + timedelta(days=60))
        self.oracle.nobody_ships()

    # -- moving

    def put_together(self, first: Any, chance: Chance) -> None:
        reserved = [promise for promise in self.oracle.promises if promise.status == "reserved"]
        load = reserved if chance.is_so and first in reserved else [first]
        self.both(
            first,
            lambda _row: moving.put_together([self.row(promise) for promise in load], **SAID),
            lambda _known: self.oracle.put_together(load),
        )

    def book(self, shipment: Any, _chance: Chance) -> None:
        carrier = Organisation.objects.get(pk=self.carrier.pk)
        self._move(shipment, lambda row, **said: moving.book(row, carrier=carrier, **said), "booked")

    def depart(self, shipment: Any, _chance: Chance) -> None:
        self.both(shipment, lambda row: moving.dispatch(row, **SAID), self.oracle.depart)

    def come_near(self, shipment: Any, _chance: Chance) -> None:
        self._move(shipment, moving.arrive, "at_the_door")

    def deliver(self, shipment: Any, _chance: Chance) -> None:
        self._move(shipment, moving.deliver, "delivered")

    def send_back(self, shipment: Any, _chance: Chance) -> None:
        self._move(shipment, moving.send_back, "returning")

    def _move(self, shipment: Any, verb: Any, then: str) -> None:
        self.both(shipment, lambda row: verb(row, **SAID), lambda known: self.oracle.move(known, then))

    def cancel(self, shipment: Any, _chance: Chance) -> None:
        self.both(shipment, lambda row: moving.cancel(row, **SAID), self.oracle.cancel)

    def lose(self, shipment: Any, _chance: Chance) -> None:
        self.both(
            shipment,
            lambda row: moving.lose(row, **SAID),
            lambda known: self.oracle.end(known, "lost"),
        )

    def come_back(self, shipment: Any, _chance: Chance) -> None:
        self.both(
            shipment,
            lambda row: moving.come_back(row, **SAID),
            lambda known: self.oracle.end(known, "returned"),
        )

    def receive(self, shipment: Any, chance: Chance) -> None:
        others = {"damaged": chance.other % 3, "wrong_item": chance.other % 5, "expired": chance.other % 2}
        others = dict.fromkeys(others, 0) if chance.is_so else others
        accepted = 60 if chance.other % 3 == 0 else chance.quantity

        def count(row: Any) -> Any:
            counts = [{"line": line, "accepted": accepted, **others} for line in row.lines.all()]
            return receiving.receive(row, counts=counts, **SAID)

        self.both(shipment, count, lambda known: self.oracle.receive(known, accepted, sum(others.values())))


EVERYTHING = """
SELECT id, ARRAY[status] FROM supplies_appeal
UNION ALL SELECT id, ARRAY[status] FROM supplies_donation
UNION ALL SELECT id, ARRAY[status, quantity_proposed::text, quantity_promised::text, quantity_in_transit::text,
                           quantity_received::text, quantity_outstanding::text] FROM supplies_need
UNION ALL SELECT id, ARRAY[status, quantity_proposed::text, quantity_allocated::text, quantity_open::text] FROM supplies_offer
UNION ALL SELECT id, ARRAY[status, quantity_left_out::text, passed_over::text] FROM matching_proposal
UNION ALL SELECT id, ARRAY[status, quantity::text, need_id::text, offer_id::text] FROM supplies_allocation
UNION ALL SELECT id, ARRAY[status] FROM supplies_shipment
"""


def stored() -> dict[Any, list[str]]:
    """Every status and counter, by primary key."""
    with connection.cursor() as cursor:
        cursor.execute(EVERYTHING)
        return dict(cursor.fetchall())


def tell(stories: int, steps: int) -> None:
    run_state_machine_as_test(
        Story,
        settings=settings(
            max_examples=stories,
            stateful_step_count=steps,
            derandomize=True,
            deadline=None,
            database=None,
            phases=[Phase.generate],  # shrinking would take longer than reading the story
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.timeout(0)  # a few stories take half a minute, the long profile hours
def test_any_story_leaves_the_database_as_the_oracle_says() -> None:
    tell(STORIES, STEPS)


# --- the test of the test: a verb that forgets something is found ----------------------------------------------


def forgetful_release(real: Any) -> Any:
    def release(allocation: Allocation, **said: Any) -> Allocation:
        released: Allocation = real(allocation, **said)
        Offer.objects.filter(pk=released.offer_id).update(
            quantity_allocated=F("quantity_allocated") + released.quantity
        )
        return released

    return release


def forgetful_decline(real: Any) -> Any:
    def decline(proposal: Proposal, *, by: User, **said: Any) -> Proposal:
        declined: Proposal = real(proposal, by=by, **said)
        Need.objects.filter(pk=declined.need_id).update(
            quantity_proposed=F("quantity_proposed") + declined.quantity
        )
        return declined

    return decline


@contextmanager
def forgetting(module: Any, name: str, forgetful: Callable[[Any], Any]) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, name, forgetful(getattr(module, name)))
        yield


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("module", "name", "forgetful"),
    [(ledger, "release", forgetful_release), (matching, "decline", forgetful_decline)],
)
def test_the_control_a_verb_that_forgets_a_counter_is_found(module: Any, name: str, forgetful: Any) -> None:
    with forgetting(module, name, forgetful), pytest.raises((AssertionError, ExceptionGroup)):
        tell(30, 30)
