"""How long the files of a frozen report take, and how much memory: a province of 1,500 schools, a school.

The reports are simulated: drawn from a seeded generator, and no number below says anything about a school.
Each file is made in a process of its own, from the kept bytes; beside ours, the same cells by openpyxl and
the same texts by ReportLab. "work" are processor seconds: on a busy machine, waiting is not counted there.

    python benchmarks/reports.py [--schools 1500] [--devices 50] [--times 3]

Goals: the province's XLSX in 5 s, a school's evidence PDF in 2 s, each under 500 MB.
"""

import argparse
import io
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from parts.frozen import of_province, of_school
from schoolwatch_server import texts
from schoolwatch_server.reports import content
from schoolwatch_server.reports.files import FORMATS, Paper, paper
from schoolwatch_server.reports.files.evidence import evidence

ADDRESS = "https://giamsat.vi.du/verify/1"
GOALS = {"province.xlsx": 5.0, "school.pdf": 2.0}
MEMORY = 500.0
"""Megabytes of a process that does nothing but read the kept bytes and make the file."""

Render = Callable[[Paper], bytes]


def openpyxl_cells(of: Paper) -> bytes:
    """The same rows as our sheets of schools, by openpyxl's quickest way."""
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    sheets: dict[str, Any] = {}
    for part in of.content.parts:
        if part.school_level not in sheets:
            sheets[part.school_level] = book.create_sheet(part.school_level or "Xã")
        row: list[object] = [part.code, part.name, part.within]
        for value in part.values:
            known = value.value if value.value is not None else "chưa đủ dữ liệu"
            row += [known, value.coverage, "đạt"]
        sheets[part.school_level].append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def reportlab_texts(of: Paper) -> bytes:
    """The same texts as our evidence pack, in ReportLab's tables; its own font has no Vietnamese."""
    from reportlab.lib.styles import getSampleStyleSheet
    from reportlab.platypus import LongTable, Paragraph, SimpleDocTemplate

    style = getSampleStyleSheet()["Normal"]

    def text(of: object) -> Paragraph:
        return Paragraph(str(of).replace("&", "&amp;").replace("<", "&lt;"), style)

    def table(rows: Iterable[Iterable[object]]) -> LongTable:
        return LongTable([[text(cell) for cell in row] for row in rows])

    told: dict[str, Any] = dict(evidence(of))
    story = [table(told["details"]), table(told["summary"]["rows"])]
    for criterion in told["criteria"]:
        story += [text(criterion["title"]), table(criterion["told"]), table(criterion["sources"])]
    story.append(table(told["devices"]["rows"]))
    out = io.BytesIO()
    SimpleDocTemplate(out).build(story)
    return out.getvalue()


OURS = [(level, one) for level in ("province", "school") for one in FORMATS]
JOBS: dict[str, Render] = {
    **{f"{level}.{one.id}": one.render for level, one in OURS},
    "province.xlsx by openpyxl": openpyxl_cells,
    "school.pdf by ReportLab": reportlab_texts,
}


@dataclass(frozen=True)
class Measured:
    """Seconds by the clock (the first time, the median), of the processor; megabytes of file and memory."""

    first: float
    median: float
    work: float
    size: float
    peak: float


def run(job: str, body: Path, times: int) -> None:
    """In a process of its own: prints what was measured."""
    data, words = body.read_bytes(), texts.load()
    clock, work, made = [], [], b""
    for _ in range(times):
        begin, worked = time.perf_counter(), time.process_time()
        made = JOBS[job](paper(data, words, verify=ADDRESS))
        clock.append(time.perf_counter() - begin)
        work.append(time.process_time() - worked)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps([clock[0], statistics.median(clock), statistics.median(work), len(made) / 1e6, peak]))


def measured(folder: Path, times: int) -> Iterator[tuple[str, Measured]]:
    """Each job, one after the other."""
    for job in JOBS:
        words = [sys.executable, __file__, "--job", job, "--body", str(folder / job.partition(".")[0])]
        ran = subprocess.run([*words, "--times", str(times)], check=True, capture_output=True, text=True)
        yield job, Measured(*json.loads(ran.stdout))


def main() -> int:
    """Generates, measures, and says whether the goals were met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--schools", type=int, default=1500)
    parser.add_argument("--devices", type=int, default=50)
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--job", help=argparse.SUPPRESS)
    parser.add_argument("--body", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.job:
        run(options.job, options.body, options.times)
        return 0
    missed = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "province").write_bytes(content.encode(of_province(options.schools)))
        (folder / "school").write_bytes(content.encode(of_school(options.devices)))
        print(f"SIMULATED: a province of {options.schools} schools, a school of {options.devices} devices")
        print(f"{'file':<28} {'first':>8} {'median':>8} {'work':>8} {'size':>9} {'memory':>9}")
        for job, one in measured(folder, options.times):
            seconds = f"{one.first:>6.2f} s {one.median:>6.2f} s {one.work:>6.2f} s"
            print(f"{job:<28} {seconds} {one.size:>6.2f} MB {one.peak:>6.0f} MB")
            if job in GOALS and (one.first > GOALS[job] or one.peak > MEMORY):
                missed.append(job)
    goals = ", ".join(f"{job} in {goal:g} s" for job, goal in GOALS.items())
    print(f"goals: {goals}, under {MEMORY:g} MB: {'MISSED by ' + ', '.join(missed) if missed else 'met'}")
    return 1 if missed else 0


if __name__ == "__main__":
    raise SystemExit(main())
