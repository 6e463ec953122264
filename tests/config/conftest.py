"""The log as programs read it."""

import json
import logging
from collections.abc import Callable, Iterator
from io import StringIO
from typing import Any

import pytest

from config.logs import formatter

Log = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def log_text() -> Iterator[StringIO]:
    """Everything that is written while the test runs."""
    text = StringIO()
    handler = logging.StreamHandler(text)
    handler.setFormatter(formatter(as_words=False))
    logging.getLogger().addHandler(handler)
    yield text
    logging.getLogger().removeHandler(handler)


@pytest.fixture
def log(log_text: StringIO) -> Log:
    """The same, a record a line."""
    return lambda: [json.loads(line) for line in log_text.getvalue().splitlines()]
