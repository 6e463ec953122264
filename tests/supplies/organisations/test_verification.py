"""Organisations are believed when two different people of the desk say yes, for a reason, until a day."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction

from supplies.append_only import rewriting
from supplies.attachments.models import Attachment
from supplies.errors import MoveRefused, NotEligible, NotYours, Refused
from supplies.journal.models import Event
from supplies.journal.services import record
from supplies.needs import services as asking
from supplies.offers import services as giving
from supplies.organisations import services as people
from supplies.organisations.models import Organisation, User
from supplies.organisations.notes import names_no_number
from supplies.organisations.permissions import waiting_for
from supplies.organisations.verification import CallLog, Verification
from tests.makers import (
    NOW,
    TODAY,
    make_appeal,
    make_donation,
    make_member,
    make_organisation,
    make_region,
    make_user,
)
from tests.owner import as_owner
from tests.supplies.organisations.verdicts import WORDS, call, no, verified, yes

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture
def newcomer() -> Organisation:
    return make_organisation(verified=False)


def what_happened(organisation: Organisation) -> list[str]:
    return [event.kind for event in Event.objects.about(organisation).order_by("pk")]


def file_about(organisation: Organisation) -> Attachment:
    """A row as `attach` would leave it; what is in the file does not matter here."""
    return Attachment.objects.create(
        subject="organisation",
        subject_id=str(organisation.pk),
        position=Attachment.objects.count() + 1,
        kind="letter",
        media_type="application/pdf",
        size=1,
        sha256=f"{Attachment.objects.count():064}",
        key_sealed=b"k",
        by=make_user(),
        at=NOW,
        erase_on=TODAY,
    )


# -- Two people -------------------------------------------------------------------------------------------


def test_the_first_yes_is_kept_and_the_second_by_somebody_else_verifies(newcomer: Organisation) -> None:
    first, second = make_member("volunteer"), make_member("volunteer")

    after_one = yes(newcomer, first)
    one_of_two = Organisation.objects.with_yeses().get(pk=newcomer.pk).yeses
    after_two = yes(newcomer, second, public_note="A letter with a seal.")

    assert (after_one.status, one_of_two) == ("unverified", 1)
    assert (after_two.status, after_two.verified_by, after_two.seconded_by) == ("verified", first, second)
    assert (after_two.verified_on, after_two.recheck_on) == (TODAY, TODAY + 90 * DAY)
    assert after_two.how_verified == "Called the number in the register.\nA letter with a seal."
    assert what_happened(newcomer) == [
        "organisation.called",
        "organisation.believed",
        "organisation.called",
        "organisation.verified",
    ]


def test_nobody_says_yes_twice(newcomer: Organisation, volunteer: User) -> None:
    yes(newcomer, volunteer)

    with pytest.raises(Refused) as refusal:
        yes(newcomer, volunteer)

    newcomer.refresh_from_db()
    assert refusal.value.code == "said-already"
    assert newcomer.status == "unverified"


def test_there_is_nothing_more_to_say_about_a_verified_one(newcomer: Organisation) -> None:
    verified(newcomer)

    with pytest.raises(Refused) as refusal:
        yes(newcomer)

    assert refusal.value.code == "verified-already"


def test_neither_who_acts_for_it_nor_who_registered_it_judges_it(volunteer: User) -> None:
    registered = people.register(kind="hospital", name="演练", region=make_region(), by=volunteer, at=NOW)
    joined = make_organisation(verified=False)
    people.enrol(volunteer, joined, "hospital", by=None, at=NOW)

    for organisation in (registered, joined):
        for judge in (yes, no, call):
            with pytest.raises(NotEligible) as refusal:
                judge(organisation, volunteer)  # type: ignore[operator]
            assert refusal.value.code == "four-eyes"
    assert not Verification.objects.exists()
    assert not CallLog.objects.exists()


def test_the_yes_of_somebody_who_has_come_to_act_for_it_counts_no_more(
    newcomer: Organisation, volunteer: User
) -> None:
    yes(newcomer, volunteer)
    people.enrol(volunteer, newcomer, "hospital", by=None, at=NOW)

    assert yes(newcomer).status == "unverified"
    assert yes(newcomer).status == "verified"


@pytest.mark.parametrize("role", ["hospital", "donor", "auditor"])
def test_only_the_desk_judges(newcomer: Organisation, role: str) -> None:
    with pytest.raises(NotYours):
        yes(newcomer, make_member(role), called=False)


def test_a_no_by_anyone_refuses_and_the_next_round_takes_two_fresh_yeses(newcomer: Organisation) -> None:
    first, second = make_member("volunteer"), make_member("volunteer")
    yes(newcomer, first)
    refused = no(newcomer, first)

    again = yes(newcomer, second)
    believed = yes(newcomer, first)

    assert (refused.status, refused.public_note) == ("refused", "Hand in a letter with a seal.")
    assert (again.status, again.public_note) == ("unverified", "")
    assert believed.status == "verified"


def test_a_verified_one_is_refused_by_one_no_and_what_made_it_verified_is_taken_away(
    newcomer: Organisation,
) -> None:
    verified(newcomer)

    refused = no(newcomer)

    assert refused.status == "refused"
    assert (refused.verified_by, refused.seconded_by, refused.verified_on, refused.recheck_on) == (None,) * 4
    with pytest.raises(MoveRefused):
        no(newcomer)


# -- For a reason -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("origin", "outcome", "convinces"),
    [
        ("register", "confirmed", True),
        ("website", "confirmed", True),
        ("records", "confirmed", True),
        ("given", "confirmed", False),
        ("register", "denied", False),
        ("register", "no_answer", False),
        ("register", "wrong_number", False),
    ],
)
def test_a_yes_needs_a_call_that_confirmed_it_to_a_number_it_did_not_give(
    newcomer: Organisation, volunteer: User, origin: str, outcome: str, convinces: bool
) -> None:
    call(newcomer, volunteer, origin=origin, outcome=outcome)

    if convinces:
        assert yes(newcomer, volunteer, called=False).check_round == 1
        return
    with pytest.raises(Refused) as refusal:
        yes(newcomer, volunteer, called=False)
    assert refusal.value.code == "no-evidence"


def test_a_file_will_do_instead_of_a_call(newcomer: Organisation, volunteer: User) -> None:
    letter = file_about(newcomer)

    yes(newcomer, volunteer, called=False, evidence=[letter])

    assert list(Verification.objects.get().evidence.all()) == [letter]


@pytest.mark.parametrize("which", ["another's", "erased"])
def test_a_file_of_another_or_an_erased_one_shows_nothing(
    newcomer: Organisation, volunteer: User, which: str
) -> None:
    file = file_about(newcomer if which == "erased" else make_organisation())
    if which == "erased":
        Attachment.objects.filter(pk=file.pk).update(erased_at=NOW, key_sealed=b"", sha256="")

    with pytest.raises(ValidationError) as fault:
        yes(newcomer, volunteer, evidence=[file])

    assert set(fault.value.message_dict) == {"evidence"}


def test_the_calls_of_a_round_that_is_over_convince_nobody_in_the_next(newcomer: Organisation) -> None:
    yes(newcomer)
    no(newcomer)

    with pytest.raises(Refused) as refusal:
        yes(newcomer, called=False)

    assert refusal.value.code == "no-evidence"


def test_a_kept_contact_was_given_by_the_organisation(newcomer: Organisation, volunteer: User) -> None:
    contact = people.keep_contact(newcomer, at=NOW, phone="000-1234")
    other = people.keep_contact(make_organisation(), at=NOW, phone="000-1235")

    kept = call(newcomer, volunteer, origin="given", contact=contact)

    assert kept.contact == contact.pk
    for wrong in ({"origin": "register", "contact": contact}, {"origin": "given", "contact": other}):
        with pytest.raises(ValidationError):
            call(newcomer, volunteer, **wrong)


@pytest.mark.parametrize(
    "words", [{"motive": " "}, {"public_note": ""}, {"motive": "x" * 1001}, {"public_note": "x" * 301}]
)
def test_a_verdict_without_its_reasons_is_refused_by_field(
    newcomer: Organisation, words: dict[str, str]
) -> None:
    for judge in (yes, no):
        with pytest.raises(ValidationError) as fault:
            judge(newcomer, **words)  # type: ignore[operator]
        assert set(fault.value.message_dict) == set(words)


NUMBERS = [
    "138 1234 5678",
    "called 027-8221-1234",
    "１３８１２３４５６７８",
    "(027) 82211234 转 8",
    "86.138.1234.5678",
    "420106199001011234",
    "8221123 answered",
    "write to dock@example.org",
    "微信：zhang_dock88",
]
NO_NUMBERS = [
    "2026-11-23 14:30",
    "3 calls on 2026/1/3 and 2026.1.4",
    "GB 19083, hotline 95338",
    "ward 12, bed 7",
    "",
]


@pytest.mark.parametrize("text", NUMBERS)
def test_a_number_in_a_note_is_refused(newcomer: Organisation, volunteer: User, text: str) -> None:
    with pytest.raises(ValidationError):
        names_no_number(text)
    with pytest.raises(ValidationError):
        call(newcomer, volunteer, note=text)
    for column in ("motive", "public_note"):
        with pytest.raises(ValidationError):
            yes(newcomer, volunteer, **{column: text})


@pytest.mark.parametrize("text", NO_NUMBERS)
def test_days_times_and_other_figures_are_no_numbers_to_call(text: str) -> None:
    names_no_number(text)


# -- Until a day ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("days", "fits"), [(0, False), (1, True), (366, True), (367, False), (-1, False)])
def test_the_next_check_is_a_year_ahead_at_most(newcomer: Organisation, days: int, fits: bool) -> None:
    day = TODAY + days * DAY

    if fits:
        assert verified(newcomer, recheck_on=day).recheck_on == day
        return
    with pytest.raises(ValidationError) as fault:
        yes(newcomer, recheck_on=day)
    assert set(fault.value.message_dict) == {"recheck_on"}


def test_of_two_days_the_earlier_holds_unless_it_is_over(newcomer: Organisation) -> None:
    yes(newcomer, recheck_on=TODAY + 5 * DAY)
    soon = yes(newcomer, recheck_on=TODAY + 50 * DAY)
    other = make_organisation(verified=False)
    yes(other, recheck_on=TODAY + 5 * DAY)
    late = yes(other, at=NOW + 10 * DAY, recheck_on=TODAY + 50 * DAY)

    assert soon.recheck_on == TODAY + 5 * DAY
    assert late.recheck_on == TODAY + 50 * DAY


def test_one_whose_day_has_come_is_marked_once_and_stays_verified(newcomer: Organisation) -> None:
    verified(newcomer)

    due = Organisation.objects.verified().count()  # the volunteers' own groups, too

    assert people.mark_to_check_again(at=NOW + 89 * DAY) == 0
    assert people.mark_to_check_again(at=NOW + 90 * DAY) == due
    assert people.mark_to_check_again(at=NOW + 91 * DAY) == 0
    newcomer.refresh_from_db()
    assert (newcomer.status, newcomer.to_check_since) == ("verified", TODAY + 90 * DAY)
    assert what_happened(newcomer)[-1] == "organisation.to_check_again"


def test_checked_again_by_two_it_is_good_for_another_while(newcomer: Organisation) -> None:
    verified(newcomer)
    then = NOW + 100 * DAY
    people.mark_to_check_again(at=then)

    still = yes(newcomer, at=then)
    done = yes(newcomer, at=then)

    assert (still.status, still.to_check_since) == ("verified", TODAY + 90 * DAY)
    assert (done.status, done.to_check_since) == ("verified", None)
    assert (done.verified_on, done.recheck_on) == (TODAY + 100 * DAY, TODAY + 190 * DAY)


def test_one_taken_over_from_a_list_says_so_and_may_be_verified_properly(newcomer: Organisation) -> None:
    newcomer.source = "wuhan2020"
    trusted = people.trust(newcomer, at=NOW)
    told = trusted.how_verified

    proper = verified(trusted)

    assert "wuhan2020" in told
    assert "moderated where it was published" in told
    assert (proper.by_source, proper.verified_on) == (False, TODAY)


# -- The queue --------------------------------------------------------------------------------------------


def test_one_waits_for_everybody_at_the_desk_but_who_said_yes_or_has_a_hand_in_it() -> None:
    here, elsewhere = make_region("420106"), make_region("110101", "东城区")
    organisation = make_organisation(verified=False, region=here, registered_by=make_member("volunteer"))
    said_yes, insider, other = (make_member("volunteer") for _ in range(3))
    near, far = make_member("coordinator"), make_member("coordinator")
    near.memberships.get().regions.add(here)
    far.memberships.get().regions.add(elsewhere)
    auditor = make_member("auditor")
    yes(organisation, said_yes)
    people.enrol(insider, organisation, "hospital", by=None, at=NOW)

    def waits_for(user: User | None) -> bool:
        rows = Organisation.objects.filter(pk=organisation.pk)
        return waiting_for(User.objects.get(pk=user.pk), rows).exists()  # type: ignore[union-attr]

    people_asked = [other, near, said_yes, organisation.registered_by, insider, far, auditor]
    assert [waits_for(user) for user in people_asked] == [True, True, False, False, False, False, False]


# -- What the database holds ------------------------------------------------------------------------------

WRONG: dict[str, dict[str, Any]] = {
    "organisation_verified_by_two_or_by_its_source": {"seconded_by": None},
    "organisation_verified_by_two_people": {"seconded_by": "verified_by"},
    "organisation_not_verified_by_who_registered_it": {"registered_by": "verified_by"},
    "organisation_checked_again_within_a_year": {"recheck_on": TODAY + 367 * DAY},
}


@pytest.mark.parametrize("name", WRONG)
def test_the_database_itself_keeps_four_eyes(newcomer: Organisation, name: str) -> None:
    proper = verified(newcomer)
    columns = {
        column: getattr(proper, value) if isinstance(value, str) else value
        for column, value in WRONG[name].items()
    }

    with pytest.raises(IntegrityError, match=name), transaction.atomic():
        Organisation.objects.filter(pk=proper.pk).update(**columns)


@pytest.mark.parametrize("make", [make_appeal, make_donation])
def test_nobody_moderates_what_she_posted_neither_way(volunteer: User, make: Any) -> None:
    post = make(by=volunteer, published=False)
    verbs = asking if make is make_appeal else giving

    for verb in (verbs.publish, verbs.refuse):
        more = {"reason": "no"} if verb is verbs.refuse else {}
        with pytest.raises(NotEligible) as refusal:
            verb(post, by=volunteer, at=NOW, **more)
        assert refusal.value.code == "four-eyes"
    with pytest.raises(IntegrityError, match="moderated_by_another"), transaction.atomic():
        type(post).objects.filter(pk=post.pk).update(moderated_by=volunteer)


# -- At the same moment -----------------------------------------------------------------------------------


def at_once(*judges: User, judge: Any) -> list[str]:
    """What each heard who judged at the same moment, in connections of their own."""
    together = Barrier(len(judges))

    def one(user: User) -> str:
        try:
            together.wait(timeout=60)
            return str(judge(user))
        except (Refused, IntegrityError) as refusal:
            return getattr(refusal, "code", "") or type(refusal).__name__
        finally:
            connection.close()

    with ThreadPoolExecutor(len(judges)) as pool:
        return sorted(pool.map(one, judges))


def naive(organisation: Organisation, by: User, both: Barrier) -> str:
    """What a hurried programmer writes: look, then leap. The barrier stands where another request may come between."""
    with transaction.atomic():
        earlier = list(organisation.verifications.filter(verdict="verified"))
        both.wait(timeout=60)
        Verification.objects.create(
            organisation=organisation, round=1, verdict="verified", by=by, at=NOW, role="volunteer", **WORDS
        )
        if earlier:
            record(organisation, "organisation.verified", by=by, at=NOW)
    return "yes"


def times_verified(organisation: Organisation) -> int:
    return what_happened(organisation).count("organisation.verified")


@pytest.mark.django_db(transaction=True)
def test_two_who_say_yes_at_once_verify_once_and_the_control_without_a_lock_never_does() -> None:
    for _again in range(5):
        organisation, two = make_organisation(verified=False), [make_member("volunteer") for _ in range(2)]
        call(organisation, two[0])

        heard = at_once(*two, judge=lambda user: yes(organisation, user, called=False).status)  # noqa: B023

        assert heard == ["unverified", "verified"]
        assert times_verified(organisation) == 1

    organisation, both = make_organisation(verified=False), Barrier(2)
    at_once(*two, judge=lambda user: naive(organisation, user, both))
    assert organisation.verifications.count() == 2
    assert times_verified(organisation) == 0  # each thought hers was the first: for ever one of two


@pytest.mark.django_db(transaction=True)
def test_the_third_of_three_at_once_is_told_that_it_is_done() -> None:
    organisation, three = make_organisation(verified=False), [make_member("volunteer") for _ in range(3)]
    call(organisation, three[0])

    heard = at_once(*three, judge=lambda user: yes(organisation, user, called=False).status)

    assert heard == ["unverified", "verified", "verified-already"]
    assert times_verified(organisation) == 1


ONE_YES = next(
    constraint
    for constraint in Verification._meta.constraints
    if constraint.name == "verification_one_yes_a_person_and_round"
)


@pytest.mark.django_db(transaction=True)
def test_one_who_says_yes_twice_at_once_has_said_it_once_by_the_database_too() -> None:
    volunteer, guarded, unlocked, bare = (
        make_member("volunteer"),
        *(make_organisation(verified=False) for _ in "123"),
    )
    call(guarded, volunteer)

    heard = at_once(volunteer, volunteer, judge=lambda user: yes(guarded, user, called=False).status)
    both = Barrier(2)
    naively = at_once(volunteer, volunteer, judge=lambda user: naive(unlocked, user, both))

    assert heard == ["said-already", "unverified"]
    assert naively == ["IntegrityError", "yes"]
    assert guarded.verifications.count() == unlocked.verifications.count() == 1

    with as_owner(), connection.schema_editor() as editor:
        editor.remove_constraint(Verification, ONE_YES)
    try:
        at_once(volunteer, volunteer, judge=lambda user: naive(bare, user, both))
        assert bare.verifications.count() == 2  # the control: without the constraint one person is two
    finally:
        with transaction.atomic(), as_owner(), rewriting():
            bare.verifications.all().delete()
        with as_owner(), connection.schema_editor() as editor:
            editor.add_constraint(Verification, ONE_YES)
