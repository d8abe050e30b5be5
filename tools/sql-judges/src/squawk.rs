//! The other judge: squawk's grammar, read by the kinds of its nodes, for each of which it has a type.

use squawk_syntax::{SourceFile, SyntaxKind, SyntaxNode, ast::normalize_name_node};

use crate::compare::Reading;
use crate::facts::{Fact, Facts, Flag, Kind, Object, ObjectKind, join, on};

mod alter;
mod create;
mod data;

pub(crate) fn read(text: &str) -> Reading {
    let parsed = SourceFile::parse(text);
    let mut not_understood: Vec<String> = parsed
        .errors()
        .iter()
        .map(|error| error.message().to_owned())
        .collect();
    if !data::are_blocks_understood(&parsed.syntax_node()) {
        not_understood.push("a block of code".to_owned());
    }
    Reading {
        statements: statements(&parsed.syntax_node()),
        not_understood,
    }
}

fn statements(root: &SyntaxNode) -> Vec<Facts> {
    let nodes = root
        .children()
        .filter(|node| node.kind() != SyntaxKind::EMPTY_STMT);
    nodes
        .map(|node| {
            let mut facts = Facts::new(Kind::Other);
            statement(&node, &mut facts);
            facts
        })
        .collect()
}

/// Adds what one statement does, and says of which kind it is.
fn statement(node: &SyntaxNode, facts: &mut Facts) {
    let name = format!("{:?}", node.kind());
    if let Some(kind) = session(node, &name, facts) {
        facts.kind = kind;
    } else if data::read(node, facts) {
    } else if let Some(what) = name.strip_prefix("CREATE_") {
        create::read(node, kind_of(what), facts);
    } else if let Some(what) = name.strip_prefix("ALTER_") {
        alter::read(node, kind_of(what), facts);
    } else if let Some(what) = name.strip_prefix("DROP_") {
        drop(node, kind_of(what), facts);
    }
}

fn session(node: &SyntaxNode, name: &str, facts: &mut Facts) -> Option<Kind> {
    Some(match name {
        "BEGIN"
        | "COMMIT_TRANSACTION"
        | "ROLLBACK_TRANSACTION"
        | "PREPARE_TRANSACTION"
        | "COMMIT_PREPARED"
        | "ROLLBACK_PREPARED" => {
            facts.add(Fact::ControlsTransaction);
            Kind::Transaction
        }
        "SAVEPOINT_CREATE" | "RELEASE_SAVEPOINT" | "ROLLBACK_TO_SAVEPOINT" => Kind::Transaction,
        "SET" | "RESET" | "SET_ROLE" | "RESET_ROLE" | "SET_SESSION_AUTH" | "RESET_SESSION_AUTH"
        | "SET_TRANSACTION" => {
            facts.add(Fact::SetsParameter {
                name: parameter(node, name),
                is_local: child(node, SyntaxKind::LOCAL_SCOPE).is_some(),
            });
            Kind::Set
        }
        "LOCK" => {
            let tables = child(node, SyntaxKind::RELATION_LIST);
            for table in tables.iter().flat_map(SyntaxNode::children) {
                facts.flag(Flag::Only, has_token(&table, SyntaxKind::ONLY_KW));
                facts.add(Fact::Locks { table: path(&table) });
            }
            Kind::Lock
        }
        "DO" => {
            facts.add(Fact::RunsCode);
            data::block(node, facts);
            Kind::Do
        }
        "CALL" => {
            facts.add(Fact::RunsCode);
            Kind::Call
        }
        "VACUUM" | "ANALYZE" | "CLUSTER" => Kind::Maintenance,
        "REINDEX" | "REFRESH" => {
            let is_concurrent = node
                .descendants()
                .any(|inner| has_token(&inner, SyntaxKind::CONCURRENTLY_KW));
            facts.flag(Flag::Concurrently, is_concurrent);
            Kind::Maintenance
        }
        "GRANT" | "REVOKE" | "ALTER_DEFAULT_PRIVILEGES" | "REASSIGN" => Kind::Privileges,
        "PREPARE" | "EXECUTE" | "DEALLOCATE" => Kind::Prepared,
        "COMMENT_ON" => Kind::Comment,
        "DROP_OWNED" => {
            facts.add(Fact::RemovesWhatRoleOwns);
            facts.flag(Flag::Cascade, child(node, SyntaxKind::CASCADE).is_some());
            Kind::DropOwned
        }
        _ => return None,
    })
}

/// Returns the parameter that is set, named as the server names it.
fn parameter(node: &SyntaxNode, kind: &str) -> String {
    let given = match kind {
        "SET_ROLE" | "RESET_ROLE" => "role",
        "SET_SESSION_AUTH" | "RESET_SESSION_AUTH" => "session_authorization",
        "SET_TRANSACTION" => node.first_child().map_or("", |target| match target.kind() {
            SyntaxKind::SESSION_CHARACTERISTICS => "session characteristics",
            SyntaxKind::TRANSACTION_SNAPSHOT => "transaction snapshot",
            _ => "transaction",
        }),
        _ => "",
    };
    if !given.is_empty() {
        return given.to_owned();
    }
    let known = node.descendants().find_map(|inner| match inner.kind() {
        SyntaxKind::CONFIG_PARAMETER_REF => Some(path(&inner).replace('"', "")),
        SyntaxKind::SET_TIME_ZONE | SyntaxKind::RESET_TIME_ZONE => Some("timezone".to_owned()),
        SyntaxKind::RESET_TRANSACTION_ISOLATION => Some("transaction_isolation".to_owned()),
        SyntaxKind::SET_SCHEMA_VALUE => Some("search_path".to_owned()),
        SyntaxKind::SET_XML_OPTION => Some("xmloption".to_owned()),
        SyntaxKind::ALL => Some("all".to_owned()),
        _ => None,
    });
    known.unwrap_or_default().to_lowercase()
}

fn drop(node: &SyntaxNode, kind: ObjectKind, facts: &mut Facts) {
    facts.kind = Kind::Drop(kind);
    facts.flag(Flag::IfExists, child(node, SyntaxKind::IF_EXISTS).is_some());
    facts.flag(Flag::Cascade, child(node, SyntaxKind::CASCADE).is_some());
    facts.flag(Flag::Concurrently, has_token(node, SyntaxKind::CONCURRENTLY_KW));
    let lists = node.children().filter(|it| ends_with(it, "_SIG_LIST"));
    for list in lists {
        for signature in list.children() {
            note(kind, path(&signature), Fact::Removes, facts);
        }
    }
    if let Some(name) = name_on_table(node) {
        return note(kind, name, Fact::Removes, facts);
    }
    for object in node.children().filter(is_name) {
        note(kind, path(&object), Fact::Removes, facts);
    }
}

/// Names a trigger, policy or rule by its table.
fn name_on_table(node: &SyntaxNode) -> Option<String> {
    let table = node.children().find(|it| {
        matches!(
            it.kind(),
            SyntaxKind::ON_RELATION | SyntaxKind::ON_TABLE | SyntaxKind::RULE_ON
        )
    })?;
    let own = node.children().find(is_name)?;
    Some(on(&normalize_name_node(&own), &path(&table)))
}

fn kind_of(what: &str) -> ObjectKind {
    match what {
        "TABLE" | "TABLE_AS" | "FOREIGN_TABLE" => ObjectKind::Table,
        "VIEW" => ObjectKind::View,
        "MATERIALIZED_VIEW" => ObjectKind::MaterializedView,
        "INDEX" => ObjectKind::Index,
        "SEQUENCE" => ObjectKind::Sequence,
        "TYPE" => ObjectKind::Type,
        "DOMAIN" => ObjectKind::Domain,
        "SCHEMA" => ObjectKind::Schema,
        "FUNCTION" | "PROCEDURE" | "ROUTINE" | "AGGREGATE" => ObjectKind::Function,
        "TRIGGER" => ObjectKind::Trigger,
        "POLICY" => ObjectKind::Policy,
        "RULE" => ObjectKind::Rule,
        "EXTENSION" => ObjectKind::Extension,
        "ROLE" | "USER" | "GROUP" => ObjectKind::Role,
        "DATABASE" => ObjectKind::Database,
        _ => ObjectKind::Other,
    }
}

fn child(node: &SyntaxNode, kind: SyntaxKind) -> Option<SyntaxNode> {
    node.children().find(|it| it.kind() == kind)
}

fn has_token(node: &SyntaxNode, kind: SyntaxKind) -> bool {
    node.children_with_tokens()
        .any(|it| it.into_token().is_some_and(|token| token.kind() == kind))
}

fn ends_with(node: &SyntaxNode, end: &str) -> bool {
    format!("{:?}", node.kind()).ends_with(end)
}

fn is_relation(node: &SyntaxNode) -> bool {
    matches!(
        node.kind(),
        SyntaxKind::TABLE_RELATION_NAME | SyntaxKind::RELATION_NAME
    )
}

/// Returns whether a node names the object of a statement, as written or as something that is there already.
fn is_name(node: &SyntaxNode) -> bool {
    const NAMES: [&str; 21] = [
        "TABLE_NAME",
        "TABLE_RELATION_NAME",
        "RELATION_NAME",
        "INDEX",
        "VIEW",
        "SEQUENCE",
        "TYPE_NAME",
        "DOMAIN",
        "SCHEMA",
        "FUNCTION_NAME",
        "FUNCTION_SIG",
        "PROCEDURE_NAME",
        "PROCEDURE_SIG",
        "ROUTINE_SIG",
        "AGGREGATE_NAME",
        "AGGREGATE",
        "TRIGGER",
        "POLICY",
        "RULE",
        "EXTENSION",
        "DATABASE",
    ];
    let kind = format!("{:?}", node.kind());
    let plain = kind.strip_suffix("_REF").unwrap_or(&kind);
    NAMES.contains(&plain) || plain == "ROLE"
}

/// Returns the first name in a node, folded and joined.
fn path(node: &SyntaxNode) -> String {
    let found = node
        .descendants()
        .find(|it| matches!(it.kind(), SyntaxKind::PATH | SyntaxKind::PATH_REF));
    let Some(found) = found else {
        let leaf = node
            .descendants()
            .find(|it| it.children_with_tokens().any(|part| part.as_token().is_some()))
            .filter(|it| it.children().next().is_none())
            // `CURRENT_USER` and its like stand for a role without being its name.
            .filter(|it| !format!("{:?}", it.kind()).starts_with("ROLE_REF_"));
        return leaf.map_or_else(String::new, |leaf| join([normalize_name_node(&leaf)]));
    };
    let segments = found
        .descendants()
        .filter(|it| matches!(it.kind(), SyntaxKind::PATH_SEGMENT | SyntaxKind::PATH_SEGMENT_REF));
    join(segments.map(|segment| normalize_name_node(&segment)))
}

/// Adds a fact about an object, if it is one that has a name of its own.
fn note(kind: ObjectKind, name: String, fact: impl FnOnce(Object) -> Fact, facts: &mut Facts) {
    if kind != ObjectKind::Other && !name.is_empty() {
        facts.add(fact(Object { kind, name }));
    }
}
