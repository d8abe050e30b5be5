//! From what the reader has made of a statement to its facts.

use std::collections::BTreeSet;
use std::ops::Range;

use super::{
    Expression, Facts, Naming, Object, Removal, Rename, Retype, RowVerb, Rows, TransactionControl, Which,
    copy, settings,
};
use crate::sql::beside;
use crate::sql::cursor::Cursor;
use crate::sql::parsed::{
    Action, AttributeAction, Conflict, DataChange, DomainAction, Drop, IndexAction, ObjectAction, ObjectKind,
    Parsed, TransactionVerb, TypeAction,
};
use crate::sql::statement::Statement;
use crate::sql::token::Token;

impl Statement {
    /// Returns what the statement does by itself; what it runs inside of it are statements of their own.
    #[must_use]
    pub fn facts(&self) -> Facts {
        let mut facts = Facts {
            calls: crate::sql::parsed::called(&self.tokens),
            ..Facts::default()
        };
        if let Some(what) = self.unclosed {
            facts
                .not_understood
                .push(format!("{what} is opened and never closed"));
        }
        self.collect(&mut facts);
        facts.undoes = facts.transaction == Some(TransactionControl::Savepoint)
            && self.tokens.first().is_some_and(|token| token.is_word("rollback"));
        facts.is_temporary = self.makes_temporary(&facts.makes);
        facts.changes_session =
            !facts.settings.is_empty() || matches!(self.parsed, Parsed::Attach) || facts.is_temporary;
        facts
    }

    /// Collects what it makes and alters, and the rest.
    fn collect(&self, facts: &mut Facts) {
        match &self.parsed {
            Parsed::CreateTable(create) => {
                facts.make(Object::table(&create.name), create.if_not_exists);
                facts.calls.clear();
                let filled = create.filled.as_ref();
                facts
                    .rows
                    .extend(filled.map(|filled| self.filled(filled, create.if_not_exists)));
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
            Parsed::CreateType { name, .. } => {
                facts.calls.clear();
                facts.make(Object::Type { name: name.clone() }, false);
            }
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
                alter_domain(facts, name, action);
            }
            Parsed::AlterIndex {
                name,
                action: IndexAction::Rename(to),
            } => facts.rename(Object::Index { name: name.clone() }, to.clone()),
            Parsed::AlterType { name, action } => alter_type(facts, name, action),
            Parsed::AlterSchema { name, to } => {
                facts.rename(Object::Schema { name: name.clone() }, to.clone());
            }
            _ => self.collect_others(facts),
        }
    }

    /// Collects what it removes, the rows that it changes, and what it does to the session.
    fn collect_others(&self, facts: &mut Facts) {
        match &self.parsed {
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
            Parsed::Data(changes) => {
                facts.rows.extend(changes.iter().map(|change| self.rows(change)));
                if let ([change, into], [rows, _]) = (changes.as_slice(), facts.rows.as_mut_slice()) {
                    rows.moved = copy::read_move(change, into, &self.tokens, self.text());
                }
            }
            Parsed::Copy { table } => facts.rows.push(Rows {
                copy_of: None,
                ..Rows::all(RowVerb::Insert, table)
            }),
            Parsed::Truncate { tables, cascade } => facts.rows.extend(tables.iter().map(|table| Rows {
                cascade: *cascade,
                ..Rows::all(RowVerb::Truncate, table)
            })),
            Parsed::Set { .. } | Parsed::Pragma { .. } => {
                facts.calls.clear();
                facts.settings.extend(settings::setting(&self.parsed));
            }
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
                facts.settings.extend(settings::set_config(&self.tokens));
            }
            Parsed::Opaque { what } => facts.not_understood.push(what.clone()),
            Parsed::CreateTable(_)
            | Parsed::CreateIndex(_)
            | Parsed::CreateView(_)
            | Parsed::CreateType { .. }
            | Parsed::CreateFunction { .. }
            | Parsed::CreateOther { .. }
            | Parsed::CreateTrigger { .. }
            | Parsed::CreatePolicy { .. }
            | Parsed::AlterTable { .. }
            | Parsed::AlterView { .. }
            | Parsed::AlterType { .. }
            | Parsed::AlterSchema { .. }
            | Parsed::AlterDomain { .. }
            | Parsed::AlterOther { .. }
            | Parsed::AlterIndex { .. }
            | Parsed::Lock { .. }
            | Parsed::Restrict { .. }
            | Parsed::Block { .. }
            | Parsed::Attach
            | Parsed::Harmless => facts.calls.clear(),
        }
    }

    fn makes_temporary(&self, makes: &[Naming]) -> bool {
        let beginning = self.tokens.iter().take(4);
        let is_marked = self.tokens.first().is_some_and(|token| token.is_word("create"))
            && beginning
                .skip(1)
                .any(|token| token.is_word("temp") || token.is_word("temporary"));
        let is_placed = |naming: &Naming| match &naming.object {
            Object::Table { name } | Object::View { name } | Object::Function { name } => {
                let schema = crate::sql::name_parts(name);
                schema.len() > 1 && ["temp", "pg_temp"].contains(&schema[0].as_str())
            }
            _ => false,
        };
        let is_selected = self
            .tokens
            .windows(2)
            .any(|pair| pair[0].is_word("into") && (pair[1].is_word("temp") || pair[1].is_word("temporary")));
        is_marked || is_selected || makes.iter().any(is_placed)
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
            Action::RenameTable(to) => facts.rename_if(Object::table(table), beside(table, to), if_exists),
            Action::SetSchema(schema) => {
                facts.rename_if(Object::table(table), in_schema(table, schema), if_exists);
            }
            Action::Attach { child, .. } => facts.joined.push((child.clone(), table.to_owned())),
            Action::ChangeType { column, to, using } => {
                let range = to.span.clone();
                facts.retypes.push(Retype {
                    table: table.to_owned(),
                    column: column.clone(),
                    to: self.text().get(range).unwrap_or_default().to_owned(),
                    using: using
                        .first()
                        .map(|_| Expression::of(Cursor::new(using), self.text())),
                });
            }
            Action::Detach { concurrently, .. } => facts.needs_no_transaction |= *concurrently,
            Action::Unknown(text) => facts.not_understood.push(format!("ALTER TABLE {table} {text}")),
            _ => {}
        }
    }

    /// Returns the rows that a new table is filled with; where it is there already, nothing is put into it.
    fn filled(&self, change: &DataChange, if_not_exists: bool) -> Rows {
        let rows = self.rows(change);
        Rows {
            copy_of: rows.copy_of.filter(|_| !if_not_exists),
            part_of: rows.part_of.filter(|_| !if_not_exists),
            ..rows
        }
    }

    fn rows(&self, change: &DataChange) -> Rows {
        let verb = match (change.verb, change.conflict) {
            ("UPDATE", Conflict::Replaces) => RowVerb::Replace,
            ("UPDATE", _) => RowVerb::Update,
            ("DELETE", _) => RowVerb::Delete,
            ("MERGE", _) => RowVerb::Merge,
            (_, Conflict::Updates) => RowVerb::Upsert,
            (_, Conflict::Replaces) => RowVerb::Replace,
            (_, Conflict::Keeps | Conflict::Skips) => RowVerb::Insert,
        };
        let copy_of = match change.conflict {
            Conflict::Keeps | Conflict::Updates | Conflict::Replaces => {
                copy::whole_copy(change, &self.tokens, self.text())
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
            reads: self.names_of_others(change),
            names: self.names_of_condition(change),
        });
        Rows {
            columns: change.columns.clone(),
            which,
            part_of: match copy_of {
                None => copy::part_copy(change, &self.tokens, self.text()),
                Some(_) => None,
            },
            copy_of,
            column_copies: match verb {
                RowVerb::Update => copy::column_copies(change, &self.tokens, self.text()),
                _ => Vec::new(),
            },
            ..Rows::all(verb, &change.table)
        }
    }

    /// Returns the names that may be those of other tables, in what finds the rows.
    fn names_of_others(&self, change: &DataChange) -> BTreeSet<String> {
        let has_query = |span: &&Range<usize>| {
            let begins = |token: &Token| token.is_word("select") || token.is_word("table");
            self.within(span).any(begins)
        };
        let pieces = &change.pieces;
        let queries = [&pieces.with, &pieces.condition]
            .into_iter()
            .flatten()
            .filter(has_query);
        self.names_in(queries.chain(&pieces.others))
    }

    /// Returns the names in what finds the rows.
    fn names_of_condition(&self, change: &DataChange) -> BTreeSet<String> {
        let pieces = &change.pieces;
        self.names_in(pieces.with.iter().chain(&pieces.others).chain(&pieces.condition))
    }

    fn names_in<'a>(&self, spans: impl Iterator<Item = &'a Range<usize>>) -> BTreeSet<String> {
        let names = spans
            .flat_map(|span| self.within(span))
            .filter(|token| token.is_name());
        names.map(|token| token.text.to_lowercase()).collect()
    }

    fn within(&self, span: &Range<usize>) -> impl Iterator<Item = &Token> {
        let (start, end) = (span.start, span.end);
        let tokens = self.tokens.iter();
        tokens.filter(move |token| start <= token.span.start && token.span.end <= end)
    }

    fn piece(&self, range: &Range<usize>) -> String {
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
            part_of: None,
            column_copies: Vec::new(),
            moved: None,
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
        self.rename_if(object, to, false);
    }

    fn rename_if(&mut self, object: Object, to: String, if_exists: bool) {
        self.renames.push(Rename {
            object,
            to,
            if_exists,
        });
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
        ObjectAction::Rename(to) => facts.rename(object.clone(), beside(name, to)),
        ObjectAction::SetSchema(schema) => facts.rename(object.clone(), in_schema(name, schema)),
        ObjectAction::RenameColumn { from, to } => facts.rename(Object::column(name, from), to.clone()),
        ObjectAction::Other => {}
    }
}

fn alter_domain(facts: &mut Facts, name: &str, action: &DomainAction) {
    let domain = Object::Type {
        name: name.to_owned(),
    };
    match action {
        DomainAction::Rename(to) => facts.rename(domain, beside(name, to)),
        DomainAction::SetSchema(schema) => facts.rename(domain, in_schema(name, schema)),
        DomainAction::AddCheck { .. }
        | DomainAction::SetNotNull
        | DomainAction::DropNotNull
        | DomainAction::Other => {}
    }
}

fn alter_type(facts: &mut Facts, name: &str, action: &TypeAction) {
    let object = || Object::Type {
        name: name.to_owned(),
    };
    match action {
        TypeAction::Rename(to) => facts.rename(object(), beside(name, to)),
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

fn in_schema(name: &str, schema: &str) -> String {
    crate::sql::joined_name(&[schema.to_owned(), crate::sql::bare(name)])
}
