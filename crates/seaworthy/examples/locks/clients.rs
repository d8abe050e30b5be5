//! Clients that read and write steadily, and remember how long they have waited.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use seaworthy::session::{Access, DatabaseUrl, Session, Settings};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Clients of each kind.
const CLIENTS: u64 = 2;

/// Rest between two requests of a client: about 150 reads and 80 writes in a second, together.
const REST: [Duration; 2] = [Duration::from_millis(13), Duration::from_millis(25)];

/// The longest request of each kind.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Longest {
    pub(crate) read: Duration,
    pub(crate) write: Duration,
}

pub(crate) struct Clients {
    stop: CancellationToken,
    requests: Arc<AtomicU64>,
    readers: Vec<JoinHandle<Duration>>,
    writers: Vec<JoinHandle<Duration>>,
}

impl Clients {
    pub(crate) async fn start(url: &DatabaseUrl, rows: u64) -> Self {
        let (stop, requests) = (CancellationToken::new(), Arc::new(AtomicU64::new(0)));
        let (mut readers, mut writers) = (Vec::new(), Vec::new());
        for _ in 0..CLIENTS {
            for (kind, clients) in [(0, &mut readers), (1, &mut writers)] {
                // A client waits as long as it has to: that is what is measured.
                let settings = Settings {
                    statement_timeout: Duration::ZERO,
                    ..Settings::default()
                };
                let session = Session::open(url, &settings, Access::Write).await.unwrap();
                let work = requesting(session, kind, rows, stop.clone(), Arc::clone(&requests));
                clients.push(tokio::spawn(work));
            }
        }
        Self {
            stop,
            requests,
            readers,
            writers,
        }
    }

    /// Waits until every client has done something.
    pub(crate) async fn warm_up(&self) {
        while self.requests.load(Ordering::Relaxed) < CLIENTS * 20 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    pub(crate) async fn stop(self) -> Longest {
        self.stop.cancel();
        let mut longest = Longest::default();
        for reader in self.readers {
            longest.read = longest.read.max(reader.await.unwrap());
        }
        for writer in self.writers {
            longest.write = longest.write.max(writer.await.unwrap());
        }
        longest
    }
}

async fn requesting(
    session: Session,
    kind: usize,
    rows: u64,
    stop: CancellationToken,
    requests: Arc<AtomicU64>,
) -> Duration {
    let mut longest = Duration::ZERO;
    while !stop.is_cancelled() {
        let id = fastrand::u64(1..=rows);
        let sql = match kind {
            0 => format!("SELECT title, done FROM tasks WHERE id = {id}"),
            _ => format!("UPDATE tasks SET done = NOT done WHERE id = {id}"),
        };
        let asked = Instant::now();
        session.rows(&sql).await.unwrap();
        longest = longest.max(asked.elapsed());
        requests.fetch_add(1, Ordering::Relaxed);
        tokio::time::sleep(REST[kind]).await;
    }
    session.close().await;
    longest
}
