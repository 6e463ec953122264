"""What is certified is what was counted and found good."""

import pytest

from supplies.errors import Refused
from supplies.journal.models import Event
from supplies.offers.models import Donation
from supplies.papers import services
from supplies.papers.models import Certificate
from supplies.papers.services import Standing
from supplies.receipts import services as receiving
from supplies.shipments.models import Shipment
from tests.makers import NOW, make_allocation, make_need, make_offer, make_shipment, make_user

pytestmark = pytest.mark.django_db


def counted(shipment: Shipment, **count: int) -> Donation:
    line = shipment.lines.get()
    receiving.receive(shipment, counts=[{"line": line, **count}], by=None, at=NOW)
    return line.allocation.offer.donation


def given(certificate: Certificate) -> list[int]:
    return sorted(certificate.lines.values_list("accepted", flat=True))


def test_only_what_was_good_is_certified() -> None:
    gift = counted(make_shipment(make_allocation(quantity=100), status="delivered"), accepted=90, damaged=10)

    certificate = services.certify(gift, by=None, at=NOW)

    assert given(certificate) == [90]
    assert services.standing_of(certificate) == Standing.GENUINE
    assert Event.objects.about(certificate).get().kind == "certificate.issued"


def test_more_than_was_shipped_is_not_certified() -> None:
    gift = counted(make_shipment(make_allocation(quantity=100), status="delivered"), accepted=130)

    assert given(services.certify(gift, by=None, at=NOW)) == [100]


@pytest.mark.parametrize("count", [{"damaged": 100}, {}])
def test_what_no_hospital_accepted_is_not_certified(count: dict[str, int]) -> None:
    gift = counted(make_shipment(make_allocation(quantity=100), status="delivered"), **count)

    with pytest.raises(Refused) as refusal:
        services.certify(gift, by=None, at=NOW)

    assert refusal.value.code == "nothing-accepted"
    assert not Certificate.objects.exists()


def test_what_is_signed_for_at_the_gate_is_not_certified() -> None:
    gift = make_shipment(status="delivered").lines.get().allocation.offer.donation

    with pytest.raises(Refused):
        services.certify(gift, by=None, at=NOW)


def test_the_same_certificate_is_given_again_until_more_is_counted() -> None:
    offer = make_offer(quantity=500)
    first, second = (
        make_shipment(make_allocation(200, need=make_need(quantity=200), offer=offer), status="delivered")
        for _each in range(2)
    )
    gift = counted(first, accepted=200)

    one, again = (services.certify(gift, by=None, at=NOW) for _time in range(2))
    counted(second, accepted=150)
    new = services.certify(gift, by=None, at=NOW)

    assert one == again != new
    assert services.standing_of(one) == Standing.OUTDATED
    assert (sum(given(one)), sum(given(new))) == (200, 350)


def test_what_was_called_back_is_not_given_again() -> None:
    gift = counted(make_shipment(make_allocation(quantity=100), status="delivered"), accepted=100)
    certificate = services.certify(gift, by=None, at=NOW)

    called = services.call_back(certificate, note="issued to the wrong donor", by=make_user(), at=NOW)

    assert services.standing_of(called) == Standing.CALLED_BACK
    assert services.certify(gift, by=None, at=NOW) != certificate
    for note, code in (("", "reason-missing"), ("again", "move-refused")):
        with pytest.raises(Refused) as refusal:
            services.call_back(certificate, note=note, by=make_user(), at=NOW)
        assert refusal.value.code == code


def test_lines_of_a_certificate_are_never_changed() -> None:
    gift = counted(make_shipment(make_allocation(quantity=100), status="delivered"), accepted=100)
    certificate = services.certify(gift, by=None, at=NOW)

    with pytest.raises(Exception, match=r"only added|permission denied"):
        certificate.lines.update(accepted=1000)
