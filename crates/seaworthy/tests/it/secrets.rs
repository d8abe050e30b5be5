//! No part of a password is ever shown, however the address around it is broken.

use std::error::Error;

use proptest::prelude::{ProptestConfig, Strategy, prop_assert, proptest};
use proptest::sample::select;
use seaworthy::command::Side;
use seaworthy::session::{Access, DatabaseUrl, Session, Settings};

/// Ways to write an address, right and wrong; `{}` stands for the password. Nobody listens at the port.
const ADDRESSES: [&str; 18] = [
    "postgres://ada:{}@127.0.0.1:1/db",
    "postgres://ada:{}@127.0.0.1:1",
    "postgres://ada:{}@127.0.0.1:1/db?sslmode=disable",
    "postgresql+psycopg://ada:{}@127.0.0.1:1/db",
    "postgres://ada:{}@127.0.0.1:port/db",
    "postgres://ada:{}@",
    "postgres://ada:{}@/db",
    "postgres:///ada:{}@127.0.0.1:1/db",
    "postgres:/ada:{}@127.0.0.1:1/db",
    "postgres:ada:{}@127.0.0.1:1/db",
    "postgres//ada:{}@127.0.0.1:1/db",
    "postgress://ada:{}@127.0.0.1:1/db",
    "ada:{}@127.0.0.1:1/db",
    "{}@127.0.0.1:1/db",
    "\"postgres://ada:{}@127.0.0.1:1/db\"",
    "host=127.0.0.1 user=ada password={}",
    "postgres://127.0.0.1:1/db?user=ada&password={}",
    "postgres://127.0.0.1:1/db?user=ada&pasword={}",
];

/// Passwords of letters and digits that stand in none of the addresses, and of what has a meaning in an address.
fn password() -> impl Strategy<Value = String> {
    proptest::string::string_regex(r#"[QXZW79#?/@:%&=+\[\]{} .~\\'"-]{4,16}"#).unwrap()
}

/// Returns the first piece of a password that a text shows; signs alone may stand there anyway.
fn shown_piece(password: &str, text: &str) -> Option<String> {
    let letters: Vec<char> = password.chars().collect();
    letters
        .windows(4)
        .filter(|piece| piece.iter().filter(|letter| letter.is_alphanumeric()).count() >= 2)
        .map(|piece| piece.iter().collect::<String>())
        .find(|piece| text.contains(piece))
}

fn in_full(error: &dyn Error) -> String {
    let mut text = format!("{error} {error:?}");
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(&format!(" {error} {error:?}"));
        cause = error.source();
    }
    text
}

/// Returns everything that is said of an address until it is connected to.
fn said(address: &str) -> String {
    let mut said = match address.parse::<Side>() {
        Ok(side) => format!("{side:?}"),
        Err(error) => in_full(&error),
    };
    match address.parse::<DatabaseUrl>() {
        Err(error) => said.push_str(&format!("{} {}", in_full(&error), error.hint())),
        Ok(url) => {
            let settings = Settings {
                connect_timeout: std::time::Duration::from_millis(1),
                ..Settings::default()
            };
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            let error = runtime
                .block_on(Session::open(&url, &settings, Access::Read))
                .unwrap_err();
            said.push_str(&format!("{url} {url:?} {}", in_full(&error)));
        }
    }
    said
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn no_piece_of_a_password_is_shown(password in password(), address in select(&ADDRESSES[..])) {
        let said = said(&address.replace("{}", &password));
        prop_assert!(shown_piece(&password, &said).is_none(), "{password}: {said}");
    }
}

#[test]
fn addresses_that_were_shown_once_are_shown_no_more() {
    for (password, address) in [
        ("se?cret", "postgres://ada:se?cret@host/db"),
        ("secret", "postgres:ada:secret@host"),
        (
            "sl[oer?[d}ow",
            "postgres://postgres:sl[oer?[d}ow@127.0.0.1:5432/x",
        ),
        ("1234?cret", "postgres://ada:1234?cret@host/db"),
        ("pa@harbour?x", "postgres://ada:pa@harbour?x@host/db"),
    ] {
        let error = address.parse::<DatabaseUrl>().unwrap_err();
        let said = format!("{} {}", in_full(&error), error.hint());
        assert_eq!(shown_piece(password, &said), None, "{said}");
    }
}
