//! Several migrators in one database: each with a version table of its own, none in the other's way.

use std::time::Duration;

use crate::databases::{
    Person, Sql, current, databases, downgrade, environment, events, send, session, tables, upgrade,
};
use sea_orm::sea_query::Expr;
use seaworthy::backfill::Backfill;
use seaworthy::catalog::{Dialect, Target};
use seaworthy::command::{self, CommandError, HistoryFilter, Purge};
use seaworthy::environment::Environment;
use seaworthy::runner::StepError;
use seaworthy::session::{LockError, Locked, Session, dialect_of};
use seaworthy::verify::ScratchDatabase;

mod crew {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "t_crew")]
    pub(super) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(super) id: i32,
        #[sea_orm(column_type = "Text", nullable)]
        pub(super) note: Option<String>,
    }

    #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
    pub(super) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// A migrator whose revisions have the ids of every other one here and make tables of their own.
fn migrator(database: &ScratchDatabase, of: &str) -> Environment {
    let make = |id: &str, parent: Option<&str>, table: &str| {
        let create = format!("CREATE TABLE {table} (id integer NOT NULL PRIMARY KEY, note text)");
        Sql::new(id, parent, &[&create], &[&format!("DROP TABLE {table}")])
    };
    let revisions = [
        make("001", None, &format!("t_{of}")),
        make("002", Some("001"), &format!("t_{of}_more")),
    ];
    environment(database, &revisions).with_version_table(format!("{of}_migrations"))
}

fn entities() -> Target {
    Target::new().entity(crew::Entity).complete()
}

async fn differences(environment: &Environment) -> Vec<String> {
    let report = command::check(environment, &[]).await.unwrap();
    report
        .difference
        .operations
        .iter()
        .map(ToString::to_string)
        .collect()
}

async fn history(environment: &Environment) -> Vec<String> {
    let filter = HistoryFilter {
        range: None,
        indicate_current: true,
    };
    let lines = command::history(environment, &filter).await.unwrap();
    let applied = lines.iter().filter(|line| line.place.is_current);
    applied.map(|line| line.revision.revision.to_string()).collect()
}

async fn lock<'a>(session: &'a Session, name: &str) -> Result<Locked<'a>, LockError> {
    session
        .lock(name, "upgrade", "tester", Duration::ZERO, &|_, _| {})
        .await
}

#[tokio::test]
async fn each_goes_its_own_way() {
    for database in databases().await {
        let (crew, port) = (migrator(&database, "crew"), migrator(&database, "port"));
        upgrade(&crew, "head").await.unwrap();
        assert_eq!(current(&port).await, [""; 0]);
        upgrade(&port, "001").await.unwrap();
        assert_eq!(tables(&database).await, ["t_crew", "t_crew_more", "t_port"]);
        assert_eq!(
            (current(&crew).await, current(&port).await),
            (vec!["002".to_owned()], vec!["001".to_owned()])
        );
        assert_eq!(history(&port).await, ["001"]);
        let status = command::status(&port).await.unwrap();
        assert_eq!(status.pending.len(), 1);
        assert!(status.unknown.is_empty());

        downgrade(&crew, "base").await.unwrap();
        assert_eq!(tables(&database).await, ["t_port"]);
        assert_eq!(
            events(&crew).await,
            ["up 001 done", "up 002 done", "down 002 done", "down 001 done"]
        );
        assert_eq!(events(&port).await, ["up 001 done"]);

        let head = ["head".parse().unwrap()];
        Person::agreeing()
            .run(async |conduct| command::stamp(&crew, &head, Purge::All, conduct).await)
            .await
            .unwrap();
        assert_eq!(
            (current(&crew).await, current(&port).await),
            (vec!["002".to_owned()], vec!["001".to_owned()])
        );
        database.remove().await.unwrap();
    }
}

#[tokio::test]
async fn a_comparison_knows_the_bookkeeping_of_others_and_is_told_of_their_tables() {
    for database in databases().await {
        let crew = migrator(&database, "crew").target(entities());
        upgrade(&crew, "001").await.unwrap();
        assert_eq!(differences(&crew).await, [""; 0]);

        upgrade(&migrator(&database, "port"), "head").await.unwrap();
        assert_eq!(
            differences(&crew).await,
            [
                "drop table t_port_more (id, note)",
                "drop table t_port (id, note)"
            ]
        );
        let apart = crew.clone().exclude("t_port*");
        assert_eq!(differences(&apart).await, [""; 0]);

        // One that SeaORM's own runner has run has no history: it is a table like any other.
        send(
            &database,
            "CREATE TABLE their_migrations (version text NOT NULL PRIMARY KEY, applied_at bigint NOT NULL)",
        )
        .await;
        assert_eq!(
            differences(&apart).await,
            ["drop table their_migrations (version, applied_at)"]
        );
        assert_eq!(differences(&apart.exclude("their_migrations")).await, [""; 0]);
        database.remove().await.unwrap();
    }
}

#[tokio::test]
async fn one_waits_for_the_other_on_sqlite_alone() {
    for database in databases().await {
        let (one, other) = (session(&database).await, session(&database).await);
        let crew = lock(&one, "crew_migrations").await.unwrap();
        let port = lock(&other, "port_migrations").await;
        match dialect_of(one.backend()) {
            Dialect::Postgresql => port.unwrap().release().await,
            Dialect::Sqlite => assert!(matches!(port.unwrap_err(), LockError::Held { .. })),
        }
        crew.release().await;
        one.close().await;
        other.close().await;
        database.remove().await.unwrap();
    }
}

#[tokio::test]
async fn fresh_names_the_tables_of_the_other() {
    for database in databases().await {
        let (crew, port) = (migrator(&database, "crew"), migrator(&database, "port"));
        upgrade(&crew, "head").await.unwrap();
        upgrade(&port, "head").await.unwrap();
        send(&database, "INSERT INTO t_port VALUES (1, 'Cowes')").await;
        let person = Person::default();
        let refused = person
            .run(async |conduct| command::fresh(&crew, conduct).await)
            .await;
        let refused = refused.unwrap_err().to_string();
        assert!(
            refused.contains("t_port") && refused.contains("port_migrations"),
            "{refused}"
        );

        let agrees = Person::agreeing();
        agrees
            .run(async |conduct| command::fresh(&crew, conduct).await)
            .await
            .unwrap();
        // The other begins again as well: what it was told to remember has gone with its tables.
        assert_eq!(tables(&database).await, ["t_crew", "t_crew_more"]);
        assert_eq!(current(&port).await, [""; 0]);
        upgrade(&port, "head").await.unwrap();
        database.remove().await.unwrap();
    }
}

#[tokio::test]
async fn backfills_of_one_name_are_told_apart_by_their_tables() {
    let backfilled = |database: &ScratchDatabase, of: &str| {
        let table = format!("t_{of}");
        let create = format!("CREATE TABLE {table} (id integer PRIMARY KEY, note text)");
        let fill = Backfill::new("fill_notes", table.clone()).set("note", Expr::val("none"));
        let revisions = [
            Sql::new(
                "001",
                None,
                &[&create, &format!("INSERT INTO {table} (id) VALUES (1)")],
                &[&format!("DROP TABLE {table}")],
            ),
            Sql::backfill("002", "001", fill),
        ];
        environment(database, &revisions).with_version_table(format!("{of}_migrations"))
    };
    for database in databases().await {
        upgrade(&backfilled(&database, "crew"), "head").await.unwrap();
        let port = backfilled(&database, "port");
        let failed = upgrade(&port, "head").await.unwrap_err();
        let CommandError::Run(run) = &failed else {
            panic!("{failed}")
        };
        let StepError::Backfill { source } = &run.source else {
            panic!("{failed}")
        };
        assert_eq!(
            source.to_string(),
            "the name of the backfill fill_notes is taken: this database knows one of it for the table t_crew"
        );
        assert_eq!(
            failed.hint().unwrap(),
            "give it a name that no other backfill of this database has, those of other migrators included"
        );
        assert_eq!(current(&port).await, ["001"]);
        database.remove().await.unwrap();
    }
}
