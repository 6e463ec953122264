"""Carriers' accounts at the desk: an administrator opens and closes them, nobody reads a secret again."""

import pytest
from django.test import Client

from supplies.carriers import services
from supplies.carriers.models import CarrierAccount, ParkedEvent
from supplies.organisations.models import User
from tests.desk import at_the_desk, list_of
from tests.makers import NOW, make_organisation, make_user
from tests.supplies.carriers.telling import SECRET, make_account, word

pytestmark = pytest.mark.django_db
ADD = "/desk/supplies/carrieraccount/add/"


@pytest.fixture
def administrator() -> Client:
    return at_the_desk(make_user("root", is_staff=True, is_superuser=True))


def given(**fields: str) -> dict[str, str]:
    carrier = make_organisation("carrier")
    return {"carrier": str(carrier.pk), "name": "演练", "interface": "generic", "secret": SECRET, **fields}


def test_an_administrator_opens_an_account_and_its_page_shows_the_address_and_no_secret(
    administrator: Client,
) -> None:
    answer = administrator.post(ADD, given())
    account = CarrierAccount.objects.get()
    page = administrator.get(f"/desk/supplies/carrieraccount/{account.pk}/change/").content.decode()

    assert answer.status_code == 302
    assert account.secret == SECRET
    assert f"/hooks/carriers/{account.pk}/" in page
    assert SECRET not in page


@pytest.mark.parametrize(("interface", "secret"), [("generic", "whsec_short"), ("kuaidi100", "salt")])
def test_what_cannot_be_a_secret_is_shown_beside_it(
    administrator: Client, interface: str, secret: str
) -> None:
    answer = administrator.post(ADD, given(interface=interface, secret=secret))

    assert answer.status_code == 200
    assert "secret" in answer.context["adminform"].form.errors
    assert not CarrierAccount.objects.exists()


def test_a_volunteer_sees_accounts_and_opens_none(volunteer: User) -> None:
    make_account()
    desk = at_the_desk(volunteer)

    assert "演练 generic" in desk.get(list_of(CarrierAccount)).content.decode()
    assert desk.get(ADD).status_code == 403


def test_what_waited_too_long_is_on_the_first_page_of_the_desk(volunteer: User) -> None:
    services.take_in(make_organisation("carrier"), [word("LOST-1")], by=None, at=NOW)
    services.give_up(at=NOW.replace(year=NOW.year + 1))
    desk = at_the_desk(volunteer)

    assert "state=given_up" in desk.get("/desk/").content.decode()
    assert "LOST-1" in desk.get(f"{list_of(ParkedEvent)}?state=given_up").content.decode()
