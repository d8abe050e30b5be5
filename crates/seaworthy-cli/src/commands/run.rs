//! The verbs that change a database: with consent, with progress, and stoppable by a signal.

use std::io::{BufRead, Write};

use seaworthy::command::{
    self, Category, CommandError, Conduct, Living, OfflineScript, OutOfOrder, Purge, Stakes,
};
use seaworthy::environment::Environment;
use seaworthy::graph::{HistoryRange, Target};
use seaworthy::revision::Stage;
use tokio_util::sync::CancellationToken;

use super::targets;
use crate::args::{General, InUse};
use crate::exit::{Ending, Failure};
use crate::output::progress::Progress;
use crate::output::{Screen, reports};
use crate::signals::Signals;

/// What every verb here works with.
pub(super) struct Runner<'a> {
    pub(super) environment: &'a Environment,
    pub(super) general: &'a General,
    pub(super) screen: &'a Screen,
}

/// How far a run goes.
#[derive(Clone, Copy)]
pub(super) struct Bounds {
    /// The last stage.
    pub(super) through: Stage,
    /// Whether running applications count.
    pub(super) in_use: InUse,
}

impl Default for Bounds {
    fn default() -> Self {
        Self::from(InUse {
            through_contract: false,
        })
    }
}

impl From<InUse> for Bounds {
    fn from(in_use: InUse) -> Self {
        Self {
            through: Stage::Contract,
            in_use,
        }
    }
}

impl Runner<'_> {
    pub(super) async fn upgrade(
        &self,
        target: &str,
        sql: bool,
        allow: bool,
        bounds: Bounds,
    ) -> Result<Ending, Failure> {
        let (from, to) = self.range(target, sql)?;
        if sql {
            return self
                .script(&command::upgrade_sql(self.environment, from.as_ref(), &to, bounds.through).await?);
        }
        self.conduct(bounds, async |conduct| {
            command::upgrade(self.environment, &to, out_of_order(allow), conduct).await
        })
        .await
        .map(|outcome| self.shown(reports::outcome, &outcome))
    }

    pub(super) async fn downgrade(&self, target: &str, sql: bool, in_use: InUse) -> Result<Ending, Failure> {
        let (from, to) = self.range(target, sql)?;
        if sql {
            return self.script(&command::downgrade_sql(self.environment, from.as_ref(), &to).await?);
        }
        self.conduct(in_use.into(), async |conduct| {
            command::downgrade(self.environment, &to, conduct).await
        })
        .await
        .map(|outcome| self.shown(reports::outcome, &outcome))
    }

    pub(super) async fn stamp(
        &self,
        revisions: &[String],
        purge: bool,
        sql: bool,
    ) -> Result<Ending, Failure> {
        if sql && purge {
            return Err(CommandError::BadFlags {
                first: "--purge",
                second: "--sql",
            }
            .into());
        }
        if sql {
            let (from, to) = match revisions {
                [one] => self.range(one, sql).map(|(from, to)| (from, vec![to]))?,
                several => (None, targets(several)?),
            };
            return self.script(&command::stamp_sql(self.environment, from.as_ref(), &to).await?);
        }
        let targets = targets(revisions)?;
        let purge = if purge { Purge::All } else { Purge::Keep };
        self.conduct(Bounds::default(), async |conduct| {
            command::stamp(self.environment, &targets, purge, conduct).await
        })
        .await
        .map(|stamped| self.shown(reports::stamped, &stamped))
    }

    pub(super) async fn adopt(&self, version_table: &str) -> Result<Ending, Failure> {
        self.conduct(Bounds::default(), async |conduct| {
            command::adopt(self.environment, version_table, conduct).await
        })
        .await
        .map(|adopted| self.shown(reports::adopted, &adopted))
    }

    pub(super) async fn up(&self, num: Option<usize>, allow: bool, in_use: InUse) -> Result<Ending, Failure> {
        self.conduct(in_use.into(), async |conduct| {
            command::up(self.environment, num, out_of_order(allow), conduct).await
        })
        .await
        .map(|outcome| self.shown(reports::outcome, &outcome))
    }

    pub(super) async fn down(&self, num: usize, in_use: InUse) -> Result<Ending, Failure> {
        self.conduct(in_use.into(), async |conduct| {
            command::down(self.environment, Some(num), conduct).await
        })
        .await
        .map(|outcome| self.shown(reports::outcome, &outcome))
    }

    pub(super) async fn fresh(&self) -> Result<Ending, Failure> {
        self.conduct(Bounds::default(), async |conduct| {
            command::fresh(self.environment, conduct).await
        })
        .await
        .map(|outcome| self.shown(reports::outcome, &outcome))
    }

    pub(super) async fn refresh(&self, in_use: InUse) -> Result<Ending, Failure> {
        self.conduct(in_use.into(), async |conduct| {
            command::refresh(self.environment, conduct).await
        })
        .await
        .map(|outcome| self.shown(reports::outcome, &outcome))
    }

    pub(super) async fn reset(&self, in_use: InUse) -> Result<Ending, Failure> {
        self.conduct(in_use.into(), async |conduct| {
            command::reset(self.environment, conduct).await
        })
        .await
        .map(|outcome| self.shown(reports::outcome, &outcome))
    }

    /// Runs a command with progress on the screen, asking before something is destroyed, and stopping at a signal.
    async fn conduct<T>(
        &self,
        bounds: Bounds,
        run: impl AsyncFnOnce(&Conduct<'_>) -> Result<T, CommandError>,
    ) -> Result<T, Failure> {
        let stop = CancellationToken::new();
        let signals = Signals::listen(&stop);
        let progress = Progress::new(self.screen);
        let result = {
            let limits = &self.general.limits;
            let conduct = Conduct {
                wait: limits.wait,
                retries: limits.lock_retries.unwrap_or(u32::MAX),
                stop,
                observer: &progress,
                waiting: &|holder, waited| progress.waiting(holder, waited),
                through: bounds.through,
                living: match bounds.in_use.through_contract {
                    true => Living::Ignore,
                    false => Living::Heed,
                },
                consent: &|stakes| self.consents(stakes, &signals),
            };
            run(&conduct).await
        };
        drop(progress);
        result.map_err(|error| match (error.category(), signals.code()) {
            (Category::Stopped, Some(code)) => Failure::Stopped { code, source: error },
            _ => error.into(),
        })
    }

    /// Says what would be destroyed, and asks where there is somebody to ask.
    fn consents(&self, stakes: &Stakes, signals: &Signals) -> bool {
        if self.general.yes {
            self.screen.note(&format!("this destroys {stakes}"));
            return true;
        }
        if !self.screen.is_interactive() {
            return false;
        }
        self.screen.error(&format!("This destroys {stakes}."));
        let mut stderr = anstream::stderr();
        drop(write!(stderr, "Type yes to go on: "));
        drop(stderr.flush());
        let mut answer = String::new();
        let read = signals.while_asking(|| std::io::stdin().lock().read_line(&mut answer));
        read.is_ok() && answer.trim().eq_ignore_ascii_case("yes")
    }

    fn shown<T>(&self, show: impl Fn(&Screen, &T), answer: &T) -> Ending {
        show(self.screen, answer);
        Ending::Done
    }

    /// Shows a script: the text itself, or with its revisions and notes as JSON.
    fn script(&self, script: &OfflineScript) -> Result<Ending, Failure> {
        if self.screen.is_json() {
            self.screen.json(script);
        } else {
            self.screen.line(script.sql.trim_end());
            script.notes.iter().for_each(|note| self.screen.note(note));
        }
        Ok(Ending::Done)
    }

    /// Reads a target, or with `--sql` a range.
    fn range(&self, text: &str, sql: bool) -> Result<(Option<Target>, Target), Failure> {
        if !text.contains(':') {
            return Ok((None, text.parse()?));
        }
        if !sql {
            let message = format!("the range '{text}' needs --sql: a run starts where the database stands");
            return Err(Failure::Usage { message });
        }
        let range: HistoryRange = text.parse()?;
        let to = range.end.ok_or_else(|| Failure::Usage {
            message: format!("the range '{text}' has no end"),
        })?;
        Ok((Some(range.start.unwrap_or_else(Target::base)), to))
    }
}

fn out_of_order(is_allowed: bool) -> OutOfOrder {
    if is_allowed {
        OutOfOrder::Allow
    } else {
        OutOfOrder::Refuse
    }
}
