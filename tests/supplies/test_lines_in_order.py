"""What was posted together is read in the order in which it was typed, wherever all of it is shown beside its source."""

import pytest

from supplies.desks.originals import original_of
from supplies.needs.filling import as_before
from supplies.needs.models import Appeal
from supplies.offers.models import Donation
from tests.api_client import Speaker
from tests.makers import make_appeal, make_donation, make_facility, make_item, make_member, make_organisation

pytestmark = pytest.mark.django_db
CODES = ["RESP", "MASK_SURG", "GOWN", "GOGGLES", "GLOVE_EXAM", "CAP", "SHOE", "DISINF"]
LINES = [{"quantity": 10 + place} for place in range(len(CODES))]


@pytest.fixture
def appeal() -> Appeal:
    return make_appeal(make_facility(), lines=[{**line, "item": make_item(code)} for code, line in _both()])


@pytest.fixture
def donation() -> Donation:
    donor = make_organisation("donor")
    return make_donation(donor, lines=[{**line, "item": make_item(code)} for code, line in _both()])


def _both() -> list[tuple[str, dict[str, int]]]:
    return list(zip(CODES, LINES, strict=True))


def test_an_appeal_is_read_in_its_own_order(appeal: Appeal) -> None:
    told = Speaker().get(f"appeals/{appeal.pk}/").json()
    tracked = Speaker().get(f"track/{appeal.code}/").json()
    beside = original_of(appeal, make_member("volunteer"))
    _details, copied = as_before(appeal)

    assert [need["item"]["code"] for need in told["needs"]] == CODES
    assert [line["item"]["code"] for line in tracked["lines"]] == CODES
    assert [line.need.item_id for line in beside.lines if line.need] == CODES
    assert [line["item"] for line in copied] == CODES


def test_a_donation_is_read_in_its_own_order(donation: Donation) -> None:
    volunteer = make_member("volunteer")
    told = Speaker(volunteer).get(f"donations/{donation.pk}/").json()
    tracked = Speaker().get(f"track/{donation.code}/").json()

    assert [offer["item"]["code"] for offer in told["offers"]] == CODES
    assert [line["item"]["code"] for line in tracked["lines"]] == CODES
