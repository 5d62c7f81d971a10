"""Activation of Windows and Office."""

from schoolwatch_contract.catalogue.kinds import FactKind, Metric, Subject

SUBJECT = Subject(
    "activation",
    "Để nhà trường biết máy nào cần kích hoạt lại; đã kích hoạt không có nghĩa là có bản quyền",
    "To tell a school which computers need activation again; activated does not mean licensed",
    name=("Kích hoạt phần mềm", "Activation"),
    metrics=(
        Metric(
            "activation.activated",
            "boolean",
            "technical",
            "Phần mềm đang ở trạng thái đã kích hoạt; không nói gì về bản quyền",
            "The product says that it is activated; this tells nothing of a licence",
            labels=(
                "product",
                "edition",
            ),
            short=("Phần mềm đang ở trạng thái đã kích hoạt", "The product says that it is activated"),
        ),
        Metric(
            "activation.grace",
            "s",
            "technical",
            "Thời gian còn lại đến khi phải kích hoạt lại",
            "Time left until it must be activated again",
            labels=(
                "product",
                "edition",
            ),
        ),
        Metric(
            "activation.keys",
            "count",
            "technical",
            "Số khóa sản phẩm đã nhập ở mỗi trạng thái, khi các khóa của một sản phẩm không cùng trạng thái",
            "Keys entered in each state, where the keys of one product differ in theirs",
            labels=(
                "product",
                "edition",
                "state",
            ),
            short=("Số khóa sản phẩm ở mỗi trạng thái", "Product keys in each state"),
        ),
    ),
    facts=(
        FactKind(
            "activation.state",
            "technical",
            "Trạng thái kích hoạt, theo LicenseStatus của hệ điều hành",
            "State of activation (LicenseStatus of the operating system)",
            labels=(
                "product",
                "edition",
            ),
        ),
        FactKind(
            "activation.channel",
            "technical",
            "Kênh phát hành của khóa sản phẩm: Retail, OEM, Volume",
            "Channel of the product key: Retail, OEM, Volume",
            labels=(
                "product",
                "edition",
            ),
        ),
    ),
)
