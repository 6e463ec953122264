import pytest

from launcher.checks import lock_faults, texts_of
from launcher.state import ROOT

LOCKED = """\
# made by a tool
amqp==5.4.2 \\
    --hash=sha256:aa
    # via kombu
celery==5.7.0 \\
    --hash=sha256:bb
    # via -r requirements.in
"""


@pytest.mark.parametrize(
    ("asked", "locked", "fault"),
    [
        ("Celery[redis]==5.7.0  # jobs", LOCKED, None),
        ("celery==5.8.0", LOCKED, "celery is asked for at 5.8.0 and locked at 5.7.0."),
        ("celery==5.7.0\nrich==15.0.0", LOCKED, "rich is asked for and not locked."),
        ("", LOCKED, "celery is locked and no longer asked for."),
        ("celery==5.7.0", LOCKED.replace("    --hash=sha256:aa\n", ""), "amqp is locked without a hash."),
    ],
)
def test_the_lock_file_holds_exactly_what_is_asked_for(asked: str, locked: str, fault: str | None):
    assert list(lock_faults(asked, locked)) == ([fault] if fault else [])


def test_every_requirement_of_the_project_is_read():
    asked = [line for line in (ROOT / "requirements.in").read_text().splitlines() if "==" in line]

    faults = list(lock_faults("\n".join(asked), ""))

    assert len(faults) == len(asked) > 20


def test_texts_of_a_catalogue_are_told_by_context_and_without_obsolete_ones():
    written = """\
msgid ""
msgstr "Content-Type: text/plain\\n"

#: needs/models.py
msgid "open"
msgstr "开放"

msgctxt "shop"
msgid ""
"open \\"now\\"\\n"
"and later"
msgstr "营业"

#~ msgid "gone"
#~ msgstr "没有了"
"""
    assert texts_of(written) == {"open", 'shop\x04open "now"\nand later'}
