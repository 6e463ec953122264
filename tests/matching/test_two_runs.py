"""Two runs of the same families at once, each in a process of its own: one family is matched by one of them at a time."""

import pytest
from django.utils import timezone

from bench.races import contest, without_the_index
from matching.models import FamilyRun, Proposal
from supplies.emergencies.models import Emergency
from tests.makers import make_emergency, make_item, make_need, make_offer
from tests.owner import as_owner

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
FAMILIES = ("MASK_SURG", "GOGGLES", "GOWN")


def wanted() -> Emergency:
    """An emergency that goes on now, with something to match in every family."""
    emergency = make_emergency()
    Emergency.objects.update(began_on=timezone.localdate())
    for code in FAMILIES:
        item = make_item(code, name_zh=code)
        make_need(quantity=100, item=item, at=timezone.now())
        make_offer(quantity=100, item=item, at=timezone.now())
    return emergency


def test_two_runs_at_once_never_have_two_of_one_family_at_work() -> None:
    found = contest(wanted(), rounds=4)

    assert {(each.families, each.leases, each.most_running) for each in found} == {(3, 3, 1)}
    assert set(FamilyRun.objects.values_list("status", flat=True)) == {"done"}
    assert Proposal.objects.count() == 3


def test_the_control_without_the_index_has_two_of_one_family_at_work() -> None:
    emergency = wanted()

    with as_owner(), without_the_index():
        found = contest(emergency, rounds=1)

    assert [(each.leases, each.most_running) for each in found] == [(6, 2)]
