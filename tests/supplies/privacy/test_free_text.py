"""Free words: who posts a private number is told, wherever it is posted; names hold none. Numbers are made up."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.core.exceptions import ValidationError
from rest_framework import serializers

import config.api_v1  # noqa: F401 -- every serializer is loaded with the routes
from supplies.api_fields import RowSerializer, Words
from supplies.free_text import FreeText
from supplies.needs.models import Appeal
from supplies.organisations import services as people
from supplies.organisations.models import Organisation
from supplies.shipments.tracking import TrackingEvent
from tests.api_client import Speaker, today  # noqa: F401
from tests.makers import (
    NOW,
    make_allocation,
    make_appeal,
    make_emergency,
    make_facility,
    make_item,
    make_member,
    make_mode,
    make_organisation,
    make_region,
    make_shipment,
    make_user,
)
from tests.page_client import lines, reader

pytestmark = pytest.mark.django_db
NUMBER, MASK = "13800001234", "138****1234"


def body(**fields: Any) -> dict[str, Any]:
    return {
        "facility": str(make_facility().pk),
        "emergency": make_emergency().pk,
        "lines": [{"item": make_item().pk, "quantity": 500}],
        **fields,
    }


def test_a_program_that_posts_a_number_in_free_words_is_told_and_the_words_are_kept(stranger: Any) -> None:
    answer = Speaker(stranger).post("appeals/", body(remark=f"联系{NUMBER}", handover_point="东门"))

    (warning,) = answer.json()["warnings"]
    assert warning["field"] == "remark"
    assert "电话号码" in warning["detail"] or "a telephone number" in warning["detail"]
    assert Appeal.objects.get().remark == f"联系{NUMBER}"
    assert answer.json()["details"]["remark"] == f"联系{NUMBER}"


def test_without_a_private_number_there_are_no_warnings(stranger: Any) -> None:
    answer = Speaker(stranger).post("appeals/", body(remark="GB 19083-2010, 5000只"))

    assert answer.status_code == 201
    assert "warnings" not in answer.json()


def test_a_refused_post_holds_no_warnings(stranger: Any) -> None:
    answer = Speaker(stranger).post("appeals/", {**body(remark=NUMBER), "lines": []})

    assert answer.status_code == 400
    assert "warnings" not in answer.json()


POSTED_WORDS = {
    "release": ("allocations/{allocation}/release/", {"reason": NUMBER}),
    "an event": (
        "shipments/{shipment}/events/",
        {"occurred_at": "2026-11-23T08:00:00Z", "step": "transporting", "note": NUMBER},
    ),
    "a return": ("shipments/{shipment}/return/", {"note": NUMBER}),
    "a loss": ("shipments/{shipment}/lose/", {"note": NUMBER}),
    "a pause": ("facilities/{facility}/pause/", {"reason": NUMBER}),
}


@pytest.mark.parametrize("name", POSTED_WORDS)
def test_whatever_free_words_the_api_takes_are_looked_through(name: str) -> None:
    path, sent = POSTED_WORDS[name]
    known = {
        "allocation": make_allocation().pk,
        "shipment": make_shipment(status="in_transit").pk,
        "facility": make_facility().pk,
    }

    answer = Speaker(make_member("volunteer")).post(path.format(**known), sent)

    assert answer.status_code < 300, answer.json()
    assert [warning["field"] for warning in answer.json()["warnings"]] == [
        field for field in sent if sent[field] == NUMBER
    ]


def test_what_a_carrier_writes_beside_an_event_is_masked_for_both_sides() -> None:
    shipment = make_shipment(status="in_transit")
    TrackingEvent.objects.filter(shipment=shipment).update(note=f"司机{NUMBER}", place=f"站{NUMBER}")
    donor = Speaker(make_member("donor", shipment.consignor))

    text = donor.get(f"shipments/{shipment.pk}/").content.decode()

    assert NUMBER not in text
    assert MASK in text


def test_the_page_tells_who_posts_a_number_and_masks_it_for_others() -> None:
    facility = make_facility()
    make_emergency()
    fields = {
        "contact_name": "演练者",
        "contact_phone": "000-1234567",
        "emergency": make_emergency().pk,
        "accepted_senders": ["person"],
        "remark": f"联系{NUMBER}",
    }
    line = {"item": make_item().pk, "quantity_kind": "number", "amount": "500", "setting": "general"}

    answer = reader(make_user()).post(f"/appeals/new/{facility.pk}/", lines(line, **fields))

    assert answer.status_code == 302, answer.context["form"].errors
    (sentence,) = map(str, get_messages(answer.wsgi_request))
    assert "holds a telephone number" in sentence


def test_a_name_holds_no_number() -> None:
    organisation = make_organisation()

    with pytest.raises(ValidationError) as refusal:
        people.register(kind="donor", name=f"演练{NUMBER}", region=make_region(), by=None, at=NOW)
    with pytest.raises(ValidationError):
        people.open_facility(organisation, name=f"东院 {NUMBER}", region=make_region(), by=None, at=NOW)

    assert list(refusal.value.message_dict) == ["name"]


def test_a_donor_named_with_a_number_is_told_beside_the_field() -> None:
    make_mode()
    make_region("420106")
    fields = {
        "contact_name": "演练者",
        "contact_phone": "000-1234567",
        "emergency": make_emergency().pk,
        "donor_name": f"演练{NUMBER}",
        "sender_kind": "person",
        "province": "420000",
        "city": "420100",
        "district": "420106",
        "direction": "most_needed",
        "mode": "road",
    }
    line = {"item": make_item().pk, "amount": "500"}

    answer = reader(make_user()).post("/donations/new/", lines(line, **fields))

    assert "donor_name" in answer.context["form"].errors
    assert not Organisation.objects.filter(kind="donor").exists()


def test_what_a_poster_calls_her_source_and_who_receives_for_her_is_not_public() -> None:
    posted = make_appeal(by=make_user(), source_name="my cousin", receiving_body="演练红十字会")
    listed = make_appeal(source_name="wuhan2020")

    rows = {row["id"]: row for row in Speaker().get("appeals/").json()["results"]}

    assert (rows[str(posted.pk)]["source_name"], rows[str(posted.pk)]["receiving_body"]) == ("", "")
    assert rows[str(listed.pk)]["source_name"] == "wuhan2020"
    assert "my cousin" not in reader().get(f"/appeals/{posted.pk}/").content.decode()


# -- every serializer there is -------------------------------------------------------------------------------------


def unmasked(serializers_: Any) -> list[str]:
    """The fields of rows that tell free words without masking them."""
    found = []
    for serializer in serializers_:
        model = serializer.Meta.model
        free = {field.name for field in model._meta.local_concrete_fields if isinstance(field, FreeText)}
        for name, field in serializer().fields.items():
            if field.source in free and not field.write_only and not isinstance(field, Words):
                found.append(f"{serializer.__name__}.{name}")
    return found


def rows_of_the_api(base: Any = RowSerializer) -> Iterator[Any]:
    for serializer in base.__subclasses__():
        if serializer.__module__.startswith(("supplies", "matching")) and hasattr(serializer, "Meta"):
            yield serializer
        yield from rows_of_the_api(serializer)


def test_every_row_the_api_shows_masks_its_free_words() -> None:
    known = list(rows_of_the_api())

    assert len(known) > 25
    assert unmasked(known) == []


def test_a_row_that_does_not_mask_them_is_found() -> None:
    class Careless(RowSerializer):
        remark = serializers.CharField()

        class Meta:
            model = Appeal
            fields = ["id", "remark", "handover_point"]

    assert unmasked([Careless]) == ["Careless.remark"]
