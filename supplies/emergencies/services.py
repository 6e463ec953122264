from datetime import datetime

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction

from supplies.emergencies.models import Emergency
from supplies.journal.services import record


@transaction.atomic
def enter_phase(emergency: Emergency, phase: str, *, by: AbstractBaseUser | None, at: datetime) -> Emergency:
    """Move an emergency to another phase. Raises MoveRefused."""
    emergency = Emergency.objects.select_for_update().get(pk=emergency.pk)
    emergency.move_to(phase)
    emergency.save(update_fields=["status"])
    record(emergency, "emergency.phase", by=by, at=at, phase=phase)
    return emergency
