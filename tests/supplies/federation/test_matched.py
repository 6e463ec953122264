"""Needs of another instance in matching: never unless the operator lets them, always with their origin, gone as soon as they are gone there."""

import gzip
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from matching import running
from matching.models import MatchingRun, Proposal
from supplies.allocations import services as ledger
from supplies.errors import Refused
from supplies.federation import matched, services
from supplies.federation.models import ForeignNeed, Peer
from supplies.journal.models import Event
from supplies.journal.services import dispatch
from supplies.needs.counting import count_open
from supplies.needs.models import Appeal, Need, OpenCount
from supplies.offers.models import Offer
from supplies.opendata import dump
from supplies.opendata.signing import key_made_at_first_use
from supplies.organisations.models import Facility, Organisation
from tests.api_client import Speaker
from tests.desk import at_the_desk, choose, page_of
from tests.makers import (
    NOW,
    make_emergency,
    make_foreign_need,
    make_member,
    make_need,
    make_offer,
    make_organisation,
    make_peer,
    make_user,
)
from tests.owner import as_owner
from tests.page_client import reader
from tests.supplies.federation.other import Other

pytestmark = pytest.mark.django_db
NEVER = float("inf")
SOON = NOW + timedelta(hours=1)
WHY = "agreed with their coordinator"


@pytest.fixture
def peer() -> Peer:
    make_emergency()
    return make_peer()


@pytest.fixture
def matched_peer(peer: Peer) -> Peer:
    return let_match(peer)


def foreign_need(peer: Peer, **fields: Any) -> ForeignNeed:
    """One that goods of no stated standard may answer, and can still reach."""
    reachable = {"medical_grade": False, "needed_by": NOW.date() + timedelta(days=20)}
    return make_foreign_need(peer, **{**reachable, **fields})


def let_match(peer: Peer) -> Peer:
    return services.match(peer, reason=WHY, vouched=True, by=None, at=NOW)


def keep_up(peer: Peer, at: Any = NOW) -> None:
    matched.keep_up(peer, until=NEVER, at=at)
    match_what_is_waiting(at)


def match_what_is_waiting(at: Any = NOW) -> None:
    """What the workers do when the journal rings."""
    dispatch(at=at)
    for run in MatchingRun.objects.unfinished():
        for family in running.open_run(run.pk, at=at):
            running.solve_family(family.pk, clock=lambda: at)


def tell(foreign: ForeignNeed, **otherwise: Any) -> None:
    """What the next pull would have written."""
    ForeignNeed.objects.filter(pk=foreign.pk).update(**otherwise)


def proposed() -> list[tuple[str, int]]:
    rows = Proposal.objects.pending().order_by("quantity")
    return [(row.need.origin, row.quantity) for row in rows.select_related("need")]


# -- Off and on ------------------------------------------------------------------------------------------------


def test_nothing_of_another_instance_is_matched_before_the_operator_says_so(peer: Peer) -> None:
    foreign_need(peer)
    make_offer(quantity=5000)

    keep_up(peer)

    assert not peer.is_matched
    assert (Need.objects.count(), proposed()) == (0, [])


def test_once_the_operator_says_so_its_need_is_proposed_with_its_origin(matched_peer: Peer) -> None:
    foreign = foreign_need(matched_peer, outstanding=400)
    make_offer(quantity=5000)

    keep_up(matched_peer)

    foreign.refresh_from_db()
    need = Need.objects.get()
    assert proposed() == [(matched_peer.instance, 400)]
    assert (foreign.need, need.origin, need.quantity) == (need, matched_peer.instance, 400)
    assert (need.appeal.source_name, need.appeal.source_url) == (matched_peer.name, foreign.link)
    assert (need.ask_first, need.substitutes_welcome, need.medical_grade) == (True, False, False)
    assert need.appeal.facility.organisation.kind == Organisation.Kind.ELSEWHERE


def test_it_is_entered_once_however_often_it_is_pulled(matched_peer: Peer) -> None:
    foreign_need(matched_peer)
    keep_up(matched_peer)
    before = Event.objects.count()

    keep_up(matched_peer)

    assert (Need.objects.count(), Event.objects.count()) == (1, before)


def test_who_switches_it_on_vouches_and_says_why_and_it_is_written_down(peer: Peer) -> None:
    by = make_user()
    with pytest.raises(Refused, match="vouch"):
        services.match(peer, reason=WHY, by=by, at=NOW)
    with pytest.raises(Refused, match="Say why"):
        services.match(peer, reason="  ", vouched=True, by=by, at=NOW)

    peer = services.match(peer, reason=WHY, vouched=True, by=by, at=NOW)

    event = Event.objects.get(kind="peer.matched")
    assert (peer.is_matched, peer.matched_because, event.by) == (True, WHY, by)


def test_an_instance_that_is_not_read_is_not_matched(peer: Peer) -> None:
    services.end(peer, by=None, at=NOW)

    with pytest.raises(Refused, match="not read"):
        let_match(peer)
    with pytest.raises(IntegrityError, match="peer_is_matched_while_it_is_read"), transaction.atomic():
        Peer.objects.update(is_matched=True, matched_because=WHY)


@pytest.mark.parametrize("ending", ["match_no_more", "end", "renew_key"])
def test_what_is_open_is_withdrawn_when_it_is_switched_off_or_read_no_more(
    matched_peer: Peer, ending: str
) -> None:
    foreign_need(matched_peer)
    make_offer(quantity=5000)
    keep_up(matched_peer)
    assert proposed()

    why = {"reason": "they match themselves"} if ending == "match_no_more" else {}
    getattr(services, ending)(matched_peer, by=None, at=SOON, **why)
    matched_peer.refresh_from_db()
    keep_up(matched_peer, SOON)

    assert not matched_peer.is_matched
    assert (Need.objects.get().status, Appeal.objects.get().status, proposed()) == ("withdrawn", "closed", [])
    assert Offer.objects.get().quantity_proposed == 0


def test_switched_on_again_it_goes_on_where_it_was(matched_peer: Peer) -> None:
    foreign_need(matched_peer)
    keep_up(matched_peer)
    services.match_no_more(matched_peer, reason="for a while", by=None, at=SOON)

    keep_up(let_match(matched_peer), SOON)

    assert [need.status for need in Need.objects.all()] == ["open"]


# -- As it is told ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "told_there", [{"status": "withdrawn"}, {"status": "met"}, {"gone_at": SOON}, {"outstanding": 0}]
)
def test_what_ends_or_vanishes_there_is_withdrawn_here_with_its_proposals(
    matched_peer: Peer, told_there: dict[str, Any]
) -> None:
    foreign = foreign_need(matched_peer)
    make_offer(quantity=5000)
    keep_up(matched_peer)

    tell(foreign, **told_there)
    keep_up(matched_peer, SOON)

    assert (Need.objects.get().status, proposed()) == ("withdrawn", [])


def test_what_is_asked_again_there_is_open_again_here(matched_peer: Peer) -> None:
    foreign = foreign_need(matched_peer)
    keep_up(matched_peer)
    tell(foreign, status="met")
    keep_up(matched_peer)

    tell(foreign, status="open", outstanding=50)
    keep_up(matched_peer)

    assert [(need.status, need.quantity) for need in Need.objects.all()] == [("open", 50)]


def test_a_quantity_that_is_lowered_there_lowers_what_is_proposed(matched_peer: Peer) -> None:
    foreign = foreign_need(matched_peer)
    make_offer(quantity=5000)
    keep_up(matched_peer)

    tell(foreign, outstanding=300)
    keep_up(matched_peer, SOON)
    match_what_is_waiting(SOON)

    assert proposed() == [(matched_peer.instance, 300)]


def test_it_is_never_lowered_below_what_is_promised_from_here(matched_peer: Peer) -> None:
    foreign = foreign_need(matched_peer)
    keep_up(matched_peer)
    ledger.allocate(Need.objects.get(), make_offer(quantity=5000), 500, by=None, at=NOW)

    tell(foreign, outstanding=200)
    keep_up(matched_peer)

    need = Need.objects.get()
    assert (need.quantity, need.quantity_outstanding, need.status) == (500, 0, "open")


def test_urgency_date_and_confirmation_follow(matched_peer: Peer) -> None:
    foreign = foreign_need(matched_peer)
    keep_up(matched_peer)
    day = NOW.date() + timedelta(days=3)

    tell(foreign, urgency=1, needed_by=day, confirmed_at=SOON)
    keep_up(matched_peer, SOON)

    need = Need.objects.get()
    assert (need.urgency, need.needed_by, need.confirmed_at) == (1, day, SOON)


def test_one_without_a_limit_becomes_one(matched_peer: Peer) -> None:
    foreign = foreign_need(matched_peer)
    keep_up(matched_peer)

    tell(foreign, quantity_kind="unlimited", quantity=None, outstanding=None)
    keep_up(matched_peer)
    before = Event.objects.count()
    keep_up(matched_peer)

    need = Need.objects.get()
    assert (need.quantity_kind, need.quantity, need.status) == ("unlimited", None, "open")
    assert Event.objects.count() == before


@pytest.mark.parametrize(
    "unknown",
    [
        {"item": None},
        {"region": None},
        {"emergency": "another"},
        {"standards": ["GB 1-1900"]},
        {"outstanding": 0},
        {"outstanding": 9 * 10**9},
        {"needed_by": NOW.date() - timedelta(days=1)},
        {"facility_name": "演练 13800001234", "organisation_name": "演练 13800001234"},
    ],
)
def test_what_is_not_known_here_or_cannot_be_meant_is_shown_and_left_out(
    matched_peer: Peer, unknown: dict[str, Any]
) -> None:
    foreign_need(matched_peer, **unknown)
    foreign_need(matched_peer, facility_name="演练另院")

    keep_up(matched_peer)

    assert [site.name for site in Facility.objects.all()] == ["演练另院"]
    assert matched.figures(matched_peer)["left_out"] == 1


def test_a_hospital_that_is_registered_here_too_asks_for_itself(matched_peer: Peer) -> None:
    foreign = foreign_need(matched_peer)
    keep_up(matched_peer)

    make_organisation(name=foreign.organisation_name, region=foreign.region)
    keep_up(matched_peer)

    assert Need.objects.get().status == "withdrawn"


def test_one_that_lapsed_here_is_open_again_only_when_it_was_confirmed_there_since(
    matched_peer: Peer,
) -> None:
    foreign = foreign_need(matched_peer)
    keep_up(matched_peer)
    Need.objects.update(status="lapsed")
    Appeal.objects.update(status="closed")

    keep_up(matched_peer, SOON)
    silent = Need.objects.get().status
    tell(foreign, confirmed_at=SOON)
    keep_up(matched_peer, SOON)

    assert (silent, Need.objects.get().status) == ("lapsed", "open")


# -- Never as our own ------------------------------------------------------------------------------------------


def test_it_is_in_none_of_our_counts_lists_and_files(
    matched_peer: Peer, settings: Any, tmp_path: Path
) -> None:
    settings.OPEN_DATA_DIR = tmp_path
    foreign_need(matched_peer, facility_name="演练外院")
    keep_up(matched_peer)
    need = Need.objects.get()
    count_open(at=NOW)

    made = dump.write(key_made_at_first_use(at=NOW), at=NOW)

    written = b"".join(gzip.decompress((made.folder / part.name).read_bytes()) for part in made.parts)
    assert "演练外院" not in written.decode()
    assert sum(OpenCount.objects.values_list("lines", flat=True)) == 0
    for address in (
        "/needs/",
        "/open/needs.csv",
        "/open/gaps.csv",
        "/open/needs.atom",
        "/open/needs.geojson",
        "/",
    ):
        answer = reader().get(address)
        text = (b"".join(answer.streaming_content) if answer.streaming else answer.content).decode()
        assert answer.status_code == 200
        assert "演练外院" not in text, address
    for path in ("needs/", "appeals/", "organisations/", "facilities/"):
        assert Speaker().get(path).json()["results"] == [], path
    assert reader().get(f"/fhir/SupplyRequest/{need.pk}").status_code == 404
    assert reader().get("/fhir/SupplyRequest").json().get("entry", []) == []


def test_whoever_is_told_of_it_is_told_where_it_is_from(matched_peer: Peer) -> None:
    foreign = foreign_need(matched_peer)
    keep_up(matched_peer)
    need = Need.objects.get()

    page = reader().get(f"/appeals/{need.appeal_id}/").content.decode()

    assert "Told by another instance" in page
    assert foreign.link in page
    assert Speaker().get(f"needs/{need.pk}/").json()["origin"] == matched_peer.instance
    assert Speaker().get(f"foreign-needs/{foreign.pk}/").json()["need"] == str(need.pk)
    assert "matched here too" in reader().get("/needs/elsewhere/").content.decode()


def test_nobody_posts_for_a_hospital_of_another_instance(matched_peer: Peer) -> None:
    foreign_need(matched_peer)
    keep_up(matched_peer)
    site = Facility.objects.get()

    answer = reader(make_user()).get(f"/appeals/new/{site.pk}/")

    assert answer.status_code == 404


def test_what_another_tells_of_us_is_not_entered_and_what_we_match_is_not_told_on(
    settings: Any, tmp_path: Path
) -> None:
    """Two instances with one database between them: theirs is published, pulled and matched here, and our next dump is without it."""
    settings.STATE_DIR, settings.OPEN_DATA_DIR = tmp_path / "state", tmp_path / "ours"
    settings.OPEN_DATA_INSTANCE = "https://we.example.org"
    key = key_made_at_first_use(at=NOW)
    theirs = make_need(quantity=700)
    other = Other(tmp_path / "theirs")
    other.publishes()
    _forget(theirs)
    with other.served() as address:
        settings.FEDERATION_HOSTS = [address.removeprefix("http://")]
        peer = services.pull(services.introduce(Peer(name="Other", address=address), by=None, at=NOW), at=NOW)
        let_match(services.subscribe(peer, by=None, at=NOW))
        peer = services.pull(peer, at=NOW)

    made = dump.write(key, at=SOON)

    assert (peer.problem, peer.is_matched) == ("", True)
    assert [(need.origin, need.quantity) for need in Need.objects.all()] == [(other.instance, 700)]
    assert [part.rows for part in made.parts if part.kind == "needs"] == [0]


def _forget(need: Need) -> None:
    """It was posted there, not here."""
    organisation = need.appeal.facility.organisation
    with as_owner():
        need.appeal.delete()
        organisation.delete()


# -- The desk --------------------------------------------------------------------------------------------------


def test_an_administrator_switches_it_at_the_desk_and_sees_what_is_promised_there(peer: Peer) -> None:
    foreign_need(peer)
    admin = make_user(is_staff=True, is_superuser=True)
    desk = at_the_desk(admin)
    asked = choose(desk, "match", peer, query="").content.decode()

    choose(desk, "match", peer, query="", reason=WHY, vouched="on")
    peer.refresh_from_db()
    keep_up(peer)
    ledger.allocate(Need.objects.get(), make_offer(quantity=5000), 500, by=None, at=NOW)

    assert "vouch" in asked
    assert (peer.is_matched, peer.matched_because) == (True, WHY)
    assert "promised 1" in desk.get(page_of(peer)).content.decode()


def test_a_volunteer_cannot_switch_it(peer: Peer) -> None:
    choose(at_the_desk(make_member("volunteer")), "match", peer, query="", reason=WHY, vouched="on")

    peer.refresh_from_db()
    assert not peer.is_matched
