"""The board: every shipment that is not over is in one column, counted right, and seen by whom it concerns."""

import random
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from supplies.organisations.models import User
from supplies.shipments import legs
from supplies.shipments import services as moving
from supplies.shipments.board import CARDS, State, columns
from supplies.shipments.models import Shipment
from tests.desk import at_the_desk, list_of
from tests.makers import (
    NOW,
    make_allocation,
    make_facility,
    make_member,
    make_need,
    make_organisation,
    make_region,
    make_shipment,
)

pytestmark = pytest.mark.django_db
SAID: dict[str, Any] = {"by": None, "at": NOW}
BOARD = "admin:supplies_shipment_board"


def at_a_hub() -> Shipment:
    trucker, flyer = make_organisation("carrier"), make_organisation("carrier")
    ends = [make_region(f"42010{number}") for number in (2, 3, 4)]
    way = [
        {"from_region": ends[place], "to_region": ends[place + 1], "carrier": carrier}
        for place, carrier in enumerate((trucker, flyer))
    ]
    shipment = legs.plan(make_shipment(carrier=trucker, status="booked"), legs=way, **SAID)
    return legs.reach_hub(moving.dispatch(shipment, **SAID), **SAID)


MAKE: dict[str, Any] = {
    "draft": lambda: make_shipment(),
    "booked": lambda: make_shipment(status="booked"),
    "moving": lambda: make_shipment(status="in_transit"),
    "at_hub": at_a_hub,
    "at_the_door": lambda: moving.arrive(make_shipment(status="in_transit"), **SAID),
    "uncounted": lambda: make_shipment(status="delivered"),
    "trouble": lambda: moving.lose(make_shipment(status="in_transit"), **SAID),
    "": lambda: moving.cancel(make_shipment(), **SAID),
}


def test_every_shipment_that_is_not_over_is_counted_in_its_column_alone() -> None:
    chance = random.Random(6)
    made = {state: [MAKE[state]() for _ in range(chance.randint(1, 3))] for state in MAKE}

    board = columns(Shipment.objects.all())

    assert {column.state.value: column.count for column in board} == {
        state: len(rows) for state, rows in made.items() if state
    }
    for column in board:
        assert {card.pk for card in column.cards} == {row.pk for row in made[column.state.value]}


def test_what_left_a_hub_again_is_in_transit() -> None:
    shipment = legs.leave_hub(at_a_hub(), **SAID)

    board = {column.state: column for column in columns(Shipment.objects.all())}

    assert [card.pk for card in board[State.MOVING].cards] == [shipment.pk]
    assert board[State.AT_HUB].count == 0


def test_a_column_shows_those_that_wait_longest_and_says_how_many_more() -> None:
    rows = [make_shipment() for _ in range(CARDS + 2)]
    for age, row in enumerate(rows):
        Shipment.objects.filter(pk=row.pk).update(created_at=NOW - timedelta(days=age))

    draft = columns(Shipment.objects.all())[0]

    assert [card.pk for card in draft.cards] == [row.pk for row in reversed(rows)][:CARDS]
    assert (draft.count, draft.more, draft.oldest) == (CARDS + 2, 2, NOW - timedelta(days=CARDS + 1))


def test_each_shipment_says_what_is_wrong_with_it(volunteer: User) -> None:
    lost, fine, late = MAKE["trouble"](), make_shipment(), make_shipment(status="in_transit")
    cold = moving.dispatch(make_shipment(status="booked"), by=None, at=timezone.now())
    today = timezone.localdate()
    Shipment.objects.filter(pk=late.pk).update(
        expected_on=today - timedelta(days=3), departed_at=timezone.now() - timedelta(days=9)
    )
    Shipment.objects.filter(pk=cold.pk).update(min_temp_c=2, max_temp_c=8, coldest_c=-1, warmest_c=5)
    client = at_the_desk(volunteer)

    board = client.get(reverse(BOARD)).context["columns"]
    rows = client.get(list_of(Shipment)).context["cl"].result_list

    wrong = {
        lost.pk: "lost",
        fine.pk: "",
        late.pk: "3 days late; no news for 9 days",
        cold.pk: "too cold or too warm (-1.0 – 5.0 °C)",
    }
    assert {card.pk: card.wrong for column in board for card in column.cards} == wrong
    assert {row.pk: row.wrong for row in rows} == wrong


def test_settled_trouble_leaves_the_board(volunteer: User) -> None:
    moving.settle(MAKE["trouble"](), note="Replaced.", by=volunteer, at=NOW)

    assert sum(column.count for column in columns(Shipment.objects.all())) == 0


def test_the_board_asks_as_many_questions_of_many_as_of_one(volunteer: User) -> None:
    client = at_the_desk(volunteer)

    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert client.get(reverse(BOARD)).status_code == 200
        return len(queries)

    for make in MAKE.values():
        make()
    asked()
    few = asked()
    for make in MAKE.values():
        make()
        make()

    assert asked() == few


def test_a_coordinator_sees_what_leaves_or_enters_her_regions() -> None:
    anhui = make_region("340102", "演练区")
    inside = make_shipment(make_allocation(need=make_need(make_facility(region=anhui))))
    make_shipment()
    coordinator = make_member("coordinator")
    coordinator.memberships.get().regions.add(anhui)

    page = at_the_desk(coordinator).get(reverse(BOARD))

    assert [card.pk for column in page.context["columns"] for card in column.cards] == [inside.pk]
    assert sum(column.count for column in page.context["columns"]) == 1


def test_nobody_else_sees_the_board() -> None:
    for role in ("hospital", "donor", "carrier"):
        assert at_the_desk(make_member(role)).get(reverse(BOARD)).status_code == 302


def test_the_board_is_narrowed_as_the_list_is(volunteer: User) -> None:
    cold = make_shipment(status="booked")
    Shipment.objects.filter(pk=cold.pk).update(min_temp_c=2, max_temp_c=8)
    line = make_shipment(status="booked").lines.get()
    line.un_number, line.hazard_class = "1170", "3"
    line.save()
    client = at_the_desk(volunteer)

    for query, expected in {
        "cargo=cold": {cold.pk},
        "cargo=dangerous": {line.shipment_id},
        f"carrier={cold.carrier_id}": {cold.pk},
        "region=420000": {cold.pk, line.shipment_id},
        "emergency=flu-2026": {cold.pk, line.shipment_id},
        "cargo=nothing&region=999999&carrier=1": {cold.pk, line.shipment_id},
    }.items():
        page = client.get(f"{reverse(BOARD)}?{query}")
        shown = {card.pk for column in page.context["columns"] for card in column.cards}
        rows = client.get(f"{list_of(Shipment)}?status=all&{query}").context["cl"].result_list
        assert shown == {row.pk for row in rows} == expected, query


def test_what_is_silent_overdue_or_too_warm_waits_on_the_first_page(volunteer: User, settings: Any) -> None:
    settings.SILENT_DAYS = 3
    fine, late, silent, warm = (make_shipment(status="in_transit") for _ in range(4))
    now = timezone.now()
    Shipment.objects.update(departed_at=now - timedelta(days=9), sighted_at=now - timedelta(days=2))
    Shipment.objects.filter(pk=late.pk).update(expected_on=timezone.localdate(now) - timedelta(days=1))
    Shipment.objects.filter(pk=fine.pk).update(expected_on=timezone.localdate(now))
    Shipment.objects.filter(pk=silent.pk).update(sighted_at=now - timedelta(days=4))
    Shipment.objects.filter(pk=warm.pk).update(max_temp_c=8, coldest_c=5, warmest_c="8.1")
    client = at_the_desk(volunteer)

    for state, row in {"overdue": late, "silent": silent, "alarm": warm}.items():
        found = client.get(f"{list_of(Shipment)}?status=all&state={state}").context["cl"].result_list
        assert [each.pk for each in found] == [row.pk], state
        (card,) = [
            card
            for card in client.get(reverse("admin:index")).context["cards"]
            if f"state={state}" in card.url
        ]
        assert card.count == 1
