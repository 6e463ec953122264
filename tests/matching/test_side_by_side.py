"""A proposal at the desk: the need beside the goods, with a word where they differ."""

from datetime import timedelta
from typing import Any

from django.utils.html import strip_tags

from matching.models import Proposal
from matching.side_by_side import side_by_side
from supplies.organisations.models import User
from supplies.organisations.side_by_side import Compared
from tests.desk import at_the_desk, page_of
from tests.makers import (
    TODAY,
    make_appeal,
    make_facility,
    make_item,
    make_member,
    make_need,
    make_offer,
    make_organisation,
    make_proposal,
    make_standard,
)


def beside(proposal: Proposal, reader: User) -> dict[str, Compared]:
    return {str(row.label): row for row in side_by_side(proposal, reader)}


def differing(proposal: Proposal, reader: User) -> set[str]:
    return {label for label, row in beside(proposal, reader).items() if row.differs}


def test_goods_that_are_what_is_asked_for_differ_in_nothing(volunteer: User) -> None:
    standard = make_standard()
    need = make_need(accepted_standards=[standard], sterile=True)
    offer = make_offer(standard=standard, sterile=True, expires_on=need.needed_by + timedelta(days=90))

    assert differing(make_proposal(need=need, offer=offer), volunteer) == set()


def test_each_fact_in_which_the_goods_are_not_what_is_asked_for_is_marked(volunteer: User) -> None:
    other = make_item("MASK_KN95", name_en="KN95 mask", needs_medical_grade=True)
    need = make_appeal(
        lines=[{"accepted_standards": [make_standard("YY0469-2011")], "sterile": True, "item": other}],
        accepted_senders=["company"],
        accepts_overseas=False,
    ).needs.get()
    plain = make_standard("YYT0969-2013", title="YY/T 0969-2013 masks", medical_use="no", status="superseded")
    offer = make_offer(
        standard=plain,
        sender_kind="person",
        from_overseas=True,
        expires_on=TODAY + timedelta(days=1),
    )
    proposal = make_proposal(need=need, offer=offer)

    assert differing(proposal, volunteer) == {
        "item",
        "standard and edition",
        "medical grade",
        "sterile",
        "needed by, expires on",
        "takes from, sent by",
        "overseas",
    }
    assert beside(proposal, volunteer)["standard and edition"].other == "YY/T 0969-2013 masks (superseded)"


def test_quantities_stand_there_in_units_people_use_and_in_packs(volunteer: User) -> None:
    gloves = make_item("GLOVES", display_factor=2)
    need = make_need(item=gloves, quantity=1000, min_lot=100)
    offer = make_offer(item=gloves, quantity=600, pack=50)

    rows = beside(make_proposal(need=need, offer=offer, quantity=100), volunteer)

    assert rows["quantity"].one == "500 pieces; 500 pieces still needed"
    assert rows["quantity"].other == "300 pieces; 300 pieces left"
    assert (rows["quantity proposed"].one, rows["quantity proposed"].other) == (
        "50 pieces",
        "50 pieces (2 × 25 pieces)",
    )
    assert (rows["minimum quantity"].one, rows["minimum quantity"].other) == ("50 pieces", "–")


def test_the_page_says_by_a_word_what_differs_and_by_whom_each_side_was_verified(volunteer: User) -> None:
    proposal = make_proposal(need=make_need(sterile=True))

    page = at_the_desk(volunteer).get(page_of(proposal)).content.decode()

    assert "Side by side" in page
    assert page.count('<span class="differs">differs</span>') == 1
    assert "12 km · 2 days on the way" in page
    assert strip_tags(beside(proposal, volunteer)["verification"].one).startswith("verified")


def test_who_only_watches_reads_names_as_everybody_does(volunteer: User) -> None:
    donor = make_organisation("donor", name="演练捐赠 13812345678")
    proposal = make_proposal(offer=make_offer(donor))

    seen = beside(proposal, make_member("auditor"))["hospital, donor"].other

    assert "13812345678" in beside(proposal, volunteer)["hospital, donor"].other
    assert "13812345678" not in seen
    assert "138" in seen


def test_it_takes_as_many_queries_for_many_standards_as_for_one(
    volunteer: User, django_assert_num_queries: Any
) -> None:
    def with_standards(*codes: str) -> Proposal:
        wanted = [make_standard(code) for code in codes]
        return make_proposal(need=make_need(make_facility(), accepted_standards=wanted))

    few, many = with_standards("YY0469-2011"), with_standards("A-1", "A-2", "A-3", "A-4")

    assert volunteer.reads_as_written  # her roles are read once a request
    for proposal in (few, many):
        with django_assert_num_queries(2):
            side_by_side(proposal, volunteer)
