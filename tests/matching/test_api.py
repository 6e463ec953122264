from datetime import timedelta
from typing import Any

import pytest

from matching.models import FamilyRun, MatchingRun, Proposal
from supplies.allocations.models import Allocation
from tests.api_client import Speaker, speaker, today  # noqa: F401
from tests.makers import (
    NOW,
    make_emergency,
    make_facility,
    make_member,
    make_need,
    make_offer,
    make_organisation,
    make_user,
)

pytestmark = pytest.mark.django_db
CAST = [
    "nobody",
    "a stranger",
    "the hospital",
    "another hospital",
    "the donor",
    "another donor",
    "a carrier",
    "a volunteer",
    "an auditor",
    "the administrator",
]
DESK = {"a volunteer", "the administrator"}


class Story:
    """One proposal between a hospital and a donor."""

    def __init__(self, status: str = "open", *, by: Any = None, **fields: Any) -> None:
        self.facility, self.donor = make_facility(), make_organisation("donor")
        need = make_need(self.facility, by=by, **{"ask_first": fields.pop("ask_first", False)})
        offer = make_offer(self.donor, allocates_for_me=fields.pop("allocates_for_me", False))
        run = MatchingRun.objects.create(
            emergency=make_emergency(), trigger="hand", as_of=NOW, created_at=NOW, status="done"
        )
        family = FamilyRun.objects.create(
            run=run,
            emergency=run.emergency,
            family="masks",
            status="done",
            needs=1,
            offers=1,
            proposals=1,
            units=100,
        )
        # As the matching leaves them: a pending proposal holds its units on both sides.
        for row in (need, offer):
            row.quantity_proposed = 100
            row.save(update_fields=["quantity_proposed"])
        approved = {"approved_by": make_user(), "approved_at": NOW} if status == "approved" else {}
        self.proposal = Proposal.objects.create(
            family_run=family,
            need=need,
            offer=offer,
            quantity=100,
            status=status,
            km=10,
            days=2,
            because={"total": 1000, "filled_before": 0, "filled_after": 100, "days_to_spare": 3},
            created_at=NOW,
            expires_at=NOW + timedelta(days=2),
            **approved,
            **fields,
        )
        self.path = f"proposals/{self.proposal.pk}/"

    def speaker(self, who: str) -> Speaker:
        return speaker(who, hospital=self.facility.organisation, donor=self.donor)


# -- runs -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", [*CAST, "a coordinator"])
def test_only_volunteers_and_coordinators_start_a_run(who: str) -> None:
    answer = speaker(who).post("matching-runs/", {"emergency": make_emergency().pk})

    allowed = who in DESK | {"a coordinator"}
    assert answer.status_code == (201 if allowed else 401 if who == "nobody" else 403), answer.json()
    assert MatchingRun.objects.count() == allowed


def test_a_run_is_queued_and_can_be_read_again() -> None:
    volunteer = speaker("a volunteer")

    started = volunteer.post(
        "matching-runs/", {"emergency": make_emergency().pk, "policy": "floor", "is_dry": True}
    ).json()
    read = volunteer.get(f"matching-runs/{started['id']}/").json()

    assert (started["status"], started["trigger"], started["policy"], started["is_dry"]) == (
        "queued",
        "hand",
        "floor",
        True,
    )
    assert read == started
    assert read["summary"]["proposals"] == 0


def test_a_finished_run_says_what_came_of_it() -> None:
    story = Story()

    run = story.speaker("an auditor").get(f"matching-runs/{story.proposal.family_run.run_id}/").json()

    assert run["summary"]["units"] == 100
    assert run["families"][0]["family"] == "masks"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "emergency"),
        ({"emergency": "nowhere"}, "emergency"),
        ({"policy": "chaos"}, "policy"),
        ({"families": "masks"}, "families"),
        ({"families": ["x" * 41]}, "families.0"),
        ({"as_of": "2020-01-01"}, "as_of"),
    ],
)
def test_a_bad_run_is_refused_by_name(body: dict[str, Any], field: str) -> None:
    make_emergency()
    sent = body if "emergency" in body or not body else {"emergency": "flu-2026", **body}

    answer = speaker("a volunteer").post("matching-runs/", sent)

    assert answer.status_code == 400, answer.json()
    assert list(answer.json()["fields"]) == [field]
    assert not MatchingRun.objects.exists()


# -- proposals --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("verb", ["approve", "accept"])
@pytest.mark.parametrize("who", CAST)
def test_an_open_proposal_is_approved_by_volunteers_and_hidden_from_the_sides(who: str, verb: str) -> None:
    story = Story()

    answer = story.speaker(who).post(f"{story.path}{verb}/")

    expected = 200 if who in DESK else 401 if who == "nobody" else 403 if who == "an auditor" else 404
    assert answer.status_code == expected, answer.json()
    story.proposal.refresh_from_db()
    assert story.proposal.status == ("approved" if expected == 200 else "open")


@pytest.mark.parametrize("who", CAST)
def test_the_donor_s_yes_makes_an_allocation(who: str) -> None:
    story = Story("approved")

    answer = story.speaker(who).post(f"{story.path}agree/", {"side": "donor"})

    expected = {"the donor": 200, "the administrator": 200, "nobody": 401}.get(
        who, 403 if who in ("the hospital", "a volunteer", "an auditor") else 404
    )
    assert answer.status_code == expected, answer.json()
    assert Allocation.objects.exists() == (expected == 200)
    if expected == 200:
        assert answer.json()["status"] == "agreed"
        assert answer.json()["allocation"] == str(Allocation.objects.get().pk)


def test_a_hospital_that_wants_to_be_asked_has_the_last_word() -> None:
    story = Story("approved", ask_first=True)

    first = story.speaker("the donor").post(f"{story.path}accept/").json()
    second = story.speaker("the hospital").post(f"{story.path}accept/").json()

    assert (first["status"], first["needs_hospital_yes"]) == ("approved", True)
    assert second["status"] == "agreed"


def test_who_acts_for_both_sides_says_for_which() -> None:
    story = Story("approved", ask_first=True)
    both = make_member("hospital", story.facility.organisation)
    make_membership(both, story.donor)

    unclear = Speaker(both).post(f"{story.path}agree/")
    clear = Speaker(both).post(f"{story.path}agree/", {"side": "hospital"})

    assert (unclear.status_code, list(unclear.json()["fields"])) == (400, ["side"])
    assert clear.json()["hospital_said_yes_at"] is not None
    assert clear.json()["donor_said_yes_at"] is None


def make_membership(user: Any, organisation: Any) -> None:
    from supplies.organisations import services as people

    people.enrol(user, organisation, "donor", by=None, at=NOW)


def test_who_posted_one_side_cannot_approve() -> None:
    volunteer = make_member("volunteer")
    story = Story(by=volunteer)

    answer = Speaker(volunteer).post(f"{story.path}approve/")

    assert (answer.status_code, answer.json()["code"]) == (409, "four-eyes")


@pytest.mark.parametrize("who", CAST)
def test_a_side_or_a_volunteer_declines_with_a_reason(who: str) -> None:
    story = Story("approved")

    answer = story.speaker(who).post(f"{story.path}decline/", {"reason": "too late"})

    expected = {"nobody": 401, "an auditor": 403}.get(
        who, 200 if who in DESK | {"the hospital", "the donor"} else 404
    )
    assert answer.status_code == expected, answer.json()
    story.proposal.refresh_from_db()
    assert story.proposal.ended_because == ("too late" if expected == 200 else "")


def test_declining_without_a_reason_is_refused_by_name() -> None:
    story = Story()

    answer = story.speaker("a volunteer").post(f"{story.path}decline/", {})

    assert answer.status_code == 400
    assert list(answer.json()["fields"]) == ["reason"]


def test_approving_twice_is_refused() -> None:
    story = Story("approved")

    answer = story.speaker("a volunteer").post(f"{story.path}approve/")

    assert (answer.status_code, answer.json()["code"]) == (409, "move-refused")


def test_a_proposal_says_why_in_words_and_in_numbers() -> None:
    story = Story()

    shown = story.speaker("a volunteer").get(story.path).json()

    assert (shown["quantity"], shown["shown"], shown["km"]) == (100, "100", 10)
    assert shown["why"]
    assert shown["facts"]["days_to_spare"] == 3


def test_proposals_are_narrowed_by_status_run_need_and_urgency() -> None:
    story, _other = Story(), Story("approved")
    volunteer = story.speaker("a volunteer")

    for query in (
        {"status": "open"},
        {"run": str(story.proposal.family_run.run_id)},
        {"need": str(story.proposal.need_id)},
        {"offer": str(story.proposal.offer_id)},
    ):
        found = volunteer.get("proposals/", **query).json()["results"]
        assert [row["id"] for row in found] == [str(story.proposal.pk)], query
    assert volunteer.get("proposals/", urgency="1").json()["results"] == []
    assert volunteer.get("proposals/", urgency="9").status_code == 400
