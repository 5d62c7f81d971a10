"""What a store says of itself at `/metrics`, in Prometheus' text. Pure."""

import re

_START = re.compile(r"^(process_start_time_seconds|vm_app_start_timestamp) (\S+)", re.MULTILINE)
_VICTORIA = re.compile(r"^vm_app_version\{", re.MULTILINE)
_FLAG = re.compile(r'^flag\{name="([^"]+)", value="([^"]*)", is_set="(\w+)"\}', re.MULTILINE)


def instance(text: str) -> str:
    """When it was started, as it writes it; "" where it doesn't."""
    found = _START.search(text)
    return "" if found is None else found[2]


def is_victoriametrics(text: str) -> bool:
    """Whether it is VictoriaMetrics that speaks: others have a start too."""
    return _VICTORIA.search(text) is not None


def notice(text: str) -> str:
    """What of VictoriaMetrics' flags should be otherwise; "" where all is well, or where it doesn't say."""
    flags = {name: (value, is_set == "true") for name, value, is_set in _FLAG.findall(text)}
    if not flags:
        return ""
    wrong = []
    if flags.get("dedup.minScrapeInterval", ("0s", False))[0] in ("0", "0s", "0ms"):
        wrong.append("-dedup.minScrapeInterval=1ms is not set: what is written again counts twice")
    if not flags.get("retentionPeriod", ("", False))[1]:
        wrong.append("-retentionPeriod is not set: it forgets after one month")
    return "; ".join(wrong)
