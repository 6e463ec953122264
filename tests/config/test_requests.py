"""What is answered before any view: sizes, methods, texts that cannot be read, and who has waited too long."""

import time
from io import BytesIO
from typing import Any

import pytest
from django.test import Client, RequestFactory
from django.urls import resolve

from config.requests import largest_body
from tests.every_route import every_route, some_of_everything
from tests.makers import make_user
from tests.sign_in import sign_in

FROM_A_PAGE = {"Accept-Language": "en"}


@pytest.mark.parametrize("path", ["/needs/?q=%00", "/needs/%00/"])
def test_an_address_that_cannot_be_read_is_answered_with_a_page(path: str) -> None:
    answer = Client().get(path)

    assert answer.status_code == 400
    assert answer.headers["Content-Type"].startswith("text/html")
    assert "<h1>" in answer.content.decode()


def test_a_program_is_answered_with_json() -> None:
    answer = Client().get("/api/v1/needs/?q=%00")

    assert answer.status_code == 400
    assert answer.json()["code"] == "invalid"


# -- size -------------------------------------------------------------------------------------------------


PIECES = {"HTTP_TRANSFER_ENCODING": "chunked", "CONTENT_LENGTH": ""}


def post(path: str, body: BytesIO, client: Client | None = None, **head: str) -> Any:
    """Send a form to a page, JSON to the API, from a stream of the test's own."""
    kind = "application/json" if path.startswith("/api/") else "application/x-www-form-urlencoded"
    given: dict[str, Any] = {"wsgi.input": body, "CONTENT_TYPE": kind, **head}
    return (client or Client()).generic("POST", path, **given)


class NeverRead(BytesIO):
    """A body that fails the test which reads it."""

    def read(self, *_size: int | None) -> bytes:
        raise AssertionError("the body was read")


@pytest.mark.django_db
def test_every_route_refuses_what_is_too_large_without_reading_it(settings: Any) -> None:
    keys = some_of_everything()

    def status_of(address: str) -> int:
        # A form with several files reads past one that is too large, so as to come back whole; it has an end of its own.
        most = getattr(resolve(address).func, "largest_body", 0)
        length = str(max(most, settings.DATA_UPLOAD_MAX_MEMORY_SIZE) + 1)
        return int(post(address, NeverRead(), CONTENT_LENGTH=length).status_code)

    answered = {route.name: status_of(route.address(keys)) for route in every_route()}

    assert {name for name, status in answered.items() if status != 413} == set()


def test_the_control_a_body_of_the_right_size_is_read() -> None:
    with pytest.raises(AssertionError, match="the body was read"):
        post("/sign-in/", NeverRead(), CONTENT_LENGTH="9")


class Endless(BytesIO):
    """A body without an end, which says how much of it was taken."""

    taken = 0

    def read(self, size: int | None = -1) -> bytes:
        assert size is not None
        assert size > 0
        self.taken += size
        return b"x" * size


@pytest.mark.parametrize("path", ["/sign-in/", "/api/v1/appeals/"])
def test_a_body_without_a_length_is_read_up_to_the_limit_and_no_further(settings: Any, path: str) -> None:
    body = Endless()

    answer = post(path, body, **PIECES)

    assert answer.status_code == 413
    assert body.taken == settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1


@pytest.mark.django_db
def test_a_small_body_without_a_length_is_read_like_any_other() -> None:
    answer = post("/sign-in/", BytesIO(b"username=nobody&password=nothing"), **PIECES)

    assert answer.status_code == 200
    assert answer.context["form"]["username"].value() == "nobody"


class Broken(BytesIO):
    def read(self, *_size: int | None) -> bytes:
        raise OSError("the connection ended")


@pytest.mark.parametrize("path", ["/sign-in/", "/api/v1/appeals/"])
@pytest.mark.parametrize("head", [{"CONTENT_LENGTH": "9"}, PIECES], ids=["of a length", "in pieces"])
def test_a_body_that_stops_coming_is_a_bad_request(db: None, path: str, head: dict[str, str]) -> None:
    client = (
        sign_in(Client(), make_user()) if path.startswith("/api/") else None
    )  # a stranger's is not even read there

    assert post(path, Broken(), client, **head).status_code == 400


@pytest.mark.parametrize("length", ["-5", "ten", "1e3", "+5", "٣", "5, 5"])
def test_a_length_that_is_no_number_is_a_bad_request(length: str) -> None:
    assert Client().generic("POST", "/api/v1/appeals/", CONTENT_LENGTH=length).status_code == 400


def test_a_view_says_itself_when_it_takes_more(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from supplies.accounts import views

    monkeypatch.setattr(views.sign_up, "largest_body", 5_000_000, raising=False)

    assert largest_body(RequestFactory().get("/sign-up/")) == 5_000_000
    assert largest_body(RequestFactory().get("/sign-in/")) == settings.DATA_UPLOAD_MAX_MEMORY_SIZE


# -- methods ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/", "/api/v1/needs/", "/desk/"])
@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "PROPFIND"])
def test_a_method_nobody_knows_is_not_taken_for_reading(path: str, method: str) -> None:
    answer = Client().generic(method, path)

    assert answer.status_code == 405
    assert "GET" in answer.headers["Allow"]


@pytest.mark.parametrize("path", ["/", "/needs/", "/desk/", "/sign-in/", "/nowhere/"])
@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS"])
def test_pages_are_asked_with_get_head_and_post_alone(path: str, method: str) -> None:
    answer = Client().generic(method, path)

    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, HEAD, POST")


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["X-HTTP-Method-Override", "X-Method-Override", "X-HTTP-Method"])
def test_a_method_cannot_be_overridden(name: str) -> None:
    answer = Client(headers={name: "DELETE"}).post("/api/v1/items/?_method=DELETE", {"_method": "DELETE"})

    assert answer.status_code == 401  # as a POST by nobody is


@pytest.mark.django_db
def test_nothing_that_is_sent_becomes_a_header_or_another_host() -> None:
    client, nasty = (
        Client(headers={"x-forwarded-host": "evil.example", "x-rewrite-url": "/desk/"}),
        "/\r\nX-Evil: 1",
    )

    answers = [
        client.post("/language/", {"language": "en", "next": nasty}),
        client.post("/language/", {"language": nasty, "next": "//evil.example/"}),
        client.get("/sign-in/", {"next": nasty}),
        client.get("/track/", {"code": nasty}),
        client.get("/api/v1/needs/", {"cursor": nasty}),
        client.get("/desk/"),
    ]

    assert all("X-Evil" not in answer.headers for answer in answers)
    assert all("evil.example" not in str(answer.headers) for answer in answers)
    assert [answer.status_code for answer in answers] == [302, 302, 200, 200, 400, 302]


# -- waiting ----------------------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("proxies", "waited", "status"),
    [(1, 11, 503), (1, 1, 200), (1, 9, 200), (0, 11, 200), (1, -1000, 200), (1, None, 200)],
)
def test_what_has_waited_too_long_at_our_own_proxy_is_refused(
    settings: Any, proxies: int, waited: int | None, status: int
) -> None:
    settings.TRUSTED_PROXIES, settings.SHED_PROXIED_AFTER_SECONDS = proxies, 10
    started = "nonsense" if waited is None else f"t={time.time() - waited:.3f}"

    answer = Client(headers={"x-request-start": started}).get("/sign-in/")

    assert answer.status_code == status
    assert ("Retry-After" in answer.headers) is (status == 503)


def test_who_asks_whether_the_site_lives_is_answered_however_long_the_queue_is(settings: Any) -> None:
    settings.TRUSTED_PROXIES, settings.SHED_PROXIED_AFTER_SECONDS = 1, 1.5
    waited = {"x-request-start": f"t={time.time() - 60:.3f}"}

    assert Client(headers=waited).get("/health/live").status_code == 200


# -- language ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("language", "shown"), [("en", "This could not be read"), ("zh-CN", 'lang="zh-hans"')]
)
def test_an_answer_before_any_view_is_in_the_readers_language_not_in_the_last_ones(
    language: str, shown: str
) -> None:
    Client(headers={"accept-language": "zh-CN" if language == "en" else "en"}).get("/sign-in/")

    answer = Client(headers={"accept-language": language}).get("/%00")

    assert shown in answer.content.decode()
