//! `lint`: scripts from files, revisions, what a branch changes of either, and the pages of the rules.

use std::io::Read;
use std::path::Path;

use seaworthy::command::{self, LintSelection, LintedStep};
use seaworthy::environment::Environment;
use seaworthy::lint::{Context, Hazard, RULES, Server, Surrounding, lint, merge_repeats, rule};
use seaworthy::session::DatabaseUrl;

use crate::args::Lint;
use crate::exit::{Ending, Failure};
use crate::git::{Changes, changes_since};
use crate::output::hazards::Script;
use crate::output::{Screen, hazards};
use crate::settings::folder;

/// The major version of PostgreSQL whose rules hold where nobody names one.
const DEFAULT_VERSION: u8 = 15;

/// How a migration of sqlx begins that is run without a transaction.
const NO_TRANSACTION: &str = "-- no-transaction";

pub(super) async fn run(environment: &Environment, asked: &Lint, screen: &Screen) -> Result<Ending, Failure> {
    if let Some(code) = &asked.explain {
        return explain(code, screen);
    }
    let changes = asked.git_base.as_deref().map(changes_since).transpose()?;
    if !asked.sql.is_empty() {
        return scripts(environment, asked, changes.as_ref(), screen);
    }
    let selection = match &changes {
        Some(changes) => changed(environment, asked, changes, screen),
        None => selection(asked)?,
    };
    let mut steps = command::lint(environment, &selection, server(environment, asked)).await?;
    for step in &mut steps {
        if !asked.down {
            step.demote_undoing();
        }
        step.hazards = merge_repeats(std::mem::take(&mut step.hazards));
    }
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

/// Looks at each script by itself.
fn scripts(
    environment: &Environment,
    asked: &Lint,
    changes: Option<&Changes>,
    screen: &Screen,
) -> Result<Ending, Failure> {
    let mut context = Context::default()
        .on(server_of_scripts(asked))
        .settings(&environment.lint);
    if let Some(schema) = &asked.schema {
        context = context.schema(&read(schema)?);
        hazards::unread(screen, schema, context.unread());
    }
    if asked.no_transaction {
        context = context.surrounded_by(Surrounding::Nothing);
    }
    let is_meant = |path: &Path| changes.is_none_or(|changes| is_standard_input(path) || changes.has(path));
    let mut found = Vec::new();
    for path in asked.sql.iter().filter(|path| is_meant(path)) {
        let text = read(path)?;
        let context = match text.starts_with(NO_TRANSACTION) {
            true => context.clone().surrounded_by(Surrounding::Nothing),
            false => context.clone(),
        };
        found.push(Script {
            file: path.display().to_string(),
            hazards: merge_repeats(lint(&text, &context)),
        });
    }
    match (found.as_slice(), asked.sql.as_slice()) {
        ([script], [_]) => hazards::script(screen, script, context.unread()),
        _ => hazards::scripts(screen, &found, context.unread()),
    }
    Ok(ending(found.iter().flat_map(|script| &script.hazards)))
}

/// Returns the revisions whose files a branch adds or changes.
fn changed(environment: &Environment, asked: &Lint, changes: &Changes, screen: &Screen) -> LintSelection {
    let names = environment.headers().iter().map(|header| header.name.as_str());
    let changed = changes.named(&folder(&asked.place), names);
    match changed.as_slice() {
        [] => screen.note("no revision was added or changed"),
        names => screen.note(&format!("added or changed: {}", names.join(", "))),
    }
    LintSelection::Named(changed)
}

/// Returns what will run the revisions: what was asked for, or a server of the kind that the database address names.
fn server(environment: &Environment, asked: &Lint) -> Server {
    let is_sqlite_address = || environment.database.as_ref().is_some_and(DatabaseUrl::is_sqlite);
    match asked.pg {
        None if is_sqlite_address() => Server::Sqlite,
        _ => server_of_scripts(asked),
    }
}

/// Returns what will run scripts: what was asked for, or PostgreSQL, since nothing of them is sent to the database address.
fn server_of_scripts(asked: &Lint) -> Server {
    match asked.sqlite {
        true => Server::Sqlite,
        false => Server::Postgres(asked.pg.unwrap_or(DEFAULT_VERSION)),
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
    if is_standard_input(path) {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).map_err(failure)?;
        return Ok(text);
    }
    std::fs::read_to_string(path).map_err(failure)
}

fn is_standard_input(path: &Path) -> bool {
    path == Path::new("-")
}
