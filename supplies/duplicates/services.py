"""The verbs of one hospital, one need: propose, keep apart, merge, fold, undo. Nothing is ever merged by itself.

Locks: the pair, organisations, sites, each by primary key and against writers of the row only, so that whoever ships
meanwhile is not held up; then needs, shipments, donations and appeals as everywhere (see `supplies.allocations`).
"""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from supplies.accounts.models import Invitation
from supplies.change_requests.models import ChangeRequest
from supplies.duplicates.finding import (
    Candidate,
    alike_needs,
    alike_organisations,
    candidate,
    in_batches,
    needs_of_one_site,
)
from supplies.duplicates.models import DuplicateNeeds, DuplicatePair, Merge, MovedRow, Pair, PairStatus
from supplies.duplicates.moving import (
    MADE,
    OF_A_SITE,
    OF_AN_ORGANISATION,
    PEOPLE,
    carries_people,
    changed_since,
    moved,
    not_there_yet,
    put,
    put_back,
    shipped_since,
    take_along,
)
from supplies.errors import NotEligible, Refused
from supplies.journal.models import Event
from supplies.journal.services import record
from supplies.needs import services as asking
from supplies.needs.models import Need, NeedStatus, QuantityKind
from supplies.organisations.models import Alias, Facility, Membership, Organisation, User, Verified
from supplies.organisations.names import normal_name

BATCH = 500
MERGED_NAME = gettext_lazy("Its name before it was merged.")


class Choice:
    """What is asked for when two needs are folded into one."""

    LARGER, SUM, KEPT = "larger", "sum", "kept"
    LABELS = (
        (LARGER, gettext_lazy("the larger of both quantities")),
        (SUM, gettext_lazy("both quantities together")),
        (KEPT, gettext_lazy("the quantity of the need that stays")),
    )


# -- proposing --------------------------------------------------------------------------------------------


def find_duplicates(*, at: datetime) -> tuple[int, int]:
    """Propose the organisations and the needs that may be the same. What was decided before is not proposed again.

    Returns   how many pairs of organisations and of needs are new
    """
    organisations = _propose_all(DuplicatePair, alike_organisations(), at=at)
    return organisations, _propose_all(DuplicateNeeds, alike_needs(), at=at)


def _propose_all(model: type[Any], found: Iterable[Candidate], *, at: datetime) -> int:
    before = model.objects.count()
    for some in in_batches(found, BATCH):
        rows = [
            model(one_id=c.one, other_id=c.other, score=c.score, reasons=list(c.reasons), proposed_at=at)
            for c in some
        ]
        model.objects.bulk_create(rows, ignore_conflicts=True)
    return int(model.objects.count() - before)


@transaction.atomic
def propose(one: Organisation, other: Organisation, *, by: User, at: datetime) -> DuplicatePair:
    """Somebody at the desk says that two organisations are one. Another person decides.

    Raises   ValidationError for a row and itself; Refused("proposed-already")
    """
    if one.pk == other.pk:
        raise ValidationError({"other": _("Choose two organisations.")})
    ids = candidate(one.pk, other.pk, 100)
    pair: DuplicatePair
    pair, made = DuplicatePair.objects.select_for_update().get_or_create(
        one_id=ids.one,
        other_id=ids.other,
        defaults={"score": 100, "reasons": ["by-hand"], "proposed_by": by, "proposed_at": at},
    )
    if not made:
        raise Refused(
            _("This pair is known already and is %(status)s. Open it there.")
            % {"status": pair.get_status_display()},
            code="proposed-already",
        )
    record(pair, "pair.proposed", by=by, at=at, one=str(one.pk), other=str(other.pk))
    return pair


def propose_reported(events: Sequence[Event], *, at: datetime) -> None:
    """Somebody reported a second entry and it was found to be so: the two are a pair, unless they are known as one."""
    for event in events:
        if (other := event.facts.get("same_as")) is None or event.by is None:
            continue
        one = ChangeRequest.objects.get(pk=event.subject_id).organisation
        with suppress(Refused), transaction.atomic():
            propose(one, Organisation.objects.get(pk=other), by=event.by, at=at)


def propose_two(rows: Sequence[Organisation], *, by: User, at: datetime) -> DuplicatePair:
    """The same, of two rows chosen from a list."""
    if len(rows) != 2:
        raise ValidationError({"other": _("Choose two organisations.")})
    return propose(rows[0], rows[1], by=by, at=at)


@transaction.atomic
def second(pair: DuplicatePair, *, by: User, at: datetime) -> DuplicatePair:
    """Say that a pair the site found is one organisation; somebody else then merges it. Needed where people act for it.

    Raises   NotEligible("four-eyes"); MoveRefused; Refused("said-already")
    """
    pair = DuplicatePair.objects.select_for_update().get(pk=pair.pk)
    _check_foreign(pair, by)
    if pair.status != PairStatus.PROPOSED or pair.proposed_by_id is not None:
        raise Refused(_("Somebody has said so already, or it is decided."), code="said-already")
    pair.proposed_by = by
    pair.save(update_fields=["proposed_by"])
    record(pair, "pair.seconded", by=by, at=at)
    return pair


@transaction.atomic
def keep_apart(pair: DuplicatePair | DuplicateNeeds, *, by: User, at: datetime) -> Pair:
    """They are two. Neither they nor, for now, their needs are proposed again."""
    pair = _decided(_locked(pair), PairStatus.KEPT_APART, by=by, at=at)
    record(pair, "pair.kept_apart", by=by, at=at)
    if isinstance(pair, DuplicatePair):
        between = Q(one__site__organisation=pair.one, other__site__organisation=pair.other) | Q(
            one__site__organisation=pair.other, other__site__organisation=pair.one
        )
        for needs in DuplicateNeeds.objects.proposed().filter(between).order_by("pk"):
            keep_apart(needs, by=by, at=at)
    return pair


@transaction.atomic
def propose_again(pair: DuplicatePair | DuplicateNeeds, *, by: User, at: datetime) -> Pair:
    """It was kept apart by mistake: it waits for a decision again."""
    pair = _locked(pair)
    if pair.status != PairStatus.KEPT_APART:
        raise Refused(_("Only a pair that was kept apart can be proposed again."), code="move-refused")
    _propose_anew(pair)
    record(pair, "pair.proposed", by=by, at=at)
    return pair


def _propose_anew(pair: Pair) -> None:
    pair.move_to(PairStatus.PROPOSED)
    pair.decided_by = pair.decided_at = None
    pair.save(update_fields=["status", "decided_by", "decided_at"])


def _locked(pair: Any) -> Any:
    return type(pair).objects.select_for_update().get(pk=pair.pk)


def _decided(pair: Any, status: str, *, by: User, at: datetime) -> Any:
    """Call with the pair locked."""
    pair.move_to(status)
    pair.decided_by, pair.decided_at = by, at
    pair.save(update_fields=["status", "decided_by", "decided_at"])
    return pair


# -- two organisations ------------------------------------------------------------------------------------


@transaction.atomic
def merge(pair: DuplicatePair, *, keep: Organisation, by: User, at: datetime) -> Merge:
    """Make two organisations one: what hangs on the other goes to the kept one, written down row by row.

    Sites of one name become one, others move as they are. Members, invitations and contacts go along unless only the
    kept one is verified; verdicts, calls and files stay with the row they were said of. The other's name stays as another
    name, its page leads to the kept one. What both ask for is proposed as perhaps the same need.

    Raises   NotEligible("four-eyes") for who acts for one of them or proposed the pair, and where members would go along and
             nobody else has said that they are one; MoveRefused;
             Refused("different-kinds", "different-codes", "merged-already", "refused-body", "keep-the-verified")
    """
    pair = _decided_merge(pair, keep=keep, by=by, at=at)
    kept, other = _both_locked(pair, keep)
    _check_one_body(kept, other)
    _check_four_eyes(pair, kept, other, by)
    merge = Merge.objects.create(pair=pair, keeps_one=keep.pk == pair.one_id, by=by, at=at)
    rows = _take_over(merge, kept, other)
    MovedRow.objects.bulk_create(rows, batch_size=BATCH)
    record(
        kept, "organisation.merged", by=by, at=at, other=str(other.pk), merge=str(merge.pk), rows=len(rows)
    )
    record(other, "organisation.merged_into", by=by, at=at, kept=str(kept.pk), merge=str(merge.pk))
    _propose_all(DuplicateNeeds, needs_of_one_site(Q(site__organisation=kept)), at=at)
    return merge


def _decided_merge(pair: Any, *, keep: Any, by: User, at: datetime) -> Any:
    if keep.pk not in (pair.one_id, pair.other_id):
        raise ValidationError({"keep": _("Keep one of the two.")})
    pair = _locked(pair)
    if pair.proposed_by_id == by.pk:
        raise NotEligible(_("You proposed it; another volunteer has to decide."), code="four-eyes")
    return _decided(pair, PairStatus.MERGED, by=by, at=at)


def _both_locked(pair: DuplicatePair, keep: Organisation) -> tuple[Organisation, Organisation]:
    ids = (pair.one_id, pair.other_id)
    rows = Organisation.objects.select_for_update(no_key=True).filter(pk__in=ids).order_by("pk")
    first, second = rows
    return (first, second) if first.pk == keep.pk else (second, first)


def _check_one_body(kept: Organisation, other: Organisation) -> None:
    if kept.merged_into_id or other.merged_into_id:
        raise Refused(
            _("One of them was merged already. Look at what it was merged into."), code="merged-already"
        )
    if kept.kind != other.kind:
        raise Refused(
            _("A %(one)s and a %(other)s are not one organisation.")
            % {"one": kept.get_kind_display(), "other": other.get_kind_display()},
            code="different-kinds",
        )
    if kept.credit_code and other.credit_code and kept.credit_code != other.credit_code:
        raise Refused(
            _("Their credit codes differ, so they are two. If one is wrong, correct it first."),
            code="different-codes",
        )
    if Verified.REFUSED in (kept.status, other.status):
        raise Refused(
            _("One of them was refused: it is not what it says. Keep them apart."), code="refused-body"
        )
    if other.is_verified and not kept.is_verified:
        raise Refused(_("Keep the one that is verified."), code="keep-the-verified")


def _check_foreign(pair: DuplicatePair, by: User) -> None:
    ids = (pair.one_id, pair.other_id)
    registered = Organisation.objects.filter(pk__in=ids, registered_by=by, by_source=False)
    if Membership.objects.filter(organisation__in=ids, user=by).exists() or registered.exists():
        raise NotEligible(
            _("You act for one of them or registered it; another volunteer has to decide."), code="four-eyes"
        )


def _check_four_eyes(pair: DuplicatePair, kept: Organisation, other: Organisation, by: User) -> None:
    _check_foreign(pair, by)
    joining = carries_people(kept, other) and other.memberships.exists()
    if joining and pair.proposed_by_id is None:
        raise NotEligible(
            _("People would come to act for %(name)s. Another volunteer has to say first that they are one.")
            % {"name": kept.name},
            code="four-eyes",
        )


def _take_over(merge: Merge, kept: Organisation, other: Organisation) -> list[MovedRow]:
    sites = Facility.objects.select_for_update(no_key=True).filter(organisation__in=[kept, other])
    here = {site.pk: site for site in sites.order_by("pk")}
    folded = _sites_that_are_one(kept, other, list(here.values()))
    list(Need.objects.filter(site__in=list(folded)).select_for_update().order_by("pk").values_list("pk"))
    written: list[MovedRow] = []
    for pk, into in folded.items():
        for model, column in OF_A_SITE:
            written += take_along(merge, model._base_manager.filter(**{column: pk}), column, into)
        written += put(merge, here[pk], merged_into=into)
    staying = Facility.objects.filter(organisation=other).exclude(pk__in=list(folded))
    written += take_along(merge, staying, "organisation", kept)
    for model, column in OF_AN_ORGANISATION + (PEOPLE if carries_people(kept, other) else ()):
        rows = model._base_manager.filter(not_there_yet(model, kept), **{column: other})
        if model is Invitation:
            rows = rows.filter(accepted_at=None, revoked_at=None)
        written += take_along(merge, rows, column, kept)
    if carries_people(kept, other):
        for pk, into in folded.items():
            contacts = kept.contacts.filter(facility=pk)
            written += take_along(merge, contacts, "facility", into)
    written += put(merge, other, merged_into=kept)
    if other.credit_code and not kept.credit_code:
        written += put(merge, kept, credit_code=other.credit_code)
    return written + _remember_name(merge, kept, other)


def _sites_that_are_one(
    kept: Organisation, other: Organisation, sites: list[Facility]
) -> dict[Any, Facility]:
    """Sites of the other -> the kept one's site they are: of the same name, or the main site of each."""
    mine = [site for site in sites if site.organisation_id == kept.pk and site.merged_into_id is None]
    by_name = {normal_name(site.name): site for site in mine}
    main = by_name.get(kept.normal_name) or (mine[0] if len(mine) == 1 else None)
    folded = {}
    for site in sites:
        if site.organisation_id != other.pk or site.merged_into_id is not None:
            continue
        name = normal_name(site.name)
        into = by_name.get(name) or (main if name == other.normal_name else None)
        if into is not None:
            folded[site.pk] = into
    return folded


def _remember_name(merge: Merge, kept: Organisation, other: Organisation) -> list[MovedRow]:
    """The other's name finds the kept one from now on. A donor's may be a person's: nobody has to find that."""
    if other.kind == Organisation.Kind.DONOR or other.normal_name == kept.normal_name:
        return []
    if kept.aliases.filter(normal_name=other.normal_name).exists():
        return []
    alias = Alias.objects.create(
        organisation=kept,
        name=other.name,
        normal_name=other.normal_name,
        kind=Alias.Kind.OTHER,
        source=str(MERGED_NAME),
        by=merge.by,
        at=merge.at,
    )
    return [moved(merge, Alias, alias.pk, MADE, None, None)]


# -- two needs --------------------------------------------------------------------------------------------


@transaction.atomic
def fold_needs(pair: DuplicateNeeds, *, keep: Need, quantity: str, by: User, at: datetime) -> Merge:
    """Make two needs one. Nothing that is promised is touched: what the other was promised stays with it, and no more.

    quantity   "larger", "sum" or "kept": what both ask for together afterwards
    The other is withdrawn where nothing was promised to it; else it asks for exactly what it was promised, and the kept
    one for the rest. Raises what `resize` raises, and
             Refused("sites-differ", "not-both-open", "quantity-not-known", "promised-beyond")
    """
    pair = _decided_merge(pair, keep=keep, by=by, at=at)
    needs = Need.objects.select_for_update(of=("self",)).select_related("appeal", "item")
    first, second = needs.filter(pk__in=(pair.one_id, pair.other_id)).order_by("pk")
    kept, other = (first, second) if first.pk == keep.pk else (second, first)
    _check_one_need(kept, other)
    merge = Merge.objects.create(needs=pair, keeps_one=keep.pk == pair.one_id, by=by, at=at)
    before = {need.pk: _asked(need) for need in (kept, other)}
    _share(kept, other, _together(kept, other, quantity), by=by, at=at)
    after = {need.pk: _asked(need) for need in Need.objects.filter(pk__in=before)}
    rows = [
        moved(merge, Need, pk, column, before[pk][column], after[pk][column])
        for pk in before
        for column in ASKED
        if before[pk][column] != after[pk][column]
    ]
    MovedRow.objects.bulk_create(rows)
    record(kept, "need.folded", by=by, at=at, other=str(other.pk), merge=str(merge.pk))
    return merge


ASKED = ("status", "quantity_kind", "quantity", "ceiling")


def _asked(need: Need) -> dict[str, Any]:
    return {column: getattr(need, column) for column in ASKED}


def _check_one_need(kept: Need, other: Need) -> None:
    if kept.status != NeedStatus.OPEN or other.status != NeedStatus.OPEN:
        raise Refused(_("Both needs have to be open."), code="not-both-open")
    if kept.appeal.facility_id != other.appeal.facility_id:
        raise Refused(
            _("They are asked for at two sites. If the hospitals are one, merge those first."),
            code="sites-differ",
        )
    if kept.item_id != other.item_id or kept.appeal.emergency_id != other.appeal.emergency_id:
        raise Refused(_("They do not ask for the same goods."), code="goods-differ")


def _together(kept: Need, other: Need, choice: str) -> int | None:
    """What both ask for afterwards; None for a need without a number that stays as it is."""
    if choice not in (Choice.LARGER, Choice.SUM, Choice.KEPT):
        raise ValidationError({"quantity": _("Choose the larger, both together, or the one that stays.")})
    if choice == Choice.KEPT:
        return kept.quantity
    if kept.quantity is None or other.quantity is None:
        raise Refused(
            _("One of them names no quantity. Take the quantity of the need that stays."),
            code="quantity-not-known",
        )
    return max(kept.quantity, other.quantity) if choice == Choice.LARGER else kept.quantity + other.quantity


def _share(kept: Need, other: Need, together: int | None, *, by: User, at: datetime) -> None:
    promised = other.quantity_promised + other.quantity_in_transit + other.quantity_received
    if together is not None:
        if together <= promised:
            raise Refused(
                _("%(promised)d are promised to the other already. Keep that one, or take a larger quantity.")
                % {"promised": promised},
                code="promised-beyond",
            )
        rest = together - promised
        if rest != kept.quantity:
            asking.resize(kept, kind=QuantityKind.NUMBER, quantity=rest, ceiling=rest, by=by, at=at)
    if promised:
        asking.resize(other, kind=QuantityKind.NUMBER, quantity=promised, ceiling=promised, by=by, at=at)
    else:
        asking.withdraw_need(other, by=by, at=at)


# -- undoing ----------------------------------------------------------------------------------------------


@transaction.atomic
def undo(merge: Merge, *, by: User, at: datetime) -> Merge:
    """Put back exactly what a merge moved. The pair is proposed again, and may be kept apart.

    What was erased or dismissed since stays so. Raises NotEligible("four-eyes");
             Refused("undone-already", "merged-further", "shipped-since", "folded-since", "changed-since", "code-taken",
             "below-what-is-promised")
    """
    merge = Merge.objects.select_for_update().get(pk=merge.pk)
    if merge.undone_at is not None:
        raise Refused(_("This merge was undone already."), code="undone-already")
    pair = _locked(merge.of)
    if isinstance(pair, DuplicatePair):
        _unmerge(merge, pair, by)
    else:
        _unfold(merge, by=by, at=at)
    _propose_anew(pair)
    merge.undone_by, merge.undone_at = by, at
    merge.save(update_fields=["undone_by", "undone_at"])
    record(merge.kept, "merge.undone", by=by, at=at, merge=str(merge.pk), other=str(merge.given_up.pk))
    return merge


def _unmerge(merge: Merge, pair: DuplicatePair, by: User) -> None:
    _check_foreign(pair, by)
    kept, _other = _both_locked(pair, merge.kept)
    if kept.merged_into_id is not None:
        raise Refused(_("It was merged further since. Undo the later merge first."), code="merged-further")
    sites = Facility.objects.select_for_update(no_key=True).filter(
        organisation__in=[pair.one_id, pair.other_id]
    )
    list(sites.order_by("pk").values_list("pk"))
    appeals = [UUID(row.row) for row in merge.moved.filter(table="appeal")]
    list(Need.objects.filter(appeal__in=appeals).select_for_update().order_by("pk").values_list("pk"))
    if shipped_since(merge).exists():
        raise Refused(
            _(
                "Goods for the other one's needs were put on a shipment to the kept one since. Leave the merge."
            ),
            code="shipped-since",
        )
    folded = Merge.objects.standing().filter(needs__isnull=False)
    if folded.filter(Q(needs__one__appeal__in=appeals) | Q(needs__other__appeal__in=appeals)).exists():
        raise Refused(_("Needs of both were folded into one since. Undo that first."), code="folded-since")
    try:
        with transaction.atomic():
            put_back(merge)
    except IntegrityError as error:
        if "organisation_one_per_credit_code" not in str(error):
            raise
        raise Refused(
            _("Another organisation is registered with its credit code now. Correct that first."),
            code="code-taken",
        ) from error


def _unfold(merge: Merge, *, by: User, at: datetime) -> None:
    needs = Need.objects.select_for_update(of=("self",)).select_related("item").order_by("pk")
    for need in needs.filter(pk__in=(merge.of.one_id, merge.of.other_id)):
        rows = {row.column: row for row in merge.moved.filter(table="need", row=str(need.pk))}
        now = _asked(need)
        if any(column != "status" and now[column] != row.after for column, row in rows.items()):
            raise changed_since(Need, str(need.pk))
        if "status" in rows and rows["status"].after == NeedStatus.WITHDRAWN:
            asking.reopen(need, by=by, at=at)
        was = now | {column: row.before for column, row in rows.items()}
        if any(was[column] != now[column] for column in ("quantity_kind", "quantity", "ceiling")):
            asking.resize(
                need,
                kind=was["quantity_kind"],
                quantity=was["quantity"],
                ceiling=was["ceiling"],
                by=by,
                at=at,
            )
