//! What tables have and entities do not mention: it stays and is counted, goes where a target claims to be complete, and is written
//! as code that declares it.
//!
//! `UPDATE_GENERATED=1 cargo test --package seaworthy --test it undeclared` writes the code anew.

use std::fs;
use std::path::Path;

use sea_orm::{ConnectionTrait, DbBackend, Schema};
use seaworthy::autogenerate::{Policy, extras, undeclared};
use seaworthy::catalog::{Scope, Target, inspect};
use seaworthy::session::Session;
use seaworthy::verify::drift_from;

use crate::databases::{databases, postgres, session};

mod boat {
    use sea_orm::entity::prelude::*;

    /// As `sea-orm-cli generate entity` writes it, but for one attribute.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "boats")]
    pub(super) struct Model {
        #[sea_orm(primary_key)]
        pub(super) id: i32,
        pub(super) name: String,
        #[sea_orm(unique)]
        pub(super) sign: String,
        pub(super) length: i32,
        pub(super) port: Option<String>,
    }

    #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
    pub(super) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Tables whose names are so long that SeaORM derives a name of 72 bytes for the foreign key between them.
mod long {
    pub(super) mod flow {
        use sea_orm::entity::prelude::*;

        #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
        #[sea_orm(table_name = "identity_verification_flows")]
        pub(crate) struct Model {
            #[sea_orm(primary_key, auto_increment = false)]
            pub(crate) id: i32,
        }

        #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
        pub(crate) enum Relation {}

        impl ActiveModelBehavior for ActiveModel {}
    }

    pub(super) mod token {
        use sea_orm::entity::prelude::*;

        #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
        #[sea_orm(table_name = "identity_verification_tokens_of_people")]
        pub(crate) struct Model {
            #[sea_orm(primary_key, auto_increment = false)]
            pub(crate) id: i32,
            pub(crate) identity_verification_flow_id: i32,
        }

        #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
        pub(crate) enum Relation {
            #[sea_orm(
                belongs_to = "super::flow::Entity",
                from = "Column::IdentityVerificationFlowId",
                to = "super::flow::Column::Id"
            )]
            Flow,
        }

        impl ActiveModelBehavior for ActiveModel {}
    }
}

/// The code that is generated for [`RICH`], which has to compile and to say the same.
mod generated {
    include!("fixtures/extras.rs");

    pub(super) fn add(extra: &mut Extra) {
        extras(extra);
    }
}

const PLAIN: &str = "CREATE TABLE boats (id serial PRIMARY KEY, name varchar NOT NULL, sign varchar NOT NULL UNIQUE, \
    length integer NOT NULL, port varchar)";

const RICH: &str = "CREATE EXTENSION pg_trgm; CREATE EXTENSION btree_gist; \
    CREATE TABLE boats (id serial PRIMARY KEY, name varchar(40) NOT NULL DEFAULT 'none', sign text NOT NULL UNIQUE, \
        length integer NOT NULL DEFAULT 7, port varchar, CONSTRAINT long_enough CHECK (length > 0), \
        CONSTRAINT one_name UNIQUE (name, port), \
        CONSTRAINT one_length UNIQUE (length, port) DEFERRABLE INITIALLY DEFERRED, \
        CONSTRAINT apart EXCLUDE USING gist (length WITH =, port WITH <>)); \
    ALTER TABLE boats ADD CONSTRAINT above FOREIGN KEY (length) REFERENCES boats (id) ON DELETE CASCADE NOT VALID; \
    ALTER TABLE boats ADD CONSTRAINT not_empty CHECK (name <> '') NOT VALID; \
    CREATE INDEX by_name ON boats (lower(name), length DESC NULLS LAST) INCLUDE (sign) WITH (fillfactor = 70) \
        WHERE port IS NOT NULL; \
    CREATE UNIQUE INDEX by_port ON boats (port) NULLS NOT DISTINCT; \
    CREATE INDEX alike ON boats USING gin (name gin_trgm_ops); \
    CREATE INDEX sorted ON boats (port COLLATE \"C\")";

fn target() -> Target {
    Target::new().entity(boat::Entity)
}

async fn found(session: &Session, target: &Target) -> (Vec<String>, String) {
    let (scope, policy) = (Scope::default(), Policy::default());
    let found = drift_from(session.connection(), &scope, target, &policy).await;
    let found = found.unwrap();
    let operations = found.operations.iter().map(ToString::to_string).collect();
    (operations, serde_json::to_string(&found.not_compared).unwrap())
}

#[tokio::test]
async fn what_no_entity_mentions_stays_unless_the_target_is_complete() {
    for database in databases().await {
        let session = session(&database).await;
        let key = match session.backend() {
            DbBackend::Postgres => "serial PRIMARY KEY",
            _ => "integer NOT NULL PRIMARY KEY AUTOINCREMENT",
        };
        let plain = PLAIN.replace("serial PRIMARY KEY", key);
        session.send(&plain).await.unwrap();
        assert_eq!(found(&session, &target()).await.0, [""; 0]);
        for statement in [
            "CREATE INDEX by_port ON boats (port, name)",
            "CREATE UNIQUE INDEX by_length ON boats (length) WHERE length > 3",
            // The entity says that it is unique, which it is besides.
            "CREATE INDEX by_sign ON boats (sign)",
        ] {
            session.send(statement).await.unwrap();
        }
        let (operations, counted) = found(&session, &target()).await;
        assert_eq!(operations, [""; 0]);
        assert_eq!(counted, r#"{"undeclared index":3}"#);
        let (operations, counted) = found(&session, &target().complete()).await;
        assert_eq!(
            operations,
            [
                "drop index boats by_length (length) length > 3",
                "drop index boats by_port (port, name)",
                "drop index boats by_sign (sign)"
            ]
        );
        assert_eq!(counted, "{}");
        session.close().await;
        database.remove().await.unwrap();
    }
}

#[tokio::test]
async fn a_derived_name_that_is_too_long_for_the_server_is_the_one_that_it_keeps() {
    let target = Target::new()
        .entity(long::flow::Entity)
        .entity(long::token::Entity)
        .complete();
    for database in databases().await {
        let session = session(&database).await;
        let schema = Schema::new(session.backend());
        let tables = [
            schema.create_table_from_entity(long::flow::Entity),
            schema.create_table_from_entity(long::token::Entity),
        ];
        let made = session.backend().build(&tables[1]).to_string();
        // On SQLite SeaORM gives it no name.
        let name = made.split('"').find(|name| name.starts_with("fk-"));
        assert!(name.is_none_or(|name| name.len() > 63), "{made}");
        for table in &tables {
            session.connection().execute(table).await.unwrap();
        }
        assert_eq!(found(&session, &target).await, (Vec::new(), "{}".to_owned()));
        session.close().await;
        database.remove().await.unwrap();
    }
}

#[tokio::test]
async fn what_is_declared_in_another_way_is_no_silence() {
    let Some(database) = postgres().await else { return };
    let session = session(&database).await;
    // The entity says that it is unique, and that there is an upper end to nothing.
    session
        .send(&PLAIN.replace("NOT NULL UNIQUE", "NOT NULL"))
        .await
        .unwrap();
    session
        .send("CREATE INDEX by_sign ON boats (sign)")
        .await
        .unwrap();
    session
        .send("ALTER TABLE boats ALTER length TYPE bigint")
        .await
        .unwrap();
    session.send("ALTER TABLE boats ADD gone integer").await.unwrap();
    session
        .send("CREATE INDEX of_gone ON boats (gone)")
        .await
        .unwrap();
    let (operations, counted) = found(&session, &target()).await;
    assert_eq!(
        operations,
        [
            "drop index boats by_sign (sign)",
            "drop index boats of_gone (gone)",
            "alter type boats.length: bigint -> integer",
            "add unique boats (sign)",
            "drop column boats.gone integer",
        ]
    );
    assert_eq!(counted, "{}");
    session.close().await;
    database.remove().await.unwrap();
}

#[tokio::test]
async fn what_is_undeclared_is_written_as_code_that_declares_it() {
    let Some(database) = postgres().await else { return };
    let session = session(&database).await;
    session.connection().execute_unprepared(RICH).await.unwrap();
    let (operations, counted) = found(&session, &target()).await;
    assert_eq!(operations, [""; 0]);
    assert_eq!(
        counted,
        r#"{"undeclared check":2,"undeclared default":2,"undeclared exclusion constraint":1,"undeclared foreign key":1,"undeclared index":4,"undeclared length":1,"undeclared type":1,"undeclared unique constraint":2}"#
    );
    let live = inspect(session.connection(), &Scope::default()).await.unwrap();
    let declared = target()
        .catalog(session.connection(), &Scope::default())
        .await
        .unwrap();
    compare(&extras(&undeclared(&live, &declared)));
    let whole = target().extra(generated::add).complete();
    assert_eq!(found(&session, &whole).await, (Vec::new(), "{}".to_owned()));
    session.close().await;
    database.remove().await.unwrap();
}

#[expect(clippy::disallowed_methods, reason = "a test has no settings but variables")]
fn compare(code: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/fixtures/extras.rs");
    if std::env::var("UPDATE_GENERATED").is_ok() {
        fs::write(&file, code).unwrap();
    }
    assert_eq!(
        fs::read_to_string(&file).unwrap(),
        code,
        "it is generated as\n{code}"
    );
}
