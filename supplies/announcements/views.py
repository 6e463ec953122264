"""What was announced, for everybody: what holds first, and all that was ever told, with giver, time and reason."""

from uuid import UUID

from django.conf import settings
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.feedgenerator import Atom1Feed
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from supplies.announcements.models import Announcement
from supplies.leaks import masked

PER_PAGE = 20
IN_THE_FEED = 50


@require_safe
def announcements(request: HttpRequest) -> HttpResponse:
    """What holds; `?all=1` also what was replaced or withdrawn."""
    shows_all = request.GET.get("all") == "1"
    rows = Announcement.objects.visible_to(request.user).with_giver().newest_first()
    page = Paginator(rows if shows_all else rows.standing(), PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "announcements/announcements.html", {"page": page, "shows_all": shows_all})


@require_safe
def announcement(request: HttpRequest, pk: UUID) -> HttpResponse:
    """One of them, and what came before and after it."""
    rows = Announcement.objects.visible_to(request.user).with_giver()
    row = get_object_or_404(rows, pk=pk)
    return render(request, "announcements/announcement.html", {"row": row})


@require_safe
def feed(request: HttpRequest) -> HttpResponse:
    """What holds, as Atom (RFC 4287), in the reader's language."""
    entries = list(Announcement.objects.standing().with_giver().newest_first()[:IN_THE_FEED])
    address = settings.SITE_ADDRESS
    made = Atom1Feed(
        title=_("Announcements"),
        link=f"{address}{reverse('announcements')}",
        description="",
        feed_url=f"{address}{reverse('announcements-feed')}",
    )
    for row in entries:
        made.add_item(
            title=f"{row.get_kind_display()}: {masked(row.title)}",
            link=f"{address}{reverse('announcement', args=[row.pk])}",
            description=masked(row.text),
            author_name=masked(row.giver.name),
            unique_id=row.pk.urn,
            pubdate=row.at,
            updateddate=row.at,
        )
    return HttpResponse(made.writeString("utf-8"), content_type="application/atom+xml; charset=utf-8")
