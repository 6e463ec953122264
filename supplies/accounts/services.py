"""The verbs of accounts: open one, sign in to it, secure it by a second factor, end it, and invite others to act with one."""

import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from hmac import compare_digest
from uuid import UUID

from allauth.account.models import EmailAddress
from allauth.core.internal.cryptokit import compare_user_code
from allauth.mfa.adapter import get_adapter
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.contrib.auth.hashers import check_password, get_hasher, make_password
from django.db import IntegrityError, models, transaction
from django.db.models import F
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from supplies.accounts.models import Invitation, SecondFactor, Session
from supplies.accounts.numbers import new_number
from supplies.accounts.permissions import invitable_roles
from supplies.errors import NotEligible, Refused
from supplies.journal.services import record
from supplies.organisations.models import Membership, Organisation, User
from supplies.organisations.roles import Role
from supplies.organisations.services import enrol, revoke_token

TOTP, RECOVERY_CODES = SecondFactor.Type.TOTP, SecondFactor.Type.RECOVERY_CODES
STEP_SECONDS = 30
STEPS_OFF = 1  # a code counts a step longer and earlier, for clocks that differ
INVITED_FOR = timedelta(days=7)


class WhyTaken(models.TextChoices):
    """Why a second factor is taken away. A code, since the journal keeps no free words."""

    LOST = "lost", gettext_lazy("the device is lost or broken")
    CHANGED = "changed", gettext_lazy("the person has another device")
    STOLEN = "stolen", gettext_lazy("somebody else may have it")


# --- Opening an account and signing in ---


def draw_number() -> str:
    """An account number that is free. It is not kept for anybody: of two who were shown one, the first has it."""
    while True:
        number = new_number()
        if not User.objects.filter(username=number).exists():
            return number


def open_account(number: str, password: str, *, at: datetime) -> User:
    """A new account under a number the site has drawn. Raises Refused("number-taken")."""
    try:
        with transaction.atomic():
            user = User.objects.create_user(number, password=password)
            record(user, "account.opened", by=user, at=at)
    except IntegrityError as error:
        if not User.objects.filter(username=number).exists():
            raise
        raise Refused(_("This number is taken. Here is another one."), code="number-taken") from error
    return user


def account_called(name: str) -> User | None:
    """The account with this name or this confirmed e-mail address. Both are always looked for, whichever it is."""
    named, mailed = User.objects.filter(username=name).first(), account_with(name.lower())
    return named or mailed


def account_with(email: str) -> User | None:
    """The account that has confirmed this address."""
    address = EmailAddress.objects.filter(email=email, verified=True).select_related("user").first()
    return address.user if address else None


@dataclass(frozen=True)
class Member:
    """Somebody who has to do with an organisation and can be written to."""

    organisation_id: UUID
    user: User
    email: str


def members_to_remind(organisations: Collection[UUID]) -> list[Member]:
    """Who acts for these organisations, has confirmed an address and lets us write to it: each once for each of them."""
    acting = Membership.objects.filter(
        organisation__in=organisations,
        user__is_active=True,
        user__reminded_by_mail=True,
        user__emailaddress__verified=True,
    ).exclude(role=Role.AUDITOR)
    rows = acting.select_related("user").annotate(email=F("user__emailaddress__email")).order_by("pk")
    found = {
        (row.organisation_id, row.user_id): Member(row.organisation_id, row.user, row.email) for row in rows
    }
    return list(found.values())


def managers_to_write_to(organisation: Organisation) -> list[Member]:
    """Its managers with a confirmed address, each once: for what they have to know, whether they want reminders or not."""
    managing = organisation.memberships.managing().filter(
        user__is_active=True, user__emailaddress__verified=True
    )
    rows = managing.select_related("user").annotate(email=F("user__emailaddress__email")).order_by("pk")
    return list({row.user_id: Member(organisation.pk, row.user, row.email) for row in rows}.values())


def address_of(user: User) -> str:
    """Where we may write to her; empty for who gave no address, said no or is gone."""
    if not (user.is_active and user.reminded_by_mail):
        return ""
    known = EmailAddress.objects.filter(user=user, verified=True)
    return known.values_list("email", flat=True).first() or ""


def remind_by_mail(user: User, *, wanted: bool) -> None:
    """Whether her address may be used to remind her of what her hospital asked for."""
    User.objects.filter(pk=user.pk).update(reminded_by_mail=wanted)


def is_password_of(user: User | None, password: str) -> bool:
    """Whether it opens the account. As much work for an account that is closed or does not exist."""
    nobodys = _password_of_nobody(get_hasher().algorithm)
    if user is not None and user.is_active and user.has_usable_password():
        return user.check_password(password)
    check_password(password, nobodys)
    return False


@lru_cache
def _password_of_nobody(algorithm: str) -> str:
    return make_password(secrets.token_urlsafe())


def rename(user: User, *, name: str) -> None:
    """What colleagues call her. Not journaled: the journal keeps no names."""
    User.objects.filter(pk=user.pk).update(first_name=name)


# --- The second factor ---


@transaction.atomic
def set_up_factor(user: User, *, secret: str, code: str, at: datetime) -> None:
    """Take an authenticator app, proven by its first code, as the second factor, with new recovery codes; any before it ends.

    Raises   Refused("wrong-code")
    """
    User.objects.select_for_update(no_key=True).get(pk=user.pk)
    step = _step_of(code, secret, at=at)
    if step is None:
        raise _wrong_code()
    keep_factor(user, secret=secret, last_step=step, at=at)


@transaction.atomic
def keep_factor(user: User, *, secret: str, at: datetime, last_step: int = 0) -> None:
    """The same without a first code: for accounts of the demonstration, whose secret is written beside their password."""
    SecondFactor.objects.filter(user=user).delete()
    sealed = get_adapter().encrypt(secret)
    SecondFactor.objects.create(
        user=user, type=TOTP, data={"secret": sealed, "last_step": last_step}, created_at=at
    )
    RecoveryCodes.activate(user)
    record(user, "account.factor_set_up", by=user, at=at)


@transaction.atomic
def use_code(user: User, code: str, *, at: datetime) -> SecondFactor:
    """Spend a code of the authenticator app, or a recovery code. Each opens once, whichever process it reaches.

    Raises   Refused("wrong-code")
    """
    factor: SecondFactor
    for factor in SecondFactor.objects.select_for_update().filter(user=user).order_by("pk"):
        if _spend(factor, code, at=at):
            return factor
    raise _wrong_code()


def opens(factor: SecondFactor, secret: str) -> bool:
    """Whether this is the secret of the authenticator app."""
    return compare_digest(get_adapter().decrypt(factor.data["secret"]), secret)


def _spend(factor: SecondFactor, code: str, *, at: datetime) -> bool:
    if factor.type == RECOVERY_CODES:
        if not RecoveryCodes(factor).validate_code(code):
            return False
        record(factor.user, "account.recovery_code_used", by=factor.user, at=at)
        return True
    step = _step_of(code, get_adapter().decrypt(factor.data["secret"]), at=at)
    if step is None or step <= factor.data["last_step"]:
        return False
    factor.data["last_step"] = step
    factor.save(update_fields=["data"])
    return True


def _step_of(code: str, secret: str, *, at: datetime) -> int | None:
    """The half minute whose code this is, if it is one of those that count now."""
    now = int(at.timestamp()) // STEP_SECONDS
    for step in range(now - STEPS_OFF, now + STEPS_OFF + 1):
        if compare_user_code(actual=code, expected=current_code(secret, step=step)):
            return step
    return None


def current_code(secret: str, *, at: datetime | None = None, step: int = 0) -> str:
    """What the authenticator app shows."""
    counter = step if at is None else int(at.timestamp()) // STEP_SECONDS
    return str(format_hotp_value(hotp_value(secret, counter)))


def _wrong_code() -> Refused:
    return Refused(
        _("This code is wrong or was used. Wait for the next one your app shows, and type that."),
        code="wrong-code",
    )


def has_factor(user: User) -> bool:
    return bool(SecondFactor.objects.filter(user=user, type=TOTP).exists())


def recovery_codes_left(user: User) -> list[str]:
    codes = SecondFactor.objects.filter(user=user, type=RECOVERY_CODES).first()
    return RecoveryCodes(codes).get_unused_codes() if codes else []


@transaction.atomic
def renew_recovery_codes(user: User, *, at: datetime) -> None:
    """Ten new recovery codes; those before open nothing any more."""
    User.objects.select_for_update(no_key=True).get(pk=user.pk)
    SecondFactor.objects.filter(user=user, type=RECOVERY_CODES).delete()
    RecoveryCodes.activate(user)
    record(user, "account.recovery_codes_renewed", by=user, at=at)


@transaction.atomic
def take_factor_away(factor: SecondFactor, *, reason: str, by: User, at: datetime) -> None:
    """For somebody who cannot use it any more. She is signed out everywhere and sets one up anew where she needs it."""
    user = factor.user
    if user == by:
        raise NotEligible(_("This is your own. Another administrator has to take it away."))
    SecondFactor.objects.filter(user=user).delete()
    end_sessions(user)
    record(user, "account.factor_taken_away", by=by, at=at, reason=str(WhyTaken(reason)))


@transaction.atomic
def reseal_factors() -> int:
    """Seal with the newest key what an older one has sealed, so that the older can go. Returns how many rows were changed."""
    changed = 0
    adapter = get_adapter()
    for factor in SecondFactor.objects.select_for_update().order_by("pk"):
        for name in {"secret", "seed"} & factor.data.keys():
            if not adapter.is_of_newest_key(factor.data[name]):
                factor.data[name] = adapter.encrypt(adapter.decrypt(factor.data[name]))
                factor.save(update_fields=["data"])
                changed += 1
    return changed


# --- Ending ---


def end_sessions(user: User, *, but: str | None = None) -> int:
    """Sign a person out everywhere, or everywhere but here. Returns of how many browsers.

    but    the key of the session that goes on
    """
    ended, _by_model = Session.objects.of(user).exclude(pk=but or "").delete()
    return ended


def password_is_new(user: User, *, by: User | None, at: datetime, but: str | None = None) -> None:
    """After a password was changed or reset: whoever signed in with the old one is out."""
    end_sessions(user, but=but)
    record(user, "account.password_changed", by=by, at=at)


def end_what_has_run_out(*, at: datetime) -> int:
    ended, _by_model = Session.objects.run_out(at).delete()
    return ended


@transaction.atomic
def close_account(user: User, *, by: User, at: datetime) -> User:
    """Nobody signs in to it any more; its sessions and the keys of its programs end at once."""
    if user == by:
        raise NotEligible(_("This is your own account. Another administrator has to close it."))
    user.is_active = False
    user.save(update_fields=["is_active"])
    end_sessions(user)
    for token in user.api_tokens.filter(revoked_at=None):
        revoke_token(token, by=by, at=at)
    record(user, "account.closed", by=by, at=at)
    return user


@transaction.atomic
def reopen_account(user: User, *, by: User, at: datetime) -> User:
    """Its password opens it again. Keys of programs stay revoked."""
    user.is_active = True
    user.save(update_fields=["is_active"])
    record(user, "account.reopened", by=by, at=at)
    return user


# --- Letting others act for an organisation ---


@transaction.atomic
def invite(organisation: Organisation, *, role: str, by: User, at: datetime) -> tuple[Invitation, str]:
    """An invitation and the code of its link, which is shown this once and never again.

    Raises   NotEligible where the role does not fit the organisation, or is not this person's to give
    """
    if role not in invitable_roles(by, organisation):
        raise NotEligible(
            _("You cannot invite anybody to act for %(name)s in this role.") % {"name": organisation.name}
        )
    code = Invitation.new_code()
    invitation = Invitation.objects.create(
        organisation=organisation,
        role=role,
        digest=Invitation.digest_of(code),
        by=by,
        created_at=at,
        expires_at=at + INVITED_FOR,
    )
    record(organisation, "organisation.invited", by=by, at=at, invitation=str(invitation.pk), role=role)
    return invitation, code


def invitation_called(code: str, *, at: datetime) -> Invitation | None:
    """The invitation a link leads to, if it still lets anybody in: one that is unknown, used, taken back or run out does
    not, nor one by somebody who could not give it any more."""
    return _still_given(
        Invitation.objects.open(at).with_code(code).select_related("organisation", "by").first()
    )


def _still_given(invitation: Invitation | None) -> Invitation | None:
    if invitation and invitation.role in invitable_roles(invitation.by, invitation.organisation):
        return invitation
    return None


@transaction.atomic
def accept(code: str, *, by: User, at: datetime) -> Membership:
    """Act for the organisation from now on; where it has no manager, as its manager. A link lets one person in, once.

    Raises   Refused("no-such-invitation" or "already-member")
    """
    found = Invitation.objects.open(at).with_code(code).select_related("organisation", "by")
    invitation = _still_given(found.select_for_update(of=("self",)).first())
    if invitation is None:
        raise Refused(
            _("This invitation lets nobody in any more. Ask whoever sent it for a new one."),
            code="no-such-invitation",
        )
    organisation = invitation.organisation
    if organisation.memberships.filter(user=by, role=invitation.role).exists():
        raise Refused(
            _("You act for %(name)s already. The invitation is still good for somebody else.")
            % {"name": organisation.name},
            code="already-member",
        )
    is_first = not organisation.memberships.managing().exists()
    membership = enrol(by, organisation, invitation.role, by=invitation.by, at=at, is_manager=is_first)
    invitation.accepted_by, invitation.accepted_at = by, at
    invitation.save(update_fields=["accepted_by", "accepted_at"])
    record(organisation, "organisation.joined", by=by, at=at, invitation=str(invitation.pk))
    return membership


@transaction.atomic
def revoke(invitation: Invitation, *, by: User, at: datetime) -> Invitation:
    """Take an invitation back that nobody has used. Raises Refused("used-already")."""
    invitation = Invitation.objects.select_for_update().get(pk=invitation.pk)
    if invitation.accepted_at is not None:
        raise Refused(
            _("Somebody has accepted this invitation already. Dismiss the member instead."),
            code="used-already",
        )
    if invitation.revoked_at is None:
        invitation.revoked_at = at
        invitation.save(update_fields=["revoked_at"])
        record(
            invitation.organisation,
            "organisation.invitation_revoked",
            by=by,
            at=at,
            invitation=str(invitation.pk),
        )
    return invitation
