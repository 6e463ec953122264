"""Needs that stand for those of another instance, so that they can be matched here: entered, kept as they are told there, given up.

Each has an appeal of its own. It says by whom it is told (`origin`), is in no count, list or file of ours, and asks for what
nobody there has promised yet, but never for less than what is promised from here.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from supplies.emergencies.models import Emergency
from supplies.needs import services
from supplies.needs.models import Need, NeedStatus, QuantityKind
from supplies.organisations.models import Facility

FOLLOWED = ("quantity_kind", "quantity", "urgency", "needed_by")


def enter(
    facility: Facility,
    *,
    emergency: Emergency,
    origin: str,
    line: Mapping[str, Any],
    confirmed_at: datetime,
    at: datetime,
    **details: Any,
) -> Need:
    """A new stand-in, open at once: whoever lets an instance be matched answers for its hospitals. `line` as in `services.post`.

    Raises   what `services.post` raises
    """
    with transaction.atomic():
        lines = [{**line, "origin": origin}]
        appeal = services.post(facility, emergency=emergency, lines=lines, by=None, at=at, **details)
        services.publish_moderated(appeal, at=at)
        Need.objects.filter(appeal=appeal).update(confirmed_at=min(confirmed_at, at))
        return Need.objects.get(appeal=appeal)


def follow(need: Need, told: Mapping[str, Any], *, confirmed_at: datetime, at: datetime) -> Need:
    """Let a stand-in say what is told now; one that was given up or has lapsed is open again. Twice is harmless.

    told     FOLLOWED; a date of None leaves the one that was assumed
    Raises   ValidationError for what is not plausible, Refused for a need that cannot go on
    """
    if not _differs(need, told, confirmed_at):
        return need
    with transaction.atomic():
        need = Need.objects.select_for_update().get(pk=need.pk)
        if need.status == NeedStatus.WITHDRAWN:
            need = services.reopen(need, by=None, at=at)
        elif need.status == NeedStatus.LAPSED:
            need = services.confirm(need, by=None, at=at)
        if told["quantity_kind"] != QuantityKind.NUMBER and need.quantity_kind == QuantityKind.NUMBER:
            most = max(need.item.plausible_max, need.item.assumed_quantity)
            need.quantity_assumed = need.item.assumed_quantity
            need.save(update_fields=["quantity_assumed"])
            need = services.resize(
                need, kind=told["quantity_kind"], quantity=None, ceiling=most, by=None, at=at
            )
        changes = _changes(need, told)
        if changes:
            services.change(need, by=None, at=at, **changes)
        Need.objects.filter(pk=need.pk).update(confirmed_at=min(confirmed_at, at))
        return Need.objects.get(pk=need.pk)


def _differs(need: Need, told: Mapping[str, Any], confirmed_at: datetime) -> bool:
    if need.status == NeedStatus.LAPSED:  # for want of a word, and nothing was said since
        return confirmed_at > need.confirmed_at
    return (
        need.status == NeedStatus.WITHDRAWN
        or need.quantity_kind != told["quantity_kind"]
        or confirmed_at > need.confirmed_at
        or bool(_changes(need, told))
    )


def _changes(need: Need, told: Mapping[str, Any]) -> dict[str, Any]:
    """What is told otherwise than it stands here."""
    wanted = {"urgency": told["urgency"]}
    if told["needed_by"]:
        wanted["needed_by"] = told["needed_by"]
    if told["quantity_kind"] == QuantityKind.NUMBER:
        taken = need.quantity_promised + need.quantity_in_transit + need.quantity_received
        wanted["quantity"] = max(told["quantity"], taken)
    return {name: value for name, value in wanted.items() if getattr(need, name) != value}
