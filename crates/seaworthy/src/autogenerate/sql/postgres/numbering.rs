//! How the database numbers a column: sequences that go on where they stand.

use super::{Step, alter_column, one};
use crate::autogenerate::Operation;
use crate::autogenerate::sql::names;
use crate::catalog::ddl::{self, text};
use crate::catalog::expression::quoted;
use crate::catalog::{Column, Numbering, Sequence};

/// What numbers a column.
enum Source {
    Nothing,
    /// A default that reads a sequence.
    Default(Sequence),
    /// An identity, `ALWAYS` or `BY DEFAULT`.
    Identity(&'static str, Sequence),
}

impl Source {
    fn of(table: &str, column: &Column) -> Self {
        let Some(sequence) = column.own_sequence(table) else {
            return Self::Nothing;
        };
        match column.auto {
            Some(Numbering::Serial) => Self::Default(sequence),
            Some(Numbering::IdentityAlways) => Self::Identity("ALWAYS", sequence),
            Some(Numbering::Any | Numbering::IdentityByDefault) => Self::Identity("BY DEFAULT", sequence),
            // Those of the other kind of database.
            Some(Numbering::Rowid | Numbering::Autoincrement) | None => Self::Nothing,
        }
    }
}

/// Returns the statements that make a sequence of one that has the same name.
pub(super) fn alter_sequence(from: &Sequence, to: &Sequence) -> Vec<String> {
    let mut statements = Vec::new();
    if !from.counts_as(to) {
        statements.extend(count_as(&from.name, from, to));
        statements.push(ddl::alter_sequence(&to.name, to));
    }
    if from.owned_by != to.owned_by {
        statements.push(match &to.owned_by {
            Some(owner) => ddl::own_sequence(&to.name, &owner.table, &owner.column),
            None => format!("ALTER SEQUENCE {} OWNED BY NONE", quoted(&to.name)),
        });
    }
    statements
}

/// Returns the statements that move a sequence to a number of another, where it might stand at none of them; PostgreSQL
/// refuses limits that it does not stand between.
fn count_as(name: &str, from: &Sequence, to: &Sequence) -> Vec<String> {
    let (before, after) = (from.bounds(), to.bounds());
    if after.0 <= before.0 && after.1 >= before.1 {
        return Vec::new();
    }
    let both = (before.0.min(after.0), before.1.max(after.1));
    let mut statements = Vec::new();
    if both != before {
        let wide = match both.1 > before.1 {
            true => to,
            false => from,
        };
        let wide = Sequence {
            minimum: Some(both.0),
            maximum: Some(both.1),
            start: Some(from.first()),
            ..wide.clone()
        };
        statements.push(ddl::alter_sequence(name, &wide));
    }
    statements.push(go_on(&text(&quoted(name)), name, from, to));
    statements
}

impl Step<'_> {
    /// Numbers a column in another way. What takes the place of a sequence goes on where that stood: a number that was given
    /// once is not given again.
    pub(super) fn alter_identity(&self, table: &str, column: &str) -> Vec<String> {
        let Some(live) = self.find(table, column) else {
            return Vec::new();
        };
        let Operation::AlterIdentity {
            from,
            to,
            from_sequence,
            to_sequence,
            ..
        } = self.operation
        else {
            return Vec::new();
        };
        if self.later.iter().any(|later| self.waits_for(later)) {
            return Vec::new();
        }
        let numbered = |auto: &Option<Numbering>, sequence: &Option<Sequence>| {
            let column = Column {
                auto: *auto,
                sequence: sequence.clone(),
                ..live.clone()
            };
            Source::of(table, &column)
        };
        let this = Numbered {
            table,
            column,
            data_type: &live.data_type,
        };
        // Bounds that the type cannot hold came off with it.
        let from_sequence = &from_sequence.clone().map(|mut sequence| {
            if !holds(&live.data_type, &sequence) {
                sequence.minimum = None;
                sequence.maximum = None;
            }
            sequence
        });
        match (numbered(from, from_sequence), numbered(to, to_sequence)) {
            (Source::Nothing, Source::Nothing) => Vec::new(),
            (Source::Nothing, Source::Default(new)) => {
                let mut statements = one(ddl::create_sequence(&new));
                statements.extend(this.read(&new.name));
                statements.push(this.begin_behind_rows(&new));
                statements
            }
            (Source::Nothing, Source::Identity(kind, new)) => {
                vec![this.add_identity(kind, &new), this.begin_behind_rows(&new)]
            }
            (Source::Default(old), Source::Nothing) => {
                vec![this.drop_default(), drop_sequence(&old.name)]
            }
            (Source::Identity(..), Source::Nothing) => one(format!("{} DROP IDENTITY", this.alter())),
            (Source::Default(old), Source::Default(new)) => alter_sequence(&old, &new),
            (Source::Identity(_, old), Source::Identity(kind, new)) => this.alter_options(&old, &new, kind),
            (Source::Default(old), Source::Identity(kind, new)) => this.become_identity(&old, &new, kind),
            (Source::Identity(_, old), Source::Default(new)) => this.become_serial(&old, &new),
        }
    }

    /// Returns the statements of an earlier operation on how a column counts that had to wait for its new type.
    pub(super) fn waiting_numbering(&self, table: &str, column: &str, data_type: &str) -> Vec<String> {
        let mut statements = Vec::new();
        for operation in self
            .earlier
            .iter()
            .filter(|operation| self.at(operation).waits_for(self.operation))
        {
            let mut operation = operation.clone();
            if let Operation::AlterIdentity {
                to_sequence: Some(sequence),
                ..
            } = &mut operation
            {
                sequence.set_type(data_type);
            }
            statements.extend(self.at(&operation).alter_identity(table, column));
        }
        statements
    }

    /// The step of another operation at this place.
    fn at<'a>(&'a self, operation: &'a Operation) -> Step<'a> {
        Step {
            operation,
            earlier: &[],
            later: &[],
            before: self.before,
        }
    }

    /// Whether a column is to count in numbers that its type cannot hold before a later operation.
    fn waits_for(&self, later: &Operation) -> bool {
        let (
            Operation::AlterIdentity {
                table,
                column,
                to_sequence: Some(sequence),
                ..
            },
            Operation::AlterType {
                table: of,
                column: name,
                from,
                ..
            },
        ) = (self.operation, later)
        else {
            return false;
        };
        (table, column) == (of, name) && !holds(from, sequence)
    }

    /// Returns the statement that takes bounds off the numbers of a column which its new type cannot hold; the new ones are set when it
    /// has the type.
    pub(super) fn free_bounds(&self, table: &str, column: &str, to: &str) -> Option<String> {
        let live = self.find(table, column)?;
        let sequence = live.sequence.as_ref()?;
        if holds(to, sequence) {
            return None;
        }
        match live.auto? {
            Numbering::Serial => Some(format!(
                "ALTER SEQUENCE {} NO MINVALUE NO MAXVALUE",
                quoted(&sequence.name)
            )),
            Numbering::IdentityAlways | Numbering::IdentityByDefault => Some(format!(
                "{} SET NO MINVALUE SET NO MAXVALUE",
                alter_column(table, column)
            )),
            Numbering::Any | Numbering::Rowid | Numbering::Autoincrement => None,
        }
    }

    /// Returns the statement that has the sequence of a column count in the numbers of its new type; that of an identity follows
    /// by itself.
    pub(super) fn retype_sequence(&self, table: &str, column: &str, from: &str, to: &str) -> Option<String> {
        let live = self.find(table, column)?;
        if live.auto != Some(Numbering::Serial) {
            return None;
        }
        let mut retyped = live.clone();
        retyped.set_type(to);
        let (sequence, wanted) = (live.own_sequence(table)?, retyped.own_sequence(table)?);
        let is_another = from != to && sequence.type_name() != wanted.type_name();
        is_another.then(|| {
            format!(
                "ALTER SEQUENCE {} AS {}",
                quoted(&sequence.name),
                wanted.type_name()
            )
        })
    }
}

/// Whether a type holds the bounds of a sequence.
fn holds(data_type: &str, sequence: &Sequence) -> bool {
    let (lowest, highest) = sequence.bounds();
    let (_, last) = Sequence::usual("", "", data_type).bounds();
    highest <= last && lowest >= -last - 1
}

/// A column that is numbered otherwise from now on.
struct Numbered<'a> {
    table: &'a str,
    column: &'a str,
    data_type: &'a str,
}

impl Numbered<'_> {
    fn alter(&self) -> String {
        alter_column(self.table, self.column)
    }

    fn drop_default(&self) -> String {
        format!("{} DROP DEFAULT", self.alter())
    }

    /// Has the column own and read a sequence.
    fn read(&self, sequence: &str) -> [String; 2] {
        [
            ddl::own_sequence(sequence, self.table, self.column),
            format!("{} SET DEFAULT {}", self.alter(), ddl::next_of(sequence)),
        ]
    }

    fn add_identity(&self, kind: &str, sequence: &Sequence) -> String {
        let usual = Sequence::usual(self.table, self.column, self.data_type);
        let options = match *sequence == usual {
            true => String::new(),
            false => ddl::identity_options(sequence),
        };
        format!("{} ADD GENERATED {kind} AS IDENTITY{options}", self.alter())
    }

    /// Only the database knows for sure what the sequence of an identity is called.
    fn sequence(&self) -> String {
        let (table, column) = (text(&quoted(self.table)), text(self.column));
        format!("pg_get_serial_sequence({table}, {column})")
    }

    /// Has a new sequence go on behind the numbers of the rows that are there.
    fn begin_behind_rows(&self, sequence: &Sequence) -> String {
        let column = quoted(self.column);
        let (step, first) = (sequence.step(), sequence.first());
        let next = match (step, first) {
            (1, 1) => format!("coalesce(max({column}), 0) + 1"),
            _ if step > 0 => format!("greatest(max({column}) + {step}, {first})"),
            _ => format!("least(min({column}) - {}, {first})", step.unsigned_abs()),
        };
        format!(
            "SELECT setval({}, {next}, false) FROM {}",
            self.sequence(),
            quoted(self.table)
        )
    }

    fn alter_options(&self, old: &Sequence, new: &Sequence, kind: &str) -> Vec<String> {
        let mut statements = match old.counts_as(new) {
            true => Vec::new(),
            false => count_as(&old.name, old, new),
        };
        let before = ddl::all_counting(old);
        let changed = ddl::all_counting(new)
            .into_iter()
            .filter(|option| !before.contains(option));
        let options: Vec<String> = std::iter::once(format!("GENERATED {kind}"))
            .chain(changed)
            .map(|option| format!(" SET {option}"))
            .collect();
        statements.push(format!("{}{}", self.alter(), options.concat()));
        statements
    }

    /// A name for the sequence that goes, or is not yet called what it will be.
    fn name_aside(&self) -> String {
        names::fitting(self.table, &[self.column.to_owned()], "seq_aside")
    }

    fn become_identity(&self, old: &Sequence, new: &Sequence, kind: &str) -> Vec<String> {
        let aside = self.name_aside();
        vec![
            self.drop_default(),
            // A column that owns two would be asked for the wrong one.
            format!("ALTER SEQUENCE {} OWNED BY NONE", quoted(&old.name)),
            format!(
                "ALTER SEQUENCE {} RENAME TO {}",
                quoted(&old.name),
                quoted(&aside)
            ),
            self.add_identity(kind, new),
            go_on(&self.sequence(), &aside, old, new),
            drop_sequence(&aside),
        ]
    }

    fn become_serial(&self, old: &Sequence, new: &Sequence) -> Vec<String> {
        let aside = self.name_aside();
        let made = Sequence {
            name: aside.clone(),
            ..new.clone()
        };
        let mut statements = vec![
            ddl::create_sequence(&made),
            go_on(&text(&quoted(&aside)), &old.name, old, new),
            format!("{} DROP IDENTITY", self.alter()),
            format!(
                "ALTER SEQUENCE {} RENAME TO {}",
                quoted(&aside),
                quoted(&new.name)
            ),
        ];
        statements.extend(self.read(&new.name));
        statements
    }
}

/// Has a sequence go on where another stands, as far as that is one of its numbers.
fn go_on(sequence: &str, old_name: &str, old: &Sequence, new: &Sequence) -> String {
    let (before, after) = (old.bounds(), new.bounds());
    let old_name = quoted(old_name);
    if after.0 <= before.0 && after.1 >= before.1 {
        return format!("SELECT setval({sequence}, last_value, is_called) FROM {old_name}");
    }
    let is_within = format!("last_value BETWEEN {} AND {}", after.0, after.1);
    format!(
        "SELECT setval({sequence}, CASE WHEN {is_within} THEN last_value ELSE {} END, is_called AND {is_within}) FROM {old_name}",
        new.first()
    )
}

fn drop_sequence(name: &str) -> String {
    format!("DROP SEQUENCE {}", quoted(name))
}
