"""docs/rules.md and docs/vi/quy-tac.md: every shipped rule, what it asks, and what people should then do."""

from generators.markdown import code, table
from generators.markdown import page as whole
from schoolwatch_server import rules
from schoolwatch_server.rules import Rule

SEVERITIES = {"low": "thấp", "medium": "trung bình", "high": "cao", "critical": "nghiêm trọng"}
_SCOPES = {
    "device": ("computer", "máy"),
    "room": ("room", "phòng"),
    "school": ("school", "trường"),
    "commune": ("commune", "xã"),
    "province": ("province", "tỉnh"),
    "server": ("server", "máy chủ"),
}
_UNITS = ((86400, "d", "ngày"), (3600, "h", "giờ"), (60, "min", "phút"), (1, "s", "giây"))


def page() -> str:
    """One line a rule, for those who write rules."""
    rows = (
        (
            code(rule.id),
            rule.title.en,
            _SCOPES[rule.scope][0],
            rule.severity if rule.worse is None else f"{rule.severity}, then {rule.worse.severity}",
            _condition(rule),
            _time(rule.open_after, 1) or "at once",
            _time(rule.close_after, 1) or "at once",
            _found(rule),
            f"{rule.source.document} ({rule.source.confidence})",
        )
        for rule in rules.load()
    )
    return whole(
        "Shipped rules",
        "Each is a file in `schoolwatch_server/rules/`; how to change one: "
        "[adding-an-indicator-or-rule.md](adding-an-indicator-or-rule.md), how they are judged: "
        "[judgement.md](judgement.md), in Vietnamese with what to do: [vi/quy-tac.md](vi/quy-tac.md).\n"
        "*Found* is what becomes of what was so already when a computer came.",
        table(("Rule", "Title", "Of a", "Severity", "Condition", "Opens", "Closes", "Found", "Source"), rows),
    )


def vietnamese() -> str:
    """A section a rule, for those who have to act."""
    return whole(
        "Các quy tắc cảnh báo",
        "Dành cho người trực và người xử lý sự cố.\n"
        "Mỗi mục dưới đây là một quy tắc có sẵn: khi nào có sự cố, vì sao quan trọng và phải làm gì.\n"
        "Lỗi đã có từ trước khi cài SchoolWatch vào *danh sách việc cần khắc phục* của trường, "
        "không thành sự cố.",
        *(_section(rule) for rule in rules.load()),
    )


def _section(rule: Rule) -> str:
    severity = SEVERITIES[rule.severity]
    if rule.worse is not None:
        severity += f", sau đó {SEVERITIES[rule.worse.severity]}"
    after = _time(rule.open_after, 2)
    lines = [
        f"## {rule.title.vi}",
        "",
        f"- Mức độ: {severity}; xét theo {_SCOPES[rule.scope][1]}"
        + (f"; mở sau {after}" if after else "; mở ngay"),
        f"- Vì sao: {rule.why.vi}",
        f"- Cần làm: {rule.what_to_do.vi}",
        f"- Căn cứ: {rule.source.document}; {rule.source.clause} ({rule.source.confidence})",
        f"- Mã: {code(rule.id)}",
    ]
    if rule.when_begun == "work_list":
        lines.insert(3, "- Luôn vào danh sách việc cần khắc phục, không báo động.")
    if rule.late == "opens":
        lines.insert(3, "- Báo cáo đến chậm cũng mở sự cố, ghi “phát hiện muộn”.")
    return "\n".join(lines)


def _condition(rule: Rule) -> str:
    condition = rule.condition
    if condition.sighting is not None:
        detail = "".join(f", {name}: {', '.join(words)}" for name, words in condition.detail.items())
        return f"sighting {code(condition.sighting)}{detail}"
    if condition.watch is not None:
        numbers = ", ".join(f"{name} {value:g}" for name, value in condition.parameters.items())
        return f"watch {code(condition.watch)}" + (f" ({numbers})" if numbers else "")
    name = condition.posture or condition.machine or condition.reading or ""
    limits = {"is": condition.equals, "below": condition.below, "above": condition.above}
    (word, limit), *_ = ((word, limit) for word, limit in limits.items() if limit is not None)
    shown = str(limit).lower() if isinstance(limit, bool) else f"{limit:.10g}"
    worse = rule.worse and (rule.worse.above if rule.worse.above is not None else rule.worse.below)
    return f"{code(name)} {word} {shown}" + (f", then {worse:.10g}" if worse is not None else "")


def _found(rule: Rule) -> str:
    if rule.when_begun == "work_list":
        return "work list, always"
    return {"work_list": "work list", "incident": "incident", "nothing": "nothing"}[rule.when_found]


def _time(seconds: float, word: int) -> str:
    """`10 min`, `1 ngày`; nothing for none. `word` is 1 for English, 2 for Vietnamese."""
    for unit in _UNITS:
        if seconds >= unit[0] and seconds % unit[0] == 0:
            return f"{seconds / unit[0]:g} {unit[word]}"
    return ""
