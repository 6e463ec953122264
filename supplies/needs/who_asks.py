"""Who asks: what a volunteer knows of a hospital when she decides whether to publish what it asks for."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Prefetch

from supplies.needs.models import Appeal, AppealStatus, Need, NeedStatus
from supplies.organisations.models import Organisation

MOST_OTHERS = 10


@dataclass(frozen=True)
class Asker:
    """The hospital, whether and by whom it was verified; and what else it asks for, the latest first.

    others    appeals that wait or are published, each with its `lines`
    has_more  whether there are more of them
    """

    organisation: Organisation
    others: list[Any]
    has_more: bool


def who_asks(appeal: Appeal, reader: Any) -> Asker:
    """Three queries, however much the hospital asks for."""
    hospital = Organisation.objects.select_related("verified_by", "seconded_by").get(
        pk=appeal.facility.organisation_id
    )
    lines = Need.objects.filter(status__in=[NeedStatus.WAITING, NeedStatus.OPEN])
    others = (
        Appeal.objects.visible_to(reader)
        .filter(facility__organisation=hospital, status__in=[AppealStatus.WAITING, AppealStatus.PUBLISHED])
        .exclude(pk=appeal.pk)
        .prefetch_related(
            Prefetch("needs", lines.select_related("item__display_unit").as_posted(), to_attr="lines")
        )
        .newest_first()[: MOST_OTHERS + 1]
    )
    found = list(others)
    return Asker(hospital, found[:MOST_OTHERS], len(found) > MOST_OTHERS)
