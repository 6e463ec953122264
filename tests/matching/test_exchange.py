"""Problems as files: what is written is read back to the last byte, and a bad file is told row by row."""

import io
import json
import re
from contextlib import suppress
from dataclasses import fields, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from hypothesis import HealthCheck, assume, given, settings

from matching import exchange, running, services
from matching.exchange import Instance, Unreadable
from matching.kernel.columns import column_types
from matching.kernel.explain import Cause
from matching.kernel.plan import Plan
from matching.kernel.problem import Patience, Policy, Problem
from matching.kernel.solve import solve
from matching.kernel.substitution import Reason
from matching.models import MatchingRun
from supplies.needs.models import Need
from supplies.organisations.models import Facility, Organisation, User
from tests.makers import NOW, make_emergency, make_facility, make_item, make_need, make_offer
from tests.matching.kernel.makers import make_problem
from tests.matching.kernel.strategies import problems

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "matching-data.md"


def match(at: datetime = NOW) -> MatchingRun:
    run = services.start(make_emergency(), trigger="hand", by=None, at=at)
    for family in running.open_run(run.pk, at=at):
        running.solve_family(family.pk, clock=lambda: at)
    return MatchingRun.objects.get(pk=run.pk)


def call(command: str, *arguments: Any, **options: Any) -> str:
    out = io.StringIO()
    call_command(command, *map(str, arguments), stdout=out, stderr=io.StringIO(), **options)
    return out.getvalue()


@pytest.fixture
def run(db: None, volunteer: User) -> MatchingRun:
    """Two families; packs, a deadline, an unlimited need, a declined pair, a lot that expires, a directed gift."""
    goggles = make_item("GOGGLES", name_zh="护目镜")
    for urgency in (1, 2, 3):
        make_need(quantity=70, urgency=urgency)
        make_need(quantity=30, urgency=urgency, item=goggles)
    make_need(quantity=None, quantity_kind="unlimited")
    make_offer(quantity=150, pack=10)
    make_offer(quantity=200, item=goggles, max_km=900)
    make_offer(quantity=40, directed_facility=make_facility(), item=goggles)
    first = match()
    proposal = first.families.get(family="GOGGLES").proposed.order_by("place")[0]
    services.decline(proposal, reason="no", by=volunteer, at=NOW)
    return match(at=NOW + timedelta(minutes=5))


# --- round trips


def test_what_a_run_matched_comes_back_with_the_same_digest_and_the_same_plan(
    run: MatchingRun, tmp_path: Path
) -> None:
    said = call("export_problem", "latest", tmp_path)

    found = exchange.read(tmp_path)
    stored = {row.family: row for row in run.families.all()}
    assert str(run.pk) in said
    assert {each.family for each in found.instances} == set(stored)
    assert len(stored) == 2
    assert sum(len(each.problem.barred) for each in found.instances) > 0
    for each in found.instances:
        assert each.problem.digest() == Problem.from_bytes(bytes(stored[each.family].problem)).digest()
        assert solve(each.problem).to_bytes() == bytes(stored[each.family].plan)
        assert found.is_as_written(each) is True


def test_the_files_name_the_needs_and_offers_by_their_public_ids(run: MatchingRun, tmp_path: Path) -> None:
    call("export_problem", run.pk, tmp_path)

    (masks,) = (each for each in exchange.read(tmp_path).instances if each.family == "MASK_SURG")
    assert set(masks.beside["demands"]["item"]) == {"MASK_SURG"}
    known = {str(pk): need.quantity_kind for pk, need in Need.objects.in_bulk().items()}
    assumed = dict(zip(masks.beside["demands"]["need"], masks.problem.demands.assumed.tolist(), strict=True))
    assert {kind for pk, kind in known.items() if assumed.get(pk)} == {"unlimited"}


def test_nothing_of_a_person_is_exported(run: MatchingRun, tmp_path: Path) -> None:
    call("export_problem", run.pk, tmp_path)

    names = {row.name for model in (Facility, Organisation) for row in model.objects.all()}
    written = "".join(file.read_text() for file in tmp_path.iterdir())
    assert names
    assert [name for name in names if name in written] == []
    assert not re.search(r"1[3-9]\d{9}(?!\d)", re.sub(r"[0-9a-f-]{36}|[0-9a-f]{64}|\d+\.\d+", "", written))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(problem=problems())
def test_any_problem_comes_back_as_it_was(problem: Problem, tmp_path: Path) -> None:
    assume(len(problem.demands) + len(problem.supplies))

    exchange.write(tmp_path, [Instance('some, "odd" family', problem)])

    (again,) = exchange.read(tmp_path).instances
    assert again.problem.digest() == problem.digest()
    assert again.family == 'some, "odd" family'


def test_given_ways_and_a_patient_policy_come_back_too(tmp_path: Path) -> None:
    policy = replace(
        Policy.urgency(), patience=Patience(limit=300, small_first=2), facility_percent=40, parcel_km=7
    )
    problem = make_problem(
        [{}, {"waited_days": 3}],
        [{"is_cold": True}],
        lanes=[[5000, 10**12]],
        prior=[(2, 1, 9)],
        policy=policy,
    )

    exchange.write(tmp_path, [Instance("", problem)])

    assert exchange.read(tmp_path).instances[0].problem.digest() == problem.digest()


def test_unknown_places_and_endless_things_come_back_too(tmp_path: Path) -> None:
    problem = make_problem(
        [{"lat_deg": float("nan"), "deadline_days": 1_000_000}],
        [{"shelf_days": 1_000_000, "max_km": 100_000}],
    )

    exchange.write(tmp_path, [Instance("", problem)])

    assert exchange.read(tmp_path).instances[0].problem.digest() == problem.digest()


def test_a_changed_export_is_told_from_one_as_it_was(run: MatchingRun, tmp_path: Path) -> None:
    call("export_problem", run.pk, tmp_path)
    file = tmp_path / "supplies.csv"
    lines = file.read_text().splitlines()
    file.write_text(
        "\n".join([lines[0], *(line for line in lines[1:] if not line.startswith("GOGGLES,"))]) + "\n"
    )

    said = {
        each["family"]: each["as_written"] for each in json.loads(call("import_problem", tmp_path, json=True))
    }

    assert said == {"GOGGLES": False, "MASK_SURG": True}


def test_the_import_prints_a_table_and_writes_the_same_assignments(run: MatchingRun, tmp_path: Path) -> None:
    call("export_problem", run.pk, tmp_path)

    said = call("import_problem", tmp_path, out=tmp_path / "again")

    assert "as exported" in said
    assert "serves-more-urgent" in said
    for name in ("assignments.csv", "shortfalls.csv"):
        assert (tmp_path / "again" / name).read_text() == (tmp_path / name).read_text()


def test_a_run_that_does_not_exist_is_a_sentence(db: None, tmp_path: Path) -> None:
    for key, why in (
        ("latest", "No run has been done"),
        ("x", "There is no run x"),
        ("0" * 32, "There is no run"),
    ):
        with pytest.raises(CommandError, match=why):
            call("export_problem", key, tmp_path)


# --- by hand


def write(folder: Path, **texts: str) -> Path:
    for name, text in texts.items():
        (folder / name.replace("_json", ".json").replace("_csv", ".csv")).write_text(text)
    return folder


DEMANDS = "quantity,lat_deg,lon_deg\n10,30,114\n"
SUPPLIES = "quantity,lat_deg,lon_deg\n10,30,114\n"


def test_what_is_left_out_has_the_defaults_of_the_document(tmp_path: Path) -> None:
    write(tmp_path, demands_csv=DEMANDS, supplies_csv=SUPPLIES)

    (instance,) = exchange.read(tmp_path).instances

    problem = instance.problem
    assert problem.policy == Policy.urgency()
    assert problem.demands.urgency.tolist() == [3]
    assert problem.modes.km_per_day.tolist() == [700]
    assert solve(problem).assignments.quantity.tolist() == [10]


def test_goods_of_another_item_do_not_do_unless_somebody_says_so(tmp_path: Path) -> None:
    write(
        tmp_path,
        demands_csv="item,kind,quantity,lat_deg,lon_deg\nGOWN,0,10,30,114\n",
        supplies_csv="item,kind,quantity,lat_deg,lon_deg\nCOVERALL,1,10,30,114\n",
    )

    assert len(solve(exchange.read(tmp_path).instances[0].problem).assignments) == 0

    write(tmp_path, verdicts_csv="offer_kind,need_kind,verdict\n1,0,conditional\n")
    assert solve(exchange.read(tmp_path).instances[0].problem).assignments.verdict.tolist() == [2]


BAD = {
    "demands.csv, line 1, column lat_deg: is missing": {"demands_csv": "quantity,lon_deg\n1,2\n"},
    "demands.csv, line 1, column qty: is not known": {
        "demands_csv": "qty,quantity,lat_deg,lon_deg\n1,1,2,3\n"
    },
    "demands.csv, line 1, column quantity: stands there twice": {
        "demands_csv": "quantity,quantity,lat_deg,lon_deg\n1,1,2,3\n"
    },
    "demands.csv, line 3, column quantity: '1.5' is not a whole number": {
        "demands_csv": "quantity,lat_deg,lon_deg\n1,2,3\n1.5,2,3\n"
    },
    "demands.csv, line 2, column quantity: is empty; expected a whole number": {
        "demands_csv": "quantity,lat_deg,lon_deg\n,2,3\n"
    },
    "demands.csv, line 2, column lat_deg: '95' is not a number from -90 to 90": {
        "demands_csv": "quantity,lat_deg,lon_deg\n1,95,3\n"
    },
    "demands.csv, line 2, column urgency: '5' is not a whole number from 1 to 4": {
        "demands_csv": "quantity,lat_deg,lon_deg,urgency\n1,2,3,5\n"
    },
    "demands.csv, line 2, column assumed: 'perhaps' is not yes or no": {
        "demands_csv": "quantity,lat_deg,lon_deg,assumed\n1,2,3,perhaps\n"
    },
    "demands.csv, line 2: has 2 cells; the header has 3": {"demands_csv": "quantity,lat_deg,lon_deg\n1,2\n"},
    "demands.csv, line 3, column id: 7 stands there twice": {
        "demands_csv": "id,quantity,lat_deg,lon_deg\n7,1,2,3\n7,1,2,3\n"
    },
    "demands.csv, line 2, column id: '" + "9" * 5000: {
        "demands_csv": "id,quantity,lat_deg,lon_deg\n" + "9" * 5000 + ",1,2,3\n"
    },
    "supplies.csv, line 2, column pack: '0' is not a whole number from 1": {
        "supplies_csv": "quantity,lat_deg,lon_deg,pack\n1,2,3,0\n"
    },
    "supplies.csv, line 2, column mode: '4' is none of the 1 modes": {
        "supplies_csv": "quantity,lat_deg,lon_deg,mode\n1,2,3,4\n"
    },
    "modes.csv, line 3, column mode: '5' is not 1": {"modes_csv": "mode,km_per_day\n0,500\n5,900\n"},
    "modes.csv, line 2, column km_per_day: '0' is not": {"modes_csv": "km_per_day\n0\n"},
    "verdicts.csv, line 2, column verdict: 'maybe' is not one of no, accept, conditional": {
        "verdicts_csv": "offer_kind,need_kind,verdict\n0,0,maybe\n",
        "demands_csv": "kind,quantity,lat_deg,lon_deg\n0,1,2,3\n",
        "supplies_csv": "kind,quantity,lat_deg,lon_deg\n0,1,2,3\n",
    },
    "demands.csv, line 2, column kind: is empty; where verdicts.csv": {
        "verdicts_csv": "offer_kind,need_kind,verdict\n0,0,accept\n"
    },
    "verdicts.csv, line 2, column chain: '3' is no chain of chains.csv": {
        "verdicts_csv": "offer_kind,need_kind,verdict,chain\n0,0,accept,3\n",
        "demands_csv": "kind,quantity,lat_deg,lon_deg\n0,1,2,3\n",
        "supplies_csv": "kind,quantity,lat_deg,lon_deg\n0,1,2,3\n",
    },
    "chains.csv, line 2, column chain: '4' is not 0": {"chains_csv": "chain,substitution\n4,1\n"},
    "barred.csv, line 2, column supply: 'x' is not a whole number": {"barred_csv": "demand,supply\n0,x\n"},
    "barred.csv, line 2, column family: 'z' has no row": {"barred_csv": "family,demand,supply\nz,0,0\n"},
    "prior.csv, line 2, column units: '0' is not a whole number from 1": {
        "prior_csv": "demand,supply,units\n0,0,0\n"
    },
    "lanes.csv, line 2, column demand: '7' is no id": {"lanes_csv": "supply,demand,distance_m\n0,7,100\n"},
    "lanes.csv, line 2, column distance_m: '-1' is not": {"lanes_csv": "supply,demand,distance_m\n0,0,-1\n"},
    "policy.json: is no policy: facility_percent is no whole": {
        "policy_json": '{"facility_percent": "all", "levels": []}'
    },
    "policy.json: is no policy: expected first_urgency": {
        "policy_json": json.dumps({"levels": [[u, 0] for u in (1, 2, 3, 4)], "patience": {"days": 3}})
    },
    "policy.json, line 1, column 2: is no JSON": {"policy_json": "{"},
    "policy.json: is no policy: levels is missing": {"policy_json": "{}"},
    "policy.json: is no policy: bands is not": {"policy_json": '{"bands": 1000000000, "levels": [[1, 0]]}'},
    "policy.json: is no policy: expected name": {"policy_json": '{"weights": 3}'},
    "about.json, line 1, column 1: is no JSON": {"about_json": "x"},
    "demands.csv: is no CSV": {"demands_csv": 'quantity,lat_deg,lon_deg\n1,"2"3,4\n'},
}


@pytest.mark.parametrize("told", BAD, ids=lambda told: told[:60])
def test_what_is_wrong_is_told_with_file_line_and_column(told: str, tmp_path: Path) -> None:
    write(tmp_path, **{"demands_csv": DEMANDS, "supplies_csv": SUPPLIES, **BAD[told]})

    with pytest.raises(Unreadable) as caught:
        exchange.read(tmp_path)

    assert [str(fault) for fault in caught.value.faults if str(fault).startswith(told)] != [], (
        caught.value.faults
    )


def test_every_fault_of_a_folder_is_told_at_once(tmp_path: Path) -> None:
    write(tmp_path, demands_csv="quantity,lat_deg,lon_deg\nx,2,y\n-,1,1\n", supplies_csv="quantity\n1\n")

    with pytest.raises(CommandError, match=r"There are \d+ faults"):
        call("import_problem", tmp_path)


def test_bytes_that_are_no_text_and_files_that_are_not_there_are_sentences(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="is no folder"):
        call("import_problem", tmp_path / "nowhere")
    with pytest.raises(Unreadable, match=r"demands\.csv: is missing; its columns are family, id"):
        exchange.read(tmp_path)
    (tmp_path / "demands.csv").write_bytes(b"quantity\xff\xfe\x00")
    (tmp_path / "supplies.csv").mkdir()
    with pytest.raises(Unreadable, match="cannot be read"):
        exchange.read(tmp_path)


@pytest.mark.parametrize("seed", range(60))
def test_a_file_with_a_byte_changed_is_read_or_refused_but_never_a_fault_of_ours(
    seed: int, tmp_path: Path
) -> None:
    rng = np.random.default_rng(seed)
    problem = make_problem([{}, {"urgency": 1}], [{}, {"pack": 10}], barred=[(1, 1)])
    exchange.write(tmp_path, [Instance("a", problem)])
    name = str(rng.choice(sorted(file.name for file in tmp_path.iterdir())))
    content = bytearray((tmp_path / name).read_bytes())
    for _ in range(3):
        content[int(rng.integers(len(content)))] = int(rng.choice(list(b'0,"\n-x\xff9')))
    (tmp_path / name).write_bytes(content)

    with suppress(CommandError):
        call("import_problem", tmp_path)


# --- the document, and what comes later


def described() -> dict[str, list[str]]:
    """File -> the columns that the document describes, in order."""
    found: dict[str, list[str]] = {}
    for part in re.split(r"^## ", DOCUMENT.read_text(), flags=re.M)[1:]:
        name = part.splitlines()[0]
        if name.endswith(".csv"):
            found[name] = re.findall(r"^\| `(\w+)` \|", part, re.M)
    return found


def test_the_document_describes_every_column_of_every_file() -> None:
    assert described() == {name: list(exchange.columns_of(name)) for name in exchange.files()}


def test_the_document_says_must_where_a_column_must_be_given_and_nowhere_else() -> None:
    for part in re.split(r"^## ", DOCUMENT.read_text(), flags=re.M)[1:]:
        table = part.splitlines()[0].removesuffix(".csv")
        if table not in exchange.TABLES:
            continue
        must = re.findall(r"^\| `(\w+)` \|[^|]*\| must \|", part, re.M)
        optional = exchange.DEFAULTS[table]
        needed = [c for c in column_types(exchange.TABLES[table]) if c not in optional]
        assert must == [exchange.WRITTEN.get((table, c), c) for c in needed], table


def test_the_document_names_every_cause_and_reason() -> None:
    text = DOCUMENT.read_text()

    assert [cause for cause in Cause if f"`{cause}`" not in text] == []
    assert [reason.name for reason in Reason if f"`{reason.name.lower()}`" not in text] == []


def test_every_column_of_the_kernel_is_carried() -> None:
    carried = {*exchange.TABLES, *exchange.PAIRS, "lanes", "verdicts", "policy"}
    assert carried == {each.name for each in fields(Problem)}, (
        "a part of a problem that the files do not hold"
    )
    for name, table in exchange.TABLES.items():
        columns = set(exchange.columns_of(name))
        own = {exchange.WRITTEN.get((name, column), column) for column in column_types(table)}
        assert own <= columns
        assert exchange.DEFAULTS[name].keys() <= column_types(table).keys()


def blocks() -> dict[str, str]:
    """The files of the example."""
    return dict(re.findall(r"^`(\w+\.csv)`\n\n```csv\n(.*?)```", DOCUMENT.read_text(), re.M | re.S))


def test_the_example_of_the_document_comes_out_as_it_says(tmp_path: Path) -> None:
    example = blocks()
    for name in ("demands.csv", "supplies.csv"):
        (tmp_path / name).write_text(example[name])

    call("import_problem", tmp_path, out=tmp_path)

    for name in ("assignments.csv", "shortfalls.csv"):
        assert (tmp_path / name).read_text() == example[name]


def test_a_plan_the_verifier_finds_fault_with_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, demands_csv=DEMANDS, supplies_csv=SUPPLIES)

    def solve_wrongly(problem: Problem) -> Plan:
        plan = solve(problem)
        return Plan(plan.assignments, plan.shortfalls, plan.levels + 1, plan.bound)

    monkeypatch.setattr("matching.management.commands.import_problem.solve", solve_wrongly)
    with pytest.raises(CommandError, match="the plan is not allowed: wrong-value"):
        call("import_problem", tmp_path)
