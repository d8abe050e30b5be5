//! `CREATE ...`

use pg_query::NodeEnum;
use pg_query::protobuf::{ColumnDef, ConstrType, Constraint, CreateStmt, IndexStmt, Node, ObjectType};

use super::{data, is_temporary, kind_of, note, only, relation, strings};
use crate::facts::{ConstraintKind, Fact, Facts, Flag, Kind, ObjectKind, join, on};

pub(super) fn read(node: &NodeEnum, facts: &mut Facts) -> bool {
    let (kind, name) = match node {
        NodeEnum::CreateStmt(statement) => {
            table(statement, facts);
            (ObjectKind::Table, relation(statement.relation.as_ref()))
        }
        NodeEnum::CreateForeignTableStmt(statement) => match &statement.base_stmt {
            Some(base) => {
                table(base, facts);
                (ObjectKind::Table, relation(base.relation.as_ref()))
            }
            None => return false,
        },
        NodeEnum::CreateTableAsStmt(statement) => {
            let into = statement.into.as_ref().and_then(|into| into.rel.as_ref());
            facts.flag(Flag::IfNotExists, statement.if_not_exists);
            facts.flag(Flag::Temporary, is_temporary(into));
            data::query(statement.query.as_deref(), facts);
            if statement.objtype() == ObjectType::ObjectTable {
                let listed = statement.into.iter().flat_map(|into| strings(&into.col_names));
                facts.facts.extend(listed.map(|column| Fact::AddsColumn {
                    table: relation(into),
                    column,
                }));
            }
            (kind_of(statement.objtype()), relation(into))
        }
        NodeEnum::IndexStmt(statement) => {
            index(statement, facts);
            (ObjectKind::Index, join([&statement.idxname]))
        }
        NodeEnum::ViewStmt(statement) => {
            facts.flag(Flag::OrReplace, statement.replace);
            facts.flag(Flag::Temporary, is_temporary(statement.view.as_ref()));
            (ObjectKind::View, relation(statement.view.as_ref()))
        }
        NodeEnum::CreateSeqStmt(statement) => {
            facts.flag(Flag::IfNotExists, statement.if_not_exists);
            facts.flag(Flag::Temporary, is_temporary(statement.sequence.as_ref()));
            (ObjectKind::Sequence, relation(statement.sequence.as_ref()))
        }
        NodeEnum::CreateDomainStmt(statement) => (ObjectKind::Domain, join(strings(&statement.domainname))),
        NodeEnum::CreateSchemaStmt(statement) => {
            facts.flag(Flag::IfNotExists, statement.if_not_exists);
            for element in statement.schema_elts.iter().filter_map(|node| node.node.as_ref()) {
                super::statement(element, facts);
            }
            (ObjectKind::Schema, join([&statement.schemaname]))
        }
        NodeEnum::CreateExtensionStmt(statement) => {
            facts.flag(Flag::IfNotExists, statement.if_not_exists);
            (ObjectKind::Extension, join([&statement.extname]))
        }
        NodeEnum::CreateRoleStmt(statement) => (ObjectKind::Role, join([&statement.role])),
        NodeEnum::CreatedbStmt(statement) => (ObjectKind::Database, join([&statement.dbname])),
        _ => match code_or_type(node, facts) {
            Some(found) => found,
            None => return other(node, facts),
        },
    };
    facts.kind = Kind::Create(kind);
    note(kind, name, Fact::Makes, facts);
    true
}

fn code_or_type(node: &NodeEnum, facts: &mut Facts) -> Option<(ObjectKind, String)> {
    Some(match node {
        NodeEnum::CreateFunctionStmt(statement) => {
            facts.flag(Flag::OrReplace, statement.replace);
            (ObjectKind::Function, join(strings(&statement.funcname)))
        }
        NodeEnum::CreateTrigStmt(statement) => {
            facts.flag(Flag::OrReplace, statement.replace);
            let table = relation(statement.relation.as_ref());
            (ObjectKind::Trigger, on(&statement.trigname, &table))
        }
        NodeEnum::CreatePolicyStmt(statement) => {
            let table = relation(statement.table.as_ref());
            (ObjectKind::Policy, on(&statement.policy_name, &table))
        }
        NodeEnum::RuleStmt(statement) => {
            facts.flag(Flag::OrReplace, statement.replace);
            let table = relation(statement.relation.as_ref());
            (ObjectKind::Rule, on(&statement.rulename, &table))
        }
        NodeEnum::CreateEnumStmt(statement) => (ObjectKind::Type, join(strings(&statement.type_name))),
        NodeEnum::CreateRangeStmt(statement) => (ObjectKind::Type, join(strings(&statement.type_name))),
        NodeEnum::CompositeTypeStmt(statement) => (ObjectKind::Type, relation(statement.typevar.as_ref())),
        NodeEnum::DefineStmt(statement) => match statement.kind() {
            ObjectType::ObjectType => (ObjectKind::Type, join(strings(&statement.defnames))),
            ObjectType::ObjectAggregate => {
                facts.flag(Flag::OrReplace, statement.replace);
                (ObjectKind::Function, join(strings(&statement.defnames)))
            }
            _ => {
                facts.flag(Flag::IfNotExists, statement.if_not_exists);
                (ObjectKind::Other, String::new())
            }
        },
        _ => return None,
    })
}

/// Says of rarer statements only that they make something.
fn other(node: &NodeEnum, facts: &mut Facts) -> bool {
    match node {
        NodeEnum::CreateTableSpaceStmt(_)
        | NodeEnum::CreateFdwStmt(_)
        | NodeEnum::CreateAmStmt(_)
        | NodeEnum::CreateEventTrigStmt(_)
        | NodeEnum::CreateOpClassStmt(_)
        | NodeEnum::CreateOpFamilyStmt(_)
        | NodeEnum::CreateConversionStmt(_)
        | NodeEnum::CreateCastStmt(_)
        | NodeEnum::CreatePublicationStmt(_)
        | NodeEnum::CreateSubscriptionStmt(_) => {}
        NodeEnum::CreatePlangStmt(statement) => facts.flag(Flag::OrReplace, statement.replace),
        NodeEnum::CreateTransformStmt(statement) => facts.flag(Flag::OrReplace, statement.replace),
        NodeEnum::CreateForeignServerStmt(statement) => {
            facts.flag(Flag::IfNotExists, statement.if_not_exists);
        }
        NodeEnum::CreateUserMappingStmt(statement) => facts.flag(Flag::IfNotExists, statement.if_not_exists),
        NodeEnum::CreateStatsStmt(statement) => facts.flag(Flag::IfNotExists, statement.if_not_exists),
        _ => return false,
    }
    facts.kind = Kind::Create(ObjectKind::Other);
    true
}

fn table(statement: &CreateStmt, facts: &mut Facts) {
    let name = relation(statement.relation.as_ref());
    facts.flag(Flag::IfNotExists, statement.if_not_exists);
    facts.flag(Flag::Temporary, is_temporary(statement.relation.as_ref()));
    if statement.partbound.is_some()
        && let Some(NodeEnum::RangeVar(parent)) =
            statement.inh_relations.first().and_then(|it| it.node.as_ref())
    {
        facts.add(Fact::AttachesPartition {
            table: relation(Some(parent)),
            partition: name.clone(),
        });
    }
    for element in &statement.table_elts {
        match &element.node {
            // Those of a partition and of a typed table, too, which come from elsewhere: they are listed.
            Some(NodeEnum::ColumnDef(definition)) => {
                facts.add(Fact::AddsColumn {
                    table: name.clone(),
                    column: definition.colname.clone(),
                });
                column(&name, definition, facts);
            }
            Some(NodeEnum::Constraint(found)) => constraint(&name, None, found, facts),
            _ => {}
        }
    }
}

/// Adds the constraints and the default that are written beside a column.
pub(super) fn column(table: &str, definition: &ColumnDef, facts: &mut Facts) {
    for found in constraints(&definition.constraints) {
        constraint(table, Some(&definition.colname), found, facts);
    }
}

fn constraints(nodes: &[Node]) -> impl Iterator<Item = &Constraint> {
    nodes.iter().filter_map(|node| match &node.node {
        Some(NodeEnum::Constraint(found)) => Some(&**found),
        _ => None,
    })
}

pub(super) fn constraint(table: &str, column: Option<&str>, found: &Constraint, facts: &mut Facts) {
    let columns = match column {
        Some(column) => vec![column.to_owned()],
        None => strings(&found.keys),
    };
    let table = table.to_owned();
    let kind = match found.contype() {
        ConstrType::ConstrNotnull => {
            for column in columns {
                let table = table.clone();
                facts.add(Fact::DemandsValue { table, column });
            }
            facts.flag(Flag::NotValid, found.skip_validation);
            return;
        }
        ConstrType::ConstrDefault => {
            for column in columns {
                let table = table.clone();
                facts.add(Fact::SetsDefault { table, column });
            }
            return;
        }
        ConstrType::ConstrPrimary => ConstraintKind::PrimaryKey,
        ConstrType::ConstrUnique => ConstraintKind::Unique,
        ConstrType::ConstrForeign => ConstraintKind::ForeignKey,
        ConstrType::ConstrCheck => ConstraintKind::Check,
        ConstrType::ConstrExclusion => ConstraintKind::Exclusion,
        _ => return,
    };
    // What is not enforced is not validated either; that is another thing than `NOT VALID`.
    facts.flag(Flag::NotValid, found.skip_validation && found.is_enforced);
    let references = found.pktable.as_ref().map(|other| relation(Some(other)));
    facts.add(Fact::AddsConstraint {
        table,
        kind,
        references,
    });
}

fn index(statement: &IndexStmt, facts: &mut Facts) {
    facts.flag(Flag::Concurrently, statement.concurrent);
    facts.flag(Flag::IfNotExists, statement.if_not_exists);
    facts.flag(Flag::Unique, statement.unique);
    only(statement.relation.as_ref(), facts);
    facts.add(Fact::Alters(crate::facts::Object {
        kind: ObjectKind::Table,
        name: relation(statement.relation.as_ref()),
    }));
}
