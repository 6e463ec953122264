"""The register of data names every field there is, once, and the page is made of it."""

import pytest
from django.db import models
from django.test.utils import isolate_apps

from supplies.free_text import free_text_columns
from supplies.privacy import register
from supplies.sealing import sealed_columns
from tests.page_client import reader


def test_every_field_of_the_site_has_an_entry_and_no_entry_is_left_over() -> None:
    faults = register.faults()

    assert not faults, "supplies/privacy/register.csv lacks or has too many of:\n" + "\n".join(faults)


@isolate_apps("supplies")
def test_a_field_without_an_entry_is_found_with_the_line_to_add() -> None:
    class Later(models.Model):
        nickname = models.CharField(max_length=20)

        class Meta:
            app_label = "supplies"

    added = [fault for fault in register.faults(Later._meta.apps) if not fault.startswith("gone")]

    assert added == ["supplies.Later,CHOOSE-CLASS,CHOOSE-PURPOSE,CHOOSE-SEEN_BY,CHOOSE-RETENTION,id nickname"]


@isolate_apps("supplies")
def test_an_entry_whose_field_is_gone_is_found() -> None:
    class Contact(models.Model):
        class Meta:
            app_label = "supplies"

    assert "gone: supplies.Contact.phone_sealed" in register.faults(Contact._meta.apps)


def test_what_is_sealed_is_personal_or_secret() -> None:
    kinds = {(entry.model, entry.field): entry.kind for entry in register.entries()}

    for model, face in sealed_columns():
        assert kinds[model._meta.label, face.column] in (register.Class.PERSONAL, register.Class.SECRET)


# Text long enough for a sentence that is no free text, with the reason.
NO_FREE_TEXT = {
    "supplies.Need.origin": "the address of another instance",
    "supplies.Draft.page": "the name of a form of ours",
    "admin.LogEntry.object_id": "a key",
    "admin.LogEntry.object_repr": "what __str__ says, which names nobody",
    "admin.LogEntry.change_message": "names of fields",
    "sessions.Session.session_data": "signed and packed",
    "supplies.Session.session_data": "signed and packed",
    "account.EmailAddress.email": "an address, shown to herself",
    "supplies.IdempotencyKey.route": "the pattern of an address, without what stands in its holes",
    "supplies.OutgoingMail.last_error": "the kind of an error",
    "supplies.User.password": "a hash",
    "supplies.User.username": "what one signs in with",
    "supplies.User.first_name": "shown to herself and administrators",
    "supplies.User.last_name": "shown to herself and administrators",
    "supplies.User.email": "an address",
    "supplies.Organisation.normal_name": "the name as compared; names hold no number",
    "supplies.Alias.normal_name": "the name as compared; names hold no number",
    "supplies.ListedFacility.normal_name": "the name as compared; names hold no number",
    "supplies.ListedFacility.source_url": "an address, checked as one",
    "supplies.Appeal.source_url": "a link; masked as free words are where it is shown",
    "supplies.Donation.source_url": "a link, for its donor and volunteers",
    "supplies.Import.file_name": "of the operator's own file",
    "supplies.ImportedRow.key": "made of a name, which holds no number",
    "supplies.ImportedRow.scope": "a region",
    "supplies.StagedRow.key": "made of a name, which holds no number",
    "supplies.StagedRow.base": "made of a name, which holds no number",
    "supplies.StagedRow.scope": "a region",
    "supplies.Outgoing.listener": "a name of the code",
    "supplies.Outgoing.last_error": "the kind of an error",
    "matching.MatchingRun.failure": "written by the site",
    "matching.FamilyRun.failure": "written by the site",
    "matching.MatchingPolicy.order": "urgencies and tenths, and nothing else passes",
    "matching.Proposal.condition": "of a substitution: reference data",
}


def test_every_text_of_a_sentence_s_length_is_free_text_or_says_why_not() -> None:
    free = {f"{model._meta.label}.{name}" for model, name in free_text_columns()}
    reference = {
        f"{entry.model}.{entry.field}"
        for entry in register.entries()
        if entry.purpose in (register.Reason.REFERENCE, register.Reason.OPERATE)
    }
    long = {
        f"{model._meta.label}.{field.name}"
        for model in register.apps.get_models()
        for field in model._meta.local_concrete_fields
        if isinstance(field, models.CharField | models.TextField)
        and (field.max_length or 100) >= 100
        and not field.choices
    }

    assert (
        long
        - free
        - reference
        - set(NO_FREE_TEXT)
        - {"supplies.Emergency.name_zh", "supplies.Emergency.name_en"}
        == set()
    )


@pytest.mark.django_db
@pytest.mark.parametrize(("language", "words"), [("en", "180 days"), ("zh-hans", "180")])
def test_everyone_reads_what_is_kept_how_long(language: str, words: str) -> None:
    page = reader().get("/privacy/", headers={"accept-language": language})

    assert page.status_code == 200
    assert words in page.content.decode()
