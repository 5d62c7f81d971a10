"""The registry from the command line: adds schools, finds places by their codes, and lists them."""

import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection, Engine

from schoolwatch_server.alphabet import order, plain
from schoolwatch_server.database import people, registry
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.database.pages import NamedRow
from schoolwatch_server.database.registry import RegistryError
from schoolwatch_server.scope import EVERYTHING, Scope

NAME_MAX = 200
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,19}")
BY = "command line"
PlaceLevel = Literal["school", "commune", "province"]


@dataclass(frozen=True, slots=True)
class Named:
    """A place as a person names it; an empty text was not given."""

    code: str
    name: str = ""


def add(engine: Engine, school: Named, level: str, commune: Named, province: Named) -> int:
    """The new school's id; commune and province are made when their codes are new. Raises `RegistryError`."""
    check_named("school", school)
    now = time.time()
    with begin_write(engine) as conn:
        check_free(conn, school.code)
        commune_id = _commune(conn, commune, province)
        school_id = registry.create_school(conn, commune_id, school.code, school.name, level, now)
        detail = {"name": school.name, "level": level, "commune": commune.code}
        people.record(conn, actor=BY, action="school.create", subject=school.code, detail=detail, now=now)
    return school_id


def listing(engine: Engine) -> str:
    """Every school, one a line."""
    with begin_read(engine) as conn:
        found = registry.schools(conn, EVERYTHING)
    lines = (f"{s.code or '-'}  {s.level or '-'}  {s.name}, {s.commune}, {s.province}" for s in found)
    return "\n".join(lines) or "there is no school yet: see `school add`"


def scope_of(engine: Engine, level: PlaceLevel, code: str) -> Scope:
    """The scope of one place. Raises `RegistryError` when no place of that level has the code."""
    with begin_read(engine) as conn:
        if level == "school":
            school = registry.school_by_code(conn, code, EVERYTHING)
            id_ = None if school is None else school.id
        else:
            id_ = _ids(conn, level).get(code)
    if id_ is None:
        raise RegistryError(
            f"there is no {level} with the code {code[:40]!r}: see `school list` or the console"
        )
    return Scope(level, id_)


def places(engine: Engine) -> Callable[[Scope], str]:
    """A function that says in words what a scope covers: `school S`, or `everything`."""
    with begin_read(engine) as conn:
        codes = {("school", s.id): s.code for s in registry.schools(conn, EVERYTHING)}
        for level in ("commune", "province"):
            codes |= {(level, id_): code for code, id_ in _ids(conn, level).items()}

    def words(scope: Scope) -> str:
        if scope.id is None:
            return "everything"
        return f"{scope.level} {codes.get((scope.level, scope.id), '-')}"

    return words


def _ids(conn: Connection, level: str) -> dict[str, int]:
    rows = registry.communes(conn, EVERYTHING) if level == "commune" else registry.provinces(conn, EVERYTHING)
    return {row.code: row.id for row in rows}


def check_free(conn: Connection, code: str) -> None:
    """Raises `RegistryError` for a code that a school has, or had: its reports are found by it."""
    held = registry.school_by_code(conn, code, EVERYTHING)
    if held is not None and held.code == code:
        raise RegistryError(f"there is a school {code} already, {held.name!r}: choose another code")
    if held is not None:
        raise RegistryError(f"{code} was the code of {held.name!r}, which is found by it: choose another")


def _commune(conn: Connection, commune: Named, province: Named) -> int:
    held = next((c for c in registry.communes(conn, EVERYTHING) if c.code == commune.code), None)
    if held is None:
        check_named("commune", commune, "--commune-name")
        if not province.code:
            raise RegistryError(f"commune {commune.code} is new: say its province too, with --province CODE")
        return registry.create_commune(conn, _province(conn, province), commune.code, commune.name)
    _same("commune", Named(held.code, held.name), commune)
    if province.code and province.code not in {
        p.code for p in registry.provinces(conn, Scope("province", held.province_id))
    }:
        raise RegistryError(
            f"commune {held.code} is in {held.province!r}, not in {province.code}: correct one"
        )
    return held.id


def _province(conn: Connection, province: Named) -> int:
    held = next((p for p in registry.provinces(conn, EVERYTHING) if p.code == province.code), None)
    if held is None:
        check_named("province", province, "--province-name")
        return registry.create_province(conn, province.code, province.name)
    _same("province", Named(held.code, held.name), province)
    return held.id


def _same(kind: str, held: Named, given: Named) -> None:
    if given.name and given.name != held.name:
        raise RegistryError(f"{kind} {held.code} is {held.name!r} already: leave out --{kind}-name")


def check_named(kind: str, place: Named, option: str = "") -> None:
    """A code fits into an address, a name onto one line. Raises `RegistryError`."""
    if not _CODE.fullmatch(place.code):
        raise RegistryError(f"the {kind}'s code has 1 to 20 letters without accents, digits, or . _ -")
    if option and not place.name:
        raise RegistryError(f"{kind} {place.code} is new: say its name too, with {option} NAME")
    if not place.name.strip() or len(place.name) > NAME_MAX or not place.name.isprintable():
        raise RegistryError(f"the {kind}'s name has 1 to {NAME_MAX} printable characters")


def find(query: str, schools: Iterable[NamedRow]) -> list[NamedRow]:
    """Those whose name, commune or code has every word of the query, the likeliest first.

    A word is the beginning of one in a name, or any part of a code.
    """
    words = plain(query).split()
    ranked = [(rank, school) for school in schools if (rank := _rank(query, words, school)) is not None]
    return [school for _, school in sorted(ranked, key=lambda one: (one[0], order(one[1].name), one[1].code))]


def _rank(query: str, words: list[str], school: NamedRow) -> int | None:
    """0 the code itself, 1 the name as typed, 2 the name without diacritics, 3 otherwise; None: not found."""
    code, name = school.code.casefold(), f" {plain(school.name)}"
    everywhere = f"{name} {plain(school.commune)}"
    if not all(f" {word}" in everywhere or word in code for word in words):
        return None
    if code == query.casefold():
        return 0
    if query.casefold() in school.name.casefold():
        return 1
    return 2 if f" {' '.join(words)}" in name else 3
