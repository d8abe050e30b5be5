//! Pairs of schemas of PostgreSQL: what is found turns one into the other, nothing is left to find, undoing it brings the first
//! one back, and rows and numbers stay what they were.

use insta::assert_snapshot;
use sea_orm::ConnectionTrait;
use seaworthy::autogenerate::{DiffError, Difference, Operation, Policy, Wanted, diff, render, sql};
use seaworthy::catalog::{Catalog, Column, Dialect, Numbering, Scope, Sequence, Table, inspect};
use seaworthy::lint::{Context, Surrounding, lint};
use seaworthy::session::Session;
use seaworthy::verify::{ScratchDatabase, drift};

use crate::clients::ask;
use crate::databases::{postgres, session};

/// Two databases, one of which becomes the other.
struct Pair {
    databases: [ScratchDatabase; 2],
    sessions: [Session; 2],
}

impl Pair {
    async fn new() -> Option<Self> {
        let databases = [postgres().await?, postgres().await?];
        let sessions = [session(&databases[0]).await, session(&databases[1]).await];
        Some(Self { databases, sessions })
    }

    async fn load(&self, place: usize, ddl: &str) {
        let all = format!("DROP SCHEMA public CASCADE; CREATE SCHEMA public; {ddl}");
        let connection = self.sessions[place].connection();
        connection.execute_unprepared(&all).await.unwrap();
    }

    async fn catalog(&self, place: usize) -> Catalog {
        inspect(self.sessions[place].connection(), &Scope::default())
            .await
            .unwrap()
    }

    async fn send(&self, before: &Catalog, operations: &[Operation]) {
        for statement in sql(before, operations).unwrap() {
            let sent = self.sessions[0].connection().execute_unprepared(&statement).await;
            sent.unwrap_or_else(|error| panic!("{error}\n  {statement}"));
        }
    }

    /// Has the first become the second, be undone, and become it again.
    async fn settle(&self, old: &str, new: &str) -> Difference {
        self.load(0, old).await;
        self.load(1, new).await;
        let (before, wanted) = (self.catalog(0).await, self.catalog(1).await);
        let policy = Policy {
            wanted: Wanted::Whole,
            ..Policy::default()
        };
        let found = diff(&before, &wanted, &policy).unwrap();
        self.send(&before, &found.operations).await;
        let after = self.catalog(0).await;
        assert_eq!(
            words(&diff(&after, &wanted, &policy).unwrap().operations),
            [""; 0],
            "left of {new}"
        );
        self.send(&after, &found.inverse()).await;
        let back = self.catalog(0).await;
        assert_eq!(
            words(&diff(&back, &before, &policy).unwrap().operations),
            [""; 0],
            "left of undoing {new}"
        );
        self.send(&back, &found.operations).await;
        found
    }

    async fn settle_both_ways(&self, one: &str, other: &str) {
        assert!(
            !self.settle(one, other).await.operations.is_empty(),
            "{one} is {other}"
        );
        self.settle(other, one).await;
    }

    fn ask(&self, sql: &str) -> String {
        ask(&self.databases[0], sql)
    }

    async fn remove(self) {
        for session in self.sessions {
            session.close().await;
        }
        for database in self.databases {
            database.remove().await.unwrap();
        }
    }
}

fn words(operations: &[Operation]) -> Vec<String> {
    operations.iter().map(ToString::to_string).collect()
}

#[tokio::test]
async fn what_is_in_the_way_goes_before_and_what_is_needed_comes_before() {
    let Some(pair) = Pair::new().await else {
        return;
    };
    let pairs = [
        ("CREATE TABLE t (id int PRIMARY KEY)", "CREATE TABLE t (id int)"),
        (
            "CREATE TABLE t (id int PRIMARY KEY, k int)",
            "CREATE TABLE t (id int, k int PRIMARY KEY)",
        ),
        (
            "CREATE TABLE t (n int NOT NULL DEFAULT 3)",
            "CREATE TABLE t (n int GENERATED ALWAYS AS IDENTITY)",
        ),
        (
            "CREATE TABLE t (n int NOT NULL DEFAULT 3)",
            "CREATE TABLE t (n serial)",
        ),
        (
            "CREATE TABLE t (n int GENERATED ALWAYS AS IDENTITY)",
            "CREATE TABLE t (n text)",
        ),
        (
            "CREATE TABLE t (net int, total int GENERATED ALWAYS AS (net) STORED)",
            "CREATE TABLE t (net int, tax int, total int GENERATED ALWAYS AS (net + tax) STORED)",
        ),
        (
            "CREATE TABLE t (name text PRIMARY KEY)",
            "CREATE TABLE t (name text PRIMARY KEY); ALTER TABLE t ADD CONSTRAINT u UNIQUE (name)",
        ),
        (
            "CREATE TABLE other (id int)",
            "CREATE TABLE other (id int); CREATE TABLE t (name text PRIMARY KEY, n int); \
             ALTER TABLE t ADD CONSTRAINT u UNIQUE (name); ALTER TABLE t ADD CONSTRAINT v UNIQUE (n); \
             ALTER TABLE t ADD CONSTRAINT w UNIQUE (n); CREATE TABLE c (name text REFERENCES t (name))",
        ),
    ];
    for (old, new) in pairs {
        pair.settle_both_ways(old, new).await;
    }
    pair.remove().await;
}

#[tokio::test]
async fn an_enum_type_is_made_anew_once_whatever_becomes_of_labels_and_defaults() {
    let Some(pair) = Pair::new().await else {
        return;
    };
    let old = "CREATE TYPE st AS ENUM ('PENDING', 'ACTIVE', 'INACTIVE'); \
        CREATE TABLE u (id int PRIMARY KEY, s st NOT NULL DEFAULT 'PENDING', all_of st[] DEFAULT '{PENDING}', gone st DEFAULT 'INACTIVE'); \
        CREATE INDEX u_gone ON u (gone)";
    let new = "CREATE TYPE st AS ENUM ('IN_REVIEW', 'ACTIVE', 'PAUSED'); \
        CREATE TABLE u (id int PRIMARY KEY, s st NOT NULL DEFAULT 'IN_REVIEW', all_of st[] DEFAULT '{PAUSED}')";
    pair.settle_both_ways(old, new).await;

    pair.load(
        0,
        &format!("{old}; INSERT INTO u VALUES (1, 'ACTIVE', '{{ACTIVE}}', 'INACTIVE')"),
    )
    .await;
    pair.load(1, new).await;
    let (before, wanted) = (pair.catalog(0).await, pair.catalog(1).await);
    let found = diff(&before, &wanted, &Policy::default()).unwrap();
    let statements = sql(&before, &found.operations).unwrap();
    let made = statements
        .iter()
        .filter(|sql| sql.starts_with("CREATE TYPE"))
        .count();
    assert_eq!(made, 1, "{statements:#?}");
    pair.send(&before, &found.operations).await;
    assert_eq!(
        pair.ask("INSERT INTO u (id) VALUES (2); SELECT s, all_of FROM u ORDER BY id"),
        "ACTIVE|{ACTIVE}\nIN_REVIEW|{PAUSED}"
    );
    pair.settle_both_ways(
        "CREATE TYPE st AS ENUM ('a', 'it''s b'); CREATE TABLE t (s st DEFAULT 'it''s b', o st[] DEFAULT ARRAY['it''s b'::st])",
        "CREATE TYPE st AS ENUM ('a', 'c'); CREATE TABLE t (s st DEFAULT 'c', o st[] DEFAULT ARRAY['a'::st])",
    )
    .await;
    // The column that becomes a text leaves the type before the label does.
    pair.settle_both_ways(
        "CREATE TYPE st AS ENUM ('a', 'b'); CREATE TABLE t (s st DEFAULT 'a', o st)",
        "CREATE TYPE st AS ENUM ('b'); CREATE TABLE t (s text DEFAULT 'a', o st)",
    )
    .await;
    pair.remove().await;
}

#[tokio::test]
async fn a_label_is_committed_before_it_is_used() {
    let Some(pair) = Pair::new().await else {
        return;
    };
    pair.load(
        0,
        "CREATE TYPE mood AS ENUM ('calm'); CREATE TABLE t (m mood DEFAULT 'calm')",
    )
    .await;
    pair.load(
        1,
        "CREATE TYPE mood AS ENUM ('calm', 'rough'); CREATE TABLE t (m mood DEFAULT 'rough')",
    )
    .await;
    let (before, wanted) = (pair.catalog(0).await, pair.catalog(1).await);
    let found = diff(&before, &wanted, &Policy::default()).unwrap();
    let rendered = render(&before, &found.operations, &[]).unwrap();
    assert!(rendered.is_split, "one transaction around {}", rendered.up);
    let text = sql(&before, &found.operations).unwrap().join(";\n");
    let context = Context::default()
        .schema("CREATE TYPE mood AS ENUM ('calm'); CREATE TABLE t (m mood DEFAULT 'calm')")
        .surrounded_by(Surrounding::Nothing);
    let hazards: Vec<String> = lint(&text, &context)
        .iter()
        .map(|hazard| hazard.category.to_owned())
        .filter(|category| category == "not-allowed-in-tx")
        .collect();
    assert_eq!(hazards, [""; 0]);

    pair.load(
        1,
        "CREATE TYPE mood AS ENUM ('calm', 'rough'); CREATE TABLE t (m mood DEFAULT 'calm')",
    )
    .await;
    let found = diff(&before, &pair.catalog(1).await, &Policy::default()).unwrap();
    assert!(!render(&before, &found.operations, &[]).unwrap().is_split);
    pair.remove().await;
}

#[tokio::test]
async fn foreign_keys_step_aside_where_both_sides_get_a_type_that_the_other_cannot_be_compared_with() {
    let Some(pair) = Pair::new().await else {
        return;
    };
    let of = |data_type: &str| {
        format!("CREATE TABLE a (id {data_type} PRIMARY KEY); CREATE TABLE b (a_id {data_type} REFERENCES a)")
    };
    let found = pair.settle(&of("varchar(36)"), &of("uuid")).await;
    assert_snapshot!(words(&found.operations).join("\n"), @r"
    drop foreign key b b_a_id_fkey (a_id) a (id)
    alter type a.id: character varying(36) -> uuid
    alter type b.a_id: character varying(36) -> uuid
    add foreign key b b_a_id_fkey (a_id) a (id)
    validate foreign key b b_a_id_fkey
    ");
    pair.settle_both_ways(&of("int"), &of("text")).await;
    let found = pair.settle(&of("int"), &of("bigint")).await;
    assert_eq!(found.operations.len(), 2);
    let of = |labels: &str| format!("CREATE TYPE e AS ENUM ({labels}); {}", of("e"));
    pair.settle_both_ways(&of("'x', 'y'"), &of("'y'")).await;
    pair.remove().await;
}

#[tokio::test]
async fn every_way_to_count_is_compared() {
    let Some(pair) = Pair::new().await else {
        return;
    };
    let options = "INCREMENT BY 5 MINVALUE 2 MAXVALUE 100 START WITH 7 CACHE 3 CYCLE";
    let pairs = [
        ("CREATE SEQUENCE s", format!("CREATE SEQUENCE s {options}")),
        ("CREATE SEQUENCE s", "CREATE SEQUENCE s CACHE 3".to_owned()),
        ("CREATE SEQUENCE s", "CREATE SEQUENCE s AS smallint INCREMENT BY -1".to_owned()),
        ("CREATE SEQUENCE s", "CREATE SEQUENCE s MINVALUE -5 START WITH 1".to_owned()),
        ("CREATE SEQUENCE s MINVALUE 1", "CREATE SEQUENCE s MINVALUE 100 START 100".to_owned()),
        ("CREATE SEQUENCE s MAXVALUE 9", "CREATE SEQUENCE s MINVALUE 100 START 100".to_owned()),
        (
            "CREATE TABLE t (n int GENERATED ALWAYS AS IDENTITY)",
            format!("CREATE TABLE t (n int GENERATED BY DEFAULT AS IDENTITY ({options}))"),
        ),
        (
            "CREATE TABLE t (n int GENERATED ALWAYS AS IDENTITY)",
            format!("CREATE TABLE t (n int GENERATED ALWAYS AS IDENTITY ({options}))"),
        ),
        (
            "CREATE TABLE t (a int)",
            format!("CREATE TABLE t (a int, n bigint NOT NULL GENERATED ALWAYS AS IDENTITY ({options}))"),
        ),
        ("CREATE TABLE t (n serial)", "CREATE TABLE t (n serial); ALTER SEQUENCE t_n_seq CACHE 9".to_owned()),
        ("CREATE TABLE t (n serial)", "CREATE TABLE t (n bigserial)".to_owned()),
        ("CREATE TABLE o ()", "CREATE TABLE o (); CREATE TABLE t (n serial); ALTER SEQUENCE t_n_seq RENAME TO x; ALTER SEQUENCE x CACHE 4".to_owned()),
        ("CREATE TABLE t ()", "CREATE SEQUENCE x; CREATE TABLE t (n numeric NOT NULL DEFAULT nextval('x')); ALTER SEQUENCE x OWNED BY t.n".to_owned()),
    ];
    for (old, new) in pairs {
        pair.settle_both_ways(old, &new).await;
    }
    pair.remove().await;
}

#[tokio::test]
async fn a_sequence_stays_when_it_changes_hands() {
    let Some(pair) = Pair::new().await else {
        return;
    };
    let free = "CREATE SEQUENCE t_n_seq AS int; CREATE TABLE t (n int NOT NULL); CREATE TABLE o (n int)";
    let read = "CREATE SEQUENCE t_n_seq AS int; CREATE TABLE t (n int NOT NULL DEFAULT nextval('t_n_seq')); CREATE TABLE o (n int)";
    let owned = "CREATE SEQUENCE t_n_seq AS int; CREATE TABLE t (n int NOT NULL); CREATE TABLE o (n int); ALTER SEQUENCE t_n_seq OWNED BY o.n";
    let serial = "CREATE TABLE t (n serial); CREATE TABLE o (n int)";
    let moved = "CREATE TABLE t (n int NOT NULL); CREATE TABLE o (n int DEFAULT nextval('t_n_seq')); ALTER SEQUENCE t_n_seq OWNED BY o.n";
    let moved = format!("CREATE SEQUENCE t_n_seq AS int; {moved}");
    let gone = "CREATE TABLE t (n int NOT NULL)";
    let all = [free, read, owned, serial, &moved];
    for old in all {
        for new in all.into_iter().filter(|new| *new != old) {
            let rows = "INSERT INTO t VALUES (1); SELECT setval('t_n_seq', 42)";
            pair.settle(&format!("{old}; {rows}"), new).await;
            assert_eq!(pair.ask("SELECT nextval('t_n_seq')"), "43", "{old} -> {new}");
        }
        pair.settle_both_ways(old, gone).await;
    }
    pair.remove().await;
}

#[tokio::test]
async fn a_number_that_was_given_once_is_not_given_again() {
    let Some(pair) = Pair::new().await else {
        return;
    };
    let [serial, by_default, always] = [
        "CREATE TABLE t (id serial PRIMARY KEY)",
        "CREATE TABLE t (id int GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY)",
        "CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY)",
    ];
    for (old, new) in [
        (serial, by_default),
        (serial, always),
        (always, serial),
        (by_default, always),
    ] {
        let rows = "INSERT INTO t SELECT FROM generate_series(1, 3); DELETE FROM t WHERE id > 1";
        pair.settle(&format!("{old}; {rows}"), new).await;
        assert_eq!(
            pair.ask("INSERT INTO t DEFAULT VALUES RETURNING id"),
            "4",
            "{old} -> {new}"
        );
        // One that has given no number begins with the first.
        pair.settle(old, new).await;
        assert_eq!(
            pair.ask("INSERT INTO t DEFAULT VALUES RETURNING id"),
            "1",
            "{old} -> {new}"
        );
    }
    pair.remove().await;
}

#[tokio::test]
async fn a_serial_key_that_becomes_wider_gives_wider_numbers() {
    let Some(pair) = Pair::new().await else {
        return;
    };
    let connection = pair.sessions[0].connection();
    let mut declared = Catalog::new(Dialect::Postgresql);
    let mut table = Table::new("t");
    table.columns = vec![Column::new("id", "bigint").not_null().auto(Numbering::Any)];
    declared.tables.push(table);
    let last = "SELECT setval('t_id_seq', 2147483647)";
    // The second is what was left behind when only the column was altered.
    for old in [
        "CREATE TABLE t (id serial)",
        "CREATE TABLE t (id serial); ALTER TABLE t ALTER id TYPE bigint",
    ] {
        pair.load(0, &format!("{old}; {last}")).await;
        let live = pair.catalog(0).await;
        let found = drift(connection, &Scope::default(), &declared, &Policy::default())
            .await
            .unwrap();
        assert_eq!(found.operations.len(), 1, "{:?}", words(&found.operations));
        pair.send(&live, &found.operations).await;
        assert_eq!(
            pair.ask("INSERT INTO t DEFAULT VALUES RETURNING id"),
            "2147483648"
        );
        let left = drift(connection, &Scope::default(), &declared, &Policy::default())
            .await
            .unwrap();
        assert_eq!(words(&left.operations), [""; 0]);
    }
    pair.remove().await;
}

#[tokio::test]
async fn all_that_a_database_says_about_keys_and_indexes_is_compared() {
    let Some(pair) = Pair::new().await else {
        return;
    };
    let far = "CREATE SCHEMA far; CREATE OPERATOR CLASS far.again FOR TYPE text USING btree AS OPERATOR 1 <, OPERATOR 2 <=, \
        OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >, FUNCTION 1 bttextcmp(text, text)";
    pair.load(0, far).await;
    pair.load(1, far).await;
    let table = "CREATE TABLE t (a int NOT NULL, b int, name text)";
    let parts = [
        "ALTER TABLE t ADD CONSTRAINT k PRIMARY KEY (a)",
        "ALTER TABLE t ADD CONSTRAINT k PRIMARY KEY (a) INCLUDE (b)",
        "ALTER TABLE t ADD CONSTRAINT k PRIMARY KEY (a) DEFERRABLE",
        "ALTER TABLE t ADD CONSTRAINT k UNIQUE (a)",
        "ALTER TABLE t ADD CONSTRAINT k UNIQUE (a) INCLUDE (b) DEFERRABLE INITIALLY DEFERRED",
        "CREATE UNIQUE INDEX k ON t (a)",
        "CREATE INDEX k ON t (a) WITH (fillfactor = 70)",
        "CREATE INDEX k ON t ((lower(name)))",
        "CREATE INDEX k ON t ((lower(name)) COLLATE \"C\")",
        "CREATE INDEX k ON t (name far.again)",
        "ALTER TABLE t ADD CONSTRAINT k CHECK (b > 0)",
    ];
    for pieces in parts.windows(2) {
        let [one, other] = [&pieces[0], &pieces[1]].map(|part| format!("{table}; {part}"));
        pair.settle_both_ways(&one, &other).await;
    }
    let keys = ["", " NOT VALID"].map(|valid| {
        format!("CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (a int); ALTER TABLE b ADD FOREIGN KEY (a) REFERENCES a{valid}")
    });
    // Rows that were looked at stay looked at: undoing that does nothing.
    pair.settle(&keys[0], &keys[1]).await;
    let check = format!("{table}; ALTER TABLE t ADD CONSTRAINT k CHECK (b > 0)");
    pair.settle(&check, &format!("{check} NOT VALID")).await;
    pair.remove().await;
}

#[tokio::test]
async fn how_rows_and_values_are_kept_is_compared_where_both_are_known_whole() {
    let Some(pair) = Pair::new().await else {
        return;
    };
    let plain = "CREATE TABLE t (a int, name text)";
    let others = [
        "CREATE UNLOGGED TABLE t (a int, name text)",
        "CREATE TABLE t (a int, name text) WITH (fillfactor = 70, toast.autovacuum_enabled = false)",
        "CREATE TABLE t (a int, name text); ALTER TABLE t ALTER name SET STORAGE EXTERNAL",
        "CREATE TABLE t (a int, name text); ALTER TABLE t ALTER name SET STATISTICS 500",
        "CREATE TABLE t (a int, name text); ALTER TABLE t ADD n numeric; ALTER TABLE t ALTER n SET STORAGE PLAIN",
        "CREATE TABLE t (a int, name text); ALTER TABLE t ALTER name SET (n_distinct = -0.5), ALTER a SET (n_distinct_inherited = 7)",
        "CREATE TABLE t (a int, name text); ALTER TABLE t ALTER name SET (n_distinct = 5)",
    ];
    pair.settle_both_ways(others[5], others[6]).await;
    // Another type, or collation, would bring its own way to keep values.
    for (one, other) in [
        ("text", "integer"),
        ("text", "varchar(9)"),
        ("text", "text COLLATE \"C\""),
    ] {
        let stored = |data_type: &str| {
            format!(
                "CREATE TABLE t (a {data_type}); ALTER TABLE t ALTER a SET STORAGE EXTERNAL, ALTER a SET STATISTICS 5"
            )
        };
        let other_one = match other {
            "integer" => "CREATE TABLE t (a integer)".to_owned(),
            _ => stored(other),
        };
        pair.settle_both_ways(&stored(one), &other_one).await;
    }
    for other in others {
        pair.settle_both_ways(plain, other).await;
        pair.settle_both_ways("CREATE TABLE o ()", &format!("{other}; CREATE TABLE o ()"))
            .await;
    }
    pair.load(0, plain).await;
    pair.load(1, others[1]).await;
    let (live, wanted) = (pair.catalog(0).await, pair.catalog(1).await);
    assert!(diff(&live, &wanted, &Policy::default()).unwrap().is_empty());
    pair.remove().await;
}

#[tokio::test]
async fn what_a_table_inherits_is_changed_where_it_comes_from() {
    let Some(pair) = Pair::new().await else {
        return;
    };
    let kid = "CREATE TABLE kid (x int) INHERITS (base); CREATE TABLE grandkid () INHERITS (kid)";
    let bases = [
        "CREATE TABLE base (id int, n text)",
        "CREATE TABLE base (id int, n text, extra int NOT NULL DEFAULT 3)",
        "CREATE TABLE base (id bigint, n text DEFAULT 'n')",
        "CREATE TABLE base (id int NOT NULL, n text, CHECK (id > 0))",
    ];
    for pieces in bases.windows(2) {
        let [one, other] = [pieces[0], pieces[1]].map(|base| format!("{base}; {kid}"));
        pair.settle_both_ways(&one, &other).await;
    }
    let alone = "CREATE TABLE kid (id int, n text, x int)";
    let loose = format!("{}; {alone}", bases[0]);
    let tied = format!("{loose}; ALTER TABLE kid INHERIT base");
    pair.settle_both_ways(&loose, &tied).await;
    pair.settle_both_ways(bases[0], &format!("{}; {kid}", bases[0]))
        .await;
    pair.remove().await;
}

#[tokio::test]
async fn parts_of_a_table_are_compared_and_another_key_is_refused() {
    let Some(pair) = Pair::new().await else {
        return;
    };
    let whole = "CREATE TABLE e (id int NOT NULL, day date) PARTITION BY LIST (id)";
    let parts = [
        "",
        "CREATE TABLE e1 PARTITION OF e FOR VALUES IN (1)",
        "CREATE TABLE e1 PARTITION OF e FOR VALUES IN (1, 2); CREATE TABLE rest PARTITION OF e DEFAULT",
        "CREATE TABLE e1 PARTITION OF e FOR VALUES IN (1) PARTITION BY RANGE (day); \
         CREATE TABLE a1 PARTITION OF e1 FOR VALUES FROM ('2024-01-01') TO ('2024-02-01')",
    ];
    for (place, other) in parts.iter().enumerate().skip(1) {
        let before = if place == 3 { parts[0] } else { parts[place - 1] };
        pair.settle_both_ways(&format!("{whole}; {before}"), &format!("{whole}; {other}"))
            .await;
        pair.settle_both_ways(
            "CREATE TABLE o ()",
            &format!("CREATE TABLE o (); {whole}; {other}"),
        )
        .await;
    }
    let key = "ALTER TABLE e ADD PRIMARY KEY (id); CREATE INDEX e_day ON e (day)";
    pair.settle_both_ways(
        &format!("{whole}; {}", parts[1]),
        &format!("{whole}; {}; {key}", parts[1]),
    )
    .await;
    // An index that the partitions lack is made for them; REINDEX would not do it.
    pair.settle_both_ways(
        &format!("{whole}; {}; CREATE INDEX e_day ON ONLY e (day)", parts[2]),
        &format!("{whole}; {}; CREATE INDEX e_day ON e (day)", parts[2]),
    )
    .await;

    pair.load(0, whole).await;
    pair.load(
        1,
        "CREATE TABLE e (id int NOT NULL, day date) PARTITION BY RANGE (day)",
    )
    .await;
    let (live, mut wanted) = (pair.catalog(0).await, pair.catalog(1).await);
    let refused = diff(&live, &wanted, &Policy::default()).unwrap_err();
    assert!(matches!(refused, DiffError::PartitionKey { table } if table == "e"));
    // Entities do not know how a table is divided.
    wanted.tables[0].partitioned_by = None;
    assert!(diff(&live, &wanted, &Policy::default()).unwrap().is_empty());
    pair.remove().await;
}

/// The server keeps one foreign key more for each part of the table that is referred to, on the table that refers.
#[tokio::test]
async fn a_foreign_key_to_a_divided_table_is_one_however_many_parts_it_has() {
    let Some(pair) = Pair::new().await else { return };
    let tables = "CREATE TABLE fleet (id integer, port text) PARTITION BY LIST (port); \
        CREATE UNIQUE INDEX fleet_port_idx ON fleet (port, id); \
        CREATE TABLE crew (id integer, port text) PARTITION BY LIST (port); \
        CREATE UNIQUE INDEX crew_port_idx ON crew (port, id); ";
    let keys = "ALTER TABLE crew ADD CONSTRAINT crew_fleet FOREIGN KEY (port, id) REFERENCES fleet (port, id); \
        ALTER TABLE fleet ADD CONSTRAINT fleet_crew FOREIGN KEY (port, id) REFERENCES crew (port, id);";
    let parts = "CREATE TABLE fleet_kiel PARTITION OF fleet FOR VALUES IN ('kiel'); \
        CREATE TABLE crew_kiel PARTITION OF crew FOR VALUES IN ('kiel'); ";
    pair.settle_both_ways(&format!("{tables}{keys}"), &format!("{tables}{parts}{keys}"))
        .await;
    pair.settle_both_ways(tables, &format!("{tables}{parts}{keys}"))
        .await;
    pair.remove().await;
}

#[tokio::test]
async fn a_table_becomes_a_part_and_a_part_a_table_with_all_rows() {
    let Some(pair) = Pair::new().await else {
        return;
    };
    let apart = "CREATE TABLE e (at date NOT NULL, note text, PRIMARY KEY (at)) PARTITION BY RANGE (at); \
        CREATE INDEX e_note ON e (note); CREATE TABLE e_2025 (at date NOT NULL PRIMARY KEY, note text); \
        CREATE INDEX e_2025_note_idx ON e_2025 (note)";
    let attach = "ALTER TABLE e ATTACH PARTITION e_2025 FOR VALUES FROM ('2025-01-01') TO ('2026-01-01')";
    let together = format!("{apart}; {attach}");
    pair.settle_both_ways(apart, &together).await;
    for (old, new) in [(apart, together.as_str()), (together.as_str(), apart)] {
        pair.load(0, old).await;
        pair.load(1, new).await;
        let (before, wanted) = (pair.catalog(0).await, pair.catalog(1).await);
        pair.ask("INSERT INTO e_2025 VALUES ('2025-05-01', 'kept')");
        let policy = Policy {
            wanted: Wanted::Whole,
            ..Policy::default()
        };
        let found = diff(&before, &wanted, &policy).unwrap();
        pair.send(&before, &found.operations).await;
        assert_eq!(
            pair.ask("SELECT note FROM e_2025").trim(),
            "kept",
            "{:?}",
            words(&found.operations)
        );
    }
    pair.remove().await;
}

#[tokio::test]
async fn what_a_new_table_does_not_know_to_be_true_of_its_rows_stays_unproven() {
    let Some(pair) = Pair::new().await else {
        return;
    };
    let new = "CREATE TABLE a (id integer PRIMARY KEY); CREATE TABLE b (a integer); \
        ALTER TABLE b ADD CONSTRAINT b_a FOREIGN KEY (a) REFERENCES a (id) NOT VALID; \
        ALTER TABLE b ADD CONSTRAINT b_positive CHECK (a > 0) NOT VALID";
    pair.settle_both_ways("CREATE TABLE other ()", new).await;
    pair.remove().await;
}

#[tokio::test]
async fn numbers_that_a_narrower_type_cannot_hold_are_no_bounds_any_more() {
    let Some(pair) = Pair::new().await else {
        return;
    };
    for (narrow, wide) in [
        (
            "CREATE TABLE t (id integer GENERATED ALWAYS AS IDENTITY)",
            "CREATE TABLE t (id bigint GENERATED ALWAYS AS IDENTITY (MAXVALUE 5000000000))",
        ),
        (
            "CREATE TABLE t (id serial)",
            "CREATE TABLE t (id bigserial); ALTER SEQUENCE t_id_seq MAXVALUE 5000000000 MINVALUE -5000000000",
        ),
    ] {
        pair.settle_both_ways(narrow, wide).await;
    }
    pair.remove().await;
}

#[tokio::test]
async fn a_default_is_made_in_the_words_that_the_server_has_for_it() {
    let Some(pair) = Pair::new().await else {
        return;
    };
    let made = "CREATE TABLE t (a varchar DEFAULT 'x'::text, b varchar(5) DEFAULT NULL, c text DEFAULT 'y')";
    pair.settle("CREATE TABLE other ()", made).await;
    let defaults = pair.ask(
        "SELECT string_agg(pg_get_expr(adbin, adrelid), ', ' ORDER BY adnum) FROM pg_attrdef WHERE adrelid = 't'::regclass",
    );
    assert_eq!(defaults.trim(), "'x'::text, NULL::character varying, 'y'::text");
    pair.remove().await;
}

/// As SeaORM writes one that has a quote in it.
#[tokio::test]
async fn a_default_with_escapes_is_the_text_that_it_holds() {
    let Some(pair) = Pair::new().await else {
        return;
    };
    let ddl = "CREATE TABLE t (a text DEFAULT 'it''s', b text DEFAULT E'a\\nb', c text DEFAULT 'c')";
    pair.load(0, ddl).await;
    let mut wanted = Catalog::new(Dialect::Postgresql);
    let mut table = Table::new("t");
    table.columns = vec![
        Column::new("a", "text").default(r"E'it\'s'"),
        Column::new("b", "text").default(r"e'a\nb'"),
        Column::new("c", "text").default(r"E'c\\'::text"),
    ];
    wanted.tables.push(table);
    let (connection, scope) = (pair.sessions[0].connection(), Scope::default());
    let found = drift(connection, &scope, &wanted, &Policy::default())
        .await
        .unwrap();
    assert_eq!(words(&found.operations), [r"alter default t.c: 'c' -> 'c\'"]);
    pair.send(&pair.catalog(0).await, &found.operations).await;
    let left = drift(connection, &scope, &wanted, &Policy::default())
        .await
        .unwrap();
    assert_eq!(words(&left.operations), [""; 0]);
    pair.remove().await;
}

#[tokio::test]
async fn names_that_make_room_for_each_other_are_followed_and_those_that_change_hands_are_refused() {
    let Some(pair) = Pair::new().await else {
        return;
    };
    pair.load(
        0,
        "CREATE TABLE t (a integer, b text); INSERT INTO t VALUES (1, 'one')",
    )
    .await;
    let wanted = |names: [(&str, &str, &str); 2]| {
        let mut table = Table::new("t");
        table.columns = names
            .map(|(name, data_type, old)| Column {
                renamed_from: Some(old.to_owned()),
                ..Column::new(name, data_type)
            })
            .to_vec();
        let mut catalog = Catalog::new(Dialect::Postgresql);
        catalog.tables.push(table);
        catalog
    };
    let (live, policy) = (pair.catalog(0).await, Policy::default());
    let swapped = diff(
        &live,
        &wanted([("b", "integer", "a"), ("a", "text", "b")]),
        &policy,
    );
    assert_snapshot!(swapped.unwrap_err().to_string(), @"the rename of the column t.a to b cannot be: b was called a, which was called by a name that leads back to b, and nothing would tell afterwards that they were renamed: rename them over a third name in a revision of your own, without `renamed_from`");
    let moved = wanted([("b", "integer", "a"), ("c", "text", "b")]);
    let found = diff(&live, &moved, &policy).unwrap();
    pair.send(&live, &found.operations).await;
    assert_eq!(pair.ask("SELECT b, c FROM t"), "1|one");
    assert!(diff(&pair.catalog(0).await, &moved, &policy).unwrap().is_empty());
    pair.remove().await;
}

#[test]
fn what_a_sequence_leaves_out_is_what_postgresql_takes() {
    let down = Sequence {
        increment: Some(-2),
        data_type: Some("smallint".to_owned()),
        ..Sequence::new("s")
    };
    assert_eq!((down.bounds(), down.first(), down.step()), ((-32768, -1), -1, -2));
    let up = Sequence {
        minimum: Some(10),
        ..Sequence::new("s")
    };
    assert_eq!((up.bounds(), up.first(), up.step()), ((10, i64::MAX), 10, 1));
}
