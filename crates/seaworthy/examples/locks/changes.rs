//! The changes of the lock stand, each in three forms, and how it is undone.

use futures_util::future::BoxFuture;
use sea_orm::DbErr;
use sea_orm_migration::prelude::*;
use seaworthy::online;

/// What is called with a manager.
type Call = for<'a> fn(&'a SchemaManager<'a>) -> BoxFuture<'a, Result<(), DbErr>>;

pub(crate) struct Change {
    pub(crate) name: &'static str,
    /// Statements that commit one by one.
    pub(crate) naive: &'static [&'static str],
    pub(crate) by_hand: &'static [Hand],
    pub(crate) online: Call,
    pub(crate) undo: &'static [&'static str],
    pub(crate) is_behind_a_transaction: bool,
}

/// A step of the sequence written by hand.
pub(crate) enum Hand {
    /// Waits for its lock for 200 ms, and is tried again.
    Brief(&'static str),
    /// Takes as long as it takes.
    Long(&'static str),
}

use Hand::{Brief, Long};

pub(crate) const CHANGES: &[Change] = &[
    Change {
        name: "a column with a constant default",
        naive: &["ALTER TABLE tasks ADD COLUMN priority varchar(20) NOT NULL DEFAULT 'medium'"],
        by_hand: &[Brief(
            "ALTER TABLE tasks ADD COLUMN priority varchar(20) NOT NULL DEFAULT 'medium'",
        )],
        online: |manager| {
            let column = ColumnDef::new("priority")
                .string_len(20)
                .not_null()
                .default("medium")
                .take();
            Box::pin(online::add_column(manager, "tasks", column))
        },
        undo: &["ALTER TABLE tasks DROP COLUMN priority"],
        is_behind_a_transaction: false,
    },
    Change {
        name: "the same behind a transaction of 5 s",
        naive: &["ALTER TABLE tasks ADD COLUMN priority varchar(20) NOT NULL DEFAULT 'medium'"],
        by_hand: &[Brief(
            "ALTER TABLE tasks ADD COLUMN priority varchar(20) NOT NULL DEFAULT 'medium'",
        )],
        online: |manager| {
            let column = ColumnDef::new("priority")
                .string_len(20)
                .not_null()
                .default("medium")
                .take();
            Box::pin(online::add_column(manager, "tasks", column))
        },
        undo: &["ALTER TABLE tasks DROP COLUMN priority"],
        is_behind_a_transaction: true,
    },
    Change {
        name: "an index",
        naive: &["CREATE INDEX idx_tasks_title ON tasks (title)"],
        by_hand: &[Long("CREATE INDEX CONCURRENTLY idx_tasks_title ON tasks (title)")],
        online: |manager| {
            Box::pin(online::create_index(
                manager,
                "CREATE INDEX idx_tasks_title ON tasks (title)",
            ))
        },
        undo: &["DROP INDEX idx_tasks_title"],
        is_behind_a_transaction: false,
    },
    Change {
        name: "an index dropped behind a transaction of 5 s",
        naive: &[
            "CREATE INDEX CONCURRENTLY idx_tasks_number ON tasks (number)",
            "DROP INDEX idx_tasks_number",
        ],
        by_hand: &[
            Long("CREATE INDEX CONCURRENTLY idx_tasks_number ON tasks (number)"),
            Long("DROP INDEX CONCURRENTLY idx_tasks_number"),
        ],
        online: |manager| {
            Box::pin(async move {
                online::create_index(manager, "CREATE INDEX idx_tasks_number ON tasks (number)").await?;
                online::drop_index(manager, "idx_tasks_number").await
            })
        },
        undo: &[],
        is_behind_a_transaction: true,
    },
    Change {
        name: "a unique constraint",
        naive: &["ALTER TABLE tasks ADD CONSTRAINT tasks_number_key UNIQUE (number)"],
        by_hand: &[
            Long("CREATE UNIQUE INDEX CONCURRENTLY tasks_number_key ON tasks (number)"),
            Brief("ALTER TABLE tasks ADD CONSTRAINT tasks_number_key UNIQUE USING INDEX tasks_number_key"),
        ],
        online: |manager| {
            Box::pin(online::add_unique(
                manager,
                "tasks",
                "tasks_number_key",
                ["number"],
            ))
        },
        undo: &["ALTER TABLE tasks DROP CONSTRAINT tasks_number_key"],
        is_behind_a_transaction: false,
    },
    Change {
        name: "NOT NULL",
        naive: &["ALTER TABLE tasks ALTER COLUMN number SET NOT NULL"],
        by_hand: &[
            Brief("ALTER TABLE tasks ADD CONSTRAINT number_set CHECK (number IS NOT NULL) NOT VALID"),
            Long("ALTER TABLE tasks VALIDATE CONSTRAINT number_set"),
            Brief("ALTER TABLE tasks ALTER COLUMN number SET NOT NULL"),
            Brief("ALTER TABLE tasks DROP CONSTRAINT number_set"),
        ],
        online: |manager| Box::pin(online::set_not_null(manager, "tasks", "number")),
        undo: &["ALTER TABLE tasks ALTER COLUMN number DROP NOT NULL"],
        is_behind_a_transaction: false,
    },
    Change {
        name: "a check",
        naive: &["ALTER TABLE tasks ADD CONSTRAINT tasks_title_check CHECK (title <> '')"],
        by_hand: &[
            Brief("ALTER TABLE tasks ADD CONSTRAINT tasks_title_check CHECK (title <> '') NOT VALID"),
            Long("ALTER TABLE tasks VALIDATE CONSTRAINT tasks_title_check"),
        ],
        online: |manager| {
            Box::pin(online::add_check(
                manager,
                "tasks",
                "tasks_title_check",
                Expr::col("title").ne(""),
            ))
        },
        undo: &["ALTER TABLE tasks DROP CONSTRAINT tasks_title_check"],
        is_behind_a_transaction: false,
    },
    Change {
        name: "a foreign key",
        naive: &[
            "ALTER TABLE tasks ADD CONSTRAINT tasks_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id)",
        ],
        by_hand: &[
            Brief(
                "ALTER TABLE tasks ADD CONSTRAINT tasks_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id) NOT VALID",
            ),
            Long("ALTER TABLE tasks VALIDATE CONSTRAINT tasks_user_id_fkey"),
        ],
        online: |manager| {
            let key = ForeignKey::create()
                .name("tasks_user_id_fkey")
                .from("tasks", "user_id")
                .to("users", "id")
                .take();
            Box::pin(online::add_foreign_key(manager, key))
        },
        undo: &["ALTER TABLE tasks DROP CONSTRAINT tasks_user_id_fkey"],
        is_behind_a_transaction: false,
    },
    Change {
        name: "a column dropped behind a transaction of 5 s",
        naive: &["ALTER TABLE tasks DROP COLUMN spare"],
        by_hand: &[Brief("ALTER TABLE tasks DROP COLUMN spare")],
        online: |manager| Box::pin(online::drop_column(manager, "tasks", "spare")),
        undo: &["ALTER TABLE tasks ADD COLUMN spare text"],
        is_behind_a_transaction: true,
    },
    // Last, since it leaves every row behind twice.
    Change {
        name: "a column with a default for each row",
        naive: &["ALTER TABLE tasks ADD COLUMN token text NOT NULL DEFAULT gen_random_uuid()::text"],
        by_hand: &[
            Brief("ALTER TABLE tasks ADD COLUMN token text"),
            Brief("ALTER TABLE tasks ALTER COLUMN token SET DEFAULT gen_random_uuid()::text"),
            Long(
                "DO $$ BEGIN FOR batch IN 0..(SELECT max(id) / 1000 FROM tasks) LOOP \
                 UPDATE tasks SET token = gen_random_uuid()::text \
                 WHERE id > batch * 1000 AND id <= (batch + 1) * 1000 AND token IS NULL; COMMIT; END LOOP; END $$",
            ),
            Brief("ALTER TABLE tasks ADD CONSTRAINT token_set CHECK (token IS NOT NULL) NOT VALID"),
            Long("ALTER TABLE tasks VALIDATE CONSTRAINT token_set"),
            Brief("ALTER TABLE tasks ALTER COLUMN token SET NOT NULL"),
            Brief("ALTER TABLE tasks DROP CONSTRAINT token_set"),
        ],
        online: |manager| {
            let default = Expr::cust("gen_random_uuid()::text");
            let column = ColumnDef::new("token").text().not_null().default(default).take();
            Box::pin(online::add_column(manager, "tasks", column))
        },
        undo: &["ALTER TABLE tasks DROP COLUMN token"],
        is_behind_a_transaction: false,
    },
];
