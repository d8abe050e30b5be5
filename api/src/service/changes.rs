//! What happened to tasks, for whoever keeps a copy of them.

use super::{Failure, Principal, Seen, Services};
use crate::domain::{Changes, Feature, Instant, Since, outcomes};
use crate::store::{EventRange, Scope};

impl Services {
    /// Returns what happened to somebody's tasks since a position, or where the list ends now.
    pub(crate) async fn changes(
        &self,
        principal: &Principal,
        since: Option<Since>,
        limit: u64,
    ) -> Result<Seen<Changes>, Failure> {
        let now = self.now();
        self.run(principal, |scope| async move {
            let range = placed_events(&scope, since, now).await?;
            let Some(since) = since else {
                return Ok(Changes {
                    changes: Vec::new(),
                    next: Since {
                        position: range.last.unwrap_or_default(),
                        told: now,
                    },
                    has_more: false,
                });
            };
            let last = range.last.unwrap_or(since.position);
            let events = match last > since.position {
                true => scope.events_after(since.position, limit).await?,
                false => Vec::new(),
            };
            let has_all = (events.len() as u64) < limit;
            let told = events.last().map_or(since.position, |event| event.position);
            let position = if has_all { told.max(last) } else { told };
            let ids: Vec<i32> = events.iter().map(|event| event.task_id).collect();
            let tasks = scope.tasks_by_ids(&ids).await?;
            Ok(Changes {
                changes: outcomes(&events, tasks),
                next: since.at(position, now),
                has_more: last > position,
            })
        })
        .await
    }
}

/// Returns what somebody's list of events holds, where each has a position, and refuses a position that is none of it any more.
async fn placed_events(scope: &Scope, since: Option<Since>, now: Instant) -> Result<EventRange, Failure> {
    scope.needs(Feature::Changes)?;
    let position = since.map(|since| since.position);
    let mut range = scope.event_range(position).await?;
    if since.is_some_and(|since| since.is_over(now) || !range.is_known) {
        return Err(Failure::ChangesExpired);
    }
    let is_empty = range.last.is_none() && !range.has_new;
    if is_empty {
        scope.begin().await?;
        scope.begin_events(now).await?;
    }
    if is_empty || range.has_new {
        scope.place_events().await?;
        range = scope.event_range(position).await?;
    }
    Ok(range)
}
