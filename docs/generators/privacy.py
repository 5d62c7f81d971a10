"""docs/privacy.md: what leaves a machine, why, and what never does; from the catalogue."""

from generators.markdown import code, table
from generators.markdown import page as whole
from schoolwatch_contract.catalogue import FACTS, METRICS, SIGHTINGS, SUBJECTS, FactKind, Metric, SightingKind
from schoolwatch_contract.catalogue.carriage import MESSAGES, Message
from schoolwatch_contract.catalogue.classes import CLASSES, LAW_EN, LAW_VI, NEVER, Class
from schoolwatch_server.database.ages import AGES, Age
from schoolwatch_server.law.holding import KINDS, Holding
from schoolwatch_server.law.holdings import HOLDINGS
from schoolwatch_server.terms import TERMS

Kind = Metric | FactKind | SightingKind

WHY = {subject.probe: (subject.vi, subject.en) for subject in SUBJECTS}
"""Probe to the purpose of what it sends."""

_ALL: tuple[Kind, ...] = (
    *METRICS.values(),
    *FACTS.values(),
    *(kind for kind in SIGHTINGS.values() if kind.probe),  # the others are the server's own
)


def page() -> str:
    """What never leaves, then what does: class by class of what is measured, and what carries it."""
    return whole(
        "Privacy: what leaves a machine, and what doesn't",
        "Nothing leaves a machine that is not on this page: a test compares it, both ways, with the bytes "
        "that agents send to a real broker.\n"
        "`schoolwatch-agent explain` shows the same on the machine itself, and `schoolwatch-agent once` the "
        "values that it would send now.\n"
        "The names are explained in [metrics.md](metrics.md), the formats in [wire.md](wire.md).",
        "## Never sent / Không bao giờ gửi",
        table(("English", "Tiếng Việt"), [(en, vi) for vi, en in NEVER]),
        *(block for each in CLASSES for block in _class(each)),
        "## What carries it",
        *(block for message in MESSAGES for block in _message(message)),
        "## What stands in the server's database",
        "Every table and column has a class; a test finds one that has none.\n"
        "How long it is kept is set in `[retention]` ([configuration.md](configuration.md)); here the "
        "default.\n"
        "The record of processing that a department signs is made of the same: "
        "[vi/ho-so-xu-ly-du-lieu.md](vi/ho-so-xu-ly-du-lieu.md).",
        table(("Class", "The law", "Luật"), [(k, words.law_en, words.law_vi) for k, words in KINDS.items()]),
        table(
            ("Table", "Columns by class", "Kept", "What and why", "Là gì, để làm gì"),
            [
                (code(name), _columns(held), _kept(AGES[name]), held.en, held.vi)
                for name, held in HOLDINGS.items()
            ],
        ),
        "## The law",
        LAW_EN,
        LAW_VI,
    )


def _class(each: Class) -> tuple[str, ...]:
    kinds = [kind for kind in _ALL if kind.privacy == each.name]
    title = (f"## Class: {each.name}", f"{each.en}.\n{each.vi}.\n\n{each.law_en}.\n{each.law_vi}.")
    if not kinds:
        return (*title, "Nothing of this class is sent today.")
    probes = list(dict.fromkeys(kind.probe for kind in kinds))
    rows = (
        (probe or "(agent)", ", ".join(_named(kind) for kind in kinds if kind.probe == probe), *WHY[probe])
        for probe in probes
    )
    return (*title, table(("Probe", "What is sent", "Để làm gì", "Why"), rows))


def _message(message: Message) -> tuple[str, ...]:
    rows = ((code(each.name), each.privacy, each.vi, each.en) for each in message.fields)
    return (
        f"### {message.name}",
        f"{message.en}.\n{message.vi}.",
        table(("Field", "Class", "Là gì, để làm gì", "What and why"), rows),
    )


def _named(kind: Kind) -> str:
    labels = kind.details if isinstance(kind, SightingKind) else kind.labels
    return f"{code(kind.name)} ({', '.join(labels)})" if labels else code(kind.name)


def _columns(held: Holding) -> str:
    return "; ".join(
        f"{kind}: " + ", ".join(code(name) for name, its in held.columns.items() if its == kind)
        for kind in held.kinds
    )


def _kept(age: Age) -> str:
    if age.term is None:
        return "as long as what it belongs to"
    days = TERMS[age.term].days
    if age.term == "retired" or "retired_at" in age.by:
        return f"{days} days after the device was retired"
    return f"{days} days" if days else "until it ends"
