"""Who lets whom act for an organisation: by a link, once, for seven days, as long as she may."""

from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from supplies.accounts import services
from supplies.accounts.models import Invitation
from supplies.accounts.permissions import FITTING_ROLES, invitable_roles
from supplies.errors import NotEligible, Refused
from supplies.journal.models import Event
from supplies.organisations import services as people
from supplies.organisations.models import Organisation, User
from supplies.organisations.roles import Role
from tests.desk import at_the_desk, choose, list_of, told
from tests.makers import NOW, make_facility, make_member, make_organisation, make_region, make_user
from tests.page_client import reader
from tests.stored import everything_stored
from tests.supplies.accounts.door import browser
from tests.supplies.accounts.test_door import plain

pytestmark = pytest.mark.django_db


def make_manager(organisation: Organisation, **fields: Any) -> User:
    user = make_user(**fields)
    role = next(iter(FITTING_ROLES[organisation.kind]))
    people.enrol(user, organisation, role, by=None, at=NOW, is_manager=True)
    return user


def invited(organisation: Organisation, by: User | None = None, role: str = "hospital") -> str:
    by = by or make_manager(organisation)
    _invitation, code = services.invite(organisation, role=role, by=by, at=timezone.now())
    return code


# --- Who may ---


@pytest.mark.parametrize(
    ("kind", "who", "verified", "roles"),
    [
        ("hospital", "manager", False, ["hospital"]),
        ("donor", "manager", True, ["donor"]),
        ("carrier", "manager", True, ["carrier"]),
        ("volunteers", "manager", True, ["volunteer"]),
        ("volunteers", "manager", False, []),
        ("coordinator", "manager", True, ["coordinator"]),
        ("coordinator", "manager", False, []),
        ("coordinator", "administrator", False, ["coordinator", "auditor"]),
        ("volunteers", "administrator", False, ["volunteer"]),
        ("hospital", "volunteer", False, ["hospital"]),
        ("volunteers", "volunteer", True, []),
        ("hospital", "member", True, []),
        ("hospital", "auditor", True, []),
        ("hospital", "closed manager", True, []),
        ("hospital", "stranger", True, []),
    ],
)
def test_only_roles_that_fit_are_given_by_those_who_may_give_them(
    kind: str, who: str, verified: bool, roles: list[str]
) -> None:
    organisation = make_organisation(kind, verified=verified)
    by = {
        "manager": lambda: make_manager(organisation),
        "closed manager": lambda: make_manager(organisation, is_active=False),
        "administrator": lambda: make_user(is_superuser=True),
        "volunteer": lambda: make_member("volunteer"),
        "auditor": lambda: make_member("auditor"),
        "member": lambda: make_member(kind, organisation),
        "stranger": make_user,
    }[who]()

    assert invitable_roles(by, organisation) == roles
    for role in set(Role.values) - set(roles):
        with pytest.raises(NotEligible):
            services.invite(organisation, role=role, by=by, at=NOW)


def test_a_coordinator_invites_within_her_regions_only() -> None:
    coordinator = make_user()
    body = make_organisation("coordinator")
    people.enrol(coordinator, body, "coordinator", by=None, at=NOW, regions=[make_region("420106")])
    near = make_organisation(region=make_region("420106"))
    far = make_organisation(region=make_region("110101"))

    assert invitable_roles(coordinator, near) == ["hospital"]
    assert invitable_roles(coordinator, far) == []


def test_every_kind_of_organisation_has_a_role_that_fits() -> None:
    assert set(FITTING_ROLES) == set(Organisation.Kind.values)
    assert set(Role.values) - {"admin"} == {role for roles in FITTING_ROLES.values() for role in roles}


# --- What becomes of a link ---


def test_a_link_lets_one_person_in_once() -> None:
    organisation = make_organisation()
    manager = make_manager(organisation)
    code, person = invited(organisation, manager), make_user()

    membership = services.accept(code, by=person, at=timezone.now())

    assert (membership.organisation, membership.role, membership.is_manager) == (
        organisation,
        "hospital",
        False,
    )
    with pytest.raises(Refused) as refusal:
        services.accept(code, by=make_user(), at=timezone.now())
    assert refusal.value.code == "no-such-invitation"
    kinds = list(Event.objects.about(organisation).order_by("pk").values_list("kind", "by"))
    assert kinds[1:] == [
        ("organisation.invited", manager.pk),
        ("organisation.enrolled", manager.pk),
        ("organisation.joined", person.pk),
    ]


def test_of_a_link_only_the_hash_is_kept() -> None:
    organisation = make_organisation()
    client = reader(make_manager(organisation))

    page = client.post(reverse("invite", args=[organisation.pk]), {"role": "hospital"}, follow=True)

    link = page.context["link"]
    code = link.strip("/").rpartition("/")[2]
    assert len(code) * 5 == 160
    assert code not in client.get(reverse("members", args=[organisation.pk])).content.decode()
    assert code not in everything_stored()
    assert Invitation.digest_of(code) in everything_stored()


def spent_codes(organisation: Organisation) -> dict[str, str]:
    """A code for each way in which a link comes to let nobody in."""
    manager, dismissed, closed = (make_manager(organisation) for _ in range(3))
    now = timezone.now()
    codes = {name: invited(organisation, manager) for name in ("used", "run out", "taken back")}
    codes |= {
        "by one dismissed": invited(organisation, dismissed),
        "by one closed": invited(organisation, closed),
    }
    services.accept(codes["used"], by=make_user(), at=now)
    Invitation.objects.with_code(codes["run out"]).update(
        created_at=now - timedelta(days=8), expires_at=now - timedelta(days=1)
    )
    services.revoke(Invitation.objects.with_code(codes["taken back"]).get(), by=manager, at=now)
    people.dismiss(dismissed.memberships.get(), by=manager, at=now)
    services.close_account(closed, by=make_user(is_superuser=True), at=now)
    return {**codes, "unknown": "a" * 32}


def test_codes_that_are_unknown_used_run_out_or_taken_back_are_answered_alike() -> None:
    organisation = make_organisation()
    codes = spent_codes(organisation)
    good = invited(organisation)
    client = reader(make_user())

    for method in (client.get, client.post):
        answers = [(code, method(reverse("invitation", args=[code]))) for code in codes.values()]
        assert {answer.status_code for _code, answer in answers} == {404}
        assert len({plain(answer, code) for code, answer in answers}) == 1
    assert client.get(reverse("invitation", args=[good])).status_code == 200


def test_a_stranger_is_led_to_sign_in_whatever_the_code_is() -> None:
    good = invited(make_organisation())

    answers = [browser().get(reverse("invitation", args=[code])) for code in (good, "a" * 32)]

    assert [answer.url.replace(good, "CODE").replace("a" * 32, "CODE") for answer in answers] == [
        answers[0].url.replace(good, "CODE")
    ] * 2
    assert answers[0].url.startswith(reverse("sign-in"))


def test_who_acts_for_it_already_leaves_the_link_to_others() -> None:
    organisation = make_organisation()
    manager = make_manager(organisation)
    code = invited(organisation, manager)

    with pytest.raises(Refused) as refusal:
        services.accept(code, by=manager, at=timezone.now())

    assert refusal.value.code == "already-member"
    assert services.accept(code, by=make_user(), at=timezone.now())


def test_the_first_to_join_an_organisation_without_a_manager_manages_it() -> None:
    organisation = make_organisation()
    desk = make_member("volunteer")
    first, second = (invited(organisation, desk) for _ in range(2))

    assert services.accept(first, by=make_user(), at=timezone.now()).is_manager
    assert not services.accept(second, by=make_user(), at=timezone.now()).is_manager


def test_a_used_invitation_cannot_be_taken_back() -> None:
    organisation = make_organisation()
    code = invited(organisation)
    services.accept(code, by=make_user(), at=timezone.now())

    with pytest.raises(Refused) as refusal:
        services.revoke(Invitation.objects.get(), by=make_user(), at=timezone.now())

    assert refusal.value.code == "used-already"


# --- Members ---


def test_registering_a_hospital_makes_its_first_manager() -> None:
    make_region("420106")
    user = make_user()
    place = {"province": "420000", "city": "420100", "district": "420106"}

    reader(user).post(
        reverse("register-hospital"), {"name": "Harbour hospital", "address": "Gate 3", **place}
    )

    assert user.memberships.get().is_manager


def test_the_last_manager_stays_and_is_told_what_to_do() -> None:
    organisation = make_organisation()
    manager = make_manager(organisation)
    other = make_member("hospital", organisation)

    with pytest.raises(Refused) as refusal:
        people.dismiss(manager.memberships.get(), by=manager, at=NOW)
    assert refusal.value.code == "last-manager"
    people.make_manager(other.memberships.get(), by=manager, at=NOW)
    people.dismiss(manager.memberships.get(), by=manager, at=NOW)

    assert [row.user for row in organisation.memberships.all()] == [other]
    kinds = Event.objects.about(organisation).order_by("pk").values_list("kind", flat=True)
    assert list(kinds)[-2:] == ["organisation.manager_made", "organisation.dismissed"]


def test_the_members_page_names_colleagues_as_they_wish_and_nobody_s_whole_number() -> None:
    organisation = make_organisation()
    make_manager(organisation, username="482177302")
    member = make_member("hospital", organisation, username="924070849", first_name="演练小王")

    page = reader(member).get(reverse("members", args=[organisation.pk])).content.decode()

    assert "…7730-2" in page
    assert "4821-7730-2" not in page
    assert "演练小王" in page
    assert "Dismiss" not in page
    assert "Invite somebody" not in page


def test_another_organisation_s_members_and_a_missing_one_s_are_not_there() -> None:
    theirs = make_organisation()
    make_manager(theirs)
    client = reader(make_member("hospital"))
    row = theirs.memberships.get()
    invitation = Invitation.objects.with_code(invited(theirs, row.user)).get()
    addresses = [
        ("members", theirs.pk, make_facility().pk),
        ("invite", theirs.pk, make_facility().pk),
        ("dismiss-member", row.pk, 10**9),
        ("promote-member", row.pk, 10**9),
        ("revoke-invitation", invitation.pk, make_facility().pk),
    ]

    for name, other, missing in addresses:
        method = client.get if name == "members" else client.post
        answers = [method(reverse(name, args=[pk]), {"role": "hospital"}) for pk in (other, missing)]
        assert [answer.status_code for answer in answers] == [404, 404], name
        assert answers[0].content == answers[1].content


def test_a_member_who_does_not_manage_may_only_go() -> None:
    organisation = make_organisation()
    manager = make_manager(organisation)
    member = make_member("hospital", organisation)
    client = reader(member)
    invitation = Invitation.objects.with_code(invited(organisation, manager)).get()

    for name, pk in [
        ("invite", organisation.pk),
        ("dismiss-member", manager.memberships.get().pk),
        ("promote-member", member.memberships.get().pk),
        ("revoke-invitation", invitation.pk),
    ]:
        assert client.post(reverse(name, args=[pk]), {"role": "hospital"}).status_code == 403, name
    client.post(reverse("dismiss-member", args=[member.memberships.get().pk]))

    assert list(organisation.memberships.values_list("user", flat=True)) == [manager.pk]


def test_a_manager_invites_promotes_takes_back_and_dismisses_on_the_page() -> None:
    organisation = make_organisation()
    client = reader(make_manager(organisation))
    person = make_member("hospital", organisation)

    page = client.post(reverse("invite", args=[organisation.pk]), {"role": "hospital"}, follow=True)
    client.post(reverse("revoke-invitation", args=[Invitation.objects.get().pk]))
    client.post(reverse("promote-member", args=[person.memberships.get().pk]))
    promoted = person.memberships.get().is_manager
    client.post(reverse("dismiss-member", args=[person.memberships.get().pk]))

    assert reader(person).get(page.context["link"]).status_code == 404
    assert promoted
    assert not person.memberships.exists()
    wrong = client.post(reverse("invite", args=[organisation.pk]), {"role": "volunteer"}, follow=True)
    assert wrong.context["link"] == ""


def test_accepting_by_the_page_leads_to_the_account_and_says_so() -> None:
    organisation = make_organisation(name="演练第一医院")
    code, person = invited(organisation), make_user()
    client = reader(person)

    asked = client.get(reverse("invitation", args=[code])).content.decode()
    page = client.post(reverse("invitation", args=[code]), follow=True)

    assert "演练第一医院" in asked
    assert "You now act for 演练第一医院." in page.content.decode()
    assert person.memberships.get().organisation == organisation


# --- At the desk ---


def test_the_desk_invites_into_a_hospital_and_is_shown_the_link_once(volunteer: User) -> None:
    organisation = make_organisation()
    client = at_the_desk(volunteer)

    client.post(list_of(Invitation) + "add/", {"organisation": organisation.pk, "role": "hospital"})
    shown = client.get(list_of(Invitation)).content.decode()

    invitation = Invitation.objects.get()
    code = shown.split("/invitations/")[1].split("/")[0]
    assert (invitation.by, invitation.digest) == (volunteer, Invitation.digest_of(code))
    assert "/invitations/" not in client.get(list_of(Invitation)).content.decode()
    refused = client.post(
        list_of(Invitation) + "add/",
        {"organisation": make_organisation("volunteers").pk, "role": "volunteer"},
    )
    assert "is not yours to give" in refused.content.decode()
    assert Invitation.objects.count() == 1


def test_members_are_made_managers_and_dismissed_at_the_desk_by_administrators_alone(volunteer: User) -> None:
    organisation = make_organisation()
    row = make_member("hospital", organisation).memberships.get()
    other = make_member("hospital", organisation).memberships.get()
    administrator = at_the_desk(make_user("root", is_staff=True, is_superuser=True))

    choose(at_the_desk(volunteer), "make_manager", row, query="")
    row.refresh_from_db()
    assert not row.is_manager
    choose(administrator, "make_manager", row, query="")
    refused = choose(administrator, "dismiss", row, query="", answered="yes")
    choose(administrator, "dismiss", other, query="", answered="yes")

    row.refresh_from_db()
    assert row.is_manager
    assert "Somebody has to manage" in told(refused)[-1]
    assert list(organisation.memberships.all()) == [row]
