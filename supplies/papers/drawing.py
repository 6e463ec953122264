"""Type, bars and squares: what every paper is drawn with. Codes are drawn as lines, so that they stay sharp at any size.

Lengths are points unless a name says otherwise; `mm` is reportlab's.
"""

from collections.abc import Iterable, Sequence
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import segno
from barcode.codex import Gs1_128
from django.utils.translation import gettext as _
from reportlab.lib.colors import Color, HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import BaseDocTemplate, Flowable, Frame, PageTemplate, Paragraph, Spacer, Table

TYPE = "Noto Sans SC"
INK, SOFT, LINE = HexColor(0x111111), HexColor(0x555555), HexColor(0xBBBBBB)
QUIET = 4  # modules of white that a QR code needs around it


@cache
def type_face() -> str:
    """Read once in a process: a quarter of a second. Chinese and Latin; each PDF embeds the signs it uses."""
    pdfmetrics.registerFont(TTFont(TYPE, Path(__file__).parent / "type" / "NotoSansSC-Regular.ttf"))
    return TYPE


def lacking(words: str) -> str:
    """The signs of a text that the type does not have, each once."""
    known = pdfmetrics.getFont(type_face()).face.charToGlyph
    return "".join(dict.fromkeys(sign for sign in words if ord(sign) not in known and sign.isprintable()))


@cache
def style(size: float, *, soft: bool = False, centred: bool = False) -> ParagraphStyle:
    return ParagraphStyle(
        f"{size}{soft}{centred}",
        fontName=type_face(),
        fontSize=size,
        leading=size * 1.35,
        textColor=SOFT if soft else INK,
        wordWrap="CJK",
        alignment=1 if centred else 0,
        splitLongWords=True,
    )


def words(text: str, size: float = 10, *, soft: bool = False, centred: bool = False) -> Paragraph:
    """A paragraph. What people wrote is never read as markup."""
    return Paragraph(escape(text), style(size, soft=soft, centred=centred))


class Square(Flowable):
    """A QR code of a link, with its margin, as one path of squares."""

    def __init__(self, link: str, side: float) -> None:
        super().__init__()
        self.modules = [list(row) for row in segno.make(link, error="m", micro=False).matrix]
        self.width = self.height = side

    def draw(self) -> None:
        step = self.width / (len(self.modules) + 2 * QUIET)
        path = self.canv.beginPath()
        for down, row in enumerate(self.modules):
            for across, is_dark in enumerate(row):
                if is_dark:
                    path.rect((across + QUIET) * step, self.height - (down + QUIET + 1) * step, step, step)
        self.canv.setFillColor(Color(0, 0, 0))
        self.canv.drawPath(path, stroke=0, fill=1)


class Bars(Flowable):
    """The number of a logistic unit as GS1-128: application identifier (00), then its eighteen digits (GS1 General Specifications)."""

    def __init__(self, sscc: str, module: float = 0.5 * mm, tall: float = 32 * mm) -> None:
        super().__init__()
        (self.pattern,) = Gs1_128(f"00{sscc}").build()
        self.sscc, self.module, self.tall = sscc, module, tall
        self.width, self.height = len(self.pattern) * module, tall + 14

    def draw(self) -> None:
        canvas = self.canv
        canvas.setFillColor(Color(0, 0, 0))
        path, place = canvas.beginPath(), 0
        for run in _runs(self.pattern):
            if run[0] == "1":
                path.rect(place * self.module, 14, len(run) * self.module, self.tall)
            place += len(run)
        canvas.drawPath(path, stroke=0, fill=1)
        canvas.setFont(type_face(), 11)
        canvas.drawCentredString(self.width / 2, 1, f"(00) {self.sscc}")


def _runs(pattern: str) -> list[str]:
    runs = [pattern[0]]
    for sign in pattern[1:]:
        if sign == runs[-1][0]:
            runs[-1] += sign
        else:
            runs.append(sign)
    return runs


def grid(
    heads: Sequence[str], rows: Iterable[Sequence[str]], widths: Sequence[float], size: float = 9
) -> Table:
    """A table whose heads are repeated on each page; a row breaks rather than run off the paper."""
    cells: list[list[Flowable]] = [[words(head, size, soft=True) for head in heads]]
    cells += [[words(cell, size) for cell in row] for row in rows]
    return Table(
        cells,
        colWidths=list(widths),
        repeatRows=1,
        splitInRow=1,
        hAlign="LEFT",
        style=[
            ("LINEBELOW", (0, 0), (-1, 0), 0.8, INK),
            ("LINEBELOW", (0, 1), (-1, -1), 0.3, LINE),
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            *(("LEFTPADDING", (0, 0), (0, -1), 0), ("TOPPADDING", (0, 0), (-1, -1), 2)),
        ],
    )


def beside(left: Sequence[Flowable], right: Sequence[Flowable], widths: Sequence[float]) -> Table:
    """Two columns without lines."""
    return Table(
        [[list(left), list(right)]],
        colWidths=list(widths),
        hAlign="LEFT",
        style=[
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            *(("LEFTPADDING", (0, 0), (-1, -1), 0), ("RIGHTPADDING", (0, 0), (-1, -1), 6)),
        ],
    )


def facts(pairs: Iterable[tuple[str, str]], widths: Sequence[float], size: float = 10) -> Table:
    """A heading and what it says, line by line; what says nothing is left out."""
    rows = [[words(head, size, soft=True), words(says, size)] for head, says in pairs if says]
    return Table(
        rows or [["", ""]],
        colWidths=list(widths),
        hAlign="LEFT",
        style=[
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ("LEFTPADDING", (0, 0), (-1, -1), 0),
            ("TOPPADDING", (0, 0), (-1, -1), 1),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 1),
        ],
    )


def space(tall: float) -> Spacer:
    return Spacer(1, tall)


def pages(
    title: str,
    story: list[Flowable],
    *,
    size: tuple[float, float] = A4,
    margin: float = 18 * mm,
    foot: str = "",
) -> bytes:
    """The PDF. The same content makes the same bytes, so that two prints can be compared.

    foot    stands at the bottom of each page, before the number of the page
    """
    to = BytesIO()
    wide, tall = size

    def number(canvas: Canvas, document: Any) -> None:
        canvas.setFont(type_face(), 7.5)
        canvas.setFillColor(SOFT)
        canvas.drawString(margin, margin * 0.55, foot)
        canvas.drawRightString(wide - margin, margin * 0.55, _("page %(n)d") % {"n": canvas.getPageNumber()})

    document = BaseDocTemplate(
        to, pagesize=size, title=title, author="Tongzhou 同舟", invariant=1, lang=None, pageCompression=1
    )
    frame = Frame(margin, margin, wide - 2 * margin, tall - 2 * margin, 0, 0, 0, 0)
    document.addPageTemplates(PageTemplate(frames=[frame], onPage=number if foot else _nothing))
    document.build(story)
    return to.getvalue()


def _nothing(canvas: Canvas, document: Any) -> None:
    pass
