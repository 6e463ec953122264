"""What did not arrive as promised: asked of the sender, answered, settled; and counts that were wrong."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError

from matching.books import faults
from matching.models import MatchingRun
from supplies.errors import MoveRefused, NotEligible, NotEnoughLeft, Refused
from supplies.journal.services import dispatch
from supplies.notices.sending import tell
from supplies.organisations.models import User
from supplies.receipts import services as receiving
from supplies.receipts.models import CREDITABLE, Discrepancy, DiscrepancyTicket, Receipt, Refusal
from supplies.shipments.models import Shipment
from tests.makers import NOW, make_allocation, make_member, make_need, make_offer, make_shipment, with_address

pytestmark = pytest.mark.django_db
KINDS = [kind for kind in Discrepancy.Kind if kind != "surplus"]


def counted(**parts: object) -> Shipment:
    """A shipment of 100, the last of its offer, with its count."""
    shipment = make_shipment(
        make_allocation(100, need=make_need(quantity=100), offer=make_offer(quantity=100)), status="delivered"
    )
    receiving.receive(shipment, counts=[{"line": shipment.lines.get(), **parts}], by=None, at=NOW)
    return shipment


def fix(shipment: Shipment, **parts: object) -> Receipt:
    counts = [{"line": shipment.lines.get(), **parts}]
    return receiving.correct(shipment, counts=counts, because="Two boxes stood outside.", by=None, at=NOW)


def sides(shipment: Shipment):
    allocation = shipment.lines.get().allocation
    return allocation.need, allocation.offer


def the_ticket(shipment: Shipment) -> DiscrepancyTicket:
    return shipment.tickets.get()


@pytest.fixture
def donor() -> User:
    return make_member("donor")


def test_every_kind_of_discrepancy_opens_a_ticket_and_the_need_lacks_it_again() -> None:
    shipment = counted(accepted=50, damaged=10, wrong_item=10, expired=10, refused=10, refusal="no_room")

    need, _offer = sides(shipment)
    found = dict(shipment.tickets.values_list("discrepancy__kind", "discrepancy__quantity"))
    assert found == dict.fromkeys(["damaged", "wrong_item", "expired", "refused", "missing"], 10)
    assert (need.quantity_received, need.lacking, need.status) == (50, 50, "open")
    assert faults(at=NOW) == []


def test_a_shortfall_is_matched_again() -> None:
    shipment = counted(accepted=90)
    dispatch(at=NOW)
    tell(at=NOW)

    need, _offer = sides(shipment)
    assert need.item_id in MatchingRun.objects.latest("created_at").only


@pytest.mark.parametrize(
    ("parts", "field"),
    [
        ({"refused": 5}, "refusal"),
        ({"refused": 5, "refusal": "mood"}, "refusal"),
        ({"refused": 5, "refusal": "other"}, "refusal_words"),
        ({"refusal": "no_room"}, "refused"),
        ({"refusal_words": "no room"}, "refused"),
    ],
)
def test_what_is_refused_is_refused_for_a_reason(parts: dict[str, object], field: str) -> None:
    with pytest.raises(ValidationError) as fault:
        counted(accepted=95, **parts)

    assert set(fault.value.message_dict) == {f"lines.0.{field}"}


def test_every_reason_is_taken() -> None:
    for reason in Refusal:
        shipment = counted(accepted=95, refused=5, refusal=reason, refusal_words="Five boxes.")
        assert the_ticket(shipment).discrepancy.receipt_line.refusal == reason


@pytest.mark.parametrize("kind", KINDS)
def test_only_what_is_whole_goes_back_to_the_stock_when_its_sender_says_so(
    kind: str, donor: User, volunteer: User
) -> None:
    parts = {} if kind == "missing" else {kind: 10}
    shipment = counted(accepted=90, **parts, **({"refusal": "no_room"} if kind == "refused" else {}))
    ticket = the_ticket(shipment)

    if kind not in CREDITABLE:
        with pytest.raises(NotEligible):
            receiving.answer(ticket, proposed="credited", answer="", by=donor, at=NOW)
        with pytest.raises(NotEligible):
            receiving.settle(ticket, outcome="credited", by=volunteer, at=NOW)
        left = 0
    else:
        with pytest.raises(NotEligible) as refusal:
            receiving.settle(ticket, outcome="credited", by=volunteer, at=NOW)
        assert refusal.value.code == "sender-has-not-said-so"
        receiving.answer(ticket, proposed="credited", answer="They stayed here.", by=donor, at=NOW)
        receiving.settle(ticket, outcome="credited", by=volunteer, at=NOW)
        left = 10

    need, offer = sides(shipment)
    assert (offer.quantity_open, offer.status) == (left, "open" if left else "spent")
    assert (need.quantity_received, need.lacking) == (90, 10)
    assert faults(at=NOW) == []


def test_a_ticket_is_answered_and_settled_once(donor: User, volunteer: User) -> None:
    ticket = the_ticket(counted(accepted=90))
    receiving.answer(ticket, proposed="replaced", answer="", by=donor, at=NOW)

    with pytest.raises(MoveRefused):
        receiving.answer(ticket, proposed="written_off", answer="", by=donor, at=NOW)
    receiving.settle(ticket, outcome="replaced", by=volunteer, at=NOW)
    with pytest.raises(MoveRefused):
        receiving.settle(ticket, outcome="written_off", by=volunteer, at=NOW)

    ticket.refresh_from_db()
    assert (ticket.status, ticket.proposed, ticket.outcome) == ("settled", "replaced", "replaced")


def test_the_last_settled_ticket_ends_the_trouble(volunteer: User) -> None:
    shipment = counted(accepted=80, damaged=10)
    first, last = shipment.tickets.order_by("pk")

    receiving.settle(first, outcome="written_off", by=volunteer, at=NOW)
    assert Shipment.objects.in_trouble().exists()
    receiving.settle(last, outcome="carrier", by=volunteer, at=NOW)

    assert not Shipment.objects.in_trouble().exists()


def test_a_wrong_count_is_settled_by_a_correction_only(volunteer: User) -> None:
    ticket = the_ticket(counted(accepted=90))

    with pytest.raises(Refused) as refusal:
        receiving.settle(ticket, outcome="miscounted", by=volunteer, at=NOW)

    assert refusal.value.code == "correct-the-count"


# -- Corrections


def test_a_correction_upwards_moves_the_ledger_by_the_difference_and_settles_the_ticket() -> None:
    shipment = counted(accepted=90)
    ticket = the_ticket(shipment)

    second = fix(shipment, accepted=100)

    need, _offer = sides(shipment)
    shipment.refresh_from_db()
    ticket.refresh_from_db()
    assert (need.quantity_received, need.status, shipment.status) == (100, "met", "accepted")
    assert (ticket.status, ticket.outcome) == ("settled", "miscounted")
    assert second.corrects.lines.get().accepted == 90
    assert list(Receipt.objects.standing()) == [second]
    assert faults(at=NOW) == []


def test_a_correction_downwards_opens_the_need_again() -> None:
    shipment = counted(accepted=100)

    fix(shipment, accepted=60, damaged=40)

    need, _offer = sides(shipment)
    shipment.refresh_from_db()
    assert (need.quantity_received, need.lacking, need.status) == (60, 40, "open")
    assert (shipment.status, the_ticket(shipment).discrepancy.kind) == ("partly_accepted", "damaged")
    assert faults(at=NOW) == []


def test_a_correction_leaves_the_ticket_of_what_is_still_so(donor: User) -> None:
    shipment = counted(accepted=80, damaged=10)
    damaged = shipment.tickets.get(discrepancy__kind="damaged")
    receiving.answer(damaged, proposed="written_off", answer="", by=donor, at=NOW)

    fix(shipment, accepted=90, damaged=10)

    damaged.refresh_from_db()
    assert damaged.status == "answered"
    assert damaged.discrepancy.receipt_line.receipt.corrects is not None
    assert shipment.tickets.unsettled().get() == damaged


def test_a_need_that_was_promised_to_others_meanwhile_takes_no_correction() -> None:
    shipment = counted(accepted=90)
    need, _offer = sides(shipment)
    make_allocation(10, need=need, offer=make_offer(quantity=10))

    with pytest.raises(NotEnoughLeft):
        fix(shipment, accepted=100)

    need.refresh_from_db()
    assert (need.quantity_received, Receipt.objects.count()) == (90, 1)
    assert faults(at=NOW) == []


def test_what_the_sender_has_again_cannot_have_been_accepted(donor: User, volunteer: User) -> None:
    shipment = counted(accepted=90)
    ticket = the_ticket(shipment)
    receiving.answer(ticket, proposed="credited", answer="", by=donor, at=NOW)
    receiving.settle(ticket, outcome="credited", by=volunteer, at=NOW)

    with pytest.raises(Refused) as refusal:
        fix(shipment, accepted=100)

    assert refusal.value.code == "credited-already"
    assert faults(at=NOW) == []


def test_a_count_that_is_corrected_forth_and_back_asks_the_sender_once() -> None:
    shipment = counted(accepted=95)
    for accepted in (97, 95, 95):
        last = fix(shipment, accepted=accepted)

    (open_one,) = shipment.tickets.unsettled()
    assert (open_one.discrepancy.quantity, open_one.discrepancy.receipt_line.receipt) == (5, last)
    assert faults(at=NOW) == []


def test_a_correction_is_corrected_and_only_the_last_count_holds() -> None:
    shipment = counted(accepted=90)
    fix(shipment, accepted=80)
    last = fix(shipment, accepted=95)

    need, _offer = sides(shipment)
    assert need.quantity_received == 95
    assert list(Receipt.objects.standing()) == [last]
    assert faults(at=NOW) == []


def test_what_was_not_counted_is_not_corrected() -> None:
    shipment = make_shipment(status="delivered")

    with pytest.raises(Refused) as refusal:
        fix(shipment, accepted=100)

    assert refusal.value.code == "not-counted"


def test_who_received_is_sealed() -> None:
    shipment = make_shipment(status="delivered")
    counts = [{"line": shipment.lines.get(), "accepted": 100}]
    receipt = receiving.receive(shipment, counts=counts, received_by="演练甲", by=None, at=NOW)

    receipt.refresh_from_db()
    assert receipt.received_by == "演练甲"
    assert "演练甲".encode() not in bytes(receipt.received_by_sealed)


# -- Letters


def test_the_sender_is_told_once_a_shipment_in_her_language_and_reminded_once(mailoutbox) -> None:
    shipment = make_shipment(status="delivered")
    sender = with_address(make_member("donor", shipment.consignor), language="zh-hans")
    counts = [{"line": shipment.lines.get(), "accepted": 80, "damaged": 10}]
    receiving.receive(shipment, counts=counts, received_by="演练甲", by=None, at=NOW)
    dispatch(at=NOW)
    tell(at=NOW)
    told = letters(mailoutbox, sender)
    assert len(told) == 1
    assert shipment.code[:8] in told[0].body
    assert "演练甲" not in told[0].body

    late = NOW + receiving.REMIND_AFTER
    assert receiving.remind(at=late - timedelta(seconds=1)) == 0
    assert receiving.remind(at=late) == 2
    assert receiving.remind(at=late) == 0
    dispatch(at=late)
    tell(at=late)

    assert len(letters(mailoutbox, sender)) == 2


def test_the_hospital_is_told_of_the_answer_and_the_sender_of_the_end(
    mailoutbox, donor: User, volunteer: User
) -> None:
    shipment = counted(accepted=90)
    sender = make_member("donor", shipment.consignor)
    hospital = make_member("hospital", shipment.consignee.organisation)
    dispatch(at=NOW)  # what was before they had an address is not told by mail
    for reader in (sender, hospital):
        with_address(reader, language="en")

    receiving.answer(the_ticket(shipment), proposed="replaced", answer="", by=donor, at=NOW)
    dispatch(at=NOW)
    tell(at=NOW)
    receiving.settle(the_ticket(shipment), outcome="replaced", by=volunteer, at=NOW)
    dispatch(at=NOW)
    tell(at=NOW)

    assert [letter.subject for letter in letters(mailoutbox, hospital)] == [
        "The sender has answered about your delivery"
    ]
    assert [letter.subject for letter in letters(mailoutbox, sender)] == [
        "It is settled what becomes of your goods",
    ]


def letters(mailoutbox, user: User):
    """What was written to somebody, once the letters have left."""
    return [letter for letter in mailoutbox if letter.to == [user.email]]
