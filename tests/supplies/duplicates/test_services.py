from typing import Any

import pytest
from django.core.exceptions import ValidationError

from supplies.allocations import services as ledger
from supplies.duplicates import services
from supplies.duplicates.models import DuplicateNeeds, Merge
from supplies.duplicates.moving import OF_A_SITE, OF_AN_ORGANISATION, PEOPLE, STAYS
from supplies.duplicates.services import fold_needs, keep_apart, merge, propose, propose_again, second, undo
from supplies.errors import MoveRefused, NotEligible, Refused
from supplies.journal.models import Event
from supplies.needs import services as asking
from supplies.needs.models import Appeal, Need, NeedStatus
from supplies.organisations import services as people
from supplies.organisations.contacts import Contact
from supplies.organisations.models import Facility, Organisation
from tests.makers import (
    NOW,
    make_facility,
    make_member,
    make_need,
    make_offer,
    make_organisation,
    make_pair,
    make_region,
)
from tests.supplies.duplicates.houses import acting_for, every_row, make_double

pytestmark = pytest.mark.django_db
CODES = ("91110000600037341L", "91310000MA1FL0000U")


@pytest.fixture
def volunteer() -> Any:
    return make_member("volunteer")


def refusal(call: Any) -> str:
    with pytest.raises(Refused) as refused:
        call()
    return refused.value.code


# -- merging ----------------------------------------------------------------------------------------------


def test_what_hangs_on_the_other_hangs_on_the_kept_one(volunteer: Any) -> None:
    kept, other, pair = make_double()

    merge(pair, keep=kept, by=volunteer, at=NOW)

    main = kept.facilities.get(name=kept.name)
    assert set(Appeal.objects.values_list("facility__organisation", flat=True)) == {kept.pk}
    assert set(Need.objects.values_list("site", flat=True)) == {main.pk}
    assert Contact.objects.get().organisation == kept
    assert Contact.objects.get().facility == main
    assert set(kept.facilities.values_list("name", flat=True)) == {kept.name, "演练后湖院区"}
    assert {alias.name for alias in kept.aliases.all()} == {other.name, "演练老汉口医院"}
    assert Organisation.objects.get(pk=other.pk).standing_for == kept


def test_a_merge_undone_leaves_every_row_as_it_was(volunteer: Any) -> None:
    kept, _other, pair = make_double(credit_code=CODES[0])
    acting_for(_other)
    pair.proposed_by = make_member("volunteer")
    pair.save()
    before = every_row()

    done = merge(pair, keep=kept, by=volunteer, at=NOW)
    assert every_row() != before
    undo(done, by=volunteer, at=NOW)

    assert every_row() == before
    pair.refresh_from_db()
    assert (pair.status, pair.decided_by) == ("proposed", None)


def test_it_can_be_merged_again_after_it_was_undone(volunteer: Any) -> None:
    kept, other, pair = make_double()
    undo(merge(pair, keep=kept, by=volunteer, at=NOW), by=volunteer, at=NOW)

    merge(pair, keep=other, by=volunteer, at=NOW)

    assert Organisation.objects.get(pk=kept.pk).merged_into == other


def test_what_is_promised_stays_promised(volunteer: Any) -> None:
    kept, _other, pair = make_double()

    merge(pair, keep=kept, by=volunteer, at=NOW)

    need = Need.objects.get(quantity=600)
    assert (need.quantity_promised, need.allocations.get().quantity) == (100, 100)


def test_both_needs_for_one_item_are_proposed_as_perhaps_one_and_none_is_closed(volunteer: Any) -> None:
    kept, _other, pair = make_double()

    merge(pair, keep=kept, by=volunteer, at=NOW)

    found = DuplicateNeeds.objects.get()
    assert {found.one.quantity, found.other.quantity} == {1000, 600}
    assert set(Need.objects.values_list("status", flat=True)) == {NeedStatus.OPEN}


def test_a_merge_is_written_down(volunteer: Any) -> None:
    kept, other, pair = make_double()

    merge(pair, keep=kept, by=volunteer, at=NOW)

    kinds = set(Event.objects.filter(by=volunteer).values_list("kind", "subject_id"))
    assert {("organisation.merged", str(kept.pk)), ("organisation.merged_into", str(other.pk))} <= kinds


def test_members_and_numbers_of_an_unverified_double_do_not_become_the_verified_hospital_s(
    volunteer: Any,
) -> None:
    kept = make_organisation(name="演练汉口医院")
    false = make_organisation(name="演练漢口医院", verified=False)
    stranger = acting_for(false)
    people.keep_contact(false, at=NOW, name="演练", phone="000-0000-0001")
    pair = make_pair(kept, false)

    merge(pair, keep=kept, by=volunteer, at=NOW)

    assert not kept.memberships.filter(user=stranger).exists()
    assert not kept.contacts.exists()


def test_where_people_would_come_to_act_for_it_a_second_person_says_so_first(volunteer: Any) -> None:
    kept, other, pair = make_double()
    member = acting_for(other)

    assert refusal(lambda: merge(pair, keep=kept, by=volunteer, at=NOW)) == "four-eyes"
    second(pair, by=make_member("volunteer"), at=NOW)
    merge(pair, keep=kept, by=volunteer, at=NOW)

    assert kept.memberships.filter(user=member).exists()


def test_who_says_it_first_does_not_merge(volunteer: Any) -> None:
    kept, _other, pair = make_double()
    second(pair, by=volunteer, at=NOW)

    assert refusal(lambda: merge(pair, keep=kept, by=volunteer, at=NOW)) == "four-eyes"
    assert refusal(lambda: second(pair, by=make_member("volunteer"), at=NOW)) == "said-already"


def test_who_acts_for_one_of_them_decides_nothing() -> None:
    kept, other, pair = make_double()
    insider = make_member("volunteer")
    people.enrol(insider, other, "hospital", by=None, at=NOW)

    assert refusal(lambda: merge(pair, keep=kept, by=insider, at=NOW)) == "four-eyes"


@pytest.mark.parametrize(
    ("kept", "other", "code"),
    [
        ({}, {"kind": "coordinator"}, "different-kinds"),
        ({"credit_code": CODES[0]}, {"credit_code": CODES[1]}, "different-codes"),
        ({"verified": False}, {}, "keep-the-verified"),
        ({}, {"verified": False, "status": "refused"}, "refused-body"),
    ],
)
def test_what_cannot_be_one_is_not_merged(volunteer: Any, kept: Any, other: Any, code: str) -> None:
    one, two = (
        make_organisation(**{"kind": "hospital", **kept}),
        make_organisation(**{"kind": "hospital", **other}),
    )
    pair = make_pair(one, two)

    assert refusal(lambda: merge(pair, keep=one, by=volunteer, at=NOW)) == code
    pair.refresh_from_db()
    assert pair.status == "proposed"


def test_one_that_is_not_of_the_pair_cannot_be_kept(volunteer: Any) -> None:
    _kept, _other, pair = make_double()

    with pytest.raises(ValidationError):
        merge(pair, keep=make_organisation(), by=volunteer, at=NOW)


def test_the_kept_one_takes_over_the_credit_code(volunteer: Any) -> None:
    kept, _other, pair = make_double(credit_code=CODES[0])

    merge(pair, keep=kept, by=volunteer, at=NOW)

    kept.refresh_from_db()
    assert kept.credit_code == CODES[0]


def test_what_is_posted_at_a_merged_site_later_goes_to_the_kept_one(volunteer: Any) -> None:
    kept, other, pair = make_double()
    site = other.facilities.get(name=other.name)
    merge(pair, keep=kept, by=volunteer, at=NOW)

    need = make_need(site)

    need.refresh_from_db()
    assert need.site.organisation == kept
    assert Appeal.objects.get(pk=need.appeal_id).facility.organisation == kept


def test_every_way_from_an_organisation_or_a_site_is_moved_or_stays_for_a_reason() -> None:
    taken = {f"{m._meta.model_name}.{c}" for m, c in (*OF_AN_ORGANISATION, *OF_A_SITE, *PEOPLE)}
    taken |= {"facility.organisation", "contact.facility"}
    ways = {
        f"{way.related_model._meta.model_name}.{way.field.name}"
        for model in (Organisation, Facility)
        for way in model._meta.get_fields(include_hidden=True)
        if way.auto_created and not way.concrete and way.one_to_many
    }

    assert ways == taken | STAYS


# -- undoing ----------------------------------------------------------------------------------------------


def test_a_later_merge_is_undone_first(volunteer: Any) -> None:
    kept, _other, pair = make_double()
    third = make_organisation(name="演练汉口医院本部")
    first = merge(pair, keep=kept, by=volunteer, at=NOW)
    later = merge(make_pair(kept, third), keep=third, by=volunteer, at=NOW)

    assert refusal(lambda: undo(first, by=volunteer, at=NOW)) == "merged-further"
    undo(later, by=volunteer, at=NOW)
    undo(first, by=volunteer, at=NOW)

    assert not Organisation.objects.exclude(merged_into=None).exists()


def test_what_was_changed_again_since_is_not_put_back(volunteer: Any) -> None:
    kept, _other, pair = make_double()
    done = merge(pair, keep=kept, by=volunteer, at=NOW)
    appeal = Need.objects.get(quantity=600).appeal
    Appeal.objects.filter(pk=appeal.pk).update(facility=kept.facilities.get(name="演练后湖院区"))

    assert refusal(lambda: undo(done, by=volunteer, at=NOW)) == "changed-since"
    assert Merge.objects.get().undone_at is None


def test_what_was_erased_since_does_not_hold_up_undoing(volunteer: Any) -> None:
    kept, other, pair = make_double()
    done = merge(pair, keep=kept, by=volunteer, at=NOW)
    Contact.objects.all().delete()

    undo(done, by=volunteer, at=NOW)

    assert Organisation.objects.get(pk=other.pk).merged_into is None


def test_needs_folded_since_are_unfolded_first(volunteer: Any) -> None:
    kept, _other, pair = make_double()
    done = merge(pair, keep=kept, by=volunteer, at=NOW)
    needs = DuplicateNeeds.objects.get()
    folded = fold_needs(needs, keep=Need.objects.get(quantity=1000), quantity="sum", by=volunteer, at=NOW)

    assert refusal(lambda: undo(done, by=volunteer, at=NOW)) == "folded-since"
    undo(folded, by=volunteer, at=NOW)
    undo(done, by=volunteer, at=NOW)


def test_it_is_undone_once(volunteer: Any) -> None:
    kept, _other, pair = make_double()
    done = merge(pair, keep=kept, by=volunteer, at=NOW)
    undo(done, by=volunteer, at=NOW)

    assert refusal(lambda: undo(done, by=volunteer, at=NOW)) == "undone-already"


# -- deciding ---------------------------------------------------------------------------------------------


def test_what_is_kept_apart_is_decided_until_it_is_proposed_again(volunteer: Any) -> None:
    kept, _other, pair = make_double()
    keep_apart(pair, by=volunteer, at=NOW)

    with pytest.raises(MoveRefused):
        merge(pair, keep=kept, by=volunteer, at=NOW)
    propose_again(pair, by=volunteer, at=NOW)

    merge(pair, keep=kept, by=volunteer, at=NOW)


def test_the_needs_of_two_that_are_kept_apart_are_kept_apart_too(volunteer: Any) -> None:
    _kept, _other, pair = make_double()
    services.find_duplicates(at=NOW)
    assert DuplicateNeeds.objects.proposed().count() == 1

    keep_apart(pair, by=volunteer, at=NOW)

    assert DuplicateNeeds.objects.get().status == "kept_apart"


def test_a_pair_proposed_by_hand_is_decided_by_another(volunteer: Any) -> None:
    one, other = make_organisation(), make_organisation()
    pair = propose(one, other, by=volunteer, at=NOW)

    assert refusal(lambda: merge(pair, keep=one, by=volunteer, at=NOW)) == "four-eyes"
    assert refusal(lambda: propose(other, one, by=volunteer, at=NOW)) == "proposed-already"
    with pytest.raises(NotEligible):
        merge(pair, keep=one, by=volunteer, at=NOW)


# -- folding ----------------------------------------------------------------------------------------------


def two_needs(kept: int | None = 1000, other: int | None = 600, promised: int = 0) -> tuple[Any, Any, Any]:
    site = make_facility()

    def ask(quantity: int | None) -> Need:
        kind = {} if quantity else {"quantity_kind": "unknown"}
        return make_need(site, quantity=quantity, **kind)

    first, second_ = ask(kept), ask(other)
    if promised:
        ledger.allocate(second_, make_offer(quantity=5000), promised, by=None, at=NOW)
    services.find_duplicates(at=NOW)
    return first, second_, DuplicateNeeds.objects.get()


@pytest.mark.parametrize(("choice", "asked"), [("larger", 1000), ("sum", 1600), ("kept", 1000)])
@pytest.mark.parametrize("promised", [0, 100])
def test_both_together_ask_for_what_was_chosen(
    volunteer: Any, choice: str, asked: int, promised: int
) -> None:
    first, other, pair = two_needs(promised=promised)

    fold_needs(pair, keep=first, quantity=choice, by=volunteer, at=NOW)

    first.refresh_from_db()
    other.refresh_from_db()
    assert first.quantity + (other.quantity if promised else 0) == asked
    assert (other.quantity_promised, other.quantity_outstanding) == (promised, 0 if promised else 600)
    assert other.status == (NeedStatus.OPEN if promised else NeedStatus.WITHDRAWN)


@pytest.mark.parametrize("promised", [0, 100])
def test_folding_undone_leaves_every_row_as_it_was(volunteer: Any, promised: int) -> None:
    first, _other, pair = two_needs(promised=promised)
    before = every_row()

    done = fold_needs(pair, keep=first, quantity="sum", by=volunteer, at=NOW)
    assert every_row() != before
    undo(done, by=volunteer, at=NOW)

    assert every_row() == before


def test_a_need_changed_by_its_hospital_since_is_not_unfolded(volunteer: Any) -> None:
    first, _other, pair = two_needs()
    done = fold_needs(pair, keep=first, quantity="sum", by=volunteer, at=NOW)
    asking.change(first, quantity=1700, by=None, at=NOW)

    assert refusal(lambda: undo(done, by=volunteer, at=NOW)) == "changed-since"


def test_what_was_promised_since_is_not_cut_by_undoing(volunteer: Any) -> None:
    first, _other, pair = two_needs()
    done = fold_needs(pair, keep=first, quantity="sum", by=volunteer, at=NOW)
    ledger.allocate(first, make_offer(quantity=5000), 1500, by=None, at=NOW)

    assert refusal(lambda: undo(done, by=volunteer, at=NOW)) == "below-what-is-promised"


def test_more_promised_to_the_other_than_both_ask_for_is_said(volunteer: Any) -> None:
    first, _other, pair = two_needs(kept=100, promised=300)

    assert (
        refusal(lambda: fold_needs(pair, keep=first, quantity="kept", by=volunteer, at=NOW))
        == "promised-beyond"
    )


@pytest.mark.parametrize("choice", ["larger", "sum"])
def test_without_a_number_nothing_is_added_up(volunteer: Any, choice: str) -> None:
    first, _other, pair = two_needs(kept=None)

    fold = lambda: fold_needs(pair, keep=first, quantity=choice, by=volunteer, at=NOW)  # noqa: E731

    assert refusal(fold) == "quantity-not-known"


def test_a_need_without_a_number_can_be_kept_as_it_is(volunteer: Any) -> None:
    first, other, pair = two_needs(kept=None)

    fold_needs(pair, keep=first, quantity="kept", by=volunteer, at=NOW)

    first.refresh_from_db()
    other.refresh_from_db()
    assert (first.quantity_kind, other.status) == ("unknown", NeedStatus.WITHDRAWN)


def test_needs_of_two_sites_are_folded_after_their_hospitals_are_merged(volunteer: Any) -> None:
    kept, _other, pair = make_double()
    services.find_duplicates(at=NOW)
    needs = DuplicateNeeds.objects.get()
    large = Need.objects.get(quantity=1000)

    assert (
        refusal(lambda: fold_needs(needs, keep=large, quantity="sum", by=volunteer, at=NOW)) == "sites-differ"
    )
    merge(pair, keep=kept, by=volunteer, at=NOW)

    fold_needs(needs, keep=large, quantity="sum", by=volunteer, at=NOW)


def test_names_in_another_region_are_not_touched_by_a_merge(volunteer: Any) -> None:
    far = make_organisation(name="演练汉口医院总院", region=make_region("420582", "当阳市"))
    kept, _other, pair = make_double()

    merge(pair, keep=kept, by=volunteer, at=NOW)

    far.refresh_from_db()
    assert far.merged_into is None
