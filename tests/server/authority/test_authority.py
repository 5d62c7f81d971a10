"""The own authority: what openssl makes of its certificates, its root in a safe, revocation, renewal."""

import os
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from cryptography import x509

from conftest import Peer
from schoolwatch_server import cli
from schoolwatch_server.authority import certificates, keys, own
from schoolwatch_server.authority.folder import Authority, AuthorityError
from schoolwatch_server.config import Http, Mqtt, ServerConfig, Tls

NOW = datetime(2026, 12, 1, tzinfo=UTC)
NAMES = ("giam-sat.so.example", "10.1.2.3", "2001:db8::1")


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    made = Authority(tmp_path / "ca")
    made.make("Sở", NOW)
    return made


@pytest.fixture
def config(tmp_path: Path) -> ServerConfig:
    return ServerConfig(data=str(tmp_path), tls=Tls(always=True))


def _verify(authority: Authority, chain: str, *words: str, at: datetime = NOW) -> str:
    """What openssl says of a chain, by the root alone."""
    file = authority.folder / "shown.pem"
    file.write_text(chain)
    root, crl = authority.folder / "root.pem", authority.folder / "crl.pem"
    at_ = ("-attime", str(int(at.timestamp())))
    files = ("-CAfile", str(root), "-CRLfile", str(crl), "-untrusted", str(file), str(file))
    done = subprocess.run(["openssl", "verify", *at_, *words, *files], capture_output=True, text=True)
    return done.stdout + done.stderr


def test_what_signs_is_sealed_with_the_master_key_and_follows_it(authority: Authority) -> None:
    folder, master = authority.folder, authority.folder.parent / "secrets" / "master"
    for name in ("root.key", "issuing.key"):
        content = (folder / name).read_bytes()
        assert content.startswith(b"sealed:"), name
        assert (folder / name).stat().st_mode & 0o077 == 0
    assert authority.seal_anew() == 0

    first = master.read_text()
    master.write_text(f"{'a' * 64}\n{first}")
    assert authority.seal_anew() == 2
    master.write_text("a" * 64)
    assert Authority(folder).issue(NAMES, NOW).serial

    (folder / "root.key").rename(folder / "issuing.key")  # sealed for something else
    with pytest.raises(AuthorityError, match="altered, or belongs to something else"):
        authority.issue(NAMES, NOW)
    (folder / "issuing.key").write_text("sealed:?")
    with pytest.raises(AuthorityError, match=r"issuing\.key: is no sealed key"):
        authority.issue(NAMES, NOW)
    with pytest.raises(AuthorityError, match="is no sealed key"):
        authority.seal_anew()


def test_a_key_that_an_older_program_left_in_clear_is_read_and_sealed(authority: Authority) -> None:
    for name in ("root.key", "issuing.key"):
        clear = keys.plain(authority._keys.read(name))
        (authority.folder / name).write_text(clear)
    again = Authority(authority.folder)
    assert again.issue(NAMES, NOW).serial
    assert again.seal_anew() == 2
    assert b"PRIVATE KEY" not in b"".join(path.read_bytes() for path in authority.folder.glob("*.key"))
    assert again.issue(NAMES, NOW).serial
    (authority.folder.parent / "secrets" / "master").write_text("b" * 64)
    with pytest.raises(AuthorityError, match="put that key's line back"):
        Authority(authority.folder).issue(NAMES, NOW)


def test_openssl_takes_a_certificate_for_its_names_and_no_other(authority: Authority, peer: Peer) -> None:
    peer("openssl")
    chain = authority.issue(NAMES, NOW).chain
    strict = ("-x509_strict", "-purpose", "sslserver")
    assert _verify(authority, chain, *strict, "-verify_hostname", NAMES[0]).endswith(": OK\n")
    assert _verify(authority, chain, *strict, "-verify_ip", NAMES[1]).endswith(": OK\n")
    assert _verify(authority, chain, *strict, "-verify_ip", NAMES[2]).endswith(": OK\n")
    assert "hostname mismatch" in _verify(authority, chain, "-verify_hostname", "elsewhere.example")
    assert "expired" in _verify(authority, chain, at=NOW + timedelta(days=91))
    client = authority.issue(["a" * 32], NOW, purpose="client").chain
    assert "unsuitable certificate purpose" in _verify(authority, client, *strict)


def test_the_leaf_cannot_sign_and_the_issuing_ca_cannot_make_another(
    authority: Authority, peer: Peer
) -> None:
    peer("openssl")
    other = Authority(authority.folder.parent / "other")
    other.make("another", NOW)
    assert "unable to get local issuer" in _verify(authority, other.issue(NAMES, NOW).chain)
    leaf = x509.load_pem_x509_certificate(authority.issue(NAMES, NOW).chain.encode())
    assert leaf.extensions.get_extension_for_class(x509.BasicConstraints).value.ca is False
    issuing = authority.issuing.extensions.get_extension_for_class(x509.BasicConstraints).value
    assert (issuing.ca, issuing.path_length) == (True, 0)


def test_a_revoked_certificate_is_refused_by_the_list(authority: Authority, peer: Peer) -> None:
    peer("openssl")
    kept, gone = authority.issue(NAMES, NOW), authority.issue(NAMES, NOW)
    authority.revoke(gone.serial, NOW)
    assert _verify(authority, kept.chain, "-crl_check").endswith(": OK\n")
    assert "certificate revoked" in _verify(authority, gone.chain, "-crl_check")
    later = NOW + timedelta(days=10)
    assert authority.keep_crl_fresh(later)
    assert not authority.keep_crl_fresh(later)
    assert "certificate revoked" in _verify(authority, gone.chain, "-crl_check", at=NOW + timedelta(days=20))
    with pytest.raises(AuthorityError, match="ca show"):
        authority.revoke("123", NOW)


def test_the_roots_key_in_a_safe_is_encrypted_and_makes_the_next_issuing_ca(
    authority: Authority, tmp_path: Path, peer: Peer
) -> None:
    peer("openssl")
    stick = tmp_path / "stick.key"
    authority.take_root_away(stick, b"correct horse battery")
    assert not authority.has_root_key
    assert "ENCRYPTED" in stick.read_text()
    assert stick.stat().st_mode & 0o777 == 0o600
    with pytest.raises(AuthorityError, match="passphrase"):
        authority.root_key(stick, b"something else")
    old, later = authority.issuing, NOW + timedelta(days=4 * 365)
    authority.renew_issuing("Sở", authority.root_key(stick, b"correct horse battery"), later)
    assert authority.issuing != old
    assert _verify(authority, authority.issue(NAMES, later).chain, at=later).endswith(": OK\n")
    other = Authority(tmp_path / "other")
    other.make("another", NOW)
    with pytest.raises(AuthorityError, match="not the key of the root"):
        authority.renew_issuing("Sở", other.root_key(), later)


def test_no_key_is_readable_by_others(authority: Authority, config: ServerConfig) -> None:
    own.keep(config, NOW)
    secret = [*authority.folder.glob("*.key"), Path(config.data, "tls", "server.pem")]
    assert len(secret) == 3
    assert all(file.stat().st_mode & 0o077 == 0 for file in secret)


def test_the_servers_certificate_is_renewed_in_its_last_third_and_not_before(config: ServerConfig) -> None:
    file = Path(config.data, "tls", "server.pem")
    assert own.keep(config, NOW)
    first = file.read_bytes()
    assert not own.keep(config, NOW + timedelta(days=59))
    assert file.read_bytes() == first
    assert own.keep(config, NOW + timedelta(days=61))
    assert own.keep(config, NOW + timedelta(days=2000)), "also long after its end"
    shown = own.read(file)
    assert shown is not None
    assert not certificates.is_due(shown, NOW + timedelta(days=2000))


def test_it_is_renewed_for_a_new_name_after_revocation_and_under_a_new_issuing_ca(
    config: ServerConfig,
) -> None:
    own.keep(config, NOW)
    named = msgspec.structs.replace(config, http=Http(public_url="https://giam-sat.so.example:8443"))
    assert own.keep(named, NOW)
    shown = own.read(Path(config.data, "tls", "server.pem"))
    assert shown is not None
    assert {"giam-sat.so.example", "127.0.0.1", "localhost"} <= certificates.names_of(shown)
    assert not own.keep(named, NOW)
    authority = own.authority(config)
    authority.revoke(f"{shown.serial_number:x}", NOW)
    assert own.keep(named, NOW)
    authority.renew_issuing("Sở", authority.root_key(), NOW)
    assert own.keep(named, NOW)


def test_the_issuing_ca_follows_by_itself_while_the_root_is_here(config: ServerConfig) -> None:
    own.keep(config, NOW)
    first = own.authority(config).issuing
    own.keep(config, NOW + timedelta(days=3 * 365))
    assert own.authority(config).issuing == first
    own.keep(config, NOW + timedelta(days=4 * 365 + 100))
    assert own.authority(config).issuing != first


def test_any_address_means_this_machines_names(tmp_path: Path) -> None:
    config = ServerConfig(data=str(tmp_path), http=Http(host="0.0.0.0"), mqtt=Mqtt(host="::"))
    needed, _ = own.names(config)
    assert {os.uname().nodename, "127.0.0.1"} <= needed
    assert not {"0.0.0.0", "::"} & needed


def test_the_command_makes_shows_issues_and_revokes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], peer: Peer
) -> None:
    peer("openssl")
    data, secret, stick = str(tmp_path / "data"), tmp_path / "secret", tmp_path / "stick.key"
    secret.write_text("correct horse battery\n")
    away = ("--root-key", str(stick), "--passphrase-file", str(secret))
    assert cli.main(["ca", "init", "--name", "Sở Mẫu", *away, "--data", data]) == 0
    assert "its key is not here" in capsys.readouterr().out
    assert not Path(data, "ca", "root.key").exists()
    out = tmp_path / "broker"
    assert cli.main(["ca", "issue", "broker.example", "--out", str(out), "--data", data]) == 0
    serial = capsys.readouterr().out.split()[-1]
    authority = Authority(Path(data, "ca"))
    now = datetime.now(UTC)
    assert _verify(authority, (out / "chain.pem").read_text(), at=now).endswith(": OK\n")
    assert cli.main(["ca", "revoke", serial, "--data", data]) == 0
    assert "certificate revoked" in _verify(authority, (out / "chain.pem").read_text(), "-crl_check", at=now)
    capsys.readouterr()
    assert cli.main(["ca", "show", "--data", data]) == 0
    shown = capsys.readouterr().out
    assert certificates.fingerprint(authority.root) in shown
    assert "revoked" in shown
    assert cli.main(["ca", "renew", "--issuing", "--data", data]) == 2
    assert "--root-key" in capsys.readouterr().err
    assert cli.main(["ca", "renew", "--issuing", *away, "--data", data]) == 0


@pytest.mark.parametrize(
    "words", [("init",), ("issue", "a b", "--out", "x"), ("take-root-away", "--root-key", "x")]
)
def test_what_cannot_be_done_is_one_line(
    words: tuple[str, ...],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.stdin", None)
    if words[0] == "init":
        assert cli.main(["ca", "init", "--data", "d"]) == 0
    elif words[0] == "issue":
        assert cli.main(["ca", "init", "--data", "d"]) == 0
        words = ("issue", "ä" * 70 + "..", "--out", "x")
    capsys.readouterr()
    assert cli.main(["ca", *words, "--data", "d"]) == 2
    said = capsys.readouterr().err
    assert said.startswith("schoolwatch-server: ")
    assert said.count("\n") == 1
