from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from supplies.catalogue.models import UnitRule
from supplies.needs import services
from supplies.needs.models import Appeal, Need
from supplies.organisations.contacts import Contact
from tests.makers import (
    make_allocation,
    make_appeal,
    make_category,
    make_emergency,
    make_facility,
    make_item,
    make_member,
    make_need,
    make_region,
    make_standard,
    make_unit,
    make_user,
)
from tests.page_client import lines, reader
from tests.supplies.accounts.test_door import sign_up_form

pytestmark = pytest.mark.django_db
LINE = {"quantity_kind": "number", "amount": "2000", "setting": "general", "medical_grade": "on"}
APPEAL = {
    "contact_name": "王练习",
    "contact_phone": "027-8123 4567",
    "accepted_senders": ["person", "company"],
    "accepts_overseas": "on",
}


def sent(*rows: dict[str, Any], **fields: Any) -> dict[str, Any]:
    rows = rows or ({},)
    return lines(
        *({"item": make_item().pk, **LINE, **row} for row in rows),
        **{"emergency": make_emergency().pk, **APPEAL, **fields},
    )


# -- browsing ---------------------------------------------------------------------------------------------


def shown(query: str = "", **options: Any) -> str:
    return reader(**options).get(reverse("needs") + query).content.decode()


def test_a_need_is_shown_in_the_units_people_use() -> None:
    glove, pair = make_unit("glove", name_en="single glove"), make_unit("pair", name_en="pair")
    gloves = make_item("GLOVE", base_unit=glove, display_unit=pair, display_factor=2, name_en="Gloves")
    make_need(item=gloves, quantity=2000)

    assert "1,000 pairs" in shown()


def test_a_need_without_a_number_says_what_is_assumed() -> None:
    make_need(quantity=None, quantity_kind="unlimited")
    make_need(quantity=None, quantity_kind="unknown")

    page = shown()

    assert "without limit (about 10,000 pieces assumed)" in page
    assert "number not known, about 10,000 pieces assumed" in page


def test_the_gauges_and_the_freshness_of_a_need_are_shown() -> None:
    need = make_need(quantity=1000)
    make_allocation(300, need=need)
    Need.objects.update(confirmed_at=timezone.now() - timedelta(days=3, minutes=5))

    page = shown()

    assert "promised 300 pieces" in page
    assert "still needed 700 pieces" in page
    assert "taken from its source 3 days ago" in page


def test_a_region_filter_includes_what_lies_inside() -> None:
    make_need(make_facility(region=make_region("420106"), name="Wuchang hospital"))
    make_need(make_facility(region=make_region("310101", "黄浦区"), name="Shanghai hospital"))

    page = shown("?province=420000")

    assert "Wuchang hospital" in page
    assert "Shanghai hospital" not in page


def test_a_city_of_another_province_is_dropped_when_the_province_changes() -> None:
    make_need(make_facility(region=make_region("310101", "黄浦区"), name="Shanghai hospital"))
    make_region("420106")

    assert "Shanghai hospital" in shown("?province=310000&city=420100&district=420106")


@pytest.mark.parametrize("text", ["N95", "respirator", "Riverside"])
def test_text_finds_items_by_name_and_synonym_and_hospitals_by_name(text: str) -> None:
    item = make_item("RESP", name_en="Medical respirator", synonyms=["N95"])
    make_need(make_facility(name="Riverside hospital"), item=item)
    make_need(make_facility(name="Elsewhere"), item=make_item())

    page = shown(f"?q={text}")

    assert "Riverside hospital" in page
    assert "Elsewhere" not in page


def test_filters_for_category_item_urgency_status_and_hospital_narrow_the_list() -> None:
    facility = make_facility(name="This one")
    make_need(facility, item=make_item("DRUG", category=make_category("medicines")), urgency=1)
    make_need(make_facility(name="Other one"), urgency=3)

    for query in (
        "category=medicines",
        "item=DRUG",
        "urgency=1",
        f"organisation={facility.organisation_id}",
    ):
        page = shown(f"?{query}")
        assert ("This one" in page, "Other one" in page) == (True, False), query
    assert "This one" not in shown("?status=met")


@pytest.mark.parametrize(
    "query",
    [
        "urgency=9",
        "urgency=x",
        "category=gold",
        "item=%20",
        "province=ATLANTIS",
        "city=zz&province=420000",
        "organisation=7",
        "status=lost",
        "after=forged",
        "before=1~2026-01-01~x:y",
        "q=" + "x" * 200,
    ],
)
def test_an_unknown_filter_gets_a_sentence_and_no_rows(query: str) -> None:
    make_need(make_facility(name="Somewhere"))

    answer = reader().get(f"{reverse('needs')}?{query}")

    assert answer.status_code == 400
    assert "Somewhere" not in answer.content.decode()
    assert "This filter cannot be applied" in answer.content.decode()


def test_pages_go_on_by_key_and_back_again_without_gaps() -> None:
    facility = make_facility()
    make_appeal(facility, lines=[{"urgency": 1 + number % 4} for number in range(45)])
    client, seen, address = reader(), [], reverse("needs")

    while address:
        answer = client.get(address)
        seen.append([need.pk for need in answer.context["needs"]])
        after = answer.context["links"].get("after")
        address = after
    back = client.get(answer.context["links"]["before"])

    in_order = list(Need.objects.most_urgent_first().values_list("pk", flat=True))
    assert [len(page) for page in seen] == [20, 20, 5]
    assert [pk for page in seen for pk in page] == in_order
    assert [need.pk for need in back.context["needs"]] == seen[1]


def test_the_list_asks_as_much_of_the_database_for_twenty_rows_as_for_one() -> None:
    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as asked:
            reader().get(reverse("needs"))
        return len(asked)

    make_need(accepted_standards=[make_standard()])
    queries()  # which reads the catalogue
    one = queries()
    for _number in range(19):
        make_need(accepted_standards=[make_standard()])

    assert queries() == one <= 12


# -- one appeal -------------------------------------------------------------------------------------------


def test_an_appeal_shows_no_contact_and_no_buttons_to_the_public() -> None:
    hospital = make_member("hospital")
    facility = make_facility(hospital.memberships.get().organisation)
    client = reader(hospital)
    client.post(reverse("post-appeal", args=[facility.pk]), sent())
    appeal = Appeal.objects.get()
    Appeal.objects.update(status="published")
    Need.objects.update(status="open")

    page = reader().get(reverse("appeal", args=[appeal.pk])).content.decode()

    assert "Surgical mask" in page
    assert "8123" not in page
    assert "王练习" not in page
    assert "Not needed any more" not in page
    assert "Not needed any more" in client.get(reverse("appeal", args=[appeal.pk])).content.decode()


def test_an_appeal_that_waits_is_nothing_to_the_public_and_there_for_its_author() -> None:
    author = make_user()
    appeal = make_appeal(published=False, by=author)

    assert reader().get(reverse("appeal", args=[appeal.pk])).status_code == 404
    assert reader(author).get(reverse("appeal", args=[appeal.pk])).status_code == 200


def test_not_needed_any_more_is_one_tap_for_the_hospital_and_refused_to_strangers() -> None:
    hospital = make_member("hospital")
    need = make_need(make_facility(hospital.memberships.get().organisation))

    assert reader(make_user()).post(reverse("withdraw-need", args=[need.pk])).status_code == 403
    need.refresh_from_db()
    assert need.status == "open"
    reader(hospital).post(reverse("withdraw-need", args=[need.pk]))

    need.refresh_from_db()
    assert need.status == "withdrawn"


def test_still_needed_makes_a_need_fresh() -> None:
    hospital = make_member("hospital")
    need = make_need(make_facility(hospital.memberships.get().organisation))
    Need.objects.update(confirmed_at=timezone.now() - timedelta(days=9))

    reader(hospital).post(reverse("confirm-need", args=[need.pk]))

    need.refresh_from_db()
    assert timezone.now() - need.confirmed_at < timedelta(minutes=1)


def test_withdrawing_twice_says_so_instead_of_failing() -> None:
    author = make_user()
    appeal = make_appeal(by=author)
    client = reader(author)

    client.post(reverse("withdraw-appeal", args=[appeal.pk]))
    answer = client.post(reverse("withdraw-appeal", args=[appeal.pk]), follow=True)

    assert answer.status_code == 200
    assert "cannot become" in answer.content.decode()


# -- posting ----------------------------------------------------------------------------------------------


def post(fields: dict[str, Any], **options: Any) -> Any:
    facility = options.pop("facility", None) or make_facility()
    return reader(options.pop("user", None) or make_user()).post(
        reverse("post-appeal", args=[facility.pk]), fields, **options
    )


def test_a_post_is_stored_whole_and_leads_to_its_code() -> None:
    standard = make_standard()
    row = {"amount": "２万", "urgency": "1", "standards": "YY 0469-2011", "stock": "600", "daily_use": "200"}

    answer = post(sent(row, {"quantity_kind": "unlimited", "amount": ""}), follow=True)

    appeal = Appeal.objects.get()
    first, second = (
        appeal.needs.order_by("-quantity_kind", "pk").filter(quantity__isnull=False).get(),
        (appeal.needs.get(quantity=None)),
    )
    assert (first.quantity, first.urgency, first.days_of_stock) == (20_000, 1, 3)
    assert list(first.accepted_standards.all()) == [standard]
    assert second.quantity_kind == "unlimited"
    assert appeal.status == "waiting"
    assert appeal.code in answer.content.decode()


def test_the_telephone_is_sealed() -> None:
    post(sent())

    contact = Contact.objects.get()
    assert contact.phone == "027-8123 4567"
    assert b"8123" not in bytes(contact.phone_sealed)


def test_what_else_it_has_to_be_is_read_by_everybody_without_a_number() -> None:
    post(sent({"requirements": "no valve; ask 13800000001"}))
    appeal = Appeal.objects.get()
    appeal = services.publish_moderated(appeal, at=timezone.now())

    card, page = shown(), reader().get(reverse("appeal", args=[appeal.pk])).content.decode()

    assert ("no valve" in card, "no valve" in page) == (True, True)
    assert "13800000001" not in card + page


def test_all_whom_an_announcement_names_are_kept() -> None:
    others = "甲练习 13800000001\nBob Drill, bob@example.org\n027-8123 4568 转 802"

    post(sent(contact_others=others))

    assert {(row.name, row.phone, row.email) for row in Contact.objects.all()} == {
        ("王练习", "027-8123 4567", ""),
        ("甲练习", "13800000001", ""),
        ("Bob Drill", "", "bob@example.org"),
        ("", "027-8123 4568 转 802", ""),
    }


def test_all_numbers_of_one_line_are_kept_whole() -> None:
    post(sent(contact_others="甲练习 13800000001，13800000002，027-8123 4568 转 802，027-8123 4569"))

    contact = Contact.objects.get(phone_lookup__len=4)
    assert contact.phone.count("/") == 3
    assert contact.phone.endswith("027-8123 4569")


def test_somebody_who_cannot_be_reached_is_pointed_out_and_nothing_is_lost() -> None:
    answer = post(sent(contact_others="甲练习 13800000001\n乙练习"))

    assert "“乙练习” has neither" in answer.content.decode()
    assert "甲练习 13800000001" in answer.content.decode()
    assert not Appeal.objects.exists()


@pytest.mark.parametrize(("is_hospital", "is_of_now"), [(True, True), (False, False)])
def test_what_others_take_from_an_announcement_is_as_fresh_as_its_day(
    is_hospital: bool, is_of_now: bool
) -> None:
    site, day = make_facility(), timezone.localdate() - timedelta(days=4)
    by = make_member("hospital", site.organisation) if is_hospital else make_user()

    post(sent(published_on=str(day)), facility=site, user=by)

    need = Need.objects.get()
    assert need.appeal.published_on == day
    assert (timezone.now() - need.confirmed_at < timedelta(hours=1)) == is_of_now
    assert need.confirmed_by_kind == ("hospital" if is_hospital else "source")


def test_an_announcement_of_tomorrow_is_refused_beside_its_field() -> None:
    answer = post(sent(published_on=str(timezone.localdate() + timedelta(days=2))))

    assert "This day has not come yet" in answer.context["form"].errors["published_on"][0]


def test_boxes_are_counted_by_what_they_hold() -> None:
    box = make_unit("box", name_zh="盒", name_en="box", kind="package")
    UnitRule.objects.create(code="any-box", spoken=["盒", "box"], unit=box, is_package=True)

    post(sent({"amount": "30", "unit": "box", "pack_content": "50"}))

    need = Need.objects.get()
    assert (need.quantity, need.pack_content, need.unit) == (1500, 50, box)


def test_a_box_without_content_is_asked_about() -> None:
    box = make_unit("box", name_zh="盒", name_en="box", kind="package")
    UnitRule.objects.create(code="any-box", spoken=["盒", "box"], unit=box, is_package=True)

    answer = post(sent({"amount": "30", "unit": "box"}))

    assert answer.context["lines"].forms[0].errors.keys() == {"pack_content"}


@pytest.mark.parametrize(
    ("row", "field"),
    [
        ({"amount": "-5"}, "amount"),
        ({"amount": "0"}, "amount"),
        ({"amount": "1.5"}, "amount"),
        ({"amount": "99999999999999999999"}, "amount"),
        ({"amount": "2000000"}, "amount"),
        ({"amount": "many"}, "amount"),
        ({"amount": ""}, "amount"),
        ({"amount": "5\0"}, "amount"),
        ({"amount": "７", "quantity_kind": "unlimited"}, "amount"),
        ({"item": "GOLD"}, "item"),
        ({"item": ""}, "item"),
        ({"unit": "parsec"}, "unit"),
        ({"needed_by": "2020-01-01"}, "needed_by"),
        ({"needed_by": "soon"}, "needed_by"),
        ({"urgency": "7"}, "urgency"),
        ({"standards": "GB 99999-2099"}, "standards"),
        ({"min_lot": "5000"}, "min_lot"),
        ({"setting": "moon"}, "setting"),
    ],
)
def test_what_is_wrong_is_said_beside_its_field_and_nothing_is_stored(
    row: dict[str, str], field: str
) -> None:
    answer = post(sent({}, row))

    assert answer.status_code == 200
    errors = answer.context["lines"].forms[1].errors
    assert set(errors) == {field}
    assert all(errors[field])
    assert "Nothing has been sent yet" in answer.content.decode()
    assert not Appeal.objects.exists()
    assert not Contact.objects.exists()


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"contact_name": ""}, "contact_name"),
        ({"contact_phone": "ask me"}, "contact_phone"),
        ({"valid_until": "2020-01-01"}, "valid_until"),
        ({"source_url": "javascript:alert(1)"}, "source_url"),
        ({"emergency": "war"}, "emergency"),
        ({"remark": "x" * 5000}, "remark"),
    ],
)
def test_faults_of_the_appeal_itself_are_said_beside_their_field(fields: dict[str, str], field: str) -> None:
    answer = post(sent(**fields))

    assert set(answer.context["form"].errors) == {field}
    assert not Appeal.objects.exists()


def test_an_appeal_needs_a_line() -> None:
    answer = post(sent({"item": "", "amount": ""}))

    assert "Name at least one item that is needed." in answer.content.decode()


@pytest.mark.parametrize("count", ["-1", "x", "100000", ""])
def test_a_damaged_form_is_refused_politely(count: str) -> None:
    answer = post({**sent(), "lines-TOTAL_FORMS": count})

    assert answer.status_code == 200
    assert not Appeal.objects.exists()


def test_a_line_is_added_without_javascript_and_nothing_typed_is_lost() -> None:
    answer = post({**sent({"amount": "abc", "sterile": "on"}, remark="by the back gate"), "add": "1"})

    page = answer.content.decode()
    assert len(answer.context["lines"].forms) == 2
    assert 'value="abc"' in page
    assert "by the back gate" in page
    assert 'class="errorlist"' not in page
    assert answer.context["lines"].forms[0]["sterile"].value()


def test_what_a_stranger_typed_is_there_after_signing_up() -> None:
    make_item()
    facility = make_facility()
    client = reader()
    address = reverse("post-appeal", args=[facility.pk])

    led = client.post(address, sent({"amount": "321"}, remark="typed before"))
    client.post(reverse("sign-up"), sign_up_form(client, next=address))

    page = client.get(address).content.decode()
    assert led.status_code == 302
    assert led.url.startswith(reverse("sign-in"))
    assert 'value="321"' in page
    assert "typed before" in page
    assert "8123" not in page  # the telephone does not wait in the session
    assert not Appeal.objects.exists()


def test_nothing_can_be_posted_while_no_emergency_is_open() -> None:
    fields = sent()
    make_emergency().__class__.objects.update(status="over")

    assert "No emergency is open" in post(fields).content.decode()


def test_hospitals_are_found_by_name_to_post_for() -> None:
    make_facility(name="Northgate hospital")
    make_facility(name="Southgate hospital")

    page = reader(make_user()).get(reverse("choose-hospital") + "?q=north").content.decode()

    assert "Northgate" in page
    assert "Southgate" not in page


def test_the_code_is_for_those_who_posted() -> None:
    appeal = make_appeal(by=make_user())

    assert reader(make_user()).get(reverse("appeal-posted", args=[appeal.pk])).status_code == 403


def test_where_exactly_to_bring_it_is_not_for_the_public() -> None:
    appeal = make_appeal(
        handover_point="演练门",
        courier_address="演练收发室",
        transport_instructions="演练通行",
        remark="致电 000-1234",
    )
    private = ("演练门", "演练收发室", "演练通行", "000-1234", appeal.facility.address)

    page = reader().get(reverse("appeal", args=[appeal.pk])).content.decode()
    own = make_member("hospital", appeal.facility.organisation)
    client = reader()
    client.force_login(own)
    seen = client.get(reverse("appeal", args=[appeal.pk])).content.decode()

    assert not [text for text in private if text in page]
    assert all(text in seen for text in private)
