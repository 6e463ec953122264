"""Emergencies at the desk."""

from supplies.emergencies.models import Emergency
from supplies.organisations.models import User
from tests.desk import at_the_desk, choose, list_of, page_of, told
from tests.makers import make_emergency, make_user


def test_a_volunteer_reads_emergencies_and_changes_none(volunteer: User) -> None:
    emergency, client = make_emergency(), at_the_desk(volunteer)

    assert client.get(page_of(emergency)).status_code == 200
    assert client.post(page_of(emergency), {"proposal_hours": 1}).status_code == 403
    choose(client, "end", emergency, query="")
    emergency.refresh_from_db()
    assert (emergency.status, emergency.proposal_hours) == ("respond", 48)


def test_an_administrator_moves_the_phase_by_its_verb(db: None) -> None:
    emergency = make_emergency()
    client = at_the_desk(make_user("root", is_staff=True, is_superuser=True))

    choose(client, "recover", emergency, query="")
    answer = choose(client, "recover", emergency, query="")

    emergency.refresh_from_db()
    assert emergency.status == "recover"
    assert "cannot become" in " ".join(told(answer))


def test_ending_an_emergency_says_first_what_comes_of_it(db: None) -> None:
    emergency = make_emergency()
    client = at_the_desk(make_user("root", is_staff=True, is_superuser=True))

    page = choose(client, "end", emergency, query="").content.decode()

    emergency.refresh_from_db()
    assert emergency.status == "respond"
    assert "Nobody can post a need or an offer for it any more" in page
    assert "This cannot be undone." not in page
    choose(client, "end", emergency, query="", answered="yes")
    emergency.refresh_from_db()
    assert emergency.status == "over"


def test_an_administrator_opens_an_emergency_which_begins_with_preparing(db: None) -> None:
    client = at_the_desk(make_user("root", is_staff=True, is_superuser=True))
    form = {
        "code": "flood-2027",
        "name_zh": "洪水",
        "name_en": "Flood",
        "began_on": "2027-06-01",
        "proposal_hours": "24",
        "remind_days": "1",
        "grey_days": "3",
        "confirm_days": "7",
        "ship_within_days": "3",
        "status": "over",
    }

    client.post(list_of(Emergency) + "add/", form)

    opened = Emergency.objects.get(pk="flood-2027")
    assert (opened.status, opened.proposal_hours) == ("prepare", 24)
