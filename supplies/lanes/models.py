"""How long goods took from province to province: counted once a day, so that a page asks for one row."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from supplies.catalogue.models import TransportMode
from supplies.regions.models import Region

LEAST_JOURNEYS = 5  # fewer say little about the next


class LaneQuerySet(models.QuerySet["Lane"]):
    def known(self) -> "LaneQuerySet":
        """Travelled often enough to say something of the next journey."""
        return self.filter(journeys__gte=LEAST_JOURNEYS)

    def best_first(self) -> "LaneQuerySet":
        """The way it travels before all ways together."""
        return self.order_by(F("mode").asc(nulls_last=True))


class Lane(models.Model):
    """What the journeys of the last year from one province to another took, in days of the calendar there.

    mode                   empty: all journeys, whatever they travelled by
    fast_days, slow_days   four of five journeys took no less and no more
    """

    from_region = models.ForeignKey(
        Region, models.CASCADE, verbose_name=_("from the region"), related_name="+"
    )
    to_region = models.ForeignKey(Region, models.CASCADE, verbose_name=_("to the region"), related_name="+")
    mode = models.ForeignKey(
        TransportMode, models.CASCADE, null=True, blank=True, verbose_name=_("transport"), related_name="+"
    )
    journeys = models.PositiveIntegerField(_("journeys"))
    fast_days = models.PositiveSmallIntegerField(_("days, fast"))
    median_days = models.PositiveSmallIntegerField(_("days, in the middle"))
    slow_days = models.PositiveSmallIntegerField(_("days, slow"))
    observed_at = models.DateTimeField(_("counted"))

    objects = LaneQuerySet.as_manager()

    class Meta:
        verbose_name = _("lane")
        verbose_name_plural = _("lanes")
        constraints = [
            models.UniqueConstraint(
                fields=["from_region", "to_region", "mode"], nulls_distinct=False, name="lane_once"
            ),
            models.CheckConstraint(
                name="lane_days_are_in_order",
                condition=Q(fast_days__lte=F("median_days"), median_days__lte=F("slow_days")),
            ),
            models.CheckConstraint(name="lane_was_travelled", condition=Q(journeys__gte=1)),
        ]

    def __str__(self) -> str:
        return f"{self.from_region_id} → {self.to_region_id}"
