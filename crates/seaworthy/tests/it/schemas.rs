//! Reading and declaring schemas: entities, snapshots, and what may go wrong.

use std::time::Duration;

use insta::assert_snapshot;
use sea_orm::ConnectionTrait;
use seaworthy::autogenerate::{Operation, Policy, Rename, diff, sql};
use seaworthy::catalog::{
    Catalog, Check, Column, Dialect, ForeignKey, Index, IndexPart, PrimaryKey, Scope, Table, Target, inspect,
    normalize,
};
use seaworthy::session::Session;
use seaworthy::verify::{ScratchDatabase, drift, drift_from};

use crate::databases::{databases, postgres, session};

/// Boats, as an entity.
mod boat {
    use sea_orm::entity::prelude::*;

    /// A kind of rig.
    #[derive(Clone, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
    #[sea_orm(rs_type = "String", db_type = "Enum", enum_name = "rig")]
    pub(super) enum Rig {
        #[sea_orm(string_value = "sloop")]
        Sloop,
        #[sea_orm(string_value = "ketch")]
        Ketch,
    }

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "boats")]
    pub(super) struct Model {
        #[sea_orm(primary_key)]
        pub(super) id: i32,
        #[sea_orm(unique)]
        pub(super) name: String,
        #[sea_orm(indexed, column_type = "Decimal(Some((6, 2)))", default_value = 0)]
        pub(super) length: f64,
        pub(super) rig: Rig,
        #[sea_orm(default_expr = "Expr::current_timestamp()")]
        pub(super) launched_at: DateTime,
        #[sea_orm(renamed_from = "harbour")]
        pub(super) home: Option<String>,
    }

    #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
    pub(super) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Flags, as an entity whose type has a name in mixed case.
mod flag {
    use sea_orm::entity::prelude::*;

    /// What a flag says.
    #[derive(Clone, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
    #[sea_orm(rs_type = "String", db_type = "Enum", enum_name = "FlagState")]
    pub(super) enum State {
        #[sea_orm(string_value = "Up")]
        Up,
        #[sea_orm(string_value = "Down")]
        Down,
    }

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "flags")]
    pub(super) struct Model {
        #[sea_orm(primary_key)]
        pub(super) id: i32,
        pub(super) state: State,
        pub(super) states: Vec<State>,
    }

    #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
    pub(super) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

#[tokio::test]
async fn a_type_in_mixed_case_is_meant_as_it_is_written() {
    let Some(database) = postgres().await else {
        return;
    };
    let session = session(&database).await;
    let connection = session.connection();
    let (scope, policy) = (Scope::default(), Policy::default());
    let target = Target::new().entity(flag::Entity);
    let live = inspect(connection, &scope).await.unwrap();
    let found = drift_from(connection, &scope, &target, &policy).await.unwrap();
    make(&session, &live, &found.operations).await;
    let left = drift_from(connection, &scope, &target, &policy).await.unwrap();
    assert_eq!(texts(&left.operations), [""; 0]);
    session.close().await;
    database.remove().await.unwrap();
}

/// Trips of boats, as an entity.
mod trip {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "trips")]
    pub(super) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(super) boat_id: i32,
        #[sea_orm(primary_key, auto_increment = false)]
        pub(super) number: i64,
    }

    #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
    pub(super) enum Relation {
        #[sea_orm(
            belongs_to = "super::boat::Entity",
            from = "Column::BoatId",
            to = "super::boat::Column::Id",
            on_delete = "Cascade"
        )]
        Boat,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

fn target() -> Target {
    Target::new().entity(trip::Entity).entity(boat::Entity)
}

#[tokio::test]
async fn entities_become_a_database_that_is_what_they_declare() {
    for database in databases().await {
        let session = session(&database).await;
        let connection = session.connection();
        let target = target().extra(|extra| {
            extra
                .table("boats")
                .index(Index::new(Some("long_boats"), ["name"]).filter("length > 10"))
                .index(Index::new(Some("boats_low"), [""; 0]).part(IndexPart::expression("lower(name)")))
                .check("ck_boats_length", "length >= 0");
            extra.table("trips").primary_key_name("trips_key");
        });
        let found = drift_from(connection, &Scope::default(), &target, &Policy::default())
            .await
            .unwrap();
        let live = inspect(connection, &Scope::default()).await.unwrap();
        make(&session, &live, &found.operations).await;
        let found = drift_from(connection, &Scope::default(), &target, &Policy::default())
            .await
            .unwrap();
        assert_eq!(texts(&found.operations), [""; 0]);
        session.close().await;
        database.remove().await.unwrap();
    }
}

#[tokio::test]
async fn what_entities_declare_is_read_back_from_postgresql() {
    let Some(database) = postgres().await else {
        return;
    };
    let session = session(&database).await;
    let catalog = target()
        .catalog(session.connection(), &Scope::default())
        .await
        .unwrap();
    let left = session
        .rows("SELECT relname::text FROM pg_class WHERE relname IN ('boats', 'trips')")
        .await;
    assert_eq!(left.unwrap().len(), 0, "something stayed behind");
    session.close().await;
    database.remove().await.unwrap();
    let tables: Vec<String> = catalog
        .tables
        .iter()
        .map(|table| serde_json::to_string(table).unwrap())
        .collect();
    assert_snapshot!(tables.join("\n"), @r#"
    {"name":"boats","columns":[{"name":"id","type":"integer","nullable":false,"auto":"auto"},{"name":"name","type":"character varying","nullable":false},{"name":"length","type":"numeric(6,2)","nullable":false,"default":"0"},{"name":"rig","type":"rig","nullable":false},{"name":"launched_at","type":"timestamp without time zone","nullable":false,"default":"CURRENT_TIMESTAMP"},{"name":"home","type":"character varying","renamed_from":"harbour"}],"primary_key":{"columns":["id"]},"uniques":[{"name":null,"columns":["name"]}],"indexes":[{"name":"idx-boats-length","columns":["length"],"unique":false}]}
    {"name":"trips","columns":[{"name":"boat_id","type":"integer","nullable":false},{"name":"number","type":"bigint","nullable":false}],"primary_key":{"name":"pk-trips","columns":["boat_id","number"]},"foreign_keys":[{"name":"fk-trips-boat_id","columns":["boat_id"],"ref_table":"boats","ref_columns":["id"],"on_delete":"CASCADE"}]}
    "#);
}

#[tokio::test]
async fn a_former_name_in_an_entity_is_a_rename() {
    for database in databases().await {
        let session = session(&database).await;
        let connection = session.connection();
        let old = target().catalog(connection, &Scope::default()).await.unwrap();
        let mut old = Catalog {
            tables: old
                .tables
                .into_iter()
                .filter(|table| table.name == "boats")
                .collect(),
            ..old
        };
        old.rename_column("boats", "home", "harbour");
        let nothing = inspect(connection, &Scope::default()).await.unwrap();
        make(
            &session,
            &nothing,
            &diff(&nothing, &old, &Policy::default()).unwrap().operations,
        )
        .await;

        let found = drift_from(connection, &Scope::default(), &target(), &Policy::default())
            .await
            .unwrap();
        assert_eq!(
            texts(&found.operations),
            [
                "rename column boats: harbour -> home",
                "add table trips (boat_id, number)"
            ]
        );
        session.close().await;
        database.remove().await.unwrap();
    }
}

#[tokio::test]
async fn a_rename_is_suggested_and_never_made_unasked() {
    let database = ScratchDatabase::sqlite(&std::env::temp_dir()).unwrap();
    let session = session(&database).await;
    let connection = session.connection();
    connection
        .execute_unprepared("CREATE TABLE tasks (id integer PRIMARY KEY, due text)")
        .await
        .unwrap();
    let mut declared = Catalog::default();
    declared.tables.push(Table {
        columns: vec![Column::new("id", "integer"), Column::new("due_date", "text")],
        primary_key: Some(PrimaryKey::new(["id"])),
        ..Table::new("tasks")
    });
    let scope = Scope::default();
    let found = drift(connection, &scope, &declared, &Policy::default())
        .await
        .unwrap();
    assert_eq!(
        texts(&found.operations),
        ["add column tasks.due_date TEXT", "drop column tasks.due TEXT"]
    );
    assert_eq!(
        found.suggestions[0].rename,
        "tasks.due=due_date".parse::<Rename>().unwrap()
    );

    let policy = Policy::default().accept(&found.suggestions);
    let found = drift(connection, &scope, &declared, &policy).await.unwrap();
    assert_eq!(texts(&found.operations), ["rename column tasks: due -> due_date"]);

    let mut policy = Policy::default();
    policy.renames.push("tasks.gone=due_date".parse().unwrap());
    let refused = drift(connection, &scope, &declared, &policy).await.unwrap_err();
    assert_snapshot!(refused, @"the rename of the column tasks.gone to due_date cannot be: the database has no column tasks.gone");
    session.close().await;
    database.remove().await.unwrap();
}

#[tokio::test]
async fn a_snapshot_of_a_database_says_that_nothing_differs() {
    for database in databases().await {
        let session = session(&database).await;
        let connection = session.connection();
        connection
            .execute_unprepared(
                "CREATE TABLE \"Order\" (id integer PRIMARY KEY, \"größe\" numeric(5, 2) DEFAULT 1.50 NOT NULL, \
                 note varchar(20) DEFAULT 'it''s', done boolean DEFAULT false, CONSTRAINT \"some\" CHECK (id > 0 AND note <> 'x')); \
                 CREATE INDEX low ON \"Order\" (lower(note), \"größe\" DESC) WHERE note IS NOT NULL; \
                 CREATE VIEW all_orders AS SELECT * FROM \"Order\"",
            )
            .await
            .unwrap();
        let scope = Scope::default();
        let written = inspect(connection, &scope).await.unwrap().to_json();
        let snapshot = Catalog::from_json(&written).unwrap();
        assert_eq!(snapshot.to_json(), written);
        let found = drift(connection, &scope, &snapshot, &Policy::default())
            .await
            .unwrap();
        assert_eq!(texts(&found.operations), [""; 0]);
        session.close().await;
        database.remove().await.unwrap();
    }
}

#[tokio::test]
async fn a_schema_of_any_name_is_read_as_if_it_were_the_only_one() {
    let Some(database) = postgres().await else {
        return;
    };
    let session = session(&database).await;
    let connection = session.connection();
    let ddl = "CREATE TYPE mood AS ENUM ('calm'); CREATE TABLE a (id serial PRIMARY KEY, v mood DEFAULT 'calm' CHECK (v <> 'calm')); \
               CREATE TABLE b (id integer REFERENCES a (id));";
    connection
        .execute_unprepared(&format!("{ddl} CREATE SCHEMA \"Other One\"; SET search_path TO \"Other One\"; {ddl} SET search_path TO public"))
        .await
        .unwrap();
    let read = async |name: &str| {
        let mut catalog = inspect(connection, &Scope::schema(name)).await.unwrap();
        // Who owns and may use the schema itself is said of it by name.
        let roles = catalog.roles.as_mut().unwrap();
        roles.entries.retain(|entry| !entry.name.starts_with("SCHEMA "));
        catalog
    };
    let (one, other) = (read("public").await, read("Other One").await);
    assert_eq!(one, other);
    let found = drift(connection, &Scope::schema("Other One"), &one, &Policy::default())
        .await
        .unwrap();
    assert_eq!(texts(&found.operations), [""; 0]);
    let missing = inspect(connection, &Scope::schema("nowhere")).await.unwrap_err();
    assert_snapshot!(missing, @"there is no schema nowhere, or the role may not use it");
    session.close().await;
    database.remove().await.unwrap();
}

/// What a role may not touch it may still know of; what it may not make it is told.
#[tokio::test]
async fn a_role_without_rights_reads_and_is_told_what_it_needs_to_compare() {
    let Some(database) = postgres().await else {
        return;
    };
    let session = session(&database).await;
    let connection = session.connection();
    let role = format!("seaworthy_role_{:08x}", std::process::id());
    let make = format!(
        "CREATE TABLE a (id integer PRIMARY KEY); CREATE ROLE {role}; \
         DO $$ BEGIN EXECUTE 'REVOKE TEMPORARY ON DATABASE ' || quote_ident(current_database()) || ' FROM PUBLIC'; END $$; \
         SET ROLE {role}"
    );
    connection.execute_unprepared(&make).await.unwrap();
    let live = inspect(connection, &Scope::default()).await.unwrap();
    assert!(live.table("a").is_some());
    let refused = normalize(connection, &Scope::default(), &live).await.unwrap_err();
    assert_snapshot!(refused, @"the role may not make temporary tables, which is how declared types and expressions are understood; GRANT TEMPORARY ON DATABASE helps");
    connection
        .execute_unprepared(&format!("RESET ROLE; DROP ROLE {role}"))
        .await
        .unwrap();
    session.close().await;
    database.remove().await.unwrap();
}

#[tokio::test]
async fn a_declaration_that_makes_no_sense_is_refused_by_name() {
    let Some(database) = postgres().await else {
        return;
    };
    let session = session(&database).await;
    let table = |change: &dyn Fn(&mut Table)| {
        let mut table = Table::new("boats");
        table.columns.push(Column::new("id", "integer"));
        change(&mut table);
        let mut catalog = Catalog::new(Dialect::Postgresql);
        catalog.tables.push(table);
        catalog
    };
    let declarations = [
        table(&|table| table.columns[0].data_type = "knots".to_owned()),
        table(&|table| table.columns[0].data_type = "integer); DROP TABLE users; --".to_owned()),
        table(&|table| table.columns.push(Column::new("id", "text"))),
        table(&|table| table.checks.push(Check::new(None, "depth > 0"))),
        table(&|table| table.indexes.push(Index::new(None, ["depth"]))),
        Catalog::new(Dialect::Sqlite),
    ];
    let mut refusals = Vec::new();
    for declared in declarations {
        let refused = normalize(session.connection(), &Scope::default(), &declared)
            .await
            .unwrap_err();
        refusals.push(refused.to_string());
    }
    session.close().await;
    database.remove().await.unwrap();
    assert_snapshot!(refusals.join("\n"), @r#"
    the database does not accept the declaration of the table boats
    the column boats.id is declared with "integer); DROP TABLE users; --", which is not one type or expression
    the column boats.id is declared twice
    the database does not accept the declaration of the table boats
    an index of boats names depth, which is not declared
    the declared schema is written for SQLite, and the database is PostgreSQL
    "#);
}

#[tokio::test]
async fn names_are_cut_off_where_the_server_cuts_them() {
    let Some(database) = postgres().await else {
        return;
    };
    let session = session(&database).await;
    // The last letter takes two bytes, of which one would fit.
    let name = format!("{}ü", "b".repeat(62));
    let mut boats = Table::new(name.as_str());
    boats.columns = vec![
        Column::new("id", "integer").not_null(),
        Column::new("above", "integer"),
    ];
    boats.primary_key = Some(PrimaryKey::new(["id"]));
    boats.foreign_keys = vec![ForeignKey {
        name: Some(format!("fk-{}", "above-".repeat(12))),
        ..ForeignKey::new(["above"], name.as_str(), ["id"])
    }];
    boats.indexes = vec![Index::new(
        Some(&format!("idx-{}", "above-".repeat(12))),
        ["above"],
    )];
    let mut declared = Catalog::new(Dialect::Postgresql);
    declared.tables.push(boats);
    let scope = Scope::default();
    let wanted = normalize(session.connection(), &scope, &declared).await.unwrap();
    let live = inspect(session.connection(), &scope).await.unwrap();
    let found = diff(&live, &wanted, &Policy::default()).unwrap();
    make(&session, &live, &found.operations).await;
    let live = inspect(session.connection(), &scope).await.unwrap();
    assert_eq!(live.tables[0].name, "b".repeat(62));
    assert_eq!(
        texts(&diff(&live, &wanted, &Policy::default()).unwrap().operations),
        [""; 0]
    );
    session.close().await;
    database.remove().await.unwrap();
}

#[test]
fn a_snapshot_that_cannot_be_read_says_where() {
    let wrong = ["{\"version\": 2}", "{\"tables\": [{\"nmae\": \"a\"}]}", "[1"];
    let said: Vec<String> = wrong
        .iter()
        .map(|text| {
            let error = Catalog::from_json(text).unwrap_err();
            format!("{error}: {}", std::error::Error::source(&error).unwrap())
        })
        .collect();
    assert_snapshot!(said.join("\n"), @"
    the snapshot is not a catalog (line 1, column 14): the snapshot is of format 2, and this build reads format 1 at line 1 column 14
    the snapshot is not a catalog (line 1, column 19): unknown field `nmae`, expected one of `name`, `columns`, `pk`, `primary_key`, `pk_name`, `uniques`, `checks`, `foreign_keys`, `indexes`, `exclusions`, `triggers`, `comment`, `inherits`, `partitioned_by`, `partitions`, `storage`, `strict`, `without_rowid`, `renamed_from` at line 1 column 19
    the snapshot is not a catalog (line 1, column 2): EOF while parsing a list at line 1 column 2
    ");
}

/// Others make and drop tables all the time while this one reads.
#[tokio::test]
async fn a_schema_that_changes_while_it_is_read_is_read() {
    let Some(database) = postgres().await else {
        return;
    };
    let (reader, writer) = (session(&database).await, session(&database).await);
    let busy = async {
        for _ in 0..40 {
            let sql = "CREATE TYPE mood AS ENUM ('calm'); CREATE TABLE a (id serial PRIMARY KEY, v mood DEFAULT 'calm' CHECK (v <> 'calm')); \
                       CREATE INDEX i ON a ((id * 2)) WHERE id > 0; DROP TABLE a; DROP TYPE mood";
            writer.connection().execute_unprepared(sql).await.unwrap();
        }
    };
    let read = async {
        for _ in 0..40 {
            inspect(reader.connection(), &Scope::default()).await.unwrap();
        }
    };
    tokio::time::timeout(Duration::from_secs(120), async { tokio::join!(busy, read) })
        .await
        .unwrap();
    reader.close().await;
    writer.close().await;
    database.remove().await.unwrap();
}

async fn make(session: &Session, before: &Catalog, operations: &[Operation]) {
    for statement in sql(before, operations).unwrap() {
        session.connection().execute_unprepared(&statement).await.unwrap();
    }
}

fn texts(operations: &[Operation]) -> Vec<String> {
    operations.iter().map(ToString::to_string).collect()
}
