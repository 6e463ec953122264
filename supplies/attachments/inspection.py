"""Having a file looked at by `inspector`, in a process of its own, and saying in words what is wrong with it."""

import json
import logging
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from threading import BoundedSemaphore
from typing import Any, BinaryIO

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from supplies import limited
from supplies.attachments import inspector
from supplies.attachments.models import MOST_BYTES, MediaType
from supplies.attachments.uploads import in_memory

log = logging.getLogger(__name__)
AT_ONCE = BoundedSemaphore(2)  # in one web process: each may take 300 MB
WHY: Mapping[str, Any] = {
    "empty": _("This file is empty. Choose it again."),
    "too-large": _("A file may have 5 MB at most. Make the picture smaller, or scan it in grey."),
    "not-taken": _("This is none of the types taken here. Send a PDF, or a picture as JPEG, PNG or WebP."),
    "damaged": _("This file is damaged or was cut off. Save it again and send it once more."),
    "too-many-pixels": _(
        "This picture is too large: it may have 25 million pixels at most. Make it smaller."
    ),
    "locked": _("This PDF is locked with a password. Save it without one and send it again."),
    "more-than-pages": _(
        "This PDF holds more than pages: a program, another file, or something behind its end. "
        "Print it into a new PDF and send that."
    ),
    "too-hard": _("This file could not be read safely. Make it smaller, or send a picture of it instead."),
}


def unfit(code: str) -> ValidationError:
    return ValidationError({"file": ValidationError(WHY[code], code=code)})


@contextmanager
def inspected(file: BinaryIO, size: int) -> Iterator[tuple[str, BinaryIO]]:
    """The media type of a file and the bytes to keep: a picture made anew, a PDF as it is. `file` has a descriptor.

    Raises   ValidationError for "file", with one of the codes of WHY
    """
    if size > MOST_BYTES:
        raise unfit("too-large")
    if not size:
        raise unfit("empty")
    with in_memory() as made:
        file.seek(0)
        with AT_ONCE:
            verdict = run(
                limited.command(inspector.__name__, str(made.fileno())),
                file,
                made,
                seconds=inspector.SECONDS,
            )
        if "media_type" not in verdict:
            raise unfit(verdict["refused"])
        file.seek(0)
        yield verdict["media_type"], file if verdict["media_type"] == inspector.PDF else made


@contextmanager
def as_it_came(file: BinaryIO, size: int) -> Iterator[tuple[str, BinaryIO]]:
    """For files that only our own readers open, which trust nothing: kept byte by byte, and never shown as anything.

    Raises   ValidationError for "file", when it is empty or too large
    """
    if size > MOST_BYTES:
        raise unfit("too-large")
    if not size:
        raise unfit("empty")
    yield MediaType.BYTES, file


def run(command: list[str], source: BinaryIO, out: BinaryIO, *, seconds: float) -> dict[str, Any]:
    """What the inspector says. One that was ended, by us or by its own limits, has found the file too hard."""
    try:
        verdict: dict[str, Any] = json.loads(limited.asked(command, source, out, seconds=seconds))
    except (subprocess.TimeoutExpired, ValueError):
        log.warning("A file could not be inspected within its limits.")
        return {"refused": "too-hard"}
    return verdict
