"""The wire of NDT7: paths, bounds and measurement messages (ndt-server, spec/ndt7-protocol.md v0.11).

Both ends of a test speak it; M-Lab's own clients and servers do too. What the server adds of its own is in
the member `SchoolWatch`, which other clients leave unread.
"""

import struct
from typing import Final, Literal

import msgspec

from schoolwatch_contract.errors import ContractError

SUBPROTOCOL: Final = "net.measurementlab.ndt.v7"
Direction = Literal["download", "upload"]
PATHS: Final[dict[Direction, str]] = {"download": "/ndt/v7/download", "upload": "/ndt/v7/upload"}

SECONDS: Final = 10.0
"""How long one direction is measured, from the end of the handshake."""

CUT_SECONDS: Final = 13.0
"""When a test is cut off, whatever it is doing."""

HANDSHAKE_SECONDS: Final = 7.0
"""Within the specification's 5 to 10 s."""

MESSAGE_FIRST: Final = 1 << 13
MESSAGE_SCALED: Final = 1 << 20
"""Bytes that our own messages grow to: what a fast line needs, and no more memory (ndt-server's choice)."""

MESSAGE_MAX: Final = 1 << 24
"""Bytes of the largest message that a peer may send."""

SCALE: Final = 16
"""A message is doubled when so many of its size have been sent."""

MEASUREMENT_SECONDS: Final = 0.25
"""Between two measurement messages; the specification allows ten a second."""

QUERY_MAX: Final = 4096
"""Bytes of a query."""


def next_size(size: int, sent: int) -> int:
    """Bytes of the next message after `sent` bytes in messages that are now of `size`."""
    return size * 2 if size < MESSAGE_SCALED and sent >= SCALE * size else size


class AppInfo(msgspec.Struct, frozen=True, rename="pascal"):
    """What the application counted: bytes of messages in so many microseconds."""

    elapsed_time: int
    num_bytes: int


class TCPInfo(msgspec.Struct, frozen=True, rename="pascal", omit_defaults=True):
    """What the kernel counted (tcp_info of linux/tcp.h): bytes, segments, and times in microseconds."""

    elapsed_time: int | None = None
    busy_time: int | None = None
    bytes_acked: int | None = None
    bytes_received: int | None = None
    bytes_sent: int | None = None
    bytes_retrans: int | None = None
    min_rtt: int | None = msgspec.field(default=None, name="MinRTT")
    rtt: int | None = msgspec.field(default=None, name="RTT")
    rtt_var: int | None = msgspec.field(default=None, name="RTTVar")
    rwnd_limited: int | None = msgspec.field(default=None, name="RWndLimited")
    sndbuf_limited: int | None = msgspec.field(default=None, name="SndBufLimited")
    data_segs_in: int | None = None
    options: int | None = None


class ConnectionInfo(msgspec.Struct, frozen=True, rename="pascal"):
    """The two ends, `address:port` each, and the name of this test."""

    client: str = ""
    server: str = ""
    uuid: str = msgspec.field(default="", name="UUID")


class Server(msgspec.Struct, frozen=True, rename="pascal"):
    """What our server says besides: whether its own line or processor was too busy for this test to count.

    `line_share` is the largest share of its line that was taken in any second of this test, and
    `cpu_share` the largest share of its processor.
    """

    limited: bool = False
    line_share: float = 0.0
    cpu_share: float = 0.0
    congestion_control: str = ""


class Measurement(msgspec.Struct, frozen=True, rename="pascal", omit_defaults=True):
    """One measurement message; the last one is the summary."""

    app_info: AppInfo | None = None
    tcp_info: TCPInfo | None = msgspec.field(default=None, name="TCPInfo")
    connection_info: ConnectionInfo | None = None
    origin: str = ""
    test: str = ""
    school_watch: Server | None = None


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Measurement)


def encode(measurement: Measurement) -> str:
    """The text message."""
    return _encoder.encode(measurement).decode()


def decode(text: str | bytes) -> Measurement:
    """Raises `ContractError` for what is no measurement message; unknown members are left unread."""
    try:
        return _decoder.decode(text)
    except msgspec.ValidationError as error:
        raise ContractError("value", str(error)) from error
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise ContractError("json", str(error)) from error


TCP_INFO_BYTES: Final = 232
"""What to ask the kernel for; an older one answers less."""

_OPTIONS: Final = 5
_DATA_SEGS_IN: Final = 152
_U32_RTT: Final = 68
_U64: Final = {"bytes_acked": 120, "bytes_received": 128}
_LATER: Final = {
    "busy_time": 168,
    "rwnd_limited": 176,
    "sndbuf_limited": 184,
    "bytes_sent": 200,
    "bytes_retrans": 208,
}
_MIN_RTT: Final = 148
_NO_RTT: Final = 0xFFFFFFFF


def tcp_info(kernel: bytes, elapsed: float) -> TCPInfo:
    """What getsockopt(TCP_INFO) gave after `elapsed` seconds; what an old kernel lacks stays unknown.

    Offsets are those of struct tcp_info in linux/tcp.h, which only ever grows at its end.
    """

    def at(code: str, offset: int) -> int | None:
        if len(kernel) < offset + struct.calcsize(code):
            return None
        return int(struct.unpack_from("=" + code, kernel, offset)[0])

    least = at("I", _MIN_RTT)
    return TCPInfo(
        elapsed_time=round(elapsed * 1e6),
        rtt=at("I", _U32_RTT),
        rtt_var=at("I", _U32_RTT + 4),
        min_rtt=None if least == _NO_RTT else least,
        data_segs_in=at("I", _DATA_SEGS_IN),
        options=at("B", _OPTIONS),
        **{name: at("Q", offset) for name, offset in (_U64 | _LATER).items()},
    )


_ETHERNET: Final = 14
_HEADERS: Final = {4: 20 + 20, 6: 40 + 20}
"""Bytes of IP and TCP in front of the payload."""

_TIMESTAMPS: Final = 1
_TIMESTAMP_BYTES: Final = 12
"""TCPI_OPT_TIMESTAMPS of linux/tcp.h; the option with its padding (RFC 7323 appendix A)."""


def line_bytes(info: TCPInfo, family: Literal[4, 6]) -> int | None:
    """What the line carried to the end that counted: Ethernet frames, without preamble and checksum.

    Payload, and of each segment the headers: the kernel counts both. None where it doesn't.
    """
    if info.bytes_received is None or info.data_segs_in is None or info.options is None:
        return None
    header = _ETHERNET + _HEADERS[family] + _TIMESTAMP_BYTES * bool(info.options & _TIMESTAMPS)
    return info.bytes_received + info.data_segs_in * header
