"""Pages of intake: paste an announcement, look over what was read, take it into the form."""

from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone

from supplies.intake import pasting
from supplies.intake.forms import AnnouncementForm
from supplies.organisations.models import Facility, Organisation, Verified
from supplies.organisations.visitors import SignedIn, signed_in


@signed_in
def read(request: SignedIn) -> HttpResponse:
    """The paste box; below it, once something was pasted, what was read and for which hospital it may be taken over.

    Nothing is stored here: the next page is the ordinary form, filled in, and its Send is the first that writes.
    """
    today = timezone.localdate()
    chosen = _chosen(request)
    if request.method != "POST":
        return render(request, "intake/read.html", {"form": AnnouncementForm(today=today), "chosen": chosen})
    form = AnnouncementForm(request.POST, today=today)
    context: dict[str, Any] = {"form": form, "chosen": chosen}
    if not form.is_valid() or form.announcement is None:
        return render(request, "intake/read.html", context, status=400)
    announcement, text = form.announcement, form.cleaned_data["text"]
    name = form.cleaned_data["hospital"].strip() or announcement.organisation
    form.fields["text"].widget.attrs.pop("autofocus")  # what was read comes first now
    context |= {
        "announcement": announcement,
        "stretches": list(pasting.stretches(text, announcement)),
        "hospitals": [chosen] if chosen else pasting.hospitals_meant(announcement, name, by=request.user),
        "name": name,
        "fields": pasting.fields_of(announcement, published_on=form.cleaned_data["as_of"], today=today),
        "remarks": pasting.remarks_on(announcement),
    }
    return render(request, "intake/read.html", context)


def _chosen(request: HttpRequest) -> Facility | None:
    """The hospital whose form led here."""
    if not request.GET.get("for"):
        return None
    try:
        pk = UUID(request.GET["for"])
    except ValueError:
        raise Http404 from None
    sites = Facility.objects.filter(organisation__kind=Organisation.Kind.HOSPITAL).exclude(
        organisation__status=Verified.REFUSED
    )
    return get_object_or_404(sites.select_related("region__parent__parent"), pk=pk)
