"""What the project is made of and what slipped into it: known faults of its packages, their licences, keys, unsafe habits."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from detect_secrets.core.secrets_collection import SecretsCollection
from detect_secrets.settings import default_settings

from launcher.state import ROOT
from launcher.verdicts import Verdict

MODULE = (sys.executable, "-m")
LOCK = ROOT / "requirements.txt"

# --- Known faults ---


def vulnerabilities(environment: Mapping[str, str], *options: str) -> Verdict:
    """Has any locked package a fault that is publicly known? Skipped, never passed, where that cannot be looked up.

    One package is asked about first: an index that holds no advisories would be asked about all of them in vain.
    """
    with tempfile.TemporaryDirectory() as folder:
        first = Path(folder) / "first.txt"
        first.write_text(next(line.split(" ;")[0].split(" \\")[0] for line in _pins()) + "\n")
        tried = audit_verdict(_audit(first, "--no-deps", *options, environment=environment))
        if tried.passed is None:
            return tried
    return audit_verdict(_audit(LOCK, "--require-hashes", *options, environment=environment))


def _pins() -> Iterator[str]:
    return (line for line in LOCK.read_text().splitlines() if re.match(r"[A-Za-z0-9][\w.-]*==", line))


def _audit(requirements: Path, *options: str, environment: Mapping[str, str]) -> dict[str, Any] | None:
    """What pip-audit reports; None when it could not ask."""
    asked = ("--disable-pip", "--progress-spinner", "off", "--timeout", "10", "--format", "json")
    ran = subprocess.run(
        [*MODULE, "pip_audit", "-r", requirements, *asked, *options],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    try:
        report: dict[str, Any] = json.loads(ran.stdout)
    except ValueError:
        return None
    return report


def audit_verdict(report: Mapping[str, Any] | None) -> Verdict:
    """A fault found is a fault, though not everything could be looked up; nothing found is a pass only if all was."""
    if report is None:
        return Verdict(None, "nobody could be asked for advisories (offline?)")
    packages = report["dependencies"]
    faults = [
        f"{package['name']} {package['version']}: {fault['id']}, mended in {', '.join(fault['fix_versions']) or 'no version'}"
        for package in packages
        for fault in package.get("vulns", ())
    ]
    if faults:
        return Verdict(False, "\n".join(faults))
    skipped = [package["name"] for package in packages if "skip_reason" in package]
    if skipped or not packages:
        return Verdict(
            None, f"the index holds no advisories: {len(skipped)} of {len(packages)} not looked up"
        )
    return Verdict(True)


# --- Licences ---

# As the packages themselves write them: what lets everybody use, change and pass on, in source or not.
ALLOWED = {
    *("MIT", "MIT License", "MIT-0", "MIT-CMU"),
    *("BSD", "BSD License", "BSD-2-Clause", "BSD-3-Clause", "BSD 3-Clause", "3-Clause BSD License", "0BSD"),
    *("Apache-2.0", "Apache Software License"),
    *("MPL-2.0", "Mozilla Public License 2.0 (MPL 2.0)"),  # changes to its own files have to be shown
    *("PSF-2.0", "Python Software Foundation License", "ISC License (ISCL)", "Zlib", "CC0-1.0"),
}

# What else is used, under exactly this text, and why it may be.
EXCEPTIONS = {
    "psycopg2-binary": (
        "GNU Library or Lesser General Public License (LGPL)",
        "used unchanged, as a library that anybody may put another one in the place of",
    ),
    "pycountry": ("LGPL-2.1-only", "likewise; comes with iso3166-2, which loads names on demand"),
    "iso3166-2": (
        "Free For Educational Use; MIT License",
        "its licence file is MIT; the other word is a keyword",
    ),
    "qrcode": (
        "BSD License; Other/Proprietary License",
        "BSD; the other is the notice that QR Code is a trademark",
    ),
    "pytest-timeout": (
        "DFSG approved; MIT License",
        "MIT; the other is what Debian thinks of it. Tests only",
    ),
    "python-stdnum": (
        "GNU Lesser General Public License v2 or later (LGPLv2+)",
        "used unchanged, as a library that anybody may put another one in the place of",
    ),
    "libhxl": ("UNKNOWN", "in the public domain, as its repository says. Tests only"),
    "python-io-wrapper": ("UNKNOWN", "likewise, by the same author; comes with libhxl. Tests only"),
    "unidecode": (
        "GNU General Public License v2 or later (GPLv2+)",
        "comes with libhxl, which judges what we publish. Tests only: the site neither imports it nor passes it on",
    ),
    "pypdfium2": (
        "BSD-3-Clause, Apache-2.0, dependency licenses",
        "with the licences of the parts of PDFium, all of this kind. Tests only",
    ),
    "axe-playwright-python": ("UNKNOWN", "MIT in its repository, with axe-core under MPL-2.0. Tests only"),
}


def licences(environment: Mapping[str, str]) -> Verdict:
    """May every locked package be used and passed on with this one?"""
    asked = [*MODULE, "piplicenses", "--from=mixed", "--format=json", "--with-system"]
    ran = subprocess.run(asked, env=environment, cwd=ROOT, capture_output=True, text=True, check=True)
    locked = {_plain(line.split("==")[0]) for line in _pins()}
    found = [package for package in json.loads(ran.stdout) if _plain(package["Name"]) in locked]
    wrong = list(licence_faults({package["Name"]: package["License"] for package in found}))
    return Verdict(not wrong, "\n".join(wrong))


def licence_faults(packages: Mapping[str, str]) -> Iterator[str]:
    for name, text in sorted(packages.items()):
        terms = set(re.split("; | AND | OR ", text))
        if not terms <= ALLOWED and EXCEPTIONS.get(_plain(name), (None,))[0] != text:
            yield f"{name} comes under: {text}"


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


# --- Secrets ---

NOT_TEXT = (".mo", ".png", ".ico", ".woff2")
MADE_OF_HASHES = ("requirements.txt", "launcher/installer.txt")
PLACEHOLDERS = "^(password|secret)$"  # postgres://user:password@host, which says where a secret goes


def secrets(environment: Mapping[str, str]) -> Verdict:
    """Has a key, a token or a password slipped into a file? A line that only looks so says `pragma: allowlist secret`."""
    asked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    if asked.returncode != 0:
        return Verdict(None, "this is no checkout, so nobody knows which files are the project's")
    files = [file for file in asked.stdout.splitlines() if (ROOT / file).is_file()]
    kept = [file for file in files if not file.endswith(NOT_TEXT) and file not in MADE_OF_HASHES]
    wrong = list(secrets_in(kept))
    return Verdict(not wrong, "\n".join(wrong))


def secrets_in(files: Iterable[str]) -> Iterator[str]:
    """file:line and kind. In tests a variable called password may hold one: they are all invented."""
    tests: list[str] = []
    others: list[str] = []
    for file in files:
        (tests if file.startswith("tests/") else others).append(file)
    for chosen, left_out in ((others, ()), (tests, ("KeywordDetector", "BasicAuthDetector"))):
        with default_settings() as settings:
            settings.disable_plugins(*left_out)
            settings.filters["detect_secrets.filters.regex.should_exclude_secret"] = {
                "pattern": [PLACEHOLDERS]
            }
            found = SecretsCollection(root=str(ROOT))
            for file in chosen:
                found.scan_file(file)
            yield from (f"{file}:{secret.line_number}: {secret.type}" for file, secret in found)


# --- Habits ---

OURS = ("config", "matching", "supplies", "launcher", "bench", "manage.py")


def habits(environment: Mapping[str, str], paths: Sequence[str] = OURS) -> Verdict:
    """Does the code do what often turns out unsafe? A line that must says `nosec` with the rule's number, and why."""
    ran = subprocess.run(
        [*MODULE, "bandit", "--quiet", "--recursive", "-ll", "--configfile", ROOT / "pyproject.toml", *paths],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    return Verdict(ran.returncode == 0, (ran.stdout + ran.stderr).strip())
