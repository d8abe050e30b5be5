//! What the revisions of phase XIII share: which columns hold times, and what each is on its way to. It stays as it is, like
//! a revision.
//!
//! Only PostgreSQL's `timestamp` depends on the session's zone. SQLite keeps the text that it is given and has no type for it,
//! so there the phase does nothing.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;
use seaworthy::backfill::Backfill;
use seaworthy::online::DualColumn;

/// A column that holds a time.
pub(crate) struct Time {
    pub(crate) table: &'static str,
    pub(crate) column: &'static str,
    is_now_unless_given: bool,
    /// Names of indexes, and what they consist of with the column left open.
    indexes: &'static [(&'static str, &'static str)],
}

const TABLES: [&str; 5] = ["users", "tasks", "tags", "conversations", "messages"];

/// Every column of before phase VI that holds a time: those are without a zone.
pub(crate) const TIMES: [Time; 9] = [
    Time::of_row("users", "created_at"),
    Time {
        indexes: &[("idx_tasks_list_created_at", "user_id, completed, {}, id")],
        ..Time::of_row("tasks", "created_at")
    },
    Time {
        indexes: &[("idx_tasks_list_updated_at", "user_id, completed, {}, id")],
        ..Time::of_row("tasks", "updated_at")
    },
    Time {
        table: "tasks",
        column: "due_date",
        is_now_unless_given: false,
        indexes: &[
            ("idx_tasks_list_due_date", "user_id, completed, {}, id"),
            (
                "idx_tasks_list_priority_due_date",
                "user_id, completed, (CASE priority WHEN 'high' THEN 3 WHEN 'low' THEN 1 ELSE 2 END) DESC, {}, id",
            ),
        ],
    },
    Time {
        table: "tasks",
        column: "remind_at",
        is_now_unless_given: false,
        indexes: &[("idx_tasks_remind_at", "{}")],
    },
    Time::of_row("tags", "created_at"),
    Time::of_row("conversations", "created_at"),
    Time::of_row("conversations", "updated_at"),
    Time::of_row("messages", "created_at"),
];

impl Time {
    const fn of_row(table: &'static str, column: &'static str) -> Self {
        Self {
            table,
            column,
            is_now_unless_given: true,
            indexes: &[],
        }
    }

    /// Returns the name that the column shares its time with while it changes.
    pub(crate) fn twin(&self) -> String {
        format!("{}_utc", self.column)
    }

    /// Returns the column on its way to the type that knows a moment.
    pub(crate) fn zoned(&self) -> DualColumn {
        self.on_its_way(ColumnDef::new(self.twin()).timestamp_with_time_zone())
    }

    /// Returns the column on its way back.
    pub(crate) fn zoneless(&self) -> DualColumn {
        self.on_its_way(ColumnDef::new(self.twin()).timestamp())
    }

    /// `AT TIME ZONE` leads from either type to the other.
    fn on_its_way(&self, to: &mut ColumnDef) -> DualColumn {
        if self.is_now_unless_given {
            to.default(Expr::current_timestamp());
        }
        let in_utc = |column: &str| Expr::cust(format!("{column} AT TIME ZONE 'UTC'"));
        let change = DualColumn::new(self.table, self.column, to.take())
            .up(in_utc(self.column))
            .down(in_utc(&self.twin()));
        self.indexes.iter().fold(change, |change, (name, _)| {
            change.index(*name, format!("{name}_utc"))
        })
    }

    /// Returns the indexes of the twin: their names and their statements.
    pub(crate) fn indexes_of_twin(&self) -> impl Iterator<Item = (String, String)> {
        self.indexes.iter().map(|(name, keys)| {
            let (name, keys) = (format!("{name}_utc"), keys.replace("{}", &self.twin()));
            let statement = format!("CREATE INDEX {name} ON {} ({keys})", self.table);
            (name, statement)
        })
    }
}

/// Returns what fills the twins of each table, in one pass.
pub(crate) fn backfills() -> Vec<Backfill> {
    TABLES.into_iter().map(of_table).collect()
}

fn of_table(table: &'static str) -> Backfill {
    let times = || TIMES.iter().filter(|time| time.table == table);
    let lacking = times().map(|time| {
        Expr::col(Alias::new(time.twin()))
            .is_null()
            .and(Expr::col(time.column).is_not_null())
    });
    let lacking = lacking
        .reduce(|one, other| one.or(other))
        .expect("a table of a time");
    let empty = Backfill::new(format!("utc_of_{table}"), table)
        .only(lacking)
        .on(DbBackend::Postgres);
    times().fold(empty, |backfill, time| {
        let in_utc = format!("{} AT TIME ZONE 'UTC'", time.column);
        backfill.set(time.twin(), Expr::cust(in_utc))
    })
}

/// Whether the database has a type that the zone of a session has a say in.
pub(crate) fn knows_zones(manager: &SchemaManager<'_>) -> bool {
    manager.get_database_backend() == DbBackend::Postgres
}
