"""What stands in each table and column of the database, and how private it is."""

from schoolwatch_server.law.holding import Holding, of
from schoolwatch_server.law.holdings_boundaries import BOUNDARIES
from schoolwatch_server.law.holdings_calendar import CALENDAR
from schoolwatch_server.law.holdings_claims import CLAIMS
from schoolwatch_server.law.holdings_duty import DUTY
from schoolwatch_server.law.holdings_packs import PACKS
from schoolwatch_server.law.holdings_reports import REPORTS
from schoolwatch_server.law.holdings_rules import RULES
from schoolwatch_server.law.holdings_school import SCHOOL_LISTS
from schoolwatch_server.law.holdings_serious import SERIOUS
from schoolwatch_server.law.holdings_succession import SUCCESSION

HOLDINGS: dict[str, Holding] = {
    "meta": of("Thông số của chính cơ sở dữ liệu", "Numbers of the database itself", technical="key value"),
    "province": of("Tỉnh", "Provinces", technical="id", organisational="code name"),
    "commune": of("Xã, phường", "Communes", technical="id province_id", organisational="code name"),
    "school": of(
        "Trường",
        "Schools",
        technical="id commune_id created_at",
        organisational="name level manager is_specialised is_boarding is_public former_place position",
    ),
    "school_code": of(
        "Mã trường theo thời gian",
        "Codes of schools over time",
        technical="id school_id valid_from valid_to",
        organisational="code",
    ),
    "declaration": of(
        "Số liệu nhà trường khai báo (số học sinh, số máy…): chỉ số đếm",
        "What schools declare (students, computers, ...): counts alone",
        technical="id school_id",
        organisational="quantity value declared_at",
        personal="declared_by",
    ),
    **BOUNDARIES,
    **CLAIMS,
    **PACKS,
    **RULES,
    **REPORTS,
    **SCHOOL_LISTS,
    **CALENDAR,
    **SERIOUS,
    **SUCCESSION,
    "device": of(
        "Thiết bị: mã ngẫu nhiên, nhãn, tình trạng",
        "Devices: random id, label, condition",
        technical="id device role broken created_at retired_at pending_since replaces_id kept_at",
        written="label asset_tag",
    ),
    "membership": of(
        "Thiết bị thuộc trường, phòng nào, từ khi nào",
        "In which school and room a device is, since when",
        technical="id device_id room_id valid_from valid_to",
        organisational="school_id",
    ),
    "credential": of(
        "Khóa và bản băm mật khẩu của thiết bị, để nhận biết báo cáo thật",
        "Key and password hash of a device, to tell its reports from forged ones",
        technical="device_id changed_at revoked_at rotate_at next_at",
        key="frame_key password_hash next_key next_hash",
    ),
    "enrolment_token": of(
        "Bản băm mã đăng ký thiết bị của trường",
        "Hashes of schools' enrolment tokens",
        technical="id school_id room_id created_at expires_at uses_left revoked_at admits sign",
        key="hash",
    ),
    "arrival": of(
        "Máy đã đăng ký bằng mã nào, phòng nào, loại máy; bản băm có khóa của mã phần cứng để thấy máy trùng",
        "By which token and into which room a device came, its kind; keyed digests of hardware to see copies",
        technical="device_id school_id room_id token_id asked_at about resembles_id",
        pseudonymised="hints",
    ),
    "frozen_device": of(
        "Máy đóng băng: bản băm có khóa của mã phần cứng, để nhận ra máy sau khi khởi động lại",
        "Frozen computers: keyed digests of hardware numbers, to know them after a start",
        technical="device_id enrolled_at",
        pseudonymised="hints",
    ),
    "generation": of(
        "Báo cáo đã nhận đến số nào, để không mất và không trùng",
        "Up to which number reports have come, so that none is lost or counted twice",
        technical="id device_id spool clock_offset upto heard_at at_its_word",
    ),
    "arrived": of("Số báo cáo đến trước", "Numbers that came early", technical="generation_id seq"),
    "journal": of(
        "Báo cáo thô đúng như thiết bị gửi; có bản băm có khóa của phần cứng và mức sử dụng máy dùng chung",
        "Raw reports as devices sent them; with keyed digests of hardware and the use of shared computers",
        technical="id device_id generation_id seq digest taken_at received_at late carried uncertain",
        pseudonymised="body",
    ),
    "fact_history": of(
        "Thông tin ít đổi của thiết bị và các giá trị trước đây; có bản băm có khóa của phần cứng",
        "Facts of devices and what they were before; with keyed digests of hardware",
        technical="id device_id name labels reason valid_from valid_to",
        pseudonymised="value",
    ),
    "sighting": of(
        "Những gì thấy ở thiết bị: đổi phần cứng, bị nhân bản",
        "What was seen of devices: changed hardware, clones",
        technical="id device_id journal_id kind subject detail seen_at received_at late",
    ),
    "quarantine": of(
        "Báo cáo bị từ chối và lý do, để tìm lỗi và tấn công",
        "Refused reports and why, to find faults and attacks",
        technical="id received_at topic device reason detail verified size replayed_at waited made_at",
        pseudonymised="frame",
    ),
    "counter": of("Bộ đếm của máy chủ", "Counters of the server", technical="name label value"),
    "cursor": of("Vị trí đọc", "How far readers are", technical="name position moved_at"),
    "grafana_alert": of(
        "Cảnh báo mà Grafana của Sở báo đến và chưa hết",
        "Alerts that the department's Grafana tells of and that are not over",
        technical="key kind place severity since is_over is_unknown told_at",
        organisational="title summary",
    ),
    "store_writer": of(
        "Tiến độ ghi sang kho chuỗi số liệu bên ngoài",
        "How far the writing to an external store of series has come",
        technical="name turn body lost",
    ),
    "judged_log": of(
        "Thứ tự các giá trị đã tính được ghi",
        "The order in which judged values were written",
        technical="id start end written_at series",
    ),
    "dirty": of(
        "Việc tổng hợp còn chờ",
        "Summaries still to make",
        technical="device_id resolution bucket journal_id",
    ),
    "rollup": of(
        "Số liệu theo giờ và theo ngày của thiết bị",
        "Hourly and daily summaries of devices",
        technical="device_id resolution bucket body",
    ),
    "use_rollup": of(
        "Mức sử dụng theo giờ và theo ngày của từng máy dùng chung, chỉ để cộng theo phòng, không trang "
        "nào đọc",
        "Hourly and daily use of each shared computer, only to be summed by room; no page reads it",
        technical="device_id resolution bucket",
        aggregated="body",
    ),
    "judged_series": of(
        "Chuỗi giá trị chỉ số, sự cố, tình trạng máy, đường truyền của trường, xã, tỉnh; tình trạng máy chủ",
        "Series of indicators, incidents, computers and lines, of places; of the server's own health",
        technical="id measurement",
        organisational="tags",
    ),
    "judged": of(
        "Giá trị chỉ số theo thời gian, để chứng minh số liệu đã báo cáo",
        "Values of indicators over time, to prove what was reported",
        technical="series_id at pack",
        organisational="value numerator denominator coverage",
    ),
    "state": of(
        "Tình trạng mới nhất của thiết bị, để tính chỉ số",
        "What is known of devices now, to compute indicators",
        technical="device_id taken_at seq heard_at agent protected ipv6_rung link_speed link_medium "
        "antivirus "
        "windows_activated office_activated realtime signature_age patch_age firewall autorun_off "
        "attachments_marked least_length lock_after accounts_closed bios_date memory disk_failing os "
        "is_server backup_age ipv6_works server_latency server_jitter server_loss line_tests ipv6_worked_at "
        "malware_log",
    ),
    "state_body": of(
        "Toàn bộ tình trạng mới nhất; có bản băm có khóa của phần cứng",
        "All that is known of devices now; with keyed digests of hardware",
        technical="device_id",
        pseudonymised="body",
    ),
    "room_use": of(
        "Mức sử dụng phòng theo tuần, tổng của nhiều máy",
        "The use of rooms by week, sums of several computers",
        technical="id room_id week days",
        aggregated="on_devices on_device_days on_total active_devices active_device_days active_total "
        "boots_devices boots_device_days boots_total",
    ),
    "rule_state": of("Điều quy tắc cảnh báo cần nhớ", "What rules remember", technical="rule subject body"),
    "known_end": of(
        "Thiết bị mạng không còn được coi là của trường, ai bỏ và khi nào",
        "Network devices that are no longer taken for the school's own, who said so and when",
        technical="id rule subject ended_at",
        organisational="school_id",
        personal="ended_by",
    ),
    "rule_memory": of(
        "Điều quy tắc cảnh báo cần nhớ về từng máy",
        "What rules remember of each computer",
        technical="device_id body",
    ),
    "incident": of(
        "Sự cố, bằng chứng kỹ thuật và người xử lý",
        "Incidents with their technical evidence, and who deals with them",
        technical="id rule rule_version fingerprint severity subject device_id since opened_at closed_at "
        "reopened_at acknowledged_at verdict is_exercise raised_event late evidence",
        organisational="school_id room_id commune_id province_id",
        personal="acknowledged_by assignee verdict_by",
    ),
    "standing_fault": of(
        "Lỗi tồn tại của máy tính, để nhà trường xử lý",
        "Standing faults of computers, for the school to mend",
        technical="id rule rule_version severity fingerprint device_id since listed_at ended_at withdrawn "
        "evidence",
    ),
    "incident_event": of(
        "Diễn biến của sự cố: ai nhận xử lý, giao cho ai, ghi chú, ai đóng",
        "What happened in incidents: who took them, to whom they went, notes, who closed them",
        technical="id incident_id at kind",
        personal="detail",
    ),
    "notification": of(
        "Thông báo đã gửi, tới kênh nào",
        "Notifications, to which channel",
        technical="id incident_id event attempts due_at sent_at error delivery_id is_digest",
        written="channel",
    ),
    **DUTY,
    "account": of(
        "Tài khoản của người dùng hệ thống, để đăng nhập và phân quyền",
        "Accounts of those who use the system, to log in and to decide what they see",
        technical="id",
        personal="name role role_since scope_level scope_id language created_at disabled_at active_at "
        "last_login_at oidc_issuer oidc_subject",
        login="password_hash failures locked_until must_change code_failures code_locked_until totp_step",
        key="totp totp_new",
    ),
    "recovery_code": of(
        "Mã dự phòng của xác thực hai bước, chỉ giữ bản băm",
        "Recovery codes of the second step, as hashes",
        login="account_id hash",
    ),
    "session": of(
        "Phiên đăng nhập đang mở",
        "Open sessions",
        login="hash account_id csrf created_at expires_at seen_at address waits proof",
    ),
    "api_token": of(
        "Mã truy cập của phần mềm khác",
        "Tokens of other programs",
        technical="id permission scope_level scope_id created_at expires_at revoked_at used_at",
        personal="issued_by",
        written="name",
        key="hash",
    ),
    "audit": of(
        "Nhật ký: ai làm gì, lúc nào, đăng nhập từ địa chỉ IP nào",
        "The audit log: who did what and when, and logged in from which IP address",
        technical="id action",
        personal="at actor subject",
        login="detail previous hash",
    ),
    "audit_head": of(
        "Điểm cuối của chuỗi băm nhật ký",
        "The end of the audit log's hash chain",
        technical="id last removed",
        login="hash",
    ),
    "device_settings": of(
        "Thiết bị đã nhận cài đặt chưa",
        "Whether devices know their settings",
        technical="device_id digest due",
    ),
    "line_tester": of(
        "Máy đo đường truyền của trường",
        "The device that tests a school's line",
        technical="school_id device_id",
    ),
    "speedtest_slot": of(
        "Lượt đo tốc độ",
        "Turns of the speed test",
        technical="id device_id school_id rate granted_at busy_until running download_at upload_at",
        key="hash",
    ),
}
"""Table to what it holds; a test walks every table and column and finds one without a class."""
