"""Who may read a private file: whoever the concept it belongs to lets, and nobody where none has said so."""

from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string

from supplies.attachments.models import Attachment


def may_read(user: Any, attachment: Attachment) -> bool:
    rule = settings.ATTACHMENT_READERS.get(attachment.subject)
    return bool(user.is_authenticated and rule and import_string(rule)(user, attachment))
