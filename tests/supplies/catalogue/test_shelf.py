from datetime import date
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils.translation import override

from supplies.catalogue.models import Item, Standard
from supplies.catalogue.shelf import TABLES, Shelf
from tests.makers import make_item, make_standard

pytestmark = pytest.mark.django_db
TODAY = date(2020, 2, 5)


def test_the_catalogue_is_read_once_as_long_as_no_row_of_it_changes(django_assert_num_queries: Any) -> None:
    make_item("RESP_MED")
    first = Shelf.kept()
    told = [first.item_choices, first.standard_choices, first.unit_choices]

    with django_assert_num_queries(1):
        again = Shelf.kept()
        assert again is first
        assert told == [again.item_choices, again.standard_choices, again.unit_choices]


def test_a_row_that_came_was_changed_or_went_is_seen_at_once() -> None:
    seen = [list(Shelf.kept().items)]
    item = make_item("RESP_MED")
    seen.append(list(Shelf.kept().items))
    Item.objects.filter(pk=item.pk).update(name_en="Something else")
    named = Shelf.kept().items["RESP_MED"].name_en
    make_standard("GB 19083-2010", [item])
    known = Shelf.kept().dictionary.items_of
    Standard.items.through.objects.all().delete()
    gone = Shelf.kept().dictionary.items_of

    assert seen == [[], ["RESP_MED"]]
    assert named == "Something else"
    assert (known, gone) == ({"GB 19083-2010": ["RESP_MED"]}, {})


def test_what_was_taken_back_is_as_if_it_had_never_been() -> None:
    make_item("RESP_MED", name_en="As it was")
    before = Shelf.kept()

    with transaction.atomic():
        Item.objects.update(name_en="As it was not to be")
        inside = Shelf.kept().items["RESP_MED"].name_en
        transaction.set_rollback(True)

    assert inside == "As it was not to be"
    assert Shelf.kept() is before


def test_each_language_has_its_own() -> None:
    make_item("RESP_MED", name_zh="医用防护口罩", name_en="Medical respirator")

    with override("zh-hans"):
        chinese = str(Shelf.kept().item_choices)
    with override("en"):
        english = str(Shelf.kept().item_choices)

    assert "医用防护口罩" in chinese
    assert "Medical respirator" in english


def test_every_table_that_a_shelf_reads_is_watched() -> None:
    make_standard("GB 19083-2010", [make_item("RESP_MED")])
    shelf = Shelf()

    with CaptureQueriesContext(connection) as asked:
        assert shelf.item_choices
        assert shelf.unit_choices
        assert shelf.standards_known
        assert shelf.serving.by("RESP_MED")
        assert shelf.counterfeits.marks == []
        shelf.dictionary.read_standard("GB 19083-2010", shelf.items["RESP_MED"], on=TODAY)
        shelf.is_package(shelf.items["RESP_MED"], "box")

    every = connection.introspection.table_names()
    told = " ".join(query["sql"] for query in asked.captured_queries)
    assert {name for name in every if f'"{name}"' in told} == {model._meta.db_table for model in TABLES}
