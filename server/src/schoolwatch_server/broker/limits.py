"""What the brokers are meant for, and what they refuse."""

from typing import Final

from schoolwatch_contract.frame import FRAME_MAX

PACKET_MAX: Final = FRAME_MAX + 1024
"""Bytes of one packet: a frame with its topic. More is refused from the header, before it is read."""

DEVICES_MAX: Final = 500
"""Devices that amqtt is meant for (measured: 48 KB a connection, 4,300 messages a second)."""

INFLIGHT_MAX: Final = 200
"""Messages on their way to or from one client without its acknowledgement."""

QOS_MAX: Final = 1
"""Who wants QoS 2 is nobody of ours: it would hold state for each message."""

CONNECTIONS_MAX: Final = 80_000
"""Connections of one listener of mosquitto: a province's 75,000 computers and its gateways."""

FILES: Final = CONNECTIONS_MAX + 1_000
"""Open files that such a mosquitto needs; a service's usual 1,024 are the end of it."""
