"""Files of a dump as HTTP wants them: with a strong ETag, and in part where a download is taken up again (RFC 9110, 14)."""

import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils.cache import get_conditional_response
from django.utils.http import http_date, parse_http_date_safe

PIECE = 1 << 16
RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", re.ASCII)


def served(
    request: HttpRequest, file: Path, *, sha256: str, modified: datetime, content_type: str
) -> HttpResponseBase:
    """The file, the part of it that is asked for, or word that it is still the same. Raises FileNotFoundError."""
    size, etag, changed = file.stat().st_size, f'"{sha256}"', int(modified.timestamp())
    found: HttpResponseBase = HttpResponse(content_type=content_type)
    found.headers["ETag"], found.headers["Last-Modified"] = etag, http_date(changed)
    known = get_conditional_response(request, etag, changed, found)  # type: ignore[arg-type]
    if known is None or known.status_code in (304, 412):
        return known or found
    part = _part(request, size, etag, changed)
    if part is None:
        response: HttpResponseBase = FileResponse(file.open("rb"), content_type=content_type)
    elif not part:
        response = HttpResponse(status=416)
        response.headers["Content-Range"] = f"bytes */{size}"
    else:
        response = StreamingHttpResponse(_read(file, part), status=206, content_type=content_type)
        response.headers["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{size}"
        response.headers["Content-Length"] = str(len(part))
    for name in ("ETag", "Last-Modified"):
        response.headers[name] = found.headers[name]
    response.headers["Accept-Ranges"] = "bytes"
    return response


def _part(request: HttpRequest, size: int, etag: str, changed: int) -> range | None:
    """The bytes that are asked for; an empty range where there are none, None for the whole.

    Several ranges at once, and what cannot be read, are answered with the whole, as the rule allows.
    """
    asked = RANGE.fullmatch(request.headers.get("Range", "").strip())
    if asked is None or request.method != "GET" or not _is_of_this(request, etag, changed):
        return None
    first, last = asked.groups()
    if not first:
        return range(max(size - int(last), 0), size) if last else None
    start, stop = int(first), int(last) + 1 if last else size
    return range(start, min(stop, size)) if start < stop else None if last else range(0)


def _is_of_this(request: HttpRequest, etag: str, changed: int) -> bool:
    """Whether what somebody has of it already is of this very file."""
    given = request.headers.get("If-Range")
    return given is None or given == etag or parse_http_date_safe(given) == changed


def _read(file: Path, part: range) -> Iterator[bytes]:
    with file.open("rb") as source:
        source.seek(part.start)
        left = len(part)
        while left and (piece := source.read(min(PIECE, left))):
            left -= len(piece)
            yield piece
