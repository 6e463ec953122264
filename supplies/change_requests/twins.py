"""Which other one something was said to be the same as. A report names it by its address or its name."""

import re
from collections.abc import Iterator
from uuid import UUID

from django.db.models import Q
from django.utils.translation import gettext as _

from supplies.change_requests.models import ChangeRequest
from supplies.errors import Refused
from supplies.needs.models import Appeal, AppealStatus, Need, NeedStatus
from supplies.organisations.models import Organisation

_KEY = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)
STANDS = (NeedStatus.OPEN, NeedStatus.MET)


def check_another_need_stands(request: ChangeRequest) -> None:
    """Raises Refused where nobody else asks for these goods there: to end this one would end the only one.

    All of them are locked, so that of two that are each said to be the other's double one stays.
    """
    need, keys = request.need, _keys(request)
    assert need is not None
    if need.status not in STANDS:
        return
    same = Q(site__organisation=request.organisation_id) | Q(pk__in=keys) | Q(appeal__in=keys)
    rows = Need.objects.ours().filter(same, item=need.item_id, status__in=STANDS)
    if not any(row.pk != need.pk for row in rows.select_for_update(of=("self",)).order_by("pk")):
        raise Refused(
            _(
                "Nothing else asks for these goods there, so this would end the only one. If they are not needed any more, decline this and withdraw the need."
            ),
            code="no-other",
        )


def check_another_appeal_stands(request: ChangeRequest) -> None:
    """The same of an appeal."""
    appeal, keys = request.appeal, _keys(request)
    assert appeal is not None
    if appeal.status != AppealStatus.PUBLISHED:
        return
    same = Q(facility__organisation=request.organisation_id) | Q(pk__in=keys)
    rows = Appeal.objects.filter(same, emergency=appeal.emergency_id, status=AppealStatus.PUBLISHED)
    appeals = list(rows.values_list("pk", flat=True))
    list(Need.objects.filter(appeal__in=appeals).select_for_update(of=("self",)).order_by("pk"))
    if not any(row.pk != appeal.pk for row in rows.select_for_update(of=("self",)).order_by("pk")):
        raise Refused(
            _(
                "No other appeal of this hospital stands, so this would end the only one. If nothing is needed any more, decline this and withdraw the appeal."
            ),
            code="no-other",
        )


def other_organisation(request: ChangeRequest) -> Organisation | None:
    """The organisation it was said to be, or whose site it was; None where it is one and the same, or was merged since.

    Raises   Refused("other-unknown") where nothing here has that address or name, or several have
    """
    mine = request.organisation
    if mine.merged_into_id is not None:
        return None
    standing = Organisation.objects.standing()
    keys = _keys(request)
    found = list(standing.filter(Q(pk__in=keys) | Q(facilities__in=keys)).distinct()[:2])
    for said in () if found else _said(request):
        found = list(standing.exclude(pk=mine.pk).called(said)[:2])
        if len(found) == 1:
            break
    if len(found) != 1:
        raise Refused(
            _(
                "Which one it is the same as could not be told from the reports. Choose both in the list of organisations at the desk and propose them as a pair, then decline this with that answer."
            ),
            code="other-unknown",
        )
    return None if found[0].pk == mine.pk else found[0]


def _said(request: ChangeRequest) -> Iterator[str]:
    rows = request.reports.standing().exclude(duplicate_of="").order_by("-at", "-pk")
    yield from rows.values_list("duplicate_of", flat=True)


def _keys(request: ChangeRequest) -> list[UUID]:
    """The primary keys in the addresses that were given."""
    return [UUID(key) for said in _said(request) for key in _KEY.findall(said)]
