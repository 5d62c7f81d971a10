"""Names in Vietnamese order with numbers as numbers, and what is typed without diacritics."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schoolwatch_server.alphabet import order, plain


@pytest.mark.parametrize(
    "names",
    [
        ["C1", "C2", "C10", "C11"],
        ["Máy 2", "Máy 10", "Máy 10 B"],
        ["Xã An Bình", "Xã Ấp Bắc", "Xã Bình An"],
        ["Dương", "Đại", "Đoàn", "Em"],
        ["Lan", "Lăng", "Lâm", "Lê"],
        ["ma", "mà", "mả", "mã", "má", "mạ", "man"],
        ["Lê Lợi", "Lê Lợi 1", "Lê Lợi 2", "Lê Lợi 10", "Lê Lợi A"],
        ["Lê A", "Lê Văn Tám", "Lên"],
        ["Phường 1", "Phường 2", "Phường 12", "Xã 1"],
    ],
)
def test_names_stand_as_in_a_vietnamese_list(names: list[str]) -> None:
    mixed = random.Random(1).sample(names, len(names))
    assert sorted(mixed, key=order) == names


def test_composed_and_decomposed_letters_stand_together() -> None:
    assert order("Lê Lợi")[:2] == order("Le\u0302 Lo\u031b\u0323i")[:2]


@given(st.lists(st.text(max_size=20)))
def test_any_names_can_be_put_in_order(names: list[str]) -> None:
    backwards = names[::-1]
    assert sorted(names, key=order) == sorted(backwards, key=order)


@pytest.mark.parametrize(
    ("written", "typed"),
    [("Trường Lê Lợi", "truong le loi"), ("ĐOÀN THỊ ĐIỂM", "doan thi diem"), ("Ưu Đàm 12", "uu dam 12")],
)
def test_diacritics_need_not_be_typed(written: str, typed: str) -> None:
    assert plain(written) == plain(typed) == typed
