"""Whoever departs from what a run proposed says why, and it can be read afterwards; the run itself is never rewritten."""

import csv
import io
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.urls import reverse

from matching import deviations, running, services
from matching.models import Proposal
from matching.sentences import sentences
from supplies.allocations.models import Allocation
from supplies.errors import NotEligible, Refused
from supplies.journal.models import Event
from supplies.journal.services import dispatch
from supplies.needs.models import Need
from supplies.offers.models import Offer
from supplies.organisations.models import User
from tests.api_client import speaker, today  # noqa: F401
from tests.desk import at_the_desk, choose, list_of, page_of, told
from tests.makers import (
    NOW,
    make_emergency,
    make_facility,
    make_item,
    make_member,
    make_need,
    make_offer,
    make_organisation,
    make_region,
)

pytestmark = pytest.mark.django_db


def match() -> None:
    run = services.start(make_emergency(), trigger="hand", by=None, at=NOW)
    for family in running.open_run(run.pk, at=NOW):
        running.solve_family(family.pk, clock=lambda: NOW)


def proposed(**offer: Any) -> Proposal:
    """100 pieces in packs of ten, to which the donor has agreed beforehand."""
    make_need(quantity=100)
    make_offer(**{"quantity": 100, "pack": 10, "allocates_for_me": True, **offer})
    match()
    return Proposal.objects.get()


def rivals() -> tuple[Proposal, Proposal]:
    """Two proposals of one offer: for an urgent need, and for one that can wait."""
    urgent, other = make_need(quantity=100, urgency=1), make_need(quantity=100, urgency=3)
    make_offer(quantity=200, allocates_for_me=True)
    match()
    return Proposal.objects.get(need=urgent), Proposal.objects.get(need=other)


# --- fewer than proposed


def test_fewer_are_approved_with_a_reason_and_the_rest_is_free_again(volunteer: User) -> None:
    found = services.approve(proposed(), quantity=60, reason="transport", by=volunteer, at=NOW)

    need, offer = Need.objects.get(), Offer.objects.get()
    assert (found.status, found.quantity, found.quantity_approved) == ("agreed", 100, 60)
    assert Allocation.objects.get().quantity == 60
    assert (need.quantity_proposed, need.quantity_promised) == (0, 60)
    assert (offer.quantity_proposed, offer.quantity_allocated) == (0, 60)
    facts = Event.objects.about(found).get(kind="proposal.approved").facts
    assert facts == {
        "deviates": ["fewer"],
        "reason": "transport",
        "proposed": 100,
        "approved": 60,
        "passed_over": 0,
    }


def test_while_the_donor_is_asked_only_what_was_approved_counts_as_taken(volunteer: User) -> None:
    found = proposed(allocates_for_me=False)

    services.approve(found, quantity=60, reason="recount", by=volunteer, at=NOW)

    assert Need.objects.get().quantity_proposed == Offer.objects.get().quantity_proposed == 60
    services.decline(found, reason="no", by=volunteer, at=NOW)
    assert Need.objects.get().quantity_proposed == Offer.objects.get().quantity_proposed == 0


FAULTY_APPROVALS: list[tuple[dict[str, Any], str]] = [
    ({"quantity": 60}, "deviation-unexplained"),
    ({"quantity": 65, "reason": "recount"}, "broken-pack"),
    ({"quantity": 20, "reason": "recount"}, "below-lot"),
    ({"quantity": 101, "reason": "recount"}, "quantity"),
    ({"quantity": 0, "reason": "recount"}, "quantity"),
    ({"quantity": 60, "reason": "because"}, "reason"),
    ({"quantity": 60, "reason": "other"}, "note"),
    ({"quantity": 60, "reason": "other", "note": "  "}, "note"),
]


def refusal_of(verb: Any, *rows: Any, **answer: Any) -> str:
    """The code of a refusal, or the field that is faulty."""
    with pytest.raises((Refused, ValidationError)) as refused, transaction.atomic():
        verb(*rows, at=NOW, **answer)
    error = refused.value
    return error.code if isinstance(error, Refused) else str(next(iter(error.message_dict)))


def test_a_faulty_departure_is_refused_and_changes_nothing(volunteer: User) -> None:
    found = proposed(min_lot=30)

    told = [refusal_of(services.approve, found, by=volunteer, **answer) for answer, _code in FAULTY_APPROVALS]

    assert told == [code for _answer, code in FAULTY_APPROVALS]
    found.refresh_from_db()
    assert (found.status, found.quantity_left_out, found.deviation) == ("open", 0, "")
    assert Need.objects.get().quantity_proposed == 100


def test_the_sentences_speak_of_what_was_approved(volunteer: User) -> None:
    found = services.approve(proposed(), quantity=60, reason="recount", by=volunteer, at=NOW)

    told = sentences(Proposal.objects.with_sides().get(pk=found.pk))
    assert any("and 60 pieces with them: 0 → 60 %." in sentence for sentence in told)


# --- out of turn


def test_a_more_urgent_proposal_of_the_same_goods_is_not_passed_over_without_a_reason(
    volunteer: User,
) -> None:
    urgent, other = rivals()

    with pytest.raises(Refused) as refusal:
        services.approve(other, by=volunteer, at=NOW)
    assert refusal.value.code == "deviation-unexplained"
    assert "1 more urgent proposal" in str(refusal.value.detail)

    found = services.approve(other, reason="hospital_asked", by=volunteer, at=NOW)
    assert (found.passed_over, found.deviation) == (1, "hospital_asked")
    assert services.approve(urgent, by=volunteer, at=NOW).deviation == ""


def test_in_the_order_of_the_run_nothing_has_to_be_explained(volunteer: User) -> None:
    urgent, other = rivals()
    assert (urgent.place, other.place) == (1, 2)

    for proposal in (urgent, other):
        found = services.approve(proposal, reason="other", note="nothing", by=volunteer, at=NOW)
        assert (found.passed_over, found.deviation, found.deviation_note) == (0, "", "")


# --- by hand


def a_pair(**offer: Any) -> tuple[Need, Offer]:
    return make_need(quantity=100), make_offer(
        **{"quantity": 100, "pack": 10, "allocates_for_me": True, **offer}
    )


def test_a_volunteer_brings_a_pair_together_by_hand(volunteer: User) -> None:
    need, offer = a_pair()

    made = services.allocate_by_hand(need, offer, 50, reason="hospital_asked", by=volunteer, at=NOW)

    assert (made.status, made.is_by_hand, made.family_run, made.quantity) == ("agreed", True, None, 50)
    assert made.allocation is not None
    assert made.allocation.quantity == 50
    assert any("km" in sentence for sentence in sentences(Proposal.objects.with_sides().get(pk=made.pk)))


def test_the_donor_is_asked_about_what_was_made_by_hand_too(volunteer: User) -> None:
    need, offer = a_pair(allocates_for_me=False)

    made = services.allocate_by_hand(need, offer, 50, reason="donor_asked", by=volunteer, at=NOW)

    assert made.status == "approved"
    need.refresh_from_db()
    assert need.quantity_proposed == 50
    donor = make_member("donor", offer.donation.organisation)
    assert services.agree_for_donor(made, by=donor, at=NOW).status == "agreed"


FAULTY_BY_HAND: list[tuple[dict[str, Any], str]] = [
    ({"quantity": 0}, "quantity"),
    ({"quantity": 110}, "not-enough-left"),
    ({"quantity": 55}, "broken-pack"),
    ({"reason": ""}, "deviation-unexplained"),
    ({"reason": "other"}, "note"),
    ({"reason": "because"}, "reason"),
]


def test_what_is_faulty_is_not_made_by_hand(volunteer: User) -> None:
    pair = a_pair()
    right: dict[str, Any] = {"quantity": 50, "reason": "transport", "by": volunteer}

    told = [
        refusal_of(services.allocate_by_hand, *pair, **{**right, **answer})
        for answer, _code in FAULTY_BY_HAND
    ]

    assert told == [code for _answer, code in FAULTY_BY_HAND]
    assert not Proposal.objects.exists()


def test_the_rules_of_the_matching_hold_for_the_hand_as_well(volunteer: User) -> None:
    need = make_need(quantity=100)
    elsewhere = make_offer(directed_region=make_region("110101", "东城区"))
    other_goods = make_offer(item=make_item("GOGGLES", name_zh="护目镜"))

    for offer, code in ((elsewhere, "directed-elsewhere"), (other_goods, "not-satisfying")):
        with pytest.raises(NotEligible) as refusal:
            services.allocate_by_hand(need, offer, 10, reason="transport", by=volunteer, at=NOW)
        assert refusal.value.code == code


@pytest.mark.parametrize("side", ["need", "offer"])
def test_who_posted_a_side_does_not_bring_it_together_by_hand(side: str, volunteer: User) -> None:
    need = make_need(by=volunteer if side == "need" else None)
    offer = make_offer(by=volunteer if side == "offer" else None)

    with pytest.raises(NotEligible) as refusal:
        services.allocate_by_hand(need, offer, 10, reason="transport", by=volunteer, at=NOW)

    assert refusal.value.code == "four-eyes"
    assert not Proposal.objects.exists()
    need.refresh_from_db()
    assert need.quantity_proposed == 0


def test_a_pair_that_is_proposed_already_is_approved_not_made_again(volunteer: User) -> None:
    found = proposed()

    with pytest.raises(Refused) as refusal:
        services.allocate_by_hand(found.need, found.offer, 10, reason="transport", by=volunteer, at=NOW)

    assert refusal.value.code == "proposed-already"
    found.need.refresh_from_db()
    assert found.need.quantity_proposed == 100


def test_what_is_made_by_hand_goes_before_proposals_that_wait(volunteer: User) -> None:
    found = proposed()
    by_hand = make_need(quantity=60, urgency=4)

    services.allocate_by_hand(by_hand, found.offer, 60, reason="transport", by=volunteer, at=NOW)
    dispatch(at=NOW)

    found.refresh_from_db()
    assert (found.status, found.ended_because) == ("withdrawn", "not-enough-left")
    assert Proposal.objects.get(is_by_hand=True).passed_over == 1


def test_the_database_keeps_no_deviation_without_a_reason(volunteer: User) -> None:
    family = proposed().family_run

    def keep(**columns: Any) -> None:
        need, offer = make_need(), make_offer()
        moments = {"created_at": NOW, "expires_at": NOW}
        row = Proposal(need=need, offer=offer, family_run=family, quantity=100, km=1, days=1, **moments)
        for name, value in columns.items():
            setattr(row, name, value)
        row.save(force_insert=True)

    for columns, constraint in (
        ({"quantity_left_out": 10}, "says_why_it_deviates"),
        ({"passed_over": 1}, "says_why_it_deviates"),
        ({"is_by_hand": True, "family_run": None}, "says_why_it_deviates"),
        ({"deviation": "transport"}, "says_why_it_deviates"),
        ({"quantity_left_out": 10, "deviation": "because"}, "says_why_it_deviates"),
        ({"quantity_left_out": 10, "deviation": "other"}, "has_a_note"),
        ({"quantity_left_out": 100, "deviation": "transport"}, "approved_for_something"),
        ({"family_run": None}, "of_a_run_or_by_hand"),
        ({"is_by_hand": True, "deviation": "transport"}, "of_a_run_or_by_hand"),
    ):
        with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
            keep(**columns)
    keep(quantity_left_out=10, deviation="other", deviation_note="演练")


# --- the report


@pytest.fixture
def three(volunteer: User) -> list[Proposal]:
    """One of each kind, and one that kept to the plan."""
    urgent, other = rivals()
    services.approve(other, reason="hospital_asked", by=volunteer, at=NOW)
    services.approve(urgent, quantity=60, reason="recount", by=volunteer, at=NOW + timedelta(hours=1))
    need, offer = a_pair()
    by_hand = services.allocate_by_hand(
        need, offer, 50, reason="other", note="=1+1", by=volunteer, at=NOW + timedelta(days=2)
    )
    make_offer(quantity=100, allocates_for_me=True)
    make_need(quantity=100, urgency=2)
    match()
    for plain in Proposal.objects.waiting().order_by("place"):
        services.approve(plain, by=volunteer, at=NOW)
    return [by_hand, urgent, other]


def test_one_report_shows_every_deviation_and_nothing_else(three: list[Proposal]) -> None:
    assert list(deviations.deviations()) == three
    assert list(deviations.deviations(NOW + timedelta(minutes=1))) == three[:2]
    assert Proposal.objects.exclude(pk__in=[row.pk for row in three]).exists()


def test_the_csv_holds_every_deviation_and_no_formula(three: list[Proposal], tmp_path: Any) -> None:
    file = tmp_path / "deviations.csv"

    call_command("deviation_report", csv=str(file), stderr=io.StringIO())

    rows = list(csv.DictReader(file.open(encoding="utf-8-sig")))
    assert [row["proposal"] for row in rows] == [str(row.pk) for row in three]
    assert [row["kinds"] for row in rows] == ["by_hand", "fewer", "out_of_sequence"]
    assert [(row["proposed"], row["approved"]) for row in rows] == [
        ("50", "50"),
        ("100", "60"),
        ("100", "100"),
    ]
    assert rows[0]["note"] == "'=1+1"


def test_the_command_counts_by_reason_and_refuses_what_is_no_day(three: list[Proposal]) -> None:
    said = io.StringIO()

    call_command("deviation_report", since="2026-11-24", stdout=said)

    assert said.getvalue().startswith("1 deviations: other 1")
    for wrong in ("yesterday", "2026-02-30"):
        with pytest.raises(CommandError, match="takes a day"):
            call_command("deviation_report", since=wrong)


def test_the_report_is_for_those_who_watch_over_all(three: list[Proposal]) -> None:
    everybody = {
        "nobody": 401,
        "a stranger": 403,
        "a hospital": 403,
        "a donor": 403,
        "a carrier": 403,
        "a volunteer": 200,
        "a coordinator": 200,
        "an auditor": 200,
        "the administrator": 200,
    }

    answers = {who: speaker(who).get("proposals/deviations/") for who in everybody}

    assert {who: answer.status_code for who, answer in answers.items()} == everybody
    rows = answers["an auditor"].json()["results"]
    assert [row["proposal"] for row in rows] == [str(row.pk) for row in three]


def test_the_report_is_narrowed(three: list[Proposal]) -> None:
    auditor = speaker("an auditor")

    def found(**query: str) -> list[int]:
        rows = auditor.get("proposals/deviations/", **query).json()["results"]
        return [[str(row.pk) for row in three].index(row["proposal"]) for row in rows]

    assert found(kind="by_hand") == found(since="2026-11-25") == [0]
    assert found(kind="fewer") == found(reason="recount") == [1]
    assert found(kind="out_of_sequence") == [2]
    assert found(since="2026-11-23", emergency="flu-2026") == [0, 1, 2]


# --- through the API


def test_a_program_approves_fewer_with_a_reason() -> None:
    found = proposed()
    volunteer = speaker("a volunteer")

    refused = volunteer.post(f"proposals/{found.pk}/approve/", {"quantity": 60})
    done = volunteer.post(f"proposals/{found.pk}/approve/", {"quantity": 60, "reason": "recount"})

    assert (refused.status_code, refused.json()["code"]) == (409, "deviation-unexplained")
    assert done.status_code == 200, done.json()
    assert (done.json()["quantity"], done.json()["quantity_proposed"]) == (60, 100)


def test_a_bad_approval_is_refused_by_name() -> None:
    found, volunteer = proposed(), speaker("a volunteer")
    bodies: list[tuple[dict[str, Any], str]] = [
        ({"quantity": "60"}, "quantity"),
        ({"quantity": 0}, "quantity"),
        ({"quantity": 101, "reason": "recount"}, "quantity"),
        ({"reason": "because"}, "reason"),
        ({"quantity": 60, "reason": "other"}, "note"),
        ({"why": "recount"}, "why"),
    ]

    for body, field in bodies:
        answer = volunteer.post(f"proposals/{found.pk}/approve/", body)
        assert (answer.status_code, list(answer.json()["fields"])) == (400, [field])

    found.refresh_from_db()
    assert found.status == "open"


BY_HAND = {
    "nobody": 401,
    "a stranger": 403,
    "a donor": 403,
    "the hospital": 403,
    "a volunteer": 201,
    "a coordinator": 201,
    "an auditor": 403,
    "the administrator": 201,
}


def test_volunteers_and_coordinators_allocate_by_hand() -> None:
    hospital = make_facility()
    need = make_need(hospital, quantity=1000)

    for who, status in BY_HAND.items():
        body = {"need": str(need.pk), "offer": str(make_offer().pk), "quantity": 40, "reason": "transport"}
        answer = speaker(who, hospital=hospital.organisation).post("proposals/", body)
        assert answer.status_code == status, (who, answer.json())
        if status == 201:
            made = answer.json()
            assert (made["run"], made["is_by_hand"], made["quantity"]) == (None, True, 40)

    assert Proposal.objects.count() == sum(status == 201 for status in BY_HAND.values())


# --- at the desk


def test_one_click_approves_what_keeps_to_the_order(volunteer: User) -> None:
    urgent, other = rivals()

    answer = choose(at_the_desk(volunteer), "approve", other, urgent, confirmed="yes")

    assert answer.status_code == 302
    assert set(Proposal.objects.values_list("status", "deviation")) == {("agreed", "")}


def test_passing_over_a_more_urgent_one_is_asked_about_and_then_done(volunteer: User) -> None:
    _urgent, other = rivals()
    client = at_the_desk(volunteer)

    asked = choose(client, "approve", other)
    assert "reason" in asked.context["form"].fields
    assert choose(client, "approve", other, reason="").context["form"].errors.keys() == {"reason"}
    choose(client, "approve", other, reason="transport", note="")

    other.refresh_from_db()
    assert (other.status, other.passed_over, other.deviation) == ("agreed", 1, "transport")


def test_the_pack_is_named_beside_the_quantity_and_a_wrong_one_keeps_what_was_typed(
    volunteer: User,
) -> None:
    found, client = proposed(), at_the_desk(volunteer)
    type(found.offer).objects.filter(pk=found.offer_id).update(pack=10)

    asked = choose(client, "approve_fewer", found).context["form"]
    wrong = choose(client, "approve_fewer", found, quantity="7", reason="recount", note="演练")

    found.refresh_from_db()
    form = wrong.context["form"]
    assert "in packs of 10: type a multiple of 10" in str(asked["quantity"].help_text)
    assert form.errors == {"quantity": ["Only whole packs are sent: type a multiple of 10."]}
    assert [form[name].value() for name in ("quantity", "reason")] == ["7", "recount"]
    assert found.status == "open"


def test_fewer_are_approved_at_the_desk_with_quantity_and_reason(volunteer: User) -> None:
    found, client = proposed(), at_the_desk(volunteer)
    assert {"quantity", "reason", "note"} == set(
        choose(client, "approve_fewer", found).context["form"].fields
    )

    choose(client, "approve_fewer", found, quantity="60", reason="recount", note="演练")

    found.refresh_from_db()
    assert (found.status, found.quantity_approved) == ("agreed", 60)


def test_the_desk_lists_deviations_by_kind_and_reason(three: list[Proposal], volunteer: User) -> None:
    client = at_the_desk(volunteer)

    def listed(**query: str) -> set[Any]:
        shown = client.get(list_of(Proposal), {"status": "all", **query}).context["cl"]
        return {row.pk for row in shown.result_list}

    assert listed(departs="yes") == {row.pk for row in three}
    assert listed(departs="fewer") == {three[1].pk}
    assert listed(deviation__exact="other") == {three[0].pk}
    page = client.get(page_of(three[1])).content.decode()
    assert "fewer than proposed" in page
    assert "counted again" in page


def test_a_run_leads_to_its_proposals(three: list[Proposal], volunteer: User) -> None:
    client, run = at_the_desk(volunteer), three[1].family_run.run  # type: ignore[union-attr]

    assert f"run={run.pk}" in client.get(page_of(run)).content.decode()
    shown = client.get(list_of(Proposal), {"status": "all", "run": str(run.pk)}).context["cl"]
    assert {row.pk for row in shown.result_list} == {three[1].pk, three[2].pk}
    assert client.get(list_of(Proposal), {"status": "all", "run": "x"}).context["cl"].result_count == 0


def test_an_allocation_is_made_by_hand_from_the_page_of_the_need(volunteer: User) -> None:
    need, offer = a_pair()
    make_offer(item=make_item("GOGGLES", name_zh="护目镜"))
    client = at_the_desk(volunteer)
    url = f"{reverse('admin:matching_proposal_by_hand')}?need={need.pk}"
    assert url in client.get(page_of(need)).content.decode()
    offers = [key for key, _label in client.get(url).context["form"].fields["offer"].choices]
    assert offers == [str(offer.pk)]

    answers = {"offer": str(offer.pk), "quantity": "50", "reason": "transport", "note": ""}
    refused = client.post(url, {**answers, "quantity": "55"})
    made = client.post(url, answers)

    assert "Only whole packs" in told(refused)[0]
    assert made.url == page_of(Proposal.objects.get(is_by_hand=True))
    assert client.get(made.url).status_code == 200


def test_without_a_need_the_hand_is_led_to_the_list_of_needs(volunteer: User) -> None:
    url = reverse("admin:matching_proposal_by_hand")

    for query in ("", "?need=x", "?need=00000000-0000-0000-0000-000000000001"):
        assert at_the_desk(volunteer).get(url + query).url == list_of(Need)


def test_an_auditor_reads_and_makes_nothing_by_hand() -> None:
    need, _offer = a_pair()
    auditor = make_member("auditor", make_organisation("coordinator"))

    answer = at_the_desk(auditor).get(f"{reverse('admin:matching_proposal_by_hand')}?need={need.pk}")

    assert answer.status_code == 403
