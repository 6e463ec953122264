"""Sending hostile values to pages, and what is wrong with what comes back."""

from collections.abc import Iterator, Mapping
from urllib.parse import quote, urlencode

from django.db import transaction
from django.test import Client

from tests.hostile.values import MARKUP

Values = Mapping[str, str | bytes]
FORM = "application/x-www-form-urlencoded"


def encoded(values: Values) -> str:
    """As a browser without manners would: also what is no UTF-8."""
    return urlencode(values, doseq=True, encoding="utf-8", errors="surrogatepass")


def in_a_path(value: str | bytes) -> str:
    raw = value if isinstance(value, bytes) else value.encode("utf-8", "surrogatepass")
    return quote(raw, safe="")


def in_a_header(value: str | bytes) -> str:
    """What a server lets through: one line, its bytes as Latin-1."""
    raw = value if isinstance(value, bytes) else value.encode("utf-8", "surrogatepass")
    return raw.translate(None, b"\r\n\x00").decode("latin-1")


def posted(client: Client, path: str, values: Values) -> Iterator[str]:
    """Faults of the answer to a form, and of the page it leads to. Whatever it did is undone."""
    cookies = client.cookies.copy()
    with transaction.atomic():
        answer = client.post(path, encoded(values), content_type=FORM)
        yield from faults(answer, f"POST {path} {dict(values)!r}"[:1500])
        if answer.status_code in (302, 303) and answer["Location"].startswith("/"):
            shown = client.get(answer["Location"])
            yield from faults(shown, f"POST {path} {dict(values)!r} and then {answer['Location']}"[:1500])
        transaction.set_rollback(True)
    client.cookies = cookies


def got(client: Client, path: str, values: Values | None = None, **headers: str) -> Iterator[str]:
    asked = f"{path}?{encoded(values)}" if values else path
    with transaction.atomic():
        answer = client.get(path, QUERY_STRING=encoded(values or {}), headers=headers)
        transaction.set_rollback(True)
    yield from faults(answer, f"GET {asked} {headers or ''}"[:1500])


def faults(answer: object, asked: str) -> Iterator[str]:
    status = answer.status_code  # type: ignore[attr-defined]
    if status >= 500:
        yield f"{status} to {asked}"
    streaming = getattr(answer, "streaming", False)
    content = b"".join(answer.streaming_content) if streaming else answer.content  # type: ignore[attr-defined]
    if MARKUP.encode() in content and answer.headers.get("Content-Type", "").startswith("text/html"):  # type: ignore[attr-defined]
        yield f"markup as it was sent, after {asked}"
