from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def _own_disk(private_root: Path) -> None:
    """No file of a test outlives it."""
