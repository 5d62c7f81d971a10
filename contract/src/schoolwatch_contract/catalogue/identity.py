"""Which machine this is, without saying which: keyed digests that tell a copy from its original."""

from schoolwatch_contract.catalogue.kinds import FactKind, Subject

SUBJECT = Subject(
    "identity",
    "Để nhận ra máy bị nhân bản, thay ổ đĩa, đổi tên, và máy có phần mềm đóng băng",
    "To recognise a cloned machine, a replaced disk, a new name, and a machine that is frozen",
    name=("Nhận dạng máy", "Identity"),
    facts=(
        FactKind(
            "identity.hint",
            "pseudonymised",
            "HMAC-SHA-256 của mã phần cứng hoặc tên máy, theo khóa riêng của nhà trường; "
            "không gửi chính các mã đó",
            "HMAC-SHA-256 of hardware numbers or of the machine's name, under a key of the school's own; "
            "the numbers themselves are not sent",
            labels=("kind",),
        ),
        FactKind(
            "identity.freezing",
            "technical",
            "Phần mềm đóng băng ổ đĩa tìm thấy trên máy; none là không có",
            "Freezing software found on the machine; none where there is none",
        ),
    ),
)
