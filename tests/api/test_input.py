"""What is wrong in a request is refused by its name, and nothing is stored."""

from typing import Any

import pytest
from django.utils.translation import override
from rest_framework.exceptions import ValidationError

from supplies.api_fields import Moment
from supplies.needs.models import Appeal, Need
from supplies.offers.models import Donation
from tests.api.bodies import appeal_body
from tests.api_client import V1, Speaker, today  # noqa: F401
from tests.makers import make_emergency, make_item, make_member, make_need, make_offer, make_organisation

pytestmark = pytest.mark.django_db


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


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("1970-01-01T00:00:00Z", "between the years"),
        ("9999-12-31T23:59:59-14:00", "between the years"),
        ("2020-02-29T08:00:00", "with its zone"),
        ("2021-02-29T08:00:00Z", "with its zone"),
        ("yesterday", "with its zone"),
    ],
)
def test_a_time_that_cannot_be_is_refused_for_what_is_wrong_with_it(written: str, why: str) -> None:
    with override("en"), pytest.raises(ValidationError, match=why):
        Moment().run_validation(written)
