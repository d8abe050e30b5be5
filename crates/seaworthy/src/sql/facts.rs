//! What a statement does, for everybody who has to rely on it: what it makes, removes, renames and changes.

use std::fmt;

use serde::Serialize;

use super::cursor::Cursor;
use super::parsed::{
    Action, AttributeAction, Conflict, DataChange, DomainAction, Drop, IndexAction, ObjectAction, ObjectKind,
    Parsed, TransactionVerb, TypeAction,
};
use super::statement::Statement;
use super::token::Token;

mod copy;

pub use copy::WholeCopy;

/// What a statement does, as far as its text tells.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Facts {
    /// What is there after it, and whether it may have been there before.
    pub makes: Vec<Naming>,
    /// What is not there any more after it.
    pub removes: Vec<Removal>,
    /// What has another name after it.
    pub renames: Vec<Rename>,
    /// Columns that get another type.
    pub retypes: Vec<Retype>,
    /// Rows that it adds, changes and deletes.
    pub rows: Vec<Rows>,
    /// Whether it begins or ends a transaction.
    pub transaction: Option<TransactionControl>,
    /// Whether the server refuses it inside of a transaction.
    pub needs_no_transaction: bool,
    /// The index that it builds without blocking writers.
    pub builds_concurrently: Option<String>,
    /// What it sets for the session or the transaction.
    pub settings: Vec<Setting>,
    /// The functions and procedures that it calls.
    pub calls: Vec<String>,
    /// What it does to the schema or to rows that the reader did not understand.
    pub not_understood: Vec<String>,
}

/// Something in a schema, by its name; see [`super::name_parts`] for its parts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[expect(missing_docs, reason = "the fields are names and nothing else")]
pub enum Object {
    /// A table, foreign and virtual ones included.
    Table { name: String },
    /// A column of a table, a view or a composite type.
    Column { table: String, column: String },
    /// A view, materialised or not.
    View { name: String },
    /// An index.
    Index { name: String },
    /// A type or a domain.
    Type { name: String },
    /// A schema with everything in it.
    Schema { name: String },
    /// A sequence.
    Sequence { name: String },
    /// A function, procedure or aggregate, by its name alone.
    Function { name: String },
    /// An extension.
    Extension { name: String },
    /// A database.
    Database { name: String },
    /// A collation.
    Collation { name: String },
}

/// Something that a statement makes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Naming {
    /// What.
    pub object: Object,
    /// Whether the statement leaves one alone that is there already.
    pub if_not_exists: bool,
}

/// Something that a statement removes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Removal {
    /// What.
    pub object: Object,
    /// Whether the statement does nothing when it is not there.
    pub if_exists: bool,
    /// Whether what depends on it goes with it.
    pub cascade: bool,
}

/// Something that gets another name or schema.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Rename {
    /// What, by its old name.
    pub object: Object,
    /// The new name: of a table or view with its schema, of a column alone.
    pub to: String,
}

/// A column that gets another type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Retype {
    /// The table.
    pub table: String,
    /// The column.
    pub column: String,
    /// The new type as the statement spells it.
    pub to: String,
    /// The expression after `USING`.
    pub using: Option<String>,
}

/// Rows of a table that a statement is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Rows {
    /// What it does to them.
    pub verb: RowVerb,
    /// The table.
    pub table: String,
    /// The columns that it names, of an `INSERT` and an `UPDATE`.
    pub columns: Vec<String>,
    /// Which rows they are; absent where that cannot be told.
    pub which: Option<Which>,
    /// The table whose rows it takes over, all of them.
    pub copy_of: Option<WholeCopy>,
    /// Whether rows of tables that refer to it go as well, whatever their keys say (`TRUNCATE ... CASCADE`).
    pub cascade: bool,
}

/// What happens to rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RowVerb {
    /// They are added, and none is changed.
    Insert,
    /// They are added, and those that collide are changed.
    Upsert,
    /// They are added, and those that collide are deleted.
    Replace,
    /// Values of them are overwritten.
    Update,
    /// They are deleted.
    Delete,
    /// All of them are deleted.
    Truncate,
    /// They are added, changed or deleted as conditions say.
    Merge,
}

/// The pieces of a query that finds the rows a statement is about.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Which {
    /// `WITH ...` before it, or nothing.
    pub with: String,
    /// The table with its alias.
    pub target: String,
    /// Further tables that the condition names.
    pub others: Option<String>,
    /// The condition; absent when it is every row.
    pub condition: Option<String>,
}

/// What a statement sets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Setting {
    /// The name of the setting or pragma, in lower case.
    pub name: String,
    /// The value in lower case; absent when it is put back.
    pub value: Option<String>,
    /// Whether it ends with the transaction.
    pub is_local: bool,
}

/// What a statement does to the transaction that it runs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TransactionControl {
    /// It begins one.
    Begin,
    /// It ends one, and may begin the next.
    End,
    /// It sets, releases or goes back to a savepoint.
    Savepoint,
}

impl Object {
    pub(crate) fn table(name: &str) -> Self {
        Self::Table {
            name: name.to_owned(),
        }
    }

    pub(crate) fn column(table: &str, column: &str) -> Self {
        Self::Column {
            table: table.to_owned(),
            column: column.to_owned(),
        }
    }
}

impl fmt::Display for Object {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Column { table, column } => write!(formatter, "column {table}.{column}"),
            Self::Table { name } => write!(formatter, "table {name}"),
            Self::View { name } => write!(formatter, "view {name}"),
            Self::Index { name } => write!(formatter, "index {name}"),
            Self::Type { name } => write!(formatter, "type {name}"),
            Self::Schema { name } => write!(formatter, "schema {name}"),
            Self::Sequence { name } => write!(formatter, "sequence {name}"),
            Self::Function { name } => write!(formatter, "function {name}"),
            Self::Extension { name } => write!(formatter, "extension {name}"),
            Self::Database { name } => write!(formatter, "database {name}"),
            Self::Collation { name } => write!(formatter, "collation {name}"),
        }
    }
}

impl Statement {
    /// Returns what the statement does by itself; what it runs inside of it are statements of their own.
    #[must_use]
    pub fn facts(&self) -> Facts {
        let mut facts = Facts {
            calls: super::parsed::called(&self.tokens),
            ..Facts::default()
        };
        if let Some(what) = self.unclosed {
            facts
                .not_understood
                .push(format!("{what} is opened and never closed"));
        }
        self.collect(&mut facts);
        facts
    }

    fn collect(&self, facts: &mut Facts) {
        match &self.parsed {
            Parsed::CreateTable(create) => {
                facts.make(Object::table(&create.name), create.if_not_exists);
                facts.calls.clear();
                if let Some(filled) = &create.filled {
                    facts.rows.push(self.rows(filled));
                }
            }
            Parsed::CreateIndex(create) => {
                facts.calls.clear();
                if !create.name.is_empty() {
                    let name = create.name.clone();
                    facts.make(Object::Index { name }, create.if_not_exists);
                }
                if create.concurrently {
                    facts.needs_no_transaction = true;
                    facts.builds_concurrently = Some(create.name.clone()).filter(|name| !name.is_empty());
                }
            }
            Parsed::CreateView(create) => {
                let name = create.name.clone();
                facts.make(Object::View { name }, true);
            }
            Parsed::CreateType { name, .. } => facts.make(Object::Type { name: name.clone() }, false),
            Parsed::CreateFunction { name, .. } => {
                facts.calls.clear();
                facts.make(Object::Function { name: name.clone() }, true);
            }
            Parsed::CreateOther {
                kind,
                name,
                if_not_exists,
            } => {
                if let Some(object) = object_of(*kind, name).filter(|_| !name.is_empty()) {
                    facts.make(object, *if_not_exists);
                }
            }
            Parsed::CreateTrigger { .. } | Parsed::CreatePolicy { .. } => facts.calls.clear(),
            Parsed::AlterTable {
                table,
                if_exists,
                actions,
            } => {
                facts.calls.clear();
                for action in actions {
                    self.alter(facts, table, *if_exists, action);
                }
            }
            Parsed::AlterView { name, action } => {
                alter_object(facts, &Object::View { name: name.clone() }, name, action);
            }
            Parsed::AlterOther { kind, name, action } => {
                facts.calls.clear();
                if let Some(object) = object_of(*kind, name) {
                    alter_object(facts, &object, name, action);
                }
            }
            Parsed::AlterDomain { name, action } => {
                facts.calls.clear();
                let domain = Object::Type { name: name.clone() };
                match action {
                    DomainAction::Rename(to) => facts.rename(domain, moved(name, to)),
                    DomainAction::SetSchema(schema) => facts.rename(domain, in_schema(name, schema)),
                    DomainAction::AddCheck { .. }
                    | DomainAction::SetNotNull
                    | DomainAction::DropNotNull
                    | DomainAction::Other => {}
                }
            }
            Parsed::AlterIndex {
                name,
                action: IndexAction::Rename(to),
            } => facts.rename(Object::Index { name: name.clone() }, to.clone()),
            Parsed::AlterType { name, action } => alter_type(facts, name, action),
            Parsed::AlterSchema { name, to } => {
                facts.rename(Object::Schema { name: name.clone() }, to.clone());
            }
            Parsed::DropIndex {
                names,
                concurrently,
                if_exists,
                cascade,
            } => {
                facts.needs_no_transaction = *concurrently;
                for name in names {
                    facts.remove(Object::Index { name: name.clone() }, *if_exists, *cascade);
                }
            }
            Parsed::Drop(drop) => {
                facts.calls.clear();
                collect_drop(facts, drop);
            }
            Parsed::DropOwned => facts
                .not_understood
                .push("DROP OWNED removes whatever a role owns".to_owned()),
            Parsed::Data(changes) => facts.rows.extend(changes.iter().map(|change| self.rows(change))),
            Parsed::Copy { table } => facts.rows.push(Rows {
                copy_of: None,
                ..Rows::all(RowVerb::Insert, table)
            }),
            Parsed::Truncate { tables, cascade } => facts.rows.extend(tables.iter().map(|table| Rows {
                cascade: *cascade,
                ..Rows::all(RowVerb::Truncate, table)
            })),
            Parsed::Set {
                name,
                value,
                is_local,
            } => facts.settings.push(Setting {
                name: name.clone(),
                value: (!value.is_empty()).then(|| text_of(value)),
                is_local: *is_local,
            }),
            Parsed::Pragma {
                name,
                value: Some(value),
            } => facts.settings.push(Setting {
                name: name.clone(),
                value: Some(value.clone()),
                is_local: false,
            }),
            Parsed::Transaction(verb) => {
                facts.transaction = Some(match verb {
                    TransactionVerb::Begin => TransactionControl::Begin,
                    TransactionVerb::End { .. } => TransactionControl::End,
                    TransactionVerb::Savepoint => TransactionControl::Savepoint,
                });
            }
            Parsed::Maintenance(work) => facts.needs_no_transaction = work.needs_no_transaction,
            Parsed::Outside { .. } => facts.needs_no_transaction = true,
            Parsed::Call { name } => facts.calls = vec![name.clone()],
            Parsed::Select { functions } => {
                facts.calls.clone_from(functions);
                facts.settings.extend(set_config(&self.tokens));
            }
            Parsed::Opaque { what } => facts.not_understood.push(what.clone()),
            Parsed::AlterIndex { .. }
            | Parsed::Lock { .. }
            | Parsed::Restrict { .. }
            | Parsed::Block { .. }
            | Parsed::Pragma { .. }
            | Parsed::Attach
            | Parsed::Harmless => facts.calls.clear(),
        }
    }

    fn alter(&self, facts: &mut Facts, table: &str, if_exists: bool, action: &Action) {
        match action {
            Action::AddColumn {
                column,
                if_not_exists,
            } => {
                facts.make(Object::column(table, &column.name), *if_not_exists);
            }
            Action::DropColumn {
                name,
                if_exists: if_column,
                cascade,
            } => facts.remove(Object::column(table, name), if_exists || *if_column, *cascade),
            Action::RenameColumn { from, to } => facts.rename(Object::column(table, from), to.clone()),
            Action::RenameTable(to) => facts.rename(Object::table(table), moved(table, to)),
            Action::SetSchema(schema) => facts.rename(Object::table(table), in_schema(table, schema)),
            Action::ChangeType { column, to, using } => {
                let range = to.span.clone();
                facts.retypes.push(Retype {
                    table: table.to_owned(),
                    column: column.clone(),
                    to: self.text().get(range).unwrap_or_default().to_owned(),
                    using: using.first().map(|_| self.piece(&Cursor::new(using).span())),
                });
            }
            Action::Detach { concurrently, .. } => facts.needs_no_transaction |= *concurrently,
            Action::Unknown(text) => facts.not_understood.push(format!("ALTER TABLE {table} {text}")),
            _ => {}
        }
    }

    fn rows(&self, change: &DataChange) -> Rows {
        let verb = match (change.verb, change.conflict) {
            ("UPDATE", _) => RowVerb::Update,
            ("DELETE", _) => RowVerb::Delete,
            ("MERGE", _) => RowVerb::Merge,
            (_, Conflict::Updates) => RowVerb::Upsert,
            (_, Conflict::Replaces) => RowVerb::Replace,
            (_, Conflict::Keeps | Conflict::Skips) => RowVerb::Insert,
        };
        let copy_of = match change.conflict {
            Conflict::Keeps | Conflict::Updates | Conflict::Replaces => {
                copy::whole_copy(change, &self.tokens)
            }
            Conflict::Skips => None,
        };
        let which = matches!(verb, RowVerb::Update | RowVerb::Delete).then(|| Which {
            with: change
                .pieces
                .with
                .as_ref()
                .map(|with| self.piece(with))
                .unwrap_or_default(),
            target: self.piece(&change.pieces.target),
            others: change.pieces.others.as_ref().map(|others| self.piece(others)),
            condition: change
                .pieces
                .condition
                .as_ref()
                .map(|condition| self.piece(condition)),
        });
        Rows {
            columns: change.columns.clone(),
            which,
            copy_of,
            ..Rows::all(verb, &change.table)
        }
    }

    fn piece(&self, range: &std::ops::Range<usize>) -> String {
        self.text().get(range.clone()).unwrap_or_default().to_owned()
    }
}

impl Rows {
    fn all(verb: RowVerb, table: &str) -> Self {
        Self {
            verb,
            table: table.to_owned(),
            columns: Vec::new(),
            which: None,
            copy_of: None,
            cascade: false,
        }
    }
}

impl Facts {
    fn make(&mut self, object: Object, if_not_exists: bool) {
        self.makes.push(Naming {
            object,
            if_not_exists,
        });
    }

    fn remove(&mut self, object: Object, if_exists: bool, cascade: bool) {
        self.removes.push(Removal {
            object,
            if_exists,
            cascade,
        });
    }

    fn rename(&mut self, object: Object, to: String) {
        self.renames.push(Rename { object, to });
    }
}

fn collect_drop(facts: &mut Facts, drop: &Drop) {
    facts.needs_no_transaction = drop.kind == ObjectKind::Database;
    for name in &drop.names {
        if let Some(object) = object_of(drop.kind, name) {
            facts.remove(object, drop.if_exists, drop.cascade);
        }
    }
    // What holds no rows may still be what a column needs.
    if drop.cascade && drop.kind == ObjectKind::Other {
        facts
            .not_understood
            .push("DROP ... CASCADE takes what depends on it".to_owned());
    }
}

/// Returns the object of a kind; nothing for what belongs to a table or is of no kind that anybody asks for.
fn object_of(kind: ObjectKind, name: &str) -> Option<Object> {
    let name = name.to_owned();
    Some(match kind {
        ObjectKind::Table => Object::Table { name },
        ObjectKind::View => Object::View { name },
        ObjectKind::Type => Object::Type { name },
        ObjectKind::Schema => Object::Schema { name },
        ObjectKind::Sequence => Object::Sequence { name },
        ObjectKind::Database => Object::Database { name },
        ObjectKind::Extension => Object::Extension { name },
        ObjectKind::Function => Object::Function { name },
        ObjectKind::Collation => Object::Collation { name },
        ObjectKind::OfTable | ObjectKind::Policy | ObjectKind::Other => return None,
    })
}

fn alter_object(facts: &mut Facts, object: &Object, name: &str, action: &ObjectAction) {
    match action {
        ObjectAction::Rename(to) => facts.rename(object.clone(), moved(name, to)),
        ObjectAction::SetSchema(schema) => facts.rename(object.clone(), in_schema(name, schema)),
        ObjectAction::RenameColumn { from, to } => facts.rename(Object::column(name, from), to.clone()),
        ObjectAction::Other => {}
    }
}

fn alter_type(facts: &mut Facts, name: &str, action: &TypeAction) {
    let object = || Object::Type {
        name: name.to_owned(),
    };
    match action {
        TypeAction::Rename(to) => facts.rename(object(), moved(name, to)),
        TypeAction::SetSchema(schema) => facts.rename(object(), in_schema(name, schema)),
        TypeAction::RenameAttribute { from, to } => facts.rename(Object::column(name, from), to.clone()),
        TypeAction::Attributes(actions) => {
            for action in actions {
                let what = match action {
                    AttributeAction::Add(attribute) => {
                        facts.make(Object::column(name, attribute), false);
                        continue;
                    }
                    AttributeAction::Drop => "drops an attribute with the values in it",
                    AttributeAction::ChangeType => "changes the values of an attribute",
                };
                facts.not_understood.push(format!("ALTER TYPE {name} {what}"));
            }
        }
        TypeAction::AddValue(_) | TypeAction::RenameValue | TypeAction::Other => {}
    }
}

/// Returns a new name in the schema of the old one.
fn moved(old: &str, to: &str) -> String {
    let mut parts = super::name_parts(old);
    parts.pop();
    parts.push(to.to_owned());
    super::name::joined(&parts)
}

fn in_schema(name: &str, schema: &str) -> String {
    super::name::joined(&[schema.to_owned(), super::bare(name)])
}

/// Returns what calls of `set_config` set.
fn set_config(tokens: &[Token]) -> Vec<Setting> {
    let calls = tokens
        .iter()
        .enumerate()
        .filter(|(_, token)| token.is_word("set_config"));
    let found = calls.filter_map(|(at, _)| {
        let mut inside = Cursor::new(&tokens[at + 1..]);
        let arguments = inside.group()?.split(",");
        let first = |index: usize| arguments.get(index).map(|argument| text_of(argument.tokens()));
        Some(Setting {
            name: first(0)?,
            value: first(1),
            is_local: first(2).is_some_and(|local| ["true", "t", "on", "yes", "1"].contains(&local.as_str())),
        })
    });
    found.collect()
}

fn text_of(tokens: &[Token]) -> String {
    let words: Vec<String> = tokens.iter().map(|token| token.text.to_lowercase()).collect();
    words.join("")
}
