from collections.abc import Iterator
from typing import Any

import pytest

from tests.supplies.notices.receiver import Receiver, receiving


@pytest.fixture
def receiver(settings: Any) -> Iterator[Receiver]:
    """A receiver on this machine that the operator vouches for."""
    with receiving() as one:
        settings.WEBHOOK_HOSTS = [one.host]
        yield one
