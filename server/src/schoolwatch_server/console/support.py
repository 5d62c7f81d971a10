"""Until when a device's operating system gets security updates, in words, beside its name."""

from datetime import date

from schoolwatch_server.console.words import Words
from schoolwatch_server.lifecycle import System, Systems, find
from schoolwatch_server.state import State


def of(state: State, systems: Systems) -> System | None:
    """The table's entry for what the device says it runs; None when it says nothing or there is none."""
    name, release, edition = (state.facts.get(f"os.{part}") for part in ("name", "version", "edition"))
    if name is None or name.value is None:
        return None
    return find(
        systems,
        name.value,
        (release.value if release else None) or "",
        edition.value if edition else None,
    )


def told(system: System | None, today: date, words: Words) -> str:
    """`đến 14/10/2025, đã hết hỗ trợ · …`: the date, each extended one, and where they are from."""
    if system is None:
        return words.text("support.unknown")
    parts = [
        words.text("support.ended" if system.ends < today else "support.until", date=words.date(system.ends))
    ]
    parts += [
        words.text(
            "support.extended",
            name=words.pick(more),
            date=words.date(more.ends),
        )
        for more in system.extended
    ]
    sure = "" if system.confidence != "U" else f", {words.text('support.unverified')}"
    return f"{'; '.join(parts)} ({system.document}{sure})"
