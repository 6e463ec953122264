"""Webhooks: how long ten thousand deliveries take to a receiver on this machine that fails at every tenth the first time."""

import statistics
import subprocess
import sys
import time
from typing import Any

from django.test.utils import override_settings
from django.utils import timezone

from bench.databases import make, make_template, settle, write
from bench.reporting import Report, Table
from supplies.notices import services
from supplies.notices.carrying import carry
from supplies.notices.models import TEST, DeliveryStatus, WebhookDelivery
from supplies.organisations.models import Organisation
from supplies.regions.models import Region

DELIVERIES, ENDPOINTS = 10_000, 20
GOAL_SECONDS = 60
DATABASE = "bench_webhooks"
# In a process of its own, as a partner's program is: of every ten messages it fails at one, the first time it comes.
RECEIVER = """
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
seen = set()
class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        message = self.headers["webhook-id"]
        fails = message not in seen and int(message[-4:], 16) % 10 == 0
        seen.add(message)
        self.send_response(503 if fails else 204)
        self.send_header("Content-Length", "0")
        self.end_headers()
    def log_message(self, *words): pass
class Server(ThreadingHTTPServer):
    request_queue_size = 256
    daemon_threads = True
server = Server(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
"""


def measure() -> Report:
    make_template()
    make(DATABASE)
    receiver = subprocess.Popen([sys.executable, "-c", RECEIVER], stdout=subprocess.PIPE, text=True)
    try:
        assert receiver.stdout is not None
        host = f"127.0.0.1:{receiver.stdout.readline().strip()}"
        with override_settings(WEBHOOK_HOSTS=[host]):
            return _report(drain(host))
    finally:
        receiver.terminate()
        receiver.wait()


def drain(host: str) -> dict[str, Any]:
    """Fill, send until nothing waits, and tell how long that took."""
    at = timezone.now()
    region = Region.objects.get(pk="420106")
    waiting = []
    for number in range(ENDPOINTS):
        owner = Organisation.objects.create(
            kind="carrier", name=f"演练{number}", normal_name=f"演练{number}", region=region
        )
        endpoint, _secret = services.add(
            owner, url=f"http://{host}/{number}", kinds=["shipment.seen"], by=None, at=at
        )
        waiting += [
            WebhookDelivery(endpoint=endpoint, kind=TEST, created_at=at, began_at=at, next_at=at)
            for _delivery in range(DELIVERIES // ENDPOINTS)
        ]
    write(WebhookDelivery, waiting)
    settle()
    began, attempts = time.perf_counter(), 0
    while WebhookDelivery.objects.waiting().exists():
        attempts += carry()
    seconds = time.perf_counter() - began
    rows = WebhookDelivery.objects.filter(status=DeliveryStatus.DELIVERED)
    took = sorted(rows.values_list("took_ms", flat=True))
    return {
        "deliveries": rows.count(),
        "endpoints": ENDPOINTS,
        "attempts": attempts,
        "failed_at_first": rows.filter(attempts__gt=1).count(),
        "seconds": round(seconds, 1),
        "goal_seconds": GOAL_SECONDS,
        "per_second": round(attempts / seconds),
        "took_ms_p50": statistics.median(took),
        "took_ms_p95": took[len(took) * 95 // 100],
    }


def _report(figures: dict[str, Any]) -> Report:
    names = {
        "deliveries": "deliveries",
        "endpoints": "endpoints",
        "attempts": "attempts",
        "failed_at_first": "answered 503 the first time",
        "seconds": f"seconds until the last got through (goal: {GOAL_SECONDS})",
        "per_second": "attempts a second",
        "took_ms_p50": "milliseconds of an attempt, median",
        "took_ms_p95": "milliseconds of an attempt, p95",
    }
    rows = [(words, figures[name]) for name, words in names.items()]
    says = (
        "Deliveries that wait are drained by one worker to a receiver in another process on this machine. It answers every tenth"
        " message with 503 the first time it comes; the retry after five seconds is part of the time."
    )
    return Report("webhooks", "Webhooks drained", says, [Table(("what", "figure"), rows)], figures)
