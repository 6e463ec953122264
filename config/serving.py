"""How gunicorn serves the site: `gunicorn --config python:config.serving config.wsgi:application`.

Its threads are few and each holds one request from its first byte to its last, so nobody may hold one for long: what stops
coming is given up after SECONDS_OF_SILENCE. A client that sends one byte at a time now and then is the proxy's to stop,
which reads a request whole before it passes it on (docs/operations.md).
"""

import gc
import os
import socket
import struct
import time
from typing import Any

from django.urls import reverse
from gunicorn.workers.gthread import TConn, ThreadWorker

from config import queue
from config.logs import logging_config

SECONDS_OF_SILENCE = int(os.environ.get("WEB_PATIENCE", "10"))


class Worker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """Threads that know how long a connection has waited for one of them."""

    def enqueue_req(self, conn: TConn) -> None:
        conn.enqueued = time.monotonic()
        super().enqueue_req(conn)

    def handle(self, conn: TConn) -> Any:
        queue.taken_up(time.monotonic() - conn.enqueued)
        return super().handle(conn)


worker_class = Worker
workers = int(os.environ.get("WEB_WORKERS", "2"))
threads = int(os.environ.get("WEB_THREADS", "4"))
worker_connections = (
    100  # held by a worker; whoever comes then waits in the backlog, or goes to another worker
)
backlog = 256  # and whoever comes then is turned away by the system
timeout = 60  # for a worker that hangs as a whole
graceful_timeout = 30
keepalive = 5
limit_request_line = 4094  # bytes of method and address
limit_request_fields = 64
limit_request_field_size = 8190  # bytes of a header
control_socket_disable = True
logconfig_dict = logging_config(
    as_words=os.environ.get("EMBEDDED") == "1", level=os.environ.get("LOG_LEVEL", "INFO")
)


def post_worker_init(worker: Any) -> None:
    """Nobody waits for what a process does once, nor again and again for what it never throws away."""
    settle_down()


def settle_down() -> None:
    """Read all routes, so that the first visitor does not wait a second for it, and take what stands now out of the
    collector's sight: to look through it all takes 0.15 s in the midst of some visitor's request. What a request makes and
    throws away it looks through every few requests and not several times in each: that was a tenth of their processor time."""
    reverse("home")
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000)


def when_ready(server: Any) -> None:
    """Connections inherit the patience of the socket they came in by; gunicorn itself would wait for ever."""
    patience = struct.pack("ll", SECONDS_OF_SILENCE, 0)
    for listener in server.LISTENERS:
        listener.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, patience)
        listener.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, patience)
