"""How to reach an organisation: names, telephone numbers and addresses, sealed, and found without being opened."""

import re
import unicodedata
import uuid
from typing import Self

from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.utils.translation import gettext_lazy as _

from supplies import phones
from supplies.free_text import ShortText
from supplies.organisations.models import Facility, Organisation, User
from supplies.sealing import LookupField, Sealed, lookups


def numbers_of(phone: str) -> list[str]:
    """What a telephone field is found by: each of its numbers, or its words where it holds none (181****7656)."""
    return phones.numbers_in(phone) or words_of(phone)


def words_of(text: str) -> list[str]:
    """What an address of mail is found by, however it is capitalised and whatever stands between several."""
    return [
        word for word in re.split(r"[\s,;，；、]+", unicodedata.normalize("NFKC", text).casefold()) if word
    ]


class ContactQuerySet(models.QuerySet["Contact"]):
    def right(self) -> Self:
        """Those that nobody found to be wrong: whom one may call."""
        return self.filter(found_wrong_at=None)

    def typed_by(self, user: User) -> Self:
        """What somebody typed herself, the latest first: each time it is typed again it is kept longer."""
        return self.right().filter(entered_by=user).order_by("-erase_on", "pk")

    def of_facility(self, facility: Facility) -> Self:
        """The contacts of a site: its own, and those of the whole house."""
        mine = models.Q(facility=None) | models.Q(facility=facility)
        return self.filter(mine, organisation=facility.organisation_id)

    def with_phone(self, phone: str) -> Self:
        """Those that hold one of these numbers, however it is written and whichever key sealed it."""
        return self.filter(phone_lookup__overlap=lookups(numbers_of(phone)))

    def with_email(self, email: str) -> Self:
        return self.filter(email_lookup__overlap=lookups(words_of(email)))


class Contact(models.Model):
    """How to reach somebody. Sealed at rest; shown to whom `supplies.privacy` lets, each time written down; erased on its day."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organisation = models.ForeignKey(
        Organisation, models.CASCADE, verbose_name=_("organisation"), related_name="contacts"
    )
    facility = models.ForeignKey(
        Facility, models.CASCADE, null=True, blank=True, verbose_name=_("facility"), related_name="contacts"
    )
    post = ShortText(_("post or department"), max_length=80, blank=True)
    name_sealed = models.BinaryField(default=b"", editable=False)
    phone_sealed = models.BinaryField(default=b"", editable=False)
    email_sealed = models.BinaryField(default=b"", editable=False)
    phone_lookup = LookupField()
    email_lookup = LookupField()
    source = ShortText(_("source"), max_length=200, blank=True)
    entered_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, verbose_name=_("entered by"), related_name="+"
    )
    erase_on = models.DateField(_("erase on"), null=True, blank=True)
    found_wrong_at = models.DateTimeField(
        _("found wrong"),
        null=True,
        blank=True,
        editable=False,
        help_text=_("Kept until its day, so that it can be looked up what it was; nobody is led to it."),
    )

    name = Sealed()
    phone = Sealed(found_by=numbers_of)
    email = Sealed(found_by=words_of)

    objects = ContactQuerySet.as_manager()

    class Meta:
        verbose_name = _("contact")
        verbose_name_plural = _("contacts")
        indexes = [
            GinIndex(fields=["phone_lookup"], name="contact_by_phone"),
            GinIndex(fields=["email_lookup"], name="contact_by_email"),
            models.Index(fields=["erase_on"], name="contact_by_day"),
            models.Index(fields=["entered_by"], name="contact_by_author"),
        ]

    def __str__(self) -> str:
        return f"{self._meta.verbose_name} {str(self.pk)[:8]}"

    def is_same(self, *, name: str, phone: str, email: str) -> bool:
        """Whether this is how the same person is reached; without a number or an address the name decides."""
        reached = set(numbers_of(self.phone)) == set(numbers_of(phone)) and words_of(self.email) == words_of(
            email
        )
        return reached and (bool(phone or email) or self.name == name)
