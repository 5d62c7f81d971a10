"""What stands in the tables of frozen reports, and how private it is."""

from schoolwatch_server.law.holding import Holding, of

REPORTS: dict[str, Holding] = {
    "report": of(
        "Báo cáo đã chốt của trường, xã, tỉnh: giá trị chỉ số, căn cứ, nhãn và tình trạng từng máy; khi xóa "
        "dữ liệu của trường chỉ báo cáo đã nộp ở lại",
        "Frozen reports of schools, communes, provinces: values, what they rest on, label and condition of "
        "each computer; only those handed in stay when a school's data is deleted",
        technical="id place_id revision sha256 size simulated state",
        organisational="kind level period code due_on frozen_at handed_in_at",
        written="name note body",
        personal="frozen_by handed_in_by",
    ),
    "report_event": of(
        "Diễn biến của báo cáo: chốt, nộp, trả lại, duyệt",
        "What became of a report: frozen, handed in, returned, accepted",
        technical="id report_id at kind",
        written="remark",
        personal="by",
    ),
    "report_deadline": of(
        "Hạn nộp báo cáo do từng tỉnh đặt",
        "Deadlines of reports that provinces set",
        technical="id province_id kind level changed_at",
        organisational="before document clause",
        personal="changed_by",
    ),
    "report_reminder": of(
        "Lời nhắc nộp báo cáo, tới kênh nào",
        "Reminders of reports, to which channel",
        technical="id province_id kind level period days last_day made_at attempts due_at sent_at error",
        written="channel",
    ),
}
"""Table to what it holds."""
