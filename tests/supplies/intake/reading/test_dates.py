from datetime import date

import pytest

from supplies.intake.reading.dates import Day, Says, day_of_link, newest, read_days


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("发布日期：2020年1月25日", [Day(date(2020, 1, 25), Says.PUBLISHED)]),
        ("发布日期:2020年1月25号", [Day(date(2020, 1, 25), Says.PUBLISHED)]),
        ("本院公告于2020年1月25日", [Day(date(2020, 1, 25), Says.PUBLISHED)]),
        ("2020.02.03更新:增加面罩", [Day(date(2020, 2, 3), Says.UPDATED)]),
        ("2020-1-27更新", [Day(date(2020, 1, 27), Says.UPDATED)]),
        ("２０２０年２月１日修改了电话", [Day(date(2020, 2, 1), Says.UPDATED)]),
        ("2020/2/10开业", [Day(date(2020, 2, 10), Says.MENTIONED)]),
        ("2020年2月30日更新", []),
        ("https://example.org/2020-01-25/1.html", []),
        ("电话2020-5550101", []),
        ("", []),
    ],
)
def test_the_days_of_a_remark_are_read_with_what_they_mean(text: str, days: list[Day]) -> None:
    assert read_days(text) == days


@pytest.mark.parametrize(
    ("link", "on"),
    [
        ("http://www.example.gov.cn/202001/t20200124_322489.html", date(2020, 1, 24)),
        ("http://www.example.gov.cn/art/2020/1/27/art_5586.html", date(2020, 1, 27)),
        ("http://example.org/content/2020-02/05/content_1.html", date(2020, 2, 5)),
        ("http://example.org/a/2020/2422.html", None),
        ("http://example.org/t20201399_1.html", None),
        ("", None),
    ],
)
def test_the_address_of_an_announcement_tells_its_day(link: str, on: date | None) -> None:
    assert day_of_link(link) == on


def test_the_newest_day_is_of_news_not_of_plans() -> None:
    days = read_days("2020-1-27更新\n发布日期：2020年1月25日\n2020-03-01开业")

    assert newest(days) == date(2020, 1, 27)
    assert newest([]) is None
