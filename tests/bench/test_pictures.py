from xml.etree import ElementTree

from bench.pictures import Dot, scatter


def test_a_picture_has_a_dot_and_a_name_for_each_point():
    picture = scatter([Dot("a < b", 30, 0.08, 1.8, True), Dot("c", 90, 0.06, 2.3, False)], "x", "y", "t")

    found = ElementTree.fromstring(picture)

    assert len(found.findall(".//{*}circle")) == 2
    assert "a < b" in [text.text for text in found.findall(".//{*}text")]


def test_a_single_point_can_be_drawn():
    assert "<circle" in scatter([Dot("a", 30, 0.08, 1.8, True)], "x", "y", "t")
