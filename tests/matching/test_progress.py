"""How far a run is, for whoever started it and for the coordinator: families solved of families."""

from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from matching import running, services
from matching.models import FamilyRun, MatchingRun, RunStatus
from matching.progress import progress_of
from supplies.organisations.models import User
from tests.desk import at_the_desk, page_of
from tests.makers import NOW, make_emergency, make_member, make_need, make_offer


def started(**fields: Any) -> MatchingRun:
    given = {"emergency": make_emergency(), "trigger": "hand", "as_of": NOW, "created_at": NOW}
    return MatchingRun.objects.create(**{**given, "status": "running", **fields})


def family(run: MatchingRun, name: str, status: str) -> FamilyRun:
    return FamilyRun.objects.create(run=run, emergency=run.emergency, family=name, status=status)


@pytest.mark.parametrize("status", [RunStatus.DONE, RunStatus.FAILED])
def test_a_run_that_has_ended_has_no_bar(volunteer: User, status: str) -> None:
    run = started(status=status)

    assert progress_of(run) is None
    assert "<progress" not in at_the_desk(volunteer).get(page_of(run)).content.decode()


def test_a_run_nobody_has_opened_waits_for_a_worker(volunteer: User) -> None:
    run = started(status="queued", is_dry=True)
    page = at_the_desk(volunteer).get(page_of(run)).content.decode()

    assert "Waits for a worker" in page
    assert "What it comes to stands here once it has ended." in page
    assert "What it would propose" not in page
    assert '<progress id="progress"></progress>' in page


@pytest.mark.parametrize(
    ("statuses", "told"),
    [
        (["done", "failed", "running", "queued"], "2 of 4 families"),
        (["done", "queued"], "Waits for a worker; 1 of 2 families"),
        (["done"], "1 of 1 family"),
    ],
)
@pytest.mark.django_db
def test_families_that_ended_in_any_way_are_counted(statuses: list[str], told: str) -> None:
    run = started()
    for number, status in enumerate(statuses):
        family(run, f"family{number}", status)

    progress = progress_of(run)

    assert progress is not None
    assert progress.told == told
    assert progress.total == len(statuses)


def test_the_bar_is_counted_in_one_query_however_many_families_there_are(
    db: None, django_assert_num_queries: Any
) -> None:
    run = started()
    for number in range(30):
        family(run, f"family{number}", "done")

    with django_assert_num_queries(1):
        progress_of(run)


def test_the_coordinators_page_shows_the_bar_of_the_latest_run_while_it_goes_on(volunteer: User) -> None:
    run = started()
    family(run, "masks", "running")
    address, client = reverse("admin:matching_order_desk"), at_the_desk(volunteer)

    page = client.get(address).content.decode()
    assert "0 of 1 family" in page
    assert f'hx-get="{page_of(run)}"' in page

    MatchingRun.objects.filter(pk=run.pk).update(status="done")
    assert "<progress" not in client.get(address).content.decode()


def test_the_bar_asks_until_the_run_has_ended_and_then_has_its_page_read_anew(volunteer: User) -> None:
    make_need(), make_offer()
    run = services.start(
        make_emergency(), policy="urgency", trigger="hand", is_dry=True, by=volunteer, at=timezone.now()
    )
    client, asks = at_the_desk(volunteer), {"HX-Request": "true"}

    before = client.get(page_of(run), headers=asks)
    for one in running.open_run(run.pk, at=timezone.now()):
        running.solve_family(one.pk)
    after = client.get(page_of(run), headers=asks)

    assert "Waits for a worker" in before.content.decode()
    assert "HX-Refresh" not in before
    assert (after["HX-Refresh"], after.content.strip()) == ("true", b"")


@pytest.mark.django_db
def test_nobody_outside_the_desk_is_shown_a_bar() -> None:
    answer = at_the_desk(make_member("hospital")).get(page_of(started()), headers={"HX-Request": "true"})

    assert answer.status_code == 302
    assert "login" in answer.url
