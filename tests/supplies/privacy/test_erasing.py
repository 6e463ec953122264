"""A person is planted everywhere, erased, and looked for in every store; a restored backup forgets her again. Invented."""

import json
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.backends.db import SessionStore as OldStore
from django.contrib.sessions.models import Session as OldSession
from django.core.exceptions import ValidationError
from django.core.mail import EmailMessage
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from matching.models import Proposal
from supplies.accounts import services as accounts
from supplies.accounts.models import Invitation, Session
from supplies.accounts.sessions import SessionStore
from supplies.allocations.models import Allocation
from supplies.append_only import only_added
from supplies.attachments.models import Attachment
from supplies.errors import Refused
from supplies.intake.models import Import, ImportedRow
from supplies.journal import mail, once
from supplies.journal.models import Event, IdempotencyKey, OutgoingMail
from supplies.journal.once import Answer, Asked
from supplies.needs.models import Appeal, Need
from supplies.organisations import services as people
from supplies.organisations.contacts import Contact
from supplies.organisations.keys import ApiToken
from supplies.organisations.models import Organisation, User
from supplies.organisations.verification import CallLog, Verification
from supplies.privacy import services
from supplies.privacy.erasing import texts
from supplies.privacy.models import Erasure, Reveal
from supplies.receipts.models import Receipt
from supplies.shipments.tracking import TrackingEvent
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
    Proposal.objects.update(ended_because=PHONE, deviation_note=PHONE)
    CallLog.objects.update(note=f"转告 {MAIL}")
    Verification.objects.update(motive=f"写信给 {MAIL}", public_note=f"写信给 {MAIL}")
    Organisation.objects.exclude(public_note="").update(public_note=f"写信给 {MAIL}")
    EmailAddress.objects.filter(user=user).update(email=MAIL)
    EmailAddress.objects.create(user=make_user(), email=MAIL)
    IdempotencyKey.objects.all().delete()
    for by in (user, make_member("donor")):
        asked = Asked(f"account:{by.pk}", by, "POST /x/", "POST x/", "k", b"{}")
        once.keep(asked, Answer(200, {}, json.dumps({"name": "canaryname", "phone": PHONE})), at=NOW)
    OutgoingMail.objects.all().delete()
    mail.write(EmailMessage("canaryname", "canaryname", to=[MAIL]), at=NOW)
    row = ImportedRow.objects.get()
    row.raw = json.dumps({"contacts": [{"name": "x", "tel": PHONE}], "remark": MAIL})
    row.shown, row.problems = {"name": "x", "remark": f"x {PHONE}"}, [{"words": {"cell": PHONE}}]
    row.save()
    OldSession.objects.all().delete()
    Session.objects.all().delete()
    for kept in ({"_auth_user_id": str(user.pk)}, {"unsent": {"path": "/", "typed": f"remark={PHONE}"}}):
        for store in (SessionStore, OldStore):
            session = store()
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
    events, reveals = Event.objects.count(), Reveal.objects.count()

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
    assert (Session.objects.count(), OldSession.objects.count()) == (0, 0)
    assert Event.objects.count() > events  # the journal stays, and says so, by number
    assert Reveal.objects.count() == reveals
    assert erasure.counts["supplies.contact"] == 3
    assert (erasure.account, erasure.by) == (her.pk, her)


def test_with_her_account_go_address_second_factor_answers_mails_links_and_the_files_she_handed_in(
    her: User, private_root: Path, django_capture_on_commit_callbacks: Any
) -> None:
    body = her.memberships.get().organisation
    people.make_manager(her.memberships.get(), by=None, at=NOW)
    her.forget_roles()
    link, _code = accounts.invite(body, role="hospital", by=her, at=NOW)
    handed_in = Attachment.objects.get(by=her)
    assert list(private_root.rglob(handed_in.stored_as))

    with django_capture_on_commit_callbacks(execute=True):
        services.erase_account(her, by=her, at=NOW)

    assert not EmailAddress.objects.filter(email=MAIL).exists()
    assert not Authenticator.objects.filter(user=her).exists()
    assert not IdempotencyKey.objects.filter(by=her).exists()
    assert not OutgoingMail.objects.exists()
    assert Invitation.objects.get(pk=link.pk).revoked_at == NOW
    assert Attachment.objects.get(pk=handed_in.pk).key_sealed == b""
    assert not list(private_root.rglob(handed_in.stored_as))
    assert not body.memberships.exists()  # the last manager, too, may go


def test_what_was_answered_about_her_to_somebody_else_is_gone_and_is_not_done_again(her: User) -> None:
    other = IdempotencyKey.objects.exclude(by=her).get().by
    asked = Asked(f"account:{other.pk}", other, "POST /x/", "POST x/", "k", b"{}")  # type: ignore[union-attr]
    assert once.find(asked)

    services.erase_account(her, by=her, at=NOW)

    with pytest.raises(Refused) as refusal:
        once.find(asked)
    assert refusal.value.code == "answer-erased"


def test_a_mail_to_somebody_else_leaves_all_the_same(her: User) -> None:
    mail.write(EmailMessage("x", "x", to=["other@demo.invalid"]), at=NOW)
    EmailAddress.objects.create(user=make_user(), email="other@demo.invalid")

    services.erase_account(her, by=her, at=NOW)

    assert "other@demo.invalid" in OutgoingMail.objects.get().letter
    assert EmailAddress.objects.get().email == "other@demo.invalid"


def test_the_site_may_change_every_column_that_erasure_goes_through() -> None:
    refused = []
    for model, names in texts():
        rule = only_added(model)
        for name in names:
            column = (
                name if any(name == f.name for f in model._meta.local_concrete_fields) else f"{name}_sealed"
            )
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT has_column_privilege('tongzhou_web', %s, %s, 'UPDATE')",
                    [model._meta.db_table, column],
                )
                (may,) = cursor.fetchone()
            if not may or (rule and not {name, column} & set(rule.may_change)):
                refused.append(f"{model._meta.label}.{name}")

    assert refused == []


def test_a_column_the_site_may_not_change_would_be_found() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT has_column_privilege('tongzhou_web', 'supplies_calllog', 'outcome', 'UPDATE')")
        assert cursor.fetchone() == (False,)


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
    LogEntry.objects.update(object_repr="x")
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
