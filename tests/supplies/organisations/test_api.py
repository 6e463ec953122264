import pytest

from tests.api_client import Speaker, speaker, today  # noqa: F401
from tests.makers import make_facility, make_organisation, make_region

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
