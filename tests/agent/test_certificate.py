"""Whose certificate it is: real ones that openssl makes, and any bytes."""

import ssl
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import Peer
from schoolwatch_agent.formats import certificate


def made(folder: Path, subject: str, *names: str) -> bytes:
    argv = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    crt, key = folder / "crt.pem", folder / "key.pem"
    argv += ["-subj", subject, "-days", "2", "-keyout", str(key), "-out", str(crt)]
    if names:
        argv += ["-addext", "subjectAltName=critical," + ",".join(names)]
    subprocess.run(argv, check=True, capture_output=True, timeout=60)
    return ssl.PEM_cert_to_DER_cert(crt.read_text())


@pytest.mark.parametrize(
    ("subject", "names", "host", "expected"),
    [
        ("/CN=x", ("DNS:a.vidu.vn", "IP:192.0.2.1", "DNS:B.vidu.vn"), "b.vidu.vn", True),
        ("/CN=x", ("DNS:*.vidu.vn",), "a.vidu.vn", True),
        ("/CN=x", ("DNS:*.vidu.vn",), "a.b.vidu.vn", False),
        ("/CN=x", ("DNS:*.vn",), "vidu.vn", False),  # a star over a whole country is nobody's
        (
            "/CN=a.vidu.vn",
            ("DNS:hotspot.lan",),
            "a.vidu.vn",
            False,
        ),
        ("/O=So GDDT/CN=A.vidu.vn", (), "a.vidu.vn", True),
        ("/CN=MikroTik", (), "a.vidu.vn", False),
        ("/O=nobody", (), "a.vidu.vn", None),
        ("/CN=x", ("DNS:a.vidu.vn",), "192.0.2.1", None),
        ("/CN=x", ("DNS:" + "thử.vn".encode("idna").decode(),), "thử.vn", True),
    ],
)
def test_a_certificate_tells_whose_it_is(
    tmp_path: Path, peer: Peer, subject: str, names: tuple[str, ...], host: str, expected: bool | None
) -> None:
    peer("openssl")
    assert certificate.is_for(made(tmp_path, subject, *names), host) is expected


def test_what_is_cut_off_tells_nothing_or_the_same(tmp_path: Path, peer: Peer) -> None:
    peer("openssl")
    whole = made(tmp_path, "/CN=x", "DNS:a.vidu.vn")
    assert {certificate.is_for(whole[:size], "a.vidu.vn") for size in range(len(whole))} == {None}


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_tell_nothing(der: bytes) -> None:
    assert certificate.is_for(der, "a.vidu.vn") in (True, False, None)
