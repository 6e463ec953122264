"""What other instances tell, as people and programs read it; and the desk at which an administrator says whom to read."""

from typing import Any
from uuid import UUID

import pytest
from django.urls import reverse

from supplies.federation import feed
from supplies.federation.models import ForeignNeed, Peer
from tests.api_client import Speaker, today  # noqa: F401
from tests.desk import at_the_desk, choose, list_of, page_of, told
from tests.makers import NOW, make_foreign_need, make_item, make_member, make_need, make_peer, make_user
from tests.page_client import reader

pytestmark = pytest.mark.django_db


def page(query: str = "") -> tuple[int, str]:
    answer = reader().get(f"/needs/elsewhere/{query}")
    return answer.status_code, answer.content.decode()


# -- The page --------------------------------------------------------------------------------------------------


def test_the_page_says_who_tells_it_how_old_it_is_under_which_licence_and_leads_there() -> None:
    need = make_foreign_need()

    _status, text = page()

    for shown in (
        need.peer.name,
        need.link,
        "confirmed",
        need.peer.licence_url,
        "700 pieces",
        need.facility_name,
    ):
        assert shown in text
    assert f"{need.peer.address}/appeals/{need.appeal_id}/" == need.link


def test_what_is_gone_met_or_told_by_somebody_we_do_not_read_is_not_on_it() -> None:
    make_foreign_need(facility_name="演练已撤", gone_at=NOW)
    make_foreign_need(facility_name="演练已足", status="met")
    make_foreign_need(make_peer(status="ended"), facility_name="演练停读")

    _status, text = page()

    assert not [name for name in ("演练已撤", "演练已足", "演练停读") if name in text]
    assert Speaker().get("foreign-needs/").json()["results"][0]["facility_name"] == "演练已足"


def test_private_numbers_in_what_they_tell_are_masked() -> None:
    make_foreign_need(
        facility_name="演练 13800001234", source_name="13800001234", source_url="https://a.example/"
    )

    answer = Speaker().get("foreign-needs/")

    assert "13800001234" not in page()[1] + answer.content.decode()


def test_what_they_write_is_text_and_no_markup() -> None:
    make_foreign_need(item=None, item_en="<script>alert(1)</script>", facility_name="<img src=x>")

    text = page()[1]

    assert "<script>alert" not in text
    assert "<img src=x>" not in text


def test_every_open_need_is_on_one_page_and_on_one_only() -> None:
    peer = make_peer()
    made = {make_foreign_need(peer, urgency=1 + number % 4).pk for number in range(45)}
    seen: list[UUID] = []
    address = "/needs/elsewhere/"
    while address:
        context = reader().get(address).context
        seen += [need.pk for need in context["needs"]]
        address = f"/needs/elsewhere/{context['after']}" if context["after"] else ""

    assert (len(seen), set(seen)) == (45, made)


@pytest.mark.parametrize("query", ["?after=x", "?origin=nobody", "?after=1~2:forged"])
def test_an_address_that_was_changed_is_refused_in_words(query: str) -> None:
    make_foreign_need()

    assert page(query)[0] == 400


def test_only_what_one_of_them_tells() -> None:
    make_foreign_need(facility_name="演练其他")
    one = make_foreign_need(facility_name="演练选中")

    _status, text = page(f"?origin={one.peer.instance}")

    assert "演练选中" in text
    assert "演练其他" not in text


# -- The API ---------------------------------------------------------------------------------------------------


def test_the_api_tells_origin_and_link_and_is_narrowed() -> None:
    need = make_foreign_need()
    make_foreign_need(item=make_item("GOWN"), item_code="GOWN")
    ours = make_need()

    (found,) = Speaker().get("foreign-needs/?item=MASK_SURG&region=420000").json()["results"]

    assert found["origin"]["instance"] == need.peer.instance
    assert (found["origin_id"], found["link"], found["quantity"]) == (str(need.origin_id), need.link, 700)
    assert [row["id"] for row in Speaker().get("needs/").json()["results"]] == [str(ours.pk)]
    assert Speaker().get("foreign-needs/?nothing=1").status_code == 400


def test_nobody_writes_what_others_tell() -> None:
    need = make_foreign_need()
    volunteer = Speaker(make_member("volunteer"))

    assert volunteer.client.delete(f"/api/v1/foreign-needs/{need.pk}/").status_code == 405
    assert volunteer.post("foreign-needs/", {}).status_code == 405


# -- The desk --------------------------------------------------------------------------------------------------


@pytest.fixture
def desk() -> Any:
    return at_the_desk(make_user("root", is_staff=True, is_superuser=True))


def test_an_administrator_enters_one_compares_its_key_and_reads_it(desk: Any) -> None:
    sent = desk.post(
        reverse("admin:supplies_peer_add"), {"name": "Other", "address": "https://Other.example.org/"}
    )
    assert sent.status_code == 302
    peer = Peer.objects.get()
    assert (peer.address, peer.status) == ("https://other.example.org", "new")
    assert "nothing to compare" in " ".join(told(choose(desk, "subscribe", peer, query="")))

    Peer.objects.update(public_key="A" * 43 + "=", instance="https://other.example.org")
    assert feed.fingerprint("A" * 43 + "=") in desk.get(page_of(peer)).content.decode()
    choose(desk, "subscribe", peer, query="")
    assert Peer.objects.get().status == "active"
    choose(desk, "end", peer, query="")
    assert Peer.objects.get().status == "ended"


@pytest.mark.parametrize(
    "address", ["http://example.org", "https://u:p@example.org", "ftp://x", "https://x/y"]
)
def test_an_address_that_may_not_be_asked_is_told_so_beside_the_field(desk: Any, address: str) -> None:
    answer = desk.post(reverse("admin:supplies_peer_add"), {"name": "Other", "address": address})

    assert "address" in answer.context["adminform"].form.errors
    assert Peer.objects.count() == 0


def test_a_volunteer_sees_whom_we_read_and_changes_nothing() -> None:
    need = make_foreign_need()
    client = at_the_desk(make_member("volunteer"))

    assert need.peer.name in client.get(list_of(Peer)).content.decode()
    choose(client, "end", need.peer, query="")

    assert Peer.objects.get().status == "active"
    assert ForeignNeed.objects.visible_to(None).count() == 1
