"""Who is told of what: each the events of its own rows, in words that say nothing of anybody."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings as site
from django.urls import resolve

from supplies.errors import MoveRefused, Refused
from supplies.journal.models import Event
from supplies.journal.services import dispatch, record
from supplies.loads import services as loading
from supplies.needs import services as asking
from supplies.notices import services
from supplies.notices.carrying import carry
from supplies.notices.forms import kinds_in_words
from supplies.notices.models import DeliveryStatus, EndpointStatus, WebhookDelivery
from supplies.notices.telling import PARTIES, hear, name_of
from supplies.organisations import services as people
from supplies.organisations.models import Organisation
from supplies.receipts import services as receiving
from supplies.shipments import legs, rearranging, rerouting
from supplies.shipments import services as moving
from tests.makers import (
    NOW,
    make_delivery,
    make_load,
    make_need,
    make_organisation,
    make_region,
    make_shipment,
    make_user,
    make_webhook,
)
from tests.supplies.notices.receiver import Receiver

pytestmark = pytest.mark.django_db
EVERYTHING = site.WEBHOOK_KINDS


def told(organisation: Organisation) -> set[str]:
    """The kinds an organisation's webhooks were told of."""
    dispatch(at=NOW)
    rows = WebhookDelivery.objects.filter(endpoint__organisation=organisation)
    return set(rows.values_list("kind", flat=True))


def test_everything_that_can_be_told_of_is_of_a_kind_of_row_whose_parties_are_known() -> None:
    assert {kind.partition(".")[0] for kind in EVERYTHING} == {name_of(subject) for subject in PARTIES}
    for kind in EVERYTHING:
        assert "supplies.notices.telling.hear" in site.JOURNAL_LISTENERS[kind]


def test_carrier_donor_and_hospital_hear_of_their_own_and_others_of_nothing() -> None:
    shipment = make_shipment(status="booked")
    assert shipment.carrier is not None
    parties = [shipment.carrier, shipment.consignor, shipment.consignee.organisation]
    others = [make_organisation(kind) for kind in ("carrier", "donor", "hospital", "coordinator")]
    volunteers, unknown = make_organisation("volunteers"), make_organisation("volunteers", verified=False)
    for organisation in (*parties, *others, volunteers, unknown):
        make_webhook(organisation, kinds=EVERYTHING)
    dispatch(at=NOW)
    WebhookDelivery.objects.all().delete()

    moving.dispatch(shipment, by=None, at=NOW)
    asking.withdraw_need(make_need(shipment.consignee), by=None, at=NOW)

    of_the_goods = {"allocation.shipped"}
    moved = {"shipment.departed"}
    needs = {"need.opened", "need.withdrawn"}
    assert [told(organisation) for organisation in parties] == [
        moved,
        moved | of_the_goods,
        moved | of_the_goods | needs,
    ]
    assert [told(organisation) for organisation in (*others, unknown)] == [set()] * 5
    assert told(volunteers) == moved | of_the_goods | needs


def listening(*kinds: str) -> list[Organisation]:
    """Organisations of these kinds that want to hear everything, from now on."""
    made = [make_organisation(kind) for kind in kinds]
    for organisation in made:
        make_webhook(organisation, kinds=EVERYTHING)
    return made


def forget_what_was_told() -> None:
    dispatch(at=NOW)
    WebhookDelivery.objects.all().delete()


def test_both_carriers_hear_that_one_has_lost_a_shipment_to_the_other() -> None:
    first, second, other = listening("carrier", "carrier", "carrier")
    shipment = make_shipment(carrier=first, status="booked")
    forget_what_was_told()

    rearranging.reassign(shipment, carrier=second, reason="no lorry", by=None, at=NOW)

    assert [told(carrier) for carrier in (first, second, other)] == [
        {"shipment.reassigned"},
        {"shipment.reassigned"},
        set(),
    ]


def test_a_carrier_hears_of_its_leg_and_of_its_end_and_not_of_a_draft() -> None:
    road, rail, dropped = listening("carrier", "carrier", "carrier")
    shipment, hub = make_shipment(), make_region()
    ways = {"from_region": hub, "to_region": hub}
    legs.plan(shipment, legs=[{**ways, "carrier": dropped}], by=None, at=NOW)
    legs.plan(shipment, legs=[{**ways, "carrier": road}, {**ways, "carrier": rail}], by=None, at=NOW)
    assert told(dropped) == told(rail) == set()

    moving.book(shipment, carrier=road, by=None, at=NOW)
    assert told(road) == told(rail) == {"shipment.booked"}
    moving.dispatch(shipment, by=None, at=NOW)
    forget_what_was_told()

    legs.reach_hub(shipment, by=None, at=NOW)
    assert told(road) == told(rail) == {"shipment.at_hub"}
    legs.leave_hub(shipment, by=None, at=NOW)
    assert told(road) == {"shipment.at_hub"}
    assert told(rail) == {"shipment.at_hub", "shipment.left_hub"}


def test_a_carrier_hears_that_its_leg_was_planned_away() -> None:
    road, rail = listening("carrier", "carrier")
    shipment, hub = make_shipment(carrier=road, status="booked"), make_region()
    ways = {"from_region": hub, "to_region": hub}
    both = [{**ways, "carrier": road}, {**ways, "carrier": rail}]
    forget_what_was_told()
    legs.plan(shipment, legs=both, by=None, at=NOW)
    assert told(rail) == {"shipment.planned"}
    forget_what_was_told()

    legs.plan(shipment, legs=[], by=None, at=NOW)

    assert told(rail) == {"shipment.planned"}


def test_both_hospitals_hear_that_goods_were_sent_on() -> None:
    shipment = make_shipment(status="in_transit")
    need = shipment.lines.get().allocation.need
    other = make_need(item=need.item, quantity=500, emergency=need.appeal.emergency)
    sides = [shipment.consignee.organisation, other.appeal.facility.organisation]
    for organisation in sides:
        make_webhook(organisation, kinds=["shipment.rerouted"])

    rerouting.reroute(shipment, to=other.appeal.facility, reason="full", by=None, at=NOW)

    assert [told(organisation) for organisation in sides] == [{"shipment.rerouted"}] * 2


def test_of_a_ticket_the_sides_hear_and_of_a_load_the_carrier_and_the_hospital() -> None:
    load = make_load()
    place = load.places.get()
    shipment = place.shipment
    sides = [load.carrier, shipment.consignor, shipment.consignee.organisation]
    kinds = [kind for kind in EVERYTHING if kind.startswith(("ticket.", "load."))]
    for organisation in sides:
        make_webhook(organisation, kinds=kinds)
    forget_what_was_told()

    loading.dispatch(load, by=None, at=NOW)
    loading.deliver(load, by=None, at=NOW)
    count = [{"line": shipment.lines.get(), "missing": shipment.lines.get().allocation.quantity}]
    receiving.receive(shipment, counts=count, by=make_user(), at=NOW)

    of_the_load = {"load.departed", "load.delivered"}
    assert [told(organisation) for organisation in sides] == [
        of_the_load,
        {"ticket.opened"},
        {"ticket.opened", *of_the_load},
    ]


def test_only_what_was_asked_for_is_told() -> None:
    shipment = make_shipment(status="booked")
    assert shipment.carrier is not None
    make_webhook(shipment.carrier, kinds=["shipment.lost"])
    moving.dispatch(shipment, by=None, at=NOW)

    assert told(shipment.carrier) == set()


def test_heard_twice_an_event_is_told_once() -> None:
    shipment = make_shipment(status="booked")
    make_webhook(shipment.carrier, kinds=EVERYTHING)
    moving.dispatch(shipment, by=None, at=NOW)
    events = list(Event.objects.filter(kind="shipment.departed"))

    hear(events, at=NOW)
    hear(events, at=NOW)

    assert WebhookDelivery.objects.count() == 1


def test_hearing_asks_the_database_as_often_for_many_events_as_for_few(
    django_assert_num_queries: Any,
) -> None:
    shipment = make_shipment(status="booked")
    make_webhook(shipment.carrier, kinds=EVERYTHING)
    events = [record(shipment, "shipment.seen", by=None, at=NOW) for _number in range(50)]

    for some in (events[:2], events):
        with django_assert_num_queries(3):
            hear(some, at=NOW)


def test_what_is_switched_off_or_removed_is_not_told_of() -> None:
    shipment = make_shipment(status="booked")
    off, gone = (make_webhook(shipment.carrier, kinds=EVERYTHING) for _one in range(2))
    services.disable(off, by=None, at=NOW)
    services.remove(gone, by=None, at=NOW)
    moving.dispatch(shipment, by=None, at=NOW)
    dispatch(at=NOW)

    assert not WebhookDelivery.objects.exists()


# -- Thin -------------------------------------------------------------------------------------------------

CANARY = "金丝雀"


def test_a_message_has_ids_and_a_link_and_nothing_of_anybody(receiver: Receiver) -> None:
    carrier = make_organisation("carrier", name=f"{CANARY}承运")
    shipment = make_shipment(carrier=carrier, status="booked")
    Organisation.objects.filter(pk=shipment.consignor_id).update(name=f"{CANARY}捐方")
    shipment.waybill, shipment.settlement = f"{CANARY}1", f"{CANARY} 13900001111"
    shipment.save()
    dispatch(at=NOW)
    make_webhook(carrier, url=receiver.url, kinds=EVERYTHING)
    moving.dispatch(shipment, by=None, at=NOW)
    dispatch(at=NOW)
    carry(clock=lambda: NOW)

    assert len(receiver.got) == 1
    for message in receiver.got:
        assert set(message.said) == {"type", "timestamp", "data"}
        assert set(message.said["data"]) == {"object", "id", "url"}
        assert message.said["data"]["id"] == str(shipment.pk)
        for word in (CANARY, json.dumps(CANARY)[1:-1], "13900001111", shipment.code):
            assert word.encode() not in message.body
        path = message.said["data"]["url"].removeprefix(site.SITE_ADDRESS)
        assert resolve(path).url_name == "shipment-detail"


@pytest.mark.parametrize("subject", [*PARTIES, "webhookendpoint"])
def test_each_kind_of_row_has_an_address_in_the_api(subject: str) -> None:
    from supplies.notices.telling import _api

    assert (
        resolve(_api(subject, "0" * 8).removeprefix(site.SITE_ADDRESS)).url_name
        == f"{name_of(subject)}-detail"
    )


# -- The verbs ----------------------------------------------------------------------------------------------


def test_the_lifecycle_of_a_webhook_refuses_what_is_not_in_its_table() -> None:
    endpoint = make_webhook()
    with pytest.raises(MoveRefused):
        services.enable(endpoint, by=None, at=NOW)
    off = services.disable(endpoint, by=None, at=NOW)
    assert (off.status, off.disabled_because) == (EndpointStatus.DISABLED, "by_hand")
    with pytest.raises(MoveRefused):
        services.test(endpoint, by=None, at=NOW)
    services.remove(endpoint, by=None, at=NOW)
    for verb in (services.enable, services.disable, services.rotate, services.test, services.remove):
        with pytest.raises(MoveRefused):
            verb(endpoint, by=None, at=NOW)


def test_an_organisation_has_so_many_webhooks_and_no_more() -> None:
    carrier = make_organisation("carrier")
    for _number in range(services.MOST_ENDPOINTS):
        last = make_webhook(carrier)
    with pytest.raises(Refused, match="10"):
        make_webhook(carrier)

    services.remove(last, by=None, at=NOW)
    make_webhook(carrier)


def test_what_waits_is_not_replayed_and_all_that_was_given_up_since_is() -> None:
    endpoint = make_webhook()
    waiting, *failed = (make_delivery(endpoint, at=NOW - timedelta(days=day)) for day in (0, 1, 2, 3))
    for delivery in failed:
        WebhookDelivery.objects.filter(pk=delivery.pk).update(status=DeliveryStatus.FAILED, attempts=10)
    with pytest.raises(MoveRefused):
        services.replay(waiting, by=None, at=NOW)

    assert services.replay_failed(endpoint, since=NOW - timedelta(days=2), by=None, at=NOW) == 2
    assert endpoint.deliveries.filter(status=DeliveryStatus.FAILED).count() == 1


def test_the_log_is_kept_for_thirty_days() -> None:
    endpoint = make_webhook()
    make_delivery(endpoint, at=NOW - timedelta(days=31))
    kept = make_delivery(endpoint, at=NOW - timedelta(days=29))

    assert services.forget(at=NOW) == 1
    assert endpoint.deliveries.get() == kept


def test_a_manager_of_another_organisation_does_not_see_it() -> None:
    from tests.makers import make_member

    endpoint = make_webhook()
    delivery = make_delivery(endpoint)
    theirs, member = make_member("carrier"), make_member("carrier", endpoint.organisation)
    people.make_manager(theirs.memberships.get(), by=None, at=NOW)
    for person in (theirs, member):
        assert not WebhookDelivery.objects.visible_to(person).exists()

    people.make_manager(member.memberships.get(), by=None, at=NOW)

    assert WebhookDelivery.objects.visible_to(member).get() == delivery


def test_who_chooses_what_a_program_is_told_of_reads_words_and_the_kinds_of_the_messages() -> None:
    groups = dict(kinds_in_words())

    assert list(groups) == [
        "Shipment",
        "Consolidated load",
        "Ticket to a sender",
        "Need",
        "Donation",
        "Allocation",
    ]
    assert groups["Need"][-3] == ("need.met", "met · need.met")
    assert [kind for kinds in groups.values() for kind, _words in kinds] == EVERYTHING
    assert all(words != f"{kind} · {kind}" for kinds in groups.values() for kind, words in kinds)
