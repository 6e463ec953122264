"""What the list of needs says somebody may give is what `/check/` says, which is what would be matched."""

import pytest

from matching.kernel.problem import Verdict
from matching.lookup import Asked, look_up
from supplies.catalogue.models import Standard
from supplies.catalogue.services import load_reference
from supplies.catalogue.shelf import Shelf
from tests.makers import NOW

pytestmark = pytest.mark.django_db


def test_the_list_of_needs_and_the_check_of_goods_give_one_answer_to_the_same_words() -> None:
    load_reference(at=NOW)
    serving = Shelf.kept().serving
    codes = Standard.objects.exclude(status="impossible").values_list("pk", flat=True)
    different = {}

    for words in [*codes, "N95口罩", "KN95口罩", "医用防护口罩", "NIOSH N95", "外科口罩"]:
        cases = look_up(Asked(text=words), on=NOW.date()).cases
        lines = [line for case in cases for line in (*case.on_condition, *case.good_for)]
        itself = {case.item.pk for case in cases}
        checked = {
            line.item.pk: line.verdict == Verdict.CONDITIONAL
            for line in lines
            if line.standard is None and line.item.pk not in itself
        }
        served = serving.by(words)
        listed = {one.item.pk: one.is_on_terms for one in served if not one.is_itself}
        if cases and (listed != checked or itself != {one.item.pk for one in served if one.is_itself}):
            different[words] = listed, checked

    assert different == {}


@pytest.mark.parametrize(
    ("words", "item"),
    [
        ("masks", "MASK_SURG"),
        ("PPE", "RESP_PART"),
        ("N-95", "RESP_PART"),
        ("N95 masks", "RESP_MED"),
        ("gowns", "GOWN_ISO"),
        ("500个医用外科口罩", "MASK_SURG"),
    ],
)
def test_goods_are_known_as_people_write_them(words: str, item: str) -> None:
    load_reference(at=NOW)

    assert item in {one.item.pk for one in Shelf.kept().serving.by(words)}


def test_a_word_that_only_looks_like_goods_serves_nothing() -> None:
    load_reference(at=NOW)

    assert [Shelf.kept().serving.by(words) for words in ("unobtainium", "maskeradeball")] == [[], []]
