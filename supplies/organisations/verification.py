"""How an organisation was found out about: the calls that were made, and who believes it or does not."""

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from supplies.append_only import OnlyAdded
from supplies.attachments.models import Attachment
from supplies.free_text import ShortText
from supplies.organisations.notes import names_no_number
from supplies.organisations.roles import Role


class Verdict(models.TextChoices):
    """Values as in Verified, which a verdict leads to."""

    YES = "verified", _("believes it")
    NO = "refused", _("refuses")


class VerificationQuerySet(models.QuerySet["Verification"]):
    def yes(self) -> Self:
        return self.filter(verdict=Verdict.YES)


class Verification(models.Model):
    """One judgement about an organisation. Rows are only ever added; two yeses of one round verify it."""

    organisation = models.ForeignKey(
        "supplies.Organisation", models.PROTECT, related_name="verifications", verbose_name=_("organisation")
    )
    round = models.PositiveIntegerField(editable=False)
    verdict = models.CharField(_("verdict"), max_length=12, choices=Verdict)
    motive = ShortText(
        _("why"),
        max_length=1000,
        help_text=_("For volunteers only: what convinced you, what you doubt."),
        validators=[names_no_number],
    )
    public_note = ShortText(
        _("public note"),
        max_length=300,
        help_text=_("How it was found out, for everybody to read; no names, no numbers."),
        validators=[names_no_number],
    )
    recheck_on = models.DateField(_("check again on"), null=True, blank=True)
    evidence = models.ManyToManyField(
        Attachment, verbose_name=_("evidence"), blank=True, related_name="relied_on_by"
    )
    role = models.CharField(_("in the role of"), max_length=12, choices=Role, editable=False)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, verbose_name=_("who"), related_name="+")
    at = models.DateTimeField(_("when"))

    objects = VerificationQuerySet.as_manager()

    class Meta:
        verbose_name = _("verification")
        verbose_name_plural = _("verifications")
        constraints = [
            OnlyAdded(name="verifications_are_only_added", may_change=["motive", "public_note"]),
            models.CheckConstraint(
                name="verification_verdict_is_listed", condition=Q(verdict__in=Verdict.values)
            ),
            models.CheckConstraint(
                name="verification_says_why_and_how", condition=~Q(motive="") & ~Q(public_note="")
            ),
            models.UniqueConstraint(
                fields=["organisation", "round", "by"],
                condition=Q(verdict=Verdict.YES, round__gt=0),
                name="verification_one_yes_a_person_and_round",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.organisation} · {self.get_verdict_display()}"


class CallOrigin(models.TextChoices):
    """Where the number that was called is from. One that the organisation gave itself proves nothing alone."""

    REGISTER = "register", _("from an official register")
    WEBSITE = "website", _("from its website")
    RECORDS = "records", _("from our own records")
    GIVEN = "given", _("given by the organisation")


class CallOutcome(models.TextChoices):
    CONFIRMED = "confirmed", _("confirmed")
    DENIED = "denied", _("denied")
    NO_ANSWER = "no_answer", _("no answer")
    WRONG_NUMBER = "wrong_number", _("wrong number")


class CallLogQuerySet(models.QuerySet["CallLog"]):
    def convincing(self) -> Self:
        """Confirmed by somebody whose number the organisation did not give itself."""
        return self.filter(outcome=CallOutcome.CONFIRMED).exclude(origin=CallOrigin.GIVEN)


class CallLog(models.Model):
    """One call made to find out about an organisation. Rows are only ever added; the number itself is never in one."""

    organisation = models.ForeignKey(
        "supplies.Organisation", models.CASCADE, related_name="calls", verbose_name=_("organisation")
    )
    round = models.PositiveIntegerField(editable=False)
    origin = models.CharField(_("where the number is from"), max_length=12, choices=CallOrigin)
    contact = models.UUIDField(
        _("contact"), null=True, blank=True, help_text=_("Its id; the row may have been erased since.")
    )
    outcome = models.CharField(_("outcome"), max_length=12, choices=CallOutcome)
    note = ShortText(
        _("note"),
        max_length=300,
        blank=True,
        help_text=_("Who answered, by post; what they said. No names, no numbers."),
        validators=[names_no_number],
    )
    call_back_on = models.DateField(
        _("call back on"), null=True, blank=True, help_text=_("Empty: nobody has to call again.")
    )
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, verbose_name=_("who called"), related_name="+"
    )
    at = models.DateTimeField(_("when"))

    objects = CallLogQuerySet.as_manager()

    class Meta:
        verbose_name = _("call")
        verbose_name_plural = _("calls")
        constraints = [
            models.CheckConstraint(name="call_origin_is_listed", condition=Q(origin__in=CallOrigin.values)),
            models.CheckConstraint(
                name="call_outcome_is_listed", condition=Q(outcome__in=CallOutcome.values)
            ),
            models.CheckConstraint(
                name="call_to_a_kept_contact_is_to_a_given_number",
                condition=Q(contact=None) | Q(origin=CallOrigin.GIVEN),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.organisation} · {self.get_outcome_display()}"
