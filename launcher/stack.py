"""The servers a command of the site needs, and the environment it is handed.

Several commands may use the same servers at the same time. Each holds a shared lock while it does; who leaves
last stops them. So `./run manage` works beside a running `./run` and without one.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from launcher.postgres import Postgres
from launcher.state import State, new_field_keys, new_secret_key
from launcher.valkey import Valkey

# Settings of the person's shell that would make the site another one than this.
LEAKING = ("DJANGO_SETTINGS_MODULE", "PYTHONPATH", "PYTHONHOME")


class Stack:
    """PostgreSQL and Valkey of one state directory, as far as the outside does not name others."""

    def __init__(self, state: State, outside: Mapping[str, str] = os.environ) -> None:
        self.state = state.open()
        self.postgres = None if outside.get("DATABASE_URL") else Postgres(state)
        self.valkey = None if outside.get("BROKER_URL") and outside.get("CACHE_URL") else Valkey(state)
        self.environment = self._environment(outside)

    @property
    def environment_with_tools(self) -> dict[str, str]:
        """The same for a command that may call pg_dump and its like: of the server's own version, not the system's."""
        if self.postgres is None:
            return self.environment
        path = os.pathsep.join([str(self.postgres.programs), self.environment.get("PATH", "")])
        return self.environment | {"PATH": path}

    def environment_as(self, role: str) -> dict[str, str]:
        """The same for a program that comes to the embedded database as a lesser role than its owner."""
        if self.postgres is None:
            return self.environment
        return self.environment | {"DATABASE_URL": self.postgres.url_as(role)}

    @property
    def servers(self) -> list[Postgres | Valkey]:
        """The embedded servers in the order they start."""
        return [server for server in (self.postgres, self.valkey) if server is not None]

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """Have the servers running; stop them afterwards unless another command uses them too."""
        with self._users_lock() as users:
            fcntl.flock(users, fcntl.LOCK_SH)
            try:
                for server in self.servers:
                    server.start()
                yield
            finally:
                self._stop_if_last(users)

    def stop_if_unused(self) -> None:
        """Stop servers whose launcher was killed."""
        with self._users_lock() as users:
            self._stop_if_last(users)

    @contextmanager
    def _users_lock(self) -> Iterator[int]:
        users = os.open(self.state.path / "users.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            yield users
        finally:
            os.close(users)

    def _stop_if_last(self, users: int) -> None:
        try:
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        for server in reversed(self.servers):
            server.stop()

    def _environment(self, outside: Mapping[str, str]) -> dict[str, str]:
        """Ours, and over it whatever the outside has set: the person's word counts."""
        ours = {
            "ALLOWED_HOSTS": "127.0.0.1,localhost",
            "EMBEDDED": "1",
        }
        if self.postgres is not None:
            ours["DATABASE_URL"] = self.postgres.url
        if self.valkey is not None:
            ours |= {"BROKER_URL": self.valkey.broker_url, "CACHE_URL": self.valkey.cache_url}
        for name, make in (("SECRET_KEY", new_secret_key), ("FIELD_KEYS", new_field_keys)):
            if not outside.get(name):
                ours[name] = self.state.secret(name.lower(), make)
        given = {
            name: value
            for name, value in outside.items()
            if value and not name.startswith("PG") and name not in LEAKING
        }
        always = {"STATE_DIR": str(self.state.path), "PYTHONUTF8": "1", "C_FORCE_ROOT": "1"}
        return ours | given | always
