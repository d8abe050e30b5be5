//! Carries out what must not happen twice, and sweeps keys whose time is over.

use std::time::Duration;

use super::memory::Recall;
use super::{Failure, Outcome, Principal, Seen, Services};
use crate::domain::{Keyed, Reply};
use crate::store::Scope;

/// How a request that makes something is answered.
pub(crate) struct Posted<'a, T> {
    /// What it is called, when it must not happen twice.
    pub(crate) keyed: Option<&'a Keyed>,
    /// Writes the answer.
    pub(crate) write: &'a (dyn Fn(&Seen<T>) -> Reply + Sync),
}

impl<T> Posted<'static, T> {
    /// Nobody waits for an answer.
    pub(crate) fn unanswered() -> Self {
        Self {
            keyed: None,
            write: &|_| Reply::default(),
        }
    }
}

/// The answer to a request that makes something.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) reply: Reply,
    /// Whether it was carried out before, and this is the answer from then.
    pub(crate) is_repeated: bool,
    /// Whether only this process knows of it.
    pub(crate) is_of_process: bool,
}

/// How often keys whose time is over are looked for, on average.
const SWEEP_EVERY: Duration = Duration::from_secs(60);
/// Between two batches.
const SWEEP_PAUSE: Duration = Duration::from_millis(200);

impl Services {
    pub(super) async fn post<T, F>(
        &self,
        principal: &Principal,
        posted: Posted<'_, T>,
        work: impl Fn(Scope) -> F,
    ) -> Result<Answer, Failure>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        let write = posted.write;
        if let Some(keyed) = posted.keyed {
            // Much larger than the work itself, which most requests do without a key.
            return Box::pin(self.post_once(principal, keyed, write, work)).await;
        }
        let seen = self.run(principal, work).await?;
        Ok(Answer {
            reply: write(&seen),
            is_repeated: false,
            is_of_process: false,
        })
    }

    async fn post_once<T, F>(
        &self,
        principal: &Principal,
        keyed: &Keyed,
        write: &(dyn Fn(&Seen<T>) -> Reply + Sync),
        work: impl Fn(Scope) -> F,
    ) -> Result<Answer, Failure>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        let now = self.now();
        let turn = match self.recall(principal, keyed).await? {
            Recall::Turn(turn) => turn,
            Recall::Foreign => return Err(Failure::KeyReused),
            Recall::Taken => return Err(Failure::KeyInProgress),
            Recall::Answered(reply, _) => {
                return Ok(Answer {
                    reply,
                    is_repeated: true,
                    is_of_process: !self.keeps_answers(),
                });
            }
        };
        let work = &work;
        let outcome = self
            .store
            .run_once(
                principal,
                keyed,
                now,
                |scope| {
                    let revision = scope.revision().to_owned();
                    async move {
                        let value = work(scope).await?;
                        Ok(Seen { value, revision })
                    }
                },
                write,
            )
            .await?;
        let (reply, is_repeated, is_of_process) = match outcome {
            Outcome::Kept(reply) => (reply, false, false),
            Outcome::Unkept(reply) => (reply, false, true),
            Outcome::Repeated(reply) => (reply, true, false),
        };
        if !is_repeated {
            turn.keep(&reply, now);
        }
        Ok(Answer {
            reply,
            is_repeated,
            is_of_process,
        })
    }

    /// Looks up what this process remembers, apart from what it answered to somebody who was deleted since and came back: another
    /// process may have done that.
    async fn recall(&self, principal: &Principal, keyed: &Keyed) -> Result<Recall, Failure> {
        let recalled = self.memory.recall(&principal.id, keyed, self.now());
        let Recall::Answered(_, since) = &recalled else {
            return Ok(recalled);
        };
        let user = self.run(principal, |scope| async move { scope.user().await });
        match user.await {
            Ok(user) if user.value.created_at.is_none_or(|created| created <= *since) => return Ok(recalled),
            Ok(_) | Err(Failure::NotFound) => {}
            Err(failure) => return Err(failure),
        }
        self.memory.forget(&principal.id);
        Ok(self.memory.recall(&principal.id, keyed, self.now()))
    }

    /// Removes keys whose time is over, again and again; ends only with the task that runs it.
    pub(crate) async fn sweep_keys(self) {
        loop {
            // Replicas that were started together do not sweep together.
            tokio::time::sleep(SWEEP_EVERY.mul_f32(0.5 + fastrand::f32())).await;
            if let Err(error) = self.sweep_keys_once().await {
                tracing::debug!(error = %error, "the keys could not be swept; the next round will");
            }
        }
    }

    /// Removes the keys whose time is over, in batches.
    pub(crate) async fn sweep_keys_once(&self) -> Result<(), Failure> {
        while self.store.sweep_keys(self.now()).await? {
            tokio::time::sleep(SWEEP_PAUSE).await;
        }
        Ok(())
    }
}
