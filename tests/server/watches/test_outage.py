"""Schools that fall silent at once."""

from types import SimpleNamespace

from schoolwatch_server.watches.outage import Limits, Line, Outage, _by_commune, in_communes, in_provinces
from schoolwatch_server.watches.sight import spelled

LIMITS = Limits()


def line(
    school: int, *, isp: str = "vnpt", down: bool | None = True, since: float = 0.0, commune: int = 1
) -> Line:
    return Line(school, commune, 1, {isp: isp.upper()} if isp else {}, down, since)


def test_three_schools_of_a_provider_are_its_outage() -> None:
    (found,) = in_communes([line(1), line(2), line(3), line(4, isp="fpt", down=False)], LIMITS)
    assert (found.isp, found.name, found.schools) == ("vnpt", "VNPT", (1, 2, 3))


def test_two_providers_at_once_are_two_outages() -> None:
    lines = [line(n, isp=("vnpt", "fpt")[n % 2]) for n in range(6)]
    assert [(one.isp, one.schools) for one in in_communes(lines, LIMITS)] == [
        ("fpt", (1, 3, 5)),
        ("vnpt", (0, 2, 4)),
    ]


def test_one_school_or_two_are_none() -> None:
    assert in_communes([line(1), line(2), *(line(n, down=False) for n in range(3, 9))], LIMITS) == []
    assert in_communes([line(1)], LIMITS) == []


def test_a_few_of_a_provider_that_is_heard_elsewhere_in_the_commune_are_none() -> None:
    assert (
        in_communes([*(line(n) for n in range(3)), *(line(n, down=False) for n in range(3, 9))], LIMITS) == []
    )
    # those of which nothing is known don't count against it
    assert in_communes([*(line(n) for n in range(3)), *(line(n, down=None) for n in range(3, 9))], LIMITS)


def test_they_must_fall_silent_at_once() -> None:
    assert in_communes([line(n, since=n * 3600.0) for n in range(5)], LIMITS) == []
    mixed = [line(9, since=-9000.0), *(line(n, since=n * 300.0) for n in range(4))]
    assert in_communes(mixed, LIMITS)[0].schools == (0, 1, 2, 3)


def test_where_all_providers_go_at_once_it_is_the_power() -> None:
    isps = ("vnpt", "fpt", "viettel", "")
    (found,) = in_communes([line(n, isp=isp) for n, isp in enumerate(isps)], LIMITS)
    assert (found.isp, found.schools) == ("", (0, 1, 2, 3))
    assert in_communes([*(line(n, isp="") for n in range(3)), line(4, isp="", down=False)], LIMITS) == []


def test_how_many_of_each_commune_went_is_kept_with_an_outage_of_the_province() -> None:
    places = {school: SimpleNamespace(commune_id=school // 10) for school in (10, 11, 20, 21, 22)}
    outage = Outage(1, "vnpt", "VNPT", (10, 11, 20, 21, 22, 99), 0.0)
    assert _by_commune(SimpleNamespace(places=places), outage) == "1:2 2:3"


def test_three_communes_are_the_provinces() -> None:
    lines = [line(c * 10 + n, commune=c, since=c * 60.0) for c in (1, 2, 3) for n in range(3)]
    communes = in_communes(lines, LIMITS)
    (found,) = in_provinces(lines, communes, LIMITS)
    assert [one.place_id for one in communes] == [1, 2, 3]
    assert (found.isp, len(found.schools), found.since) == ("vnpt", 9, 60.0)
    assert in_provinces(lines, communes[:2], LIMITS) == []


def test_names_of_providers_are_compared_as_they_are_meant() -> None:
    assert spelled(" VNPT ") == spelled("Vnpt")
    assert spelled("Viễn thông") == spelled("Vie\u0302\u0303n tho\u0302ng")
