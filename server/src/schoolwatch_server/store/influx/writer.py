"""Writes what was measured and judged to a store of series, as fast as it takes it, and again what it lost.

Every point may be written twice: it is the same point. So the writer goes back whenever the store was started
anew, to what it had told it half a minute before it last knew that the store ran: VictoriaMetrics answers
before what it was told is on its disk.
"""

import logging
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Final

import msgspec
from sqlalchemy import Engine

from schoolwatch_contract.errors import ContractError
from schoolwatch_server import lasting
from schoolwatch_server.database import journal, judged_log, store_writer
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.database.store_writer import Progress, Reached
from schoolwatch_server.deletions import Deletion
from schoolwatch_server.influxql.instant import nanoseconds
from schoolwatch_server.store.influx.emptied import is_emptied
from schoolwatch_server.store.influx.engine import StoreEngine
from schoolwatch_server.store.influx.naming import Naming
from schoolwatch_server.store.influx.sending import BATCH, Batches, send
from schoolwatch_server.store.lines import device_lines, judged_line
from schoolwatch_server.store.names import GO_WITH_SCHOOL

log = logging.getLogger(__name__)

MARGIN: Final = 30.0
"""Seconds of its newest points that a store may lose when it is killed; of VictoriaMetrics it is about 5."""

LOOK_EVERY: Final = 5.0
"""Seconds between two looks whether the store was started anew."""

FUTURE: Final = 86400.0
"""Seconds by which a point may lie ahead: VictoriaMetrics drops without a word what is 2 days ahead."""

_REPORTS: Final = 250
"""Reports of the journal in one step: 10,000 points."""

_SAVE_EVERY: Final = 1.0
_DAY: Final = 86400.0


class Writer:
    """Follows the journal, the judged values and the deletions, each with a place of its own.

    `listed` is the list of deletions, `batches` how large requests may be: it outlives a writer.
    Raises `StoreDownError`, and what a database raises that is away.
    """

    def __init__(
        self,
        database: Engine,
        store: StoreEngine,
        place: str,
        listed: Path,
        *,
        retention_days: int = 0,
        margin: float = MARGIN,
        look_every: float = LOOK_EVERY,
        batches: Batches | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._database, self._store, self._place, self._listed = database, store, place, listed
        self._keeps = retention_days * _DAY
        self._margin, self._look_every, self._clock = margin, look_every, clock
        self._naming, self._batches = Naming(database), batches or Batches()
        self._told: deque[tuple[float, Reached]] = deque()  # when the store had said yes to how much
        self._saved_at = self._looked_at = -1e9
        self._turn, self._now_at = 0, Progress()
        self._ahead: dict[Deletion, float] = {}  # noted by a clock that was ahead → when that was seen here
        self._load()

    @property
    def progress(self) -> Progress:
        """What was done until now."""
        return self._now_at

    def step(self) -> int:
        """Writes some of what waits; how many points and deletions, 0 when nothing waits."""
        self._look()
        done = self._journal() + self._judged() + self._info() + self._delete()
        self._save(at_once=not done)
        return done

    def close(self) -> None:
        """Lets the connections to the store go."""
        self._store.close()

    def catch_up(self) -> None:
        """Writes all that waits."""
        while self.step():
            pass

    def fail(self, why: str) -> None:
        """Notes that nothing could be written; when it can, the writer looks first what store it is."""
        self._looked_at = -1e9
        self._change(error=why, error_at=self._clock())
        self._save(at_once=True)

    # --- what was told, and what of it is settled -------------------------------------------------------

    def _load(self) -> None:
        with begin_write(self._database) as conn:
            held = store_writer.begin(conn, self._place)
        self._turn, self._now_at = held.turn, held.progress
        self._told.clear()
        self._naming.forget()

    def _look(self) -> None:
        """Whether it is still the store that was told; what was told long enough before is then settled."""
        if time.monotonic() - self._looked_at < self._look_every:
            return
        about = self._store.about()
        self._looked_at = time.monotonic()
        known = self._now_at.instance
        if known and about.instance not in ("", known):
            self._go_back()
        settled = self._now_at.settled
        while self._told and self._told[0][0] <= time.monotonic() - self._margin:
            settled = self._told.popleft()[1]
        if about.notice and about.notice != self._now_at.notice:
            log.warning("the store: %s", about.notice)
        self._change(instance=about.instance or known, notice=about.notice, settled=settled)
        if self._keeps and self._now_at.whole_from < self._clock() - self._keeps:
            self._change(whole_from=0.0)  # what it lacks it would not have any more

    def _go_back(self) -> None:
        """To what it has for sure: of one that was emptied, or came back from an old copy, to nothing."""
        back, now = self._now_at.settled, self._clock()
        since = now - self._keeps if self._keeps else 0.0
        if is_emptied(self._database, self._store, self._now_at, since, now):
            log.warning("the store was started anew without what it had: all is written again")
            with begin_write(self._database) as conn:
                store_writer.rewind(conn, self._place, 0.0)
            self._load()
            return
        log.warning(
            "the store was started anew: written again from report %d on (it had been told up to %d)",
            back.journal,
            self._now_at.reached.journal,
        )
        self._told.clear()
        self._naming.forget()
        self._change(reached=back)

    def _save(self, *, at_once: bool) -> None:
        if not at_once and time.monotonic() - self._saved_at < _SAVE_EVERY:
            return
        self._saved_at = time.monotonic()
        if not self._told or self._told[-1][1] != self._now_at.reached:
            self._told.append((time.monotonic(), self._now_at.reached))
        with begin_read(self._database) as conn:
            held = store_writer.load(conn)
        if held is not None and held == store_writer.Held(self._turn, self._now_at, held.lost):
            return
        with begin_write(self._database) as conn:
            is_mine = store_writer.save(conn, self._turn, self._now_at)
        if not is_mine:
            log.info("somebody has set back how far the store is: written again from there")
            self._load()

    def _change(self, **values: object) -> None:
        self._now_at = msgspec.structs.replace(self._now_at, **values)

    def _reach(self, **values: object) -> None:
        self._change(reached=msgspec.structs.replace(self._now_at.reached, **values))

    def _send(self, lines: Sequence[str]) -> int:
        if lines:
            refused = send(self._store, lines, self._batches)
            done = self._now_at
            self._change(
                written=done.written + len(lines) - refused,
                refused=done.refused + refused,
                error="",
                ok_at=self._clock(),
            )
        return len(lines)

    # --- the four kinds of work ---------------------------------------------------------------------------

    def _journal(self) -> int:
        """The next reports; gives how many."""
        with begin_read(self._database) as conn:
            most = max(1, _REPORTS * self._batches.lines // BATCH)
            rows = journal.rows_after(conn, self._now_at.reached.journal, most)
            devices = store_writer.devices(conn, {row.device_id for row in rows})
        if not rows:
            return 0
        lines: list[str] = []
        for row in rows:
            if not row.uncertain:
                lines += self._in_time(row.taken_at, _lines(row, devices[row.device_id]))
        self._send(lines)
        self._reach(journal=rows[-1].id)
        return len(rows)

    def _in_time(self, at: float, lines: Iterable[str]) -> list[str]:
        """The lines, unless the store would drop them: it may say nothing of that."""
        found, now = list(lines), self._clock()
        if at > now + FUTURE:
            log.warning("%d points lie %.0f s ahead and are not written", len(found), at - now)
            self._change(future=self._now_at.future + len(found))
            return []
        if self._keeps and at < now - self._keeps:
            self._change(old=self._now_at.old + len(found))
            return []
        return found

    def _judged(self) -> int:
        """The next points of the next row of the log of judged values, which may have 46,000; gives 1.

        No more than go in one request: a store that breaks off now and then would never have a whole row.
        """
        with begin_read(self._database) as conn:
            noted = judged_log.after(conn, self._now_at.reached.judged)
            newest = judged_log.newest(conn) if noted is None else 0
        if noted is None:
            if newest < self._now_at.reached.judged:  # all of the log had its time: SQLite counts anew
                self._reach(judged=newest)
                self._change(filled=0)
            return 0
        row_id, *last = self._now_at.reached.within or (0,)
        with begin_read(self._database) as conn:
            told = (int(last[0]), last[1]) if row_id == noted.id else None
            rows, upto = judged_log.page(conn, noted, told, self._batches.lines)
        names = self._naming.names()
        lines: list[str] = []
        for row in rows:
            line = judged_line(row, names.beside(row.tags), nanoseconds(row.at))
            lines += self._in_time(row.at, () if line is None else (line,))
        self._send(lines)
        if upto is None:
            self._reach(judged=noted.id, within=None)
        else:
            self._reach(within=(noted.id, *upto))
        return 1

    def _info(self) -> int:
        """Which schools and devices there are, now and then; first what holds of those that were renamed.

        Whose new name is in the store has nothing left under the old one.
        """
        now = self._clock()
        lines = self._naming.moved(self._store, now) + self._naming.info(now)
        sent = self._send(lines)
        self._naming.told()
        return sent

    def _delete(self) -> int:
        """Deletions, half a minute after the last of their points can have been written.

        One of an instant to come was noted while the server's clock was ahead: it waits as long.
        """
        upto, now = self._now_at.reached.deleted, self._clock()
        known = lasting.read(self._listed, Deletion)
        for one in sorted(known, key=lambda each: each.at):
            if one.at <= upto:
                continue
            noted = one.at if one.at <= now else self._ahead.setdefault(one, now)
            if now - noted < self._margin:
                return 0
            tag, text, of = (
                ("device", one.device, [""])
                if one.device
                else ("school", str(one.school), ["school_info", *GO_WITH_SCHOOL])
            )
            if not all(self._store.delete(tag, text, measurement) for measurement in of):
                log.error(
                    "the store has no way to delete: the points of %s %s stay until their time", tag, text
                )
                self._change(undeleted=self._now_at.undeleted + 1)
            self._reach(deleted=one.at)
            return 1
        return 0


def _lines(row: journal.JournalRow, device: str) -> Sequence[str]:
    try:
        return tuple(device_lines(device, nanoseconds(row.taken_at), row.envelope.readings))
    except ContractError as error:
        log.error("report %d of the journal can't be read and is left out: %s", row.id, error)  # noqa: TRY400
        return ()
