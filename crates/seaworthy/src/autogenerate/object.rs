//! The statements that make, change and remove what no table holds; PostgreSQL.

use crate::catalog::{Object, ObjectKind};

/// Lets a function come before what its body speaks of, as `pg_dump` does; a body is text that names nothing the server keeps
/// track of. Until the end of the transaction.
const UNCHECKED_BODIES: &str = "SET LOCAL check_function_bodies TO off";

/// Returns the statements that make an object.
pub(super) fn creation(object: &Object) -> Vec<String> {
    let first = has_body(object).then(|| UNCHECKED_BODIES.to_owned());
    first.into_iter().chain(object.sql.iter().cloned()).collect()
}

/// Returns the statements that remove an object.
pub(super) fn removal(object: &Object) -> Vec<String> {
    match object.kind {
        // What has another owner from now on, or is not there any more, needs no statement.
        ObjectKind::Owner => Vec::new(),
        ObjectKind::RowSecurity
        | ObjectKind::Grants
        | ObjectKind::Clustering
        | ObjectKind::PartitionNotNull => object
            .sql
            .iter()
            .filter_map(|statement| retraction(statement))
            .collect(),
        ObjectKind::Comment => vec![format!("COMMENT ON {} IS NULL", object.name)],
        kind => vec![format!("DROP {} {}", kind.sql(), object.name)],
    }
}

/// Returns the statements that turn one object into another of its name; nothing where it has to be made again.
pub(super) fn alteration(from: &Object, to: &Object) -> Option<Vec<String>> {
    if is_composite(from) && is_composite(to) {
        return attributes(from, to);
    }
    let head = match from.kind {
        ObjectKind::Owner => return Some(to.sql.clone()),
        ObjectKind::RowSecurity | ObjectKind::Grants => 0,
        _ => 1,
    };
    let (old, new) = (from.sql.get(head..)?, to.sql.get(head..)?);
    let is_same = from.sql[..head] == to.sql[..head];
    if !is_same && !is_replaceable(from, to) {
        return None;
    }
    let mut statements = Vec::new();
    for gone in old.iter().filter(|statement| !new.contains(statement)) {
        statements.push(retraction(gone)?);
    }
    if !is_same {
        statements.extend(has_body(to).then(|| UNCHECKED_BODIES.to_owned()));
        statements.extend_from_slice(&to.sql[..head]);
    }
    statements.extend(new.iter().filter(|statement| !old.contains(statement)).cloned());
    Some(statements)
}

fn has_body(object: &Object) -> bool {
    matches!(object.kind, ObjectKind::Function | ObjectKind::Procedure)
}

/// Whether the first statement may be sent while the object is there (manual, "CREATE FUNCTION", "CREATE VIEW": what others rely
/// on stays, and more may come after it).
fn is_replaceable(from: &Object, to: &Object) -> bool {
    match from.kind {
        ObjectKind::Function | ObjectKind::Procedure | ObjectKind::View => to.shape.starts_with(&from.shape),
        ObjectKind::Rule | ObjectKind::Comment => true,
        ObjectKind::Extension
        | ObjectKind::Collation
        | ObjectKind::Domain
        | ObjectKind::Type
        | ObjectKind::Aggregate
        | ObjectKind::MaterializedView
        | ObjectKind::RowSecurity
        | ObjectKind::Owner
        | ObjectKind::Grants
        | ObjectKind::Policy
        | ObjectKind::Trigger
        | ObjectKind::Statistics
        | ObjectKind::Clustering
        | ObjectKind::PartitionNotNull => false,
    }
}

fn is_composite(object: &Object) -> bool {
    object.kind == ObjectKind::Type && !object.shape.is_empty()
}

/// Attributes can be added at the end, taken away, and given another type where no table has the type. Those that stay have to
/// stay in their order.
fn attributes(from: &Object, to: &Object) -> Option<Vec<String>> {
    let named = |object: &Object| -> Option<Vec<(String, String)>> {
        object
            .shape
            .iter()
            .map(|attribute| split_name(attribute))
            .collect()
    };
    let (old, new) = (named(from)?, named(to)?);
    let alter = format!("ALTER TYPE {}", from.name);
    let mut statements = Vec::new();
    let mut order = Vec::new();
    for (name, data_type) in &old {
        match new.iter().find(|(other, _)| other == name) {
            None => statements.push(format!("{alter} DROP ATTRIBUTE {name}")),
            Some((_, wanted)) => {
                order.push(name);
                if wanted != data_type {
                    statements.push(format!("{alter} ALTER ATTRIBUTE {name} SET DATA TYPE {wanted}"));
                }
            }
        }
    }
    for (name, data_type) in &new {
        if !order.contains(&name) {
            statements.push(format!("{alter} ADD ATTRIBUTE {name} {data_type}"));
            order.push(name);
        }
    }
    let is_in_order = order.into_iter().eq(new.iter().map(|(name, _)| name));
    is_in_order.then_some(statements)
}

/// Returns the statement that takes back what another one says about an object that stays.
fn retraction(statement: &str) -> Option<String> {
    let replaced = |from: &str, to: &str| {
        let (start, rest) = statement.split_once(from)?;
        Some(format!("{start}{to}{rest}"))
    };
    if let Some(granted) = statement.strip_prefix("GRANT ") {
        let granted = granted.strip_suffix(" WITH GRANT OPTION").unwrap_or(granted);
        let (what, whom) = granted.rsplit_once(" TO ")?;
        return Some(format!("REVOKE {what} FROM {whom}"));
    }
    if let Some(revoked) = statement.strip_prefix("REVOKE ") {
        let (what, whom) = revoked.rsplit_once(" FROM ")?;
        return Some(format!("GRANT {what} TO {whom}"));
    }
    if let Some((start, _)) = statement.split_once(" SET DEFAULT ") {
        return Some(format!("{start} DROP DEFAULT"));
    }
    if let Some((start, rest)) = statement.split_once(" ADD CONSTRAINT ") {
        return Some(format!("{start} DROP CONSTRAINT {}", split_name(rest)?.0));
    }
    let index = ["CREATE INDEX ", "CREATE UNIQUE INDEX "]
        .iter()
        .find_map(|start| statement.strip_prefix(start));
    if let Some(rest) = index {
        return Some(format!("DROP INDEX {}", split_name(rest)?.0));
    }
    if let Some((start, _)) = statement.split_once(" CLUSTER ON ") {
        return Some(format!("{start} SET WITHOUT CLUSTER"));
    }
    if let Some((start, _)) = statement.split_once(" SET STATISTICS ") {
        return Some(format!("{start} SET STATISTICS -1"));
    }
    replaced(" SET NOT NULL", " DROP NOT NULL")
        .or_else(|| replaced(" ENABLE ROW LEVEL SECURITY", " DISABLE ROW LEVEL SECURITY"))
        .or_else(|| replaced(" FORCE ROW LEVEL SECURITY", " NO FORCE ROW LEVEL SECURITY"))
        .or_else(|| {
            ["TRIGGER ", "RULE "].into_iter().find_map(|kind| {
                [" DISABLE ", " ENABLE REPLICA ", " ENABLE ALWAYS "]
                    .into_iter()
                    .find_map(|state| replaced(&format!("{state}{kind}"), &format!(" ENABLE {kind}")))
            })
        })
}

/// Splits a text that begins with a name, as the server prints it, after the name.
fn split_name(text: &str) -> Option<(String, String)> {
    let end = match text.strip_prefix('"') {
        None => text.find(' ')?,
        Some(quoted) => {
            let mut letters = quoted.char_indices().peekable();
            loop {
                let (place, letter) = letters.next()?;
                if letter == '"' && letters.next_if(|(_, next)| *next == '"').is_none() {
                    break place + 2;
                }
            }
        }
    };
    Some((text[..end].to_owned(), text[end..].trim_start().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::{retraction, split_name};

    #[test]
    fn a_statement_about_an_object_is_taken_back() {
        let pairs = [
            (
                "ALTER DOMAIN feet SET DEFAULT 1",
                "ALTER DOMAIN feet DROP DEFAULT",
            ),
            (
                "ALTER DOMAIN feet SET NOT NULL",
                "ALTER DOMAIN feet DROP NOT NULL",
            ),
            (
                "ALTER DOMAIN feet ADD CONSTRAINT \"a \"\"b\" CHECK (true)",
                "ALTER DOMAIN feet DROP CONSTRAINT \"a \"\"b\"",
            ),
            ("CREATE UNIQUE INDEX one ON kept (id)", "DROP INDEX one"),
            (
                "GRANT SELECT ON TABLE m TO ada WITH GRANT OPTION",
                "REVOKE SELECT ON TABLE m FROM ada",
            ),
            (
                "REVOKE ALL ON ROUTINE f() FROM PUBLIC",
                "GRANT ALL ON ROUTINE f() TO PUBLIC",
            ),
            (
                "ALTER TABLE m FORCE ROW LEVEL SECURITY",
                "ALTER TABLE m NO FORCE ROW LEVEL SECURITY",
            ),
            (
                "ALTER TABLE m ENABLE ALWAYS TRIGGER look",
                "ALTER TABLE m ENABLE TRIGGER look",
            ),
            (
                "ALTER TABLE m CLUSTER ON \"m 1\"",
                "ALTER TABLE m SET WITHOUT CLUSTER",
            ),
            (
                "ALTER STATISTICS both SET STATISTICS 50",
                "ALTER STATISTICS both SET STATISTICS -1",
            ),
            (
                "ALTER TABLE m DISABLE RULE quiet",
                "ALTER TABLE m ENABLE RULE quiet",
            ),
        ];
        for (statement, back) in pairs {
            assert_eq!(retraction(statement).as_deref(), Some(back));
        }
        assert_eq!(retraction("CREATE VIEW one AS SELECT 1"), None);
    }

    #[test]
    fn a_name_ends_where_its_quotes_do() {
        let split = |text| split_name(text).unwrap();
        assert_eq!(split("low integer"), ("low".to_owned(), "integer".to_owned()));
        assert_eq!(split("\"a b\" text"), ("\"a b\"".to_owned(), "text".to_owned()));
    }
}
