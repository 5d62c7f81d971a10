"""The record of processing says all that the server holds, and nothing that it does not do."""

from typing import get_args

import pytest

from schoolwatch_contract.topics import Leaf
from schoolwatch_server import people
from schoolwatch_server.access import Permission, Role
from schoolwatch_server.config import Database, Http, Mqtt, Privacy, Retention, SeriesStore, ServerConfig
from schoolwatch_server.database.tables import metadata
from schoolwatch_server.law import words
from schoolwatch_server.law.basis import DATA, LEVEL, SURE
from schoolwatch_server.law.document import Document
from schoolwatch_server.law.holding import KINDS
from schoolwatch_server.law.holdings import HOLDINGS
from schoolwatch_server.law.record import UNDECLARED, kept, record

SENSITIVE = ("password", "hash", "secret", "csrf", "actor", "frame_key", "hints")


def test_every_column_of_every_table_has_a_class() -> None:
    real = {name: {column.name for column in table.columns} for name, table in metadata.tables.items()}
    held = {name: {*holding.columns} for name, holding in HOLDINGS.items()}
    assert held == real, "say in law/holdings.py what a new table or column holds and how private it is"


def test_a_column_has_one_class_and_every_class_occurs() -> None:
    assert {kind for holding in HOLDINGS.values() for kind in holding.kinds} == {*KINDS}


def test_what_names_a_person_or_opens_something_is_never_called_technical() -> None:
    named = {
        (table, column): kind
        for table, holding in HOLDINGS.items()
        for column, kind in holding.columns.items()
        if any(part in column for part in SENSITIVE)
    }
    assert len(named) >= 8
    assert [where for where, kind in named.items() if kind == "technical"] == []


def test_roles_permissions_and_topics_are_all_named() -> None:
    assert {*words.ROLES} == {*get_args(Role)}
    assert {*words.PERMISSIONS} == {*get_args(Permission)}
    assert {*words.TOPICS} == {*get_args(Leaf)}


def test_the_record_shows_every_table_with_the_time_that_is_set() -> None:
    text = said(record(ServerConfig(retention=Retention(journal_days=30, audit_days=400))))
    assert all(f"\n{name} | " in text for name in metadata.tables)
    assert "\njournal | " in text
    assert "HMAC-SHA-256; báo cáo giả" in text
    assert "bắt buộc với: quản trị của Sở, " in text
    assert text.split("\njournal | ")[1].split("\n")[0].endswith("| 30 ngày")
    assert "400 ngày | 365–3.660 ngày" in text
    assert "rollup" in text
    assert "theo giờ 730 ngày, theo ngày 1.830 ngày" in text


def test_where_a_device_stood_is_said_to_be_kept_as_long_as_it_is() -> None:
    longest = ServerConfig(retention=Retention(daily_days=3000))
    assert kept("membership", longest) == "3.000 ngày sau khi thay đổi"
    assert kept("device", longest) == "3.000 ngày sau khi máy ngừng sử dụng"
    assert kept("credential", longest) == "365 ngày sau khi máy ngừng sử dụng"


def test_what_is_not_declared_is_left_open_and_what_is_stands_there() -> None:
    assert said(record(ServerConfig())).count(UNDECLARED) == 2
    told = said(record(ServerConfig(privacy=Privacy(controller="Sở Giáo dục và Đào tạo"))))
    assert "Cơ quan kiểm soát dữ liệu: Sở Giáo dục và Đào tạo." in told
    assert "PostgreSQL" in said(record(ServerConfig(database=Database("postgresql+psycopg://u@h/d"))))


@pytest.mark.usefixtures("real_passwords")
def test_the_numbers_of_passwords_are_those_that_are_used() -> None:
    hashed = people.hash_password("a password for tests")
    assert hashed.startswith("$argon2id$v=19$m=65536,t=3,")
    assert "argon2id (64 MiB, 3 lượt)" in said(record(ServerConfig()))


def test_every_statement_of_the_law_says_how_sure_it_is() -> None:
    text = said(record(ServerConfig()))
    for statement in DATA:
        assert f"{statement.vi} | {statement.source} | {SURE[statement.sure]}" in text
    unread = [each for each in (*DATA, *LEVEL) if "331/2026" in each.source or "91/2025" in each.source]
    assert unread
    assert all(each.sure != "original" for each in unread)


def test_encryption_that_is_not_configured_is_not_claimed() -> None:
    text = said(record(ServerConfig()))
    assert text.count("không mã hóa, chỉ nghe trên chính máy chủ") == 2
    reached = said(record(ServerConfig(http=Http(host="0.0.0.0"), mqtt=Mqtt(host="0.0.0.0"))))
    assert reached.count("TLS 1.2 trở lên, chứng thư của CA riêng") == 2


def said(document: Document) -> str:
    """A page as plain lines."""
    lines = [document.title, *document.text]
    for section in document.sections:
        lines += [
            section.title,
            *section.text,
            *section.items,
            " | ".join(section.head),
            *map(" | ".join, section.rows),
        ]
    return "\n".join(lines)


def test_a_store_of_series_beside_the_database_is_named_where_there_is_one() -> None:
    assert "Kho chuỗi số liệu" not in said(record(ServerConfig()))
    store = SeriesStore("influxdb", "https://tsdb.so.gov.vn", bucket="b", retention_days=700)
    text = said(record(ServerConfig(store=store)))
    assert "influxdb tại https://tsdb.so.gov.vn" in text
    assert "giữ 700 ngày" in text
    assert "InfluxDB 3 Core không xóa được" in text
