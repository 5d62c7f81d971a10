"""The wireless link that is in use."""

from schoolwatch_contract.catalogue.kinds import FactKind, Metric, Subject

SUBJECT = Subject(
    "wifi",
    "Để biết mạng chậm do sóng yếu hay do đường truyền; tên mạng và địa chỉ điểm phát không được gửi",
    "To tell a weak signal from a slow line; the network's name and the access point's address are not sent",
    name=("Wi-Fi", "Wi-Fi"),
    metrics=(
        Metric(
            "wifi.signal",
            "dBm",
            "technical",
            "Mức tín hiệu Wi-Fi (Linux)",
            "Signal of the access point (Linux)",
            labels=("nic",),
        ),
        Metric(
            "wifi.frequency",
            "Hz",
            "technical",
            "Tần số kênh Wi-Fi (Linux)",
            "Frequency of the channel (Linux)",
            labels=("nic",),
        ),
        Metric(
            "wifi.in_rate",
            "bit/s",
            "technical",
            "Tốc độ nhận của liên kết Wi-Fi (Linux)",
            "Rate at which frames are received (Linux)",
            labels=("nic",),
        ),
        Metric(
            "wifi.out_rate",
            "bit/s",
            "technical",
            "Tốc độ gửi của liên kết Wi-Fi (Linux)",
            "Rate at which frames are sent (Linux)",
            labels=("nic",),
        ),
    ),
    facts=(
        FactKind(
            "wifi.standard",
            "technical",
            "Chuẩn Wi-Fi đang dùng: be, ax, ac, n, hoặc cũ hơn",
            "IEEE 802.11 amendment in use: be, ax, ac, n or older",
            labels=("nic",),
        ),
    ),
)
