"""What may stand for the same: pairs of organisations and pairs of needs, what was decided of them, and what a merge moved."""

import uuid
from typing import Any, Self

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from supplies.lifecycle import Lifecycle, Moving, status_is_listed
from supplies.needs.models import Need
from supplies.organisations.models import Organisation, User, in_regions_of

REASONS = {
    "same-code": _("The same unified social credit code."),
    "same-name": _("The same name in the same city."),
    "other-name": _("One bears a name by which the other is known too."),
    "near-name": _("The names differ by a slip of the pen."),
    "same-name-elsewhere": _("The same name, listed under two cities."),
    "by-hand": _("Somebody at the desk says so."),
    "same-site": _("Asked for at the same site."),
    "sites-perhaps-one": _("Asked for by two hospitals that may be one."),
    "same-quantity": _("The same quantity."),
    "near-quantity": _("Quantities of the same size."),
    "other-quantity": _("Very different quantities."),
    "quantity-not-known": _("At least one names no quantity."),
}


class PairStatus(models.TextChoices):
    PROPOSED = "proposed", _("proposed")
    MERGED = "merged", _("merged")
    KEPT_APART = "kept_apart", _("kept apart")


PAIR_LIFECYCLE = Lifecycle(
    {
        PairStatus.PROPOSED: {PairStatus.MERGED, PairStatus.KEPT_APART},
        PairStatus.MERGED: {PairStatus.PROPOSED},
        PairStatus.KEPT_APART: {PairStatus.PROPOSED},
    }
)


class PairQuerySet(models.QuerySet[Any]):
    def proposed(self) -> Self:
        return self.filter(status=PairStatus.PROPOSED)

    def likeliest_first(self) -> Self:
        return self.order_by("-score", "proposed_at", "pk")


class DuplicatePairQuerySet(PairQuerySet):
    def visible_to(self, user: Any) -> Self:
        if not user.is_authenticated:
            return self.none()
        if user.watches_over_all:
            return self
        return self.filter(in_regions_of(user, "one__region__path", "other__region__path"))

    def undecided_of_standing(self) -> Self:
        """Without those that wait though one of them has become part of a third meanwhile."""
        merged = Q(one__merged_into__isnull=False) | Q(other__merged_into__isnull=False)
        return self.exclude(merged, status=PairStatus.PROPOSED)


class DuplicateNeedsQuerySet(PairQuerySet):
    def visible_to(self, user: Any) -> Self:
        if not user.is_authenticated:
            return self.none()
        return self if user.watches_over_all else self.filter(in_regions_of(user, "one__region_path"))


class Pair(Moving):
    """Two rows that may stand for the same. Proposed, never silently merged; what was kept apart is not proposed again."""

    lifecycle = PAIR_LIFECYCLE

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    status = models.CharField(_("status"), max_length=10, choices=PairStatus, default=PairStatus.PROPOSED)
    score = models.PositiveSmallIntegerField(
        _("likeness"), help_text=_("Of 100. An order for those who decide, no decision.")
    )
    reasons = models.JSONField(_("why"), default=list)
    proposed_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, verbose_name=_("proposed by"), related_name="+"
    )
    proposed_at = models.DateTimeField(_("proposed"))
    decided_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, verbose_name=_("decided by"), related_name="+"
    )
    decided_at = models.DateTimeField(_("decided"), null=True, blank=True)

    class Meta:
        abstract = True

    @property
    def why(self) -> list[str]:
        """The reasons in words."""
        return [str(REASONS[code]) for code in self.reasons]


def pair_constraints(name: str) -> list[models.BaseConstraint]:
    return [
        status_is_listed(PairStatus, f"{name}_status_is_listed"),
        # Two ids in order, so that a pair is known whichever way round it is found.
        models.CheckConstraint(name=f"{name}_is_in_order", condition=Q(one__lt=F("other"))),
        models.UniqueConstraint(fields=["one", "other"], name=f"{name}_once"),
        models.CheckConstraint(name=f"{name}_score_of_a_hundred", condition=Q(score__lte=100)),
        models.CheckConstraint(
            name=f"{name}_merged_by_another",
            condition=~Q(status=PairStatus.MERGED) | ~Q(decided_by=F("proposed_by")),
        ),
        models.CheckConstraint(
            name=f"{name}_decided_by_somebody",
            condition=Q(status=PairStatus.PROPOSED, decided_by=None, decided_at=None)
            | Q(~Q(status=PairStatus.PROPOSED), decided_by__isnull=False, decided_at__isnull=False),
        ),
    ]


class DuplicatePair(Pair):
    """Two organisations that may be one."""

    one = models.ForeignKey(
        Organisation, models.CASCADE, verbose_name=_("one organisation"), related_name="+", db_index=False
    )
    other = models.ForeignKey(
        Organisation, models.CASCADE, verbose_name=_("the other organisation"), related_name="+"
    )

    objects = DuplicatePairQuerySet.as_manager()

    class Meta:
        verbose_name = _("pair of organisations")
        verbose_name_plural = _("pairs of organisations")
        constraints = pair_constraints("pair")
        indexes = [
            models.Index(
                fields=["-score", "proposed_at", "id"], condition=Q(status="proposed"), name="pair_waiting"
            )
        ]

    def __str__(self) -> str:
        return f"{self.one} · {self.other}"


class DuplicateNeeds(Pair):
    """Two needs that may ask for the same goods twice."""

    one = models.ForeignKey(
        Need, models.CASCADE, verbose_name=_("one need"), related_name="+", db_index=False
    )
    other = models.ForeignKey(Need, models.CASCADE, verbose_name=_("the other need"), related_name="+")

    objects = DuplicateNeedsQuerySet.as_manager()

    class Meta:
        verbose_name = _("pair of needs")
        verbose_name_plural = _("pairs of needs")
        constraints = pair_constraints("pair_of_needs")
        indexes = [
            models.Index(
                fields=["-score", "proposed_at", "id"],
                condition=Q(status="proposed"),
                name="pair_of_needs_waiting",
            )
        ]

    def __str__(self) -> str:
        return f"{self.one} · {self.other}"


class MergeQuerySet(models.QuerySet["Merge"]):
    def standing(self) -> Self:
        """Those that were not undone."""
        return self.filter(undone_at=None)

    def visible_to(self, user: Any) -> Self:
        if not user.is_authenticated:
            return self.none()
        if user.watches_over_all:
            return self
        return self.filter(
            Q(pair__in=DuplicatePair.objects.visible_to(user))
            | Q(needs__in=DuplicateNeeds.objects.visible_to(user))
        )


class Merge(models.Model):
    """Two organisations made one, or two needs folded into one; with all it moved, so that it can be undone."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    pair = models.ForeignKey(
        DuplicatePair,
        models.PROTECT,
        null=True,
        blank=True,
        verbose_name=_("pair of organisations"),
        related_name="merges",
    )
    needs = models.ForeignKey(
        DuplicateNeeds,
        models.PROTECT,
        null=True,
        blank=True,
        verbose_name=_("pair of needs"),
        related_name="merges",
    )
    keeps_one = models.BooleanField(
        _("keeps the first"), help_text=_("Which of the pair stays: the first, or the second.")
    )
    by = models.ForeignKey(User, models.PROTECT, verbose_name=_("who"), related_name="+")
    at = models.DateTimeField(_("when"))
    undone_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, verbose_name=_("undone by"), related_name="+"
    )
    undone_at = models.DateTimeField(_("undone"), null=True, blank=True)

    objects = MergeQuerySet.as_manager()

    class Meta:
        verbose_name = _("merge")
        verbose_name_plural = _("merges")
        constraints = [
            models.CheckConstraint(
                name="merge_is_of_one_pair",
                condition=Q(pair=None, needs__isnull=False) | Q(pair__isnull=False, needs=None),
            ),
            models.UniqueConstraint(fields=["pair"], condition=Q(undone_at=None), name="merge_once_a_pair"),
            models.UniqueConstraint(
                fields=["needs"], condition=Q(undone_at=None), name="merge_once_a_pair_of_needs"
            ),
            models.CheckConstraint(
                name="merge_undone_by_somebody",
                condition=Q(undone_by=None, undone_at=None)
                | Q(undone_by__isnull=False, undone_at__isnull=False),
            ),
        ]
        indexes = [models.Index(fields=["-at", "-id"], name="merge_newest")]

    def __str__(self) -> str:
        return f"{self.kept} ← {self.given_up}"

    @property
    def of(self) -> Any:
        """The pair it is about."""
        return self.pair if self.pair is not None else self.needs

    @property
    def kept(self) -> Any:
        return self.of.one if self.keeps_one else self.of.other

    @property
    def given_up(self) -> Any:
        return self.of.other if self.keeps_one else self.of.one


class MovedRow(models.Model):
    """One column of one row that a merge changed: what stood there, and what it put there. Made rows have stood nowhere."""

    merge = models.ForeignKey(Merge, models.CASCADE, verbose_name=_("merge"), related_name="moved")
    table = models.CharField(
        _("table"), max_length=40, help_text=_("As the journal names it: appeal, contact.")
    )
    row = models.CharField(_("row"), max_length=40)
    column = models.CharField(_("column"), max_length=40)
    before = models.JSONField(_("before"), null=True)
    after = models.JSONField(_("after"), null=True)

    class Meta:
        verbose_name = _("moved row")
        verbose_name_plural = _("moved rows")
        constraints = [
            models.UniqueConstraint(fields=["merge", "table", "row", "column"], name="moved_row_once_a_merge")
        ]

    def __str__(self) -> str:
        return f"{self.table} {self.row} · {self.column}"
