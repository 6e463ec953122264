"""Which kernel made a plan: the version its authors give it, a digest of its sources, and the libraries it stands on."""

import hashlib
import platform
from functools import cache
from importlib.metadata import version
from pathlib import Path

VERSION = "3"
LIBRARIES = ("numpy", "ortools", "scipy")


@cache
def sources() -> str:
    """SHA-256 over every file of the kernel, by name: two kernels with one digest make the same plans."""
    sha = hashlib.sha256()
    for file in sorted(Path(__file__).parent.glob("*.py")):
        content = file.read_bytes()
        sha.update(f"{file.name}|{len(content)}|".encode() + content)
    return sha.hexdigest()


@cache
def kernel() -> dict[str, str]:
    """Everything that a plan depends on besides its problem. Nothing is drawn at random, so there is no seed among it."""
    return {
        "version": VERSION,
        "sources": sources(),
        "python": platform.python_version(),
        **{name: version(name) for name in LIBRARIES},
    }
