"""A dump over HTTP: unchanged is said in a line, a broken download is taken up again, and no path leads out of it."""

import base64
import hashlib
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.test import Client

from supplies.opendata import dump
from supplies.opendata.dump import Dump
from supplies.opendata.signing import key_made_at_first_use
from tests.makers import NOW, make_need

pytestmark = pytest.mark.django_db
NEEDS = "needs.jsonl.gz"


@pytest.fixture
def made(settings: Any, tmp_path: Path) -> Dump:
    settings.OPEN_DATA_DIR = tmp_path / "open"
    make_need()
    return dump.write(key_made_at_first_use(at=NOW), at=NOW)


def get(made: Dump, file: str = NEEDS, **headers: str) -> Any:
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return Client().get(f"/open/dumps/{made.name}/{file}", headers=given)


def body(answer: Any) -> bytes:
    return b"".join(answer.streaming_content) if answer.streaming else answer.content  # type: ignore[no-any-return]


def test_a_file_comes_with_its_digest_its_date_and_its_licence(made: Dump) -> None:
    content = (made.folder / NEEDS).read_bytes()

    answer = get(made)

    assert answer.status_code == 200
    assert body(answer) == content
    assert answer.headers["ETag"] == f'"{hashlib.sha256(content).hexdigest()}"'
    assert answer.headers["Last-Modified"] == "Mon, 23 Nov 2026 08:00:00 GMT"
    assert answer.headers["Content-Length"] == str(len(content))
    assert answer.headers["Cache-Control"] == "public, max-age=300"
    assert answer.headers["Link"] == '<https://creativecommons.org/licenses/by/4.0/>; rel="license"'
    assert "Content-Encoding" not in answer.headers


def test_what_somebody_has_already_is_not_sent_again(made: Dump) -> None:
    etag = get(made).headers["ETag"]

    assert get(made, if_none_match=etag).status_code == 304
    assert get(made, if_none_match='"other"').status_code == 200
    assert get(made, if_modified_since="Mon, 23 Nov 2026 08:00:00 GMT").status_code == 304


@pytest.mark.parametrize(
    ("asked", "start", "stop"),
    [("bytes=0-9", 0, 10), ("bytes=10-", 10, None), ("bytes=-7", -7, None), ("bytes=5-999999", 5, None)],
)
def test_a_part_is_sent_where_a_part_is_asked_for(
    made: Dump, asked: str, start: int, stop: int | None
) -> None:
    content = (made.folder / NEEDS).read_bytes()

    answer = get(made, range=asked)

    assert answer.status_code == 206
    assert body(answer) == content[start:stop]
    first = start % len(content)
    last = (stop or len(content)) - 1
    assert answer.headers["Content-Range"] == f"bytes {first}-{last}/{len(content)}"


def test_what_was_broken_off_is_taken_up_only_if_it_is_still_the_same_file(made: Dump) -> None:
    content, etag = (made.folder / NEEDS).read_bytes(), get(made).headers["ETag"]

    assert body(get(made, range="bytes=20-", if_range=etag)) == content[20:]
    assert get(made, range="bytes=20-", if_range='"other"').status_code == 200
    date = "Mon, 23 Nov 2026 08:00:00 GMT"
    assert get(made, range="bytes=20-", if_range=date).status_code == 206


@pytest.mark.parametrize("odd", ["bytes=9-1", "bytes=a-b", "bytes=0-1,4-5", "lines=1-2", "bytes=-", "bytes="])
def test_a_range_that_cannot_be_read_is_the_whole(made: Dump, odd: str) -> None:
    assert get(made, range=odd).status_code == 200


def test_a_range_behind_the_end_is_refused_with_the_length(made: Dump) -> None:
    size = (made.folder / NEEDS).stat().st_size

    for behind in (f"bytes={size}-", f"bytes={size}-{size + 5}", "bytes=-0"):
        answer = get(made, range=behind)
        assert (answer.status_code, answer.headers["Content-Range"]) == (416, f"bytes */{size}")


@pytest.mark.parametrize("odd", ["../../../etc/passwd", "..%2fmanifest.json", ".needs", "nothing.jsonl.gz"])
def test_no_address_leads_out_of_the_dump(made: Dump, odd: str) -> None:
    (made.folder.parent / "secret").write_text("x")

    assert get(made, odd).status_code == 404
    assert Client().get("/open/dumps/20200101T000000Z/needs.jsonl.gz").status_code == 404
    assert Client().get(f"/open/dumps/{made.name[:-1]}/needs.jsonl.gz").status_code == 404


def test_the_newest_manifest_its_signature_and_the_key_fit(made: Dump) -> None:
    dump.write(key_made_at_first_use(at=NOW), at=NOW + timedelta(days=1))

    manifest = Client().get("/open/manifest.json")
    said = Client().get("/open/key/").json()
    signature = body(Client().get("/open/manifest.json.sig"))

    content = body(manifest)
    assert manifest.headers["Content-Type"] == "application/json"
    assert manifest.headers["ETag"] == f'"{hashlib.sha256(content).hexdigest()}"'
    Ed25519PublicKey.from_public_bytes(base64.b64decode(said["public_key"])).verify(
        base64.b64decode(signature), content
    )
    assert "secret" not in str(said)


def test_the_page_says_what_there_is_how_old_it_is_and_what_one_may_do_with_it(made: Dump) -> None:
    for language, licence in (("en", "Licence"), ("zh-hans", "CC-BY-4.0")):
        page = Client(headers={"accept-language": language}).get("/open/").content.decode()
        assert f"/open/dumps/{made.name}/needs.jsonl.gz" in page
        assert licence in page
        assert 'rel="license"' in page


def test_before_the_first_dump_there_is_a_page_and_nothing_else(settings: Any, tmp_path: Path) -> None:
    settings.OPEN_DATA_DIR = tmp_path / "nothing"

    assert Client().get("/open/").status_code == 200
    assert Client().get("/open/manifest.json").status_code == 404
    assert Client().get("/open/key/").status_code == 404
