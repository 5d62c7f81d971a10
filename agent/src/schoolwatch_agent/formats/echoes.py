"""Echoes to a host: what a child is to try, what it found, and what that says of latency, jitter and loss.

Latency is the median of the round trips. Jitter is the mean of |RTT(i) - RTT(i-1)| over echoes that follow
one another: |D| of RFC 3550 §6.4.1, of round trips (RFC 2681) and without its smoothing, which ten echoes
are too few for. Loss is the part of the echoes without an answer within a second (RFC 6673).
"""

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Final, Literal

import msgspec

from schoolwatch_agent.errors import NotUnderstood

COUNT: Final = 10
INTERVAL: Final = 0.25
"""Echoes to one target, and seconds between two: 2.5 s, and 1.2 KB both ways together."""

Family = Literal["4", "6"]
Times = tuple[float | None, ...]
"""Round trips in seconds, in their order; None for an echo without an answer."""

Method = Literal["icmp", "tcp"]
Outcome = Literal["ok", "no_name", "no_ping", "not_permitted", "unreachable", "silent", "failed"]
"""ok: some or all were answered, or none of a host that is there to answer. silent: neither echoes nor TCP
were answered by a host of which nobody knows that it answers any. The others say why nothing was sent."""


class Target(msgspec.Struct, frozen=True, omit_defaults=True):
    """Whom to ask: a name or an address (with `%nic` when it is link-local), and TCP ports to try.

    `answers`: it is known to listen on its port, so that its silence is loss.
    """

    name: str
    host: str
    ports: tuple[int, ...] = ()
    answers: bool = False


class Plan(msgspec.Struct, frozen=True):
    """What the child is to do; `families` are those with a way out of this machine."""

    targets: tuple[Target, ...]
    families: tuple[Family, ...]


class Tried(msgspec.Struct, frozen=True, omit_defaults=True):
    """One target over one family; `output` is the text of the program `ping`, if that was asked."""

    name: str
    family: Family
    outcome: Outcome
    method: Method | None = None
    times: Times = ()
    output: str = ""


class Quality(msgspec.Struct, frozen=True):
    """Seconds, and a ratio; None where too few echoes came back to say."""

    latency: float | None
    jitter: float | None
    loss: float


def quality(times: Sequence[float | None]) -> Quality:
    """Of the round trips of one target; at least one was sent."""
    came = sorted(time for time in times if time is not None)
    steps = [
        abs(after - before) for before, after in pairwise(times) if before is not None and after is not None
    ]
    return Quality(
        latency=round((came[(len(came) - 1) // 2] + came[len(came) // 2]) / 2, 6) if came else None,
        jitter=round(sum(steps) / len(steps), 6) if steps else None,
        loss=round(1 - len(came) / len(times), 4),
    )


_REPLY: Final = r"^(?:\[[\d.]+\] )?\d+ bytes from \S+ ?.*?\b(?:icmp_)?seq=(\d+)\b.*?\btime=([\d.]+) ms(.*)$"
_SENT: Final = r"(?m)^(\d+) packets transmitted, (\d+) (?:packets )?received"


def ping(output: str) -> Times:
    """Round trips from what iputils' or BusyBox' ping prints in the C locale. Raises `NotUnderstood`.

    Doubled replies count once. iputils numbers its echoes from 1, BusyBox from 0.
    """
    sent = re.search(_SENT, output)
    if sent is None or not 1 <= int(sent[1]) <= 1000:
        raise NotUnderstood("not the answer of ping", output)
    found: dict[int, float] = {}
    for number, milliseconds, rest in re.findall(_REPLY, output, re.MULTILINE):
        if "DUP" not in rest:
            found.setdefault(int(number), float(milliseconds) / 1000)
    first = 0 if 0 in found or "\nround-trip" in output else 1
    return tuple(found.get(number) for number in range(first, first + int(sent[1])))


def trouble(output: str) -> Outcome:
    """Why ping sent nothing, from its words on standard error."""
    said = output.lower()
    if "permitted" in said or "permission denied" in said:
        return "not_permitted"
    if "unreachable" in said:
        return "unreachable"
    return "failed"


def windows(answer: object) -> dict[str, Times]:
    """Address → round trips, from echoes.ps1: whole milliseconds, status 0 for a reply. `NotUnderstood`."""
    try:
        hosts = msgspec.convert(answer, _WindowsAnswer).hosts
    except msgspec.ValidationError as error:
        raise NotUnderstood(str(error), answer) from error
    return {
        host.address: tuple(r.milliseconds / 1000 if r.status == 0 else None for r in host.replies)
        for host in hosts
    }


class _WindowsReply(msgspec.Struct):
    """System.Net.NetworkInformation.PingReply; -1 is an exception, as of a machine without that family."""

    status: int
    milliseconds: float = 0.0


class _WindowsHost(msgspec.Struct):
    address: str
    replies: tuple[_WindowsReply, ...]


class _WindowsAnswer(msgspec.Struct):
    hosts: tuple[_WindowsHost, ...]
