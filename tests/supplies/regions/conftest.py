"""Countries and China, loaded once for all tests of a module and taken back afterwards."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import transaction

from supplies.editions.services import Loaded
from supplies.regions.services import load_regions

LOADED_AT = datetime(2020, 2, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def shipped(django_db_setup: None, django_db_blocker: Any) -> Iterator[Loaded]:
    with django_db_blocker.unblock(), transaction.atomic():
        yield load_regions(at=LOADED_AT)
        transaction.set_rollback(True)
