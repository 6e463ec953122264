"""What happens where, and in which phase: every appeal and every donation belongs to one emergency."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from supplies.editions.models import Bilingual
from supplies.lifecycle import Lifecycle, Moving, status_is_listed


class Phase(models.TextChoices):
    PREPARE = "prepare", _("prepare")
    RESPOND = "respond", _("respond")
    RECOVER = "recover", _("recover")
    OVER = "over", _("over")


EMERGENCY_LIFECYCLE = Lifecycle(
    {
        Phase.PREPARE: {Phase.RESPOND, Phase.OVER},
        Phase.RESPOND: {Phase.RECOVER, Phase.OVER},
        Phase.RECOVER: {Phase.RESPOND, Phase.OVER},
        Phase.OVER: {Phase.RESPOND},
    }
)


class EmergencyQuerySet(models.QuerySet["Emergency"]):
    def going_on(self) -> "EmergencyQuerySet":
        return self.exclude(status=Phase.OVER)

    def newest_first(self) -> "EmergencyQuerySet":
        return self.order_by("-began_on", "pk")


class Emergency(Bilingual, Moving):
    lifecycle = EMERGENCY_LIFECYCLE

    code = models.SlugField(_("code"), primary_key=True, max_length=40)
    status = models.CharField(_("phase"), max_length=10, choices=Phase, default=Phase.PREPARE)
    regions = models.ManyToManyField(
        "supplies.Region", verbose_name=_("regions"), related_name="emergencies", blank=True
    )
    began_on = models.DateField(_("began on"))
    proposal_hours = models.PositiveIntegerField(_("hours a proposal stays open"), default=48)
    # What a hospital needed a week ago it may have by now: who asked is reminded, then the need goes grey, then it lapses.
    remind_days = models.PositiveSmallIntegerField(
        _("days before either at which its hospital is reminded"), default=2
    )
    grey_days = models.PositiveSmallIntegerField(
        _("days until a need that nobody confirms goes grey"), default=7
    )
    confirm_days = models.PositiveIntegerField(_("days until a need that nobody confirms lapses"), default=14)
    ship_within_days = models.PositiveIntegerField(
        _("days until a promise that was not shipped is released"), default=7
    )

    objects = EmergencyQuerySet.as_manager()

    class Meta:
        verbose_name = _("emergency")
        verbose_name_plural = _("emergencies")
        constraints = [
            status_is_listed(Phase, "emergency_phase_is_listed"),
            models.CheckConstraint(
                name="emergency_reminds_then_greys_then_ends",
                condition=Q(remind_days__lte=F("grey_days"), grey_days__lt=F("confirm_days")),
                violation_error_message=_(
                    "A need goes grey before it lapses, and its hospital is reminded before that: remind ≤ grey < lapse."
                ),
            ),
        ]
