//! The judge whose word is the truth: the grammar of the PostgreSQL server, through `libpg_query`.
//!
//! This file tells statements apart; what one of a kind does is read in the files beside it.

use pg_query::NodeEnum;
use pg_query::protobuf::{Node, ObjectType, RangeVar};

use crate::facts::{Fact, Facts, Flag, Kind, Object, ObjectKind, join};

mod alter;
mod body;
mod create;
mod data;
mod drop;
mod session;

/// Reads all statements of a text; nothing when the server would refuse it as a whole.
pub(crate) fn read(text: &str) -> Option<Vec<Facts>> {
    let parsed = pg_query::parse(text, 0).ok()?;
    let statements = parsed.protobuf.stmts.iter().map(|raw| {
        let mut facts = Facts::new(Kind::Other);
        if let Some(node) = raw.stmt.as_ref().and_then(|statement| statement.node.as_ref()) {
            statement(node, &mut facts);
            if let NodeEnum::DoStmt(block) = node
                && language(&block.args).is_none_or(|language| language == "plpgsql")
            {
                let own = &text[range(text, raw.stmt_location, raw.stmt_len)];
                // A block that names variables which it does not have is refused, too.
                return body::read(own, &mut facts).then_some(facts);
            }
        }
        Some(facts)
    });
    statements.collect()
}

/// Reads the statements inside of a function in PL/pgSQL.
pub(crate) fn read_body(text: &str) -> Option<Facts> {
    let parsed = pg_query::parse(text, 0).ok()?;
    let [raw] = &parsed.protobuf.stmts[..] else {
        return None;
    };
    let Some(NodeEnum::CreateFunctionStmt(function)) = &raw.stmt.as_ref()?.node else {
        return None;
    };
    let is_readable = language(&function.options).is_some_and(|language| language == "plpgsql");
    let mut facts = Facts::new(Kind::Do);
    (is_readable && body::read(text, &mut facts)).then_some(facts)
}

/// Returns the language of a block or a function.
fn language(options: &[Node]) -> Option<String> {
    let found = options.iter().find_map(|option| match &option.node {
        Some(NodeEnum::DefElem(option)) if option.defname == "language" => option.arg.as_ref(),
        _ => None,
    });
    Some(join(parts(found?.node.as_ref()?)))
}

/// Takes a text apart: the statements that the server would run, and the number of those that it would not read.
pub(crate) fn split(text: &str) -> (Vec<&str>, usize) {
    if let Ok(parsed) = pg_query::parse(text, 0) {
        let ranges = parsed.protobuf.stmts.iter();
        let pieces = ranges.map(|raw| text[range(text, raw.stmt_location, raw.stmt_len)].trim());
        return (pieces.collect(), 0);
    }
    let Ok(pieces) = pg_query::split_with_scanner(text) else {
        return (Vec::new(), 1);
    };
    let count = pieces.len();
    let readable: Vec<_> = pieces
        .into_iter()
        .map(str::trim)
        .filter(|piece| pg_query::parse(piece, 0).is_ok())
        .collect();
    let unreadable = count - readable.len();
    (readable, unreadable)
}

/// Returns where a statement stands; a length of zero means up to the end.
fn range(text: &str, location: i32, length: i32) -> std::ops::Range<usize> {
    let start = usize::try_from(location).unwrap_or_default();
    match usize::try_from(length).unwrap_or_default() {
        0 => start..text.len(),
        length => start..start + length,
    }
}

/// Adds what one statement does, and says of which kind it is.
fn statement(node: &NodeEnum, facts: &mut Facts) {
    let known = data::read(node, facts)
        || create::read(node, facts)
        || alter::read(node, facts)
        || drop::read(node, facts)
        || session::read(node, facts);
    if !known {
        facts.kind = Kind::Other;
    }
}

fn relation(relation: Option<&RangeVar>) -> String {
    relation.map_or_else(String::new, |it| {
        join([&it.catalogname, &it.schemaname, &it.relname])
    })
}

/// Notes `ONLY` before the name of a table.
fn only(relation: Option<&RangeVar>, facts: &mut Facts) {
    facts.flag(Flag::Only, relation.is_some_and(|it| !it.inh));
}

fn is_temporary(relation: Option<&RangeVar>) -> bool {
    relation.is_some_and(|it| it.relpersistence == "t")
}

/// Returns the parts of a name that stands as a list of strings, as one, or before arguments.
fn parts(node: &NodeEnum) -> Vec<String> {
    match node {
        NodeEnum::String(text) => vec![text.sval.clone()],
        NodeEnum::List(list) => strings(&list.items),
        NodeEnum::TypeName(name) => strings(&name.names),
        NodeEnum::ObjectWithArgs(object) => strings(&object.objname),
        NodeEnum::RangeVar(name) => vec![relation(Some(name))],
        NodeEnum::RoleSpec(role) => vec![role.rolename.clone()],
        _ => Vec::new(),
    }
}

fn strings(nodes: &[Node]) -> Vec<String> {
    nodes
        .iter()
        .filter_map(|node| node.node.as_ref())
        .flat_map(parts)
        .collect()
}

fn kind_of(object: ObjectType) -> ObjectKind {
    match object {
        ObjectType::ObjectTable | ObjectType::ObjectForeignTable => ObjectKind::Table,
        ObjectType::ObjectView => ObjectKind::View,
        ObjectType::ObjectMatview => ObjectKind::MaterializedView,
        ObjectType::ObjectIndex => ObjectKind::Index,
        ObjectType::ObjectSequence => ObjectKind::Sequence,
        ObjectType::ObjectType | ObjectType::ObjectAttribute => ObjectKind::Type,
        ObjectType::ObjectDomain | ObjectType::ObjectDomconstraint => ObjectKind::Domain,
        ObjectType::ObjectSchema => ObjectKind::Schema,
        ObjectType::ObjectFunction
        | ObjectType::ObjectProcedure
        | ObjectType::ObjectRoutine
        | ObjectType::ObjectAggregate => ObjectKind::Function,
        ObjectType::ObjectTrigger => ObjectKind::Trigger,
        ObjectType::ObjectPolicy => ObjectKind::Policy,
        ObjectType::ObjectRule => ObjectKind::Rule,
        ObjectType::ObjectExtension => ObjectKind::Extension,
        ObjectType::ObjectRole => ObjectKind::Role,
        ObjectType::ObjectDatabase => ObjectKind::Database,
        ObjectType::ObjectTabconstraint => ObjectKind::Table,
        _ => ObjectKind::Other,
    }
}

/// Adds a fact about an object, if it is one that has a name of its own.
fn note(kind: ObjectKind, name: String, fact: impl FnOnce(Object) -> Fact, facts: &mut Facts) {
    if kind != ObjectKind::Other && !name.is_empty() {
        facts.add(fact(Object { kind, name }));
    }
}

#[cfg(test)]
mod tests {
    use super::{read, split};

    fn lines(sql: &str) -> Vec<String> {
        let statements = read(sql).unwrap();
        let facts = statements.iter().flat_map(|it| it.facts.iter());
        facts.map(ToString::to_string).collect()
    }

    #[test]
    fn what_is_destroyed_is_found_wherever_it_stands() {
        let hidden = [
            "DELETE FROM Notes",
            "WITH gone AS (DELETE FROM notes RETURNING 1) SELECT count(*) FROM gone",
            "EXPLAIN (ANALYZE) DELETE FROM notes",
            "COPY (DELETE FROM notes RETURNING 1) TO stdout",
            "DO $$ BEGIN IF true THEN DELETE FROM notes; END IF; END $$",
            "DO $$ BEGIN FOR i IN 1..2 LOOP DELETE FROM \"notes\"; END LOOP; END $$",
        ];
        for sql in hidden {
            assert!(
                lines(sql).contains(&"deletes all rows of notes".to_owned()),
                "{sql}"
            );
        }
        assert!(lines("EXPLAIN DELETE FROM notes").is_empty());
    }

    #[test]
    fn each_action_of_one_alter_is_a_fact() {
        let sql =
            r#"ALTER TABLE ONLY Shop."Items" DROP COLUMN IF EXISTS Price CASCADE, ALTER "Size" TYPE int"#;
        let expected = [
            "drops column price of shop.Items",
            "retypes column Size of shop.Items",
            "alters table shop.Items",
            "flag Cascade",
            "flag IfExists",
            "flag Only",
        ];
        assert_eq!(lines(sql), expected);
    }

    #[test]
    fn a_text_that_the_server_refuses_in_part_is_taken_apart_all_the_same() {
        let (pieces, unreadable) = split("DROP TABLE a; DROP TABEL b; DROP TABLE c");
        assert_eq!((pieces, unreadable), (vec!["DROP TABLE a", "DROP TABLE c"], 1));
    }
}
