import pytest

from tests.api_client import Speaker, today  # noqa: F401
from tests.makers import make_region

pytestmark = pytest.mark.django_db


def codes(**query: str) -> list[str]:
    return [row["code"] for row in Speaker().get("regions/", **query).json()["results"]]


def test_regions_are_found_from_the_top_down_by_what_they_lie_in() -> None:
    make_region("420106")
    make_region("440103", "荔湾区")

    assert codes(inside="420000") == ["420000", "420100", "420106"]
    assert codes(parent="CN") == ["420000", "440000"]
    assert codes(inside="CN", level="district") == ["420106", "440103"]
    assert codes(named="武汉市") == ["420100"]


def test_a_region_is_read_by_its_code() -> None:
    make_region("420106")

    region = Speaker().get("regions/420106/").json()

    assert (region["name_zh"], region["parent"], region["level"]) == ("武昌区", "420100", "district")
