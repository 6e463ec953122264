import re
from io import StringIO

import pytest
from django.core.management import call_command
from django.db.models import Count, F, Model, Q
from django.utils import timezone

from supplies.catalogue import services
from supplies.catalogue.dictionary import Dictionary
from supplies.catalogue.models import (
    CHAINING,
    Item,
    Standard,
    StandardStatus,
    Substitution,
    TransportMode,
    Unit,
    UnitKind,
    Verdict,
)
from supplies.editions.models import ReferenceEdition
from supplies.editions.services import Loaded, keep_edit

pytestmark = pytest.mark.usefixtures("shipped", "db")


# -- loading ----------------------------------------------------------------------------------------------


def test_loading_twice_changes_nothing(shipped: list[Loaded]) -> None:
    again = services.load_reference(at=timezone.now())

    assert all(table.changed >= table.rows for table in shipped)
    assert [table.changed for table in again] == [0] * len(again)
    assert [table.version for table in again] == [table.version for table in shipped]


def test_an_administrators_edit_survives_a_reload_and_makes_a_new_edition() -> None:
    masks = Item.objects.get(code="MASK_SURG")
    masks.plausible_max = 123_456
    keep_edit(masks, by=None, at=timezone.now())
    masks.ambiguous_with.clear()

    loaded = {table.table: table for table in services.load_reference(at=timezone.now())}

    masks.refresh_from_db()
    assert masks.plausible_max == 123_456
    assert not masks.ambiguous_with.filter(code="MASK_DISP").exists()
    assert ReferenceEdition.objects.versions()["catalogue.item"] == loaded["catalogue.item"].version
    assert loaded["catalogue.item"].version > 1
    assert loaded["catalogue.unit"].version == 1


def test_a_row_an_administrator_added_stays() -> None:
    own = TransportMode(code="boat", name_en="Boat", km_per_day=200)
    keep_edit(own, by=None, at=timezone.now())

    services.load_reference(at=timezone.now())

    assert TransportMode.objects.filter(code="boat").exists()


def test_a_link_changed_behind_the_files_back_is_brought_back() -> None:
    Standard.objects.get(code="EN166").items.set(["CAP"])

    services.load_reference(at=timezone.now())

    items = Standard.objects.get(code="EN166").items.values_list("code", flat=True)
    assert set(items) == {"GOGGLES", "FACE_SHIELD"}


def test_the_command_says_what_it_loaded() -> None:
    out = StringIO()
    call_command("load_reference", stdout=out)

    assert "catalogue.item: 83 rows, 0 changed, version 1" in out.getvalue()
    assert "shipments.trackingcode: 256 rows" in out.getvalue()


# -- what is shipped --------------------------------------------------------------------------------------


def test_every_item_is_counted_in_a_base_unit_and_never_in_a_package() -> None:
    base_units = {"piece", "glove", "shoe", "millilitre", "gram", "tablet", "vial", "test", "dose"}

    assert set(Item.objects.values_list("base_unit", flat=True)) <= base_units
    assert not Item.objects.filter(display_unit__kind=UnitKind.PACKAGE).exists()


def test_every_item_assumes_a_quantity_inside_its_plausible_range_and_says_why() -> None:
    odd = Item.objects.exclude(
        assumed_quantity__gte=F("plausible_min"), assumed_quantity__lte=F("plausible_max")
    )

    assert not odd.exists()
    assert not Item.objects.filter(assumed_because="").exists()


def test_medicines_keep_a_year_and_other_goods_a_month() -> None:
    assert set(Item.objects.values_list("is_medicine", "min_shelf_days").distinct()) == {
        (True, 365),
        (False, 30),
    }


def test_every_row_names_sources_that_are_listed() -> None:
    known = {row["key"] for row in services.read_rows(services.REFERENCE / "sources.csv")}

    for model in (Item, Unit, Standard, Substitution, TransportMode):
        for source in model.objects.values_list("source", flat=True).distinct():
            assert set(source.split(";")) <= known, source


def test_every_item_can_be_counted_in_the_unit_it_is_shown_in() -> None:
    dictionary = Dictionary()

    for item in dictionary.items.values():
        for word in (item.display_unit.name_zh, item.display_unit.name_en):
            assert dictionary.to_base(item, 1, word) == item.display_factor, item.code


def test_every_standard_but_the_label_claims_belongs_to_an_item() -> None:
    assert not Standard.objects.annotate(count=Count("items")).filter(count=0).exists()


def test_a_superseded_standard_names_its_successor_or_has_a_note() -> None:
    orphans = Standard.objects.filter(Q(status=StandardStatus.SUPERSEDED), Q(replaced_by=None), Q(note=""))

    assert not orphans.exists()


def test_conditions_are_given_in_both_languages() -> None:
    assert not Substitution.objects.exclude(condition="").filter(condition_zh="").exists()
    assert not Substitution.objects.exclude(condition_zh="").filter(condition="").exists()


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (Item, "note"),
        (Item, "assumed_because"),
        (Standard, "fluid_resistance"),
        (Standard, "other_requirements"),
        (Standard, "note"),
        (Substitution, "evidence"),
    ],
)
def test_what_pages_say_of_goods_is_given_in_both_languages(model: type[Model], words: str) -> None:
    rows = model._default_manager.all()
    lacking = Q(**{words: ""}) ^ Q(**{f"{words}_zh": ""})

    assert rows.exclude(**{words: ""}).exists()
    assert list(rows.filter(lacking)) == []


def test_figures_are_the_same_in_both_languages() -> None:
    """Numbers are facts: a translation that says another one is no translation."""
    said: list[tuple[str, str, str]] = []
    said += Item.objects.exclude(note="").values_list("pk", "note", "note_zh")
    for words in ("fluid_resistance", "other_requirements", "note"):
        said += Standard.objects.values_list("pk", words, f"{words}_zh")
    said += Standard.objects.exclude(title_zh="").values_list("pk", "title", "title_zh")

    for code, english, chinese in said:
        assert figures(chinese) == figures(english), (code, english, chinese)


def figures(text: str) -> list[str]:
    return sorted(re.findall(r"[0-9]+(?:[.][0-9]+)?", text))


def test_titles_with_english_words_have_a_chinese_one() -> None:
    rows = Standard.objects.filter(title__regex=r"\m[a-z]{4,}", title_zh="")

    assert list(rows.values_list("title", flat=True)) == []


def chains() -> dict[str, set[str]]:
    """What each standard leads to by accepted steps that may follow one another."""
    steps: dict[str, set[str]] = {}
    rows = Substitution.objects.accepted().filter(relation__in=CHAINING)
    for offered, satisfies in rows.values_list("offered", "satisfies"):
        steps.setdefault(offered, set()).add(satisfies)
    return steps


def reached(start: str, steps: dict[str, set[str]]) -> set[str]:
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        for following in steps.get(waiting.pop(), set()) - seen:
            seen.add(following)
            waiting.append(following)
    return seen


def test_accepted_substitution_has_no_circle_but_n95_and_ffp2() -> None:
    steps: dict[str, set[str]] = {}
    for offered, satisfies in Substitution.objects.accepted().values_list("offered", "satisfies"):
        steps.setdefault(offered, set()).add(satisfies)

    circular = {code for code in steps if code in reached(code, steps)}

    assert circular == {"NIOSH-N95", "EN149-FFP2"}


def test_no_chain_of_accepted_steps_reaches_a_rejected_pair() -> None:
    steps = chains()

    for offered, satisfies in Substitution.objects.rejected().values_list("offered", "satisfies"):
        assert satisfies not in reached(offered, steps), (offered, satisfies)


@pytest.mark.parametrize(
    ("offered", "satisfies", "verdict"),
    [
        ("YY0469-2011", "GB19083-2010-1", Verdict.REJECT),
        ("GB19083-2010-1", "YY0469-2011", Verdict.CONDITIONAL),
        ("GB19083-2010-1", "YYT0969-2013", Verdict.ACCEPT),
        ("GBT32610-2016", "GB19083-2010-1", Verdict.REJECT),
        ("GB19082-2009", "GB19082-2003", Verdict.ACCEPT),
    ],
)
def test_the_verdicts_that_matter_most_on_a_ward(offered: str, satisfies: str, verdict: Verdict) -> None:
    assert Substitution.objects.get(offered=offered, satisfies=satisfies).verdict == verdict


def test_better_goods_than_needed_are_marked_as_wasteful() -> None:
    wasteful = Substitution.objects.filter(is_wasteful=True).values_list("offered", "satisfies")

    assert ("GB7543", "GB10213-2006") in set(wasteful)


def test_an_emergency_suit_is_never_for_intensive_care() -> None:
    rule = Substitution.objects.get(offered="CN-EMERG-SUIT", satisfies="GB19082-2009")

    assert set(rule.settings) == {"isolation", "observation"}
