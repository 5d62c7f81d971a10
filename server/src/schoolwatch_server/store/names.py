"""What series are called in every store: measurements in InfluxDB's words, metrics in Prometheus'. Pure."""

from typing import Final

FIELD: Final = "value"
"""The field of what devices measured: a series is one number."""


WRITER: Final = "schoolwatch_writer"
"""In an engine beside the database: which `server` writes there. Nobody else reads it."""

NAMED: Final = {"commune_name": "commune", "province_name": "province", "school_name": "school"}
"""Tags that say today's name of a place → the tag beside them with its id, which stays."""

INCIDENTS: Final = "incidents"
"""Incidents that are open at a place."""

INCIDENTS_BY_SEVERITY: Final = "incidents_by_severity"
INCIDENTS_BY_RULE: Final = "incidents_by_rule"

INCIDENTS_NEW: Final = "incidents_new"
"""Incidents that people were told of in the hour which begins there: a sum over any time is right."""

INCIDENT_TIMES: Final = "incident_times"
"""Mean seconds until incidents of the last `standings.incidents.DAYS` days were taken or over (value), of how
many (numerator), of how many that opened (denominator); `until` says which."""

INCIDENT_OPENED: Final = "incident_opened"
"""Incidents at the instants at which they began, with the titles of their rules."""

POSTURE: Final = "posture"
"""Computers in use at a place by verdict, of each kind of safeguard."""

ROLLOUT: Final = "rollout"
"""Computers in use at a place by when they were heard last."""

CLAIMS: Final = "claims"
"""The share of what schools are asked to declare (denominator) that they declared and that was accepted
(numerator), of all subjects (`subject`: `all`) and at communes and provinces of each."""

CLAIMS_BY_STATE: Final = "claims_by_state"
"""What schools are asked to declare, by how far their newest answer has come (`state`; `none`: no answer)."""

UNPLACED: Final = "schools_without_position"
"""Schools of a commune or province whose position nobody told (value, numerator), of all (denominator)."""

TARGET: Final = "target"
"""What a plan or a definition asks of an indicator of a commune or province (numerator), what it stands at
(value; none: not known), and the end of the last day that counts (denominator, UTC seconds)."""

TARGET_SHARE: Final = "share"
TARGET_NUMBER: Final = "number"
"""Its `kind`: a ratio of 0 to 1, or a number in the indicator's unit."""

LINE: Final = "line"
"""A line of a school by its contract (`isp`, `subscriber`, `technology`), down and up (`way`): the share of
what is paid for (value), the median that was measured (numerator) and what the contract says (denominator),
Mbit/s."""

LINE_TEST: Final = "line_test"
"""The newest speed test of a school's line, down and up (`way`), Mbit/s; when it was taken (numerator, UTC
milliseconds, as Grafana shows instants), and how many tests there were in the window (denominator)."""

ISP: Final = "isp"
"""What is known of a provider's lines (`isp`) at a commune or province, by `what`: see
`standings.providers`."""

LAN: Final = "lan"
"""What holds of a school's network (value, numerator) and of how many (denominator), by `what`: gateways that
are heard, links that are listened on, open incidents about what was seen, computers with IPv6, and with a
fault of their cable. `coverage` is 1 where that is known, 0 where it was once."""

LAN_LINKS: Final = "lan_links"
"""Computers of a school by how they are connected (`speed`: see `standings.lan.SPEEDS`)."""

LAN_SEGMENT: Final = "lan_segment"
"""Each link that a gateway listens on (`segment`): devices that were heard (value), new ones (numerator) and
whether somebody listens (denominator, 1 or 0) where `what` is `heard`; where it is `machines` those that
acted as IPv6 router (value), DHCP server (numerator) and DHCPv6 server (denominator) within a day."""

SERVER: Final = "server"
"""The server's own health, by `what` and `part`."""

SUMS: Final = (INCIDENT_OPENED, INCIDENTS_NEW)
"""What happened when: it holds for ever, and is added up."""

OF_INCIDENTS: Final = (
    INCIDENTS,
    INCIDENTS_BY_SEVERITY,
    INCIDENTS_BY_RULE,
    INCIDENTS_NEW,
    INCIDENT_TIMES,
    INCIDENT_OPENED,
)
"""Of incidents."""

GO_WITH_SCHOOL: Final = (*OF_INCIDENTS, LINE, LINE_TEST, LAN, LAN_LINKS, LAN_SEGMENT)
"""What goes when a school is deleted, as its incidents and lists do; numbers that it reported stay."""


def measurement_of(metric: str) -> str:
    """`link_speed` of `link.speed`: the same word goes for InfluxDB and Prometheus, which take no dots."""
    return metric.replace(".", "_")


def prometheus_name(measurement: str, field: str = FIELD) -> str:
    """`link_speed_value`: what VictoriaMetrics makes of a line's measurement and field."""
    return f"{measurement}_{field}"


def choice(text: str, value: str) -> str:
    """What a list of Grafana shows, and what it stands for: a list is filled from the values of one tag."""
    return f"{text}|{value}"
