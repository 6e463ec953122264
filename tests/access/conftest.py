"""One world for all tests of a module: made once, and left as it was by every one of them."""

from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from django.db import transaction
from django.test import override_settings

from tests.access.bodies import body_for
from tests.access.doors import Doors
from tests.access.world import World, make_world
from tests.makers import NOW


@pytest.fixture(scope="module")
def world(
    django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    own = override_settings(
        PRIVATE_ROOT=tmp_path_factory.mktemp("private"),
        OPEN_DATA_DIR=tmp_path_factory.mktemp("open"),  # what other tests published is not of this world
    )
    with own, django_db_blocker.unblock(), time_machine.travel(NOW, tick=False), transaction.atomic():
        yield make_world()
        transaction.set_rollback(True)


@pytest.fixture(scope="module")
def doors(world: World) -> Doors:
    return Doors(world, body_for)
