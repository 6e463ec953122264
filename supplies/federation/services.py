"""Subscribing to another instance, and reading what it publishes. The clock of a pull is the caller's; how long it may take is ours."""

import fcntl
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any

import structlog
from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.utils.translation import gettext as _

from supplies.catalogue.models import Item
from supplies.connecting import Site
from supplies.errors import Refused
from supplies.federation import feed, matched
from supplies.federation.feed import Manifest, NotToBeRead
from supplies.federation.fetching import CannotFetch, asked, asked_whole, site_at
from supplies.federation.models import ForeignNeed, Peer, PeerStatus
from supplies.journal.services import record, ring
from supplies.leaks import masked
from supplies.opendata import signing
from supplies.regions.models import Region

log = structlog.get_logger(__name__)
SECONDS = 120.0  # for one instance; what is left undone goes on next time
SECONDS_IN_ALL = 400.0  # after which no other is begun: a job has to end within ten minutes
AT_ONCE = 1_000  # rows of a transaction
FAULTS_KEPT = 20
CLOCKS_DIFFER_BY = timedelta(hours=1)


# -- Who is read -----------------------------------------------------------------------------------------------


@transaction.atomic
def introduce(peer: Peer, *, by: AbstractBaseUser | None, at: datetime) -> Peer:
    """Write down another instance by its name and address. A worker fetches its key, for a human being to compare.

    Raises CannotFetch for an address that may not be asked.
    """
    peer.address, peer.created_at = site_at(peer.address).address, at
    peer.save(force_insert=True)
    record(peer, "peer.introduced", by=by, at=at)
    transaction.on_commit(lambda: ring("federation.pull"), robust=True)
    return peer


@transaction.atomic
def subscribe(peer: Peer, *, by: AbstractBaseUser | None, at: datetime) -> Peer:
    """Read it from now on: whoever says so has compared the fingerprint with the other operator. Raises Refused without a key."""
    peer = _locked(peer)
    if not peer.public_key:
        raise Refused(_("Its key has not been fetched yet; there is nothing to compare."), code="no-key")
    peer.move_to(PeerStatus.ACTIVE)
    peer.save(update_fields=["status"])
    record(peer, "peer.subscribed", by=by, at=at, key=feed.fingerprint(peer.public_key).split())
    transaction.on_commit(lambda: ring("federation.pull"), robust=True)
    return peer


@transaction.atomic
def end(peer: Peer, *, by: AbstractBaseUser | None, at: datetime) -> Peer:
    """Read it no more; what it told is kept and shown to nobody."""
    peer = _locked(peer)
    peer.move_to(PeerStatus.ENDED)
    peer.is_matched = False
    peer.save(update_fields=["status", "is_matched"])
    matched.give_up(peer, at=at)
    record(peer, "peer.ended", by=by, at=at)
    return peer


@transaction.atomic
def match(
    peer: Peer, *, reason: str, vouched: bool = False, by: AbstractBaseUser | None, at: datetime
) -> Peer:
    """Let its needs take part in matching from now on. Whoever says so vouches for hospitals that nobody has verified here.

    Raises   Refused unless it is read, somebody vouches and a reason is given
    """
    peer = _locked(peer)
    if peer.status != PeerStatus.ACTIVE:
        raise Refused(_("It is not read from. Subscribe to it first."), code="move-refused")
    if not vouched:
        raise Refused(
            _("Its hospitals are not verified here. Tick that you vouch for them, or leave it as it is."),
            code="not-vouched",
        )
    _switch(peer, True, "peer.matched", reason, by=by, at=at)
    transaction.on_commit(lambda: ring("federation.pull"), robust=True)
    return peer


@transaction.atomic
def match_no_more(peer: Peer, *, reason: str, by: AbstractBaseUser | None, at: datetime) -> Peer:
    """Show its needs and match them no more: what is proposed to them is withdrawn, what is promised stays promised."""
    peer = _locked(peer)
    _switch(peer, False, "peer.matched_no_more", reason, by=by, at=at)
    matched.give_up(peer, at=at)
    return peer


def _switch(
    peer: Peer, is_matched: bool, kind: str, reason: str, *, by: AbstractBaseUser | None, at: datetime
) -> None:
    if not reason.strip():
        raise Refused(
            _("Say why. It is kept beside the switch; the journal keeps who and when."), code="reason-missing"
        )
    peer.is_matched, peer.matched_because = is_matched, masked(" ".join(reason.split()))[:200]
    peer.save(update_fields=["is_matched", "matched_because"])
    record(peer, kind, by=by, at=at)


@transaction.atomic
def renew_key(peer: Peer, *, by: AbstractBaseUser | None, at: datetime) -> Peer:
    """Forget its key and what it signed, so that the present one is fetched and compared. Until then nothing is read or shown."""
    peer = _locked(peer)
    peer.move_to(PeerStatus.NEW)
    peer.public_key = peer.problem = peer.taking = peer.manifest_sha256 = peer.manifest_etag = ""
    peer.manifest_made_at, peer.is_taken, peer.is_matched = None, False, False
    peer.save()
    matched.give_up(peer, at=at)
    record(peer, "peer.key_forgotten", by=by, at=at)
    transaction.on_commit(lambda: ring("federation.pull"), robust=True)
    return peer


def _locked(peer: Peer) -> Peer:
    return Peer.objects.select_for_update().get(pk=peer.pk)


# -- Reading ---------------------------------------------------------------------------------------------------


def pull_all(*, at: datetime) -> list[Peer]:
    """Ask everyone we read, who was asked longest ago first. What goes wrong with one is written beside it, and stops no other."""
    began, asked_of = time.monotonic(), []
    for peer in Peer.objects.to_be_asked():
        if time.monotonic() - began > SECONDS_IN_ALL:
            break
        asked_of.append(pull(peer, at=at))
    return asked_of


def pull(peer: Peer, *, at: datetime) -> Peer:
    """Fetch the key of a new instance, or what is new from one we read. Twice is harmless; cut off, it goes on where it was."""
    with _alone(peer) as is_alone:
        if not is_alone:
            return peer
        # Noted first, so that one over which we stumble is the last to be asked next time.
        Peer.objects.filter(pk=peer.pk).update(tried_at=at)
        peer.refresh_from_db()
        try:
            _read(peer, until=time.monotonic() + SECONDS, at=at)
            answer = {"pulled_at": at, "problem": ""}
        except Refused as refusal:
            answer = {"problem": str(refusal.detail)[:300]}
            log.warning("another instance could not be read", peer=str(peer.pk), code=refusal.code)
        Peer.objects.filter(pk=peer.pk).update(**answer)
        peer.refresh_from_db()
        return peer


def _read(peer: Peer, *, until: float, at: datetime) -> None:
    site = site_at(peer.address)
    if peer.status == PeerStatus.NEW and not peer.public_key:
        _meet(peer, site, until=until)
    elif peer.status == PeerStatus.ACTIVE and (manifest := _news(peer, site, until=until, at=at)) is not None:
        _begin(peer, manifest)
        if not peer.is_taken:
            file = _fetched(peer, manifest, site, until=until)
            _take(peer, manifest, file, until=until, at=at)
            file.unlink(missing_ok=True)
    if peer.status == PeerStatus.ACTIVE:
        matched.keep_up(peer, until=until, at=at)


@contextmanager
def _alone(peer: Peer) -> Iterator[bool]:
    """For one process at a time; a process that is killed lets go."""
    _folder(peer).mkdir(mode=0o700, parents=True, exist_ok=True)
    with (_folder(peer) / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


def _folder(peer: Peer) -> Path:
    return Path(settings.STATE_DIR) / "federation" / str(peer.pk)


def _meet(peer: Peer, site: Site, *, until: float) -> None:
    """Learn who it is and its key, for a human being to compare."""
    content = asked_whole(site, feed.KEY, most=feed.MOST_OF_SMALL, until=until)
    instance, public = feed.read_key(content)
    ours = signing.public_key()
    if instance == signing.origin() or (ours and ours.public == public):
        raise NotToBeRead(_("This is ourselves."))
    if Peer.objects.filter(instance=instance).exclude(pk=peer.pk).exists():
        raise NotToBeRead(_("The instance %(name)s is known already.") % {"name": instance})
    Peer.objects.filter(pk=peer.pk, status=PeerStatus.NEW).update(instance=instance, public_key=public)


def _news(peer: Peer, site: Site, *, until: float, at: datetime) -> Manifest | None:
    """Its newest manifest, verified; None where it is the one we have read to its end."""
    known = {"If_None_Match": peer.manifest_etag} if peer.is_taken and peer.manifest_etag else {}
    for _time in (1, 2):  # a dump may appear between the two requests
        with asked(site, feed.MANIFEST, until=until, **known) as answer:
            if answer.status == 304 and known:
                return None
            if answer.status != 200:
                raise CannotFetch(
                    _("%(path)s was answered with %(status)d.")
                    % {"path": feed.MANIFEST, "status": answer.status}
                )
            content, etag = answer.whole(feed.MOST_OF_MANIFEST), answer.headers.get("ETag", "")
        signature = asked_whole(site, feed.SIGNATURE, most=feed.MOST_OF_SMALL, until=until)
        if feed.is_signed(content, signature, peer.public_key):
            manifest = feed.read_manifest(content)
            _refuse_what_is_not_next(peer, manifest, at=at)
            peer.manifest_etag = etag if len(etag) <= 200 and etag.isascii() and etag.isprintable() else ""
            return manifest
    raise NotToBeRead(_("The signature is not by the key that was compared. Nothing was read."))


def _refuse_what_is_not_next(peer: Peer, manifest: Manifest, *, at: datetime) -> None:
    if manifest.instance != peer.instance:
        raise NotToBeRead(
            _("It calls itself %(name)s now. Compare its key anew.") % {"name": manifest.instance}
        )
    if manifest.made_at > at + CLOCKS_DIFFER_BY:
        raise NotToBeRead(_("Its dump is dated in the future. One of the two clocks is wrong."))
    if peer.manifest_made_at is None or manifest.sha256 == peer.manifest_sha256:
        return
    if manifest.made_at <= peer.manifest_made_at:
        raise NotToBeRead(_("It shows an older state than before. What is newer is kept."))


def _begin(peer: Peer, manifest: Manifest) -> None:
    """Pin the manifest, so that none before it is read any more. A file that was taken whole is not taken twice.

    One that was half taken begins anew under another manifest: its rows are known by the moment they were told at.
    """
    goes_on = peer.is_taken or peer.manifest_sha256 == manifest.sha256
    peer.manifest_sha256, peer.manifest_made_at = manifest.sha256, manifest.made_at
    peer.licence, peer.licence_url = manifest.licence, manifest.licence_url
    if peer.taking != manifest.file_sha256 or not goes_on:
        peer.taking, peer.taken, peer.is_taken = manifest.file_sha256, 0, False
        peer.came_back = peer.not_its_own = peer.unreadable = 0
        peer.faults = []
    peer.save(update_fields=[*PINNED, *COUNTED])


PINNED = ["manifest_sha256", "manifest_etag", "manifest_made_at", "licence", "licence_url"]
COUNTED = ["taking", "taken", "is_taken", "came_back", "not_its_own", "unreadable", "faults"]


def _fetched(peer: Peer, manifest: Manifest, site: Site, *, until: float) -> Path:
    """The file that was signed, whole. What came of it before is not fetched again; parts of others are removed."""
    file = _folder(peer) / f"{manifest.file_sha256}.part"
    for other in _folder(peer).glob("*.part"):
        if other != file:
            other.unlink(missing_ok=True)
    have = file.stat().st_size if file.exists() else 0
    if have < manifest.bytes:
        _fetch_rest(site, manifest, file, have, until=until)
    try:
        feed.check_file(file, manifest)
    except NotToBeRead:
        file.unlink()
        raise
    return file


def _fetch_rest(site: Site, manifest: Manifest, file: Path, have: int, *, until: float) -> None:
    asking = {"Range": f"bytes={have}-", "If_Range": f'"{manifest.file_sha256}"'} if have else {}
    with asked(site, manifest.path, until=until, **asking) as answer:
        goes_on = answer.status == 206 and answer.headers.get("Content-Range", "").startswith(
            f"bytes {have}-"
        )
        if not goes_on and answer.status != 200:
            file.unlink(missing_ok=True)
            raise CannotFetch(
                _("%(path)s was answered with %(status)d.") % {"path": manifest.path, "status": answer.status}
            )
        with file.open("ab" if goes_on else "wb") as out:
            for piece in answer.pieces(manifest.bytes - (have if goes_on else 0)):
                out.write(piece)


# -- Taking in -------------------------------------------------------------------------------------------------


@dataclass
class Chunk:
    """Some rows of a file: what can be kept of them, and what became of the others."""

    needs: list[ForeignNeed] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    faults: list[dict[str, Any]] = field(default_factory=list)


class Codes:
    """What we know of the codes others use."""

    @cached_property
    def regions(self) -> set[str]:
        return set(Region.objects.values_list("pk", flat=True))

    @cached_property
    def units(self) -> dict[str, str]:
        return dict(Item.objects.values_list("pk", "base_unit_id"))

    def item(self, row: Mapping[str, Any]) -> str | None:
        """The item, if it is one of ours and counted as ours is."""
        code = str(row["item_code"])
        return code if self.units.get(code) == row["unit"] else None

    def region(self, row: Mapping[str, Any]) -> str | None:
        return str(row["region_code"]) if row["region_code"] in self.regions else None


def _take(peer: Peer, manifest: Manifest, file: Path, *, until: float, at: datetime) -> None:
    """Take in the rows that are not through yet, and at the end mark as gone what is told no more."""
    codes, ours = Codes(), signing.origin()
    rows = islice(enumerate(feed.lines(file), start=1), peer.taken, None)
    while numbered := list(islice(rows, AT_ONCE)):
        if time.monotonic() > until:
            raise CannotFetch(_("It has more rows than can be read at once; it goes on from here next time."))
        _keep(peer, _read_chunk(peer, numbered, codes, ours, manifest.made_at, at), numbered[-1][0])
    with transaction.atomic():
        told = ForeignNeed.objects.filter(peer=peer, gone_at=None)
        gone = told.exclude(told_at=manifest.made_at).update(gone_at=at)
        peer.is_taken = True
        peer.save(update_fields=["is_taken"])
        record(peer, "peer.read", by=None, at=at, rows=peer.taken, gone=gone, dump=manifest.dump)


def _read_chunk(
    peer: Peer,
    numbered: Iterable[tuple[int, bytes]],
    codes: Codes,
    ours: str,
    made_at: datetime,
    at: datetime,
) -> Chunk:
    chunk = Chunk()
    for number, line in numbered:
        try:
            row = feed.read_json(line)
            # Whoever signs answers for rows of its own. What it passes on of others nobody has signed who knows.
            if row.get("origin") != peer.instance:
                chunk.counts["came_back" if row.get("origin") == ours else "not_its_own"] += 1
                continue
            read = feed.read_row(row)
        except ValueError as error:
            chunk.counts["unreadable"] += 1
            chunk.faults.append({"row": number, "column": str(error)[:40]})
            continue
        chunk.needs.append(
            ForeignNeed(
                peer=peer,
                region_id=codes.region(read),
                item_id=codes.item(read),
                first_seen_at=at,
                told_at=made_at,
                **read,
            )
        )
    return chunk


@transaction.atomic
def _keep(peer: Peer, chunk: Chunk, through: int) -> None:
    """One chunk with the pointer behind it, both or neither."""
    needs = {need.origin_id: need for need in chunk.needs}  # told twice, the later one counts
    ForeignNeed.objects.bulk_create(
        needs.values(), update_conflicts=True, unique_fields=["peer", "origin_id"], update_fields=RETOLD
    )
    peer.taken = through
    for name, count in chunk.counts.items():
        setattr(peer, name, getattr(peer, name) + count)
    peer.faults = [*peer.faults, *chunk.faults][:FAULTS_KEPT]
    peer.save(update_fields=COUNTED)


RETOLD = [
    each.name
    for each in ForeignNeed._meta.local_concrete_fields
    if each.name not in ("id", "peer", "origin_id", "first_seen_at", "need")
]
