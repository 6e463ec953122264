"""A problem and its plan as files that a person can read: one CSV for each table, one row for each fact.

`write` and `read` are inverse: what is read back has the digest of what was written, and so the same plan to the last
byte. The columns are those of the kernel's own tables; docs/matching-data.md says what each of them means. Like the
kernel this knows nothing of Django: it reads and writes numbers, and texts that the kernel does not look at.
"""

import csv
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import MISSING, asdict, dataclass, field, fields, is_dataclass
from enum import IntEnum
from itertools import pairwise
from pathlib import Path
from typing import Any, get_args, get_type_hints

import numpy as np
from numpy.typing import NDArray

from matching.kernel.columns import Table, column_types
from matching.kernel.explain import short_demands
from matching.kernel.pairs import UNKNOWN_PLACE_M
from matching.kernel.plan import Assignments, Plan, Shortfalls
from matching.kernel.problem import (
    ANYONE,
    EVERY_REGION,
    FAR_AWAY_DAYS,
    NO_LIMIT_KM,
    URGENCIES,
    Policy,
    Problem,
    Verdict,
    Verdicts,
)
from matching.kernel.substitution import Reason

FORMAT = 1
FAMILY = "family"
EVERY_SENDER = 2**31 - 1
MOST_KINDS = 4096
MOST_SETTING = 10**9  # of a policy
MOST_NUMBER = 10**15  # far above what a rule lets pass, far below where whole numbers end

TABLES: dict[str, type[Table]] = {
    name: hint
    for name, hint in get_type_hints(Problem).items()
    if isinstance(hint, type) and issubclass(hint, Table)
}
# Parts of a Problem that are no table: what stands in the columns of each.
PAIRS = {"barred": ("demand", "supply"), "prior": ("demand", "supply", "units")}
LANES = ("supply", "demand", "distance_m")
WITH_ID = ("demands", "supplies")

# Where a file says it in another word than the kernel.
WRITTEN = {("demands", "wanted"): "quantity", ("supplies", "available"): "quantity"}
# What people want to know of a row and the kernel does not.
BESIDE = {"demands": ("item", "need"), "supplies": ("item", "offer"), "modes": ("mode",)}
WORDS: dict[str, type[IntEnum]] = {"verdict": Verdict, "reason": Reason}
MATRICES = {
    each.name: getattr(Verdicts.plain([[0]]), each.name).dtype
    for each in fields(Verdicts)
    if getattr(Verdicts.plain([[0]]), each.name).ndim == 2
}

# What a column means that is left out, or whose cell is empty. Columns that are not here have to be given.
BY_POSITION = "position"  # the number of the row within its family, from 0
BY_ITEM = "item"  # rows of one item are of one kind
DEFAULTS: dict[str, dict[str, Any]] = {
    "demands": {
        "id": BY_POSITION,
        "kind": BY_ITEM,
        "served": 0,
        "urgency": 3,
        "deadline_days": FAR_AWAY_DAYS,
        "min_lot": 1,
        "facility": BY_POSITION,
        "region": 0,
        "accepted_senders": EVERY_SENDER,
        "assumed": False,
    },
    "supplies": {
        "id": BY_POSITION,
        "kind": BY_ITEM,
        "pack": 1,
        "min_lot": 1,
        "shelf_days": FAR_AWAY_DAYS,
        "min_shelf_days": 0,
        "ready_in_days": 0,
        "mode": 0,
        "max_km": NO_LIMIT_KM,
        "sender": 0,
        "directed_facility": ANYONE,
        "directed_region_first": EVERY_REGION[0],
        "directed_region_last": EVERY_REGION[1],
    },
    "modes": {"max_km": NO_LIMIT_KM},
}
VERDICT_DEFAULTS = {"overshoot": 0, "reason": int(Reason.UNSPECIFIED), "chain": -1}
for _table, _defaults in DEFAULTS.items():  # what the kernel itself lets be left out is zero everywhere
    for _column in fields(TABLES[_table]):  # type: ignore[arg-type]
        if _column.default is not MISSING:
            _defaults.setdefault(_column.name, column_types(TABLES[_table])[_column.name].type(0).item())

# Written as an empty cell: that something has no end is no number.
NONE_SAID = frozenset(
    {
        "deadline_days",
        "shelf_days",
        "max_km",
        "directed_facility",
        "directed_region_first",
        "directed_region_last",
    }
)
ONE_ROAD = {
    "km_per_day": 700,
    "max_km": NO_LIMIT_KM,
    "keeps_cold": True,
    "takes_dangerous": True,
}  # how goods travel where nothing else is said

BOUNDS: dict[str, tuple[int, int]] = {
    "urgency": (URGENCIES[0], URGENCIES[-1]),
    "pack": (1, MOST_NUMBER),
    "kind": (0, MOST_KINDS - 1),
    "offer_kind": (0, MOST_KINDS - 1),
    "need_kind": (0, MOST_KINDS - 1),
    "km_per_day": (1, 2**31 - 1),
    "mode": (0, MOST_KINDS - 1),
    "step": (0, MOST_NUMBER),
    "units": (1, MOST_NUMBER),
    "distance_m": (0, UNKNOWN_PLACE_M),
}
DEGREES = {"lat_deg": 90.0, "lon_deg": 180.0}


@dataclass(frozen=True, eq=False)
class Instance:
    """One family of goods: its problem, and for each row of a table what people call it (columns of BESIDE)."""

    family: str
    problem: Problem
    beside: Mapping[str, Mapping[str, Sequence[str]]] = field(default_factory=dict)


@dataclass(frozen=True, order=True)
class Fault:
    """What is wrong in a file: where, and what should stand there. Line 1 is the header; 0 is the file as a whole."""

    file: str
    line: int
    column: str
    what: str

    def __str__(self) -> str:
        where = self.file + (f", line {self.line}" if self.line else "")
        return f"{where}{f', column {self.column}' if self.column else ''}: {self.what}"


class Unreadable(ValueError):
    """The files do not make a problem; `faults` says row by row why."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(sorted(faults))
        super().__init__(f"{len(self.faults)} faults, the first: {self.faults[0]}")


def columns_of(file: str) -> tuple[str, ...]:
    """The header of a file, in order: for documentation and for tests. Raises KeyError on a file that is none of ours."""
    name = file.removesuffix(".csv")
    known: dict[str, tuple[str, ...]] = {
        "verdicts": (FAMILY, "offer_kind", "need_kind", *MATRICES),
        "chains": (FAMILY, "chain", "step", "substitution"),
        "assignments": (FAMILY, *_parcel_columns()),
        "shortfalls": (FAMILY, *column_types(Shortfalls), "cause"),
        "lanes": (FAMILY, *LANES),
        **{pairs: (FAMILY, *names) for pairs, names in PAIRS.items()},
        **{table: _table_columns(table) for table in TABLES},
    }
    return known[name]


def files() -> tuple[str, ...]:
    """Every CSV that `write` and `write_plans` make."""
    names = [*TABLES, "verdicts", "chains", *PAIRS, "lanes", "assignments", "shortfalls"]
    return tuple(f"{name}.csv" for name in names)


def _written(table: str, column: str) -> str:
    return WRITTEN.get((table, column), column)


def _table_columns(table: str) -> tuple[str, ...]:
    own = tuple(_written(table, column) for column in column_types(TABLES[table]))
    beside = BESIDE.get(table, ())
    first = 1 if table in WITH_ID else 0  # the id stands first, then what people call the row
    return (FAMILY, *own[:first], *beside, *own[first:])


def _parcel_columns() -> tuple[str, ...]:
    own = [column for column in column_types(Assignments) if column not in ("supply", "demand")]
    return ("supply", "demand", *own)


# --- writing ------------------------------------------------------------------------------------------------


def write(folder: Path, instances: Sequence[Instance], about: Mapping[str, Any] | None = None) -> None:
    """Write problems of one policy into a folder, which is made if it is not there.

    about  where they come from; stands in about.json beside their digests, by which `read` sees whether they were changed
    """
    policies = {json.dumps(asdict(each.problem.policy)) for each in instances}
    if len(policies) > 1:
        raise ValueError("Problems of several policies go into several folders.")
    folder.mkdir(parents=True, exist_ok=True)
    for table in TABLES:
        shared = table not in WITH_ID and _is_the_same(instances, table)
        parts = [("" if shared else each.family, each) for each in (instances[:1] if shared else instances)]
        rows = (row for family, each in parts for row in _rows_of(family, each, table))
        _write_csv(folder, table, rows)
    _write_csv(folder, "verdicts", (row for each in instances for row in _verdict_rows(each)))
    _write_csv(folder, "chains", (row for each in instances for row in _chain_rows(each)))
    for name in PAIRS:
        found = ((each.family, pair) for each in instances for pair in getattr(each.problem, name).tolist())
        _write_csv(folder, name, ((family, *pair) for family, pair in found))
    _write_csv(folder, "lanes", (row for each in instances for row in _lane_rows(each)))
    if instances:
        _write_json(folder, "policy.json", asdict(instances[0].problem.policy))
    digests = {each.family: each.problem.digest() for each in instances}
    _write_json(folder, "about.json", {"format": FORMAT, **(about or {}), "digests": digests})


def write_plans(folder: Path, solved: Sequence[tuple[str, Problem, Plan]]) -> None:
    """Write the parcels of plans and what they leave short, with the cause: what a run would propose."""
    folder.mkdir(parents=True, exist_ok=True)
    _write_csv(
        folder, "assignments", (row for family, _problem, plan in solved for row in parcels(family, plan))
    )
    _write_csv(folder, "shortfalls", (row for each in solved for row in shortfall_rows(*each)))


def parcels(family: str, plan: Plan) -> Iterator[tuple[str, ...]]:
    """The rows of assignments.csv."""
    columns = [_texts(name, getattr(plan.assignments, name)) for name in _parcel_columns()]
    return ((family, *row) for row in zip(*columns, strict=True))


def shortfall_rows(family: str, problem: Problem, plan: Plan) -> Iterator[tuple[str, ...]]:
    """The rows of shortfalls.csv."""
    for short in short_demands(problem, plan):
        yield family, str(short.demand), str(short.missing), str(short.cause)


def _is_the_same(instances: Sequence[Instance], table: str) -> bool:
    first, *others = [getattr(each.problem, table) for each in instances] or [None]
    return all(
        np.array_equal(getattr(first, name), getattr(other, name), equal_nan=dtype.kind == "f")
        for other in others
        for name, dtype in column_types(TABLES[table]).items()
    )


def _rows_of(family: str, instance: Instance, table: str) -> Iterator[tuple[str, ...]]:
    own = getattr(instance.problem, table)
    texts = {_written(table, name): _texts(name, getattr(own, name)) for name in column_types(TABLES[table])}
    nothing = [""] * len(own)
    given = {"mode": [str(row) for row in range(len(own))]} if table == "modes" else {}
    beside = {name: instance.beside.get(table, given).get(name, nothing) for name in BESIDE.get(table, ())}
    columns = [(texts | beside)[name] for name in _table_columns(table)[1:]]
    return ((family, *row) for row in zip(*columns, strict=True))


def _verdict_rows(instance: Instance) -> Iterator[tuple[str, ...]]:
    verdicts = instance.problem.verdicts
    offer_kinds, need_kinds = verdicts.verdict.shape
    pairs = [(str(o), str(n)) for o in range(offer_kinds) for n in range(need_kinds)]
    columns = [_texts(name, getattr(verdicts, name).ravel()) for name in MATRICES]
    return ((instance.family, *pair, *row) for pair, *row in zip(pairs, *columns, strict=True))


def _chain_rows(instance: Instance) -> Iterator[tuple[str, ...]]:
    verdicts = instance.problem.verdicts
    ends = verdicts.chain_start.tolist()
    for chain, (first, last) in enumerate(pairwise(ends)):
        for step, substitution in enumerate(verdicts.chain_edges[first:last].tolist()):
            yield instance.family, str(chain), str(step), str(substitution)


def _lane_rows(instance: Instance) -> Iterator[tuple[Any, ...]]:
    problem = instance.problem
    if problem.lanes.size:
        demands = problem.demands.id.tolist()
        for supply, ways in zip(problem.supplies.id.tolist(), problem.lanes.tolist(), strict=True):
            for demand, metres in zip(demands, ways, strict=True):
                yield instance.family, supply, demand, "" if metres == UNKNOWN_PLACE_M else metres


def _texts(name: str, values: NDArray[Any]) -> list[str]:
    """The cells of a column. A number that stands for "none" is an empty cell."""
    if name in WORDS:
        return [WORDS[name](value).name.lower() for value in values.tolist()]
    if values.dtype.kind == "b":
        return ["yes" if value else "no" for value in values.tolist()]
    if values.dtype.kind == "f":
        return ["" if np.isnan(value) else repr(value) for value in values.tolist()]
    none = _none(name) if name in NONE_SAID else None
    return ["" if value == none else str(value) for value in values.tolist()]


def _none(name: str) -> int:
    return next(int(known[name]) for known in DEFAULTS.values() if name in known)


def _write_csv(folder: Path, name: str, rows: Iterable[Iterable[Any]]) -> None:
    with open(folder / f"{name}.csv", "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns_of(name))
        writer.writerows(rows)


def _write_json(folder: Path, name: str, content: Any) -> None:
    (folder / name).write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


# --- reading ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Row:
    line: int
    cells: Mapping[str, str]

    def __getitem__(self, column: str) -> str:
        return self.cells.get(column, "")


@dataclass(frozen=True, eq=False)
class Found:
    """What was read: the problems, where they come from (about.json), and who is as he was written."""

    instances: tuple[Instance, ...]
    about: Mapping[str, Any]

    def is_as_written(self, instance: Instance) -> bool | None:
        """Whether a problem has the digest of when it was written; None where nobody wrote it down."""
        digests = self.about.get("digests")
        known = digests.get(instance.family) if isinstance(digests, dict) else None
        return None if known is None else bool(known == instance.problem.digest())


def read(folder: Path) -> Found:
    """The problems of a folder, one for each family. Raises Unreadable with everything that is wrong."""
    reader = _Reader(folder)
    instances = reader.instances()
    about = reader.json("about.json")
    if reader.faults:
        raise Unreadable(reader.faults)
    return Found(tuple(instances), about if isinstance(about, dict) else {})


class _Reader:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.faults: list[Fault] = []

    def fault(self, file: str, line: int, column: str, what: str) -> None:
        self.faults.append(Fault(f"{file}.csv" if "." not in file else file, line, column, what))

    # Files

    def json(self, name: str) -> Any:
        path = self.folder / name
        if not path.exists():
            return None
        try:
            return json.loads(path.read_text(encoding="utf-8-sig"))
        except json.JSONDecodeError as error:
            self.fault(name, error.lineno, str(error.colno), f"is no JSON: {error.msg}")
        except (OSError, ValueError, RecursionError) as error:
            self.fault(name, 0, "", f"cannot be read: {_first_line(error)}")
        return None

    def sheet(self, name: str, *, needed: Iterable[str], is_needed: bool = False) -> list[Row] | None:
        """The rows of a file; None if it is not there. Faults of its header leave it empty."""
        path = self.folder / f"{name}.csv"
        if not path.exists():
            if is_needed:
                self.fault(name, 0, "", f"is missing; its columns are {', '.join(columns_of(name))}")
            return None
        try:
            with open(path, encoding="utf-8-sig", newline="") as file:
                return self._rows(name, csv.reader(file, strict=True), needed)
        except csv.Error as error:
            self.fault(name, 0, "", f"is no CSV: {error}")
        except (OSError, ValueError) as error:
            self.fault(name, 0, "", f"cannot be read as UTF-8 text: {_first_line(error)}")
        return []

    def _rows(self, name: str, reader: Any, needed: Iterable[str]) -> list[Row]:
        header = [cell.strip() for cell in next(reader, [])]
        known = columns_of(name)
        for column in header:
            if column not in known:
                self.fault(name, 1, column, f"is not known; expected some of {', '.join(known)}")
            elif header.count(column) > 1:
                self.fault(name, 1, column, "stands there twice")
        missing = [column for column in needed if column not in header]
        for column in missing:
            self.fault(name, 1, column, "is missing")
        if missing or set(header) - set(known) or len(set(header)) < len(header):
            return []
        rows = []
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) != len(header):
                self.fault(name, reader.line_num, "", f"has {len(cells)} cells; the header has {len(header)}")
                continue
            rows.append(Row(reader.line_num, dict(zip(header, map(str.strip, cells), strict=True))))
        return rows

    # Cells

    def number(self, file: str, row: Row, column: str, dtype: np.dtype[Any], written: str = "") -> Any:
        """A cell of this type, or 0 and a fault."""
        text, written = row[written or column], written or column
        try:
            return _parsed(column, text, dtype)
        except ValueError as error:
            self.fault(
                file, row.line, written, f"{text!r} is not {error}" if text else f"is empty; expected {error}"
            )
            return 0

    def column(self, table: str, rows: Sequence[Row], column: str, dtype: np.dtype[Any]) -> NDArray[Any]:
        default = DEFAULTS.get(table, {}).get(column)
        written = _written(table, column)
        values = []
        for position, row in enumerate(rows):
            if row[written] == "" and dtype.kind == "f":
                values.append(np.nan)
            elif row[written] == "" and default is not None:
                values.append(position if default in (BY_POSITION, BY_ITEM) else default)
            else:
                values.append(self.number(table, row, column, dtype, written))
        return np.array(values, dtype)

    # Problems

    def instances(self) -> list[Instance]:
        tables = {name: self.table(name) for name in TABLES}
        verdicts = self.sheet("verdicts", needed=("offer_kind", "need_kind", "verdict"))
        chains = self.sheet("chains", needed=("chain", "substitution"))
        pairs = {name: self.sheet(name, needed=names) for name, names in PAIRS.items()}
        lanes = self.sheet("lanes", needed=LANES)
        policy = self.policy()
        families = list(dict.fromkeys(row[FAMILY] for name in WITH_ID for row in tables[name] or ()))
        for name, rows in {**tables, "verdicts": verdicts, "chains": chains, "lanes": lanes, **pairs}.items():
            for row in rows or ():
                if row[FAMILY] not in families and row[FAMILY]:
                    self.fault(
                        name, row.line, FAMILY, f"{row[FAMILY]!r} has no row in demands.csv or supplies.csv"
                    )
        if self.faults:
            return []
        found = []
        for family in families:
            own = {name: _of(family, rows, shared=name not in WITH_ID) for name, rows in tables.items()}
            parts = (
                own,
                _of(family, verdicts),
                _of(family, chains) or [],
                {name: _of(family, rows) or [] for name, rows in pairs.items()},
                _of(family, lanes) or [],
            )
            instance = self.instance(family, policy, *parts)
            if instance is not None:
                found.append(instance)
        return found

    def table(self, name: str) -> list[Row] | None:
        optional = DEFAULTS.get(name, {})
        needed = [_written(name, column) for column in column_types(TABLES[name]) if column not in optional]
        return self.sheet(name, needed=needed, is_needed=name in WITH_ID)

    def instance(
        self,
        family: str,
        policy: Policy,
        rows: Mapping[str, list[Row] | None],
        verdicts: list[Row] | None,
        chains: list[Row],
        pairs: Mapping[str, list[Row]],
        lanes: list[Row],
    ) -> Instance | None:
        before = len(self.faults)
        kinds = self.kinds(rows, has_verdicts=verdicts is not None)
        tables, beside = {}, {}
        for name in TABLES:
            tables[name], beside[name] = self.filled(name, rows[name], kinds.get(name))
        self.references(rows, tables)
        arrays: dict[str, Any] = {name: self.pairs(name, pairs[name]) for name in PAIRS}
        arrays["lanes"] = self.lanes(lanes, tables["supplies"]["id"], tables["demands"]["id"])
        judged = self.verdicts(verdicts, chains, *(tables[name]["kind"] for name in ("supplies", "demands")))
        if len(self.faults) > before or judged is None:
            return None
        try:
            made: dict[str, Any] = {name: TABLES[name](**columns) for name, columns in tables.items()}
            problem = Problem(**made, **arrays, verdicts=judged, policy=policy)
        except ValueError as error:
            self.fault("demands", 0, "", f"family {family!r} makes no problem: {error}")
            return None
        return Instance(family, problem, beside)

    def filled(
        self, name: str, rows: list[Row] | None, kinds: list[int] | None
    ) -> tuple[dict[str, NDArray[Any]], dict[str, list[str]]]:
        """The columns of a table, and what people call its rows, by ascending id."""
        types = column_types(TABLES[name])
        if rows is None:
            one = [ONE_ROAD] if name == "modes" else []
            return {
                column: np.array([road.get(column, 0) for road in one], dtype)
                for column, dtype in types.items()
            }, {}
        columns = {column: self.column(name, rows, column, dtype) for column, dtype in types.items()}
        if kinds is not None:
            columns["kind"] = np.array(kinds, types["kind"])
        beside = {each: [row[each] for row in rows] for each in BESIDE.get(name, ())}
        if name == "modes":
            self.in_order(rows)
        if name not in WITH_ID:
            return columns, beside
        order = np.argsort(columns["id"], kind="stable")
        for here, after in pairwise(order.tolist()):
            if columns["id"][here] == columns["id"][after]:
                self.fault(
                    name, rows[after].line, "id", f"{columns['id'][after]} stands there twice in its family"
                )
        columns = {column: values[order] for column, values in columns.items()}
        return columns, {each: [texts[row] for row in order.tolist()] for each, texts in beside.items()}

    def in_order(self, rows: Sequence[Row]) -> None:
        for position, row in enumerate(rows):
            if row["mode"] not in ("", str(position)):
                self.fault(
                    "modes", row.line, "mode", f"{row['mode']!r} is not {position}: modes are numbered from 0"
                )

    def kinds(self, rows: Mapping[str, list[Row] | None], *, has_verdicts: bool) -> dict[str, list[int]]:
        """The kind of each row by its item, where no kind is given; nothing where the files number kinds themselves."""
        both = {name: rows[name] or [] for name in WITH_ID}
        numbered = [(name, row) for name, own in both.items() for row in own if row["kind"]]
        unnumbered = [(name, row) for name, own in both.items() for row in own if not row["kind"]]
        if not unnumbered or not (numbered or has_verdicts):
            number: dict[str, int] = {}
            of_item = {
                name: [number.setdefault(row["item"], len(number)) for row in own]
                for name, own in both.items()
            }
            if unnumbered and len(number) > MOST_KINDS:
                name, row = unnumbered[0]
                self.fault(name, row.line, "item", f"more than {MOST_KINDS} items in one family")
            return of_item if unnumbered else {}
        for name, row in unnumbered:
            self.fault(
                name,
                row.line,
                "kind",
                "is empty; where verdicts.csv or other rows number kinds, every row says its own",
            )
        return {}

    def references(
        self, rows: Mapping[str, list[Row] | None], tables: Mapping[str, Mapping[str, NDArray[Any]]]
    ) -> None:
        count = len(tables["modes"]["km_per_day"])
        for row in rows["supplies"] or ():
            mode = row["mode"] or "0"
            if mode.isdecimal() and int(mode) >= count:
                self.fault(
                    "supplies", row.line, "mode", f"{mode!r} is none of the {count} modes, numbered from 0"
                )

    def pairs(self, name: str, rows: Sequence[Row]) -> NDArray[np.int64]:
        names, whole = PAIRS[name], np.dtype(np.int64)
        found = [[self.number(name, row, column, whole) for column in names] for row in rows]
        return np.array(found, np.int64).reshape(-1, len(names))

    def lanes(self, rows: Sequence[Row], supplies: NDArray[Any], demands: NDArray[Any]) -> NDArray[np.int64]:
        """The ways as a matrix; a pair without a row, or with an empty cell, has none."""
        if not rows:
            return np.empty((0, 0), np.int64)
        sides = {"supply": supplies.tolist(), "demand": demands.tolist()}
        place = {
            side: {number: position for position, number in enumerate(ids)} for side, ids in sides.items()
        }
        ways = np.full((len(supplies), len(demands)), UNKNOWN_PLACE_M, np.int64)
        whole = np.dtype(np.int64)
        for row in rows:
            ids = {side: self.number("lanes", row, side, whole) for side in sides}
            unknown = [side for side, number in ids.items() if number not in place[side]]
            for side in unknown:
                self.fault("lanes", row.line, side, f"{row[side]!r} is no id of this family")
            if row["distance_m"] and not unknown:
                metres = self.number("lanes", row, "distance_m", whole)
                ways[place["supply"][ids["supply"]], place["demand"][ids["demand"]]] = metres
        return ways

    def verdicts(
        self, rows: list[Row] | None, chains: Sequence[Row], offered: NDArray[Any], asked: NDArray[Any]
    ) -> Verdicts | None:
        """As the rows say; where there are none, goods do for needs of their own kind and no other."""
        used = [int(kinds.max(initial=-1)) + 1 for kinds in (offered, asked)]
        starts, edges = self.chains(chains)
        if rows is None:
            return Verdicts.plain(np.eye(max(used), dtype=np.int8)[: used[0], : used[1]])
        small = np.dtype(np.int32)
        places = [
            tuple(self.number("verdicts", row, column, small) for column in ("offer_kind", "need_kind"))
            for row in rows
        ]
        shape = tuple(max([most, *(place[side] + 1 for place in places)]) for side, most in enumerate(used))
        if max(shape) > MOST_KINDS:
            return None
        matrices = {
            name: np.full(shape, VERDICT_DEFAULTS.get(name, 0), dtype) for name, dtype in MATRICES.items()
        }
        seen: set[tuple[int, ...]] = set()
        for row, place in zip(rows, places, strict=True):
            if place in seen:
                self.fault(
                    "verdicts", row.line, "need_kind", "this pair of kinds stands there twice in its family"
                )
            seen.add(place)
            for name, dtype in MATRICES.items():
                if row[name] or name not in VERDICT_DEFAULTS:
                    matrices[name][place] = self.number("verdicts", row, name, dtype)
            if not -1 <= matrices["chain"][place] < len(starts) - 1:
                self.fault("verdicts", row.line, "chain", f"{row['chain']!r} is no chain of chains.csv")
        return Verdicts(**matrices, chain_start=starts, chain_edges=edges)

    def chains(self, rows: Sequence[Row]) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        """Where each chain begins, and the substitutions of all of them."""
        whole, starts, steps = np.dtype(np.int64), [0], 0
        edges: list[int] = []
        for row in rows:
            chain = self.number("chains", row, "chain", whole)
            if chain == len(starts) and steps:
                starts.append(len(edges))
                steps = 0
            if chain != len(starts) - 1:
                self.fault(
                    "chains",
                    row.line,
                    "chain",
                    f"{row['chain']!r} is not {len(starts) - 1}: chains are numbered from 0",
                )
            if row["step"] not in ("", str(steps)):
                self.fault(
                    "chains", row.line, "step", f"{row['step']!r} is not {steps}: steps are numbered from 0"
                )
            edges.append(self.number("chains", row, "substitution", whole))
            steps += 1
        if rows:
            starts.append(len(edges))
        return np.array(starts, np.int32), np.array(edges, np.int64)

    def policy(self) -> Policy:
        given = self.json("policy.json")
        if given is None:
            return Policy.urgency()
        try:
            return _policy(given)
        except (ValueError, TypeError, OverflowError) as error:
            self.fault("policy.json", 0, "", f"is no policy: {error}")
            return Policy.urgency()


def _policy(given: Any) -> Policy:
    """A policy of what stands in policy.json. Raises ValueError or TypeError saying what is expected."""
    _check_members(Policy, given)
    if "levels" not in given:
        raise ValueError("levels is missing")
    levels = tuple((int(urgency), int(band)) for urgency, band in given["levels"])
    bands = given.get("bands", len(levels) // len(URGENCIES))
    if type(bands) is not int or bands * len(URGENCIES) != len(levels):
        raise ValueError(
            f"bands is not a whole number of which there are {len(URGENCIES)} times as many levels"
        )
    known: dict[str, Any] = {"name": "own", **given, "levels": levels, "bands": bands}
    for name, hint in get_type_hints(Policy).items():
        part = next((each for each in (hint, *get_args(hint)) if is_dataclass(each)), None)
        if part is not None and known.get(name) is not None:
            _check_members(part, known[name])
            known[name] = part(**known[name])  # type: ignore[operator]
    return Policy(**known)


def _check_members(kind: Any, given: Any) -> None:
    """The names of a dataclass, and texts and whole numbers where it has them."""
    hints = get_type_hints(kind)
    if not isinstance(given, dict) or set(given) - set(hints):
        raise ValueError(f"expected {', '.join(hints)}")
    for name, value in given.items():
        if hints[name] is int and (type(value) is not int or abs(value) > MOST_SETTING):
            raise ValueError(f"{name} is no whole number up to {MOST_SETTING}")
        if hints[name] is str and not isinstance(value, str):
            raise ValueError(f"{name} is no text")


def _of(family: str, rows: list[Row] | None, *, shared: bool = False) -> list[Row] | None:
    """The rows of a family; `shared`: also those that name none."""
    if rows is None:
        return None
    return [row for row in rows if row[FAMILY] == family or (shared and not row[FAMILY])]


def _parsed(name: str, text: str, dtype: np.dtype[Any]) -> Any:
    """The value of a cell. Raises ValueError saying what is expected."""
    if name in WORDS and dtype.kind == "i":
        return _word(text, WORDS[name])
    if dtype.kind == "b":
        return _yes_or_no(text)
    return _degrees(name, text) if dtype.kind == "f" else _whole(name, text, dtype)


def _word(text: str, words: type[IntEnum]) -> int:
    known = {word.name.lower(): int(word) for word in words}
    if text.lower() not in known:
        raise ValueError(f"one of {', '.join(known)}")
    return known[text.lower()]


def _yes_or_no(text: str) -> bool:
    if text.lower() not in ("yes", "no"):
        raise ValueError("yes or no")
    return text.lower() == "yes"


def _degrees(name: str, text: str) -> float:
    most = DEGREES.get(name, float(MOST_NUMBER))
    try:
        value = float(text)
    except ValueError:
        value = np.nan
    if not abs(value) <= most:
        raise ValueError(f"a number from {-most:g} to {most:g}")
    return value


def _whole(name: str, text: str, dtype: np.dtype[Any]) -> int:
    bounds = np.iinfo(dtype)
    least, most = BOUNDS.get(name, (max(int(bounds.min), -MOST_NUMBER), min(int(bounds.max), MOST_NUMBER)))
    # Longer than any number that fits: Python itself refuses to read some thousand digits.
    value = int(text) if re.fullmatch(r"[+-]?[0-9]{1,19}", text) else None
    if value is None or not least <= value <= most:
        raise ValueError(f"a whole number from {least} to {most}")
    return value


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
