"""What travels beside readings, facts and sightings: the envelope, the frame, the connection, the enrolment.

`MESSAGES` says for each message which fields it has; a field's name is the one on the wire.
"""

from dataclasses import dataclass

from schoolwatch_contract.catalogue.kinds import Privacy


@dataclass(frozen=True, slots=True)
class Field:
    """One field: its name on the wire, its privacy class, what it is and why it is sent."""

    name: str
    privacy: Privacy
    vi: str
    en: str


@dataclass(frozen=True, slots=True)
class Message:
    """Where fields travel together; `vi` and `en` say what it is."""

    name: str
    vi: str
    en: str
    fields: tuple[Field, ...]


_DEVICE = (
    "Mã ngẫu nhiên của thiết bị do máy chủ cấp, không suy ra từ phần cứng: để biết báo cáo của thiết bị nào",
    "The device's random id that the server gave it, not made from hardware: to know whose report it is",
)
_SPOOL = (
    "Mã ngẫu nhiên, mới sau mỗi lần khởi động: để không mất và không trùng báo cáo",
    "A random id, new at each start of the machine: so that no report is lost or counted twice",
)
_NONCE = ("Câu hỏi của máy chủ, dùng một lần", "The server's challenge, good once")
_PROOF = (
    "Câu trả lời chứng minh đúng thiết bị; khóa không rời máy",
    "The answer that proves the device; its key does not leave it",
)

MESSAGES: tuple[Message, ...] = (
    Message(
        "envelope",
        "Phần thân của báo cáo",
        "The body of a report",
        (
            Field("schema", "technical", "Số của định dạng", "Number of the format"),
            Field(
                "taken_at",
                "technical",
                "Lúc đo, theo đồng hồ của máy",
                "When it was measured, by the machine's clock",
            ),
            Field("agent", "technical", "Phiên bản phần mềm đo", "Version of the agent"),
            Field(
                "readings",
                "technical",
                "Các số đo: tên, giá trị, nhãn; liệt kê ở dưới",
                "What was measured: name, value, labels; listed below",
            ),
            Field(
                "facts",
                "technical",
                "Các thông tin ít đổi: tên, giá trị, nhãn, và lý do khi chưa biết; liệt kê ở dưới",
                "Texts that rarely change: name, value, labels, the reason of what is unknown; listed below",
            ),
            Field(
                "sightings",
                "technical",
                "Những gì thấy trên mạng: loại, đối tượng, chi tiết, lúc thấy; liệt kê ở dưới",
                "What was seen on the network: kind, subject, detail, when; listed below",
            ),
        ),
    ),
    Message(
        "frame",
        "Phần đầu và chữ ký của báo cáo",
        "Head and signature of a report",
        (
            Field(
                "format",
                "technical",
                "Số của định dạng; nói đồng hồ lúc đo có đáng tin không",
                "Number of the format; it says whether the clock of the report can be relied on",
            ),
            Field(
                "dictionary", "technical", "Số của từ điển nén", "Number of the dictionary of the compression"
            ),
            Field("device", "technical", *_DEVICE),
            Field("spool", "technical", *_SPOOL),
            Field("seq", "technical", "Số thứ tự của báo cáo", "Number of the report"),
            Field("floor", "technical", "Số nhỏ nhất máy còn giữ", "Lowest number that is still held"),
            Field(
                "sent_at",
                "technical",
                "Lúc gửi, theo đồng hồ đã dùng khi đo",
                "When it was sent, by the clock by which it was taken",
            ),
            Field(
                "hmac",
                "technical",
                "Chữ ký chứng minh thiết bị đã gửi",
                "The signature that proves the sender",
            ),
        ),
    ),
    Message(
        "connection",
        "Kết nối MQTT tới máy chủ; thiết bị chỉ gửi tới chủ đề report của mình, chỉ nghe ack và settings; "
        "presence chưa được dùng",
        "The MQTT connection to the server; a device sends to its own topic report alone, and hears ack and "
        "settings; presence is not used yet",
        (
            Field("client_id", "technical", *_DEVICE),
            Field("user", "technical", *_DEVICE),
            Field("password", "technical", "Mật khẩu riêng của thiết bị", "The device's own password"),
            Field("topic", "technical", "Chủ đề, có mã thiết bị", "The topic, which holds the device's id"),
            Field(
                "address",
                "organisational",
                "Địa chỉ IP công cộng của nhà trường: kết nối nào cũng cho thấy; không có trong báo cáo",
                "The school's public IP address: every connection shows it; it is no part of a report",
            ),
        ),
    ),
    Message(
        "detour",
        "Khi cổng của kênh báo cáo bị chặn: kết nối trên nằm trong WebSocket ở cổng web, có thể qua máy "
        "trung "
        "gian (proxy) của trường",
        "Where the broker's port is closed: the connection above inside a WebSocket on the web's port, "
        "perhaps "
        "through the school's proxy",
        (
            Field(
                "headers",
                "technical",
                "Các tiêu đề của WebSocket (RFC 6455), không có gì về máy",
                "The headers of a WebSocket (RFC 6455), nothing of the computer",
            ),
            Field(
                "server",
                "organisational",
                "Tên và cổng của máy chủ, cho máy trung gian biết; nội dung đã mã hóa, máy trung gian "
                "không đọc "
                "được",
                "Name and port of the server, told to the proxy; what is inside is encrypted and not for it",
            ),
        ),
    ),
    Message(
        "enrolment",
        "Yêu cầu đăng ký, một lần, qua HTTP(S)",
        "The request to enrol, once, over HTTP(S)",
        (
            Field(
                "headers",
                "technical",
                "Các tiêu đề HTTP thông thường, có phiên bản Python",
                "The usual HTTP headers, with the version of Python",
            ),
            Field("token", "technical", "Mã đăng ký của nhà trường", "The school's enrolment token"),
            Field(
                "install_id",
                "technical",
                "Mã ngẫu nhiên của lần cài đặt này",
                "A random id of this installation",
            ),
            Field("agent", "technical", "Phiên bản phần mềm đo", "Version of the agent"),
            Field(
                "hints",
                "pseudonymised",
                "Bản băm có khóa của mã phần cứng, để thấy máy trùng với máy đã có; không có tên máy",
                "Keyed digests of hardware numbers, to see that a computer is one that is there; no name",
            ),
            Field(
                "frozen",
                "pseudonymised",
                "Thay cho hints ở máy đóng băng: như trên, để nhận ra máy khi khởi động lại",
                "Instead of hints, of a frozen computer: the same, to know it after a start",
            ),
            Field(
                "room",
                "organisational",
                "Tên phòng mà người cài đặt ghi, nếu có",
                "The room that who installs it writes, if any",
            ),
            Field(
                "about",
                "technical",
                "Hệ điều hành, hãng và kiểu máy, để người duyệt nhận ra máy",
                "Operating system, maker and model, so that who lets it in recognises it",
            ),
        ),
    ),
    Message(
        "standing",
        "Máy đang chờ duyệt hỏi máy chủ đã được duyệt chưa, qua HTTP(S)",
        "A computer that waits asks the server whether it was let in, over HTTP(S)",
        (
            Field(
                "headers",
                "technical",
                "Các tiêu đề HTTP thông thường, có phiên bản Python",
                "The usual HTTP headers, with the version of Python",
            ),
            Field("device", "technical", *_DEVICE),
            Field("nonce", "technical", *_NONCE),
            Field("proof", "technical", *_PROOF),
        ),
    ),
    Message(
        "speedtest",
        "Phép đo tốc độ, chỉ ở máy được chọn: yêu cầu qua HTTP(S), rồi một kết nối WebSocket mỗi chiều",
        "The speed test, of the chosen device alone: a request over HTTP(S), then one WebSocket a direction",
        (
            Field(
                "headers",
                "technical",
                "Các tiêu đề HTTP thông thường, có phiên bản Python",
                "The usual HTTP headers, with the version of Python",
            ),
            Field("device", "technical", *_DEVICE),
            Field("nonce", "technical", *_NONCE),
            Field("proof", "technical", *_PROOF),
            Field(
                "access_token",
                "technical",
                "Mã cho phép đo, dùng một lần mỗi chiều",
                "Leave to test, good once each way",
            ),
            Field(
                "message", "technical", "Các byte ngẫu nhiên để đo tốc độ", "Random bytes, to fill the line"
            ),
        ),
    ),
    Message(
        "bundle",
        "Tệp mang bằng USB: các báo cáo như trên, thêm phần đầu và chữ ký",
        "The file on a stick: reports as above, with a head and a signature",
        (
            Field("magic", "technical", "Dấu hiệu nhận ra loại tệp", "The mark of such a file"),
            Field("format", "technical", "Số của định dạng", "Number of the format"),
            Field("device", "technical", *_DEVICE),
            Field(
                "made_at",
                "technical",
                "Lúc ghi, theo đồng hồ của máy",
                "When it was written, by the machine's clock",
            ),
            Field("count", "technical", "Số báo cáo", "Number of reports"),
            Field(
                "hmac",
                "technical",
                "Chữ ký chứng minh thiết bị đã ghi",
                "The signature that proves the writer",
            ),
        ),
    ),
)
