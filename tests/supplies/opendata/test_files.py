"""What is narrowed and downloaded: the same rows in five formats, each as its own standard reads it."""

import csv
import io
import json
import re
from typing import Any
from xml.etree import ElementTree

import hxl
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from openpyxl import load_workbook

from supplies.opendata import api, formats
from supplies.opendata.columns import Kind
from supplies.opendata.dictionary import COLUMNS, described
from supplies.regions.models import Region
from tests.makers import (
    make_allocation,
    make_emergency,
    make_facility,
    make_item,
    make_need,
    make_offer,
    make_organisation,
    make_region,
    make_shipment,
    make_standard,
)

pytestmark = pytest.mark.django_db
KINDS = ("needs", "offers", "gaps", "flows")
ATOM = "{http://www.w3.org/2005/Atom}"


def get(path: str, **query: str) -> Any:
    return Client(headers={"accept-language": "en"}).get(f"/open/{path}", query)


def body(answer: Any) -> bytes:
    content = b"".join(answer.streaming_content) if answer.streaming else answer.content
    assert answer.status_code == 200, content
    return content  # type: ignore[no-any-return]


def table(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def lines(content: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in content.decode().splitlines()]


@pytest.fixture
def some_of_everything() -> None:
    make_standard()
    make_need(quantity=5000)
    make_need(quantity_kind="unknown", quantity=None, quantity_assumed=10)
    for _giver in range(3):
        make_offer(quantity=70)
    make_shipment(make_allocation(80), status="delivered")


# -- every format tells the same ---------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_every_format_tells_the_same_rows(some_of_everything: None, kind: str) -> None:
    told = lines(body(get(f"{kind}.jsonl")))
    head, _tags, *rows = table(body(get(f"{kind}.csv")))
    book = load_workbook(io.BytesIO(body(get(f"{kind}.xlsx"))))
    features = json.loads(body(get(f"{kind}.geojson")))["features"]

    assert told
    as_cells = [[str(formats.cell(value)) for value in row.values()] for row in told]
    sheet = [["" if value is None else str(value) for value in row] for row in book[kind].values]
    assert head == list(told[0]) == [column.name for column in COLUMNS[kind]]
    assert rows == as_cells
    assert sheet[0] == head
    assert len(sheet) == len(told) + 2
    assert [row[:3] for row in sheet[2:]] == [row[:3] for row in as_cells]
    assert [feature["properties"] for feature in features] == told
    assert [feature["id"] for feature in features] == [row["id"] for row in told]


@pytest.mark.parametrize("kind", KINDS)
def test_hxl_reads_the_file_and_finds_nothing_wrong(some_of_everything: None, kind: str) -> None:
    content = body(get(f"{kind}.csv"))

    data = hxl.data(hxl.make_input(io.BytesIO(content), hxl.InputOptions(allow_local=True))).cache()
    wrong: list[Any] = []
    hxl.schema(callback=wrong.append).validate(data)

    assert [column.display_tag for column in data.columns] == [column.tag for column in COLUMNS[kind]]
    assert len(data.values) == len(lines(body(get(f"{kind}.jsonl"))))
    assert [str(one) for one in wrong if one.rule.severity == "error"] == []


def test_hxl_notices_a_quantity_that_is_no_number() -> None:
    wrong: list[Any] = []
    data = hxl.data(hxl.make_input(io.BytesIO(b"a\n#output+num\nmany\n"), hxl.InputOptions(allow_local=True)))

    hxl.schema(callback=wrong.append).validate(data)

    assert [one for one in wrong if one.rule.severity == "error"]


def test_no_tag_for_people_counts_goods() -> None:
    tags = [column.tag for columns in COLUMNS.values() for column in columns]

    assert not [
        tag for tag in tags if re.match("#(inneed|reached|targeted|affected|beneficiary|contact)", tag)
    ]
    assert all(re.fullmatch(r"#[a-z][a-z0-9_]*(\+[a-z][a-z0-9_]*)*", tag) for tag in tags)


# -- filters -------------------------------------------------------------------------------------------------------


def test_needs_are_narrowed_as_the_api_narrows_them() -> None:
    wanted = make_need(item=make_item("GLOVE_EXAM"))
    make_need()
    make_need(make_facility(region=make_region("310101", "黄浦区")))

    for query in ({"item": "GLOVE_EXAM"}, {"region": "420100", "item": "GLOVE_EXAM"}, {"q": "GLOVE_EXAM"}):
        assert [row["id"] for row in lines(body(get("needs.jsonl", **query)))] == [str(wanted.pk)]
    assert len(lines(body(get("needs.jsonl", region="420000")))) == 2
    assert len(lines(body(get("needs.jsonl", status="open", urgency="2")))) == 3
    assert lines(body(get("needs.jsonl", needed_by_before="2020-01-01"))) == []


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("form", ["csv", "xlsx", "geojson", "jsonl", "atom"])
def test_a_filter_nobody_knows_is_refused_by_name(kind: str, form: str) -> None:
    answer = get(f"{kind}.{form}", colour="red")

    assert answer.status_code == 400
    assert list(answer.json()["fields"]) == ["colour"]
    assert get(f"{kind}.{form}", region="nowhere").status_code == 400
    assert get(f"{kind}.{form}", item="A", emergency="B").json()["fields"].keys() == {"item", "emergency"}


@pytest.mark.parametrize("filter", ["status", "expires_after", "q", "organisation"])
def test_sums_of_offers_are_not_narrowed_by_what_would_tell_their_parts(filter: str) -> None:
    assert get("offers.csv", **{filter: "open"}).status_code == 400


def test_a_region_never_tells_where_few_give() -> None:
    make_offer(quantity=7)
    make_region("310101", "黄浦区")

    (everywhere,) = lines(body(get("offers.jsonl")))

    assert (everywhere["region"], everywhere["left"]) == ("", 7)
    assert lines(body(get("offers.jsonl", region="420000"))) == []
    assert lines(body(get("gaps.jsonl", region="310000"))) == []


def test_gaps_are_narrowed_by_level_region_and_emergency() -> None:
    make_need()
    make_need(emergency=make_emergency("flood"))
    make_need(make_facility(region=make_region("310101", "黄浦区")))

    told = lines(body(get("gaps.jsonl", level="prefecture", region="420000", emergency="flu-2026")))

    assert [row["id"] for row in told] == ["flu-2026/prefecture/420100/MASK_SURG"]


def test_a_dataset_or_a_form_there_is_not_is_not_found() -> None:
    assert get("people.csv").status_code == 404
    assert get("needs.exe").status_code == 404
    assert get("needs.").status_code == 404


# -- what a file says of itself -------------------------------------------------------------------------------------


def test_age_and_licence_stand_in_every_file(some_of_everything: None) -> None:
    answers = {form: get(f"needs.{form}") for form in api.FORMS}
    bodies = {form: body(answer) for form, answer in answers.items()}

    for form, answer in answers.items():
        assert answer.headers["Link"] == '<https://creativecommons.org/licenses/by/4.0/>; rel="license"'
        if form != "atom":
            name = answer.headers["Content-Disposition"]
            assert re.fullmatch(rf'attachment; filename="needs-\d{{8}}T\d{{4}}Z-CC-BY-4.0\.{form}"', name)
    about = dict(load_workbook(io.BytesIO(bodies["xlsx"]))["about"].values)
    feature_collection = json.loads(bodies["geojson"])
    for said in (about, feature_collection):
        assert said["licence"] == "CC-BY-4.0"
        assert said["made_at"].endswith("Z")
        assert said["dictionary"] == "http://testserver/open/dictionary/"
    assert b"<rights>CC-BY-4.0" in bodies["atom"]


def test_a_stranger_may_keep_it_a_moment() -> None:
    assert Client().get("/open/needs.csv").headers["Cache-Control"] == "public, max-age=15"


# -- hostile values --------------------------------------------------------------------------------------------------


def test_a_name_that_is_a_formula_is_none_in_any_sheet() -> None:
    make_need(make_facility(make_organisation(name='=HYPERLINK("https://evil.example")')))

    rows = table(body(get("needs.csv")))
    sheet = list(load_workbook(io.BytesIO(body(get("needs.xlsx"))))["needs"].iter_rows())

    at = rows[0].index("organisation_name")
    assert rows[2][at].startswith("'=HYPERLINK")
    assert sheet[2][at].data_type == "s"
    assert sheet[2][at].value.startswith("'=HYPERLINK")


def test_characters_xml_cannot_hold_break_neither_feed_nor_sheet() -> None:
    make_need(make_facility(make_organisation(name="演练\x08医院 <b>&amp;\x0b")))

    feed = ElementTree.fromstring(body(get("needs.atom")))
    book = load_workbook(io.BytesIO(body(get("needs.xlsx"))))

    assert "演练医院 <b>&amp;" in str(feed.findtext(f"{ATOM}entry/{ATOM}title"))
    assert any("演练医院 <b>&amp;" in str(value) for value in list(book["needs"].values)[2])


def test_a_number_in_a_name_stays_masked() -> None:
    make_need(make_facility(make_organisation(name="演练医院 13800000001")))

    for form in api.FORMS:
        content = body(get(f"needs.{form}"))
        if form != "xlsx":
            assert b"138****0001" in content
        assert b"13800000001" not in content


# -- GeoJSON ---------------------------------------------------------------------------------------------------------


def test_a_point_is_the_middle_of_the_region_and_says_its_datum() -> None:
    site = make_facility(lat=30.123, lon=114.567)
    make_need(site)
    Region.objects.filter(pk=site.region_id).update(datum="GCJ02")

    (feature,) = json.loads(body(get("needs.geojson")))["features"]

    assert feature["geometry"] == {"type": "Point", "coordinates": [114.32, 30.55]}
    assert feature["properties"]["datum"] == "GCJ02"
    assert "30.123" not in json.dumps(feature)


def test_a_region_without_coordinates_has_no_point_rather_than_zero() -> None:
    site = make_facility(region=make_region("NOWHERE", "无处", level="country", lat=None, lon=None))
    make_need(site)

    (feature,) = json.loads(body(get("needs.geojson")))["features"]

    assert feature["geometry"] is None


def test_a_flow_is_a_line_where_it_is_told_where_it_began() -> None:
    for _giver in range(3):
        make_shipment(make_allocation(10), status="in_transit")

    (feature,) = json.loads(body(get("flows.geojson")))["features"]

    assert feature["geometry"]["type"] == "LineString"
    assert feature["geometry"]["coordinates"] == [[114.34, 30.55], [114.3, 30.6]]


# -- Atom ------------------------------------------------------------------------------------------------------------


def fault_of(content: bytes) -> list[str]:
    """What RFC 4287 wants and the feed has not."""
    feed = ElementTree.fromstring(content)
    wrong = [name for name in ("id", "title", "updated") if len(feed.findall(ATOM + name)) != 1]
    if feed.tag != f"{ATOM}feed" or feed.find(f"{ATOM}author/{ATOM}name") is None:
        wrong.append("author")
    relations = [link.get("rel") for link in feed.findall(f"{ATOM}link")]
    wrong += [name for name in ("self", "alternate", "first") if relations.count(name) != 1]
    ids = []
    for entry in feed.findall(f"{ATOM}entry"):
        wrong += [
            name for name in ("id", "title", "updated", "summary") if len(entry.findall(ATOM + name)) != 1
        ]
        ids.append(entry.findtext(f"{ATOM}id"))
        moments = [entry.findtext(ATOM + name) for name in ("updated", "published")]
        wrong += [
            str(one)
            for one in moments
            if one and not re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:]{8}(\+00:00|Z)", one)
        ]
        wrong += [str(one) for one in ids[-1:] if not re.fullmatch(r"urn:uuid:[0-9a-f-]{36}", str(one))]
    return wrong + ["ids"] * (len(ids) != len(set(ids)))


@pytest.mark.parametrize("kind", KINDS)
def test_a_feed_is_one_by_its_rules(some_of_everything: None, kind: str) -> None:
    answer = get(f"{kind}.atom")

    assert answer.headers["Content-Type"] == "application/atom+xml; charset=utf-8"
    assert fault_of(body(answer)) == []
    assert b"<entry>" in body(answer)
    assert fault_of(body(get(f"{kind}.atom", item="MASK_SURG"))) == []


def test_an_empty_feed_is_one_as_well() -> None:
    assert fault_of(body(get("needs.atom"))) == []


def test_the_pages_of_a_feed_lead_through_every_need_once() -> None:
    wanted = [make_need() for _number in range(5)]
    seen, address = [], "/open/needs.atom?region=420000&page_size=2"

    for _page in range(4):
        feed = ElementTree.fromstring(body(Client().get(address)))
        seen += [entry.findtext(f"{ATOM}id") for entry in feed.findall(f"{ATOM}entry")]
        links = {link.get("rel"): link.get("href") for link in feed.findall(f"{ATOM}link")}
        assert links["first"] == "http://testserver/open/needs.atom?page_size=2&region=420000"
        address = links.get("next")
        if address is None:
            break

    assert sorted(map(str, seen)) == sorted(f"urn:uuid:{need.pk}" for need in wanted)
    assert links["previous"]


def test_the_page_of_needs_leads_to_its_feed() -> None:
    page = Client().get("/needs/").content.decode()

    assert re.search('<link rel="alternate" type="application/atom.xml" href="/open/needs.atom"', page)


# -- many rows -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("form", ["csv", "jsonl", "geojson", "xlsx", "atom"])
def test_however_many_rows_there_are_the_database_is_asked_as_often(kind: str, form: str) -> None:
    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            body(get(f"{kind}.{form}"))
        return len(queries)

    make_shipment(make_allocation(10), status="in_transit")
    few = asked()
    for _number in range(3):
        make_shipment(make_allocation(10), status="in_transit")

    assert asked() == few <= 12


def test_a_sheet_that_would_not_hold_them_all_is_refused(settings: Any) -> None:
    settings.OPEN_DATA_SHEET_ROWS = 2
    make_need()
    make_need()
    assert get("needs.xlsx").status_code == 200

    make_need()
    answer = get("needs.xlsx")
    assert answer.status_code == 400
    assert "Narrow the list" in answer.json()["detail"]


def test_who_comes_when_all_places_are_taken_is_told_to_wait_and_a_place_is_given_back() -> None:
    make_need()
    under_way = [iter(get("needs.csv").streaming_content) for _place in range(2)]
    for pieces in under_way:
        next(pieces)

    refused = get("needs.csv")
    assert (refused.status_code, refused.json()["code"]) == (429, "busy")
    assert refused.headers["Retry-After"] == "10"
    assert get("needs.atom").status_code == 200

    for pieces in reversed(under_way):  # savepoints of one connection, here
        assert list(pieces)
    assert body(get("needs.csv"))


def test_a_download_that_takes_too_long_ends(monkeypatch: Any) -> None:
    make_need()
    monkeypatch.setattr(api, "MOST_SECONDS", -1)

    with pytest.raises(TimeoutError):
        b"".join(get("needs.csv").streaming_content)


def test_no_operator_makes_a_sheet_longer_than_the_format(settings: Any) -> None:
    settings.OPEN_DATA_SHEET_ROWS = 9_999_999

    assert formats.rows_of_a_sheet() == 1_048_574


# -- the dictionary --------------------------------------------------------------------------------------------------


def test_every_column_says_what_it_means_where_it_comes_from_and_how_it_looks() -> None:
    for kind, columns in described().items():
        names = [column["name"] for column in columns]
        tags = [column["tag"] for column in columns]
        assert len(names) == len(set(names)), kind
        assert len(tags) == len(set(tags)), kind
        for column in columns:
            assert all(
                column[word] not in ("", None) for word in ("name", "tag", "kind", "source", "example")
            )
            assert column["meaning"]["en"], column
            is_number = column["kind"] in (Kind.NUMBER, Kind.DECIMAL)
            counts = column["name"] not in ("urgency", "display_factor")
            assert bool(column["unit"]["en"]) == (is_number and counts), column


def test_the_dictionary_is_a_page_and_a_file() -> None:
    said = get("dictionary.json").json()
    page = get("dictionary/").content.decode()

    assert {kind: [c["name"] for c in columns] for kind, columns in said["files"].items()} == {
        kind: [column.name for column in columns] for kind, columns in COLUMNS.items()
    }
    for columns in COLUMNS.values():
        assert all(column.tag in page for column in columns)


@pytest.mark.parametrize("kind", KINDS)
def test_an_example_is_of_the_kind_its_column_is(some_of_everything: None, kind: str) -> None:
    python = {Kind.NUMBER: int, Kind.DECIMAL: float, Kind.BOOLEAN: bool, Kind.CODES: list}

    for row in lines(body(get(f"{kind}.jsonl"))):
        for column in COLUMNS[kind]:
            for value in (row[column.name], column.example):
                assert value is None or type(value) is python.get(column.kind, str), column
