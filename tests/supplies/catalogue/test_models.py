from datetime import date
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from supplies.catalogue.models import Item, Standard, Substitution, UnitRule
from supplies.quantity import MOST

pytestmark = pytest.mark.usefixtures("shipped", "db")


def test_gloves_are_shown_in_pairs() -> None:
    assert Item.objects.get(code="GLOVE_EXAM").shown(100) == Decimal(50)


def test_items_are_known_by_code_name_and_synonym_whatever_the_case() -> None:
    for text in ("mask_surg", "医用外科口罩", "外科口罩", "Surgical Mask", "TYPE IIR"):
        assert "MASK_SURG" in {item.code for item in Item.objects.known_as(text)}, text


def test_an_inactive_item_is_not_active() -> None:
    Item.objects.filter(code="OTHER").update(is_active=False)

    assert not Item.objects.active().filter(code="OTHER").exists()
    assert Item.objects.in_category("vehicle_other").filter(code="OTHER").exists()


def test_confusion_goes_both_ways() -> None:
    for one, other in (("RESP_MED", "RESP_PART"), ("RESP_PART", "RESP_MED")):
        assert Item.objects.get(code=one).ambiguous_with.filter(code=other).exists()


@pytest.mark.parametrize(
    ("code", "day", "in_force"),
    [
        ("GB19083-2010-1", date(2020, 2, 1), True),
        ("GB19083-2010-1", date(2025, 12, 1), False),
        ("GB19083-2023", date(2025, 11, 30), False),
        ("GB19083-2023", date(2025, 12, 1), True),
        ("YY0469-2010", date(2020, 2, 1), False),
    ],
)
def test_an_edition_is_in_force_from_its_first_day_to_the_day_before_its_withdrawal(
    code: str, day: date, in_force: bool
) -> None:
    assert Standard.objects.get(code=code).is_in_force(day) is in_force
    assert Standard.objects.in_force(day).filter(code=code).exists() is in_force


@pytest.mark.parametrize(
    ("model", "row", "broken", "constraint"),
    [
        (Item, {"code": "MASK_SURG"}, {"assumed_quantity": 0}, "item_assumes_a_plausible_quantity"),
        (Item, {"code": "MASK_SURG"}, {"plausible_max": MOST + 1}, "item_assumes_a_plausible"),
        (Item, {"code": "MASK_SURG"}, {"display_factor": 0}, "item_is_shown_in_whole_units"),
        (UnitRule, {"code": "glove-pair"}, {"numerator": None}, "unit_rule_has_a_factor"),
        (UnitRule, {"code": "any-box"}, {"numerator": 50, "denominator": 1}, "unit_rule_has_a_factor"),
        (Standard, {"code": "YY0469-2010"}, {"replaced_by": None}, "standard_never_issued"),
        (Standard, {"code": "YY0469-2010"}, {"replaced_by": "YY0469-2010"}, "not_replaced_by_itself"),
        (Standard, {"code": "YY0469-2010"}, {"status": "odd"}, "standard_status_is_known"),
        (
            Substitution,
            {"offered": "EN149-FFP3", "satisfies": "EN149-FFP2"},
            {"verdict": "maybe"},
            "substitution_verdict_is_known",
        ),
        (
            Substitution,
            {"offered": "EN149-FFP3", "satisfies": "EN149-FFP2"},
            {"satisfies": "EN149-FFP3"},
            "substitution_is_not_of_itself",
        ),
    ],
)
def test_the_database_refuses_a_broken_row(
    model: type[Item], row: dict[str, str], broken: dict[str, object], constraint: str
) -> None:
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        model.objects.filter(**row).update(**broken)
