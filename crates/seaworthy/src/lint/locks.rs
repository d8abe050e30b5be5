//! The table locks that a statement takes, as `pg_locks` shows them.

use crate::sql::Schema;
use crate::sql::{Action, Constraint, ConstraintKind, Mode, ObjectKind, Parsed};

/// A lock on a table that running code uses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TableLock {
    pub(super) table: String,
    pub(super) mode: Mode,
    /// Whether the statement is about this table, rather than one that refers to it.
    pub(super) is_direct: bool,
}

/// Returns the locks of a statement on tables in use, one for each table.
pub(super) fn locks(statement: &Parsed, schema: &Schema) -> Vec<TableLock> {
    let mut found = Locks {
        schema,
        locks: Vec::new(),
    };
    found.collect(statement);
    found.locks
}

struct Locks<'a> {
    schema: &'a Schema,
    locks: Vec<TableLock>,
}

impl Locks<'_> {
    fn collect(&mut self, statement: &Parsed) {
        match statement {
            Parsed::CreateTable(create) => {
                self.references(&create.constraints);
                if let Some((parent, _)) = &create.partition_of {
                    self.take(parent, Mode::AccessExclusive, false);
                }
            }
            Parsed::CreateIndex(create) if create.concurrently => {
                self.take(&create.table, Mode::ShareUpdateExclusive, true);
            }
            Parsed::CreateIndex(create) => self.take(&create.table, Mode::Share, true),
            Parsed::DropIndex {
                names, concurrently, ..
            } => {
                let mode = if *concurrently {
                    Mode::ShareUpdateExclusive
                } else {
                    Mode::AccessExclusive
                };
                for name in names {
                    if let Some(index) = self.schema.index(name) {
                        self.take(&index.table, mode, true);
                    }
                }
            }
            Parsed::CreateTrigger { table } => self.take(table, Mode::ShareRowExclusive, true),
            Parsed::CreatePolicy { table } => self.take(table, Mode::AccessExclusive, true),
            Parsed::AlterTable { table, if_exists, .. } if *if_exists && self.schema.lacks(table) => {}
            Parsed::AlterTable { table, actions, .. } => self.alter(table, actions),
            Parsed::Drop(drop)
                if matches!(
                    drop.kind,
                    ObjectKind::Table | ObjectKind::OfTable | ObjectKind::Policy
                ) =>
            {
                let is_skipped = |name: &&String| drop.if_exists && self.schema.lacks(name);
                let names: Vec<&String> = drop.names.iter().filter(|name| !is_skipped(name)).collect();
                for name in names {
                    self.take(name, Mode::AccessExclusive, true);
                }
            }
            Parsed::Drop(drop) if drop.kind == ObjectKind::Type && drop.cascade => {
                for name in &drop.names {
                    for (table, _) in self.schema.users_of_type(name) {
                        self.take(table, Mode::AccessExclusive, true);
                    }
                }
            }
            Parsed::Data(changes) => {
                for change in changes {
                    self.take(&change.table, Mode::RowExclusive, true);
                }
            }
            Parsed::Truncate { tables, .. } => {
                for table in tables {
                    self.take(table, Mode::AccessExclusive, true);
                }
            }
            Parsed::Lock { tables, mode } => {
                for table in tables {
                    self.take(table, *mode, true);
                }
            }
            Parsed::Maintenance(work) if work.blocks => {
                let mode = if work.what == "REINDEX" {
                    Mode::Share
                } else {
                    Mode::AccessExclusive
                };
                let name = work.name.as_deref();
                let of_index = name
                    .and_then(|name| self.schema.index(name))
                    .map(|index| index.table.as_str());
                if let Some(table) = of_index.or(name.filter(|_| !work.is_index)) {
                    self.take(table, mode, true);
                }
            }
            _ => {}
        }
    }

    fn alter(&mut self, table: &str, actions: &[Action]) {
        for action in actions {
            let mode = match action {
                Action::Validate(_) => Mode::ShareUpdateExclusive,
                Action::Instant(mode) => *mode,
                Action::AddConstraint(Constraint {
                    kind: ConstraintKind::ForeignKey { .. },
                    ..
                }) => Mode::ShareRowExclusive,
                Action::Attach { child, .. } => {
                    self.take(child, Mode::AccessExclusive, true);
                    Mode::ShareUpdateExclusive
                }
                Action::Detach {
                    concurrently: true, ..
                } => Mode::ShareUpdateExclusive,
                _ => Mode::AccessExclusive,
            };
            self.take(table, mode, true);
            match action {
                Action::AddConstraint(constraint) => self.references(std::slice::from_ref(constraint)),
                Action::AddColumn { column, .. } => self.references(&column.constraints),
                _ => {}
            }
        }
    }

    fn references(&mut self, constraints: &[Constraint]) {
        for constraint in constraints {
            if let ConstraintKind::ForeignKey { parent, .. } = &constraint.kind {
                self.take(parent, Mode::ShareRowExclusive, false);
            }
        }
    }

    fn take(&mut self, table: &str, mode: Mode, is_direct: bool) {
        if !self.schema.is_live(table) || self.schema.view(table).is_some() {
            return;
        }
        if let Some(lock) = self.locks.iter_mut().find(|lock| lock.table == table) {
            lock.mode = lock.mode.max(mode);
            lock.is_direct |= is_direct;
            return;
        }
        self.locks.push(TableLock {
            table: table.to_owned(),
            mode,
            is_direct,
        });
    }
}
