"""What the inspector lets pass, what it makes of it, and that it is held to its memory and time."""

import io
import sys
from random import Random
from typing import Any

import pytest
from django.conf import settings
from django.core.exceptions import ValidationError
from PIL import Image

from supplies.attachments import inspection, inspector
from supplies.attachments.uploads import in_memory
from tests.supplies.attachments.hostile import (
    REFUSED,
    SCRIPT,
    WHERE,
    objects_in_a_stream,
    pdf,
    photograph,
    picture,
    stream,
)


def made_of(content: bytes) -> tuple[str, bytes]:
    """Media type and what is kept of it; looked at in this process."""
    source, out = io.BytesIO(content), io.BytesIO()
    media_type = inspector.inspect(source, out)
    return media_type, out.getvalue()


def inspected(content: bytes) -> tuple[str, bytes]:
    """The same in a process of its own, as the site does it."""
    with in_memory(content) as file, inspection.inspected(file, len(content)) as (media_type, kept):
        kept.seek(0)
        return media_type, kept.read()


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_clean_picture_or_page_is_refused_with_a_stable_code(name: str) -> None:
    content, code = REFUSED[name]

    with pytest.raises(inspector.Unfit, match=f"^{code}$"):
        made_of(content)


def test_every_refusal_has_a_sentence_that_says_what_to_do() -> None:
    codes = {code for _content, code in REFUSED.values()}

    assert codes <= set(inspection.WHY)


@pytest.mark.parametrize(
    ("form", "media_type"), [("JPEG", "image/jpeg"), ("PNG", "image/png"), ("WEBP", "image/webp")]
)
def test_a_photograph_loses_its_place_its_device_and_whatever_was_hidden_in_it(
    form: str, media_type: str
) -> None:
    content = photograph(form) + b"<script>alert(1)</script>"
    assert WHERE in content
    assert b"Drill phone" in content

    judged, kept = made_of(content)

    again: Any = Image.open(io.BytesIO(kept))
    assert (judged, again.format) == (media_type, form)
    assert not any(secret in kept for secret in (WHERE, b"Drill phone", b"script"))
    assert not dict(again.getexif())
    assert not set(again.info) & {"exif", "comment", "icc_profile", "xmp", "Location"}


def test_a_photograph_taken_sideways_stands_upright() -> None:
    _media_type, kept = made_of(photograph(turned=6))

    assert Image.open(io.BytesIO(kept)).size == (48, 64)


@pytest.mark.parametrize(
    ("form", "mode"),
    [
        ("JPEG", "CMYK"),
        ("JPEG", "L"),
        ("PNG", "P"),
        ("PNG", "LA"),
        ("PNG", "1"),
        ("PNG", "I;16"),
        ("WEBP", "RGBA"),
    ],
)
def test_pictures_of_every_kind_of_colour_are_kept(form: str, mode: str) -> None:
    _media_type, kept = made_of(picture(form, mode=mode))

    assert Image.open(io.BytesIO(kept)).size == (64, 48)


def test_a_picture_larger_than_needed_is_made_smaller() -> None:
    _media_type, kept = made_of(picture(size=(5000, 100)))

    assert Image.open(io.BytesIO(kept)).size == (4000, 80)


def test_a_picture_that_grows_by_being_made_anew_is_halved_until_it_fits(monkeypatch: Any) -> None:
    monkeypatch.setattr(inspector, "MOST_BYTES_OUT", 900)

    _media_type, kept = made_of(picture("PNG", size=(640, 480)))

    assert len(kept) <= 900


@pytest.mark.parametrize(
    "content",
    [
        pdf(),
        pdf(version=b"2.0"),
        pdf(tail=b"\r\n\0"),
        pdf(objects_in_a_stream(b"5 0 << /Type /Font >>")),
        pdf(stream(b"BT (JavaScript and /Launching is what we do) Tj ET")),
        pdf(b"<< /S /URI /URI (https://example.org/a) >>"),
        pdf(
            stream(b"", packed=b"\xff\xd8 ... /JS ... \xff\xd9", about=b"/Subtype /Image /Filter /DCTDecode")
        ),
        pdf(b"<< /Type /Outlines /First 5 0 R >>"),
        pdf(SCRIPT.replace(b"/JavaScript /JS", b"/GoTo /D")),  # the refused ones without what they hold
        pdf(objects_in_a_stream(b"5 0 " + SCRIPT.replace(b"/JavaScript /JS", b"/GoTo /D"))),
    ],
)
def test_an_ordinary_pdf_is_kept_as_it_is(content: bytes) -> None:
    assert inspector.inspect(io.BytesIO(content), io.BytesIO()) == "application/pdf"


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "PDF"])
def test_whatever_is_wrong_with_a_file_it_is_a_refusal_and_never_a_crash(form: str) -> None:
    chance = Random(20200123)
    content = pdf(objects_in_a_stream(b"5 0 <<>>")) if form == "PDF" else photograph(form)
    refused = []

    for _again in range(60):
        damaged = bytearray(content)
        for _flip in range(chance.randint(1, 8)):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        try:
            made_of(bytes(damaged[: chance.randint(1, len(damaged))]))
        except inspector.Unfit as why:
            refused.append(str(why))

    assert len(refused) > 30
    assert set(refused) <= set(inspection.WHY)


# -- In a process of its own ------------------------------------------------------------------------------


def test_the_site_has_files_inspected_in_a_process_that_knows_nothing_of_it() -> None:
    media_type, kept = inspected(photograph())

    assert media_type == "image/jpeg"
    assert WHERE not in kept
    assert inspected(pdf()) == ("application/pdf", pdf())
    with pytest.raises(ValidationError) as refusal:
        inspected(REFUSED["a PNG bomb"][0])
    assert refusal.value.error_dict["file"][0].code == "too-many-pixels"


def ask(program: str, content: bytes = b"", *, seconds: float = 30) -> dict[str, Any]:
    """The verdict of another program in the inspector's place, given its limits and an import of itself."""
    begin = f"import sys; sys.path.insert(0, {str(settings.BASE_DIR)!r}); from supplies.attachments import inspector\n"
    with in_memory(content) as source, in_memory() as out:
        command = [sys.executable, "-I", "-c", begin + program, str(out.fileno())]
        return inspection.run(command, source, out, seconds=seconds)


def test_what_the_largest_picture_takes_stays_below_the_limit() -> None:
    largest = picture(size=(5000, 5000), quality=30)

    verdict = ask("inspector.main()", largest)

    assert verdict["media_type"] == "image/jpeg"
    assert verdict["peak"] < inspector.MEMORY


EATS = "held = bytearray({bytes}); held[::4096] = b'x' * len(held[::4096]); print('{{\"ate\": true}}')"


def test_a_parser_that_wants_more_memory_than_it_may_have_does_not_get_it() -> None:
    eats = EATS.format(bytes=400_000_000)

    assert ask(eats) == {"ate": True}  # the control: without its limits it would
    assert ask("inspector.limit()\n" + eats) == {"refused": "too-hard"}


def test_a_parser_that_does_not_end_is_ended() -> None:
    assert ask("while True: pass", seconds=0.5) == {"refused": "too-hard"}
    assert ask("inspector.SECONDS = 1; inspector.limit()\nwhile True: pass") == {"refused": "too-hard"}


def test_the_keys_of_the_site_are_not_handed_to_the_inspector() -> None:
    verdict = ask("import json, os; print(json.dumps(dict(os.environ)))")

    assert not {"FIELD_KEYS", "SECRET_KEY", "DATABASE_URL"} & set(verdict)
