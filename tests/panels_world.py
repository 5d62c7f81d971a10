"""A small province with something in every series of a dashboard, and Grafana's part of a query."""

import random
import re
from collections.abc import Container, Iterator, Mapping, Sequence
from typing import get_args

from panels_lines import of_lines
from reports import World
from schoolwatch_contract.catalogue import METRICS, Metric, shown_alone
from schoolwatch_contract.records import Reading
from schoolwatch_server import rules
from schoolwatch_server.claims.questions import Subject
from schoolwatch_server.database import judged, registry, rollout, roster
from schoolwatch_server.database.commit import Rules
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.indicators import INDICATORS
from schoolwatch_server.indicators.indicator import Counts
from schoolwatch_server.indicators.stored import MEASUREMENT, PARTS
from schoolwatch_server.influxql.condition import ANY, Match
from schoolwatch_server.influxql.query import Span
from schoolwatch_server.intake.batch import take
from schoolwatch_server.scope import EVERYTHING
from schoolwatch_server.severity import SEVERITIES
from schoolwatch_server.standings import posture, server
from schoolwatch_server.store import names
from schoolwatch_server.store.lines import info_line
from schoolwatch_server.store.names import CLAIMS, CLAIMS_BY_STATE, TARGET, measurement_of
from schoolwatch_server.store.queried import Queried
from schoolwatch_server.store.queried.info import InfoSeries
from schoolwatch_server.store.series import Judged

SECOND = 1_000_000_000
START = 1_795_000_000
HOURS = 26
"""When there is something, seconds, and for how long."""

RULES = rules.load()

UNKNOWN_BY_NOW = "Xã 2 (mới)"
"""The commune whose newest rows have no number: too little is known."""

LABELS = {
    "rung": ("0", "3"),
    "family": ("4", "6"),
    "direction": ("download", "upload"),
    "limited_by": ("server", "client"),
    "product": ("Microsoft Defender",),
    "scan": ("quick", "full"),
    "part": ("whole", "realtime"),
    "profile": ("domain", "private", "public"),
    "scope": ("global", "link"),
    "source": ("policy", "local"),
    "drive": ("removable", "fixed"),
    "nic": ("eth0",),
    "disk": ("sda",),
    "mount": ("/",),
    "volume": ("C:",),
}
"""Values of labels as computers tell them; others are called after themselves."""

LIKELY = {
    "boolean": (2, 1),
    "count": (30, 1),
    "B": (400, 2**30),
    "bit/s": (300, 10**6),
    "ratio": (1024, 1 / 1024),
}
"""By unit: how many steps a made-up value has, and of what size, such that sums of them are exact."""


def filled(world: World, start: float, *, hours: int) -> list[str]:
    """Every indicator of a province, two communes and four schools each hour; what two devices measured.

    Gives the devices.
    """
    chance = random.Random(11)
    with begin_write(world.engine) as conn:
        province = registry.create_province(conn, "P2", "Tỉnh Hai")
        places = [{"level": "province", "province": str(province)}]
        for c in (1, 2):
            commune = registry.create_commune(conn, province, f"C{c}", f"Xã {c} (mới)")
            above = {"province": str(province), "commune": str(commune)}
            places.append({"level": "commune", **above})
            for s in (1, 2):
                school = registry.create_school(conn, commune, f"S{c}{s}", f"Trường {c}.{s}", "THCS", start)
                if s == 1:
                    roster.set_status(conn, school, {"position": f"20.{c}0000, 105.{c}0000"})
                registry.create_device(conn, school, None, f"Máy {c}.{s}", start, "gateway")
                places.append({"level": "school", "school": str(school), **above})
        judged.write(conn, list(judged_of(places, start, hours, chance)))
    devices = world.enrol(2)
    for device in devices:
        every = 1800.5
        count = int(hours * 3600 / every)
        for first in range(1, count, 50):
            numbers = range(first, min(first + 50, count))
            messages = [
                device.message(seq, at=start + (seq - 1) * every, readings=tuple(_readings(chance)))
                for seq in numbers
            ]
            take(world.engine, messages, Rules())
    return [device.device for device in devices]


def chosen_in(world: World, devices: Sequence[str]) -> dict[str, str]:
    """What somebody has chosen in the variables of that province: the ids of places."""
    with begin_read(world.engine) as conn:
        names = InfoSeries(conn, EVERYTHING, START).names().of
    ids = {kind: {name: id_ for id_, name in of.items()} for kind, of in names.items()}
    return {
        "province": ids["province"]["Tỉnh Hai"],
        "commune": ids["commune"]["Xã 1 (mới)"],
        "school": ids["school"]["Trường 1.2"],
        "device": devices[0],
        "gateway": devices[0],
        "indicator": "antivirus_coverage",
        "isp": "VNPT",
    }


def judged_of(
    places: Sequence[dict[str, str]], start: float, hours: int, chance: random.Random
) -> Iterator[Judged]:
    """What was judged of places, every few hours."""
    for tags in places:
        for indicator in INDICATORS:
            for hour in range(0, hours, 1 + chance.randrange(5)):
                told = {**tags, "indicator": indicator.id}
                value = round(chance.random(), 4)
                yield Judged(MEASUREMENT, told, start + hour * 3600, value, 1.0, 2.0, 0.9)
                if indicator.id == "ipv6_ladder" and tags["level"] != "school":
                    for part in ("none", "1"):
                        yield Judged(PARTS, {**told, "part": part}, start + hour * 3600, 3.0)
            if tags["level"] == "commune" and int(tags["commune"]) % 2:
                yield Judged(MEASUREMENT, told, start + hours * 3600 - 2, None, coverage=0.1)
        yield from _declared(tags, start, hours, chance)
        if tags["level"] != "school":
            for hour in range(hours):
                yield Judged(names.UNPLACED, tags, start + hour * 3600, 2.0, 2.0, 4.0)
            yield from _aimed(tags, start, hours)
        yield from _opened(tags, start + len(tags))
        yield from _standings(tags, start, hours, chance)
    yield from of_lines(places, start, hours, random.Random(13))
    yield from _of_server(start, hours, chance)


def _standings(tags: dict[str, str], start: float, hours: int, chance: random.Random) -> Iterator[Judged]:
    """Incidents, safeguards and rollout of a place; a school has incidents of some rules alone."""
    apart = [(names.INCIDENTS, {}), (names.INCIDENTS_NEW, {})]
    apart += [(names.INCIDENTS_BY_SEVERITY, {"severity": one}) for one in SEVERITIES]
    apart += [(names.INCIDENT_TIMES, {"until": one}) for one in ("acknowledged", "closed")]
    apart += [(names.ROLLOUT, {"state": one}) for one in rollout.STATES]
    apart += [(names.POSTURE, {"kind": k, "verdict": v}) for k, v in posture.verdicts(Counts())]
    for rule in RULES if tags["level"] != "school" else chance.sample(RULES, 3):
        if (rule.scope == "server") is (tags["level"] == "server"):
            title = {"rule": rule.id, "title": rule.title.vi, "title_en": rule.title.en}
            apart.append((names.INCIDENTS_BY_RULE, title))
    for measurement, more in apart:
        for hour in range(0, hours, 1 + chance.randrange(5)):
            at = start + hour * 3600
            yield Judged(measurement, tags | more, at, float(chance.randrange(9)), 1.0, 2.0)


def _of_server(start: float, hours: int, chance: random.Random) -> Iterator[Judged]:
    """The server's own health, with its incidents."""
    readers = [server.Reader(name, chance.randrange(9), chance.random()) for name in ("rules", "rollup")]
    for hour in range(hours):
        ages = [chance.random() for _ in range(20)]
        found = server.Health(10, ages, readers, 3, hour, 10_000 + hour, {"1.0": hour, "1.1": 9}, 1.7e9)
        yield from server.rows(found, start + hour * 3600)
    yield from _standings({"level": "server"}, start, hours, chance)
    yield from _opened({"level": "server"}, start)


def _declared(tags: dict[str, str], start: float, hours: int, chance: random.Random) -> Iterator[Judged]:
    """How far what schools declare has come."""
    subjects = ["all", *(get_args(Subject) if tags["level"] != "school" else ())]
    for hour in range(hours):
        for subject in subjects:
            share = round(chance.random(), 4)
            yield Judged(CLAIMS, {**tags, "subject": subject}, start + hour * 3600, share, 1.0, 2.0)
        for state in ("none", "accepted"):
            yield Judged(CLAIMS_BY_STATE, {**tags, "state": state}, start + hour * 3600, float(hour))


def _aimed(tags: dict[str, str], start: float, hours: int) -> Iterator[Judged]:
    """A target of each indicator; of some nobody knows what it stands at."""
    for number, indicator in enumerate(INDICATORS):
        kind = "share" if indicator.unit == "ratio" else "number"
        told = {"indicator": indicator.id, "kind": kind, "better": "higher", "confidence": "P"}
        told |= {"source": "Kế hoạch 1, mục II"} | ({"deadline": "2030-12-31"} if number % 3 else {})
        for hour in range(hours):
            value = number / 100 if number % 4 else None
            yield Judged(TARGET, {**tags, **told}, start + hour * 3600, value, 0.8, 1_924_966_800.0)


def _opened(tags: dict[str, str], at: float) -> Iterator[Judged]:
    """Two incidents at each place, never two in one instant: then one is not before the other."""
    for number, severity in enumerate(("critical", "low")):
        said = {
            "severity": severity,
            "rule": severity,
            "title": f"Sự cố, {number}",
            "title_en": f"No. {number}",
        }
        place = 10 * int(tags.get("school", 0)) + int(tags.get("commune", 0))
        yield Judged(names.INCIDENT_OPENED, {**tags, **said}, at + 8000 + 60 * place + number, 1.0)


def _readings(chance: random.Random) -> Iterator[Reading]:
    for metric in METRICS.values():
        if shown_alone(metric.name):
            yield reading(metric, chance)


def reading(metric: Metric, chance: random.Random) -> Reading:
    """Something measured, of one of the things that its labels tell apart."""
    labels = {label: chance.choice(LABELS.get(label, (label,))) for label in metric.labels}
    steps, size = LIKELY.get(metric.unit, (1000, 1))
    return Reading(metric.name, float(chance.randrange(steps) * size), labels)


def lines(source: Queried, devices: Sequence[str], span: Span, but: Container[str] = ()) -> Iterator[str]:
    """All that the store holds of what was judged and measured, in line protocol."""
    measured = {measurement_of(name) for name in METRICS}
    for measurement in source.measurements():
        if measurement in but:
            continue
        fields = source.fields(measurement)
        wheres = [Match("device", "=", device) for device in devices] if measurement in measured else [ANY]
        for where in wheres:
            found = source.series(measurement, where, span)
            keys = sorted(source.tag_keys(measurement))
            for one, texts in zip(found, source.labels(measurement, found, keys), strict=True):
                tags = tagged({key: text for key, text in zip(keys, texts, strict=True) if text})
                for at, values in source.points(measurement, fields, [one], span).get(one.id, ()):
                    said = [f"{k}={v!r}" for k, v in zip(fields, values, strict=True) if v is not None]
                    yield f"{measurement}{tags} {','.join(said)} {at}"


def info_lines(source: Queried, span: Span) -> Iterator[str]:
    """Which schools and devices there are, at each moment of a span."""
    for measurement in ("school_info", "device_info"):
        for one in source.series(measurement, ANY, span):
            for point in source.points(measurement, (names.FIELD,), [one], span).get(one.id, ()):
                yield info_line(measurement, one.tags, point.at)


def tagged(tags: Mapping[str, str]) -> str:
    """The tags as a line has them."""
    escaped = {key: re.sub(r"([ ,=])", r"\\\1", value) for key, value in sorted(tags.items())}
    return "".join(f",{key}={value}" for key, value in escaped.items())


def _chosen(text: str, chosen: Mapping[str, str]) -> str:
    """With what is chosen in the variables, as Grafana's format `regex` writes it."""
    escaped = {name: re.sub(r"([\\^$*+?.()|{}\[\]/])", r"\\\1", value) for name, value in chosen.items()}
    return re.sub(r"\$\{(\w+):regex\}", lambda found: escaped[found[1]], text)


def expanded(query: str, chosen: Mapping[str, str], start: int, end: int, interval: str) -> str:
    """A panel's query as Grafana sends it; instants in milliseconds."""
    text = query.replace("$timeFilter", f"time >= {start}ms and time <= {end}ms")
    return _chosen(text.replace("$__interval", interval), chosen)


def expanded_in_promql(query: str, chosen: Mapping[str, str], length: int, interval: str) -> str:
    """A panel's query as Grafana sends it; the range's length in milliseconds."""
    text = query.replace("$__interval", interval).replace("${__range_ms}", str(length))
    return _chosen(text, chosen)
