"""What the brokers of `up` are meant for, and what they refuse."""

from schoolwatch_contract.frame import FRAME_MAX

PACKET_MAX = FRAME_MAX + 1024
"""Bytes of one packet: a frame with its topic. More is refused from the header, before it is read."""

DEVICES_MAX = 500
"""Devices that amqtt is meant for (measured: 48 KB a connection, 4,300 messages a second)."""
