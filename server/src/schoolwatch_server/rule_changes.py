"""What follows when a rule is switched off, restricted or ended: its incidents there end as withdrawn."""

import logging
from dataclasses import dataclass

from sqlalchemy import Engine

from schoolwatch_server.database import rule_reach
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.rules import Book, Rule
from schoolwatch_server.rules.rule import Only

log = logging.getLogger(__name__)

AGAIN_AFTER = 3600.0
"""Seconds after which it is looked once more though no rule has changed: computers move between schools."""


@dataclass(slots=True)
class Withdrawing:
    """Remembers which rules it has looked at; belongs to the one loop that judges."""

    seen: tuple[Rule, ...] | None = None
    looked_at: float = 0.0

    def look(self, engine: Engine, book: Book, now: float) -> None:
        """Looks when the rules in force are others than before."""
        rules = book.at(now)
        if rules == self.seen and now - self.looked_at < AGAIN_AFTER:
            return
        by_id = {rule.id: rule for rule in rules}
        with begin_read(engine) as conn:
            found = rule_reach.rules_found(conn)  # one may have been a file that was taken away
        for id_ in sorted(book.ids | found):
            rule = by_id.get(id_)
            if rule is None or not rule.enabled or rule.only != Only():
                with begin_write(engine) as conn:
                    closed = rule_reach.withdraw(conn, id_, rule, now)
                if closed:
                    log.info("rule %s judges less than before: %d incidents withdrawn", id_, closed)
        self.seen, self.looked_at = rules, now
