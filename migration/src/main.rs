//! The `migration` binary: seaworthy's command line over the phases of the Todo database.

use migration::Migrator;
use migration::target::target;
use seaworthy::environment::Environment;

/// Without `DATABASE_URL` the database is this file, so that nothing needs to be set up.
const DEFAULT_DATABASE: &str = "sqlite://todo.db";

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let database = DEFAULT_DATABASE.parse().expect("the default is an address");
    let environment = Environment::new(Migrator::revisions())
        .database(database)
        .target(target());
    seaworthy_cli::run(environment).await;
}
