//! The pictures in the documentation are those of our own revisions.
//!
//! `UPDATE_DOCUMENTATION=1` writes them instead of failing; look at them before you commit.

use std::fs;
use std::path::Path;

use migration::Migrator;
use seaworthy::command::{self, Highlight, Indicate};
use seaworthy::environment::Environment;

use crate::databases::variable;

#[tokio::test]
async fn the_picture_of_the_revisions_is_up_to_date() {
    let picture = command::graph(&environment(), Indicate::Nothing).await.unwrap();
    compare("revisions.svg", &picture.svg());
}

#[tokio::test]
async fn the_picture_of_the_schema_is_up_to_date() {
    compare("schema.svg", &schema("head", Highlight::Nothing).await);
}

#[tokio::test]
async fn the_picture_of_a_change_is_up_to_date() {
    compare("change.svg", &schema("003", Highlight::Changes).await);
}

async fn schema(target: &str, highlight: Highlight) -> String {
    let stop = Default::default();
    let target = target.parse().unwrap();
    let picture = command::erd_of(&environment(), &target, highlight, &stop).await;
    picture.unwrap().svg()
}

fn environment() -> Environment {
    Environment::new(Migrator::revisions())
}

fn compare(name: &str, drawn: &str) {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let path = package.parent().unwrap().join("docs/pictures").join(name);
    if variable("UPDATE_DOCUMENTATION").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        return fs::write(path, drawn).unwrap();
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == drawn,
        "{} is not what the revisions look like: run with UPDATE_DOCUMENTATION=1 and look at it",
        path.display()
    );
}
