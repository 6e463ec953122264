"""What somebody fills in to say how she is told, and what she searches for."""

import zoneinfo
from collections.abc import Collection
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from supplies.notices.inbox import Channel, Group, Habits, How
from supplies.organisations.models import Organisation
from supplies.regions.forms import PlaceForm
from supplies.selects import LongSelect


class ChoicesForm(forms.Form):
    """How she is told of each group of news, by each of the channels she can be reached by."""

    def __init__(
        self, *args: Any, chosen: dict[tuple[str, str], str], channels: Collection[str], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.by_mail = {group: How(chosen[group, Channel.MAIL.value]).label for group in Group}
        self.keys = {
            f"{group.value}-{channel.value}": (group.value, channel.value)
            for group in Group
            for channel in Channel
            if channel in channels
        }
        for name, (group, channel) in self.keys.items():
            self.fields[name] = forms.ChoiceField(
                label=Channel(channel).label, choices=How.choices, initial=chosen[group, channel]
            )

    @property
    def groups(self) -> list[tuple[str, list[forms.BoundField], str]]:
        """The fields of each group under its name, and how a mail tells of it, or would."""
        return [
            (
                str(group.label),
                [self[name] for name, (of, _channel) in self.keys.items() if of == group],
                str(self.by_mail[group]),
            )
            for group in Group
        ]

    @property
    def choices(self) -> dict[tuple[str, str], str]:
        return {key: self.cleaned_data[name] for name, key in self.keys.items()}


class HabitsForm(forms.Form):
    timezone = forms.ChoiceField(label=_("Time zone"), widget=LongSelect)
    quiet_from = forms.TimeField(
        label=_("Nothing is sent from"),
        required=False,
        widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
    )
    quiet_until = forms.TimeField(
        label=_("until"),
        required=False,
        widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
        help_text=_("In your time zone. What happens meanwhile is sent together when these hours end."),
    )

    def __init__(self, *args: Any, habits: Habits, **kwargs: Any) -> None:
        initial = {name: getattr(habits, name) for name in ("timezone", "quiet_from", "quiet_until")}
        super().__init__(*args, **{**kwargs, "initial": initial})
        zones = sorted(zoneinfo.available_timezones())
        self.fields["timezone"].choices = [(zone, zone) for zone in zones]  # type: ignore[attr-defined]


class RobotForm(forms.Form):
    """The address of a robot, as its chat shows it."""

    address = forms.CharField(
        label=_("Address of the robot"),
        max_length=300,
        help_text=_("Kept sealed and not shown again: whoever has it can write in your chat."),
        widget=forms.TextInput(attrs={"inputmode": "url", "autocomplete": "off", "placeholder": "https://"}),
    )
    secret = forms.CharField(
        label=_("Secret, if it signs"),
        max_length=100,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    def __init__(self, *args: Any, channel: str, **kwargs: Any) -> None:
        super().__init__(*args, **{**kwargs, "prefix": channel})
        if channel != Channel.DINGTALK:
            del self.fields["secret"]


class SearchNameForm(forms.Form):
    name = forms.CharField(label=_("Name of this search"), max_length=80)


class OffersSearchForm(PlaceForm):
    """A search over offers: for which hospital's open needs, where the goods may lie, and words."""

    organisation = forms.ModelChoiceField(Organisation.objects.none(), label=_("Hospital"), empty_label=None)
    q = forms.CharField(label=_("Only goods called so"), max_length=60, required=False)

    empty_label = _("anywhere")

    def __init__(self, *args: Any, hospitals: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["organisation"].queryset = hospitals  # type: ignore[attr-defined]
