"""The verbs of drafts: keep what was typed, find it again, let it go."""

import json
from datetime import datetime, timedelta

from django.http import QueryDict

from supplies.accounts.models import Draft
from supplies.organisations.models import User

KEPT = timedelta(days=7)
MOST_KEPT = 5  # of one account; the oldest makes room
LONGEST = 100_000  # characters of one form
NEVER_KEPT = ("csrfmiddlewaretoken", "once")


def keep(typed: QueryDict, *, page: str, by: User, at: datetime) -> Draft | None:
    """Keep what was typed into a page, in place of what was kept of it before. None for more than a form holds."""
    fields = [(name, values) for name, values in typed.lists() if name not in NEVER_KEPT]
    text = json.dumps(fields, ensure_ascii=False)
    if len(text) > LONGEST:
        return None
    draft = Draft.objects.select_for_update().filter(user=by, page=page).first() or Draft(user=by, page=page)
    draft.typed, draft.kept_at = text, at
    draft.save()
    older = Draft.objects.filter(user=by).newest_first().values_list("pk", flat=True)[MOST_KEPT:]
    Draft.objects.filter(pk__in=list(older)).delete()
    return draft


def find(*, page: str, by: User, at: datetime) -> Draft | None:
    return Draft.objects.filter(user=by, page=page, kept_at__gt=at - KEPT).first()


def fields_of(draft: Draft) -> QueryDict:
    """The fields as the browser sent them."""
    fields = QueryDict(mutable=True)
    for name, values in json.loads(draft.typed):
        fields.setlist(name, values)
    return fields


def drop(*, page: str, by: User) -> None:
    """It was sent, or is not wanted."""
    Draft.objects.filter(user=by, page=page).delete()


def drop_old(*, at: datetime) -> int:
    """Drop those whose week is over. Returns how many."""
    return Draft.objects.kept_before(at - KEPT).delete()[0]
