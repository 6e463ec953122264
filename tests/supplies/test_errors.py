"""Which errors of the database are nobody's fault."""

import pytest
from django.db import (
    DatabaseError,
    DataError,
    IntegrityError,
    InterfaceError,
    OperationalError,
    ProgrammingError,
)

from supplies.errors import is_busy_or_away


@pytest.mark.parametrize("kind", [OperationalError, InterfaceError, DatabaseError])
def test_a_server_that_went_away_in_the_middle_of_its_answer_is_away(kind: type[Exception]) -> None:
    assert is_busy_or_away(kind("server closed the connection unexpectedly"))


@pytest.mark.parametrize("kind", [IntegrityError, DataError, ProgrammingError, ValueError])
def test_what_the_database_refuses_is_no_absence_of_it(kind: type[Exception]) -> None:
    assert not is_busy_or_away(kind("no"))
