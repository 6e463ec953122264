"""What should never be typed, and is: the list B of hostile values, for every place a value may stand in.

By kind: text that breaks programs (B1, B2), numbers (B3), days (B4), paging (B6), formulas (B8), telephones (B10). Files (B7)
have tests beside what reads them, and bodies of JSON (B5) in tests/api/test_input.py.
"""

MARKUP = "<img src=x onerror=alert(1)>"  # never to be found in a page as it stands here
UNSEEN = "\x00\x1b\u202e\u2028\u200b\ufeff"  # none of them reaches a log as it is

TEXT: tuple[str | bytes, ...] = (
    "a\x00b",
    "\x00",
    "\ud800",
    "\udc00\ud800",
    b"\xc0\xaf",
    b"\xff\xfe",
    b"\xed\xa0\x80",
    b"\xf4\x90\x80\x80",
    "\ufeff口罩",
    "\u202eabc",
    "a\u200bb\u2028c\u2029d\u0085",
    "Z" + "\u0300" * 200,
    "👩‍👩‍👧‍👦",
    "𠮷𪚥",
    "e\u0301",
    "é",
    "аdmin",
    " ",
    "　",
    "x" * 5_000,
    "line\r\nSet-Cookie: a=b\r\n\r\n",
    "\x1b[2J\x1b]0;x\x07",
    MARKUP,
    f'">{MARKUP}',
    f"</textarea></script>{MARKUP}",
    "{{7*7}}{% csrf_token %}${7*7}",
    "' OR 1=1 --",
    "'; DROP TABLE supplies_need; --",
    "%s%n%(name)s{0}",
    "%00%0a%2e%2e%2f",
    "../../../../etc/passwd",
    "\\\\server\\share",
    "javascript:alert(1)",
    "//evil.example/",
    "https://evil.example@testserver/",
    "undefined",
    "null",
    "None",
    "__class__",
    "pk__in",
    "NaN",
    "True",
)
NUMBERS: tuple[str | bytes, ...] = (
    "-1",
    "-0",
    "0",
    str(2**31),
    str(2**53 + 1),
    str(2**63),
    str(2**70),
    "9" * 5_000,
    "sNaN",
    "Infinity",
    "1e999999",
    "1.0",
    "0.1",
    "5_0",
    "+5",
    " 5 ",
    "0x1F",
    "５",
    "٥",
    "三百",
    "叁佰",
    "3万",
    "两百箱",
    "1,000",
    "1.000,0",
    "100只/盒",
    "²",
)
DAYS: tuple[str | bytes, ...] = (
    "0001-01-01",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00",
    "2027-02-29",
    "2027-02-30",
    "24:00",
    "2027-01-01T23:59:60Z",
    "2027-01-01T00:00:00",
    "43831",
    "2020年2月30日",
    "1580000000000",
    "２０２７-01-01",
)
KEYS: tuple[str | bytes, ...] = (
    "00000000-0000-0000-0000-000000000000",
    "{00000000-0000-0000-0000-000000000001}",
    "urn:uuid:00000000-0000-0000-0000-000000000001",
    "1,2,3",
    "W2ZhbHNlLDFd:aaaa",
    "cD0yMDIwLTk5LTk5",
    "%FF%FE",
    ",".join(["x"] * 1_000),
    "-contact_phone",
    "admin:index",
)
FORMULAS: tuple[str | bytes, ...] = ("=1+1", "+1", "@SUM(A1)", "\t=1", "＝1", "=cmd|' /C calc'!A0")
TELEPHONES: tuple[str | bytes, ...] = (
    "+86 138 1234 5678",
    "008613812345678",
    "027-8888 8888转12",
    "13812345678/13987654321",
    "１３８１２３４５６７８",
    "+",
    "tel:+" + "1" * 60,
)
ALL = TEXT + NUMBERS + DAYS + KEYS + FORMULAS + TELEPHONES


def of_round(number: int, place: int) -> str | bytes:
    """The value of one place in one round: after len(ALL) rounds each place has had every value, and no two the same at once."""
    return ALL[(number * 11 + place * 7) % len(ALL)]
