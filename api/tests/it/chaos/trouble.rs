//! Transactions that stay open, and SQL of somebody who takes care of nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio_postgres::{Client, NoTls};

use crate::site::Site;

/// One transaction after the other that has read tasks and then does nothing.
pub(super) struct Trouble {
    stop: Arc<AtomicBool>,
    is_open: Arc<AtomicBool>,
    task: Option<JoinHandle<()>>,
}

impl Trouble {
    /// SQLite has none of it: what reads there is in nobody's way.
    pub(super) async fn start(site: &Site, open: Duration) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let is_open = Arc::new(AtomicBool::new(false));
        let task = match site.is_postgres() {
            true => {
                let client = connect(site).await;
                Some(tokio::spawn(stay_open(
                    client,
                    open,
                    Arc::clone(&stop),
                    Arc::clone(&is_open),
                )))
            }
            false => None,
        };
        Self { stop, is_open, task }
    }

    /// Waits for a transaction.
    pub(super) async fn is_open(&self) {
        while !self.is_open.load(Ordering::Relaxed) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    pub(super) async fn end(self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(task) = self.task {
            task.await.unwrap();
        }
    }
}

async fn stay_open(client: Client, open: Duration, stop: Arc<AtomicBool>, is_open: Arc<AtomicBool>) {
    while !stop.load(Ordering::Relaxed) {
        client
            .batch_execute("BEGIN; SELECT id FROM tasks LIMIT 1")
            .await
            .unwrap();
        is_open.store(true, Ordering::Relaxed);
        tokio::time::sleep(open).await;
        client.batch_execute("COMMIT").await.unwrap();
        is_open.store(false, Ordering::Relaxed);
        tokio::time::sleep(open / 4).await;
    }
}

/// Sends statements one after the other past everything.
pub(super) async fn send(site: &Site, statements: &[&str]) {
    let client = connect(site).await;
    for statement in statements {
        client.batch_execute(statement).await.unwrap();
    }
}

async fn connect(site: &Site) -> Client {
    let (client, connection) = tokio_postgres::connect(site.database.address(), NoTls)
        .await
        .unwrap();
    tokio::spawn(connection);
    client
}
