"""What came of one target, and which resolver was asked, by code."""

from typing import Final

from schoolwatch_contract.ladder.words import Words

OUTCOMES: Final[dict[str, Words]] = {
    "ok": Words("được", "ok"),
    "timeout": Words("không hồi đáp", "no answer in time"),
    "refused": Words("bị từ chối", "refused"),
    "unreachable": Words("không có đường đi", "unreachable"),
    "closed": Words("bị ngắt", "cut off"),
    "tls_timeout": Words("TLS không hoàn tất", "TLS does not finish"),
    "tls_failed": Words("TLS lỗi", "TLS fails"),
    "not_itself": Words("máy khác trả lời thay", "another answers in its place"),
    "no_name": Words("tên không tồn tại", "no such name"),
    "no_address": Words("không có địa chỉ IPv6", "no IPv6 address"),
    "server_failed": Words("máy chủ DNS báo lỗi", "the resolver fails"),
    "not_understood": Words("trả lời sai định dạng", "malformed answer"),
    "failed": Words("không thành", "failed"),
}
"""How trying one target ended, by code."""

TARGETS: Final[dict[str, Words]] = {
    "resolver4": Words("DNS qua IPv4", "DNS over IPv4"),
    "resolver6": Words("DNS qua IPv6", "DNS over IPv6"),
    "resolver4 v6_only": Words("tên chỉ có IPv6, hỏi qua IPv4", "IPv6-only name, asked over IPv4"),
    "resolver6 v6_only": Words("tên chỉ có IPv6, hỏi qua IPv6", "IPv6-only name, asked over IPv6"),
}
"""Targets of rung 5; those of the others are hosts."""
