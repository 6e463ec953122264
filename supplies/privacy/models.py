"""What was shown to whom, and what was erased. Rows are only ever added."""

import uuid
from datetime import datetime, timedelta
from typing import Any, Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from supplies.organisations.models import Membership, Organisation, User
from supplies.organisations.roles import Role

QUOTA_WINDOW = timedelta(hours=24)  # rolling: midnight would allow two days' numbers within a minute


class Ground(models.TextChoices):
    """Why somebody may be shown a contact, or at least its masked number."""

    OWN = "own", _("one's own")
    DESK = "desk", _("works at the desk")
    MATCH = "match", _("the other side of an agreed match")
    DELIVERY = "delivery", _("carries it, or waits for it")
    READER = "reader", _("signed in")


class Purpose(models.TextChoices):
    """What a contact may be shown for. A code, since the log keeps no free words."""

    VERIFY = "verify", _("to verify the organisation")
    ASK_DONOR = "ask_donor", _("to ask the donor about a match")
    ASK_HOSPITAL = "ask_hospital", _("to ask the hospital about a match")
    DELIVER = "deliver", _("to arrange a delivery")
    QUESTION = "question", _("to settle what is missing or damaged")
    CORRECT = "correct", _("to correct a post")
    OWN = "own", _("to see what one entered oneself")


# What may be asked for on which ground; the first is what a page's button says.
PURPOSES: dict[Ground, tuple[Purpose, ...]] = {
    Ground.OWN: (Purpose.OWN,),
    Ground.DESK: (
        Purpose.VERIFY,
        Purpose.ASK_DONOR,
        Purpose.ASK_HOSPITAL,
        Purpose.DELIVER,
        Purpose.QUESTION,
        Purpose.CORRECT,
    ),
    Ground.MATCH: (Purpose.DELIVER, Purpose.QUESTION),
    Ground.DELIVERY: (Purpose.DELIVER, Purpose.QUESTION),
    Ground.READER: (),
}


class Field(models.TextChoices):
    NAME = "name", _("name")
    PHONE = "phone", _("telephone")
    EMAIL = "email", _("e-mail")


class RevealQuerySet(models.QuerySet["Reveal"]):
    def visible_to(self, user: Any) -> Self:
        """Auditors and administrators the whole log; everyone what was shown of her own and her organisations' contacts."""
        if not user.is_authenticated:
            return self.none()
        if user.has_role(Role.AUDITOR, Role.ADMIN):
            return self
        acting = Membership.objects.filter(user=user).exclude(role=Role.AUDITOR)
        return self.filter(Q(whose=user) | Q(organisation__in=acting.values("organisation")))

    def counted_for(self, user: User, at: datetime) -> Self:
        """What counts against a person's quota now: not what is her own."""
        return self.filter(by=user, at__gt=at - QUOTA_WINDOW).exclude(purpose=Purpose.OWN)

    def with_sides(self) -> Self:
        return self.select_related("organisation", "on_behalf_of", "by")

    def newest_first(self) -> Self:
        return self.order_by("-at", "-pk")


class Reveal(models.Model):
    """Somebody was shown a contact. Written before the value leaves, in the transaction that opens it.

    The contact is kept by its id alone, so that the log outlives its erasure. `subject` and `subject_id` name the
    allocation or shipment it was shown for, as in the journal.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    contact_id = models.UUIDField(_("contact"), db_index=True)
    organisation = models.ForeignKey(
        Organisation, models.PROTECT, verbose_name=_("whose contact"), related_name="+"
    )
    whose = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, verbose_name=_("entered by"), related_name="+"
    )
    fields = ArrayField(models.CharField(max_length=5, choices=Field), verbose_name=_("what was shown"))
    by = models.ForeignKey(User, models.PROTECT, verbose_name=_("to whom"), related_name="+")
    on_behalf_of = models.ForeignKey(
        Organisation, models.PROTECT, null=True, blank=True, verbose_name=_("on behalf of"), related_name="+"
    )
    ground = models.CharField(_("as"), max_length=10, choices=Ground)
    purpose = models.CharField(_("for what"), max_length=12, choices=Purpose)
    subject = models.CharField(_("about"), max_length=40, blank=True)
    subject_id = models.CharField(_("its id"), max_length=40, blank=True)
    at = models.DateTimeField(_("when"))

    objects = RevealQuerySet.as_manager()

    class Meta:
        verbose_name = _("number shown")
        verbose_name_plural = _("numbers shown")
        constraints = [
            models.CheckConstraint(name="reveal_purpose_is_listed", condition=Q(purpose__in=Purpose.values)),
            models.CheckConstraint(
                name="reveal_ground_shows_something",
                condition=Q(ground__in=[Ground.OWN, Ground.DESK, Ground.MATCH, Ground.DELIVERY]),
            ),
            models.CheckConstraint(
                name="reveal_for_a_match_names_it",
                condition=~Q(ground__in=[Ground.MATCH, Ground.DELIVERY])
                | (~Q(subject="") & ~Q(subject_id="")),
            ),
            models.CheckConstraint(name="reveal_shows_a_field", condition=~Q(fields=[])),
        ]
        indexes = [
            models.Index(fields=["by", "at"], name="reveal_by_reader"),
            models.Index(fields=["organisation", "-at"], name="reveal_by_organisation"),
            models.Index(fields=["whose", "-at"], name="reveal_by_author"),
            models.Index(fields=["-at", "-id"], name="reveal_newest"),
        ]

    def __str__(self) -> str:
        return f"{self._meta.verbose_name} {str(self.pk)[:8]}"


class Erasure(models.Model):
    """A person was erased. Holds nothing of her: her account's number and lookups of what was hers, by which a restored
    backup is made to forget her again."""

    class Kind(models.TextChoices):
        ACCOUNT = "account", _("an account, by its owner")
        NUMBER = "number", _("a person without an account, by her number")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(_("what"), max_length=10, choices=Kind)
    account = models.BigIntegerField(_("account"), null=True, blank=True)
    lookups = ArrayField(models.CharField(max_length=60), verbose_name=_("keyed hashes"), default=list)
    counts = models.JSONField(_("what was erased"), default=dict)
    by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, verbose_name=_("who"), related_name="+"
    )
    at = models.DateTimeField(_("when"))

    class Meta:
        verbose_name = _("erasure")
        verbose_name_plural = _("erasures")
        constraints = [
            models.CheckConstraint(
                name="erasure_kind_is_listed", condition=Q(kind__in=["account", "number"])
            ),
            models.CheckConstraint(
                name="erasure_of_an_account_names_it", condition=~Q(kind="account") | Q(account__isnull=False)
            ),
        ]
        indexes = [models.Index(fields=["at"], name="erasure_by_time")]

    def __str__(self) -> str:
        return f"{self._meta.verbose_name} {str(self.pk)[:8]}"
