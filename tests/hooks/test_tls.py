"""TLS certificates are verified with the system's CA bundle, or with that of the connection."""

import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from airflow_zendesk.exceptions import SettingsError
from airflow_zendesk.hooks.zendesk import ZendeskHook
from airflow_zendesk.zendesk.retry import RetryBudget
from tests.support.scripted_server import page, scripted_server

START, END = "2026-01-01T00:00:00Z", "2026-01-01T01:00:00Z"


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for loopback from an unknown authority, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "an invented authority")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "bundle.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM) + private)
    return path


@pytest.fixture
def tls(bundle: Path) -> ssl.SSLContext:
    """The TLS context of a server with that certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(bundle)
    return context


def test_unknown_certificate_is_refused_at_once(monkeypatch: pytest.MonkeyPatch, tls: ssl.SSLContext) -> None:
    """No credentials are sent, nothing is retried, and the error names the setting that helps."""
    with scripted_server(page(end_time=None), tls=tls) as server:
        monkeypatch.setenv("AIRFLOW_CONN_ZENDESK_DEFAULT", server.connection())
        with pytest.raises(SettingsError, match="set the extra verify to the path of your network's CA bundle"):
            list(ZendeskHook(retry_budget=RetryBudget(page_seconds=0)).iter_pages("ticket_events", START, END))
        succeeded, message = ZendeskHook().test_connection()
        assert not succeeded
        assert message.startswith("127.0.0.1: The TLS certificate")
    assert [] == server.paths


def test_bundle_of_the_connection_is_trusted(
    monkeypatch: pytest.MonkeyPatch, tls: ssl.SSLContext, bundle: Path
) -> None:
    """It takes precedence over the environment."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/no/such/bundle.pem")
    with scripted_server(page(end_time=None), tls=tls) as server:
        monkeypatch.setenv("AIRFLOW_CONN_ZENDESK_DEFAULT", server.connection(verify=str(bundle)))
        assert 1 == len(list(ZendeskHook().iter_pages("ticket_events", START, END)))
