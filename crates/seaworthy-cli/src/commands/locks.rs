//! `locks`: the tree of those who wait, and ending one of them after asking.

use std::io::{BufRead, Write};

use seaworthy::command;
use seaworthy::environment::Environment;
use seaworthy::session::{Endable, Ending as How};

use crate::args::General;
use crate::exit::{Ending, Failure};
use crate::output::{Screen, locks as show};

pub(super) async fn run(
    environment: &Environment,
    general: &General,
    cancel: Option<i32>,
    terminate: Option<i32>,
    screen: &Screen,
) -> Result<Ending, Failure> {
    let (pid, how) = match (cancel, terminate) {
        (Some(pid), _) => (pid, How::Cancel),
        (None, Some(pid)) => (pid, How::Terminate),
        (None, None) => {
            show::tree(screen, &command::locks(environment).await?);
            return Ok(Ending::Done);
        }
    };
    let consent = async |endable: &Endable| consents(endable, how, general, screen);
    show::ended(
        screen,
        &command::end_session(environment, pid, how, consent).await?,
    );
    Ok(Ending::Done)
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
