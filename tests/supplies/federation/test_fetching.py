"""Where we may be led: out into the world over TLS, and nowhere else, whatever a name says."""

import http.server
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest

from supplies.connecting import may_be_reached
from supplies.federation import fetching
from supplies.federation.fetching import CannotFetch, asked, asked_whole, site_at

INSIDE = [
    "127.0.0.1", "127.8.8.8", "0.0.0.0", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
    "192.0.0.1", "192.0.0.192", "192.88.99.1", "192.0.2.1", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255",
    "::", "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1", "fe80::1", "fe80::1%lo", "fc00::1", "ff02::1",
    "64:ff9b::7f00:1", "64:ff9b:1::a00:1", "2002:7f00:1::", "2001::1", "2001:db8::1", "100::1",
]  # fmt: skip
SPELLED = ["127.1", "2130706433", "0x7f000001", "0177.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0"]
NO_SITE = [
    "", "ftp://example.org", "file:///etc/passwd", "http://example.org", "https://example.org:8443", "https://example.org:22",
    "https://user@example.org", "https://user:word@example.org", "https://example.org/path", "https://example.org?x=1",
    "https://example.org#x", "https://exa mple.org", "https://", "https://example.org:99999", "https://例え.org",
    "https://example.org\r\nX: y", "javascript:alert(1)", "gopher://127.0.0.1", "https://[::1", "//example.org",
]  # fmt: skip


@pytest.mark.parametrize("address", INSIDE)
def test_an_address_inside_is_not_reached(address: str) -> None:
    assert not may_be_reached(address)


@pytest.mark.parametrize("address", ["1.1.1.1", "93.184.216.34", "2606:4700:4700::1111", "::ffff:1.1.1.1"])
def test_an_address_out_in_the_world_is(address: str) -> None:
    assert may_be_reached(address)


@pytest.mark.parametrize("address", NO_SITE)
def test_what_is_no_site_over_tls_is_refused_as_an_address(address: str) -> None:
    with pytest.raises(CannotFetch):
        site_at(address)


@pytest.fixture
def inside(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Whoever connects to this machine at the port of https is counted."""
    connected: list[Any] = []
    monkeypatch.setattr(socket.socket, "connect", lambda self, place: connected.append(place))
    return connected


@pytest.mark.parametrize("host", SPELLED)
def test_however_an_inner_address_is_spelled_nothing_connects_to_it(host: str, inside: list[Any]) -> None:
    with (
        pytest.raises(CannotFetch),
        asked(site_at(f"https://{host}"), "/open/key/", until=time.monotonic() + 5),
    ):
        pass

    assert inside == []


def test_a_name_is_asked_for_once_so_that_it_cannot_lead_elsewhere_the_second_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answers, connected = iter(["93.184.216.34", "127.0.0.1"]), []
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_words, **_more: [(2, 1, 6, "", (next(answers), 443))])

    def connect(place: Any, *_words: Any) -> Any:
        connected.append(place)
        raise OSError

    monkeypatch.setattr(socket, "create_connection", connect)
    with (
        pytest.raises(CannotFetch),
        asked(site_at("https://rebinds.example.org"), "/", until=time.monotonic() + 5),
    ):
        pass

    assert connected == [("93.184.216.34", 443)]


def test_a_name_that_also_leads_inside_is_refused(monkeypatch: pytest.MonkeyPatch, inside: list[Any]) -> None:
    both = [(2, 1, 6, "", (address, 443)) for address in ("93.184.216.34", "10.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_words, **_more: both)

    with (
        pytest.raises(CannotFetch, match="private network"),
        asked(site_at("https://both.example.org"), "/", until=time.monotonic() + 5),
    ):
        pass

    assert inside == []


@pytest.fixture
def hostile(settings: Any) -> Iterator[str]:
    """A site the operator vouches for that does not behave."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/elsewhere":
                self.send_response(302)
                self.send_header("Location", "http://169.254.169.254/")
                self.send_header("Content-Length", "0")
                self.end_headers()
            elif self.path == "/endless":
                self.send_response(200)
                self.end_headers()
                while True:
                    self.wfile.write(b"x" * 4096)
            elif self.path == "/drips":
                for _byte in range(1000):
                    self.wfile.write(b"H")
                    self.wfile.flush()
                    if stop.wait(0.05):
                        return

        def handle(self) -> None:
            with suppress(OSError):
                super().handle()

        def log_message(self, *_words: Any) -> None:
            pass

    stop = threading.Event()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    settings.FEDERATION_HOSTS = [f"127.0.0.1:{server.server_port}"]
    yield f"http://127.0.0.1:{server.server_port}"
    stop.set()
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_redirect_is_not_followed(hostile: str) -> None:
    with pytest.raises(CannotFetch, match="leads elsewhere"):
        asked_whole(site_at(hostile), "/elsewhere", most=10, until=time.monotonic() + 5)


def test_no_more_is_read_than_may_be(hostile: str) -> None:
    with pytest.raises(CannotFetch, match="larger than 10000 bytes"):
        asked_whole(site_at(hostile), "/endless", most=10_000, until=time.monotonic() + 5)


@pytest.mark.parametrize("path", ["/endless", "/drips"])
def test_an_answer_that_takes_too_long_is_hung_up_on(hostile: str, path: str) -> None:
    began = time.monotonic()

    with pytest.raises(CannotFetch):
        asked_whole(site_at(hostile), path, most=1 << 60, until=began + 0.5)

    assert time.monotonic() - began < 5


def test_a_site_that_is_named_is_that_port_of_it_and_no_other(settings: Any) -> None:
    settings.FEDERATION_HOSTS = ["127.0.0.1:8001"]

    assert fetching.site_at("http://127.0.0.1:8001").is_named
    with pytest.raises(CannotFetch):
        fetching.site_at("http://127.0.0.1:8002")
