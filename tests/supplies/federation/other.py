"""Another instance for tests: what it has published, over HTTP, with the serving code of ours. It can hang up in the middle."""

import base64
import json
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from django.test import RequestFactory, override_settings

from supplies.opendata import dump
from supplies.opendata.models import SigningKey
from supplies.opendata.serving import served
from supplies.opendata.signing import SECRET_BYTES, _public_bytes, described
from tests.makers import NOW


class Other:
    """folder    where its dumps lie
    key       its signing key, which is not in our database
    asked     the paths that were asked for, with the status of the answer
    cut_at    of the next files, only so many bytes are sent
    answers   what it answers to a path instead of what it has
    """

    def __init__(self, folder: Path, instance: str = "https://other.example.org") -> None:
        self.folder, self.instance = folder, instance
        self.asked: list[tuple[str, int]] = []
        self.cut_at: int | None = None
        self.answers: dict[str, tuple[int, dict[str, str], bytes]] = {}
        self.address = ""
        self.key = self._own_key()

    def _own_key(self) -> SigningKey:
        """Made as every instance makes one, and never in our database."""
        secret = secrets.token_urlsafe(SECRET_BYTES)
        key = SigningKey(public=base64.b64encode(_public_bytes(secret)).decode(), made_at=NOW)
        key.secret = secret
        return key

    def publishes(self, *, at: datetime = NOW) -> dump.Dump:
        """A dump of what is in the database now, signed with its key."""
        with override_settings(OPEN_DATA_DIR=self.folder, OPEN_DATA_INSTANCE=self.instance):
            return dump.write(self.key, at=at)

    @property
    def described(self) -> dict[str, Any]:
        with override_settings(OPEN_DATA_INSTANCE=self.instance):
            return described(self.key)

    def newest(self) -> dump.Dump:
        with override_settings(OPEN_DATA_DIR=self.folder):
            found = dump.newest()
        assert found is not None
        return found

    def rewrites(self, change: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
        """Change the newest manifest without signing it anew."""
        path = self.newest().folder / dump.MANIFEST
        said: dict[str, Any] = json.loads(path.read_bytes())
        change(said)
        path.write_text(json.dumps(said))
        return said

    def file_of(self, path: str) -> tuple[Path, str] | None:
        made = self.newest()
        if path.startswith("/open/dumps/"):
            name = path.rpartition("/")[2]
            digests = {part.name: part.sha256 for part in made.parts}
            return made.folder / name, digests.get(name, "")
        if path in ("/open/manifest.json", "/open/manifest.json.sig"):
            file = made.folder / path.removeprefix("/open/")
            return file, dump.sha256_of(file)
        return None

    @contextmanager
    def served(self) -> Iterator[str]:
        """Its address."""
        server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
            server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        other = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                status, headers, body = other.answer(self.path, dict(self.headers.items()))
                other.asked.append((self.path, status))
                self.send_response(status)
                for name, value in {"Content-Length": str(len(body)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                cut = other.cut_at if self.path.endswith(".gz") else None
                self.wfile.write(body[:cut])

            def log_message(self, *_words: Any) -> None:
                pass

        return Handler

    def answer(self, path: str, headers: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        if path in self.answers:
            return self.answers[path]
        if path == "/open/key/":
            return 200, {}, json.dumps(self.described).encode()
        found = self.file_of(path)
        if found is None:
            return 404, {}, b""
        request = RequestFactory().get(path, headers=headers)
        answer = served(request, found[0], sha256=found[1], modified=NOW, content_type="text/plain")
        body = b"".join(answer) if answer.streaming else answer.content  # type: ignore[attr-defined]
        told = {name: value for name, value in answer.headers.items() if name != "Content-Length"}
        return answer.status_code, told, body
