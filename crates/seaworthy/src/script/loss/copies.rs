//! Tables that take the place of others: made, filled with all their rows, and given their names.

use std::collections::{BTreeMap, BTreeSet};

use sqlparser::ast::{
    AlterTableOperation, Insert, ObjectName, Query, RenameTableNameKind, Select, SetExpr, Statement,
    TableFactor, TableObject,
};

use super::spelled;

/// The copies that a script has made so far.
#[derive(Default)]
pub(super) struct Copies {
    /// The columns of each table that the script makes.
    made: BTreeMap<String, BTreeSet<String>>,
    /// Which table holds all rows of which other one.
    copied: BTreeMap<String, String>,
}

impl Copies {
    /// Looks at the next statement; returns a table whose place its copy takes with it, and the columns of the copy.
    pub(super) fn follow(&mut self, statement: &Statement) -> Option<(String, BTreeSet<String>)> {
        match statement {
            Statement::CreateTable(create) => {
                let columns = create.columns.iter().map(|column| column.name.value.clone());
                self.made.insert(spelled(&create.name), columns.collect());
                None
            }
            Statement::Insert(insert) => {
                self.copied.extend(whole_copy(insert));
                None
            }
            Statement::AlterTable(alter) => {
                let copy = spelled(&alter.name);
                let names = alter.operations.iter().filter_map(new_name);
                let mut names = names.filter(|name| self.copied.get(&copy) == Some(name));
                let name = names.next()?;
                Some((name, self.made.get(&copy)?.clone()))
            }
            _ => None,
        }
    }
}

fn new_name(operation: &AlterTableOperation) -> Option<String> {
    match operation {
        AlterTableOperation::RenameTable {
            table_name: RenameTableNameKind::To(name) | RenameTableNameKind::As(name),
        } => Some(spelled(name)),
        _ => None,
    }
}

/// Returns the target and the source of an insert that takes every row of one table.
fn whole_copy(insert: &Insert) -> Option<(String, String)> {
    let TableObject::TableName(target) = &insert.table else {
        return None;
    };
    let query = insert.source.as_deref()?;
    Some((spelled(target), spelled(only_table(query)?)))
}

fn only_table(query: &Query) -> Option<&ObjectName> {
    let SetExpr::Select(select) = query.body.as_ref() else {
        return None;
    };
    let takes_all = query.with.is_none()
        && query.limit_clause.is_none()
        && query.fetch.is_none()
        && takes_every_row(select);
    match select.from.as_slice() {
        [table] if takes_all && table.joins.is_empty() => match &table.relation {
            TableFactor::Table { name, .. } => Some(name),
            _ => None,
        },
        _ => None,
    }
}

fn takes_every_row(select: &Select) -> bool {
    let groups = match &select.group_by {
        sqlparser::ast::GroupByExpr::Expressions(expressions, _) => !expressions.is_empty(),
        sqlparser::ast::GroupByExpr::All(_) => true,
    };
    select.selection.is_none() && select.distinct.is_none() && select.having.is_none() && !groups
}
