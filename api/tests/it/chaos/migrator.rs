//! Migrators that are killed, and migrators that race.

use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use seaworthy::session::{Access, Session};

use crate::site::Site;

pub(super) struct Migrator<'a> {
    site: &'a Site,
    program: PathBuf,
}

/// Finds rows while a migrator is in the middle of an index, and in the middle of a backfill.
const MOMENTS: [&str; 2] = [
    "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND query ILIKE '% INDEX CONCURRENTLY %' \
     AND state = 'active' AND pid <> pg_backend_pid()",
    "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'UPDATE \"seaworthy_backfills\"%' \
     AND state IN ('active', 'idle in transaction') AND pid <> pg_backend_pid()",
];

impl<'a> Migrator<'a> {
    pub(super) fn of(site: &'a Site) -> Self {
        // `target/debug/deps/it-0123456789abcdef` runs, `target/debug/examples/migrator` lies beside its folder.
        let own = std::env::current_exe().unwrap();
        let program = own.ancestors().nth(2).unwrap().join("examples/migrator");
        assert!(
            program.exists(),
            "{} is missing: cargo builds it for all tests of the package, but not with --test it",
            program.display()
        );
        Self { site, program }
    }

    /// Starts and kills migrators: some at any moment, one in the middle of an index and one in the middle of a backfill.
    /// Returns whether each of those two was met.
    pub(super) async fn is_killed_on_the_way(&self, way: &str) -> [bool; 2] {
        for _ in 0..3 {
            let mut running = self.start(way);
            tokio::time::sleep(Duration::from_millis(fastrand::u64(1..400))).await;
            drop(running.kill());
            running.wait().unwrap();
        }
        let mut met = [false; 2];
        if self.site.is_postgres() {
            for (moment, met) in MOMENTS.into_iter().zip(&mut met) {
                *met = self.is_killed_when(way, moment).await;
            }
        }
        met
    }

    /// A run that has nothing of the kind left to do ends by itself, and nothing was met.
    async fn is_killed_when(&self, way: &str, moment: &str) -> bool {
        let session = Session::open(self.site.database.url(), &Default::default(), Access::Read)
            .await
            .unwrap();
        let mut running = self.start(way);
        let mut is_met = false;
        while !is_met && running.try_wait().unwrap().is_none() {
            is_met = !session.rows(moment).await.unwrap().is_empty();
        }
        drop(running.kill());
        running.wait().unwrap();
        session.close().await;
        is_met
    }

    /// Two that start at once; both must end well.
    pub(super) async fn run_two(&self, way: &str) {
        let both = [self.start(way), self.start(way)];
        for running in both {
            let output = tokio::task::spawn_blocking(|| running.wait_with_output())
                .await
                .unwrap()
                .unwrap();
            self.assert_success(way, &output);
        }
    }

    fn assert_success(&self, way: &str, output: &Output) {
        assert!(
            output.status.success(),
            "{way}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }

    fn start(&self, way: &str) -> Child {
        Command::new(&self.program)
            .args(way.split_whitespace())
            .env("DATABASE_URL", self.site.database.address())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }
}
