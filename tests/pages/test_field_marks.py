"""A word beside the fields that may be left empty, or beside those that may not: the fewer of a form."""

import re

import pytest
from django import forms
from django.contrib.auth.models import AnonymousUser
from django.test import Client
from django.urls import reverse
from django.utils import translation

from supplies.needs.forms import AppealForm, NeedFilter
from supplies.offers.forms import DonationForm
from supplies.organisations.forms import AliasForm, BelieveForm, CallForm, HospitalForm
from supplies.templatetags.fields import MUST, marked, marked_label
from supplies.wording import bracketed
from tests.desk import at_the_desk, page_of
from tests.makers import make_emergency, make_facility, make_member, make_mode, make_organisation
from tests.page_client import reader

pytestmark = pytest.mark.django_db


class OrderedForm(forms.Form):
    """Two that have to be filled in, one of them in a list that stands at nothing, beside one list that begins full."""

    name = forms.CharField()
    kind = forms.ChoiceField(choices=[("", "choose"), ("a", "A")])
    size = forms.ChoiceField(choices=[("s", "S"), ("l", "L")])
    agreed = forms.BooleanField(required=False)
    other = forms.ChoiceField(choices=[("", "any"), ("a", "A")], required=False)


def words(form: forms.BaseForm) -> dict[str, str]:
    return {name: str(word) for name, word in marked(form).items()}


def test_where_fewer_fields_may_be_left_empty_those_say_so() -> None:
    class Form(OrderedForm):
        note = forms.CharField(required=False)

    assert words(Form()) == {"note": "optional"}


def test_where_fewer_fields_have_to_be_filled_in_those_say_so() -> None:
    class Form(OrderedForm):
        field_order = ("one", "two", "three")
        one = forms.CharField(required=False)
        two = forms.CharField(required=False)
        three = forms.DateField(required=False)

    assert words(Form()) == {"name": "required", "kind": "required"}


def test_no_word_is_needed_where_all_or_none_have_to_be_filled_in_but_lists_and_ticks() -> None:
    assert words(OrderedForm()) == {}
    assert words(NeedFilter(user=AnonymousUser())) == {}


def test_forms_of_pages_say_what_they_ask_for_also_where_a_field_alone_could_be_empty() -> None:
    make_mode(), make_emergency()

    assert words(HospitalForm()) == {"beds": "optional"}
    assert words(AppealForm()) == {"contact_name": "required", "contact_phone": "required"}
    assert set(words(DonationForm(user=make_member("hospital")))) == {
        "province",
        "city",
        "donor_name",
        "sender_kind",
        "contact_name",
        "contact_phone",
    }
    assert words(AliasForm()) == {"source": "optional"}
    assert words(CallForm(organisation=None)) == {"note": "optional", "call_back_on": "optional"}
    assert words(BelieveForm(organisation=None)) == {}


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_the_word_stands_in_the_label_where_it_is_heard(language: str) -> None:
    with translation.override(language):
        word = bracketed(MUST)
    hospital = make_facility()
    make_emergency()
    client = reader(make_member("hospital", hospital.organisation))
    client.cookies["django_language"] = language

    page = client.get(reverse("post-appeal", args=[hospital.pk]), headers={"accept-language": language})

    labels = re.findall(
        r'<label for="([\w-]+)">([^<]*)<span class="mark-of">([^<]*)</span></label>', page.content.decode()
    )
    marks = {name: said for name, _label, said in labels if "__prefix__" not in name}
    assert marks == dict.fromkeys(["id_lines-0-item", "id_contact_name", "id_contact_phone"], word)


def test_the_desk_marks_the_fields_of_its_verbs_the_same_way() -> None:
    row = make_organisation(verified=False)

    page = at_the_desk(make_member("volunteer")).get(page_of(row)).content.decode()

    assert re.search(r'<label for="call_note">[^<]+<span class="mark-of"> \(optional\)</span>:</label>', page)
    assert "mark-of" in marked_label(AliasForm()["source"])
    assert "mark-of" not in marked_label(AliasForm()["name"])


def test_the_parts_of_our_pages_show_it(client: Client) -> None:
    shown = client.get(reverse("design"), headers={"accept-language": "en"}).content.decode()

    assert 'Remark<span class="mark-of"> (optional)</span>' in shown
