import pytest
from django.test import Client
from django.urls import reverse

from supplies.catalogue.models import Standard, TransportMode
from supplies.editions.models import ReferenceEdition
from tests.desk import version
from tests.makers import make_user
from tests.sign_in import sign_in

pytestmark = pytest.mark.usefixtures("shipped", "db")

TABLES = [
    "category",
    "unit",
    "item",
    "unitrule",
    "standard",
    "substitution",
    "transportmode",
    "referenceedition",
]


@pytest.fixture
def desk(client: Client) -> Client:
    return sign_in(client, make_user("admin", is_staff=True, is_superuser=True))


@pytest.mark.parametrize("table", TABLES)
def test_every_list_opens_with_a_constant_number_of_queries(
    desk: Client, table: str, django_assert_max_num_queries: object
) -> None:
    with django_assert_max_num_queries(20):  # type: ignore[operator]
        page = desk.get(reverse(f"admin:supplies_{table}_changelist"))

    assert page.status_code == 200


@pytest.mark.parametrize("table", ["item", "unit", "unitrule", "standard", "substitution"])
def test_rows_are_searched_by_text(desk: Client, table: str) -> None:
    page = desk.get(reverse(f"admin:supplies_{table}_changelist"), {"q": "a"})

    assert page.status_code == 200
    assert page.context["cl"].result_count > 0


def test_a_saved_row_is_marked_as_edited_under_a_new_edition(desk: Client) -> None:
    form = {
        "name_zh": "公路",
        "name_en": "Road",
        "km_per_day": 600,
        "max_km": "",
        "rec19": "3",
        "source": "TYP",
        **version(TransportMode.objects.get(code="road")),
    }

    desk.post(reverse("admin:supplies_transportmode_change", args=["road"]), form)

    road = TransportMode.objects.get(code="road")
    assert (road.km_per_day, road.edited_at is not None) == (600, True)
    assert ReferenceEdition.objects.versions()["catalogue.transportmode"] == 2


def test_an_edition_itself_cannot_be_edited(desk: Client) -> None:
    edition = ReferenceEdition.objects.get(table="catalogue.item")

    answer = desk.post(reverse("admin:supplies_referenceedition_change", args=[edition.pk]), {"version": 9})

    assert answer.status_code == 403


def test_the_goods_of_a_standard_are_corrected_on_its_page(desk: Client) -> None:
    standard = Standard.objects.get(code="EN166")
    page = desk.get(reverse("admin:supplies_standard_change", args=["EN166"]))
    form = {k: "" if v is None else v for k, v in page.context["adminform"].form.initial.items()}
    form |= {"items": ["GOGGLES"], "aliases": "EN166", "is_verified": "", **version(standard)}

    answer = desk.post(reverse("admin:supplies_standard_change", args=["EN166"]), form)

    assert answer.status_code == 302
    assert [item.code for item in standard.items.all()] == ["GOGGLES"]
