"""The notice of a school says what the catalogue says, to everybody, on one sheet."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from schoolwatch_contract.catalogue import SUBJECTS
from schoolwatch_contract.catalogue.classes import NEVER
from schoolwatch_server import texts
from schoolwatch_server.config import Privacy, Retention, ServerConfig
from schoolwatch_server.law import words
from schoolwatch_server.law.document import Document
from schoolwatch_server.law.notice import notice
from schoolwatch_server.law.page import html
from schoolwatch_server.texts import LANGUAGES, Language
from tree import Tree
from website import RunningSite

TEXTS = texts.load()
LONG = Privacy(
    controller="Sở Giáo dục và Đào tạo tỉnh Quảng Ngãi, 06 Nguyễn Nghiêm, phường Nghĩa Lộ",
    contact="Phòng Khoa học và Công nghệ thông tin của Sở, điện thoại 0255 0000 000",
)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_purpose_and_every_promise_of_the_catalogue_is_in_it(language: Language) -> None:
    said = lines(notice(ServerConfig(), TEXTS, language))
    for subject in SUBJECTS:
        why = subject.vi if language == "vi" else subject.en
        what = words.PROBES[subject.probe][LANGUAGES.index(language)]
        assert any(what in line and line.endswith(f": {why[0].lower()}{why[1:]}.") for line in said), subject
    for vi, en in NEVER:
        assert f"{vi if language == 'vi' else en}." in said


def test_what_the_settings_say_stands_in_it() -> None:
    config = ServerConfig(
        privacy=Privacy(room_devices=7, controller="Sở X", contact="Phòng Y"),
        retention=Retention(journal_days=60),
    )
    said = "\n".join(lines(notice(config, TEXTS, school="Trường A")))
    for part in ("Trường: Trường A", "do Sở X quản lý", "hoặc Phòng Y.", "từ 7 máy", ": 60 ngày."):
        assert part in said


def test_what_nobody_declared_is_left_to_be_filled_in_by_hand() -> None:
    assert sum("…………" in line for line in lines(notice(ServerConfig(), TEXTS))) == 3


def test_everybody_may_read_it_without_an_account(tmp_path: Path) -> None:
    tree = Tree(tmp_path)
    with RunningSite(tree.config) as site:
        answer = site.anyone().get("/privacy")
        assert answer.status_code == 200
        assert "Không bao giờ thu thập" in answer.text
        assert 'href="/privacy"' in site.anyone().get("/login").text
    tree.engine.dispose()


def test_a_name_is_no_part_of_the_page_s_code() -> None:
    page = html(notice(ServerConfig(), TEXTS, school="<b>A</b> & B"), "x")
    assert "<b>A" not in page
    assert "&lt;b&gt;A&lt;/b&gt; &amp; B" in page


def test_it_prints_on_one_sheet_from_the_kit_and_from_the_console(tmp_path: Path, browser: Browser) -> None:
    tree = Tree(tmp_path)
    page = tmp_path / "notice.html"
    named = notice(
        ServerConfig(privacy=LONG), TEXTS, school="Trường Trung học phổ thông Nguyễn Thị Minh Khai"
    )
    page.write_text(html(named, "SchoolWatch 0.1.0", one_page=True), encoding="utf-8")
    with RunningSite(tree.config) as site:
        for address in (page.as_uri(), f"{site.url}/privacy"):
            tab = browser.new_page()
            tab.goto(address)
            assert sheets(tab.pdf(format="A4", prefer_css_page_size=True)) == 1, address
            tab.close()
    tree.engine.dispose()


def sheets(pdf: bytes) -> int:
    return len(re.findall(rb"/Type\s*/Page\b", pdf))


def lines(document: Document) -> list[str]:
    said = [document.title, *document.text]
    for section in document.sections:
        said += [section.title, *section.text, *section.items]
    return said
