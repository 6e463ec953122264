"""The verbs of taking part: register, verify, enrol, pause, keep a contact, issue a token."""

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from supplies.errors import NotEligible, Refused
from supplies.journal.services import record
from supplies.leaks import hide
from supplies.organisations.models import (
    ApiToken,
    Contact,
    Facility,
    Membership,
    Organisation,
    Role,
    Scope,
    User,
    Verification,
    Verified,
)
from supplies.organisations.names import normal_name
from supplies.regions.models import Region

KEPT_DAYS = 180  # a contact outlives an ordinary delivery, not the emergency
VOLUNTEERS = "volunteers"  # the group of the admin's desk; made by a migration
DESK_ROLES = frozenset({Role.VOLUNTEER.value, Role.COORDINATOR.value, Role.AUDITOR.value})


@transaction.atomic
def register(
    *,
    kind: str,
    name: str,
    region: Region,
    by: User | None,
    at: datetime,
    credit_code: str = "",
    source: str = "",
    allocates_for_me: bool = False,
) -> Organisation:
    """A new organisation, not verified yet. Raises Refused("already-registered") for the same name in the region."""
    organisation = Organisation(
        kind=kind,
        name=" ".join(name.split()),
        region=region,
        credit_code=credit_code,
        normal_name=normal_name(name),
        source=source,
        allocates_for_me=allocates_for_me,
    )
    organisation.full_clean(exclude=["normal_name"], validate_constraints=False, validate_unique=False)
    _refuse_numbers(organisation.name)
    try:
        with transaction.atomic():
            organisation.save(force_insert=True)
    except IntegrityError as error:
        if "organisation_once_per_region" not in str(error):
            raise
        raise Refused(
            _("%(name)s is registered in this region already.") % {"name": name}, code="already-registered"
        ) from error
    record(organisation, "organisation.registered", by=by, at=at)
    return organisation


def _refuse_numbers(name: str) -> None:
    """A name is read by everybody and stays; a number in it would too."""
    if hide(name).leaks:
        raise ValidationError(
            {
                "name": _(
                    "A name holds no telephone number, account or address of mail. Leave it out of the name."
                )
            }
        )


@transaction.atomic
def open_facility(
    organisation: Organisation,
    *,
    name: str,
    region: Region,
    by: User | None,
    at: datetime,
    address: str = "",
    lat: float | None = None,
    lon: float | None = None,
    timezone: str = "Asia/Shanghai",
    patients: int | None = None,
    beds: int | None = None,
    staff: int | None = None,
) -> Facility:
    """A new site of an organisation. Raises ValidationError with the field named."""
    facility = Facility(
        organisation=organisation,
        name=" ".join(name.split()),
        region=region,
        address=address,
        lat=lat,
        lon=lon,
        timezone=timezone,
        patients=patients,
        beds=beds,
        staff=staff,
    )
    facility.full_clean()
    _refuse_numbers(facility.name)
    facility.save(force_insert=True)
    record(facility, "facility.opened", by=by, at=at)
    return facility


@transaction.atomic
def verify(organisation: Organisation, *, verdict: str, note: str, by: User, at: datetime) -> Organisation:
    """Say whether an organisation is who it claims to be. Never by somebody who acts for it."""
    organisation = Organisation.objects.select_for_update().get(pk=organisation.pk)
    if organisation.memberships.filter(user=by).exists():
        raise NotEligible(
            _("You act for %(name)s; another volunteer has to verify it.") % {"name": organisation.name}
        )
    organisation.move_to(verdict)
    organisation.save(update_fields=["status"])
    Verification.objects.create(organisation=organisation, verdict=verdict, note=note, by=by, at=at)
    record(organisation, f"organisation.{verdict}", by=by, at=at)
    return organisation


@transaction.atomic
def trust(organisation: Organisation, *, at: datetime) -> Organisation:
    """Mark as verified without a volunteer: for lists that were moderated before they were imported."""
    if organisation.status != Verified.VERIFIED:
        organisation.move_to(Verified.VERIFIED)
        organisation.save(update_fields=["status"])
        record(organisation, "organisation.verified", by=None, at=at, by_source=True)
    return organisation


@transaction.atomic
def enrol(
    user: User,
    organisation: Organisation,
    role: str,
    *,
    by: User | None,
    at: datetime,
    regions: Sequence[Region] = (),
) -> Membership:
    """Let a person act for an organisation. Volunteers, coordinators and auditors get the admin's desk."""
    membership, made = Membership.objects.get_or_create(user=user, organisation=organisation, role=role)
    membership.regions.set(regions)
    if role in DESK_ROLES:
        user.is_staff = True
        user.save(update_fields=["is_staff"])
        if role != Role.AUDITOR:
            user.groups.add(Group.objects.get_or_create(name=VOLUNTEERS)[0])
    user.forget_roles()
    if made:
        record(organisation, "organisation.enrolled", by=by, at=at, user=user.pk, role=role)
    return membership


@transaction.atomic
def dismiss(membership: Membership, *, by: User | None, at: datetime) -> User:
    """Let a person no longer act for an organisation; without any role at a desk the desk closes too."""
    user, organisation, role = membership.user, membership.organisation, membership.role
    membership.delete()
    left = set(user.memberships.values_list("role", flat=True))
    if not left & (DESK_ROLES - {Role.AUDITOR.value}):
        user.groups.remove(*Group.objects.filter(name=VOLUNTEERS))
    if not left & DESK_ROLES and not user.is_superuser:
        user.is_staff = False
        user.save(update_fields=["is_staff"])
    user.forget_roles()
    record(organisation, "organisation.dismissed", by=by, at=at, user=user.pk, role=role)
    return user


@transaction.atomic
def pause(facility: Facility, *, reason: str, by: User | None, at: datetime) -> Facility:
    """Stop sending, at once: the facility is not matched, and its proposals end."""
    facility = Facility.objects.select_for_update().get(pk=facility.pk)
    if not facility.is_paused:
        facility.is_paused, facility.pause_reason = True, reason
        facility.save(update_fields=["is_paused", "pause_reason"])
        record(facility, "facility.paused", by=by, at=at)
    return facility


@transaction.atomic
def resume(facility: Facility, *, by: User | None, at: datetime) -> Facility:
    facility = Facility.objects.select_for_update().get(pk=facility.pk)
    if facility.is_paused:
        facility.is_paused, facility.pause_reason = False, ""
        facility.save(update_fields=["is_paused", "pause_reason"])
        record(facility, "facility.resumed", by=by, at=at)
    return facility


@transaction.atomic
def keep_contact(
    organisation: Organisation,
    *,
    at: datetime,
    name: str = "",
    phone: str = "",
    email: str = "",
    post: str = "",
    facility: Facility | None = None,
    source: str = "",
    by: User | None = None,
) -> Contact:
    """Keep how to reach somebody, sealed, for KEPT_DAYS; asked again, as long anew. The same number is kept once."""
    erase_on = timezone.localdate(at) + timedelta(days=KEPT_DAYS)
    known = organisation.contacts.filter(facility=facility)
    if phone:
        known = known.with_phone(phone)
    elif email:
        known = known.with_email(email)
    else:
        known = known.filter(phone_lookup=[], email_lookup=[])
    for contact in known:
        if contact.is_same(name=name, phone=phone, email=email):
            contact.erase_on = erase_on
            contact.save(update_fields=["erase_on"])
            return contact
    contact = Contact(
        organisation=organisation,
        facility=facility,
        post=post,
        source=source,
        entered_by=by,
        erase_on=erase_on,
    )
    contact.name, contact.phone, contact.email = name, phone, email
    contact.save(force_insert=True)
    return contact


def erase_contacts(*, at: datetime) -> int:
    """Erase the contacts whose time is over. Returns how many."""
    erased, _by_model = Contact.objects.filter(erase_on__lte=timezone.localdate(at)).delete()
    return erased


@transaction.atomic
def issue_token(
    user: User, *, name: str, scopes: Sequence[str], at: datetime, expires_at: datetime | None = None
) -> tuple[ApiToken, str]:
    """A token and its secret, which is shown this once and never again."""
    unknown = set(scopes) - set(Scope.values)
    if unknown:
        raise Refused(
            _("There is no scope called %(names)s.") % {"names": ", ".join(sorted(unknown))},
            code="unknown-scope",
        )
    secret = f"tz_{secrets.token_urlsafe(32)}"
    token = ApiToken.objects.create(
        user=user,
        name=name,
        digest=ApiToken.digest_of(secret),
        hint=secret[:8],
        scopes=list(scopes),
        expires_at=expires_at,
    )
    record(token, "token.issued", by=user, at=at)
    return token, secret


@transaction.atomic
def revoke_token(token: ApiToken, *, by: User, at: datetime) -> ApiToken:
    token = ApiToken.objects.select_for_update().get(pk=token.pk)
    if token.revoked_at is None:
        token.revoked_at = at
        token.save(update_fields=["revoked_at"])
        record(token, "token.revoked", by=by, at=at)
    return token
