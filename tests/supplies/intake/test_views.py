"""The box into which an announcement is pasted, and the way from there to the form that posts it."""

import pytest
from django.urls import reverse

from supplies.catalogue.models import Item
from supplies.needs.models import Appeal
from tests.makers import make_emergency, make_facility, make_member, make_user
from tests.page_client import reader
from tests.supplies.intake.lists import make_catalogue

pytestmark = pytest.mark.django_db
TEXT = "演练第一医院急需医用外科口罩2万只、轮椅5台。联系人：甲老师 13800000001"


@pytest.fixture
def catalogue() -> dict[str, Item]:
    return make_catalogue()


def test_what_was_read_is_shown_and_nothing_is_stored(catalogue: dict[str, Item]) -> None:
    page = reader(make_user()).post(reverse("read-announcement"), {"text": TEXT})

    assert page.status_code == 200
    assert "轮椅" in page.content.decode()
    assert not Appeal.objects.exists()


def test_an_empty_box_is_refused_with_what_to_do(catalogue: dict[str, Item]) -> None:
    page = reader(make_user()).post(reverse("read-announcement"), {"text": "  "})

    assert page.status_code == 400


def test_the_hospital_of_that_name_is_offered(catalogue: dict[str, Item]) -> None:
    facility = make_facility(name="演练第一医院")

    page = reader(make_user()).post(reverse("read-announcement"), {"text": TEXT}).content.decode()

    assert reverse("post-appeal", args=[facility.pk]) in page


def test_whoever_acts_for_a_hospital_is_offered_it_first(catalogue: dict[str, Item]) -> None:
    own, named = make_facility(name="演练第二医院"), make_facility(name="演练第一医院")
    officer = reader(make_member("hospital", own.organisation))

    without = officer.post(reverse("read-announcement"), {"text": "急需医用外科口罩2万只"})
    with_a_name = officer.post(reverse("read-announcement"), {"text": TEXT})

    assert without.context["hospitals"] == [own]
    assert with_a_name.context["hospitals"] == [own, named]


def test_what_was_not_understood_stands_above_what_was(catalogue: dict[str, Item]) -> None:
    text = f"{TEXT}\n6、大白 100"

    page = reader(make_user()).post(reverse("read-announcement"), {"text": text}).content.decode()

    assert page.index("大白 100") < page.index("What was read")


def test_the_form_is_taken_over_filled_in_and_not_sent(catalogue: dict[str, Item]) -> None:
    make_emergency()
    facility = make_facility(name="演练第一医院")
    client = reader(make_user())
    read = client.post(reverse("read-announcement"), {"text": TEXT})

    page = client.post(
        reverse("post-appeal", args=[facility.pk]), {**read.context["fields"], "look": "1"}
    ).content.decode()

    assert 'value="20000"' in page
    assert "13800000001" in page
    assert '<input type="hidden" name="emergency" value="flu-2026"' in page
    assert not Appeal.objects.exists()


@pytest.mark.parametrize("chosen", ["x", "00000000-0000-0000-0000-000000000000"])
def test_a_hospital_that_is_nobodys_is_not_found(catalogue: dict[str, Item], chosen: str) -> None:
    page = reader(make_user()).get(reverse("read-announcement"), {"for": chosen})

    assert page.status_code == 404
