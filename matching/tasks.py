from celery import shared_task
from django.utils import timezone

from matching import accounting, running, services


@shared_task(name="matching.open_run")
def open_run(run_id: str) -> None:
    running.open_run(run_id, at=timezone.now())


@shared_task(name="matching.solve_family")
def solve_family(family_id: str) -> None:
    running.solve_family(family_id)


@shared_task(name="matching.sweep")
def sweep() -> None:
    running.sweep(at=timezone.now())


@shared_task(name="matching.match_all")
def match_all() -> None:
    services.match_all(at=timezone.now())


@shared_task(name="matching.count_where_it_went")
def count_where_it_went() -> None:
    accounting.count(at=timezone.now())
