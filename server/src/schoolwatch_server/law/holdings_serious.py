"""What stands in the tables of serious incidents, and how private it is."""

from schoolwatch_server.law.holding import Holding, of

SERIOUS: dict[str, Holding] = {
    "incident_mark": of(
        "Sự cố được người dùng đánh dấu hoặc bỏ đánh dấu nghiêm trọng, lý do",
        "Incidents that people marked as serious or not, and why",
        technical="id incident_id is_serious at",
        written="reason",
        personal="by",
    ),
    "incident_sent": of(
        "Đã gửi thông báo ban đầu, báo cáo của sự cố nghiêm trọng: khi nào, số văn bản nào",
        "That the first notice and the report of a serious incident were sent: when, under which number",
        technical="id incident_id step sent_at",
        written="reference",
        personal="by",
    ),
    "incident_form": of(
        "Biểu báo cáo sự cố đã lập, giữ đúng từng byte; đã ẩn tên người dùng trong đường dẫn, địa chỉ thư, "
        "số điện thoại",
        "Report forms of incidents as they were made, byte for byte; user names in paths, mail addresses and "
        "telephone numbers are taken out",
        technical="id incident_id step revision sha256 letter_sha256 made_at",
        written="body letter",
        personal="made_by",
    ),
    "incident_recipient": of(
        "Nơi nhận báo cáo sự cố do Sở nhập: tên, địa chỉ, thư điện tử của cơ quan",
        "Recipients of incident reports, typed in by the department: name, address and mail of an authority",
        technical="id province_id level changed_at",
        organisational="name address email",
        personal="changed_by",
    ),
}
"""Table to what it holds."""
