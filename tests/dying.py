"""A web process that dies while it answers one request; where, DRILL_DIES says (see `drill.web`).

python -m tests.dying USER PATH BODY KEY
"""

import json
import sys

from drill.web import application  # sets Django up, and the point at which to die

# isort: split
from rest_framework.test import APIClient

from supplies.organisations.models import User

if __name__ == "__main__":
    assert application
    client = APIClient(SERVER_NAME="localhost")
    client.force_authenticate(User.objects.get(pk=sys.argv[1]))
    client.post(sys.argv[2], json.loads(sys.argv[3]), format="json", HTTP_IDEMPOTENCY_KEY=sys.argv[4])
    print("alive")
