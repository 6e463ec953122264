"""The papers of a shipment and of a gift, from what stands on them to PDF. Headings are in the language of the moment."""

from collections.abc import Iterable

from django.utils.translation import gettext as _
from reportlab.lib.units import mm
from reportlab.platypus import Flowable, HRFlowable, KeepTogether, PageBreak, Table

from supplies.papers.contents import Consignment, Count, Gift, Goods, Parcel, Place
from supplies.papers.drawing import INK, Bars, Square, beside, facts, grid, lacking, pages, space, words

LABEL = (100 * mm, 150 * mm)  # what label printers of couriers take
FULL = 174 * mm  # A4 between its margins


def labels(*consignments: Consignment) -> bytes:
    """A label for each parcel, 100 by 150 mm; one without a number where nothing was packed yet."""
    story: list[Flowable] = []
    for consignment in consignments:
        parcels = consignment.parcels or (Parcel(kind="", goods=consignment.goods),)
        for position, parcel in enumerate(parcels, 1):
            if story:
                story.append(PageBreak())
            story += _label(consignment, parcel, position, len(parcels))
    return pages(_("Labels"), story, size=LABEL, margin=5 * mm)


def _label(consignment: Consignment, parcel: Parcel, position: int, of: int) -> Iterable[Flowable]:
    to, sender = consignment.to, consignment.sender
    yield words(_("Donated medical supplies, not for sale"), 9, soft=True)
    yield words(_("To"), 8, soft=True)
    yield words(_site(to), 15)
    yield words(" · ".join(filter(None, [to.region, to.dock])), 10)
    yield _rule()
    yield words(_("From"), 8, soft=True)
    yield words(" · ".join(filter(None, [sender.name, sender.region])), 9)
    yield _rule()
    shown, rest = parcel.goods[:4], len(parcel.goods) - 4
    aside: list[Flowable] = [words(_goods(one), 9) for one in shown]
    if rest > 0:
        aside.append(words(_("and %(n)d more: see the packing list") % {"n": rest}, 8, soft=True))
    if consignment.warnings:
        aside.append(words(" · ".join(consignment.warnings), 12))
    yield beside(
        [
            words(_("Parcel %(n)d of %(of)d") % {"n": position, "of": of}, 13),
            words(" · ".join(filter(None, [parcel.kind, parcel.weight])), 9, soft=True),
            *aside,
        ],
        [Square(consignment.link, 29 * mm)],
        [60 * mm, 30 * mm],
    )
    yield words(_("Follow it by code: %(code)s") % {"code": in_fours(consignment.code)}, 7.5, soft=True)
    if consignment.waybill:
        yield words(f"{consignment.carrier} {consignment.waybill}", 9)
    if parcel.sscc:
        yield space(2 * mm)
        yield Bars(parcel.sscc, module=0.5 * mm, tall=22 * mm)
    yield from _what_the_type_lacks(_site(to), sender.name, *(one.item for one in parcel.goods))


def packing_list(consignment: Consignment) -> bytes:
    """What is in which parcel: laid into the parcels, and what the hospital counts by."""
    story: list[Flowable] = [*_head(_("Packing list"), consignment)]
    if consignment.parcels:
        for position, parcel in enumerate(consignment.parcels, 1):
            title = " · ".join(
                filter(
                    None,
                    [
                        _("Parcel %(n)d of %(of)d") % {"n": position, "of": len(consignment.parcels)},
                        parcel.kind,
                        parcel.weight,
                        f"SSCC {parcel.sscc}" if parcel.sscc else "",
                    ],
                )
            )
            story.append(KeepTogether([words(title, 11), _goods_table(parcel.goods)]))
            story.append(space(4 * mm))
        story.append(words(_("Altogether"), 11))
    story.append(_goods_table(consignment.goods))
    story += _what_the_type_lacks(*(one.item for one in consignment.goods))
    return pages(_("Packing list"), story, foot=_foot(consignment))


def waybill(consignment: Consignment) -> bytes:
    """The paper that travels with the driver and comes back signed."""
    story: list[Flowable] = [*_head(_("Waybill"), consignment)]
    story.append(
        facts(
            [
                (_("Carrier"), consignment.carrier),
                (_("Waybill number"), consignment.waybill),
                (_("Transport"), consignment.transport),
                (_("Parcels"), str(len(consignment.parcels)) if consignment.parcels else ""),
                (_("Gross weight"), consignment.weight),
                (_("Expected on"), consignment.expected),
                (_("Take care"), " · ".join(consignment.warnings)),
            ],
            [40 * mm, FULL - 40 * mm],
        )
    )
    story += [space(4 * mm), _goods_table(consignment.goods), space(10 * mm)]
    story.append(
        KeepTogether(
            [
                _boxes(_("Handed over by the donor"), _("Taken by the carrier"), _("Received at the door")),
                words(
                    _("Received at the door is not counted yet: the hospital counts inside."), 8, soft=True
                ),
            ]
        )
    )
    return pages(_("Waybill"), story, foot=_foot(consignment))


def receipt(count: Count) -> bytes:
    """The hospital's count, as the sender and the carrier may file it."""
    story: list[Flowable] = [*_head(_("Receipt"), count.consignment)]
    story.append(words(_("Counted by the hospital: %(at)s") % {"at": count.counted_at}, 10))
    story.append(space(3 * mm))
    story.append(
        grid(
            [_("Goods"), _("Shipped"), _("Good"), _("Not good, and why")],
            [(line.item, line.shipped, line.accepted, line.rest or "—") for line in count.lines],
            [64 * mm, 30 * mm, 30 * mm, 50 * mm],
        )
    )
    story += _what_the_type_lacks(*(line.item for line in count.lines))
    return pages(_("Receipt"), story, foot=_foot(count.consignment))


def certificate(gift: Gift) -> bytes:
    """What hospitals accepted of a gift. Only what was counted and found good stands on it."""
    story: list[Flowable] = [
        space(8 * mm),
        words(_("Certificate of donation"), 24, centred=True),
        space(10 * mm),
        words(gift.donor, 17, centred=True),
        space(3 * mm),
        words(
            _("gave medical supplies for “%(occasion)s”. The hospitals below counted and accepted:")
            % {"occasion": gift.occasion},
            11,
            centred=True,
        ),
        space(6 * mm),
        grid(
            [_("Hospital"), _("Region"), _("Goods"), _("Accepted"), _("On")],
            [(line.hospital, line.region, line.item, line.amount, line.on) for line in gift.lines],
            [48 * mm, 34 * mm, 40 * mm, 28 * mm, 24 * mm],
        ),
        space(8 * mm),
        KeepTogether(
            beside(
                [
                    words(_("Issued by Tongzhou 同舟 on %(on)s") % {"on": gift.issued}, 10),
                    words(
                        _(
                            "Is it genuine? Open the address in the square, or enter the code on the page “Verify a certificate”:"
                        ),
                        9,
                        soft=True,
                    ),
                    words(in_fours(gift.code), 11),
                    words(gift.link, 8, soft=True),
                ],
                [Square(gift.link, 34 * mm)],
                [FULL - 38 * mm, 38 * mm],
            )
        ),
        *_what_the_type_lacks(gift.donor, *(line.hospital for line in gift.lines)),
    ]
    return pages(_("Certificate of donation"), story, foot=f"Tongzhou 同舟 · {in_fours(gift.code)}")


def in_fours(code: str) -> str:
    """A code of 26 signs as people copy it."""
    return " ".join(code[place : place + 4] for place in range(0, len(code), 4))


def _boxes(*heads: str) -> Flowable:
    """Room for a name, a day and an hour under each heading."""
    cells = [
        [words(head, 9, soft=True) for head in heads],
        [words(_("Name, day and hour"), 7.5, soft=True)] * len(heads),
    ]
    return Table(
        cells,
        colWidths=[FULL / len(heads)] * len(heads),
        rowHeights=[8 * mm, 20 * mm],
        hAlign="LEFT",
        style=[("BOX", (column, 0), (column, 1), 0.6, INK) for column in range(len(heads))]
        + [("VALIGN", (0, 1), (-1, 1), "BOTTOM")],
    )


def _head(title: str, consignment: Consignment) -> Iterable[Flowable]:
    yield beside(
        [
            words(title, 20),
            words(in_fours(consignment.code), 9, soft=True),
            space(3 * mm),
            facts(
                [
                    (_("From"), _address(consignment.sender)),
                    (_("To"), _address(consignment.to)),
                ],
                [22 * mm, FULL - 60 * mm],
            ),
        ],
        [Square(consignment.link, 32 * mm)],
        [FULL - 34 * mm, 34 * mm],
    )
    yield _rule()


def _goods_table(goods: Iterable[Goods]) -> Flowable:
    return grid(
        [_("Goods"), _("Quantity"), _("Lot"), _("Use by")],
        [(one.item, one.amount, one.lot or "—", one.expires or "—") for one in goods],
        [86 * mm, 34 * mm, 28 * mm, 26 * mm],
    )


def _goods(one: Goods) -> str:
    return " · ".join(filter(None, [one.item, one.amount, one.lot, one.expires]))


def _site(place: Place) -> str:
    """A hospital with one site is named once."""
    return place.name if place.organisation in place.name else f"{place.organisation} {place.name}"


def _address(place: Place) -> str:
    return " · ".join(filter(None, [_site(place), place.region, place.dock]))


def _foot(consignment: Consignment) -> str:
    return " · ".join(filter(None, ["Tongzhou 同舟", consignment.waybill, in_fours(consignment.code)]))


def _rule() -> Flowable:
    return HRFlowable(width="100%", thickness=0.6, color=INK, spaceBefore=3, spaceAfter=3)


def _what_the_type_lacks(*texts: str) -> Iterable[Flowable]:
    signs = lacking("".join(texts))
    if signs:
        numbers = " ".join(f"U+{ord(sign):04X}" for sign in signs)
        yield words(_("Signs that could not be printed: %(signs)s") % {"signs": numbers}, 7, soft=True)
