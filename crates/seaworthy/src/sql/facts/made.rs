//! What a statement makes, where its facts do not say enough: the columns of a table, and what is put in front of its rows.

use crate::sql::cursor::Cursor;
use crate::sql::parsed::{Action, Column, Parsed, TypeDefinition};
use crate::sql::statement::{Reading, Statement};

impl Statement {
    /// Returns the columns that it makes, with the types as they are written: of a new table as far as it lists them, or of one that it
    /// alters.
    #[must_use]
    pub fn made_columns(&self) -> Vec<(String, String)> {
        let columns: Vec<&Column> = match &self.parsed {
            // It takes over others, in front of its own.
            Parsed::CreateTable(create) if !create.like.is_empty() || create.partition_of.is_some() => {
                Vec::new()
            }
            Parsed::CreateTable(create) => create.columns.iter().collect(),
            Parsed::AlterTable { actions, .. } => {
                let added = actions.iter().filter_map(|action| match action {
                    Action::AddColumn { column, .. } => Some(column),
                    _ => None,
                });
                added.collect()
            }
            _ => Vec::new(),
        };
        let typed = columns.into_iter().map(|column| {
            let written = self.text().get(column.data_type.span.clone()).unwrap_or_default();
            (column.name.clone(), written.to_owned())
        });
        typed.collect()
    }

    /// Returns the columns that it makes and that hold something from the beginning: a default, a number, what is computed.
    #[must_use]
    pub fn columns_made_with_values(&self) -> Vec<&str> {
        let Parsed::AlterTable { actions, .. } = &self.parsed else {
            return Vec::new();
        };
        let added = actions.iter().filter_map(|action| match action {
            Action::AddColumn { column, .. } if column.has_value() => Some(column.name.as_str()),
            _ => None,
        });
        added.collect()
    }

    /// Returns whether the type that it makes is an enum.
    #[must_use]
    pub fn makes_enum(&self) -> bool {
        matches!(
            self.parsed,
            Parsed::CreateType {
                definition: TypeDefinition::Enum,
                ..
            }
        )
    }

    /// Returns the table that it gives a trigger or rule, which may do something else with rows that are put into it.
    #[must_use]
    pub fn made_trigger_table(&self) -> Option<&str> {
        match &self.parsed {
            Parsed::CreateTrigger { table } if Cursor::new(&self.tokens).has_within("insert") => Some(table),
            _ => None,
        }
    }

    /// Returns whether a table that it makes leaves rows out that are put into it and break a rule (`ON CONFLICT IGNORE`).
    #[must_use]
    pub fn makes_table_that_skips_rows(&self) -> bool {
        let tokens = Cursor::new(&self.tokens);
        let is_table = matches!(self.parsed, Parsed::CreateTable(_));
        is_table && (tokens.has_within("on conflict ignore") || tokens.has_within("on conflict replace"))
    }

    /// Returns whether it names something together with the schema that is searched first.
    #[must_use]
    pub fn names_with_default_schema(&self, name: &str) -> bool {
        let Some(first) = self.tokens.first() else {
            return false;
        };
        let home = Reading::from(first.dialect).home;
        let tokens = crate::sql::tokens(self.text(), first.dialect);
        tokens.windows(3).any(|three| {
            three[0].is_name() && three[0].text == home && three[1].is_symbol(".") && three[2].text == name
        })
    }
}
