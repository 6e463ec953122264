"""Every list of the API, and how its rows are made."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

from matching.models import Shortfall
from supplies.notices.searches import SavedSearch
from supplies.organisations import services as people
from supplies.organisations.models import User
from supplies.privacy.services import reveal
from supplies.receipts import services as receiving
from supplies.regions.models import Region
from tests.makers import (
    NOW,
    make_allocation,
    make_announcement,
    make_appeal,
    make_batch,
    make_category,
    make_delivery,
    make_donation,
    make_emergency,
    make_facility,
    make_foreign_need,
    make_item,
    make_listing,
    make_load,
    make_need,
    make_notice,
    make_offer,
    make_organisation,
    make_proposal,
    make_region,
    make_shipment,
    make_standard,
    make_user,
    make_webhook,
)


def _regions(number: int) -> None:
    china = make_region("CN", "中国", level="country", scheme="ISO3166-1")
    first = Region.objects.count()
    for position in range(number):
        make_region(f"1{first + position:05}", f"区{first + position}", china)


def _times(make: Callable[..., Any]) -> Callable[[int], None]:
    def many(number: int) -> None:
        for _position in range(number):
            make()

    return many


def _items(number: int) -> None:
    for _position in range(number):
        item = make_item(f"ITEM{make_user().pk}")
        make_category(f"c{make_user().pk}")
        make_standard(f"S{item.pk}", items=[item])


def _emergencies(number: int) -> None:
    for _position in range(number):
        make_emergency(f"e{make_user().pk}").regions.add(make_region())


def _runs(number: int) -> None:
    for _position in range(number):
        make_proposal()


def _shortfalls(number: int) -> None:
    for _position in range(number):
        made = make_proposal()
        Shortfall.objects.create(
            need=made.need, family_run=made.family_run, missing=7, cause="waits", figure=3, as_of=NOW
        )


def _contacts(number: int) -> None:
    for position in range(number):
        people.keep_contact(make_organisation(), phone=f"000-{position:04}", at=NOW)


def _reveals(number: int) -> None:
    """Of what the reader of the list entered."""
    whose = User.objects.get(memberships__role="volunteer")
    for _position in range(number):
        contact = people.keep_contact(make_organisation(), phone="000-1234", at=NOW, by=whose)
        reveal(contact, purpose="own", by=whose, at=NOW)


def _webhooks(number: int) -> None:
    """Each of an organisation the reader manages."""
    reader = User.objects.get(memberships__role="volunteer")
    for _position in range(number):
        carrier = make_organisation("carrier")
        people.enrol(reader, carrier, "carrier", by=None, at=NOW, is_manager=True)
        make_delivery(make_webhook(carrier))


def _notices(number: int) -> None:
    reader = User.objects.get(memberships__role="volunteer")
    for _position in range(number):
        make_notice(reader)


def _searches(number: int) -> None:
    """More than anybody may save by himself, as of before there was a limit."""
    reader = User.objects.get(memberships__role="volunteer")
    SavedSearch.objects.bulk_create(
        SavedSearch(user=reader, over="needs", name="drill", q=str(uuid4()), created_at=NOW)
        for _position in range(number)
    )


def a_short_count() -> None:
    shipment = make_shipment(status="delivered")
    receiving.receive(shipment, counts=[{"line": shipment.lines.get(), "accepted": 90}], by=None, at=NOW)


LISTS: dict[str, Callable[[int], None]] = {
    "regions/": _regions,
    "categories/": _items,
    "items/": _items,
    "standards/": _items,
    "emergencies/": _emergencies,
    "organisations/": _times(make_organisation),
    "facilities/": _times(make_facility),
    "announcements/": _times(make_announcement),
    "listed-facilities/": _times(lambda: make_listing(make_organisation())),
    "appeals/": _times(lambda: make_appeal(lines=[{}, {}])),
    "needs/": _times(make_need),
    "foreign-needs/": _times(make_foreign_need),
    "donations/": _times(lambda: make_donation(lines=[{}, {}])),
    "offers/": _times(lambda: make_offer(standard=make_standard())),
    "intake-batches/": _times(make_batch),
    "matching-runs/": _runs,
    "proposals/": _runs,
    "shortfalls/": _shortfalls,
    "allocations/": _times(make_allocation),
    "shipments/": _times(lambda: make_shipment(status="delivered")),
    "loads/": _times(make_load),
    "tickets/": _times(a_short_count),
    "contacts/": _contacts,
    "reveals/": _reveals,
    "notices/": _notices,
    "saved-searches/": _searches,
    "webhook-endpoints/": _webhooks,
    "webhook-deliveries/": _webhooks,
}
