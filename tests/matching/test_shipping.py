"""What may travel together: from one city to one facility, a load for each donor; the most urgent first."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
import yaml
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from matching import services, shipping
from matching.models import Proposal
from matching.shipping import SHOWN, Parcel, Suggestion, suggestions, together_with
from supplies.catalogue.models import Item
from supplies.needs.models import Urgency
from supplies.organisations.models import Facility, Organisation, User
from supplies.organisations.services import enrol
from supplies.shipments.services import cancel, put_together
from tests.api_client import Speaker, speaker, today  # noqa: F401
from tests.desk import at_the_desk, choose, list_of, page_of
from tests.makers import (
    NOW,
    TODAY,
    make_emergency,
    make_facility,
    make_item,
    make_member,
    make_need,
    make_offer,
    make_organisation,
    make_proposal,
    make_region,
    make_user,
)

pytestmark = pytest.mark.django_db
SUGGESTED = reverse("admin:matching_proposal_suggested_shipments")


def make_donor(region: str = "420106") -> Organisation:
    return make_organisation("donor", region=make_region(region))


def proposal_from(donor: Organisation, to: Facility, *, item: Item | None = None, **fields: Any) -> Proposal:
    """Goods that lie where the donor is; the need's words by their names, the rest is the proposal's."""
    of_need = {name: fields.pop(name) for name in ("urgency", "needed_by", "emergency") if name in fields}
    of_offer = {name: fields.pop(name) for name in ("allocates_for_me", "region") if name in fields}
    offer = make_offer(donor, item=item, quantity=1000, **of_offer)
    return make_proposal(need=make_need(to, item=item, **of_need), offer=offer, **fields)


def found(most: int = SHOWN) -> list[Suggestion]:
    return suggestions(Proposal.objects.all(), most)[0]


def loads_of(suggestion: Suggestion) -> dict[UUID, set[UUID]]:
    return {load.donor.pk: set(load.proposals) for load in suggestion.loads}


def keys(rows: Sequence[Proposal]) -> set[UUID]:
    return {row.pk for row in rows}


# --- grouping


def test_the_proposals_of_one_donor_to_one_facility_make_one_load() -> None:
    donor, hospital = make_donor(), make_facility()
    rows = [proposal_from(donor, hospital) for _number in range(3)]

    [suggestion] = found()

    assert (suggestion.place.pk, suggestion.facility) == ("420100", hospital)
    assert loads_of(suggestion) == {donor.pk: keys(rows)}


def test_donors_of_one_city_to_one_hospital_go_together_in_loads_of_their_own() -> None:
    wuchang, jianghan, hospital = make_donor("420106"), make_donor("420103"), make_facility()
    one, two = proposal_from(wuchang, hospital), proposal_from(jianghan, hospital)

    [suggestion] = found()

    assert suggestion.place.pk == "420100"
    assert loads_of(suggestion) == {wuchang.pk: {one.pk}, jianghan.pk: {two.pk}}


def test_a_proposal_that_travels_alone_is_no_suggestion() -> None:
    donor, hospital = make_donor(), make_facility()
    proposal_from(donor, hospital)
    proposal_from(donor, make_facility())
    proposal_from(make_donor("430102"), hospital)

    assert suggestions(Proposal.objects.all()) == ([], 0)


def test_goods_of_one_donor_in_two_cities_do_not_travel_together() -> None:
    donor, hospital = make_donor(), make_facility()
    proposal_from(donor, hospital)
    proposal_from(donor, hospital, region=make_region("430102"))

    assert found() == []


def test_what_is_known_only_by_its_province_stands_for_itself() -> None:
    donor, other, hospital = make_donor(), make_donor(), make_facility()
    province = make_region("420000")
    rows = [proposal_from(one, hospital, region=province) for one in (donor, other)]
    proposal_from(donor, hospital)

    [suggestion] = found()

    assert suggestion.place == province
    assert keys(rows) == {parcel.proposal for parcel in suggestion.parcels}


def test_the_districts_of_a_province_without_prefectures_are_of_one_city() -> None:
    """Those of Beijing are; 仙桃 and 潜江, which lie directly in Hubei, are not."""
    china = make_region("420106").parent.parent.parent  # type: ignore[union-attr]
    beijing = make_region("110000", "北京市", china, level="province")
    hubei = make_region("420000")
    hospital = make_facility()
    for code, above in (("110101", beijing), ("110105", beijing), ("429004", hubei), ("429005", hubei)):
        proposal_from(make_donor(), hospital, region=make_region(code, code, above))

    [suggestion] = found()

    assert suggestion.place == beijing
    assert len(suggestion.loads) == 2


def test_proposals_count_until_their_goods_are_on_a_shipment(volunteer: User) -> None:
    donor, hospital = make_donor(), make_facility()
    waiting = proposal_from(donor, hospital)
    approved = services.approve(proposal_from(donor, hospital), by=volunteer, at=NOW)
    agreed = services.approve(proposal_from(donor, hospital, allocates_for_me=True), by=volunteer, at=NOW)
    declined = services.decline(proposal_from(donor, hospital), reason="x", by=volunteer, at=NOW)

    assert found()[0].statuses == {"open": 1, "approved": 1, "agreed": 1}

    shipment = put_together([agreed.allocation], by=None, at=NOW)  # type: ignore[list-item]
    assert loads_of(found()[0]) == {donor.pk: {waiting.pk, approved.pk}}
    assert declined.pk not in loads_of(found()[0])[donor.pk]
    cancel(shipment, by=None, at=NOW)
    assert loads_of(found()[0]) == {donor.pk: {waiting.pk, approved.pk, agreed.pk}}


def test_what_is_agreed_of_a_load_is_what_one_shipment_takes(volunteer: User) -> None:
    hospital = make_facility()
    for donor in (make_donor(), make_donor()):
        for _number in range(2):
            made = proposal_from(donor, hospital, allocates_for_me=True)
            services.approve(made, by=volunteer, at=NOW)

    [suggestion] = found()

    assert len(suggestion.loads) == 2
    for load in suggestion.loads:
        rows = Proposal.objects.filter(pk__in=load.proposals).select_related("allocation")
        put_together([row.allocation for row in rows if row.allocation], by=None, at=NOW)
    assert found() == []


def test_the_totals_are_those_of_all_its_proposals(volunteer: User) -> None:
    pairs, hospital = make_item("GLOVES", name_zh="手套", display_factor=2), make_facility()
    near, far = make_donor(), make_donor("420103")
    soon = TODAY + timedelta(days=3)
    proposal_from(near, hospital, item=pairs, quantity=60, km=5, urgency=3, needed_by=soon)
    fewer = proposal_from(near, hospital, item=pairs, quantity=100, km=5, urgency=1)
    proposal_from(far, hospital, quantity=40, km=90, urgency=2)
    services.approve(fewer, quantity=80, reason="recount", by=volunteer, at=NOW)

    [suggestion] = found()

    assert [(one.item.pk, one.item.shown(one.quantity)) for one in suggestion.goods] == [
        ("GLOVES", 70),
        ("MASK_SURG", 40),
    ]
    assert (suggestion.urgency, suggestion.needed_by, suggestion.km) == (1, soon, 90)
    assert len(suggestion.parcels) == 3
    assert suggestion.statuses == {"open": 2, "approved": 1}


# --- order


def a_parcel(number: int, **fields: Any) -> Parcel:
    defaults = {
        "item": Item(pk="MASK_SURG"),
        "proposal": UUID(int=number),
        "status": "open",
        "quantity": 10,
        "km": 1,
        "urgency": 2,
        "needed_by": date(2026, 12, 1),
        "facility": UUID(int=1),
        "donor": UUID(int=1),
        "place": "/CN/420000/420100/",
    }
    return Parcel(**{**defaults, **fields})


def test_the_most_urgent_come_first_then_those_of_most_parcels_then_the_earliest_day() -> None:
    sooner = date(2026, 11, 30)
    groups = {
        "two later": [a_parcel(1), a_parcel(2)],
        "two sooner": [a_parcel(3), a_parcel(4, needed_by=sooner)],
        "three": [a_parcel(5), a_parcel(6), a_parcel(7)],
        "urgent": [a_parcel(8, urgency=1), a_parcel(9, urgency=4)],
        "also two later": [a_parcel(10), a_parcel(11)],
    }

    order = [name for name, _parcels in shipping.most_urgent_first(groups)]

    assert order == ["urgent", "three", "two sooner", "also two later", "two later"]
    assert order == [name for name, _ in shipping.most_urgent_first(dict(reversed(groups.items())))]


def test_within_a_load_the_most_urgent_is_named_first() -> None:
    parcels = [a_parcel(3), a_parcel(2, urgency=1), a_parcel(1)]

    [(_donor, load)] = shipping.by_donor(parcels).items()

    assert [parcel.proposal.int for parcel in load] == [2, 1, 3]


def test_of_many_the_first_are_shown_and_the_others_counted() -> None:
    for _number in range(3):
        donor, hospital = make_donor(), make_facility()
        for _parcel in range(2):
            proposal_from(donor, hospital)

    shown, more = suggestions(Proposal.objects.all(), 2)

    assert (len(shown), more) == (2, 1)
    assert suggestions(Proposal.objects.all(), 2)[0] == shown


def test_the_number_of_queries_does_not_grow_with_the_proposals() -> None:
    def several() -> None:
        for district in ("420106", "420103", "430102", "430103"):
            hospital = make_facility()
            for code in (district, district[:5] + "5"):
                proposal_from(make_donor(code), hospital, item=make_item(f"ITEM_{district}"))

    several()
    with CaptureQueriesContext(connection) as few:
        assert len(found()) == 4
    for _time in range(4):
        several()
    with CaptureQueriesContext(connection) as many:
        assert len(found()) == 20

    assert len(many) == len(few) == 6  # the proposals, items, cities; regions, facilities, donors


# --- what travels with one proposal


def test_what_travels_with_a_proposal_is_its_suggestion() -> None:
    hospital, donors = make_facility(), [make_donor("420106"), make_donor("420103"), make_donor("430102")]
    for donor in donors:
        for to in (hospital, make_facility()):
            proposal_from(donor, to)
            proposal_from(donor, to)

    groups = found()

    assert len(groups) == 5
    for group in groups:
        ids = {parcel.proposal for parcel in group.parcels}
        for one in Proposal.objects.filter(pk__in=ids):
            assert keys(list(together_with(one))) == ids


# --- at the desk


def shown_in(client: Any, **query: str) -> list[Suggestion]:
    return list(client.get(SUGGESTED, query).context["suggestions"])


def test_the_page_of_a_proposal_names_what_may_travel_with_it(volunteer: User) -> None:
    hospital = make_facility()
    one, two = proposal_from(make_donor(), hospital), proposal_from(make_donor(), hospital)
    alone = proposal_from(make_donor("430102"), hospital)
    client = at_the_desk(volunteer)

    page = client.get(page_of(one))

    assert list(page.context["together"]) == [two]
    assert page_of(two) in page.content.decode()
    assert f"status=all&amp;together={one.pk}" in page.content.decode()
    assert "May travel together with" not in client.get(page_of(alone)).content.decode()


def test_what_was_declined_travels_with_nothing(volunteer: User) -> None:
    donor, hospital = make_donor(), make_facility()
    for _number in range(2):
        proposal_from(donor, hospital)
    over = services.decline(proposal_from(donor, hospital), reason="x", by=volunteer, at=NOW)

    page = at_the_desk(volunteer).get(page_of(over)).content.decode()

    assert "May travel together with" not in page


def test_the_desk_lists_suggested_shipments_with_their_loads(volunteer: User) -> None:
    hospital, donors = make_facility(), [make_donor("420106"), make_donor("420103")]
    rows = [proposal_from(donor, hospital, urgency=1) for donor in donors for _number in range(2)]
    client = at_the_desk(volunteer)
    assert SUGGESTED in client.get(list_of(Proposal)).content.decode()

    page = client.get(SUGGESTED).content.decode()

    assert f"{make_region('420100').name} → {hospital.name}" in page
    assert all(page_of(row) in page for row in rows)
    assert all(donor.name in page for donor in donors)
    assert "4 proposals" in page
    assert "400 pieces" in page
    assert "waiting for a volunteer</a> (4)" in page
    assert str(Urgency.CRITICAL.label) in page


def test_a_suggestion_leads_to_the_list_where_all_of_it_is_approved_at_once(volunteer: User) -> None:
    hospital = make_facility()
    rows = [proposal_from(make_donor(), hospital) for _number in range(3)]
    other = proposal_from(make_donor(), make_facility())
    client = at_the_desk(volunteer)
    query = f"status=all&together={shown_in(client)[0].loads[0].proposals[0]}"
    assert query.replace("&", "&amp;") in client.get(SUGGESTED).content.decode()

    assert query.replace("all&", "open&amp;") in client.get(SUGGESTED).content.decode()
    listed = client.get(f"{list_of(Proposal)}?{query}").context["cl"].result_list
    assert {row.pk for row in listed} == keys(rows)
    choose(client, "approve", *listed, query=query, confirmed="yes")

    statuses = dict(Proposal.objects.values_list("pk", "status"))
    assert {statuses.pop(other.pk)} == {"open"}
    assert set(statuses.values()) == {"approved"}


@pytest.mark.parametrize("one", ["x", "00000000-0000-0000-0000-000000000001", "%00"])
def test_with_what_is_no_proposal_nothing_travels(volunteer: User, one: str) -> None:
    proposal_from(make_donor(), make_facility())

    listed = at_the_desk(volunteer).get(list_of(Proposal), {"status": "all", "together": one}).context["cl"]

    assert listed.result_count == 0


def test_the_page_is_narrowed_to_an_emergency(volunteer: User) -> None:
    donor, hospital, flood = make_donor(), make_facility(), make_emergency("flood")
    for emergency in (make_emergency(), flood, flood):
        proposal_from(donor, hospital, emergency=emergency)
    client = at_the_desk(volunteer)

    assert [len(one.parcels) for one in shown_in(client)] == [3]
    assert [len(one.parcels) for one in shown_in(client, emergency="flood")] == [2]
    assert shown_in(client, emergency="flu-2026") == []
    assert "emergency__code__exact=flood" in client.get(SUGGESTED, {"emergency": "flood"}).content.decode()
    assert client.get(SUGGESTED, {"emergency": "nowhere"}).status_code == 404


def a_coordinator(*regions: str) -> User:
    person = make_user()
    hers = [make_region(code) for code in regions]
    enrol(person, make_organisation("coordinator"), "coordinator", regions=hers, by=None, at=NOW)
    return person


def test_a_coordinator_is_shown_what_lies_in_her_regions(db: None) -> None:
    here, there = make_facility(region=make_region("420106")), make_facility(region=make_region("110101"))
    for hospital in (here, there):
        for _number in range(2):
            proposal_from(make_donor("430102"), hospital)
    client = at_the_desk(a_coordinator("420106"))

    assert [one.facility for one in shown_in(client)] == [here]
    hidden = Proposal.objects.filter(need__site=there)[0]
    listed = client.get(list_of(Proposal), {"status": "all", "together": str(hidden.pk)}).context["cl"]
    assert listed.result_count == 0


def test_nobody_outside_the_desk_is_shown_suggested_shipments(db: None) -> None:
    assert at_the_desk(make_member("donor")).get(SUGGESTED).status_code == 302


def test_the_page_asks_as_often_for_many_as_for_few(volunteer: User) -> None:
    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            client.get(SUGGESTED)
        return len(queries)

    client = at_the_desk(volunteer)
    counts = []
    for _time in range(2):
        for _group in range(3):
            donor, hospital = make_donor(), make_facility()
            for _number in range(2):
                proposal_from(donor, hospital)
        client.get(SUGGESTED)
        counts.append(asked())

    assert counts[0] == counts[1]


# --- through the API


def test_a_program_reads_what_may_travel_together() -> None:
    donor, other, hospital = make_donor(), make_donor("420103"), make_facility()
    first = proposal_from(donor, hospital, urgency=1, km=7)
    second = proposal_from(donor, hospital, quantity=40)
    third = proposal_from(other, hospital, urgency=3)

    answer = speaker("a volunteer").get("proposals/suggested_shipments/")

    place = make_region("420100")
    assert answer.json() == {
        "more": 0,
        "results": [
            {
                "from_region": {"code": "420100", "name": place.name},
                "facility": {"id": str(hospital.pk), "name": hospital.name},
                "urgency": 1,
                "needed_by": (TODAY + timedelta(days=10)).isoformat(),
                "km": 12,
                "loads": [
                    {
                        "donor": {"id": str(donor.pk), "name": donor.name},
                        "proposals": [str(first.pk), str(second.pk)],
                        "items": [{"item": "MASK_SURG", "quantity": 140, "unit": "piece"}],
                    },
                    {
                        "donor": {"id": str(other.pk), "name": other.name},
                        "proposals": [str(third.pk)],
                        "items": [{"item": "MASK_SURG", "quantity": 100, "unit": "piece"}],
                    },
                ],
            }
        ],
    }


def test_each_reads_suggestions_of_the_proposals_she_may_see(volunteer: User) -> None:
    donor, other, hospital = make_donor(), make_donor(), make_facility()
    hers = [services.approve(proposal_from(donor, hospital), by=volunteer, at=NOW) for _number in range(2)]
    services.approve(proposal_from(other, hospital), by=volunteer, at=NOW)
    proposal_from(donor, hospital)

    def read(who: Speaker) -> list[int]:
        results = who.get("proposals/suggested_shipments/").json()["results"]
        return [sum(len(load["proposals"]) for load in one["loads"]) for one in results]

    everybody = {
        "a volunteer": [4],
        "an auditor": [4],
        "the hospital": [3],
        "the donor": [len(hers)],
        "a donor": [],
        "a carrier": [],
    }
    cast = {who: speaker(who, hospital=hospital.organisation, donor=donor) for who in everybody}
    assert {who: read(person) for who, person in cast.items()} == everybody
    assert read(Speaker(a_coordinator("420106"))) == [4]
    assert read(Speaker(a_coordinator("110101"))) == []
    assert speaker("nobody").get("proposals/suggested_shipments/").status_code == 401


def test_the_suggestions_are_narrowed_by_emergency_and_by_nothing_unknown() -> None:
    donor, hospital = make_donor(), make_facility()
    for _number in range(2):
        proposal_from(donor, hospital)
    make_emergency("flood")
    volunteer = speaker("a volunteer")

    assert len(volunteer.get("proposals/suggested_shipments/", emergency="flu-2026").json()["results"]) == 1
    assert volunteer.get("proposals/suggested_shipments/", emergency="flood").json()["results"] == []
    for unknown in ("colour", "page_size", "cursor"):
        answer = volunteer.get("proposals/suggested_shipments/", **{unknown: "1"})
        assert (answer.status_code, list(answer.json()["fields"])) == (400, [unknown])


def test_the_document_of_the_api_says_what_narrows_the_suggestions_and_how_many_come(tmp_path: Any) -> None:
    file = tmp_path / "schema.yml"
    call_command("spectacular", file=str(file), validate=True, fail_on_warn=True)
    document = yaml.safe_load(file.read_text())

    operation = document["paths"]["/api/v1/proposals/suggested_shipments/"]["get"]

    assert [given["name"] for given in operation["parameters"] if given["in"] == "query"] == ["emergency"]
    shown = document["components"]["schemas"]["SuggestedShipments"]["properties"]
    assert str(SHOWN) in shown["results"]["description"]
