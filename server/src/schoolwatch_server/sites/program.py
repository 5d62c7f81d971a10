"""The child that looks at sites: reads a job, says what it found line by line, and ends.

It has no key, no password and no connection to the database, may write no file, and is killed when it takes
too long: whatever a site does to it, it does to a program that knows nothing.
"""

import asyncio
import os
import resource
import ssl
import sys
from collections import defaultdict
from collections.abc import Callable, Mapping
from ipaddress import IPv6Address, ip_address

import msgspec
import psutil

from schoolwatch_server.sites import address as addresses
from schoolwatch_server.sites.connect import Door
from schoolwatch_server.sites.job import Job, Rules, Said, split
from schoolwatch_server.sites.look import OUR_LINE, Look, Way
from schoolwatch_server.sites.networks import Ip, Reachable, nat64_prefixes, networks
from schoolwatch_server.sites.resolver import Family, Resolve, ResolveError, resolve
from schoolwatch_server.sites.visit import Eyes, Line, look

JOB_MAX = 1 << 20
_MEMORY = 1 << 30
_FILES = 256

Say = Callable[[Said], None]


def main() -> int:
    """Reads the job from standard input."""
    for kind, most in (
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, _FILES),
        (resource.RLIMIT_AS, _MEMORY),
    ):
        resource.setrlimit(kind, (most, most))
    job = msgspec.json.decode(sys.stdin.buffer.read(JOB_MAX), type=Job)

    def say(said: Said) -> None:
        os.write(1, msgspec.json.encode(said) + b"\n")

    asyncio.run(look_at_all(job, say, resolve))
    return 0


async def look_at_all(job: Job, say: Say, ask: Resolve) -> None:
    """Looks at every address of a job, once more at those that seem down, and says what it found.

    Before and after that it looks whether this server reaches the outside at all.
    """
    rules = job.rules
    line = await our_line(rules, ask)
    if not (line.v4 or line.v6):
        for each in job.addresses:
            say(Said(each, OUR_LINE))
        return
    eyes = await _eyes(rules, ask)
    turns = _Turns(eyes, line, rules, ask)
    found = dict(await asyncio.gather(*(_look(turns, each, say) for each in job.addresses)))
    down = [each for each, one in found.items() if one.is_up is False]
    if not down:
        return
    await asyncio.sleep(rules.again_after)
    again = dict(await asyncio.gather(*(_look(turns, each, None) for each in down)))
    after = await our_line(rules, ask)
    for each, one in again.items():
        say(Said(each, with_line(one, after)))


async def _look(turns: "_Turns", address: str, say: Say | None) -> tuple[str, Look]:
    """Says at once what is not down."""
    found = await turns.look(address)
    if say is not None and found.is_up is not False:
        say(Said(address, found))
    return address, found


class _Turns:
    """Lets so many looks go on at once, and one at a time at the same IP address: schools share servers."""

    def __init__(self, eyes: Eyes, line: Line, rules: Rules, ask: Resolve) -> None:
        self._eyes, self._line, self._ask, self._pause = eyes, line, ask, rules.pause
        self._slots = asyncio.Semaphore(rules.at_once)
        self._servers: defaultdict[object, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def look(self, text: str) -> Look:
        start = addresses.typed(text)
        async with self._servers[await self._server(start.host)]:
            async with self._slots:
                found = await look(self._eyes, start, self._line)
            await asyncio.sleep(self._pause)
            return found

    async def _server(self, host: str) -> object:
        """What the sites of one machine share; of a name without an address itself."""
        families: tuple[Family, Family] = ("v4", "v6")
        for family in families:
            try:
                return min(await self._ask(host, family))
            except ResolveError:
                continue
        return host


async def our_line(rules: Rules, ask: Resolve) -> Line:
    """Whether any of the references is reached over IPv4, and over IPv6."""

    async def reaches(family: Family) -> bool:
        tried = await asyncio.gather(*(_reaches(each, family, rules, ask) for each in rules.references))
        return any(tried)

    return Line(*await asyncio.gather(reaches("v4"), reaches("v6")))


async def _reaches(reference: str, family: Family, rules: Rules, ask: Resolve) -> bool:
    host, port = split(reference)
    try:
        async with asyncio.timeout(rules.seconds):
            ip = (await ask(host, family))[0]
            _, writer = await asyncio.open_connection(str(ip), port)
    except (OSError, ResolveError):  # TimeoutError is one
        return False
    writer.transport.abort()
    return True


def with_line(found: Look, after: Line) -> Look:
    """What may be said of a site that seems down, where our own line may have gone meanwhile."""
    ways: Mapping[str, Way] = {
        name: Way("our_line")
        for name, way, held in (("v4", found.v4, after.v4), ("v6", found.v6, after.v6))
        if not held and way.works is False and way.trouble not in {"no_record", "no_name"}
    }
    return msgspec.structs.replace(found, **ways) if ways else found


async def _eyes(rules: Rules, ask: Resolve) -> Eyes:
    try:
        synthesised = [ip for ip in await ask("ipv4only.arpa", "v6") if isinstance(ip, IPv6Address)]
    except ResolveError:
        synthesised = []
    reachable = Reachable(networks(rules.allowed_networks), _own(), nat64_prefixes(synthesised))
    door = Door(ask, reachable, frozenset(rules.ports), "v4")
    trusting = ssl.create_default_context()
    if rules.ca_file:
        trusting.load_verify_locations(cafile=rules.ca_file)
    return Eyes(door, trusting, rules.agent, rules.seconds)


def _own() -> frozenset[Ip]:
    """The addresses of this machine: what listens there may trust who asks from it."""
    return frozenset(
        ip_address(one.address.partition("%")[0])
        for each in psutil.net_if_addrs().values()
        for one in each
        if one.family.name in {"AF_INET", "AF_INET6"}
    )


if __name__ == "__main__":
    sys.exit(main())
