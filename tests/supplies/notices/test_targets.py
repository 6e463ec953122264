"""Sixty addresses a webhook must not reach, each tried on the way every message takes: not one connection arrives inside."""

import socket
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from django.core.exceptions import ValidationError

from supplies import connecting
from supplies.notices import services
from supplies.notices.carrying import carry
from supplies.notices.models import DeliveryStatus, Problem, WebhookDelivery, WebhookEndpoint
from supplies.notices.posting import post
from tests.makers import NOW, make_delivery, make_organisation, make_webhook
from tests.supplies.notices.receiver import Receiver, receiving

# Where a name leads, by the name's first word; each is asked for as https://WORD.hostile.example/
NAMES = {
    "loopback": "127.0.0.1", "loopback-high": "127.255.255.254", "this-network": "0.0.0.0", "ten": "10.0.0.1",
    "ten-high": "10.255.255.255", "private-b": "172.16.0.1", "private-b-high": "172.31.255.255", "private-c": "192.168.0.1",
    "link-local": "169.254.1.1", "metadata": "169.254.169.254", "metadata-ecs": "169.254.170.2", "cgnat": "100.64.0.1",
    "cgnat-high": "100.127.255.255", "alibaba-metadata": "100.100.100.200", "ietf": "192.0.0.1", "oracle-metadata": "192.0.0.192",
    "documentation": "192.0.2.1", "documentation-2": "198.51.100.1", "documentation-3": "203.0.113.1", "benchmark": "198.18.0.1",
    "multicast": "224.0.0.1", "reserved": "240.0.0.1", "broadcast": "255.255.255.255", "unspecified-6": "::", "loopback-6": "::1",
    "mapped-loopback": "::ffff:127.0.0.1", "mapped-ten": "::ffff:10.0.0.1", "mapped-metadata": "::ffff:169.254.169.254",
    "compatible": "::127.0.0.1", "link-local-6": "fe80::1", "unique-local": "fc00::1", "metadata-6": "fd00:ec2::254",
    "site-local": "fec0::1", "multicast-6": "ff02::1", "nat64": "64:ff9b::7f00:1", "nat64-local": "64:ff9b:1::a00:1",
    "6to4-loopback": "2002:7f00:1::", "6to4-metadata": "2002:a9fe:a9fe::", "teredo": "2001::1", "documentation-6": "2001:db8::1",
    "discard": "100::1",
}  # fmt: skip
SPELLED = [
    "https://127.1/", "https://2130706433/", "https://0x7f000001/", "https://0x7f.0.0.1/", "https://0177.0.0.1/",
    "https://017700000001/", "https://0/", "https://localhost/", "https://2852039166/",
]  # fmt: skip
NEVER_SENT_TO = [
    "http://hooks.example.org/", "ftp://hooks.example.org/", "file:///etc/passwd", "gopher://127.0.0.1:25/", "//hooks.example.org/",
    "https://user@hooks.example.org/", "https://user:word@hooks.example.org/", "https://@127.0.0.1/", "https://hooks.example.org@127.0.0.1/",
    "https://hooks.example.org:22/", "https://hooks.example.org:8443/", "https://hooks.example.org:5432/", "https://hooks.example.org:99999/",
    "https://127.0.0.1:6379/", "https://hooks.example.org/#x", "https://hooks.example.org/ x", "https://hooks.example.org/\r\nHost: inside",
    "https://127.0.0.1/", "https://10.0.0.1/", "https://[::1]/", "https://[::ffff:127.0.0.1]/", "https://[::ffff:7f00:1]/", "https://[fe80::1%25lo]/",
    "https://169.254.169.254/latest/meta-data/", "https://192.0.2.1/", "https://100.64.0.1/",
    "https://例え.org/", "https://", "https://[::1", "", "javascript:alert(1)", "https://" + "a" * 500 + ".org/",
]  # fmt: skip


def found(address: str, port: int) -> list[Any]:
    family = socket.AF_INET6 if ip_address(address).version == 6 else socket.AF_INET
    return [(family, socket.SOCK_STREAM, 6, "", (address, port))]


@pytest.fixture
def listener(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    """Inside this machine, at the port that https has for this test; and names that lead where NAMES says."""
    true = socket.getaddrinfo

    def resolved(host: str, port: int, *words: Any, **more: Any) -> Any:
        name = host.removesuffix(".hostile.example")
        return found(NAMES[name], port) if name in NAMES else true(host, port, *words, **more)

    with receiving() as inside:
        monkeypatch.setitem(connecting.USUAL, "https", inside.port)
        monkeypatch.setattr(socket, "getaddrinfo", resolved)
        yield inside


def test_there_are_more_than_sixty() -> None:
    assert len(NAMES) + len(SPELLED) + len(NEVER_SENT_TO) > 60


@pytest.mark.parametrize("url", [f"https://{name}.hostile.example/" for name in NAMES] + SPELLED)
def test_a_name_or_number_that_leads_inside_is_refused_when_it_is_connected_to(
    url: str, listener: Receiver
) -> None:
    connecting.site_of(url, named=[])  # nothing is wrong with the address as such

    answer = post(url, b"{}", {})

    assert (answer.problem, answer.status) == (Problem.ADDRESS, None)
    assert listener.connections == 0


@pytest.mark.parametrize("url", NEVER_SENT_TO)
@pytest.mark.django_db
def test_an_address_that_is_none_of_ours_is_refused_when_it_is_given_and_when_it_is_sent_to(
    url: str, listener: Receiver
) -> None:
    with pytest.raises(ValidationError):
        services.add(make_organisation(), url=url, kinds=["need.opened"], by=None, at=NOW)

    assert post(url, b"{}", {}).problem == Problem.ADDRESS
    assert listener.connections == 0


def test_the_control_the_listener_would_have_seen_it(listener: Receiver, settings: Any) -> None:
    settings.WEBHOOK_HOSTS = [listener.host]

    assert post(listener.url, b"{}", {"webhook-id": "1"}).status == 204
    assert listener.connections == 1


@pytest.mark.django_db
def test_a_trial_goes_the_same_way(listener: Receiver) -> None:
    delivery = make_delivery(make_webhook(url="https://loopback.hostile.example/"))
    carry(clock=lambda: NOW)

    delivery = WebhookDelivery.objects.get(pk=delivery.pk)
    assert (delivery.status, delivery.problem) == (DeliveryStatus.WAITING, Problem.ADDRESS)
    assert listener.connections == 0


@pytest.mark.django_db
def test_an_address_that_was_vouched_for_and_is_not_any_more_is_refused(settings: Any) -> None:
    with receiving() as inside:
        settings.WEBHOOK_HOSTS = [inside.host]
        delivery = make_delivery(make_webhook(url=inside.url))
        settings.WEBHOOK_HOSTS = []
        carry(clock=lambda: NOW)

        assert inside.connections == 0
    assert WebhookDelivery.objects.get(pk=delivery.pk).problem == Problem.ADDRESS


def test_nothing_is_vouched_for_by_default() -> None:
    import config.settings

    assert config.settings.WEBHOOK_HOSTS == []


def test_a_name_that_leads_elsewhere_the_second_time_is_connected_to_where_it_was_looked_at(
    monkeypatch: pytest.MonkeyPatch, listener: Receiver
) -> None:
    answers, connected = iter(["93.184.216.34", "127.0.0.1"]), []
    monkeypatch.setattr(socket, "getaddrinfo", lambda host, port, **_more: found(next(answers), port))

    def connect(place: Any, *_words: Any) -> Any:
        connected.append(place[0])
        raise OSError

    monkeypatch.setattr(socket, "create_connection", connect)

    assert post("https://rebinds.example.org/", b"{}", {}).problem == Problem.NO_ANSWER
    assert connected == ["93.184.216.34"]
    assert listener.connections == 0


def test_a_name_that_also_leads_inside_is_refused(
    monkeypatch: pytest.MonkeyPatch, listener: Receiver
) -> None:
    both = [*found("93.184.216.34", 443), *found("127.0.0.1", 443)]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_words, **_more: both)

    assert post("https://both.example.org/", b"{}", {}).problem == Problem.ADDRESS
    assert listener.connections == 0


# -- The certificate has to be of the name ------------------------------------------------------------------


@pytest.fixture
def certified(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> Iterator[Receiver]:
    """A receiver over TLS whose certificate is of hooks.example.org, which every name leads to."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "hooks.example.org")])
    today = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(today - timedelta(days=1))
        .not_valid_after(today + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("hooks.example.org")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path / "certificate.pem"
    file.write_bytes(
        certificate.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)

    with receiving(tls=context) as one:

        def connect(_place: Any, seconds: float) -> socket.socket:
            line = socket.socket()
            line.settimeout(seconds)
            line.connect(("127.0.0.1", one.port))
            return line

        monkeypatch.setenv("SSL_CERT_FILE", str(file))
        monkeypatch.setattr(socket, "getaddrinfo", lambda host, port, **_more: found("93.184.216.34", port))
        monkeypatch.setattr(socket, "create_connection", connect)
        connecting.trusted.cache_clear()
        yield one
    connecting.trusted.cache_clear()


def test_the_address_that_was_looked_at_has_to_show_the_certificate_of_the_name(certified: Receiver) -> None:
    assert post("https://hooks.example.org/in", b"{}", {"webhook-id": "1"}).status == 204
    assert post("https://other.example.org/in", b"{}", {"webhook-id": "2"}).problem == Problem.NO_ANSWER
    assert [(message.id, message.headers["host"]) for message in certified.got] == [
        ("1", "hooks.example.org")
    ]


@pytest.mark.django_db
def test_secrets_are_sealed_and_gone_with_the_webhook() -> None:
    endpoint = make_webhook()
    secret = endpoint.secret
    stored = WebhookEndpoint.objects.values_list("secret_sealed", flat=True).get(pk=endpoint.pk)
    assert secret.removeprefix("whsec_").encode() not in bytes(stored)

    services.rotate(endpoint, by=None, at=NOW)
    removed = services.remove(endpoint, by=None, at=NOW)

    assert (removed.secret, removed.old_secret) == ("", "")
