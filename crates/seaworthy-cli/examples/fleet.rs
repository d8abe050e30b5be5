//! A plain SeaORM migrator with a version table of its own, and the entities that its database is compared with.
//!
//! For trying out what is said of entities that leave things out and of revisions without a way back, and for this project's
//! tests:
//!
//! ```text
//! cargo run -p seaworthy-cli --example fleet -- entities -u sqlite://fleet.db upgrade head
//! cargo run -p seaworthy-cli --example fleet -- entities -u sqlite://fleet.db check
//! cargo run -p seaworthy-cli --example fleet -- all -u sqlite://fleet.db check
//! ```
//!
//! With `entities` these say what they say, with `all` the rest is declared as well.

use std::env;

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{pk_auto, string};
use seaworthy::catalog::Target;
use seaworthy::environment::Environment;

mod boat {
    use sea_orm_migration::sea_orm;
    use sea_orm_migration::sea_orm::entity::prelude::*;

    /// As `sea-orm-cli generate entity` writes it.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "boats")]
    pub(super) struct Model {
        #[sea_orm(primary_key)]
        pub(super) id: i32,
        pub(super) name: String,
    }

    #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
    pub(super) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// What `check --adopt-extras` has printed.
mod undeclared {
    include!("fleet/extras.rs");

    pub(super) fn add(extra: &mut Extra) {
        extras(extra);
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), String> {
    let mut arguments: Vec<_> = env::args_os().collect();
    if arguments.len() < 2 {
        return Err("usage: fleet entities|all <verb...>".to_owned());
    }
    let entities = Target::new().entity(boat::Entity);
    let target = match arguments.remove(1).to_str() {
        Some("entities") => entities,
        Some("all") => entities.extra(undeclared::add).complete(),
        _ => return Err("the first argument is entities or all".to_owned()),
    };
    seaworthy_cli::run_with(Environment::from(Migrator).target(target), arguments).await;
    Ok(())
}

struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(CreateBoats),
            Box::new(NameBoats),
            Box::new(ShoutNames),
            Box::new(IndexBoats),
        ]
    }

    fn migration_table_name() -> DynIden {
        "fleet_migrations".into_iden()
    }
}

struct CreateBoats;

impl MigrationName for CreateBoats {
    fn name(&self) -> &str {
        "m20260101_090000_create_boats"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for CreateBoats {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let boats = Table::create()
            .table("boats")
            .col(pk_auto("id"))
            .col(string("name").default(""))
            .to_owned();
        manager.create_table(boats).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("boats").to_owned()).await
    }
}

struct NameBoats;

impl MigrationName for NameBoats {
    fn name(&self) -> &str {
        "m20260102_090000_name_boats"
    }
}

/// It has no `down`, and SeaORM's own answers with an error.
#[async_trait::async_trait]
impl MigrationTrait for NameBoats {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let name = Query::update()
            .table("boats")
            .value("name", "unnamed")
            .and_where(Expr::col("name").eq(""))
            .to_owned();
        manager.execute(name).await
    }
}

struct ShoutNames;

impl MigrationName for ShoutNames {
    fn name(&self) -> &str {
        "m20260103_090000_shout_names"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for ShoutNames {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let shout = Query::update()
            .table("boats")
            .value("name", Func::upper(Expr::col("name")))
            .to_owned();
        manager.execute(shout).await
    }

    async fn down(&self, _manager: &SchemaManager) -> Result<(), DbErr> {
        panic!("nobody knows which letters were small")
    }
}

struct IndexBoats;

impl MigrationName for IndexBoats {
    fn name(&self) -> &str {
        "m20260104_090000_index_boats"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for IndexBoats {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let index = Index::create()
            .name("boats_by_name")
            .table("boats")
            .col("name")
            .to_owned();
        manager.create_index(index).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let index = Index::drop().name("boats_by_name").table("boats").to_owned();
        manager.drop_index(index).await
    }
}
