from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from supplies.duplicates.admin import FACTS
from supplies.duplicates.models import DuplicateNeeds, DuplicatePair, Merge
from supplies.duplicates.services import merge
from supplies.organisations.models import Organisation
from supplies.organisations.side_by_side import compared
from tests.makers import NOW, make_listing, make_member, make_organisation, make_pair, make_region
from tests.sign_in import sign_in
from tests.supplies.duplicates.houses import make_double

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk() -> Client:
    client = Client(headers={"accept-language": "en"})
    sign_in(client, make_member("volunteer"))
    return client


def do(desk: Client, row: Any, verb: str, **answers: Any) -> Any:
    url = reverse(f"admin:supplies_{row._meta.model_name}_do", args=[row.pk, verb])
    return desk.post(url, answers, follow=True)


def page(desk: Client, row: Any) -> str:
    return desk.get(reverse(f"admin:supplies_{row._meta.model_name}_change", args=[row.pk])).content.decode()


def test_a_pair_is_shown_side_by_side_with_what_would_move(desk: Client) -> None:
    kept, other, pair = make_double()

    shown = page(desk, pair)

    assert kept.name in shown
    assert other.name in shown
    assert "What would move if the first is kept" in shown
    assert "Merge: keep the second" in shown


def test_what_differs_of_a_pair_is_said_by_a_word_and_two_of_one_name_do_not_differ_in_it(
    desk: Client,
) -> None:
    one, other = (
        make_organisation(name="演练同名医院"),
        make_organisation(name="演练同名医院", region=make_region("110101", "东城区")),
    )

    shown = compared(one, other, FACTS)

    assert [str(row.label) for row in shown if row.differs] == ["region"]
    assert page(desk, make_pair(one, other)).count('<span class="differs">differs</span>') == 1


def test_one_click_keeps_two_apart(desk: Client) -> None:
    _kept, _other, pair = make_double()

    do(desk, pair, "keep_apart")

    assert DuplicatePair.objects.get().status == "kept_apart"


def test_a_pair_is_merged_its_needs_folded_and_both_undone_at_the_desk(desk: Client) -> None:
    kept, _other, pair = make_double()
    do(desk, pair, "merge_into_first" if pair.one_id == kept.pk else "merge_into_second")
    needs = DuplicateNeeds.objects.get()

    assert "Fold into one" in page(desk, needs)
    do(desk, needs, "fold_into_first", answered="yes", quantity="sum")
    folding = Merge.objects.get(needs=needs)
    assert "Undo" in page(desk, folding)
    do(desk, folding, "undo")
    do(desk, Merge.objects.get(pair=pair), "undo")

    assert not Merge.objects.standing().exists()
    assert not Organisation.objects.exclude(merged_into=None).exists()


def test_what_is_refused_is_said(desk: Client) -> None:
    kept, _other, pair = make_double()
    Organisation.objects.filter(pk=kept.pk).update(credit_code="91110000600037341L")
    Organisation.objects.filter(pk=_other.pk).update(credit_code="91310000MA1FL0000U")

    answer = do(desk, pair, "merge_into_first").content.decode()

    assert "Their credit codes differ" in answer


def test_two_chosen_from_the_list_are_proposed(desk: Client) -> None:
    one, other = make_organisation(), make_organisation()
    body = {"action": "same", "_selected_action": [one.pk, other.pk]}

    desk.post(f"{reverse('admin:supplies_organisation_changelist')}?status=all", body)

    assert DuplicatePair.objects.get().reasons == ["by-hand"]


def test_the_page_of_a_merged_organisation_leads_to_the_kept_one_and_lists_are_told_of(desk: Client) -> None:
    kept, other, pair = make_double()
    merge(pair, keep=kept, by=make_member("volunteer"), at=NOW)
    make_listing(kept)
    client = Client(headers={"accept-language": "en"})

    answer = client.get(reverse("organisation", args=[other.pk]), follow=True)
    told = client.get(f"/api/v1/organisations/{other.pk}/", follow=True).json()

    assert answer.redirect_chain[-1][0] == reverse("organisation", args=[kept.pk])
    assert "演练名单" in answer.content.decode()
    assert other.name in answer.content.decode()
    assert told["id"] == str(kept.pk)
    assert "演练名单" in page(desk, kept)


def test_a_hospital_is_found_by_another_name_and_a_listed_one_fills_in_the_form(desk: Client) -> None:
    kept, _other, pair = make_double()
    merge(pair, keep=kept, by=make_member("volunteer"), at=NOW)
    make_listing(name="演练老定点医院", address="演练路2号")

    found = desk.get(reverse("choose-hospital"), {"q": "演练老"}).content.decode()
    form = desk.get(
        reverse("register-hospital"), {"name": "演练老定点医院", "province": "420000"}
    ).content.decode()

    assert kept.facilities.get(name=kept.name).name in found
    assert "演练老定点医院" in found
    assert "province=420000" in found
    assert "演练老定点医院" in form
    assert Client().get("/api/v1/organisations/", {"q": "演练老汉口"}).json()["results"][0]["id"] == str(
        kept.pk
    )


def test_the_directory_is_narrowed_by_place_kind_and_name() -> None:
    make_listing(name="演练定点甲")
    make_listing(name="演练发热乙", kinds=["fever_clinic"])
    client = Client(headers={"accept-language": "en"})

    shown = client.get(
        reverse("listed-facilities"), {"kind": "fever_clinic", "province": "420000"}
    ).content.decode()
    none = client.get(reverse("listed-facilities"), {"q": "没有"}).content.decode()

    assert ("演练发热乙" in shown, "演练定点甲" in shown) == (True, False)
    assert "No list contains such a hospital" in none
    listed = client.get("/api/v1/listed-facilities/", {"kind": "designated"}).json()["results"]
    assert [row["name"] for row in listed] == ["演练定点甲"]
