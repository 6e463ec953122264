from celery import shared_task
from django.utils import timezone

from supplies.opendata.services import publish


@shared_task(name="opendata.publish")
def publish_open_data() -> None:
    publish(at=timezone.now())
