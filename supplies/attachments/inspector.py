"""Looks at one file that somebody handed in. Runs in a process of its own that may use little memory and time.

Started by `supplies.limited` as inspector OUT < FILE, it prints one line of JSON: {"media_type": …} or {"refused": …},
and its peak memory.

Names and declared types are never seen here; the content alone decides. A picture is made anew and written to the
descriptor OUT: what a camera or an attacker added to it (place, device, thumbnail, text behind the end) is not in it.
A PDF cannot be made anew so simply: it is refused when it holds anything but pages.
"""

import json
import os
import re
import sys
import zlib
from collections.abc import Iterator
from typing import Any, BinaryIO

from supplies import limited

MEMORY = 300_000_000  # bytes of address space; what is resident is less
SECONDS = 20
MOST_BYTES_OUT = 5_000_000
MOST_PIXELS = 25_000_000
LONGEST_SIDE = 4_000  # pixels; a stamp on a sheet of A4 is still read at that
MOST_UNPACKED = 50_000_000  # bytes of a PDF's streams

PICTURES = {"image/jpeg": "JPEG", "image/png": "PNG", "image/webp": "WEBP"}
PDF = "application/pdf"
SAVING: dict[str, dict[str, Any]] = {
    "JPEG": {"quality": 88},
    "PNG": {"compress_level": 4},
    "WEBP": {"quality": 88, "method": 2},
}
FITTING = {"JPEG": ("L", "RGB"), "PNG": ("L", "LA", "RGB", "RGBA"), "WEBP": ("RGB", "RGBA")}


class Unfit(Exception):
    """The file is refused; the message is the code of why."""


def limit() -> None:
    """Take from this process what a parser does not need, before it has seen a byte."""
    limited.limit(memory=MEMORY, seconds=SECONDS, written=4 * MOST_BYTES_OUT)


def inspect(source: BinaryIO, out: BinaryIO) -> str:
    """The media type, judged by content. Raises Unfit."""
    media_type = type_of(source)
    if media_type == PDF:
        check_pdf(source.read())
    else:
        make_anew(source, out, PICTURES[media_type])
    return media_type


def type_of(source: BinaryIO) -> str:
    """What the first bytes say, if it is one of the types we take; whether it is true shows when it is opened."""
    import puremagic

    try:
        guesses = puremagic.magic_stream(source)
    except ValueError:
        raise Unfit("empty") from None
    except LookupError:
        raise Unfit("not-taken") from None
    source.seek(0)
    likeliest = {guess.mime_type for guess in guesses if guess.confidence == guesses[0].confidence}
    taken = [media_type for media_type in (PDF, *PICTURES) if media_type in likeliest]
    if len(taken) != 1:
        raise Unfit("not-taken")
    return taken[0]


# -- Pictures ---------------------------------------------------------------------------------------------


def make_anew(source: BinaryIO, out: BinaryIO, form: str) -> None:
    """Decode the first picture of the file and write it again, upright, without anything that is not the picture."""
    from PIL import Image, ImageOps

    Image.MAX_IMAGE_PIXELS = None  # the header is judged here, before anything is decoded
    try:
        picture: Any = Image.open(source, formats=[form])
        if picture.width * picture.height > MOST_PIXELS:
            raise Unfit("too-many-pixels")
        picture.thumbnail((LONGEST_SIDE, LONGEST_SIDE))  # a large JPEG is decoded at half its size
        picture.load()
        ImageOps.exif_transpose(picture, in_place=True)
    except (Unfit, MemoryError):
        raise
    except Exception as error:  # what damaged data provoke in a decoder has many names
        raise Unfit("damaged") from error
    if picture.mode.startswith("I"):  # sixteen bits of grey
        picture = picture.convert("I").point(lambda grey: grey / 256).convert("L")
    elif picture.mode == "1":
        picture = picture.convert("L")
    if picture.mode not in FITTING[form]:
        has_holes = picture.mode == "PA" or "transparency" in picture.info
        picture = picture.convert("RGBA" if has_holes and form != "JPEG" else "RGB")
    picture.info.clear()  # from which a writer would take profile, comment and text
    while True:
        out.seek(0)
        out.truncate()
        picture.save(out, form, **SAVING[form])
        if out.tell() <= MOST_BYTES_OUT:
            break
        picture = picture.reduce(2)
    out.flush()


# -- PDF --------------------------------------------------------------------------------------------------

# What can run, open or send something, or is a file inside the file. Names of three letters come up by chance in
# compressed data, so they count outside of it only; none of them does anything without one of the longer ones.
NEVER = (
    rb"JavaScript|Launch|EmbeddedFiles?|FileAttachment|RichMedia|Rendition|SubmitForm|ImportData|GoTo[ER]|XFA"
)
NEVER_OUTSIDE = rb"JS|EF"
END_OF_NAME = rb"(?=[\x00\t\n\f\r ()<>\[\]{}/%]|$)"
ACTIVE = re.compile(rb"/(?:" + NEVER + rb")" + END_OF_NAME)
ACTIVE_OUTSIDE = re.compile(rb"/(?:" + NEVER + rb"|" + NEVER_OUTSIDE + rb")" + END_OF_NAME)
LOCKED = re.compile(rb"/Encrypt" + END_OF_NAME)
STREAM = re.compile(rb"(?<!end)stream(?:\r\n|\n|\r)")
END = re.compile(rb"endstream|endobj")
HEXADECIMAL = re.compile(rb"#([0-9A-Fa-f]{2})")
# A row of objects in a stream, packed in a way that is not looked through here.
OBJECTS = re.compile(rb"/First" + END_OF_NAME)
UNCOMMON = re.compile(
    rb"/(?:ASCIIHexDecode|AHx|ASCII85Decode|A85|LZWDecode|LZW|RunLengthDecode|RL|Crypt|DecodeParms|DP)"
    + END_OF_NAME
)
BLANK = b"\x00\t\n\f\r "


def check_pdf(raw: bytes) -> None:
    """Raises Unfit for a PDF that is cut off, locked, or more than pages."""
    if not re.match(rb"%PDF-[12]\.\d", raw):
        raise Unfit("not-taken")
    if not raw.rstrip(BLANK).endswith(b"%%EOF") or b"startxref" not in raw[-4096:]:
        raise Unfit("more-than-pages" if b"%%EOF" in raw else "damaged")
    names = plain_names(raw)
    if LOCKED.search(names):
        raise Unfit("locked")
    outside = b" ".join(between_streams(raw))
    if ACTIVE.search(names) or ACTIVE_OUTSIDE.search(plain_names(outside)):
        raise Unfit("more-than-pages")
    unpacked = 0
    for start, before in streams(raw):
        if OBJECTS.search(before) and UNCOMMON.search(before):
            raise Unfit("more-than-pages")
        text = inflated(raw, start, MOST_UNPACKED - unpacked)
        unpacked += len(text)
        found = ACTIVE_OUTSIDE if OBJECTS.search(before) else ACTIVE
        if LOCKED.search(plain_names(text)) or found.search(plain_names(text)):
            raise Unfit("more-than-pages")


def plain_names(text: bytes) -> bytes:
    """/J#61vaScript is /JavaScript."""
    return HEXADECIMAL.sub(lambda match: bytes([int(match[1], 16)]), text) if b"#" in text else text


def streams(raw: bytes) -> Iterator[tuple[int, bytes]]:
    """Where each stream begins, and what is written before it about it."""
    after = 0
    for match in STREAM.finditer(raw):
        for end in END.finditer(raw, after, match.start()):
            after = end.end()
        yield match.end(), plain_names(raw[after : match.start()])


def between_streams(raw: bytes) -> Iterator[bytes]:
    begin = 0
    while match := STREAM.search(raw, begin):
        yield raw[begin : match.start()]
        end = raw.find(b"endstream", match.end())
        begin = end if end >= 0 else len(raw)
    yield raw[begin:]


def inflated(raw: bytes, start: int, most: int) -> bytes:
    """What is packed from `start` on, as far as it can be unpacked: readers forgive a wrong sum and a torn end, too."""
    unpack, at, step, out = zlib.decompressobj(-zlib.MAX_WBITS), start + 2, 4096, bytearray()
    while at < len(raw) and not unpack.eof:
        before = unpack.copy() if step > 1 else unpack
        try:
            out += unpack.decompress(raw[at : at + step])
        except zlib.error:
            if step == 1:
                break
            unpack, step = before, 1  # the last few bytes one by one, so that none before the damage is lost
            continue
        at += step
        if len(out) > most:
            raise Unfit("too-hard")
    return bytes(out)


def main() -> None:
    limit()
    with os.fdopen(int(sys.argv[1]), "w+b") as out:
        try:
            verdict = {"media_type": inspect(sys.stdin.buffer, out)}
        except Unfit as why:
            verdict = {"refused": str(why)}
        except MemoryError:
            verdict = {"refused": "too-hard"}
    print(json.dumps({**verdict, "peak": limited.peak()}), flush=True)
