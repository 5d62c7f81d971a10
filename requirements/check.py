"""Says, without the network, whether the locked requirements answer what the pyproject files ask for."""

import re
import sys
import tomllib
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

HERE = Path(__file__).parent
ROOT = HERE.parent
_PIN = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^ ;\\]+)")


def locked(name: str) -> dict[str, str]:
    """Package → version of one lock file; every package in it must have a hash."""
    versions: dict[str, str] = {}
    for entry in re.split(r"\n(?=\S)", (HERE / f"{name}.txt").read_text(encoding="utf-8")):
        pin = _PIN.match(entry)
        if pin is None or "--hash=sha256:" not in entry:
            sys.exit(
                f"requirements/{name}.txt: no version and hash in {entry[:60]!r}: run requirements/compile"
            )
        versions[canonicalize_name(pin[1])] = pin[2]
    return versions


def asked(member: str, group: str = "") -> list[Requirement]:
    """What a pyproject.toml asks for, itself or in a group or extra of it, without our own members."""
    table = tomllib.loads((ROOT / member / "pyproject.toml").read_text(encoding="utf-8"))
    project = table.get("project", {})
    extra = project.get("optional-dependencies", {}).get(group)
    lines = project["dependencies"] if not group else extra or table["dependency-groups"][group]
    return [r for r in map(Requirement, lines) if not r.name.startswith("schoolwatch-")]


def unanswered(requirements: list[Requirement], versions: dict[str, str], where: str) -> list[str]:
    """The requirements that no locked version satisfies."""
    return [
        f"requirements/{where}.txt: {r} is locked at {versions.get(canonicalize_name(r.name), 'nothing')}"
        for r in requirements
        if not r.specifier.contains(versions.get(canonicalize_name(r.name), "0"), prereleases=True)
    ]


def disagreeing(own: dict[str, str], dev: dict[str, str], where: str) -> list[str]:
    """What is tested must be what is installed: the same version in every lock."""
    return [
        f"requirements/{where}.txt: {name} {own[name]}, but {dev.get(name)} in dev.txt"
        for name in own
        if dev.get(name) != own[name]
    ]


def not_installed(versions: dict[str, str]) -> list[str]:
    """What installed packages ask for that the lock doesn't hold (markers and extras that are off aside)."""
    problems = []
    for distribution in metadata.distributions():
        if canonicalize_name(distribution.metadata["Name"]) not in versions:
            continue
        for line in distribution.requires or ():
            needed = Requirement(line)
            if needed.marker is None or needed.marker.evaluate({"extra": ""}):
                version = versions.get(canonicalize_name(needed.name))
                if version is None or not needed.specifier.contains(version, prereleases=True):
                    problems.append(f"{distribution.metadata['Name']} needs {needed}, locked: {version}")
    return problems


def main() -> None:
    """Prints what is stale; exits with 1 if anything is."""
    names = ("dev", "server", "agent", "gateway", "bootstrap", "audit")
    dev, server, agent, gateway, bootstrap, audit = (locked(name) for name in names)
    problems = [
        *unanswered(asked("contract") + asked("agent") + asked("server") + asked("", "dev"), dev, "dev"),
        *unanswered(asked("contract") + asked("server"), server, "server"),
        *unanswered(asked("contract") + asked("agent"), agent, "agent"),
        *unanswered(asked("contract") + asked("agent") + asked("agent", "bandwidth"), gateway, "gateway"),
        *unanswered(asked("", "bootstrap"), bootstrap, "bootstrap"),
        *unanswered(asked("", "audit"), audit, "audit"),
        *disagreeing(server, dev, "server"),
        *disagreeing(agent, dev, "agent"),
        *disagreeing(gateway, dev, "gateway"),
        *not_installed(dev),
    ]
    for problem in problems:
        print(problem)
    if problems:
        sys.exit("the locked requirements are stale: run requirements/compile")


if __name__ == "__main__":
    main()
