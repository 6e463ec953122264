"""Imports, their rows and what waits, at the desk."""

from supplies.intake.models import Import, ImportedLine, ImportedRow, LineStatus
from supplies.needs.models import Need
from supplies.organisations.models import User
from tests.desk import at_the_desk, choose, list_of, page_of, told
from tests.supplies.intake.conftest import Importer
from tests.supplies.intake.lists import make_cell, make_row


def test_the_list_of_lines_begins_with_those_that_wait(take: Importer, volunteer: User) -> None:
    take(make_row(supplies=[make_cell(value=-4), make_cell("乳胶手套", 100)]))

    page = at_the_desk(volunteer).get(list_of(ImportedLine))

    assert [line.heading for line in page.context["cl"].result_list] == ["医用外科口罩"]
    assert "The quantity -4 is negative" in page.content.decode()


def test_a_volunteer_accepts_waiting_lines_at_once(take: Importer, volunteer: User) -> None:
    take(
        make_row(supplies=[make_cell(value=3)]), make_row(name="演练第二医院", supplies=[make_cell(value=4)])
    )

    choose(at_the_desk(volunteer), "accept", *ImportedLine.objects.all())

    assert set(Need.objects.values_list("quantity", flat=True)) == {3, 4}


def test_correcting_asks_for_the_right_quantity_first(take: Importer, volunteer: User) -> None:
    take(make_row(supplies=[make_cell(value="2e14")]))
    line = ImportedLine.objects.get()

    page = choose(at_the_desk(volunteer), "correct", line)
    choose(at_the_desk(volunteer), "correct", line, quantity="2000")

    assert "quantity" in page.context["form"].fields
    assert Need.objects.get().quantity == 2000


def test_a_line_that_cannot_be_accepted_says_why(take: Importer, volunteer: User) -> None:
    take(make_row(supplies=[make_cell("奇怪的东西", 5)]))

    answer = choose(at_the_desk(volunteer), "accept", ImportedLine.objects.get())

    assert any("Choose the item of the catalogue first" in sentence for sentence in told(answer))
    assert ImportedLine.objects.get().status == LineStatus.WAITING


def test_a_rejected_line_enters_no_match(take: Importer, volunteer: User) -> None:
    take(make_row(supplies=[make_cell(value=3)]))

    asked = choose(at_the_desk(volunteer), "reject", ImportedLine.objects.get())
    assert "Nothing is entered from it" in asked.content.decode()
    assert ImportedLine.objects.get().status == LineStatus.WAITING
    choose(at_the_desk(volunteer), "reject", ImportedLine.objects.get(), answered="yes")

    assert ImportedLine.objects.get().status == LineStatus.REJECTED
    assert not Need.objects.exists()


def test_imports_with_errors_come_first(take: Importer, volunteer: User) -> None:
    take(make_row(), make_row(name=""))
    take(make_row())

    page = at_the_desk(volunteer).get(list_of(Import))

    assert [batch.failed for batch in page.context["cl"].result_list] == [1, 0]


def test_rows_that_failed_come_first_and_say_why(take: Importer, volunteer: User) -> None:
    take(make_row(), make_row(name=""))

    page = at_the_desk(volunteer).get(list_of(ImportedRow))

    assert [row.status for row in page.context["cl"].result_list] == ["failed", "new"]
    assert "“name” is missing." in page.content.decode()


def test_a_row_is_shown_as_written_beside_as_read_without_telephones(take: Importer, volunteer: User) -> None:
    take(
        make_row(
            supplies=[make_cell("乳胶手套", 100)],
            remark="请拨打13812345678",
            contacts=[{"name": "钱老师", "tel": "13912345678"}],
        )
    )

    page = at_the_desk(volunteer).get(page_of(ImportedRow.objects.get())).content.decode()

    assert "乳胶手套: 100" in page
    assert "100 pair" in page
    assert "13812345678" not in page
    assert "13912345678" not in page


def test_the_number_of_queries_of_a_list_does_not_grow_with_its_rows(
    take: Importer, volunteer: User, django_assert_max_num_queries: object
) -> None:
    take(*(make_row(name=f"演练镇{number}号卫生院", supplies=[make_cell(value=3)]) for number in range(8)))
    client = at_the_desk(volunteer)

    for model in (Import, ImportedRow, ImportedLine):
        with django_assert_max_num_queries(14):  # type: ignore[operator]
            client.get(list_of(model))
