"""A person is planted everywhere, erased, and looked for in every store; a restored backup forgets her again. Invented."""

import json
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.db import transaction

from supplies.allocations.models import Allocation
from supplies.intake.models import Import, ImportedRow
from supplies.journal.models import Event
from supplies.needs.models import Appeal, Need
from supplies.organisations import services as people
from supplies.organisations.models import ApiToken, Contact, Organisation, User
from supplies.privacy import services
from supplies.privacy.models import Erasure, Reveal
from supplies.shipments.models import Receipt, TrackingEvent
from tests.access import canaries
from tests.access.canaries import Canary
from tests.makers import NOW, make_appeal, make_donation, make_member, make_organisation, make_user

pytestmark = pytest.mark.django_db
PHONE, MAIL = "000-7777-0001", "canary-person@demo.invalid"
HERS = [Canary("her number", "00077770001"), Canary("her mail", MAIL), Canary("her name", "canaryname")]
WRITTEN = ["０００－７７７７－０００１", "000-7777-0001", "00077770001", f"写到 {MAIL.upper()}"]


def left() -> list[tuple[str, Canary]]:
    """Where something of hers stands still."""
    places = [*canaries.tables(), *canaries.opened(), *canaries.kept_elsewhere()]
    return [
        (name, canary)
        for name, raw in places
        for canary in canaries.found_in(
            raw.lower().replace("０００－７７７７－０００１".encode(), b"00077770001"), HERS
        )
    ]


@pytest.fixture
def her() -> User:
    """Somebody with an account who wrote her number everywhere, and whose number others wrote as well."""
    world = canaries.plant()
    user = world.match.nurse
    User.objects.filter(pk=user.pk).update(
        username="canaryname",
        first_name="canaryname",
        last_name="canaryname",
        email=MAIL,
        password="canaryname",
    )
    user.refresh_from_db()
    site = world.match.site
    people.keep_contact(
        site.organisation, facility=site, name="canaryname", phone=PHONE, email=MAIL, at=NOW, by=user
    )
    people.keep_contact(make_organisation(), name="canaryname", phone=f"canaryname {PHONE}", at=NOW)
    appeal = make_appeal(
        site,
        by=user,
        remark=f"a {WRITTEN[0]} b",
        transport_instructions=f"a {WRITTEN[1]}",
        handover_point=WRITTEN[2],
    )
    Need.objects.filter(appeal=appeal).update(as_written=f"100只 {PHONE}")
    make_donation(remark=WRITTEN[3], address=f"演练路1号 {PHONE}")
    TrackingEvent.objects.update(note=f"司机联系 {PHONE}", place=PHONE, label=PHONE)
    Receipt.objects.update(note=PHONE)
    Allocation.objects.update(ended_because=PHONE)
    row = ImportedRow.objects.get()
    row.raw = json.dumps({"contacts": [{"name": "x", "tel": PHONE}], "remark": MAIL})
    row.shown, row.problems = {"name": "x", "remark": f"x {PHONE}"}, [{"words": {"cell": PHONE}}]
    row.save()
    for kept in ({"_auth_user_id": str(user.pk)}, {"unsent": {"path": "/", "typed": f"remark={PHONE}"}}):
        session = SessionStore()
        session.update(kept)
        session.create()
    ApiToken.objects.update(name="canaryname")
    LogEntry.objects.create(
        user=make_user(is_superuser=True),
        content_type=ContentType.objects.get_for_model(User),
        object_id=str(user.pk),
        object_repr="canaryname",
        action_flag=CHANGE,
    )
    return user


def test_whoever_erases_herself_stands_nowhere_any_more(her: User) -> None:
    assert len({name for name, _canary in left()}) > 12  # it would be found
    events, reveals, sessions = Event.objects.count(), Reveal.objects.count(), Session.objects.count()

    erasure = services.erase_account(her, by=her, at=NOW)

    assert left() == []
    her.refresh_from_db()
    assert (str(her), her.username, her.is_active, her.has_usable_password()) == (
        f"#{her.pk}",
        f"erased-{her.pk}",
        False,
        False,
    )
    assert not her.memberships.exists()
    assert not her.api_tokens.filter(revoked_at=None).exists()
    assert Session.objects.count() == sessions - 2
    assert Event.objects.count() > events  # the journal stays, and says so, by number
    assert Reveal.objects.count() == reveals
    assert erasure.counts["supplies.contact"] == 3
    assert (erasure.account, erasure.by) == (her.pk, her)


def test_what_is_not_hers_stays_as_it_was(her: User) -> None:
    other = people.keep_contact(make_organisation(), name="演练", phone="000-7777-0002", at=NOW)
    appeal = make_appeal(remark="找 000-7777-0002，不是 000-7777-0001")

    services.erase_account(her, by=her, at=NOW)

    assert Contact.objects.get(pk=other.pk).phone == "000-7777-0002"
    assert Appeal.objects.get(pk=appeal.pk).remark == "找 000-7777-0002，不是 ••••"
    assert "100只" in " ".join(Need.objects.values_list("as_written", flat=True))


def test_a_restored_backup_forgets_her_again(her: User, tmp_path: Path) -> None:
    backup = transaction.savepoint()
    services.erase_account(her, by=her, at=NOW)
    file = tmp_path / "erasures.jsonl"
    call_command("erasures", export=file, stdout=StringIO())
    transaction.savepoint_rollback(backup)
    assert left()
    assert not [word for word in ("canaryname", MAIL, "0007777") if word in file.read_text()]

    said = StringIO()
    call_command("erasures", replay=file, stdout=said)

    assert "1 of 1 erased again" in said.getvalue()
    assert left() == []
    assert not User.objects.get(pk=her.pk).is_active
    call_command("erasures", replay=file, stdout=said)
    assert "0 of 1 erased again" in said.getvalue()


def test_a_person_without_an_account_is_forgotten_by_her_number(her: User) -> None:
    User.objects.filter(pk=her.pk).update(email="", username="x", first_name="", last_name="", password="x")
    ApiToken.objects.update(name="x")
    LogEntry.objects.all().delete()
    Contact.objects.filter(entered_by=her).update(entered_by=None)

    erasure = services.erase_number(WRITTEN[0], by=make_member("volunteer"), at=NOW)

    numbers = [place for place in left() if place[1].where == "her number"]
    assert numbers == []
    assert User.objects.get(pk=her.pk).is_active
    assert erasure.counts["supplies.contact"] == 2
    assert PHONE not in json.dumps(services.entries())


@pytest.mark.parametrize("phone", ["", "nobody", "120", "138****5678"])
def test_what_is_no_number_erases_nobody(phone: str, volunteer: User) -> None:
    with pytest.raises(ValidationError):
        services.erase_number(phone, by=volunteer, at=NOW)

    assert not Erasure.objects.exists()


def test_a_private_donor_loses_her_name_with_her_account_and_a_company_keeps_its_own() -> None:
    person, company = make_member("donor"), make_member("donor")
    for member, kind in ((person, "person"), (company, "company")):
        make_donation(
            member.memberships.get().organisation,
            by=member,
            sender_kind=kind,
            address="演练路1号",
            remark="谢谢",
        )
    private, corporate = (member.memberships.get().organisation for member in (person, company))

    for member in (person, company):
        services.erase_account(member, by=member, at=NOW)

    private.refresh_from_db()
    assert private.name == f"erased-{private.pk}"
    assert private.donations.get().address == ""
    assert Organisation.objects.get(pk=corporate.pk).name == corporate.name


def test_what_other_models_keep_of_a_person_goes_by_their_own_verb(
    her: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(Import, "forget_person", lambda person: asked.append(person) or 7, raising=False)

    erasure = services.erase_account(her, by=her, at=NOW)

    assert erasure.counts["supplies.import"] == 7
    assert asked[0].account == her.pk
    assert asked[0].is_hers("+8600077770001") is False
    assert asked[0].forget_in(f"x {PHONE} y") == "x •••• y"


@pytest.mark.parametrize("text", ["{", '{"id": 1}\nx'])
def test_a_list_that_cannot_be_read_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "list"
    file.write_text(text)

    with pytest.raises(CommandError):
        call_command("erasures", replay=file)


def test_what_is_over_is_erased_by_the_timetable() -> None:
    world = canaries.plant()
    stale = SessionStore()
    stale.create()
    Session.objects.filter(pk=stale.session_key).update(expire_date=NOW)
    over = NOW + timedelta(days=people.KEPT_DAYS + 1)

    erased = services.erase_expired(at=over)

    assert (erased["contacts"], erased["imported rows"]) == (3, 1)
    assert erased["sessions"] >= 1
    assert not ImportedRow.objects.exclude(raw_sealed=b"").exists()
    assert world.match.nurse.memberships.exists()
