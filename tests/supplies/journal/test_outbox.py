"""Whatever leaves the process passes the journal: nothing else rings a worker, sends mail or opens a mail server."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

import config.settings

ROOT = Path(settings.BASE_DIR)
PRODUCT = ("config", "supplies", "matching")
BANNED = {
    "delay": "ring",
    "apply_async": "ring",
    "send_task": "ring",
    "signature": "ring",
    "send_mail": "mail",
    "send_mass_mail": "mail",
    "mail_admins": "mail",
    "mail_managers": "mail",
    "EmailMessage": "mail",
    "EmailMultiAlternatives": "mail",
    "get_connection": "carry",
    "SMTP": "carry",
    "SMTP_SSL": "carry",
}
# Where it may stand, with the reason. Mail by Django's means is safe anywhere, since EMAIL_BACKEND is the outbox; it is listed
# so that somebody has looked at what is written.
ALLOWED = {
    ("supplies/journal/services.py", "send_task"): "the one bell",
    ("supplies/journal/mail.py", "get_connection"): "the worker carries what was committed",
    (
        "supplies/accounts/adapters.py",
        "send_mail",
    ): "allauth's, which writes with Django's mail: into the outbox",
    ("supplies/accounts/forms.py", "send_mail"): "the same",
    (
        "supplies/change_requests/services.py",
        "send_mail",
    ): "Django's mail, which goes into the outbox in the same transaction",
    ("supplies/notices/services.py", "send_mail"): "the same",
    (
        "supplies/notices/following.py",
        "EmailMessage",
    ): "the same, with the heading by which mailboxes end it",
    ("supplies/notices/sending.py", "EmailMessage"): "the same",
    ("supplies/opendata/dump.py", "signature"): "a seal under a manifest, not a message",
    ("supplies/journal/mail.py", "EmailMultiAlternatives"): "a mail as it was written down",
}


def calls(source: str) -> Iterator[str]:
    """The banned names a source calls, whatever they are called on."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name in BANNED:
                yield name


def test_nothing_leaves_but_through_the_journal() -> None:
    found = {
        (str(file.relative_to(ROOT)), name)
        for part in PRODUCT
        for file in (ROOT / part).rglob("*.py")
        for name in calls(file.read_text())
    }

    assert found == set(ALLOWED)


@pytest.mark.parametrize(
    "source",
    [
        "match.delay(run)",
        "tasks.match.apply_async(args=[1], countdown=5)",
        "from celery import current_app as app\napp.send_task('matching.sweep')",
        "send_mail('a', 'b', None, ['c'])",
        "smtplib.SMTP('mail')",
        "from django.core.mail import get_connection\nget_connection('x').send_messages([])",
    ],
)
def test_what_goes_past_it_is_found(source: str) -> None:
    assert list(calls(source))


def test_mail_by_django_s_means_is_written_into_the_outbox() -> None:
    assert config.settings.EMAIL_BACKEND == "supplies.journal.mail.Outbox"
