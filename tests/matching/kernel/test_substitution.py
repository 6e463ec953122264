"""Hand-worked chains, on the rows of the shipped table that matter for each rule."""

import numpy as np
import pytest

from matching.kernel.problem import Verdict
from matching.kernel.substitution import (
    Covers,
    NeedKind,
    OfferKind,
    Reason,
    Rules,
    Standard,
    Substitution,
    covers,
    families,
    judge,
    verdicts,
)

STANDARDS = {
    "RESP_MED": ["GB19083-2010-1", "GB19083-2010-2", "GB19083-2010-3", "GB19083-2023", "NIOSH-N95-SURGICAL"],
    "RESP_PART": [
        "GB2626-2006-KN95",
        "GB2626-2019-KN95",
        "GB2626-2019-KN100",
        "NIOSH-N95",
        "EN149-FFP2",
        "EN149-FFP3",
    ],
    "MASK_SURG": ["YY0469-2011", "YY0469-2023", "EN14683-IIR"],
    "MASK_DISP": ["YYT0969-2013"],
    "MASK_CIVIL": ["GBT32610-2016"],
    "COVERALL": ["GB19082-2009", "EN14126-C2", "CN-EMERG-SUIT"],
    "COVERALL_IND": ["ISO13982-T5"],
    "GLOVE_EXAM": ["GB10213-2006"],
    "GLOVE_SURG": ["GB7543"],
}
NOT_MEDICAL = {"RESP_PART", "MASK_CIVIL", "COVERALL_IND"}
TABLE = [
    Substitution(1, "GB19083-2010-2", "GB19083-2010-1", "accept", "exceeds"),
    Substitution(2, "GB19083-2010-3", "GB19083-2010-2", "accept", "exceeds"),
    Substitution(3, "GB19083-2023", "GB19083-2010-1", "accept", "newer edition", "CN"),
    Substitution(4, "YY0469-2023", "YY0469-2011", "accept", "newer edition", "CN"),
    Substitution(5, "YY0469-2011", "YYT0969-2013", "accept", "exceeds", "CN"),
    Substitution(6, "YYT0969-2013", "YY0469-2011", "reject", "lower", "CN"),
    Substitution(7, "EN149-FFP3", "EN149-FFP2", "accept", "exceeds"),
    Substitution(
        8, "EN149-FFP2", "NIOSH-N95", "accept", "accepted as", "US", "crisis capacity", "authenticity check"
    ),
    Substitution(9, "GB2626-2019-KN95", "NIOSH-N95", "accept", "accepted as", "US", "crisis capacity"),
    Substitution(10, "NIOSH-N95", "EN149-FFP2", "accept", "equivalent", "WHO"),
    Substitution(11, "GB2626-2019-KN95", "EN149-FFP2", "accept", "similar", "*", "non-oil particles"),
    Substitution(12, "NIOSH-N95-SURGICAL", "GB19083-2010-1", "accept", "equivalent", "CN"),
    Substitution(
        13,
        "NIOSH-N95",
        "GB19083-2010-1",
        "conditional",
        "accepted in shortage",
        "CN",
        "not where splash is expected",
    ),
    Substitution(14, "GBT32610-2016", "GB19083-2010-1", "reject", "lower", "CN", "all", "civil mask"),
    Substitution(15, "YY0469-2011", "GB19083-2010-1", "reject", "lower", "CN", "all", "no tight fit"),
    Substitution(
        16, "EN14126-C2", "GB19082-2009", "conditional", "accepted in shortage", "CN", "ICU only if sterile"
    ),
    Substitution(
        17,
        "EN14126-C2",
        "CN-EMERG-SUIT",
        "conditional",
        "accepted in 2020",
        "CN",
        "isolation + observation wards",
    ),
    Substitution(
        18,
        "CN-EMERG-SUIT",
        "GB19082-2009",
        "conditional",
        "accepted in shortage",
        "CN",
        "isolation + observation wards, never ICU",
    ),
    Substitution(
        19,
        "ISO13982-T5",
        "CN-EMERG-SUIT",
        "conditional",
        "accepted in 2020",
        "CN",
        "isolation + observation wards",
    ),
    Substitution(20, "ISO13982-T5", "GB19082-2009", "reject", "lower", "CN", "ICU", "no liquid barrier"),
    Substitution(21, "GB7543", "GB10213-2006", "accept", "exceeds", "CN", "all", "wasteful: warn"),
    Substitution(22, "EN14683-IIR", "YY0469-2011", "accept", "equivalent", "CN"),
    Substitution(23, "GB2626-2019-KN100", "GB2626-2019-KN95", "accept", "exceeds"),
]
RULES = Rules(
    {
        code: Standard(code, frozenset({item}), item not in NOT_MEDICAL)
        for item, codes in STANDARDS.items()
        for code in codes
    },
    TABLE,
)
ITEM_OF = {code: item for item, codes in STANDARDS.items() for code in codes}


def offer(standard, **stated) -> OfferKind:
    return OfferKind(ITEM_OF[standard], standard, **stated)


def need(*standards, **asked) -> NeedKind:
    return NeedKind(ITEM_OF[standards[0]], frozenset(standards), **asked)


def test_the_standard_that_was_named_is_accepted_without_a_chain():
    found = judge(RULES, offer("YY0469-2011"), need("YY0469-2011"))

    assert (found.verdict, found.chain, found.overshoot, found.reason) == (
        Verdict.ACCEPT,
        (),
        0,
        Reason.AS_ASKED,
    )


def test_a_higher_class_and_a_newer_edition_are_followed_along_the_chain():
    third = judge(RULES, offer("GB19083-2010-3"), need("GB19083-2010-1"))
    newer = judge(RULES, offer("YY0469-2023"), need("YYT0969-2013"))

    assert (third.verdict, third.chain, third.overshoot) == (Verdict.ACCEPT, (2, 1), 2)
    assert (newer.verdict, newer.chain, newer.overshoot) == (Verdict.ACCEPT, (4, 5), 1)


def test_the_order_of_standards_has_one_direction():
    assert judge(RULES, offer("GB19083-2010-1"), need("GB19083-2010-2")).verdict == Verdict.NO


@pytest.mark.parametrize(("jurisdiction", "verdict"), [("US", Verdict.ACCEPT), ("CN", Verdict.NO)])
def test_what_a_regulator_accepts_holds_in_its_jurisdiction(jurisdiction, verdict):
    assert judge(RULES, offer("EN149-FFP2"), need("NIOSH-N95", jurisdiction=jurisdiction)).verdict == verdict


def test_a_fact_may_come_before_the_one_opinion():
    found = judge(RULES, offer("EN149-FFP3"), need("NIOSH-N95", jurisdiction="US"))

    assert (found.verdict, found.chain) == (Verdict.ACCEPT, (7, 8))


def test_two_opinions_do_not_stand_in_one_chain():
    # KN95 is "similar" to FFP2, and the US accepts FFP2 as N95: together they prove nothing.
    rules = Rules(RULES.standards, [edge for edge in TABLE if edge.id != 9])

    assert judge(rules, offer("GB2626-2019-KN95"), need("NIOSH-N95", jurisdiction="US")).verdict == Verdict.NO


def test_a_conditional_substitution_needs_a_yes():
    found = judge(RULES, offer("NIOSH-N95"), need("GB19083-2010-1", medical_grade=True, setting="isolation"))

    assert (found.verdict, found.chain, found.reason) == (Verdict.CONDITIONAL, (13,), Reason.SUBSTITUTE)


def test_the_shorter_chain_is_followed_and_a_condition_does_not_rest_on_an_opinion():
    by_ffp2 = Substitution(0, "EN149-FFP2", "GB19083-2010-1", "conditional", "accepted in shortage", "CN")
    rules = Rules(RULES.standards, [by_ffp2, *TABLE])

    assert judge(rules, offer("NIOSH-N95"), need("GB19083-2010-1")).chain == (13,)
    assert judge(rules, offer("GB2626-2019-KN95"), need("GB19083-2010-1")).verdict == Verdict.NO


def test_nothing_follows_a_conditional_substitution():
    rules = Rules(
        RULES.standards, [*TABLE, Substitution(99, "GB19083-2010-1", "YY0469-2023", "accept", "exceeds")]
    )

    assert judge(rules, offer("NIOSH-N95"), need("YY0469-2023")).verdict == Verdict.NO


def test_two_conditional_substitutions_do_not_make_a_chain():
    assert judge(RULES, offer("ISO13982-T5"), need("GB19082-2009", setting="isolation")).verdict == Verdict.NO


@pytest.mark.parametrize(
    ("setting", "is_sterile", "verdict"),
    [
        ("icu", True, Verdict.CONDITIONAL),
        ("icu", False, Verdict.NO),
        ("icu", None, Verdict.CONDITIONAL),
        ("isolation", False, Verdict.CONDITIONAL),
    ],
)
def test_a_foreign_suit_goes_into_intensive_care_only_if_sterile(setting, is_sterile, verdict):
    found = judge(RULES, offer("EN14126-C2", is_sterile=is_sterile), need("GB19082-2009", setting=setting))

    assert found.verdict == verdict


@pytest.mark.parametrize(
    ("setting", "verdict"),
    [
        ("isolation", Verdict.CONDITIONAL),
        ("observation", Verdict.CONDITIONAL),
        ("icu", Verdict.NO),
        ("general", Verdict.NO),
    ],
)
def test_an_emergency_suit_goes_to_isolation_and_observation_wards(setting, verdict):
    found = judge(RULES, offer("CN-EMERG-SUIT", is_sterile=True), need("GB19082-2009", setting=setting))

    assert found.verdict == verdict


def test_a_suit_for_intensive_care_is_sterile_even_if_nobody_said_so():
    icu = need("GB19082-2009", setting="icu")

    assert judge(RULES, offer("GB19082-2009", is_sterile=False), icu).reason == Reason.NOT_STERILE
    assert judge(RULES, offer("GB19082-2009"), icu).reason == Reason.STERILITY_NOT_STATED
    assert judge(RULES, offer("GB19082-2009", is_sterile=True), icu).verdict == Verdict.ACCEPT


def test_a_rejection_wins_over_a_chain_that_was_found():
    rules = Rules(
        RULES.standards, [*TABLE, Substitution(99, "YY0469-2011", "GB19083-2010-1", "accept", "equivalent")]
    )

    found = judge(rules, offer("YY0469-2011"), need("GB19083-2010-1"))

    assert (found.verdict, found.reason) == (Verdict.NO, Reason.REJECTED)


def test_goods_rejected_for_one_standard_may_satisfy_the_other_that_was_named():
    assert judge(RULES, offer("YYT0969-2013"), need("YY0469-2011", "YYT0969-2013")).verdict == Verdict.ACCEPT


def test_a_civil_mask_never_goes_to_a_clinical_need():
    found = judge(RULES, offer("GBT32610-2016"), NeedKind("RESP_MED", medical_grade=True))

    assert (found.verdict, found.reason) == (Verdict.NO, Reason.REJECTED)


def test_industrial_goods_are_never_a_matter_of_course_for_a_need_of_medical_grade():
    as_fact = Substitution(99, "NIOSH-N95", "GB19083-2010-1", "accept", "equivalent")
    rules = Rules(RULES.standards, [as_fact])

    assert (
        judge(rules, offer("NIOSH-N95"), NeedKind("RESP_MED", medical_grade=True)).verdict
        == Verdict.CONDITIONAL
    )


def test_goods_of_the_item_that_are_not_medical_do_not_satisfy_medical_grade():
    rules = Rules(RULES.standards | {"GB14866": Standard("GB14866", frozenset({"GOGGLES"}), False)}, [])

    found = judge(rules, OfferKind("GOGGLES", "GB14866"), NeedKind("GOGGLES", medical_grade=True))

    assert (found.verdict, found.reason) == (Verdict.NO, Reason.NOT_MEDICAL)


@pytest.mark.parametrize(
    ("asked", "verdict"),
    [
        (NeedKind("MASK_SURG", frozenset({"YY0469-2011"})), Verdict.CONDITIONAL),
        (NeedKind("MASK_SURG", medical_grade=True), Verdict.CONDITIONAL),
        (NeedKind("MASK_SURG"), Verdict.ACCEPT),
        (NeedKind("RESP_MED"), Verdict.NO),
    ],
)
@pytest.mark.parametrize("standard", [None, "a standard nobody has entered"])
def test_goods_without_a_known_standard_need_a_yes_where_it_is_clinical(asked, verdict, standard):
    found = judge(RULES, OfferKind("MASK_SURG", standard), asked)

    assert found.verdict == verdict
    if verdict == Verdict.CONDITIONAL:
        assert found.reason == Reason.STANDARD_NOT_STATED


def test_a_need_that_names_no_standard_takes_any_of_its_item_or_what_exceeds_it():
    asked = NeedKind("MASK_DISP", medical_grade=True)

    assert judge(RULES, offer("YYT0969-2013"), asked).verdict == Verdict.ACCEPT
    assert judge(RULES, offer("YY0469-2011"), asked).chain == (5,)


@pytest.mark.parametrize(
    ("offered", "asked", "verdict"),
    [
        (offer("GB19083-2010-3"), need("GB19083-2010-1", substitutes_welcome=False), Verdict.ACCEPT),
        (offer("NIOSH-N95-SURGICAL"), need("GB19083-2010-1", substitutes_welcome=False), Verdict.NO),
        (offer("NIOSH-N95"), need("GB19083-2010-1", substitutes_welcome=False), Verdict.NO),
        (offer("YY0469-2011"), need("YYT0969-2013", substitutes_welcome=False), Verdict.NO),
    ],
)
def test_a_hospital_that_wants_no_substitutes_gets_the_same_goods_or_a_better_grade(offered, asked, verdict):
    assert judge(RULES, offered, asked).verdict == verdict


@pytest.mark.parametrize(
    ("has_valve", "verdict"), [(True, Verdict.NO), (False, Verdict.ACCEPT), (None, Verdict.ACCEPT)]
)
def test_a_valve_is_refused_where_it_is_not_allowed(has_valve, verdict):
    found = judge(RULES, offer("NIOSH-N95", has_valve=has_valve), need("NIOSH-N95", valve_allowed=False))

    assert found.verdict == verdict


def test_sterile_surgical_gloves_satisfy_examination_but_are_wasted_on_it():
    plain = judge(RULES, offer("GB10213-2006"), need("GB10213-2006"))
    wasted = judge(RULES, offer("GB7543", is_sterile=True), need("GB10213-2006"))

    assert wasted.verdict == Verdict.ACCEPT
    assert (plain.overshoot, wasted.overshoot) == (0, 5)


@pytest.mark.parametrize(
    ("scope", "setting", "is_sterile", "answer"),
    [
        ("all", "icu", None, Covers.YES),
        ("crisis capacity", "", None, Covers.YES),
        ("not where splash is expected", "surgery", None, Covers.NO),
        ("not where splash is expected", "general", None, Covers.YES),
        ("ICU only if sterile", "icu", True, Covers.YES),
        ("ICU only if sterile", "icu", None, Covers.UNCLEAR),
        ("ICU only if sterile", "icu", False, Covers.NO),
        ("ICU only if sterile", "general", False, Covers.YES),
        ("isolation, observation", "isolation", None, Covers.YES),
        ("isolation, observation", "lab", None, Covers.NO),
        ("isolation, observation", "", None, Covers.UNCLEAR),
        ("isolation + observation wards, never ICU", "icu", None, Covers.NO),
        ("fever clinic", "fever_clinic", None, Covers.YES),
        ("stock made before 2025-12-01", "general", None, Covers.UNCLEAR),
    ],
)
def test_a_scope_of_use_is_compared_with_the_setting(scope, setting, is_sterile, answer):
    assert covers(scope, setting, is_sterile) is answer


def test_a_scope_nobody_can_read_makes_an_acceptance_conditional():
    rules = Rules(
        RULES.standards,
        [Substitution(1, "EN14683-IIR", "YY0469-2011", "accept", "equivalent", "CN", "on Sundays")],
    )

    assert judge(rules, offer("EN14683-IIR"), need("YY0469-2011")).verdict == Verdict.CONDITIONAL


def test_no_chain_reaches_what_was_rejected():
    for edge in TABLE:
        if edge.verdict == "reject":
            found = judge(RULES, offer(edge.offered), need(edge.satisfies, setting="icu", jurisdiction="CN"))
            assert found.verdict == Verdict.NO


def test_families_are_items_between_which_goods_may_pass():
    assert families([*STANDARDS, "BOOTS"], RULES) == {
        "RESP_MED": "RESP_MED",
        "RESP_PART": "RESP_MED",
        "MASK_SURG": "MASK_DISP",
        "MASK_DISP": "MASK_DISP",
        "MASK_CIVIL": "MASK_CIVIL",
        "COVERALL": "COVERALL",
        "COVERALL_IND": "COVERALL",
        "GLOVE_EXAM": "GLOVE_EXAM",
        "GLOVE_SURG": "GLOVE_EXAM",
        "BOOTS": "BOOTS",
    }


def test_items_of_different_families_never_satisfy_one_another():
    family = families(STANDARDS, RULES)
    offers = [offer(code) for code in ITEM_OF]
    needs = [NeedKind(item, jurisdiction=where) for item in STANDARDS for where in ("CN", "US")]

    found = verdicts(RULES, offers, needs)

    for o, n in np.argwhere(found.verdict != Verdict.NO):
        assert family[offers[o].item] == family[needs[n].item]


def test_the_matrix_says_what_the_judge_says():
    offers = [offer("GB19083-2010-3"), offer("GB19083-2010-2"), offer("NIOSH-N95")]
    needs = [need("GB19083-2010-1"), need("GB19083-2010-2")]

    found = verdicts(RULES, offers, needs)

    assert found.verdict.tolist() == [[1, 1], [1, 1], [2, 0]]
    assert found.overshoot.tolist() == [[2, 1], [1, 0], [0, 0]]
    assert [found.chain_of(o, 0) for o in range(3)] == [(2, 1), (1,), (13,)]
    assert found.chain_of(1, 1) == ()
    assert Reason(int(found.reason[2, 1])) == Reason.NO_SUBSTITUTION


def test_without_offers_or_needs_the_matrix_is_empty():
    assert verdicts(RULES, [], [NeedKind("BOOTS")]).verdict.shape == (0, 1)
