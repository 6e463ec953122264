"""The published lists of 2020, where they lie beside the checkout. They are never copied into the project."""

import csv
from datetime import date
from itertools import chain, islice
from pathlib import Path

import pytest
from django.utils import timezone

from supplies.catalogue.services import load_reference
from supplies.intake.files.opening import read_rows
from supplies.intake.formats import recognised
from supplies.intake.formats.known import PLANS
from supplies.intake.formats.sheet import HEAD
from supplies.intake.mapping import propose_mapping
from supplies.intake.models import ImportedLine, ImportedRow
from supplies.intake.reading.findings import Unreadable
from supplies.intake.reading.quantities import LARGEST, read_quantity
from supplies.intake.services import import_appeals
from supplies.needs.models import Appeal, Need, QuantityKind
from supplies.offers.models import Donation, DonationStatus, Offer
from supplies.organisations.contacts import Contact
from supplies.regions.services import load_regions
from tests.makers import NOW
from tests.whole import WHOLE

pytestmark = [
    pytest.mark.realdata,
    pytest.mark.django_db,
    pytest.mark.timeout(600),
]  # minutes beside other work


@pytest.fixture
def lists(real_data: Path) -> Path:
    """The folder of the lists, with the catalogue and the regions to read them by."""
    load_regions(at=timezone.now())
    load_reference(at=timezone.now())
    return real_data / "wuhan2020"


def test_all_thirteen_cities_import_as_they_were_meant_and_a_second_time_nothing_changes(lists: Path) -> None:
    files = files_in(lists / "published")

    first = import_appeals(files, "wuhan2020", by=None, at=NOW)
    needs = Need.objects.count()
    second = import_appeals(files, "wuhan2020", by=None, at=NOW)

    assert (first.files, first.rows, first.created, first.failed) == (13, 151, 151, 0)
    assert first.as_of == date(2020, 2, 5)
    assert first.errors == []
    assert first.needs == needs > 1300
    assert first.needs_by_kind["unlimited"] > 1200
    assert (second.created, second.changed, second.unchanged, second.needs) == (0, 0, 151, 0)
    assert Need.objects.count() == needs

    unlimited = Need.objects.filter(quantity_kind=QuantityKind.UNLIMITED)
    respirators = Need.objects.filter(as_written__startswith="医用防护口罩/N95口罩")
    assert not Need.objects.filter(quantity=1).exists()
    assert not unlimited.exclude(quantity=None).exists()
    assert set(respirators.values_list("item", flat=True)) == {"RESP_MED"}
    assert set(respirators.values_list("accepted_standards", flat=True)) == {"GB19083-2010-1"}
    assert not ImportedRow.objects.filter(facility=None).exists()
    assert Contact.objects.count() > 250
    for remark in Appeal.objects.exclude(remark="").values_list("remark", flat=True):
        assert not any(run.isdigit() and len(run) >= 12 for run in remark.replace("\n", " ").split())


def test_the_makers_import_without_inventing_a_quantity(lists: Path) -> None:
    report = import_appeals([lists / "other" / "factory.json"], "wuhan2020-makers", by=None, at=NOW)

    assert (report.rows, report.failed) == (21, 0)
    assert not Offer.objects.filter(quantity=1).exists()
    assert sorted(Offer.objects.values_list("quantity", flat=True)) == [5_000, 50_000, 1_000_000]
    assert set(Donation.objects.values_list("status", flat=True)) == {DonationStatus.WAITING}
    assert ImportedLine.objects.waiting().count() == 21


@pytest.mark.parametrize(
    "name",
    [
        "getusppe-retrospective/all_offers.csv",
        "getusppe-retrospective/all_matches.csv",
        "getusppe-ijoc/anon_donors.csv",
    ],
)
def test_the_absurd_figures_of_a_peer_are_refused_and_the_rest_is_read(real_data: Path, name: str) -> None:
    with (real_data / name).open(encoding="utf-8") as file:
        cells = [row["qty"] for row in csv.DictReader(file)]
    read, refused = 0, 0

    for cell in cells:
        try:
            quantity = read_quantity(cell)
        except Unreadable:
            refused += 1
            assert not 1 <= float(cell) <= LARGEST or float(cell) % 1
        else:
            read += 1
            assert quantity.low is None or quantity.low == float(cell)

    assert read + refused == len(cells)
    assert read > len(cells) * 0.9


# -- every file -------------------------------------------------------------------------------------------

READ = {
    "wuhan2020/published": ("wuhan2020", 151, 0),
    "wuhan2020/snapshots": ("wuhan2020", 92, 0),
    "wuhan2020/cells": ("wuhan2020-cells", 151, 7),
    "wuhan2020/other/factory.json": ("wuhan2020-makers", 21, 0),
    "wuhan2020-early": ("wuhan2020-early", 15, 0),
    "wuhan2020-sheet-gb18030": ("wuhan2020-sheet", 17, 0),
    "wuhan-support/hospitals.csv": ("wuhan-support", 7, 0),
    "redcross-hubei/hubei-inflow.csv": ("redcross-hubei-in", 14, 4),
    "redcross-hubei/hubei-outflow.csv": ("redcross-hubei-out", 14, 3),
    "findthemasks-us": ("findthemasks", 1240, 4),
    "getusppe-ijoc/anon_donors.csv": ("getusppe-donors", 1280, 0),
    "getusppe-ijoc/anon_recipients.csv": ("getusppe-requests", 3722, 0),
    "getusppe-retrospective/all_offers.csv": ("getusppe-offers", 3416, 0),
    "getusppe-retrospective/all_matches.csv": ("getusppe-matches", 172, 4272),
}
OF_ANOTHER_KIND = {
    "wuhan2020/other/logistical.json": "list-of-carriers",
    "wuhan2020/other/donation.json": "list-of-channels",
    "wuhan2020/other/enterprise_donation.json": "list-of-gifts",
    "wuhan2020/other/sync_errors_hospital.json": "list-of-faults",
    "wuhan-support/designated_hospitals": "list-of-hospitals",
    "cn-regions": "list-of-regions",
    "getusppe-retrospective/lookup_equipment_type.csv": "list-of-words",
    "getusppe-retrospective/lookup_facility_type.csv": "list-of-words",
    "getusppe-retrospective/facility_type_map.csv": "list-of-counts",
    "getusppe-retrospective/ppe_type.csv": "list-of-counts",
    "getusppe-retrospective/supply_remaining.csv": "list-of-counts",
}


def files_in(place: Path) -> list[Path]:
    every = [place] if place.is_file() else sorted(place.rglob("*"))
    return [file for file in every if file.suffix in {".csv", ".json"}]


@pytest.mark.parametrize("place", READ)
def test_every_list_is_known_by_its_headings_and_gives_rows_or_reasons(real_data: Path, place: str) -> None:
    code, rows, refused = READ[place]
    read, reasons = 0, []

    for file in files_in(real_data / place):
        with read_rows(file) as opened:
            kind = recognised(head := list(islice(opened, HEAD)))
            assert kind is not None
            assert kind.code == code
            for number, raw in kind.rows(chain(head, opened), opened.findings):
                try:
                    listed = kind.read(raw)
                except Unreadable as why:
                    reasons.append((number, str(why)))
                    continue
                read += 1
                assert all(
                    line.quantity is None or line.quantity.low != 1 or "1" in line.raw
                    for line in listed.goods
                )
                assert all(line.quantity is not None or line.findings for line in listed.goods)

    assert (read, len(reasons)) == (rows, refused)
    assert all(reason for _number, reason in reasons)


def test_no_file_is_left_out(real_data: Path) -> None:
    places = [real_data / place for place in (*READ, *OF_ANOTHER_KIND)]

    for file in files_in(real_data):
        assert any(file == place or place in file.parents for place in places), file


@pytest.mark.parametrize("place", OF_ANOTHER_KIND)
def test_what_is_no_list_of_needs_is_refused_with_what_it_is(real_data: Path, place: str) -> None:
    for file in files_in(real_data / place):
        with read_rows(file) as opened, pytest.raises(Unreadable) as refused:
            recognised(list(islice(opened, HEAD)))

        assert refused.value.finding.code == OF_ANOTHER_KIND[place]


# Hundreds of lines or thousands of rows, each of which takes dozens of statements: WHOLE=1 enters them, and takes its time.
LONG = {
    "findthemasks-us",
    "wuhan2020/cells",
    "getusppe-ijoc/anon_donors.csv",
    "getusppe-ijoc/anon_recipients.csv",
    "getusppe-retrospective/all_offers.csv",
    "getusppe-retrospective/all_matches.csv",
}
SKIPPED = pytest.mark.skipif(not WHOLE, reason="a long list: WHOLE=1 enters it")
# Here a 1 is a count that somebody gave; everywhere else it says "wanted" and becomes no quantity.
COUNTED = ("getusppe-ijoc/", "getusppe-retrospective/")
ENTERED = [
    pytest.param(place, marks=[SKIPPED, pytest.mark.timeout(3600)] if place in LONG else [])
    for place in READ
    if place != "wuhan2020/published"  # above, with what it means
]


@pytest.mark.parametrize("place", ENTERED)
def test_every_list_imports_with_its_reasons_and_a_second_time_changes_nothing(
    lists: Path, place: str
) -> None:
    code, _rows, refused = READ[place]
    files = files_in(lists.parent / place)

    first = import_appeals(files, code, by=None, at=NOW)
    again = import_appeals(files, code, by=None, at=NOW)

    assert first.failed >= refused
    assert first.created + first.changed + first.unchanged + first.failed == first.rows
    assert all(error.finding.sentence for error in first.errors)
    assert (again.created, again.changed, again.failed) == (0, 0, first.failed)
    if not place.startswith(COUNTED):
        assert not Need.objects.filter(quantity=1).exists()
        assert not Offer.objects.filter(quantity=1).exists()
    assert not Donation.objects.exclude(status=DonationStatus.WAITING).exists()


def test_the_columns_of_the_sheet_are_proposed_as_they_are(lists: Path) -> None:
    with read_rows(lists.parent / "wuhan2020-sheet-gb18030" / "HOSPITAL.csv") as opened:
        proposal = propose_mapping(list(islice(opened, HEAD)), source="wuhan2020")

    plan = PLANS["wuhan2020-sheet"][0]
    roles = {column.label: column.role for column in proposal.plan.columns}
    assert proposal.plan.header_rows == plan.header_rows
    wrong = {c.label: roles.get(c.label) for c in plan.columns if roles.get(c.label) != c.role}
    assert len(wrong) <= 4, wrong
    assert roles["医院名称"] == "name"
