"""Which feature is which commune: by code, else by name, and never by a guess."""

from schoolwatch_server.boundaries.geojson import Feature
from schoolwatch_server.boundaries.match import Commune, Matched, match

COMMUNES = (
    Commune(1, "00004", "Phường Ba Đình"), Commune(2, "11317", "Xã Tân An"), Commune(3, "11320", "Xã Tấn An"),
    Commune(4, "11323", "Đặc khu Cát Hải"), Commune(5, "11326", "Xã Hòa Bình"),
    Commune(6, "11329", "Phường Hòa Bình"),
)  # fmt: skip


def matched(*labels: dict[str, str]) -> Matched:
    return match([Feature(number, each, ()) for number, each in enumerate(labels, 1)], COMMUNES)


def numbers(found: Matched) -> dict[int, list[int]]:
    return {id_: [feature.number for feature in those] for id_, those in found.found.items()}


def test_a_code_is_found_without_the_noughts_that_a_spreadsheet_took() -> None:
    found = matched({"ten": "khác", "ma": "4"}, {"ten": "khác", "ma": "11317"}, {"ten": "lạ", "ma": "99999"})
    assert (found.by_code, numbers(found)) == ("ma", {1: [1], 2: [2]})
    assert [found.called(feature) for feature in found.unmatched] == ["99999 (3)"]
    assert [commune.id for commune in found.without] == [3, 4, 5, 6]


def test_a_name_is_found_however_it_is_written_and_not_where_two_would_fit() -> None:
    found = matched(
        {"ten": "CÁT  HẢI"}, {"ten": "dac khu cat hai"}, {"ten": "Ba Đình"}, {"ten": "tan an"},
        {"ten": "Xã Tấn An"}, {"ten": "Hòa Bình"}, {"ten": "phường Hoà Bình"},
    )  # fmt: skip
    assert found.by_name == "ten"
    assert numbers(found) == {4: [1, 2], 1: [3], 3: [5], 6: [7]}
    assert [found.called(feature) for feature in found.unmatched] == ["tan an (4)", "Hòa Bình (6)"]


def test_what_has_no_code_is_found_by_name_and_a_number_of_people_is_no_code() -> None:
    found = matched(
        {"ma": "11323", "ten": "lạ"}, {"ma": "11317", "ten": "Xã Tân An"}, {"ma": "", "ten": "Phường Ba Đình"}
    )
    assert numbers(found) == {4: [1], 2: [2], 1: [3]}
    people = matched(
        {"so_dan": "11317", "ten": "Phường Ba Đình"}, {"so_dan": "5200", "ten": "Xã Tân An"},
        {"so_dan": "8000", "ten": "Cát Hải"},
    )  # fmt: skip
    assert (people.by_code, numbers(people)) == ("", {1: [1], 2: [2], 4: [3]})


def test_nothing_is_found_where_nothing_fits() -> None:
    found = matched({"a": "b"}, {})
    assert found.found == {}
    assert len(found.unmatched) == 2
    assert len(found.without) == len(COMMUNES)
