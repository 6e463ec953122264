import re
from itertools import chain
from pathlib import Path

import pytest
from django.conf import settings
from django.utils.translation import override

from matching.models import ProposalStatus, RunStatus
from supplies.change_requests.models import ChangeRequestStatus
from supplies.intake.models import StagedStatus
from supplies.journal.words import told

RECORDED = re.compile(r"\brecord(?:_all)?\([^\"]*?\"(?P<kind>[a-z_-]+\.[a-z_-]+)\"")
# Kinds that are put together of a verb and what became of the row.
PUT_TOGETHER = [
    *(f"run.{status}" for status in (RunStatus.DONE, RunStatus.FAILED)),
    *(f"proposal.{status}" for status in ProposalStatus.values if status != ProposalStatus.OPEN),
    *(
        f"change_request.{status}"
        for status in ChangeRequestStatus.values
        if status != ChangeRequestStatus.OPEN
    ),
    *(f"import.{status}" for status in StagedStatus.values),
    *(f"shipment.{status}" for status in ("accepted", "partly_accepted", "refused")),
    "import-row.reviewed",
]


def kinds() -> list[str]:
    files = chain(*(Path(settings.BASE_DIR, folder).rglob("*.py") for folder in ("supplies", "matching")))
    literal = {match["kind"] for file in files for match in RECORDED.finditer(file.read_text())}
    return sorted(literal.union(PUT_TOGETHER))


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_whatever_the_code_records_is_told_in_words(language: str) -> None:
    found = kinds()

    with override(language):
        assert [kind for kind in found if told(kind) == kind] == []
    assert len(found) > 100
