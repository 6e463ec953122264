"""The world of tests/access, its people's keys, and how many odd requests each operation is sent."""

import pytest

from supplies.organisations import services as people
from supplies.organisations.permissions import usable_scopes
from tests.access.conftest import doors, world  # noqa: F401
from tests.access.world import ROLES, World
from tests.config.conftest import log_text  # noqa: F401
from tests.makers import NOW


@pytest.fixture(scope="session")
def hostile_examples(pytestconfig: pytest.Config) -> int:
    return int(pytestconfig.getoption("--hostile-examples"))


@pytest.fixture(scope="session")
def hostile_roles(pytestconfig: pytest.Config) -> tuple[str, ...]:
    chosen = str(pytestconfig.getoption("--hostile-roles"))
    return ROLES if chosen == "all" else tuple(chosen.split(","))


@pytest.fixture(scope="module")
def keys(world: World) -> dict[str, dict[str, str]]:  # noqa: F811
    """role -> the header by which a program is let in as somebody of that role."""
    found: dict[str, dict[str, str]] = {}
    for role, person in world.people.items():
        if person is None:
            found[role] = {}
            continue
        scopes = [str(scope) for scope in usable_scopes(person)]
        _key, secret = people.issue_token(person, name="演练", scopes=scopes, at=NOW)
        found[role] = {"Authorization": f"Token {secret}"}
    return found
