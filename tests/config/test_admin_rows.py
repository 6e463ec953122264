"""Every list and every page of a row of what verbs write, at the desk: one of everything is made, once for all of them."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from matching.models import FamilyRun, MatchingRun, Proposal
from supplies.allocations.models import Allocation
from supplies.journal.models import Event, IdempotencyKey, Outgoing, OutgoingMail, Seal
from supplies.needs.models import Appeal, Need
from supplies.offers.models import Donation, Offer
from supplies.organisations.models import Facility, Organisation, User
from supplies.receipts.models import Discrepancy, DiscrepancyTicket, Receipt, Thanks
from supplies.shipments.models import Shipment
from tests.config.test_admin_site import make_one_of_everything
from tests.desk import at_the_desk, list_of, page_of
from tests.makers import make_member, make_user

pytestmark = pytest.mark.django_db
WRITTEN_BY_VERBS = [
    Appeal,
    Need,
    Donation,
    Offer,
    Allocation,
    Shipment,
    Receipt,
    Discrepancy,
    DiscrepancyTicket,
    Thanks,
    MatchingRun,
    FamilyRun,
    Proposal,
    Event,
    Outgoing,
    OutgoingMail,
    IdempotencyKey,
    Seal,
    Organisation,
    Facility,
]


@pytest.fixture(scope="module", autouse=True)
def _one_of_everything(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    with django_db_blocker.unblock(), transaction.atomic():
        make_one_of_everything()
        yield
        transaction.set_rollback(True)


def whole_list_of(model: Any) -> str:
    return list_of(model) + ("?status=all" if hasattr(model, "lifecycle") else "")


@pytest.mark.parametrize("model", WRITTEN_BY_VERBS)
def test_every_list_and_every_row_opens_for_a_volunteer(volunteer: User, model: Any) -> None:
    client = at_the_desk(volunteer)

    listed = client.get(whole_list_of(model))
    opened = client.get(page_of(model.objects.first()))

    assert listed.status_code == 200
    assert listed.context["cl"].result_count > 0
    assert opened.status_code == 200


@pytest.fixture(scope="module")
def asked(_one_of_everything: None, django_db_blocker: Any) -> dict[Any, tuple[int, int]]:
    """How often each list asks the database, first for one row, then for three."""
    with django_db_blocker.unblock(), transaction.atomic():
        client = at_the_desk(make_member("volunteer"))
        for model in WRITTEN_BY_VERBS:
            client.get(whole_list_of(model))  # reads what is read once per process
        few = {model: queries(client, model) for model in WRITTEN_BY_VERBS}
        make_one_of_everything()
        make_one_of_everything()
        many = {model: queries(client, model) for model in WRITTEN_BY_VERBS}
        transaction.set_rollback(True)
    return {model: (few[model], many[model]) for model in WRITTEN_BY_VERBS}


def queries(client: Client, model: Any) -> int:
    with CaptureQueriesContext(connection) as captured:
        assert client.get(whole_list_of(model)).status_code == 200
    return len(captured)


@pytest.mark.parametrize("model", WRITTEN_BY_VERBS)
def test_a_list_asks_as_often_for_three_rows_as_for_one(
    asked: dict[Any, tuple[int, int]], model: Any
) -> None:
    few, many = asked[model]

    assert few == many <= 100


@pytest.mark.parametrize("model", WRITTEN_BY_VERBS)
def test_not_even_a_superuser_edits_adds_or_deletes_what_verbs_write(model: Any) -> None:
    client = at_the_desk(make_user("root", is_staff=True, is_superuser=True))
    row = model.objects.first()
    before = model.objects.filter(pk=row.pk).values().get()

    changed = client.post(page_of(row), {"status": "published", "quantity": 1})
    added = client.get(list_of(model) + "add/")
    deleted = client.post(page_of(row).replace("/change/", "/delete/"), {"post": "yes"})

    assert [changed.status_code, added.status_code, deleted.status_code] == [403, 403, 302]
    assert model.objects.filter(pk=row.pk).values().get() == before
