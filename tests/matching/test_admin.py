"""Approving proposals, writing down a yes, starting runs at the desk."""

import pytest
from django.urls import reverse

from matching import services
from matching.models import FamilyRun, MatchingRun, Proposal
from supplies.allocations.models import Allocation
from supplies.organisations.models import User
from supplies.organisations.services import enrol
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
    make_proposal,
    make_region,
    make_run,
    make_standard,
    make_user,
)


def test_the_list_begins_with_open_proposals_the_most_urgent_first(volunteer: User) -> None:
    reserve = make_proposal(need=make_need(urgency=4))
    critical = make_proposal(need=make_need(urgency=1))
    services.decline(make_proposal(), reason="x", by=volunteer, at=NOW)

    shown = at_the_desk(volunteer).get(list_of(Proposal)).context["cl"]

    assert list(shown.result_list) == [critical, reserve]


def test_a_volunteer_approves_one_from_its_page(volunteer: User) -> None:
    proposal = make_proposal()

    answer = at_the_desk(volunteer).post(page_of(proposal).replace("/change/", "/do/approve/"))

    proposal.refresh_from_db()
    assert (proposal.status, proposal.approved_by) == ("approved", volunteer)
    assert answer.url == page_of(proposal)


def test_a_proposal_that_ended_meanwhile_is_reported_and_the_rest_approved(volunteer: User) -> None:
    stale, one, two = make_proposal(), make_proposal(), make_proposal()
    services.withdraw(stale, reason="need-withdrawn", by=None, at=NOW)

    answer = choose(at_the_desk(volunteer), "approve", stale, one, two, confirmed="yes")

    statuses = {row.pk: row.status for row in Proposal.objects.all()}
    assert statuses == {stale.pk: "withdrawn", one.pk: "approved", two.pk: "approved"}
    refusals = [sentence for sentence in told(answer) if "cannot become" in sentence]
    assert len(refusals) == 1
    assert stale.need.appeal.facility.name in refusals[0]


def test_standing_consent_and_nothing_left_on_the_offer_is_a_sentence_and_the_rest_goes_through(
    volunteer: User,
) -> None:
    offer = make_offer(quantity=150, allocates_for_me=True)
    one, two = make_proposal(offer=offer), make_proposal(offer=offer)

    answer = choose(at_the_desk(volunteer), "approve", one, two, confirmed="yes")

    assert sorted(Proposal.objects.values_list("status", flat=True)) == ["agreed", "open"]
    assert Allocation.objects.get().quantity == 100
    assert any("50 of 150 are left" in sentence for sentence in told(answer))


def test_what_approving_several_would_do_is_shown_and_the_second_finds_what_the_first_has_left(
    volunteer: User,
) -> None:
    offer = make_offer(quantity=150, allocates_for_me=True)
    one, two = make_proposal(offer=offer), make_proposal(offer=offer)

    page = choose(at_the_desk(volunteer), "approve", one, two).context

    assert len(page["fine"]) == len(page["refused"]) == 1
    assert "50 of 150 are left" in page["refused"][0].refusal
    assert set(Proposal.objects.values_list("status", flat=True)) == {"open"}
    assert not Allocation.objects.exists()


def test_who_posted_one_side_does_not_approve(volunteer: User) -> None:
    proposal = make_proposal(need=make_need(by=volunteer))

    answer = choose(at_the_desk(volunteer), "approve", proposal)

    proposal.refresh_from_db()
    assert proposal.status == "open"
    assert "another volunteer has to approve it" in told(answer)[0]


def test_a_coordinator_approves_within_her_regions_only(db: None) -> None:
    here, there = make_region("420106"), make_region("110101", "东城区")
    coordinator = make_user("coordinator")
    enrol(coordinator, make_organisation("coordinator"), "coordinator", regions=[here], by=None, at=NOW)
    inside = make_proposal(need=make_need(make_facility(region=here)))
    outside = make_proposal(need=make_need(make_facility(region=there)))
    client = at_the_desk(coordinator)

    answer = choose(client, "approve", inside, outside, confirmed="yes")

    inside.refresh_from_db()
    outside.refresh_from_db()
    assert (inside.status, outside.status) == ("approved", "open")
    assert any("outside your regions" in sentence for sentence in told(answer))
    assert client.get(page_of(outside)).context["offered"] == []


@pytest.mark.parametrize("role", ["hospital", "donor", "carrier"])
def test_nobody_else_approves_at_the_desk(db: None, role: str) -> None:
    proposal = make_proposal()

    answer = choose(at_the_desk(make_member(role)), "approve", proposal)

    proposal.refresh_from_db()
    assert answer.status_code == 302
    assert proposal.status == "open"


def test_a_posted_status_changes_nothing(volunteer: User) -> None:
    proposal = make_proposal()

    answer = at_the_desk(volunteer).post(page_of(proposal), {"status": "agreed", "quantity": "5"})

    proposal.refresh_from_db()
    assert answer.status_code == 403
    assert (proposal.status, proposal.quantity) == ("open", 100)


def test_declining_asks_why_and_keeps_the_answer(volunteer: User) -> None:
    proposal, client = make_proposal(), at_the_desk(volunteer)
    assert "reason" in choose(client, "decline", proposal).context["form"].fields

    choose(client, "decline", proposal, reason="The ward is closed.")

    proposal.refresh_from_db()
    assert (proposal.status, proposal.ended_because) == ("declined", "The ward is closed.")


def test_a_yes_on_the_telephone_is_written_down_after_the_call_was_confirmed(volunteer: User) -> None:
    proposal = services.approve(make_proposal(), by=volunteer, at=NOW)
    client = at_the_desk(volunteer)

    choose(client, "donor_said_yes", proposal)
    proposal.refresh_from_db()
    assert proposal.donor_said_yes_at is None

    choose(client, "donor_said_yes", proposal, called="on")
    proposal.refresh_from_db()
    assert (proposal.status, proposal.donor_consent) == ("agreed", "asked")


def test_a_substitute_waits_for_the_hospital_after_the_donor(volunteer: User) -> None:
    proposal = services.approve(make_proposal(is_conditional=True), by=volunteer, at=NOW)
    client = at_the_desk(volunteer)

    choose(client, "donor_said_yes", proposal, called="on")
    proposal.refresh_from_db()
    assert proposal.status == "approved"

    choose(client, "hospital_said_yes", proposal, called="on")
    proposal.refresh_from_db()
    assert proposal.status == "agreed"


def test_the_page_says_why_in_sentences(volunteer: User) -> None:
    page = at_the_desk(volunteer).get(page_of(make_proposal())).content.decode()

    assert "12 km away, 2 days until it arrives." in page
    assert "Of 1,000 pieces asked for, 0 pieces are covered" in page
    assert "and 100 pieces with them: 0 → 10 %." in page


def test_the_page_names_standards_in_words_and_says_when_the_item_is_another(volunteer: User) -> None:
    for code, title in (
        ("GB19082-2009", "GB 19082-2009 coveralls"),
        ("GB19082-2003", "GB 19082-2003 coveralls"),
    ):
        make_standard(code, title=title)
    steps = [["GB19082-2009", "GB19082-2003", "newer_edition"]]
    newer = make_proposal(because={"total": 400, "filled_before": 0, "filled_after": 100, "steps": steps})
    other = make_proposal(offer=make_offer(item=make_item("FACE_SHIELD")))
    client = at_the_desk(volunteer)

    assert "GB 19082-2009 coveralls for GB 19082-2003 coveralls (newer edition)" in client.get(
        page_of(newer)
    ).content.decode().replace("&#x27;", "'")
    assert (
        "It is another item, made to a standard that is asked for."
        in client.get(page_of(other)).content.decode()
    )


def test_the_list_says_how_the_goods_stand_to_what_is_asked_for(volunteer: User) -> None:
    steps = [["A:2023", "A:2010", "newer_edition"], ["A:2010", "A:2003", "newer_edition"]]
    make_proposal(
        is_conditional=True, because={"total": 400, "filled_before": 100, "filled_after": 200, "steps": steps}
    )

    page = at_the_desk(volunteer).get(list_of(Proposal)).content.decode()

    assert "newer edition; ask the hospital" in page
    assert "covered: 25 → 50 %" in page
    assert "100 piece" in page
    assert "12 km · 2 days" in page


def test_the_list_names_the_urgency_in_words_and_repeats_no_status_that_all_its_rows_have(
    volunteer: User,
) -> None:
    make_proposal(need=make_need(urgency=1))

    waiting, every = (
        at_the_desk(volunteer).get(f"{list_of(Proposal)}{query}").content.decode()
        for query in ("", "?status=all")
    )

    assert 'title="critical: runs out within a day">critical</span>' in waiting
    assert "column-standing" not in waiting
    assert "column-standing" in every


def test_a_run_is_started_by_posting_the_form_and_not_by_opening_it(volunteer: User) -> None:
    emergency, client = make_emergency(), at_the_desk(volunteer)
    address = reverse("admin:matching_matchingrun_start")

    assert client.get(address).status_code == 200
    assert not MatchingRun.objects.exists()

    answer = client.post(address, {"emergency": emergency.pk, "policy": "floor", "is_dry": "on"})
    run = MatchingRun.objects.get()
    assert (run.emergency, run.policy, run.is_dry, run.started_by) == (emergency, "floor", True, volunteer)
    assert run.trigger == "hand"
    assert answer.url == page_of(run)


def test_an_emergency_that_is_over_cannot_be_matched_again(volunteer: User) -> None:
    over = make_emergency("old", status="over")

    answer = at_the_desk(volunteer).post(
        reverse("admin:matching_matchingrun_start"), {"emergency": over.pk, "policy": "urgency"}
    )

    assert "emergency" in answer.context["form"].errors
    assert not MatchingRun.objects.exists()


def test_an_auditor_sees_runs_and_starts_none(db: None) -> None:
    client = at_the_desk(make_member("auditor"))

    assert b"matchingrun/start" not in client.get(list_of(MatchingRun)).content
    assert client.get(reverse("admin:matching_matchingrun_start")).status_code == 403
    assert (
        client.post(
            reverse("admin:matching_matchingrun_start"),
            {"emergency": make_emergency().pk, "policy": "urgency"},
        ).status_code
        == 403
    )
    assert not MatchingRun.objects.exists()


def test_the_page_of_a_run_shows_the_fill_by_urgency_what_failed_and_what_stays_short(
    volunteer: User,
) -> None:
    run = make_run()
    FamilyRun.objects.create(
        run=run,
        emergency=run.emergency,
        family="masks",
        status="done",
        by_urgency={"1": {"needs": 4, "wanted": 200, "served": 0, "proposed": 150}},
        shortfalls={"too-far": 3},
    )
    FamilyRun.objects.create(
        run=run,
        emergency=run.emergency,
        family="gloves",
        status="failed",
        failure="PlanRejected: over-demand",
    )

    page = at_the_desk(volunteer).get(page_of(run)).content.decode()

    assert "75.0 %" in page
    assert "the goods may not travel that far" in page
    assert "PlanRejected: over-demand" in page
