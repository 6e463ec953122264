"""What a program that posts appeals is given, and what of it the database holds.

python -m drill.posting prepare    who may post, and for whom; prints JSON
python -m drill.posting account    the remarks of the appeals there are
python -m drill.posting books      whether the ledger's equations hold
"""

import json
import sys

import django

django.setup()

from django.utils import timezone  # noqa: E402

from matching import books as ledger  # noqa: E402
from supplies.needs.models import Appeal  # noqa: E402
from supplies.organisations import services as people  # noqa: E402
from supplies.organisations.keys import Scope  # noqa: E402
from tests.makers import make_emergency, make_facility, make_item, make_member  # noqa: E402


def prepare() -> None:
    site = make_facility()
    member = make_member("hospital", site.organisation)
    _token, secret = people.issue_token(member, name="drill", scopes=[Scope.NEEDS], at=timezone.now())
    given = {"facility": str(site.pk), "emergency": make_emergency().pk, "item": make_item().pk}
    print(json.dumps({**given, "token": secret}))


def account() -> None:
    print(*Appeal.objects.filter(remark__startswith="disk-").values_list("remark", flat=True))


def books() -> None:
    print("; ".join(ledger.faults(at=timezone.now())[:3]) or "hold")


if __name__ == "__main__":
    {"prepare": prepare, "account": account, "books": books}[sys.argv[1]]()
