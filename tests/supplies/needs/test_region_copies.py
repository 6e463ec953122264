"""Needs and offers carry where they are; whatever is corrected elsewhere, they follow."""

import pytest

from supplies.needs.models import Appeal, Need
from supplies.offers.models import Offer
from supplies.organisations.models import Facility
from supplies.regions import services as places
from supplies.regions.models import Region
from tests.makers import NOW, make_facility, make_need, make_offer, make_organisation, make_region

pytestmark = pytest.mark.django_db
WUCHANG = "/CN/420000/420100/420106/"
HUANGPU = "/CN/310000/310100/310101/"


def where(need: Need) -> tuple[object, str]:
    return Need.objects.values_list("site", "region_path").get(pk=need.pk)


def test_a_need_knows_its_facility_and_region_from_its_appeal() -> None:
    need = make_need(make_facility(region=make_region("420106")))

    assert where(need) == (need.appeal.facility_id, WUCHANG)


def test_rows_written_in_bulk_know_it_too() -> None:
    need = make_need()
    others = [
        Need(**{**_copied(need), "site_id": None, "region_path": "/elsewhere/"}) for _number in range(3)
    ]

    Need.objects.bulk_create(others)

    assert {where(other) for other in others} == {where(need)}


def _copied(need: Need) -> dict[str, object]:
    kept = [
        field.attname for field in Need._meta.concrete_fields if not field.generated and field.name != "id"
    ]
    return {name: getattr(need, name) for name in kept}


def test_nobody_can_write_another_region_into_a_need_or_an_offer() -> None:
    need, offer = make_need(), make_offer()

    Need.objects.update(region_path=HUANGPU, site=make_facility())
    Offer.objects.update(region_path=HUANGPU)

    assert where(need) == (need.appeal.facility_id, WUCHANG)
    assert Offer.objects.get(pk=offer.pk).region_path == WUCHANG


def test_a_need_follows_a_facility_whose_region_is_corrected() -> None:
    facility = make_facility(region=make_region("420106"))
    need, other = make_need(facility), make_need(make_facility())

    Facility.objects.filter(pk=facility.pk).update(region=make_region("310101", "黄浦区"))

    assert where(need) == (facility.pk, HUANGPU)
    assert where(other)[1] == WUCHANG
    assert list(Need.objects.in_region(Region.objects.get(pk="310000"))) == [need]


def test_a_need_follows_an_appeal_that_was_another_hospital_s() -> None:
    need, right = make_need(), make_facility(region=make_region("310101", "黄浦区"))

    Appeal.objects.filter(pk=need.appeal_id).update(facility=right)

    assert where(need) == (right.pk, HUANGPU)


def test_an_offer_follows_its_donation() -> None:
    offer = make_offer(make_organisation("donor", region=make_region("420106")))
    assert list(Offer.objects.in_region(Region.objects.get(pk="420100"))) == [offer]

    offer.donation.region = make_region("310101", "黄浦区")
    offer.donation.save(update_fields=["region"])

    assert Offer.objects.get(pk=offer.pk).region_path == HUANGPU


def test_needs_and_offers_move_with_a_region_that_is_put_into_another() -> None:
    need, offer = make_need(), make_offer(region=make_region("420106"))
    city = Region.objects.get(pk="420100")
    city.parent = make_region("310101", "黄浦区").parent.parent

    places.edit(city, by=None, at=NOW)

    moved = "/CN/310000/420100/420106/"
    assert where(need)[1] == moved
    assert Offer.objects.get(pk=offer.pk).region_path == moved


@pytest.mark.parametrize("code", ["CN", "420000", "420100", "420106"])
def test_a_list_is_narrowed_to_a_region_and_everything_inside(code: str) -> None:
    need = make_need(make_facility(region=make_region("420106")))
    make_need(
        make_facility(region=make_region("420206", "别处"))
        if code == "420106"
        else make_facility(region=make_region("XX", "X", level="country"))
    )

    assert list(Need.objects.in_region(Region.objects.get(pk=code))) == [need]
