//! One function per verb: ask the library, show the answer.

use seaworthy::environment::Environment;
use seaworthy::graph::{Splice, Target};
use seaworthy::revision::Stage;

use crate::args::{Arguments, Command, Format, General, Generate, InUse, LastStage, NewRevision};
use crate::exit::{Ending, Failure};
use crate::output::Screen;

mod backfill;
mod files;
mod inspect;
mod lint;
mod locks;
mod picture;
mod run;
mod schema;
mod verify;

/// Runs the command that was asked for.
pub(crate) async fn run(
    environment: &Environment,
    arguments: Arguments,
    screen: &Screen,
) -> Result<Ending, Failure> {
    let Arguments { general, command } = arguments;
    refuse_format(command.as_ref(), general.output)?;
    let runner = run::Runner {
        environment,
        general: &general,
        screen,
    };
    match command.unwrap_or_else(unsaid) {
        Command::Upgrade {
            target,
            sql,
            allow_out_of_order,
            stage,
            in_use,
        } => {
            let bounds = run::Bounds {
                through: last_stage(stage),
                in_use,
            };
            runner.upgrade(&target, sql, allow_out_of_order, bounds).await
        }
        Command::Downgrade { target, sql, in_use } => runner.downgrade(&target, sql, in_use).await,
        Command::Stamp {
            revisions,
            purge,
            sql,
        } => runner.stamp(&revisions, purge, sql).await,
        Command::Verify(asked) => verify::run(environment, &asked, screen).await,
        Command::Backfill { act } => backfill::run(environment, &act, screen).await,
        Command::Adopt { version_table } => runner.adopt(&version_table).await,
        Command::Up {
            num,
            allow_out_of_order,
            in_use,
        } => runner.up(num, allow_out_of_order, in_use).await,
        Command::Down { num, in_use } => runner.down(num, in_use).await,
        Command::Fresh => runner.fresh().await,
        Command::Refresh { in_use } => runner.refresh(in_use).await,
        Command::Reset { in_use } => runner.reset(in_use).await,
        Command::Current { check_heads } => inspect::current(environment, check_heads, screen).await,
        Command::History { applied: true, .. } => inspect::applied(environment, screen).await,
        Command::History {
            rev_range,
            indicate_current,
            ..
        } => inspect::history(environment, rev_range.as_deref(), indicate_current, screen).await,
        Command::Heads { check: true, .. } => inspect::check_heads(environment, screen).await,
        Command::Heads {
            resolve_dependencies, ..
        } => inspect::heads(environment, resolve_dependencies, screen),
        Command::Branches => inspect::branches(environment, screen),
        Command::Graph { indicate_current } => picture::graph(environment, indicate_current, screen).await,
        Command::Erd { revision, changes } => {
            picture::erd(environment, revision.as_deref(), changes, screen).await
        }
        Command::Show { revisions } => inspect::show(environment, &revisions, screen).await,
        Command::Plan { target, stage } => {
            inspect::plan(environment, &target, last_stage(stage), screen).await
        }
        Command::Status => inspect::status(environment, screen).await,
        Command::Locks(asked) => locks::run(environment, &general, &asked, screen).await,
        Command::Lint(asked) => lint::run(environment, &asked, screen).await,
        Command::Check(asked) => schema::check(environment, &asked, screen).await,
        Command::Diff { from, to, compare } => schema::diff(environment, &from, &to, &compare, screen).await,
        Command::Snapshot => schema::snapshot(environment, screen).await,
        Command::Revision {
            new,
            generate,
            head,
            depends_on,
        } => revision(environment, &general, (new, generate), (head, depends_on), screen).await,
        Command::Merge { revisions, new } => files::merge(environment, &revisions, &new, screen),
        Command::Generate {
            migration_name,
            place,
            ..
        } => files::generate(environment, &migration_name, &place, screen),
    }
}

/// Returns what happens when no verb is given, as with SeaORM's own command line.
fn unsaid() -> Command {
    Command::Up {
        num: None,
        allow_out_of_order: false,
        in_use: InUse {
            through_contract: false,
        },
    }
}

/// Writes a revision, empty or with what is missing.
async fn revision(
    environment: &Environment,
    general: &General,
    (new, generate): (NewRevision, Generate),
    (head, depends_on): (Option<String>, Vec<String>),
    screen: &Screen,
) -> Result<Ending, Failure> {
    if generate.autogenerate {
        let request = files::request(&new, head.as_deref(), &depends_on)?;
        return schema::generate(environment, general, (request, &new.place), &generate, screen).await;
    }
    if generate.online {
        let request = files::request(&new, head.as_deref(), &depends_on)?;
        return schema::online(environment, (&request, &new.place), &generate, screen).await;
    }
    files::revision(environment, &new, head.as_deref(), &depends_on, screen)
}

/// Refuses an answer in a format that a verb does not have.
fn refuse_format(command: Option<&Command>, format: Format) -> Result<(), Failure> {
    let (verbs, names) = match format {
        Format::Text | Format::Json => return Ok(()),
        Format::Github | Format::Sarif => (
            matches!(command, Some(Command::Lint(_))),
            "`lint` answers as github or sarif",
        ),
        Format::Dot => (
            matches!(command, Some(Command::Graph { .. })),
            "`graph` answers as dot",
        ),
        Format::Mermaid | Format::Svg => (
            matches!(command, Some(Command::Graph { .. } | Command::Erd { .. })),
            "`graph` and `erd` answer as mermaid or svg",
        ),
    };
    if verbs {
        return Ok(());
    }
    Err(Failure::Usage {
        message: format!("only {names}"),
    })
}

fn last_stage(stage: LastStage) -> Stage {
    match stage {
        LastStage::Expand => Stage::Expand,
        LastStage::Migrate => Stage::Migrate,
        LastStage::Contract => Stage::Contract,
    }
}

fn targets(texts: &[String]) -> Result<Vec<Target>, Failure> {
    texts.iter().map(|text| Ok(text.parse()?)).collect()
}

fn splice(is_allowed: bool) -> Splice {
    if is_allowed { Splice::Allow } else { Splice::Refuse }
}
