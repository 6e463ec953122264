"""The hospital's workspace, its doorway, and the copy of all that concerns it."""

import csv
import io
import zipfile
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from supplies.desks.hospital import NEEDS_SHOWN
from supplies.journal.models import Event
from supplies.needs.models import Need
from supplies.organisations.models import Facility
from supplies.organisations.roles import Role
from supplies.organisations.services import enrol
from supplies.receipts.services import receive
from tests.makers import (
    NOW,
    make_allocation,
    make_appeal,
    make_facility,
    make_member,
    make_need,
    make_offer,
    make_organisation,
    make_shipment,
    make_user,
)
from tests.page_client import reader

pytestmark = pytest.mark.django_db
HOME = reverse("my-hospital")


def officer_of(facility: Facility):
    return make_member("hospital", facility.organisation)


def arrived_at(facility: Facility):
    return make_shipment(make_allocation(need=make_need(facility)), status="delivered")


def test_a_newcomer_is_led_to_the_first_of_three_steps() -> None:
    page = reader(make_user()).get(HOME).content.decode()

    assert reverse("register-hospital") in page
    assert "Three steps to the first need" in page


def test_a_registered_hospital_goes_on_where_it_stopped() -> None:
    facility = make_facility(make_organisation("hospital", status="unverified"))
    client = reader(officer_of(facility))

    page = client.get(HOME).content.decode()

    assert reverse("hand-in-evidence", args=[facility.organisation_id]) in page
    assert "Usually that takes a few days." in page


def test_a_hospital_that_has_asked_and_is_verified_sees_no_steps() -> None:
    facility = make_facility()
    make_need(facility)

    assert "Three steps" not in reader(officer_of(facility)).get(HOME).content.decode()


def test_what_waits_comes_with_its_number_its_age_and_one_action() -> None:
    facility = make_facility()
    shipment = arrived_at(facility)
    Need.objects.update(is_grey=True, confirmed_at=timezone.now() - timedelta(days=9, minutes=1))

    answer = reader(officer_of(facility)).get(HOME)

    told = [(row.count, row.address) for row in answer.context["waiting"]]
    assert told == [(1, reverse("count-shipment", args=[shipment.pk])), (1, "#still-needed")]
    assert "the oldest 9 days ago" in answer.content.decode()


def test_nothing_of_another_hospital_is_shown_or_counted() -> None:
    arrived_at(make_facility())
    Need.objects.update(is_grey=True)

    answer = reader(officer_of(make_facility())).get(HOME)

    assert answer.context["waiting"] == []
    assert [answer.context[name] for name in ("open", "appeals", "quiet")] == [[], [], []]


def test_what_is_still_needed_is_said_in_one_press_and_leads_back_here() -> None:
    need = make_need()
    Need.objects.update(is_grey=True)
    client = reader(officer_of(need.appeal.facility))

    answer = client.post(reverse("confirm-need", args=[need.pk]), {"next": HOME})

    need.refresh_from_db()
    assert answer.url == HOME
    assert not need.is_grey


def test_it_leads_nowhere_else() -> None:
    need = make_need()
    client = reader(officer_of(need.appeal.facility))

    answer = client.post(reverse("confirm-need", args=[need.pk]), {"next": "https://example.org/"})

    assert answer.url == reverse("appeal", args=[need.appeal_id])


def test_the_page_asks_as_little_for_many_rows_as_for_one() -> None:
    facility = make_facility()
    member = officer_of(facility)
    client = reader(member)

    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            assert client.get(HOME).status_code == 200
        return len([query for query in asked if "SAVEPOINT" not in query["sql"]])

    arrived_at(facility)
    make_shipment(make_allocation(need=make_need(facility)), status="in_transit")
    Need.objects.update(is_grey=True)
    client.get(HOME)  # what is kept for an hour is counted
    few = queries()
    for _number in range(3):
        arrived_at(facility)
        make_shipment(make_allocation(need=make_need(facility)), status="in_transit")
    Need.objects.update(is_grey=True)

    assert queries() == few <= 12


def test_the_doorway_tells_each_role_what_waits_for_it() -> None:
    facility = make_facility()
    arrived_at(facility)

    waiting = reader(officer_of(facility)).get(reverse("mine")).context["waiting"]

    assert [(row.count, row.address) for row in waiting] == [(1, HOME)]
    assert reader(make_user()).get(reverse("mine")).context["waiting"] == []


def test_the_doorway_asks_as_little_for_many_rows_as_for_one() -> None:
    facility = make_facility()
    client = reader(officer_of(facility))

    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            client.get(reverse("mine"))
        return len([query for query in asked if "SAVEPOINT" not in query["sql"]])

    arrived_at(facility)
    queries()
    few = queries()
    for _number in range(3):
        arrived_at(facility)

    assert queries() == few <= 12


# -- the copy ------------------------------------------------------------------------------------------------


def tables(client) -> dict[str, list[list[str]]]:
    answer = client.post(reverse("copy-my-hospital"))
    assert answer["Content-Type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        return {
            name: list(csv.reader(io.StringIO(archive.read(name).decode("utf-8-sig"))))
            for name in archive.namelist()
        }


def test_a_hospital_takes_away_all_that_concerns_it_and_nothing_else() -> None:
    facility = make_facility(name="Ours")
    shipment = arrived_at(facility)
    line = shipment.lines.get()
    receive(shipment, counts=[{"line": line, "accepted": line.allocation.quantity}], by=None, at=NOW)
    make_appeal(make_facility(name="Theirs"))
    member = officer_of(facility)

    found = tables(reader(member))

    assert set(found) == {"needs.csv", "promises.csv", "shipments.csv", "receipts.csv"}
    assert [len(rows) for rows in found.values()] == [2, 2, 2, 2]
    assert "Theirs" not in str(found)
    event = Event.objects.get(kind="list.downloaded")
    assert (event.by, event.facts["rows"]) == (member, 4)


def test_no_cell_of_the_copy_is_a_formula() -> None:
    donor = make_organisation("donor", name='=HYPERLINK("http://example.org")')
    facility = make_facility()
    make_allocation(need=make_need(facility), offer=make_offer(donor))

    promised = tables(reader(officer_of(facility)))["promises.csv"]

    assert '\'=HYPERLINK("http://example.org")' in promised[1]


def test_who_acts_for_two_hospitals_is_led_to_the_needs_of_both() -> None:
    one, other = make_facility(), make_facility()
    officer = officer_of(one)
    enrol(officer, other.organisation, Role.HOSPITAL, by=None, at=NOW)
    for site in (one, other):
        make_appeal(site, lines=[{}] * NEEDS_SHOWN)

    page = reader(officer).get(HOME).content.decode()

    for site in (one, other):
        assert f"?organisation={site.organisation_id}" in page
        assert f"status=any&amp;organisation={site.organisation_id}" in page
