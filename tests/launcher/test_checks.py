import os
import shutil
import subprocess
from pathlib import Path

import pytest

from launcher import checks
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


SITE = """
import sys
from django.conf import settings
from django.core.management import execute_from_command_line
settings.configure(LOCALE_PATHS=["locale"], LANGUAGE_CODE="en")
execute_from_command_line(sys.argv)
"""


@pytest.fixture
def translated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small site with one text in its code, and the translation of that text."""
    if shutil.which("msgfmt") is None:
        pytest.skip("gettext is not installed")
    monkeypatch.setattr(checks, "ROOT", tmp_path)
    (tmp_path / "manage.py").write_text(SITE)
    (tmp_path / "supplies").mkdir()
    (tmp_path / "supplies" / "models.py").write_text('_("a need")\n')
    catalogue = tmp_path / "locale" / "zh_Hans" / "LC_MESSAGES" / "django.po"
    catalogue.parent.mkdir(parents=True)
    header = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n'
    catalogue.write_text(f'{header}\nmsgid "a need"\nmsgstr "需求"\n')
    subprocess.run(["msgfmt", "-o", catalogue.with_suffix(".mo"), catalogue], check=True)
    return catalogue


def test_complete_translations_pass(translated: Path):
    assert checks.translations(os.environ) == checks.Verdict(True, "")


def test_a_text_without_translation_and_one_no_longer_used_are_told(translated: Path):
    (checks.ROOT / "supplies" / "models.py").write_text('_("an offer")\n')

    verdict = checks.translations(os.environ)

    assert not verdict.passed
    assert "not translated: 'an offer'" in verdict.said
    assert "no longer used: 'a need'" in verdict.said


def test_an_empty_translation_is_told(translated: Path):
    translated.write_text(translated.read_text().replace("需求", ""))

    assert "untranslated: 'a need'" in checks.translations(os.environ).said


def test_a_compiled_file_that_is_not_its_source_is_told(translated: Path):
    translated.write_text(translated.read_text().replace("需求", "请求"))

    assert "is not what" in checks.translations(os.environ).said
