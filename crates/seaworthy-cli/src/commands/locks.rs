//! `locks`: the tree of those who wait, once or again and again, and ending one of them after asking.

use std::io::{BufRead, Write};
use std::time::Duration;

use seaworthy::command;
use seaworthy::environment::Environment;
use seaworthy::session::{Endable, Ending as How};

use crate::args::{General, Locks};
use crate::exit::{Ending, Failure};
use crate::output::{Screen, locks as show};

/// A server is not asked more often than this.
const LEAST_PAUSE: Duration = Duration::from_millis(100);

pub(super) async fn run(
    environment: &Environment,
    general: &General,
    asked: &Locks,
    screen: &Screen,
) -> Result<Ending, Failure> {
    let (pid, how) = match (asked.cancel, asked.terminate) {
        (Some(pid), _) => (pid, How::Cancel),
        (None, Some(pid)) => (pid, How::Terminate),
        (None, None) => return look(environment, asked.every, screen).await,
    };
    let consent = async |endable: &Endable| consents(endable, how, general, screen);
    show::ended(
        screen,
        &command::end_session(environment, pid, how, consent).await?,
    );
    Ok(Ending::Done)
}

/// Shows the tree, once or until a signal ends the process: nothing is begun that could be left half done.
async fn look(
    environment: &Environment,
    every: Option<Duration>,
    screen: &Screen,
) -> Result<Ending, Failure> {
    loop {
        show::tree(screen, &command::locks(environment).await?);
        let Some(pause) = every else {
            return Ok(Ending::Done);
        };
        tokio::time::sleep(pause.max(LEAST_PAUSE)).await;
    }
}

/// Says what would happen, and asks where there is somebody to ask.
fn consents(endable: &Endable, how: How, general: &General, screen: &Screen) -> bool {
    let described = endable.described(how);
    if general.yes {
        screen.note(&described);
        return true;
    }
    screen.error(&described);
    if !screen.is_interactive() {
        return false;
    }
    let mut stderr = anstream::stderr();
    drop(write!(stderr, "Type yes to go on: "));
    drop(stderr.flush());
    let mut answer = String::new();
    let read = std::io::stdin().lock().read_line(&mut answer);
    read.is_ok() && answer.trim().eq_ignore_ascii_case("yes")
}
