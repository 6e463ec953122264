"""Fill a site's database for a drill: hospitals and donors, needs and offers, sealed contacts, and the journal of all that.

python -m drill.filling ROWS        prints how many rows there are
"""

import sys

import django

django.setup()

from django.utils import timezone  # noqa: E402  (settings first)

from bench.country import populate  # noqa: E402
from supplies.journal import chain  # noqa: E402
from supplies.journal.services import record_all, unheard  # noqa: E402
from supplies.needs.models import Need  # noqa: E402
from supplies.offers.models import Offer  # noqa: E402
from supplies.organisations.contacts import Contact  # noqa: E402
from supplies.organisations.models import Organisation  # noqa: E402
from supplies.upkeep import contents, roles  # noqa: E402

ROWS_A_LINE = 3  # its own, its event, and its share of appeals, donations, organisations and contacts


def fill(rows: int) -> None:
    at = timezone.now()
    lines = max(10, rows // ROWS_A_LINE // 2)
    populate(lines, lines, at=at)
    for model, kind in ((Need, "need.opened"), (Offer, "offer.opened")):
        posted = list(model._default_manager.only("pk").order_by("pk"))
        for begin in range(0, len(posted), 2_000):
            record_all(posted[begin : begin + 2_000], kind, by=None, at=at)
    contacts = []
    for number, organisation in enumerate(Organisation.objects.order_by("pk")):
        contact = Contact(organisation=organisation, source="演练")
        contact.name, contact.phone = f"演练者{number}", f"000-{number:08d}"
        contacts.append(contact)
    Contact.objects.bulk_create(contacts, batch_size=2_000)
    chain.seal(at=at)


if __name__ == "__main__":
    with unheard():  # there is no worker here to tell anybody
        fill(int(sys.argv[1]))
    from django.db import transaction

    with transaction.atomic():
        print(sum(contents.table_of(name).rows for name in roles.tables()))
