"""The published lists of 2020, where they lie beside the checkout. They are never copied into the project."""

import csv
from datetime import date
from pathlib import Path

import pytest
from django.utils import timezone

from supplies.catalogue.services import load_reference
from supplies.intake.models import ImportedLine, ImportedRow
from supplies.intake.reading.findings import Unreadable
from supplies.intake.reading.quantities import LARGEST, read_quantity
from supplies.intake.services import import_appeals
from supplies.needs.models import Appeal, Need, QuantityKind
from supplies.offers.models import Donation, DonationStatus, Offer
from supplies.organisations.models import Contact
from supplies.regions.services import load_regions
from tests.makers import NOW

pytestmark = [pytest.mark.realdata, pytest.mark.django_db]


@pytest.fixture
def lists(real_data: Path) -> Path:
    """The folder of the lists, with the catalogue and the regions to read them by."""
    load_regions(at=timezone.now())
    load_reference(at=timezone.now())
    return real_data / "wuhan2020"


def test_all_thirteen_cities_import_and_a_second_time_nothing_changes(lists: Path) -> None:
    files = sorted((lists / "published").glob("*.json"))

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


def test_what_the_lists_say_is_read_as_it_was_meant(lists: Path) -> None:
    import_appeals(sorted((lists / "published").glob("*.json")), "wuhan2020", by=None, at=NOW)

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
