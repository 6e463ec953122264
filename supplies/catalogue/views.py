"""What every form with goods asks of the catalogue while it is filled in."""

from collections.abc import Iterable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from supplies.catalogue.forms import MOST_CALLED
from supplies.catalogue.shelf import Shelf, Suggestion


def known_by(request: HttpRequest, shelf: Shelf, *, usual: Iterable[str] = ()) -> HttpResponse:
    """What may be meant by the name that is typed into ?line=; as long as none is, the `usual` items, given by their codes."""
    line = request.GET["line"]
    called = request.GET.get(f"{line}-called", "")[:MOST_CALLED]
    if called.strip():
        found = shelf.suggest(called)
    else:
        found = [Suggestion(shelf.items[code], "") for code in usual if code in shelf.items]
    return render(request, "catalogue/_known.html", {"line": line, "called": called, "found": found})
