"""The verbs of taking part: register, find out about, verify, enrol, dismiss, pause, keep a contact, issue a token."""

from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta
from typing import Any, BinaryIO

from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from supplies.attachments.models import Attachment
from supplies.attachments.services import attach
from supplies.errors import NotEligible, NotYours, Refused
from supplies.journal.services import record, record_all
from supplies.leaks import hide
from supplies.organisations.contacts import Contact
from supplies.organisations.keys import LONGEST_LIFE, ApiToken, Scope, new_key
from supplies.organisations.models import (
    LONGEST_TRUST,
    Alias,
    Facility,
    Membership,
    Organisation,
    User,
    Verified,
)
from supplies.organisations.names import normal_name, plain_code
from supplies.organisations.permissions import role_at_the_desk, usable_scopes
from supplies.organisations.roles import Role
from supplies.organisations.verification import CallLog, CallOrigin, Verdict, Verification
from supplies.regions.models import Region
from supplies.wording import listed

KEPT_DAYS = 180  # a contact outlives an ordinary delivery, not the emergency
TRUSTED_DAYS = 90  # until an organisation is checked again, unless who verifies it says otherwise
EVIDENCE_DAYS = 400  # evidence outlives the longest verification it can support, and no more
TOKEN_LIFE = timedelta(days=90)
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
    """A new organisation, not verified yet. Raises Refused("already-registered") for the same name in the region, and
    Refused("code-taken") for the credit code of another; ValidationError for what cannot be one."""
    organisation = Organisation(
        kind=kind,
        name=" ".join(name.split()),
        region=region,
        credit_code=plain_code(credit_code),
        normal_name=normal_name(name),
        source=source,
        allocates_for_me=allocates_for_me,
        registered_by=by,
    )
    organisation.full_clean(
        exclude=["normal_name", "registered_by", "region"], validate_constraints=False, validate_unique=False
    )
    _refuse_numbers(organisation.name)
    try:
        with transaction.atomic():
            organisation.save(force_insert=True)
    except IntegrityError as error:
        if "organisation_one_per_credit_code" in str(error):
            raise _code_taken() from error
        if "organisation_once_per_region" not in str(error):
            raise
        raise Refused(
            _("%(name)s is registered in this region already.") % {"name": name}, code="already-registered"
        ) from error
    record(organisation, "organisation.registered", by=by, at=at)
    return organisation


def _code_taken() -> Refused:
    return Refused(
        _(
            "Another organisation is registered with this credit code. Look for it by the code; they may be one."
        ),
        code="code-taken",
    )


@transaction.atomic
def note_credit_code(organisation: Organisation, *, credit_code: str, by: User, at: datetime) -> Organisation:
    """Write down the unified social credit code of an organisation, or correct it.

    Raises   ValidationError for what cannot be one; Refused("code-taken") for that of another organisation
    """
    organisation = Organisation.objects.select_for_update(no_key=True).get(pk=organisation.pk)
    organisation.credit_code = plain_code(credit_code)
    organisation.clean_fields(exclude=[f.name for f in Organisation._meta.fields if f.name != "credit_code"])
    try:
        with transaction.atomic():
            organisation.save(update_fields=["credit_code"])
    except IntegrityError as error:
        raise _code_taken() from error
    record(organisation, "organisation.code_noted", by=by, at=at)
    return organisation


@transaction.atomic
def add_alias(
    organisation: Organisation, *, name: str, kind: str, by: User | None, at: datetime, source: str = ""
) -> Alias:
    """Another name by which an organisation is looked for. The same once more changes nothing.

    Raises   ValidationError with the field named
    """
    name = " ".join(name.split())
    alias = Alias(
        organisation=organisation,
        name=name,
        normal_name=normal_name(name),
        kind=kind,
        source=source,
        by=by,
        at=at,
    )
    alias.clean_fields(exclude=["organisation", "normal_name", "by"])
    _refuse_numbers(name)
    if not alias.normal_name:
        raise ValidationError({"name": _("A name has letters or characters.")})
    made = Alias.objects.bulk_create([alias], ignore_conflicts=True)
    known = organisation.aliases.get(normal_name=alias.normal_name)
    if known.pk == made[0].pk:
        record(organisation, "organisation.alias_added", by=by, at=at, alias=str(known.pk))
    return known


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
    # The database is asked about what was said, not about a place that nobody gave.
    unsaid = [name for name in ("lat", "lon") if getattr(facility, name) is None]
    facility.full_clean(exclude=["region", "merged_into", *unsaid], validate_unique=False)
    _refuse_numbers(facility.name)
    facility.save(force_insert=True)
    record(facility, "facility.opened", by=by, at=at)
    return facility


# -- Finding out about an organisation --------------------------------------------------------------------


def hand_in_evidence(
    organisation: Organisation, file: BinaryIO, *, size: int, kind: str, by: User, at: datetime
) -> Attachment:
    """Keep a file that shows who the organisation is. See `attach` for what is refused."""
    erase_on = timezone.localdate(at) + timedelta(days=EVIDENCE_DAYS)
    return attach(organisation, file, size=size, kind=kind, by=by, at=at, erase_on=erase_on)


@transaction.atomic
def log_call(
    organisation: Organisation,
    *,
    origin: str,
    outcome: str,
    by: User,
    at: datetime,
    note: str = "",
    contact: Contact | None = None,
    call_back_on: date | None = None,
) -> CallLog:
    """Write down a call made to find out about an organisation. Raises ValidationError with the field named.

    contact    the kept contact that was called: its number was given by the organisation, so it proves nothing alone
    call_back_on    the day on which somebody has to call again; the next call says whether that is still so
    """
    organisation = Organisation.objects.select_for_update().get(pk=organisation.pk)
    _judging(organisation, by)
    if contact is not None:
        if contact.organisation_id != organisation.pk:
            raise ValidationError({"contact": _("This is a contact of another organisation.")})
        if origin != CallOrigin.GIVEN:
            raise ValidationError(
                {"origin": _("A kept number was given by the organisation. Look one up elsewhere.")}
            )
    call = CallLog(
        organisation=organisation,
        round=organisation.check_round,
        origin=origin,
        outcome=outcome,
        note=note.strip(),
        contact=contact.pk if contact is not None else None,
        call_back_on=call_back_on,
        by=by,
        at=at,
    )
    if call_back_on is not None and call_back_on < timezone.localdate(at):
        raise ValidationError({"call_back_on": _("That day has passed; choose today or a later one.")})
    call.clean_fields(exclude=["organisation", "by"])
    call.save(force_insert=True)
    record(organisation, "organisation.called", by=by, at=at, origin=origin, outcome=outcome)
    return call


@transaction.atomic
def verify(
    organisation: Organisation,
    *,
    verdict: str,
    motive: str,
    public_note: str,
    by: User,
    at: datetime,
    recheck_on: date | None = None,
    evidence: Collection[Attachment] = (),
) -> Organisation:
    """Say whether an organisation is who it claims to be. Two people of the desk say yes, one by one; or one says no.

    The first yes is kept and shown; the second, by somebody else, verifies. Neither registered it nor acts for it. Yes
    needs a call that confirmed it, to a number it did not give itself, or a file. A no refuses, and begins a new round.

    Raises   ValidationError with the field named; NotYours; NotEligible("four-eyes"); MoveRefused;
             Refused("said-already"), Refused("verified-already"), Refused("no-evidence")
    """
    organisation = Organisation.objects.select_for_update().get(pk=organisation.pk)
    role = _judging(organisation, by)
    judgement = Verification(
        organisation=organisation,
        round=organisation.check_round,
        verdict=verdict,
        motive=motive.strip(),
        public_note=public_note.strip(),
        role=role,
        by=by,
        at=at,
    )
    judgement.clean_fields(exclude=["organisation", "by"])
    if verdict == Verdict.NO:
        judgement.save(force_insert=True)
        return _refuse(organisation, judgement)
    judgement.recheck_on = _recheck_day(recheck_on, at)
    _check_still_asked(organisation, by)
    _check_convincing(organisation, evidence)
    judgement.save(force_insert=True)
    judgement.evidence.set(evidence)
    return _believe(organisation, judgement)


def _judging(organisation: Organisation, by: User) -> Role:
    """In which role somebody finds out about an organisation, which she must have nothing to do with."""
    if organisation.memberships.filter(user=by).exists():
        raise NotEligible(
            _("You act for %(name)s; another volunteer has to verify it.") % {"name": organisation.name},
            code="four-eyes",
        )
    if organisation.registered_by_id == by.pk:
        raise NotEligible(
            _("You registered %(name)s; another volunteer has to verify it.") % {"name": organisation.name},
            code="four-eyes",
        )
    role = role_at_the_desk(by)
    if role is None:
        raise NotYours(_("Only the volunteers' desk verifies organisations."))
    return role


def _recheck_day(wanted: date | None, at: datetime) -> date:
    today = timezone.localdate(at)
    day = wanted or today + timedelta(days=TRUSTED_DAYS)
    if not today < day <= today + LONGEST_TRUST:
        raise ValidationError({"recheck_on": _("Choose a day from tomorrow on, a year ahead at most.")})
    return day


def _check_still_asked(organisation: Organisation, by: User) -> None:
    if not organisation.awaits_check:
        raise Refused(
            _("It has been verified already; there is nothing more to do."), code="verified-already"
        )
    if organisation.verifications.yes().filter(round=organisation.check_round, by=by).exists():
        raise Refused(_("You have said yes; somebody else has to say it too."), code="said-already")


def _check_convincing(organisation: Organisation, evidence: Collection[Attachment]) -> None:
    known = set(Attachment.objects.about(organisation).kept().values_list("pk", flat=True))
    if not known.issuperset(file.pk for file in evidence):
        raise ValidationError({"evidence": _("This is no file of this organisation, or it has been erased.")})
    if not evidence and not organisation.calls.convincing().filter(round=organisation.check_round).exists():
        raise Refused(
            _(
                "Log a call that confirmed it, to a number from a register, its website or our own records; "
                "or name a file that shows it."
            ),
            code="no-evidence",
        )


def _believe(organisation: Organisation, judgement: Verification) -> Organisation:
    """One of two; or the second, which verifies. Who has come to act for it since she said yes does not count any more."""
    yeses = organisation.verifications.yes().filter(round=organisation.check_round)
    first = (
        yeses.exclude(pk=judgement.pk)
        .exclude(by__in=organisation.memberships.values("user"))
        .order_by("pk")
        .first()
    )
    by, at = judgement.by, judgement.at
    if first is None:
        if organisation.status == Verified.REFUSED:
            organisation.move_to(Verified.UNVERIFIED)
            organisation.public_note = ""
            organisation.save(update_fields=["status", "public_note"])
        record(organisation, "organisation.believed", by=by, at=at, round=organisation.check_round)
        return organisation
    today = timezone.localdate(at)
    days = [day for day in (first.recheck_on, judgement.recheck_on) if day is not None and day > today]
    if organisation.status != Verified.VERIFIED:
        organisation.move_to(Verified.VERIFIED)
    organisation.by_source = False
    organisation.verified_by, organisation.seconded_by = first.by, by
    organisation.verified_on, organisation.recheck_on, organisation.to_check_since = today, min(days), None
    organisation.public_note = "\n".join(dict.fromkeys([first.public_note, judgement.public_note]))
    organisation.check_round += 1
    organisation.save()
    record(organisation, "organisation.verified", by=by, at=at, round=judgement.round)
    return organisation


def _refuse(organisation: Organisation, judgement: Verification) -> Organisation:
    organisation.move_to(Verified.REFUSED)
    organisation.by_source = False
    organisation.verified_by = organisation.seconded_by = None
    organisation.verified_on = organisation.recheck_on = organisation.to_check_since = None
    organisation.public_note = judgement.public_note
    organisation.check_round += 1
    organisation.save()
    record(organisation, "organisation.refused", by=judgement.by, at=judgement.at, round=judgement.round)
    return organisation


@transaction.atomic
def trust(organisation: Organisation, *, at: datetime) -> Organisation:
    """Mark as verified without a volunteer: for lists that were moderated before they were imported. Said so in public."""
    if organisation.status != Verified.VERIFIED:
        organisation.move_to(Verified.VERIFIED)
        columns = trusted_since(at)
        for name, value in columns.items():
            setattr(organisation, name, value)
        organisation.save(update_fields=list(columns))
        record(organisation, "organisation.verified", by=None, at=at, by_source=True)
    return organisation


def trusted_since(at: datetime) -> dict[str, Any]:
    """The columns of an organisation that is taken over from a moderated list."""
    today = timezone.localdate(at)
    recheck_on = today + timedelta(days=TRUSTED_DAYS)
    return {
        "status": Verified.VERIFIED,
        "by_source": True,
        "verified_on": today,
        "recheck_on": recheck_on,
    }


@transaction.atomic
def mark_to_check_again(*, at: datetime) -> int:
    """Mark the organisations whose day has come. They stay verified, publication and matching go on. Returns how many."""
    due = list(
        Organisation.objects.verified()
        .filter(to_check_since=None, recheck_on__lte=timezone.localdate(at))
        .select_for_update(skip_locked=True)
        .order_by("pk")
    )
    Organisation.objects.filter(pk__in=[row.pk for row in due]).update(to_check_since=F("recheck_on"))
    record_all(due, "organisation.to_check_again", by=None, at=at)
    return len(due)


# -- People, sites, contacts, keys ------------------------------------------------------------------------


@transaction.atomic
def enrol(
    user: User,
    organisation: Organisation,
    role: str,
    *,
    by: User | None,
    at: datetime,
    regions: Sequence[Region] = (),
    is_manager: bool = False,
) -> Membership:
    """Let a person act for an organisation. Volunteers, coordinators and auditors get the admin's desk.

    is_manager   also decides who else acts for it: whoever registers an organisation, or joins one that has no manager
    """
    membership, made = Membership.objects.get_or_create(
        user=user, organisation=organisation, role=role, defaults={"is_manager": is_manager}
    )
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
def make_manager(membership: Membership, *, by: User | None, at: datetime) -> Membership:
    """Let a member decide who else acts for the organisation."""
    membership = Membership.objects.select_for_update().get(pk=membership.pk)
    if not membership.is_manager:
        membership.is_manager = True
        membership.save(update_fields=["is_manager"])
        membership.user.forget_roles()
        record(membership.organisation, "organisation.manager_made", by=by, at=at, user=membership.user_id)
    return membership


@transaction.atomic
def dismiss(
    membership: Membership, *, by: User | None, at: datetime, leaving_no_manager: bool = False
) -> User:
    """Let a person no longer act for an organisation; without any role at a desk the desk closes too.

    leaving_no_manager   also where nobody is left to decide who acts for it: when the account itself ends
    Raises               Refused("last-manager") otherwise
    """
    user, organisation, role = membership.user, membership.organisation, membership.role
    # Two managers who dismiss each other at once come one after the other, and the second has to stay.
    Organisation.objects.select_for_update(no_key=True).get(pk=organisation.pk)
    managers = set(organisation.memberships.managing().values_list("pk", flat=True))
    if managers == {membership.pk} and not leaving_no_manager:
        raise Refused(
            _("Somebody has to manage %(name)s. Make another member its manager first.")
            % {"name": organisation.name},
            code="last-manager",
        )
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
    # Whoever holds a need of it may go on to write a row that refers to it: only another pause has to wait.
    facility = Facility.objects.select_for_update(no_key=True).get(pk=facility.pk)
    if not facility.is_paused:
        facility.is_paused, facility.pause_reason = True, reason
        facility.save(update_fields=["is_paused", "pause_reason"])
        record(facility, "facility.paused", by=by, at=at)
    return facility


@transaction.atomic
def resume(facility: Facility, *, by: User | None, at: datetime) -> Facility:
    facility = Facility.objects.select_for_update(no_key=True).get(pk=facility.pk)
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
            contact.erase_on, contact.found_wrong_at = erase_on, None
            contact.save(update_fields=["erase_on", "found_wrong_at"])
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


@transaction.atomic
def correct_contact(
    contact: Contact, *, phone: str, source: str, by: User | None, at: datetime
) -> Contact | None:
    """Its number is wrong. It is kept until its day and nobody is led to it; the right one, if known, stands in its place."""
    contact = Contact.objects.select_for_update().get(pk=contact.pk)
    contact.found_wrong_at = at
    contact.save(update_fields=["found_wrong_at"])
    record(contact.organisation, "organisation.contact_found_wrong", by=by, at=at, contact=str(contact.pk))
    if not phone:
        return None
    return keep_contact(
        contact.organisation,
        facility=contact.facility,
        name=contact.name,
        post=contact.post,
        phone=phone,
        source=source,
        by=by,
        at=at,
    )


def erase_contacts(*, at: datetime) -> int:
    """Erase the contacts whose time is over. Returns how many."""
    erased, _by_model = Contact.objects.filter(erase_on__lte=timezone.localdate(at)).delete()
    return erased


def refuse_unfit(user: User, scopes: Sequence[str], expires_at: datetime | None, *, at: datetime) -> None:
    """Raise Refused for a key that this person's programs may not have."""
    unknown = set(scopes) - set(Scope.values)
    if unknown:
        raise Refused(
            _("There is no scope called %(names)s.") % {"names": ", ".join(sorted(unknown))},
            code="unknown-scope",
        )
    beyond = set(scopes) - {str(scope) for scope in usable_scopes(user)}
    if beyond:
        labels = [Scope(scope).label for scope in sorted(beyond)]
        raise Refused(
            _("The roles of this account do not allow: %(scopes)s. Leave that out.")
            % {"scopes": listed(labels)},
            code="scope-not-yours",
        )
    if expires_at is not None and not at < expires_at <= at + LONGEST_LIFE:
        raise Refused(
            _("A key lasts at most %(days)d days. Choose an earlier day.") % {"days": LONGEST_LIFE.days},
            code="expiry-out-of-range",
        )


@transaction.atomic
def issue_token(
    user: User,
    *,
    name: str,
    scopes: Sequence[str],
    at: datetime,
    expires_at: datetime | None = None,
    by: User | None = None,
) -> tuple[ApiToken, str]:
    """A token that acts as `user`, and its secret, which is shown this once and never again.

    expires_at   in 90 days unless told otherwise, at most in 366
    Raises       Refused("unknown-scope", "scope-not-yours" or "expiry-out-of-range")
    """
    expires_at = expires_at or at + TOKEN_LIFE
    refuse_unfit(user, scopes, expires_at, at=at)
    secret = new_key()
    token = ApiToken.objects.create(
        user=user,
        name=name,
        digest=ApiToken.digest_of(secret),
        hint=secret[:8],
        scopes=list(scopes),
        created_at=at,
        expires_at=expires_at,
    )
    record(token, "token.issued", by=by or user, at=at)
    return token, secret


@transaction.atomic
def revoke_token(token: ApiToken, *, by: User, at: datetime) -> ApiToken:
    token = ApiToken.objects.select_for_update().get(pk=token.pk)
    if token.revoked_at is None:
        token.revoked_at = at
        token.save(update_fields=["revoked_at"])
        record(token, "token.revoked", by=by, at=at)
    return token


def note_use(token: ApiToken, *, on: date) -> None:
    """Remember the day a key was last used: written once a day, not with every request."""
    if token.last_used_on != on:
        ApiToken.objects.filter(pk=token.pk).update(last_used_on=on)
