//! What a run shows while it runs: a line for each step, and on a terminal what the running one is waiting for.

use std::collections::HashSet;
use std::io::IsTerminal;
use std::sync::Mutex;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use seaworthy::backfill;
use seaworthy::revision::Direction;
use seaworthy::runner::{Manner, Observer, StepOutcome, StepReport, Work};
use seaworthy::session::{Blocker, Holder, ServerProgress};

use super::lists::parents;
use super::{Screen, backfills, blocker, counted, duration};

/// Shows a run.
pub(crate) struct Progress<'a> {
    screen: &'a Screen,
    bar: Option<ProgressBar>,
    said: Mutex<HashSet<String>>,
}

impl<'a> Progress<'a> {
    pub(crate) fn new(screen: &'a Screen) -> Self {
        let bar = (std::io::stderr().is_terminal() && !screen.is_json()).then(|| {
            let bar = ProgressBar::new_spinner();
            let style = ProgressStyle::with_template("{spinner} [{pos}/{len}] {wide_msg} {elapsed}");
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
            bar
        });
        Self {
            screen,
            bar,
            said: Mutex::default(),
        }
    }

    /// Tells who has the migration lock, once for each holder.
    pub(crate) fn waiting(&self, holder: Option<&Holder>, waited: Duration) {
        let text = match holder {
            Some(holder) => format!(
                "waiting: {} (process {}, {}) is migrating, for {} now",
                holder.who,
                holder.pid,
                holder.doing,
                duration(u128::try_from(holder.held_ms).unwrap_or_default())
            ),
            None => format!(
                "waiting for the migration lock, for {} now",
                duration(waited.as_millis())
            ),
        };
        match &self.bar {
            Some(bar) => bar.set_message(text),
            None => self.once(
                &holder.map_or_else(String::new, |holder| holder.pid.to_string()),
                &text,
            ),
        }
    }

    fn once(&self, key: &str, text: &str) {
        let Ok(mut said) = self.said.lock() else { return };
        if said.insert(key.to_owned()) {
            self.screen.note(text);
        }
    }

    fn print(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| self.screen.line(text)),
            None => self.screen.line(text),
        }
    }
}

impl Drop for Progress<'_> {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

impl Observer for Progress<'_> {
    fn step_started(&self, work: &Work<'_>, index: usize, total: usize) {
        if let Manner::Parts(parts) = &work.manner
            && let Some(begun) = parts.begun
        {
            let (id, done, all) = (&work.header.id, parts.done, counted(parts.all.len(), "part"));
            self.screen.note(&match done < begun {
                false => format!("going on with {id}: a run that died left {done} of {all} done"),
                true => {
                    format!("beginning {id} anew: a run died halfway, and what it builds on was undone since")
                }
            });
        }
        if let Some(bar) = &self.bar {
            bar.enable_steady_tick(Duration::from_millis(100));
            bar.set_length(total as u64);
            bar.set_position(index as u64 + 1);
            bar.set_message(title(
                work.direction,
                &parents(&work.header.revises),
                work.header.id.as_str(),
            ));
        }
    }

    fn step_blocked(&self, _work: &Work<'_>, blockers: &[Blocker]) {
        for one in blockers {
            match &self.bar {
                Some(bar) => bar.set_message(blocker(one)),
                None => self.once(&one.pid.to_string(), &blocker(one)),
            }
        }
    }

    fn step_retried(&self, work: &Work<'_>, attempt: u32, pause: Duration, _blockers: &[Blocker]) {
        let text = format!(
            "{}: try {attempt} did not get its lock and was rolled back; again in {}",
            work.header.id,
            duration(pause.as_millis())
        );
        match &self.bar {
            Some(bar) => bar.suspend(|| self.screen.note(&text)),
            None => self.screen.note(&text),
        }
    }

    fn backfill_progressed(&self, _work: &Work<'_>, progress: &backfill::Progress) {
        let text = backfills::progress(progress);
        match &self.bar {
            Some(bar) => bar.set_message(text),
            // Without a terminal one line says where it begins, and one each time it is held up.
            None => {
                let kind = progress.held_up.map(|held_up| std::mem::discriminant(&held_up));
                self.once(&format!("{} {kind:?}", progress.name), &text);
            }
        }
    }

    fn statement_progressed(&self, _work: &Work<'_>, progress: &ServerProgress) {
        let mut text = format!("{}: {}", progress.command, progress.phase);
        if progress.total > 0 {
            let percent = progress.done.saturating_mul(100) / progress.total;
            text.push_str(&format!(", {percent} %"));
        }
        if let Some(pid) = progress.waits_for {
            text.push_str(&format!(", for the transaction of process {pid}"));
        }
        match &self.bar {
            Some(bar) => bar.set_message(text),
            // Without a terminal one line for each phase.
            None => self.once(&progress.phase, &text),
        }
    }

    fn step_finished(&self, report: &StepReport) {
        if self.screen.is_json() {
            return;
        }
        let mut text = format!(
            "Running {}",
            title(
                report.direction,
                &parents(&report.revises),
                report.revision.as_str()
            )
        );
        if !report.message.is_empty() {
            text.push_str(&format!(", {}", report.message));
        }
        let remark = match report.outcome {
            StepOutcome::Done => duration(report.duration.as_millis()),
            StepOutcome::Elsewhere => "another tool did it meanwhile".to_owned(),
        };
        self.print(&format!("{text} ({remark})"));
    }
}

fn title(direction: Direction, parents: &str, revision: &str) -> String {
    match direction {
        Direction::Up => format!("upgrade {parents} -> {revision}"),
        Direction::Down => format!("downgrade {revision} -> {parents}"),
    }
}
