import pytest
from django.db.models import QuerySet

from supplies.federation.api import ForeignNeedFilter
from supplies.federation.models import ForeignNeed
from supplies.needs.api import NeedFilter
from supplies.needs.models import Need
from supplies.offers.api import OfferFilter
from supplies.offers.models import Offer
from supplies.opendata.api import FlowSums, GapSums, OfferSums
from supplies.opendata.fhir_api import RequestSearch
from supplies.shipments.models import ShipmentLine
from tests.api_client import Speaker, today  # noqa: F401
from tests.makers import make_category, make_item, make_standard

pytestmark = pytest.mark.django_db


def codes(path: str, **query: str) -> list[str]:
    return [row["code"] for row in Speaker().get(path, **query).json()["results"]]


def test_items_are_found_by_category_name_and_synonym() -> None:
    make_item("MASK")
    make_item(
        "GLOVE", category=make_category("gloves"), name_zh="手套", name_en="Glove", synonyms=["乳胶手套"]
    )

    assert codes("items/", category="gloves") == ["GLOVE"]
    assert codes("items/", q="手") == ["GLOVE"]
    assert codes("items/", q="乳胶手套") == ["GLOVE"]
    assert codes("items/") == ["GLOVE", "MASK"]


def test_an_item_that_is_no_longer_used_is_not_listed() -> None:
    make_item("OLD", is_active=False)

    assert codes("items/") == []
    assert Speaker().get("items/OLD/").status_code == 404


def test_a_standard_with_a_dot_in_its_code_can_be_read() -> None:
    make_standard("ANSIZ87.1")

    assert Speaker().get("standards/ANSIZ87.1/").json()["code"] == "ANSIZ87.1"


def test_standards_are_found_by_item_and_status() -> None:
    make_standard("S1")
    make_standard("S2", items=[make_item("OTHER")], status="lapsed")

    assert codes("standards/", item="OTHER") == ["S2"]
    assert codes("standards/", status="current") == ["S1"]


def test_names_are_in_the_reader_s_language() -> None:
    make_item()

    def name(language: str) -> str:
        answer = Speaker().client.get("/api/v1/items/MASK_SURG/", HTTP_ACCEPT_LANGUAGE=language)
        return str(answer.json()["name"])

    assert (name("zh-CN"), name("en")) == ("医用外科口罩", "Surgical mask")


def test_notes_are_in_the_reader_s_language_and_in_both() -> None:
    make_item(note="cold chain", note_zh="冷链")

    def notes(language: str) -> list[str]:
        answer = Speaker().client.get("/api/v1/items/MASK_SURG/", HTTP_ACCEPT_LANGUAGE=language).json()
        return [answer[name] for name in ("note", "note_zh", "note_en")]

    assert notes("zh-CN") == ["冷链", "冷链", "cold chain"]
    assert notes("en") == ["cold chain", "冷链", "cold chain"]


BY_CATEGORY = [
    (NeedFilter, Need),
    (OfferFilter, Offer),
    (ForeignNeedFilter, ForeignNeed),
    (RequestSearch, Need),
    (OfferSums, Offer),
    (GapSums, Need),
    (FlowSums, ShipmentLine),
]


@pytest.mark.parametrize(("narrow", "model"), BY_CATEGORY, ids=lambda each: each.__name__)
def test_the_items_of_a_category_are_looked_up_and_not_joined(narrow: type, model: type) -> None:
    """Joined, all rows are walked through for a category of which nothing is open."""
    make_item("GLOVE", category=make_category("gloves"))

    rows: QuerySet = narrow({"category": "gloves"}, model.objects.all()).qs
    asked = str(rows.query)

    assert "GLOVE" in asked
    assert "category_id" not in asked.partition(" FROM ")[2]
