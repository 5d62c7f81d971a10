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

CONNECTION_BYTES: Final = 8192
"""What mosquitto needs for one connection with its account, rules and subscriptions, but for TLS."""

FILES: Final = CONNECTIONS_MAX + 1_000
"""Open files that such a mosquitto needs; a service's usual 1,024 are the end of it."""

EMBEDDED_CONNECTIONS_MAX: Final = 2 * DEVICES_MAX
"""Connections of amqtt."""

WAITING_MAX, WAITING_EACH_MAX = 300, 100
"""Connections of amqtt that have not logged in yet: all, and those of one address (a school may be one)."""

GREETING: Final = 10.0
"""Seconds in which a connection must have logged in."""

WRONG_MAX, WRONG_SECONDS = 20, 2.0
"""Wrong logins of one address in so many seconds; its connections are then closed unread."""
