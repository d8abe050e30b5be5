//! What happened to tasks, for whoever keeps a copy of them.

use std::collections::VecDeque;
use std::time::Duration;

use super::{Failure, Principal, Seen, Services};
use crate::domain::{Changes, Feature, Instant, Since, TaskEvent, outcomes};
use crate::events::{Subscription, Woken};
use crate::store::{EventRange, Scope};

/// One who is told what happens to somebody's tasks, as it happens.
pub(crate) struct Follower {
    services: Services,
    principal: Principal,
    token: String,
    subscription: Subscription,
    since: Since,
    /// What has happened and was not told yet.
    events: VecDeque<TaskEvent>,
}

/// What a follower is told.
#[derive(Clone, Debug)]
pub(crate) enum Heard {
    /// Something happened to a task, and this is where the next begins.
    Event(TaskEvent, Since),
    /// What happened in between is not known any more; from here on it is.
    Gap(Since),
    /// Nothing, for a while.
    Nothing,
}

/// How long nothing is said at most, so that both sides notice when the other is gone.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// Most events that are read at a time.
const PAGE: u64 = 100;

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
            let (events, position) = events_since(&scope, range, since, limit).await?;
            let ids: Vec<i32> = events.iter().map(|event| event.task_id).collect();
            let tasks = scope.tasks_by_ids(&ids).await?;
            Ok(Changes {
                changes: outcomes(&events, tasks),
                next: since.at(position, now),
                has_more: range.last.is_some_and(|last| last > position),
            })
        })
        .await
    }

    /// Begins to tell somebody what happens to their tasks, from a position on or from now on. It ends when the token does.
    pub(crate) async fn follow(
        &self,
        principal: &Principal,
        token: &str,
        since: Option<Since>,
    ) -> Result<Follower, Failure> {
        let subscription = self.store.hub().subscribe(&principal.id);
        let subscription = subscription.ok_or(Failure::TooManyFollowers)?;
        let since = match since {
            Some(since) => {
                self.run(principal, |scope| async move { scope.needs(Feature::Changes) })
                    .await?;
                since
            }
            None => self.changes(principal, None, PAGE).await?.value.next,
        };
        Ok(Follower {
            services: self.clone(),
            principal: principal.clone(),
            token: token.to_owned(),
            subscription,
            since,
            events: VecDeque::new(),
        })
    }

    /// Sends all followers away, and those who come later.
    pub(crate) fn end_following(&self) {
        self.store.hub().close();
    }
}

impl Follower {
    /// Returns where the next event begins.
    pub(crate) fn since(&self) -> Since {
        self.since
    }

    /// Waits for what happens next; nothing where it ends.
    pub(crate) async fn next(&mut self) -> Option<Heard> {
        loop {
            if let Some(event) = self.events.pop_front() {
                self.since = self.since.at(event.position, self.services.now());
                return Some(Heard::Event(event, self.since));
            }
            match self.read().await {
                Ok(()) if self.events.is_empty() => {}
                Ok(()) => continue,
                Err(Failure::ChangesExpired) => {
                    let now = self.services.changes(&self.principal, None, PAGE).await.ok()?;
                    self.since = now.value.next;
                    return Some(Heard::Gap(self.since));
                }
                Err(failure) => {
                    tracing::debug!(%failure, "whoever follows changes has to come again");
                    return None;
                }
            }
            self.services.authenticate(&self.token).await.ok()?;
            match tokio::time::timeout(HEARTBEAT, self.subscription.woken()).await {
                Ok(Woken::ByNews) => {}
                Ok(Woken::ByEnd) => return None,
                Err(_) => return Some(Heard::Nothing),
            }
        }
    }

    async fn read(&mut self) -> Result<(), Failure> {
        let (now, since) = (self.services.now(), self.since);
        let seen = self.services.run(&self.principal, |scope| async move {
            let range = placed_events(&scope, Some(since), now).await?;
            events_since(&scope, range, since, PAGE).await
        });
        let (events, position) = seen.await?.value;
        if events.is_empty() {
            self.since = self.since.at(position, now);
        }
        self.events = events.into();
        Ok(())
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

/// Returns somebody's events after a position, and where the next ones begin.
async fn events_since(
    scope: &Scope,
    range: EventRange,
    since: Since,
    limit: u64,
) -> Result<(Vec<TaskEvent>, i64), Failure> {
    let last = range.last.unwrap_or(since.position);
    let events = match last > since.position {
        true => scope.events_after(since.position, limit).await?,
        false => Vec::new(),
    };
    let told = events.last().map_or(since.position, |event| event.position);
    // What is no event of a task has a position as well.
    let has_all = (events.len() as u64) < limit;
    Ok((events, if has_all { told.max(last) } else { told }))
}
