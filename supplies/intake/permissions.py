from typing import Any

from supplies.attachments.models import Attachment
from supplies.attachments.models import Kind as FileKind
from supplies.intake.models import Import, ImportedLine
from supplies.organisations.permissions import may_moderate, may_moderate_in
from supplies.organisations.roles import Role


def may_review(user: Any, line: ImportedLine) -> bool:
    """A volunteer; a coordinator what belongs to an organisation of her regions."""
    body = line.row.organisation
    return may_moderate(user) and (
        user.watches_over_all or (body is not None and may_moderate_in(user, body.region))
    )


def may_import(user: Any) -> bool:
    """A list covers many regions, and what it says is published: volunteers and administrators, who act everywhere."""
    return bool(user.is_authenticated) and user.has_role(Role.VOLUNTEER, Role.ADMIN)


def may_read_file(user: Any, attachment: Attachment) -> bool:
    """Whoever may import. The list itself, which holds everybody's telephone numbers, only who handed it in."""
    return may_import(user) and (attachment.kind != FileKind.LIST or attachment.by_id == user.pk)


def may_read_raw(user: Any, batch: Import) -> bool:
    """Whether she may have the cells of the rows back as they stood: she handed them in, and still works here."""
    return may_import(user) and batch.by_id == user.pk
