"""A proposal while it waits for its answers: made of a match, its units held on both sides, and ended."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from django.db import connection, models

from matching.fitting import grounds
from matching.kernel.explain import Match
from matching.kernel.problem import Verdict
from matching.models import BLOBS, Proposal
from supplies.catalogue.models import Substitution
from supplies.journal.services import record_all
from supplies.needs.models import Need
from supplies.offers.models import Offer
from supplies.organisations.models import User

AT_ONCE = 1000  # proposals ended in one transaction


def steps_of(matches: Iterable[Match]) -> dict[int, Substitution]:
    """The substitutions that any of the matches rests on."""
    return Substitution.objects.in_bulk({edge for match in matches for edge in match.chain})


def made_of(match: Match, steps: Mapping[int, Substitution], **of: Any) -> Proposal:
    """What a match says, as a proposal of this run, need and offer."""
    rests_on = grounds(match.verdict, match.reason, match.chain, steps)
    condition = rests_on["condition"] or {"zh": ""}
    return Proposal(
        quantity=match.quantity,
        km=match.distance_m // 1000,
        days=match.days,
        is_conditional=match.verdict == Verdict.CONDITIONAL,
        condition=condition["zh"][:300],
        because={
            "days_to_spare": match.days_to_spare,
            "shelf_days": match.shelf_days,
            "overshoot": match.overshoot,
            **rests_on,
            "level_before": match.level_before,
            "level_after": match.level_after,
            "filled_before": match.filled_before,
            "filled_after": match.filled_after,
            "total": match.total,
            "is_assumed": match.is_assumed,
        },
        **of,
    )


def hold(proposals: Iterable[Proposal], sign: int) -> None:
    """Count the units of proposals as taken (+1) or free again (-1), on both sides, in one statement each."""
    held = list(proposals)
    for table, column in ((Need._meta.db_table, "need_id"), (Offer._meta.db_table, "offer_id")):
        total: Counter[Any] = Counter()
        for proposal in held:
            total[str(getattr(proposal, column))] += sign * proposal.quantity_approved
        if total:
            with connection.cursor() as cursor:
                cursor.execute(
                    f"UPDATE {table} SET quantity_proposed = quantity_proposed + held.quantity"  # nosec B608 # the names are ours
                    f" FROM unnest(%s::uuid[], %s::bigint[]) AS held (id, quantity) WHERE {table}.id = held.id",
                    [list(total), list(total.values())],
                )


def end_pending(rows: models.QuerySet[Proposal], status: str, because: str, *, at: datetime) -> int:
    """End many at once; those that end meanwhile are passed over. Returns how many it ended."""
    found = rows.order_by("pk").values_list("pk", "need", "offer")[:AT_ONCE]
    return len(ended(lock_pending(found), status, because, by=None, at=at))


def lock_pending(found: Iterable[tuple[Any, Any, Any]]) -> list[Proposal]:
    """Of these proposals, given with their need and offer, those that wait for an answer still; locked after both sides."""
    ids, needs, offers = zip(*found, strict=True) if (found := list(found)) else ((), (), ())
    list(Need.objects.filter(pk__in=needs).select_for_update().order_by("pk").values_list("pk"))
    list(Offer.objects.filter(pk__in=offers).select_for_update().order_by("pk").values_list("pk"))
    pending = Proposal.objects.pending().filter(pk__in=ids).select_related("need__appeal", "family_run__run")
    return list(pending.defer(*BLOBS).select_for_update(of=("self",)).order_by("pk"))


def ended(
    proposals: list[Proposal],
    status: str,
    because: str,
    *,
    by: User | None,
    at: datetime,
    facts: Callable[[Proposal], dict[str, Any]] | None = None,
) -> list[Proposal]:
    for proposal in proposals:
        proposal.move_to(status)
        proposal.ended_because = because
    Proposal.objects.bulk_update(proposals, ["status", "ended_because"])
    hold(proposals, -1)
    record_all(proposals, f"proposal.{status}", by=by, at=at, facts=facts or family_facts)
    return proposals


def family_facts(proposal: Proposal) -> dict[str, Any]:
    """Whose family is to be matched again, since both sides are free."""
    return {"item": proposal.need.item_id, "emergency": proposal.need.appeal.emergency_id}
