import pytest

from tests.api_client import speaker, today  # noqa: F401
from tests.makers import (
    make_allocation,
    make_facility,
    make_need,
    make_offer,
    make_organisation,
    make_shipment,
)

pytestmark = pytest.mark.django_db
EVERYBODY = {
    "nobody": 401,
    "a stranger": 404,
    "the hospital": 200,
    "another hospital": 404,
    "the donor": 200,
    "another donor": 404,
    "a carrier": 404,
    "a volunteer": 200,
    "a coordinator": 200,
    "an auditor": 403,
    "the administrator": 200,
}


@pytest.mark.parametrize("who", EVERYBODY)
def test_either_side_and_volunteers_release_a_promise(who: str) -> None:
    facility, donor = make_facility(), make_organisation("donor")
    allocation = make_allocation(300, need=make_need(facility), offer=make_offer(donor))

    answer = speaker(who, hospital=facility.organisation, donor=donor).post(
        f"allocations/{allocation.pk}/release/", {"reason": "not needed"}
    )

    assert answer.status_code == EVERYBODY[who], answer.json()
    allocation.refresh_from_db()
    assert (allocation.status == "released") == (answer.status_code == 200)


def test_the_carrier_sees_what_is_on_its_lorry_and_cannot_release_it() -> None:
    carrier = make_organisation("carrier")
    shipment = make_shipment(carrier=carrier, status="booked")
    allocation = shipment.lines.get().allocation
    driver = speaker("the carrier", carrier=carrier)

    assert [row["id"] for row in driver.get("allocations/").json()["results"]] == [str(allocation.pk)]
    assert driver.post(f"allocations/{allocation.pk}/release/", {"reason": "no"}).status_code == 403


def test_a_release_says_why() -> None:
    allocation = make_allocation()

    answer = speaker("a volunteer").post(f"allocations/{allocation.pk}/release/", {"reason": "  "})

    assert answer.status_code == 400
    assert list(answer.json()["fields"]) == ["reason"]


def test_what_is_on_board_cannot_be_released() -> None:
    allocation = make_shipment(status="in_transit").lines.get().allocation

    answer = speaker("a volunteer").post(f"allocations/{allocation.pk}/release/", {"reason": "late"})

    assert (answer.status_code, answer.json()["code"]) == (409, "move-refused")


def test_allocations_are_narrowed_by_need_and_status() -> None:
    allocation = make_allocation()
    make_allocation()
    volunteer = speaker("a volunteer")

    by_need = volunteer.get("allocations/", need=str(allocation.need_id)).json()["results"]

    assert [row["id"] for row in by_need] == [str(allocation.pk)]
    assert (by_need[0]["quantity"], by_need[0]["shown"], by_need[0]["unit"]) == (100, "100", "piece")
    assert volunteer.get("allocations/", status="shipped").json()["results"] == []
    assert volunteer.get("allocations/", need="1").status_code == 400
