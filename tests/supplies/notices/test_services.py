"""What belongs to an endpoint, and who finds it."""

import pytest
from django.test import Client
from django.urls import reverse

from tests.makers import make_member, make_webhook
from tests.sign_in import sign_in

pytestmark = pytest.mark.django_db


def test_who_added_an_endpoint_finds_it_in_the_copy_of_her_data_without_its_secret(client: Client) -> None:
    manager = make_member("carrier")
    endpoint = make_webhook(by=manager)
    sign_in(client, manager)

    answer = client.post(reverse("copy-my-data"))

    assert answer.status_code == 200
    assert endpoint.url in answer.content.decode()
    assert "secret_sealed" not in answer.content.decode()
