"""What happened to a row, in words: the history at the desk is read by people, the journal's kinds by programs."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.apps import apps
from django.utils.translation import pgettext_lazy

TOLD = {
    "accepted": pgettext_lazy("what happened to a row", "accepted"),
    "added": pgettext_lazy("what happened to a row", "added"),
    "agreed": pgettext_lazy("what happened to a row", "agreed"),
    "alias_added": pgettext_lazy("what happened to a row", "another name added"),
    "answered": pgettext_lazy("what happened to a row", "the sender answered"),
    "approved": pgettext_lazy("what happened to a row", "approved"),
    "arrived": pgettext_lazy("what happened to a row", "arrived"),
    "asked_each_time": pgettext_lazy("what happened to a row", "the donor is asked about each match"),
    "at_hub": pgettext_lazy("what happened to a row", "at a hub"),
    "believed": pgettext_lazy("what happened to a row", "a volunteer believes it"),
    "booked": pgettext_lazy("what happened to a row", "booked with a carrier"),
    "called": pgettext_lazy("what happened to a row", "called by telephone"),
    "called_back": pgettext_lazy("what happened to a row", "called back"),
    "cancelled": pgettext_lazy("what happened to a row", "cancelled"),
    "changed": pgettext_lazy("what happened to a row", "changed"),
    "closed": pgettext_lazy("what happened to a row", "closed"),
    "code_noted": pgettext_lazy("what happened to a row", "credit code noted"),
    "confirmed": pgettext_lazy("what happened to a row", "confirmed"),
    "consented": pgettext_lazy("what happened to a row", "the donor agreed in advance"),
    "contact_found_wrong": pgettext_lazy("what happened to a row", "a way to reach it was found wrong"),
    "credited": pgettext_lazy("what happened to a row", "back in the donor's stock"),
    "declared": pgettext_lazy("what happened to a row", "goods declared"),
    "declined": pgettext_lazy("what happened to a row", "declined"),
    "delivered": pgettext_lazy("what happened to a row", "delivered"),
    "departed": pgettext_lazy("what happened to a row", "left"),
    "disabled": pgettext_lazy("what happened to a row", "switched off"),
    "discarded": pgettext_lazy("what happened to a row", "thrown away"),
    "dismissed": pgettext_lazy("what happened to a row", "somebody left the team"),
    "done": pgettext_lazy("what happened to a row", "done"),
    "donor_agreed": pgettext_lazy("what happened to a row", "the donor said yes"),
    "downloaded": pgettext_lazy("what happened to a row", "downloaded"),
    "edited": pgettext_lazy("what happened to a row", "edited"),
    "emptied": pgettext_lazy("what happened to a row", "goods taken off it"),
    "enabled": pgettext_lazy("what happened to a row", "switched on"),
    "ended": pgettext_lazy("what happened to a row", "ended"),
    "enrolled": pgettext_lazy("what happened to a row", "somebody joined the team"),
    "entered": pgettext_lazy("what happened to a row", "entered"),
    "entering": pgettext_lazy("what happened to a row", "being entered"),
    "erased": pgettext_lazy("what happened to a row", "erased"),
    "errors-downloaded": pgettext_lazy("what happened to a row", "its faults downloaded"),
    "events_given_up": pgettext_lazy("what happened to a row", "events given up"),
    "expired": pgettext_lazy("what happened to a row", "ran out"),
    "factor_set_up": pgettext_lazy("what happened to a row", "second step of signing in set up"),
    "factor_taken_away": pgettext_lazy("what happened to a row", "second step of signing in taken away"),
    "failed": pgettext_lazy("what happened to a row", "failed"),
    "fell_silent": pgettext_lazy("what happened to a row", "no news for long"),
    "filled": pgettext_lazy("what happened to a row", "more goods on it"),
    "finished": pgettext_lazy("what happened to a row", "finished"),
    "folded": pgettext_lazy("what happened to a row", "put together with another"),
    "given": pgettext_lazy("what happened to a row", "given"),
    "given_up": pgettext_lazy("what happened to a row", "given up"),
    "greyed": pgettext_lazy("what happened to a row", "not confirmed lately"),
    "hospital_agreed": pgettext_lazy("what happened to a row", "the hospital said yes"),
    "introduced": pgettext_lazy("what happened to a row", "introduced"),
    "invitation_revoked": pgettext_lazy("what happened to a row", "an invitation taken back"),
    "invited": pgettext_lazy("what happened to a row", "somebody invited"),
    "issued": pgettext_lazy("what happened to a row", "issued"),
    "joined": pgettext_lazy("what happened to a row", "an invitation was accepted"),
    "kept": pgettext_lazy("what happened to a row", "kept although the hospital is not accepting goods"),
    "kept_apart": pgettext_lazy("what happened to a row", "found to be two"),
    "key_forgotten": pgettext_lazy("what happened to a row", "its key forgotten"),
    "lapsed": pgettext_lazy("what happened to a row", "lapsed"),
    "left_hub": pgettext_lazy("what happened to a row", "left a hub"),
    "left_out": pgettext_lazy("what happened to a row", "left out"),
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
    "password_changed": pgettext_lazy("what happened to a row", "password changed"),
    "paused": pgettext_lazy("what happened to a row", "not accepting goods for now"),
    "phase": pgettext_lazy("what happened to a row", "in another phase"),
    "planned": pgettext_lazy("what happened to a row", "planned"),
    "posted": pgettext_lazy("what happened to a row", "posted"),
    "proposed": pgettext_lazy("what happened to a row", "proposed"),
    "published": pgettext_lazy("what happened to a row", "published"),
    "read": pgettext_lazy("what happened to a row", "read"),
    "reassigned": pgettext_lazy("what happened to a row", "given to another carrier"),
    "received": pgettext_lazy("what happened to a row", "received"),
    "recounted": pgettext_lazy("what happened to a row", "counted anew"),
    "recovery_code_used": pgettext_lazy("what happened to a row", "a recovery code used"),
    "recovery_codes_renewed": pgettext_lazy("what happened to a row", "new recovery codes"),
    "refused": pgettext_lazy("what happened to a row", "refused"),
    "registered": pgettext_lazy("what happened to a row", "registered"),
    "released": pgettext_lazy("what happened to a row", "released"),
    "reminded": pgettext_lazy("what happened to a row", "reminded"),
    "removed": pgettext_lazy("what happened to a row", "removed"),
    "reopened": pgettext_lazy("what happened to a row", "open again"),
    "replayed": pgettext_lazy("what happened to a row", "sent once more"),
    "reported": pgettext_lazy("what happened to a row", "reported"),
    "rerouted": pgettext_lazy("what happened to a row", "sent elsewhere"),
    "resumed": pgettext_lazy("what happened to a row", "accepts goods again"),
    "returned": pgettext_lazy("what happened to a row", "returned"),
    "returning": pgettext_lazy("what happened to a row", "on the way back"),
    "revealed": pgettext_lazy("what happened to a row", "shown to somebody"),
    "reviewed": pgettext_lazy("what happened to a row", "looked through"),
    "revoked": pgettext_lazy("what happened to a row", "revoked"),
    "robot_set_up": pgettext_lazy("what happened to a row", "a robot for news set up"),
    "robot_taken_away": pgettext_lazy("what happened to a row", "a robot for news taken away"),
    "rotated": pgettext_lazy("what happened to a row", "new secret"),
    "said": pgettext_lazy("what happened to a row", "said"),
    "said_delivered": pgettext_lazy("what happened to a row", "the carrier says it was delivered"),
    "seconded": pgettext_lazy("what happened to a row", "a second volunteer agreed"),
    "secret_changed": pgettext_lazy("what happened to a row", "new secret"),
    "seen": pgettext_lazy("what happened to a row", "seen on its way"),
    "set": pgettext_lazy("what happened to a row", "set"),
    "settled": pgettext_lazy("what happened to a row", "settled"),
    "shipped": pgettext_lazy("what happened to a row", "shipped"),
    "short": pgettext_lazy("what happened to a row", "stays short"),
    "spent": pgettext_lazy("what happened to a row", "given away"),
    "split": pgettext_lazy("what happened to a row", "split"),
    "staged": pgettext_lazy("what happened to a row", "back among what is not entered"),
    "started": pgettext_lazy("what happened to a row", "started"),
    "stopped": pgettext_lazy("what happened to a row", "stopped"),
    "subscribed": pgettext_lazy("what happened to a row", "read from now on"),
    "superseded": pgettext_lazy("what happened to a row", "replaced by a later run"),
    "taken_back": pgettext_lazy("what happened to a row", "taken back"),
    "taken_over": pgettext_lazy("what happened to a row", "taken over by somebody else"),
    "tested": pgettext_lazy("what happened to a row", "tried out"),
    "to_answer": pgettext_lazy("what happened to a row", "waits for an answer"),
    "to_check_again": pgettext_lazy("what happened to a row", "to be checked again"),
    "to_count": pgettext_lazy("what happened to a row", "waits to be counted"),
    "to_hand_over": pgettext_lazy("what happened to a row", "waits to be handed over"),
    "told": pgettext_lazy("what happened to a row", "told"),
    "tried_again": pgettext_lazy("what happened to a row", "tried again"),
    "unbooked": pgettext_lazy("what happened to a row", "booking cancelled"),
    "undone": pgettext_lazy("what happened to a row", "undone"),
    "unmapped": pgettext_lazy("what happened to a row", "its columns wait to be explained"),
    "unpacked": pgettext_lazy("what happened to a row", "unpacked"),
    "verified": pgettext_lazy("what happened to a row", "verified"),
    "waits": pgettext_lazy("what happened to a row", "waits for a volunteer"),
    "withdrawn": pgettext_lazy("what happened to a row", "withdrawn"),
    "withheld": pgettext_lazy("what happened to a row", "withheld"),
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
