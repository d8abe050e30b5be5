//! Backfills for people: where they stand, and how fast they go.

use seaworthy::backfill::{HeldUp, Progress, Standing, State};

use super::{Screen, duration};

/// Shows where all backfills stand.
pub(crate) fn all(screen: &Screen, standings: &[Standing]) {
    if screen.is_json() {
        return screen.json(&serde_json::json!({ "backfills": standings }));
    }
    if standings.is_empty() {
        screen.line("No backfill was begun on this database");
    }
    standings.iter().for_each(|standing| shown(screen, standing));
}

/// Shows where one backfill stands.
pub(crate) fn one(screen: &Screen, standing: &Standing) {
    if screen.is_json() {
        return screen.json(standing);
    }
    shown(screen, standing);
}

fn shown(screen: &Screen, standing: &Standing) {
    let state = match standing.state {
        State::Running if standing.is_paused => "paused",
        state => state.word(),
    };
    screen.line(&format!(
        "{} on {}: {state}, {} of about {} rows passed, {} changed",
        standing.name, standing.table, standing.seen, standing.total, standing.changed
    ));
    screen.line(&format!(
        "  rests {} of a batch's time, waits for replicas that are {} behind; last batch at {}",
        standing.rest,
        duration(standing.max_lag_ms.into()),
        standing.updated_at
    ));
    if let Some(error) = &standing.error {
        screen.line(&format!("  failed: {error}"));
    }
}

/// Returns how far a backfill has got, in a line.
pub(crate) fn progress(progress: &Progress) -> String {
    let mut text = format!(
        "backfill {}: {} of about {} rows",
        progress.name, progress.seen, progress.total
    );
    match progress.held_up {
        Some(HeldUp::Paused) => text.push_str(", paused; go on with `backfill resume`"),
        Some(HeldUp::ReplicaLag(lag)) => {
            text.push_str(&format!(
                ", waits: a replica is {} behind",
                duration(lag.as_millis())
            ));
        }
        None => {
            text.push_str(&format!(", {:.0} rows/s", progress.rate));
            if let Some(left) = progress.left {
                text.push_str(&format!(", about {} left", duration(left.as_millis())));
            }
        }
    }
    text
}
