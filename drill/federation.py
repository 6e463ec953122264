"""Issue 5, section 6: two instances on one machine, each with its servers, its database and its key, that read from each other."""

import json
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from drill.cells import Cell, Check, cell, equal
from drill.site import Site, own_site
from drill.stage import Stage
from launcher.processes import wait_until
from launcher.programs import HOST, free_port
from launcher.state import ROOT
from launcher.supervisor import Program

FIRST_PORT = 8760
SECONDS_TO_ANSWER = 120


@dataclass(frozen=True)
class Instance:
    """A site that is served at an address, and may read from the other's."""

    name: str
    site: Site
    port: int
    hosts: str

    @property
    def address(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def settings(self) -> dict[str, str]:
        return {"FEDERATION_HOSTS": self.hosts, "OPEN_DATA_INSTANCE": f"https://{self.name}.example.org"}

    def does(self, *words: str) -> dict[str, object]:
        """What `drill.federating` says of it."""
        said = self.site.run("-m", "drill.federating", *words, **self.settings)
        found: dict[str, object] = json.loads(said.splitlines()[-1])
        return found

    def publishes(self) -> None:
        self.site.manage("publish_open_data", **self.settings)

    def pulls(self) -> str:
        return self.site.manage("pull_peers", **self.settings)

    def get(self, path: str) -> bytes:
        with urllib.request.urlopen(self.address + path, timeout=30) as answer:  # nosec B310 # an address of ours
            content: bytes = answer.read()
        return content

    def listed(self, path: str) -> list[dict[str, object]]:
        rows: list[dict[str, object]] = json.loads(self.get(path))["results"]
        return rows


@contextmanager
def served(name: str, site: Site, port: int, hosts: str) -> Iterator[Instance]:
    instance = Instance(name, site, port, hosts)
    assert site.stack.valkey is not None
    site.stack.valkey.start()
    options = "--worker-class gthread --workers 1 --threads 4 --timeout 60 --no-control-socket"
    program = Program(
        f"web-{name}",
        [
            sys.executable,
            "-m",
            "gunicorn",
            "config.wsgi:application",
            "--bind",
            f"{HOST}:{port}",
            *options.split(),
        ],
        environment={**site.environment, **instance.settings},
        cwd=ROOT,
        log=site.folder / "web.log",
    )
    site.manage("collectstatic", "--no-input", "--verbosity", "0")
    program.start()
    try:
        assert wait_until(lambda: _answers(instance), seconds=SECONDS_TO_ANSWER, every=0.5), name
        yield instance
    finally:
        program.stop()
        site.stack.valkey.stop()


def _answers(instance: Instance) -> bool:
    try:
        instance.get("/health/live")
    except OSError:
        return False
    return True


@cell(
    "federation",
    of="issue 5",
    injects="two instances that read from each other; a manifest that was changed under its old signature",
    passes="each shows the other's need with its origin, counts none of it as its own, gets none of its own back, and reads"
    " nothing the key has not signed",
    is_many=True,
    has_own_site=True,
)
def federation(stage: Stage) -> list[Check]:
    began = time.monotonic()
    ports = [free_port(FIRST_PORT), free_port(FIRST_PORT + 10)]
    hosts = ",".join(f"{HOST}:{port}" for port in ports)
    with ExitStack() as ending:
        a, b = (
            ending.enter_context(served(name, ending.enter_context(own_site()), port, hosts))
            for name, port in zip("ab", ports, strict=True)
        )
        checks = _read_from_each_other(a, b)
        checks += _match_what_is_told(a, b)
        checks += _refuse_what_was_changed(a, b)
    print(f"  {time.monotonic() - began:.0f} s in all")
    return checks


def _read_from_each_other(a: Instance, b: Instance) -> list[Check]:
    asked_for = {instance.name: instance.does("need")["need"] for instance in (a, b)}
    a.publishes()
    b.does("introduce", "a", a.address)
    b.pulls()
    shown = b.does("fingerprints")["a"]
    key = json.loads(a.get("/open/key/"))
    b.does("subscribe", "a")
    b.pulls()
    there = b.listed("/api/v1/foreign-needs/")

    b.publishes()
    a.does("introduce", "b", b.address)
    a.pulls()
    a.does("subscribe", "b")
    a.pulls()
    here = a.listed("/api/v1/foreign-needs/")
    again = (a.pulls(), a.listed("/api/v1/foreign-needs/"))[1]

    a.publishes()
    return [
        equal(
            "the fingerprint B shows of A's key",
            "A's own" if str(shown).replace(" ", "") == key["fingerprint"] else "another",
            "A's own",
        ),
        equal("what B shows of A", [row["origin_id"] for row in there], [asked_for["a"]]),
        equal(
            "its origin there",
            [row["origin"]["instance"] for row in there],
            ["https://a.example.org"],  # type: ignore[index]
        ),
        equal(
            "what B counts as its own", [row["id"] for row in b.listed("/api/v1/needs/")], [asked_for["b"]]
        ),
        equal("B's page of needs elsewhere names A", b"told by a" in b.get("/needs/elsewhere/"), True),
        equal("what A shows of B", [row["origin_id"] for row in here], [asked_for["b"]]),
        equal("the same after another pull", again == here, True),
        equal(
            "what A counts as its own", [row["id"] for row in a.listed("/api/v1/needs/")], [asked_for["a"]]
        ),
        equal("B's need in A's next dump", str(asked_for["b"]) in str(a.does("published")), False),
    ]


def _match_what_is_told(a: Instance, b: Instance) -> list[Check]:
    """B lets A's need be matched: it stands among B's under A's name, goes out from A alone, and goes when B says no more."""
    before = b.does("stand_ins")
    b.does("rename")
    b.does("match", "a")
    b.pulls()
    during, listed = b.does("stand_ins"), [row["id"] for row in b.listed("/api/v1/needs/")]
    b.publishes()
    a.pulls()
    came = str(b.does("published")), [row["origin_id"] for row in a.listed("/api/v1/foreign-needs/")]
    b.does("match_no_more", "a")
    b.pulls()
    a.publishes()
    return [
        equal("stand-ins at B before it is switched on", before, {}),
        equal("and after", list(during.values()), ["open"]),
        equal("B's own list is without it", len(listed), 1),
        equal("A's need in B's dump", any(key in came[0] for key in during), False),
        equal("A's need comes back to A", any(key in came[1] for key in during), False),
        equal("switched off again", list(b.does("stand_ins").values()), ["withdrawn"]),
    ]


def _refuse_what_was_changed(a: Instance, b: Instance) -> list[Check]:
    """A's newest manifest is changed where it lies, and keeps its signature."""
    before = b.listed("/api/v1/foreign-needs/")
    folder = sorted(path for path in (a.site.stack.state.path / "open").iterdir() if path.name[0] != ".")[-1]
    manifest = folder / "manifest.json"
    manifest.write_text(manifest.read_text().replace("CC-BY-4.0", "mine"))
    said = b.pulls()
    return [
        equal("the changed manifest is refused", "signature is not by the key" in said, True),
        equal("and nothing is lost", b.listed("/api/v1/foreign-needs/") == before, True),
    ]


CELLS: list[Cell] = [federation]
