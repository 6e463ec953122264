"""What is asked for and given in the demonstration: usual quantities, packs and standards of each item."""

from dataclasses import dataclass

Choice = tuple[tuple[str, ...], ...]  # one is drawn; repeated entries are likelier


@dataclass(frozen=True)
class Good:
    """An item with the figures it is drawn by.

    asked, given   how often it is asked for and given, relative to the others
    most           what a house of 500 beds asks for at most, in the unit people use
    packs          whole packs it is sent in, in the unit people use
    wanted         standards an appeal names, empty for "medical grade"; drawn at random
    met            standards an offered lot meets, empty where nobody stated one
    shelf_days     least and most days until a new lot expires; none for goods that do not
    """

    item: str
    asked: int
    given: int
    most: int
    packs: tuple[int, ...]
    wanted: Choice = ((),)
    met: tuple[str, ...] = ("",)
    shelf_days: tuple[int, int] | None = None
    by_road_only: bool = False


MASKS = (360, 1000)
GOODS = (
    Good(
        "RESP_MED",
        12,
        7,
        6000,
        (20, 240),
        ((), ("GB19083-2010-1",), ("GB19083-2023",)),
        ("GB19083-2023", "GB19083-2010-1", "NIOSH-N95-SURGICAL", "NIOSH-N95"),
        MASKS,
    ),
    Good(
        "RESP_PART",
        6,
        8,
        5000,
        (20, 400),
        ((), ("GB2626-2019-KN95",), ("EN149-FFP2", "NIOSH-N95")),
        ("GB2626-2019-KN95", "GB2626-2019-KN95", "EN149-FFP2", "NIOSH-N95", "GB2626-2006-KN95"),
        MASKS,
    ),
    Good(
        "MASK_SURG",
        13,
        9,
        40000,
        (50, 2000),
        ((), ("YY0469-2011",), ("YY0469-2011", "EN14683-IIR")),
        ("YY0469-2011", "YY0469-2011", "EN14683-IIR", "ASTMF2100-L2"),
        MASKS,
    ),
    Good(
        "MASK_DISP",
        8,
        8,
        40000,
        (50, 2500),
        ((), ("YYT0969-2013",)),
        ("YYT0969-2013", "EN14683-I", "EN14683-II"),
        MASKS,
    ),
    Good(
        "COVERALL",
        12,
        7,
        3000,
        (25, 50),
        ((), ("GB19082-2009",), ("GB19082-2003",), ("GB19082-2023", "EN14126-C2")),
        ("GB19082-2009", "GB19082-2023", "EN14126-C2"),
        (300, 900),
    ),
    Good(
        "GOWN_ISO",
        8,
        5,
        4000,
        (10, 100),
        ((), ("AAMIPB70-L2",)),
        ("AAMIPB70-L2", "AAMIPB70-L3", "ASTMF3352"),
        (300, 900),
    ),
    Good("GOGGLES", 8, 6, 1500, (10, 120), ((), ("YYT1904-2023",)), ("YYT1904-2023", "EN166", "ANSIZ87.1")),
    Good("FACE_SHIELD", 5, 5, 3000, (10, 200), ((),), ("YYT1904-2023", "EN166")),
    Good(
        "GLOVE_EXAM",
        9,
        6,
        60000,
        (50, 1000),
        ((), ("GB10213-2006",), ("EN455",)),
        ("GB10213-2006", "EN455", "ASTMD6319"),
        (300, 1200),
    ),
    Good("GLOVE_SURG", 3, 3, 6000, (50,), ((), ("GB7543",)), ("GB7543", "ASTMD3577"), (300, 1200)),
    Good("SHOE_COVER", 5, 4, 20000, (100, 1000)),
    Good("CAP", 4, 4, 20000, (100, 1000)),
    Good("BLEACH84", 4, 4, 3000, (5, 25), ((),), ("CHLORINE-5PCT", ""), (90, 360), by_road_only=True),
    Good("ALCOHOL75", 7, 6, 2500, (5, 25), ((),), ("GB26373", ""), (180, 720), by_road_only=True),
    Good("HAND_RUB", 5, 5, 2000, (1, 12), ((),), ("GB27950-2020",), (180, 720), by_road_only=True),
    Good("WIPES", 2, 2, 8000, (80,), ((),), ("",), (180, 720)),
    Good("THERMO_IR", 4, 3, 60, (1, 10)),
    Good("PULSE_OX", 3, 3, 120, (1, 20)),
    Good("PAT_MONITOR", 3, 2, 30, (1,)),
    Good("VENT_INV", 3, 1, 12, (1,)),
    Good("VENT_NIV", 3, 2, 20, (1,)),
    Good("HFNC", 3, 2, 20, (1,)),
    Good("O2_CONC", 2, 2, 60, (1, 5)),
    Good("INF_PUMP", 2, 2, 60, (1, 4)),
    Good("SYRINGE", 2, 2, 20000, (100, 1200), ((),), ("",), (400, 1400)),
    Good("BIO_BAG", 2, 2, 8000, (100,)),
    Good("TEST_PCR", 5, 4, 5000, (48, 96), ((),), ("",), (120, 330)),
    Good("SWAB_VTM", 4, 3, 6000, (50, 100), ((),), ("",), (180, 540)),
    Good("MED_ANTIVIRAL", 4, 3, 6000, (10, 24), ((),), ("",), (300, 900)),
    Good("MED_STEROID", 2, 2, 1500, (5, 10), ((),), ("",), (300, 900)),
    Good("MED_ANTIBIOTIC", 2, 2, 9000, (12, 24), ((),), ("",), (300, 900)),
)
