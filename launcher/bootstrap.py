"""Makes `.venv` from the hashed lock, then becomes the launcher inside it. Standard library only.

The stamp in the environment says which lock and which Python it was made for. It is written last, so that an
installation cut short is taken up again by the next start.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / "installed-for"
LOCK = ROOT / "requirements.txt"
INSTALLER_LOCK = ROOT / "launcher" / "installer.txt"

# A person's pip settings that would send the packages somewhere else than into the environment.
LEAKING_PIP_SETTINGS = ("PIP_TARGET", "PIP_USER", "PIP_PREFIX", "PIP_ROOT", "PIP_REQUIRE_VIRTUALENV")


def main() -> None:
    for name in LEAKING_PIP_SETTINGS:
        os.environ.pop(name, None)
    keep_bytecode_out_of_the_sources()
    os.environ["PYTHONUTF8"] = "1"
    make_environment()
    os.chdir(ROOT)
    os.execv(PYTHON, [str(PYTHON), "-m", "launcher", *sys.argv[1:]])


def keep_bytecode_out_of_the_sources() -> None:
    """Who wants none beside the sources gets it in `.venv`: without any, each of our processes compiles for seconds."""
    if os.environ.pop("PYTHONDONTWRITEBYTECODE", ""):
        os.environ.setdefault("PYTHONPYCACHEPREFIX", str(VENV / "bytecode"))


def make_environment() -> None:
    """Bring `.venv` up to the lock; two first starts at the same time wait for one another."""
    tree = os.open(ROOT, os.O_RDONLY)
    fcntl.flock(tree, fcntl.LOCK_EX)
    try:
        if version_of(PYTHON) is None:
            create_environment()
        if not is_stamped():
            install()
            STAMP.write_text(wanted_stamp())
    finally:
        os.close(tree)


def wanted_stamp() -> str:
    """Of the lock and the environment's own Python, not ours: another PATH is no reason to make it anew."""
    return hashlib.sha256(LOCK.read_bytes() + (version_of(PYTHON) or "").encode()).hexdigest()


def is_stamped() -> bool:
    return STAMP.exists() and STAMP.read_text() == wanted_stamp()


def version_of(python: Path) -> str | None:
    """The full version text of an interpreter, None when it is missing or does not start."""
    if not python.exists():
        return None
    asked = subprocess.run(
        [python, "-c", "import sys; sys.stdout.write(sys.version)"], capture_output=True, text=True
    )
    return asked.stdout if asked.returncode == 0 else None


def create_environment() -> None:
    say("making the Python environment in .venv")
    made = subprocess.run(
        [sys.executable, "-m", "venv", "--clear", VENV], stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    if made.returncode != 0:
        shutil.rmtree(VENV, ignore_errors=True)
        say(made.stdout.decode(errors="replace").strip())
        sys.exit(
            "The Python environment could not be made. On Debian and Ubuntu: apt-get install python3-venv"
        )


def install() -> None:
    """Install the lock with uv, which takes seconds; with pip, which takes a minute, where uv does not work."""
    say("installing the packages of requirements.txt")
    pip = ["pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes", "-r"]
    uv = ["uv", "pip", "install", "--quiet", "--system-certs", "--require-hashes", "-r"]
    complaint = run_module(*pip, INSTALLER_LOCK) or run_module(*uv, LOCK)
    if complaint:
        say("uv did not do it; trying pip, which takes longer")
        complaint = run_module(*pip, LOCK)
    if complaint:
        sys.exit(f"The packages could not be installed.\n{complaint}")


def run_module(*arguments: str | Path) -> str | None:
    """Run a module inside the environment; None when it succeeded, else what it said."""
    ran = subprocess.run(
        [PYTHON, "-m", *arguments],
        cwd=ROOT,
        env=os.environ | {"VIRTUAL_ENV": str(VENV)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    return None if ran.returncode == 0 else ran.stdout.decode(errors="replace").strip() or "It said nothing."


def say(message: str) -> None:
    print(message, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
