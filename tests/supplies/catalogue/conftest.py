"""The shipped reference data, loaded once for all tests of a module and taken back afterwards."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import transaction

from supplies.catalogue.services import load_reference
from supplies.editions.services import Loaded

LOADED_AT = datetime(2020, 2, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def shipped(django_db_setup: None, django_db_blocker: Any) -> Iterator[list[Loaded]]:
    with django_db_blocker.unblock(), transaction.atomic():
        yield load_reference(at=LOADED_AT)
        transaction.set_rollback(True)
