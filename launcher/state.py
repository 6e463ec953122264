"""The state directory: data, sockets, logs, secrets and locks of one stack."""

from __future__ import annotations

import base64
import fcntl
import hashlib
import os
import re
import secrets
import stat
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from launcher.messages import CannotGoOn

ROOT = Path(__file__).resolve().parent.parent

# A unix socket's address holds 107 bytes on Linux and 103 on macOS; the longest name put into the directory
# is PostgreSQL's ".s.PGSQL.5432.lock".
LONGEST_SOCKET_DIRECTORY = 103 - len("/.s.PGSQL.5432.lock")
LOG_KEPT = 10_000_000  # bytes of a log before the next start sets it aside


@dataclass(frozen=True)
class State:
    """path        where everything is kept
    disposable  nothing in it is worth a flush to disk: tests and benchmarks
    """

    path: Path
    disposable: bool = False

    @classmethod
    def of(cls, purpose: str = "", *, outside: Mapping[str, str] = os.environ) -> State:
        """`.state`, or STATE_DIR; tests and benchmarks have their own beside it, named for their purpose."""
        base = ROOT / (outside.get("STATE_DIR") or ".state")
        return cls(base.with_name(base.name + purpose), disposable=bool(purpose))

    def open(self) -> State:
        """Make the directory if needed. Raises CannotGoOn when it belongs to someone else."""
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        owner = self.path.stat().st_uid
        if os.getuid() not in (0, owner):
            raise CannotGoOn(
                f"{self.path} belongs to another user (uid {owner}). Start as that user, or hand it over:"
                f" sudo chown -R {os.getuid()} {self.path}"
            )
        (self.path / "log").mkdir(exist_ok=True)
        return self

    def log(self, name: str) -> Path:
        """The log file of one program; one that has grown large is set aside, the one before it dropped."""
        file = self.path / "log" / f"{name}.log"
        if file.exists() and file.stat().st_size > LOG_KEPT:
            file.replace(file.with_suffix(".log.1"))
        return file

    def socket_directory(self) -> Path:
        """Where servers put their sockets: in the state directory, or in a short private one if that will not do.

        Characters that URLs and configuration files would need quoted are avoided in the same way.
        """
        inside = self.path / "sockets"
        if len(os.fsencode(inside)) <= LONGEST_SOCKET_DIRECTORY and re.fullmatch(
            r"[\w/.-]+", str(inside), re.A
        ):
            inside.mkdir(mode=0o700, exist_ok=True)
            return inside
        return private_directory(f"tongzhou-{os.getuid()}-{short_name(self.path)}")

    def secret(self, name: str, make: Callable[[], str]) -> str:
        """A secret made once and kept, readable by its owner only."""
        file = self.path / name
        with self.held("secrets.lock"):
            if not file.exists() or not file.read_text().strip():
                written = file.with_name(f"{name}.new")
                written.unlink(missing_ok=True)
                with os.fdopen(os.open(written, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
                    out.write(make())
                    out.flush()
                    os.fsync(out.fileno())
                written.replace(file)
            file.chmod(0o600)
            return file.read_text().strip()

    @contextmanager
    def held(self, name: str) -> Iterator[None]:
        """Wait for a lock file of this directory and hold it. A killed holder lets go."""
        lock = os.open(self.path / name, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)


def new_secret_key() -> str:
    return secrets.token_urlsafe(64)


def new_field_keys() -> str:
    """One key for encrypted fields: its id, and 32 random bytes as base64."""
    return "k1:" + base64.b64encode(secrets.token_bytes(32)).decode()


def short_name(path: Path) -> str:
    return hashlib.sha256(os.fsencode(path)).hexdigest()[:12]


def private_directory(name: str) -> Path:
    """A directory of ours alone under the temporary one. Raises CannotGoOn when someone else made it first."""
    for parent in (Path(tempfile.gettempdir()), Path("/tmp")):  # nosec B108 # whose it is, is looked at below
        directory = parent / name
        if len(os.fsencode(directory)) > LONGEST_SOCKET_DIRECTORY:
            continue
        directory.mkdir(mode=0o700, exist_ok=True)
        found = directory.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
            raise CannotGoOn(
                f"{directory} is not a private directory of this user. Remove it and start again."
            )
        return directory
    raise CannotGoOn("No temporary directory has a path short enough for a unix socket. Set TMPDIR.")
