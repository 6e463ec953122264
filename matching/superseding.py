"""What a plan makes of what waited before it: which proposals are new, which stay, and which make way."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, models

from matching.kernel.explain import Match
from matching.kernel.problem import Problem
from matching.models import FamilyRun, Proposal
from matching.orders import frozen
from matching.snapshot import Rows
from supplies.needs.models import Need, NeedStatus
from supplies.offers.models import Offer, OfferStatus
from supplies.organisations.models import Facility


@dataclass(frozen=True)
class Change:
    """What a plan makes of what waited.

    new          matches to propose
    kept         proposals that stay
    superseded   proposals to take back
    stale        how many matches are left out
    short        of the demands that stay short, those that are as they were read
    """

    new: list[Match]
    kept: list[Proposal]
    superseded: list[Proposal]
    stale: int
    short: set[int]


def change_of(
    family: FamilyRun, matches: Sequence[Match], short: Iterable[int], rows: Rows, *, at: datetime
) -> Change:
    """Lock the rows the plan and what waited speak of, needs before offers before proposals, and compare the two.

    A row that was written since it was read is left alone, and so is what hangs on it: a proposal that somebody has
    answered meanwhile holds units of both its sides, so neither is as it was planned for.
    """
    prior = {
        (demand, supply): units
        for demand, supply, units in Problem.from_bytes(bytes(family.problem or b"")).prior.tolist()
    }
    short = set(short)
    demands = {match.demand for match in matches} | {demand for demand, _supply in prior} | short
    supplies = {match.supply for match in matches} | {supply for _demand, supply in prior}
    needs = _unchanged(Need, demands, rows.need_id, rows.need_version, NeedStatus.OPEN)
    offers = _unchanged(Offer, supplies, rows.offer_id, rows.offer_version, OfferStatus.OPEN)
    paused = Facility.objects.filter(is_paused=True, appeals__needs__in=[rows.need_id(n) for n in needs])
    is_paused = set(paused.values_list("appeals__needs", flat=True))
    ids = [rows.need_id(need) for need in needs]
    left_alone = set(
        Need.objects.filter(frozen(family.emergency, at), pk__in=ids).values_list("pk", flat=True)
    )
    left_alone |= is_paused
    needs = {need for need in needs if rows.need_id(need) not in left_alone}
    waiting = _waiting_of(prior, rows)
    for pair, units in prior.items():
        if pair not in waiting or waiting[pair].quantity != units:
            needs.discard(pair[0])
            offers.discard(pair[1])
    _leave_what_hangs_on_it(needs, offers, prior)
    fresh = [match for match in matches if match.demand in needs and match.supply in offers]
    stays = {(match.demand, match.supply) for match in fresh if _stays(match, prior)}
    return Change(
        [match for match in fresh if (match.demand, match.supply) not in stays],
        [waiting[pair] for pair in prior if pair in stays],
        [waiting[pair] for pair in prior if pair not in stays and pair[0] in needs and pair[1] in offers],
        len(matches) - len(fresh),
        short & needs,
    )


def _stays(match: Match, prior: Mapping[tuple[int, int], int]) -> bool:
    return prior.get((match.demand, match.supply)) == match.quantity


def _waiting_of(prior: Iterable[tuple[int, int]], rows: Rows) -> dict[tuple[int, int], Proposal]:
    """By their places in the snapshot, the proposals among these that wait for a volunteer still; locked."""
    place = {(rows.need_id(demand), rows.offer_id(supply)): (demand, supply) for demand, supply in prior}
    needs, offers = {need for need, _offer in place}, {offer for _need, offer in place}
    found = Proposal.objects.waiting().filter(need__in=needs, offer__in=offers).order_by("pk")
    locked = found.select_related("need__appeal").select_for_update(of=("self",))
    return {place[row.need_id, row.offer_id]: row for row in locked if (row.need_id, row.offer_id) in place}


def _leave_what_hangs_on_it(needs: set[int], offers: set[int], prior: Iterable[tuple[int, int]]) -> None:
    """A proposal stays where one of its sides is left alone, and keeps its units of the other: that is left alone too."""
    pairs = list(prior)
    while True:
        torn = [pair for pair in pairs if (pair[0] in needs) != (pair[1] in offers)]
        if not torn:
            return
        needs.difference_update(need for need, _offer in torn)
        offers.difference_update(offer for _need, offer in torn)


def _unchanged(
    model: type[models.Model], positions: set[int], id_of: Callable[[int], Any], versions: Any, status: str
) -> set[int]:
    """Positions whose row was not written since the snapshot; all of them are locked until the end of the transaction."""
    at = {id_of(position): position for position in positions}
    table = model._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT id, xmin::text::bigint, status FROM {table} WHERE id = ANY(%s::uuid[]) ORDER BY id FOR UPDATE",  # nosec B608 # a model's own table
            [[str(pk) for pk in at]],
        )
        found = cursor.fetchall()
    return {at[pk] for pk, version, now in found if now == status and version == int(versions[at[pk]])}
