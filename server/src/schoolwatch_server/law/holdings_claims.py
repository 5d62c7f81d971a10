"""What stands in the tables of what schools declare, and how private it is."""

from schoolwatch_server.law.holding import Holding, of

CLAIMS: dict[str, Holding] = {
    "claim": of(
        "Nội dung trường khai báo và tình trạng phê duyệt, thẩm định, công nhận",
        "What schools declare beside what is measured, and how far its approval has come",
        technical="id school_id created_at changed_at",
        organisational="question revision value as_of state",
        personal="created_by",
        written="text",
    ),
    "claim_event": of(
        "Ai gửi, phê duyệt, chấp nhận, công nhận hoặc trả lại khai báo nào, lúc nào, ý kiến",
        "Who handed in, approved, accepted, recognised or returned what was declared, when and with what "
        "remark",
        technical="id claim_id at step",
        personal="actor role",
        written="remark",
    ),
    "attachment": of(
        "Minh chứng kèm khai báo: tên tệp, loại, kích thước, mã băm",
        "Evidence that came with what was declared: name, type, size and digest of the file",
        technical="id claim_id body_id media_type size sha256 added_at",
        written="name",
    ),
    "attachment_body": of(
        "Nội dung tệp minh chứng do trường tải lên; có thể có tên, chữ ký của người ký văn bản",
        "The files of the evidence, as schools handed them in; may hold names and signatures of who signed",
        technical="id school_id sha256",
        written="body",
    ),
}
"""Table to what it holds."""
