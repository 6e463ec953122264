"""Numbers here are made up or masked."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supplies.intake.reading.contacts import Line, read_contacts
from supplies.intake.reading.findings import Unreadable


@pytest.mark.parametrize(
    ("name", "tel", "people"),
    [
        ("", "0700-5550101", [("", "07005550101", "", Line.LANDLINE, 95)]),
        ("联系电话", "0700—5550101", [("", "07005550101", "", Line.LANDLINE, 95)]),
        ("钱老师", "13800000001", [("钱老师", "13800000001", "", Line.MOBILE, 95)]),
        ("钱老师", "138****0001", [("钱老师", "138****0001", "", Line.MOBILE, 60)]),
        ("", "钱老师 138****0001", [("钱老师", "138****0001", "", Line.MOBILE, 60)]),
        ("", "138****0001 钱老师", [("钱老师", "138****0001", "", Line.MOBILE, 60)]),
        ("设备科钱老师：138****0001；孙老师：139****0002", "", [
            ("设备科钱老师", "138****0001", "", Line.MOBILE, 60), ("孙老师", "139****0002", "", Line.MOBILE, 60),
        ]),
        ("", "0700-5550101转802", [("", "07005550101", "802", Line.LANDLINE, 95)]),
        ("", "5550101\n138****0001\n孙老师 139****0002", [
            ("", "5550101", "", Line.LANDLINE, 60), ("", "138****0001", "", Line.MOBILE, 60),
            ("孙老师", "139****0002", "", Line.MOBILE, 60),
        ]),
        ("", "02755501001 150****2328", [
            ("", "02755501001", "", Line.LANDLINE, 95), ("", "150****2328", "", Line.MOBILE, 60),
        ]),
        ("热线", "400-888-0000", [("", "4008880000", "", Line.SERVICE, 95)]),
        ("钱老师", "138****001", [("钱老师", "138****001", "", Line.PARTIAL, 30)]),
        ("", "027-55501234/55505678", [
            ("", "02755501234", "", Line.LANDLINE, 95), ("", "02755505678", "", Line.LANDLINE, 60),
        ]),
        ("钱老师", "027-55501234、55505678", [
            ("钱老师", "02755501234", "", Line.LANDLINE, 95), ("钱老师", "02755505678", "", Line.LANDLINE, 60),
        ]),
        ("", "总机 027-55501234转8001、8002", [
            ("", "02755501234", "8001", Line.LANDLINE, 95), ("", "02755501234", "8002", Line.LANDLINE, 95),
        ]),
        ("", "+86 (0)27 82210000", [("", "02782210000", "", Line.LANDLINE, 95)]),
    ],
)  # fmt: skip
def test_every_number_is_found_with_the_name_beside_it(
    name: str, tel: str, people: list[tuple[object, ...]]
) -> None:
    read = read_contacts([{"name": name, "tel": tel}]).people

    assert [
        (person.name, person.number, person.extension, person.line, person.confidence) for person in read
    ] == people


def test_the_same_number_twice_is_one_contact() -> None:
    read = read_contacts([{"name": "钱老师", "tel": "138****0001"}, {"name": "", "tel": "138****0001"}])

    assert [person.name for person in read.people] == ["钱老师"]


def test_a_cell_without_a_number_is_reported_not_lost_quietly() -> None:
    read = read_contacts([{"name": "院办", "tel": "见公告"}, {"name": "", "tel": ""}, {}])

    assert not read.people
    assert [finding.code for finding in read.findings] == ["no-number-in-contact"]


@given(st.text(max_size=60), st.text(max_size=60))
def test_no_contact_cell_breaks_the_reader(name: str, tel: str) -> None:
    try:
        people = read_contacts([{"name": name, "tel": tel}]).people
    except Unreadable:
        return
    assert all(person.number or person.email for person in people)


@pytest.mark.parametrize(
    ("name", "tel", "reached"),
    [
        ("钱老师", "138****0001 qian@example.org", [("138****0001", "qian@example.org")]),
        ("钱老师 邮箱：qian@example.org", "138****0001", [("138****0001", "qian@example.org")]),
        ("钱老师", "qian@example.org", [("", "qian@example.org")]),
        (
            "",
            "138****0001 a@example.org b@example.org",
            [("138****0001", "a@example.org"), ("", "b@example.org")],
        ),
    ],
)
def test_an_address_to_write_to_is_kept_with_its_number_or_alone(
    name: str, tel: str, reached: list[tuple[str, str]]
) -> None:
    read = read_contacts([{"name": name, "tel": tel}])

    assert [(person.number, person.email) for person in read.people] == reached
    assert read.findings == ()
    assert "@" not in "".join(person.name for person in read.people)
