"""`record`: writes down what probes ask this machine and what it answers, personal data cut."""

import sys
from pathlib import Path

from schoolwatch_agent.host import Host
from schoolwatch_agent.probes import PROBES
from schoolwatch_agent.recorder import pack
from schoolwatch_agent.texts import Texts

FINE, FAILED, WRONG = 0, 1, 2


def record(names: tuple[str, ...], out: Path, texts: Texts, *, whole: bool) -> int:
    """Records these probes, or all of them. The exit code."""
    by_name = {probe.name: probe for probe in PROBES}
    asked = tuple(by_name) if whole else tuple(dict.fromkeys(names))
    strange = [name for name in asked if name not in by_name]
    if strange or not asked:
        key = "no_such_probe" if strange else "no_probe_named"
        print(texts(key, name=", ".join(strange), names=", ".join(by_name)), file=sys.stderr)
        return WRONG
    try:
        packed = pack([by_name[name] for name in asked], Host(), out)
    except OSError as error:
        print(texts("not_recorded", problem=error), file=sys.stderr)
        return FAILED
    print(texts("recorded", file=packed, folder=out))
    return FINE
