//! The triggers that keep two columns the same.
//!
//! On PostgreSQL one `BEFORE` trigger changes the row that is written. On SQLite such a trigger cannot, so `AFTER` triggers
//! write the row again; each leaves it alone where the two columns agree already, which is also what keeps them from
//! calling each other for ever.

use sea_orm::DbBackend;

use super::DualColumn;
use crate::online::name::{joined, name};

impl DualColumn {
    /// Triggers fire in the order of their names: this one sees what others have done to the row.
    pub(super) fn trigger_name(&self) -> String {
        joined(&["zz_seaworthy", &self.from, &self.to.get_column_name()], "dual")
    }

    pub(super) fn function_name(&self) -> String {
        let to = self.to.get_column_name();
        joined(&["seaworthy", &self.table, &self.from, &to], "dual")
    }

    /// Returns the statement that creates PostgreSQL's trigger.
    pub(super) fn trigger(&self) -> String {
        format!(
            "CREATE TRIGGER {} BEFORE INSERT OR UPDATE OF {}, {} ON {} FOR EACH ROW EXECUTE FUNCTION {}()",
            name(&self.trigger_name()),
            name(&self.from),
            name(&self.to.get_column_name()),
            name(&self.table),
            name(&self.function_name())
        )
    }

    /// Returns the statement that creates the function of PostgreSQL's trigger.
    ///
    /// Of an insert the new column counts where it is given, since a default may have filled the old one. Of an update the
    /// column counts that has changed; who changes both knows both. A new value that the old one stands for already leaves
    /// the old one as it is: so a backfill cannot damage what a conversion back and forth would lose.
    pub(super) fn function(&self) -> String {
        let (up, down) = self.expressions(DbBackend::Postgres);
        let (from, to) = (name(&self.from), name(&self.to.get_column_name()));
        let up = format!("(SELECT {up} FROM (SELECT NEW.*) AS this)");
        let down = format!("(SELECT {down} FROM (SELECT NEW.*) AS this)");
        let tag = "$seaworthy$";
        format!(
            "CREATE OR REPLACE FUNCTION {}() RETURNS trigger LANGUAGE plpgsql AS {tag}\n\
             BEGIN\n  \
               IF TG_OP = 'INSERT' THEN\n    \
                 IF NEW.{to} IS NULL THEN\n      \
                   NEW.{to} := {up};\n    \
                 ELSIF NEW.{to} IS DISTINCT FROM {up} THEN\n      \
                   NEW.{from} := {down};\n    \
                 END IF;\n  \
               ELSIF NEW.{from} IS NOT DISTINCT FROM OLD.{from} THEN\n    \
                 IF NEW.{to} IS DISTINCT FROM OLD.{to} AND NEW.{to} IS DISTINCT FROM {up} THEN\n      \
                   NEW.{from} := {down};\n    \
                 END IF;\n  \
               ELSIF NEW.{to} IS NOT DISTINCT FROM OLD.{to} THEN\n    \
                 NEW.{to} := {up};\n  \
               END IF;\n  \
               RETURN NEW;\n\
             END\n{tag}",
            name(&self.function_name())
        )
    }

    /// Returns the names of SQLite's triggers: of inserts, of the old column, of the new one.
    pub(super) fn trigger_names_on_sqlite(&self) -> [String; 3] {
        let to = self.to.get_column_name();
        ["insert", "from", "to"].map(|event| joined(&["seaworthy", &self.table, &self.from, &to], event))
    }

    /// Returns the statement that drops PostgreSQL's trigger.
    pub(super) fn dropped_trigger(&self) -> String {
        let (trigger, table) = (name(&self.trigger_name()), name(&self.table));
        format!("DROP TRIGGER IF EXISTS {trigger} ON {table}")
    }

    /// Returns the statements that drop SQLite's triggers.
    pub(super) fn dropped_triggers_on_sqlite(&self) -> [String; 3] {
        self.trigger_names_on_sqlite()
            .map(|trigger| format!("DROP TRIGGER IF EXISTS {}", name(&trigger)))
    }

    /// Returns the statements that create SQLite's triggers.
    pub(super) fn triggers_on_sqlite(&self) -> [String; 3] {
        let (up, down) = self.expressions(DbBackend::Sqlite);
        let (from, to, table) = (
            name(&self.from),
            name(&self.to.get_column_name()),
            name(&self.table),
        );
        let [on_insert, on_from, on_to] = self.trigger_names_on_sqlite().map(|trigger| name(&trigger));
        let create = "CREATE TRIGGER IF NOT EXISTS";
        [
            format!(
                "{create} {on_insert} AFTER INSERT ON {table} \
                 BEGIN UPDATE {table} SET {to} = CASE WHEN {to} IS NULL THEN ({up}) ELSE {to} END, \
                 {from} = CASE WHEN {to} IS NOT NULL AND {to} IS NOT ({up}) THEN ({down}) ELSE {from} END \
                 WHERE rowid = NEW.rowid; END"
            ),
            format!(
                "{create} {on_from} AFTER UPDATE OF {from} ON {table} \
                 WHEN NEW.{from} IS NOT OLD.{from} AND NEW.{to} IS OLD.{to} \
                 BEGIN UPDATE {table} SET {to} = ({up}) WHERE rowid = NEW.rowid AND {from} IS NOT ({down}); END"
            ),
            format!(
                "{create} {on_to} AFTER UPDATE OF {to} ON {table} \
                 WHEN NEW.{to} IS NOT OLD.{to} AND NEW.{from} IS OLD.{from} \
                 BEGIN UPDATE {table} SET {from} = ({down}) WHERE rowid = NEW.rowid AND {to} IS NOT ({up}); END"
            ),
        ]
    }
}
