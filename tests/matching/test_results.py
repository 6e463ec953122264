"""What came of runs: by class, by province, against the run before; how everybody reads it; and taking a run back."""

import io
import json
import re
from collections.abc import Iterator
from contextlib import redirect_stderr
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.cache import caches
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from rich.console import Console

from matching import running, services
from matching.models import MatchingRun, Proposal, RunStatus
from matching.results import answers, changes, latest_runs, results, run_before
from supplies.emergencies.models import Emergency
from supplies.errors import Refused
from supplies.journal.models import Event, Outgoing
from supplies.needs.models import Need, Urgency
from supplies.offers.models import Offer
from supplies.organisations.models import Facility, Organisation, User
from tests.desk import at_the_desk, choose, list_of, page_of, told
from tests.makers import NOW, make_emergency, make_facility, make_member, make_need, make_offer, make_region

pytestmark = pytest.mark.django_db
HERE = reverse("how-matching-works")


@pytest.fixture(autouse=True)
def _nothing_remembered() -> Iterator[None]:
    caches["process"].clear()
    yield
    caches["process"].clear()


def match(at: datetime = NOW, emergency: Emergency | None = None, **options: Any) -> MatchingRun:
    run = services.start(emergency or make_emergency(), trigger="hand", by=None, at=at, **options)
    for family in running.open_run(run.pk, at=at):
        running.solve_family(family.pk, clock=lambda: at)
    return MatchingRun.objects.get(pk=run.pk)


def make_world(emergency: Emergency | None = None) -> None:
    """Hubei asks for 300 critically, Beijing for 500 soon; 600 lie in Hubei in packs of 100."""
    emergency = emergency or make_emergency()
    hubei = make_facility(region=make_region("420106"))
    beijing = make_facility(region=make_region("110101", "东城区"))
    make_need(hubei, quantity=300, urgency=1, emergency=emergency)
    make_need(beijing, quantity=500, urgency=3, emergency=emergency)
    make_offer(quantity=600, pack=100, emergency=emergency, region=make_region("420106"))


# --- figures


def test_the_fill_is_told_by_class_and_by_province() -> None:
    make_world()
    run = match()

    (result,) = results([run])

    assert {urgency.value: (fill.wanted, fill.proposed) for urgency, fill in result.by_class.items()} == {
        1: (300, 300),
        3: (500, 300),
    }
    places = {place.region.code: place.fill for place in result.by_place}
    assert {code: (fill.needs, fill.wanted, fill.proposed) for code, fill in places.items()} == {
        "420000": (1, 300, 300),
        "110000": (1, 500, 300),
    }
    assert (places["110000"].before, places["110000"].after) == (0.0, 0.6)
    assert (result.families, result.proposals, result.units) == (1, 2, 600)
    assert result.all_classes.proposed == 600


def test_figures_of_an_ended_run_are_worked_out_once(django_assert_num_queries: Any) -> None:
    make_world()
    run = match()
    first = results([run])

    with django_assert_num_queries(3):
        again = results([run])

    assert again == first


def test_a_run_at_work_has_figures_too_and_they_are_not_remembered() -> None:
    make_world()
    run = services.start(make_emergency(), trigger="hand", by=None, at=NOW)
    (family,) = running.open_run(run.pk, at=NOW)
    run.refresh_from_db()
    assert results([run])[0].by_place == []

    running.solve_family(family.pk, clock=lambda: NOW)

    run.refresh_from_db()
    assert len(results([run])[0].by_place) == 2


def test_a_run_is_held_against_the_one_before_over_the_same_families() -> None:
    make_world()
    first = match()
    match(NOW + timedelta(minutes=1), is_dry=True)
    match(NOW + timedelta(minutes=2), families=["MASK_SURG"])
    make_offer(quantity=200)
    last = match(NOW + timedelta(minutes=3))

    before = run_before(last)

    assert before == first
    assert run_before(first) is None
    found = changes(*reversed(results([first, last])))
    assert found["proposals"].difference == 1 - 2
    assert found["units"].difference == 200 - 600
    change = found[Urgency.SOON]
    assert (change.before, change.now) == (0.6, 1.0)
    assert Urgency.URGENT not in found


def test_what_became_of_its_proposals_is_counted(volunteer: User) -> None:
    make_world()
    run = match()
    proposal = Proposal.objects.order_by("place")[0]
    services.decline(proposal, reason="no lift", by=volunteer, at=NOW)

    assert [(row["status"], row["proposals"], row["units"]) for row in answers(run)] == [
        ("open", 1, 300),
        ("declined", 1, 300),
    ]


def test_the_latest_run_over_everything_is_told_for_each_emergency_that_goes_on() -> None:
    flood, over = make_emergency("flood"), make_emergency("old")
    first = match()
    second = match(NOW + timedelta(minutes=1))
    match(NOW + timedelta(minutes=2), is_dry=True)
    match(NOW + timedelta(minutes=3), families=["MASK_SURG"])
    other = match(emergency=flood)
    match(emergency=over)
    Emergency.objects.filter(pk=over.pk).update(status="over")

    assert first.status == RunStatus.DONE
    assert set(latest_runs()) == {second, other}


# --- for everybody


def page(language: str = "en") -> str:
    return Client(headers={"accept-language": language}).get(HERE).content.decode()


def test_everybody_reads_how_matching_works_and_what_the_last_run_came_to() -> None:
    make_world()
    match()

    said = page()

    assert "Strictly by urgency" in said
    assert "省11" in said
    assert "60.0 %" in said
    assert "all goods that would do serve needs that come before it" in said
    assert Emergency.objects.get().name_en in said


def test_the_page_stands_where_nothing_has_been_matched() -> None:
    assert "No run over everything has been done yet." in page()
    match()
    assert "No need was open that could be matched." in page()


def test_the_page_is_chinese_where_that_is_read() -> None:
    make_world()
    match()

    said = page("zh-hans")

    assert "湖北省" in said
    assert "Strictly by urgency" not in said


def test_nobody_is_named_on_it(volunteer: User) -> None:
    make_world()
    match()
    services.decline(Proposal.objects.all()[0], reason="Frau Li hat keinen Lift", by=volunteer, at=NOW)

    said = page()

    names = {row.name for model in (Facility, Organisation) for row in model.objects.all()}
    assert [name for name in (*names, "Frau Li") if name in said] == []
    assert [
        str(row.pk) for model in (Need, Offer) for row in model.objects.all() if str(row.pk) in said
    ] == []


def queries() -> int:
    with CaptureQueriesContext(connection) as asked:
        page()
    return len(asked)


@pytest.mark.parametrize("is_remembered", [False, True])
def test_the_page_asks_as_often_for_many_emergencies_as_for_one(is_remembered: bool) -> None:
    make_world()
    match()
    alone = queries()
    if is_remembered:
        alone = queries()
    for code in ("flood", "quake", "cold"):
        make_world(make_emergency(code))
        match(emergency=make_emergency(code))
    if is_remembered:
        queries()
    else:
        caches["process"].clear()

    assert queries() == alone


# --- at the desk


def test_the_page_of_a_run_tells_provinces_declines_and_the_run_before(volunteer: User) -> None:
    make_world()
    match()
    make_offer(quantity=300)
    run = match(NOW + timedelta(minutes=1))
    services.decline(run.families.get().proposed.get(), reason="ring 13812345678", by=volunteer, at=NOW)

    said = at_the_desk(volunteer).get(page_of(run)).content.decode()

    assert "省11" in said
    assert "+40.0 points" in said
    assert "−1" in said
    assert "Declined, and why" in said
    assert "13812345678" not in said
    assert "kernel" in said
    assert "style=" not in said.partition('class="check run"')[2]


def test_the_page_of_a_dry_run_leads_to_the_same_run_in_earnest(volunteer: User) -> None:
    make_world()
    run = match(is_dry=True, policy="floor")
    client = at_the_desk(volunteer)

    said = client.get(page_of(run)).content.decode()

    link = f"{reverse('admin:matching_matchingrun_start')}?emergency=flu-2026&amp;policy=floor"
    assert link in said
    form = client.get(link.replace("&amp;", "&")).content.decode()
    assert '<option value="floor" selected>' in form
    assert "dry run: nothing was proposed" in said
    assert "do/undo/" not in said
    assert not Proposal.objects.exists()


def test_the_list_of_runs_offers_a_dry_run(volunteer: User) -> None:
    make_emergency()
    client = at_the_desk(volunteer)
    link = f"{reverse('admin:matching_matchingrun_start')}?is_dry=on"

    assert link in client.get(list_of(MatchingRun)).content.decode()
    assert client.get(link).context["form"]["is_dry"].value() == "on"


# --- taking a run back


def test_what_nobody_has_answered_is_taken_back_and_what_was_approved_stands(volunteer: User) -> None:
    make_world()
    run = match()
    approved, waiting = Proposal.objects.order_by("place")
    services.approve(approved, by=volunteer, at=NOW)

    services.undo(run, reason="the stock was counted wrongly", by=volunteer, at=NOW)

    approved.refresh_from_db()
    waiting.refresh_from_db()
    assert (approved.status, waiting.status) == ("approved", "withdrawn")
    assert waiting.ended_because == "the stock was counted wrongly"
    assert Need.objects.get(pk=waiting.need_id).quantity_proposed == 0
    assert Offer.objects.get().quantity_proposed == approved.quantity
    event = Event.objects.get(kind="run.undone")
    assert (event.subject_id, event.by, event.facts) == (str(run.pk), volunteer, {"proposals": 1})


def test_nothing_is_matched_again_because_a_run_was_taken_back(volunteer: User) -> None:
    make_world()
    run = match()

    services.undo(run, reason="x", by=volunteer, at=NOW)

    events = Event.objects.filter(kind="proposal.withdrawn")
    assert events.count() == 2
    assert Outgoing.objects.filter(event__in=events, listener="matching.services.hear").count() == 2
    services.hear(list(events), at=NOW)
    assert list(MatchingRun.objects.all()) == [run]


def test_a_run_that_was_taken_back_may_be_proposed_again(volunteer: User) -> None:
    make_world()
    services.undo(match(), reason="x", by=volunteer, at=NOW)

    again = match(NOW + timedelta(minutes=1))

    assert results([again])[0].units == 600


def test_a_run_is_not_taken_back_twice_nor_before_it_has_ended_nor_without_a_reason(volunteer: User) -> None:
    make_world()
    queued = services.start(make_emergency(), trigger="hand", by=None, at=NOW)
    for run, reason, code in ((queued, "x", "run-unfinished"), (match(), " ", "reason-missing")):
        with pytest.raises(Refused) as refused:
            services.undo(run, reason=reason, by=volunteer, at=NOW)
        assert refused.value.code == code
    run = MatchingRun.objects.get(status="done")
    services.undo(run, reason="x", by=volunteer, at=NOW)

    with pytest.raises(Refused) as refused:
        services.undo(run, reason="x", by=volunteer, at=NOW)

    assert refused.value.code == "nothing-to-take-back"


def test_all_of_it_is_taken_back_or_nothing(volunteer: User, monkeypatch: pytest.MonkeyPatch) -> None:
    make_world()
    run = match()

    def fail(*_arguments: Any, **_facts: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr(services, "record", fail)
    with pytest.raises(RuntimeError):
        services.undo(run, reason="x", by=volunteer, at=NOW)

    assert set(Proposal.objects.values_list("status", flat=True)) == {"open"}
    assert Offer.objects.get().quantity_proposed == 600


def test_a_volunteer_takes_a_run_back_at_the_desk_and_says_why(volunteer: User) -> None:
    make_world()
    run = match()
    client = at_the_desk(volunteer)

    asked = choose(client, "undo", run)
    assert asked.status_code == 200
    assert set(Proposal.objects.values_list("status", flat=True)) == {"open"}
    choose(client, "undo", run, reason="counted wrongly")

    assert set(Proposal.objects.values_list("status", flat=True)) == {"withdrawn"}
    answer = choose(client, "undo", run, reason="again")
    assert any("Nothing of this run waits any more" in sentence for sentence in told(answer))


@pytest.mark.parametrize("role", ["coordinator", "auditor"])
def test_who_is_bound_to_regions_or_only_reads_takes_no_run_back(role: str, volunteer: User) -> None:
    make_world()
    run = match()
    client = at_the_desk(make_member(role))

    choose(client, "undo", run, reason="x")

    assert set(Proposal.objects.values_list("status", flat=True)) == {"open"}
    assert "do/undo/" not in client.get(page_of(run)).content.decode()


# --- in a terminal


def told_by_match(**options: Any) -> tuple[str, str]:
    out, err = io.StringIO(), io.StringIO()
    with redirect_stderr(err):
        call_command("match", stdout=out, **options)
    return out.getvalue(), err.getvalue()


def test_the_command_prints_what_came_of_it_by_class_and_province_and_why_needs_stay_short() -> None:
    make_world()
    make_need(quantity=900_000, urgency=4)

    said, beside = told_by_match(as_of="2026-11-23")

    rows = [line.replace(" ", "") for line in said.splitlines()]
    assert "│1critical│1│300│0│300│0.0%│100.0%│" in rows
    assert "│all│3│900,800│0│600│0.0%│0.1%│" in rows
    assert any(row.startswith("│省11│1│500│0│300│") for row in rows)
    assert "all goods that would do serve needs that come before it" in said
    assert beside == "", "no progress bar where there is no terminal"


def test_the_command_says_the_same_in_one_line_of_json() -> None:
    make_world()

    said, _beside = told_by_match(as_of="2026-11-23", json=True)

    found = json.loads(said)
    assert found["by_urgency"]["1"]["proposed"] == 300
    assert said.count("\n") == 1


def test_the_command_stands_where_there_is_nothing_to_match() -> None:
    make_emergency()

    said, _beside = told_by_match()

    assert "0 needs, 0 offers, 0 families → 0 proposals, 0 units" in said


def test_in_a_terminal_the_command_shows_how_many_families_are_done(monkeypatch: pytest.MonkeyPatch) -> None:
    make_world()
    monkeypatch.setattr(Console, "is_terminal", property(lambda self: self.stderr))

    _said, beside = told_by_match(as_of="2026-11-23")

    assert "1/1 families" in re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", beside)


def test_the_command_names_the_policies_there_are() -> None:
    with pytest.raises(CommandError, match=r"no policy nonsense\. There are: floor, urgency"):
        told_by_match(policy="nonsense")
