//! `graph`: pictures.

use seaworthy::command::{self, Indicate};
use seaworthy::environment::Environment;

use crate::args::Format;
use crate::exit::{Ending, Failure};
use crate::output::Screen;

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
