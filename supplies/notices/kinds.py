"""What people are told of: for each kind of event, to whom, under which heading, and where to act. The one place that decides."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.utils.translation import gettext_lazy as _

from supplies.notices.inbox import Group


class Party(StrEnum):
    """Who may be concerned. `subjects.py` says which ways lead from a row to them."""

    HOSPITAL = "hospital"  # who acts for who receives
    DONOR = "donor"  # who acts for who gives
    CARRIER = "carrier"
    ASKED = "asked"  # the sides whose yes is waited for
    POSTER = "poster"  # whoever typed it in
    MEMBERS = "members"  # who acts for the organisation it is about
    PERSON = "person"  # the account that the facts name
    BEFORE = "before"  # the hospital it went to before, which the facts name; so the two below
    CARRIER_BEFORE = "carrier before"
    LEG = "leg"  # the carrier of the leg that it is about
    REGION = "region"  # the coordinators of where it goes
    DESK = "desk"  # every volunteer


P = Party


@dataclass(frozen=True)
class Kind:
    """page      the route where one acts; without, that of what it is about
    waits_as  the status of what it is about as long as that waits; in another it waits no more
    several   what is said once of several that wait on the one page
    """

    group: Group
    says: Any
    to: frozenset[Party]
    page: str = ""
    waits_as: str = ""
    several: Any = ""


def _of(group: Group, kinds: Mapping[str, tuple[Any, ...]]) -> dict[str, Kind]:
    return {kind: Kind(group, says, frozenset(to), *more) for kind, (says, to, *more) in kinds.items()}


BOTH = {P.DONOR, P.HOSPITAL}
ALL_THREE = {*BOTH, P.CARRIER}

KINDS: dict[str, Kind] = {
    **_of(
        Group.ANSWERS,
        {
            "proposal.approved": (
                _("A match waits for your answer"),
                {P.ASKED},
                "answers",
                "approved",
                _("%(n)d matches wait for your answer"),
            ),
            "proposal.agreed": (_("Matched: the goods are promised"), BOTH),
            "proposal.declined": (_("A match you were asked about was declined"), BOTH),
            "proposal.withdrawn": (_("A match you were asked about was withdrawn"), BOTH),
            "proposal.expired": (_("A match ended: nobody answered in time"), BOTH),
            "allocation.released": (_("A promise was taken back"), BOTH),
        },
    ),
    **_of(
        Group.POSTS,
        {
            "appeal.published": (_("Your needs are published"), {P.HOSPITAL, P.POSTER}),
            "appeal.refused": (_("Your needs were not published; read why"), {P.HOSPITAL, P.POSTER}),
            "need.met": (_("Enough is promised or received"), {P.HOSPITAL, P.POSTER}),
            "need.lapsed": (_("No longer shown as needed; say so if it still is"), {P.HOSPITAL, P.POSTER}),
            "donation.published": (_("Your donation is published"), {P.DONOR, P.POSTER}),
            "donation.refused": (_("Your donation was not published; read why"), {P.DONOR, P.POSTER}),
            "offer.lapsed": (_("An offer of yours has ended"), {P.DONOR, P.POSTER}),
        },
    ),
    **_of(
        Group.TRANSPORT,
        {
            "shipment.booked": (_("A shipment is booked with its carrier"), ALL_THREE),
            "shipment.planned": (
                _("The legs of a shipment were planned anew"),
                {P.CARRIER, P.CARRIER_BEFORE},
            ),
            "shipment.reassigned": (
                _("A shipment goes with another carrier now"),
                {*ALL_THREE, P.CARRIER_BEFORE},
            ),
            "shipment.departed": (_("A shipment has left"), BOTH),
            "shipment.at_hub": (_("A shipment reached a hub; its next leg begins there"), {P.CARRIER, P.LEG}),
            "shipment.left_hub": (_("A shipment has left a hub"), {P.CARRIER, P.LEG}),
            "load.made": (
                _("A vehicle with goods of several donors is planned with you"),
                {P.CARRIER},
                "dock",
            ),
            "load.filled": (_("More goes on a vehicle of several donors"), {P.CARRIER}, "dock"),
            "load.emptied": (_("Goods go without the vehicle of several donors"), {P.CARRIER}, "dock"),
            "load.cancelled": (_("A vehicle of several donors was called off"), {P.CARRIER}, "dock"),
            "shipment.arrived": (_("A shipment is at the door"), BOTH),
            "shipment.delivered": (_("A shipment was delivered; it is not counted yet"), BOTH),
            "shipment.accepted": (_("A shipment was counted and accepted"), {P.DONOR, P.CARRIER}),
            "thanks.said": (_("The hospital thanks you"), {P.DONOR}),
        },
    ),
    **_of(
        Group.TROUBLE,
        {
            "shipment.partly_accepted": (_("A shipment was accepted in part"), {P.DONOR, P.REGION}),
            "shipment.refused": (_("Nothing of a shipment could be accepted"), {P.DONOR, P.REGION}),
            "shipment.recounted": (_("The count of a shipment was corrected"), {P.DONOR, P.CARRIER}),
            "shipment.returning": (_("A shipment goes back to the donor"), {*ALL_THREE, P.REGION}),
            "shipment.lost": (_("A shipment was given up as lost"), {*ALL_THREE, P.REGION}),
            "shipment.cancelled": (_("A shipment was called off before it left"), ALL_THREE),
            "shipment.joined": (_("What was on a shipment travels with another one now"), ALL_THREE),
            "shipment.rerouted": (_("A shipment goes to another hospital now"), {*ALL_THREE, P.BEFORE}),
            "shipment.fell_silent": (_("No news of a shipment for days"), {P.DONOR, P.CARRIER, P.REGION}),
            "facility.paused": (
                _("A hospital is not accepting goods for now; goods are on their way there"),
                {P.DONOR, P.CARRIER, P.REGION},
            ),
            "ticket.opened": (_("What you sent did not all arrive as promised"), {P.DONOR}, "tickets"),
            "ticket.answered": (_("The sender has answered about your delivery"), {P.HOSPITAL}, "tickets"),
            "ticket.settled": (_("It is settled what becomes of your goods"), {P.DONOR}, "tickets"),
        },
    ),
    **_of(
        Group.TRUST,
        {
            "organisation.verified": (
                _("Verified: it is said so beside what you post"),
                {P.MEMBERS, P.POSTER},
            ),
            "organisation.refused": (_("Not verified; read what has to change"), {P.MEMBERS, P.POSTER}),
            "organisation.enrolled": (_("You have a new role"), {P.PERSON}),
            "organisation.manager_made": (_("You manage an organisation now"), {P.PERSON}),
        },
    ),
    **_of(
        Group.REMINDERS,
        {
            "need.reminded": (_("Is it still needed? Say so before it is no longer shown"), {P.HOSPITAL}),
            "proposal.to_answer": (
                _("A match still waits for your answer"),
                {P.ASKED},
                "answers",
                "approved",
                _("%(n)d matches still wait for your answer"),
            ),
            "allocation.to_hand_over": (_("Goods you promised are to be handed over"), {P.DONOR}),
            "shipment.to_hand_over": (_("A booked shipment has not left yet"), {P.DONOR, P.CARRIER}),
            "shipment.to_count": (_("A delivery waits to be counted"), {P.HOSPITAL}, "count-shipment"),
            "ticket.reminded": (
                _("Still waiting for your answer: what became of your goods"),
                {P.DONOR},
                "tickets",
            ),
        },
    ),
    **_of(
        Group.WATCH,
        {
            "appeal.waits": (_("A hospital's needs wait to be read"), {P.DESK}, "", "waiting"),
            "donation.waits": (_("A donation waits to be read"), {P.DESK}, "", "waiting"),
        },
    ),
    # Of saved searches; they come by another way (watching.py).
    **_of(
        Group.SEARCHES,
        {
            "search.needs": (_("A hospital needs what you search for"), set()),
            "search.offers": (_("Somebody offers what your hospital needs"), set()),
        },
    ),
}
