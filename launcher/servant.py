"""Who PostgreSQL runs as. It refuses to be root, and anyone without a name, so those find it someone else to be."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from launcher.messages import CannotGoOn
from launcher.state import State, short_name

# A user namespace of its own in which we are called nobody; outside it, every file stays ours.
IN_NAMESPACE = ("unshare", "--user", "--map-user=65534", "--map-group=65534", "--")
PLACE_FOR_NOBODY = Path("/var/lib")


@dataclass(frozen=True)
class Servant:
    """home         where the data and, for nobody, the sockets are kept
    owner        uid of every file in it as seen from outside
    prefix       what a command is preceded with
    becoming     what subprocess is told so that the command runs as this user
    is_nobody    another user than the one the site runs as, so it has to be told who may come in
    """

    home: Path
    owner: int
    prefix: tuple[str, ...] = ()
    becoming: dict[str, Any] = field(default_factory=dict)
    is_nobody: bool = False

    def command(self, *arguments: str | Path) -> list[str]:
        return [*self.prefix, *map(str, arguments)]

    def can(self, *arguments: str | Path) -> bool:
        """Does this command, run as this servant, succeed? Where it may not even be started, it does not."""
        try:
            ran = subprocess.run(self.command(*arguments), capture_output=True, cwd="/", **self.becoming)
        except OSError:
            return False
        return ran.returncode == 0

    def owns(self, tree: Path) -> None:
        """Hand a tree made under another user to this servant. Raises CannotGoOn when that takes root."""
        if not tree.exists() or tree.stat().st_uid == self.owner:
            return
        if os.getuid() != 0:
            raise CannotGoOn(
                f"{tree} belongs to another user (uid {tree.stat().st_uid}). Start as that user, or hand it over:"
                f" sudo chown -R {self.owner} {tree}"
            )
        for folder, _, files in os.walk(tree):
            for name in (".", *files):
                os.chown(os.path.join(folder, name), self.owner, -1, follow_symlinks=False)

    def reachable(self, binaries: Path) -> Path:
        """The directory of programs, or a copy of its installation where this servant can start them."""
        if self.can(binaries / "postgres", "--version"):
            return binaries
        copy = self.home / f"programs-{short_name(binaries)}"
        if not copy.exists():
            unfinished = copy.with_suffix(".new")
            shutil.rmtree(unfinished, ignore_errors=True)
            shutil.copytree(binaries.parent, unfinished, symlinks=True)
            unfinished.rename(copy)
        return copy / binaries.name


def choose(state: State) -> Servant:
    """Ourselves; for root, and for a user without a name, a user namespace; where root may not, nobody."""
    user = os.getuid()
    if user != 0 and has_name(user):
        return Servant(home=state.path, owner=user)
    in_namespace = Servant(home=state.path, owner=user, prefix=IN_NAMESPACE)
    if in_namespace.can("test", "-x", state.path.parent):
        in_namespace.owns(state.path)
        return in_namespace
    if user != 0:
        raise CannotGoOn(f"PostgreSQL needs a user with a name, and uid {user} has none in /etc/passwd.")
    if (state.path / "postgres").exists():
        raise CannotGoOn(f"Root cannot use the database in {state.path} here. Start as the user who made it.")
    return nobody(state)


def has_name(user: int) -> bool:
    try:
        pwd.getpwuid(user)
    except KeyError:
        return False
    return True


def nobody(state: State) -> Servant:
    """A servant with a home of its own, since a checkout in someone's private home is out of its reach."""
    user = pwd.getpwnam("nobody")
    home = PLACE_FOR_NOBODY / f"tongzhou-{short_name(state.path)}"
    home.mkdir(mode=0o755, parents=True, exist_ok=True)
    return Servant(
        home=home,
        owner=user.pw_uid,
        becoming={"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []},
        is_nobody=True,
    )
