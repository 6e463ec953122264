"""Every lifecycle as a whole table: each pair of statuses is either an arrow or refused."""

import itertools
from typing import Any

import pytest
from django.apps import apps
from django.db import models

from supplies.errors import MoveRefused
from supplies.lifecycle import Moving

MOVING = [model for model in apps.get_models() if issubclass(model, Moving)]


def pairs() -> list[Any]:
    return [
        pytest.param(model, old, new, id=f"{model.__name__}-{old}-{new}")
        for model in MOVING
        for old, new in itertools.product(model.lifecycle.moves, repeat=2)
    ]


@pytest.mark.parametrize(("model", "old", "new"), pairs())
def test_a_status_moves_along_its_arrows_and_no_other_way(model: type[Moving], old: str, new: str) -> None:
    row = model(status=old)

    if new in model.lifecycle.moves[old]:
        row.move_to(new)
        assert row.status == new
    else:
        with pytest.raises(MoveRefused):
            row.move_to(new)
        assert row.status == old


@pytest.mark.parametrize("model", MOVING, ids=lambda model: model.__name__)
def test_a_lifecycle_knows_every_status_of_its_model(model: type[Moving]) -> None:
    assert set(model.lifecycle.moves) == {value for value, _label in model._meta.get_field("status").choices}


@pytest.mark.parametrize("model", MOVING, ids=lambda model: model.__name__)
def test_the_database_lists_the_statuses_too(model: type[Moving]) -> None:
    listed = [
        c
        for c in model._meta.constraints
        if isinstance(c, models.CheckConstraint) and c.name.endswith("_is_listed")
    ]

    assert any("status" in str(constraint.condition) for constraint in listed)
