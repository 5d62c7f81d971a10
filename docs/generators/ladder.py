"""docs/vi/ipv6.md: the IPv6 ladder for technicians: each rung, each reason, and what to set."""

from generators.markdown import page as whole
from generators.markdown import table
from schoolwatch_contract.ladder import REASONS, RUNGS, SLOW


def page() -> str:
    """The rungs, then what to do by what the page of a computer says."""
    rungs = ((str(number), words.vi) for number, words in enumerate(RUNGS))
    meanings: dict[str, list[str]] = {}
    for reason in REASONS.values():
        if reason.remedy is not None:
            meanings.setdefault(reason.remedy.vi, []).append(reason.means.vi)
    rows = (("; ".join(means), remedy) for remedy, means in meanings.items())
    return whole(
        "Thang IPv6: bậc nào chưa đạt và phải làm gì",
        "Dành cho cán bộ kỹ thuật của nhà trường.\n"
        "Phần mềm đo thử lần lượt 12 bậc; trang của máy nêu bậc đầu tiên chưa đạt.\n"
        "Tại máy: `schoolwatch-agent doctor` hoặc `schoolwatch-agent once`.\n"
        "Các bậc từ 5 trở lên chỉ được thử khi máy chủ đã ghi máy đích trong phần `[ipv6]` của "
        "`server.toml`; chưa ghi thì là *chưa rõ*, không phải *chưa đạt*.\n"
        "Bậc 9 và 10 không bắt buộc khi mạng có IPv4.\n"
        "Không bao giờ tắt IPv6 để chữa lỗi: làm vậy chỉ che lỗi đi.",
        "## Các bậc",
        table(("Bậc", "Nội dung"), rungs),
        "## Cách khắc phục",
        table(("Trang của máy ghi", "Cách khắc phục"), rows),
        f"Khi bậc ghi *chậm*: {SLOW.vi}",
    )
