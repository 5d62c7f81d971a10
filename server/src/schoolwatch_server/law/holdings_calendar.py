"""What stands in the tables of school time and planned work."""

from schoolwatch_server.law.holding import Holding, of

CALENDAR: dict[str, Holding] = {
    "school_hours": of(
        "Giờ học riêng của trường, người sửa",
        "A school's own hours, and who changed them",
        technical="school_id changed_at",
        organisational="morning afternoon days mornings_only",
        personal="changed_by",
    ),
    "set_day": of(
        "Ngày nghỉ đột xuất, ngày học bù của trường, xã, tỉnh: lý do, người ghi",
        "Days off and days of school that a school, commune or province set: why, and by whom",
        technical="id level place_id made_at ended_at",
        organisational="first last is_held",
        written="reason",
        personal="made_by ended_by",
    ),
    "maintenance": of(
        "Lịch bảo trì: nơi, quy tắc, thời gian, lý do, người ghi",
        "Planned work: place, rule, time, why, and by whom",
        technical="id level place_id rule made_at",
        organisational="starts ends",
        written="reason",
        personal="made_by ended_by",
    ),
    "hearing": of(
        "Những ngày máy chủ nhận được báo cáo của thiết bị trong 8 tuần gần nhất",
        "The days of the last 8 weeks on which the server heard a device",
        technical="device_id newest days carried_at",
    ),
}
"""Table to what it holds."""
