"""The section [oidc], the client's secret, TLS to the provider, and the words of the command line."""

import datetime as dt
import ipaddress
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from databases import make_database
from identity_provider import CLIENT, SECRET, Provider
from schoolwatch_server import cli, people
from schoolwatch_server.config import ConfigError, Http, Oidc, ServerConfig, parse, render
from schoolwatch_server.database import people as accounts
from schoolwatch_server.database.engine import begin_read, open_database
from schoolwatch_server.oidc import client_secret
from schoolwatch_server.oidc.client import Client
from schoolwatch_server.oidc.errors import ProviderError
from schoolwatch_server.scope import EVERYTHING

GOOD = """
[http]
public_url = "https://schoolwatch.so.gov.vn"
[oidc]
issuer = "https://dang-nhap.so.gov.vn/realms/so"
client_id = "schoolwatch"
"""


def test_the_section_is_read_and_written_as_it_was(tmp_path: Path) -> None:
    more = 'client_secret_file = "secret"\nsecond_factor_amr = ["mfa"]\n'
    config = parse(GOOD + more, tmp_path / "server.toml")
    assert config.oidc.client_secret_file == str(tmp_path / "secret")
    assert config.oidc.algorithms == ("RS256", "ES256")
    assert parse(render(config), tmp_path / "server.toml") == config
    assert parse("", tmp_path / "server.toml").oidc.issuer == "", "off by itself"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("https://dang-nhap", "http://dang-nhap", "oidc.issuer: is no https"),
        ("https://dang-nhap.so.gov.vn", "https://", "oidc.issuer: is no https"),
        ("realms/so", "realms/so?x=1", "oidc.issuer: is no https"),
        ("realms/so", "realms/so#x", "oidc.issuer: is no https"),
        ("dang-nhap.so.gov.vn", "ai@dang-nhap.so.gov.vn", "oidc.issuer: is no https"),
        ("dang-nhap.so.gov.vn", "dang-nhap.so.gov.vn:99999", "oidc.issuer: is no https"),
        ('"schoolwatch"', '""', "oidc.client_id: is empty"),
        ("https://schoolwatch", "http://schoolwatch", "http.public_url: is no https"),
        ('public_url = "https://schoolwatch.so.gov.vn"', "", "http.public_url: is no https"),
        ('client_id = "schoolwatch"', 'client_id = "x"\nalgorithms = ["HS256"]', "oidc.algorithms"),
        ('client_id = "schoolwatch"', 'client_id = "x"\nalgorithms = ["none"]', "oidc.algorithms"),
        ('client_id = "schoolwatch"', 'client_id = "x"\nalgorithms = []', "oidc.algorithms"),
        ('client_id = "schoolwatch"', 'client_id = "x"\nsubject_claim = "email"', "oidc.subject_claim"),
        (
            'client_id = "schoolwatch"',
            'client_id = "x"\nclient_secret = "abc"',
            "no secret stands in the settings",
        ),
    ],
)
def test_what_can_t_be_used_is_refused_by_its_name(old: str, new: str, said: str) -> None:
    assert old in GOOD
    with pytest.raises(ConfigError, match=said):
        parse(GOOD.replace(old, new), Path("server.toml"))


def test_the_secret_comes_from_a_file_of_its_owner_or_from_systemd(tmp_path: Path) -> None:
    file = tmp_path / "oidc_client_secret"
    file.write_text(SECRET + "\n")
    file.chmod(0o640)
    with pytest.raises(ConfigError, match="chmod 600"):
        client_secret.read(str(file))
    assert client_secret.read("", {"CREDENTIALS_DIRECTORY": str(tmp_path)}) == SECRET
    file.chmod(0o600)
    assert client_secret.read(str(file)) == SECRET
    for wrong, said in ((str(tmp_path / "gone"), "can't be read"), ("", "is empty")):
        with pytest.raises(ConfigError, match=said):
            client_secret.read(wrong, {})
    for text in ("", "two\nlines"):
        file.write_text(text)
        with pytest.raises(ConfigError, match="holds no secret") as refused:
            client_secret.read(str(file))
        assert "two" not in str(refused.value)


def certificate(folder: Path) -> tuple[ssl.SSLContext, Path]:
    """A provider's own certificate for 127.0.0.1, signed by itself, and its file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(hours=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, SHA256())
    )
    pem, secret = folder / "provider.pem", folder / "provider.key"
    pem.write_bytes(made.public_bytes(Encoding.PEM))
    secret.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem, secret)
    return context, pem


@pytest.fixture
def tls(tmp_path: Path) -> Iterator[tuple[Provider, ServerConfig, Path]]:
    context, pem = certificate(tmp_path)
    (tmp_path / "secret").write_text(SECRET)
    (tmp_path / "secret").chmod(0o600)
    with Provider(tls=context) as provider:
        oidc = Oidc(
            issuer=provider.issuer,
            client_id=CLIENT,
            client_secret_file=str(tmp_path / "secret"),
            ca_file=str(pem),
        )
        yield provider, ServerConfig(oidc=oidc, http=Http(public_url="https://schoolwatch.so.gov.vn")), pem


def test_a_provider_is_known_by_the_authority_that_the_settings_name(
    tls: tuple[Provider, ServerConfig, Path],
) -> None:
    provider, config, pem = tls
    url, cookie = Client(config).begin("/", time.time())
    assert url.startswith(f"{provider.issuer}/auth?")
    assert "redirect_uri=https%3A%2F%2Fschoolwatch.so.gov.vn%2Flogin%2Foidc%2Fcallback" in url
    assert len(cookie) < 1000

    stranger = msgspec.structs.replace(config.oidc, ca_file="")
    with pytest.raises(ProviderError, match="ConnectError"):
        Client(msgspec.structs.replace(config, oidc=stranger)).begin("/", time.time())
    pem.write_text("no certificate")
    with pytest.raises(ConfigError, match=r"oidc\.ca_file"):
        Client(config)


def test_the_command_line_links_and_unlinks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    engine = open_database(make_database(tmp_path), tmp_path)
    for name in ("binh", "an"):
        people.create_account(engine, name, "a password", role="so_viewer", scope=EVERYTHING, by="t")

    def run(*words: str) -> str:
        cli.main([*words, "--data", str(tmp_path)])
        said = capsys.readouterr()
        return said.out + said.err

    assert "oidc.issuer" in run("account", "link-oidc", "binh", "--subject", "sub-1")
    settings = tmp_path / "server.toml"  # on PostgreSQL it names the database
    settings.write_text((settings.read_text() if settings.exists() else "") + GOOD)
    assert "opens binh" in run("account", "link-oidc", "binh", "--subject", "sub-1")
    assert "binh  so_viewer  everything  oidc" in run("account", "list")
    assert "another account" in run("account", "link-oidc", "an", "--subject", "sub-1")
    assert "no account" in run("account", "link-oidc", "khong-co", "--subject", "sub-2")
    assert "printable ASCII" in run("account", "link-oidc", "an", "--subject", "có dấu")
    assert "the password does" in run("account", "unlink-oidc", "binh")
    assert "opens an" in run("account", "link-oidc", "an", "--subject", "sub-1")
    with begin_read(engine) as conn:
        held = accounts.account_by_identity(conn, "https://dang-nhap.so.gov.vn/realms/so", "sub-1")
    assert held is not None
    assert held.name == "an"
    engine.dispose()


def test_without_a_provider_its_libraries_are_not_loaded() -> None:
    code = "import sys, schoolwatch_server.api.service; print({'jwt', 'httpx'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
