"""Files that are not for everybody: evidence, photographs, documents. The rows; the bytes lie sealed on disk."""

import secrets
import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from supplies.sealing import Sealed

MOST_BYTES = 5_000_000
MOST_FILES = 10  # of one subject


class Kind(models.TextChoices):
    LETTER = "letter", _("letter with a seal")
    LICENCE = "licence", _("practice licence or registration")
    CARD = "card", _("staff card or certificate")
    NOTICE = "notice", _("public announcement")
    LIST = "list", _("list as it came in")
    PHOTO = "photo", _("photograph of the goods")
    SIGNATURE = "signature", _("signature of who received the goods")
    QUALITY = "quality", _("certificate of the goods")
    REPORT = "report", _("test report")
    EXPIRY = "expiry", _("photograph of the expiry day")
    BOX = "box", _("photograph of the box")
    OTHER = "other", _("something else")


class MediaType(models.TextChoices):
    PDF = "application/pdf", "PDF"
    JPEG = "image/jpeg", "JPEG"
    PNG = "image/png", "PNG"
    WEBP = "image/webp", "WebP"
    BYTES = "application/octet-stream", _("bytes as they came in")


def new_name() -> str:
    """What a file is called on disk: nothing about it can be guessed from that."""
    return secrets.token_hex(16)


class AttachmentQuerySet(models.QuerySet["Attachment"]):
    def about(self, row: models.Model) -> "AttachmentQuerySet":
        return self.filter(subject=row._meta.model_name, subject_id=str(row.pk))

    def kept(self) -> "AttachmentQuerySet":
        return self.filter(erased_at=None)

    def oldest_first(self) -> "AttachmentQuerySet":
        return self.order_by("at", "pk")


class Attachment(models.Model):
    """One private file about one row. What it was called by its sender is not kept: such names hold people's names.

    Each file has a key of its own, sealed here, so that changing the field keys changes this row and never the file,
    and a row that is erased leaves nothing behind that opens, in no copy of the disk.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    subject = models.CharField(_("about"), max_length=40)
    subject_id = models.CharField(_("its id"), max_length=40)
    position = models.PositiveSmallIntegerField(editable=False)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    media_type = models.CharField(_("type"), max_length=30, choices=MediaType)
    size = models.PositiveIntegerField(_("bytes"))
    sha256 = models.CharField(max_length=64, editable=False)
    stored_as = models.CharField(max_length=32, unique=True, default=new_name, editable=False)
    key_sealed = models.BinaryField(default=b"", editable=False)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, verbose_name=_("handed in by"), related_name="+"
    )
    at = models.DateTimeField(_("when"))
    erase_on = models.DateField(_("erase on"))
    erased_at = models.DateTimeField(_("erased"), null=True, blank=True)

    key = Sealed()

    objects = AttachmentQuerySet.as_manager()

    class Meta:
        verbose_name = _("private file")
        verbose_name_plural = _("private files")
        constraints = [
            models.CheckConstraint(name="attachment_kind_is_listed", condition=Q(kind__in=Kind.values)),
            models.CheckConstraint(
                name="attachment_type_is_listed", condition=Q(media_type__in=MediaType.values)
            ),
            models.CheckConstraint(name="attachment_is_small", condition=Q(size__range=(1, MOST_BYTES))),
            models.CheckConstraint(
                name="attachment_is_one_of_few", condition=Q(position__range=(1, MOST_FILES))
            ),
            models.UniqueConstraint(
                fields=["subject", "subject_id", "position"],
                condition=Q(erased_at=None),
                name="attachment_has_its_own_place",
            ),
            models.UniqueConstraint(
                fields=["subject", "subject_id", "sha256"],
                condition=Q(erased_at=None),
                name="attachment_once_a_subject",
            ),
            models.CheckConstraint(
                name="attachment_opens_until_it_is_erased",
                condition=Q(erased_at=None, key_sealed__gt=b"")
                | Q(erased_at__isnull=False, key_sealed=b"", sha256=""),
            ),
        ]
        indexes = [
            models.Index(fields=["erase_on"], condition=Q(erased_at=None), name="attachment_to_erase"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} · {self.get_media_type_display()}"

    @property
    def file_name(self) -> str:
        """What it is called when somebody reads it."""
        ending = {"application/pdf": "pdf", "image/jpeg": "jpg", "application/octet-stream": "bin"}.get(
            self.media_type, self.media_type.rpartition("/")[2]
        )
        return f"{self.kind}-{self.pk.hex[:8]}.{ending}"
