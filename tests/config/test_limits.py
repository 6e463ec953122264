"""How often is too often: which class a route is in, whose budget a request takes from, and what is answered."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client, RequestFactory
from django.utils import timezone
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter

from config import limits
from config.limits import DESK, ROUTES, Budget, class_of, class_of_route
from config.routes import NOWHERE, STATIC
from launcher.valkey import Valkey
from supplies.organisations import services as people
from supplies.organisations.keys import Scope
from supplies.organisations.models import User
from tests.config import planted
from tests.every_route import every_route
from tests.launcher.conftest import state, valkey  # noqa: F401
from tests.makers import make_item, make_member, make_need, make_shipment, make_user

pytestmark = pytest.mark.django_db
Setter = Callable[..., None]


@pytest.fixture
def budget(monkeypatch: pytest.MonkeyPatch, settings: Any) -> Budget:
    """A budget of the test's own, with the figures as they stand."""
    settings.LIMITS_TIMES = 1
    own = Budget(f"test:{uuid4()}")
    monkeypatch.setattr(limits, "budget", own)
    return own


@pytest.fixture
def limit(budget: Budget, settings: Any) -> Setter:
    """Set the rates of a class, as `limit("browse", stranger="3/hour")`; who is not named may come as often as she likes."""

    def setting(name: str, **rates: str) -> None:
        others = dict.fromkeys(("stranger", "account", "token"), "1000000/hour")
        settings.LIMITS = {**settings.LIMITS, name: {**others, **rates}}

    return setting


def statuses(client: Any, path: str, times: int, **more: Any) -> list[int]:
    return [client.get(path, **more).status_code for _time in range(times)]


# -- every route is in a class ----------------------------------------------------------------------------


def in_no_class(patterns: Any = None) -> list[str]:
    return sorted({route.name for route in every_route(patterns) if class_of_route(route.name) is None})


def test_every_route_is_in_a_class() -> None:
    assert in_no_class() == [], "put them into a line of ROUTES in config/limits.py"


def test_a_route_nobody_has_thought_about_is_found() -> None:
    assert in_no_class(planted.urlpatterns) == [
        "planted-away",
        "planted-broken",
        "planted-broken-api",
        "planted-changes",
        "planted-lax",
        "planted-open",
    ]


def test_every_class_names_routes_that_exist_once_and_has_its_figures(settings: Any) -> None:
    named = [route for routes in ROUTES.values() for route in routes.split()]

    assert len(named) == len(set(named))
    assert set(named) - {route.name for route in every_route()} == {NOWHERE, STATIC}
    assert set(settings.LIMITS) == set(ROUTES)
    assert all(set(rates) == {"stranger", "account", "token"} for rates in settings.LIMITS.values())
    assert not any(route.startswith(DESK) for route in ROUTES["browse"].split())


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("get", "/", "browse"),
        ("get", "/needs/", "browse"),
        ("get", "/needs/?q=mask", "search"),
        ("get", "/api/v1/needs/?q=mask", "search"),
        ("get", "/api/v1/needs/?region=420000", "browse"),
        ("post", "/api/v1/appeals/", "write"),
        ("patch", "/api/v1/needs/x/", "write"),
        ("get", "/track/abc/", "track"),
        ("get", "/api/v1/track/abc/", "track"),
        ("post", "/sign-in/", "sign-in"),
        ("post", "/desk/login/", "sign-in"),
        ("get", "/desk/supplies/appeal/?q=x", "desk"),
        ("post", "/desk/supplies/appeal/", "desk"),
        ("get", "/no/such/page/", "browse"),
        ("get", "/api/schema/", "docs"),
    ],
)
def test_a_request_is_counted_in_the_class_of_what_it_does(method: str, path: str, expected: str) -> None:
    assert class_of(getattr(RequestFactory(), method)(path)) == expected


# -- whose budget -----------------------------------------------------------------------------------------


def test_a_program_that_comes_too_often_is_told_when_to_come_back(limit: Setter) -> None:
    limit("browse", stranger="2/hour")
    client = Client(headers={"accept-language": "en"})

    assert statuses(client, "/api/v1/items/", 2) == [200, 200]
    refused = client.get("/api/v1/items/")

    assert refused.status_code == 429
    assert refused.json() == {
        "code": "too-many",
        "detail": "Too many requests. Wait for the seconds in Retry-After, then try again.",
    }
    assert 1 <= int(refused.headers["Retry-After"]) <= 3600
    assert refused.headers["Cache-Control"] == "private, no-store"


@pytest.mark.parametrize(
    ("language", "said"), [("en", "Too many requests"), ("zh-hans", '<html lang="zh-hans">')]
)
def test_a_person_who_comes_too_often_gets_a_page_in_her_language(
    limit: Setter, language: str, said: str
) -> None:
    limit("browse", stranger="1/hour")
    client = Client(headers={"accept-language": language})

    client.get("/")
    refused = client.get("/")

    assert refused.status_code == 429
    assert said in refused.content.decode()
    assert "Retry-After" in refused.headers


def test_neighbours_of_one_network_share_a_budget_and_an_account_has_its_own(limit: Setter) -> None:
    limit("browse", stranger="2/hour", account="3/hour")
    member, other = Client(), Client()
    member.force_login(make_user())
    other.force_login(make_user())
    network = {"REMOTE_ADDR": "2001:db8:1:2::1"}

    assert statuses(Client(), "/api/v1/items/", 3, **network) == [200, 200, 429]
    assert statuses(Client(), "/api/v1/items/", 1, REMOTE_ADDR="2001:db8:1:2::ffff") == [429]
    assert statuses(Client(), "/api/v1/items/", 1, REMOTE_ADDR="2001:db8:1:3::1") == [200]
    assert statuses(member, "/api/v1/items/", 4, **network) == [200, 200, 200, 429]
    assert statuses(other, "/api/v1/items/", 1, **network) == [200]


def test_reports_of_a_network_share_a_small_budget_on_the_page_and_in_the_api(limit: Setter) -> None:
    limit("report", stranger="3/hour", account="3/hour")
    need, network = make_need(), {"REMOTE_ADDR": "192.0.2.7"}
    body = {"need": str(need.pk), "kind": "fake"}

    def send(client: Client) -> int:
        return client.post("/api/v1/change-requests/", body, "application/json", **network).status_code

    assert statuses(Client(), f"/report/need/{need.pk}/", 2, **network) == [200, 200]
    assert [send(Client()), send(Client())] == [201, 429]
    assert statuses(Client(), f"/report/need/{need.pk}/", 1, **network) == [429]
    assert statuses(Client(), f"/appeals/{need.appeal_id}/", 1, **network) == [200]


def test_a_forged_address_takes_from_the_same_budget(limit: Setter) -> None:
    limit("browse", stranger="2/hour")

    seen = [
        Client(headers={"x-forwarded-for": f"198.51.100.{n}"}).get("/api/v1/items/").status_code
        for n in range(3)
    ]

    assert seen == [200, 200, 429]


def issued(user: User) -> str:
    _token, secret = people.issue_token(user, name="program", scopes=[Scope.READ], at=timezone.now())
    return f"Token {secret}"


def test_a_token_has_a_budget_of_its_own_and_one_that_is_not_valid_has_none(limit: Setter) -> None:
    limit("browse", stranger="2/hour", token="3/hour")
    program = Client(headers={"authorization": issued(make_member("carrier"))})

    assert statuses(program, "/api/v1/items/", 4) == [200, 200, 200, 429]
    tried = [
        Client(headers={"authorization": f"Token tz_{n}"}).get("/api/v1/items/").status_code for n in range(4)
    ]
    assert tried == [401, 401, 429, 429]


def test_a_token_is_looked_up_once_a_request(limit: Setter, django_assert_num_queries: Any) -> None:
    secret = issued(make_member("carrier"))
    make_item()
    Client(headers={"authorization": secret}).get("/api/v1/items/")  # the first of the day is noted
    with django_assert_num_queries(3):  # the token with its person, the keys of a page, its rows
        answer = Client(headers={"authorization": secret}).get("/api/v1/items/")

    assert answer.status_code == 200


def test_a_code_that_is_nobodys_costs_as_much_as_ten_that_are_somebodys(limit: Setter) -> None:
    limit("track", stranger="40/hour")
    code = make_shipment().code

    assert statuses(Client(), f"/track/{code}/", 30, REMOTE_ADDR="192.0.2.1") == [200] * 30
    assert statuses(Client(), f"/track/{'2' * 26}/", 6, REMOTE_ADDR="192.0.2.2") == [404] * 4 + [429] * 2
    assert statuses(Client(), f"/api/v1/track/{code}/", 1, REMOTE_ADDR="192.0.2.2") == [429]


def test_a_class_does_not_take_from_another(limit: Setter) -> None:
    limit("sign-in", stranger="1/hour")

    assert statuses(Client(), "/sign-in/", 2) == [200, 429]
    assert statuses(Client(), "/", 1) == [200]


def test_a_busy_week_is_not_refused_by_the_figures_as_they_stand(budget: Budget) -> None:
    assert statuses(Client(), "/api/v1/items/", 20) == [200] * 20
    assert statuses(Client(), "/sign-in/", 10) == [200] * 10


# -- one step a request -----------------------------------------------------------------------------------


def test_a_request_that_is_let_through_costs_one_step_of_the_store(limit: Setter, budget: Budget) -> None:
    client: Any = budget._counter.storage.get_connection()  # type: ignore[attr-defined]
    steps: list[str] = []
    execute = client.execute_command

    def counted(*args: Any, **more: Any) -> Any:
        steps.append(args[0])
        return execute(*args, **more)

    statuses(Client(), "/api/v1/items/", 1)  # the store reads the script once
    client.execute_command = counted
    statuses(Client(), "/api/v1/items/", 3)

    assert steps == ["EVALSHA"] * 3


# -- the store is down ------------------------------------------------------------------------------------


@pytest.fixture
def own_store(budget: Budget, settings: Any, valkey: Valkey) -> Valkey:  # noqa: F811
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": valkey.cache_url}}
    assert statuses(Client(), "/sign-up/", 1) == [200]
    return valkey


def test_while_the_store_is_down_people_browse_and_sign_in_and_nobody_makes_accounts(
    own_store: Valkey, log: Callable[[], list[dict[str, Any]]]
) -> None:
    own_store.stop()

    assert statuses(Client(), "/", 3) == [200] * 3
    assert statuses(Client(), "/sign-in/", 2) == [200] * 2
    refused = Client(headers={"accept-language": "en"}).get("/sign-up/")

    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "5")
    assert "The site is busy" in refused.content.decode()
    said = [line["event"] for line in log() if line["logger"] == "config.limits"]
    assert said == ["nobody counts requests: the store does not answer"]


def test_when_the_store_is_back_it_counts_again(
    own_store: Valkey, limit: Setter, monkeypatch: pytest.MonkeyPatch, log: Callable[[], list[dict[str, Any]]]
) -> None:
    monkeypatch.setattr(limits, "SECONDS_LEFT_ALONE", 0.0)
    limit("browse", stranger="2/hour")
    own_store.stop()
    assert statuses(Client(), "/api/v1/items/", 4) == [200] * 4

    own_store.start()

    assert statuses(Client(), "/api/v1/items/", 3) == [200, 200, 429]
    assert [line["event"] for line in log() if line["logger"] == "config.limits"] == [
        "nobody counts requests: the store does not answer",
        "requests are counted again",
    ]


def test_a_store_that_does_not_answer_is_left_alone_for_a_while(own_store: Valkey, budget: Budget) -> None:
    own_store.stop()
    statuses(Client(), "/", 1)
    budget.__dict__["_counter"] = None  # whoever asks it now fails

    assert statuses(Client(), "/", 3) == [200] * 3


# -- control ----------------------------------------------------------------------------------------------


def test_the_control_a_count_in_this_process_alone_is_not_shared(limit: Setter, budget: Budget) -> None:
    """What the tests of two processes must be able to tell apart (test_serving.py)."""
    limit("browse", stranger="1/hour")
    budget.__dict__["_counter"] = SlidingWindowCounterRateLimiter(MemoryStorage())

    assert statuses(Client(), "/api/v1/items/", 2) == [200, 429]
    budget.__dict__["_counter"] = SlidingWindowCounterRateLimiter(MemoryStorage())
    assert statuses(Client(), "/api/v1/items/", 1) == [200]
