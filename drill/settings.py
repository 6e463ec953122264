"""The site's settings, with listeners of the drill's own."""

from config.settings import *  # noqa: F403
from config.settings import JOURNAL_LISTENERS

JOURNAL_LISTENERS = {
    **JOURNAL_LISTENERS,
    "drill.rang": ["drill.outbox.hear"],
    "drill.apart": ["drill.outbox.hear_apart"],
}
