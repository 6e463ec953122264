"""Loading the demonstration, and making its dates fresh again."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from random import Random

from django.db import transaction
from django.db.models import F, Model
from django.utils import timezone

from matching.demo.announcements import announce
from matching.demo.cast import SOURCE, found_cast, make_cast
from matching.demo.places import RESERVE
from matching.demo.postings import Postings, write_appeals, write_donations
from matching.demo.stories import tell
from matching.demo.waiting import leave_waiting
from matching.models import Proposal
from supplies.allocations.models import Allocation
from supplies.announcements.models import Announcement
from supplies.append_only import rewriting
from supplies.emergencies.models import Emergency, Phase
from supplies.journal.services import unheard
from supplies.needs import services as asking
from supplies.needs.models import Appeal, Need, NeedStatus
from supplies.offers.models import Donation, Offer
from supplies.organisations.models import Facility, Organisation
from supplies.receipts.models import Receipt
from supplies.regions.models import Region
from supplies.shipments.models import Shipment
from supplies.shipments.tracking import TrackingEvent

SEED = 20200123
OUTBREAK, FLOOD = "demo-outbreak", "demo-flood"
BEGAN, PREPARED = (
    timedelta(days=20),
    timedelta(days=30),
)  # before the day of loading; the younger is matched first
DATES: tuple[tuple[type[Model], str, Sequence[str]], ...] = (
    (Appeal, "emergency", ("created_at", "moderated_at", "valid_until")),
    (Need, "appeal__emergency", ("created_at", "confirmed_at", "needed_by", "deadline_at", "counted_on")),
    (Donation, "emergency", ("created_at", "moderated_at")),
    (Offer, "donation__emergency", ("created_at", "expires_on", "available_from", "available_until")),
    (Proposal, "need__appeal__emergency", ("created_at", "expires_at", "approved_at", "donor_said_yes_at")),
    (Allocation, "need__appeal__emergency", ("created_at", "due_at")),
    (
        Shipment,
        "lines__allocation__need__appeal__emergency",
        ("created_at", "departed_at", "delivered_at", "expected_on", "sighted_at"),
    ),
    (TrackingEvent, "shipment__lines__allocation__need__appeal__emergency", ("occurred_at", "recorded_at")),
    (Announcement, "emergency", ("at",)),
    (Receipt, "shipment__lines__allocation__need__appeal__emergency", ("at",)),
)


@dataclass(frozen=True)
class Loaded:
    """What the demonstration holds now, and whether this call has made it."""

    is_new: bool
    counts: dict[str, int]


def load(*, at: datetime) -> Loaded:
    """Load the demonstration unless it is there. The same at every hour, dates counted from the day of `at`."""
    if Emergency.objects.filter(pk=OUTBREAK).exists():
        return Loaded(False, counts())
    midnight = datetime.combine(timezone.localdate(at), time(), timezone.get_default_timezone())
    with transaction.atomic(), unheard():
        _load(midnight)
    return Loaded(True, counts())


def _load(at: datetime) -> None:
    chance = Random(SEED)
    outbreak, flood = _emergencies(at)
    cast = make_cast(chance, at=at - BEGAN)
    tell(cast, outbreak, lambda day: Postings(chance, cast, outbreak, at=day), at=at)
    now = Postings(chance, cast, outbreak, at=at)
    write_appeals(now.appeals(cast.facilities, days_ago=8))
    write_appeals(now.appeals(cast.facilities[::2], days_ago=3, lines=3))
    write_donations(now.donations(cast.donors, days_ago=8))
    write_donations(now.donations(cast.donors[::2], days_ago=3))
    announce(outbreak, at=at)
    leave_waiting(cast, outbreak, at=at)
    later = Postings(chance, cast, flood, at=at)
    reserve = [site for site in cast.facilities if any(f"/{code}/" in site.region.path for code in RESERVE)]
    write_appeals(later.appeals(reserve, days_ago=10, lines=4))
    write_donations(later.donations(cast.donors[::5], days_ago=10))


def give_to(emergency: Emergency, *, at: datetime) -> int:
    """Let the demonstration's donors give to a real emergency, so that an imported list can be tried out.

    Every donor gives three times, the same at every call; a second call changes nothing. Returns how many offers there are.
    """
    ours = Donation.objects.filter(emergency=emergency, organisation__source=SOURCE)
    if not ours.exists():
        with transaction.atomic(), unheard():
            cast = found_cast(Facility.objects.filter(appeals__emergency=emergency).distinct().order_by("pk"))
            postings = Postings(Random(f"{SEED} {emergency.pk}"), cast, emergency, at=at)
            for _again in range(3):
                write_donations(postings.donations(cast.donors, days_ago=3))
    return Offer.objects.filter(donation__in=ours).count()


def _emergencies(at: datetime) -> tuple[Emergency, Emergency]:
    today = timezone.localdate(at)
    outbreak = Emergency.objects.create(
        code=OUTBREAK,
        name_zh="演示：长江中游呼吸道传染病疫情",
        name_en="Demo: respiratory outbreak on the middle Yangtze",
        status=Phase.RESPOND,
        proposal_hours=72,  # what was proposed yesterday is still open when the reader comes
        began_on=today - BEGAN,
    )
    flood = Emergency.objects.create(
        code=FLOOD,
        name_zh="演示：洞庭湖区汛期物资储备",
        name_en="Demo: stocking up before the floods, Dongting Lake",
        status=Phase.PREPARE,
        began_on=today - PREPARED,
    )
    outbreak.regions.set(Region.objects.filter(pk="420000"))
    flood.regions.set(Region.objects.filter(pk__in=["430000", "360000"]))
    return outbreak, flood


def refresh(*, at: datetime) -> int:
    """Move every date of the demonstration by the days that have passed since it was loaded; returns how many.

    Needs that lapsed meanwhile are confirmed again. The journal and the runs of the matching stay as they were written.
    """
    with transaction.atomic(), unheard():
        outbreak = Emergency.objects.select_for_update().get(pk=OUTBREAK)
        passed = timezone.localdate(at) - BEGAN - outbreak.began_on
        if passed <= timedelta():
            return 0
        demo = [OUTBREAK, FLOOD]
        with rewriting():  # the demonstration only plays; its dates are moved by the owner of the tables
            for model, emergency, columns in DATES:
                ids = model._default_manager.filter(**{f"{emergency}__in": demo}).values("pk")
                model._default_manager.filter(pk__in=ids).update(
                    **{column: F(column) + passed for column in columns}
                )
        Emergency.objects.filter(pk__in=demo).update(began_on=F("began_on") + passed)
        checked = Organisation.objects.filter(source=SOURCE)
        days = ("verified_on", "recheck_on", "to_check_since")
        checked.update(**{column: F(column) + passed for column in days})
        lapsed = Need.objects.filter(status=NeedStatus.LAPSED, appeal__emergency__in=demo, deadline_at__gt=at)
        for need in lapsed.order_by("pk"):
            asking.confirm(need, by=None, at=at)
    return passed.days


def counts() -> dict[str, int]:
    ours = {"organisation__source": SOURCE}
    return {
        "organisations": Organisation.objects.filter(source=SOURCE).count(),
        "facilities": Facility.objects.filter(**ours).count(),
        "needs": Need.objects.filter(appeal__facility__organisation__source=SOURCE).count(),
        "offers": Offer.objects.filter(donation__organisation__source=SOURCE).count(),
        "shipments": Shipment.objects.filter(consignor__source=SOURCE).count(),
    }
