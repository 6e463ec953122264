import re
from io import StringIO

import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.utils import timezone

from supplies.editions.models import ReferenceEdition
from supplies.editions.services import Loaded
from supplies.journal.models import Event
from supplies.regions import services
from supplies.regions.models import Region
from supplies.regions.services import Places
from tests.supplies.regions.conftest import LOADED_AT

pytestmark = pytest.mark.usefixtures("shipped", "db")


@pytest.fixture
def places() -> Places:
    return Places()


def test_the_tree_reaches_from_china_to_its_districts_with_a_point_on_every_row() -> None:
    wuchang = Region.objects.get(code="420106")

    assert wuchang.path == "/CN/420000/420100/420106/"
    assert not Region.objects.filter(lat=None).exists()
    assert Region.objects.countries().count() == 246


def test_a_county_directly_under_a_province_and_a_district_of_a_municipality_have_the_province_as_parent() -> (
    None
):
    assert Region.objects.get(name_zh="仙桃市").parent_id == "420000"
    assert Region.objects.get(code="110105").parent_id == "110000"
    assert not Region.objects.filter(name_zh__in=["市辖区", "县", "省直辖县级行政区划"]).exists()


@pytest.mark.parametrize(
    ("alias", "code"),
    [("TW", "710000"), ("CN-TW", "710000"), ("HK", "810000"), ("MO", "820000"), ("CN-HB", "420000")],
)
def test_both_codes_of_iso_3166_lead_to_one_row(alias: str, code: str) -> None:
    assert [row.code for row in Region.objects.named(alias)] == [code]


@pytest.mark.parametrize(
    ("name", "codes"),
    [
        ("汉口", {"420102", "420103", "420104"}),
        ("hankou", {"420102", "420103", "420104"}),
        ("Optics valley", {"420111", "420115"}),
        ("浦东", {"310115"}),
        ("恩施州", {"422800"}),
        ("海南", {"460000"}),
    ],
)
def test_a_place_goes_by_the_names_that_people_use_too(name: str, codes: set[str]) -> None:
    assert set(Region.objects.named(name).values_list("pk", flat=True)) == codes


def test_a_name_that_several_districts_go_by_is_their_city_with_each_as_a_candidate(places: Places) -> None:
    for text in ("汉口", "Hankou"):
        found = places.resolve("湖北省", "武汉市", text)

        assert found.region is not None
        assert (found.region.code, len(found.candidates)) == ("420100", 3)


def test_loading_twice_changes_nothing(shipped: Loaded) -> None:
    again = services.load_regions(at=LOADED_AT)

    assert (shipped.changed, again.changed) == (again.rows, 0)
    assert again.version == shipped.version


def test_an_administrators_edit_survives_a_reload_and_makes_a_new_edition(shipped: Loaded) -> None:
    wuhan = Region.objects.get(code="420100")
    wuhan.name_en = "Wuhan"
    services.edit(wuhan, by=None, at=timezone.now())

    again = services.load_regions(at=timezone.now())

    assert Region.objects.get(code="420100").name_en == "Wuhan"
    assert again.changed == 0
    assert ReferenceEdition.objects.versions()["regions.region"] == shipped.version + 1
    assert Event.objects.about(wuhan).get().kind == "reference.edited"


def test_a_row_that_was_changed_behind_the_files_back_is_brought_back(shipped: Loaded) -> None:
    Region.objects.filter(code="420100").update(name_zh="武漢")

    again = services.load_regions(at=timezone.now())

    assert (again.changed, again.version) == (1, shipped.version + 1)
    assert Region.objects.get(code="420100").name_zh == "武汉市"


def test_moving_a_region_moves_what_lies_inside_it_and_a_reload_keeps_it_there() -> None:
    wuhan = Region.objects.get(code="420100")
    wuhan.parent = Region.objects.get(code="430000")
    services.edit(wuhan, by=None, at=timezone.now())
    services.load_regions(at=timezone.now())

    assert Region.objects.get(code="420106").path == "/CN/430000/420100/420106/"


def test_a_region_cannot_be_moved_inside_itself() -> None:
    hubei = Region.objects.get(code="420000")
    hubei.parent = Region.objects.get(code="420106")

    with pytest.raises(ValidationError, match="inside itself"):
        services.edit(hubei, by=None, at=timezone.now())


@pytest.mark.parametrize(
    ("texts", "code"),
    [
        (("湖北省", "武汉市", "江汉区"), "420103"),
        (("湖北", "武汉", "江汉"), "420103"),
        (("湖北", "", "江夏区"), "420115"),
        (("湖北省", "仙桃市", ""), "429004"),
        (("湖北省", "", "仙桃"), "429004"),
        (("湖北", "恩施州", "利川"), "422802"),
        (("湖北省", "恩施土家族苗族自治州", "恩施市"), "422801"),
        (("湖北省", "荆州", "沙市"), "421002"),
        (("北京市", "北京市", "朝阳区"), "110105"),
        (("北京", "", "海淀"), "110108"),
        (("吉林", "吉林", ""), "220200"),
        (("重庆", "", "梁平区"), "500228"),
        (("湖北省", "", ""), "420000"),
        (("香港", "", ""), "810000"),
    ],
)
def test_a_place_is_found_with_certainty(places: Places, texts: tuple[str, str, str], code: str) -> None:
    found = places.resolve(*texts)

    assert found.region is not None
    assert (found.region.code, found.confidence) == (code, services.CERTAIN)


def test_an_unknown_district_falls_to_its_city_with_less_confidence(places: Places) -> None:
    found = places.resolve("湖北省", "武汉市", "光谷")

    assert found.region is not None
    assert found.region.code == "420100"
    assert found.confidence < services.PROBABLE


def test_a_district_name_that_exists_twice_is_not_guessed(places: Places) -> None:
    found = places.resolve("", "", "朝阳区")

    assert found.region is None
    assert {row.code for row in found.candidates} == {"110105", "220104"}


def test_a_city_outside_the_province_is_shown_as_another_candidate(places: Places) -> None:
    found = places.resolve("湖南", "武汉", "")

    assert found.region is not None
    assert (found.region.code, found.confidence) == ("430000", services.PARTIAL)
    assert [row.code for row in found.candidates] == ["420100"]


@pytest.mark.parametrize(
    ("texts", "hospital", "code"),
    [
        (("湖北省", "武汉市", ""), "武汉市江夏区第一人民医院", "420115"),
        (("湖北", "孝感市", ""), "大悟县人民医院", "420922"),
        (("湖北", "", ""), "武汉市中心医院", "420100"),
    ],
)
def test_a_hospital_named_after_its_place_narrows_it(
    places: Places, texts: tuple[str, str, str], hospital: str, code: str
) -> None:
    found = places.resolve(*texts, hospital)

    assert found.region is not None
    assert (found.region.code, found.confidence) == (code, services.PROBABLE)


def test_nothing_said_is_no_place(places: Places) -> None:
    assert places.resolve("", "", "").region is None
    assert places.resolve("", "", "不存在的地方").region is None


def test_subdivisions_of_a_country_are_loaded_on_demand() -> None:
    out = StringIO()
    call_command("load_subdivisions", "fr", stdout=out)

    ain = Region.objects.get(code="FR-01")
    assert ain.path == "/FR/FR-ARA/FR-01/"
    assert ain.point is not None


@pytest.mark.parametrize(
    ("code", "why"), [("XX", "no country"), ("CN", "load_reference"), ("AI", "no subdivisions")]
)
def test_a_country_without_subdivisions_to_load_is_refused_in_words(code: str, why: str) -> None:
    with pytest.raises(CommandError, match=why):
        call_command("load_subdivisions", code)


def test_every_region_of_china_has_an_english_name_of_letters() -> None:
    names = dict(Region.objects.filter(path__startswith="/CN/").values_list("code", "name_en"))

    assert [name for name in names.values() if not re.fullmatch(r"[A-Za-zêÜü' ,-]+", name)] == []
    assert (names["650100"], names["540100"], names["140400"]) == ("Ürümqi", "Lhasa", "Changzhi")
    assert names["422800"] == "Enshi Tujia and Miao Autonomous Prefecture"
    assert (names["420106"], names["110105"]) == ("Wuchang District", "Chaoyang District")
