//! `lint`: scripts from files, revisions, and the pages of the rules.

use std::io::Read;
use std::path::Path;

use seaworthy::command::{self, LintSelection, LintedStep};
use seaworthy::environment::Environment;
use seaworthy::lint::{Context, Hazard, RULES, Server, Surrounding, lint, rule};

use crate::args::Lint;
use crate::exit::{Ending, Failure};
use crate::output::{Screen, hazards};

pub(super) async fn run(environment: &Environment, asked: &Lint, screen: &Screen) -> Result<Ending, Failure> {
    if let Some(code) = &asked.explain {
        return explain(code, screen);
    }
    if let Some(path) = &asked.sql {
        let found = script(asked, path)?;
        hazards::script(screen, &path.display().to_string(), &found);
        return Ok(ending(found.iter()));
    }
    let steps = command::lint(environment, &selection(asked)?, server(asked)).await?;
    hazards::revisions(screen, &steps);
    Ok(ending(steps.iter().flat_map(|step: &LintedStep| &step.hazards)))
}

fn explain(code: &str, screen: &Screen) -> Result<Ending, Failure> {
    let Some(found) = rule(code) else {
        let codes: Vec<&str> = RULES.iter().map(|rule| rule.code).collect();
        return Err(Failure::Usage {
            message: format!("there is no rule '{code}'; there are {}", codes.join(", ")),
        });
    };
    screen.line(found.page.trim_end());
    Ok(Ending::Done)
}

fn script(asked: &Lint, path: &Path) -> Result<Vec<Hazard>, Failure> {
    let sql = read(path)?;
    let mut context = Context::default().on(server(asked));
    if let Some(schema) = &asked.schema {
        context = context.schema(&read(schema)?);
    }
    if asked.no_transaction {
        context = context.surrounded_by(Surrounding::Nothing);
    }
    Ok(lint(&sql, &context))
}

fn server(asked: &Lint) -> Server {
    if asked.sqlite {
        Server::Sqlite
    } else {
        Server::Postgres(asked.pg)
    }
}

fn selection(asked: &Lint) -> Result<LintSelection, Failure> {
    Ok(match asked.target.as_deref() {
        None if asked.all => LintSelection::All,
        None => LintSelection::Heads,
        Some(range) if range.contains(':') => LintSelection::Range(range.parse()?),
        Some(target) => LintSelection::One(target.parse()?),
    })
}

fn ending<'a>(mut hazards: impl Iterator<Item = &'a Hazard>) -> Ending {
    if hazards.any(Hazard::is_open_error) {
        Ending::CheckSaysNo
    } else {
        Ending::Done
    }
}

fn read(path: &Path) -> Result<String, Failure> {
    let failure = |source| Failure::File {
        path: path.to_owned(),
        source,
    };
    if path == Path::new("-") {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).map_err(failure)?;
        return Ok(text);
    }
    std::fs::read_to_string(path).map_err(failure)
}
