import pytest
from django.test import Client
from django.urls import reverse

from supplies.regions.models import Region
from tests.desk import version
from tests.makers import make_user
from tests.sign_in import sign_in

pytestmark = pytest.mark.usefixtures("shipped", "db")


@pytest.fixture
def desk(client: Client) -> Client:
    return sign_in(client, make_user("admin", is_staff=True, is_superuser=True))


def test_the_list_is_searched_by_name_with_a_constant_number_of_queries(
    desk: Client, django_assert_max_num_queries: object
) -> None:
    with django_assert_max_num_queries(12):  # type: ignore[operator]
        page = desk.get(reverse("admin:supplies_region_changelist"), {"q": "武昌"})

    assert "420106" in page.content.decode()


def test_saving_marks_the_row_as_edited_and_leaves_its_code(desk: Client) -> None:
    wuchang = Region.objects.get(code="420106")
    form = {
        "code": "999999",
        "name_zh": "武昌",
        "name_en": "Wuchang",
        "parent": "420100",
        "level": "district",
        "scheme": "GBT2260",
        "datum": "unstated",
        "aliases": "",
        "lat": wuchang.lat,
        "lon": wuchang.lon,
        **version(wuchang),
    }

    answer = desk.post(reverse("admin:supplies_region_change", args=["420106"]), form)

    wuchang.refresh_from_db()
    assert answer.status_code == 302
    assert (wuchang.name_en, wuchang.edited_at is not None) == ("Wuchang", True)
    assert not Region.objects.filter(code="999999").exists()


def test_a_region_moved_inside_itself_is_refused_on_the_form(desk: Client) -> None:
    hubei = Region.objects.get(code="420000")
    form = {
        "name_zh": "湖北省",
        "parent": "420106",
        "level": "province",
        "scheme": "GBT2260",
        "datum": "unstated",
        **version(hubei),
    }

    answer = desk.post(reverse("admin:supplies_region_change", args=["420000"]), form)

    assert answer.status_code == 200
    assert "parent" in answer.context["adminform"].form.errors
    hubei.refresh_from_db()
    assert hubei.parent_id == "CN"


def test_reference_rows_are_corrected_not_deleted(desk: Client) -> None:
    page = reverse("admin:supplies_region_change", args=["420106"])

    answer = desk.post(page.replace("/change/", "/delete/"), {"post": "yes"})

    assert answer.status_code == 302  # there is no such door
    assert Region.objects.filter(pk="420106").exists()
