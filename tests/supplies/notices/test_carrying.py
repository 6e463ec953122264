"""Sending: signed, retried along the table, shared between workers, and never held up by one that is slow."""

import os
import signal
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from allauth.account.models import EmailAddress
from django.core import mail
from django.utils import timezone
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from supplies.journal.models import Event
from supplies.notices import carrying, services
from supplies.notices.carrying import AT_ONCE, LEASE, carry, take, wait_after
from supplies.notices.models import (
    ATTEMPTS,
    RETRIES,
    DeliveryStatus,
    Disabled,
    EndpointStatus,
    Problem,
    WebhookDelivery,
    WebhookEndpoint,
)
from supplies.organisations import services as people
from tests.makers import NOW, make_delivery, make_member, make_organisation, make_webhook
from tests.processes import finish, start
from tests.supplies.notices.receiver import Received, Receiver, receiving

pytestmark = pytest.mark.django_db


def at(moment: datetime) -> Callable[[], datetime]:
    return lambda: moment


def sent(delivery: WebhookDelivery, moment: datetime = NOW) -> WebhookDelivery:
    carry(clock=at(moment))
    return WebhookDelivery.objects.get(pk=delivery.pk)


def answering(status: int, body: bytes = b"", **headers: str) -> Callable[[Received], Any]:
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda _message: (status, given, body)


# -- Signed -----------------------------------------------------------------------------------------------


def verified(secret: str, message: Received, moment: datetime = NOW) -> Any:
    with time_machine.travel(moment, tick=False):
        return Webhook(secret).verify(message.body, message.headers)


def test_a_message_is_verified_by_the_package_of_the_standard(receiver: Receiver) -> None:
    endpoint = make_webhook(url=receiver.url)
    delivery = sent(make_delivery(endpoint))

    (message,) = receiver.got
    assert verified(endpoint.secret, message)["type"] == "webhook.test"
    assert message.id == delivery.message_id
    assert message.path == "/in?from=tongzhou"
    assert delivery.status == DeliveryStatus.DELIVERED


def test_both_secrets_sign_while_one_takes_over_from_the_other_and_then_only_the_new_one(
    receiver: Receiver,
) -> None:
    endpoint = make_webhook(url=receiver.url)
    first = endpoint.secret
    _endpoint, second = services.rotate(endpoint, by=None, at=NOW)
    later = NOW + services.OLD_SECRET_SIGNS_FOR
    sent(make_delivery(endpoint))
    sent(make_delivery(endpoint, at=later), later)

    during, after = receiver.got
    assert verified(first, during) == verified(second, during)
    assert verified(second, after, later)
    with pytest.raises(WebhookVerificationError):
        verified(first, after, later)


def test_a_third_secret_ends_the_first(receiver: Receiver) -> None:
    endpoint = make_webhook(url=receiver.url)
    secrets = [endpoint.secret, *(services.rotate(endpoint, by=None, at=NOW)[1] for _time in range(2))]
    sent(make_delivery(endpoint))

    for secret in secrets[1:]:
        assert verified(secret, receiver.got[0])
    with pytest.raises(WebhookVerificationError):
        verified(secrets[0], receiver.got[0])


@pytest.mark.parametrize("wrong", ["body", "id", "timestamp", "late", "early", "none"])
def test_what_was_changed_on_the_way_is_not_verified(receiver: Receiver, wrong: str) -> None:
    endpoint = make_webhook(url=receiver.url)
    sent(make_delivery(endpoint))
    (message,) = receiver.got
    moment = NOW
    if wrong == "body":
        message.body += b" "
    elif wrong in ("id", "timestamp"):
        message.headers[f"webhook-{wrong}"] += "1"
    elif wrong == "none":
        del message.headers["webhook-signature"]
    else:
        moment = NOW + timedelta(minutes=6 if wrong == "late" else -6)

    with pytest.raises(WebhookVerificationError):
        verified(endpoint.secret, message, moment)


# -- Again ------------------------------------------------------------------------------------------------


def test_the_table_goes_on_for_three_days() -> None:
    assert sum(RETRIES, timedelta()) > timedelta(days=3)
    assert list(RETRIES) == sorted(RETRIES)


@pytest.mark.parametrize("attempts", range(1, ATTEMPTS))
def test_the_wait_is_the_table_s_and_a_little_more(attempts: int) -> None:
    waits = {wait_after(attempts, "", at=NOW) for _time in range(50)}

    assert len(waits) > 40
    assert min(waits) >= RETRIES[attempts - 1]
    assert max(waits) <= RETRIES[attempts - 1] * 1.2


@pytest.mark.parametrize(
    ("asked", "seconds"),
    [
        ("3600", 3600),
        ("999999999999", 86400),
        ("Mon, 23 Nov 2026 09:00:00 GMT", 3600),
        ("", 0),
        ("soon", 0),
        ("-5", 0),
        ("Mon, 23 Nov 2020 09:00:00 GMT", 0),
        ("٣٠", 0),
    ],
)
def test_retry_after_is_honoured_within_a_day(asked: str, seconds: int) -> None:
    waited = wait_after(1, asked, at=NOW)

    assert waited == timedelta(seconds=seconds) if seconds else waited <= RETRIES[0] * 1.2


def test_a_message_that_fails_is_sent_again_under_the_same_id_until_it_gets_through(
    receiver: Receiver,
) -> None:
    receiver.answers = answering(503, b"not now", Retry_After="40")
    endpoint = make_webhook(url=receiver.url)
    delivery = sent(make_delivery(endpoint))
    assert (delivery.status, delivery.attempts, delivery.http_status) == (DeliveryStatus.WAITING, 1, 503)
    assert (delivery.problem, delivery.excerpt) == (Problem.STATUS, "not now")
    assert delivery.next_at == NOW + timedelta(seconds=40)

    assert sent(delivery, NOW + timedelta(seconds=39)).attempts == 1
    receiver.answers = answering(200, b"thanks")
    delivery = sent(delivery, NOW + timedelta(seconds=40))

    assert (delivery.status, delivery.attempts, delivery.problem) == (DeliveryStatus.DELIVERED, 2, "")
    assert [message.id for message in receiver.got] == [delivery.message_id] * 2


def through_the_table(delivery: WebhookDelivery) -> WebhookDelivery:
    """Every attempt there is, each when it is due."""
    while delivery.status == DeliveryStatus.WAITING:
        delivery = sent(delivery, delivery.next_at)
    return delivery


@pytest.fixture
def managed(receiver: Receiver) -> WebhookEndpoint:
    """A webhook of an organisation with a manager who has an address of mail, and a member who has one too."""
    carrier = make_organisation("carrier")
    for name in ("manager", "member"):
        person = make_member("carrier", carrier, username=name, language="en")
        EmailAddress.objects.create(user=person, email=f"{name}@demo.invalid", verified=True)
        if name == "manager":
            people.make_manager(person.memberships.get(), by=None, at=NOW)
    return make_webhook(carrier, url=receiver.url)


def test_after_the_last_attempt_it_is_switched_off_and_its_managers_are_told(
    receiver: Receiver, managed: WebhookEndpoint
) -> None:
    receiver.answers = answering(500)
    delivery = through_the_table(make_delivery(managed))

    managed.refresh_from_db()
    assert (delivery.status, delivery.attempts) == (DeliveryStatus.FAILED, ATTEMPTS)
    assert delivery.tried_at is not None
    assert delivery.tried_at - NOW > timedelta(days=3)
    assert (managed.status, managed.disabled_because) == (EndpointStatus.DISABLED, Disabled.FAILING)
    (letter,) = mail.outbox
    assert letter.to == ["manager@demo.invalid"]
    assert f"/webhooks/{managed.pk}/" in letter.body
    assert "?from" not in letter.body


def test_one_message_nobody_can_take_does_not_switch_off_what_works(
    receiver: Receiver, managed: WebhookEndpoint
) -> None:
    poison = make_delivery(managed)
    receiver.answers = lambda message: ((500 if message.id == poison.message_id else 204), {}, b"")
    sent(make_delivery(managed, at=NOW + timedelta(days=1)), NOW + timedelta(days=1))
    poison.refresh_from_db()
    through_the_table(poison)

    managed.refresh_from_db()
    assert managed.status == EndpointStatus.ACTIVE
    assert mail.outbox == []


def test_gone_switches_it_off_at_once(receiver: Receiver, managed: WebhookEndpoint) -> None:
    receiver.answers = answering(410)
    delivery = sent(make_delivery(managed))

    managed.refresh_from_db()
    assert (delivery.status, delivery.attempts) == (DeliveryStatus.FAILED, 1)
    assert (managed.status, managed.disabled_because) == (EndpointStatus.DISABLED, Disabled.GONE)
    assert len(mail.outbox) == 1
    assert Event.objects.filter(kind="webhook.disabled", facts__because="gone").exists()


def test_what_waits_while_it_is_off_is_sent_when_it_is_on_again(receiver: Receiver) -> None:
    endpoint = make_webhook(url=receiver.url)
    delivery = make_delivery(endpoint)
    services.disable(endpoint, by=None, at=NOW)
    assert sent(delivery).attempts == 0

    services.enable(endpoint, by=None, at=NOW)

    assert sent(delivery).status == DeliveryStatus.DELIVERED


def test_a_replay_is_sent_under_the_id_it_had(receiver: Receiver) -> None:
    delivery = sent(make_delivery(make_webhook(url=receiver.url)))
    services.replay(delivery, by=None, at=NOW)
    sent(delivery)

    assert [message.id for message in receiver.got] == [delivery.message_id] * 2


# -- What the other side may do ----------------------------------------------------------------------------


def test_a_redirect_is_not_followed(receiver: Receiver) -> None:
    with receiving() as elsewhere:
        receiver.answers = answering(307, Location=elsewhere.url)
        delivery = sent(make_delivery(make_webhook(url=receiver.url)))

        assert elsewhere.connections == 0
    assert (delivery.status, delivery.problem) == (DeliveryStatus.WAITING, Problem.REDIRECT)


def test_of_a_long_answer_only_the_beginning_is_read(receiver: Receiver) -> None:
    receiver.answers = answering(200, b"\x00ok " + "长".encode() * 3_000_000)
    delivery = sent(make_delivery(make_webhook(url=receiver.url)))

    assert delivery.status == DeliveryStatus.DELIVERED
    assert len(delivery.excerpt) == 300
    assert delivery.excerpt.startswith("ok 长")


def test_a_telephone_number_in_an_answer_is_not_kept(receiver: Receiver) -> None:
    receiver.answers = answering(500, "请致电 13900001111".encode())
    delivery = sent(make_delivery(make_webhook(url=receiver.url)))

    assert "13900001111" not in delivery.excerpt


def test_who_does_not_answer_is_hung_up_on(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("supplies.notices.posting.SECONDS", 0.3)
    receiver.silent.set()
    began = time.monotonic()
    delivery = sent(make_delivery(make_webhook(url=receiver.url)))

    assert time.monotonic() - began < 5
    assert (delivery.problem, delivery.http_status) == (Problem.NO_ANSWER, None)


# -- Many at a time ----------------------------------------------------------------------------------------


def test_a_slow_receiver_does_not_hold_up_the_others(
    receiver: Receiver, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(carrying, "IS_SLOW_MS", 200)
    with receiving() as slow:
        settings.WEBHOOK_HOSTS = [receiver.host, slow.host]
        slow.silent.set()
        slow_one, quick_one = (make_webhook(url=one.url) for one in (slow, receiver))
        for _number in range(100):
            make_delivery(slow_one)
        for _number in range(100):
            make_delivery(quick_one)
        threading.Thread(target=lambda: (receiver.wait_for(100), slow.silent.clear())).start()
        carry(clock=at(NOW))

        # All the quick ones came while the slow one had answered nothing.
        assert quick_one.deliveries.filter(status=DeliveryStatus.DELIVERED).count() == 100
        slow_one.refresh_from_db()
        assert slow_one.slow_until is not None


def test_an_endpoint_has_so_many_messages_under_way_and_one_if_it_is_slow() -> None:
    plenty, slow = make_webhook(), make_webhook()
    WebhookEndpoint.objects.filter(pk=slow.pk).update(slow_until=NOW + timedelta(minutes=1))
    for endpoint in (plenty, slow):
        for _number in range(AT_ONCE + 10):
            make_delivery(endpoint)

    taken = [message for _time in range(10) for lane in take(8, at=NOW) for message in lane]

    urls = [message.url for message in taken]
    assert (urls.count(plenty.url), urls.count(slow.url)) == (AT_ONCE, 1)


def test_what_has_least_under_way_comes_first() -> None:
    old, new = make_webhook(), make_webhook()
    for _number in range(40):
        make_delivery(old)
    take(1, at=NOW)
    make_delivery(new, at=NOW + timedelta(seconds=1))

    ((message,),) = take(1, at=NOW + timedelta(seconds=1))

    assert message.url == new.url


def test_what_is_under_a_lease_is_not_taken_again_before_it_has_run_out() -> None:
    make_delivery()
    ((message,),) = take(1, at=NOW)

    assert take(1, at=NOW + LEASE - timedelta(seconds=1)) == []
    assert [[again.message_id for again in lane] for lane in take(1, at=NOW + LEASE)] == [
        [message.message_id]
    ]


def test_taking_and_writing_down_asks_the_database_as_often_for_many_as_for_few(
    receiver: Receiver, django_assert_max_num_queries: Any
) -> None:
    endpoint = make_webhook(url=receiver.url)
    for _number in range(16):
        make_delivery(endpoint)

    with django_assert_max_num_queries(30):
        assert carry(clock=at(NOW)) == 16


# -- Several workers ---------------------------------------------------------------------------------------

CARRY = """
import django; django.setup()
from supplies.notices.carrying import carry
print(carry())
"""


def worker(receiver: Receiver) -> Any:
    return start("-c", CARRY, WEBHOOK_HOSTS=receiver.host, PYTHONPATH=os.getcwd())


@pytest.mark.django_db(transaction=True)
def test_a_worker_killed_in_the_middle_loses_nothing_and_another_sends_it_under_the_same_id(
    receiver: Receiver,
) -> None:
    now = timezone.now()
    endpoint = make_webhook(url=receiver.url)
    ids = {make_delivery(endpoint, at=now).message_id for _number in range(40)}
    receiver.silent.set()
    dying = worker(receiver)
    before = {message.id for message in receiver.wait_for(1, within=90)}
    dying.send_signal(signal.SIGKILL)
    dying.communicate(timeout=30)
    receiver.silent.clear()
    assert WebhookDelivery.objects.waiting().count() == 40

    WebhookDelivery.objects.leased(timezone.now()).update(lease_until=now)
    out, err = worker(receiver).communicate(timeout=80)

    assert int(out) == 40, err
    assert {message.id for message in receiver.got} == ids
    assert [message.id for message in receiver.got].count(before.pop()) == 2
    assert WebhookDelivery.objects.filter(status=DeliveryStatus.DELIVERED).count() == 40


@pytest.mark.django_db(transaction=True)
def test_two_workers_share_what_waits_and_send_each_message_once(receiver: Receiver) -> None:
    now = datetime.now(UTC)
    for _endpoint in range(4):
        endpoint = make_webhook(url=receiver.url)
        for _number in range(60):
            make_delivery(endpoint, at=now)

    counts = [int(out) for out in finish(worker(receiver), worker(receiver), within=120)]

    assert sum(counts) == 240
    assert len({message.id for message in receiver.got}) == len(receiver.got) == 240
