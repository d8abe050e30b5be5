//! The password of a database address: no verb shows it, however much it is asked to say.

use crate::databases::on_postgres;
use crate::program::{Ended, Program};

/// As it stands in an address, and what it means.
const PASSWORD: [&str; 2] = ["s3cret%40harbour", "s3cret@harbour"];

#[tokio::test]
async fn no_verb_shows_the_password() {
    on_postgres(async |database| {
        let role = format!("seaworthy_{:016x}", fastrand::u64(..));
        let create = format!("CREATE ROLE {role} LOGIN SUPERUSER PASSWORD '{}'", PASSWORD[1]);
        database.execute(&create).await;
        let place = database.address().rsplit_once('@').unwrap().1;
        let address = format!("postgres://{role}:{}@{place}", PASSWORD[0]);
        // Removed before anything is judged, so that a failure leaves no role behind.
        let shown = say_everything(&address).await;
        let reassign =
            format!("REASSIGN OWNED BY {role} TO CURRENT_USER; DROP OWNED BY {role}; DROP ROLE {role}");
        database.execute(&reassign).await;
        assert!(shown.len() > 60);
        assert_silence(&shown);
        let reached = shown
            .iter()
            .filter(|ended| ended.stdout.contains("the database is at 001"))
            .count();
        assert!(reached > 0, "the role could not log in");
    })
    .await;
}

#[tokio::test]
async fn no_error_shows_the_password() {
    let mut shown = Vec::new();
    for address in [
        "postgres://todo:s3cret%40harbour@127.0.0.1:1/todo",
        "postgres://todo:s3cret%40harbour@no.such.host.invalid/todo",
        "postgres://127.0.0.1:1/todo?user=todo&password=s3cret%40harbour",
        "postgres://todo:s3cret@harbour@127.0.0.1:port/todo",
        "postgres//todo:s3cret%40harbour@127.0.0.1:1/todo",
        "mysql://todo:s3cret%40harbour@127.0.0.1:1/todo",
        "s3cret%40harbour",
        "sqlite://s3cret/harbour?password=s3cret%40harbour",
    ] {
        for verb in [
            "upgrade head",
            "status",
            "status --output json",
            "upgrade head --sql",
        ] {
            let verb = format!("{verb} --connect-timeout 1s --verbose");
            let program = Program::migration_at(address).with("RUST_LOG", "trace");
            shown.push(program.run(&verb).await);
        }
    }
    assert_silence(&shown);
}

#[tokio::test]
async fn no_piece_of_a_password_is_shown_where_its_address_is_broken() {
    for (address, pieces) in [
        (
            "postgres://postgres:sl[oer?[d}ow@127.0.0.1:5432/x",
            ["sl[oer", "[d}ow"],
        ),
        ("postgres://ada:se?cret@host/db", ["se?c", "cret"]),
        ("postgres:ada:seecret@host", ["seec", "cret"]),
        (
            "postgres://127.0.0.1:1/db?user=ada&pasword=seecret",
            ["seec", "cret"],
        ),
    ] {
        for verb in ["current", "current --output json", "plan", "upgrade head"] {
            let verb = format!("{verb} --connect-timeout 1s --verbose");
            let program = Program::migration_at(address).with("RUST_LOG", "trace");
            let ended = program.run(&verb).await;
            for piece in pieces {
                assert!(!ended.stdout.contains(piece), "{ended:#?}");
                assert!(!ended.stderr.contains(piece), "{ended:#?}");
            }
        }
    }
    let program = Program::migration_at("postgres://ada:se?cret@host/db");
    program.run("current").await.with_code(2).saying(&[
        "error: the database address cannot be read",
        "hint: in a user or a password write # as %23, ? as %3F, / as %2F and @ as %40",
    ]);
}

/// Runs every verb in every way, and returns what they said.
async fn say_everything(address: &str) -> Vec<Ended> {
    let verbs = [
        "upgrade head",
        "current",
        "history --indicate-current",
        "history --applied",
        "heads",
        "branches",
        "show 001",
        "plan base",
        "status",
        "downgrade base --sql",
        "stamp 002",
        "upgrade head",
        "adopt",
        "upgrade nowhere",
        "downgrade -1 --yes",
        "up",
        "down --yes",
        "refresh --yes",
        "fresh --yes",
        "reset --yes",
        "upgrade head",
    ];
    let mut shown = Vec::new();
    for verb in verbs {
        for way in ["", "--output json", "--verbose"] {
            let program = Program::migration_at(address).with("RUST_LOG", "trace");
            shown.push(program.run(&format!("{verb} {way}")).await);
        }
    }
    shown.push(Program::migration_at(address).run("--help").await);
    shown
}

fn assert_silence(shown: &[Ended]) {
    for ended in shown {
        for text in [&ended.stdout, &ended.stderr] {
            for password in PASSWORD {
                let line = text.lines().find(|line| line.contains(password));
                assert_eq!(line, None, "in what {} says", ended.command);
            }
        }
    }
}
