"""What stands in the tables of mergers and former names."""

from schoolwatch_server.law.holding import Holding, of

SUCCESSION: dict[str, Holding] = {
    "merged_school": of(
        "Trường đã sáp nhập vào trường nào, từ khi nào",
        "Which school each merged one is part of, since when",
        technical="school_id into_id merged_at",
    ),
    "former_commune": of(
        "Mã, tên trước đây của xã, phường và của xã đã sáp nhập vào",
        "Codes and names that communes had, and those of communes that became part of them",
        technical="id commune_id until",
        organisational="code name",
    ),
}
