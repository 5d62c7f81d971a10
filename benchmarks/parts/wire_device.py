"""What a device does in agent_wire.py, inside its namespace; prints one line of JSON."""

import json
import random
import statistics
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import msgspec

from schoolwatch_agent import connection, cycle, delivery, identity, memory, schedule, tick
from schoolwatch_agent.config import AgentConfig, load
from schoolwatch_agent.host import Host
from schoolwatch_agent.probe import Probe, observe
from schoolwatch_agent.probes import PROBES
from schoolwatch_contract import envelope
from schoolwatch_contract.records import Fact, Reading, Sighting

PERIOD = 300.0
START = 1_800_000_000.0
LEFT_OUT = ("updates", "bandwidth")
"""Heavy, and not of the wire."""

CHANGES = (
    (20, "antivirus"), (30, "addresses"), (40, "antivirus"), (41, "antivirus"), (52, "firewall"),
    (64, "links"), (70, "links"), (83, "antivirus"), (91, "resolvers"), (104, "system"),
)  # fmt: skip
"""Cycle of the day from which on something of a probe is another than before: new signatures, another lease,
an antivirus that starts anew, a cable that is pulled and put back."""


class Told(Host):
    """This machine with a clock that is told."""

    at = START

    def now(self) -> float:
        return self.at

    def uptime(self) -> float:
        return self.at - START + 3600.0


class Recorded(msgspec.Struct):
    """What one probe said when it ran."""

    name: str
    every: float
    watched: frozenset[str]
    readings: list[Reading]
    facts: list[Fact]
    group: str = ""


class Day:
    """The probes of a day: what they said once, with numbers that move and facts that change."""

    def __init__(self, recorded: list[Recorded], host: Told, began: float) -> None:
        self._recorded, self._host, self._began = recorded, host, began
        self._dice = random.Random(2026)

    def probes(self) -> tuple[Probe, ...]:
        return tuple(
            Probe(one.name, one.every, self._reader(one), one.watched, group=one.group)
            for one in self._recorded
        )

    def _reader(self, one: Recorded) -> Callable[[Host], Iterable[Reading | Fact | Sighting]]:
        def read(_: Host) -> Iterable[Reading | Fact | Sighting]:
            number = round((self._host.at - self._began) / PERIOD)
            changes = sum(1 for since, probe in CHANGES if probe == one.name and number >= since)
            yield from (self._moved(reading) for reading in one.readings)
            first = next((fact for fact in one.facts if fact.value), None)
            for fact in one.facts:
                text = f"{fact.value} {changes}" if changes and fact is first else fact.value
                yield Fact(fact.name, text, fact.labels, fact.reason)

        return read

    def _moved(self, reading: Reading) -> Reading:
        value = reading.value
        if value is not None and value not in (0.0, 1.0) and reading.metric.rpartition(".")[2] not in STEADY:
            value = round(value * self._dice.uniform(0.9, 1.1), 4 if value < 10 else 0)
        return Reading(reading.metric, value, reading.labels)


STEADY = frozenset({"speed", "mtu", "count", "size", "rung"})
"""Ends of names of what does not move from one cycle to the next."""


def record(file: Path) -> None:
    """Runs each probe of this machine once."""
    host, found = Host(), []
    for probe in PROBES:
        if probe.name not in LEFT_OUT:
            seen = observe(probe, host)
            own = ("probe.ok", "probe.seconds")
            readings = [r for r in seen.readings if r.metric not in own]
            found.append(
                Recorded(probe.name, probe.every, probe.watched, readings, list(seen.facts), probe.group)
            )
    file.write_bytes(msgspec.json.encode(found))


def day(recorded: str, host: Told) -> Day:
    known = msgspec.json.decode(Path(recorded).read_bytes(), type=list[Recorded])
    made = Day(known, host, host.at)
    if wrong := [
        fact for p in made.probes() for fact in observe(p, host).facts if fact.name == "probe.failure"
    ]:
        sys.exit(f"what was recorded cannot be told again: {wrong}")
    return made


def ticks(settings: Path, recorded: str, cycles: int, plain: Path) -> dict[str, object]:
    """A day of ticks; what each measured is also written as JSON for the baseline."""
    config, host = load(settings), Told()
    probes = day(recorded, host).probes()
    deliveries = at_once = 0
    for number in range(-1, cycles):  # the first tells everything, which no usual day does
        host.at = START + number * PERIOD
        before = known(config, host)
        done = tick.tick(config, host, probes)
        if done.outcome is not None:
            if done.outcome.kind != "delivered":
                sys.exit(f"not delivered: {done.outcome}")
            deliveries += number >= 0
            usual = schedule.deliver_now(
                now=host.at, delivered_at=before.delivered_at, urgent=False,
                deliver=config.schedule.deliver, device=device_of(config),
            )  # fmt: skip
            at_once += number >= 0 and not usual
        if number >= 0:
            (plain / f"{number}.json").write_bytes(newest(config))
    return {"deliveries": deliveries, "at_once": at_once}


def known(config: AgentConfig, host: Told) -> memory.Memory:
    with tick.open_spool(config, host) as spool:
        return memory.decode(spool.memory(host.at))


def device_of(config: AgentConfig) -> str:
    credential = identity.read_credential(config.data)
    assert credential is not None
    return credential.device


def newest(config: AgentConfig) -> bytes:
    """The newest envelope of the spool as JSON."""
    from schoolwatch_agent import spool_file

    db = spool_file.read(config.data / tick.SPOOL)
    (body,) = db.execute("SELECT body FROM envelope ORDER BY id DESC LIMIT 1").fetchone()
    db.close()
    return envelope.inflate(body)


def stay(settings: Path, recorded: str, cycles: int) -> dict[str, object]:
    """The same day over one connection, as `run --stay-connected` does it."""
    config, host = load(settings), Told()
    probes = day(recorded, host).probes()
    credential = identity.read_credential(config.data)
    assert credential is not None
    with tick.open_spool(config, host) as spool:
        link = delivery.connect(config, credential, keep_alive=connection.STAY_ALIVE)
        exchange = delivery.Exchange(spool, credential, link, host)
        for number in range(-1, cycles):
            host.at = START + number * PERIOD
            pace = cycle.Pace(credential.device, "run", PERIOD)
            known = cycle.run_cycle(host, probes, spool, pace)
            if not tick.is_time(config, known, credential.device, host.at):
                continue
            exchange.begin_round()
            end = time.monotonic() + 20
            while not (exchange.is_done and not spool.unacknowledged(exchange.published)):
                exchange.step(0.2)
                if time.monotonic() > end or not link.alive:
                    sys.exit("not delivered")
            tick.settle(spool, tick.Outcome("delivered", host.at))
        link.close()
    return {"done": cycles}


def alive(settings: Path) -> dict[str, object]:
    """What one keep-alive costs on the wire, how often one is sent, and what TLS was negotiated."""
    config = load(settings)
    credential = identity.read_credential(config.data)
    assert credential is not None
    link = delivery.connect(config, credential, keep_alive=1)
    client = link._client
    tls = client.socket()
    pings: list[int] = []
    ping = client._send_pingreq
    client._send_pingreq = lambda: pings.append(1) or ping()
    before = wire()
    end = time.monotonic() + 8
    while time.monotonic() < end:
        link.pump(0.2)
    after = wire()
    sent, received = ((late - early) / len(pings) for early, late in zip(before, after, strict=True))
    said = f"{tls.version()}, {tls.cipher()[0]}"
    link.close()
    return {"sent": sent, "received": received, "keep_alive": connection.STAY_ALIVE, "tls": said}


def wire() -> tuple[int, int]:
    statistics_ = Path("/sys/class/net/wire/statistics")
    return int((statistics_ / "tx_bytes").read_text()), int((statistics_ / "rx_bytes").read_text())


def reports(settings: Path, count: int) -> dict[str, object]:
    """Seconds from report to acknowledgement over a connection that stays; 0 is until a line is read."""
    import threading

    config, host = load(settings), Told()
    credential = identity.read_credential(config.data)
    assert credential is not None
    stop = threading.Event()
    if not count:
        threading.Thread(target=lambda: (sys.stdin.readline(), stop.set()), daemon=True).start()
    took: list[float] = []
    with tick.open_spool(config, host) as spool:
        link = delivery.connect(config, credential)
        exchange = delivery.Exchange(spool, credential, link, host)
        while (len(took) < count or not count) and not stop.is_set():
            pace = cycle.Pace(credential.device, "run", PERIOD)
            cycle.run_cycle(host, (), spool, pace)
            exchange.begin_round()
            began = time.monotonic()
            while not (exchange.is_done and not spool.unacknowledged(exchange.published)):
                exchange.step(0.2)
                if not link.alive or time.monotonic() > began + 60:
                    sys.exit("no acknowledgement")
            took.append(time.monotonic() - began)
            exchange.published.clear()
            host.at += PERIOD
            time.sleep(0.2)
        link.close()
    return {"median": statistics.median(took), "worst": max(took), "count": len(took)}


def fill(settings: Path, count: int) -> dict[str, object]:
    """Cycles without a network."""
    config, host = load(settings), Told()
    file = settings.parent.parent / "recorded.json"
    probes = day(str(file), host).probes()
    credential = identity.read_credential(config.data)
    assert credential is not None
    with tick.open_spool(config, host) as spool:
        for number in range(count):
            host.at = START + number * PERIOD
            cycle.run_cycle(host, probes, spool, cycle.Pace(credential.device, "tick", PERIOD))
        return {"waiting": spool.summary(host.at).waiting, "bytes": spool.summary(host.at).bytes}


def drain(settings: Path) -> dict[str, object]:
    """Ticks until the server has everything; seconds from the first."""
    config, host = load(settings), Told()
    host.at = START + 2016 * PERIOD
    credential = identity.read_credential(config.data)
    assert credential is not None
    began = time.monotonic()
    with tick.open_spool(config, host) as spool:
        while spool.summary(host.at).waiting:
            delivery.deliver(spool, credential, config, host, PERIOD * 0.8)
            if time.monotonic() > began + 300:
                sys.exit("the backlog does not come to its end")
    return {"seconds": time.monotonic() - began}


def main(what: str, *words: str) -> dict[str, object]:
    if what == "record":
        record(Path(words[0]))
        return {}
    settings = Path(words[0])
    if what == "tick":
        return ticks(settings, words[1], int(words[2]), Path(words[3]))
    if what == "stay":
        return stay(settings, words[1], int(words[2]))
    if what == "alive":
        return alive(settings)
    if what == "reports":
        return reports(settings, int(words[1]))
    if what == "fill":
        return fill(settings, int(words[1]))
    return drain(settings)


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:])))
