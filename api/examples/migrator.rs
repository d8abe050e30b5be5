//! The `migration` binary once more, where the tests of the service find it: they kill it.

use migration::Migrator;
use seaworthy::environment::Environment;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    seaworthy_cli::run(Environment::new(Migrator::revisions())).await;
}
