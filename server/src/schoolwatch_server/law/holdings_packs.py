"""What stands in the tables of packs, and how private it is."""

from schoolwatch_server.law.holding import Holding, of

PACKS: dict[str, Holding] = {
    "pack_version": of(
        "Bộ tiêu chí, chỉ tiêu kế hoạch do Sở nhập, từng phiên bản; giữ mãi để đối chiếu số liệu đã báo cáo",
        "Criteria and targets of plans typed in by the department, version by version; kept for ever, to "
        "prove what was reported",
        technical="id pack version valid_from is_end saved_at",
        organisational="text",
        personal="saved_by",
    ),
    "pack_text": of(
        "Nội dung bộ tiêu chí mà báo cáo đã dẫn, giữ mãi cùng báo cáo",
        "Texts of packs that reports name, kept for ever with the reports",
        technical="sha256 name kept_at",
        organisational="text",
    ),
}
"""Table to what it holds."""
