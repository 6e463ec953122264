"""The desk's page of an appeal: the words it came from beside what was typed, and what nobody typed."""

from typing import Any

from supplies.desks.originals import original_of
from supplies.intake.models import ImportedLine
from supplies.needs.models import Appeal
from supplies.organisations.models import User
from tests.desk import at_the_desk, page_of
from tests.makers import make_appeal, make_member
from tests.supplies.intake.conftest import Importer
from tests.supplies.intake.lists import make_cell, make_row

WRITTEN = "急需口罩一千只，联系13812345678"


def pasted(**fields: Any) -> Appeal:
    line = {"as_written": WRITTEN, "quantity": 1000}
    return make_appeal(published=False, lines=[line], remark="Not read: 另需志愿者若干", **fields)


def test_each_line_stands_beside_its_words_and_what_was_not_read_below(volunteer: User) -> None:
    page = at_the_desk(volunteer).get(page_of(pasted())).content.decode()

    words, line, unread = (page.index(text) for text in (WRITTEN, "1,000 pieces", "另需志愿者若干"))
    assert words < line < unread
    assert page.count(WRITTEN) == 1
    assert "no line was typed" in page


def test_who_only_watches_reads_the_words_as_everybody_does(volunteer: User) -> None:
    page = at_the_desk(make_member("auditor")).get(page_of(pasted())).content.decode()

    assert "急需口罩一千只" in page
    assert "13812345678" not in page


def test_a_row_of_a_list_is_shown_with_every_cell_that_names_goods_whatever_became_of_it(
    volunteer: User,
    take: Importer,
) -> None:
    take(make_row(supplies=[make_cell("乳胶手套", 100), make_cell(value=-18)]))
    waiting = ImportedLine.objects.waiting().get()
    appeal = Appeal.objects.get()

    page = at_the_desk(volunteer).get(page_of(appeal)).content.decode()

    taken, left = original_of(appeal, volunteer).lines
    assert (taken.need, left.need) == (appeal.needs.get(), None)
    assert "100" in taken.words
    assert "-18" in left.words
    assert page.count("no line was typed") == 1
    assert page_of(waiting) in page
    assert waiting.findings[0].sentence in page


def test_the_name_in_the_list_is_marked_where_the_hospital_is_called_otherwise(
    volunteer: User,
    take: Importer,
) -> None:
    take(make_row(name="演练第一医院", supplies=[make_cell("口罩", 500)]))
    appeal = Appeal.objects.select_related("facility").get()
    assert not any(fact.differs for fact in original_of(appeal, volunteer).about)

    appeal.facility.name = "演练第九医院"

    assert [str(fact.label) for fact in original_of(appeal, volunteer).about if fact.differs] == ["name"]


def test_it_takes_as_many_queries_for_many_lines_as_for_one(
    volunteer: User,
    take: Importer,
    django_assert_num_queries: Any,
) -> None:
    take(
        make_row(name="演练第一医院", supplies=[make_cell("口罩", 500)]),
        make_row(
            name="演练第二医院",
            supplies=[make_cell("N95口罩", 500), make_cell("乳胶手套", 100), make_cell(value=-18)],
        ),
    )

    assert volunteer.reads_as_written  # her roles are read once a request
    for appeal in Appeal.objects.select_related("facility__region__parent__parent"):
        with django_assert_num_queries(4):
            original_of(appeal, volunteer)
