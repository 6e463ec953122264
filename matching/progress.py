"""How far a run is: families solved, of those it was laid out in."""

from django.db.models import Count
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from matching.models import MatchingRun, RunStatus
from supplies.organisations.progress import Progress
from supplies.wording import apart


def progress_of(run: MatchingRun) -> Progress | None:
    """None once it has ended. In one query."""
    if run.status not in (RunStatus.QUEUED, RunStatus.RUNNING):
        return None
    counted = dict(run.families.order_by().values_list("status").annotate(Count("pk")))
    total = sum(counted.values())
    done = counted.get(RunStatus.DONE, 0) + counted.get(RunStatus.FAILED, 0)
    told = ngettext("%(done)d of %(total)d family", "%(done)d of %(total)d families", total) % {
        "done": done,
        "total": total,
    }
    is_worked_on = bool(counted.get(RunStatus.RUNNING)) or (total > 0 and done == total)
    words = [] if is_worked_on else [_("Waits for a worker")]
    return Progress(apart([*words, told] if total else words), done, total or None)
