"""No field and no filter answers 500, whatever it is sent."""

from collections.abc import Sequence
from typing import Any

import pytest

from config.api_v1 import router
from tests.api.bodies import WRITES, writes
from tests.api_client import V1, Speaker, today  # noqa: F401
from tests.makers import make_user

pytestmark = pytest.mark.django_db


ODD_VALUES: list[Any] = [
    None,
    True,
    -1,
    2**63,
    2**70,
    1.5,
    1e308,
    "",
    " ",
    "a\u202eb\u200b",
    "𠮷😀",
    "x" * 5000,
    "' OR 1=1 --",
    "2027-02-29",
    "9999-12-31T23:59:59-14:00",
    "00000000-0000-0000-0000-000000000000",
    [],
    [None],
    [[1]],
    {},
    {"id": 1},
]


def in_turn(values: Sequence[Any], turn: int) -> Sequence[Any]:
    """A third of the values, another with each turn: so that of neighbouring fields each is sent others."""
    return values[turn % 3 :: 3]


@pytest.mark.parametrize("number", range(len(WRITES)), ids=WRITES)
def test_no_field_answers_500_to_any_odd_value(number: int) -> None:
    client = Speaker(make_user("root", is_superuser=True)).client
    client.raise_request_exception = False

    path, body, line = writes()[number]

    lines = {"lines": [line]} if line else {}
    whole = {**body, **lines}
    odd = [{**whole, name: value} for turn, name in enumerate(whole) for value in in_turn(ODD_VALUES, turn)]
    odd += [
        {**body, "lines": [{**line, name: value}]}
        for turn, name in enumerate(line)
        for value in in_turn(ODD_VALUES, turn)
    ]
    for sent in odd:
        answer = client.post(V1 + path, sent, format="json")
        assert answer.status_code in (200, 201, 400, 403, 409), (path, sent, answer.content)


def test_no_filter_answers_500_to_any_odd_value() -> None:
    client = Speaker(make_user("root", is_superuser=True)).client
    client.raise_request_exception = False
    values = [
        "",
        "-1",
        "1e5",
        str(2**70),
        "x" * 2000,
        "𠮷",
        "%",
        "\\",
        "'",
        "2027-02-29",
        "９",
        "[]",
        "\ud800".encode("utf-8", "replace"),
    ]

    for prefix, viewset, _basename in router.registry:
        names = list(viewset.filterset_class.base_filters) if hasattr(viewset, "filterset_class") else []
        if not hasattr(viewset, "list"):
            continue
        for turn, name in enumerate([*names, "cursor", "page_size", "ordering", "search"]):
            for value in in_turn(values, turn):
                answer = client.get(f"{V1}{prefix}/", {name: value})
                assert answer.status_code in (200, 400), (prefix, name, value, answer.content)
