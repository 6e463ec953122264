"""The site's settings, with a listener of the drill's own."""

from config.settings import *  # noqa: F403
from config.settings import JOURNAL_LISTENERS

JOURNAL_LISTENERS = {**JOURNAL_LISTENERS, "drill.rang": ["drill.outbox.hear"]}
