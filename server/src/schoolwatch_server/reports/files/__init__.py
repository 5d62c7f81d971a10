"""Files that are made of a frozen report: one file a format, each a pure function of `Paper`."""

from schoolwatch_server.reports.files.as_csv import CSV
from schoolwatch_server.reports.files.as_docx import DOCX
from schoolwatch_server.reports.files.as_json import JSON
from schoolwatch_server.reports.files.as_pdf import PDF
from schoolwatch_server.reports.files.as_wide_csv import WIDE_CSV
from schoolwatch_server.reports.files.as_xlsx import XLSX
from schoolwatch_server.reports.files.paper import FileFormat, Paper, file_name, paper, plain_name

FORMATS: tuple[FileFormat, ...] = (PDF, DOCX, XLSX, CSV, WIDE_CSV, JSON)
"""Every format in which a frozen report can be had; a further one is one more file and one more name here."""

__all__ = ["FORMATS", "FileFormat", "Paper", "file_name", "paper", "plain_name"]
