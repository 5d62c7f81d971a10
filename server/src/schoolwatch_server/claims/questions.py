"""What schools are asked because nothing measures it: one list, in the order in which pages show it. Pure.

What a question means stands in `texts/claims.toml`. Highest scores are no part of it: they are the packs'.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from schoolwatch_server.levels import Stage, stages

Kind = Literal["yes_no", "number", "share", "score", "choice", "text", "file"]
"""`share` is a ratio 0…1, written in percent; `file` is answered by its evidence alone."""

Subject = Literal["assessment", "network", "security", "plans", "figures"]
Wanted = Literal["no", "yes", "if_yes"]
"""Whether evidence must come with an answer before it leaves the school; `if_yes`: where it says yes."""

SCORE_MAX = 100.0
"""Points of a whole group of QĐ 4725/QĐ-BGDĐT: no criterion has more."""


@dataclass(frozen=True, slots=True)
class Criterion:
    """A criterion of a set that a pack holds, in its words; `set_id` and `code` are unique together."""

    set_id: str
    code: str
    vi: str
    en: str
    document: str
    confidence: str
    stages: tuple[Stage, ...]
    is_mandatory: bool


@dataclass(frozen=True, slots=True)
class Question:
    """`stages`: which stages it is for (none: all schools); `indicators` it feeds, by their codes.

    `document`, `clause` and `confidence` say where the question comes from. `choices` are what a choice may
    be. `months` is after how many months an answer is old; None: never by itself. Into an answer
    `with_figures` goes what the school's numbers and lists hold at that moment. A question about a
    `criterion` is in the words of its pack, and has no text of its own.
    """

    id: str
    kind: Kind
    subject: Subject
    document: str
    clause: str
    confidence: str
    unit: str = ""
    stages: tuple[Stage, ...] = ()
    indicators: tuple[str, ...] = ()
    evidence: Wanted = "if_yes"
    choices: tuple[int, ...] = ()
    is_address: bool = False
    months: int | None = None
    with_figures: bool = False
    criterion: Criterion | None = None

    @property
    def text_key(self) -> str:
        """Of the question itself."""
        return f"claim.question.{self.id}"

    @property
    def help_key(self) -> str:
        """Of what is to be answered and which evidence is meant."""
        return f"claim.help.{self.id}"


QD4725 = "Quyết định 4725/QĐ-BGDĐT ngày 30/12/2022"
KON_TUM = "Kế hoạch chuyển đổi số ngành Giáo dục và Đào tạo tỉnh Kon Tum năm 2025"
NINH_BINH = "Kế hoạch 27/KH-SGDĐT ngày 19/9/2025 của Sở GDĐT Ninh Bình"
AN_LAO = "Kế hoạch 364/KH-PGDĐT ngày 30/9/2024 của Phòng GDĐT An Lão"
CAO_BANG = "Kế hoạch 2222/KH-UBND ngày 24/8/2022 của UBND tỉnh Cao Bằng"
TCVN = "TCVN 14423:2026"
OURS = "Đề xuất của SchoolWatch, chưa có văn bản quy định"
TT06 = "Thông tư 06/2026/TT-BKHCN"
ND224 = "Nghị định 224/2026/NĐ-CP"

_GENERAL: tuple[Stage, ...] = ("TH", "THCS", "THPT", "GDTX")
"""Whom QĐ 4725/QĐ-BGDĐT is for; preschools have QĐ 3276/QĐ-BGDĐT, of which only the title is known."""


def _mandatory(code: str, clause: str) -> Question:
    clause = f"tiêu chí {code}, điều kiện bắt buộc: {clause}"
    return Question(f"qd4725.{code}", "yes_no", "assessment", QD4725, clause, "V-2nd", stages=_GENERAL)


def _score(code: str, clause: str) -> Question:
    return Question(
        f"qd4725.{code}", "score", "assessment", QD4725, f"tiêu chí {code}: {clause}", "V-2nd",
        unit="points", stages=_GENERAL, evidence="yes",
    )  # fmt: skip


def _level(id_: str, clause: str, stages_: tuple[Stage, ...], document: str = QD4725) -> Question:
    return Question(
        id_, "choice", "assessment", document, clause, "V-2nd",
        stages=stages_, indicators=("I-06",), evidence="yes", choices=(1, 2, 3),
    )  # fmt: skip


def _share(
    id_: str, document: str, clause: str, evidence: Wanted = "no", stages_: tuple[Stage, ...] = ()
) -> Question:
    return Question(
        id_, "share", "figures", document, clause, "V-seed",
        unit="ratio", stages=stages_, evidence=evidence, months=12,
    )  # fmt: skip


QUESTIONS: tuple[Question, ...] = (
    # --- QĐ 4725: what no device can tell ------------------------------------------------------------------
    _mandatory("1.1", "kế hoạch tổ chức dạy học trực tuyến"),
    _mandatory("1.2", "quy chế tổ chức dạy học trực tuyến"),
    _score("1.3", "phần mềm dạy học trực tuyến, hệ thống quản lý học tập"),
    _score("1.4", "số lượng học liệu được số hóa"),
    _score("1.5", "kiểm tra, đánh giá trên phòng máy"),
    _score("1.6", "nhân lực chuyển đổi số trong dạy, học"),
    Question(
        "studio", "yes_no", "assessment", QD4725, "tiêu chí 1.7.3: phòng studio xây dựng học liệu số",
        "V-2nd", stages=_GENERAL, indicators=("I-04",),
    ),
    _mandatory("2.1", "bộ phận chỉ đạo công nghệ thông tin, chuyển đổi số"),
    _mandatory("2.2", "kế hoạch ứng dụng công nghệ thông tin, chuyển đổi số"),
    _score("2.3", "phần mềm quản trị nhà trường"),
    _score("2.4", "dịch vụ trực tuyến"),
    _level("level_group_1", "mức độ của nhóm 1, chuyển đổi số trong dạy, học", _GENERAL),
    _level("level_group_2", "mức độ của nhóm 2, chuyển đổi số trong quản trị", _GENERAL),
    _level(
        "dt_level",
        "mức độ chuyển đổi số của trường (mầm non: theo Quyết định 3276/QĐ-BGDĐT)",
        (),
        f"{QD4725}; Quyết định 3276/QĐ-BGDĐT ngày 30/10/2024",
    ),
    # --- the network ---------------------------------------------------------------------------------------
    Question(
        "network_diagram", "file", "network", TCVN, "mục 3.12.2.1; 12 tháng là đề xuất của SchoolWatch",
        "V-2nd", indicators=("I-10",), evidence="yes", months=12,
    ),
    Question(
        "network_zones", "yes_no", "network", TCVN, "mục 4.12.2.2 b: mạng được chia vùng", "V-2nd",
        indicators=("I-10",),
    ),
    Question(
        "network_monitored", "yes_no", "network", TCVN, "mục 3.12.2.2: theo dõi hiệu năng thiết bị mạng",
        "V-2nd", indicators=("I-10",),
    ),
    Question(
        "second_line_plan", "yes_no", "network", TCVN,
        "mục 3.12.2.2: phương án dự phòng thiết bị chính, đường truyền thứ hai", "V-2nd",
        indicators=("I-10",),
    ),
    Question(
        "managed_devices", "yes_no", "network", TT06,
        "phụ lục, yêu cầu tối thiểu đối với thiết bị đầu cuối mạng truyền số liệu chuyên dùng; với trường "
        "học chỉ là mức tham khảo, đề xuất của SchoolWatch",
        "P", indicators=("I-10",),
    ),
    Question(
        "secure_administration", "yes_no", "network", TCVN,
        "mục 3.12.2.4: quản trị thiết bị mạng qua kết nối an toàn", "V-2nd", indicators=("I-10",),
    ),
    Question(
        "unknown_devices_checked", "yes_no", "network", TCVN,
        "mục 3.2.2.2: phát hiện thiết bị lạ ít nhất mỗi năm một lần", "V-2nd",
        indicators=("I-10",), months=12,
    ),
    Question(
        "website_ipv6", "yes_no", "network", ND224,
        "Khoản 4 Điều 11: trang thông tin điện tử của cơ quan nhà nước dùng tên miền .vn và IPv6; áp dụng "
        "cho trang của trường là đề xuất của SchoolWatch",
        "P", indicators=("I-11",), months=12,
    ),
    Question(
        "ipv6_only_tested", "yes_no", "network", OURS,
        "phép thử mạng khi tắt IPv4, theo định hướng IPv6-only giai đoạn 2026-2030", "P",
        indicators=("I-11",), months=12,
    ),
    Question(
        "line_contracts", "file", "network", KON_TUM, "kết nối Internet cáp quang; hợp đồng làm minh chứng",
        "V-seed", indicators=("I-12", "I-14"), evidence="yes",
    ),
    Question(
        "website", "text", "network", KON_TUM, "trang thông tin điện tử", "V-seed",
        indicators=("I-28",), evidence="no", is_address=True,
    ),
    # --- security ------------------------------------------------------------------------------------------
    Question(
        "firewall_ips", "yes_no", "security", AN_LAO,
        "thiết bị bảo mật (tường lửa, kiểm soát truy cập – IPS) cho hệ thống mạng cục bộ", "V-seed",
        indicators=("I-19", "I-10"),
    ),
    Question(
        "licensed_antivirus", "yes_no", "security", AN_LAO, "phần mềm phòng chống virus có bản quyền",
        "V-seed", indicators=("I-18",),
    ),
    Question(
        "licensed_software", "yes_no", "security", AN_LAO, "phần mềm bản quyền cho máy tính", "V-seed",
        indicators=("I-21",),
    ),
    Question(
        "backup_restore_test", "yes_no", "security", KON_TUM,
        "sao lưu dữ liệu, sẵn sàng khôi phục; 12 tháng là đề xuất của SchoolWatch", "V-seed",
        indicators=("I-23",), months=12,
    ),
    Question(
        "security_rules", "yes_no", "security", KON_TUM,
        "rà soát, cập nhật quy chế bảo đảm an toàn thông tin", "V-seed",
    ),
    Question(
        "security_exercise", "yes_no", "security", KON_TUM,
        "diễn tập thực chiến bảo đảm an toàn thông tin mạng", "V-seed", months=12,
    ),
    # --- plans and figures ---------------------------------------------------------------------------------
    Question(
        "plan_published", "yes_no", "plans", NINH_BINH,
        "ban hành và công khai Kế hoạch ứng dụng CNTT, chuyển đổi số", "V-seed", months=12,
    ),
    Question(
        "it_staff", "number", "plans", KON_TUM, "kiện toàn đội ngũ phụ trách công nghệ thông tin", "V-seed",
        unit="people", evidence="no", months=12,
    ),
    Question(
        "dx_page", "yes_no", "plans", NINH_BINH, "chuyên trang chuyển đổi số trên trang thông tin điện tử",
        "V-seed", evidence="no",
    ),
    Question(
        "lists_confirmed", "yes_no", "figures", OURS,
        "hiệu trưởng xác nhận số liệu, danh sách lớp, phòng, hợp đồng, tài sản đã nhập là đúng", "P",
        indicators=("I-01", "I-02", "I-03", "I-05", "I-12", "I-25"), evidence="no", months=12,
        with_figures=True,
    ),
    _share("expenditure_share", KON_TUM, "ít nhất 01% chi thường xuyên cho chuyển đổi số", "yes"),
    _share("security_expenditure_share", KON_TUM, "10% kinh phí chuyển đổi số cho an ninh mạng", "yes"),
    _share("security_training_share", KON_TUM, "tuyên truyền, tập huấn về an toàn thông tin"),
    _share("online_teaching_share", KON_TUM, "tỉ trọng dạy học trực tuyến", stages_=_GENERAL),
    _share(
        "equipped_learners_share", CAO_BANG,
        "có đủ phương tiện, đường truyền, phần mềm để dạy, học trực tuyến", stages_=_GENERAL,
    ),
)  # fmt: skip

BY_ID = {question.id: question for question in QUESTIONS}

FEEDS = frozenset(question.id for question in QUESTIONS if question.indicators)
"""Those whose answers indicators read."""


def with_criteria(criteria: Iterable[Criterion]) -> dict[str, Question]:
    """All questions by id: these, and one for each criterion of the packs that none of these is about."""
    more = {f"{one.set_id}.{one.code}": one for one in criteria}
    return BY_ID | {id_: _of_criterion(id_, one) for id_, one in more.items() if id_ not in BY_ID}


def of_school(level: str, questions: Iterable[Question] = QUESTIONS) -> Sequence[Question]:
    """Those that a school of that level is asked; one whose level nobody gave, all of them."""
    taught = set(stages(level))
    return [q for q in questions if not taught or not q.stages or taught & set(q.stages)]


def _of_criterion(id_: str, one: Criterion) -> Question:
    clause = f"tiêu chí {one.code}: {one.vi}"
    if one.is_mandatory:
        return Question(
            id_, "yes_no", "assessment", one.document, clause, one.confidence,
            stages=one.stages, criterion=one,
        )  # fmt: skip
    return Question(
        id_, "score", "assessment", one.document, clause, one.confidence,
        unit="points", stages=one.stages, evidence="yes", criterion=one,
    )  # fmt: skip
