"""What belongs to an account besides its password: where it is signed in, its second factor, and who was invited by whom."""

import hashlib
import secrets
import uuid
from base64 import b32encode
from datetime import datetime
from typing import Any, Self

from allauth.mfa.models import Authenticator
from django.contrib.sessions.base_session import AbstractBaseSession, BaseSessionManager
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from supplies.organisations.models import Membership, Organisation, User
from supplies.sealing import Sealed


class SessionQuerySet(models.QuerySet["Session"]):
    def of(self, user: User) -> Self:
        return self.filter(user=user)

    def run_out(self, at: datetime) -> Self:
        return self.filter(expire_date__lte=at)

    def latest_first(self) -> Self:
        return self.order_by("-seen_at", "pk")


class Session(AbstractBaseSession):
    """A browser that is being used: whose it is, when it began and was last seen. Deleting the row signs it out."""

    user = models.ForeignKey(
        User, models.CASCADE, null=True, verbose_name=_("account"), related_name="browser_sessions"
    )
    browser = models.CharField(_("browser"), max_length=40, blank=True)
    began_at = models.DateTimeField(_("since"), null=True)
    seen_at = models.DateTimeField(_("last seen"), null=True)

    objects = BaseSessionManager.from_queryset(SessionQuerySet)()  # type: ignore[misc]

    class Meta:
        verbose_name = _("session")
        verbose_name_plural = _("sessions")

    @classmethod
    def get_session_store_class(cls) -> Any:
        from supplies.accounts.sessions import SessionStore

        return SessionStore


class SecondFactor(Authenticator):
    """An authenticator app (or the recovery codes that stand in for it), as the desk calls it. Its secret is sealed."""

    class Meta:
        proxy = True
        verbose_name = _("second factor")
        verbose_name_plural = _("second factors")

    def __str__(self) -> str:
        return str(self.user)


class InvitationQuerySet(models.QuerySet["Invitation"]):
    def open(self, at: datetime) -> Self:
        """Neither used nor taken back nor run out."""
        return self.filter(accepted_at=None, revoked_at=None, expires_at__gt=at)

    def with_code(self, code: str) -> Self:
        return self.filter(digest=Invitation.digest_of(code))

    def newest_first(self) -> Self:
        return self.order_by("-created_at", "pk")


class Invitation(models.Model):
    """A link that lets one person act for an organisation in a role. Only the hash of its code is kept."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organisation = models.ForeignKey(
        Organisation, models.CASCADE, verbose_name=_("organisation"), related_name="invitations"
    )
    role = models.CharField(_("role"), max_length=12, choices=Membership._meta.get_field("role").choices)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    by = models.ForeignKey(User, models.PROTECT, verbose_name=_("invited by"), related_name="+")
    created_at = models.DateTimeField(_("created"))
    expires_at = models.DateTimeField(_("expires"))
    accepted_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, verbose_name=_("accepted by"), related_name="+"
    )
    accepted_at = models.DateTimeField(_("accepted"), null=True, blank=True)
    revoked_at = models.DateTimeField(_("taken back"), null=True, blank=True)

    objects = InvitationQuerySet.as_manager()

    class Meta:
        verbose_name = _("invitation")
        verbose_name_plural = _("invitations")
        constraints = [
            models.CheckConstraint(
                name="invitation_runs_out_later", condition=Q(expires_at__gt=F("created_at"))
            ),
            models.CheckConstraint(
                name="invitation_accepted_by_somebody",
                condition=Q(accepted_at=None, accepted_by=None)
                | Q(accepted_at__isnull=False, accepted_by__isnull=False),
            ),
            models.CheckConstraint(
                name="invitation_used_or_taken_back",
                condition=Q(accepted_at=None) | Q(revoked_at=None),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.organisation} · {self.get_role_display()}"

    @staticmethod
    def new_code() -> str:
        """160 random bits in 32 letters and digits, none of them easily taken for another."""
        return b32encode(secrets.token_bytes(20)).decode().lower()

    @staticmethod
    def digest_of(code: str) -> str:
        return hashlib.sha256(code.encode()).hexdigest()


class DraftQuerySet(models.QuerySet["Draft"]):
    def kept_before(self, at: datetime) -> Self:
        return self.filter(kept_at__lt=at)

    def newest_first(self) -> Self:
        return self.order_by("-kept_at", "pk")


class Draft(models.Model):
    """What somebody has typed into the form of a page and not sent yet. Sealed: it holds names and numbers, and is hers alone.

    It lies here and not in her browser: the telephone of a ward is everybody's, and what is begun there is ended at a desk.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, models.CASCADE, verbose_name=_("account"), related_name="drafts")
    page = models.CharField(_("page"), max_length=200)
    typed_sealed = models.BinaryField(editable=False)
    kept_at = models.DateTimeField(_("kept"))

    typed = Sealed()

    objects = DraftQuerySet.as_manager()

    class Meta:
        verbose_name = _("draft")
        verbose_name_plural = _("drafts")
        constraints = [
            models.UniqueConstraint(fields=["user", "page"], name="draft_once_a_page"),
            models.CheckConstraint(name="draft_holds_something", condition=~Q(typed_sealed=b"")),
        ]
        indexes = [models.Index(fields=["kept_at"], name="draft_by_age")]

    def __str__(self) -> str:
        return f"{self.user} · {self.page}"
