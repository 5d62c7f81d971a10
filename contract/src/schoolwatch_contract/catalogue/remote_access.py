"""Ways into a machine over the network."""

from schoolwatch_contract.catalogue.kinds import FactKind, Metric, Subject

SUBJECT = Subject(
    "remote_access",
    "Để biết máy có mở đường truy cập từ xa mà nhà trường ít khi cần",
    "To know of ways in over the network that a school rarely needs",
    name=("Truy cập từ xa", "Remote access"),
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
        Metric(
            "remote_access.ssh_listening",
            "boolean",
            "technical",
            "Có chương trình đang chờ kết nối ở cổng của SSH",
            "Something listens on the port of SSH",
        ),
        Metric(
            "remote_access.ssh_root_login",
            "boolean",
            "technical",
            "Tài khoản root được đăng nhập qua SSH, bằng mật khẩu hoặc bằng khóa",
            "root may log in over SSH, with a password or with a key",
            short=("Tài khoản root được đăng nhập qua SSH", "root may log in over SSH"),
        ),
        Metric(
            "remote_access.ssh_password",
            "boolean",
            "technical",
            "SSH nhận đăng nhập bằng mật khẩu",
            "SSH takes passwords",
        ),
    ),
    facts=(
        FactKind(
            "remote_access.ssh_root_setting",
            "technical",
            "Thiết lập PermitRootLogin của SSH",
            "SSH's setting PermitRootLogin",
        ),
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
