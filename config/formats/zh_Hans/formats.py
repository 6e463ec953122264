"""How dates are written in Chinese, everywhere: pages, desk, mail."""

DATE_FORMAT = "Y年n月j日"  # 2026年11月27日
TIME_FORMAT = "H:i"
DATETIME_FORMAT = "Y年n月j日 H:i"
MONTH_DAY_FORMAT = "n月j日"
SHORT_DATE_FORMAT = "Y年n月j日"  # in tables and on the desk
SHORT_DATETIME_FORMAT = "Y年n月j日 H:i"
