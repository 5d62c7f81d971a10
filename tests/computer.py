"""A computer with a real spool, whose clock may be wrong, and what the real intake makes of its reports."""

import io
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import select

from reports import NOW, RULES, Device, World
from schoolwatch_agent import bundle as bundling
from schoolwatch_agent.clocks import Moment
from schoolwatch_agent.identity import Broker, Credential
from schoolwatch_agent.spool import Spool
from schoolwatch_contract import envelope as envelopes
from schoolwatch_contract import frame as frames
from schoolwatch_contract.frame import Header
from schoolwatch_contract.records import Envelope, Reading, Sighting
from schoolwatch_contract.topics import topic
from schoolwatch_server import bundles
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.engine import begin_read
from schoolwatch_server.intake.accept import Message
from schoolwatch_server.intake.batch import take


class Computer:
    """`true` is the server's clock, `error` what this computer's clock is ahead of it."""

    def __init__(self, world: World, folder: Path) -> None:
        self.world, self.folder = world, folder
        self.device: Device = world.enrol()[0]
        self.true, self.error, self.boots = NOW, 0.0, 0
        self.start()

    def start(self, error: float | None = None, off: float = 0.0) -> None:
        """The computer is switched on after having been off; with another clock if one is given."""
        self.true += off
        self.booted, self.boots = self.true, self.boots + 1
        self.error = self.error if error is None else error

    @property
    def wall(self) -> float:
        return self.true + self.error

    @property
    def up(self) -> float:
        return self.true - self.booted

    def spool(self) -> Spool:
        return Spool(self.folder / "spool.db", f"boot {self.boots}", self.wall)

    def measure(self, count: int = 1, every: float = 300.0, sightings: Sequence[Sighting] = ()) -> None:
        """Reports that say themselves when they were truly taken; time goes on after each."""
        for _ in range(count):
            readings = (Reading("memory.size", self.true),)
            body = envelopes.encode(Envelope(1, self.wall, "0.1.0", readings, (), tuple(sightings)))
            with self.spool() as spool:
                spool.put([body], b"{}", self.wall, self.up)
            self.true += every

    def deliver(self, waited: float = 0.0, may_have_waited: float | None = None) -> None:
        """All that waits, and hears the acknowledgement; the messages waited so long at the broker."""
        with self.spool() as spool:
            due = spool.due(self.wall, 0, 10_000, self.up)
            spool.sending([held.id for held in due], self.wall)
            sealed = [
                frames.seal(
                    Header(self.device.device, held.spool, held.seq, held.floor, held.sent_at, held.clock),
                    held.body,
                    self.device.key,
                )
                for held in due
            ]
            self.true += waited
            most = waited if may_have_waited is None else may_have_waited
            messages = [Message(topic(self.device.device, "report"), one, self.true, most) for one in sealed]
            for ack in take(self.world.engine, messages, RULES).values():
                spool.acknowledge(ack, self.wall)
            assert spool.summary(self.wall).waiting == 0

    def carry(self, travels: float = 0.0) -> None:
        """A bundle of all that waits, written now and taken in after its travel."""
        key = self.device.key.hex()
        credential = Credential(self.device.device, key, "secret", Broker("127.0.0.1", 1))
        moment = Moment(self.wall, f"boot {self.boots}", self.up)
        file = self.folder / f"{self.true:.0f}.swbundle"
        assert bundling.write(self.folder / "spool.db", file, credential, moment, everything=False)
        self.true += travels
        content = io.BytesIO(file.read_bytes())
        proved = bundles.prove(self.world.engine, content)
        bundles.take_in(self.world.engine, content, proved, RULES, "test")

    def stored(self) -> list[tuple[float, float, bool]]:
        """Of each report in the journal: when it was taken as the server has it, truly, and uncertain."""
        j = t.journal.c
        query = select(j.taken_at, j.body, j.uncertain).where(j.device_id == self.device.id).order_by(j.id)
        with begin_read(self.world.engine) as conn:
            rows = conn.execute(query).all()
        return [(at, envelopes.decode(body).readings[0].value or 0.0, bad) for at, body, bad in rows]

    def errors(self) -> list[float]:
        """By how many seconds each is off; none may be uncertain."""
        stored = self.stored()
        assert not any(uncertain for _, _, uncertain in stored)
        return [at - truly for at, truly, _ in stored]
