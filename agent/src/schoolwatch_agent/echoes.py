"""Sends echoes to several hosts side by side, within a bound; runs as a child of the agent.

    python -m schoolwatch_agent.echoes '{"targets": [...], "families": ["4"]}'

ICMP through the program `ping`, which the system lets do it without root (ping_group_range, or a file
capability); where it may not, is not here, or stays silent, the time of a TCP connection, which a refusal
ends as well as an acceptance.
"""

import os
import socket
import sys
import threading
import time
from concurrent.futures import Executor, Future, ThreadPoolExecutor, wait
from typing import Any, Final

import msgspec

from schoolwatch_agent.errors import CommandFailed, Missing, NotUnderstood, TimedOut
from schoolwatch_agent.formats import cim, echoes
from schoolwatch_agent.formats.echoes import COUNT, INTERVAL, Family, Outcome, Plan, Target, Times, Tried
from schoolwatch_agent.host import Host

BOUND: Final = 20.0
"""Seconds after which the child ends, whatever has not."""

_RESOLVING: Final = 8.0
_LOST: Final = 1.0
"""Seconds after which an echo or a connection counts as lost."""

_HOPELESS: Final = 3
"""Connections that nobody answered, after which no more are tried."""

_FAMILIES: Final[dict[Family, socket.AddressFamily]] = {"4": socket.AF_INET, "6": socket.AF_INET6}
_Reached = tuple[Target, Family, Any]
"""A target, a family, and the socket address of it."""


def main(argv: list[str]) -> None:
    """Reads the plan from the command line and prints what was found."""
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    plan = msgspec.json.decode(argv[1], type=Plan)
    sys.stdout.write(msgspec.json.encode(carry_out(plan)).decode() + "\n")
    sys.stdout.flush()
    os._exit(0)  # threads that still wait for a resolver are left behind


def _end_with(parent: int) -> None:
    """An agent that was killed leaves nothing behind; on Windows the child ends at its bound."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)


def carry_out(plan: Plan) -> tuple[Tried, ...]:
    """Every target over every family that it has an address of; what did not end in time failed."""
    threads = ThreadPoolExecutor(32)
    asked = [(target, threads.submit(_addresses, target, plan)) for target in plan.targets]
    wait([future for _, future in asked], _RESOLVING)
    reached: list[_Reached] = []
    nameless: list[Tried] = []
    for target, future in asked:
        found = future.result() if future.done() else None
        if found is None:
            nameless += [Tried(target.name, family, "no_name") for family in plan.families]
        else:
            reached += [(target, family, address) for family, address in found.items()]
    doing = _start(threads, reached)
    wait(doing, BOUND - _RESOLVING)
    tried = (
        future.result() if future.done() else Tried(target.name, family, "failed")
        for (target, family, _), future in zip(reached, doing, strict=True)
    )
    return (*nameless, *tried)


def _start(threads: Executor, reached: list[_Reached]) -> "list[Future[Tried]]":
    if Host().system == "linux":
        return [threads.submit(_try, each, None) for each in reached]
    whole = threads.submit(_windows, [address[0] for _, _, address in reached])
    return [threads.submit(_try, each, whole) for each in reached]


def _addresses(target: Target, plan: Plan) -> dict[Family, Any] | None:
    """The first socket address of each family; None for a name that is not known."""
    try:
        found = socket.getaddrinfo(target.host, 0, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return None
    first = {family: [i[4] for i in found if i[0] == _FAMILIES[family]] for family in plan.families}
    return {family: addresses[0] for family, addresses in first.items() if addresses}


def _try(reached: _Reached, windows: "Future[dict[str, Times]] | None") -> Tried:
    target, family, address = reached
    if windows is None:
        outcome, output, times = _ping(target, family, address)
    else:
        outcome, output, times = _of_windows(windows.result().get(address[0], ()))
    if any(each is not None for each in times):
        return Tried(target.name, family, "ok", "icmp", times, output)
    connected = _connections(target, family, address)
    if any(each is not None for each in connected) or (connected and target.answers):
        return Tried(target.name, family, "ok", "tcp", connected, output)
    return Tried(target.name, family, "silent" if outcome == "ok" else outcome, output=output)


def _of_windows(times: Times) -> tuple[Outcome, str, Times]:
    return "ok" if times else "failed", "", times


def _ping(target: Target, family: Family, address: Any) -> tuple[Outcome, str, Times]:
    """The program's answer, and what it says; exit code 1 is that nothing came back (ping(8))."""
    to = socket.getnameinfo(address, socket.NI_NUMERICHOST | socket.NI_NUMERICSERV)[0]
    options = ("-n", f"-{family}", "-c", str(COUNT), "-i", str(INTERVAL), "-s", "16", "-W", "1")
    try:
        output = Host().run("ping", *options, to, timeout=COUNT * INTERVAL + 3)
    except Missing:
        return "no_ping", "", ()
    except TimedOut:
        return "failed", "", ()
    except CommandFailed as error:
        output = error.evidence
    output = output.replace(to, target.name)
    try:
        return "ok", output, echoes.ping(output)
    except NotUnderstood:
        return echoes.trouble(output), output[:400], ()


def _windows(addresses: list[str]) -> dict[str, Times]:
    """All of them by one start of PowerShell, which is told whom to ask in its environment."""
    given = {"addresses": addresses, "count": COUNT, "interval": INTERVAL}
    os.environ["SCHOOLWATCH_ECHOES"] = msgspec.json.encode(given).decode()
    try:
        return echoes.windows(cim.document(Host().powershell("echoes", timeout=BOUND - _RESOLVING)))
    except (Missing, CommandFailed, TimedOut, NotUnderstood):
        return {}


def _connections(target: Target, family: Family, address: Any) -> Times:
    """Times of as many connections as there would be echoes, to the first port that says anything."""
    if not target.ports:
        return ()
    with ThreadPoolExecutor(len(target.ports)) as side:
        firsts = list(side.map(lambda port: _connect(family, address, port), target.ports))
    for port, first in zip(target.ports, firsts, strict=True):
        if first is None and not target.answers:
            continue
        times = [first]
        for _ in range(COUNT - 1):
            time.sleep(INTERVAL)
            times.append(_connect(family, address, port))
            if len(times) == _HOPELESS and not any(times):
                break
        return tuple(times)
    return ()


def _connect(family: Family, address: Any, port: int) -> float | None:
    """Seconds until the host accepted or refused; None when it did neither in a second."""
    with socket.socket(_FAMILIES[family], socket.SOCK_STREAM) as asked:
        asked.settimeout(_LOST)
        started = time.monotonic()
        try:
            asked.connect((address[0], port, *address[2:]))
        except ConnectionRefusedError:
            pass
        except OSError:
            return None
        return round(time.monotonic() - started, 6)


if __name__ == "__main__":
    main(sys.argv)
