"""What the SSH daemon's configuration says (sshd_config(5)), and which TCP ports listen (/proc/net/tcp)."""

import re
from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from schoolwatch_agent.errors import NotUnderstood

_LINE: Final = r"(?P<keyword>[A-Za-z][A-Za-z0-9]*)(?:\s*=\s*|\s+|$)(?P<arguments>.*)"
_ARGUMENT: Final = r'"([^"]*)"|([^\s"]+)'
_ALIASES: Final = {
    "challengeresponseauthentication": "kbdinteractiveauthentication",
    "skeyauthentication": "kbdinteractiveauthentication",
}
_ROOT: Final = frozenset({"yes", "no", "prohibit-password", "without-password", "forced-commands-only"})
_LISTEN: Final = "0A"
"""TCP_LISTEN of the kernel's net/tcp_states.h."""


class Line(msgspec.Struct, frozen=True):
    """One setting: its keyword in small letters, its arguments, and whether a Match block holds it."""

    keyword: str
    arguments: tuple[str, ...]
    is_conditional: bool = False


class Access(msgspec.Struct, frozen=True):
    """How the daemon lets people in. None: not the same for everybody (a Match block).

    `root` is PermitRootLogin as written.
    """

    root: str | None
    password: bool | None
    ports: tuple[int, ...]


def lines(config: str) -> Iterator[Line]:
    """The settings of one file, without what it includes. Raises `NotUnderstood` where sshd would."""
    conditional = False
    for written in config.splitlines():
        text = written.strip()
        if not text or text.startswith("#"):
            continue
        found = re.fullmatch(_LINE, text)
        if found is None:
            raise NotUnderstood("not a line of sshd_config", written)
        keyword = found["keyword"].lower()
        conditional = conditional or keyword == "match"
        yield Line(_ALIASES.get(keyword, keyword), _arguments(found["arguments"]), conditional)


def _arguments(text: str) -> tuple[str, ...]:
    found: list[str] = []
    for quoted, bare in re.findall(_ARGUMENT, text):
        if bare.startswith("#"):
            break
        found.append(bare or quoted)
    return tuple(found)


def access(settings: Iterable[Line]) -> Access:
    """Of each keyword the first value counts; what a Match block sets too is not known for everybody."""
    first: dict[str, tuple[str, ...]] = {}
    varied: set[str] = set()
    ports: list[int] = []
    for line in settings:
        if line.is_conditional:
            varied.add(line.keyword)
            continue
        first.setdefault(line.keyword, line.arguments)
        ports += _ports(line)
    root = _word(first, "permitrootlogin", "prohibit-password")
    if root not in _ROOT:
        raise NotUnderstood("not a value of PermitRootLogin", root)
    deciding = {"passwordauthentication", "kbdinteractiveauthentication", "authenticationmethods"}
    return Access(
        root=None if "permitrootlogin" in varied else root.replace("without-password", "prohibit-password"),
        password=None if varied & deciding else _takes_passwords(first),
        ports=tuple(dict.fromkeys(ports)) or (22,),
    )


def _takes_passwords(first: dict[str, tuple[str, ...]]) -> bool:
    """By its own password method, or by PAM's questions; both may be barred by AuthenticationMethods."""
    asked = set()
    if _is_on(first, "passwordauthentication", "yes"):
        asked.add("password")
    if _is_on(first, "kbdinteractiveauthentication", "yes") and _is_on(first, "usepam", "no"):
        asked.add("keyboard-interactive")
    methods = first.get("authenticationmethods", ("any",))
    if methods == ("any",):
        return bool(asked)
    return any({step.partition(":")[0] for step in way.split(",")} <= asked for way in methods)


def _is_on(first: dict[str, tuple[str, ...]], keyword: str, default: str) -> bool:
    value = _word(first, keyword, default)
    if value not in ("yes", "no"):
        raise NotUnderstood(f"not a value of {keyword}", value)
    return value == "yes"


def _word(first: dict[str, tuple[str, ...]], keyword: str, default: str) -> str:
    value = first.get(keyword, (default,))
    return value[0].lower() if value else ""


def _ports(line: Line) -> Iterator[int]:
    """`Port 22`, `ListenAddress host:port`, `ListenAddress [v6]:port`."""
    where = line.arguments[0] if line.arguments else ""
    if line.keyword == "port":
        written = where
    elif line.keyword == "listenaddress" and (found := re.fullmatch(r"(?:\[[^\]]*\]|[^:]*):(\d+)", where)):
        written = found[1]
    else:
        return
    if not re.fullmatch(r"\d{1,5}", written):
        raise NotUnderstood("not a port", written)
    yield int(written)


def listening(proc_net_tcp: str) -> frozenset[int]:
    """Ports that listen, of /proc/net/tcp or tcp6 (proc(5)): `0: 00000000:0016 00000000:0000 0A …`."""
    ports = set()
    for row in proc_net_tcp.splitlines()[1:]:
        fields = row.split()
        if len(fields) < 4 or not re.fullmatch(r"[0-9A-F]{8,32}:[0-9A-F]{4}", fields[1]):
            raise NotUnderstood("not a row of /proc/net/tcp", row)
        if fields[3] == _LISTEN:
            ports.add(int(fields[1].rpartition(":")[2], 16))
    return frozenset(ports)
