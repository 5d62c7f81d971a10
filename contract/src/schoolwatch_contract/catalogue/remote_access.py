"""Ways into a machine over the network."""

from schoolwatch_contract.catalogue.kinds import FactKind, Metric, Subject

SUBJECT = Subject(
    "remote_access",
    "Để biết máy có mở đường truy cập từ xa mà nhà trường ít khi cần",
    "To know of ways in over the network that a school rarely needs",
    metrics=(
        Metric(
            "remote_access.rdp",
            "boolean",
            "technical",
            "Cho phép điều khiển từ xa (Remote Desktop)",
            "Remote desktop is allowed",
            labels=("source",),
        ),
        Metric(
            "remote_access.rdp_nla",
            "boolean",
            "technical",
            "Remote Desktop bắt buộc xác thực mức mạng (NLA)",
            "Remote desktop asks for Network Level Authentication",
            labels=("source",),
        ),
        Metric(
            "remote_access.smb1",
            "boolean",
            "technical",
            "Giao thức chia sẻ tệp cũ SMB 1 đang bật",
            "The old file sharing protocol SMB 1 is on",
            labels=("source",),
        ),
    ),
    facts=(
        FactKind(
            "remote_access.state",
            "technical",
            "Trạng thái: on, off, hoặc lý do không biết được",
            "State: on, off, or why it is not known",
            labels=(
                "setting",
                "source",
            ),
        ),
    ),
)
