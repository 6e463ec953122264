"""How files come in: by the few routes that say they take one, into memory, never onto the disk unsealed."""

import os
from collections.abc import Callable
from functools import wraps
from typing import Any, BinaryIO, cast

from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler
from django.http import HttpRequest, HttpResponse

from supplies.attachments.models import MOST_BYTES

ROOM_FOR_THE_FORM = 100_000  # bytes around the file: the other fields, and what multipart puts between
READ_PAST = (
    64_000_000  # bytes of a long form whose files may be too large; what is typed in it is not to be lost
)
View = Callable[..., HttpResponse]


def takes_files(view: View, field: str = "") -> View:
    """Let this view's address take a body as large as one file. `config.requests` asks the view before reading any of it.

    field   where a program sends the file: named in the refusal of one that is too large
    """

    @wraps(view)
    def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return view(request, *args, **kwargs)

    inner.largest_body = MOST_BYTES + ROOM_FOR_THE_FORM  # type: ignore[attr-defined]
    inner.file_field = field  # type: ignore[attr-defined]
    return inner


def reads_past_files(view: View) -> View:
    """Like `takes_files`, for a form with several files and much to type: where one of them is too large, the form comes
    back whole and says so. What is too much of a file is read, and kept nowhere.
    """
    inner = takes_files(view)
    inner.largest_body = READ_PAST  # type: ignore[attr-defined]
    return inner


def in_memory(content: bytes = b"") -> BinaryIO:
    """A file that has a descriptor, which another process can be given, and no place on any disk."""
    file = cast(BinaryIO, os.fdopen(os.memfd_create("upload", os.MFD_CLOEXEC), "w+b"))
    file.write(content)
    file.flush()
    file.seek(0)
    return file


class InMemory(FileUploadHandler):
    """Keeps what is sent in memory, once, as far as a file may be long; a longer one is known by its size."""

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        self.file = in_memory()

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        if start < MOST_BYTES:
            self.file.write(raw_data)

    def file_complete(self, file_size: int) -> UploadedFile:
        self.file.flush()
        self.file.seek(0)
        return UploadedFile(self.file, self.file_name, self.content_type, file_size, self.charset)

    def upload_interrupted(self) -> None:
        if hasattr(self, "file"):
            self.file.close()
