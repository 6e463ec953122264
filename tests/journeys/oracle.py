"""What the ledger must say, in plain Python: rows in lists, every counter summed anew, every rule written a second time.

It knows nothing of Django, nor of how the site does anything; it only knows what people were promised. A verb changes it,
or raises No and changes nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

ASSUMED, PLAUSIBLE = (
    10_000,
    1_000_000,
)  # of the item: matched while no number is known; more than anybody needs
PENDING = ("open", "approved")
GOING_ON = ("waiting", "open")
ON_THE_WAY = {
    "draft": {"booked", "cancelled"},
    "booked": {"in_transit", "cancelled"},
    "in_transit": {"at_the_door", "delivered", "returning", "lost"},
    "at_the_door": {"delivered", "returning", "lost"},
    "returning": {"returned", "lost"},
    "delivered": {"accepted", "partly_accepted", "refused"},
}


class No(Exception):
    """The oracle refuses."""


def must(holds: Any) -> None:
    if not holds:
        raise No


@dataclass(eq=False)
class Facility:
    pk: Any
    is_paused: bool = False


@dataclass(eq=False)
class Post:
    """An appeal of a facility, or a donation of a donor, who may have said yes to every match in advance."""

    pk: Any
    whose: Any
    consents: bool = False
    status: str = "waiting"


@dataclass(eq=False)
class Need:
    pk: Any
    post: Post
    quantity: int | None  # None is without limit
    urgency: int
    min_lot: int
    status: str = "waiting"
    received_before: int = 0


@dataclass(eq=False)
class Offer:
    pk: Any
    post: Post
    quantity: int
    pack: int
    min_lot: int
    lasts: bool  # or is over in five days
    status: str = "waiting"


@dataclass(eq=False)
class Proposal:
    pk: Any
    need: Need
    offer: Offer
    quantity: int
    run: Any  # None if made by hand
    status: str = "open"
    left_out: int = 0
    passed_over: int = 0

    @property
    def meant(self) -> int:
        return self.quantity - self.left_out


@dataclass(eq=False)
class Promise:
    pk: Any
    need: Need
    offer: Offer
    quantity: int
    status: str = "reserved"
    accepted: int = 0


@dataclass(eq=False)
class Shipment:
    pk: Any
    load: list[Promise]
    status: str = "draft"


@dataclass(eq=False)
class Heard:
    """What the journal still has to tell."""

    ended: list[Any] = field(default_factory=list)  # needs and offers
    changed: list[Any] = field(default_factory=list)  # needs and offers


class Oracle:
    def __init__(self, facilities: Iterable[Any]) -> None:
        self.facilities = [Facility(pk) for pk in facilities]
        self.posts: list[Post] = []
        self.needs: list[Need] = []
        self.offers: list[Offer] = []
        self.proposals: list[Proposal] = []
        self.promises: list[Promise] = []
        self.shipments: list[Shipment] = []
        self.heard = Heard()

    # -- sums

    def promised(self, need: Need) -> int:
        return sum(p.quantity for p in self.promises if p.need is need and p.status in ("reserved", "booked"))

    def in_transit(self, need: Need) -> int:
        return sum(p.quantity for p in self.promises if p.need is need and p.status == "shipped")

    def received(self, need: Need) -> int:
        return sum(p.accepted for p in self.promises if p.need is need and p.status == "settled")

    def taken(self, need: Need) -> int:
        return self.promised(need) + self.in_transit(need) + self.received(need)

    def lacking(self, need: Need) -> int:
        return (PLAUSIBLE if need.quantity is None else need.quantity) - self.taken(need)

    def outstanding(self, need: Need) -> int:
        if need.quantity is not None:
            return need.quantity - self.taken(need)
        return max(0, ASSUMED + need.received_before - self.taken(need))

    def allocated(self, offer: Offer) -> int:
        kept = [p for p in self.promises if p.offer is offer and p.status not in ("released", "returned")]
        return sum(p.quantity for p in kept)

    def left(self, offer: Offer) -> int:
        return offer.quantity - self.allocated(offer)

    def proposed(self, side: Any) -> int:
        return sum(p.meant for p in self.proposals if side in (p.need, p.offer) and p.status in PENDING)

    def answered(self, side: Any) -> int:
        """Of what is proposed, what a volunteer has answered already: no run touches it."""
        return sum(p.meant for p in self.proposals if side in (p.need, p.offer) and p.status == "approved")

    # -- asking and giving

    def publish(self, post: Post) -> None:
        must(post.status == "waiting")
        post.status = "published"
        for line in self._lines(post):
            if line.status == "waiting":
                line.status = "open"

    def withdraw_post(self, post: Post) -> None:
        must(post.status in ("waiting", "published"))
        post.status = "withdrawn"
        for line in self._lines(post):
            if line.status in (
                ("waiting", "open") if isinstance(line, Need) else ("waiting", "open", "spent")
            ):
                line.status = "withdrawn"
                self.heard.ended.append(line)

    def withdraw(self, line: Any) -> None:
        must(
            line.status
            in (("waiting", "open", "lapsed") if isinstance(line, Need) else ("waiting", "open", "spent"))
        )
        line.status = "withdrawn"
        self.heard.ended.append(line)
        self._follow(line.post)

    def confirm(self, need: Need) -> None:
        must(need.status in ("open", "lapsed") and need.post.status != "withdrawn")
        need.status, need.received_before = "open", self.received(need)
        self._follow(need.post)

    def change_need(self, need: Need, quantity: int) -> None:
        must(need.status in ("waiting", "open", "met") and need.post.status != "withdrawn")
        must(quantity >= self.taken(need) and quantity >= need.min_lot)
        need.quantity = quantity
        self.heard.changed.append(need)
        self._settle(need)

    def change_offer(self, offer: Offer, quantity: int) -> None:
        must(offer.status in ("waiting", "open", "spent"))
        must(quantity >= max(self.allocated(offer), offer.pack, offer.min_lot))
        offer.quantity = quantity
        self.heard.changed.append(offer)
        self._settle(offer)

    def days_go_by(self, days: int) -> None:
        """Needs are due in ten days; offers that do not last are over after five."""
        for line in (*self.needs, *self.offers):
            is_over = days > 10 if isinstance(line, Need) else days > 5 and not line.lasts
            if line.status == "open" and is_over:
                line.status = "lapsed"
                self.heard.ended.append(line)
                self._follow(line.post)

    def pause(self, facility: Facility) -> None:
        """What is proposed to it ends at once."""
        facility.is_paused = True
        for p in self.proposals:
            if p.status in PENDING and p.need.post.whose is facility:
                p.status = "withdrawn"

    def resume(self, facility: Facility) -> None:
        facility.is_paused = False

    def _lines(self, post: Post) -> list[Any]:
        return [line for line in (*self.needs, *self.offers) if line.post is post]

    def _follow(self, post: Post) -> None:
        """A post is over when no line of it goes on, and goes on again with one."""
        goes_on = any(line.status in GOING_ON for line in self._lines(post))
        if not goes_on:
            post.status = {"waiting": "withdrawn", "published": "closed"}.get(post.status, post.status)
        elif post.status == "closed":
            post.status = "published"

    def _settle(self, line: Any) -> None:
        """A need is met, an offer is given away, or not any more."""
        if isinstance(line, Need):
            is_full, full = line.quantity is not None and self.received(line) >= line.quantity, "met"
        else:
            is_full, full = self.left(line) == 0, "spent"
        if line.status in ("open", full):
            before, line.status = line.status, full if is_full else "open"
            if before == "open" and line.status == "met":
                self.heard.ended.append(line)
        self._follow(line.post)

    # -- proposing

    def matched(self, run: Any, found: list[tuple[Any, Need, Offer, int]], superseded: set[Any]) -> None:
        """What a run proposed: all of it allowed, and nobody left who could be served. What waited may make way for it."""
        # What waits for a volunteer takes part again, so a rest is what is lacking without it (docs/decisions/0019).
        asked = {need: self.outstanding(need) - self.answered(need) for need in self.needs}
        lots = {need: min(need.min_lot, max(asked[need], 1)) for need in self.needs}
        for proposal in self.proposals:
            if proposal.pk in superseded and proposal.status != "superseded":
                assert proposal.status == "open", "what was answered makes way for nothing"
                proposal.status = "superseded"
        wanted = {need: self._wanted(need) for need in self.needs}
        spare = {offer: self._spare(offer) for offer in self.offers}
        barred = {(p.need, p.offer) for p in self.proposals if p.status in (*PENDING, "declined")}
        new = set()
        for pk, need, offer, quantity in found:
            assert (need, offer) not in barred | new
            assert quantity % offer.pack == 0
            assert quantity >= max(lots[need], offer.min_lot)
            wanted[need] -= quantity
            spare[offer] -= quantity
            assert wanted[need] >= 0, "a need is proposed more than it lacks"
            assert spare[offer] >= 0, "an offer is proposed beyond what is left"
            new.add((need, offer))
            self.proposals.append(Proposal(pk, need, offer, quantity, run))
        for need in self.needs:
            for offer in self.offers:
                if (need, offer) not in barred:
                    lot = offer.pack if (need, offer) in new else max(lots[need], offer.min_lot)
                    parcel = -(-lot // offer.pack) * offer.pack
                    assert parcel > min(wanted[need], spare[offer]), "somebody could have been served"

    def _wanted(self, need: Need) -> int:
        takes = need.status == "open" and not need.post.whose.is_paused
        return max(0, self.outstanding(need) - self.proposed(need)) if takes else 0

    def _spare(self, offer: Offer) -> int:
        return max(0, self.left(offer) - self.proposed(offer)) if offer.status == "open" else 0

    def approve(self, proposal: Proposal, quantity: int | None) -> None:
        must(proposal.status == "open")
        must(quantity is None or 0 < quantity <= proposal.quantity)
        meant = proposal.quantity if quantity is None else quantity
        self._must_fit(proposal.need, proposal.offer, meant, held=proposal.meant)
        proposal.left_out = proposal.quantity - meant
        proposal.passed_over = self._more_urgent(proposal)
        proposal.status = "approved"
        if proposal.offer.post.consents:
            self._agree(proposal)

    def by_hand(self, need: Need, offer: Offer, quantity: int) -> Proposal:
        self._must_fit(need, offer, quantity, held=0)
        must(not any((p.need, p.offer) == (need, offer) and p.status in PENDING for p in self.proposals))
        proposal = Proposal(None, need, offer, quantity, None, status="approved")
        proposal.passed_over = self._more_urgent(proposal)
        self.proposals.append(proposal)
        self.heard.changed += [need, offer]
        if offer.post.consents:
            self._agree(proposal)
        return proposal

    def agree(self, proposal: Proposal) -> None:
        must(proposal.status == "approved")
        self._must_fit(proposal.need, proposal.offer, proposal.meant, held=proposal.meant)
        self._agree(proposal)

    def decline(self, proposal: Proposal) -> None:
        must(proposal.status in PENDING)
        proposal.status = "declined"

    def nobody_answers(self) -> None:
        for proposal in self.proposals:
            if proposal.status in PENDING:
                proposal.status = "expired"

    def hear(self) -> None:
        """The journal is carried: what changed is judged again, and proposals of what has ended end."""
        heard, self.heard = self.heard, Heard()
        pending = [p for p in self.proposals if p.status in PENDING]
        looked_at = [p for p in pending if p.need in heard.changed or p.offer in heard.changed]
        over = {p for p in looked_at if not self._fits_by_lots(p.need, p.offer, p.meant, held=p.meant)}
        for side in set(heard.changed):
            rest = self.lacking(side) if isinstance(side, Need) else self.left(side)
            for p in sorted(
                (p for p in looked_at if side in (p.need, p.offer)),
                key=lambda p: (p.status == "open", p.need.urgency, p.pk),
            ):
                if p.meant <= rest:
                    rest -= p.meant
                else:
                    over.add(p)
        over |= {p for p in pending if p.need in heard.ended or p.offer in heard.ended}
        for p in over:
            p.status = "withdrawn"

    def _agree(self, proposal: Proposal) -> None:
        proposal.status = "agreed"
        self._promise(proposal.need, proposal.offer, proposal.meant)

    def _more_urgent(self, than: Proposal) -> int:
        return sum(
            p.status == "open" and p.offer is than.offer and p.need.urgency < than.need.urgency
            for p in self.proposals
            if p is not than
        )

    def _must_fit(self, need: Need, offer: Offer, quantity: int, *, held: int) -> None:
        self._must_be_free(need, offer, quantity)
        must(self._fits_by_lots(need, offer, quantity, held=held))

    def _fits_by_lots(self, need: Need, offer: Offer, quantity: int, *, held: int) -> bool:
        rest = max(quantity, self.outstanding(need) - self.proposed(need) + held)
        return quantity % offer.pack == 0 and quantity >= max(offer.min_lot, min(need.min_lot, rest))

    # -- promising

    def _must_be_free(self, need: Need, offer: Offer, quantity: int) -> None:
        must(need.status == "open" and offer.status == "open")
        must(not need.post.whose.is_paused)
        must(1 <= quantity <= min(self.left(offer), self.lacking(need)))

    def allocate(self, need: Need, offer: Offer, quantity: int) -> None:
        self._must_be_free(need, offer, quantity)
        self._promise(need, offer, quantity)

    def _promise(self, need: Need, offer: Offer, quantity: int) -> None:
        self.promises.append(Promise(None, need, offer, quantity))
        self._settle(offer)

    def split(self, promise: Promise, quantity: int) -> None:
        must(promise.status == "reserved" and 0 < quantity < promise.quantity)
        self.promises.append(Promise(None, promise.need, promise.offer, promise.quantity - quantity))
        promise.quantity = quantity

    def release(self, promise: Promise) -> None:
        must(promise.status == "reserved")
        self._end(promise, "released")

    def nobody_ships(self) -> None:
        for promise in [p for p in self.promises if p.status == "reserved"]:
            self._end(promise, "released")

    def _end(self, promise: Promise, status: str) -> None:
        promise.status = status
        if status != "lost":
            self._settle(promise.offer)
        self._settle(promise.need)

    # -- moving

    def put_together(self, load: list[Promise]) -> None:
        must(load and all(p.status == "reserved" for p in load))
        must(len({(p.offer.post.whose, p.need.post.whose) for p in load}) == 1)
        for p in load:
            p.status = "booked"
        self.shipments.append(Shipment(None, list(load)))

    def move(self, shipment: Shipment, status: str) -> None:
        """Booked, at the door, delivered or on the way back: the promises stay as they are."""
        must(status in ON_THE_WAY.get(shipment.status, ()))
        shipment.status = status

    def depart(self, shipment: Shipment) -> None:
        self.move(shipment, "in_transit")
        for p in shipment.load:
            p.status = "shipped"

    def cancel(self, shipment: Shipment) -> None:
        self.move(shipment, "cancelled")
        for p in shipment.load:
            p.status = "reserved"

    def end(self, shipment: Shipment, status: str) -> None:
        """Lost, or back with the donor."""
        self.move(shipment, status)
        for p in shipment.load:
            self._end(p, status)

    def receive(self, shipment: Shipment, accepted: int, other: int) -> None:
        """Of every line so many are good, and so many others arrived that are not."""
        must(shipment.status == "delivered")
        good = [min(accepted, p.quantity) for p in shipment.load]
        is_whole = other == 0 and all(accepted >= p.quantity for p in shipment.load)
        shipment.status = "accepted" if is_whole else "partly_accepted" if sum(good) else "refused"
        for p, quantity in zip(shipment.load, good, strict=True):
            p.status, p.accepted = "settled", quantity
        for p in shipment.load:
            self._settle(p.need)

    # -- telling

    def says(self) -> dict[Any, tuple[Any, ...]]:
        """Everything the database must say, by primary key."""
        return {
            **{post.pk: (post.status,) for post in self.posts},
            **{
                need.pk: (
                    need.status,
                    self.proposed(need),
                    self.promised(need),
                    self.in_transit(need),
                    self.received(need),
                    self.outstanding(need),
                )
                for need in self.needs
            },
            **{
                offer.pk: (offer.status, self.proposed(offer), self.allocated(offer), self.left(offer))
                for offer in self.offers
            },
            **{p.pk: (p.status, p.left_out, p.passed_over) for p in self.proposals},
            **{p.pk: (p.status, p.quantity, p.need.pk, p.offer.pk) for p in self.promises},
            **{shipment.pk: (shipment.status,) for shipment in self.shipments},
        }
