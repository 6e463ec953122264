"""Many programs that send the same request when they are told "go", and again until they have an answer.

python -m tests.once_racing USER REQUESTS

REQUESTS   JSON: a list of [threads, key or null, method, path, body]; for each, one line of JSON is printed with
           [status, what was answered, whether it was answered before] of every thread
"""

import hashlib
import json
import sys
import threading
from typing import Any

import django

django.setup()

from django.db import connection  # noqa: E402  (settings first)
from rest_framework.test import APIClient  # noqa: E402

from supplies.organisations.models import User  # noqa: E402


def race(user: User, threads: int, *request: Any) -> list[list[Any]]:
    answers: list[list[Any]] = []
    line = threading.Barrier(threads + 1)

    def send() -> None:
        line.wait()
        answers.append(_answered(user, *request))
        connection.close()

    running = [threading.Thread(target=send) for _thread in range(threads)]
    for thread in running:
        thread.start()
    print("ready", flush=True)
    sys.stdin.readline()
    line.wait()
    for thread in running:
        thread.join()
    return answers


def _answered(user: User, key: str | None, method: str, path: str, body: Any) -> list[Any]:
    client = APIClient(SERVER_NAME="localhost")
    client.force_authenticate(user)
    header = {"HTTP_IDEMPOTENCY_KEY": key} if key else {}
    while True:
        answer = getattr(client, method)(path, body, format="json", **header)
        if answer.status_code == 409 and answer.json()["code"] == "in-flight":
            continue
        digest = hashlib.sha256(answer.content).hexdigest()
        return [answer.status_code, digest, "Idempotency-Replayed" in answer]


if __name__ == "__main__":
    person = User.objects.get(pk=sys.argv[1])
    for sent in json.loads(sys.argv[2]):
        print(json.dumps(race(person, *sent)), flush=True)
