"""The verbs of private files: attach, read, erase; and the sweep that finds what was left over."""

import base64
import logging
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import BinaryIO

from django.contrib.auth.models import AbstractBaseUser
from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from supplies.attachments import files
from supplies.attachments.inspection import inspected
from supplies.attachments.models import MOST_FILES, Attachment
from supplies.errors import Refused
from supplies.journal.services import record

log = logging.getLogger(__name__)
Look = Callable[[BinaryIO, int], AbstractContextManager[tuple[str, BinaryIO]]]
LEFT_ALONE = timedelta(hours=1)  # a file this young may belong to a transaction that is still open


def attach(
    row: models.Model,
    file: BinaryIO,
    *,
    size: int,
    kind: str,
    by: AbstractBaseUser,
    at: datetime,
    erase_on: date,
    look: Look = inspected,
) -> Attachment:
    """Keep a private file about a row. The same file a second time is the one that is there.

    file     has a descriptor; looked at and sealed before anything is locked, since that takes a second or more
    look     what decides whether it may be kept, and as what: `inspected`, or `as_it_came` for our own readers
    Raises   ValidationError for "file"; Refused("too-many-files"), Refused("not-stored")
    """
    key = os.urandom(32)
    attachment = Attachment(
        subject=row._meta.model_name,
        subject_id=str(row.pk),
        kind=kind,
        by=by,  # type: ignore[misc]
        at=at,
        erase_on=erase_on,
    )
    attachment.key = base64.b64encode(key).decode()
    kept = None
    try:
        with look(file, size) as (media_type, clean):
            written = files.put(attachment.stored_as, clean, key=key)
        attachment.media_type, attachment.size, attachment.sha256 = media_type, written.size, written.sha256
        kept = _keep(row, attachment)
    except OSError as error:
        log.exception("A private file could not be stored.")
        raise Refused(
            _("The file could not be stored just now. Please try again later."), code="not-stored"
        ) from error
    finally:
        if kept != attachment:
            files.remove(attachment.stored_as)
    return kept


@transaction.atomic
def _keep(row: models.Model, attachment: Attachment) -> Attachment:
    # The row itself is the lock: two files at once do not take one place.
    type(row)._default_manager.select_for_update().get(pk=row.pk)
    others = {other.position: other for other in Attachment.objects.about(row).kept()}
    for other in others.values():
        if other.sha256 == attachment.sha256:
            return other
    free = [place for place in range(1, MOST_FILES + 1) if place not in others]
    if not free:
        raise Refused(
            _("There are %(most)d files already, which is as many as can be kept.") % {"most": MOST_FILES},
            code="too-many-files",
        )
    attachment.position = free[0]
    attachment.save(force_insert=True)
    record(
        attachment,
        "attachment.added",
        by=attachment.by,
        at=attachment.at,
        subject=attachment.subject,
        subject_id=attachment.subject_id,
    )
    return attachment


@transaction.atomic
def read(attachment: Attachment, *, by: AbstractBaseUser, at: datetime) -> Iterator[bytes]:
    """The file, part by part; that it is read, and by whom, is written down before the first.

    Raises   FileNotFoundError when the disk has lost it
    """
    parts = unsealed(attachment)
    record(attachment, "attachment.read", by=by, at=at)
    return parts


def unsealed(attachment: Attachment) -> Iterator[bytes]:
    """The file for the site's own eyes: to be worked on, shown to nobody. Raises FileNotFoundError."""
    return files.read(attachment.stored_as, key=base64.b64decode(attachment.key), size=attachment.size)


@transaction.atomic
def erase(attachment: Attachment, *, by: AbstractBaseUser | None, at: datetime) -> Attachment:
    """Make a file unreadable at once, everywhere it was copied to, by giving up its key; then remove it."""
    attachment = Attachment.objects.select_for_update().get(pk=attachment.pk)
    if attachment.erased_at is None:
        attachment.key_sealed, attachment.sha256, attachment.erased_at = b"", "", at
        attachment.save(update_fields=["key_sealed", "sha256", "erased_at"])
        record(attachment, "attachment.erased", by=by, at=at)
        transaction.on_commit(lambda: files.remove(attachment.stored_as))
    return attachment


def erase_expired(*, at: datetime) -> int:
    """Erase the files whose time is over. Returns how many."""
    expired = list(Attachment.objects.kept().filter(erase_on__lte=timezone.localdate(at)).order_by("pk"))
    for attachment in expired:
        erase(attachment, by=None, at=at)
    return len(expired)


@dataclass(frozen=True)
class Swept:
    """removed   files on the disk that no row speaks of
    missing   rows whose file the disk has lost
    """

    removed: int
    missing: tuple[Attachment, ...]


def sweep(*, at: datetime) -> Swept:
    """Compare the disk with the rows: a transaction that failed may have left a file, a full disk may have lost one."""
    removed = 0
    for beginning, found in files.folders():
        kept = set(
            Attachment.objects.kept()
            .filter(stored_as__startswith=beginning)
            .values_list("stored_as", flat=True)
        )
        for name, written in found:
            if name not in kept and written < (at - LEFT_ALONE).timestamp():
                files.remove(name)
                removed += 1
    rows = Attachment.objects.kept().order_by("pk").iterator(chunk_size=500)
    missing = tuple(attachment for attachment in rows if not files.is_there(attachment.stored_as))
    for attachment in missing:
        log.error("The file of attachment %s is lost. Restore it from a backup.", attachment.pk)
    return Swept(removed, missing)
