"""What a bench found, kept as JSON for programs and as Markdown for people."""

import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.db import connection

RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True)
class Table:
    head: Sequence[str]
    rows: Sequence[Sequence[Any]]

    def __str__(self) -> str:
        lines = [self.head, ["---"] * len(self.head), *self.rows]
        return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


@dataclass(frozen=True)
class Report:
    """name      of the files
    says      what was measured, and how, in sentences
    figures   everything, for programs
    """

    name: str
    title: str
    says: str
    tables: Sequence[Table]
    figures: Mapping[str, Any] = field(default_factory=dict)

    def keep(self, results: Path = RESULTS) -> str:
        """Write both files; returns the Markdown."""
        machine = _machine()
        results.mkdir(exist_ok=True)
        figures = {"measured_on": machine["on"], "machine": machine, **self.figures}
        text = "\n\n".join([f"# {self.title}", self.says, *map(str, self.tables), _sentence(machine)]) + "\n"
        (results / f"{self.name}.json").write_text(json.dumps(figures, indent=1, ensure_ascii=False) + "\n")
        (results / f"{self.name}.md").write_text(text)
        return text


def _machine() -> dict[str, Any]:
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        (postgres,) = cursor.fetchone()
    return {
        "on": datetime.now(UTC).date().isoformat(),
        "cores": len(os.sched_getaffinity(0)),
        "load_average": round(os.getloadavg()[1], 1),
        "python": platform.python_version(),
        "postgresql": postgres.split()[0],
    }


def _sentence(machine: Mapping[str, Any]) -> str:
    return (
        f"Measured on {machine['on']}, {machine['cores']} cores (load average over five minutes"
        f" {machine['load_average']}), Python {machine['python']}, PostgreSQL {machine['postgresql']}."
    )
