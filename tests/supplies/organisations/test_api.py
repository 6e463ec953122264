from typing import Any
from uuid import uuid4

import pytest
from rest_framework.test import APIClient

from supplies.attachments.models import Attachment
from supplies.organisations import services as people
from supplies.organisations.models import Organisation, User
from tests.api_client import V1, Speaker, speaker, today  # noqa: F401
from tests.makers import NOW, TODAY, make_facility, make_member, make_organisation, make_region
from tests.supplies.organisations.verdicts import WORDS, no, verified, yes

pytestmark = pytest.mark.django_db


def names(one: Speaker, path: str = "organisations/", **query: str) -> set[str]:
    return {row["name"] for row in one.get(path, **query).json()["results"]}


def test_verified_hospitals_are_public_and_donors_and_the_unverified_are_not() -> None:
    make_organisation("hospital", name="甲医院")
    make_organisation("hospital", name="乙医院", verified=False)
    donor = make_organisation("donor", name="丙捐赠")

    assert names(Speaker()) == {"甲医院"}
    assert names(speaker("the donor", donor=donor)) == {"甲医院", "丙捐赠"}
    assert {"甲医院", "乙医院", "丙捐赠"} <= names(speaker("an auditor"))


def test_facilities_follow_their_organisation() -> None:
    make_facility(make_organisation("hospital", name="甲医院"))
    hidden = make_facility(make_organisation("donor", name="丙捐赠"))

    assert names(Speaker(), "facilities/") == {"甲医院"}
    assert Speaker().get(f"facilities/{hidden.pk}/").status_code == 404


def test_organisations_and_facilities_are_narrowed_by_region_kind_and_name() -> None:
    here = make_organisation("hospital", name="甲医院", region=make_region("420106"))
    make_facility(here)
    make_facility(make_organisation("hospital", name="乙医院", region=make_region("440103", "荔湾区")))

    assert names(Speaker(), region="420000") == {"甲医院"}
    assert names(Speaker(), kind="carrier") == set()
    assert names(Speaker(), q="甲") == {"甲医院"}
    assert names(Speaker(), "facilities/", region="420100") == {"甲医院"}
    assert names(Speaker(), "facilities/", organisation=str(here.pk)) == {"甲医院"}


def test_a_hospital_is_paused_and_resumed_by_its_own_people_only() -> None:
    facility = make_facility()
    path = f"facilities/{facility.pk}"
    own, other = speaker("the hospital", hospital=facility.organisation), speaker("a hospital")

    assert other.post(f"{path}/pause/").status_code == 403
    assert own.post(f"{path}/pause/", {"reason": "full"}).json()["is_paused"] is True
    assert own.post(f"{path}/resume/").json()["is_paused"] is False


# -- Verification -----------------------------------------------------------------------------------------

CALL = {"origin": "register", "outcome": "confirmed", "note": "The front desk."}


def path_of(organisation: Organisation, verb: str = "") -> str:
    return f"organisations/{organisation.pk}/{verb}"


def test_everybody_reads_how_an_organisation_is_known() -> None:
    proper = verified(make_organisation(verified=False))
    listed = make_organisation(source="wuhan2020")

    shown = Speaker().get(path_of(proper)).json()["verification"]
    told = Speaker().get(path_of(listed)).json()["verification"]

    assert shown == {
        "status": "verified",
        "note": WORDS["public_note"],
        "on": str(TODAY),
        "recheck_on": str(proper.recheck_on),
        "by_source": False,
    }
    assert told["by_source"] is True
    assert "wuhan2020" in told["note"]


def test_why_a_volunteer_believes_it_and_who_she_is_is_told_to_nobody_outside() -> None:
    organisation = make_organisation(verified=False)
    verified(organisation)

    for one in (Speaker(), speaker("the hospital", hospital=organisation), speaker("a donor")):
        body = one.client.get(f"{V1}{path_of(organisation)}").content.decode()
        assert WORDS["motive"] not in body
        assert "volunteer" not in body


def test_a_refused_one_reads_what_has_to_change() -> None:
    organisation = make_organisation(verified=False)
    no(organisation)

    shown = speaker("the hospital", hospital=organisation).get(path_of(organisation)).json()

    assert (shown["verification"]["status"], shown["verification"]["note"]) == (
        "refused",
        "Hand in a letter with a seal.",
    )
    assert Speaker().get(path_of(organisation)).status_code == 404


def test_programs_of_two_volunteers_verify_an_organisation() -> None:
    organisation = make_organisation(verified=False)
    first, second = speaker("a volunteer"), speaker("a volunteer")

    logged = first.post(path_of(organisation, "calls/"), CALL)
    believed = first.post(path_of(organisation, "verify/"), {"verdict": "verified", **WORDS})
    known = second.get(path_of(organisation, "check/")).json()
    seconded = second.post(
        path_of(organisation, "verify/"), {"verdict": "verified", "recheck_on": "2026-12-24", **WORDS}
    )
    late = first.post(path_of(organisation, "verify/"), {"verdict": "verified", **WORDS})

    assert logged.status_code == 201
    assert {key: logged.json()[key] for key in CALL} == CALL
    assert believed.json()["status"] == "unverified"
    assert (known["yeses"], known["waits_for_you"], len(known["calls"])) == (1, True, 1)
    assert (seconded.json()["status"], seconded.json()["verification"]["recheck_on"]) == (
        "verified",
        "2026-12-24",
    )
    assert (late.status_code, late.json()["code"]) == (409, "verified-already")


@pytest.mark.parametrize("verb", ["verify/", "calls/", "check/"])
@pytest.mark.parametrize(
    ("who", "status"),
    [
        ("nobody", (401, 403)),
        ("a stranger", (404,)),
        ("a donor", (404,)),
        ("an auditor", (403,)),
        ("the hospital", (403,)),
    ],
)
def test_only_the_desk_finds_out_about_an_organisation(who: str, status: tuple[int, ...], verb: str) -> None:
    organisation = make_organisation(verified=False)
    one = speaker(who, hospital=organisation)
    body = CALL if verb == "calls/" else {"verdict": "refused", **WORDS}

    answer = (
        one.get(path_of(organisation, verb))
        if verb == "check/"
        else one.post(path_of(organisation, verb), body)
    )

    assert answer.status_code in (*status, 404 if who == "nobody" else status[0])
    organisation.refresh_from_db()
    assert organisation.status == "unverified"


def test_a_coordinator_elsewhere_finds_out_nothing_here() -> None:
    organisation = make_organisation(verified=False)
    coordinator = make_member("coordinator")
    coordinator.memberships.get().regions.add(make_region("110101", "东城区"))
    elsewhere = Speaker(coordinator)

    assert (
        elsewhere.post(path_of(organisation, "verify/"), {"verdict": "refused", **WORDS}).status_code == 404
    )
    assert elsewhere.post(path_of(organisation, "calls/"), CALL).status_code == 404
    assert elsewhere.get(path_of(organisation, "check/")).status_code == 404


def test_a_program_verifies_only_with_the_scope_to_verify() -> None:
    organisation, volunteer = make_organisation(verified=False), make_member("volunteer")

    def status(scope: str) -> int:
        _token, secret = people.issue_token(volunteer, name="x", scopes=["read", scope], at=NOW)
        client = APIClient(headers={"authorization": f"Token {secret}"})
        return client.post(f"{V1}{path_of(organisation, 'calls/')}", CALL, format="json").status_code

    assert status("shipments") == 403
    assert status("verify") == 201


FAULTS: dict[str, tuple[str, dict[str, Any], str]] = {
    "no verdict": ("verify/", {"verdict": ...}, "verdict"),
    "another verdict": ("verify/", {"verdict": "unverified"}, "verdict"),
    "no motive": ("verify/", {"motive": ""}, "motive"),
    "a number in the motive": ("verify/", {"motive": "138 1234 5678"}, "motive"),
    "a number in public": ("verify/", {"public_note": "027-82211234"}, "public_note"),
    "a day that is over": ("verify/", {"recheck_on": "2026-11-23"}, "recheck_on"),
    "a day too far": ("verify/", {"recheck_on": "2027-11-25"}, "recheck_on"),
    "no day": ("verify/", {"recheck_on": "soon"}, "recheck_on"),
    "evidence that is no key": ("verify/", {"evidence": ["x"]}, "evidence.0"),
    "evidence that does not exist": ("verify/", {"evidence": [str(uuid4())]}, "evidence.0"),
    "evidence that is no list": ("verify/", {"evidence": "x"}, "evidence"),
    "a field that is not the sender's": ("verify/", {"round": 0}, "round"),
    "an unknown origin": ("calls/", {"origin": "heaven"}, "origin"),
    "an unknown outcome": ("calls/", {"outcome": "maybe"}, "outcome"),
    "no outcome": ("calls/", {"outcome": ...}, "outcome"),
    "a number in the note": ("calls/", {"note": "１３８１２３４５６７８"}, "note"),
    "a note without end": ("calls/", {"note": "x" * 301}, "note"),
    "somebody else who called": ("calls/", {"by": 1}, "by"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_faulty_verdict_or_call_is_400_by_field_and_nothing_is_stored(name: str) -> None:
    verb, fields, place = FAULTS[name]
    organisation, one = make_organisation(verified=False), speaker("a volunteer")
    if verb == "verify/":
        one.post(path_of(organisation, "calls/"), CALL)
    body = {**(CALL if verb == "calls/" else {"verdict": "verified", **WORDS}), **fields}

    answer = one.post(
        path_of(organisation, verb), {key: value for key, value in body.items() if value is not ...}
    )

    assert answer.status_code == 400, answer.json()
    assert list(answer.json()["fields"]) == [place]
    assert organisation.calls.count() == (verb == "verify/")
    assert not organisation.verifications.exists()


def test_a_file_of_another_organisation_is_answered_like_none(volunteer: User) -> None:
    here, there = (make_organisation(verified=False) for _ in range(2))
    file = Attachment.objects.create(
        subject="organisation",
        subject_id=str(there.pk),
        position=1,
        kind="letter",
        media_type="image/png",
        size=1,
        sha256="0",
        key_sealed=b"k",
        by=volunteer,
        at=NOW,
        erase_on=TODAY,
    )
    one = Speaker(volunteer)

    def told(organisation: Organisation, key: Any) -> str:
        body = {"verdict": "verified", "evidence": [str(key)], **WORDS}
        answer = one.post(path_of(organisation, "verify/"), body)
        return str(answer.status_code) + answer.content.decode().replace(str(key), "KEY")

    assert told(here, file.pk) == told(here, uuid4())
    assert told(here, file.pk).startswith("400")
    assert told(there, file.pk).startswith("200")


def test_what_is_known_of_the_round_is_told_and_what_was_before_is_not() -> None:
    organisation = make_organisation(verified=False)
    yes(organisation)
    no(organisation)

    known = speaker("a volunteer").get(path_of(organisation, "check/")).json()

    assert known == {"yeses": 0, "waits_for_you": False, "calls": [], "files": []}
