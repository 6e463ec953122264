from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.utils import translation

from supplies.catalogue.models import Item
from supplies.intake import services
from supplies.intake.report import Report
from tests.makers import NOW
from tests.supplies.intake.lists import make_catalogue, write_list

Importer = Callable[..., Report]


@pytest.fixture(autouse=True)
def _in_english() -> Iterator[None]:
    """The sentences of findings are compared in English, whatever the site's own language is."""
    with translation.override("en"):
        yield


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
