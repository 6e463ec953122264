"""What an import did, for people and for programs."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from supplies.intake.models import Import, StagedRow, StagedStatus
from supplies.intake.reading.findings import Finding


@dataclass(frozen=True)
class Remark:
    """A finding with the place it is about. `row` counts from 1; 0 is the file as a whole."""

    file: str
    row: int
    finding: Finding

    def as_json(self) -> dict[str, Any]:
        return {
            "file": self.file,
            "row": self.row,
            "field": self.finding.field,
            "sentence": self.finding.sentence,
        }


@dataclass
class Report:
    """rows = created + changed + unchanged + failed; `waiting` are those of them with something for a volunteer.

    needs        lines that entered as needs (or, for lists of makers, as offers) in this run
    facilities   facilities that this run opened
    """

    format: str
    as_of: date
    is_dry_run: bool = False
    files: int = 0
    rows: int = 0
    created: int = 0
    changed: int = 0
    unchanged: int = 0
    failed: int = 0
    waiting: int = 0
    needs_by_kind: Counter[str] = field(default_factory=Counter)
    facilities: int = 0
    warnings: list[Remark] = field(default_factory=list)
    errors: list[Remark] = field(default_factory=list)

    def add(self, batch: Import) -> None:
        """What one batch has come to, as it is stored: whoever took it up where somebody else was stopped knows as much."""
        self.files += 1
        if batch.problem:
            self.errors.append(Remark(batch.file_name, 0, Finding.from_json(batch.problem)))
            return
        self.rows += batch.rows_read
        for count in ("created", "changed", "unchanged", "failed", "waiting", "facilities"):
            setattr(self, count, getattr(self, count) + getattr(batch, count))
        self.needs_by_kind.update(batch.needs_by_kind)
        rows = StagedRow.objects.filter(batch=batch).exclude(problems=[]).in_order()
        for row in rows.only("number", "status", "problems").iterator(chunk_size=1000):
            told = self.errors if row.status == StagedStatus.FAILED else self.warnings
            told += [Remark(batch.file_name, row.number, finding) for finding in row.findings]
        self.warnings += [Remark(batch.file_name, 0, finding) for finding in batch.findings]

    @property
    def needs(self) -> int:
        return sum(self.needs_by_kind.values())

    @property
    def warnings_by_code(self) -> Counter[str]:
        return Counter(remark.finding.code for remark in self.warnings)

    def as_json(self) -> dict[str, Any]:
        return {
            "format": self.format,
            "as_of": self.as_of.isoformat(),
            "dry_run": self.is_dry_run,
            "files": self.files,
            "rows": self.rows,
            "created": self.created,
            "changed": self.changed,
            "unchanged": self.unchanged,
            "failed": self.failed,
            "waiting": self.waiting,
            "needs": self.needs,
            "needs_by_kind": dict(sorted(self.needs_by_kind.items())),
            "facilities": self.facilities,
            "warnings": len(self.warnings),
            "warnings_by_code": dict(sorted(self.warnings_by_code.items())),
            "errors": [remark.as_json() for remark in self.errors],
        }
