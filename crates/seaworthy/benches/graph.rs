//! What the pure part of a command costs: building a graph, planning on it, listing it, recording the SQL of a plan, and looking
//! for hazards in a script.

use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use futures_util::FutureExt;
use sea_orm::DbBackend;
use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{integer, string_len};
use seaworthy::graph::{Applied, RevisionGraph, Target};
use seaworthy::lint::{Context, lint};
use seaworthy::revision::{Direction, Header, Revision, RevisionId};
use seaworthy::script::{checksum, record};

const SIZES: [usize; 3] = [1_000, 10_000, 100_000];

/// A way to lay out revisions: its name, and the parents of the revision at a place.
type Shape = (&'static str, fn(usize) -> Vec<usize>);

/// Every revision revises the one before it.
const LINE: Shape = ("line", |place| place.checked_sub(1).into_iter().collect());

/// One after the other: a revision, three branches of three revisions that part there, and the merge of the three.
const BRANCHED: Shape = ("branched", |place| match place % 11 {
    0 => place.checked_sub(1).into_iter().collect(),
    10 => (place - 3..place).collect(),
    within => vec![place - within.min(3)],
});

fn graph(criterion: &mut Criterion) {
    for (shape, parents) in [LINE, BRANCHED] {
        for size in SIZES {
            let headers = headers(size, parents);
            let graph = RevisionGraph::build(headers.clone()).expect("the headers make a graph");
            let ids: Vec<RevisionId> = headers.iter().map(|header| header.id.clone()).collect();
            let everything = graph.applied(&ids).expect("the ids are the graph's own");
            let nothing = Applied::default();

            let mut group = criterion.benchmark_group(format!("graph/{shape}"));
            group.throughput(Throughput::Elements(size as u64));
            group.bench_with_input(BenchmarkId::new("build", size), &headers, |bencher, headers| {
                bencher.iter(|| RevisionGraph::build(headers.iter().cloned()));
            });
            group.bench_with_input(BenchmarkId::new("plan all", size), &graph, |bencher, graph| {
                bencher.iter(|| graph.upgrade(black_box(&nothing), &Target::heads()));
            });
            group.bench_with_input(
                BenchmarkId::new("plan nothing", size),
                &graph,
                |bencher, graph| {
                    bencher.iter(|| graph.upgrade(black_box(&everything), &Target::heads()));
                },
            );
            group.bench_with_input(BenchmarkId::new("undo all", size), &graph, |bencher, graph| {
                bencher.iter(|| graph.downgrade(black_box(&everything), &Target::base()));
            });
            group.bench_with_input(BenchmarkId::new("history", size), &graph, |bencher, graph| {
                bencher.iter(|| graph.history(None, black_box(&everything)));
            });
            group.finish();
        }
    }
}

fn script(criterion: &mut Criterion) {
    let revisions: Vec<CreateThing> = (0..1_000).map(CreateThing::new).collect();
    let recorded = |backend| -> Vec<Vec<String>> {
        revisions
            .iter()
            .map(|revision| statements(revision, backend))
            .collect()
    };

    let mut group = criterion.benchmark_group("script");
    group.throughput(Throughput::Elements(revisions.len() as u64));
    for backend in [DbBackend::Postgres, DbBackend::Sqlite] {
        group.bench_function(format!("record/{backend:?}"), |bencher| {
            bencher.iter(|| recorded(backend));
        });
    }
    let scripts = recorded(DbBackend::Postgres);
    group.bench_function("checksum", |bencher| {
        bencher.iter(|| {
            scripts
                .iter()
                .map(|statements| checksum(statements))
                .collect::<Vec<_>>()
        });
    });
    group.finish();
}

/// Looks for hazards in scripts of ever more tables, each with a key to the one before and an index.
fn hazards(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("lint");
    for tables in [500, 1_000, 2_000, 4_000] {
        let script = script_of(tables);
        group.throughput(Throughput::Elements(tables as u64));
        group.bench_with_input(BenchmarkId::new("tables", tables), &script, |bencher, script| {
            bencher.iter(|| lint(script, &Context::default()));
        });
    }
    group.finish();
}

fn script_of(tables: usize) -> String {
    let table = |number: usize| {
        let before = number.saturating_sub(1);
        format!(
            "CREATE TABLE t{number} (id bigint PRIMARY KEY, name text NOT NULL, before bigint REFERENCES t{before} (id));\n\
             CREATE INDEX t{number}_name ON t{number} (name);\n"
        )
    };
    (0..tables).map(table).collect()
}

fn headers(size: usize, parents: fn(usize) -> Vec<usize>) -> Vec<Header> {
    let id = |place: usize| format!("{place:012x}");
    (0..size)
        .map(|place| {
            let header = Header::new(id(place))
                .name(format!("m20260101_{place:06}_thing"))
                .message("a thing");
            parents(place)
                .into_iter()
                .fold(header, |header, parent| header.revises(id(parent)))
        })
        .collect()
}

fn statements(revision: &dyn Revision, backend: DbBackend) -> Vec<String> {
    record(revision, Direction::Up, backend)
        .now_or_never()
        .expect("a recorder answers at once")
        .sent
}

/// A revision as they mostly are: it creates a small table.
struct CreateThing {
    name: String,
    table: String,
}

impl CreateThing {
    fn new(number: usize) -> Self {
        Self {
            name: format!("m20260101_{number:06}_thing"),
            table: format!("thing_{number}"),
        }
    }
}

impl MigrationName for CreateThing {
    fn name(&self) -> &str {
        &self.name
    }
}

impl Revision for CreateThing {}

#[async_trait::async_trait]
impl MigrationTrait for CreateThing {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let table = Table::create()
            .table(Alias::new(&self.table))
            .col(integer("id").primary_key())
            .col(string_len("name", 100))
            .to_owned();
        manager.create_table(table).await
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2));
    targets = graph, script, hazards
}
criterion_main!(benches);
