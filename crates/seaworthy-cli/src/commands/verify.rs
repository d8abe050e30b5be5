//! `verify`: all revisions on scratch databases.

use seaworthy::command::{self, Verification};
use seaworthy::environment::Environment;

use crate::exit::{Ending, Failure};
use crate::output::{Screen, promises};
use crate::signals::Signals;

pub(super) async fn run(environment: &Environment, screen: &Screen) -> Result<Ending, Failure> {
    let mut verification = Verification::near(environment.database.as_ref());
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
