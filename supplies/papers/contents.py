"""What stands on a paper: plain facts, gathered from rows before anything is drawn.

Amounts and dates are written out for the reader already; a paper has no words of its own beside its headings.
No telephone number stands on any of them: whoever holds the paper finds it behind the code, if it concerns them.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Place:
    """A side of a shipment: the site, whose it is, where it lies, and the dock where goods are brought."""

    name: str
    organisation: str = ""
    region: str = ""
    dock: str = ""


@dataclass(frozen=True)
class Goods:
    """One kind of goods of one lot."""

    item: str
    amount: str
    lot: str = ""
    expires: str = ""


@dataclass(frozen=True)
class Parcel:
    """A handling unit. `sscc` has 18 digits, or none where nobody gave it a number."""

    kind: str
    sscc: str = ""
    weight: str = ""
    goods: tuple[Goods, ...] = ()


@dataclass(frozen=True)
class Consignment:
    """A shipment as its papers tell it. `link` is the public address where it is followed."""

    code: str
    link: str
    sender: Place
    to: Place
    goods: tuple[Goods, ...]
    parcels: tuple[Parcel, ...] = ()
    carrier: str = ""
    waybill: str = ""
    transport: str = ""
    warnings: tuple[str, ...] = ()
    weight: str = ""
    expected: str = ""


@dataclass(frozen=True)
class CountedGoods:
    """A line of the hospital's count; `rest` says in words what was not good."""

    item: str
    shipped: str
    accepted: str
    rest: str = ""


@dataclass(frozen=True)
class Count:
    """The hospital's count of one shipment."""

    consignment: Consignment
    counted_at: str
    lines: tuple[CountedGoods, ...]


@dataclass(frozen=True)
class GivenGoods:
    """What one hospital accepted of a gift."""

    hospital: str
    region: str
    item: str
    amount: str
    on: str


@dataclass(frozen=True)
class Gift:
    """A donor's certificate. `link` is the public page that tells whether it is genuine."""

    code: str
    link: str
    donor: str
    occasion: str
    issued: str
    lines: tuple[GivenGoods, ...]
