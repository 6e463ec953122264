from datetime import timedelta
from pathlib import Path

import pytest
import time_machine

from supplies.attachments import services
from supplies.attachments.models import Attachment
from supplies.attachments.uploads import in_memory
from supplies.desks.tasks import once_a_day
from tests.makers import NOW, TODAY, make_organisation, make_user
from tests.supplies.attachments.hostile import pdf

pytestmark = pytest.mark.django_db


def test_once_a_day_checks_come_due_old_files_are_erased_and_leftovers_swept(private_root: Path) -> None:
    organisation = make_organisation()
    with in_memory(pdf()) as file:
        services.attach(
            organisation, file, size=len(pdf()), kind="letter", by=make_user(), at=NOW, erase_on=TODAY
        )

    for _twice in range(2):
        with time_machine.travel(NOW + timedelta(days=90)):
            once_a_day()

    organisation.refresh_from_db()
    assert organisation.to_check_since == organisation.recheck_on
    assert Attachment.objects.get().erased_at is not None
    assert not [path for path in private_root.rglob("*") if path.is_file()]
