//! One answer for all who ask the same at the same time.

use std::time::Instant;

use tokio::sync::Mutex;

/// The last answer, and when it began to be asked for.
#[derive(Debug, Default)]
pub(super) struct Shared<T>(Mutex<Option<(Instant, T)>>);

impl<T: Clone> Shared<T> {
    /// Returns an answer that was asked for after this call began: the next one, for everybody who waits for the one before.
    pub(super) async fn ask(&self, ask: impl AsyncFnOnce() -> T) -> T {
        let came = Instant::now();
        let mut last = self.0.lock().await;
        if let Some((begun, answer)) = &*last
            && *begun >= came
        {
            return answer.clone();
        }
        let begun = Instant::now();
        let answer = ask().await;
        *last = Some((begun, answer.clone()));
        answer
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::time::Duration;

    use futures_util::future::join_all;

    use super::*;

    #[tokio::test]
    async fn many_at_once_share_one_question_and_nobody_gets_an_old_answer() {
        let (shared, asked) = (Shared::default(), AtomicU32::new(0));
        let ask = async || {
            tokio::time::sleep(Duration::from_millis(20)).await;
            asked.fetch_add(1, Ordering::Relaxed) + 1
        };
        let answers = join_all((0..500).map(|_| shared.ask(ask))).await;
        // The first begins at once; all others came before the second began.
        assert_eq!((answers[0], asked.load(Ordering::Relaxed)), (1, 2));
        assert!(answers[1..].iter().all(|answer| *answer == 2));
        assert_eq!(shared.ask(ask).await, 3);
    }
}
