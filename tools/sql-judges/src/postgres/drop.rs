//! `DROP ...`

use pg_query::NodeEnum;
use pg_query::protobuf::{DropBehavior, DropStmt, ObjectType};

use super::{kind_of, note, parts};
use crate::facts::{Fact, Facts, Flag, Kind, ObjectKind, join, on};

pub(super) fn read(node: &NodeEnum, facts: &mut Facts) -> bool {
    let (kind, names, if_exists) = match node {
        NodeEnum::DropStmt(statement) => {
            drop(statement, facts);
            return true;
        }
        NodeEnum::DropOwnedStmt(statement) => {
            facts.kind = Kind::DropOwned;
            facts.add(Fact::RemovesWhatRoleOwns);
            facts.flag(Flag::Cascade, is_cascade(statement.behavior));
            return true;
        }
        NodeEnum::DropRoleStmt(statement) => (
            ObjectKind::Role,
            super::strings(&statement.roles),
            statement.missing_ok,
        ),
        NodeEnum::DropdbStmt(statement) => (
            ObjectKind::Database,
            vec![statement.dbname.clone()],
            statement.missing_ok,
        ),
        NodeEnum::DropTableSpaceStmt(statement) => (ObjectKind::Other, Vec::new(), statement.missing_ok),
        NodeEnum::DropSubscriptionStmt(statement) => {
            facts.flag(Flag::Cascade, is_cascade(statement.behavior));
            (ObjectKind::Other, Vec::new(), statement.missing_ok)
        }
        NodeEnum::DropUserMappingStmt(statement) => (ObjectKind::Other, Vec::new(), statement.missing_ok),
        _ => return false,
    };
    facts.kind = Kind::Drop(kind);
    facts.flag(Flag::IfExists, if_exists);
    for name in names {
        note(kind, join([name]), Fact::Removes, facts);
    }
    true
}

fn drop(statement: &DropStmt, facts: &mut Facts) {
    let kind = kind_of(statement.remove_type());
    facts.kind = Kind::Drop(kind);
    facts.flag(Flag::IfExists, statement.missing_ok);
    facts.flag(Flag::Cascade, is_cascade(statement.behavior));
    facts.flag(Flag::Concurrently, statement.concurrent);
    for node in statement.objects.iter().filter_map(|object| object.node.as_ref()) {
        let mut parts = parts(node);
        let is_of_table = matches!(
            statement.remove_type(),
            ObjectType::ObjectTrigger | ObjectType::ObjectPolicy | ObjectType::ObjectRule
        );
        let name = match parts.pop() {
            Some(own) if is_of_table => on(&own, &join(parts)),
            Some(own) => join(parts.into_iter().chain([own])),
            None => String::new(),
        };
        note(kind, name, Fact::Removes, facts);
    }
}

pub(super) fn is_cascade(behavior: i32) -> bool {
    behavior == DropBehavior::DropCascade as i32
}
