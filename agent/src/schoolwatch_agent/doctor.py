"""Looks at everything that must be right on this machine, and says in plain words what to do."""

import json
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from schoolwatch_agent import examine, ladder, on_the_way
from schoolwatch_agent.config import FILE, AgentConfig, ConfigError
from schoolwatch_agent.errors import TimedOut
from schoolwatch_agent.host import Host
from schoolwatch_agent.identity import CREDENTIAL, Credential, IdentityError, read_credential
from schoolwatch_agent.memory import Memory
from schoolwatch_agent.on_the_way import Finding, State
from schoolwatch_agent.probe import Probe, observe
from schoolwatch_agent.probes import sensors
from schoolwatch_agent.probes.identity import freezing
from schoolwatch_agent.spool import Summary
from schoolwatch_agent.spool_file import SpoolError
from schoolwatch_agent.texts import Texts

CLOCK_SLACK = 600.0
"""Seconds by which a clock may differ from the server's: what lies further ahead is uncertain there."""

MARKS: dict[State, str] = {"ok": "✔", "bad": "✘", "unknown": "?"}


def findings(
    loaded: AgentConfig | ConfigError, file: Path | None, host: Host, probes: Sequence[Probe], texts: Texts
) -> Iterator[Finding]:
    """Everything found, in the order in which things depend on each other."""
    yield _config(loaded, file, texts)
    config = loaded if isinstance(loaded, AgentConfig) else AgentConfig()
    yield from _data(config.data)
    yield from _frozen(config, host)
    enrolment, credential = _enrolment(config)
    yield enrolment
    reached = list(on_the_way.server(config, credential)) if credential else []
    yield from reached
    yield from on_the_way.passage(config)
    yield from _watch(config, host)
    url = config.server.url or (credential.url if credential else "")
    server_time = None
    if url and all(each.state == "ok" or each.check == "login" for each in reached):
        address, server_time = _address(config, url, texts)
        if not credential:  # later the web address may be closed to schools, and is not needed
            yield address
    yield _clock(host.now(), server_time, texts)
    yield from _history(config, host.now(), texts, is_enrolled=credential is not None)
    for probe in probes:
        yield from _probe(probe, host, texts)


def show(found: Sequence[Finding], texts: Texts) -> str:
    """The findings as lines to read; advice is under what needs it."""
    lines = [texts("title"), ""]
    for finding in found:
        lines.append(f"{MARKS[finding.state]} {texts(finding.key, **finding.values)}")
        if advice := _advice(finding, texts):
            lines.append(f"    → {advice}")
    bad = sum(finding.state == "bad" for finding in found)
    return "\n".join([*lines, "", texts("to_do", count=bad) if bad else texts("all_fine"), ""])


def as_json(found: Sequence[Finding], texts: Texts) -> str:
    """The findings for a program."""
    checks = [
        {"check": f.check, "state": f.state, "text": texts(f.key, **f.values), "advice": _advice(f, texts)}
        for f in found
    ]
    return json.dumps({"ok": is_fine(found), "checks": checks}, ensure_ascii=False, indent=2)


def is_fine(found: Sequence[Finding]) -> bool:
    """Nothing needs doing."""
    return all(finding.state != "bad" for finding in found)


def _advice(finding: Finding, texts: Texts) -> str | None:
    key = f"{finding.key}_advice"
    return texts(key, **finding.values) if texts.has(key) else None


def _config(loaded: AgentConfig | ConfigError, file: Path | None, texts: Texts) -> Finding:
    if isinstance(loaded, ConfigError):
        return Finding("config", "bad", "config_bad", {"problem": loaded.told(texts.room("problems"))})
    if file is None and not FILE.exists():
        return Finding("config", "ok", "config_defaults")
    return Finding("config", "ok", "config_ok", {"file": file or FILE})


def _data(data: Path) -> Iterator[Finding]:
    problem = examine.folder_problem(data)
    if problem:
        yield Finding("data", "bad", "data_bad", {"problem": problem})
    elif not data.exists():
        yield Finding("data", "unknown", "data_missing", {"data": data})
    else:
        yield Finding("data", "ok", "data_ok", {"data": data})
    if examine.is_open_to_others(data / CREDENTIAL):
        yield Finding("data", "bad", "data_private_bad", {"path": data / CREDENTIAL})


def _frozen(config: AgentConfig, host: Host) -> Iterator[Finding]:
    """Nothing on a computer that keeps what is written to it."""
    try:
        product = freezing(host)
    except (OSError, TimedOut):
        product = None
    values: dict[str, object] = {"product": product, "data": config.data}
    if product is None:
        yield Finding("freezing", "unknown", "frozen_unknown")
    elif product != "none":
        is_kept = bool(config.agent.thawed)
        key = "frozen_thawed" if is_kept else "frozen_bad"
        yield Finding("freezing", "ok" if is_kept else "bad", key, values)


def _clock(now: float, server_time: float | None, texts: Texts) -> Finding:
    said = datetime.fromtimestamp(now, UTC).astimezone().strftime("%Y-%m-%d %H:%M")
    if now < Path(__file__).stat().st_mtime - 86_400:  # a day of grace for time zones
        return Finding("clock", "bad", "clock_bad", {"time": said})
    if server_time is None:
        return Finding("clock", "unknown", "clock_unknown", {"time": said})
    if abs(now - server_time) > CLOCK_SLACK:
        off = age(abs(now - server_time), texts)
        key = "clock_ahead" if now > server_time else "clock_behind"
        return Finding("clock", "bad", key, {"time": said, "off": off})
    return Finding("clock", "ok", "clock_ok", {"time": said})


def _enrolment(config: AgentConfig) -> tuple[Finding, Credential | None]:
    from schoolwatch_agent import admission  # HTTP only where it is needed

    try:
        credential = read_credential(config.data)
    except IdentityError as error:
        return Finding("enrolment", "bad", "enrolled_damaged", {"problem": error.damaged or error}), None
    if credential is None:
        key = "enrolled_waits" if admission.waits(config) else "enrolled_bad"
        return Finding("enrolment", "bad", key), None
    return Finding("enrolment", "ok", "enrolled_ok", {"device": credential.device}), credential


def _address(config: AgentConfig, url: str, texts: Texts) -> tuple[Finding, float | None]:
    """Before the enrolment the server's web address is all that is known of it; and what its clock shows."""
    from schoolwatch_agent import enrol  # HTTP only where it is needed

    try:
        shown = _server_clock(config, url)
    except enrol.EnrolError as error:
        problem = error.told(texts.room("cli"))
        return Finding("server", "bad", "server_bad", {"url": url, "problem": problem}), None
    return Finding("server", "ok", "server_ok", {"url": url}), shown


def _server_clock(config: AgentConfig, url: str) -> float | None:
    """What the server's clock shows, also when ours is so wrong that its certificate looks out of time."""
    from schoolwatch_agent import enrol  # as above

    office, wait = enrol.Office(url, "", config.ca, proxy=config.server.proxy), config.delivery.connect_wait
    try:
        return enrol.check_server(url, line=office.line, wait=wait)
    except enrol.EnrolError as error:
        if error.key != "out_of_time":
            raise
        now = time.time()
        return now + enrol.clock_error(office, now, wait)


def _history(config: AgentConfig, now: float, texts: Texts, *, is_enrolled: bool) -> Iterator[Finding]:
    try:
        past = examine.past(config.data, now)
    except SpoolError as error:
        key = {"newer": "spool_newer", "full": "spool_full"}.get(error.kind, "spool_bad")
        yield Finding("spool", "bad", key, {"problem": error})
        return
    if past is None:
        yield Finding("measured", "bad", "measured_never")
        yield Finding("spool", "unknown", "spool_missing")
        return
    yield _measured(past.memory, config, now, texts)
    if is_enrolled:
        yield _delivered(past.memory, config, now, texts)
        yield _acked(past, config, now, texts)
    yield from _spool(past.summary)


def _measured(memory: Memory, config: AgentConfig, now: float, texts: Texts) -> Finding:
    if not memory.ran:
        return Finding("measured", "bad", "measured_never")
    since = now - max(memory.ran.values())
    values: dict[str, object] = {
        "age": age(since, texts),
        "period": age(config.schedule.measure, texts),
    }
    late = since > 2 * config.schedule.measure + 60
    return Finding("measured", "bad" if late else "ok", "measured_bad" if late else "measured_ok", values)


def _delivered(memory: Memory, config: AgentConfig, now: float, texts: Texts) -> Finding:
    problem = texts(f"outcome_{memory.outcome.kind if memory.outcome else 'none'}")
    if memory.delivered_at is None:
        return Finding("delivered", "unknown", "delivered_never", {"problem": problem})
    since = now - memory.delivered_at
    values: dict[str, object] = {"age": age(since, texts), "problem": problem}
    late = since > 2 * config.schedule.deliver + config.schedule.measure
    return Finding("delivered", "bad" if late else "ok", "delivered_bad" if late else "delivered_ok", values)


def _acked(past: examine.Past, config: AgentConfig, now: float, texts: Texts) -> Finding:
    summary = past.summary
    if summary.oldest_age is not None and past.memory.delivered_at is not None:
        values: dict[str, object] = {"count": summary.waiting, "age": age(summary.oldest_age, texts)}
        if summary.oldest_age > config.delivery.retry_first + 2 * config.schedule.deliver:
            return Finding("acked", "bad", "acked_bad", values)
        return Finding("acked", "ok", "acked_waiting", values)
    if past.heard_at is None:
        return Finding("acked", "unknown", "acked_never")
    return Finding("acked", "ok", "acked_ok", {"age": age(now - past.heard_at, texts)})


def _spool(summary: Summary) -> Iterator[Finding]:
    if summary.dropped:
        yield Finding("spool", "bad", "spool_dropped", {"dropped": summary.dropped})
    else:
        size = f"{summary.bytes / 1000:.1f} kB"
        yield Finding("spool", "ok", "spool_ok", {"size": size, "waiting": summary.waiting})
    if summary.set_aside:
        yield Finding("spool", "unknown", "spool_set_aside", {"count": summary.set_aside})


_WATCHED: Final = {"watching": "sensors_ok", "no_link": "sensors_no_link"}
"""The state of a link as a finding."""


def _watch(config: AgentConfig, host: Host) -> Iterator[Finding]:
    """Whether each link that is to be watched is."""
    if host.system == "windows" and config.sensors.interfaces:
        yield Finding("sensors", "unknown", "sensors_windows")
        return
    states = observe(Probe("sensors", 0, lambda of: sensors.read(of, config.sensors, b"")), host).facts
    for state in (fact for fact in states if fact.name == "sensor.state"):
        key = _WATCHED.get(state.value or "", "sensors_not_running")
        yield Finding("sensors", "ok" if key == "sensors_ok" else "bad", key, {"nic": state.labels["nic"]})


def _probe(probe: Probe, host: Host, texts: Texts) -> Iterator[Finding]:
    started = time.monotonic()
    observed = observe(probe, host)
    values: dict[str, object] = {"name": probe.name, "seconds": f"{time.monotonic() - started:.1f}"}
    outcome = next((r.value for r in observed.readings if r.metric == "probe.ok"), None)
    if outcome is None:
        yield Finding(f"probe.{probe.name}", "ok", "probe_absent", values)
    elif outcome == 1:
        yield Finding(f"probe.{probe.name}", "ok", "probe_ok", values)
    else:
        why = next((f.value or f.reason for f in observed.facts if f.name == "probe.failure"), "?")
        yield Finding(f"probe.{probe.name}", "bad", "probe_bad", {**values, "problem": why})
    if first := ladder.first(observed.readings, observed.facts):
        # the network's fault, not the agent's: nothing is wrong with the installation
        yield Finding("ipv6", "unknown", "ipv6_first", ladder.words(first, texts))


def age(seconds: float, texts: Texts) -> str:
    """A span of time in the unit in which people say it."""
    units = ((2 * 86_400, 86_400, "age_days"), (2 * 3600, 3600, "age_hours"), (120, 60, "age_minutes"))
    for least, unit, key in units:
        if seconds >= least:
            return texts(key, n=round(seconds / unit))
    return texts("age_seconds", n=max(round(seconds), 0))
