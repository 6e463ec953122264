"""The concepts' desks, imported so that Django finds them."""

import supplies.accounts.admin
import supplies.allocations.admin
import supplies.announcements.admin
import supplies.carriers.admin
import supplies.catalogue.admin
import supplies.change_requests.admin
import supplies.desks.admin
import supplies.duplicates.admin
import supplies.editions.admin
import supplies.emergencies.admin
import supplies.federation.admin
import supplies.intake.admin
import supplies.journal.admin
import supplies.listings.admin
import supplies.loads.admin
import supplies.needs.admin
import supplies.notices.admin
import supplies.offers.admin
import supplies.organisations.admin
import supplies.papers.admin
import supplies.privacy.admin
import supplies.receipts.admin
import supplies.regions.admin
import supplies.shipments.admin  # noqa: F401
