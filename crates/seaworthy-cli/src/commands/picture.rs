//! `graph` and `erd`: pictures.

use seaworthy::command::{self, Highlight, Indicate};
use seaworthy::environment::Environment;
use tokio_util::sync::CancellationToken;

use crate::args::Format;
use crate::exit::{Ending, Failure};
use crate::output::Screen;
use crate::signals::Signals;

pub(super) async fn graph(
    environment: &Environment,
    indicate_current: bool,
    screen: &Screen,
) -> Result<Ending, Failure> {
    let indicate = if indicate_current {
        Indicate::Current
    } else {
        Indicate::Nothing
    };
    let picture = command::graph(environment, indicate).await?;
    match screen.format() {
        Format::Json => screen.json(&picture),
        Format::Mermaid => screen.line(picture.mermaid().trim_end()),
        Format::Dot => screen.line(picture.dot().trim_end()),
        Format::Svg => screen.line(picture.svg().trim_end()),
        _ => picture.text().iter().for_each(|line| screen.line(line)),
    }
    Ok(Ending::Done)
}

pub(super) async fn erd(
    environment: &Environment,
    revision: Option<&str>,
    changes: bool,
    screen: &Screen,
) -> Result<Ending, Failure> {
    let picture = match revision {
        None => command::erd(environment).await?,
        Some(revision) => {
            let highlight = if changes {
                Highlight::Changes
            } else {
                Highlight::Nothing
            };
            let stop = CancellationToken::new();
            let signals = Signals::listen(&stop);
            let target = revision.parse()?;
            signals.told(command::erd_of(environment, &target, highlight, &stop).await)?
        }
    };
    match screen.format() {
        Format::Json => screen.json(&picture),
        Format::Svg => screen.line(picture.svg().trim_end()),
        // Mermaid's language is text, and the only one there is for a schema.
        _ => screen.line(picture.mermaid().trim_end()),
    }
    Ok(Ending::Done)
}
