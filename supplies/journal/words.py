"""What happened to a row, in words: the history at the desk is read by people, the journal's kinds by programs."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.apps import apps
from django.utils.translation import pgettext_lazy

TOLD = {
    "accepted": pgettext_lazy("what happened to a row", "accepted"),
    "agreed": pgettext_lazy("what happened to a row", "agreed"),
    "alias_added": pgettext_lazy("what happened to a row", "another name added"),
    "answered": pgettext_lazy("what happened to a row", "the sender answered"),
    "approved": pgettext_lazy("what happened to a row", "approved"),
    "arrived": pgettext_lazy("what happened to a row", "arrived"),
    "at_hub": pgettext_lazy("what happened to a row", "at a hub"),
    "asked_each_time": pgettext_lazy("what happened to a row", "the donor is asked about each match"),
    "believed": pgettext_lazy("what happened to a row", "a volunteer believes it"),
    "booked": pgettext_lazy("what happened to a row", "booked with a carrier"),
    "called": pgettext_lazy("what happened to a row", "called by telephone"),
    "cancelled": pgettext_lazy("what happened to a row", "cancelled"),
    "changed": pgettext_lazy("what happened to a row", "changed"),
    "closed": pgettext_lazy("what happened to a row", "closed"),
    "code_noted": pgettext_lazy("what happened to a row", "credit code noted"),
    "consented": pgettext_lazy("what happened to a row", "the donor agreed in advance"),
    "declared": pgettext_lazy("what happened to a row", "goods declared"),
    "declined": pgettext_lazy("what happened to a row", "declined"),
    "delivered": pgettext_lazy("what happened to a row", "delivered"),
    "departed": pgettext_lazy("what happened to a row", "left"),
    "discarded": pgettext_lazy("what happened to a row", "thrown away"),
    "dismissed": pgettext_lazy("what happened to a row", "somebody left the team"),
    "donor_agreed": pgettext_lazy("what happened to a row", "the donor said yes"),
    "emptied": pgettext_lazy("what happened to a row", "goods taken off it"),
    "ended": pgettext_lazy("what happened to a row", "ended"),
    "enrolled": pgettext_lazy("what happened to a row", "somebody joined the team"),
    "entered": pgettext_lazy("what happened to a row", "entered"),
    "entering": pgettext_lazy("what happened to a row", "being entered"),
    "expired": pgettext_lazy("what happened to a row", "ran out"),
    "failed": pgettext_lazy("what happened to a row", "failed"),
    "fell_silent": pgettext_lazy("what happened to a row", "no news for long"),
    "filled": pgettext_lazy("what happened to a row", "more goods on it"),
    "finished": pgettext_lazy("what happened to a row", "finished"),
    "folded": pgettext_lazy("what happened to a row", "put together with another"),
    "given": pgettext_lazy("what happened to a row", "given"),
    "greyed": pgettext_lazy("what happened to a row", "not confirmed lately"),
    "hospital_agreed": pgettext_lazy("what happened to a row", "the hospital said yes"),
    "invited": pgettext_lazy("what happened to a row", "somebody invited"),
    "joined": pgettext_lazy("what happened to a row", "an invitation was accepted"),
    "kept_apart": pgettext_lazy("what happened to a row", "found to be two"),
    "lapsed": pgettext_lazy("what happened to a row", "lapsed"),
    "left_hub": pgettext_lazy("what happened to a row", "left a hub"),
    "lost": pgettext_lazy("what happened to a row", "lost"),
    "made": pgettext_lazy("what happened to a row", "made"),
    "made_by_hand": pgettext_lazy("what happened to a row", "made by hand"),
    "manager_made": pgettext_lazy("what happened to a row", "somebody became a manager"),
    "merged": pgettext_lazy("what happened to a row", "merged"),
    "merged_into": pgettext_lazy("what happened to a row", "merged into another"),
    "met": pgettext_lazy("what happened to a row", "met"),
    "opened": pgettext_lazy("what happened to a row", "open"),
    "packed": pgettext_lazy("what happened to a row", "packed"),
    "partly_accepted": pgettext_lazy("what happened to a row", "accepted in part"),
    "paused": pgettext_lazy("what happened to a row", "not accepting goods for now"),
    "planned": pgettext_lazy("what happened to a row", "planned"),
    "posted": pgettext_lazy("what happened to a row", "posted"),
    "proposed": pgettext_lazy("what happened to a row", "proposed"),
    "published": pgettext_lazy("what happened to a row", "published"),
    "read": pgettext_lazy("what happened to a row", "read"),
    "reassigned": pgettext_lazy("what happened to a row", "given to another carrier"),
    "received": pgettext_lazy("what happened to a row", "received"),
    "recounted": pgettext_lazy("what happened to a row", "counted anew"),
    "refused": pgettext_lazy("what happened to a row", "refused"),
    "registered": pgettext_lazy("what happened to a row", "registered"),
    "released": pgettext_lazy("what happened to a row", "released"),
    "reminded": pgettext_lazy("what happened to a row", "reminded"),
    "reopened": pgettext_lazy("what happened to a row", "open again"),
    "reported": pgettext_lazy("what happened to a row", "reported"),
    "rerouted": pgettext_lazy("what happened to a row", "sent elsewhere"),
    "resumed": pgettext_lazy("what happened to a row", "accepts goods again"),
    "returned": pgettext_lazy("what happened to a row", "returned"),
    "returning": pgettext_lazy("what happened to a row", "on the way back"),
    "said_delivered": pgettext_lazy("what happened to a row", "the carrier says it was delivered"),
    "seconded": pgettext_lazy("what happened to a row", "a second volunteer agreed"),
    "seen": pgettext_lazy("what happened to a row", "seen on its way"),
    "settled": pgettext_lazy("what happened to a row", "settled"),
    "shipped": pgettext_lazy("what happened to a row", "shipped"),
    "short": pgettext_lazy("what happened to a row", "stays short"),
    "spent": pgettext_lazy("what happened to a row", "given away"),
    "split": pgettext_lazy("what happened to a row", "split"),
    "started": pgettext_lazy("what happened to a row", "started"),
    "stopped": pgettext_lazy("what happened to a row", "stopped"),
    "taken_back": pgettext_lazy("what happened to a row", "taken back"),
    "to_answer": pgettext_lazy("what happened to a row", "waits for an answer"),
    "to_check_again": pgettext_lazy("what happened to a row", "to be checked again"),
    "to_count": pgettext_lazy("what happened to a row", "waits to be counted"),
    "to_hand_over": pgettext_lazy("what happened to a row", "waits to be handed over"),
    "told": pgettext_lazy("what happened to a row", "told"),
    "unbooked": pgettext_lazy("what happened to a row", "booking cancelled"),
    "undone": pgettext_lazy("what happened to a row", "undone"),
    "unmapped": pgettext_lazy("what happened to a row", "its columns wait to be explained"),
    "unpacked": pgettext_lazy("what happened to a row", "unpacked"),
    "verified": pgettext_lazy("what happened to a row", "verified"),
    "waits": pgettext_lazy("what happened to a row", "waits for a volunteer"),
    "withdrawn": pgettext_lazy("what happened to a row", "withdrawn"),
}


def told(kind: str) -> str:
    """The word for "need.met" beside the need it happened to; the kind itself where there is none."""
    return str(TOLD.get(kind.partition(".")[2], kind))


# The facts that tell a reader something. The rest are codes for programs, and stand in the journal.
FACTS = {
    "accepted": pgettext_lazy("fact of an event", "accepted"),
    "approved": pgettext_lazy("fact of an event", "approved"),
    "emergency": pgettext_lazy("fact of an event", "emergency"),
    "failed": pgettext_lazy("fact of an event", "failed"),
    "item": pgettext_lazy("fact of an event", "item"),
    "legs": pgettext_lazy("fact of an event", "legs"),
    "lines": pgettext_lazy("fact of an event", "lines"),
    "order": pgettext_lazy("fact of an event", "kind of order"),
    "origin": pgettext_lazy("fact of an event", "number from"),
    "outcome": pgettext_lazy("fact of an event", "outcome"),
    "phase": pgettext_lazy("fact of an event", "phase"),
    "proposals": pgettext_lazy("fact of an event", "proposals"),
    "proposed": pgettext_lazy("fact of an event", "proposed"),
    "purpose": pgettext_lazy("fact of an event", "shown"),
    "quantity": pgettext_lazy("fact of an event", "quantity"),
    "role": pgettext_lazy("fact of an event", "role"),
    "round": pgettext_lazy("fact of an event", "round of checking"),
    "rows": pgettext_lazy("fact of an event", "rows"),
    "trigger": pgettext_lazy("fact of an event", "started by"),
    "units": pgettext_lazy("fact of an event", "units"),
    "version": pgettext_lazy("fact of an event", "version"),
    "wrong": pgettext_lazy("fact of an event", "what is wrong"),
}
# Where what a code says is worded: columns with choices, and tables whose rows have names. By their labels, since the journal
# is below all of them and knows none.
WORDED = {
    "order": ("matching.Order.kind",),
    "origin": ("supplies.CallLog.origin",),
    "outcome": ("supplies.CallLog.outcome", "supplies.DiscrepancyTicket.outcome"),
    "phase": ("supplies.Emergency.status",),
    "purpose": ("supplies.Reveal.purpose",),
    "role": ("supplies.Membership.role",),
    "trigger": ("matching.MatchingRun.trigger",),
    "wrong": ("supplies.ChangeRequest.kind",),
}
NAMED = {"emergency": "supplies.Emergency", "item": "supplies.Item"}
Names = Mapping[str, Mapping[Any, Any]]


def names_in(all_facts: Iterable[Mapping[str, Any]]) -> Names:
    """The rows that these facts name by their keys, in one query for each table of NAMED."""
    told = list(all_facts)
    keys = {fact: {facts[fact] for facts in told if fact in facts} for fact in NAMED}
    return {
        fact: apps.get_model(NAMED[fact])._default_manager.in_bulk(sorted(known))
        for fact, known in keys.items()
        if known
    }


def facts_told(facts: Mapping[str, Any], names: Names | None = None) -> list[tuple[str, Any]]:
    """Those of an event's facts that are read by people, each with its word and what its code stands for."""
    return [
        (str(FACTS[name]), _worded(name, fact, names or {}) if isinstance(fact, str) else fact)
        for name, fact in facts.items()
        if name in FACTS
    ]


def _worded(name: str, fact: str, names: Names) -> Any:
    """What a code stands for; the fact itself where it is none."""
    if fact in names.get(name, ()):
        return names[name][fact]
    for column in WORDED.get(name, ()):
        table, _dot, field = column.rpartition(".")
        choices: Mapping[Any, Any] = dict(apps.get_model(table)._meta.get_field(field).flatchoices)
        if fact in choices:
            return choices[fact]
    return fact
