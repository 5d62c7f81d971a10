"""The server's settings for a device: what is not settings is refused with its reason."""

import contextlib

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schoolwatch_contract import settings
from schoolwatch_contract.errors import ContractError
from schoolwatch_contract.settings import DEFAULTS, Bandwidth, Endpoint, Ipv6, Quality, Settings

WHOLE = Settings(
    measures_use=True,
    ipv6=Ipv6(
        (Endpoint("a.example", 443), Endpoint("b.example")),
        "v6only.example",
        Endpoint("c.example"),
        Endpoint("d.example", 8080, tls=False),
    ),
    quality=Quality(("192.0.2.1", "2001:db8::1")),
    bandwidth=Bandwidth("https://so.example/ndt", (450, 990), 3, 5_000_000_000),
)


def test_what_is_written_is_read() -> None:
    assert settings.decode(settings.encode(WHOLE)) == WHOLE
    assert settings.decode(b"{}") == DEFAULTS
    assert settings.encode(Settings(ipv6=Ipv6(), quality=Quality())) == b"{}", (
        "a device that is told nothing special hears two bytes"
    )


def test_a_field_of_a_later_server_is_ignored() -> None:
    assert settings.decode(b'{"tomorrow": [1], "measures_use": true}').measures_use


@pytest.mark.parametrize(
    ("text", "reason", "named"),
    [
        (b"", "json", "truncated"),
        (b"[]", "value", "object"),
        (b'{"measures_use": 1}', "value", "measures_use"),
        (b'{"bandwidth": {"url": "file:///etc/passwd"}}', "value", "bandwidth.url"),
        (b'{"bandwidth": {"url": "https://user@x"}}', "value", "bandwidth.url"),
        (b'{"bandwidth": {"window": [0, 1441]}}', "value", "bandwidth.window"),
        (b'{"quality": {"hosts": ["; rm -rf /"]}}', "value", "quality.hosts"),
        (b'{"quality": {"hosts": ["-f"]}}', "value", "quality.hosts"),
        (b'{"quality": {"hosts": ["a", "a", "a", "a", "a"]}}', "value", "quality.hosts"),
        (b'{"ipv6": {"dual_stack": [{"host": "a", "port": 0}]}}', "value", "port"),
        (b" " * 16_385, "too_large", "16385"),
    ],
)
def test_anything_else_is_refused_by_name(text: bytes, reason: str, named: str) -> None:
    with pytest.raises(ContractError, match=named) as caught:
        settings.decode(text)
    assert caught.value.reason == reason


@given(
    st.binary(max_size=300)
    | st.recursive(st.none() | st.integers() | st.text(), st.lists).map(msgspec.json.encode)
)
def test_whatever_comes_is_settings_or_refused(text: bytes) -> None:
    with contextlib.suppress(ContractError):
        assert isinstance(settings.decode(text), Settings)
