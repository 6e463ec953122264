"""Two people at the desk at once: each merge stands behind the other, and only what still holds is done."""

from typing import Any

import pytest
from django.db import transaction

from supplies.duplicates.models import DuplicatePair, Merge
from supplies.duplicates.services import keep_apart, merge, undo
from supplies.errors import Refused
from supplies.needs.models import Appeal
from supplies.organisations.models import Facility, Organisation
from tests.at_once import behind, held, meanwhile
from tests.makers import (
    NOW,
    make_appeal,
    make_emergency,
    make_facility,
    make_item,
    make_member,
    make_organisation,
    make_pair,
)

pytestmark = pytest.mark.django_db(transaction=True)


def said(call: Any) -> Any:
    """A call for a thread: the code of its refusal, or nothing."""

    def wrapped() -> str:
        try:
            call()
        except Refused as refused:
            return refused.code
        return ""

    return wrapped


def test_of_two_merges_in_opposite_directions_one_is_done() -> None:
    one, other = make_organisation(), make_organisation()
    pair, volunteers = make_pair(one, other), [make_member("volunteer") for _one in range(2)]
    calls = [
        said(lambda: merge(pair, keep=one, by=volunteers[0], at=NOW)),
        said(lambda: merge(pair, keep=other, by=volunteers[1], at=NOW)),
    ]

    codes = behind(held(DuplicatePair.objects.all()), calls)

    assert sorted(codes) == ["", "move-refused"]
    assert Organisation.objects.exclude(merged_into=None).count() == Merge.objects.count() == 1


def test_three_that_are_merged_in_a_ring_at_once_make_no_ring() -> None:
    rows = [make_organisation() for _one in range(3)]
    volunteer = make_member("volunteer")
    ring = [(rows[0], rows[1]), (rows[1], rows[2]), (rows[2], rows[0])]
    pairs = [(make_pair(kept, other), kept) for kept, other in ring]
    calls = [
        said(lambda pair=pair, kept=kept: merge(pair, keep=kept, by=volunteer, at=NOW))
        for pair, kept in pairs
    ]

    codes = behind(held(Organisation.objects.filter(pk__in=[row.pk for row in rows])), calls)

    assert "merged-already" in codes
    for row in Organisation.objects.filter(pk__in=[row.pk for row in rows]):
        assert row.standing_for.merged_into is None


def test_who_keeps_apart_and_who_merges_at_once_do_not_both_decide() -> None:
    one, other = make_organisation(), make_organisation()
    pair, volunteer = make_pair(one, other), make_member("volunteer")
    calls = [
        said(lambda: merge(pair, keep=one, by=volunteer, at=NOW)),
        said(lambda: keep_apart(pair, by=volunteer, at=NOW)),
    ]

    codes = behind(held(DuplicatePair.objects.all()), calls)

    assert sorted(codes) == ["", "move-refused"]
    merged = Organisation.objects.exclude(merged_into=None).exists()
    assert DuplicatePair.objects.get().status == ("merged" if merged else "kept_apart")


def test_a_merge_is_undone_once_however_many_undo_it() -> None:
    one, other = make_organisation(), make_organisation()
    volunteer = make_member("volunteer")
    done = merge(make_pair(one, other), keep=one, by=volunteer, at=NOW)

    codes = behind(held(Merge.objects.all()), [said(lambda: undo(done, by=volunteer, at=NOW))] * 2)

    assert sorted(codes) == ["", "undone-already"]


def test_who_posts_for_a_site_while_it_is_merged_posts_for_the_kept_one() -> None:
    kept, other = make_organisation(), make_organisation()
    make_facility(kept)
    site = make_facility(other)
    pair, volunteer = make_pair(kept, other), make_member("volunteer")
    make_item()
    make_emergency()
    before = Facility.objects.get(pk=site.pk)

    # The merge has moved everything and is about to commit; whoever posts now has read the site as it was.
    class Merging:
        def __enter__(self) -> None:
            self.atomic = transaction.atomic()
            self.atomic.__enter__()
            merge(pair, keep=kept, by=volunteer, at=NOW)

        def __exit__(self, *exc: Any) -> None:
            self.atomic.__exit__(*exc)

    with meanwhile(Merging(), lambda: make_appeal(before)) as posted:
        assert not posted.done()

    appeal = Appeal.objects.get(pk=posted.result(timeout=60).pk)
    assert appeal.facility.organisation == kept
    assert {need.site.organisation for need in appeal.needs.all()} == {kept}
