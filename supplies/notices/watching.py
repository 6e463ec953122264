"""The verbs of saved searches: save, rename, remove; and hearing of what fits them, in sets."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from supplies.catalogue.models import Item
from supplies.catalogue.serving import Serving
from supplies.catalogue.shelf import Shelf
from supplies.errors import NotEligible, Refused
from supplies.journal.models import Event
from supplies.needs.models import Need
from supplies.notices.concerning import keep
from supplies.notices.inbox import Group, Notice
from supplies.notices.searches import CRITERIA, OF_NEEDS_ALONE, TEXTS, SavedSearch, SearchOver
from supplies.offers.models import Offer
from supplies.organisations.models import Alias, Membership, User
from supplies.organisations.permissions import acts_for
from supplies.organisations.roles import Role

MOST_SEARCHES = 20  # of one person
TOLD_AT_MOST = 50  # ids in one notice
AT_A_TIME = 1_000


@transaction.atomic
def save(user: User, *, over: str, name: str, at: datetime, **criteria: Any) -> SavedSearch:
    """A search whose new finds she is told of.

    criteria   of CRITERIA; what is absent or empty narrows nothing, and OF_NEEDS_ALONE narrow no offers

    Raises NotEligible over offers for a hospital she does not act for; Refused("too-many-searches" or "saved-already").
    """
    if over == SearchOver.OFFERS:
        criteria = {key: value for key, value in criteria.items() if key not in OF_NEEDS_ALONE}
    given: dict[str, Any] = {key: criteria.get(key) or ("" if key in TEXTS else None) for key in CRITERIA}
    hospital = given["organisation"]
    if over == SearchOver.OFFERS and (hospital is None or not acts_for(user, hospital)):
        raise NotEligible(_("Choose a hospital that you act for."))
    User.objects.select_for_update(no_key=True).get(pk=user.pk)  # so that they are counted
    if SavedSearch.objects.of(user).count() >= MOST_SEARCHES:
        raise Refused(
            _("You have %(most)d saved searches already; remove one of them first.")
            % {"most": MOST_SEARCHES},
            code="too-many-searches",
        )
    search = SavedSearch(user=user, over=over, created_at=at, **given)
    search.name = (name.strip() or search.criteria or str(SearchOver(over).label))[:80]
    try:
        with transaction.atomic():
            search.save(force_insert=True)
    except IntegrityError as error:
        if "search_saved_once" not in str(error):
            raise
        raise Refused(_("You have saved this search already."), code="saved-already") from error
    return search


def rename(search: SavedSearch, *, name: str) -> SavedSearch:
    search.name = name.strip()[:80]
    search.save(update_fields=["name"])
    return search


def remove(search: SavedSearch) -> None:
    """She is told of it no more; what she was told stays in her inbox."""
    SavedSearch.objects.filter(pk=search.pk).delete()


# -- Hearing -----------------------------------------------------------------------------------------------


def hear(events: Sequence[Event], *, at: datetime) -> None:
    """What was opened, to those whose searches it fits: one notice for each search, however much fits it."""
    moment = max((event.at for event in events), default=at)
    ids: dict[str, set[str]] = defaultdict(set)
    for event in events:
        ids[event.subject].add(event.subject_id)
    found = [*_needs_found(ids["need"], at=moment), *_offers_found(ids["offer"])]
    notices = [
        Notice(
            user_id=search.user_id,
            kind=f"search.{search.over}",
            group=Group.SEARCHES,
            subject=subject,
            about=str(search.pk),
            rows=rows[:TOLD_AT_MOST],
            at=moment,
            created_at=at,
        )
        for search, subject, rows in found
    ]
    keep(notices, at=at)


Found = Iterable[tuple[SavedSearch, str, list[str]]]


def _narrowed(over: str, items: Iterable[Item], paths: Iterable[str]) -> Any:
    """The searches that one of the items, in one of the places, may fit."""
    items = list(items)
    regions = {code for path in paths for code in path.strip("/").split("/")}
    rows = SavedSearch.objects.filter(over=over, user__is_active=True)
    rows = rows.filter(Q(item=None) | Q(item__in=items), Q(region=None) | Q(region__in=regions))
    return rows.filter(Q(category=None) | Q(category__in={item.category_id for item in items}))


def _fits(search: SavedSearch, item: Item, path: str) -> bool:
    return (
        search.item_id in (None, item.pk)
        and search.category_id in (None, item.category_id)
        and (search.region_id is None or f"/{search.region_id}/" in path)
    )


def _words(item: Item) -> list[str]:
    return [item.name_zh, item.name_en, item.code, *item.synonyms]


class _Serves:
    """Whether what a search says of needs alone fits one of them. The catalogue is read once, and only if a search asks it."""

    def __init__(self, *, on: date) -> None:
        self.on = on
        self.items: dict[str, set[str]] = {}

    def __call__(self, search: SavedSearch, need: Need) -> bool:
        return (
            search.urgency in (None, need.urgency)
            and (not search.have or need.item_id in self._may_serve(search.have))
            and search.standard_id in (None, *(standard.pk for standard in need.accepted_standards.all()))
            and (not search.sender or search.sender in need.appeal.accepted_senders)
            and (search.due is None or need.needed_by <= self.on + timedelta(days=search.due))
        )

    @cached_property
    def _serving(self) -> Serving:
        return Shelf.kept().serving

    def _may_serve(self, text: str) -> set[str]:
        if text not in self.items:
            self.items[text] = {served.item.pk for served in self._serving.by(text)}
        return self.items[text]


def _needs_found(ids: set[str], *, at: datetime) -> Found:
    """Needs that everybody may read, of our own hospitals, that are open still."""
    rows = Need.objects.ours().open().filter(pk__in=ids).select_related("item", "site", "appeal")
    needs = list(rows.prefetch_related("accepted_standards").order_by("pk"))
    if not needs:
        return
    hospitals = {need.site.organisation_id for need in needs}
    aliases: dict[UUID, list[str]] = defaultdict(list)
    for hospital, name in Alias.objects.filter(organisation__in=hospitals).values_list(
        "organisation", "name"
    ):
        aliases[hospital].append(name)
    words = {
        need.pk: [*_words(need.item), need.site.name, *aliases[need.site.organisation_id]] for need in needs
    }
    searches = _narrowed(
        SearchOver.NEEDS, {need.item for need in needs}, {need.region_path for need in needs}
    )
    searches = searches.filter(
        Q(organisation=None) | Q(organisation__in=hospitals) | Q(organisation__merged_into__isnull=False)
    )
    searches = searches.select_related("organisation__merged_into")
    searches = searches.filter(Q(urgency=None) | Q(urgency__in={need.urgency for need in needs}))
    serves = _Serves(on=timezone.localdate(at))
    for search in searches.iterator(AT_A_TIME):
        fitting = [
            str(need.pk)
            for need in needs
            if _fits(search, need.item, need.region_path)
            and serves(search, need)
            and (not search.organisation or search.organisation.standing_for.pk == need.site.organisation_id)
            and need.appeal.posted_by_id != search.user_id
            and search.finds(words[need.pk])
        ]
        if fitting:
            yield search, "need", fitting


def _offers_found(ids: set[str]) -> Found:
    """Open offers of what a hospital has an open need for, or what may stand in for it, unless they are given for somebody else."""
    rows = Offer.objects.open().filter(pk__in=ids).select_related("item", "donation__directed_region")
    offers = list(rows.order_by("pk"))
    if not offers:
        return
    searches = _narrowed(
        SearchOver.OFFERS, {offer.item for offer in offers}, {offer.region_path for offer in offers}
    )
    searches = list(searches)
    hospitals = {search.organisation_id for search in searches}
    acting = Membership.objects.filter(organisation__in=hospitals).exclude(role=Role.AUDITOR)
    acts = set(acting.values_list("user", "organisation"))
    open_needs = Need.objects.open().taking().filter(site__organisation__in=hospitals)
    serving: dict[UUID, frozenset[UUID]] = import_string(settings.SATISFIED)(open_needs, offers)
    wanted: dict[UUID, list[tuple[UUID, UUID, str]]] = defaultdict(list)
    for need, hospital, site, path in open_needs.filter(pk__in=serving).values_list(
        "pk", "site__organisation", "site", "region_path"
    ):
        wanted[hospital].append((need, site, path))
    for search in searches:
        if (search.user_id, search.organisation_id) not in acts:
            continue
        fitting = [
            str(offer.pk)
            for offer in offers
            if _fits(search, offer.item, offer.region_path)
            and search.finds(_words(offer.item))
            and any(
                offer.pk in serving[need] and _is_for(offer, site, path)
                for need, site, path in wanted[search.organisation_id]
            )
        ]
        if fitting:
            yield search, "offer", fitting


def _is_for(offer: Offer, site: UUID, path: str) -> bool:
    donation = offer.donation
    if donation.directed_facility_id is not None:
        return donation.directed_facility_id == site
    return donation.directed_region is None or path.startswith(donation.directed_region.path)
