//! `ALTER ...`

use pg_query::NodeEnum;
use pg_query::protobuf::{
    AlterDomainStmt, AlterObjectSchemaStmt, AlterTableCmd, AlterTableStmt, AlterTableType, ObjectType,
    RenameStmt,
};

use super::drop::is_cascade;
use super::{create, kind_of, note, only, parts, relation, strings};
use crate::facts::{Fact, Facts, Flag, Kind, Object, ObjectKind, join, on};

pub(super) fn read(node: &NodeEnum, facts: &mut Facts) -> bool {
    let (kind, name) = match node {
        NodeEnum::AlterTableStmt(statement) => return table(statement, facts),
        NodeEnum::RenameStmt(statement) => return rename(statement, facts),
        NodeEnum::AlterObjectSchemaStmt(statement) => return schema(statement, facts),
        NodeEnum::AlterDomainStmt(statement) => {
            domain(statement, facts);
            (ObjectKind::Domain, join(strings(&statement.type_name)))
        }
        NodeEnum::AlterEnumStmt(statement) => {
            facts.flag(Flag::IfNotExists, statement.skip_if_new_val_exists);
            (ObjectKind::Type, join(strings(&statement.type_name)))
        }
        NodeEnum::AlterTypeStmt(statement) => (ObjectKind::Type, join(strings(&statement.type_name))),
        NodeEnum::AlterSeqStmt(statement) => {
            facts.flag(Flag::IfExists, statement.missing_ok);
            (ObjectKind::Sequence, relation(statement.sequence.as_ref()))
        }
        NodeEnum::AlterPolicyStmt(statement) => {
            let table = relation(statement.table.as_ref());
            (ObjectKind::Policy, on(&statement.policy_name, &table))
        }
        NodeEnum::AlterFunctionStmt(statement) => {
            let function = statement.func.as_ref();
            let name = function.map_or_else(String::new, |function| join(strings(&function.objname)));
            (ObjectKind::Function, name)
        }
        NodeEnum::AlterOwnerStmt(statement) => {
            let object = statement.object.as_ref().and_then(|object| object.node.as_ref());
            let name = match object {
                Some(object) => join(parts(object)),
                None => relation(statement.relation.as_ref()),
            };
            (kind_of(statement.object_type()), name)
        }
        NodeEnum::AlterObjectDependsStmt(statement) => {
            let own = statement.object.as_ref().and_then(|object| object.node.as_ref());
            let own = own.map_or_else(String::new, |own| join(parts(own)));
            let name = match (statement.object_type(), statement.relation.as_ref()) {
                (ObjectType::ObjectTrigger, table) => on(&own, &relation(table)),
                (_, None) => own,
                (_, table) => relation(table),
            };
            (kind_of(statement.object_type()), name)
        }
        NodeEnum::AlterTableMoveAllStmt(statement) => (kind_of(statement.objtype()), String::new()),
        NodeEnum::AlterExtensionStmt(statement) => (ObjectKind::Extension, join([&statement.extname])),
        NodeEnum::AlterExtensionContentsStmt(statement) => {
            (ObjectKind::Extension, join([&statement.extname]))
        }
        NodeEnum::AlterRoleStmt(statement) => {
            let name = statement.role.as_ref().map_or("", |role| &role.rolename);
            (ObjectKind::Role, join([name]))
        }
        NodeEnum::AlterRoleSetStmt(statement) => {
            let name = statement.role.as_ref().map_or("", |role| &role.rolename);
            (ObjectKind::Role, join([name]))
        }
        NodeEnum::AlterDatabaseStmt(statement) => (ObjectKind::Database, join([&statement.dbname])),
        NodeEnum::AlterDatabaseSetStmt(statement) => (ObjectKind::Database, join([&statement.dbname])),
        NodeEnum::AlterDatabaseRefreshCollStmt(statement) => {
            (ObjectKind::Database, join([&statement.dbname]))
        }
        _ if is_rare(node) => (ObjectKind::Other, String::new()),
        _ => return false,
    };
    facts.kind = Kind::Alter(kind);
    note(kind, name, Fact::Alters, facts);
    true
}

fn is_rare(node: &NodeEnum) -> bool {
    matches!(
        node,
        NodeEnum::AlterCollationStmt(_)
            | NodeEnum::AlterTableSpaceOptionsStmt(_)
            | NodeEnum::AlterFdwStmt(_)
            | NodeEnum::AlterForeignServerStmt(_)
            | NodeEnum::AlterUserMappingStmt(_)
            | NodeEnum::AlterEventTrigStmt(_)
            | NodeEnum::AlterOpFamilyStmt(_)
            | NodeEnum::AlterStatsStmt(_)
            | NodeEnum::AlterOperatorStmt(_)
            | NodeEnum::AlterSystemStmt(_)
            | NodeEnum::AlterTsdictionaryStmt(_)
            | NodeEnum::AlterTsconfigurationStmt(_)
            | NodeEnum::AlterPublicationStmt(_)
            | NodeEnum::AlterSubscriptionStmt(_)
    )
}

fn table(statement: &AlterTableStmt, facts: &mut Facts) -> bool {
    let kind = kind_of(statement.objtype());
    let name = relation(statement.relation.as_ref());
    facts.kind = Kind::Alter(kind);
    facts.flag(Flag::IfExists, statement.missing_ok);
    if kind != ObjectKind::Type {
        only(statement.relation.as_ref(), facts);
    }
    for node in &statement.cmds {
        if let Some(NodeEnum::AlterTableCmd(command)) = &node.node {
            action(&name, command, facts);
        }
    }
    if !matches!(kind, ObjectKind::Table | ObjectKind::Type) {
        // The grammar has one list of actions; of anything else the server refuses these.
        let is_of_tables = |fact: &Fact| {
            matches!(
                fact,
                Fact::AddsColumn { .. } | Fact::DropsColumn { .. } | Fact::RetypesColumn { .. }
            )
        };
        facts.facts.retain(|fact| !is_of_tables(fact));
    }
    note(kind, name, Fact::Alters, facts);
    true
}

fn action(table: &str, command: &AlterTableCmd, facts: &mut Facts) {
    let table = table.to_owned();
    let name = command.name.clone();
    let definition = command
        .def
        .as_ref()
        .and_then(|definition| definition.node.as_ref());
    match (command.subtype(), definition) {
        (AlterTableType::AtAddColumn, Some(NodeEnum::ColumnDef(column))) => {
            facts.flag(Flag::IfNotExists, command.missing_ok);
            create::column(&table, column, facts);
            let column = column.colname.clone();
            facts.add(Fact::AddsColumn { table, column });
        }
        (AlterTableType::AtDropColumn, _) => {
            facts.flag(Flag::IfExists, command.missing_ok);
            facts.flag(Flag::Cascade, is_cascade(command.behavior));
            facts.add(Fact::DropsColumn { table, column: name });
        }
        (AlterTableType::AtAlterColumnType, _) => facts.add(Fact::RetypesColumn { table, column: name }),
        (AlterTableType::AtSetNotNull, _) => facts.add(Fact::DemandsValue { table, column: name }),
        (AlterTableType::AtDropNotNull, _) => facts.add(Fact::AllowsNull { table, column: name }),
        (AlterTableType::AtColumnDefault, None) => facts.add(Fact::DropsDefault { table, column: name }),
        (AlterTableType::AtColumnDefault, Some(_)) => facts.add(Fact::SetsDefault { table, column: name }),
        (AlterTableType::AtAddConstraint, Some(NodeEnum::Constraint(found))) => {
            create::constraint(&table, None, found, facts);
        }
        (AlterTableType::AtDropConstraint, _) => {
            facts.flag(Flag::IfExists, command.missing_ok);
            facts.flag(Flag::Cascade, is_cascade(command.behavior));
            let name = join([name]);
            facts.add(Fact::DropsConstraint { table, name });
        }
        (AlterTableType::AtValidateConstraint, _) => {
            let name = join([name]);
            facts.add(Fact::ValidatesConstraint { table, name });
        }
        (AlterTableType::AtAttachPartition, Some(NodeEnum::PartitionCmd(part))) => {
            let partition = relation(part.name.as_ref());
            facts.add(Fact::AttachesPartition { table, partition });
        }
        (
            AlterTableType::AtDetachPartition | AlterTableType::AtDetachPartitionFinalize,
            Some(NodeEnum::PartitionCmd(part)),
        ) => {
            facts.flag(Flag::Concurrently, part.concurrent);
            let partition = relation(part.name.as_ref());
            facts.add(Fact::DetachesPartition { table, partition });
        }
        _ => {}
    }
}

fn rename(statement: &RenameStmt, facts: &mut Facts) -> bool {
    let to = join([&statement.newname]);
    facts.flag(Flag::IfExists, statement.missing_ok);
    if statement.rename_type() != ObjectType::ObjectAttribute {
        only(statement.relation.as_ref(), facts);
    }
    let table = relation(statement.relation.as_ref());
    let kind = match statement.rename_type() {
        ObjectType::ObjectColumn => kind_of(statement.relation_type()),
        other => kind_of(other),
    };
    facts.kind = Kind::Alter(kind);
    let object = statement.object.as_ref().and_then(|object| object.node.as_ref());
    let name = match (statement.rename_type(), object) {
        (ObjectType::ObjectColumn | ObjectType::ObjectAttribute, _) => {
            facts.flag(Flag::Cascade, is_cascade(statement.behavior));
            facts.add(Fact::RenamesColumn {
                table: table.clone(),
                column: statement.subname.clone(),
                to: statement.newname.clone(),
            });
            note(kind, table, Fact::Alters, facts);
            return true;
        }
        (ObjectType::ObjectTabconstraint, _) => {
            note(kind, table, Fact::Alters, facts);
            return true;
        }
        (ObjectType::ObjectDomconstraint, Some(object)) => {
            note(kind, join(parts(object)), Fact::Alters, facts);
            return true;
        }
        (ObjectType::ObjectTrigger | ObjectType::ObjectPolicy | ObjectType::ObjectRule, _) => {
            on(&statement.subname, &table)
        }
        (_, Some(object)) => join(parts(object)),
        (_, None) if statement.relation.is_some() => table,
        (_, None) => join([&statement.subname]),
    };
    note(kind, name.clone(), Fact::Alters, facts);
    note(kind, name, |object| Fact::Renames { object, to }, facts);
    true
}

fn schema(statement: &AlterObjectSchemaStmt, facts: &mut Facts) -> bool {
    let kind = kind_of(statement.object_type());
    facts.kind = Kind::Alter(kind);
    facts.flag(Flag::IfExists, statement.missing_ok);
    only(statement.relation.as_ref(), facts);
    let object = statement.object.as_ref().and_then(|object| object.node.as_ref());
    let name = match object {
        Some(object) => join(parts(object)),
        None => relation(statement.relation.as_ref()),
    };
    let schema = join([&statement.newschema]);
    note(kind, name.clone(), Fact::Alters, facts);
    note(kind, name, |object: Object| Fact::Moves { object, schema }, facts);
    true
}

fn domain(statement: &AlterDomainStmt, facts: &mut Facts) {
    let table = join(strings(&statement.type_name));
    let column = "value".to_owned();
    let name = statement.name.clone();
    match (
        statement.subtype.as_str(),
        statement.def.as_ref().and_then(|it| it.node.as_ref()),
    ) {
        ("T", Some(_)) => facts.add(Fact::SetsDefault { table, column }),
        ("T", None) => facts.add(Fact::DropsDefault { table, column }),
        ("O", _) => facts.add(Fact::DemandsValue { table, column }),
        ("N", _) => facts.add(Fact::AllowsNull { table, column }),
        ("C", Some(NodeEnum::Constraint(found))) => create::constraint(&table, Some("value"), found, facts),
        ("X", _) => {
            facts.flag(Flag::IfExists, statement.missing_ok);
            facts.flag(Flag::Cascade, is_cascade(statement.behavior));
            let name = join([name]);
            facts.add(Fact::DropsConstraint { table, name });
        }
        ("V", _) => {
            let name = join([name]);
            facts.add(Fact::ValidatesConstraint { table, name });
        }
        _ => {}
    }
}
