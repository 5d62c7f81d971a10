"""Reports: a school's indicators in formats that people hand in, and tables over all schools."""

from schoolwatch_server.reports import (
    activation,
    declared,
    devices,
    indicators,
    lines,
    needs,
    room_use,
    sites,
)
from schoolwatch_server.reports.csv import CSV
from schoolwatch_server.reports.pen import EXCEL, MACHINE, Pen, Style
from schoolwatch_server.reports.report import Format, Report, file_name
from schoolwatch_server.reports.table import Asked, Table, stream

FORMATS: tuple[Format, ...] = (CSV,)
"""Every format in which reports can be had; a further one is one more file and one more name here."""

TABLES: dict[str, Table] = {
    module.TABLE.id: module.TABLE
    for module in (indicators, devices, room_use, activation, lines, sites, declared, needs)
}
"""Every table over all schools, by its id."""

__all__ = [
    "CSV",
    "EXCEL",
    "FORMATS",
    "MACHINE",
    "TABLES",
    "Asked",
    "Format",
    "Pen",
    "Report",
    "Style",
    "Table",
    "file_name",
    "stream",
]
