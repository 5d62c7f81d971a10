"""What is wrong between us and a store is said with the setting and what to do."""

import socket
import ssl
from pathlib import Path
from typing import Literal

import pytest

from schoolwatch_server.store.influx import words
from schoolwatch_server.store.influx.engine import StoreDownError
from schoolwatch_server.store.influx.open import open_engine
from schoolwatch_server.store_section import SeriesStore
from sitelab import Authority, Site

PAGE = "<!DOCTYPE html><title>502</title>"


@pytest.mark.parametrize(
    ("status", "text", "location", "says"),
    [
        (301, "", "https://kho.so.vn/write?db=x", "301, sends on to https://kho.so.vn/write: have store.url"),
        (302, "", "https://sso.so.vn/login?token=secret", "a login stands before it"),
        (308, "", "", "308, sends on to elsewhere"),
        (502, PAGE, "", "from a proxy before the store"),
        (200, PAGE, "", "is store.url the store's own address"),
        (500, PAGE, "", "what answers is none"),
        (401, '{"code":"unauthorized"}', "", "store.token_file"),
        (403, "forbidden", "", "store.token_file"),
        (404, '{"message":"bucket "b" not found"}', "", "store.bucket"),
        (404, '{"error":"database not found: d"}', "", "store.database"),
        (404, "404 page not found", "", "is store.url right"),
        (429, "{}", "", "it has enough for now"),
        (500, "x" * 9000, "", "500 xxx"),
    ],
)
def test_an_answer_that_is_none(status: int, text: str, location: str, says: str) -> None:
    told = words.answered(status, text, location)
    assert says in told
    assert "secret" not in told
    assert len(told) < 500
    assert "\n" not in told


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (ConnectionRefusedError(111, "Connection refused"), "is the store running"),
        (socket.gaierror(-2, "Name or service not known"), "is store.url where it is?"),
        (ConnectionResetError(104, "Connection reset by peer"), "may lack an s"),
        (ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER] wrong version number"), "https:// is not spoken there"),
        (ssl.SSLError(1, "certificate verify failed: certificate has expired"), "have it renewed there"),
        (ssl.SSLError(1, "certificate is not yet valid"), "is a clock wrong"),
        (ssl.SSLError(1, "Hostname mismatch, certificate is not valid for 'a'"), "write the name"),
        (ValueError("whatever"), "ValueError: whatever"),
    ],
)
def test_no_answer_at_all(error: Exception, says: str) -> None:
    assert says in words.unreached(error)


@pytest.mark.parametrize("kind", ["influxdb", "victoriametrics"])
@pytest.mark.parametrize(
    ("host", "days", "is_known", "says"),
    [
        ("localhost", 60, False, r"store\.ca_file: name the file"),
        ("kho.so.vn", 60, True, r"store\.url: write the name"),
        ("localhost", -1, True, "have it renewed there"),
    ],
)
def test_a_certificate_that_is_not_trusted(
    tmp_path: Path,
    kind: Literal["influxdb", "victoriametrics"],
    host: str,
    days: float,
    is_known: bool,
    says: str,
) -> None:
    """Looking and writing go by two libraries, which say it each in its own way."""
    authority = Authority(tmp_path)
    with Site(ip="127.0.0.1", tls=authority.context(host, days=days)) as site:
        engine = open_engine(
            SeriesStore(
                kind,
                f"https://localhost:{site.port}",
                org="so" if kind == "influxdb" else "",
                bucket="b" if kind == "influxdb" else "",
                ca_file=str(authority.file) if is_known else "",
            )
        )
        for ask in (engine.about, lambda: engine.write(b"x value=1 1")):
            with pytest.raises(StoreDownError, match=says):
                ask()
        engine.close()
