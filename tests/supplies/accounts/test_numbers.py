import pytest

from supplies.accounts.numbers import as_name, is_mistyped, is_number, new_number, shown

NUMBER = "482177302"


def test_a_drawn_number_has_nine_digits_and_is_shown_in_groups() -> None:
    number = new_number()

    assert is_number(number)
    assert shown(NUMBER) == "4821-7730-2"
    assert shown("demo-volunteer") == "demo-volunteer"


def test_every_wrong_digit_and_every_two_neighbours_swapped_are_found() -> None:
    slips = [NUMBER[:at] + digit + NUMBER[at + 1 :] for at in range(9) for digit in "0123456789"]
    slips += [NUMBER[:at] + NUMBER[at + 1] + NUMBER[at] + NUMBER[at + 2 :] for at in range(8)]

    assert all(is_mistyped(slip) for slip in slips if slip != NUMBER)


@pytest.mark.parametrize(
    "typed", ["4821-7730-2", " 4821 7730 2 ", "482177302", "４８２１－７７３０－２", "4821–7730—2"]
)
def test_a_number_is_read_in_any_spacing_and_width(typed: str) -> None:
    assert as_name(typed) == NUMBER


@pytest.mark.parametrize("typed", ["demo-volunteer", "drill@example.org", "1234", "48217730-2x"])
def test_any_other_name_stays_as_it_is(typed: str) -> None:
    assert as_name(typed) == typed
    assert not is_number(typed)
    assert not is_mistyped(typed)
