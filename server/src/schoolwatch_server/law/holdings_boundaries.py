"""What stands in the tables of boundaries, and how private it is."""

from schoolwatch_server.law.holding import Holding, of

BOUNDARIES: dict[str, Holding] = {
    "boundary_map": of(
        "Bản đồ ranh giới xã, phường do Sở nạp: nguồn, giấy phép, người nạp; giữ đến khi thay hoặc gỡ",
        "The map of communes that the department handed in: source, licence, by whom; kept until it is "
        "replaced or removed",
        technical="id province_id sha256 width height uploaded_at",
        organisational="source licence",
        written="file",
        personal="uploaded_by",
    ),
    "boundary_shape": of(
        "Hình của từng xã, phường trên bản đồ",
        "The shape of each commune on the map",
        technical="commune_id map_id",
        organisational="path",
    ),
}
"""Table to what it holds."""
