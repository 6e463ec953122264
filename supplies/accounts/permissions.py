"""Who may let whom act for an organisation."""

from collections.abc import Iterable

from supplies.organisations.models import Organisation, User, Verified
from supplies.organisations.permissions import manages, may_moderate_in
from supplies.organisations.roles import Role

Kind = Organisation.Kind
FITTING_ROLES: dict[str, Iterable[Role]] = {
    Kind.HOSPITAL: (Role.HOSPITAL,),
    Kind.DONOR: (Role.DONOR,),
    Kind.CARRIER: (Role.CARRIER,),
    Kind.COORDINATOR: (Role.COORDINATOR, Role.AUDITOR),
    Kind.VOLUNTEERS: (Role.VOLUNTEER,),
    Kind.ELSEWHERE: (),
}
PLAIN_ROLES = {Role.HOSPITAL, Role.DONOR, Role.CARRIER}  # none of them opens the desk


def invitable_roles(by: User, organisation: Organisation) -> list[Role]:
    """The roles in which this person may invite others to act for the organisation.

    Its managers do, and for hospitals, donors and carriers the desk of their region. A role that opens the desk is given by
    the managers of an organisation that is believed, an auditor's, who sees everything, by administrators alone.
    """
    fitting = list(FITTING_ROLES[organisation.kind])
    if not by.is_active:
        return []
    if by.is_superuser:
        return fitting
    leads = manages(by, organisation)
    believed = organisation.status == Verified.VERIFIED
    return [
        role
        for role in fitting
        if (role in PLAIN_ROLES and (leads or may_moderate_in(by, organisation.region)))
        or (role not in PLAIN_ROLES and role != Role.AUDITOR and leads and believed)
    ]
