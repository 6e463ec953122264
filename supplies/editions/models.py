"""What every reference table has in common: a source on each row, and a version of the whole."""

from __future__ import annotations

from django.db import models
from django.db.models import Max, UniqueConstraint
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from supplies.append_only import OnlyAdded


class ReferenceRow(models.Model):
    """A row shipped with the project, which an administrator may correct."""

    source = models.CharField(
        _("source"), max_length=200, blank=True, help_text=_("Keys of reference/sources.csv.")
    )
    is_verified = models.BooleanField(
        _("verified"), default=False, help_text=_("Somebody has read this in the source.")
    )
    edited_at = models.DateTimeField(
        _("edited here"),
        null=True,
        blank=True,
        editable=False,
        help_text=_("Set when an administrator changed the row; loading then leaves it alone."),
    )

    class Meta:
        abstract = True


class Bilingual(models.Model):
    """A name in Chinese and in English; one of them may be missing."""

    name_zh = models.CharField(_("Chinese name"), max_length=120, blank=True)
    name_en = models.CharField(_("English name"), max_length=120, blank=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        """The name in the reader's language, or else in the other one."""
        return in_readers_language(self.name_zh, self.name_en)


def in_readers_language(name_zh: str, name_en: str) -> str:
    """Of two names that of the reader's language, or else the other one."""
    if (get_language() or "").startswith("zh"):
        return name_zh or name_en
    return name_en or name_zh


class ReferenceEditionQuerySet(models.QuerySet["ReferenceEdition"]):
    def versions(self) -> dict[str, int]:
        """The version in force of every table, e.g. {"catalogue.item": 3}."""
        return dict(self.values("table").annotate(last=Max("version")).values_list("table", "last"))


class ReferenceEdition(models.Model):
    """One version of one reference table: made when loading or editing changed something."""

    table = models.CharField(_("table"), max_length=60)
    version = models.PositiveIntegerField(_("version"))
    loaded_at = models.DateTimeField(_("made at"))
    sha256 = models.CharField(
        _("checksum of the file"), max_length=64, blank=True, help_text=_("Empty for an edit in the admin.")
    )
    note = models.CharField(_("note"), max_length=200, blank=True)

    objects = ReferenceEditionQuerySet.as_manager()

    class Meta:
        verbose_name = _("reference edition")
        verbose_name_plural = _("reference editions")
        constraints = [
            UniqueConstraint(name="edition_of_a_table_has_one_row", fields=["table", "version"]),
            OnlyAdded(name="editions_are_only_added"),
        ]

    def __str__(self) -> str:
        return f"{self.table} {self.version}"
