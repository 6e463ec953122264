import pytest

from supplies.intake.reading.names import NameKind, kind_of_name, read_name
from supplies.organisations.names import normal_name


@pytest.mark.parametrize(
    ("cell", "text", "aliases", "part"),
    [
        ("江城市第六医院（江城大学附属医院）\t", "江城市第六医院", ("江城大学附属医院",), ""),
        ("江城大学人民医院（心外科）", "江城大学人民医院", (), "心外科"),
        ("临江县红十字会(物资)", "临江县红十字会", (), ""),
        ("江城市\n中心医院", "江城市中心医院", (), ""),
        ("江城 中心　医院", "江城中心医院", (), ""),
    ],
)
def test_a_name_is_read_without_its_white_space_and_brackets(
    cell: str, text: str, aliases: tuple[str, ...], part: str
) -> None:
    name = read_name(cell)

    assert (name.text, name.also_known_as, name.part) == (text, aliases, part)


def test_a_department_is_a_site_of_its_hospital() -> None:
    assert read_name("江城大学人民医院（心外科）").site == "江城大学人民医院(心外科)"
    assert read_name("江城大学人民医院").site == "江城大学人民医院"


def test_two_organisations_in_one_cell_give_the_first_and_say_so() -> None:
    name = read_name("临江市红十字会\n临江市慈善总会")

    assert name.text == "临江市红十字会"
    assert [finding.code for finding in name.findings] == ["two-organisations"]


def test_names_written_differently_have_one_key() -> None:
    written = [
        "江城市第六医院（东院区）",
        "江城市第六医院(东院区) ",
        "江城市第六医院【东院区】",
        "江城市第六\t医院 东院区",
    ]

    assert {normal_name(name) for name in written} == {"江城市第六医院东院区"}


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("江城市中心医院", NameKind.HOSPITAL),
        ("江城市疾病预防控制中心", NameKind.HOSPITAL),
        ("江城市红十字会(物资)", NameKind.CHARITY),
        ("江城医疗用品有限公司", NameKind.COMPANY),
        ("江城理工学院", NameKind.OTHER),
    ],
)
def test_a_name_tells_what_the_organisation_is(name: str, kind: NameKind) -> None:
    assert kind_of_name(name) == kind
