"""The wire of the speed test: what the kernel says, what peers say, and what a device shows for a slot."""

import contextlib
import socket
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schoolwatch_contract import ndt7, slot
from schoolwatch_contract.errors import ContractError

KEY, DEVICE = b"k" * 32, "0123456789abcdef" * 2

FROM_NDT_SERVER = """{"AppInfo":{"NumBytes":10,"ElapsedTime":2000000},"ConnectionInfo":{"Client":"1.2.3.4:5",
"Server":"[::1]:443","UUID":"x","StartTime":"2026-01-01T00:00:00Z"},"Origin":"server","Test":"upload",
"BBRInfo":{"BW":1,"MinRTT":2},"TCPInfo":{"State":1,"RTT":31000,"MinRTT":30000,"BytesReceived":1250000,
"BytesAcked":7,"ElapsedTime":1000000}}"""
"""Written by hand from the example messages of ndt-server/spec/ndt7-protocol.md."""


def test_a_measurement_of_another_server_is_read_and_what_we_do_not_know_is_left() -> None:
    said = ndt7.decode(FROM_NDT_SERVER)
    assert said.tcp_info is not None
    assert (said.tcp_info.bytes_received, said.tcp_info.elapsed_time) == (1250000, 1000000)
    assert (said.tcp_info.rtt, said.tcp_info.min_rtt, said.tcp_info.busy_time) == (31000, 30000, None)
    assert said.school_watch is None


def test_what_is_written_is_read() -> None:
    whole = ndt7.Measurement(
        ndt7.AppInfo(1, 2),
        ndt7.TCPInfo(*range(13)),
        ndt7.ConnectionInfo("a:1", "b:2", "c"),
        "server",
        "download",
        ndt7.Server(True, 0.5, 0.25, "bbr"),
    )
    text = ndt7.encode(whole)
    assert ndt7.decode(text) == whole
    for name in ("ElapsedTime", "MinRTT", "RTT", "RTTVar", "RWndLimited", "SndBufLimited", "BytesAcked"):
        assert f'"{name}":' in text  # as the specification spells it


@given(st.one_of(st.text(), st.binary()))
def test_whatever_text_comes_is_a_measurement_or_refused(text: str | bytes) -> None:
    with contextlib.suppress(ContractError):
        ndt7.decode(text)


def test_the_kernel_counts_what_went() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        client = socket.create_connection(listening.getsockname())
        server, _ = listening.accept()
        with client, server:
            client.sendall(b"x" * 50_000)
            left = 50_000
            while left:
                left -= len(server.recv(65536))
            raw = server.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, ndt7.TCP_INFO_BYTES)
    info = ndt7.tcp_info(raw, 1.5)
    assert info.bytes_received == 50_000
    assert info.data_segs_in is not None
    assert 1 <= info.data_segs_in <= 50
    assert info.elapsed_time == 1_500_000
    assert info.rtt is not None
    assert info.rtt < 5_000_000


@pytest.mark.parametrize("length", [0, 67, 72, 104, 120, 128, 136, 152, 156, 200, 216])
def test_what_an_old_kernel_lacks_stays_unknown(length: int) -> None:
    info = ndt7.tcp_info(b"\1" * length, 1)
    assert (info.bytes_received is None) == (length < 136)
    assert (info.min_rtt is None) == (length < 152)
    assert (ndt7.line_bytes(info, 4) is None) == (length < 156)
    assert (info.bytes_retrans is None) == (length < 216)


def test_the_line_carries_the_headers_of_each_segment_too() -> None:
    full = ndt7.TCPInfo(bytes_received=1448, data_segs_in=1, options=1)
    assert ndt7.line_bytes(full, 4) == 1514  # a full Ethernet frame without its checksum
    assert ndt7.line_bytes(ndt7.TCPInfo(bytes_received=1428, data_segs_in=1, options=1), 6) == 1514
    assert ndt7.line_bytes(ndt7.TCPInfo(bytes_received=1460, data_segs_in=1, options=0), 4) == 1514


def test_messages_grow_by_the_specification() -> None:
    size, sent, sizes = ndt7.MESSAGE_FIRST, 0, set()
    while sent < 1 << 27:
        sizes.add(size)
        sent += size
        assert ndt7.next_size(size, sent) in (size, 2 * size)
        size = ndt7.next_size(size, sent)
    assert sizes == {1 << n for n in range(13, 21)}


def test_a_proof_is_of_one_key_one_device_and_one_challenge() -> None:
    proofs = {
        slot.proof(key, device, nonce)
        for key in (KEY, b"l" * 32)
        for device in (DEVICE, "f" * 32)
        for nonce in ("n", "m")
    }
    assert len(proofs) == 8


@given(st.text(string.ascii_letters + string.digits + "-", min_size=1, max_size=60))
def test_what_is_shown_is_read(nonce: str) -> None:
    said = slot.parameters(slot.authorization(KEY, DEVICE, nonce))
    assert said == {"device": DEVICE, "nonce": nonce, "proof": slot.proof(KEY, DEVICE, nonce)}
    assert slot.parameters(slot.challenge(nonce)) == {"nonce": nonce}


@given(st.text())
def test_whatever_header_comes_is_read_or_refused(header: str) -> None:
    with contextlib.suppress(ContractError):
        slot.parameters(header)


@pytest.mark.parametrize(
    "header", ["", "Bearer x", f"{slot.SCHEME} a", f'{slot.SCHEME} a="1", a="2"', f"{slot.SCHEME} a=1"]
)
def test_another_header_is_refused(header: str) -> None:
    with pytest.raises(ContractError):
        slot.parameters(header)
