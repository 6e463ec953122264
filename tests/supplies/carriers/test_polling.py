"""Asking 快递100: the documented shapes against a server of ours, never oftener than it bears, and not at all unless wanted."""

import hashlib
import json
import threading
from collections.abc import Iterator, Mapping
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode
from urllib.request import Request, urlopen

import pytest

from supplies.carriers import polling
from supplies.carriers.interfaces import NotRead
from supplies.carriers.models import CarrierAccount
from tests.makers import NOW
from tests.supplies.carriers.telling import carried_by, entry, make_account

pytestmark = pytest.mark.django_db
NOTHING = {"result": False, "returnCode": "500", "message": "查询无结果，请隔段时间再查"}


class Stub:
    """快递100 as its documents show it: checks the signature, answers with the state of the number."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.answers: dict[str, Any] = {}
        stub = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
                param = form["param"][0]
                digest = hashlib.md5(f"{param}practice-keyC1".encode()).hexdigest().upper()
                asked = json.loads(param)
                stub.asked.append(asked)
                known = stub.answers.get(asked["num"], NOTHING)
                answer = known if form["sign"][0] == digest else NOTHING | {"returnCode": "503"}
                body = json.dumps(answer, ensure_ascii=False).encode()
                self.send_response(200)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args: Any) -> None: ...

        self.server = HTTPServer(("127.0.0.1", 0), Handler)

    def post(self, _address: str, form: Mapping[str, str]) -> str:
        here = f"http://127.0.0.1:{self.server.server_port}/poll/query.do"
        with urlopen(Request(here, urlencode(form).encode())) as answer:
            return str(answer.read().decode())


@pytest.fixture
def stub(settings: Any) -> Iterator[Stub]:
    settings.CARRIERS_POLLED = True
    stub = Stub()
    thread = threading.Thread(target=stub.server.serve_forever)
    thread.start()
    yield stub
    stub.server.shutdown()
    thread.join()
    stub.server.server_close()


def an_account(**fields: Any) -> CarrierAccount:
    account = make_account("kuaidi100", customer="C1", company="yuantong", polls=True, **fields)
    account.poll_key = "practice-key"
    account.save()
    return account


def found(number: str, *entries: dict[str, Any]) -> dict[str, Any]:
    return {
        **{"message": "ok", "nu": number, "ischeck": "0", "com": "yuantong", "status": "200", "state": "0"},
        "data": list(entries),
    }


def test_what_it_answers_is_written_down_and_what_it_is_asked_is_as_documented(stub: Stub) -> None:
    account = an_account()
    shipment = carried_by(account.carrier, "YT1")
    stub.answers["YT1"] = found("YT1", entry("2026-11-23 07:00:00", "5"), entry("2026-11-22 20:00:00", "1"))

    asked = polling.poll_all(at=NOW, post=stub.post)

    assert asked == 1
    assert stub.asked == [{"com": "yuantong", "num": "YT1", "phone": "", "resultv2": "4"}]
    shipment.refresh_from_db()
    assert shipment.sighting_status == "out_for_delivery"


def test_a_number_is_asked_about_no_more_than_twice_in_any_hour(stub: Stub) -> None:
    account = an_account()
    carried_by(account.carrier, "YT1")

    for minute in range(0, 181, 5):
        polling.poll_all(at=NOW + timedelta(minutes=minute), post=stub.post)
        polling.poll(account, "YT1", at=NOW + timedelta(minutes=minute), post=stub.post)

    assert len(stub.asked) == 6  # at 0, 35, 70, 105, 140 and 175 minutes


def test_an_answer_that_is_none_is_no_event_and_the_number_was_asked_about(stub: Stub) -> None:
    account = an_account()
    carried_by(account.carrier, "YT1")

    told = polling.poll(account, "YT1", at=NOW, post=stub.post)
    again = polling.poll(account, "YT1", at=NOW, post=stub.post)

    assert (told, again, len(stub.asked)) == ([], None, 1)


def test_only_what_is_under_way_is_asked_about(stub: Stub) -> None:
    account = an_account()
    for waybill, status in (("YT1", "draft"), ("YT2", "booked"), ("YT3", "in_transit")):
        carried_by(account.carrier, waybill, status)

    polling.poll_all(at=NOW, post=stub.post)

    assert {asked["num"] for asked in stub.asked} == {"YT2", "YT3"}


def test_nothing_is_asked_unless_it_was_turned_on(stub: Stub, settings: Any) -> None:
    settings.CARRIERS_POLLED = False
    carried_by(an_account().carrier, "YT1")

    assert polling.poll_all(at=NOW, post=stub.post) == 0
    assert stub.asked == []


def test_a_carrier_that_is_away_is_noted_and_stops_nobody() -> None:
    def away(_address: str, _form: Mapping[str, str]) -> str:
        raise NotRead("TimeoutError", code="not-answered")

    account = an_account()
    carried_by(account.carrier, "YT1")

    assert polling.poll(account, "YT1", at=NOW, post=away) == []
