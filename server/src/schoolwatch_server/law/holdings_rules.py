"""What stands in the table of rules, and how private it is."""

from schoolwatch_server.law.holding import Holding, of

RULES: dict[str, Holding] = {
    "rule_version": of(
        "Quy tắc cảnh báo do Sở sửa, từng phiên bản; giữ mãi để biết sự cố được xét theo quy tắc nào",
        "Rules changed by the department, version by version; kept for ever, to know what judged an incident",
        technical="id rule version valid_from is_end is_back saved_at shipped",
        organisational="text",
        personal="saved_by",
        written="reason",
    ),
}
"""Table to what it holds."""
