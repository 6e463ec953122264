"""How dates are written in English, everywhere: pages, desk, mail."""

DATE_FORMAT = "j F Y"  # 27 November 2026
TIME_FORMAT = "H:i"
DATETIME_FORMAT = "j F Y, H:i"
MONTH_DAY_FORMAT = "j M"
SHORT_DATE_FORMAT = "j M Y"  # in tables and on the desk
SHORT_DATETIME_FORMAT = "j M Y, H:i"
