"""Moderating appeals and confirming needs at the desk."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from supplies.needs.models import Appeal, Need
from supplies.organisations import services as people
from supplies.organisations.models import Organisation, User
from tests.desk import at_the_desk, choose, list_of, page_of, told
from tests.makers import NOW, make_appeal, make_facility, make_item, make_member, make_need


def test_the_list_begins_with_the_appeals_that_wait_and_can_show_all(volunteer: User) -> None:
    waiting, _published = make_appeal(published=False), make_appeal()
    client = at_the_desk(volunteer)

    first = client.get(list_of(Appeal)).context["cl"]
    everything = client.get(list_of(Appeal), {"status": "all"}).context["cl"]

    assert list(first.result_list) == [waiting]
    assert everything.result_count == 2


def test_a_volunteer_publishes_several_appeals_at_once(volunteer: User) -> None:
    one, two = make_appeal(published=False), make_appeal(published=False)

    choose(at_the_desk(volunteer), "publish", one, two, confirmed="yes")

    assert set(Appeal.objects.values_list("status", "moderated_by")) == {("published", volunteer.pk)}
    assert set(Need.objects.values_list("status", flat=True)) == {"open"}


def test_several_appeals_are_published_once_one_has_seen_which(volunteer: User) -> None:
    own, other = make_appeal(published=False, by=volunteer), make_appeal(published=False)

    page = choose(at_the_desk(volunteer), "publish", own, other).context

    assert [row.pk for row in page["fine"]] == [other.pk]
    assert [row.pk for row in page["refused"]] == [own.pk]
    assert set(Appeal.objects.values_list("status", flat=True)) == {"waiting"}


def test_who_posted_an_appeal_does_not_publish_it_and_the_others_go_through(volunteer: User) -> None:
    own, other = make_appeal(published=False, by=volunteer), make_appeal(published=False)

    answer = choose(at_the_desk(volunteer), "publish", own, other, confirmed="yes")

    own.refresh_from_db()
    other.refresh_from_db()
    assert (own.status, other.status) == ("waiting", "published")
    assert any("another volunteer has to publish it" in sentence for sentence in told(answer))


def test_refusing_asks_for_a_reason_before_anything_happens(volunteer: User) -> None:
    appeal = make_appeal(published=False)

    page = choose(at_the_desk(volunteer), "refuse", appeal)

    appeal.refresh_from_db()
    assert appeal.status == "waiting"
    assert page.status_code == 200
    assert "reason" in page.context["form"].fields
    assert [pk for pk, _name in page.context["rows"]] == [appeal.pk]


def test_an_empty_reason_is_asked_for_again(volunteer: User) -> None:
    appeal = make_appeal(published=False)

    page = choose(at_the_desk(volunteer), "refuse", appeal, reason="  ")

    appeal.refresh_from_db()
    assert appeal.status == "waiting"
    assert "reason" in page.context["form"].errors


def test_refusing_keeps_the_reason_for_who_posted(volunteer: User) -> None:
    appeal = make_appeal(published=False)

    choose(at_the_desk(volunteer), "refuse", appeal, reason="The link shows another hospital.")

    appeal.refresh_from_db()
    assert (appeal.status, appeal.refusal) == ("refused", "The link shows another hospital.")


def test_an_appeal_is_published_from_its_own_page(volunteer: User) -> None:
    appeal = make_appeal(published=False)
    client = at_the_desk(volunteer)
    offered = [url for url, *_more in client.get(page_of(appeal)).context["offered"]]

    answer = client.post(next(url for url in offered if url.endswith("/do/publish/")))

    appeal.refresh_from_db()
    assert appeal.status == "published"
    assert answer.url == page_of(appeal)


def test_refusing_from_the_page_of_an_appeal_asks_for_the_reason_there(volunteer: User) -> None:
    appeal, client = make_appeal(published=False), at_the_desk(volunteer)
    address = page_of(appeal).replace("/change/", "/do/refuse/")
    assert "reason" in client.post(address).context["form"].fields

    client.post(address, {"answered": "yes", "reason": "Which ward is this for?"})

    appeal.refresh_from_db()
    assert (appeal.status, appeal.refusal) == ("refused", "Which ward is this for?")


def test_beside_an_appeal_stands_who_asks_how_she_is_reached_and_what_else_she_asks_for(
    volunteer: User,
) -> None:
    site = make_facility(name="Harbour hospital")
    organisation = site.organisation
    people.keep_contact(organisation, at=NOW, name="演练者", phone="000-0001-0002")
    first, second = make_member("volunteer"), make_member("volunteer")
    Organisation.objects.filter(pk=organisation.pk).update(
        by_source=False, verified_by=first, seconded_by=second
    )
    other = make_appeal(site, lines=[{"item": make_item("GOWN", name_en="Gown"), "quantity": 40}])
    make_appeal(make_facility(name="Elsewhere"))
    appeal = make_appeal(site, published=False)

    page = at_the_desk(volunteer).get(page_of(appeal)).content.decode()

    assert "Who asks" in page
    assert f"by {first} and {second}" in page
    assert "Show the number" in page
    assert "000-0001-0002" not in page
    assert f'href="{page_of(other)}"' in page
    assert "Gown 40 pieces" in page
    assert "Elsewhere" not in page


def test_who_only_watches_is_not_led_to_the_hospitals_number(db: None) -> None:
    appeal = make_appeal()

    page = at_the_desk(make_member("auditor")).get(page_of(appeal)).content.decode()

    assert "Who asks" not in page


def test_the_page_of_an_appeal_asks_the_same_however_much_the_hospital_asks_for(volunteer: User) -> None:
    def asked(appeal: Any) -> int:
        with CaptureQueriesContext(connection) as queries:
            assert client.get(page_of(appeal)).status_code == 200
        return len(queries)

    client, one, many = at_the_desk(volunteer), make_facility(), make_facility()
    few, lots = make_appeal(one), make_appeal(many)
    make_appeal(one)
    for _each in range(4):
        make_appeal(many, lines=[{}, {}, {}])
    asked(few)

    assert asked(lots) == asked(few)


def test_the_list_counts_the_lines_of_each_appeal(volunteer: User) -> None:
    make_appeal(published=False, lines=[{}, {}])

    shown = at_the_desk(volunteer).get(list_of(Appeal)).context["cl"]

    assert [appeal.line_count for appeal in shown.result_list] == [2]


def test_a_published_appeal_no_longer_offers_to_be_published(volunteer: User) -> None:
    offered = at_the_desk(volunteer).get(page_of(make_appeal())).context["offered"]

    assert [url.split("/")[-2] for url, *_more in offered] == ["withdraw"]


def test_the_page_shows_the_words_of_the_source_and_links_to_it(volunteer: User) -> None:
    appeal = make_appeal(
        published=False,
        lines=[{"as_written": "口罩一千只，越多越好", "quantity": 1000}],
        source_name="Notice 7",
        source_url="https://example.org/notice/7",
    )

    page = at_the_desk(volunteer).get(page_of(appeal)).content.decode()

    assert "口罩一千只，越多越好" in page
    assert "1,000" in page
    assert 'href="https://example.org/notice/7"' in page


def test_a_posted_status_changes_nothing(volunteer: User) -> None:
    appeal = make_appeal(published=False)

    answer = at_the_desk(volunteer).post(page_of(appeal), {"status": "published"})

    appeal.refresh_from_db()
    assert answer.status_code == 403
    assert appeal.status == "waiting"


def test_a_hospital_cannot_publish_its_own_appeal_at_the_desk(db: None) -> None:
    hospital = make_member("hospital")
    appeal = make_appeal(published=False, by=hospital)

    answer = choose(at_the_desk(hospital), "publish", appeal)

    appeal.refresh_from_db()
    assert answer.status_code == 302
    assert "login" in answer.url
    assert appeal.status == "waiting"


def test_needs_nobody_confirmed_wait_for_a_call_the_most_urgent_first(volunteer: User) -> None:
    soon, critical, fresh = make_need(urgency=3), make_need(urgency=1), make_need(urgency=1)
    Need.objects.filter(pk__in=[soon.pk, critical.pk]).update(is_grey=True)
    client = at_the_desk(volunteer)
    waiting = client.get(list_of(Need), {"confirm": "due"}).context["cl"]
    assert list(waiting.result_list) == [critical, soon]

    choose(client, "call", critical, origin="register", outcome="confirmed", note="supply desk")

    critical.refresh_from_db()
    assert (critical.is_grey, critical.confirmed_by, critical.confirmed_by_kind) == (
        False,
        volunteer,
        "telephone",
    )
    call = critical.appeal.facility.organisation.calls.get()
    assert (call.by, call.origin, call.outcome) == (volunteer, "register", "confirmed")
    assert not Need.objects.grey().filter(pk=fresh.pk).exists()


@pytest.mark.parametrize(("outcome", "status"), [("denied", "withdrawn"), ("no_answer", "open")])
def test_a_call_that_did_not_confirm_ends_the_need_or_leaves_it_as_it_was(
    volunteer: User, outcome: str, status: str
) -> None:
    need = make_need()
    Need.objects.update(is_grey=True)

    choose(at_the_desk(volunteer), "call", need, origin="website", outcome=outcome)

    need.refresh_from_db()
    assert (need.status, need.is_grey) == (status, True)
    assert need.appeal.facility.organisation.calls.get().outcome == outcome


def test_not_needed_any_more_is_one_action(volunteer: User) -> None:
    need = make_need()

    choose(at_the_desk(volunteer), "withdraw", need, answered="yes")

    need.refresh_from_db()
    assert need.status == "withdrawn"


def test_the_title_of_an_appeal_has_its_day_as_the_reader_writes_it(volunteer: User) -> None:
    appeal = make_appeal(make_facility(name="Harbour hospital"))

    with translation.override("en"):
        assert str(appeal) == "Harbour hospital · 23 November 2026"
    with translation.override("zh-hans"):
        assert str(appeal) == "Harbour hospital · 2026年11月23日"
