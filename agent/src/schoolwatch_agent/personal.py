"""What may not leave a machine, cut out of texts: names of people and hosts, MACs, serials, identifiers."""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Final

# Patterns stay texts, here and in the probes: a pattern that a cycle does not use costs it nothing.
_MAC: Final = r"\b(?:[0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}\b"
_BRIDGE: Final = r"\b([0-9a-f]{4})\.(?:[0-9a-f]{1,2}:){5}[0-9a-f]{1,2}\b"
"""A bridge's id: its priority and its MAC, as `ip -d` writes them."""
_GUID: Final = r"\b[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}\b"
_HOME: Final = r"(/home/|/media/|/Users/|\\Users\\|\\\\Users\\\\)(?!\.)[^/\\\s\"':;,)]+"
_PROFILE: Final = r"(?i)((\\{1,2})Users\2)[^\\/:*?\"'<>|\r\n]+(?=[\\\"'])"
"""A folder below Users of Windows, whose names often have spaces in them; the text says where it ends."""
_MAIL: Final = r"[\w.+-]{1,64}@[\w-]{1,64}(?:\.[\w-]{1,64})+"
_IPV6: Final = r"(?<![\w:.])(?=[0-9A-Fa-f:]{0,38}::|(?:[0-9A-Fa-f]{1,4}:){7})[0-9A-Fa-f:]{3,39}(?![\w:])"
_IPV4_ONLY: Final = (0xC00000AA, 0xC00000AB)
"""192.0.0.170 and .171 behind a NAT64 prefix: the same in every network (RFC 8880)."""
_NIC: Final = r"\b(en|wl|ww)x([0-9a-f]{6})[0-9a-f]{6}\b"
_PUBLIC_GUIDS: Final = frozenset(
    {
        "55c92734-d682-4d71-983e-d6ec3f16059f",  # Windows, as SoftwareLicensingProduct names it
        "0ff1ce15-a989-479d-af46-f275c6370663",  # Office
        "59a52881-a989-479d-af46-f275c6370663",  # Office 2010
        "0fa1201d-4330-4fa8-8ae9-b877473b6441",  # Windows Update's classifications: security updates
        "e6cf1350-c01b-414d-a61f-263d14d133b4",  # critical updates
        "e0789628-ce08-4437-be74-2495b842f43b",  # definition updates
        "28bc880e-0592-4cbf-8f95-c79b17911d5f",  # update rollups
        "cd5ffd1e-e932-4e3a-bf74-18bf0b1bbd83",  # updates
    }
)
"""Identifiers that are the same on every machine: without them a recording says nothing."""

_SID: Final = r"\bS-1-(?:5-21|12-1)(?:-\d+)+\b"
_PRODUCT_KEY: Final = r"\b[A-Z0-9]{5}(?:-[A-Z0-9]{5}){4}\b"
_SHARE: Final = r"(?m)(^|[\s\"'=(,;])(\\{4}|\\{2})[\w.-]+(\\{1,2})[\w.$-]+"
"""A server and its share, also as JSON writes the backslashes."""

_IPV4: Final = r"(?<![\w.])(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})(?![\w.])"
_RESOLVERS: Final = frozenset(
    {"8.8.8.8", "8.8.4.4", "1.1.1.1", "1.0.0.1", "9.9.9.9", "208.67.222.222", "208.67.220.220"}
)
"""Everybody's; they tell no school from another."""

_SERIAL: Final = (
    r"(?i)(\"?(?:serial(?: ?number)?|asset ?tag|uuid|machine-?id|machineguid|edrmachineid|orgid|tenantid|"
    r"permanentaddress|partialproductkey|productkey|productid|logonuser|(?:user|dns)?domain)\"?"
    r"\s*[:=]\s*)"
    r"(\"[^\"]*\"|[^\s,;}]+)"
)

_AUTOLOGIN: Final = r"(?im)^([ \t]*(?:autologin-user|automaticlogin|timedlogin|user)[ \t]*=[ \t]*)\S.*$"
"""Whom LightDM, GDM and SDDM log in by themselves."""

_SSH_PEOPLE: Final = r"(?im)^([ \t]*(?:(?:allow|deny)(?:users|groups)|match)[ \t]+)\S.*$"
"""Whom sshd lets in, and for whom a part of its configuration holds."""

_SSID: Final = r"(?im)^(\s*ssid:[ \t]*)\S.*$"
"""The name of a wireless network, as iw prints it: it may be somebody's."""

_DRIVE: Final = r"(/UDisks2/drives/)[A-Za-z0-9_]+"
"""UDisks names a drive by its model and serial number."""

_KNOWN_GROUPS: Final = frozenset({"sudo", "wheel", "admin"})


def nic_label(name: str) -> str:
    """A link's name without the MAC that systemd puts into it: enx001122334455 becomes enx001122.

    The six digits left are the maker's; two adapters of one maker named so share a label.
    """
    return re.sub(_NIC, r"\1x\2", name)[:128]


def cut_ipv6(address: str) -> str:
    """An IPv6 address without its interface identifier: fe80:: or the /64 it lies in."""
    import ipaddress

    number = ipaddress.IPv6Address(address.partition("%")[0])
    if number.is_link_local:
        return "fe80::"
    return str(ipaddress.IPv6Network((int(number) >> 64 << 64, 64)))


def cut(text: str, names: tuple[str, ...] = ()) -> str:
    """A text with what is personal replaced; `names` are the machine's own and its users'."""
    for name in sorted(names, key=len, reverse=True):  # before a rule takes the first word of one away
        text = re.sub(rf"(?i)(?<![\w-]){re.escape(name)}(?![\w-])", "-", text)
    text = re.sub(_SERIAL, lambda found: found[1] + ('"-"' if found[2].startswith('"') else "-"), text)
    text = re.sub(_MAIL, "someone@example.org", text)
    text = re.sub(_MAC, "00:00:00:00:00:00", text)
    text = re.sub(_BRIDGE, r"\1.0:0:0:0:0:0", text)
    text = re.sub(_GUID, _guid, text)
    text = re.sub(_SID, "S-1-5-21-0", text)
    text = re.sub(_PRODUCT_KEY, "-----", text)
    text = re.sub(_SHARE, r"\1\2-\3-", text)
    text = re.sub(_IPV4, _without_host, text)
    text = re.sub(_PROFILE, r"\1-", text)
    text = re.sub(_HOME, r"\1-", text)
    text = re.sub(_NIC, r"\1x\2", text)
    text = re.sub(_DRIVE, r"\1-", text)
    text = re.sub(_AUTOLOGIN, r"\1-", text)
    text = re.sub(_SSH_PEOPLE, r"\1-", text)
    text = re.sub(_SSID, r"\1-", text)
    return re.sub(_IPV6, _without_identifier, text)


def cut_file(path: str, text: str, rename: Callable[[str], str]) -> str | None:
    """A file that names people or peers in every row, without them; None for another file.

    passwd(5), group(5) and shadow(5) stay true to each other: one name has one replacement. Of
    /proc/net/tcp only what listens is left, of dpkg's log the last upgrade.
    """
    if path.startswith("/var/log/dpkg.log"):
        return "\n".join([line for line in text.splitlines() if " upgrade " in line][-1:])
    if path.startswith("/proc/net/tcp"):
        rows = text.splitlines()
        return "\n".join(rows[:1] + [_socket(row) for row in rows[1:] if row.split()[3:4] == ["0A"]])
    cut_row = {"/etc/passwd": _passwd, "/etc/group": _group, "/etc/shadow": _shadow}.get(path)
    if cut_row is None:
        return None
    return "".join(f"{cut_row(line.split(':'), rename)}\n" for line in text.splitlines() if ":" in line)


def _socket(row: str) -> str:
    number, local = row.split()[:2]
    return f"{number} 00000000:{local.rpartition(':')[2]} 00000000:0000 0A"


def _passwd(row: list[str], rename: Callable[[str], str]) -> str:
    return ":".join([row[0] if row[0] == "root" else rename(row[0]), "x", *row[2:4], "", "/", *row[6:7]])


def _group(row: list[str], rename: Callable[[str], str]) -> str:
    name = row[0] if row[0] in _KNOWN_GROUPS else rename(row[0])
    members = (rename(member) for member in "".join(row[3:4]).split(",") if member)
    return ":".join([name, "x", *row[2:3], ",".join(members)])


def _shadow(row: list[str], rename: Callable[[str], str]) -> str:
    """Of a password is left whether it is empty, or locks the account."""
    name = row[0] if row[0] == "root" else rename(row[0])
    return f"{name}:{row[1] and ('!' if row[1][0] in '!*' else 'x')}:::::::"


def _guid(found: re.Match[str]) -> str:
    return found[0] if found[0].lower() in _PUBLIC_GUIDS else "00000000-0000-0000-0000-000000000000"


def _without_host(found: re.Match[str]) -> str:
    """Of a public address the first half is left, which says no more than whose line it is."""
    import ipaddress

    try:
        address = ipaddress.IPv4Address(found[0])
    except ValueError:  # a version that looks like one
        return found[0]
    return f"{found[1]}.{found[2]}.0.1" if address.is_global and found[0] not in _RESOLVERS else found[0]


def _without_identifier(found: re.Match[str]) -> str:
    import ipaddress

    try:
        number = int(ipaddress.IPv6Address(found[0]))
    except ValueError:
        return found[0]
    identifier = number & (2**64 - 1)
    if identifier <= 0xFFFF or identifier in _IPV4_ONLY or number >> 120 == 0xFF:
        return found[0]  # a prefix, a router numbered by hand (::1), ipv4only.arpa, a multicast group
    return str(ipaddress.IPv6Address((number >> 64 << 64) | 0xFFFF))


def own_names(
    node: str, environment: Mapping[str, str], profiles: Iterable[str], passwd: str
) -> tuple[str, ...]:
    """Names that must not leave a machine: its own, those of Windows' profiles, and passwd(5)'s people."""
    names = {node, node.split(".")[0], *(environment.get(name, "") for name in _NAMING), *profiles}
    people = [line.split(":") for line in passwd.splitlines()]
    for user, _, number, _, about, *_ in (row for row in people if len(row) > 4):
        if number.isdecimal() and int(number) >= 1000:
            full, *ways = about.split(",")  # and the way to somebody: room, telephones (chfn(1))
            names |= {user, full.strip(), *(way.strip() for way in ways if len(way) > _NUMBER)}
    return tuple(sorted(name for name in names if len(name) > 2 and name.lower() not in _EVERYWHERE))


_NAMING: Final = ("USER", "USERNAME", "COMPUTERNAME", "USERDOMAIN", "USERDNSDOMAIN")
"""Variables of the environment that name a person, a machine or a domain; the last four are Windows'."""

_NUMBER: Final = 6
"""Shorter numbers of somebody's room or extension stand in many texts for something else."""

_EVERYWHERE: Final = frozenset(
    {
        *("root", "nobody", "localhost", "debian", "ubuntu", "admin", "user"),
        *("workgroup", "system", "administrator", "public", "default", "default user", "all users"),
        "desktop.ini",
    }
)
"""In small letters: names of half of all machines: they tell nothing, and cutting them would spoil texts."""
