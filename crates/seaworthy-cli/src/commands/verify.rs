//! `verify`: all revisions on scratch databases.

use seaworthy::catalog::Dialect;
use seaworthy::command::{self, Chosen, Place, Verification};
use seaworthy::environment::Environment;
use seaworthy::session::{DatabaseUrl, dialect_of};

use crate::args::{Kind, Verify};
use crate::exit::{Ending, Failure};
use crate::output::{Screen, promises};
use crate::signals::Signals;

pub(super) async fn run(
    environment: &Environment,
    asked: &Verify,
    screen: &Screen,
) -> Result<Ending, Failure> {
    let mut verification = wanted(environment, &asked.on)?;
    verification.without_rows = asked.no_rows;
    verification.chosen = match asked.target.as_deref() {
        None => None,
        Some(range) if range.contains(':') => Some(Chosen::Range(range.parse()?)),
        Some(target) => Some(Chosen::One(target.parse()?)),
    };
    verification.declared = environment.target.clone();
    let signals = Signals::listen(&verification.stop);
    let verified = signals.told(command::verify(environment, &verification).await)?;
    promises::verified(screen, &verified);
    if verified.broken.is_empty() {
        Ok(Ending::Done)
    } else {
        Ok(Ending::PromiseBroken)
    }
}

fn wanted<'a>(environment: &Environment, on: &[Kind]) -> Result<Verification<'a>, Failure> {
    if on.is_empty() {
        return Ok(Verification::near(environment.database.as_ref()));
    }
    let mut verification = Verification::default();
    if on.contains(&Kind::Postgresql) {
        let is_server = |url: &&DatabaseUrl| dialect_of(url.backend()) == Dialect::Postgresql;
        let server = environment.database.as_ref().filter(is_server);
        let server = server.ok_or_else(|| Failure::Usage {
            message: "--on postgresql wants a server: name any of its databases in DATABASE_URL or --database-url, with a role \
                      that may create databases"
                .to_owned(),
        })?;
        verification = Verification::near(Some(server));
    }
    if on.contains(&Kind::Sqlite) {
        verification = verification.on(Place::Sqlite(std::env::temp_dir()));
    }
    Ok(verification)
}
