from itertools import groupby
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from supplies.connecting import CannotConnect
from supplies.journal.words import told
from supplies.notices.posting import LONGEST_URL, target_of
from supplies.notices.telling import PARTIES, name_of


class EndpointForm(forms.Form):
    """Where events are sent, and which."""

    url = forms.CharField(
        label=_("Address"),
        max_length=LONGEST_URL,
        help_text=_("https:// on its usual port, as your program is reached from the internet."),
        widget=forms.TextInput(attrs={"inputmode": "url", "placeholder": "https://"}),
    )
    kinds = forms.MultipleChoiceField(
        label=_("Told of"),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Choose at least one.")},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["kinds"]
        assert isinstance(field, forms.MultipleChoiceField)
        field.choices = kinds_in_words()

    def clean_url(self) -> str:
        url = str(self.cleaned_data["url"])
        try:
            target_of(url)
        except CannotConnect as refusal:
            raise ValidationError(str(refusal.detail)) from None
        return url


def kinds_in_words() -> list[tuple[str, list[tuple[str, str]]]]:
    """What a program may be told of, under what it happens to: the word people use, and the kind as the message names it."""
    grouped = groupby(settings.WEBHOOK_KINDS, key=lambda kind: kind.partition(".")[0])
    called = {name_of(subject): rows.model._meta.verbose_name for subject, (rows, _ways) in PARTIES.items()}
    return [
        (capfirst(str(called[subject])), [(kind, f"{told(kind)} · {kind}") for kind in kinds])
        for subject, kinds in grouped
    ]


class SinceForm(forms.Form):
    """From which day on what was given up is sent again."""

    since = forms.DateField(
        label=_("Given up since"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )


class FollowForm(forms.Form):
    """An address that is to be told of a shipment."""

    email = forms.EmailField(
        label=_("E-mail address"),
        max_length=254,
        help_text=_("Kept sealed, for this shipment alone, and erased two weeks after it ended."),
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )
