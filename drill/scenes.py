"""What a drill plays with: goods that are asked for and offered now, and the people who answer for them."""

from dataclasses import dataclass
from typing import Any

from django.utils import timezone

import tests.makers
from matching import services as matching
from matching.models import MatchingRun, Proposal, RunStatus
from supplies.journal.models import Outgoing
from supplies.journal.services import unheard
from supplies.needs.models import Need
from supplies.offers.models import Offer
from supplies.organisations import services as people
from supplies.organisations.models import User
from supplies.organisations.permissions import usable_scopes

# The processes of a drill live today; what the makers make does too.
tests.makers.NOW = timezone.now()
tests.makers.TODAY = tests.makers.NOW.date()

from tests.makers import make_emergency, make_item, make_member, make_need, make_offer  # noqa: E402

ITEM = "BIO_BAG"  # asked for under no standard, replaced by nothing: a family of its own
QUANTITY = 1000


@dataclass(frozen=True)
class Pair:
    """One need and the one offer that meets it, in an emergency of their own, with who may speak for each."""

    need: Need
    offer: Offer
    hospital: User
    donor: User


def a_pair(name: str, **offer: Any) -> Pair:
    """Nobody is told of them, so nothing is matched until somebody asks."""
    with unheard():
        emergency, item = make_emergency(name), make_item(ITEM)
        goods: dict[str, Any] = {"emergency": emergency, "item": item, "at": timezone.now()}
        hospital, donor = make_member("hospital"), make_member("donor")
        sites = [user.memberships.get().organisation for user in (hospital, donor)]
        need = make_need(tests.makers.make_facility(sites[0]), quantity=QUANTITY, by=hospital, **goods)
        given = make_offer(sites[1], quantity=QUANTITY, by=donor, **goods, **offer)
        return Pair(need, given, hospital, donor)


def many_pairs(name: str, count: int) -> None:
    """Needs and offers of one family in one emergency."""
    with unheard():
        goods: dict[str, Any] = {
            "emergency": make_emergency(name),
            "item": make_item(ITEM),
            "at": timezone.now(),
        }
        for _pair in range(count):
            make_need(quantity=QUANTITY, **goods)
            make_offer(quantity=QUANTITY, **goods)


def start_run(name: str) -> MatchingRun:
    return matching.start(make_emergency(name), trigger="hand", by=None, at=timezone.now())


def is_over(run: MatchingRun) -> bool:
    """The run is done, or has failed."""
    return MatchingRun.objects.filter(pk=run.pk, status__in=[RunStatus.DONE, RunStatus.FAILED]).exists()


def is_quiet() -> bool:
    """Nothing waits to be told, and nothing is being matched."""
    return not Outgoing.objects.waiting().exists() and not MatchingRun.objects.unfinished().exists()


def units_proposed(need: Need) -> int:
    return sum(proposal.quantity_approved for proposal in Proposal.objects.pending().filter(need=need))


def secret_of(user: User) -> str:
    """What a program of this person shows."""
    _token, secret = people.issue_token(user, name="drill", scopes=usable_scopes(user), at=timezone.now())
    return secret
