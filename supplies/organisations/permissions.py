"""Who acts for whom, in one place for pages, API and admin."""

from typing import Any
from uuid import UUID

from supplies.attachments.models import Attachment
from supplies.organisations.keys import Scope
from supplies.organisations.models import (
    Facility,
    Organisation,
    OrganisationQuerySet,
    in_regions_of,
)
from supplies.organisations.roles import Role
from supplies.regions.models import Region

# What a program of a person in these roles can be used for. Everything else is open to every account.
SCOPE_ROLES = {
    Scope.MATCHING: (Role.HOSPITAL, Role.DONOR, Role.VOLUNTEER, Role.COORDINATOR, Role.ADMIN),
    Scope.SHIPMENTS: (
        Role.HOSPITAL,
        Role.DONOR,
        Role.CARRIER,
        Role.VOLUNTEER,
        Role.COORDINATOR,
        Role.ADMIN,
    ),
    Scope.VERIFY: (Role.VOLUNTEER, Role.COORDINATOR, Role.ADMIN),
}


def acts_for(user: Any, organisation: Organisation | UUID) -> bool:
    """A member of the organisation, or of that with this key, unless only its auditor; an administrator for all."""
    if not user.is_authenticated:
        return False
    pk = organisation if isinstance(organisation, UUID) else organisation.pk
    return bool(user.is_superuser) or any(
        one.organisation == pk and one.role != Role.AUDITOR for one in user.acting
    )


def may_post_for(user: Any, facility: Facility) -> bool:
    """Anyone signed in may post for a hospital: wide in, strict out. A volunteer moderates every post."""
    return bool(user.is_authenticated) and facility.organisation.kind == Organisation.Kind.HOSPITAL


def may_moderate(user: Any) -> bool:
    return bool(user.is_authenticated) and user.has_role(Role.VOLUNTEER, Role.COORDINATOR, Role.ADMIN)


def may_coordinate(user: Any, facility: Facility) -> bool:
    return may_moderate_in(user, facility.region)


def may_moderate_in(user: Any, region: Region) -> bool:
    """A coordinator acts within the regions of the membership; a volunteer and an administrator everywhere."""
    if not user.is_authenticated:
        return False
    return bool(user.has_role(Role.VOLUNTEER, Role.ADMIN) or user.coordinates(region))


def waiting_for(user: Any, rows: OrganisationQuerySet) -> OrganisationQuerySet:
    """The organisations that wait for this person's judgement; a coordinator's lie in her regions."""
    rows = rows.to_check().open_to(user)
    if user.has_role(Role.VOLUNTEER, Role.ADMIN):
        return rows
    return rows.filter(in_regions_of(user, "region__path"))


def may_check(user: Any, organisation: Organisation) -> bool:
    """May find out about it and judge it. Who she is to that organisation is for the verbs to look at."""
    return may_moderate_in(user, organisation.region)


def may_hand_in_evidence(user: Any, organisation: Organisation) -> bool:
    """Who acts for it, as long as it has to be found out about; a volunteer always."""
    return may_check(user, organisation) or (organisation.awaits_check and acts_for(user, organisation))


def may_read_evidence(user: Any, attachment: Attachment) -> bool:
    """Who may check the organisation; and who handed it in, while she acts for it. Not auditors: it shows people's papers."""
    organisation = Organisation.objects.select_related("region").get(pk=attachment.subject_id)
    if may_check(user, organisation):
        return True
    return attachment.by_id == user.pk and acts_for(user, organisation)


def role_at_the_desk(user: Any) -> Role | None:
    """In which role somebody judges: the first of these she has."""
    ranked = (Role.VOLUNTEER, Role.COORDINATOR, Role.ADMIN)
    return next((role for role in ranked if user.has_role(role)), None)


def may_pause(user: Any, facility: Facility) -> bool:
    """Who acts for the hospital, a volunteer, or a coordinator of its region."""
    return acts_for(user, facility.organisation) or may_coordinate(user, facility)


def may_read_dock(user: Any, facility: Facility, *, is_insider: bool) -> bool:
    """Where goods are unloaded: everyone signed in, if the body was verified and receives goods; else its own people."""
    return bool(user.is_authenticated) and (facility.organisation.is_reached_by_all or is_insider)


def may_watch(user: Any) -> bool:
    """May sit at the desk and read. Which rows: everything, or what lies in the regions of a coordinator."""
    return bool(user.is_authenticated) and (user.watches_over_all or user.has_role(Role.COORDINATOR))


def may_watch_in(user: Any, region: Region) -> bool:
    """May read what is not public of something that lies in this region."""
    return bool(user.is_authenticated) and (user.watches_over_all or user.coordinates(region))


def rights_of(user: Any) -> str:
    """Everything from which follows what an account may do, as one line: equal as long as nothing of it changes."""
    desk = [name for name in ("is_superuser", "is_staff") if getattr(user, name)]
    return " ".join([*desk, *sorted(f"{one.organisation}/{one.role}/{one.region}" for one in user.acting)])


def manages(user: Any, organisation: Organisation) -> bool:
    """Decides who acts for the organisation: one of its managers, or an administrator."""
    if not user.is_authenticated:
        return False
    managing = organisation.memberships.managing().filter(user=user)
    return bool(user.is_superuser) or managing.exists()


def usable_scopes(user: Any) -> list[Scope]:
    """What a program of this person may be allowed to do."""
    return [scope for scope in Scope if scope not in SCOPE_ROLES or user.has_role(*SCOPE_ROLES[scope])]


def leads_to(pk: Any, user: Any) -> Any:
    """The key of what an organisation was merged into, if this person sees that; None for one that stands."""
    merged = Organisation.objects.filter(pk=pk).exclude(merged_into=None).first()
    if merged is None:
        return None
    kept = merged.standing_for.pk
    return kept if Organisation.objects.visible_to(user).filter(pk=kept).exists() else None
