//! What concerns the session, the transaction or the whole server: parameters, locks, maintenance, privileges, code.

use pg_query::NodeEnum;
use pg_query::protobuf::{Node, TransactionStmtKind, VariableSetKind, VariableSetStmt};

use super::{only, relation};
use crate::facts::{Fact, Facts, Flag, Kind};

pub(super) fn read(node: &NodeEnum, facts: &mut Facts) -> bool {
    facts.kind = match node {
        NodeEnum::VariableSetStmt(statement) => {
            set(statement, facts);
            Kind::Set
        }
        NodeEnum::TransactionStmt(statement) => {
            let is_inner = matches!(
                statement.kind(),
                TransactionStmtKind::TransStmtSavepoint
                    | TransactionStmtKind::TransStmtRelease
                    | TransactionStmtKind::TransStmtRollbackTo
            );
            if !is_inner {
                facts.add(Fact::ControlsTransaction);
            }
            Kind::Transaction
        }
        NodeEnum::LockStmt(statement) => {
            for node in &statement.relations {
                if let Some(NodeEnum::RangeVar(table)) = &node.node {
                    only(Some(table), facts);
                    facts.add(Fact::Locks {
                        table: relation(Some(table)),
                    });
                }
            }
            Kind::Lock
        }
        NodeEnum::DoStmt(_) => {
            facts.add(Fact::RunsCode);
            Kind::Do
        }
        NodeEnum::CallStmt(_) => {
            facts.add(Fact::RunsCode);
            Kind::Call
        }
        NodeEnum::VacuumStmt(_) | NodeEnum::ClusterStmt(_) => Kind::Maintenance,
        NodeEnum::ReindexStmt(statement) => {
            facts.flag(Flag::Concurrently, has_option(&statement.params, "concurrently"));
            Kind::Maintenance
        }
        NodeEnum::RefreshMatViewStmt(statement) => {
            facts.flag(Flag::Concurrently, statement.concurrent);
            Kind::Maintenance
        }
        NodeEnum::GrantStmt(_)
        | NodeEnum::GrantRoleStmt(_)
        | NodeEnum::AlterDefaultPrivilegesStmt(_)
        | NodeEnum::ReassignOwnedStmt(_) => Kind::Privileges,
        NodeEnum::PrepareStmt(_) | NodeEnum::ExecuteStmt(_) | NodeEnum::DeallocateStmt(_) => Kind::Prepared,
        NodeEnum::CommentStmt(_) => Kind::Comment,
        _ => return false,
    };
    true
}

fn set(statement: &VariableSetStmt, facts: &mut Facts) {
    let name = match statement.kind() {
        VariableSetKind::VarResetAll => "all".to_owned(),
        _ => statement.name.to_lowercase().replace('"', ""),
    };
    facts.add(Fact::SetsParameter {
        name,
        is_local: statement.is_local,
    });
}

fn has_option(options: &[Node], name: &str) -> bool {
    options
        .iter()
        .any(|option| matches!(&option.node, Some(NodeEnum::DefElem(option)) if option.defname == name))
}
