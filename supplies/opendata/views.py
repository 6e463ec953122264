"""Open data for people and programs: what there is, what its columns mean, the nightly dump and the key it is signed with."""

from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from supplies.opendata.dictionary import COLUMNS, DOWNLOADS
from supplies.opendata.dictionary import described as described_columns
from supplies.opendata.dump import MANIFEST, SCHEMA_VERSION, SIGNATURE, Dump, named, newest, sha256_of
from supplies.opendata.formats import FORMS, rows_of_a_sheet
from supplies.opendata.rows import LEAST_GIVERS
from supplies.opendata.serving import served
from supplies.opendata.signing import described as described_key
from supplies.opendata.signing import public_key

LICENCE = "license"  # the relation's registered name is spelled so
FILES = {
    "needs": _("What hospitals need"),
    "offers": _("What is offered, by province"),
    "gaps": _("What is lacking, by province and prefecture"),
    "flows": _("What left for hospitals, by month"),
    "organisations": _("Verified hospitals, carriers and charities"),
    "facilities": _("Their sites"),
    "items": _("What can be asked for"),
    "regions": _("Places"),
}


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """What there is, how old it is, and what one may do with it."""
    made = newest()
    context = {
        "dump": made,
        "age_hours": int((timezone.now() - made.made_at).total_seconds() // 3600) if made else None,
        "licence": settings.OPEN_DATA_LICENCE,
        "licence_url": settings.OPEN_DATA_LICENCE_URL,
        "keep_days": settings.OPEN_DATA_KEEP_DAYS,
        "least_givers": LEAST_GIVERS,
        "downloads": [(kind, FILES[kind]) for kind in DOWNLOADS],
        "forms": list(FORMS),
        "most": f"{rows_of_a_sheet():,}",
        "files": [(part, FILES[part.kind]) for part in made.parts] if made else [],
    }
    return render(request, "opendata/index.html", context)


@require_safe
def dictionary(request: HttpRequest) -> HttpResponse:
    """What every column means."""
    context = {"files": [(kind, FILES[kind], columns) for kind, columns in COLUMNS.items()]}
    return render(request, "opendata/dictionary.html", context)


@require_safe
def dictionary_for_programs(request: HttpRequest) -> HttpResponse:
    said = {
        "schema_version": SCHEMA_VERSION,
        "licence": settings.OPEN_DATA_LICENCE,
        "licence_url": settings.OPEN_DATA_LICENCE_URL,
        "files": described_columns(),
    }
    return JsonResponse(said, json_dumps_params={"ensure_ascii": False})


@require_safe
def key(request: HttpRequest) -> HttpResponse:
    """The public key, and the id that stands in every row as its origin."""
    known = public_key()
    if known is None:
        raise Http404
    return JsonResponse(described_key(known))


@require_safe
def newest_manifest(request: HttpRequest) -> HttpResponseBase:
    return _sent(request, newest(), MANIFEST)


@require_safe
def newest_signature(request: HttpRequest) -> HttpResponseBase:
    return _sent(request, newest(), SIGNATURE)


@require_safe
def dump_file(request: HttpRequest, dump: str, file: str) -> HttpResponseBase:
    """A file of a dump that is still kept."""
    return _sent(request, named(dump), file)


CONTENT_TYPES = {MANIFEST: "application/json", SIGNATURE: "text/plain; charset=us-ascii"}


def _sent(request: HttpRequest, made: Dump | None, file: str) -> HttpResponseBase:
    """Only what the manifest names, the manifest and its signature: never a path of the asker's."""
    digests: dict[str, Any] = {part.name: part.sha256 for part in made.parts} if made else {}
    if made is None or file not in {*digests, *CONTENT_TYPES}:
        raise Http404
    path = made.folder / file
    try:
        response = served(
            request,
            path,
            sha256=digests.get(file) or sha256_of(path),
            modified=made.made_at,
            content_type=CONTENT_TYPES.get(file, "application/gzip"),
        )
    except FileNotFoundError:
        raise Http404 from None  # it was removed meanwhile
    response.headers["Link"] = f'<{settings.OPEN_DATA_LICENCE_URL}>; rel="{LICENCE}"'
    return response
