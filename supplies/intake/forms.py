"""What a person pastes, and as of which day it is read."""

from datetime import date

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from supplies.intake.announcements import Announcement, read_announcement
from supplies.intake.reading.findings import Unreadable
from supplies.intake.reading.plain import LONGEST


class AnnouncementForm(forms.Form):
    """An announcement as text. After a valid clean, `announcement` is what was read."""

    text = forms.CharField(
        label=gettext_lazy("The announcement"),
        max_length=LONGEST,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 14}),
        help_text=gettext_lazy(
            "Paste it as it stands: from a web page, a chat, a sheet. Chinese or English. Bank accounts are left out."
        ),
    )
    as_of = forms.DateField(
        label=gettext_lazy("Read as of"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text=gettext_lazy("The day it was published. “Within a week” counts from there. Empty: today."),
    )

    announcement: Announcement | None = None

    def __init__(self, *args: object, today: date, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.today = today

    def clean_text(self) -> str:
        text: str = self.cleaned_data["text"]
        if not text.strip():
            raise ValidationError(_("Paste the announcement first."))
        return text

    def clean(self) -> dict[str, object]:
        if text := self.cleaned_data.get("text"):
            try:
                self.announcement = read_announcement(text, as_of=self.cleaned_data.get("as_of") or self.today)
            except Unreadable as fault:
                self.add_error("text", str(fault))
        return self.cleaned_data
