//! The statements that make indexes.

use super::constraint::{including, with_options};
use crate::catalog::expression::{name, only_name, quoted, split_operator_class, split_order};
use crate::catalog::{Dialect, Index, IndexKey, IndexPart, Nulls};

/// Returns the statement that makes an index.
#[must_use]
pub fn create_index(dialect: Dialect, table: &str, index: &Index) -> String {
    let unique = if index.unique { "UNIQUE " } else { "" };
    let index_name = index
        .name
        .as_deref()
        .map_or_else(String::new, |name| format!("{} ", quoted(name)));
    let method = match (&index.method, dialect) {
        (Some(method), Dialect::Postgresql) => format!(" USING {}", name(&method.to_lowercase())),
        (None, Dialect::Postgresql) | (_, Dialect::Sqlite) => String::new(),
    };
    let parts: Vec<String> = index
        .columns
        .iter()
        .map(|part| index_part(dialect, part))
        .collect();
    let mut sql = format!(
        "CREATE {unique}INDEX {index_name}ON {}{method} ({})",
        quoted(table),
        parts.join(", ")
    );
    if dialect == Dialect::Postgresql {
        sql.push_str(&including(&index.include));
        if index.nulls_not_distinct {
            sql.push_str(" NULLS NOT DISTINCT");
        }
        sql.push_str(&with_options(&index.options));
    }
    if let Some(predicate) = &index.predicate {
        sql.push_str(&format!(" WHERE {predicate}"));
    }
    sql
}

fn index_part(dialect: Dialect, part: &IndexPart) -> String {
    let (mut sql, descending, nulls) = match &part.key {
        IndexKey::Column(column) => (quoted(column), part.descending, part.nulls),
        // Somebody who writes a catalog by hand may put the order into the expression.
        IndexKey::Expression(expression) => {
            let (expression, descends, nulls_first) = split_order(expression);
            let (expression, class) = split_operator_class(&expression);
            let mut sql = only_name(expression).map_or_else(|| format!("({expression})"), |it| quoted(&it));
            sql.push_str(&class.map_or_else(String::new, |class| format!(" {class}")));
            let nulls = nulls_first.map(|is_first| if is_first { Nulls::First } else { Nulls::Last });
            (sql, part.descending || descends, part.nulls.or(nulls))
        }
    };
    if let Some(collation) = &part.collation {
        sql.push_str(&format!(" COLLATE {}", quoted(collation)));
    }
    if let (Some(class), Dialect::Postgresql) = (&part.operator_class, dialect) {
        sql.push_str(&format!(" {}", qualified(class)));
    }
    if descending {
        sql.push_str(" DESC");
    }
    match (dialect, nulls) {
        (Dialect::Postgresql, Some(Nulls::First)) => sql.push_str(" NULLS FIRST"),
        (Dialect::Postgresql, Some(Nulls::Last)) => sql.push_str(" NULLS LAST"),
        (Dialect::Postgresql, None) | (Dialect::Sqlite, _) => {}
    }
    sql
}

/// Returns the name of an operator class, which may have a schema before it.
fn qualified(class: &str) -> String {
    match class.split_once('.') {
        Some((schema, class)) => format!("{}.{}", name(schema), name(class)),
        None => name(class),
    }
}
