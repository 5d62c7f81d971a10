"""The store that the settings name."""

from pathlib import Path

from schoolwatch_server.store.influx.engine import ANSWER, StoreDownError, StoreEngine
from schoolwatch_server.store_section import SeriesStore


def open_engine(section: SeriesStore, answer: float = ANSWER) -> StoreEngine:
    """A client of it that waits so many seconds; nothing is asked yet.

    Raises `StoreDownError` where its token's file can't be read.
    """
    secret = token(section.token_file)
    if section.kind == "victoriametrics":
        from schoolwatch_server.store.influx.victoriametrics import VictoriaMetrics

        return VictoriaMetrics(section.url, secret, section.ca_file, answer, section.retention_days)
    from schoolwatch_server.store.influx.influxdb import InfluxDB

    return InfluxDB(
        section.url, secret, section.ca_file, section.database, section.org, section.bucket, answer
    )


def token(file: str) -> str:
    """What is in a token's file, as it is now. Raises `StoreDownError` where it can't be read."""
    if not file:
        return ""
    try:
        text = Path(file).read_text(encoding="utf-8-sig").strip()  # Windows' Notepad may write a mark first
        text.encode("ascii")
    except UnicodeError as error:
        what = f"store.token_file: {file} has signs beyond ASCII: give it another password, or token"
        raise StoreDownError(what) from error
    except OSError as error:
        raise StoreDownError(f"store.token_file: {file} can't be read ({type(error).__name__})") from error
    return text
