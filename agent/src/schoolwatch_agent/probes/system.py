"""The operating system: name, version, build, architecture, client or server."""

import re
import shlex
from collections.abc import Iterator
from typing import Final

from schoolwatch_agent import asked
from schoolwatch_agent.errors import CommandFailed, Missing, NotUnderstood, TimedOut
from schoolwatch_agent.formats.registry import Value, Values, why
from schoolwatch_agent.host import Host
from schoolwatch_contract.records import Fact

_KEY: Final = r"SOFTWARE\Microsoft\Windows NT\CurrentVersion"
_ENVIRONMENT: Final = r"SYSTEM\CurrentControlSet\Control\Session Manager\Environment"
_VALUES: Final = (
    "ProductName",
    "DisplayVersion",
    "ReleaseId",
    "EditionID",
    "CurrentBuild",
    "UBR",
    "InstallationType",
)
_WINDOWS_11: Final = 22000
"""The first build of Windows 11; its registry still says "Windows 10" in ProductName."""

_SESSIONS: Final = ("/usr/share/xsessions", "/usr/share/wayland-sessions")


def parse(
    os_release: str, kernel: str, arch: str | None, unheard: str = "", *, has_sessions: bool
) -> Iterator[Fact]:
    """os-release(5), the kernel's release, uname -m; a machine with graphical sessions is a client.

    `unheard` is why there is no `arch`.
    """
    fields = _os_release(os_release)
    name = fields.get("NAME")
    if not name:
        raise NotUnderstood("no NAME in os-release", os_release)
    yield Fact("os.name", name[:128])
    yield _fact("os.version", fields.get("VERSION_ID"), "a rolling release has no version")
    yield _fact("os.build", kernel.strip(), "not reported")
    known = arch is not None and re.fullmatch(r"\w{1,32}", arch, re.ASCII)
    yield _fact("os.arch", arch if known else None, unheard or "not understood")
    yield Fact("os.kind", "client" if has_sessions else "server")


def _os_release(text: str) -> dict[str, str]:
    fields = {}
    for line in text.splitlines():
        key, sign, value = line.partition("=")
        if sign and re.fullmatch(r"[A-Z][A-Z0-9_]*", key):
            try:
                fields[key] = " ".join(shlex.split(value))
            except ValueError:  # an open quote
                continue
    return fields


def parse_windows(values: Values, arch: Value) -> Iterator[Fact]:
    """Values of the CurrentVersion key. DisplayVersion came with 20H2, ReleaseId was before it."""
    name, build = _text(values.get("ProductName")), _text(values.get("CurrentBuild"))
    if name is None:
        raise NotUnderstood("no ProductName in the registry", why(values.get("ProductName"), "not there"))
    if build and build.isdecimal() and int(build) >= _WINDOWS_11:
        name = name.replace("Windows 10", "Windows 11")
    yield Fact("os.name", name[:128])
    version = _text(values.get("DisplayVersion")) or _text(values.get("ReleaseId"))
    yield _fact("os.version", version, why(values.get("DisplayVersion"), "not reported"))
    yield _fact("os.edition", _text(values.get("EditionID")), why(values.get("EditionID"), "not reported"))
    update = _text(values.get("UBR"))
    yield _fact("os.build", f"{build}.{update}" if build and update else build, "not reported")
    yield _fact("os.arch", _text(arch), why(arch, "not reported"))
    kind = _text(values.get("InstallationType")) or ""
    known = {"client": "client", "server": "server", "server core": "server", "nano server": "server"}
    yield _fact("os.kind", known.get(kind.lower()), f"InstallationType is {kind[:40]!r}")


def _text(value: Value) -> str | None:
    return str(value).strip() or None if isinstance(value, int | str) else None


def _fact(name: str, value: str | None, reason: str) -> Fact:
    return Fact(name, value[:128]) if value else Fact(name, None, {}, reason)


def read(host: Host) -> Iterator[Fact]:
    """Two files and one program, or a handful of registry values."""
    if host.system == "windows":
        arch = asked.value(host, _ENVIRONMENT, "PROCESSOR_ARCHITECTURE")
        return parse_windows(asked.values(host, {name: (_KEY, name) for name in _VALUES}), arch)
    machine, unheard = None, ""
    try:
        machine = host.run("uname", "-m", timeout=5).strip()
    except Missing:
        unheard = "uname is not on this machine"
    except CommandFailed as error:
        unheard = f"ended with {error.code}"
    except TimedOut:
        unheard = "timeout"
    sessions = any(host.exists(folder) for folder in _SESSIONS)
    kernel = host.text("/proc/sys/kernel/osrelease")
    path = next((p for p in ("/etc/os-release", "/usr/lib/os-release") if host.exists(p)), "/etc/os-release")
    return parse(host.text(path), kernel, machine, unheard, has_sessions=sessions)
