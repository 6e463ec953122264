"""The site's settings, with listeners of the drill's own and a lease that is soon over."""

from config.settings import *  # noqa: F403
from config.settings import JOURNAL_LISTENERS, env

MATCH_LEASE_SECONDS = env.int("MATCH_LEASE_SECONDS", default=3)
JOURNAL_LISTENERS = {
    **JOURNAL_LISTENERS,
    "drill.rang": ["drill.outbox.hear"],
    "drill.apart": ["drill.outbox.hear_apart"],
    "run.done": ["drill.notices.take_notice"],
}
