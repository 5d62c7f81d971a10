"""Which rules judge what was taken when: shipped ones, files, and the console's with their instants. Pure."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from typing import TypeVar

from schoolwatch_server import saved
from schoolwatch_server.rules.follow import Row
from schoolwatch_server.rules.held import Held, Stored
from schoolwatch_server.rules.load import read
from schoolwatch_server.rules.rule import Rule
from schoolwatch_server.strict_yaml import SheetError

R = TypeVar("R", bound=Row)


@dataclass(frozen=True, slots=True)
class Book:
    """The rules of all times: `pages[n]` holds from `starts[n - 1]` (UTC seconds) on, `pages[0]` before.

    `faults` says which saved versions can't be used, and why; what held before them holds.
    """

    pages: tuple[tuple[Held, ...], ...]
    starts: tuple[float, ...] = ()
    faults: tuple[str, ...] = ()

    @classmethod
    def of(cls, rules: Iterable[Rule]) -> "Book":
        """Rules that hold at all times."""
        return cls((tuple(Held(rule, b"", "file") for rule in rules),))

    def held(self, at: float) -> tuple[Held, ...]:
        """What is in force at an instant, by id; rules that are switched off are among them."""
        return self.pages[bisect_right(self.starts, at)]

    def at(self, at: float) -> tuple[Rule, ...]:
        """As `held`, the rules alone."""
        return tuple(one.rule for one in self.held(at))

    @property
    def ids(self) -> frozenset[str]:
        """Every rule that holds at any time."""
        return frozenset(one.rule.id for page in self.pages for one in page)

    @property
    def of_sightings(self) -> tuple[Rule, ...]:
        """Those about sightings, in each of their versions."""
        held = (one.rule for page in self.pages for one in page)
        return tuple(rule for rule in held if rule.condition.sighting is not None)

    def spans(self, rows: Iterable[R]) -> Iterator[tuple[tuple[Rule, ...], list[R]]]:
        """The rows in their order, in runs that the same rules judge: those of when they were taken."""
        for page, run in groupby(rows, lambda row: bisect_right(self.starts, row.taken_at)):
            yield tuple(one.rule for one in self.pages[page]), list(run)


def put_together(files: Sequence[Held], stored: Sequence[Stored] = ()) -> Book:
    """Of shipped rules and files (`load.of_files`) and of what was saved in the console.

    A saved version stands before both, unless a file has a higher version than its own.
    """
    texts, faults = dict[tuple[str, int], Held](), list[str]()
    meant = [one for one in stored if not one.is_back]
    for one in meant:
        if not one.is_end:
            try:
                texts[one.name, one.version] = held_of(one)
            except SheetError as error:  # an older program wrote it
                faults.append(str(error))
    usable = [one for one in meant if one.is_end or (one.name, one.version) in texts]
    starts = tuple(sorted({one.valid_from for one in usable}))
    pages = [_page(files, {})]
    for start in starts:
        holding = saved.in_force(usable, start)
        pages.append(_page(files, {name: texts[name, one.version] for name, one in holding.items()}))
    return Book(tuple(pages), starts, tuple(faults))


@lru_cache(maxsize=2048)
def held_of(one: Stored) -> Held:
    """What a saved version says: it never changes, and to read one takes longer than all else here.

    Raises `SheetError` for an end, and for a text that this program can't use.
    """
    return read(one.text.encode(), one.path, "console", one.valid_from)


def _page(files: Sequence[Held], typed: dict[str, Held]) -> tuple[Held, ...]:
    chosen = {held.rule.id: held for held in files}
    for name, held in typed.items():
        known = chosen.get(name)
        if known is None or known.origin != "file" or known.rule.version <= held.rule.version:
            chosen[name] = held
    return tuple(chosen[name] for name in sorted(chosen))
