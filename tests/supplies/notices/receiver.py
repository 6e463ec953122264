"""A partner's program for tests: it listens on this machine, checks nothing, and answers what it is told to."""

import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Received:
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def said(self) -> Any:
        return json.loads(self.body)


Answering = Callable[[Received], tuple[int, dict[str, str], bytes]]


def well(_message: Received) -> tuple[int, dict[str, str], bytes]:
    return 204, {}, b""


@dataclass
class Receiver:
    """got       what came, in order
    answers   what is answered to a message: status, headers, body
    silent    while set, messages are taken in and not answered until it is cleared or the receiver ends
    """

    answers: Answering = well
    got: list[Received] = field(default_factory=list)
    heard: threading.Condition = field(default_factory=threading.Condition)
    silent: threading.Event = field(default_factory=threading.Event)
    ended: threading.Event = field(default_factory=threading.Event)
    port: int = 0
    connections: int = 0

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"http://{self.host}/in?from=tongzhou"

    def wait_for(self, count: int, within: float = 60) -> list[Received]:
        with self.heard:
            assert self.heard.wait_for(lambda: len(self.got) >= count, within), f"only {len(self.got)} came"
            return list(self.got)


@contextmanager
def receiving(answers: Answering = well, tls: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    receiver = Receiver(answers)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            message = Received(self.path, {k.lower(): v for k, v in self.headers.items()}, body)
            with receiver.heard:
                receiver.got.append(message)
                receiver.heard.notify_all()
            while receiver.silent.is_set() and not receiver.ended.wait(0.02):
                pass
            status, headers, content = receiver.answers(message)
            self.send_response(status)
            for name, value in {"Content-Length": str(len(content)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def handle(self) -> None:
            receiver.connections += 1
            with suppress(OSError):
                super().handle()

        def log_message(self, *_words: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        request_queue_size = 128
        daemon_threads = True

    server = Server(("127.0.0.1", 0), Handler)
    receiver.port = server.server_port
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield receiver
    finally:
        receiver.ended.set()
        server.shutdown()
        thread.join()
        server.server_close()
