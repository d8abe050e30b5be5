//! Names in SQL.

use crate::catalog::expression;

/// PostgreSQL's limit (manual, "Lexical Structure").
const LONGEST: usize = 63;

/// Words that PostgreSQL or SQLite reads as something else than a name (manual, "SQL Key Words"; "SQLite Keywords").
#[rustfmt::skip]
const RESERVED: [&str; 134] = [
    "abort", "add", "all", "alter", "always", "analyse", "analyze", "and", "any", "array", "as", "asc", "asymmetric",
    "authorization", "autoincrement", "between", "binary", "both", "case", "cast", "check", "collate", "collation",
    "column", "commit", "concurrently", "constraint", "create", "cross", "current_catalog", "current_date",
    "current_role", "current_schema", "current_time", "current_timestamp", "current_user", "default", "deferrable",
    "delete", "desc", "distinct", "do", "drop", "else", "end", "escape", "except", "exists", "false", "fetch", "for",
    "foreign", "freeze", "from", "full", "glob", "grant", "group", "having", "if", "ilike", "in", "index", "indexed",
    "initially", "inner", "insert", "intersect", "into", "is", "isnull", "join", "lateral", "leading", "left", "like",
    "limit", "localtime", "localtimestamp", "match", "natural", "not", "nothing", "notnull", "null", "offset", "on",
    "only", "or", "order", "outer", "overlaps", "placing", "pragma", "primary", "raise", "references", "regexp",
    "replace", "returning", "right", "row", "rows", "select", "session_user", "set", "similar", "some", "symmetric",
    "system_user", "table", "tablesample", "temp", "then", "to", "trailing", "transaction", "trigger", "true", "union",
    "unique", "update", "user", "using", "values", "variadic", "verbose", "view", "virtual", "when", "where", "window",
    "with", "without",
];

/// Returns a name as people write it: in double quotes only where it needs them.
pub(super) fn name(name: &str) -> String {
    match RESERVED.contains(&name) {
        true => expression::quoted(name),
        false => expression::name(name),
    }
}

/// Returns a text as a literal.
pub(super) fn text(text: &str) -> String {
    crate::catalog::ddl::text(text)
}

/// Returns the PostgreSQL function that finds a table or an index by its name, or NULL.
pub(super) fn found(relation: &str) -> String {
    format!("to_regclass({})", text(relation))
}

/// Returns a name made of several, cut where it would be too long; what tells it apart stays.
pub(super) fn joined(parts: &[&str], suffix: &str) -> String {
    let mut whole = parts.join("_");
    let mut length = whole.len().min(LONGEST - suffix.len() - 1);
    while !whole.is_char_boundary(length) {
        length -= 1;
    }
    whole.truncate(length);
    format!("{whole}_{suffix}")
}

/// Returns a name made of several; one that would be too long is cut and told apart by a number made of all of it.
pub(super) fn joined_distinctly(parts: &[&str], suffix: &str) -> String {
    let whole = parts.join("_");
    if whole.len() + suffix.len() < LONGEST {
        return format!("{whole}_{suffix}");
    }
    // FNV-1a: short, and the same when the next run asks.
    let digest = whole.bytes().fold(0x811c_9dc5_u32, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    });
    joined(parts, &format!("{digest:08x}_{suffix}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_cut_stay_apart() {
        assert_eq!(joined_distinctly(&["ev_1", "ix_n"], "idx"), "ev_1_ix_n_idx");
        let long = |end: &str| joined_distinctly(&[&"p".repeat(60), end], "idx");
        assert_eq!(long("one").len(), 63);
        assert_ne!(long("one"), long("other"));
    }

    #[test]
    fn a_name_is_quoted_where_it_would_be_read_as_something_else() {
        let names = ["id", "name", "order", "Tasks", "a b"].map(name);
        assert_eq!(names, ["id", "name", "\"order\"", "\"Tasks\"", "\"a b\""]);
    }
}
