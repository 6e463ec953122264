"""The columns of a list at the desk that say which need a row is about."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from matching.models import Proposal, Shortfall
from matching.templatetags import runs


class OfANeed:
    @admin.display(description=_("needed"), ordering="need__item")
    def item(self, row: Proposal | Shortfall) -> str:
        return str(row.need.item)

    @admin.display(description=_("urgency"), ordering="need__urgency")
    def urgency(self, row: Proposal | Shortfall) -> str:
        return runs.urgency(row.need.urgency)

    @admin.display(description=_("hospital"), ordering="need__appeal__facility__name")
    def hospital(self, row: Proposal | Shortfall) -> str:
        return row.need.appeal.facility.name
