"""Says every field that can leave this machine, why, and what the law calls it; from the catalogue."""

import json
import textwrap
from collections.abc import Iterator
from dataclasses import asdict, dataclass

from schoolwatch_agent.texts import Language, Texts
from schoolwatch_contract.catalogue import FACTS, METRICS, SIGHTINGS, SUBJECTS, SightingKind
from schoolwatch_contract.catalogue.carriage import MESSAGES
from schoolwatch_contract.catalogue.classes import CLASSES, LAW_EN, LAW_VI, NEVER
from schoolwatch_contract.catalogue.kinds import Privacy

WIDTH = 100


@dataclass(frozen=True, slots=True)
class Told:
    """One field: the message it travels in, its name and labels there, its class, what it is, and why."""

    where: str
    name: str
    labels: tuple[str, ...]
    privacy: Privacy
    what: str
    why: str


def fields(tongue: Language) -> Iterator[Told]:
    """Every field, what is measured first; `where` is reading, fact, sighting or a message's name."""
    why = {subject.probe: getattr(subject, tongue) for subject in SUBJECTS}
    for where, kinds in (("reading", METRICS), ("fact", FACTS), ("sighting", SIGHTINGS)):
        for kind in kinds.values():
            if isinstance(kind, SightingKind):
                if kind.probe:  # the others are the server's own
                    what = getattr(kind, tongue)
                    yield Told(where, kind.name, kind.details, kind.privacy, what, why[kind.probe])
            else:
                what = getattr(kind, tongue)
                yield Told(where, kind.name, kind.labels, kind.privacy, what, why[kind.probe])
    for message in MESSAGES:
        for field in message.fields:
            told = getattr(field, tongue)
            yield Told(message.name, field.name, (), field.privacy, told, getattr(message, tongue))


def as_json(tongue: Language) -> str:
    """For programs."""
    return json.dumps(
        {
            "fields": [asdict(each) for each in fields(tongue)],
            "classes": {
                each.name: {"meaning": getattr(each, tongue), "law": getattr(each, f"law_{tongue}")}
                for each in CLASSES
            },
            "law": _law(tongue),
            "never": [vi if tongue == "vi" else en for vi, en in NEVER],
        },
        ensure_ascii=False,
        indent=2,
    )


def page(tongue: Language, texts: Texts) -> str:
    """For people: what is never sent, then each class with the law's name for it and its fields."""
    every = tuple(fields(tongue))
    lines = [texts("explain_never")]
    lines += [f"  - {vi if tongue == 'vi' else en}" for vi, en in NEVER]
    for each in CLASSES:
        lines += [
            "",
            f"{texts('explain_class', name=getattr(each, f'title_{tongue}'))}: {getattr(each, tongue)}.",
        ]
        lines += _wrapped(f"{getattr(each, f'law_{tongue}')}.", 2)
        lines += _of_class([told for told in every if told.privacy == each.name], texts)
    lines += ["", *(part for line in _law(tongue).splitlines() for part in _wrapped(line, 0))]
    return "\n".join([*lines, "", texts("explain_see")])


def _of_class(told: list[Told], texts: Texts) -> Iterator[str]:
    reasons = dict.fromkeys((each.where if _is_carriage(each) else "", each.why) for each in told)
    for where, why in reasons:
        head = f"{where}: {why}" if where else why
        yield ""
        yield from _wrapped(f"{head}:", 2)
        for each in told:
            if each.why == why and (each.where if _is_carriage(each) else "") == where:
                labels = f" ({', '.join(each.labels)})" if each.labels else ""
                yield from _wrapped(f"{each.name}{labels}: {each.what}", 4)
    if not told:
        yield f"  {texts('explain_none')}"


def _is_carriage(told: Told) -> bool:
    return told.where not in ("reading", "fact", "sighting")


def _law(tongue: Language) -> str:
    return LAW_VI if tongue == "vi" else LAW_EN


def _wrapped(text: str, indent: int) -> list[str]:
    first, rest = " " * indent, " " * (indent + 2)
    return textwrap.wrap(text, WIDTH, initial_indent=first, subsequent_indent=rest, break_on_hyphens=False)
