"""`./run check`: everything that can be judged without running the tests."""

from __future__ import annotations

import ast
import gettext
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from launcher import supply
from launcher.messages import CannotGoOn, say
from launcher.state import ROOT
from launcher.verdicts import Verdict

PYTHON = sys.executable
WRITTEN_IN = "en"  # the language of the texts in the code
COPIED_FOR_TRANSLATION = ("config", "supplies", "matching", "templates", "static", "locale", "manage.py")


Check = Callable[[Mapping[str, str]], Verdict]


def run(environment: Mapping[str, str], *, only: Sequence[str] = ()) -> int:
    """Make every check (or those named), show each that fails, then a table; 1 if any failed."""
    unknown = sorted(set(only) - set(CHECKS))
    if unknown:
        raise CannotGoOn(f"There is no check {', '.join(unknown)}. There are: {', '.join(CHECKS)}.")
    rows = []
    for name in only or CHECKS:
        began = time.monotonic()
        verdict = CHECKS[name](environment)
        rows.append((name, verdict, time.monotonic() - began))
        if verdict.passed is False:
            say(f"--- {name} ---\n{verdict.said}\n")
    for name, verdict, seconds in rows:
        print(
            f"{_word(verdict):<8} {name:<14} {seconds:6.1f} s  {verdict.said if verdict.passed is None else ''}".rstrip()
        )
    return int(any(verdict.passed is False for _, verdict, _ in rows))


def _word(verdict: Verdict) -> str:
    return {True: "pass", False: "FAIL", None: "skipped"}[verdict.passed]


def program(*command: str) -> Check:
    """A check that is another program, run in the project; its exit code is the verdict."""

    def check(environment: Mapping[str, str]) -> Verdict:
        ran = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True)
        return Verdict(ran.returncode == 0, (ran.stdout + ran.stderr).strip())

    return check


# --- The lock file, checked without a network ---


def lock_file(environment: Mapping[str, str]) -> Verdict:
    """Does requirements.txt hold exactly what requirements.in asks for, at its pins, with hashes?"""
    wrong = list(lock_faults((ROOT / "requirements.in").read_text(), (ROOT / "requirements.txt").read_text()))
    return Verdict(not wrong, "\n".join([*wrong, "./run lock makes it anew."]) if wrong else "")


def lock_faults(asked: str, locked: str) -> Iterator[str]:
    pins = dict(_pin(line) for line in re.findall(r"^[\w.-]+(?:\[[\w,-]+\])?==[^\s;#]+", asked, re.M))
    blocks = dict(
        _locked(block) for block in re.split(r"\n(?=[A-Za-z0-9])", locked) if "==" in block.split("\n")[0]
    )
    for name, version in pins.items():
        if name not in blocks:
            yield f"{name} is asked for and not locked."
        elif blocks[name].version != version:
            yield f"{name} is asked for at {version} and locked at {blocks[name].version}."
    for name, block in blocks.items():
        if not block.has_hash:
            yield f"{name} is locked without a hash."
        if block.asked_for and name not in pins:
            yield f"{name} is locked and no longer asked for."


@dataclass(frozen=True)
class Locked:
    version: str
    has_hash: bool
    asked_for: bool


def _pin(requirement: str) -> tuple[str, str]:
    name, version = requirement.split("==")
    return _plain(name.split("[")[0]), version


def _locked(block: str) -> tuple[str, Locked]:
    name, version = _pin(re.split(r"[\s;]", block, maxsplit=1)[0])
    return name, Locked(version, "--hash=sha256:" in block, "-r requirements.in" in block)


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


# --- Translations ---


def translations(environment: Mapping[str, str]) -> Verdict:
    """Is every text of the code translated, none left over, and the compiled file that of the written one?"""
    if shutil.which("msgfmt") is None or shutil.which("xgettext") is None:
        return Verdict(None, "gettext is not installed (apt-get install gettext)")
    catalogues = sorted((ROOT / "locale").glob("*/LC_MESSAGES/*.po"))
    if not catalogues:
        return Verdict(False, "There are no translations under locale/.")
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        wrong = [fault for file in catalogues for fault in _faults_of_file(file, copy)]
        wrong += _faults_of_coverage(catalogues, copy, environment)
    return Verdict(not wrong, "\n".join(wrong))


def _faults_of_file(file: Path, folder: Path) -> Iterator[str]:
    name = file.relative_to(ROOT)
    compiled = folder / "compiled.mo"
    made = subprocess.run(["msgfmt", "--check", "-o", compiled, file], capture_output=True, text=True)
    if made.returncode != 0:
        yield f"{name}: {made.stderr.strip()}"
        return
    committed = file.with_suffix(".mo")
    if not committed.exists() or texts_in(committed) != texts_in(compiled):
        yield f"{committed.relative_to(ROOT)} is not what {name} compiles to; ./run manage compilemessages"
    if file.parts[-3] == WRITTEN_IN:
        return  # an empty translation shows the text itself
    for kind in ("--untranslated", "--only-fuzzy"):
        shown = subprocess.run(
            ["msgattrib", kind, "--no-obsolete", file], capture_output=True, text=True, check=True
        )
        yield from (f"{name}: {kind.split('-')[-1]}: {text!r}" for text in sorted(texts_of(shown.stdout)))


def _faults_of_coverage(
    catalogues: Sequence[Path], copy: Path, environment: Mapping[str, str]
) -> Iterator[str]:
    """Collect the texts of a copy of the code and compare them with those of the committed catalogues."""
    for part in COPIED_FOR_TRANSLATION:
        source = ROOT / part
        if source.is_dir():
            shutil.copytree(source, copy / part, ignore=shutil.ignore_patterns("__pycache__", "vendor"))
        elif source.exists():
            shutil.copy(source, copy / part)
    for file in catalogues:
        name, language = file.relative_to(ROOT), file.parts[-3]
        made = subprocess.run(
            [
                PYTHON,
                "manage.py",
                "makemessages",
                "-l",
                language,
                "-d",
                file.stem,
                "--no-obsolete",
                "--no-location",
            ],
            env=environment,
            cwd=copy,
            capture_output=True,
            text=True,
        )
        if made.returncode != 0:
            yield f"makemessages failed: {made.stderr.strip()}"
            continue
        wanted, present = texts_of((copy / name).read_text()), texts_of(file.read_text())
        yield from (f"{name}: not translated: {text!r}" for text in sorted(wanted - present))
        yield from (f"{name}: no longer used: {text!r}" for text in sorted(present - wanted))


def texts_in(compiled: Path) -> dict[object, str]:
    with compiled.open("rb") as file:
        catalogue: dict[object, str] = vars(gettext.GNUTranslations(file))["_catalog"]
    without_header = {text: said for text, said in catalogue.items() if text != ""}
    return without_header


def texts_of(written: str) -> set[str]:
    """The texts a .po file has entries for, after their context where they have one; obsolete ones are left out."""
    texts = set()
    for entry in re.split(r"\n\s*\n", written):
        quoted = re.findall(r'^(msgctxt|msgid) ((?:".*"\n?)+)', entry, re.M)
        parts = {keyword: "".join(map(ast.literal_eval, lines.splitlines())) for keyword, lines in quoted}
        if parts.get("msgid"):
            texts.add("\x04".join(parts[part] for part in ("msgctxt", "msgid") if part in parts))
    return texts


MODULE = (PYTHON, "-m")
CHECKS: dict[str, Check] = {
    "format": program(*MODULE, "ruff", "format", "--check", "."),
    "lint": program(*MODULE, "ruff", "check", "."),
    "types": program(*MODULE, "mypy", "."),
    "imports": program(str(Path(PYTHON).parent / "lint-imports")),
    "migrations": program(PYTHON, "manage.py", "makemigrations", "--check", "--dry-run"),
    "translations": translations,
    "lock": lock_file,
    "habits": supply.habits,
    "secrets": supply.secrets,
    "licences": supply.licences,
    "vulnerabilities": supply.vulnerabilities,
    "api": program(PYTHON, "manage.py", "spectacular", "--validate", "--fail-on-warn", "--file", "/dev/null"),
}
