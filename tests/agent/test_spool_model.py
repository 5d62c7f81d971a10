"""The spool against a model of everything that can befall it: nothing is lost, nothing is stored twice."""

import shutil
import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from schoolwatch_agent.spool import ROW_BYTES, Held, Limits, Spool
from schoolwatch_contract.ack import Ack

DAY = 86_400.0


class ModelServer:
    """What a server does with frames, as architecture §3 says: store once, mark what has no gap."""

    def __init__(self) -> None:
        self.epoch = 1
        self.stored: dict[tuple[str, int], bytes] = {}
        self.marks: dict[str, int] = {}

    def take(self, held: Held) -> None:
        before = self.stored.setdefault((held.spool, held.seq), held.body)
        assert before == held.body, "a number was used twice"
        mark = max(self.marks.get(held.spool, 0), held.floor - 1)
        while (held.spool, mark + 1) in self.stored:
            mark += 1
        self.marks[held.spool] = mark

    def ack(self) -> Ack:
        return Ack(f"{self.epoch:016x}", dict(self.marks))


class SpoolMachine(RuleBasedStateMachine):
    @initialize(room=st.integers(3, 40))
    def begin(self, room: int) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="spool-model-"))
        self.limits = Limits(max_bytes=room * (8 + ROW_BYTES))
        self.now, self.boot, self.count, self.forgotten_drops = 1.8e9, 1, 0, 0
        self.server, self.saved_server = ModelServer(), None
        self.saved_spool: tuple[set[bytes], int] | None = None
        self.put_bodies: set[bytes] = set()  # less those that a restored copy never knew
        self.excused: set[bytes] = set()  # lost with the server's own data, and no longer held
        self.spool = self.open()

    def open(self) -> Spool:
        return Spool(self.folder / "spool.db", f"boot {self.boot}", self.now, self.limits)

    def held(self) -> set[bytes]:
        return {row[0] for row in self.spool._db.execute("SELECT body FROM envelope")}

    def marked(self) -> set[bytes]:
        rows = self.spool._db.execute("SELECT body FROM envelope WHERE acked_at IS NOT NULL")
        return {row[0] for row in rows}

    @rule(count=st.integers(0, 5))
    def put(self, count: int) -> None:
        bodies = [b"%08d" % (self.count + n) for n in range(count)]
        self.count += count
        self.put_bodies.update(bodies)
        acknowledged = self.marked()
        self.spool.put(bodies, b"{}", self.now)
        self.excused |= acknowledged - self.held()  # a server restored since has not been heard yet

    @rule(limit=st.integers(1, 10), arrives=st.booleans(), confirmed=st.booleans())
    def publish(self, limit: int, arrives: bool, confirmed: bool) -> None:
        """The broker may lose what it confirmed (its memory thrown away), or not confirm what it passed."""
        batch = self.spool.due(self.now, 0, limit)
        self.spool.sending([held.id for held in batch], self.now)
        if arrives:
            for held in batch:
                self.server.take(held)
        if confirmed:
            self.spool.published([held.id for held in batch], self.now)

    @rule()
    def acknowledge(self) -> None:
        self.spool.acknowledge(self.server.ack(), self.now)

    @rule(seconds=st.sampled_from([300.0, 3600.0, DAY, 3 * DAY]))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @rule(to=st.sampled_from([4e8, 1.7e9, 2.2e9]))
    def clock_jumps(self, to: float) -> None:
        self.now = to

    @rule(new_boot=st.booleans())
    def restart(self, new_boot: bool) -> None:
        self.spool.close()
        self.boot += new_boot
        self.spool = self.open()

    @rule()
    def save_spool(self) -> None:
        self.spool.close()
        shutil.copy(self.folder / "spool.db", self.folder / "copy")
        self.spool = self.open()
        self.saved_spool = (set(self.put_bodies), self.spool.summary(self.now).dropped)

    @rule()
    def restore_spool_and_boot(self) -> None:
        """A frozen lab PC: what was put since the image was taken is gone with the disk, unless delivered."""
        if self.saved_spool is None:
            return
        self.spool.close()
        shutil.copy(self.folder / "copy", self.folder / "spool.db")
        self.boot += 1
        self.spool = self.open()
        self.put_bodies = set(self.saved_spool[0])

    @rule()
    def save_server(self) -> None:
        self.saved_server = (dict(self.server.stored), dict(self.server.marks))

    @rule()
    def restore_server(self) -> None:
        """From a copy: a new epoch. What agents no longer hold is lost with the server's own data."""
        if self.saved_server is None:
            return
        lost = set(self.server.stored.values()) - set(self.saved_server[0].values())
        self.excused |= lost - self.held()
        self.server.stored, self.server.marks = dict(self.saved_server[0]), dict(self.saved_server[1])
        self.server.epoch += 1

    @invariant()
    def every_put_is_stored_held_or_counted_as_dropped(self) -> None:
        if not hasattr(self, "spool"):
            return
        missing = self.put_bodies - set(self.server.stored.values()) - self.held() - self.excused
        assert len(missing) <= self.spool.summary(self.now).dropped

    @invariant()
    def nothing_is_stored_twice(self) -> None:
        if hasattr(self, "server"):
            assert len(set(self.server.stored.values())) == len(self.server.stored)

    @invariant()
    def the_bound_is_kept(self) -> None:
        if hasattr(self, "spool"):
            held = self.spool._db.execute("SELECT coalesce(sum(size), 0) FROM envelope").fetchone()[0]
            assert self.spool.summary(self.now).bytes == held <= self.limits.max_bytes

    def teardown(self) -> None:
        """When the line is good again everything held arrives, and then the spool has nothing to send."""
        if not hasattr(self, "spool"):
            return
        held = self.held()
        for _ in range(3):
            self.spool.acknowledge(self.server.ack(), self.now)
            batch = self.spool.due(self.now + 2 * DAY, 0, 10_000)
            self.spool.sending([each.id for each in batch], self.now)
            for each in batch:
                self.server.take(each)
        self.spool.acknowledge(self.server.ack(), self.now)
        assert held <= set(self.server.stored.values())
        assert self.spool.summary(self.now).waiting == 0
        self.nothing_is_stored_twice()
        self.spool.close()
        shutil.rmtree(self.folder)


TestSpoolModel = SpoolMachine.TestCase
TestSpoolModel.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
