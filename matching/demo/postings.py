"""What the cast of the demonstration asks for and gives: rows drawn by chance, written in bulk.

Rows are written as the verbs would have left them; counters are never touched here.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import groupby
from operator import attrgetter
from random import Random
from typing import Any

from django.db import connection
from django.utils import timezone

from matching.demo.cast import Cast, new_id
from matching.demo.goods import GOODS, Good
from supplies.catalogue.models import Item, Standard
from supplies.emergencies.models import Emergency
from supplies.journal.services import record_all
from supplies.needs.models import Appeal, AppealStatus, Need, NeedStatus, QuantityKind, Urgency, end_of_day
from supplies.offers.models import Donation, DonationStatus, Offer, OfferStatus
from supplies.organisations.models import Facility, Organisation
from supplies.regions.models import Region

READ_AFTER = timedelta(hours=3)  # what a volunteer takes to moderate a post
DAYS_LEFT = {
    Urgency.CRITICAL: (2, 5),
    Urgency.URGENT: (4, 9),
    Urgency.SOON: (8, 21),
    Urgency.RESERVE: (20, 45),
}
SETTINGS = (
    "general",
    "general",
    "isolation",
    "fever_clinic",
    "icu",
    "observation",
    "surgery",
    "lab",
    "community",
)
ITEMS_OF_ONE_APPEAL = (1, 2, 2, 3, 3, 4, 4, 5, 6)
LOTS_OF_ONE_DONATION = (1, 2, 2, 3, 3, 4, 5)


@dataclass
class Batch:
    """Rows of one side, ready to be written together."""

    parents: list[Any] = field(default_factory=list)
    lines: list[Any] = field(default_factory=list)
    standards: list[Any] = field(default_factory=list)


class Postings:
    """Draws appeals and donations for one emergency on one day."""

    def __init__(self, chance: Random, cast: Cast, emergency: Emergency, *, at: datetime) -> None:
        self.chance, self.cast, self.emergency, self.at = chance, cast, emergency, at
        self.today = timezone.localdate(at)
        self.items = Item.objects.in_bulk([good.item for good in GOODS])
        self.known = set(Standard.objects.values_list("pk", flat=True))

    # --- asking ---

    def appeals(
        self,
        facilities: Iterable[Facility],
        *,
        days_ago: int,
        published: bool = True,
        lines: int | None = None,
    ) -> Batch:
        """An appeal per facility, posted within the last `days_ago` days."""
        batch = Batch()
        for facility in facilities:
            appeal = self._appeal(facility, days_ago, published)
            batch.parents.append(appeal)
            goods = self._goods("asked", lines or self.chance.choice(ITEMS_OF_ONE_APPEAL))
            for position, good in enumerate(goods):
                need = self._need(appeal, good)
                need.position = position
                batch.lines.append(need)
                wanted = [code for code in self.chance.choice(good.wanted) if code in self.known]
                batch.standards += [
                    Need.accepted_standards.through(need_id=need.pk, standard_id=code) for code in wanted
                ]
        return batch

    def _appeal(self, facility: Facility, days_ago: int, published: bool) -> Appeal:
        created_at = self._moment(days_ago)
        strict = self.chance.random() < 0.15
        return Appeal(
            id=new_id(self.chance),
            emergency=self.emergency,
            facility=facility,
            status=AppealStatus.PUBLISHED if published else AppealStatus.WAITING,
            created_at=created_at,
            moderated_by=self.cast.volunteer if published else None,
            moderated_at=created_at + READ_AFTER if published else None,
            handover_point=f"{facility.name} 北门 2 号月台",
            courier_address=f"{facility.address}(仅快递)",
            accepted_senders=["company", "organisation", "government"] if strict else _everyone(),
            accepts_overseas=self.chance.random() < 0.85,
            receiving_body="演示红十字会 (代收)" if self.chance.random() < 0.1 else "",
            transport_instructions=self.chance.choice(
                ("", "", "车辆限高 4 米，请提前一天联系。", "凭接收函进入市区 (entry permit needed)。")
            ),
            valid_until=self.today + timedelta(days=60),
        )

    def _need(self, appeal: Appeal, good: Good) -> Need:
        chance, item = self.chance, self.items[good.item]
        number = self._asked_number(appeal.facility, good, item)
        urgency = chance.choices(list(Urgency), (14, 24, 38, 24))[0]
        assumed = chance.random() < 0.12
        needed_by = self.today + timedelta(days=30 if assumed else chance.randint(*DAYS_LEFT[urgency]))
        need = Need(
            id=new_id(chance),
            appeal=appeal,
            item=item,
            unit_id=item.display_unit_id,
            status=NeedStatus.OPEN if appeal.status == AppealStatus.PUBLISHED else NeedStatus.WAITING,
            created_at=appeal.created_at,
            confirmed_at=appeal.created_at,
            quantity=number,
            ceiling=number,
            medical_grade=item.needs_medical_grade or chance.random() < 0.3,
            sterile=good.item == "GLOVE_SURG",
            setting=chance.choice(SETTINGS),
            substitutes_welcome=chance.random() < 0.85,
            ask_first=chance.random() < 0.1,
            urgency=Urgency.SOON if assumed else urgency,
            urgency_assumed=assumed,
            needed_by=needed_by,
            needed_by_assumed=assumed,
            deadline_at=end_of_day(needed_by, appeal.facility.timezone),
            as_written=self._misquoted(good, item, number),
        )
        self._say_without_number(need, item)
        if chance.random() < 0.25:
            need.min_lot = max(1, number // 20)
        if chance.random() < 0.4:
            need.daily_use = max(1, number // 14)
            need.stock_on_hand = need.daily_use * chance.randint(0, 2 * need.urgency)
            need.counted_on = self.today - timedelta(days=chance.randint(0, 3))
        return need

    def _asked_number(self, facility: Facility, good: Good, item: Item) -> int:
        """A number in the smallest counted unit, rounded as people round: 1,200 boxes, not 1,187."""
        most = good.most * (facility.beds or 300) / 500
        shown = max(1, round(most * self.chance.uniform(0.15, 1)))
        digits = max(0, len(str(shown)) - 2)
        return min(max(1, round(shown, -digits)) * item.display_factor, item.plausible_max)

    def _say_without_number(self, need: Need, item: Item) -> None:
        """Some appeals say "without limit", some do not know."""
        luck = self.chance.random()
        if luck < 0.12:
            need.quantity_kind = QuantityKind.UNLIMITED if luck < 0.07 else QuantityKind.UNKNOWN
            need.quantity, need.quantity_assumed = None, item.assumed_quantity
            need.ceiling = max(item.plausible_max, item.assumed_quantity)

    def _misquoted(self, good: Good, item: Item, number: int) -> str:
        """Every other appeal for surgical masks of 2020 named an edition that never was; so do some here."""
        if good.item != "MASK_SURG" or self.chance.random() > 0.3:
            return ""
        return f"{item.name_zh} YY 0469-2010 {number}只"

    # --- giving ---

    def donations(self, donors: Iterable[Organisation], *, days_ago: int, published: bool = True) -> Batch:
        """A donation per donor, posted within the last `days_ago` days."""
        batch = Batch()
        for donor in donors:
            donation = self._donation(donor, days_ago, published)
            batch.parents.append(donation)
            for position, good in enumerate(self._goods("given", self.chance.choice(LOTS_OF_ONE_DONATION))):
                offer = self._offer(donation, good)
                offer.position = position
                batch.lines.append(offer)
        return batch

    def _donation(self, donor: Organisation, days_ago: int, published: bool) -> Donation:
        chance, created_at = self.chance, self._moment(days_ago)
        luck = chance.random()
        return Donation(
            id=new_id(chance),
            emergency=self.emergency,
            organisation=donor,
            status=DonationStatus.PUBLISHED if published else DonationStatus.WAITING,
            created_at=created_at,
            moderated_by=self.cast.volunteer if published else None,
            moderated_at=created_at + READ_AFTER if published else None,
            sender_kind=self.cast.sender[donor.pk],
            from_overseas=_is_overseas(donor.region),
            region=donor.region,
            address=f"演示工业园{chance.randint(1, 99)}号仓",
            lat=donor.region.lat,
            lon=donor.region.lon,
            directed_facility=chance.choice(self.cast.facilities) if luck < 0.08 else None,
            directed_region=chance.choice(self.cast.facilities).region.parent if 0.08 <= luck < 0.2 else None,
            allocates_for_me=donor.allocates_for_me,
        )

    def _offer(self, donation: Donation, good: Good) -> Offer:
        chance, item = self.chance, self.items[good.item]
        pack = chance.choice(good.packs) * item.display_factor
        packs = max(1, round(2 * good.most * item.display_factor * chance.uniform(0.05, 1) / pack))
        standard = chance.choice(good.met)
        mode = chance.choices(("van", "road", "air"), (2, 7, 2))[0]
        if good.by_road_only and mode == "air":
            mode = "road"
        expires_on = self._expiry(good)
        return Offer(
            id=new_id(chance),
            donation=donation,
            item=item,
            unit_id=item.display_unit_id,
            status=OfferStatus.OPEN if donation.status == DonationStatus.PUBLISHED else OfferStatus.WAITING,
            created_at=donation.created_at,
            quantity=pack * packs,
            pack=pack,
            min_lot=min(packs, chance.choice((1, 1, 2, 5))) * pack,
            standard_id=standard if standard in self.known else None,
            sterile=good.item == "GLOVE_SURG",
            lot_number=f"DEMO-{chance.randint(1, 99999):05d}" if expires_on else "",
            expires_on=expires_on,
            available_from=self.today + timedelta(days=chance.choice((0, 0, 0, 0, 1, 2, 4))),
            available_until=self.today + timedelta(days=chance.randint(20, 60))
            if chance.random() < 0.2
            else None,
            mode_id="air" if donation.from_overseas and not good.by_road_only else mode,
            max_km=chance.choice((300, 600, 1000)) if chance.random() < 0.1 else None,
        )

    def _expiry(self, good: Good) -> date | None:
        """One lot in twelve is about to expire."""
        if good.shelf_days is None:
            return None
        days = self.chance.randint(*good.shelf_days)
        return self.today + timedelta(
            days=self.chance.randint(30, 50) if self.chance.random() < 0.08 else days
        )

    # --- both ---

    def _goods(self, side: str, number: int) -> list[Good]:
        """Different goods, the usual ones more often."""
        weights = [getattr(good, side) for good in GOODS]
        return list({good.item: good for good in self.chance.choices(GOODS, weights, k=number)}.values())

    def _moment(self, days_ago: int) -> datetime:
        """A moment of the past days, at a full half day, so that few journal entries carry many rows."""
        return self.at - timedelta(hours=12 * self.chance.randint(1, 2 * days_ago))


def _everyone() -> list[str]:
    return ["person", "company", "organisation", "government"]


def _is_overseas(region: Region) -> bool:
    return not region.path.startswith("/CN/")


def look_again() -> None:
    """Let PostgreSQL count what this transaction has written: plans made for empty tables take minutes over full ones."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def write_appeals(batch: Batch) -> None:
    Appeal.objects.bulk_create(batch.parents)
    Need.objects.bulk_create(batch.lines)
    Need.accepted_standards.through.objects.bulk_create(batch.standards)
    _record(batch.parents, "appeal")


def write_donations(batch: Batch) -> None:
    Donation.objects.bulk_create(batch.parents)
    Offer.objects.bulk_create(batch.lines)
    _record(batch.parents, "donation")


def _record(rows: Sequence[Any], kind: str) -> None:
    """What the tracking page tells of them. Of the lines nobody needs to hear: the first match reads them all."""
    for at, posted in _by_moment(rows):
        record_all(posted, f"{kind}.posted", by=None, at=at)
        record_all(
            [row for row in posted if row.moderated_at], f"{kind}.published", by=None, at=at + READ_AFTER
        )


def _by_moment(rows: Sequence[Any]) -> Iterator[tuple[datetime, list[Any]]]:
    moment = attrgetter("created_at")
    for at, group in groupby(sorted(rows, key=moment), key=moment):
        yield at, list(group)
