"""Promises at the desk."""

from datetime import timedelta

from django.utils import timezone

from supplies.allocations.models import Allocation
from supplies.organisations.models import User
from tests.desk import at_the_desk, choose, list_of
from tests.makers import make_allocation


def test_releasing_asks_why_and_frees_both_sides(volunteer: User) -> None:
    allocation, client = make_allocation(100), at_the_desk(volunteer)
    assert "reason" in choose(client, "release", allocation).context["form"].fields

    choose(client, "release", allocation, reason="The donor has no van.")

    allocation.refresh_from_db()
    allocation.offer.refresh_from_db()
    allocation.need.refresh_from_db()
    assert allocation.status == "released"
    assert allocation.offer.quantity_allocated == allocation.need.quantity_promised == 0


def test_the_overdue_are_found_with_one_filter(volunteer: User) -> None:
    late, in_time = make_allocation(), make_allocation()
    Allocation.objects.filter(pk=late.pk).update(due_at=timezone.now() - timedelta(hours=1))
    Allocation.objects.filter(pk=in_time.pk).update(due_at=timezone.now() + timedelta(hours=1))

    shown = at_the_desk(volunteer).get(list_of(Allocation), {"overdue": "yes"}).context["cl"]

    assert list(shown.result_list) == [late]
