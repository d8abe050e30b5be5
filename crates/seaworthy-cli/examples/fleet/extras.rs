use seaworthy::catalog::{Extra, Index};

/// What the database has beside what attributes of entities say.
fn extras(extra: &mut Extra) {
    extra
        .table("boats")
        .index(Index::new(Some("boats_by_name"), ["name"]))
        .default("name", "''");
}
