import pytest

from tests.api_client import Speaker, today  # noqa: F401
from tests.makers import make_emergency, make_region

pytestmark = pytest.mark.django_db


def test_emergencies_are_listed_with_their_regions_and_narrowed_by_phase() -> None:
    make_emergency().regions.add(make_region("420106"))
    make_emergency("old", status="over")

    (found,) = Speaker().get("emergencies/", status="respond").json()["results"]

    assert (found["code"], found["regions"]) == ("flu-2026", ["420106"])
