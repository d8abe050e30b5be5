//! `required-constraint-name`: a new constraint or index is not called as the project asks.

use super::{Finding, Rule};
use crate::lint::step::Step;
use crate::lint::{ConstraintPattern, Server, Severity};
use crate::sql::{Action, Constraint, ConstraintKind, CreateIndex, IndexAction, Parsed, bare};

pub(super) const RULE: Rule = Rule {
    code: "required-constraint-name",
    severity: Severity::Error,
    summary: "a new constraint or index is not called as the project asks",
    help: "give it the name that lint.require.names in seaworthy.toml asks for",
    page: include_str!("required_constraint_name.md"),
    check,
};

/// A constraint or index that has a name, with the pattern of its kind.
struct Named<'a> {
    pattern: &'a ConstraintPattern,
    what: &'static str,
    table: &'a str,
    columns: Vec<String>,
    /// The name that it is given, if it is given one.
    name: Option<String>,
    /// The name that PostgreSQL gives it otherwise, where that is known.
    chosen: Option<String>,
}

fn check(step: &Step<'_>) -> Vec<Finding> {
    let named = match step.statement {
        Parsed::CreateTable(create) if !create.is_special => {
            let constraints = create.constraints.iter();
            constraints
                .filter_map(|constraint| of_constraint(step, &create.name, constraint))
                .collect()
        }
        Parsed::CreateIndex(create) => of_index(step, create).into_iter().collect(),
        Parsed::AlterTable { table, actions, .. } => {
            let named = actions.iter().flat_map(|action| of_action(step, table, action));
            named.collect()
        }
        Parsed::AlterIndex {
            name,
            action: IndexAction::Rename(to),
        } => renamed_index(step, name, to).into_iter().collect(),
        _ => Vec::new(),
    };
    named
        .iter()
        .filter_map(|named| finding(named, step.server))
        .collect()
}

fn finding(named: &Named<'_>, server: Server) -> Option<Finding> {
    let Named {
        pattern, what, table, ..
    } = named;
    let bare_table = bare(table);
    let wanted = pattern.wanted(&bare_table, &named.columns);
    let message = match (&named.name, &named.chosen) {
        // On SQLite what is given no name has none.
        (None, _) if server == Server::Sqlite => return None,
        (Some(name), _) | (None, Some(name))
            if pattern.is_met_by(&bare(name), &bare_table, &named.columns) =>
        {
            return None;
        }
        (Some(name), _) => format!("the {what} {name} of {table} does not match {wanted}"),
        (None, Some(name)) => format!(
            "the {what} of {table} is given no name, and the name {name} that the server chooses does not match {wanted}"
        ),
        (None, None) => format!("the {what} of {table} is given no name that matches {wanted}"),
    };
    Some(Finding::on(table, message))
}

fn of_action<'a>(step: &'a Step<'_>, table: &'a str, action: &Action) -> Vec<Named<'a>> {
    match action {
        Action::AddConstraint(constraint) => of_constraint(step, table, constraint).into_iter().collect(),
        Action::AddColumn {
            column,
            if_not_exists,
        } if !step.is_there(table, &column.name, *if_not_exists) => {
            let constraints = column.constraints.iter();
            constraints
                .filter_map(|constraint| of_constraint(step, table, constraint))
                .collect()
        }
        Action::RenameConstraint { from, to } => {
            let known = step.before.table(table).into_iter();
            let constraint = known
                .flat_map(|known| &known.constraints)
                .find(|constraint| constraint.name.as_ref() == Some(from));
            let named = constraint.and_then(|constraint| of_constraint(step, table, constraint));
            named
                .map(|named| Named {
                    name: Some(to.clone()),
                    ..named
                })
                .into_iter()
                .collect()
        }
        _ => Vec::new(),
    }
}

fn of_constraint<'a>(step: &'a Step<'_>, table: &'a str, constraint: &Constraint) -> Option<Named<'a>> {
    let names = &step.required.constraint_names;
    let bare_table = bare(table);
    let (pattern, what, mut columns, chosen) = match &constraint.kind {
        ConstraintKind::PrimaryKey(columns) => {
            let chosen = format!("{bare_table}_pkey");
            (&names.primary_key, "primary key", columns.clone(), Some(chosen))
        }
        ConstraintKind::Unique(columns) => {
            let chosen = format!("{bare_table}_{}_key", columns.join("_"));
            (&names.unique, "unique constraint", columns.clone(), Some(chosen))
        }
        ConstraintKind::ForeignKey { columns, .. } => {
            let chosen = format!("{bare_table}_{}_fkey", columns.join("_"));
            (&names.foreign_key, "foreign key", columns.clone(), Some(chosen))
        }
        ConstraintKind::Check(_) => (&names.check, "check", Vec::new(), None),
        ConstraintKind::Exclude(_) | ConstraintKind::NotNull(_) => return None,
    };
    let index = constraint
        .using_index
        .as_ref()
        .and_then(|index| step.before.index(index));
    if let Some(index) = index {
        columns.clone_from(&index.columns);
    }
    Some(Named {
        pattern: pattern.as_ref()?,
        what,
        table,
        columns,
        name: constraint.name.clone().or(constraint.using_index.clone()),
        chosen,
    })
}

fn of_index<'a>(step: &'a Step<'_>, create: &'a CreateIndex) -> Option<Named<'a>> {
    let is_there = create.if_not_exists && step.before.index(&create.name).is_some();
    let columns = create.columns.clone();
    let pattern = pattern_of_index(step, create.unique).filter(|_| !is_there)?;
    Some(Named {
        pattern,
        what: "index",
        table: &create.table,
        // What the server makes of an expression is not told here.
        chosen: columns
            .iter()
            .all(|column| !column.is_empty())
            .then(|| format!("{}_{}_idx", bare(&create.table), columns.join("_"))),
        columns,
        name: Some(create.name.clone()).filter(|name| !name.is_empty()),
    })
}

fn renamed_index<'a>(step: &'a Step<'_>, name: &str, to: &str) -> Option<Named<'a>> {
    let index = step.before.index(name)?;
    let names = &step.required.constraint_names;
    let pattern = match index.of_constraint {
        // The constraint gets the name with it; which of the two it is tells its table.
        true => {
            let constraints = &step.before.table(&index.table)?.constraints;
            let constraint = constraints
                .iter()
                .find(|known| known.name.as_deref() == Some(name))?;
            match constraint.kind {
                ConstraintKind::PrimaryKey(_) => names.primary_key.as_ref()?,
                _ => names.unique.as_ref()?,
            }
        }
        false => pattern_of_index(step, index.unique)?,
    };
    Some(Named {
        pattern,
        what: "index",
        table: &index.table,
        columns: index.columns.clone(),
        name: Some(to.to_owned()),
        chosen: None,
    })
}

fn pattern_of_index<'a>(step: &'a Step<'_>, is_unique: bool) -> Option<&'a ConstraintPattern> {
    let names = &step.required.constraint_names;
    let of_unique = names.unique_index.as_ref().filter(|_| is_unique);
    of_unique.or(names.index.as_ref())
}
