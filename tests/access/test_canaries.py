"""Every page as everybody, every store, everything that leaves: nothing planted is where it is not for; and searches that find."""

import gzip
import json
import logging
import zipfile
from base64 import b64encode
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from allauth.account.models import EmailAddress
from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.http import HttpResponse, StreamingHttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from redis import Redis

import config.settings as real
from matching.services import start
from supplies.free_text import free_text_columns
from supplies.journal import mail
from supplies.journal.models import OutgoingMail
from supplies.journal.services import dispatch, record, take_bell_down
from supplies.privacy.register import entries
from tests.access import canaries
from tests.access.canaries import World
from tests.access.tiers import Canary, may_read, readers
from tests.api_client import today  # noqa: F401
from tests.makers import NOW
from tests.page_client import reader
from tests.whole import WHOLE

pytestmark = pytest.mark.django_db
ROLES = (
    "anonymous",
    "stranger",
    "hospital",
    "hospital elsewhere",
    "donor",
    "donor elsewhere",
    "carrier",
    "carrier elsewhere",
    "volunteer",
    "coordinator",
    "coordinator elsewhere",
    "auditor",
    "admin",
)


@pytest.fixture(autouse=True)
def open_data(settings: Any, tmp_path: Path) -> None:
    settings.OPEN_DATA_DIR = tmp_path / "open"


@pytest.fixture
def world(private_root: Path) -> World:
    return canaries.plant()


def test_every_guarded_field_that_can_hold_one_holds_a_canary(world: World) -> None:
    planted = {canary.where for canary in world.canaries}
    guarded = {f"{entry.model}.{entry.field}" for entry in entries() if entry.kind in canaries.GUARDED}
    free = {f"{model._meta.label}.{name}" for model, name in free_text_columns()}
    empty = {f"{m._meta.label}." for m in apps.get_models() if not m._base_manager.exists()}

    missing = {
        where
        for where in (guarded | free) - planted - world.unplanted - canaries.NAMES
        if not where.startswith(tuple(empty))
    }
    assert missing == set()
    assert planted & {
        "supplies.Contact.phone_sealed",
        "supplies.Appeal.remark",
        "supplies.ImportedRow.raw_sealed",
    }


def test_the_search_finds_what_was_planted_however_it_is_written() -> None:
    canary, other = Canary("x", "13800000001"), Canary("y", "canary0002q")

    for text in ("tel:13800000001", "138-0000-0001", "138 0000 0001", '{"a":"13800000001"}'):
        assert canaries.found_in(text.encode(), [canary, other]) == [canary]
    assert canaries.found_in(b"138****0001", [canary, other]) == []
    assert canaries.found_in("见 canary0002q".encode(), [canary, other]) == [other]


def shown(hits: list[tuple[str, Canary]]) -> str:
    """The leaks by the field that leaks, each with one address where it does."""
    by_field: dict[str, str] = {}
    for address, canary in hits:
        by_field.setdefault(f"{canary.where}{' (number)' if canary.is_number else ''}", address)
    return "\n".join(f"{field} at {address}" for field, address in sorted(by_field.items()))


# Those who have most to gain come with every run; WHOLE=1 sends everybody.
FIRST = ("anonymous", "hospital elsewhere", "coordinator elsewhere")


@pytest.mark.timeout(600)
@pytest.mark.parametrize("role", ROLES if WHOLE else FIRST)
def test_nobody_opens_a_page_that_holds_what_is_not_for_her(world: World, role: str) -> None:
    addresses, who = canaries.addresses(), readers(world.match)[role]
    assert len(addresses) > 400

    with canaries.logged() as log:
        hits, opened = canaries.crawl(who, world.canaries, addresses)

    assert opened > 30
    for published in ("/open/needs.xlsx", "/open/flows.atom", "/fhir/SupplyRequest"):
        assert published in addresses
    assert [address for address in addresses if address.startswith("/open/dumps/2026")]
    assert hits == [], shown(hits)
    assert log.written.count(b"\n") > len(addresses) / 2
    assert canaries.found_in(log.written, world.canaries) == []
    assert [
        (name, found)
        for name, raw in canaries.kept_elsewhere()
        if (found := canaries.found_in(raw, world.canaries))
    ] == []


def test_what_is_sealed_stands_in_no_table_and_in_no_fixture(world: World, capsys: Any) -> None:
    sealed = [canary for canary in world.canaries if canary.where.endswith("_sealed")]
    assert len(sealed) > 5

    hits = [(name, found) for name, raw in canaries.tables() if (found := canaries.found_in(raw, sealed))]
    call_command("dumpdata", "supplies", exclude=["supplies.secondfactor"])  # a proxy, kept with mfa
    dumped = capsys.readouterr().out.encode()

    assert hits == []
    assert len(dumped) > 10_000
    assert canaries.found_in(dumped, sealed) == []
    assert canaries.found_in(b"".join(raw for _name, raw in canaries.opened()), sealed) == sealed


# -- what leaves by other ways, and what lies in the stores ---------------------------------------------------------


HISTORY = (
    "supplies_event",
    "supplies_outgoing",
    "supplies_reveal",
    "supplies_erasure",
    "supplies_seal",
    "django_admin_log",
)


def test_what_only_the_site_remembers_holds_nothing_planted(world: World) -> None:
    """The journal, the log of what was shown, Django's own log: ids and numbers."""
    rows = dict(canaries.tables())

    assert rows["supplies_event"]
    assert [(name, canaries.found_in(rows[name], world.canaries)) for name in HISTORY if rows[name]] == [
        (name, []) for name in HISTORY if rows[name]
    ]


def test_whoever_holds_a_code_follows_it_and_reads_no_more(world: World) -> None:
    codes = [canary for canary in world.canaries if canary.where.endswith(".code") and canary.stage == "code"]
    forbidden = [canary for canary in world.canaries if canary not in codes]
    opened = 0

    for code in codes:
        for address in (f"/track/{code.value}/", f"/api/v1/track/{code.value}/"):
            answer = Client(headers={"accept-language": "en"}).get(address)
            opened += answer.status_code == 200
            found = canaries.found_in(canaries.sent(answer), forbidden) if answer.status_code == 200 else []
            assert [one for one in found if one.stage not in ("everyone", "code") or one.is_number] == []
    assert opened > 3


def test_what_the_site_rings_and_writes_in_the_background_holds_nothing_planted(
    world: World, settings: Any, tmp_path: Path, django_capture_on_commit_callbacks: Any
) -> None:
    """Messages to the broker, mails, the log of the jobs."""
    settings.EMAIL_BACKEND, settings.MAIL_CARRIER = real.EMAIL_BACKEND, real.MAIL_CARRIER
    settings.EMAIL_FILE_PATH = str(tmp_path / "mail")
    nurse = world.match.nurse
    address = EmailAddress.objects.get(user=nurse)
    EmailAddress.objects.filter(pk=address.pk).update(email="to-her@demo.invalid")
    nurse.refresh_from_db()
    OutgoingMail.objects.all().delete()

    connection.run_on_commit.clear()  # a bell of what was planted would ring for this as well
    take_bell_down()
    with canaries.logged() as log:
        with django_capture_on_commit_callbacks(execute=True):
            record(world.match.allocation.need, "need.reopened", by=nurse, at=NOW)
            reader().post(reverse("reset-password"), {"email": "to-her@demo.invalid"})
            start(world.match.allocation.need.appeal.emergency, trigger="hand", by=nurse, at=NOW)
        dispatch(at=NOW)
        mail.carry(at=timezone.now())
    kept = dict(canaries.kept_elsewhere())
    written = [raw for name, raw in kept.items() if name.startswith(settings.EMAIL_FILE_PATH)]

    assert any(b"journal.dispatch" in raw for raw in kept.values())
    assert any(b"to-her@demo.invalid" in raw for raw in written)
    assert log.written
    # Whoever follows a shipment by mail has its code, and is sent it.
    untold = [canary for canary in world.canaries if canary.where != "supplies.Shipment.code"]
    assert [(name, found) for name, raw in kept.items() if (found := canaries.found_in(raw, untold))] == []
    assert canaries.found_in(log.written, world.canaries) == []


@pytest.mark.django_db(transaction=True)
def test_a_dump_of_the_database_holds_nothing_of_what_is_sealed(private_root: Path) -> None:
    world = canaries.plant()
    sealed = [canary for canary in world.canaries if canary.where.endswith("_sealed")]
    in_clear = [canary for canary in world.canaries if canary.where == "supplies.Appeal.remark"]

    dumped = canaries.dump()

    assert sealed
    assert canaries.found_in(dumped, sealed) == []
    assert canaries.found_in(dumped, in_clear) == in_clear


# -- each search finds what is planted for it -----------------------------------------------------------------------

LEAK = Canary("planted", "canaryleakq")


def test_a_leak_in_a_page_a_header_or_a_cookie_is_found() -> None:
    for leaky in (
        HttpResponse("見 canaryleakq"),
        HttpResponse(headers={"X-Found": "canaryleakq"}),
        StreamingHttpResponse([b"a canary", b"leakq"]),
    ):
        assert canaries.found_in(canaries.sent(leaky), [LEAK]) == [LEAK]
    with_cookie = HttpResponse()
    with_cookie.set_cookie("seen", "canaryleakq")
    assert canaries.found_in(canaries.sent(with_cookie), [LEAK]) == [LEAK]


def test_a_leak_in_the_log_is_found() -> None:
    with canaries.logged() as log:
        logging.getLogger("supplies.anything").debug("She is %s.", "canaryleakq")

    assert canaries.found_in(log.written, [LEAK]) == [LEAK]


def test_a_leak_in_valkey_is_found_whatever_it_is_kept_as() -> None:
    with Redis.from_url(str(settings.CACHES["default"]["LOCATION"])) as client:
        message = json.dumps({"body": b64encode(b'[["canaryleakq"], {}]').decode()})
        kept: dict[str, Callable[[str], Any]] = {
            "string": lambda key: client.set(key, "canaryleakq", ex=60),
            "list": lambda key: client.lpush(key, message),
            "hash": lambda key: client.hset(key, "a", "canaryleakq"),
            "set": lambda key: client.sadd(key, "canaryleakq"),
            "zset": lambda key: client.zadd(key, {"canaryleakq": 1}),
        }
        for kind, keep in kept.items():
            key = f"leak-{kind}-{uuid4()}"
            keep(key)
            try:
                assert [
                    name
                    for name, raw in canaries.kept_elsewhere()
                    if key in name and canaries.found_in(raw, [LEAK])
                ]
            finally:
                client.delete(key)


@pytest.mark.parametrize(
    "pack", [gzip.compress, lambda content: _zipped(content)], ids=["a file of a dump", "a workbook"]
)
def test_a_leak_in_what_is_packed_is_found(pack: Callable[[bytes], bytes]) -> None:
    packed = pack(b"a canaryleakq")

    assert canaries.found_in(packed, [LEAK]) == []
    assert canaries.found_in(canaries.sent(HttpResponse(packed)), [LEAK]) == [LEAK]


def _zipped(content: bytes) -> bytes:
    file = BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("sheet.xml", content)
    return file.getvalue()


def test_a_leak_in_a_file_is_found(private_root: Path) -> None:
    private_root.mkdir()
    (private_root / "left").write_text("canaryleakq")

    assert [name for name, raw in canaries.kept_elsewhere() if canaries.found_in(raw, [LEAK])] == [
        str(private_root / "left")
    ]


def test_bytes_in_a_row_are_found_as_a_dump_writes_them() -> None:
    assert canaries.found_in(b"COPY t (a) FROM stdin;\n\\\\x" + b"canaryleakq".hex().encode(), [LEAK]) == [
        LEAK
    ]


def test_a_field_that_is_shown_beyond_its_tier_is_found(world: World) -> None:
    """A page the site has shown to somebody it was for, held against those it was not for."""
    hospital = world.match.site.organisation_id
    remark = next(
        canary
        for canary in world.canaries
        if canary.where == "supplies.Appeal.remark" and hospital in canary.sides and not canary.is_number
    )
    known = readers(world.match)

    told = {role for role, who in known.items() if may_read(who, remark)}

    hers = {"hospital", "volunteer", "coordinator", "auditor", "admin"}
    assert hers <= told <= hers | {"donor", "carrier"}  # the other sides where it has been matched
    assert not any(may_read(who, Canary("x", "y")) for who in known.values())
