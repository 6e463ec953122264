"""What holds for the whole API: its errors, its input, its lists, its description."""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import yaml
from django.core.management import call_command
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from config.api_v1 import router
from matching.models import FamilyRun, MatchingRun, Proposal, Shortfall
from supplies.needs.models import Appeal, Need
from supplies.notices.searches import SavedSearch
from supplies.offers.models import Donation
from supplies.organisations import services as people
from supplies.organisations.models import Scope, User
from supplies.privacy.services import reveal
from supplies.receipts import services as receiving
from supplies.regions.models import Region
from tests.api_client import V1, Speaker, today  # noqa: F401
from tests.makers import (
    NOW,
    TODAY,
    make_allocation,
    make_announcement,
    make_appeal,
    make_batch,
    make_category,
    make_delivery,
    make_donation,
    make_emergency,
    make_facility,
    make_foreign_need,
    make_item,
    make_listing,
    make_load,
    make_member,
    make_need,
    make_notice,
    make_offer,
    make_organisation,
    make_region,
    make_shipment,
    make_standard,
    make_user,
    make_webhook,
)

pytestmark = pytest.mark.django_db


def make_proposal(**fields: Any) -> Proposal:
    need, offer = fields.pop("need", None) or make_need(), fields.pop("offer", None) or make_offer()
    run = MatchingRun.objects.create(
        emergency=need.appeal.emergency, trigger="hand", as_of=NOW, created_at=NOW, status="done"
    )
    family = FamilyRun.objects.create(run=run, emergency=run.emergency, family="masks", status="done")
    defaults = {
        "quantity": 100,
        "km": 10,
        "days": 2,
        "created_at": NOW,
        "expires_at": NOW + timedelta(days=2),
    }
    return Proposal.objects.create(family_run=family, need=need, offer=offer, **{**defaults, **fields})


def appeal_body(facility: Any = None, **line: Any) -> dict[str, Any]:
    """A valid appeal with one line, changed by keyword."""
    facility = facility or make_facility()
    line = {"item": make_item().pk, "quantity": 500, **line}
    return {
        "facility": str(facility.pk),
        "emergency": make_emergency().pk,
        "lines": [{key: value for key, value in line.items() if value is not ...}],
    }


# -- errors -----------------------------------------------------------------------------------------------


def test_every_error_has_a_code_and_a_sentence(stranger: Any) -> None:
    need = make_need(make_facility())

    answers = {
        400: Speaker().get("needs/", colour="red"),
        401: Speaker().post("appeals/", {}),
        403: Speaker(stranger).post(f"needs/{need.pk}/confirm/"),
        404: Speaker().get("needs/0/"),
        405: Speaker(stranger).client.delete(f"{V1}needs/{need.pk}/"),
        415: Speaker(stranger).send("appeals/", b"a=1", "application/x-www-form-urlencoded"),
    }

    assert {status: answer.status_code for status, answer in answers.items()} == {s: s for s in answers}
    assert all({"code", "detail"} <= answer.json().keys() for answer in answers.values())
    assert answers[401]["WWW-Authenticate"] == "Token"


@pytest.mark.parametrize(
    "path", ["/api/nothing", "/api/v1/nothing/", "/api/v1/track/a/b/c/", "/api/v2/needs/"]
)
def test_an_unknown_address_of_the_api_is_answered_in_json(path: str) -> None:
    answer = APIClient().get(path)

    assert answer.status_code == 404
    assert answer.json()["code"] == "not-found"


def test_a_refusal_is_409_with_a_stable_code() -> None:
    hospital = make_facility()
    member = make_member("hospital", hospital.organisation)
    appeal = make_appeal(hospital)
    speaker = Speaker(member)
    speaker.post(f"appeals/{appeal.pk}/withdraw/")

    answer = speaker.post(f"appeals/{appeal.pk}/withdraw/")

    assert (answer.status_code, answer.json()["code"]) == (409, "move-refused")


def test_a_refusal_speaks_the_reader_s_language(stranger: Any) -> None:
    client = Speaker().client

    english = client.get(f"{V1}needs/", {"colour": "red"}, HTTP_ACCEPT_LANGUAGE="en").json()

    assert english["fields"]["colour"][0].startswith("There is no such filter.")


def test_a_lock_that_is_not_granted_is_busy_and_says_when_to_try_again(monkeypatch: Any) -> None:
    def waits(*_args: Any, **_more: Any) -> None:
        raise OperationalError("canceling statement due to lock timeout")

    hospital = make_facility()
    member = make_member("hospital", hospital.organisation)
    body = appeal_body(hospital)
    monkeypatch.setattr("supplies.needs.services.post", waits)

    answer = Speaker(member).post("appeals/", body)

    assert (answer.status_code, answer.json()["code"]) == (503, "busy")
    assert int(answer["Retry-After"]) > 0


# -- input ------------------------------------------------------------------------------------------------

BAD_QUANTITIES = {
    "negative": -5,
    "zero": 0,
    "huge": 10**10 + 1,
    "beyond 64 bits": 2**70,
    "more than plausible": 10**9,
    "fractional": 1.5,
    "a whole number with a point": 5.0,
    "text": "500",
    "full-width text": "５００",
    "underscored": "5_0",
    "true": True,
    "empty": "",
    "null": None,
    "a list": [5],
    "an object": {"number": 5},
}


@pytest.mark.parametrize("name", BAD_QUANTITIES)
def test_a_bad_quantity_is_refused_by_name_and_nothing_is_stored(name: str, stranger: Any) -> None:
    body = appeal_body(quantity=BAD_QUANTITIES[name])

    answer = Speaker(stranger).post("appeals/", body)

    assert answer.status_code == 400, answer.json()
    assert list(answer.json()["fields"]) == ["lines.0.quantity"]
    assert not Appeal.objects.exists()
    assert not Need.objects.exists()


BAD_LINES: dict[str, tuple[dict[str, Any], str]] = {
    "no quantity at all": ({"quantity": ...}, "lines.0.quantity"),
    "an unknown item": ({"item": "NO_SUCH"}, "lines.0.item"),
    "an item that is no text": ({"item": {"code": "MASK_SURG"}}, "lines.0.item"),
    "a unit nobody uses": ({"unit": "光年"}, "lines.0.unit"),
    "a deadline in the past": ({"needed_by": "2020-01-30"}, "lines.0.needed_by"),
    "a deadline nobody can mean": ({"needed_by": "9999-12-31"}, "lines.0.needed_by"),
    "a day that is none": ({"needed_by": "2027-02-30"}, "lines.0.needed_by"),
    "a day in other digits": ({"needed_by": "２０２７-01-01"}, "lines.0.needed_by"),
    "an urgency of five": ({"urgency": 5}, "lines.0.urgency"),
    "an unknown standard": ({"accepted_standards": ["NO-SUCH"]}, "lines.0.accepted_standards.0"),
    "a number and no limit": ({"quantity_kind": "unlimited"}, "lines.0.quantity"),
    "a lot larger than the need": ({"min_lot": 501}, "lines.0.min_lot"),
    "a field that does not exist": ({"quantitty": 5}, "lines.0.quantitty"),
    "a field that is not the sender's": ({"quantity_received": 5}, "lines.0.quantity_received"),
    "a status": ({"status": "met"}, "lines.0.status"),
}


@pytest.mark.parametrize("name", BAD_LINES)
def test_a_bad_line_is_refused_by_name_and_nothing_is_stored(name: str, stranger: Any) -> None:
    fields, place = BAD_LINES[name]
    body = appeal_body(**fields)

    answer = Speaker(stranger).post("appeals/", body)

    assert answer.status_code == 400, answer.json()
    assert [key for key in answer.json()["fields"] if key.startswith(place)], answer.json()
    assert not Appeal.objects.exists()


def test_one_bad_line_among_many_is_named_by_its_position(stranger: Any) -> None:
    body = appeal_body()
    good = body["lines"][0]
    body["lines"] = [good, good, {**good, "quantity": -1}, good]

    answer = Speaker(stranger).post("appeals/", body)

    assert list(answer.json()["fields"]) == ["lines.2.quantity"]
    assert not Need.objects.exists()


def test_an_expired_offer_is_refused_by_name() -> None:
    donor = make_organisation("donor")
    make_offer()
    before = Donation.objects.count()
    body = {
        "organisation": str(donor.pk),
        "emergency": make_emergency().pk,
        "region": donor.region_id,
        "lines": [{"item": make_item().pk, "quantity": 5, "expires_on": "2026-11-01"}],
    }

    answer = Speaker(make_member("donor", donor)).post("donations/", body)

    assert answer.status_code == 400
    assert list(answer.json()["fields"]) == ["lines.0.expires_on"]
    assert Donation.objects.count() == before


BAD_BODIES: dict[str, tuple[bytes | str, str]] = {
    "NUL": ('{"remark": "a\\u0000b"}', "remark"),
    "NUL deep inside": ('{"lines": [{}, {"item": "a\\u0000b"}]}', "lines.1.item"),
    "half a character": ('{"remark": "a\\ud800b"}', "remark"),
    "a name that cannot be read": ('{"a\\u0000b": 1}', "name"),
    "a key given twice": ('{"facility": 1, "facility": 2}', "facility"),
    "not a number": ('{"lines": NaN}', ""),
    "infinite": ('{"lines": -Infinity}', ""),
    "a number beyond counting": ('{"lines": 1e999999}', ""),
    "five thousand digits": ('{"lines": ' + "9" * 5000 + "}", ""),
    "nested too deep": ('{"a":' * 21 + "1" + "}" * 21, ""),
    "nested beyond the stack": ("[" * 200_000, ""),
    "a list": ("[]", ""),
    "a word": ('"appeal"', ""),
    "nothing": ("", ""),
    "no JSON": ("{facility: 1}", ""),
    "trailing data": ("{} {}", ""),
    "a byte order mark": ("\ufeff{}", ""),
    "Chinese in GBK": ('{"remark": "口罩"}'.encode("gbk"), ""),
    "UTF-16": ('{"remark": "口罩"}'.encode("utf-16"), ""),
    "raw half characters": (b'{"remark": "\xed\xa0\x80"}', ""),
}


@pytest.mark.parametrize("name", BAD_BODIES)
def test_a_body_that_cannot_be_read_is_400_and_says_where(name: str, stranger: Any) -> None:
    body, place = BAD_BODIES[name]

    answer = Speaker(stranger).send("appeals/", body)

    assert answer.status_code == 400
    assert answer.json()["code"] == "invalid"
    assert answer.json()["detail"]
    if place:
        assert list(answer.json()["fields"]) == [place]


def test_ten_megabytes_are_refused_before_they_are_read(stranger: Any) -> None:
    answer = Speaker(stranger).send("appeals/", b'{"remark": "' + b"a" * 10_000_000 + b'"}')

    assert (answer.status_code, answer.json()["code"]) == (413, "too-large")


BAD_QUERIES: dict[str, tuple[str, str]] = {
    "an unknown filter": ("colour=red", "colour"),
    "a lookup of the database": ("appeal__facility__contacts__phone__startswith=1", "appeal__facility"),
    "a connector": ("_connector=OR", "_connector"),
    "an unknown region": ("region=nowhere", "region"),
    "an unknown item": ("item=NO_SUCH", "item"),
    "an organisation that is no id": ("organisation=1", "organisation"),
    "an unknown status": ("status=lost", "status"),
    "a full-width urgency": ("urgency=１", "urgency"),
    "a day that is none": ("needed_by_before=2027-02-30", "needed_by_before"),
    "a day in other digits": ("needed_by_before=２０２７-01-01", "needed_by_before"),
    "a filter given twice": ("urgency=1&urgency=2", "urgency"),
    "a huge page": ("page_size=20000", "page_size"),
    "a page beyond 64 bits": (f"page_size={2**70}", "page_size"),
    "an empty page": ("page_size=0", "page_size"),
    "a negative page": ("page_size=-1", "page_size"),
    "a page in other digits": ("page_size=５０", "page_size"),
    "an endless word": ("q=" + "a" * 101, "q"),
    "random bytes as a cursor": ("cursor=%FF%FE", "cursor"),
    "a word as a cursor": ("cursor=abc", "cursor"),
    "base64 as a cursor": ("cursor=cD0yMDIwLTk5LTk5", "cursor"),
    "an unsigned cursor": ("cursor=W2ZhbHNlLDFd:aaaa", "cursor"),
    "an empty cursor": ("cursor=", "cursor"),
}


@pytest.mark.parametrize("name", BAD_QUERIES)
def test_a_bad_query_is_400_and_names_its_parameter(name: str) -> None:
    query, place = BAD_QUERIES[name]

    answer = Speaker().client.get(f"{V1}needs/?{query}")

    assert answer.status_code == 400
    (field,) = answer.json()["fields"]
    assert field.startswith(place)


def test_nul_in_a_query_or_an_address_is_400_in_json() -> None:
    for path in ("needs/?q=%00", "needs/?cursor=%00", "needs/%00/"):
        answer = Speaker().client.get(V1 + path)

        assert answer.status_code == 400
        assert answer.json()["code"] == "invalid"


def test_a_cursor_of_another_list_is_refused() -> None:
    for _number in range(2):
        make_need()
        make_offer()
    theirs = Speaker().get("offers/", page_size=1).json()["next"].split("cursor=")[1].split("&")[0]

    answer = Speaker().client.get(f"{V1}needs/?cursor={theirs}")

    assert answer.status_code == 400
    assert list(answer.json()["fields"]) == ["cursor"]


# -- lists ------------------------------------------------------------------------------------------------


def pages(speaker: Speaker, path: str, **query: Any) -> Iterator[dict[str, Any]]:
    """Every page of a list from the first to the last, following `next`."""
    page = speaker.get(path, **query).json()
    yield page
    while page["next"]:
        page = speaker.client.get(page["next"]).json()
        yield page


def test_pages_hold_every_row_once_in_order_forwards_and_backwards() -> None:
    facility = make_facility()
    make_appeal(facility, lines=[{"urgency": 1 + number % 4} for number in range(11)])
    expected = [str(pk) for pk in Need.objects.most_urgent_first().values_list("pk", flat=True)]

    found = list(pages(Speaker(), "needs/", page_size=3))
    back = []
    page = found[-1]
    while page["previous"]:
        page = Speaker().client.get(page["previous"]).json()
        back.append(page)

    assert [row["id"] for page in found for row in page["results"]] == expected
    assert [len(page["results"]) for page in found] == [3, 3, 3, 2]
    assert [page["results"] for page in reversed(back)] == [page["results"] for page in found[:-1]]


def test_a_page_holds_fifty_rows_unless_asked_and_200_at_most() -> None:
    china = make_region("CN", "中国", level="country", scheme="ISO3166-1")
    for number in range(204):
        make_region(f"1{number:05}", f"区{number}", china, scheme="GBT2260")

    assert len(Speaker().get("regions/").json()["results"]) == 50
    assert len(Speaker().get("regions/", page_size=200).json()["results"]) == 200


def test_a_page_goes_on_where_it_stopped_when_rows_before_it_are_added() -> None:
    offers = [make_offer(at=NOW - timedelta(hours=number)) for number in range(4)]
    first = Speaker().get("offers/", page_size=2).json()

    make_offer(at=NOW + timedelta(hours=1))
    second = Speaker().client.get(first["next"]).json()

    shown = [row["id"] for page in (first, second) for row in page["results"]]
    assert shown == [str(offer.pk) for offer in offers]


def _regions(number: int) -> None:
    china = make_region("CN", "中国", level="country", scheme="ISO3166-1")
    first = Region.objects.count()
    for position in range(number):
        make_region(f"1{first + position:05}", f"区{first + position}", china)


def _times(make: Callable[..., Any]) -> Callable[[int], None]:
    def many(number: int) -> None:
        for _position in range(number):
            make()

    return many


def _items(number: int) -> None:
    for _position in range(number):
        item = make_item(f"ITEM{make_user().pk}")
        make_category(f"c{make_user().pk}")
        make_standard(f"S{item.pk}", items=[item])


def _emergencies(number: int) -> None:
    for _position in range(number):
        make_emergency(f"e{make_user().pk}").regions.add(make_region())


def _runs(number: int) -> None:
    for _position in range(number):
        make_proposal()


def _shortfalls(number: int) -> None:
    for _position in range(number):
        made = make_proposal()
        Shortfall.objects.create(
            need=made.need, family_run=made.family_run, missing=7, cause="waits", figure=3, as_of=NOW
        )


def _contacts(number: int) -> None:
    for position in range(number):
        people.keep_contact(make_organisation(), phone=f"000-{position:04}", at=NOW)


def _reveals(number: int) -> None:
    """Of what the reader of the list entered."""
    whose = User.objects.get(memberships__role="volunteer")
    for _position in range(number):
        contact = people.keep_contact(make_organisation(), phone="000-1234", at=NOW, by=whose)
        reveal(contact, purpose="own", by=whose, at=NOW)


def _webhooks(number: int) -> None:
    """Each of an organisation the reader manages."""
    reader = User.objects.get(memberships__role="volunteer")
    for _position in range(number):
        carrier = make_organisation("carrier")
        people.enrol(reader, carrier, "carrier", by=None, at=NOW, is_manager=True)
        make_delivery(make_webhook(carrier))


def _notices(number: int) -> None:
    reader = User.objects.get(memberships__role="volunteer")
    for _position in range(number):
        make_notice(reader)


def _searches(number: int) -> None:
    """More than anybody may save by himself, as of before there was a limit."""
    reader = User.objects.get(memberships__role="volunteer")
    SavedSearch.objects.bulk_create(
        SavedSearch(user=reader, over="needs", name="drill", q=str(uuid4()), created_at=NOW)
        for _position in range(number)
    )


def a_short_count() -> None:
    shipment = make_shipment(status="delivered")
    receiving.receive(shipment, counts=[{"line": shipment.lines.get(), "accepted": 90}], by=None, at=NOW)


LISTS: dict[str, Callable[[int], None]] = {
    "regions/": _regions,
    "categories/": _items,
    "items/": _items,
    "standards/": _items,
    "emergencies/": _emergencies,
    "organisations/": _times(make_organisation),
    "facilities/": _times(make_facility),
    "announcements/": _times(make_announcement),
    "listed-facilities/": _times(lambda: make_listing(make_organisation())),
    "appeals/": _times(lambda: make_appeal(lines=[{}, {}])),
    "needs/": _times(make_need),
    "foreign-needs/": _times(make_foreign_need),
    "donations/": _times(lambda: make_donation(lines=[{}, {}])),
    "offers/": _times(lambda: make_offer(standard=make_standard())),
    "intake-batches/": _times(make_batch),
    "matching-runs/": _runs,
    "proposals/": _runs,
    "shortfalls/": _shortfalls,
    "allocations/": _times(make_allocation),
    "shipments/": _times(lambda: make_shipment(status="delivered")),
    "loads/": _times(make_load),
    "tickets/": _times(a_short_count),
    "contacts/": _contacts,
    "reveals/": _reveals,
    "notices/": _notices,
    "saved-searches/": _searches,
    "webhook-endpoints/": _webhooks,
    "webhook-deliveries/": _webhooks,
}


@pytest.mark.parametrize("path", LISTS)
def test_a_list_asks_the_database_as_often_for_thirty_rows_as_for_three(path: str) -> None:
    volunteer = make_member("volunteer")
    LISTS[path](3)
    with CaptureQueriesContext(
        connection,
    ) as few:
        assert len(Speaker(volunteer).get(path).json()["results"]) >= 3

    LISTS[path](27)
    with CaptureQueriesContext(connection) as many:
        assert len(Speaker(volunteer).get(path).json()["results"]) >= 30

    assert len(many) == len(few)
    assert not any("COUNT(" in query["sql"] for query in many)


def test_every_list_of_the_api_has_its_queries_counted() -> None:
    lists = {f"{prefix}/" for prefix, viewset, _name in router.registry if hasattr(viewset, "list")}
    assert lists == set(LISTS)


def test_posting_asks_the_database_as_often_for_thirty_lines_as_for_three() -> None:
    facility = make_facility()
    member = make_member("hospital", facility.organisation)
    body = appeal_body(facility, accepted_standards=[make_standard().pk])
    counts = []
    for number in (3, 30):
        with CaptureQueriesContext(connection) as queries:
            answer = Speaker(member).post("appeals/", {**body, "lines": body["lines"] * number})
        assert answer.status_code == 201, answer.json()
        counts.append(len(queries))

    assert counts[0] == counts[1]


# -- who --------------------------------------------------------------------------------------------------

PUBLIC = ["announcements", "regions", "categories", "items", "standards", "emergencies", "organisations", "facilities",
          "listed-facilities", "appeals", "needs", "foreign-needs", "offers"]  # fmt: skip
PRIVATE = [
    "donations",
    "matching-runs",
    "proposals",
    "allocations",
    "shipments",
    "webhook-endpoints",
    "webhook-deliveries",
]


@pytest.mark.parametrize("name", PUBLIC)
def test_what_is_public_can_be_read_without_login(name: str) -> None:
    assert Speaker().get(f"{name}/").status_code == 200


@pytest.mark.parametrize("name", PRIVATE)
def test_what_is_not_public_asks_who_you_are(name: str) -> None:
    assert Speaker().get(f"{name}/").status_code == 401


@pytest.mark.parametrize("name", PRIVATE)
def test_a_stranger_sees_an_empty_list_and_no_row_of_others(name: str, stranger: Any) -> None:
    shipment = make_shipment(make_allocation())
    proposal, delivery = make_proposal(), make_delivery()
    rows = {
        "donations": proposal.offer.donation,
        "matching-runs": proposal.family_run.run,
        "proposals": proposal,
        "allocations": shipment.lines.get().allocation,
        "shipments": shipment,
        "webhook-endpoints": delivery.endpoint,
        "webhook-deliveries": delivery,
    }

    assert Speaker(stranger).get(f"{name}/").json()["results"] == []
    assert Speaker(stranger).get(f"{name}/{rows[name].pk}/").status_code == 404


CANARIES = [
    "Zhang Canary",
    "13900001234",
    "canary@example.org",
    "Canary Lane 7",
    "the poster",
    "Canary Donors",
]


@pytest.mark.parametrize("name", PUBLIC)
def test_no_public_answer_names_a_person_a_number_an_address_or_a_donor(name: str) -> None:
    poster = make_user("the poster", first_name="Zhang Canary")
    hospital = make_facility(address="Canary Lane 7")
    people.keep_contact(
        hospital.organisation, at=NOW, name="Zhang Canary", phone="13900001234", email="canary@example.org"
    )
    make_appeal(hospital, by=poster, courier_address="Canary Lane 7", remark="call 13900001234")
    donor = make_organisation("donor", name="Canary Donors")
    make_facility(donor)
    make_donation(donor, by=poster, address="Canary Lane 7", remark="Zhang Canary")

    for path in (f"{name}/", *(f"{name}/{row.get('id') or row['code']}/" for row in _rows(name))):
        answer = Speaker().get(path)
        assert answer.status_code == 200
        assert [word for word in CANARIES if word in answer.content.decode()] == []


def _rows(name: str) -> list[dict[str, Any]]:
    return list(Speaker().get(f"{name}/").json()["results"])


def test_a_token_works_within_its_scopes_only() -> None:
    facility = make_facility()
    member = make_member("hospital", facility.organisation)
    need = make_need(facility)
    client = Speaker().client

    def answered(*scopes: str, method: str = "post", path: str = f"needs/{need.pk}/confirm/") -> int:
        _token, secret = people.issue_token(member, name="program", scopes=scopes, at=NOW)
        client.credentials(HTTP_AUTHORIZATION=f"Token {secret}")
        return int(getattr(client, method)(V1 + path, format="json").status_code)

    assert answered(Scope.READ, method="get", path="donations/") == 200
    assert answered(method="get", path="donations/") == 403
    assert answered(Scope.READ) == 403
    assert answered(Scope.OFFERS) == 403
    assert answered(Scope.NEEDS) == 200


@pytest.mark.parametrize("secret", ["tz_wrong", "", "tz_\u00e9", "a b"])
def test_a_wrong_token_is_401_even_where_reading_is_public(secret: str) -> None:
    client = Speaker().client
    client.credentials(HTTP_AUTHORIZATION=f"Token {secret}".encode())

    assert client.get(f"{V1}needs/").status_code == 401


def test_a_browser_s_session_needs_its_csrf_token() -> None:
    member = make_member("hospital")
    client = APIClient(enforce_csrf_checks=True)
    client.force_login(member)

    answer = client.post(f"{V1}appeals/", {}, format="json")

    assert (answer.status_code, answer.json()["code"]) == (403, "permission-denied")


def test_another_s_row_and_a_missing_one_are_answered_alike(stranger: Any) -> None:
    theirs = make_donation()

    other, missing = (Speaker(stranger).get(f"donations/{pk}/") for pk in (theirs.pk, make_need().pk))

    assert (other.status_code, other.json()) == (missing.status_code, missing.json())
    assert other.status_code == 404


# -- the description --------------------------------------------------------------------------------------


def test_the_description_is_valid_and_complete(tmp_path: Any) -> None:
    file = tmp_path / "schema.yml"

    call_command("spectacular", "--validate", "--fail-on-warn", "--file", str(file))

    described = yaml.safe_load(file.read_text())
    alone = {"track/{}/", "check/", "intake/", "tracking-events/", "certificates/{}/"}
    alone |= {"shipments/{}/papers/{}/", "shipments/{}/proofs/", "donations/{}/certificate/"}
    alone |= {"track/{}/followers/", "carrier-records/", "notification-choices/"}
    routes = alone | {route for prefix, *_rest in router.registry for route in _routes(prefix, "{}")}
    assert {re.sub(r"{\w+}", "{}", path.removeprefix(V1)) for path in described["paths"]} == routes
    for path, operations in described["paths"].items():
        for method, operation in operations.items():
            assert operation.get("summary"), (path, method)
            assert "400" in operation["responses"], (path, method)


def test_the_documentation_is_served_from_here() -> None:
    answer = APIClient().get("/api/docs/")

    assert answer.status_code == 200
    assert "https://" not in answer.content.decode()
    assert APIClient().get("/api/schema/").status_code == 200


METHODS = ["get", "post", "put", "patch", "delete", "options", "head"]
NONSENSE = {"reason": 1, "lines": [1], "side": [], "step": {}}
CAST = ["nobody", "hospital", "donor", "carrier", "volunteer", "coordinator", "auditor", "admin"]


@pytest.mark.parametrize("role", CAST)
def test_no_route_answers_500_to_anybody(role: str) -> None:
    shipment = make_shipment(make_allocation(), status="in_transit")
    proposal = make_proposal()
    keys = {
        "regions": make_region().pk,
        "categories": make_category().pk,
        "items": make_item().pk,
        "standards": make_standard().pk,
        "emergencies": make_emergency().pk,
        "organisations": shipment.consignor_id,
        "facilities": shipment.consignee_id,
        "appeals": proposal.need.appeal_id,
        "needs": proposal.need_id,
        "donations": proposal.offer.donation_id,
        "offers": proposal.offer_id,
        "matching-runs": proposal.family_run.run_id,
        "proposals": proposal.pk,
        "allocations": shipment.lines.get().allocation_id,
        "shipments": shipment.pk,
        "webhook-endpoints": (delivery := make_delivery()).endpoint_id,
        "webhook-deliveries": delivery.pk,
    }
    user = None
    if role == "admin":
        user = make_user("root", is_superuser=True)
    elif role != "nobody":
        user = make_member(role)
    client = Speaker(user).client
    client.raise_request_exception = False

    for name, key in keys.items():
        for path in _routes(name, str(key)):
            for method, body in [*((method, {}) for method in METHODS), ("post", NONSENSE)]:
                answer = getattr(client, method)(V1 + path, body, **_format(method))
                assert answer.status_code < 500, (method, path, answer.content)


def _format(method: str) -> dict[str, str]:
    return {} if method in ("get", "head") else {"format": "json"}


def _routes(name: str, key: str) -> list[str]:
    (viewset,) = [viewset for prefix, viewset, _basename in router.registry if prefix == name]
    actions = [
        f"{name}/{key}/{extra.url_path}/" if extra.detail else f"{name}/{extra.url_path}/"
        for extra in viewset.get_extra_actions()
    ]
    return [f"{name}/", f"{name}/{key}/", *actions]


ODD_VALUES: list[Any] = [
    None,
    True,
    -1,
    2**63,
    2**70,
    1.5,
    1e308,
    "",
    " ",
    "a\u202eb\u200b",
    "𠮷😀",
    "x" * 5000,
    "' OR 1=1 --",
    "2027-02-29",
    "9999-12-31T23:59:59-14:00",
    "00000000-0000-0000-0000-000000000000",
    [],
    [None],
    [[1]],
    {},
    {"id": 1},
]


WRITES = ("appeal", "donation", "run", "shipment", "book", "event", "count", "decline", "agree", "release")


def writes() -> list[tuple[str, dict[str, Any], dict[str, Any]]]:
    """Every write with a body: its path, a good body, and the good line inside it, if there is one."""
    facility, donor, carrier = make_facility(), make_organisation("donor"), make_organisation("carrier")
    proposal, delivered = make_proposal(), make_shipment(status="delivered")
    under_way, draft = make_shipment(status="in_transit"), make_shipment()
    asked = {
        "item": make_item().pk,
        "quantity": 5,
        "quantity_kind": "number",
        "unit": "",
        "pack_content": 1,
        "accepted_standards": [],
        "urgency": 1,
        "needed_by": "2026-12-01",
        "min_lot": 1,
        "stock_on_hand": 1,
        "daily_use": 1,
        "counted_on": "2026-11-20",
        "setting": "icu",
        "sterile": True,
    }
    given = {
        "item": make_item().pk,
        "quantity": 5,
        "unit": "",
        "pack_content": 1,
        "pack": 1,
        "min_lot": 1,
        "standard": make_standard().pk,
        "lot_number": "L",
        "expires_on": "2028-01-01",
        "available_from": "2026-11-24",
        "available_until": "2027-01-01",
        "mode": "road",
        "max_km": 100,
    }
    appeal = {
        "facility": str(facility.pk),
        "emergency": make_emergency().pk,
        "valid_until": "2027-01-01",
        "source_url": "https://example.org/",
        "accepted_senders": ["person"],
        "accepts_overseas": True,
        "remark": "",
    }
    donation = {
        "organisation": str(donor.pk),
        "emergency": make_emergency().pk,
        "region": donor.region_id,
        "directed_region": donor.region_id,
        "directed_facility": None,
        "sender_kind": "person",
        "allocates_for_me": False,
        "remark": "",
    }
    event = {
        "occurred_at": "2026-11-23T07:00:00Z",
        "step": "transporting",
        "external_id": "e",
        "vocabulary": "ups",
        "code": "I",
        "place": "",
        "note": "",
    }
    count = {"line": delivered.lines.get().pk, "accepted": 1, "damaged": 1}
    return [
        ("appeals/", appeal, asked),
        ("donations/", donation, given),
        ("matching-runs/", {"emergency": make_emergency().pk, "policy": "urgency", "families": [], "is_dry": True}, {}),
        ("shipments/", {"allocations": [str(make_allocation().pk)]}, {}),
        (f"shipments/{draft.pk}/book/", {"carrier": str(carrier.pk), "waybill": "W", "mode": "road",
                                         "expected_on": "2026-12-01"}, {}),
        (f"shipments/{under_way.pk}/events/", event, {}),
        (f"shipments/{delivered.pk}/receive/", {"note": ""}, count),
        (f"proposals/{proposal.pk}/decline/", {"reason": "late"}, {}),
        (f"proposals/{proposal.pk}/agree/", {"side": "donor"}, {}),
        (f"allocations/{make_allocation().pk}/release/", {"reason": "late"}, {}),
    ]  # fmt: skip


def in_turn(values: Sequence[Any], turn: int) -> Sequence[Any]:
    """A third of the values, another with each turn: so that of neighbouring fields each is sent others."""
    return values[turn % 3 :: 3]


@pytest.mark.parametrize("number", range(len(WRITES)), ids=WRITES)
def test_no_field_answers_500_to_any_odd_value(number: int) -> None:
    client = Speaker(make_user("root", is_superuser=True)).client
    client.raise_request_exception = False

    path, body, line = writes()[number]

    lines = {"lines": [line]} if line else {}
    whole = {**body, **lines}
    odd = [{**whole, name: value} for turn, name in enumerate(whole) for value in in_turn(ODD_VALUES, turn)]
    odd += [
        {**body, "lines": [{**line, name: value}]}
        for turn, name in enumerate(line)
        for value in in_turn(ODD_VALUES, turn)
    ]
    for sent in odd:
        answer = client.post(V1 + path, sent, format="json")
        assert answer.status_code in (200, 201, 400, 403, 409), (path, sent, answer.content)


def test_no_filter_answers_500_to_any_odd_value() -> None:
    client = Speaker(make_user("root", is_superuser=True)).client
    client.raise_request_exception = False
    values = [
        "",
        "-1",
        "1e5",
        str(2**70),
        "x" * 2000,
        "𠮷",
        "%",
        "\\",
        "'",
        "2027-02-29",
        "９",
        "[]",
        "\ud800".encode("utf-8", "replace"),
    ]

    for prefix, viewset, _basename in router.registry:
        names = list(viewset.filterset_class.base_filters) if hasattr(viewset, "filterset_class") else []
        if not hasattr(viewset, "list"):
            continue
        for turn, name in enumerate([*names, "cursor", "page_size", "ordering", "search"]):
            for value in in_turn(values, turn):
                answer = client.get(f"{V1}{prefix}/", {name: value})
                assert answer.status_code in (200, 400), (prefix, name, value, answer.content)


def test_times_are_utc_and_days_are_plain() -> None:
    need = Speaker().get(f"needs/{make_need().pk}/").json()

    assert need["created_at"] == "2026-11-23T08:00:00Z"
    assert need["needed_by"] == (TODAY + timedelta(days=10)).isoformat()
    assert json.dumps(need)
