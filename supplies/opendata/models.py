"""The key this instance signs its open data with, and the figures of where goods went."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from supplies.emergencies.models import Emergency
from supplies.sealing import Sealed


class SigningKey(models.Model):
    """Made at the first publication, and for good: who subscribes to our data knows us by it.

    A row rather than a file, so that backups, the change of field keys and a second machine all have it.
    """

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    public = models.CharField(_("public key"), max_length=44, help_text=_("Ed25519, in base64."))
    secret_sealed = models.BinaryField(default=b"", editable=False)
    made_at = models.DateTimeField(_("made"))

    secret = Sealed()

    class Meta:
        verbose_name = _("signing key")
        verbose_name_plural = _("signing keys")
        constraints = [models.CheckConstraint(name="open_data_has_one_signing_key", condition=models.Q(id=1))]

    def __str__(self) -> str:
        return self.public


class Topic(models.TextChoices):
    DAY = "day", _("day by day")
    URGENCY = "urgency", _("by urgency")
    REGION = "region", _("by region")
    REASON = "reason", _("why goods were matched")
    SHORTFALL = "shortfall", _("why needs stay short")
    WAITING = "waiting", _("how long needs waited")
    DISCREPANCY = "discrepancy", _("what was wrong when goods were counted")


class FigureQuerySet(models.QuerySet["Figure"]):
    def of(self, emergency: Emergency) -> "FigureQuerySet":
        return self.filter(emergency=emergency).order_by("topic", "key", "measure")


class Figure(models.Model):
    """One number of the page on where goods went, as the timetable counted it last.

    key       within the topic: a day, an urgency, the code of a region, a reason
    value     counts of needs, promises and counts at the dock, hours, or percent, as the measure says; nothing where too few
              givers stand behind it to tell it (docs/decisions/0022)
    """

    emergency = models.ForeignKey(
        Emergency, models.CASCADE, verbose_name=_("emergency"), related_name="figures"
    )
    topic = models.CharField(_("topic"), max_length=12, choices=Topic)
    key = models.CharField(_("of what"), max_length=40)
    measure = models.CharField(_("measure"), max_length=20)
    value = models.BigIntegerField(_("value"), null=True)
    counted_at = models.DateTimeField(_("counted"))

    objects = FigureQuerySet.as_manager()

    class Meta:
        verbose_name = _("figure of where goods went")
        verbose_name_plural = _("figures of where goods went")
        constraints = [
            models.UniqueConstraint(fields=["emergency", "topic", "key", "measure"], name="figure_once"),
            models.CheckConstraint(name="figure_topic_is_listed", condition=models.Q(topic__in=Topic.values)),
        ]

    def __str__(self) -> str:
        return f"{self.emergency_id} · {self.topic} · {self.key} · {self.measure}"
