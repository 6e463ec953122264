import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone, translation

from supplies.attachments.uploads import in_memory
from supplies.catalogue.models import Item
from supplies.intake import services
from supplies.intake.models import Import
from supplies.intake.report import Report
from supplies.organisations.models import User
from supplies.regions.services import load_regions
from tests.makers import NOW, make_emergency
from tests.supplies.catalogue.conftest import LOADED_AT, shipped  # noqa: F401
from tests.supplies.intake.lists import make_catalogue, write_list

Importer = Callable[..., Report]


@pytest.fixture(autouse=True)
def _in_english() -> Iterator[None]:
    """The sentences of findings are compared in English, whatever the site's own language is."""
    with translation.override("en"):
        yield


@pytest.fixture(scope="module")
def shipped_with_regions(shipped: Any, django_db_blocker: Any) -> None:  # noqa: F811
    """Regions too, taken back with the rest."""
    with django_db_blocker.unblock():
        load_regions(at=LOADED_AT)


@pytest.fixture
def catalogue(db: None) -> dict[str, Item]:
    return make_catalogue()


@pytest.fixture
def take(catalogue: dict[str, Item], tmp_path: Path) -> Importer:
    """Import rows as one file of a list; of the list of needs unless another format is named."""

    def importer(
        *rows: Any, format: str = "wuhan2020", encoding: str = "utf-8", at: Any = NOW, **options: Any
    ) -> Report:
        file = write_list(tmp_path, list(rows), encoding=encoding)
        return services.import_appeals([file], format, by=None, at=at, **options)

    return importer


def hand_in(
    rows: Any, *, by: User, is_read: bool = True, at: Any = None, name: str = "wuhanshi.json", **options: Any
) -> Import:
    """A batch of these rows, handed in by a volunteer, and read unless that is to be done by another."""
    content = rows if isinstance(rows, bytes) else json.dumps(rows, ensure_ascii=False).encode()
    at = at or timezone.now()
    given = {"format": "wuhan2020", "emergency": make_emergency(), **options}
    with in_memory(content) as file:
        batch = services.receive(file, name=name, size=len(content), by=by, at=at, **given)
    if is_read:
        services.work(batch.pk, at=at)
    batch.refresh_from_db()
    return batch
