//! Which names somebody chose, and which nobody did.

/// What kind of thing has the name.
#[derive(Clone, Copy, Debug)]
pub(super) enum Named {
    PrimaryKey,
    Unique,
    Check,
    ForeignKey,
    Index,
    Exclusion,
}

/// Returns the name that a declaration insists on: none when it leaves the name open, or has the one that SeaORM or the
/// engine thinks of.
pub(super) fn chosen<'a>(
    named: Named,
    table: &str,
    columns: &[String],
    declared: Option<&'a str>,
) -> Option<&'a str> {
    let name = declared?;
    let columns = columns.join("_");
    let is_made_up = match named {
        Named::PrimaryKey => name == format!("pk-{table}") || name == format!("{table}_pkey"),
        Named::Unique => {
            name.starts_with(&format!("idx-{table}-")) || name == format!("{table}_{columns}_key")
        }
        Named::Index => {
            name.starts_with(&format!("idx-{table}-"))
                || name.starts_with(&format!("{table}_")) && name.ends_with("_idx")
        }
        Named::ForeignKey => {
            name.starts_with(&format!("fk-{table}-")) || name == format!("{table}_{columns}_fkey")
        }
        Named::Check => name.starts_with(&format!("{table}_")) && name.ends_with("_check"),
        Named::Exclusion => name.starts_with(&format!("{table}_")) && name.ends_with("_excl"),
    };
    (!is_made_up).then_some(name)
}
