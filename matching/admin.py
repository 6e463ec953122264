"""The desks of the matching, imported so that Django finds them."""

import matching.coordinating
import matching.policies_admin
import matching.proposals_admin
import matching.runs_admin
import matching.shortfalls_admin  # noqa: F401
