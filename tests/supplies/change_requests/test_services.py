"""Reporting, gathering, taking back and deciding."""

import re
from datetime import timedelta
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from supplies.change_requests import services
from supplies.change_requests.models import (
    CAN_BE_WRONG,
    CHANGE_REQUEST_LIFECYCLE,
    ChangeRequest,
    ChangeRequestStatus,
    Report,
    What,
    Wrong,
)
from supplies.change_requests.permissions import may_decide
from supplies.errors import MoveRefused, NotEligible, Refused, TooMany
from supplies.journal.models import Event
from supplies.needs import services as asking
from supplies.needs.models import Need
from supplies.organisations import services as people
from supplies.organisations.models import User
from tests.at_once import behind, held
from tests.makers import (
    NOW,
    make_allocation,
    make_facility,
    make_member,
    make_need,
    make_organisation,
    make_region,
    make_user,
)

pytestmark = pytest.mark.django_db
SAID: dict[str, dict[str, Any]] = {
    "wrong_quantity": {"quantity": 70},
    "duplicate": {"duplicate_of": "the other one"},
    "other": {"words": "It is another ward."},
}


def make_report(subject: Any = None, kind: str = "not_needed", **said: Any) -> Report:
    said = {"by": None, "at": NOW, **SAID.get(kind, {}), **said}
    return services.report(subject or make_need(), kind=kind, **said)


def make_subject(what: What) -> Any:
    need = make_need()
    site = need.appeal.facility
    return {"need": need, "appeal": need.appeal, "facility": site, "organisation": site.organisation}[what]


# -- reporting --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("what", "kind"), [(what, kind) for what in What for kind in CAN_BE_WRONG[what]])
def test_everything_that_can_be_wrong_is_reported_and_changes_nothing(what: What, kind: Wrong) -> None:
    subject = make_subject(what)
    before = type(subject).objects.values().get(pk=subject.pk)

    made = make_report(subject, kind)

    request = made.change_request
    assert type(subject).objects.values().get(pk=subject.pk) == before
    assert (request.what, request.kind, request.status, request.subject) == (what, kind, "open", subject)
    assert request.as_it_stood == services.as_it_stands(subject, kind)
    assert re.fullmatch(r"[2-9a-z]{26}", made.code)


@pytest.mark.parametrize(
    ("what", "kind"), [(what, kind) for what in What for kind in Wrong if kind not in CAN_BE_WRONG[what]]
)
def test_what_makes_no_sense_is_refused_here_and_in_the_database(what: What, kind: Wrong) -> None:
    subject = make_subject(what)

    with pytest.raises(ValidationError, match="kind"):
        make_report(subject, kind)
    made = make_report(subject, CAN_BE_WRONG[what][0])
    with pytest.raises(IntegrityError, match="change_request_kind_fits"), transaction.atomic():
        ChangeRequest.objects.filter(pk=made.change_request_id).update(kind=kind)


@pytest.mark.parametrize(
    ("kind", "said", "field"),
    [
        ("wrong_quantity", {"quantity": None}, "quantity"),
        ("wrong_quantity", {"quantity": 0}, "quantity"),
        ("wrong_quantity", {"quantity": 10**9}, "quantity"),
        ("wrong_quantity", {"quantity": 1000}, "quantity"),
        ("not_needed", {"quantity": 5}, "quantity"),
        ("duplicate", {"duplicate_of": " "}, "duplicate_of"),
        ("other", {"words": ""}, "words"),
        ("other", {"words": "x" * 501}, "words"),
    ],
)
def test_a_report_that_says_too_little_or_nonsense_names_the_field(
    kind: str, said: dict[str, Any], field: str
) -> None:
    with pytest.raises(ValidationError) as fault:
        make_report(make_need(quantity=1000), kind, **said)

    assert list(fault.value.message_dict) == [field]
    assert not Report.objects.exists()


def test_of_what_is_over_nothing_is_reported() -> None:
    need = asking.withdraw_need(make_need(), by=None, at=NOW)

    with pytest.raises(Refused) as refusal:
        make_report(need)

    assert refusal.value.code == "over"


def test_reports_of_the_same_gather_into_one_request_and_each_has_its_code() -> None:
    need = make_need()

    made = [make_report(need) for _number in range(3)]
    apart = [make_report(need, "fake"), make_report(make_need())]

    assert len({report.change_request_id for report in made}) == 1
    assert len({report.code for report in made}) == 3
    assert len({report.change_request_id for report in [*made, *apart]}) == 3


def test_an_account_that_says_the_same_again_is_given_its_first_report() -> None:
    need, member = make_need(), make_user()

    assert make_report(need, by=member) == make_report(need, by=member)
    assert Report.objects.count() == 1


def test_the_old_value_is_kept_as_it_stood_when_it_was_first_reported() -> None:
    need = make_need(quantity=1000)
    request = make_report(need, "wrong_quantity").change_request

    asking.change(need, by=None, at=NOW, quantity=900)
    make_report(need, "wrong_quantity", quantity=80)

    request.refresh_from_db()
    assert request.as_it_stood["quantity"] == 1000


def test_too_many_reports_of_one_thing_in_a_day_are_refused_and_the_next_day_is_another() -> None:
    need = make_need()
    for _number in range(services.REPORTS_A_DAY):
        make_report(need)

    with pytest.raises(TooMany) as refusal:
        make_report(need, at=NOW + timedelta(hours=1))

    assert (refusal.value.code, refusal.value.wait) == ("reported-often", 23 * 3600 + 1)
    assert make_report(need, at=NOW + timedelta(hours=24, seconds=1))
    assert make_report(need, "fake")


@pytest.mark.django_db(transaction=True)
def test_many_who_report_at_once_meet_in_one_request() -> None:
    need = make_need()
    first = make_report(need)

    made = behind(held(ChangeRequest.objects.all()), [lambda: make_report(need), lambda: make_report(need)])

    assert {report.change_request_id for report in made} == {first.change_request_id}


@pytest.mark.django_db(transaction=True)
def test_the_last_report_of_a_day_is_made_once_whoever_comes_at_once() -> None:
    need = make_need()
    for _number in range(services.REPORTS_A_DAY - 1):
        make_report(need)

    def one_more() -> str:
        try:
            make_report(need)
        except TooMany:
            return "refused"
        return "made"

    assert sorted(behind(held(ChangeRequest.objects.all()), [one_more] * 3)) == ["made", "refused", "refused"]


def test_the_database_keeps_one_open_request_of_a_kind_and_what_it_is_about() -> None:
    request = make_report().change_request
    twin = ChangeRequest(
        what="need",
        need=request.need,
        organisation=request.organisation,
        region=request.region,
        kind=request.kind,
        created_at=NOW,
    )

    with pytest.raises(IntegrityError, match="change_request_open_once"), transaction.atomic():
        twin.save(force_insert=True)
    with pytest.raises(IntegrityError, match="change_request_is_about"), transaction.atomic():
        ChangeRequest.objects.filter(pk=request.pk).update(need=None)
    with pytest.raises(IntegrityError, match="change_request_decided"), transaction.atomic():
        ChangeRequest.objects.filter(pk=request.pk).update(status="accepted")
    with pytest.raises(IntegrityError, match="change_request_declined"), transaction.atomic():
        ChangeRequest.objects.update(status="declined", decided_by=make_user(), decided_at=NOW)


# -- taking back ------------------------------------------------------------------------------------------


def test_a_request_goes_on_while_anybody_stands_by_it() -> None:
    need = make_need()
    one, other = make_report(need), make_report(need)

    for _twice in range(2):
        services.take_back(one, at=NOW)
    one.change_request.refresh_from_db()
    assert one.change_request.status == "open"

    services.take_back(other, at=NOW)
    one.change_request.refresh_from_db()
    assert one.change_request.status == "withdrawn"
    assert make_report(need).change_request != one.change_request


# -- deciding ---------------------------------------------------------------------------------------------


def decided(status: str) -> ChangeRequest:
    made = make_report()
    if status == "withdrawn":
        services.take_back(made, at=NOW)
    elif status == "accepted":
        services.accept(made.change_request, by=make_member("volunteer"), at=NOW)
    elif status == "declined":
        services.decline(made.change_request, reason="It is.", by=make_member("volunteer"), at=NOW)
    return ChangeRequest.objects.get(pk=made.change_request_id)


VERBS = {
    "accepted": lambda row: services.accept(row, by=make_member("volunteer"), at=NOW),
    "declined": lambda row: services.decline(row, reason="no", by=make_member("volunteer"), at=NOW),
    "withdrawn": lambda row: services.take_back(row.reports.get(), at=NOW),
}


@pytest.mark.parametrize("now", ChangeRequestStatus.values)
@pytest.mark.parametrize("new", sorted(VERBS))
def test_the_lifecycle_is_what_the_verbs_allow(now: str, new: str) -> None:
    request = decided(now)

    if CHANGE_REQUEST_LIFECYCLE.allows(now, new):
        VERBS[new](request)
        request.refresh_from_db()
        assert request.status == new
    else:
        with pytest.raises(Refused) as refusal:
            VERBS[new](request)
        assert refusal.value.code == MoveRefused.code


@pytest.mark.parametrize("kind", ["not_needed", "fake"])
def test_an_accepted_report_ends_the_need_and_what_is_promised_stays(kind: str) -> None:
    need = make_need(quantity=100)
    allocation = make_allocation(60, need=need)

    services.accept(make_report(need, kind).change_request, by=make_member("volunteer"), at=NOW)

    need.refresh_from_db()
    allocation.refresh_from_db()
    assert (need.status, need.quantity_promised, allocation.status) == ("withdrawn", 60, "reserved")


def test_an_accepted_quantity_is_the_one_reported_last_unless_another_is_given() -> None:
    volunteer = make_member("volunteer")
    need, other = make_need(quantity=1000), make_need(quantity=1000)
    make_report(need, "wrong_quantity", quantity=80)
    make_report(other, "wrong_quantity")

    services.accept(
        make_report(need, "wrong_quantity", at=NOW + timedelta(1)).change_request, by=volunteer, at=NOW
    )
    services.accept(ChangeRequest.objects.open().get(), by=volunteer, at=NOW, quantity=33)

    need.refresh_from_db()
    other.refresh_from_db()
    assert (need.quantity, other.quantity) == (70, 33)


def test_a_quantity_below_what_is_promised_is_refused_and_the_request_stays_open() -> None:
    need = make_need(quantity=100)
    make_allocation(90, need=need)
    request = make_report(need, "wrong_quantity").change_request

    with pytest.raises(Refused) as refusal, transaction.atomic():
        services.accept(request, by=make_member("volunteer"), at=NOW)

    request.refresh_from_db()
    assert (refusal.value.code, request.status) == ("below-what-is-promised", "open")


@pytest.mark.parametrize("kind", ["not_needed", "fake"])
def test_an_accepted_report_of_an_appeal_withdraws_it(kind: str) -> None:
    appeal = make_need().appeal

    services.accept(make_report(appeal, kind).change_request, by=make_member("volunteer"), at=NOW)

    appeal.refresh_from_db()
    assert (appeal.status, appeal.needs.get().status) == ("withdrawn", "withdrawn")


@pytest.mark.parametrize("what", [What.APPEAL, What.FACILITY, What.ORGANISATION])
def test_what_was_found_closed_takes_nothing_until_it_says_otherwise(what: What) -> None:
    need = make_need()
    site = need.appeal.facility
    other_site = make_facility(site.organisation, name="East site")
    subject = {"appeal": need.appeal, "facility": site, "organisation": site.organisation}[what]

    services.accept(make_report(subject, "closed").change_request, by=make_member("volunteer"), at=NOW)

    site.refresh_from_db()
    other_site.refresh_from_db()
    assert (site.is_paused, other_site.is_paused) == (True, what == What.ORGANISATION)
    assert people.resume(site, by=None, at=NOW).is_paused is False


def test_a_fake_organisation_is_refused_by_its_verification_with_four_eyes() -> None:
    hospital = make_organisation(registered_by=make_user())
    own = make_member("volunteer", hospital)
    request = make_report(hospital, "fake").change_request

    with pytest.raises(Refused, match=r".") as silent, transaction.atomic():
        services.accept(request, by=make_member("volunteer"), at=NOW)
    with pytest.raises(NotEligible) as involved, transaction.atomic():
        services.accept(request, answer="No such ward.", by=own, at=NOW)
    services.accept(
        request, answer="The ministry knows no such hospital.", by=make_member("volunteer"), at=NOW
    )

    hospital.refresh_from_db()
    assert (silent.value.code, involved.value.code) == ("reason-missing", "four-eyes")
    assert (hospital.status, hospital.public_note) == ("refused", "The ministry knows no such hospital.")


@pytest.mark.parametrize("kind", ["wrong_telephone", "other"])
def test_what_has_to_be_corrected_by_hand_changes_nothing_by_itself(kind: str) -> None:
    hospital = make_need().appeal.facility.organisation
    before = type(hospital).objects.values().get(pk=hospital.pk)

    services.accept(make_report(hospital, kind).change_request, by=make_member("volunteer"), at=NOW)

    assert type(hospital).objects.values().get(pk=hospital.pk) == before


def test_nobody_decides_what_she_reported_herself() -> None:
    volunteer = make_member("volunteer")
    request = make_report(by=volunteer).change_request

    for verb, answers in [(services.accept, {}), (services.decline, {"reason": "no"})]:
        with pytest.raises(NotEligible) as refusal:
            verb(request, by=volunteer, at=NOW, **answers)  # type: ignore[operator]
        assert refusal.value.code == "four-eyes"


def test_no_without_a_reason_is_no_answer() -> None:
    with pytest.raises(Refused) as refusal:
        services.decline(make_report().change_request, reason=" ", by=make_member("volunteer"), at=NOW)

    assert refusal.value.code == "reason-missing"


def test_the_journal_knows_each_step_and_none_of_the_words() -> None:
    made = make_report(kind="other", words="call 13800001111")
    services.decline(made.change_request, reason="It is right.", by=make_member("volunteer"), at=NOW)

    events = Event.objects.about(made.change_request).order_by("pk")
    assert [event.kind for event in events] == ["change_request.reported", "change_request.declined"]
    assert all("138" not in str(event.facts) for event in events)


# -- who sees and decides -----------------------------------------------------------------------------------

OWN, OTHER = "420106", "110101"


def cast(need: Need) -> dict[str, User]:
    hospital = need.appeal.facility.organisation
    here = make_member("coordinator")
    here.memberships.get().regions.set([make_region(OWN)])
    elsewhere = make_member("coordinator")
    elsewhere.memberships.get().regions.set([make_region(OTHER)])
    return {
        "hospital": make_member("hospital", hospital),
        "its auditor": make_member("auditor", hospital),
        "another hospital": make_member("hospital"),
        "donor": make_member("donor"),
        "stranger": make_user(),
        "coordinator here": here,
        "coordinator elsewhere": elsewhere,
        "volunteer": make_member("volunteer"),
        "administrator": make_user(is_superuser=True, is_staff=True),
    }


@pytest.mark.parametrize(
    ("kind", "seen_by", "decided_by"),
    [
        (
            "not_needed",
            {"hospital", "its auditor", "coordinator here", "volunteer", "administrator"},
            {"hospital", "coordinator here", "volunteer", "administrator"},
        ),
        (
            "fake",
            {"its auditor", "coordinator here", "volunteer", "administrator"},
            {"coordinator here", "volunteer", "administrator"},
        ),
    ],
)
def test_who_sees_a_request_and_who_decides_it(kind: str, seen_by: set[str], decided_by: set[str]) -> None:
    need = make_need(make_facility(region=make_region(OWN)))
    request = make_report(need, kind).change_request
    people_there = cast(need)

    seen = {
        name
        for name, person in people_there.items()
        if ChangeRequest.objects.visible_to(User.objects.get(pk=person.pk)).filter(pk=request.pk).exists()
    }
    may = {name for name, person in people_there.items() if may_decide(person, request)}

    assert (seen, may) == (seen_by, decided_by)


# -- telling ----------------------------------------------------------------------------------------------


def with_address(user: User, email: str) -> User:
    EmailAddress.objects.create(user=user, email=email, verified=True, primary=True)
    return user


def test_the_hospital_and_who_posted_are_told_of_the_first_report_and_of_what_was_done() -> None:
    poster = with_address(make_user(), "poster@example.org")
    need = make_need(by=poster)
    with_address(make_member("hospital", need.appeal.facility.organisation), "ward@example.org")

    request = make_report(need).change_request
    make_report(need)
    assert sorted(letter.to[0] for letter in mail.outbox) == ["poster@example.org", "ward@example.org"]

    mail.outbox.clear()
    services.accept(request, by=make_member("volunteer"), at=NOW)
    assert sorted(letter.to[0] for letter in mail.outbox) == ["poster@example.org", "ward@example.org"]


def test_that_somebody_calls_it_a_fake_is_told_to_the_desk_alone() -> None:
    need = make_need()
    with_address(make_member("hospital", need.appeal.facility.organisation), "ward@example.org")

    make_report(need, "fake")

    assert mail.outbox == []
