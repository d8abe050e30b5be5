//! Carries out what must not happen twice.

use super::memory::Recall;
use super::{Failure, Principal, Seen, Services};
use crate::domain::{Feature, Instant, Keyed, Record};
use crate::store::{Claim, Scope};

/// What a request is called that must not be carried out twice, and what is to be said when it comes again.
pub(crate) struct UnderKey<'a, T> {
    pub(crate) keyed: &'a Keyed,
    pub(crate) record: Recorder<'a, T>,
}

/// Writes down what is said to whoever has asked.
type Recorder<'a, T> = Box<dyn Fn(&Seen<T>) -> Record + Send + Sync + 'a>;

/// What became of a request that makes something.
pub(crate) enum Posted<T> {
    /// It was carried out, as often as it comes.
    Done(Seen<T>),
    /// It was carried out under a key.
    Recorded(Recorded),
}

/// What is said to a request under a key.
#[derive(Clone, Debug)]
pub(crate) struct Recorded {
    pub(crate) record: Record,
    /// Whether it was carried out before, and this is the answer from then.
    pub(crate) is_repeated: bool,
    /// Whether only this process knows of it.
    pub(crate) is_of_process: bool,
}

impl Services {
    pub(super) async fn post<T, F>(
        &self,
        principal: &Principal,
        under_key: Option<UnderKey<'_, T>>,
        work: impl Fn(Scope) -> F,
    ) -> Result<Posted<T>, Failure>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        match under_key {
            None => Ok(Posted::Done(self.run(principal, work).await?)),
            // Much larger than the work itself, which most requests do without a key.
            Some(under_key) => {
                let recorded = Box::pin(self.post_once(principal, &under_key, work)).await?;
                Ok(Posted::Recorded(recorded))
            }
        }
    }

    async fn post_once<T, F>(
        &self,
        principal: &Principal,
        under_key: &UnderKey<'_, T>,
        work: impl Fn(Scope) -> F,
    ) -> Result<Recorded, Failure>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        let (now, work) = (self.now(), &work);
        let turn = match self.recall(principal, under_key.keyed).await? {
            Recall::Turn(turn) => turn,
            Recall::Foreign => return Err(Failure::KeyReused),
            Recall::Taken => return Err(Failure::KeyInProgress),
            Recall::Answered(record, _) => {
                return Ok(Recorded {
                    record,
                    is_repeated: true,
                    is_of_process: !self.keeps_answers(),
                });
            }
        };
        let recorded = self
            .store
            .run(principal, |scope| async move {
                let is_of_process = !scope.has(Feature::IdempotencyKeys);
                if !is_of_process && let Some(record) = claimed(&scope, under_key.keyed, now).await? {
                    return Ok(Recorded {
                        record,
                        is_repeated: true,
                        is_of_process,
                    });
                }
                let revision = scope.revision().to_owned();
                let value = work(scope.clone()).await?;
                let record = (under_key.record)(&Seen { value, revision });
                if !is_of_process {
                    scope.keep(under_key.keyed, &record).await?;
                }
                Ok(Recorded {
                    record,
                    is_repeated: false,
                    is_of_process,
                })
            })
            .await?;
        if !recorded.is_repeated {
            turn.keep(&recorded.record, now);
        }
        Ok(recorded)
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
}

/// Makes a key ours, or returns what was answered under it. What follows commits together with the answer, so that doing it once
/// more when the schema has moved underneath is safe.
async fn claimed(scope: &Scope, keyed: &Keyed, now: Instant) -> Result<Option<Record>, Failure> {
    scope.begin().await?;
    match scope.claim(keyed, now).await? {
        Claim::Made => Ok(None),
        Claim::Foreign => Err(Failure::KeyReused),
        Claim::Taken => Err(Failure::KeyInProgress),
        Claim::Answered(record) => Ok(Some(record)),
    }
}
