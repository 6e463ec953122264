from typing import Any
from uuid import uuid4

import pytest
from django.core.cache import caches


@pytest.fixture(autouse=True)
def nothing_counted(settings: Any) -> None:
    """Each test counts tries for itself, also beside the others that run at the same time."""
    settings.CACHES = {
        **settings.CACHES,
        "default": {**settings.CACHES["default"], "KEY_PREFIX": uuid4().hex},
    }
    caches["process"].clear()
