"""Handing in a file: what it is, and the file. Its name and its declared type are not looked at."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django import forms
from django.contrib.auth.models import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from supplies.attachments.inspection import WHY
from supplies.attachments.models import MOST_BYTES, Kind, MediaType
from supplies.errors import Refused

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
        kind: Any = self.fields["kind"]
        kind.choices = self.kinds
        too_large = {"data-most-bytes": MOST_BYTES, "data-too-large": WHY["too-large"]}
        self.fields["file"].widget.attrs.update(too_large)

    def keep(
        self, row: models.Model, by_verb: Callable[..., Any], *, by: AbstractBaseUser, at: datetime
    ) -> bool:
        """Let a verb keep the file with this row; False where it was refused, with the reason beside the field."""
        file = self.cleaned_data["file"]
        try:
            by_verb(row, file.file, size=file.size, kind=self.cleaned_data["kind"], by=by, at=at)
        except ValidationError as fault:
            self.add_error("file", fault.message_dict["file"])
        except Refused as refusal:
            self.add_error(None, str(refusal.detail))
        else:
            return True
        return False
