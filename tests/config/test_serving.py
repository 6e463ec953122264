"""What only a real server can show: sizes before reading, processes that share one count, what the log holds."""

import json
import tempfile
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as given
from django.test import Client

from tests.serving import HEAD, Served, status_in

pytestmark = [pytest.mark.slow, pytest.mark.django_db, pytest.mark.timeout(400)]
MIB = 1024 * 1024
TOKEN = "a token for the collector of the tests"
SCHEMA = "/api/schema/"  # of a class with few requests, set below


@pytest.fixture(scope="module")
def served(django_db_setup: None, django_db_blocker: Any) -> Iterator[Served]:
    with tempfile.TemporaryDirectory(prefix="tongzhou-") as place, django_db_blocker.unblock():
        server = Served(Path(place), LIMIT_DOCS="5/hour,5/hour,5/hour", METRICS_TOKEN=TOKEN, WEB_PATIENCE="2")
        yield server
        server.stop()


# -- waiting ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("shed_after", "status"), [("0.5", 503), ("30", 200)])
def test_what_waited_too_long_for_a_thread_is_refused_and_told_when_to_come_again(
    django_db_setup: None, django_db_blocker: Any, shed_after: str, status: int
) -> None:
    with tempfile.TemporaryDirectory(prefix="tongzhou-") as place, django_db_blocker.unblock():
        one_thread = {"WEB_WORKERS": "1", "WEB_THREADS": "1", "WEB_PATIENCE": "2"}
        server = Served(Path(place), SHED_AFTER_SECONDS=shed_after, **one_thread)
        try:
            with server.socket():  # says nothing, and holds the only thread until it is given up
                found, headers, _body = server.get("/sign-in/")
        finally:
            server.stop()

    assert found == status
    assert ("Retry-After" in headers) is (status == 503)


# -- size before reading ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/sign-in/",
        "/desk/login/",
        "/track/x/",
        "/api/v1/appeals/",
        "/api/docs/",
        "/health/live",
        "/nowhere/",
    ],
)
def test_a_request_that_is_too_large_is_refused_though_its_body_never_comes(
    served: Served, path: str
) -> None:
    assert served.said(f"POST {path} HTTP/1.1\n{HEAD}\nContent-Length: 2000001") == 413


@pytest.mark.parametrize(
    ("head", "status"),
    [
        ("Content-Length: 99999999999999999999", 413),
        ("Content-Type: multipart/form-data; boundary=x\nContent-Length: 2000001", 413),
        ("Content-Length: -1", 400),
        ("Content-Length: ten", 400),
        ("Content-Length: 1\nContent-Length: 2", 400),
        ("Content-Length: 5\nTransfer-Encoding: chunked", 400),
        ("X-Large: " + "x" * 65_536, 431),
        ("\n".join(f"X-{n}: x" for n in range(100)), 431),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_head_that_lies_or_is_too_long_is_refused(served: Served, head: str, status: int) -> None:
    assert served.said(f"POST /sign-in/ HTTP/1.1\n{HEAD}\n{head}") == status


def test_an_address_that_is_too_long_is_refused(served: Served) -> None:
    assert served.said(f"GET /?{'q' * 5000} HTTP/1.1\n{HEAD}") == 414


def test_a_body_of_a_gigabyte_without_a_length_is_given_up_early_and_not_kept(served: Served) -> None:
    before = resident(served)
    head = f"POST /api/v1/appeals/ HTTP/1.1\n{HEAD}\nTransfer-Encoding: chunked\n\n".replace("\n", "\r\n")
    piece = b"100000\r\n" + b"x" * MIB + b"\r\n"
    taken = 0

    with served.socket() as connection:
        connection.sendall(head.encode())
        try:
            while taken < 1024:
                connection.sendall(piece)
                taken += 1
        except ConnectionError:
            pass
        status = status_in(connection)

    assert taken < 64  # what lies in the buffers between us, and what it reads to be polite
    assert status in (413, 0)  # 0: the answer was lost with the connection
    assert resident(served) - before < 32 * MIB


def resident(served: Served) -> int:
    """The greatest memory any of the server's processes has held so far."""
    lines = [line for pid in served.pids for line in Path(f"/proc/{pid}/status").read_text().splitlines()]
    return max(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


def test_a_body_without_a_length_that_is_small_enough_is_read(served: Served) -> None:
    head = f"POST /api/v1/appeals/ HTTP/1.1\n{HEAD}\nTransfer-Encoding: chunked\nContent-Type: application/json\n\n"

    with served.socket() as connection:
        connection.sendall(head.replace("\n", "\r\n").encode() + b'8\r\n{"a": 1}\r\n0\r\n\r\n')
        assert status_in(connection) == 401  # read, and nobody is signed in


@pytest.mark.parametrize("begun", ["GET / HTTP/1.1\r\nHost: supplies", "GET / HT"])
def test_a_head_that_stops_coming_is_given_up(served: Served, begun: str) -> None:
    with served.socket() as connection:
        connection.sendall(begun.encode())
        assert (
            connection.recv(100) == b""
        )  # closed; a server without patience of its own would wait as long as we


# -- one count for all processes --------------------------------------------------------------------------


def test_processes_share_one_budget_whatever_address_a_client_claims(served: Served, settings: Any) -> None:
    """Two of the five are taken in this process; two processes of the server, asked at once, have three left."""
    settings.LIMITS, settings.LIMITS_TIMES = {**settings.LIMITS, "docs": {"stranger": "5/hour"}}, 1
    ours = [Client().get(SCHEMA).status_code for _time in range(2)]

    with ThreadPoolExecutor(8) as pool:
        asked = [
            pool.submit(
                served.get, SCHEMA, X_Forwarded_For=f"198.51.100.{n}", Forwarded=f"for=198.51.100.{n}"
            )
            for n in range(24)
        ]
        answers = [future.result() for future in asked]

    assert ours == [200, 200]
    assert len(served.pids) == 2
    assert Counter(status for status, _headers, _body in answers) == {200: 3, 429: 21}
    assert all("Retry-After" in headers for status, headers, _body in answers if status == 429)
    assert Client().get(SCHEMA).status_code == 429


# -- what the log holds -----------------------------------------------------------------------------------


def test_nothing_that_is_sent_to_us_gets_into_the_log(served: Served) -> None:
    form = b"username=canary&password=canary"
    headers = {
        "User_Agent": "canary",
        "Referer": "https://supplies.example.org/canary",
        "Cookie": "__Host-sessionid=canary; canary=canary",
        "Authorization": "Token tz_canary",
        "X_Forwarded_For": "canary",
        "X_Request_ID": "canary-canary",
        "Canary": "canary",
    }

    for path in (
        "/track/canary/",
        "/needs/?q=canary&after=canary&canary=canary",
        "/api/v1/needs/canary/?canary=canary",
        "/api/v1/track/canary/",
        "/track/canary%0a%7b%22event%22:%22canary%22%7d/",
        "/desk/canary/",
        "/canary/",
        "/needs/%00canary/",
    ):
        served.get(path, **headers)
    served.request("POST", "/sign-in/", form, **headers, Content_Type="application/x-www-form-urlencoded")
    for body in (b'{"canary": "canary"}', b"{canary", b'{"lines": [{"canary": "canary"}]}'):
        served.request("POST", "/api/v1/appeals/", body, **headers, Content_Type="application/json")
    served.get("/", **{**headers, "Host": "canary.example"})
    served.said(f"GET /canary HTTP/1.1\n{HEAD}\nX canary: bad name")
    served.said(f"CANARY /canary HTTP/1.1\n{HEAD}")

    text = served.log.read_text()
    assert "canary" not in text.lower()
    loggers = {json.loads(line)["logger"] for line in text.splitlines()}
    assert {"config.requests", "security", "django.security.DisallowedHost", "gunicorn.error"} <= loggers


def test_every_line_has_its_time_in_utc_and_every_request_its_id_which_the_answer_tells(
    served: Served,
) -> None:
    _status, headers, _body = served.get("/needs/")

    lines = map(json.loads, served.log.read_text().splitlines())
    (line,) = [line for line in lines if line.get("request_id") == headers["X-Request-ID"]]
    assert (line["event"], line["route"], line["method"], line["status"]) == ("request", "needs", "GET", 200)
    assert isinstance(line["ms"], int)
    assert line["timestamp"].endswith("Z")
    assert "127.0.0.1" not in json.dumps(line)


# -- counted over all processes ---------------------------------------------------------------------------


def test_the_metrics_add_up_what_every_process_has_counted(served: Served) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(served.get, ["/language/"] * 40))

    status, headers, body = served.get("/metrics", Authorization=f"Bearer {TOKEN}")

    assert status == 200
    assert 'tongzhou_requests_total{method="GET",route="language",status="405"} 40.0' in body.decode()
    assert headers["Cache-Control"] == "private, no-store"
    assert len(list((served.log.parent / "counts").glob("counter_*.db"))) == 2


def test_the_server_runs_on_the_settings_of_production(served: Served) -> None:
    _status, headers, _body = served.get("/sign-in/")

    assert headers["Set-Cookie"].startswith("__Host-csrftoken=")
    assert headers["Strict-Transport-Security"].startswith("max-age=31536000")
    assert given.EMBEDDED  # while this process runs on the embedded default
