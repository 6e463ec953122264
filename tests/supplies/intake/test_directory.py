"""Names are looked up, not compared one by one, and the answer is the same."""

import pytest

from supplies.intake.directory import _City, _Known
from supplies.intake.formats import FORMATS
from supplies.intake.formats.known import PLANS
from supplies.organisations.models import Organisation
from supplies.organisations.names import is_near, normal_name

NAMES = (
    "示例市第一人民医院",
    "示例市第二人民医院",
    "示例市妇幼保健计划生育服务中心",
    "示例市妇幼保健计划生育服务中心站",
    "示例市红十字会",
    "示例市第一人民医院",
)


@pytest.mark.parametrize("asked", [*NAMES, "示例市妇幼保健计划生育服务中", "示例市第三人民医院", "别处", ""])
def test_an_organisation_is_found_as_if_each_were_compared(asked: str) -> None:
    every = [Organisation(name=name) for name in NAMES]
    city = _City()
    for one in every:
        city.add(_Known(one, normal_name(one.name), normal_name(one.name)))

    exact, near = list(city.called([normal_name(asked)])), list(city.near(normal_name(asked)))

    assert exact == [one for one in every if normal_name(one.name) == normal_name(asked)]
    assert near == [one for one in every if is_near(normal_name(one.name), normal_name(asked))]


@pytest.mark.parametrize("code", PLANS)
def test_the_days_of_a_row_are_those_that_reading_it_finds(code: str) -> None:
    kind = FORMATS[code]
    plan, _emergency = PLANS[code]
    row = {column.label: "" for column in plan.columns} | {
        plan.labels(role)[0]: cell
        for role, cell in {
            "name": "示例医院",
            "link": "http://example.org/202001/t20200124_1.html",
            "remark": "2020年2月3日更新",
            "published": "2020-02-01",
            "updated": "2020-02-02",
        }.items()
        if plan.labels(role)  # type: ignore[arg-type]
    }

    listed = kind.read(row)

    assert kind.days_of(row) == (listed.published_on, listed.updated_on)
