"""What the lists of a school hold."""

from schoolwatch_server.law.holding import Holding, of

SCHOOL_LISTS: dict[str, Holding] = {
    "room": of(
        "Phòng của trường",
        "Rooms of schools",
        technical="id school_id campus_id role",
        organisational="declared in_use projection projection_ok internet_by_hand_at",
        written="name",
    ),
    "campus": of("Điểm trường", "Campuses of schools", technical="id school_id", written="name"),
    "school_class": of(
        "Lớp học theo năm học: sĩ số, phòng máy; không có tên học sinh",
        "Classes by school year: how many students, which lab; no student's name",
        technical="id school_id room_id year_ends",
        organisational="school_year stage grade students group_students",
        written="name",
    ),
    "line_contract": of(
        "Hợp đồng đường truyền: nhà mạng, tốc độ, mã thuê bao của trường, tổng đài hỗ trợ của nhà mạng",
        "Contracts of lines: provider, speed, the school's subscriber code, the provider's hotline",
        technical="id school_id technology starts ends",
        organisational="isp download_mbps upload_mbps subscriber hotline",
    ),
    "asset": of(
        "Sổ tài sản: thiết bị, phòng, công dụng, tình trạng, chức danh người phụ trách",
        "The book of assets: thing, room, use, condition, the function of who is responsible",
        technical="id school_id room_id device_id kind status has_serial support_ends",
        written="tag name purpose responsible",
    ),
    "contact": of(
        "Đầu mối CNTT của trường và người thay thế, để liên hệ khi có sự cố: niêm phong bằng khóa chủ, "
        "mỗi lần xem ghi vào nhật ký",
        "A school's IT contact and deputy, to be called in an incident: sealed with the master key, each "
        "look stands in the audit log",
        technical="id school_id kind changed_at",
        personal="name phone email",
    ),
    "site": of(
        "Địa chỉ trang thông tin điện tử của trường theo thời gian",
        "The address of a school's website over time",
        technical="id school_id valid_from valid_to due_at",
        organisational="address is_up since",
        personal="set_by",
    ),
    "site_look": of(
        "Kết quả mỗi lần máy chủ xem trang của trường: có mở được không, chứng thư số, IPv6; không giữ "
        "nội dung trang",
        "What the server found each time it looked at a school's site: whether it answers, its certificate, "
        "IPv6; nothing of the page itself",
        technical="id site_id at trouble trouble_v4 seconds_v4 trouble_v6 seconds_v6 tls_trouble tls_version",
        organisational="is_up status_v4 https_v4 status_v6 https_v6 has_ipv6 is_trusted issuer expires_at "
        "leads_to_https",
    ),
    "hand_check": of(
        "Máy còn dùng được của phòng, đếm bằng tay, có ngày",
        "Working computers of a room, counted by hand on a day",
        technical="id room_id",
        organisational="computers_working checked_at",
        personal="checked_by",
    ),
}
