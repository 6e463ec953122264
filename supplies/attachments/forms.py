"""Handing in a file: what it is, and the file. Its name and its declared type are not looked at."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from supplies.attachments.inspection import WHY
from supplies.attachments.models import MOST_BYTES, Kind, MediaType

PAPERS = [
    (kind.value, kind.label) for kind in (Kind.LETTER, Kind.LICENCE, Kind.CARD, Kind.NOTICE, Kind.OTHER)
]
LOOKED_AT = [value for value in MediaType.values if value != MediaType.BYTES]


class FileForm(forms.Form):
    kinds = PAPERS  # what it may be said to be

    kind = forms.ChoiceField(label=_("What is it?"))
    file = forms.FileField(
        label=_("File"),
        help_text=_(
            "PDF, JPEG, PNG or WebP, 5 MB at most. Pictures are made anew, without place and device."
        ),
        error_messages={
            "empty": WHY["empty"],
            "required": _("Choose a file."),
            "missing": _("Choose a file."),
        },
        widget=forms.ClearableFileInput(attrs={"accept": ",".join(LOOKED_AT)}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["kind"].choices = self.kinds
        too_large = {"data-most-bytes": MOST_BYTES, "data-too-large": WHY["too-large"]}
        self.fields["file"].widget.attrs.update(too_large)
