"""Sessions that know whose they are, so that they can be listed and ended, and that run out.

SESSION_ENGINE names this module. What a browser is, when it began and when it was last seen travels in the session itself
and is written beside it into the row.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends import db
from django.contrib.sessions.backends.base import SessionBase

from supplies.organisations.models import User

BEGAN, SEEN, BROWSER = "began_at", "seen_at", "browser"
NOTED_EVERY = timedelta(minutes=1)  # being seen is not written with each request
# The first that fits. Most browsers say they are also some of the others.
BROWSERS = {
    "MicroMessenger": "WeChat",
    "Edg": "Edge",
    "OPR": "Opera",
    "Firefox": "Firefox",
    "Chrome": "Chrome",
    "Safari": "Safari",
}
SYSTEMS = {
    "HarmonyOS": "HarmonyOS",
    "Android": "Android",
    "iPhone": "iPhone",
    "iPad": "iPad",
    "Windows": "Windows",
    "Mac OS": "macOS",
    "Linux": "Linux",
}


class SessionStore(db.SessionStore):
    @classmethod
    def get_model_class(cls) -> Any:
        from supplies.accounts.models import Session

        return Session

    def create_model_instance(self, data: dict[str, Any]) -> Any:
        row: Any = super().create_model_instance(data)
        row.user_id = data.get(SESSION_KEY)
        row.browser = data.get(BROWSER, "")
        row.began_at, row.seen_at = _instant(data.get(BEGAN)), _instant(data.get(SEEN))
        return row


def begin(session: SessionBase, *, browser: str, at: datetime) -> None:
    """Somebody has just signed in."""
    session[BEGAN] = session[SEEN] = at.timestamp()
    session[BROWSER] = browser


def has_run_out(session: SessionBase, user: User, *, at: datetime) -> bool:
    """Whether it was left alone too long, or has gone on for too long. At the desk both are shorter."""
    works_at_the_desk = user.is_staff or user.is_superuser
    idle, whole = settings.SESSION_LIMITS["desk" if works_at_the_desk else "others"]
    began = _instant(session.get(BEGAN)) or at
    seen = _instant(session.get(SEEN)) or at
    return at - seen > idle or at - began > whole


def note_seen(session: SessionBase, *, at: datetime) -> None:
    session.setdefault(BEGAN, at.timestamp())
    seen = _instant(session.get(SEEN))
    if seen is None or at - seen > NOTED_EVERY:
        session[SEEN] = at.timestamp()


def browser_of(user_agent: str) -> str:
    """The kind of a browser, as its owner would say it: "Firefox · Windows". No more of it is kept."""
    kinds = (
        next((name for sign, name in known.items() if sign in user_agent), "")
        for known in (BROWSERS, SYSTEMS)
    )
    return " · ".join(filter(None, kinds))


def _instant(timestamp: float | None) -> datetime | None:
    return None if timestamp is None else datetime.fromtimestamp(timestamp, UTC)
