"""Does a pair fit? The kernel's rules, asked about single pairs outside a run: proposals that wait, and what is made by hand."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import product
from typing import Any
from uuid import UUID

import numpy as np
from django.db.models import F, QuerySet
from django.utils.translation import gettext_lazy as _

from matching.kernel.explain import Match, explain
from matching.kernel.pairs import Pairs
from matching.kernel.plan import Plan
from matching.kernel.problem import Problem, Verdict
from matching.kernel.solve import as_plan
from matching.kernel.substitution import NeedKind, OfferKind, Reason, judge
from matching.kernel.verify import Fault, verify
from matching.snapshot import (
    Couple,
    Rulebook,
    as_rules,
    clinical_items,
    need_kinds,
    open_offers,
    take_couples,
)
from supplies.catalogue.models import Item, Standard, Substitution
from supplies.needs.models import Need, Setting
from supplies.offers.models import Offer

WHY_NOT = {
    Fault.NOT_SATISFYING: _("These goods are not what is asked for, nor an accepted substitute."),
    Fault.MISDIRECTED: _("The donor gave this for somebody else. Ask the donor before it goes elsewhere."),
    Fault.SENDER_REFUSED: _("The hospital does not take goods from this kind of sender."),
    Fault.NO_TRANSPORT: _(
        "These goods may not travel that way: cold goods need a carrier that keeps them cold, dangerous goods go by road."
    ),
    Fault.OUT_OF_RANGE: _("That is farther than these goods may travel."),
    Fault.TOO_LATE: _("The goods would arrive after the day they are needed."),
    Fault.EXPIRES: _("Too little of their shelf life would be left on arrival."),
    Fault.NO_LEGAL_LOT: _("No number of whole packs is between the minimum quantity and what is there."),
    Fault.BROKEN_PACK: _("Only whole packs are sent; choose a multiple of the pack."),
    Fault.BELOW_LOT: _(
        "This is less than the minimum quantity that is sent, or than the least that is useful."
    ),
}
MOST_OFFERS = 50  # to choose from by hand
OTHERWISE = _("This pair does not fit; let the matching look for another.")


def first_faults(couples: Sequence[Couple], *, as_of: datetime) -> list[Fault | None]:
    """For each couple the first rule it breaks, judged as of that moment; None where it fits."""
    problem, plan = _as_plan(couples, as_of=as_of)
    first: dict[int | None, Fault] = {}
    for violation in verify(problem, plan):
        row = violation.supply if violation.demand is None else violation.demand
        first.setdefault(row, violation.fault)
    return [first.get(position) for position in range(len(couples))]


def serves(
    items: Mapping[str, Item],
    made_to: Iterable[tuple[Standard, Iterable[str]]],
    edges: Iterable[Substitution],
    goods: Iterable[tuple[str, str | None]],
) -> dict[str, bool]:
    """The items that goods, each an item and its standard, may go to somewhere, and whether only if the hospital agrees."""
    rules = as_rules(items, made_to, edges)
    clinical = clinical_items(items, rules)
    found: dict[str, bool] = {}
    for item, standard in goods:
        for wanted, setting in product(items, Setting.values):
            need = NeedKind(wanted, medical_grade=wanted in clinical, valve_allowed=False, setting=setting)
            verdict = judge(rules, OfferKind(item, standard), need).verdict
            if verdict != Verdict.NO:
                found[wanted] = found.get(wanted, True) and verdict == Verdict.CONDITIONAL
    return found


def match_of(couple: Couple, *, as_of: datetime) -> Match:
    """Why the couple fits, as a run would say it."""
    problem, plan = _as_plan([couple], as_of=as_of)
    return explain(problem, plan).matches[0]


def offers_for(need: Need, *, as_of: datetime, most: int = MOST_OFFERS) -> list[tuple[Offer, int]]:
    """Offers of which something may go to a need by the rules, and their way in km; the nearest first."""
    family_of = Rulebook.read().family_of
    items = [item for item, family in family_of.items() if family == family_of[need.item_id]]
    rows = open_offers(need.appeal.emergency, as_of).filter(
        quantity_open__gt=F("quantity_proposed"), item__in=items
    )
    most_of = {offer.pk: _most(need, offer) for offer in rows.only("pk", "pack", "quantity_open")}
    couples = [Couple(need.pk, key, quantity, held=0) for key, quantity in most_of.items() if quantity > 0]
    if not couples:
        return []
    problem, plan = _as_plan(couples, as_of=as_of)
    broken = {violation.demand for violation in verify(problem, plan)}
    ways = zip(plan.assignments.demand.tolist(), plan.assignments.distance_m.tolist(), strict=True)
    nearest = sorted((metres, position) for position, metres in ways if position not in broken)[:most]
    found = Offer.objects.with_place().in_bulk([couples[position].offer for _metres, position in nearest])
    return [(found[couples[position].offer], metres // 1000) for metres, position in nearest]


def satisfied(needs: QuerySet[Need], offers: Sequence[Offer]) -> dict[UUID, frozenset[UUID]]:
    """Of these needs those that some of the offers are the goods for, or may stand in for, if need be with a yes; and which.

    Judged by goods and standard alone, in a number of queries that knows neither of them.
    """
    rulebook = Rulebook.read()
    families = {rulebook.family_of[offer.item_id] for offer in offers}
    items = [item for item, family in rulebook.family_of.items() if family in families]
    kinds = need_kinds(needs.filter(item__in=items), rulebook)
    goods = {offer.pk: OfferKind(offer.item_id, offer.standard_id, offer.sterile) for offer in offers}
    serving = {
        kind: frozenset(
            pk for pk, given in goods.items() if judge(rulebook.rules, given, kind).verdict != Verdict.NO
        )
        for kind in set(kinds.values())
    }
    return {pk: serving[kind] for pk, kind in kinds.items() if serving[kind]}


def grounds(
    verdict: int, reason: Reason, chain: Sequence[int], steps: Mapping[int, Substitution]
) -> dict[str, Any]:
    """What a judgement on standards rests on, as proposals keep it and sentences tell it.

    Returns  reason; steps as [offered, asked for, relation]; condition in "zh" and "en", or None without one
    """
    known = [steps[edge] for edge in chain if edge in steps]
    last = steps.get(chain[-1]) if chain and verdict == Verdict.CONDITIONAL else None
    return {
        "reason": reason.name.lower(),
        "steps": [[step.offered_id, step.satisfies_id, step.relation] for step in known],
        "condition": {"zh": last.condition_zh or last.condition, "en": last.condition} if last else None,
    }


def _most(need: Need, offer: Offer) -> int:
    """The largest number of whole packs that is there and not too much."""
    return int(min(need.lacking, offer.quantity_open) // offer.pack * offer.pack)


def _as_plan(couples: Sequence[Couple], *, as_of: datetime) -> tuple[Problem, Plan]:
    """The couples as a problem, and the plan that makes them all."""
    problem = take_couples(couples, as_of=as_of, rulebook=Rulebook.read())
    rows = np.arange(len(couples))
    quantity = np.array([couple.quantity for couple in couples], np.int64)
    nothing = np.zeros(len(problem.policy.levels), np.int64)
    return problem, as_plan(problem, Pairs.of(problem, rows, rows), quantity, nothing)
