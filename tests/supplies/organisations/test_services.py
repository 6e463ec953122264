from datetime import timedelta

import pytest
from cryptography.exceptions import InvalidTag
from django.db import connection
from django.utils import timezone

from supplies.errors import Refused
from supplies.organisations import services as people
from supplies.organisations.contacts import Contact
from supplies.organisations.keys import ApiToken
from supplies.organisations.models import Organisation
from tests.makers import NOW, make_member, make_organisation, make_region, make_user

pytestmark = pytest.mark.django_db


def test_the_same_hospital_is_registered_once_in_a_region() -> None:
    people.register(kind="hospital", name="演练第一医院", region=make_region(), by=None, at=NOW)

    with pytest.raises(Refused) as refusal:
        people.register(kind="hospital", name="演练 第一医院", region=make_region(), by=None, at=NOW)

    assert refusal.value.code == "already-registered"


def test_a_contact_is_sealed_in_the_database_and_read_again() -> None:
    contact = people.keep_contact(make_organisation(), at=NOW, name="演练者", phone="000-1234", post="设备科")

    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM supplies_contact")
        stored = b" ".join(
            bytes(v) if isinstance(v, memoryview) else str(v).encode() for v in cursor.fetchone()
        )
    assert b"1234" not in stored
    assert "演练者".encode() not in stored
    assert (Contact.objects.get(pk=contact.pk).phone, Contact.objects.get(pk=contact.pk).name) == (
        "000-1234",
        "演练者",
    )


def test_a_sealed_value_does_not_open_in_another_row() -> None:
    organisation = make_organisation()
    one, other = (
        people.keep_contact(organisation, at=NOW, phone="000-1"),
        people.keep_contact(organisation, at=NOW, phone="000-2"),
    )
    Contact.objects.filter(pk=other.pk).update(phone_sealed=one.phone_sealed)

    with pytest.raises(InvalidTag):
        _ = Contact.objects.get(pk=other.pk).phone


def test_writing_the_same_number_again_changes_nothing() -> None:
    contact = people.keep_contact(make_organisation(), at=NOW, phone="000-1")
    before = contact.phone_sealed

    contact.phone = "000-1"

    assert contact.phone_sealed is before


def test_the_same_contact_is_kept_once() -> None:
    organisation = make_organisation()

    assert people.keep_contact(organisation, at=NOW, name="甲", phone="000-1") == people.keep_contact(
        organisation, at=NOW, name="甲", phone="000-1"
    )


def test_of_a_token_only_the_hash_is_kept_and_it_ends_at_once() -> None:
    user = make_member("carrier")
    token, secret = people.issue_token(user, name="dispatch desk", scopes=["shipments"], at=NOW)

    assert len(secret) > 43
    assert secret not in str(ApiToken.objects.values().get())
    assert ApiToken.objects.valid(timezone.now()).filter(digest=ApiToken.digest_of(secret)).exists()

    people.revoke_token(token, by=user, at=NOW)
    assert not ApiToken.objects.valid(timezone.now()).exists()


def test_a_token_has_known_scopes_only() -> None:
    with pytest.raises(Refused):
        people.issue_token(make_user(), name="x", scopes=["everything"], at=NOW)


def test_roles_follow_from_memberships(volunteer, stranger) -> None:
    assert volunteer.has_role("volunteer")
    assert volunteer.is_staff
    assert not stranger.roles


def test_who_is_dismissed_has_no_desk_any_more(volunteer) -> None:
    people.dismiss(volunteer.memberships.get(), by=None, at=NOW)

    volunteer.refresh_from_db()
    assert (volunteer.is_staff, volunteer.roles, volunteer.groups.count()) == (False, frozenset(), 0)


def test_donors_are_not_public_and_hospitals_are_once_verified(stranger) -> None:
    donor, hospital, unverified = (
        make_organisation("donor"),
        make_organisation(),
        make_organisation(verified=False),
    )

    seen = set(Organisation.objects.visible_to(stranger))

    assert hospital in seen
    assert not {donor, unverified} & seen


def test_the_same_number_is_kept_once_however_it_is_written() -> None:
    organisation = make_organisation()
    first = people.keep_contact(organisation, at=NOW, name="甲", phone="000-0001-0012")

    again = people.keep_contact(
        organisation, at=NOW + timedelta(days=9), name="甲", phone="０００－０００１－００１２"
    )
    other = people.keep_contact(organisation, at=NOW, name="甲", phone="000-0001-0013")
    nameless = [people.keep_contact(organisation, at=NOW, name=name) for name in ("甲", "乙", "甲")]

    assert again == first != other
    assert again.erase_on == first.erase_on + timedelta(days=9)
    assert nameless[0] == nameless[2] != nameless[1]


def test_keeping_a_contact_opens_no_other(monkeypatch) -> None:
    organisation = make_organisation()
    for number in range(5):
        people.keep_contact(organisation, at=NOW, phone=f"000-{number:04}")
    opened = []
    monkeypatch.setattr(
        "supplies.sealing.unseal", lambda sealed, *, context: opened.append(sealed) if sealed else ""
    )

    people.keep_contact(organisation, at=NOW, phone="000-9999")

    assert opened == []


def test_a_contact_is_erased_on_its_day() -> None:
    people.keep_contact(make_organisation(), at=NOW, phone="000-1234")

    assert people.erase_contacts(at=NOW + timedelta(days=people.KEPT_DAYS - 1)) == 0
    assert people.erase_contacts(at=NOW + timedelta(days=people.KEPT_DAYS)) == 1
    assert not Contact.objects.exists()
