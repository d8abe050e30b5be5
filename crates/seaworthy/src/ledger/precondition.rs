//! Statements that fail where a script may not run a step: what it undoes is not applied, or what it applies is.

use sea_orm::DbBackend;

use super::sql::quoted;
use super::{Entry, Ledger};
use crate::revision::Direction;
use crate::session::dialect_of;
use crate::sql::{Dialect, literal};

impl Ledger {
    /// Returns the statements that fail unless the revision of a step is applied, or is not, as the step needs it.
    #[must_use]
    pub fn precondition_sql(&self, backend: DbBackend, entry: &Entry) -> String {
        let table = quoted(&self.version_table);
        let name = literal(&entry.name);
        let (is_met, is_not_met, wrong) = match entry.direction {
            Direction::Up => ("NOT EXISTS", "EXISTS", "is applied already"),
            Direction::Down => ("EXISTS", "NOT EXISTS", "is not applied"),
        };
        let wrong = format!("revision {} {wrong}", entry.revision);
        let row = format!("(SELECT 1 FROM {table} WHERE version = {name})");
        match dialect_of(backend) {
            Dialect::Postgresql => format!(
                "DO $precondition$ BEGIN IF {is_not_met} {row} THEN RAISE EXCEPTION USING MESSAGE = {}; END IF; END $precondition$;\n",
                literal(&wrong)
            ),
            // SQLite has no statement that fails on a condition but a constraint; its name is in the message.
            Dialect::Sqlite => format!(
                "DROP TABLE IF EXISTS temp.seaworthy_step;\n\
                 CREATE TEMP TABLE seaworthy_step (may_run integer, CONSTRAINT {} CHECK (may_run));\n\
                 INSERT INTO temp.seaworthy_step SELECT {is_met} {row};\n\
                 DROP TABLE temp.seaworthy_step;\n",
                quoted(&wrong)
            ),
        }
    }
}
