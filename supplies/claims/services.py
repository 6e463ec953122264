"""Taking a row to decide about it, and giving it back; keeping a list under a name.

A claim keeps two people at the desk from doing the same work twice. What may become of the row is decided by its own
verbs, which lock it: where nobody claims anything the books are right all the same.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.contrib.auth.models import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils.translation import gettext as _

from supplies.claims.models import Claim, SavedList
from supplies.errors import Refused
from supplies.journal.services import record

LASTS = timedelta(minutes=15)
MOST_LISTS = 20  # of one person


@transaction.atomic
def take(row: models.Model, *, by: AbstractBaseUser, at: datetime, because: str = "") -> Claim:
    """Have a row to oneself for LASTS; taken again, it lasts from now on.

    because    why it is taken from somebody who has it still; that goes into the journal

    Raises Refused("taken") where somebody else has it and no reason is given.
    """
    subject, because = str(row._meta.model_name), because.strip()[:200]
    mine = {"by_id": by.pk, "taken_at": at, "until_at": at + LASTS}
    # Whoever inserts at the same moment is waited for, and found by the next statement.
    Claim.objects.bulk_create([Claim(subject=subject, subject_id=str(row.pk), **mine)], ignore_conflicts=True)
    held = Claim.objects.on(row).select_for_update(of=("self",)).first()
    if held is None:  # given back in between
        return take(row, by=by, at=at, because=because)
    is_anothers = held.by_id != by.pk and held.until_at > at
    if is_anothers and not because:
        raise _taken(held)
    if is_anothers:
        record(row, "claim.taken_over", by=by, at=at, of=held.by_id)
    for name, value in {**mine, "because": because if is_anothers else ""}.items():
        setattr(held, name, value)
    held.save()
    return Claim.objects.select_related("by").get(pk=held.pk)


def release(row: models.Model, *, by: AbstractBaseUser) -> None:
    """Give back what one has taken; of what somebody else has nothing changes."""
    Claim.objects.on(row).filter(by=by.pk).delete()


def check(row: models.Model, *, by: AbstractBaseUser, at: datetime) -> None:
    """Raise Refused("taken") where somebody else is deciding about the row."""
    held = Claim.objects.on(row).holding(at).exclude(by=by.pk).select_related("by").first()
    if held is not None:
        raise _taken(held)


def _taken(held: Claim) -> Refused:
    return Refused(
        _("This is %(taken)s. Choose another, or take it over and say why.") % {"taken": held}, code="taken"
    )


def holding(rows: Iterable[models.Model], *, at: datetime) -> dict[str, Claim]:
    """Key of a row -> who has it; of rows of one table, in one query."""
    found = list(rows)
    if not found:
        return {}
    claims = Claim.objects.filter(
        subject=str(found[0]._meta.model_name), subject_id__in=[str(row.pk) for row in found]
    )
    return {claim.subject_id: claim for claim in claims.holding(at).select_related("by")}


@transaction.atomic
def save_list(name: str, model: str, query: str, *, by: AbstractBaseUser, at: datetime) -> SavedList:
    """Keep a filtered list under a name; one that has the name already is replaced. Raises ValidationError."""
    kept = SavedList(by_id=by.pk, name=name.strip(), model=model, query=query, created_at=at)
    kept.clean_fields(exclude=["by"])
    others = SavedList.objects.of(by).exclude(name=kept.name)
    if others.count() >= MOST_LISTS:
        raise ValidationError(
            _("You have %(most)d saved lists; remove one on the first page of the desk.")
            % {"most": MOST_LISTS}
        )
    SavedList.objects.bulk_create(
        [kept],
        update_conflicts=True,
        unique_fields=["by", "name"],
        update_fields=["model", "query", "created_at"],
    )
    return SavedList.objects.of(by).get(name=kept.name)


def forget_list(kept: SavedList) -> None:
    kept.delete()
