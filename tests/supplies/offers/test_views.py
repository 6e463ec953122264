from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from supplies.accounts.models import Draft
from supplies.catalogue.models import UnitRule
from supplies.offers.models import Donation, Offer
from supplies.organisations.contacts import Contact
from supplies.organisations.models import Organisation
from tests.makers import (
    make_allocation,
    make_donation,
    make_emergency,
    make_facility,
    make_item,
    make_member,
    make_mode,
    make_need,
    make_offer,
    make_region,
    make_standard,
    make_unit,
    make_user,
)
from tests.page_client import lines, reader
from tests.sign_in import sign_in

pytestmark = pytest.mark.django_db
PAGE = 12  # queries


def sent(*rows: dict[str, Any], **fields: Any) -> dict[str, Any]:
    make_region("420106")
    donation = {
        "emergency": make_emergency().pk,
        "donor_name": "练习器械公司",
        "sender_kind": "company",
        "direction": "most_needed",
        "province": "420000",
        "city": "420100",
        "mode": make_mode().pk,
        "contact_name": "李练习",
        "contact_phone": "13800001234",
    }
    return lines(
        *({"item": make_item().pk, "amount": "500", **row} for row in rows or ({},)), **{**donation, **fields}
    )


def post(fields: dict[str, Any], user: Any = None, **options: Any) -> Any:
    return reader(user or make_user()).post(reverse("post-donation"), fields, **options)


def test_an_offer_makes_its_donor_and_leads_to_its_code() -> None:
    standard = make_standard()
    user = make_user()

    answer = post(
        sent({"standards": "YY0469-2011", "expires_on": "2031-01-31", "lot_number": "L7"}), user, follow=True
    )

    donation = Donation.objects.get()
    offer = donation.offers.get()
    assert (offer.quantity, offer.standard, offer.lot_number) == (500, standard, "L7")
    assert (donation.region_id, donation.status) == ("420100", "waiting")
    assert donation.organisation.memberships.get().user == user
    assert donation.code in answer.content.decode()
    assert Contact.objects.get().phone == "13800001234"


def test_goods_are_found_by_what_the_donor_calls_them_while_she_types() -> None:
    make_emergency()
    make_item("GOWN", name_zh="隔离衣", name_en="Isolation gown", synonyms=["反穿衣"])

    answer = reader(make_user()).get(
        reverse("post-donation"), {"line": "lines-0", "lines-0-called": "反穿衣"}
    )

    page = answer.content.decode()
    assert 'data-value="GOWN"' in page
    assert "<html" not in page


def test_without_javascript_the_button_puts_what_the_donor_meant_first_and_chooses_it() -> None:
    make_item("GOWN", name_zh="隔离衣", name_en="Isolation gown")

    page = post(sent({"item": "", "called": "gown"}, find="lines-0")).content.decode()

    assert "Known as “gown”" in page
    assert '<option value="GOWN" selected>' in page
    assert 'value="李练习"' in page
    assert not Donation.objects.exists()


def test_a_name_nobody_knows_is_said_to_be_unknown() -> None:
    page = post(sent({"item": "", "called": "xyzzy"}, find="lines-0")).content.decode()

    assert "We know nothing called “xyzzy”" in page


def test_an_offer_that_names_goods_but_chooses_none_comes_back_with_what_may_be_meant() -> None:
    make_item("GOWN", name_zh="隔离衣", name_en="Isolation gown", synonyms=["口罩"])
    make_item("MASK_SURG", synonyms=["外科口罩"])

    page = post(sent({"item": "", "called": "口罩"})).content.decode()

    assert "Known as “口罩”" in page
    assert not Donation.objects.exists()


def test_a_known_donor_is_chosen_not_made_again() -> None:
    user = make_member("donor")
    donor = user.memberships.get().organisation

    post(sent(donor=donor.pk, donor_name=""), user)

    assert Donation.objects.get().organisation == donor
    assert Organisation.objects.filter(kind="donor").count() == 1


def test_who_gives_again_need_not_type_again_who_she_is() -> None:
    user = make_member("donor")
    donor = user.memberships.get().organisation
    again = {"donor": donor.pk, "donor_name": "", "sender_kind": "person"}
    post(sent(contact_name="王练习", contact_phone="13800005678", contact_post="仓库", **again), user)

    page = reader(user).get(reverse("post-donation"))

    form = page.context["form"]
    assert [form[f"contact_{name}"].value() for name in ("name", "phone", "post")] == [
        "王练习",
        "13800005678",
        "仓库",
    ]
    assert form["sender_kind"].value() == "person"


def test_nobody_reads_what_a_colleague_typed() -> None:
    user = make_member("donor")
    donor = user.memberships.get().organisation
    post(sent(donor=donor.pk, donor_name=""), user)

    page = reader(make_member("donor", donor)).get(reverse("post-donation"))

    assert "13800001234" not in page.content.decode()


def test_the_form_asks_as_often_whoever_gives(django_assert_max_num_queries: Any) -> None:
    user = make_member("donor")
    post(sent(donor=user.memberships.get().organisation_id, donor_name=""), user)
    client = reader(user)
    client.get(reverse("post-donation"))

    with django_assert_max_num_queries(PAGE):
        client.get(reverse("post-donation"))


def test_every_fault_is_named_above_the_form_with_a_way_to_its_field() -> None:
    papers = {"box": SimpleUploadedFile("box.png", b"not a picture")}

    page = post({**sent({}, {"amount": "many"}, contact_phone=""), **papers}).content.decode()

    above = page.partition('role="alert"')[2].partition("<form")[0]
    assert '<a href="#id_contact_phone">Telephone</a>: This field is required.' in above
    assert '<a href="#id_lines-1-amount">Item 2 · ' in above
    assert "Choose the files once more" in above
    assert 'id="id_contact_phone"' in page
    assert 'id="id_lines-1-amount"' in page


def test_a_donor_of_somebody_else_cannot_be_chosen() -> None:
    other = make_member("donor").memberships.get().organisation

    answer = post(sent(donor=other.pk))

    assert set(answer.context["form"].errors) == {"donor"}


def test_packs_are_kept_whole() -> None:
    box = make_unit("box", name_zh="盒", name_en="box", kind="package")
    UnitRule.objects.create(code="any-box", spoken=["盒", "box"], unit=box, is_package=True)

    post(sent({"amount": "10", "unit": "box", "pack_content": "50"}))

    offer = Offer.objects.get()
    assert (offer.quantity, offer.pack) == (500, 50)


def test_goods_may_be_for_one_hospital_named_in_the_address() -> None:
    make_emergency()
    make_mode()
    facility = make_facility(name="Harbour hospital")
    item = make_item()

    page = reader(make_user()).get(f"{reverse('post-donation')}?item={item.pk}&facility={facility.pk}")
    post(sent(direction="hospital", hospital="Harbour hospital"))

    assert 'value="Harbour hospital"' in page.content.decode()
    assert f'<option value="{item.pk}" selected' in page.content.decode()
    assert Donation.objects.get().directed_facility == facility


@pytest.mark.parametrize("query", ["?facility=7", "?facility=%20&item=GOLD", "?item=%F0%9F%98%80"])
def test_an_address_that_names_nothing_is_not_prefilled(query: str) -> None:
    make_emergency()

    assert reader(make_user()).get(reverse("post-donation") + query).status_code == 200


def test_goods_may_be_for_one_region() -> None:
    make_region("310101", "黄浦区")

    post(sent(direction="region", **{"to-province": "310000"}))

    assert Donation.objects.get().directed_region_id == "310000"


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"donor_name": ""}, "donor_name"),
        ({"city": ""}, "city"),
        ({"province": "", "city": ""}, "province"),
        ({"direction": "hospital", "hospital": ""}, "hospital"),
        ({"direction": "hospital", "hospital": "Nowhere"}, "hospital"),
        ({"direction": "hospital", "hospital": "twin"}, "hospital"),
        ({"mode": "rocket"}, "mode"),
        ({"available_until": "2020-01-01"}, "available_until"),
        ({"contact_phone": ""}, "contact_phone"),
        ({"max_km": "-1"}, "max_km"),
    ],
)
def test_faults_are_said_beside_their_field_and_nothing_is_stored(fields: dict[str, str], field: str) -> None:
    make_facility(name="twin one")
    make_facility(name="twin two")

    answer = post(sent(**fields))

    assert answer.context["form"].errors.keys() == {field}
    assert not Donation.objects.exists()
    assert not Organisation.objects.filter(kind="donor").exists()
    assert not Contact.objects.exists()


@pytest.mark.parametrize(
    ("row", "field"),
    [
        ({"amount": "0"}, "amount"),
        ({"amount": ""}, "amount"),
        ({"expires_on": "2020-01-01"}, "expires_on"),
        ({"item": "GOLD"}, "item"),
        ({"standards": "XYZ"}, "standards"),
        ({"min_lot": "501"}, "min_lot"),
    ],
)
def test_faults_of_a_lot_are_said_beside_its_field(row: dict[str, str], field: str) -> None:
    answer = post(sent({}, row))

    assert answer.context["lines"].forms[1].errors.keys() == {field}
    assert not Donation.objects.exists()


def test_who_acts_for_no_donor_yet_says_herself_what_she_is() -> None:
    make_emergency()
    new, known = (
        reader(user).get(reverse("post-donation")).context["form"].fields["sender_kind"].choices[0][0]
        for user in (make_user(), make_member("donor"))
    )
    assert (new, known) == ("", "company")

    answer = post(sent(sender_kind=""))

    assert set(answer.context["form"].errors) == {"sender_kind"}


def test_a_region_has_to_be_named_when_goods_are_for_one() -> None:
    answer = post(sent(direction="region"))

    assert set(answer.context["to"].errors) == {"province"}


def test_a_donor_registered_by_others_is_said_beside_the_name() -> None:
    post(sent())

    answer = post(sent())

    assert set(answer.context["form"].errors) == {"donor_name"}
    assert Donation.objects.count() == 1


def test_the_cities_of_a_province_appear_without_javascript() -> None:
    answer = post({**sent({"amount": "77"}, city=""), "more": "1"})

    page = answer.content.decode()
    assert '<option value="420100">' in page
    assert 'value="77"' in page
    assert not Donation.objects.exists()


def test_a_donation_is_nothing_to_strangers() -> None:
    donor = make_member("donor")
    donation = make_donation(donor.memberships.get().organisation)

    assert reader(make_user()).get(reverse("donation", args=[donation.pk])).status_code == 404
    assert reader(donor).get(reverse("donation", args=[donation.pk])).status_code == 200


def test_a_donor_takes_back_what_is_not_promised() -> None:
    donor = make_member("donor")
    offer = make_offer(donor.memberships.get().organisation)

    assert reader(make_user()).post(reverse("withdraw-offer", args=[offer.pk])).status_code == 404
    reader(donor).post(reverse("withdraw-offer", args=[offer.pk]))

    offer.refresh_from_db()
    assert offer.status == "withdrawn"


def test_goods_that_are_directed_are_asked_about_though_the_donor_has_agreed_to_the_rest() -> None:
    donor = make_member("donor")
    house = donor.memberships.get().organisation
    Organisation.objects.filter(pk=house.pk).update(allocates_for_me=True)
    fields = sent(donor=house.pk, donor_name="", allocates_for_me="on", direction="hospital")

    post({**fields, "hospital": make_facility(name="Riverside Hospital").name}, donor)

    assert not Donation.objects.get().allocates_for_me


# -- Drafts ------------------------------------------------------------------------------------------------


def test_what_was_typed_of_an_offer_is_there_again_on_any_device_with_the_telephone() -> None:
    user = make_user()
    kept = post(sent({"amount": "77"}, keep="1"), user, headers={"HX-Request": "true"})
    assert "Kept at" in kept.content.decode()

    page = reader(user).get(reverse("post-donation"))

    assert page.context["lines"][0]["amount"].value() == "77"
    assert page.context["form"]["contact_phone"].value() == "13800001234"
    assert page.context["form"]["city"].value() == "420100"
    assert "Start anew" in page.content.decode()
    assert reverse("post-donation") in reader(user).get(reverse("my-gifts")).content.decode()
    assert reader(make_user()).get(reverse("post-donation")).context["kept"] is None
    assert not Donation.objects.exists()


def test_a_login_that_is_lost_over_an_offer_costs_nothing() -> None:
    user, stranger = make_user(), reader()
    post(sent({"amount": "77"}, keep="1"), user, headers={"HX-Request": "true"})

    led = stranger.post(reverse("post-donation"), sent({"amount": "88"}))
    page = sign_in(stranger, user).get(led.url, follow=True)

    assert page.context["lines"][0]["amount"].value() == "88"
    assert page.context["form"]["contact_phone"].value() == "13800001234"


def test_a_draft_of_an_offer_ends_with_it_and_with_starting_anew() -> None:
    user = make_user()
    for end in ({}, {"forget": "1"}):
        assert post(sent(keep="1"), user).url == reverse("my-gifts")
        assert Draft.objects.count() == 1
        post(sent(**end), user)
        assert not Draft.objects.exists(), end
    assert Donation.objects.count() == 1


def test_what_is_offered_to_one_need_is_a_draft_of_its_own() -> None:
    user = make_user()
    make_emergency()
    address = f"{reverse('post-donation')}?item={make_item().pk}"

    reader(user).post(address, sent({"amount": "77"}, keep="1"))

    assert reader(user).get(reverse("post-donation")).context["kept"] is None
    assert reader(user).get(f"{address}&x=1").context["lines"][0]["amount"].value() == "77"


def test_taking_back_stands_behind_a_fold_that_says_what_happens() -> None:
    user = make_member("donor")
    offer = make_offer(user.memberships.get().organisation)

    page = reader(user).get(reverse("donation", args=[offer.donation_id])).content.decode()

    for name, pk in (("withdraw-offer", offer.pk), ("withdraw-donation", offer.donation_id)):
        before = page.partition(reverse(name, args=[pk]))[0]
        assert before.rpartition("<details>")[2].count("This cannot be undone") == 1
    assert "What is promised already stays promised." not in page


def test_nobody_is_told_of_promises_where_nothing_was_promised() -> None:
    user = make_member("donor")
    offer = make_offer(user.memberships.get().organisation)

    page = (
        reader(user)
        .post(reverse("withdraw-donation", args=[offer.donation_id]), follow=True)
        .content.decode()
    )

    assert "Taken back. Nothing of it was promised." in page
    assert "not given</dt>" in page
    assert "Left</dt>" not in page


def test_what_is_promised_is_said_to_stay_so() -> None:
    user = make_member("donor")
    offer = make_offer(user.memberships.get().organisation, quantity=1000)
    make_allocation(400, need=make_need(quantity=400), offer=offer)

    page = reader(user).post(reverse("withdraw-offer", args=[offer.pk]), follow=True).content.decode()

    assert "Taken back. What is promised already stays promised." in page


def test_an_offer_is_called_after_its_goods_and_its_donor_finds_back_to_her_gifts() -> None:
    user = make_member("donor")
    offer = make_offer(user.memberships.get().organisation)
    here = reverse("donation", args=[offer.donation_id])

    page = reader(user).get(here).content.decode()

    assert f"<h1>{offer.item.name_en}</h1>" in page
    assert f'<a href="{reverse("my-gift", args=[offer.donation_id])}">{offer.item.name_en}</a>' in page
    assert reverse("certify-donation", args=[offer.donation_id]) not in page
    assert (
        reverse("my-gift", args=[offer.donation_id])
        not in reader(make_member("volunteer")).get(here).content.decode()
    )
