"""The form without an account, the page behind the code, and the page on which a hospital answers."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from config.limits import CLOSED_UNCOUNTED, class_of_route
from supplies.change_requests import services
from supplies.change_requests.models import ChangeRequest, Report
from supplies.needs.models import Need
from tests.desk import at_the_desk, choose, list_of, page_of, told
from tests.makers import NOW, make_appeal, make_item, make_member, make_need, make_unit
from tests.page_client import reader
from tests.supplies.change_requests.test_services import make_report

pytestmark = pytest.mark.django_db


def form_of(subject: Any) -> str:
    return reverse("report", args=[subject._meta.model_name, subject.pk])


def test_a_stranger_reports_and_follows_it_by_the_code() -> None:
    need, client = make_need(), reader()
    assert form_of(need) in client.get(reverse("appeal", args=[need.appeal_id])).content.decode()

    answer = client.post(form_of(need), {"kind": "not_needed", "words": "They told me. 13800001111"})
    made = Report.objects.get()
    page = client.get(answer.url)

    assert answer.url == reverse("reported", args=[made.code])
    assert (made.reported_by, made.change_request.need) == (None, need)
    assert made.code in page.content.decode()
    assert "13800001111" not in page.content.decode()
    assert [str(sentence) for sentence in page.context["messages"]] == [
        "Thank you, we have received it.",
        "“In your own words” holds a telephone number. We have hidden it; the public does not see it.",
    ]
    assert page.headers["Referrer-Policy"] == "same-origin"
    assert client.get(reverse("track", args=[made.code])).url == answer.url


def test_the_quantity_is_written_as_people_count() -> None:
    glove, pair = make_unit("glove", name_en="single glove"), make_unit("pair", name_en="pair")
    gloves = make_item("GLOVE", base_unit=glove, display_unit=pair, display_factor=2, name_en="Gloves")
    need = make_need(item=gloves, quantity=2000)

    assert "Counted in: pair" in reader().get(form_of(need)).content.decode()
    reader().post(form_of(need), {"kind": "wrong_quantity", "amount": "1万"})

    assert Report.objects.get().quantity == 20_000


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({}, "kind"),
        ({"kind": "closed"}, "kind"),
        ({"kind": "wrong_quantity"}, "amount"),
        ({"kind": "wrong_quantity", "amount": "many"}, "amount"),
        ({"kind": "wrong_quantity", "amount": "-3"}, "amount"),
        ({"kind": "duplicate"}, "duplicate_of"),
        ({"kind": "other"}, "words"),
        ({"kind": "not_needed", "website": "https://spam.example"}, "website"),
    ],
)
def test_what_is_wrong_with_a_report_stands_beside_its_field(sent: dict[str, str], field: str) -> None:
    answer = reader().post(form_of(make_need()), sent)

    assert answer.status_code == 200
    assert list(answer.context["form"].errors) == [field]
    assert not Report.objects.exists()


@pytest.mark.parametrize("kind", ["", "nothing", "needs", "user"])
def test_nothing_else_is_reported(kind: str) -> None:
    assert reader().get(f"/report/{kind or 'x'}/{make_need().pk}/").status_code == 404


def test_what_is_not_public_cannot_be_reported_by_a_stranger() -> None:
    waiting = make_appeal(published=False)

    assert reader().get(form_of(waiting)).status_code == 404
    assert reader().get(form_of(waiting.needs.get())).status_code == 404


def test_the_button_pressed_twice_reports_once() -> None:
    need, client = make_need(), reader()
    client.get(form_of(need))
    sent = {"kind": "not_needed", "once": "a-word-of-its-own-12345678"}

    answers = [client.post(form_of(need), sent) for _twice in range(2)]

    assert answers[0].url == answers[1].url
    assert Report.objects.count() == 1


def test_who_says_the_same_again_is_led_to_her_report_unless_she_took_it_back() -> None:
    need, client = make_need(), reader()
    first, second = (
        client.post(form_of(need), {"kind": "fake", "words": words}) for words in ("Is.", "It is.")
    )
    assert first.url == second.url
    assert "You have said this already" in client.get(second.url).content.decode()

    reader().post(form_of(need), {"kind": "fake"})
    client.post(form_of(need), {"kind": "not_needed"})
    client.post(f"{first.url}take-back/")
    again = client.post(form_of(need), {"kind": "fake"})

    assert again.url != first.url
    assert Report.objects.count() == 4


def test_what_was_typed_for_another_fault_is_not_looked_at() -> None:
    reader().post(form_of(make_need()), {"kind": "not_needed", "amount": "many", "duplicate_of": "x" * 301})

    assert (Report.objects.get().quantity, Report.objects.get().duplicate_of) == (None, "")


def test_who_holds_the_code_takes_it_back() -> None:
    made, client = make_report(), reader()

    answer = client.post(reverse("take-back-report", args=[made.code]))

    made.refresh_from_db()
    assert made.withdrawn_at
    assert ChangeRequest.objects.get().status == "withdrawn"
    page = client.get(answer.url).content.decode()
    assert "You have taken it back." in page
    assert ">taken back<" in page


def test_from_a_report_a_link_leads_to_what_it_is_about_as_long_as_that_is_shown() -> None:
    need = make_need()
    site = need.appeal.facility
    appeal, hospital = (
        reverse(name, args=[pk])
        for name, pk in [("appeal", need.appeal_id), ("organisation", site.organisation_id)]
    )
    for subject, kind, page in [
        (need, "fake", appeal),
        (need.appeal, "fake", appeal),
        (site, "closed", hospital),
    ]:
        made = make_report(subject, kind)
        assert f'href="{page}"' in reader().get(form_of(subject)).content.decode()
        assert f'href="{page}"' in reader().get(reverse("reported", args=[made.code])).content.decode()

    type(need.appeal).objects.update(status="withdrawn")

    assert (
        f'href="{appeal}"'
        not in reader().get(reverse("reported", args=[make_report(need, "duplicate").code])).content.decode()
    )


def test_a_code_that_is_nobodys_is_not_found() -> None:
    assert reader().get(reverse("reported", args=["2" * 26])).status_code == 404
    assert reader().post(reverse("take-back-report", args=["2" * 26])).status_code == 404


def test_the_answer_is_read_by_who_reported() -> None:
    made = make_report(make_need(quantity=1000), "wrong_quantity")
    services.decline(made.change_request, reason="We counted: 1000.", by=make_member("volunteer"), at=NOW)

    page = reader().get(reverse("reported", args=[made.code])).content.decode()

    assert "Answer: We counted: 1000." in page
    assert "1,000 pieces" in page
    assert "70 pieces" in page


# -- the hospital -------------------------------------------------------------------------------------------


def test_a_hospital_says_yes_or_no_to_what_is_said_of_its_needs() -> None:
    need, other = make_need(), make_need()
    member = make_member("hospital", need.appeal.facility.organisation)
    ended = make_report(need).change_request
    corrected = make_report(need, "wrong_quantity", at=NOW + timedelta(hours=1)).change_request
    make_report(other)
    client = reader(member)
    assert [(row.count, row.address) for row in client.get(reverse("mine")).context["waiting"]] == [
        (2, reverse("change-requests"))
    ]
    waiting = client.get(reverse("change-requests")).context["waiting"]
    assert [row for row, _asked in waiting] == [ended, corrected]

    client.post(reverse("decline-change-request", args=[ended.pk]), {"reason": ""})
    client.post(reverse("decline-change-request", args=[ended.pk]), {"reason": "We need it."})
    client.post(reverse("accept-change-request", args=[corrected.pk]))

    need.refresh_from_db()
    assert (need.status, need.quantity, need.confirmed_by) == ("open", 70, member)
    decided = list(client.get(reverse("change-requests")).context["decided"])
    assert {(row.status, row.answer) for row in decided} == {("declined", "We need it."), ("accepted", "")}


def test_nobody_decides_what_is_not_hers() -> None:
    request = make_report().change_request
    fake = make_report(request.need, "fake").change_request
    own = make_member("hospital", request.organisation)

    for row, person, status in [(request, make_member("hospital"), 404), (fake, own, 404)]:
        for name in ("accept-change-request", "decline-change-request"):
            answer = reader(person).post(reverse(name, args=[row.pk]), {"reason": "no"})
            assert answer.status_code == status
    assert set(ChangeRequest.objects.values_list("status", flat=True)) == {"open"}


def test_an_auditor_of_the_hospital_reads_and_does_not_decide() -> None:
    request = make_report().change_request
    auditor = make_member("auditor", request.organisation)

    answer = reader(auditor).post(reverse("accept-change-request", args=[request.pk]))

    assert answer.status_code == 403


# -- the desk -----------------------------------------------------------------------------------------------


def test_the_desk_has_a_line_for_each_request_with_how_many_ask_for_it() -> None:
    need = make_need()
    for _number in range(3):
        last = make_report(need)
    services.take_back(last, at=NOW)
    client = at_the_desk(make_member("volunteer"))

    (row,) = client.get(list_of(ChangeRequest)).context["cl"].result_list
    page = client.get(page_of(row)).content.decode()

    assert row.report_count == 2
    assert "It is so: carry it out" in page
    assert row.need is not None


def test_a_volunteer_accepts_and_declines_with_an_answer() -> None:
    client = at_the_desk(make_member("volunteer"))
    wrong = make_report(make_need(quantity=1000), "wrong_quantity").change_request
    right = make_report().change_request

    choose(client, "accept", wrong, answer="They said 50.", quantity="50")
    choose(client, "decline", right, reason="The ward still needs it.")

    wrong.refresh_from_db()
    right.refresh_from_db()
    assert (wrong.status, wrong.answer, wrong.need.quantity) == ("accepted", "They said 50.", 50)
    assert (right.status, right.answer) == ("declined", "The ward still needs it.")


def test_a_coordinator_elsewhere_sees_no_line_and_a_reporter_is_told_why_not() -> None:
    volunteer = make_member("volunteer")
    request = make_report(by=volunteer).change_request

    answer = choose(at_the_desk(volunteer), "accept", request, answer="")

    request.refresh_from_db()
    assert request.status == "open"
    assert any("somebody else has to decide" in sentence for sentence in told(answer))


def test_then_and_now_stand_side_by_side_at_the_desk() -> None:
    need = make_need(quantity=1000)
    request = make_report(need, "wrong_quantity").change_request
    Need.objects.update(quantity=900, ceiling=900)

    page = at_the_desk(make_member("volunteer")).get(page_of(request)).content.decode()

    assert "<td>1,000 pieces</td><td>900 pieces</td>" in page


# -- limits -------------------------------------------------------------------------------------------------


def test_reports_have_a_strict_budget_of_their_own_and_none_uncounted() -> None:
    assert {class_of_route(name) for name in ("report", "change-request-list")} == {"report"}
    assert "report" in CLOSED_UNCOUNTED
    assert {class_of_route(name) for name in ("reported", "change-request-detail")} == {"track"}


def test_both_languages_have_the_form() -> None:
    need = make_need()

    for language in ("en", "zh-hans"):
        page = Client(headers={"accept-language": language}).get(form_of(need))
        assert page.status_code == 200
