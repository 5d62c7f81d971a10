"""Reports: a school's indicators in formats that people hand in."""

from schoolwatch_server.reports.csv import CSV
from schoolwatch_server.reports.report import Format, Report, file_name

FORMATS: tuple[Format, ...] = (CSV,)
"""Every format in which reports can be had; a further one is one more file and one more name here."""

__all__ = ["CSV", "FORMATS", "Format", "Report", "file_name"]
