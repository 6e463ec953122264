"""What has happened already in the demonstration: every lifecycle in every state, brought there by its verbs."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from matching import running
from matching import services as matching
from matching.demo.cast import Cast
from matching.demo.postings import Postings, look_again, write_appeals, write_donations
from matching.models import DeviationReason, Proposal, ProposalStatus, Trigger
from supplies.allocations import services as ledger
from supplies.allocations.models import Allocation
from supplies.emergencies.models import Emergency
from supplies.needs import services as asking
from supplies.needs.models import Need
from supplies.offers import services as giving
from supplies.offers.models import Offer
from supplies.receipts import services as receiving
from supplies.receipts.models import Receipt, Refusal
from supplies.shipments import services as moving
from supplies.shipments import sightings
from supplies.shipments.models import Shipment

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
CARRIER_WORDS = "kuaidi100"
Route = Sequence[Proposal]  # what one donor is to send to one facility


class Act:
    """A day on which goods were matched, and what became of them since: one fate for each route."""

    def __init__(self, cast: Cast, emergency: Emergency, *, at: datetime) -> None:
        self.cast, self.emergency, self.at, self.by = cast, emergency, at, cast.volunteer

    def play(self, fates: "Sequence[Fate]") -> None:
        for number, (fate, route) in enumerate(zip(fates, self._routes()[: len(fates)], strict=True)):
            fate(self, route, number)

    def _routes(self) -> list[Route]:
        """What a run of that moment proposes, by route; those that meet a need wholly come first.

        The run counts as started by an event, so that the reader's first run is still to come.
        """
        run = matching.start(self.emergency, trigger=Trigger.EVENT, by=None, at=self.at)
        for family in running.open_run(run.pk, at=self.at):
            running.solve_family(family.pk, clock=lambda: self.at)
        routes: dict[tuple[object, object], list[Proposal]] = defaultdict(list)
        for proposal in Proposal.objects.filter(family_run__run=run).with_sides().order_by("need", "offer"):
            routes[proposal.offer.donation.organisation_id, proposal.need.appeal.facility_id].append(proposal)
        return sorted(routes.values(), key=lambda route: -max(_filled(proposal) for proposal in route))

    def agree(self, route: Route) -> list[Allocation]:
        """Everybody who is asked says yes within ten hours."""
        agreed = [self.approve(proposal) for proposal in route]
        agreed = [
            matching.agree_for_donor(proposal, by=self.by, at=self.at + 8 * HOUR)
            if proposal.status == ProposalStatus.APPROVED
            else proposal
            for proposal in agreed
        ]
        agreed = [
            matching.agree_for_hospital(proposal, by=self.by, at=self.at + 9 * HOUR)
            if proposal.status == ProposalStatus.APPROVED
            else proposal
            for proposal in agreed
        ]
        return [proposal.allocation for proposal in agreed if proposal.allocation is not None]

    def approve(self, proposal: Proposal) -> Proposal:
        """Route by route, as lorries are filled: where that passes over a more urgent need, the report says so."""
        return matching.approve(proposal, reason=DeviationReason.TRANSPORT, by=self.by, at=self.at + 4 * HOUR)

    def book(self, route: Route, number: int) -> Shipment:
        shipment = moving.put_together(self.agree(route), by=self.by, at=self.at + 10 * HOUR)
        carriers = self.cast.carriers
        return moving.book(
            shipment,
            carrier=carriers[number % min(3, len(carriers))],
            waybill=f"DEMO{self.at:%m%d}{number:05d}",
            expected_on=(self.at + 3 * DAY).date(),
            by=self.by,
            at=self.at + 11 * HOUR,
        )

    def send(self, route: Route, number: int) -> Shipment:
        """On its way, seen twice by its carrier."""
        shipment = moving.dispatch(self.book(route, number), by=None, at=self.at + 12 * HOUR)
        self.see(shipment, "103", "loading", after=12 * HOUR, place=_where(shipment.consignor.region))
        self.see(shipment, "0", "transporting", after=16 * HOUR, place="演示中转场")
        return shipment

    def deliver(self, route: Route, number: int) -> Shipment:
        shipment = self.send(route, number)
        self.see(shipment, "5", "transporting", after=19 * HOUR, place=_where(shipment.consignee.region))
        shipment = moving.deliver(shipment, by=None, at=self.at + 20 * HOUR)
        return shipment

    def see(self, shipment: Shipment, code: str, step: str, *, after: timedelta, place: str = "") -> None:
        sightings.report(
            shipment,
            occurred_at=self.at + after,
            step=step,
            vocabulary=CARRIER_WORDS,
            code=code,
            place=place,
            external_id=f"{code}-{after // HOUR}",
            by=None,
            at=self.at + after,
        )

    def count(self, route: Route, number: int, **shares: float) -> Receipt:
        """The hospital counts: of every line the stated shares of what was shipped, the rest whole and accepted.

        shares    damaged, wrong_item, expired, refused, missing, surplus; each a part of one
        """
        shipment = self.deliver(route, number)
        counts = []
        for line in shipment.lines.select_related("allocation").order_by("pk"):
            shipped = line.allocation.quantity
            parts = {kind: max(1, int(shipped * share)) for kind, share in shares.items()}
            missing, surplus = parts.pop("missing", 0), parts.pop("surplus", 0)
            accepted = max(0, shipped - missing + surplus - sum(parts.values()))
            why = {"refusal": Refusal.SHORT_DATED} if parts.get("refused") else {}
            counts.append({"line": line, "accepted": accepted, **parts, **why})
        return receiving.receive(shipment, counts=counts, by=self.by, at=self.at + 22 * HOUR)


def _filled(proposal: Proposal) -> float:
    asked = proposal.need.quantity
    return min(1.0, proposal.quantity / asked) if asked else 0.0


def _where(region: object) -> str:
    return getattr(region, "name_zh", "")


# --- fates: what can become of a route --------------------------------------------------------------------------


def accepted(act: Act, route: Route, number: int) -> None:
    act.count(route, number)


def damaged(act: Act, route: Route, number: int) -> None:
    act.count(route, number, damaged=0.1)


def missing(act: Act, route: Route, number: int) -> None:
    act.count(route, number, missing=0.2)


def wrong_and_expired(act: Act, route: Route, number: int) -> None:
    act.count(route, number, wrong_item=0.1, expired=0.05, refused=0.05)


def surplus(act: Act, route: Route, number: int) -> None:
    act.count(route, number, surplus=0.05)


def refused(act: Act, route: Route, number: int) -> None:
    act.count(route, number, wrong_item=1.0)


def lost(act: Act, route: Route, number: int) -> None:
    shipment = act.send(route, number)
    act.see(shipment, "2", "holding", after=40 * HOUR)
    moving.lose(shipment, note="演示：中转场失踪 (lost at the hub)", by=None, at=act.at + 100 * HOUR)


def returned(act: Act, route: Route, number: int) -> None:
    shipment = moving.send_back(
        act.send(route, number), note="演示：无人签收", by=None, at=act.at + 30 * HOUR
    )
    moving.come_back(shipment, by=None, at=act.at + 60 * HOUR)


def returning(act: Act, route: Route, number: int) -> None:
    shipment = moving.arrive(act.send(route, number), by=None, at=act.at + 19 * HOUR)
    act.see(shipment, "14", "arriving", after=20 * HOUR)
    moving.send_back(shipment, note="演示：库房已满 (store is full)", by=None, at=act.at + 20 * HOUR)


def declined(act: Act, route: Route, number: int) -> None:
    for proposal in route:
        matching.decline(
            proposal, reason="演示：距离太远，另有安排 (too far away)", by=act.by, at=act.at + 4 * HOUR
        )


def withdrawn(act: Act, route: Route, number: int) -> None:
    for proposal in route:
        matching.withdraw(
            proposal, reason="演示：批号有误 (wrong lot number)", by=act.by, at=act.at + 5 * HOUR
        )


def left_alone(act: Act, route: Route, number: int) -> None:
    """Waits for a volunteer, and expires if nobody comes."""


def approved(act: Act, route: Route, number: int) -> None:
    """Waits for the donor's yes; where the donor gave it in advance, for nothing or for the hospital's."""
    for proposal in route:
        act.approve(proposal)


def reserved(act: Act, route: Route, number: int) -> None:
    act.agree(route)


def split(act: Act, route: Route, number: int) -> None:
    for allocation in act.agree(route):
        if allocation.quantity > 1:
            ledger.split(allocation, allocation.quantity // 2, by=act.by, at=act.at + 10 * HOUR)


def released(act: Act, route: Route, number: int) -> None:
    for allocation in act.agree(route):
        ledger.release(
            allocation, reason="演示：捐方改期 (the donor postponed)", by=act.by, at=act.at + 11 * HOUR
        )


def put_together(act: Act, route: Route, number: int) -> None:
    moving.put_together(act.agree(route), by=act.by, at=act.at + 10 * HOUR)


def booked(act: Act, route: Route, number: int) -> None:
    act.book(route, number)


def cancelled(act: Act, route: Route, number: int) -> None:
    moving.cancel(act.book(route, number), by=act.by, at=act.at + 12 * HOUR)


def in_transit(act: Act, route: Route, number: int) -> None:
    act.send(route, number)


def at_the_door(act: Act, route: Route, number: int) -> None:
    moving.arrive(act.send(route, number), by=None, at=act.at + 20 * HOUR)


def delivered(act: Act, route: Route, number: int) -> None:
    act.deliver(route, number)


Fate = Callable[[Act, Route, int], None]
LONG_AGO: tuple[Fate, ...] = (
    *(accepted, accepted, accepted, accepted, damaged, missing, wrong_and_expired, surplus, refused),
    *(lost, returned, declined, declined, withdrawn),
)
YESTERDAY: tuple[Fate, ...] = (
    *(accepted, in_transit, in_transit, in_transit, at_the_door, delivered, delivered, returning),
    *(
        booked,
        booked,
        put_together,
        cancelled,
        reserved,
        reserved,
        split,
        released,
        approved,
        approved,
        approved,
    ),
)


# --- the whole story ------------------------------------------------------------------------------------------


def tell(cast: Cast, emergency: Emergency, postings: Callable[[datetime], Postings], *, at: datetime) -> None:
    """Everything that happened before `at`, oldest first."""
    _post(cast, postings(at - 12 * DAY), houses=slice(0, 14), givers=slice(0, 12))
    Act(cast, emergency, at=at - 11 * DAY).play(LONG_AGO)
    matching.expire(at=at - 8 * DAY)
    asking.lapse(at=at)
    giving.lapse(at=at)
    _post(cast, postings(at - 2 * DAY), houses=slice(6, 26), givers=slice(6, 24))
    Act(cast, emergency, at=at - DAY).play(YESTERDAY)
    _moderate(cast, postings(at), at=at)


def _post(cast: Cast, postings: Postings, *, houses: slice, givers: slice) -> None:
    write_appeals(postings.appeals(cast.facilities[houses], days_ago=1))
    donations = postings.donations(cast.donors[givers], days_ago=1)
    donations.lines[-1].available_until = postings.today + 5 * DAY
    write_donations(donations)
    look_again()


def _moderate(cast: Cast, postings: Postings, *, at: datetime) -> None:
    """What waits for a volunteer, what she sent back, and what was taken back."""
    appeals = postings.appeals([*cast.newcomers, *cast.facilities[30:42]], days_ago=2, published=False)
    write_appeals(appeals)
    for appeal in appeals.parents[-3:]:
        asking.refuse(
            appeal, reason="演示：请注明收货联系人 (name who receives)", by=cast.volunteer, at=at - HOUR
        )
    for appeal in appeals.parents[-6:-3]:
        asking.withdraw(appeal, by=None, at=at - HOUR)
    donations = postings.donations(cast.donors[24:36], days_ago=2, published=False)
    write_donations(donations)
    for donation in donations.parents[-3:]:
        giving.refuse(
            donation, reason="演示：请补充注册证号 (add the registration)", by=cast.volunteer, at=at - HOUR
        )
    for donation in donations.parents[-5:-3]:
        giving.withdraw(donation, by=None, at=at - HOUR)
    _take_back_what_is_alone(at=at)


def _take_back_what_is_alone(*, at: datetime) -> None:
    """Needs and offers that end, and with them the appeal or donation they were the only line of."""
    needs = Need.objects.open().filter(quantity_promised=0, quantity_in_transit=0, quantity_proposed=0)
    for need in needs.order_by("pk")[:4]:
        asking.withdraw_need(need, by=None, at=at - HOUR)
    offers = Offer.objects.open().filter(quantity_allocated=0, quantity_proposed=0)
    for offer in offers.order_by("pk")[:3]:
        giving.withdraw_offer(offer, by=None, at=at - HOUR)
