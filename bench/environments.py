"""Environments of their own for programs that cannot live in ours, made once and kept in the bench's state."""

import subprocess
import sys
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

from django.conf import settings


def environment(name: str, packages: Sequence[str], *, alone: Sequence[str] = ()) -> Path:
    """The Python of an environment with these packages; made anew when they change.

    packages  pinned, as pip takes them, with what they need
    alone     the same, but without what they say they need
    """
    folder = Path(settings.STATE_DIR) / "environments" / name
    wanted = sha256("\n".join([sys.version, *packages, "", *alone]).encode()).hexdigest()
    made_with, python = folder / "made-with", folder / "bin" / "python"
    if made_with.exists() and made_with.read_text() == wanted:
        return python
    subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
    for chosen, how in ((packages, ()), (alone, ("--no-deps",))):
        if chosen:
            quiet = ("--quiet", "--no-input", "--disable-pip-version-check")
            subprocess.run([python, "-m", "pip", "install", *quiet, *how, *chosen], check=True)
    made_with.write_text(wanted)
    return python
