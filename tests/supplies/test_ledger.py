"""Any order of verbs leaves the books right: random stories of posting, promising, moving and counting."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from supplies.allocations import services as ledger
from supplies.allocations.models import Allocation
from supplies.errors import Refused
from supplies.needs import services as asking
from supplies.needs.models import Appeal, Need
from supplies.offers import services as giving
from supplies.offers.models import Donation, Offer
from supplies.organisations.models import Organisation
from supplies.shipments import services as moving
from supplies.shipments.models import Shipment
from tests.makers import NOW, make_appeal, make_donation, make_facility, make_organisation
from tests.supplies.books import faults

pytestmark = pytest.mark.django_db

SAID: dict[str, Any] = {"by": None, "at": NOW}
quantities = st.integers(1, 60)
several = st.lists(quantities, min_size=1, max_size=3)
which = st.integers(0, 1000)


def attempt(verb: Any, *rows: Any, **details: Any) -> Any:
    """What the verb answers; None where it refuses, with nothing changed."""
    try:
        with transaction.atomic():
            return verb(*rows, **SAID, **details)
    except Refused:
        return None


class Ledger(RuleBasedStateMachine):
    """One hospital, one donor, one carrier, and whatever they do to each other."""

    needs, offers = Bundle("needs"), Bundle("offers")

    @initialize()
    def open_the_books(self) -> None:
        self.story = transaction.atomic()
        self.story.__enter__()
        self.hospital, self.donor = make_facility(), make_organisation("donor")
        self.carrier = make_organisation("carrier")
        self.known: dict[Any, list[Any]] = {}

    def teardown(self) -> None:
        if hasattr(self, "story"):
            connection.set_rollback(True)
            self.story.__exit__(None, None, None)

    def one(self, model: Any, position: int, *status: str) -> Any:
        """The row at this position among those in these statuses, oldest first: the same in every run of a story."""
        known = self.known.setdefault(model, [])
        rows = {row.pk: row for row in model.objects.all()}
        new = [row for row in rows.values() if row.pk not in known]
        known += [row.pk for row in sorted(new, key=lambda row: getattr(row, "quantity", 0) or 0)]
        fitting = [rows[pk] for pk in known if rows[pk].status in status]
        return fitting[position % len(fitting)] if fitting else None

    def move(self, verb: Any, position: int, *status: str, **details: Any) -> None:
        shipment = self.one(Shipment, position, *status)
        if shipment is not None:
            attempt(verb, shipment, **details)

    # -- asking and giving

    @rule(target=needs, asked=several, published=st.booleans())
    def ask(self, asked: list[int], published: bool) -> Any:
        lines = [{"quantity": quantity} for quantity in asked]
        return make_appeal(self.hospital, lines=lines, published=published).needs.order_by("quantity")[0]

    @rule(target=needs)
    def ask_without_a_limit(self) -> Any:
        return make_appeal(
            self.hospital, lines=[{"quantity_kind": "unlimited", "quantity": None}]
        ).needs.get()

    @rule(target=offers, given=several, published=st.booleans())
    def give(self, given: list[int], published: bool) -> Any:
        lines = [{"quantity": quantity} for quantity in given]
        return make_donation(self.donor, lines=lines, published=published).offers.order_by("quantity")[0]

    @rule(need=needs, quantity=quantities)
    def change(self, need: Need, quantity: int) -> None:
        attempt(asking.change, need, quantity=quantity)

    @rule(need=needs)
    def confirm(self, need: Need) -> None:
        attempt(asking.confirm, need)

    @rule(need=needs)
    def not_needed(self, need: Need) -> None:
        attempt(asking.withdraw_need, need)

    @rule(offer=offers)
    def take_back(self, offer: Offer) -> None:
        attempt(giving.withdraw_offer, offer)

    @rule(need=needs, offer=offers)
    def publish(self, need: Need, offer: Offer) -> None:
        attempt(asking.publish, Appeal(pk=need.appeal_id))
        attempt(giving.publish, Donation(pk=offer.donation_id))

    @rule(need=needs)
    def withdraw_the_appeal(self, need: Need) -> None:
        attempt(asking.withdraw, Appeal(pk=need.appeal_id))

    @rule(offer=offers)
    def withdraw_the_donation(self, offer: Offer) -> None:
        attempt(giving.withdraw, Donation(pk=offer.donation_id))

    @rule(days=st.sampled_from([1, 11]))
    def time_goes_by(self, days: int) -> None:
        asking.lapse(at=NOW + timedelta(days=days))
        giving.lapse(at=NOW + timedelta(days=days))

    # -- promising

    @rule(need=which, offer=which, quantity=quantities)
    def allocate(self, need: int, offer: int, quantity: int) -> None:
        to, of = self.one(Need, need, "open"), self.one(Offer, offer, "open")
        if to is not None and of is not None:
            attempt(ledger.allocate, to, of, min(quantity, of.quantity_open + 1))

    @rule(need=needs, offer=offers, quantity=quantities)
    def allocate_to_whatever(self, need: Need, offer: Offer, quantity: int) -> None:
        attempt(ledger.allocate, need, offer, quantity)

    @rule(position=which, quantity=quantities)
    def split(self, position: int, quantity: int) -> None:
        allocation = self.one(Allocation, position, "reserved", "booked")
        if allocation is not None:
            attempt(ledger.split, allocation, quantity)

    @rule(position=which)
    def release(self, position: int) -> None:
        allocation = self.one(Allocation, position, *ledger.AllocationStatus.values)
        if allocation is not None:
            attempt(ledger.release, allocation, reason="changed")

    @rule()
    def nobody_ships(self) -> None:
        ledger.release_overdue(at=NOW + timedelta(days=60))

    # -- moving

    @rule(position=which, all_of_them=st.booleans())
    def put_together(self, position: int, all_of_them: bool) -> None:
        first = self.one(Allocation, position, "reserved")
        if first is not None:
            rows = list(Allocation.objects.reserved()) if all_of_them else [first]
            attempt(moving.put_together, rows)

    @rule(position=which)
    def book_and_dispatch(self, position: int) -> None:
        self.move(moving.book, position, "draft", carrier=Organisation.objects.get(pk=self.carrier.pk))
        self.move(moving.dispatch, position, "booked")

    @rule(position=which)
    def deliver(self, position: int) -> None:
        self.move(moving.deliver, position, "in_transit", "at_the_door")

    @rule(position=which)
    def cancel(self, position: int) -> None:
        self.move(moving.cancel, position, "draft", "booked", "in_transit")

    @rule(position=which)
    def lose(self, position: int) -> None:
        self.move(moving.lose, position, "in_transit", "returning")

    @rule(position=which)
    def send_back(self, position: int) -> None:
        self.move(moving.send_back, position, "in_transit")

    @rule(position=which)
    def come_back(self, position: int) -> None:
        self.move(moving.come_back, position, "returning")

    @rule(position=which, accepted=st.integers(0, 70), damaged=st.integers(0, 5))
    def receive(self, position: int, accepted: int, damaged: int) -> None:
        shipment = self.one(Shipment, position, "delivered", "accepted")
        if shipment is not None:
            count = {"accepted": accepted, "damaged": damaged}
            attempt(
                moving.receive, shipment, counts=[{"line": line, **count} for line in shipment.lines.all()]
            )

    @invariant()
    def the_books_are_right(self) -> None:
        if hasattr(self, "story"):
            assert faults() == []


def test_any_order_of_verbs_leaves_the_books_right() -> None:
    run_state_machine_as_test(
        Ledger,
        settings=settings(
            max_examples=60,
            stateful_step_count=30,
            derandomize=True,
            deadline=None,
            database=None,
            phases=[Phase.generate],  # shrinking would take longer than reading the story
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_the_control_a_counter_moved_by_hand_is_noticed() -> None:
    need = make_appeal(lines=[{"quantity": 10}]).needs.get()
    Need.objects.filter(pk=need.pk).update(quantity_promised=1)

    assert f"need {need.pk}: promised is 1, its rows say 0" in faults()
