"""Reading a private file: asked for by a button, since it is written down, and only ever as a download."""

import logging
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.utils import timezone
from django.views.decorators.http import require_POST

from supplies.attachments import services
from supplies.attachments.models import Attachment
from supplies.attachments.permissions import may_read

log = logging.getLogger(__name__)


@require_POST
def download(request: HttpRequest, pk: UUID) -> HttpResponseBase:
    """One that somebody may not read is answered like one that does not exist."""
    attachment = Attachment.objects.kept().filter(pk=pk).first()
    if attachment is None or not may_read(request.user, attachment):
        raise Http404
    try:
        parts = services.read(attachment, by=request.user, at=timezone.now())  # type: ignore[arg-type]
    except FileNotFoundError as error:
        log.error("The file of attachment %s is lost. Restore it from a backup.", attachment.pk)
        raise Http404 from error
    response = StreamingHttpResponse(parts, content_type=attachment.media_type)
    response["Content-Length"] = str(attachment.size)
    response["Content-Disposition"] = f'attachment; filename="{attachment.file_name}"'
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response["Cache-Control"] = "private, no-store"
    return response
